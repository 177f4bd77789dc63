"""An export is brought up to date without ever losing what a person wrote."""

import json

import pytest

from tinykit.errors import DataError, TinykitError
from tinykit.exchange.folder import MANIFEST, write_folder

FIRST = {"main.c": b"one", "src/a.c": b"a", "src/b.c": b"b"}


@pytest.fixture
def folder(tmp_path):
    write_folder(tmp_path / "out", FIRST, {"kind": "c"})
    return tmp_path / "out"


def there(folder):
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {name: (folder / name).read_bytes() for name in names if name != MANIFEST}


def test_all_is_written_and_the_manifest_says_what(folder):
    assert there(folder) == FIRST
    card = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    assert card["kind"] == "c" and set(card["files"]) == set(FIRST)


def test_again_changes_what_is_new_and_takes_away_what_is_no_more(folder):
    write_folder(folder, {"main.c": b"two", "src/a.c": b"a"}, {})
    assert there(folder) == {"main.c": b"two", "src/a.c": b"a"}


def test_what_others_put_beside_it_stays(folder):
    (folder / "notes.txt").write_bytes(b"mine")
    (folder / "build").mkdir()
    (folder / "build" / "main.o").write_bytes(b"object")
    write_folder(folder, {"main.c": b"two"}, {})
    assert there(folder) == {"main.c": b"two", "notes.txt": b"mine", "build/main.o": b"object"}


@pytest.mark.parametrize("name", ["main.c", "src/b.c"])
def test_what_was_changed_by_hand_is_not_touched_nor_anything_else(folder, name):
    (folder / name).write_bytes(b"my own")
    before = there(folder)
    with pytest.raises(DataError, match=f"{name} was changed by hand; nothing was written.* Next: ") as caught:
        write_folder(folder, {"main.c": b"two", "src/a.c": b"new"}, {})
    assert there(folder) == before and "another folder" in caught.value.next


def test_a_file_that_was_deleted_comes_back(folder):
    (folder / "main.c").unlink()
    write_folder(folder, FIRST, {})
    assert there(folder) == FIRST


def test_a_write_that_was_cut_off_is_finished(folder):
    (folder / "main.c").write_bytes(b"two")  # as the next export had begun to
    write_folder(folder, {**FIRST, "main.c": b"two"}, {})
    assert there(folder)["main.c"] == b"two"


def test_an_empty_folder_is_taken(tmp_path):
    write_folder(tmp_path, FIRST, {})
    assert there(tmp_path) == FIRST


def test_somebody_elses_folder_is_not(tmp_path):
    (tmp_path / "thesis.tex").write_bytes(b"years of work")
    with pytest.raises(DataError, match=r"other files in it \(thesis.tex\); nothing was written"):
        write_folder(tmp_path, FIRST, {})
    assert there(tmp_path) == {"thesis.tex": b"years of work"}


@pytest.mark.parametrize("card", ["", "[]", '{"files": 3}', '{"name": "somebody else\'s"}'])
def test_a_manifest_that_is_not_ours_protects_the_folder(tmp_path, card):
    (tmp_path / MANIFEST).write_text(card, encoding="utf-8")
    with pytest.raises(DataError, match="other files"):
        write_folder(tmp_path, FIRST, {})


def test_a_manifest_can_not_reach_out_of_its_folder(tmp_path):
    outside = tmp_path / "outside.txt"
    outside.write_bytes(b"keep")
    write_folder(tmp_path / "in", {"a": b"a"}, {})
    card = json.loads((tmp_path / "in" / MANIFEST).read_text(encoding="utf-8"))
    import hashlib

    card["files"]["../outside.txt"] = hashlib.sha256(b"keep").hexdigest()
    (tmp_path / "in" / MANIFEST).write_text(json.dumps(card), encoding="utf-8")
    write_folder(tmp_path / "in", {"a": b"b"}, {})
    assert outside.read_bytes() == b"keep"


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match="is a file, not a folder"):
        write_folder(tmp_path / "file", FIRST, {})


def test_where_nothing_can_be_made_the_system_says_why(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(TinykitError, match="Next: "):
        write_folder(tmp_path / "file" / "below", FIRST, {})
