import numpy as np
import pytest

from tinykit.models import noises

RATE = noises.RATE_HZ
KINDS = (noises.hum, noises.clatter, noises.machine, noises.cries)


def generator(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("kind", KINDS, ids=lambda f: f.__name__)
def test_made_up_noise_has_unit_size_and_comes_from_the_seed(kind):
    x = kind(generator(3), 2 * RATE)
    assert x.dtype == np.float32 and x.shape == (2 * RATE,) and np.isfinite(x).all()
    assert np.sqrt(np.mean(x.astype(float) ** 2)) == pytest.approx(1, abs=1e-3)
    np.testing.assert_array_equal(x, kind(generator(3), 2 * RATE))
    assert not np.array_equal(x, kind(generator(4), 2 * RATE))


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0])
def test_the_colour_of_a_noise_is_the_slope_of_its_spectrum(slope):
    """By Welch's method in SciPy."""
    from scipy.signal import welch

    f, power = welch(noises.coloured(generator(), 20 * RATE, slope), RATE, nperseg=1024)
    some = (f > 100) & (f < 6000)
    found = np.polyfit(np.log(f[some]), np.log(power[some]), 1)[0]
    assert found == pytest.approx(-slope, abs=0.1)


def test_babble_is_speech_played_backwards():
    clip = np.zeros((1, 1000), np.int16)
    clip[0, 100:200] = 1000 * np.arange(1, 101) // 10  # rises
    x = noises.babble(generator(5), 1000, clip)
    at = int(np.argmax(x))
    assert x[at] > x[(at + 30) % 1000] > x[(at + 60) % 1000] > x[(at + 200) % 1000]  # falls


def test_a_bank_holds_every_kind_and_recorded_noise_as_often_as_a_kind():
    recorded = np.sin(np.arange(RATE)).astype(np.float32)
    bank = noises.bank(generator(), [recorded, 0 * recorded], np.ones((2, 100), np.int16), each=2, seconds=0.5)
    own = [x for x in bank if len(x) == RATE]
    assert len(bank) - len(own) == 2 * 5 + 4 and len(own) == 4
    assert len(noises.bank(generator(), [], np.zeros((0, 100), np.int16), each=1, seconds=0.5)) == 5


def test_a_piece_is_as_long_as_asked_and_pauses_stay_quieter():
    noise = np.concatenate([np.ones(100), np.full(100, 1e-3)]).astype(np.float32)
    sizes = [np.sqrt(np.mean(noises.piece(generator(i), [noise], 20) ** 2)) for i in range(60)]
    assert max(sizes) == pytest.approx(1 / 1.1, abs=0.01) and min(sizes) < 0.02
    assert noises.piece(generator(), [noise], 1000).shape == (1000,)
