"""Levels, words in long takes, and what is wrong with a take of sound."""

import numpy as np
import pytest

from tinykit.data import mix, open_dataset, open_noise, sound, split_words, take_quality, units
from tinykit.data.loudness import envelope, flat, floor, loudness
from tinykit.errors import DataError, TakeRefused

RATE = 16000


def burst(seconds=0.4, level=0.3, hz=700, seed=0):
    """Something like a word: a tone with noise that swells and falls."""
    n = round(seconds * RATE)
    random = np.random.RandomState(seed)
    swell = np.sin(np.pi * np.arange(n) / n) ** 0.5
    return level * swell * (np.sin(2 * np.pi * hz * np.arange(n) / RATE) + 0.3 * random.randn(n)) / 1.5


def take(starts, bursts, seconds, noise=0.001, seed=0):
    x = noise * np.random.RandomState(seed).randn(round(seconds * RATE))
    for start, b in zip(starts, bursts, strict=True):
        at = round(start * RATE)
        x[at : at + len(b)] += b
    return x


def test_the_level_of_a_sine_is_what_it_should_be():
    for level, hz in ((1.0, 1000), (0.01, 300), (0.1, 5000)):
        x = level * np.sin(2 * np.pi * hz * np.arange(RATE) / RATE) * 32767
        shape = envelope(np.rint(x).astype(np.int16))
        np.testing.assert_allclose(shape.db, 20 * np.log10(level / np.sqrt(2)), atol=0.1)
        assert shape.times_s[0] == 0.0125 and np.allclose(np.diff(shape.times_s), 0.01)


def test_what_is_below_speech_does_not_count():
    """A microphone's offset, and mains hum."""
    x = 8000 + 5000 * np.sin(2 * np.pi * 50 * np.arange(RATE) / RATE)
    assert envelope(x.astype(np.int16)).db.max() < -50


def test_the_noise_floor_follows_the_room():
    random = np.random.RandomState(0)
    db = np.r_[-70 + random.randn(1000), -40 + random.randn(1000)]
    db[::10] = -10  # words
    found = floor(db)
    assert abs(np.median(found[:700]) + 71) < 1 and abs(np.median(found[1300:]) + 41) < 1


def test_clipped_is_what_lies_flat_at_the_end():
    x = np.clip(1.5 * np.sin(2 * np.pi * 100 * np.arange(RATE) / RATE), -1, 1) * 32767
    over = np.mean(np.abs(1.5 * np.sin(2 * np.pi * 100 * np.arange(RATE) / RATE)) > 1)
    assert flat(x.astype(np.int16)) == pytest.approx(over, abs=0.02)
    assert flat((0.7 * x).astype(np.int16)) == pytest.approx(over, abs=0.02), "some clip before the end"
    assert flat(np.rint(32767 * np.sin(np.arange(RATE) * 0.3)).astype(np.int16)) < 0.001
    assert flat(np.zeros(100, np.int16)) == 0 == flat(np.array([1], np.int16))


@pytest.mark.parametrize("noise", [0.0, 0.0005, 0.01])
def test_words_are_found_where_they_are(noise):
    starts = [0.5, 1.4, 2.6, 3.3, 4.8]
    bursts = [burst(s, level, hz, i) for i, (s, level, hz) in enumerate(
        [(0.4, 0.3, 700), (0.5, 0.1, 400), (0.3, 0.5, 1500), (0.6, 0.2, 900), (0.35, 0.08, 2500)])]  # fmt: skip
    r = sound(take(starts, bursts, 6.0, noise), label="hey", person="me", session="1", id="long")
    found = split_words(r)
    assert len(found) == 5
    for start, b, span, piece in zip(starts, bursts, found.spans, found, strict=True):
        assert abs(span.start_s - start) < 0.06 and abs(span.end_s - start - len(b) / RATE) < 0.06
        assert len(piece) == 16000 and (piece.label, piece.person, piece.session) == ("hey", "me", "1")
        middle = np.average(np.arange(16000), weights=piece.samples[:, 0] ** 2)
        assert abs(middle - 8000) < 1200, "the word is in the middle"
    assert len({p.id for p in found}) == 5 and "5 words" in repr(found)
    assert found.envelope.db.shape == found.floor_db.shape


def test_a_piece_is_the_take_sample_by_sample():
    x = np.rint(32767 * take([1.0], [burst(0.4)], 3.0)).astype(np.int16)
    found = split_words(sound(x, id="a"))
    start = float(found[0].source.split()[-2])
    a = round(start * RATE)
    window = x[a - 200 : a + 16200]
    assert any((window[i : i + 16000] == found[0].counts()[:, 0]).all() for i in range(400))
    as_long = split_words(sound(x, id="a"), seconds=None, padding_s=0.1)
    assert as_long[0].seconds == pytest.approx(found.spans[0].end_s - found.spans[0].start_s + 0.2, abs=0.001)


def test_neighbours_stay_out():
    r = sound(take([0.2, 0.8], [burst(0.3, seed=1), burst(0.3, hz=2000, seed=2)], 1.5, 0.0))
    first, second = split_words(r)
    assert len(first) == len(second) == 16000
    assert np.abs(first.samples[13000:]).max() == 0 and np.abs(second.samples[:3000]).max() == 0


def test_a_hand_on_the_threshold():
    x = take([0.5, 1.5], [burst(0.4, 0.3), burst(0.4, 0.003)], 2.5, 0.0005)
    assert [len(split_words(sound(x), t)) for t in (6.0, 40.0, 80.0)] == [2, 1, 0]
    assert split_words(sound(x), 40.0).threshold_db == 40.0


def test_clicks_and_silence_are_no_words():
    x = take([], [], 3.0, 0.001)
    x[10000:10020] = 0.9
    assert len(split_words(sound(x))) == 0
    assert len(split_words(sound(np.zeros(RATE)))) == 0 and len(split_words(sound(np.zeros(5)))) == 0


def test_only_sound_is_split(small):
    with pytest.raises(DataError, match="not sound"):
        split_words(small[0])


def judge(x, **more):
    return take_quality(np.asarray(x).reshape(-1, 1), units.SOUND, 16000.0, **more)


def test_what_a_take_is_refused_for():
    good = take([0.3], [burst(0.4, 0.2)], 1.0)
    assert judge(good).ok and judge(good).verdict == "good"
    assert judge(sound(good).counts()).to_dict() == judge(sound(good).samples).to_dict()
    assert judge(good).to_dict()["peak"] == pytest.approx(np.abs(good).max(), abs=1e-4)
    for x, kind in (
        (good * 0.002, "too quiet"),
        (np.clip(good * 20, -1, 1), "clipped"),
        (np.zeros(16000), "silent"),
        (0.02 * np.random.RandomState(0).randn(16000), "no word"),
        (take([0.3], [burst(0.4, 0.2)], 1.0)[7000:], "cut off"),
        (take([0.5], [burst(0.4, 0.2)], 1.0)[:11000], "cut off"),
        (good[:2000], "too short"),
    ):
        assert judge(x).verdict == kind
        with pytest.raises(TakeRefused):
            judge(x).require()
    assert judge(good, seconds=1.5).verdict == "too short" and judge(good, seconds=1.0).ok
    index = np.r_[np.arange(8000), np.arange(9000, 17000)]
    assert judge(good, index=index).verdict == "samples lost" and judge(good, index=index).lost == 1000


def test_silence_may_be_silent():
    for x in (np.zeros(16000), 0.0001 * np.random.RandomState(0).randn(16000)):
        assert judge(x, label="silence").ok and judge(x, label="Noise").ok and not judge(x, label="left").ok


def test_real_words_are_found_in_takes_made_of_them(shared_data):
    """Ten speakers say a word with pauses, in five rooms, loud and soft: where each lies is known."""
    words = open_dataset(shared_data / "speech_commands", words=("seven", "stop", "up", "house", "six"))
    rooms = open_noise(shared_data / "background_noise")
    random = np.random.RandomState(0)
    exact = total = surplus = 0
    for room in rooms:
        for snr, level in ((30, 1.0), (15, 0.05)):
            for word in words.labels:
                clips = [r for r in words.select(labels=word) if fits(r)][:10]
                x, truth = np.zeros(8000), []
                for r in clips:
                    truth.append((len(x) / RATE, (len(x) + len(r)) / RATE))
                    x = np.r_[x, level * r.samples[:, 0], np.zeros(9000)]
                found = split_words(sound(mix(x, room, snr, random)))
                middles = [(s.start_s + s.end_s) / 2 for s in found.spans]
                inside = [sum(a < m < b for m in middles) for a, b in truth]
                exact, total = exact + sum(n == 1 for n in inside), total + len(truth)
                surplus += len(middles) - sum(n > 0 for n in inside)
    assert exact / total > 0.9 and surplus / total < 0.1


def fits(r):
    """Clips that are cut off, or whose own room is louder than their word, have no known edges."""
    heard = loudness(r.counts())
    return heard.above_db > 20 and heard.edge_db > 18
