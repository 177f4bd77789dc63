"""Units: against the data sheet's arithmetic, done with fractions."""

from fractions import Fraction

import numpy as np
import pytest

from tinykit.data import units
from tinykit.errors import DataError


def exact(value, per_unit):
    """Round half away from zero and saturate, in exact arithmetic."""
    x = Fraction(float(value)) * Fraction(per_unit)
    n = int(abs(x) + Fraction(1, 2)) * (1 if x >= 0 else -1)
    return max(-32768, min(32767, n))


def test_counts_agree_with_exact_arithmetic():
    random = np.random.RandomState(1)
    x = np.column_stack([random.uniform(-5, 5, (500, 3)), random.uniform(-2500, 2500, (500, 3))])
    x[:6, 0] = [0.5 / 8192, -0.5 / 8192, 1.5 / 8192, -1.5 / 8192, 4.0, -4.0]
    got = units.to_counts(x, units.CHANNELS)
    # 16.384 is not a binary fraction: the product is taken in float64, as documented.
    want = [[exact(v, 8192) if c < 3 else exact(v * 16.384, 1) for c, v in enumerate(row)] for row in x]
    assert got.dtype == np.int16
    np.testing.assert_array_equal(got, want)


def test_counts_come_back_from_units():
    counts = np.arange(-32768, 32768, 7).astype(np.int16)[:, None].repeat(6, axis=1)
    np.testing.assert_array_equal(units.to_counts(units.to_units(counts, units.CHANNELS), units.CHANNELS), counts)


@pytest.mark.parametrize(
    "spelling, channel, one",
    [
        ("m/s^2", "aX", 1 / 9.80665),
        ("m/s2", "aZ", 1 / 9.80665),
        ("M/S²", "aY", 1 / 9.80665),
        ("mg", "aX", 0.001),
        ("rad/s", "gX", 57.29577951308232),
        ("dps", "gY", 1.0),
        ("LSB", "gZ", 1 / 16.384),
        ("raw", "aX", 1 / 8192),
    ],
)
def test_spellings_of_units(spelling, channel, one):
    assert units.unit_factor(spelling, channel) == pytest.approx(one)


@pytest.mark.parametrize(
    "call",
    [
        lambda: units.to_counts([[1, 2]], ("aX",)),
        lambda: units.to_counts([[float("nan")]], ("aX",)),
        lambda: units.to_counts([[1]], ("bX",)),
        lambda: units.unit_factor("rad/s", "aX"),
        lambda: units.to_counts(1, ("aX",)),
    ],
)
def test_what_cannot_be_converted_is_refused(call):
    with pytest.raises(DataError):
        call()
