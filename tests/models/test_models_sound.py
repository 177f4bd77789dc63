from dataclasses import replace

import numpy as np
import pytest

from tinykit.models import sound
from tinykit.models.sound import SoundAugment

RATE = 16000


def tone(hz, n=RATE, level=8000):
    return np.rint(level * np.sin(2 * np.pi * hz * np.arange(n) / RATE)).astype(np.int16)


def test_a_shift_moves_and_lets_silence_in():
    clip = np.arange(1, 11, dtype=np.int16)
    np.testing.assert_array_equal(sound.moved(clip, 1.0, 3) * 32768, [0, 0, 0, 1, 2, 3, 4, 5, 6, 7])
    np.testing.assert_array_equal(sound.moved(clip, 1.0, -3) * 32768, [4, 5, 6, 7, 8, 9, 10, 0, 0, 0])
    np.testing.assert_array_equal(sound.moved(clip, 1.0, 0) * 32768, clip)


@pytest.mark.parametrize("rate", [0.8, 1.25])
def test_speed_changes_the_pitch_by_itself(rate):
    x = sound.moved(tone(500), rate, 0)
    peak = np.abs(np.fft.rfft(x * np.hanning(len(x)))).argmax()  # bins of 1 Hz
    assert peak == pytest.approx(500 * rate, abs=3)
    silent = np.abs(x) < 1e-6
    assert silent.mean() == pytest.approx(max(0, 1 - 1 / rate), abs=0.02)


def test_speed_and_shift_together():
    clip = np.zeros(1000, np.int16)
    clip[500] = 1000
    assert abs(int(sound.moved(clip, 1.1, 200).argmax()) - 700) <= 1


def test_no_change_is_no_change():
    rng = np.random.default_rng(0)
    counts = rng.integers(-32768, 32767, size=(4, RATE)).astype(np.int16)
    made, labels = sound.draw(rng, counts, np.arange(4), [], SoundAugment.none(), 0, RATE)
    np.testing.assert_array_equal(made, counts)
    np.testing.assert_array_equal(labels, np.arange(4))
    seen = rng.normal(size=(3, 49, 40)).astype(np.float32)
    np.testing.assert_array_equal(sound.vary(rng, seen, SoundAugment.none(), np.ones(40)), seen)


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 20.0])
def test_the_signal_to_noise_ratio_is_the_one_asked_for(snr_db):
    how = replace(SoundAugment.none(), noisy=1.0, snr_db=(snr_db, snr_db))
    noise = np.random.default_rng(1).normal(size=5 * RATE).astype(np.float32)
    counts = tone(440, level=2000)[None]
    made, _ = sound.draw(np.random.default_rng(2), counts, np.zeros(1, int), [noise], how, 0, RATE)
    added = made.astype(float) - counts
    found = 20 * np.log10(np.std(counts) / np.std(added))
    assert found == pytest.approx(snr_db, abs=1.0)  # pauses in noise stay a little quieter


def test_a_splice_is_the_beginning_of_a_word_and_the_end_of_another():
    one, two = np.zeros((2, 1000), np.int16)
    one[300:500], two[600:800] = 100, 200
    made = sound.splice(np.random.default_rng(0), np.stack([one, two]), np.array([2, 3]), 40)
    first = made[(made == 100).any(axis=1) & (np.argmax(made > 0, axis=1) == 300)]
    assert 0 < len(first) < 40
    for x in first:  # 40 to 60 % of 200 samples of the one, then as much of the other
        a, b = (x == 100).sum(), (x == 200).sum()
        assert 79 <= a <= 121 and 79 <= b <= 121 and (x[300 : 300 + a] == 100).all()
        assert (x[300 + a : 300 + a + b] == 200).all() and not x[300 + a + b :].any()


def test_silence_is_made_and_labelled():
    noise = np.random.default_rng(1).normal(size=5 * RATE).astype(np.float32)
    how = replace(SoundAugment.none(), silence=0.5)
    made, labels = sound.draw(
        np.random.default_rng(2), np.tile(tone(440), (8, 1)), np.full(8, 3), [noise], how, 1, RATE
    )
    assert labels.tolist() == [3] * 8 + [1] * 4 and made.shape == (12, RATE)
    sizes = made[8:].astype(float).std(axis=1) / 32768
    assert (sizes < 10**sound.LOUDEST).all() and (made[8:] != 0).any()


def test_the_same_seed_draws_the_same():
    noise = np.random.default_rng(1).normal(size=5 * RATE).astype(np.float32)
    counts = np.random.default_rng(0).integers(-3000, 3000, size=(6, RATE)).astype(np.int16)
    a, b, c = (
        sound.draw(np.random.default_rng(s), counts, np.arange(6), [noise], SoundAugment(), 0, RATE)[0]
        for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


def test_features_are_stretched_about_their_middle():
    seen = np.zeros((1, 49, 40), np.float32)
    seen[0, 24, :] = 1.0
    how = replace(SoundAugment.none(), warp_time=0.1)
    made = sound.vary(np.random.default_rng(0), seen, how, np.ones(40))
    assert made[0, :, 5].argmax() in (24, 25) and made[0].max() <= 1.0


def test_a_colour_is_the_same_in_every_frame_and_in_the_scale_of_the_network():
    how = replace(SoundAugment.none(), colour=0.5)
    seen = np.zeros((200, 10, 40), np.float32)
    made = sound.vary(np.random.default_rng(0), seen, how, np.full(40, 2.0))
    np.testing.assert_allclose(made, np.repeat(made[:, :1], 10, axis=1))
    # At the highest band the curves are 1, -1, 0 and 1: three of them, of standard deviation 0.5 * 2.
    assert made[:, 0, -1].std() == pytest.approx(np.sqrt(3), abs=0.25)


def test_gaps_are_at_most_as_long_as_allowed():
    made = sound.gaps(np.random.default_rng(0), np.ones((300, 49, 40), np.float32), 10, 6)
    rows, bands = (made.max(axis=2) == 0).sum(axis=1), (made.max(axis=1) == 0).sum(axis=1)
    assert rows.max() == 10 and bands.max() == 6 and rows.min() == 0 == bands.min()
    inside = made[:, :, 0] == 0
    assert (np.abs(np.diff(inside.astype(int), axis=1)).sum(axis=1) <= 2).all()  # one gap in time
