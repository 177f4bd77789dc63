"""The host's fixed-point arithmetic against plain real numbers."""

import math
from fractions import Fraction

import numpy as np
import pytest

from tinykit.engine import fixed


def half_away(x: Fraction) -> int:
    return int(math.floor(abs(x) + Fraction(1, 2))) * (1 if x >= 0 else -1)


def test_round_shift_is_half_away_from_zero():
    rng = np.random.default_rng(0)
    for x in [*range(-40, 41), *map(int, rng.integers(-(2**31), 2**31, 200))]:
        for n in (0, 1, 2, 3, 7, 15, 30):
            assert fixed.round_shift(x, n) == half_away(Fraction(x, 2**n))


def test_requantize_is_within_one_of_the_real_product():
    rng = np.random.default_rng(1)
    for _ in range(500):
        factor = float(np.exp(rng.uniform(-12, 0)))
        multiplier, shift = fixed.quantize_multiplier(factor)
        x = int(rng.integers(-(2**24), 2**24))
        assert abs(fixed.requantize(x, multiplier, shift) - x * factor) <= 0.51 + 2.0 ** (shift - 1)


@pytest.mark.parametrize("factor", [1e-12, 2.0**-31, 0.1, 0.5, 1 - 2.0**-40, 1.0, 3.7, 1000.0])
def test_multiplier_is_the_factor(factor):
    multiplier, shift = fixed.quantize_multiplier(factor)
    assert multiplier == 0 and factor < 2.0**-31 or 2**30 <= multiplier < 2**31
    assert multiplier * 2.0 ** (shift - 31) == pytest.approx(factor if multiplier else 0, rel=2**-30)


def test_exp_logistic_tanh_are_those_functions():
    for real in np.linspace(0.0, 15.9, 300):
        raw = -int(real * 2**27)
        assert fixed.exp_negative(raw, 4) / 2**31 == pytest.approx(math.exp(raw / 2**27), abs=3e-6)
        for sign in (-1, 1):
            a = sign * -raw
            assert fixed.logistic(a) / 2**31 == pytest.approx(1 / (1 + math.exp(-a / 2**27)), abs=3e-6)
            assert fixed.tanh(a) / 2**31 == pytest.approx(math.tanh(a / 2**27), abs=3e-6)


def test_activation_range():
    assert fixed.activation_range("NONE", 0.1, 5) == (-128, 127)
    assert fixed.activation_range("RELU", 0.1, 5) == (5, 127)
    assert fixed.activation_range("RELU6", 0.1, -128) == (-128, -68)
    assert fixed.activation_range("RELU_N1_TO_1", 0.1, 0) == (-10, 10)
