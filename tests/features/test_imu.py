"""The front end against plain Python integers and exact fractions."""

import math
from fractions import Fraction

import numpy as np
import pytest

from tinykit.errors import DataError, ModelError
from tinykit.features import features, quantized
from tinykit.features.section import fixed_point
from tinykit.pipeline import IMU_CHANNELS, ImuFrontEnd

RNG = np.random.default_rng(7)
FRONTS = [
    ImuFrontEnd(scale=(1e-4,) * 6),
    ImuFrontEnd(center=True, scale=(1 / 8192,) * 3 + (0.003,) * 3),
    ImuFrontEnd(("aX", "aY", "aZ"), True, ("a",), (1.5e-4, 2e-4, 3e-4, 1e-4)),
    ImuFrontEnd(("aZ", "gX", "gY", "gZ"), False, ("g",), (1e-4, 2e-3, 1e-3, 3e-3, 5e-4)),
    ImuFrontEnd(IMU_CHANNELS, True, ("a", "g"), tuple(10.0 ** -(2 + i / 3) for i in range(8))),
    ImuFrontEnd(("gY",), True, (), (0.01,)),
]


def round_half_away(x: Fraction) -> int:
    return -math.floor(-x + Fraction(1, 2)) if x < 0 else math.floor(x + Fraction(1, 2))


def oracle(window, front):
    """Features of one window in Python integers."""
    rows = [[int(v) for v in row] for row in window]
    means = [
        round_half_away(Fraction(sum(column), len(rows))) if front.center else 0 for column in zip(*rows, strict=True)
    ]
    result = []
    for row in rows:
        out = [v - m for v, m in zip(row, means, strict=True)]
        for m in front.magnitude:
            three = [row[front.channels.index(m + axis)] for axis in "XYZ"]
            out.append(math.isqrt(sum(v * v for v in three)))
        result.append(out)
    return np.array(result)


def windows(front, n=40, length=None):
    counts = RNG.integers(-32768, 32768, (n, length or int(RNG.integers(1, 60)), len(front.channels)))
    quiet = counts // 4096 + 8192  # about 1 g with little on it
    return np.concatenate([counts, quiet]).astype(np.int16)


@pytest.mark.parametrize("front", FRONTS, ids=lambda f: "".join(f.features))
def test_features_are_exact(front):
    counts = windows(front)
    got = features(counts, front)
    expected = np.array([oracle(w, front) for w in counts])
    assert got.dtype == np.float32 and got.shape == expected.shape
    assert np.array_equal(got, (expected * np.array(front.scale)).astype(np.float32))
    no_scale = ImuFrontEnd(front.channels, front.center, front.magnitude)
    assert np.array_equal(features(counts, no_scale), expected.astype(np.float32))


@pytest.mark.parametrize("front", FRONTS, ids=lambda f: "".join(f.features))
@pytest.mark.parametrize(("scale", "zero"), [(0.05, -3), (0.0078125, 127), (1 / 3, -128), (0.4, 0)])
def test_quantized_is_the_documented_fixed_point(front, scale, zero):
    counts = windows(front, 8)
    got = quantized(counts, front, scale, zero)
    ratios = [Fraction(m, 1 << s) for m, s in (fixed_point(f, scale) for f in front.scale)]
    exact = [Fraction(f) / Fraction(scale) for f in front.scale]
    for window, answer in zip(counts, got, strict=True):
        for row, values in zip(oracle(window, front), answer, strict=True):
            for feature, value, ratio, real in zip(row, values, ratios, exact, strict=True):
                q = zero + round_half_away(int(feature) * ratio)
                assert value == max(-128, min(127, q))
                # and never more than half a step and a hair from the real number
                assert abs(max(-128, min(127, zero + int(feature) * real)) - int(value)) <= 0.5 + 1e-4


def test_extremes_do_not_wrap():
    front = ImuFrontEnd(IMU_CHANNELS, True, ("a", "g"), (1.0,) * 8)
    for low, high in [(-32768, 32767), (32767, -32768), (-32768, -32768)]:
        window = np.full((1, 512, 6), low, np.int16)
        window[0, 0] = high
        assert np.array_equal(features(window, front)[0], oracle(window[0], front))
        q = quantized(window, front, 1.0, 0)[0]
        assert np.array_equal(q, np.clip(oracle(window[0], front), -128, 127))


def test_integer_square_root():
    from tinykit.features import load_core

    core = load_core()
    import ctypes

    core.tk_isqrt.restype, core.tk_isqrt.argtypes = ctypes.c_uint32, [ctypes.c_uint32]
    near = [k * k + d for k in [1, 2, 3, 255, 256, 46340, 46341, 65535] for d in (-1, 0, 1)]
    for x in [0, (1 << 32) - 1, 3 << 30, *near, *map(int, RNG.integers(0, 1 << 32, 3000))]:
        assert core.tk_isqrt(x) == math.isqrt(x)


@pytest.mark.parametrize("ratio", [1.0, 0.5, 1 / 3, 1e-4, 4.5e-9, 1000.0, 16383.99, 2.0**-20, 0.999999999999])
def test_fixed_point_has_31_bits(ratio):
    multiplier, shift = fixed_point(ratio, 1.0)
    assert 1 << 30 <= multiplier < 1 << 31 and 16 <= shift <= 62
    assert abs(Fraction(multiplier, 1 << shift) / Fraction(ratio) - 1) <= Fraction(1, 1 << 31)


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf, 1e-30, 1e9])
def test_impossible_scales_are_refused(scale):
    with pytest.raises(ModelError, match="cale"):
        fixed_point(scale, 1.0)


@pytest.mark.parametrize(
    "counts",
    [
        np.zeros((2, 10, 6)),
        np.zeros((2, 10, 5), np.int16),
        np.zeros((10, 6), np.int16),
        np.zeros((2, 10, 6), np.int32),
    ],
)
def test_wrong_arrays_are_refused(counts):
    with pytest.raises(DataError, match=r"int16 counts of shape \(n, window, 6\)"):
        features(counts, FRONTS[0])


def test_windows_too_long_are_refused():
    with pytest.raises(ModelError, match="window is 513 samples, the device takes 1 to 512"):
        features(np.zeros((1, 513, 6), np.int16), FRONTS[0])


def test_no_windows_give_no_features():
    assert features(np.zeros((0, 10, 6), np.int16), FRONTS[0]).shape == (0, 10, 6)
    assert quantized(np.zeros((0, 10, 6), np.int16), FRONTS[0], 1.0, 0).shape == (0, 10, 6)


def test_views_and_big_arrays():
    counts = RNG.integers(-3000, 3000, (50, 30, 12)).astype(np.int16)
    view = counts[::2, :, ::2]
    assert not view.flags.c_contiguous
    assert np.array_equal(features(view, FRONTS[1]), features(view.copy(), FRONTS[1]))
