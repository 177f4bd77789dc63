"""Datasets on disk: whole or not at all, whatever step is cut short."""

import csv
import hashlib
import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from tinykit.data import Dataset, Recording, open_dataset, synthetic
from tinykit.errors import DataError


def test_what_is_saved_comes_back_bit_for_bit(small, tmp_path):
    kept = small.save(tmp_path / "a")
    again = open_dataset(tmp_path / "a")
    assert again.fingerprint == small.fingerprint == kept.fingerprint
    assert [r.id for r in again] == [r.id for r in small]
    for a, b in zip(small, again, strict=True):
        np.testing.assert_array_equal(a.samples, b.samples)
        np.testing.assert_allclose(a.timestamps_ms, b.timestamps_ms, atol=1e-9)
        assert (a.label, a.person, a.session, a.rate_hz, a.quality) == (
            b.label,
            b.person,
            b.session,
            b.rate_hz,
            b.quality,
        )


def test_the_folder_is_as_documented(small, tmp_path):
    folder = small.save(tmp_path / "a").path
    card = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    assert card["channels"] == ["aX", "aY", "aZ", "gX", "gY", "gZ"] and card["synthetic"] is True
    with open(folder / "recordings.csv", newline="", encoding="utf-8") as file:
        index = list(csv.DictReader(file))
    assert len(index) == len(small)
    for row in index:
        data = (folder / row["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"]
        table = np.genfromtxt(data.decode().splitlines(), delimiter=",", names=True)
        assert table.dtype.names == ("timestamp", "aX", "aY", "aZ", "gX", "gY", "gZ")
        rate = (len(table) - 1) * 1000 / (table["timestamp"][-1] - table["timestamp"][0])
        assert rate == pytest.approx(float(row["rate_hz"]), rel=1e-4)
        # Edge Impulse takes the label from the file name up to its first dot.
        assert os.path.basename(row["file"]).split(".")[0] == row["label"]


def test_row_labels_and_odd_floats_survive(tmp_path):
    samples = np.array([[1e-7, -3.4028235e38, 0.1], [1 / 3, 16777217, -0.0]], np.float32)
    recording = Recording(samples, ("aX", "aY", "aZ"), 50.0, row_labels=np.array(["a, b", "ü"]), person="Zoë", id="x")
    Dataset([recording]).save(tmp_path / "a")
    back = Dataset.load(tmp_path / "a")[0]
    np.testing.assert_array_equal(back.samples, samples)
    assert back.row_labels.tolist() == ["a, b", "ü"] and back.person == "Zoë"


def test_add_writes_at_once_and_remove_deletes_nothing(small, tmp_path):
    dataset = Dataset([], {"name": "mine"}).save(tmp_path / "a")
    first = dataset.add(small[0].with_(id=""))
    second = dataset.add(small[0].with_(id=""))
    assert first.id != second.id and len(first.sha256) == 64
    assert [r.id for r in Dataset.load(tmp_path / "a")] == [first.id, second.id]
    dataset.remove(first.id)
    assert [r.id for r in Dataset.load(tmp_path / "a")] == [second.id]
    assert len(list((tmp_path / "a" / "removed").glob("*.csv"))) == 1


CRASH = """
import os, sys
from tinykit.data import Dataset, store, synthetic
stop = int(sys.argv[2])
count = 0
def step(name, real):
    def run(*arguments, **more):
        global count
        count += 1
        if count == stop:
            os._exit(9)  # as a power cut: nothing is tidied up
        return real(*arguments, **more)
    return run
os.replace = step("replace", os.replace)
store._write_flushed = step("write", store._write_flushed)
Dataset.load(sys.argv[1]).add(synthetic.take("punch", "ben", "1", 1))
print("added", count)
"""


def test_a_crash_at_any_step_of_add_loses_nothing(small, tmp_path):
    for stop in range(1, 8):
        folder = tmp_path / str(stop)
        small.part(small[:3]).save(folder)
        run = subprocess.run([sys.executable, "-c", CRASH, str(folder), str(stop)], capture_output=True, text=True)
        after = open_dataset(folder)
        ids = [r.id for r in after]
        assert ids[:3] == [r.id for r in small[:3]], "a recording that was there is gone"
        assert len(ids) in (3, 4)
        for a, b in zip(small[:3], after, strict=False):
            np.testing.assert_array_equal(a.samples, b.samples)
        if len(ids) == 4:
            np.testing.assert_array_equal(after[3].samples, synthetic.take("punch", "ben", "1", 1).samples)
            assert after[3].label == "punch" and after[3].person == "ben"
        if run.returncode == 0:
            assert len(ids) == 4 and stop > 4
            return
        assert run.returncode == 9, run.stderr
    raise AssertionError("add never finished")


def test_saving_over_something_else_is_refused(small, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(DataError, match="not empty"):
        small.save(tmp_path / "a")
    assert (tmp_path / "a" / "thesis.txt").read_text(encoding="utf-8") == "years of work"


@pytest.mark.parametrize(
    "damage, said",
    [
        (lambda f: (f / "dataset.json").write_text("{", encoding="utf-8"), "cannot be read"),
        (lambda f: (f / "dataset.json").write_text('{"format": 99}', encoding="utf-8"), "format 99"),
        (lambda f: (f / "recordings.csv").write_text("file,label\na.csv,b\n", encoding="utf-8"), "lacks device"),
        (lambda f: next((f / "recordings").iterdir()).unlink(), "not there"),
        (lambda f: _spoil(f, "3,1,oops"), "line 3"),
        (lambda f: _spoil(f, "3"), "line 3"),
    ],
)
def test_a_damaged_dataset_says_what_is_wrong(small, tmp_path, damage, said):
    small.part(small[:2]).save(tmp_path / "a")
    damage(tmp_path / "a")
    with pytest.raises(DataError, match=said):
        open_dataset(tmp_path / "a")


def _spoil(folder, text):
    file = next((folder / "recordings").iterdir())
    lines = file.read_text(encoding="utf-8").splitlines()
    lines[2] = text
    file.write_text("\n".join(lines), encoding="utf-8")


def test_a_file_edited_by_hand_is_read_and_told(small, tmp_path):
    small.part(small[:1]).save(tmp_path / "a")
    file = next((tmp_path / "a" / "recordings").iterdir())
    file.write_text(file.read_text(encoding="utf-8").rstrip("\n").rsplit("\n", 1)[0] + "\n", encoding="utf-8")
    again = open_dataset(tmp_path / "a")
    assert len(again[0]) == len(small[0]) - 1
    assert any("changed" in note for note in again.card["notes"])


def test_the_fingerprint_knows_content_not_order(small):
    turned = small.part(small[::-1])
    assert turned.fingerprint == small.fingerprint
    samples = small[0].samples.copy()
    samples[3, 2] += np.float32(1e-3)
    assert small.part([small[0].with_(samples=samples), *small[1:]]).fingerprint != small.fingerprint
    assert small.part([small[0].with_(label="other"), *small[1:]]).fingerprint != small.fingerprint


def test_mixed_recordings_are_refused(small):
    a = small[0]
    with pytest.raises(DataError, match="Channels are mixed"):
        Dataset([a, a.with_(samples=a.samples[:, :3], channels=a.channels[:3])])
    with pytest.raises(DataError, match="Rates are mixed"):
        Dataset([a, a, a.with_(rate_hz=50.0)])
    with pytest.raises(DataError, match="label per row"):
        Dataset([a, a.with_(row_labels=np.full(len(a), "x"))])
    with pytest.raises(DataError):
        a.with_(samples=np.empty((0, 6)))


def test_empty_dataset(tmp_path):
    Dataset([], {"name": "new"}).save(tmp_path / "a")
    assert len(Dataset.load(tmp_path / "a")) == 0
    with pytest.raises(DataError, match="empty"):
        open_dataset(tmp_path / "a")
    with pytest.raises(DataError, match="empty"):
        Dataset().split()
    with pytest.raises(DataError, match="empty"):
        Dataset().windows(10)


def test_what_a_cell_shows(small):
    assert "synthetic" in repr(small) and "36 recordings" in repr(small)
    page = Dataset(small.recordings, {"name": "<script>x</script>"})._repr_html_()
    assert "<script>x" not in page and "flex" in page


def test_two_programs_that_add_at_the_same_time_both_keep_theirs(small, tmp_path):
    Dataset([], {"name": "mine"}).save(tmp_path / "a")
    one, two = Dataset.load(tmp_path / "a"), Dataset.load(tmp_path / "a")
    ids = [d.add(small[i].with_(id="")).id for i, d in enumerate((one, two, one, two))]
    assert sorted(r.id for r in Dataset.load(tmp_path / "a")) == sorted(ids) and len(set(ids)) == 4


def test_a_disk_that_refuses_is_told_and_nothing_is_lost(small, tmp_path, monkeypatch):
    dataset = small.part(small[:2]).save(tmp_path / "a")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(DataError, match="Permission denied.*still there"):
        dataset.add(small[2])
    monkeypatch.undo()
    assert [r.id for r in open_dataset(tmp_path / "a")] == [r.id for r in small[:2]] == [r.id for r in dataset]


@pytest.mark.parametrize("of_its_own", [False, True], ids=["one dataset", "one folder"])
def test_takes_that_several_threads_add_are_all_kept(tmp_path, of_its_own):
    threads, each = 3, 4
    Dataset([], {"name": "x"}).save(tmp_path / "a")
    first = Dataset.load(tmp_path / "a")
    datasets = [Dataset.load(tmp_path / "a") if of_its_own else first for _ in range(threads)]
    take = Recording(np.zeros((20, 6), np.float32), ("aX", "aY", "aZ", "gX", "gY", "gZ"), 119.0, label="circle")
    removed, failed, together = [], [], threading.Barrier(threads)

    def work(dataset):
        try:
            together.wait(60)
            kept = [dataset.add(take) for _ in range(each)]
            together.wait(120)  # a name that is free again would be given again
            removed.append(dataset.remove(kept[0]).id)
        except Exception as error:
            failed.append(error)

    started = [threading.Thread(target=work, args=(dataset,)) for dataset in datasets]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join(120)
    assert not failed and len(removed) == threads
    kept = {r.id for dataset in datasets for r in dataset}
    assert len(kept) == threads * (each - 1) and not kept & set(removed)
    assert {r.id for r in Dataset.load(tmp_path / "a")} == kept
