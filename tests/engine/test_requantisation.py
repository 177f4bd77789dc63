"""The short form of requantisation against the two roundings that it stands for, in plain integers."""

import numpy as np
import pytest

from tinykit.engine.fixed import clamp, quantize_multiplier, requantize
from tinykit.engine.requantisation import pack_channels
from tinykit.engine.step import FLAG_SIMPLE


def short(record, sum_without_bias: int, floored: bool) -> int:
    """tk_short of hardware/TinyKit/src/tk_quant.h."""
    x = 256 * sum_without_bias + int(record["bias"])
    assert -(2**31) <= x < 2**31
    value = (x * int(record["multiplier"]) >> 32) + int(record["offset"])
    assert -(2**31) <= value < 2**31
    return clamp(value - (128 if x < 0 and not floored else 0) >> int(record["shift"]))


def reach(row) -> tuple[int, int]:
    """Least and largest sum of an int8 row with int8 inputs."""
    row = row.astype(np.int64)
    return int(np.minimum(127 * row, -128 * row).sum()), int(np.maximum(127 * row, -128 * row).sum())


def edges(least: int, most: int, bias: int, factor: float, zero: int, rng) -> set[int]:
    """Sums around every step of the answer, both ends, and some at random."""
    steps = {int((level - zero + 0.5) / factor) - bias + d for level in range(-129, 129) for d in range(-3, 4)}
    steps |= {least, most, -bias, -bias - 1, *rng.integers(least, most + 1, 200).tolist()}
    return {s for s in steps if least <= s <= most}


@pytest.mark.parametrize("zero", [-128, -1, 0, 40, 127])
@pytest.mark.parametrize("seed", range(40))
def test_every_step(seed, zero):
    rng = np.random.default_rng(seed)
    row = rng.integers(-127, 128, (1, int(rng.choice([1, 3, 9, 64, 400]))))
    row //= int(rng.choice([1, 5, 60]))
    factor = float(np.exp(rng.uniform(np.log(1e-9), np.log(0.4))))
    zero_in = int(rng.choice([-128, 0, 127]))
    bias = int(rng.uniform(-150, 150) / factor * rng.choice([0, 0.1, 1])) if seed % 4 else int(rng.integers(-999, 999))
    bias = max(-(2**30), min(2**30, bias))
    (record,), flag = pack_channels(row, np.array([bias]), np.array([factor]), zero_in, zero)
    multiplier, shift = quantize_multiplier(factor)
    bias -= zero_in * int(row.sum())
    if flag != FLAG_SIMPLE:  # sums that are too large, or one that could not be shown to be right
        least, most = (bias + s for s in reach(row[0]))
        assert max(-least, most) >= 2**23 or factor > 0.49 or -shift > 16
        return
    for s in edges(*reach(row[0]), bias, factor, zero, rng):
        right = clamp(requantize(s + bias, multiplier, shift) + zero)
        assert short(record, s, False) == right
        assert max(zero, short(record, s, True)) == max(zero, right)  # nothing below the zero point comes out


def test_most_channels_have_a_short_form():
    """Of factors and weights as networks have them."""
    rng = np.random.default_rng(0)
    rows = rng.normal(0, 30, (500, 64)).clip(-127, 127).astype(np.int8)
    factors = np.exp(rng.uniform(np.log(1e-4), np.log(1e-2), 500))
    assert pack_channels(rows, rng.integers(-9999, 9999, 500), factors, -128, 3)[1] == FLAG_SIMPLE


def test_one_channel_without_a_short_form_takes_all_with_it():
    rows = np.full((3, 4), 5, np.int8)
    records, flag = pack_channels(rows, np.array([1, -2, 3]), np.array([0.01, 3.0, 0.0]), 4, 9)
    assert flag == 0
    assert records["bias"].tolist() == [1 - 80, -2 - 80, 3 - 80] and not records["offset"].any()
    assert records["shift"].tolist() == [6, -2, 1] and records["multiplier"][2] == 0


def test_a_channel_that_is_switched_off_is_a_constant():
    rows = np.zeros((2, 9), np.int8)
    records, flag = pack_channels(rows, np.array([2**30, -(2**28)]), np.array([5e-9, 0.0]), 3, -100)
    assert flag == FLAG_SIMPLE
    assert [short(r, 0, f) for r in records for f in (False, True)] == [-95, -95, -100, -100]
