"""Datasets of sound on disk: WAV or FLAC that any program opens, whole or not at all."""

import csv
import hashlib
import json
import subprocess
import sys
import wave

import numpy as np
import pytest
import soundfile

from tinykit.data import Dataset, open_dataset, sound
from tinykit.errors import DataError


def noise(n=16000, seed=0, **about):
    return sound(np.random.RandomState(seed).randint(-32768, 32768, n).astype(np.int16), **about)


@pytest.fixture
def words():
    made = [
        noise(16000, 1, label="left", person="ann", id="left/0a_nohash_0", word="left"),
        noise(9001, 2, label="unknown", person="Zoë", session="2", id="b", word="tree", split="testing"),
        noise(16003, 3, rate_hz=16003.5, label="left", person="bo", id="c", device="Nano", quality={"peak": 0.5}),
        noise(100, 4, label=None, id="d"),
    ]
    return Dataset(made, {"name": "mine", "labels": ["unknown", "left"], "noise": "/home/me/noise"})


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_what_is_saved_comes_back_bit_for_bit(kind, words, tmp_path):
    words.card["files"] = kind
    words.save(tmp_path / "a")
    again = open_dataset(tmp_path / "a")
    assert again.fingerprint == words.fingerprint and again.labels == ("unknown", "left")
    for a, b in zip(words, again, strict=True):
        np.testing.assert_array_equal(a.counts(), b.counts())
        for name in ("label", "person", "session", "id", "word", "split", "device", "rate_hz", "quality"):
            assert getattr(a, name) == getattr(b, name), name


def test_the_folder_is_as_documented(words, tmp_path):
    words.save(tmp_path / "a")
    card = json.loads((tmp_path / "a" / "dataset.json").read_text(encoding="utf-8"))
    assert card["channels"] == ["audio"] and card["units"] == {"audio": "full scale"}
    assert "noise" not in card, "a path on this computer is nobody else's"
    with open(tmp_path / "a" / "recordings.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row, r in zip(rows, words, strict=True):
        file = tmp_path / "a" / row["file"]
        assert hashlib.sha256(file.read_bytes()).hexdigest() == row["sha256"]
        assert file.name.split(".")[0] == (r.label or "unlabelled")
        with wave.open(str(file), "rb") as opened:
            assert (opened.getnchannels(), opened.getsampwidth()) == (1, 2)
            assert opened.getframerate() == round(r.rate_hz)
            assert opened.readframes(99999) == r.counts().astype("<i2").tobytes()


def test_add_and_remove(tmp_path):
    dataset = Dataset([], {"name": "mine", "channels": ["audio"], "rate_hz": 16000.0}).save(tmp_path / "a")
    assert Dataset.load(tmp_path / "a").channels == ("audio",) and dataset.rate_hz == 16000
    first = dataset.add(noise(label="hey", person="me"))
    second = dataset.add(noise(seed=1, label="hey", person="me"))
    assert (first.id, second.id) == ("hey-me-001", "hey-me-002")
    assert [r.fingerprint for r in Dataset.load(tmp_path / "a")] == [first.fingerprint, second.fingerprint]
    dataset.remove(first)
    assert [p.name for p in (tmp_path / "a" / "removed").iterdir()] == ["hey.hey-me-001.wav"]
    with pytest.raises(DataError, match="Channels are mixed"):
        dataset.add(open_dataset_of_motion(tmp_path))


def open_dataset_of_motion(folder):
    (folder / "punch.csv").write_text("aX,aY,aZ\n" + "0,0,1\n0.1,0,1\n" * 60, encoding="utf-8")
    return open_dataset(folder / "punch.csv", rate_hz=119)[0]


CRASH = """
import os, sys
import numpy as np
from tinykit.data import Dataset, sound, store
stop = int(sys.argv[2])
count = 0
def step(real):
    def run(*arguments, **more):
        global count
        count += 1
        if count == stop:
            os._exit(9)  # as a power cut: nothing is tidied up
        return real(*arguments, **more)
    return run
os.replace = step(os.replace)
store._write_flushed = step(store._write_flushed)
Dataset.load(sys.argv[1]).add(sound(np.arange(500, dtype=np.int16), label="hey", person="me"))
"""


def test_a_crash_at_any_step_of_add_loses_nothing(words, tmp_path):
    for stop in range(1, 8):
        folder = tmp_path / str(stop)
        words.save(folder)
        run = subprocess.run([sys.executable, "-c", CRASH, str(folder), str(stop)], capture_output=True, text=True)
        after = Dataset.load(folder)
        assert [r.fingerprint for r in after][:4] == [r.fingerprint for r in words]
        assert len(after) in (4, 5)
        if len(after) == 5:
            assert after[4].counts()[:, 0].tolist() == list(range(500)) and after[4].label == "hey"
        if run.returncode == 0:
            assert len(after) == 5 and stop > 4
            return
        assert run.returncode == 9, run.stderr
    raise AssertionError("add never finished")


def test_files_that_others_put_in_their_place(words, tmp_path):
    words.save(tmp_path / "a")
    file = next((tmp_path / "a" / "recordings").glob("left.left-0a*"))
    soundfile.write(file, np.zeros((8000, 2)), 8000)
    changed = Dataset.load(tmp_path / "a")["left/0a_nohash_0"]
    assert len(changed) == 16000 and changed.rate_hz == 16000, "resampled to what the index says"
    assert "changed since" in " ".join(Dataset.load(tmp_path / "a").card["notes"])
    file.write_bytes(b"not sound")
    with pytest.raises(DataError, match="not a sound file"):
        Dataset.load(tmp_path / "a")


def test_a_stray_file_is_told_and_left_alone(words, tmp_path):
    words.save(tmp_path / "a")
    stray = tmp_path / "a" / "recordings" / "stray.wav"
    stray.write_bytes(b"")
    assert "stray.wav" in " ".join(Dataset.load(tmp_path / "a").card["notes"]) and stray.exists()


def test_what_cannot_be_written_is_refused(words, tmp_path):
    words.card["files"] = "mp3"
    with pytest.raises(DataError, match="can't be written as 'mp3'"):
        words.save(tmp_path / "a")
    assert not (tmp_path / "a").exists()
    with pytest.raises(DataError, match="label for every sample"):
        sound(np.zeros(3), row_labels=np.array(["a", "a", "b"]))
