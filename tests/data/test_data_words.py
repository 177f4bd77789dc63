"""Folders of words: the layout of Speech Commands, its authors' split, and keyword tasks made of them."""

import csv
import hashlib
from collections import Counter

import numpy as np
import pytest
import soundfile

from tinykit.data import check_leakage, keywords, mix, open_dataset, open_noise, sound
from tinykit.data.audio import rms, to_wav
from tinykit.data.readers import speech
from tinykit.errors import DataError

WORDS = ("left", "right", "up", "down", "go")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Six speakers, four words, two files each, noise beside them: clips of noise, each its own."""
    top = tmp_path_factory.mktemp("speech")
    random = np.random.RandomState(1)
    for speaker in ("0a7c2a8d", "0b09edd3", "0c40e715", "1ecfb537", "2aca1e72", "cb8f8307"):
        for word in ("left", "right", "cat", "dog"):
            for n in range(2):
                path = top / word / f"{speaker}_nohash_{n}.wav"
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(to_wav(sound(random.randint(-3000, 3000, 15000 + n).astype(np.int16))))
    (top / "_background_noise_").mkdir()
    for name in ("tap", "fan", "street", "white_noise"):
        x = random.randint(-2000, 2000, 80000).astype(np.int16)
        (top / "_background_noise_" / f"{name}.wav").write_bytes(to_wav(sound(x)))
    (top / "README.md").write_text("words", encoding="utf-8")
    (top / "testing_list.txt").write_text("left/0a7c2a8d_nohash_0.wav\n", encoding="utf-8")
    return top


def test_the_layout_of_speech_commands(folder):
    dataset = open_dataset(folder)
    assert len(dataset) == 48 and dataset.labels == ("cat", "dog", "left", "right") and len(dataset.persons) == 6
    r = dataset["left/0a7c2a8d_nohash_1"]
    assert (r.person, r.label, r.source) == ("0a7c2a8d", "left", "left/0a7c2a8d_nohash_1.wav")
    data = (folder / r.source).read_bytes()
    assert r.sha256 == hashlib.sha256(data).hexdigest()
    np.testing.assert_array_equal(r.counts()[:, 0], np.frombuffer(data[44:], "<i2"))
    assert [r.word for r in open_noise(dataset.card["noise"])] == ["fan", "street", "tap", "white_noise"]
    assert open_dataset(folder, words=("left", "cat")).labels == ("cat", "left")
    with pytest.raises(DataError, match="no sound files of 'up'"):
        open_dataset(folder, words=("up", "left"))


def test_a_limit_takes_whole_speakers_and_a_larger_one_adds(folder):
    few, more = open_dataset(folder, limit=4), open_dataset(folder, limit=6)
    assert Counter(r.label for r in few) == dict.fromkeys(few.labels, 4) and len(few.persons) == 2
    assert {r.id for r in few} < {r.id for r in more}


# The first speakers of validation_list.txt and testing_list.txt of version 0.02.
LISTED = {
    "validation": "a69b9b3e 439c84f4 409c962a dbaf8fc6 a6d586b7 0e17f595 ff2b842e 7fd25f7c 3cc595de 591d32f3 52bfbce8",
    "testing": "bb05582b 97f4c236 f2e59fea fdb5155e dc75148d 3f170018 18f8afd5 e1469561 5c8af87a aa48c94a 837a0f64",
}


def test_the_authors_lists():
    for side, speakers in LISTED.items():
        assert {speech.which_side(f"{speaker}_nohash_2.wav") for speaker in speakers.split()} == {side}


def test_the_authors_rule_by_hand():
    """The rule again in whole numbers: SHA-1 of the speaker modulo 2**27, in tenths of 2**27 - 1."""
    for number in range(300):
        speaker = f"{number * 7919:08x}"
        left = int(hashlib.sha1(speaker.encode()).hexdigest(), 16) % 2**27
        want = "validation" if 10 * left < 2**27 - 1 else "testing" if 5 * left < 2**27 - 1 else "training"
        assert speech.which_side(f"{speaker}_nohash_{number}.wav") == want == speech.which_side(speaker)


def test_other_layouts(tmp_path):
    clip = to_wav(sound(np.arange(8000)))
    for name in ("train/ann/left/1.wav", "test/bo/left/1.wav", "test/bo/right/1.wav"):
        path = tmp_path / "a" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(clip)
    a = open_dataset(tmp_path / "a")
    assert {(r.label, r.person, r.split) for r in a} == {
        ("left", "ann", "training"),
        ("left", "bo", "testing"),
        ("right", "bo", "testing"),
    }
    (tmp_path / "b").mkdir()
    for name in ("hey_1.wav", "hey_2.flac", "stop_1.wav"):
        (tmp_path / "b" / name).write_bytes(clip)
    b = open_dataset(tmp_path / "b", person="me")
    assert Counter(r.label for r in b) == {"hey": 2, "stop_1": 1} and b.persons == ("me",)
    assert len({r.id for r in b}) == 3


def test_what_was_converted_and_what_cannot_be_read_is_said(tmp_path):
    (tmp_path / "hey").mkdir()
    soundfile.write(tmp_path / "hey" / "1.wav", np.zeros((44100, 2)), 44100)
    (tmp_path / "hey" / "2.wav").write_bytes(b"nothing")
    dataset = open_dataset(tmp_path)
    assert len(dataset) == 1 and len(dataset[0]) == 16000
    told = " ".join(dataset.card["notes"])
    assert "44100" in told and "2 channels" in told and "2.wav" in told
    (tmp_path / "hey" / "1.wav").unlink()
    with pytest.raises(DataError, match="2.wav is not a sound file"):
        open_dataset(tmp_path)
    (tmp_path / "hey" / "imu.csv").write_text("aX,aY,aZ\n" + "0,0,1\n" * 50, encoding="utf-8")
    with pytest.raises(DataError, match="several formats"):
        open_dataset(tmp_path)


def test_a_large_set_stays_on_disk(folder, monkeypatch):
    at_once = open_dataset(folder)
    monkeypatch.setattr(speech, "IN_MEMORY", 1000)
    later = open_dataset(folder)
    assert "stay on disk" in " ".join(later.card["notes"]) and not isinstance(later[0]._pcm, np.ndarray)
    assert later.fingerprint == at_once.fingerprint
    np.testing.assert_array_equal(later.windows(16000).counts, at_once.windows(16000).counts)


def test_noise_is_kept_apart_by_file(folder, tmp_path):
    noise = open_noise(folder)
    sides = noise.split(by="given")
    assert [len(s) for s in sides] == [2, 1, 1] and check_leakage(*sides).clean
    assert "white_noise" in {r.word for r in sides.train}, "what is drawn by a computer does not test"
    one = open_noise(folder / "_background_noise_" / "tap.wav")
    train, validation, test = one.split(by="given")
    assert [len(s) for s in (train, validation, test)] == [1, 1, 1] and "cut in time" in " ".join(one.card["notes"])
    whole = np.concatenate([train[0].counts(), validation[0].counts(), test[0].counts()])
    np.testing.assert_array_equal(
        whole[:, 0], np.frombuffer((folder / "_background_noise_/tap.wav").read_bytes()[44:], "<i2")
    )
    with pytest.raises(DataError, match="no sound files"):
        open_noise(tmp_path)


def test_keywords_of_every_side(folder):
    dataset = open_dataset(folder)
    noise = open_noise(dataset.card["noise"])
    heard = []
    for side in dataset.split(by="person", fractions=(0.5, 0.25, 0.25)):
        task = keywords(side, ("right", "left"))
        assert task.labels == ("silence", "unknown", "right", "left")
        n = {label: sum(people.values()) for label, people in task.counts().items()}
        assert n["left"] == n["right"] == n["unknown"] == n["silence"] == len(side.select(labels="left"))
        assert Counter(r.word for r in task.select(labels="unknown")) == {"cat": n["left"] / 2, "dog": n["left"] / 2}
        for r in task.select(labels="unknown"):
            assert r.fingerprint == side[r.id].fingerprint and r.word == side[r.id].label
        quiet = task.select(labels="silence")
        assert {len(r) for r in quiet} == {16000} and len({r.fingerprint for r in quiet}) == len(quiet)
        assert task.windows(16000).counts.shape == (len(task), 16000, 1)
        heard.append({r.word for r in quiet})
        assert heard[-1] <= {r.word for r in noise.select(split=side.card["split"]["side"])}
    assert not heard[0] & heard[2] and not heard[0] & heard[1] and not heard[1] & heard[2]


def test_how_many_and_which(folder):
    dataset = open_dataset(folder)
    count = lambda task, label: len(task.select(labels=label))  # noqa: E731
    every = keywords(dataset, "left", unknown_share=None, silence_share=7)
    assert count(every, "unknown") == 36 and count(every, "silence") == 7 and count(every, "left") == 12
    some = keywords(dataset, "left", unknown_share=0.5, silence_share=0)
    assert count(some, "unknown") == 6 and some.labels == ("unknown", "left")
    assert keywords(dataset, "left").fingerprint == keywords(dataset, "left").fingerprint
    assert keywords(dataset, "left", seed=1).fingerprint != keywords(dataset, "left").fingerprint
    again = keywords(every, "left", unknown_share=0, silence_share=0)
    assert again.fingerprint == every.fingerprint, "what is labelled unknown or silence already stays"
    for words, what in ((("up",), "no recordings of 'up'"), ((), "no words"), (("silence",), "can't be a word")):
        with pytest.raises(DataError, match=what):
            keywords(dataset, words)
    with pytest.raises(DataError, match="expected 0 or more"):
        keywords(dataset, "left", unknown_share=-1)


@pytest.mark.parametrize("snr", [20.0, 0.0, -10.0])
def test_mixing_keeps_the_stated_ratio(snr):
    random = np.random.RandomState(3)
    speech, noise = 0.1 * random.randn(16000), random.randn(50000)
    mixed = mix(speech, noise, snr, np.random.RandomState(0))
    added = mixed - speech
    if snr > -10:  # loud enough to be turned down otherwise
        assert 20 * np.log10(rms(speech) / rms(added)) == pytest.approx(snr, abs=0.01)
        first = np.random.RandomState(0).randint(50000 - 16000 + 1)
        assert np.corrcoef(added, noise[first : first + 16000])[0, 1] > 0.9999
    assert np.abs(mixed).max() < 1


def test_mixing_turns_down_what_would_clip():
    speech = np.full(1000, 30000, np.int16)
    noise = np.tile([20000, -20000], 500).astype(np.int16)
    mixed = mix(speech, noise, 0.0)
    assert mixed.dtype == np.int16 and mixed.max() == 32766 or mixed.max() == 32767
    # The mean is the speech, half the swing is the noise, as loud as the speech: by 0 dB.
    assert mixed.astype(float).mean() == pytest.approx(np.abs(mixed - mixed.astype(float).mean()).mean(), rel=1e-3)


def test_mixing_odd_things():
    speech = sound(np.arange(100), label="a", id="1")
    assert mix(speech, np.zeros(50, np.int16), 0.0).fingerprint == speech.fingerprint
    assert mix(np.zeros(100, np.int16), np.arange(1, 200), 0.0).tolist() == [0] * 100
    short = mix(speech, np.array([100, -100, 100], np.int16), 0.0, np.random.default_rng(0))
    assert len(short) == 100 and short.label == "a" and short.fingerprint != speech.fingerprint


def test_the_real_words(shared_data):
    """Counts and hashes are those of the manifest; the authors' split is a split by speaker."""
    with open(shared_data / "manifest.csv", newline="", encoding="utf-8") as file:
        rows = {row["path"]: row for row in csv.DictReader(file) if row["set"] == "speech_commands"}
    dataset = open_dataset(shared_data / "speech_commands")
    assert len(dataset) == len(rows)
    for r in dataset:
        row = rows[f"speech_commands/{r.source}"]
        assert (r.label, r.sha256, f"gsc-{r.person}") == (row["label"], row["sha256"], row["person"])
        assert hashlib.sha1(r.counts().tobytes()).hexdigest() == row["pcm_sha1"]
    sides = dataset.split(by="given")
    people = [set(s.persons) for s in sides]
    assert not people[0] & people[1] and not people[0] & people[2] and not people[1] & people[2]
    split = dataset.split(by="person")
    assert not split.missing
    for word in WORDS:
        shares = [len(side.select(labels=word)) / 420 for side in split]
        assert np.abs(np.array(shares) - (0.6, 0.2, 0.2)).max() < 0.05
    task = keywords(split.test, WORDS, open_noise(dataset.card["noise"]))
    assert task.labels == ("silence", "unknown", *WORDS) and task.windows(16000).counts.shape[1:] == (16000, 1)
