"""Public sets in one archive, served by this very computer: checked, unpacked inside their folder only."""

import hashlib
import io
import json
import shutil
import tarfile
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import numpy as np
import pytest

from tinykit.data import archive, sound
from tinykit.data.audio import to_wav
from tinykit.data.registry import fetch, public
from tinykit.errors import DataError

CLIPS = {
    f"{word}/{who}_nohash_0.wav": to_wav(sound(np.arange(8000) % (100 + i)))
    for i, (word, who) in enumerate((w, p) for w in ("left", "go", "cat") for p in ("0a7c2a8d", "bb05582b"))
}
CLIPS["_background_noise_/tap.wav"] = to_wav(sound(np.arange(50000) % 777))
CLIPS["README.md"] = b"words"


def tar_of(files, kind=tarfile.REGTYPE, link=""):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as made:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.type, info.linkname = len(content) if kind == tarfile.REGTYPE else 0, kind, link
            made.addfile(info, io.BytesIO(content))
    return data.getvalue()


def zip_of(files, mode=0):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as made:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            made.writestr(info, content)
    return data.getvalue()


@pytest.fixture
def served(tmp_path):
    """A server with a tar and a zip, and a registry that names them."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    folder = tmp_path / "www"
    folder.mkdir()
    archives = {
        "big": ("big.tar.gz", tar_of({f"./{name}": data for name, data in CLIPS.items()}), {}),
        "mini": (
            "mini.zip",
            zip_of({f"mini/{n}": d for n, d in CLIPS.items()} | {"__MACOSX/mini/left/._a.wav": b"x"}),
            {"folder": "mini"},
        ),
    }
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sets = {}
    for name, (file, data, more) in archives.items():
        (folder / file).write_bytes(data)
        packed = {
            "url": f"http://127.0.0.1:{server.server_port}/{file}",
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
            "files": 6,
            **more,
        }
        sets[name] = {"about": "Words", "licence": "CC-BY-4.0", "cite": "nobody", "archive": packed}
    registry = tmp_path / "registry.json"
    registry.write_text(json.dumps({"format": 1, "base": "", "sets": sets}), encoding="utf-8")
    yield server, registry, tmp_path
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", ["big", "mini"])
def test_an_archive_is_loaded_once_and_opened(name, served, capsys):
    server, registry, folder = served
    dataset = fetch(name, folder / "kept", registry=registry)
    assert "unpacking" in capsys.readouterr().err
    assert len(dataset) == 6 and dataset.labels == ("cat", "go", "left") and dataset.persons == ("0a7c2a8d", "bb05582b")
    for r in dataset:
        assert r.sha256 == hashlib.sha256(CLIPS[r.source]).hexdigest()
    assert dataset.name == name and "127.0.0.1" in dataset.card["provenance"] and dataset.card["licence"] == "CC-BY-4.0"
    assert dataset.card["noise"].endswith("_background_noise_")
    assert sorted(p.name for p in (folder / "kept").iterdir()) == ["files", "unpacked.json"], "the archive is not kept"
    server.shutdown()  # from now on there is no network
    again = fetch(name, folder / "kept", progress=False, registry=registry, words=("go",), limit=1)
    assert len(again) == 1 and again.labels == ("go",)
    assert public(registry)[name]["bytes"] > 0 and public(registry)[name]["files"] == 6
    next((folder / "kept" / "files").rglob("go/*.wav")).unlink()
    with pytest.raises(DataError, match="of the . files of its archive"):
        fetch(name, folder / "kept", progress=False, registry=registry)


def test_a_changed_archive_is_refused_and_not_kept(served):
    _, registry, folder = served
    with open(folder / "www" / "big.tar.gz", "ab") as file:
        file.write(b"more")
    with pytest.raises(DataError, match="not what the registry says"):
        fetch("big", folder / "kept", progress=False, registry=registry)
    assert not any(p.is_file() for p in (folder / "kept").rglob("*"))


def test_no_network(served):
    server, registry, folder = served
    server.shutdown()
    server.server_close()
    with pytest.raises(DataError, match="could not be loaded") as error:
        fetch("big", folder / "kept", progress=False, registry=registry)
    assert "sample('words')" in str(error.value)


def test_no_room(served, monkeypatch):
    _, registry, folder = served
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1))
    with pytest.raises(DataError, match="GB free"):
        fetch("big", folder / "kept", progress=False, registry=registry)


BAD = {
    "up.tar.gz": tar_of({"left/a.wav": b"1", "../out.wav": b"2"}),
    "deep.tar.gz": tar_of({"left/../../out.wav": b"2"}),
    "root.tar.gz": tar_of({"/tmp/out.wav": b"2"}),
    "link.tar.gz": tar_of({"left": b""}, tarfile.SYMTYPE, "/etc"),
    "hard.tar.gz": tar_of({"left": b""}, tarfile.LNKTYPE, "../out"),
    "pipe.tar.gz": tar_of({"left": b""}, tarfile.FIFOTYPE),
    "up.zip": zip_of({"left/a.wav": b"1", "../out.wav": b"2"}),
    "drive.zip": zip_of({"C:/out.wav": b"2"}),
    "back.zip": zip_of({"..\\out.wav": b"2"}),
    "link.zip": zip_of({"left": b"/etc"}, 0o120777),
}


@pytest.mark.parametrize("name", BAD)
def test_an_archive_that_would_write_elsewhere_is_refused(name, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(BAD[name])
    with pytest.raises(DataError, match="no plain file inside its folder"):
        archive.unpack(tmp_path / "in" / name, tmp_path / "in" / "files")
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == [name]
    assert not (tmp_path / "in" / "files").exists()


@pytest.mark.parametrize("cut", [0.3, 0.95])
@pytest.mark.parametrize("name", ["big.tar.gz", "mini.zip"])
def test_a_damaged_archive_leaves_nothing_behind(name, cut, served):
    _, _, folder = served
    whole = (folder / "www" / name).read_bytes()
    (folder / name).write_bytes(whole[: int(cut * len(whole))])
    with pytest.raises(DataError, match="cannot be unpacked"):
        archive.unpack(folder / name, folder / "files")
    assert not (folder / "files").exists() and not list(folder.glob(".files*"))


def test_unpacking_again_replaces_what_was_there(tmp_path):
    (tmp_path / "a.zip").write_bytes(zip_of({"left/a.wav": b"new"}))
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "old.wav").write_bytes(b"old")
    assert archive.unpack(tmp_path / "a.zip", tmp_path / "files") == 1
    assert [p.name for p in (tmp_path / "files").rglob("*") if p.is_file()] == ["a.wav"]
