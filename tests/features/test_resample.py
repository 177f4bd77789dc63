"""The resampler against exact fractions."""

import math
from fractions import Fraction

import numpy as np
import pytest

from tinykit.data import windows
from tinykit.errors import DataError, ModelError
from tinykit.features import resample

RNG = np.random.default_rng(11)


def round_half_away(x):
    return int(-math.floor(-x + Fraction(1, 2)) if x < 0 else math.floor(x + Fraction(1, 2)))


def faster(x, a, b):
    """Straight lines: output k at time k / b, between samples n / a."""
    ratio = Fraction(a, b)
    out, k = [], 0
    while k * ratio < len(x) - 1:
        n, part = divmod(k * ratio, 1)
        out.append(round_half_away(x[n] + (x[n + 1] - x[n]) * part))
        k += 1
    return out


def slower(x, a, b):
    """Mean of straight lines over one output period around each output's time."""
    period = Fraction(a, b)  # in input periods

    def integral(begin, end):
        total = Fraction(0)
        for n in range(math.floor(begin), math.ceil(end)):
            p, q = max(begin, n) - n, min(end, n + 1) - n
            total += (q - p) * (x[n] + (x[n + 1] - x[n]) * (p + q) / 2)
        return total

    out, k = [], 0
    while (k + Fraction(1, 2)) * period <= len(x) - 1:
        begin, end = max(Fraction(0), (k - Fraction(1, 2)) * period), (k + Fraction(1, 2)) * period
        out.append(round_half_away(integral(begin, end) / (end - begin)))
        k += 1
    return out


@pytest.mark.parametrize(
    ("a", "b"),
    [(119, 50), (119, 119), (119, 100), (50, 119), (100, 119), (119, 25), (62.5, 119), (99.84, 119), (119, 116),
     (119, 118), (119, 121.4), (119, 121.5), (119, 116.1), (3999.999, 3000.001), (4000, 62.501),
     (20, 119), (119, 2), (1, 60)],
)  # fmt: skip
def test_resampling_is_exact(a, b):
    x = RNG.integers(-32768, 32768, (int(60 if b > a else 400), 3)).astype(np.int16)
    got = resample(x, a, b)
    fractions = Fraction(round(a * 1000)), Fraction(round(b * 1000))
    for column in range(3):
        values = [int(v) for v in x[:, column]]
        if abs(Fraction(a) / Fraction(b) - 1) <= Fraction(2, 100):
            expected = values
        else:
            expected = (faster if b > a else slower)(values, *fractions)
        assert got[:, column].tolist() == expected


def test_a_constant_stays_and_extremes_do_not_wrap():
    for value in (-32768, 32767, 0, -1):
        x = np.full((200, 6), value, np.int16)
        for rate in (33.3, 119, 200):
            assert (resample(x, 119, rate) == value).all()


def test_no_drift_in_an_hour():
    x = np.zeros((119 * 3600, 1), np.int16)
    assert abs(len(resample(x, 119, 50)) - 50 * 3600) <= 1


@pytest.mark.parametrize("rates", [(0, 50), (50, 0), (119, -1), (119, 1), (1, 119), (5000, 119), (1e9, 1)])
def test_impossible_rates_are_refused(rates):
    with pytest.raises(ModelError, match="bad_rate"):
        resample(np.zeros((10, 6), np.int16), *rates)


@pytest.mark.parametrize("counts", [np.zeros((10, 7), np.int16), np.zeros((10, 6)), np.zeros(10, np.int16)])
def test_wrong_arrays_are_refused(counts):
    with pytest.raises(DataError, match="int16"):
        resample(counts, 119, 50)


def test_few_samples():
    assert resample(np.zeros((0, 6), np.int16), 119, 50).shape == (0, 6)
    assert resample(np.zeros((1, 2), np.int16), 50, 119).shape == (0, 2)


@pytest.mark.parametrize(("a", "b"), [(119, 50), (50, 119), (119, 100), (62.5, 119), (119, 25), (119, 118)])
def test_the_data_room_resamples_by_the_same_rule(a, b):
    """What training sees of a recording is what the device sees of the hand."""
    x = np.cumsum(RNG.integers(-300, 301, (500, 6)), 0).astype(np.int16)
    host, device = windows.resample(x, a, b), resample(x, a, b)
    assert 0 <= len(host) - len(device) <= 1  # the last output needs input that the host does without
    assert np.abs(host[: len(device)] - device).max() <= 0.5 + 1e-6
