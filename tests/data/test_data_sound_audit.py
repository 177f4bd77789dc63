"""Audits and leakage checks of sound."""

import numpy as np
import pytest

from tinykit.data import Dataset, audit, check_leakage, keywords, open_dataset, open_noise, sound
from tinykit.data.echoes import landmarks
from tinykit.errors import LeakageError


def word(seed, level=0.2):
    """A burst of noise in a second of nearly nothing."""
    random = np.random.RandomState(seed)
    x = 0.0005 * random.randn(16000)
    start, n = random.randint(3000, 5000), random.randint(5000, 7000)
    x[start : start + n] += level * np.hanning(n) * random.randn(n)
    return x


def clean(seeds, **about):
    return [sound(word(i), label=("left", "right")[i % 2], person=f"p{i % 4}", id=f"{i}", **about) for i in seeds]


def test_a_clean_set_is_clean():
    found = audit(Dataset(clean(range(40))))
    assert found.clean and not found.suspects, found


def test_every_flaw_is_found_and_named():
    bad = {
        "silent": sound(np.zeros(16000), label="left", person="p0", id="still"),
        "too quiet": sound(word(50, 0.002), label="left", person="p1", id="far"),
        "no word": sound(0.02 * np.random.RandomState(51).randn(16000), label="left", person="p1", id="wind"),
        "cut off": sound(word(52)[7500:], label="right", person="p0", id="half"),
        "clipped": sound(np.clip(word(53) * 30, -1, 1), label="right", person="p0", id="shout"),
        "duplicate": sound(word(3), label="right", person="p3", id="copy"),
    }
    found = audit(Dataset(clean(range(40)) + list(bad.values())))
    for kind, r in bad.items():
        findings = found.of(kind)
        assert len(findings) == 1 and r.id in findings[0].ids and r.id in findings[0].text, kind
        assert (r.id in found.suspects) == (findings[0].grade == "bad")
    assert set(found.suspects) == {"still", "wind", "copy"} and len(found.without_suspects()) == 43
    assert "!!" in repr(found) and "still" in found._repr_html_()


def test_silence_is_not_silent_by_mistake():
    quiet = [sound(np.zeros(16000) + i, label="silence", person="p0", id=f"s{i}") for i in range(20)]
    found = audit(Dataset(clean(range(40)) + quiet))
    assert not found.of("silent") and not found.of("too quiet") and not found.of("duplicate")


def test_a_wrong_rate_is_told():
    slow = [r.with_(rate_hz=8000.0) for r in clean(range(20))]
    found = audit(Dataset(slow)).of("rate")
    assert len(found) == 1 and "not at 16000 Hz" in found[0].text and len(found[0].ids) == 20


def test_pieces_of_one_recording_are_found_wherever_they_are_cut():
    random = np.random.RandomState(0)
    long = sound(0.1 * random.randn(80000)).counts()[:, 0]
    for _ in range(30):
        a = random.randint(0, 50000)
        b = a + random.randint(-8000, 8000)
        b = min(max(b, 0), 60000)
        one, other = landmarks(long[a : a + 16000]), landmarks(long[b : b + 16000])
        assert set(one) & set(other), (a, b)
    assert not set(landmarks(long[:30000])) & set(landmarks(long[40000:]))
    padded = np.r_[np.zeros(3000, np.int16), long[:16000], np.zeros(500, np.int16)]
    assert set(landmarks(padded)) & set(landmarks(long[:16000]))


def test_leaks_of_sound():
    train, test = Dataset(clean(range(10))), Dataset(clean(range(10, 20)))
    assert check_leakage(train, test).clean
    copy = sound(word(3), label="left", person="other", id="copy")
    shifted = sound(word(4)[2000:15000], label="left", person="other", id="shifted")
    with pytest.raises(LeakageError, match="2 leaks"):
        check_leakage(train, Dataset([*test, copy, shifted]))
    found = check_leakage(train, Dataset([*test, copy, shifted]), report=True)
    assert {(leak.kind, leak.id_a, leak.id_b) for leak in found.leaks} == {
        ("same recording", "3", "copy"),
        ("near-identical window", "4", "shifted"),
    }


def test_real_words(shared_data):
    dataset = open_dataset(shared_data / "speech_commands", words=("left", "go", "cat"), limit=100)
    noise = open_noise(dataset.card["noise"])
    found = audit(dataset)
    assert not found.of("duplicate") and found.of("cut off")
    assert len(found.suspects) <= 0.01 * len(dataset)
    assert check_leakage(*(keywords(side, ("left", "go"), noise) for side in dataset.split(by="person"))).clean
