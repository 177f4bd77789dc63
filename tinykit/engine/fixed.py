"""Fixed-point arithmetic of int8 networks, in plain Python integers.

What the device does for every value, the host does here once: multipliers, and tables of whatever
depends on one int8 only. Rounding is that of TensorFlow Lite Micro's reference kernels, which use
gemmlowp's published fixed-point functions: a value with ``n`` integer bits is an int32 in units of
``2**(n - 31)``.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

INT32_MAX, INT32_MIN = 2**31 - 1, -(2**31)


def wrap(x: int) -> int:
    """Modulo 2^32, as a signed number: what a 32-bit register keeps."""
    return (x + 2**31) % 2**32 - 2**31


def saturate(x: int) -> int:
    return max(INT32_MIN, min(INT32_MAX, x))


def clamp(x: int, low: int = -128, high: int = 127) -> int:
    return max(low, min(high, x))


def round_away(x: float) -> int:
    """Nearest integer, halves away from zero (C's ``round``; Python's goes to even)."""
    return int(math.floor(abs(x) + 0.5)) * (1 if x >= 0 else -1)


def high_mul(a: int, b: int) -> int:
    """``a * b / 2**31``, rounded half up, saturated."""
    return saturate((a * b + 2**30) >> 31)


def round_shift(x: int, n: int) -> int:
    """``x / 2**n``, rounded half away from zero."""
    if n == 0:
        return x
    half = 1 << (n - 1)
    return (x + half) >> n if x >= 0 else -((-x + half) >> n)


def requantize(x: int, multiplier: int, shift: int) -> int:
    """``x * multiplier / 2**31 * 2**shift`` with two roundings."""
    left, right = max(shift, 0), max(-shift, 0)
    return round_shift(high_mul(wrap(x << left), multiplier), right)


def quantize_multiplier(factor: float) -> tuple[int, int]:
    """A real factor as ``(multiplier, shift)``: ``factor = multiplier / 2**31 * 2**shift``.

    Parameters
    ----------
    factor : float
        Not negative.

    Returns
    -------
    multiplier : int
        0, or 2^30 to 2^31 - 1.
    shift : int
        Positive is to the left. Factors below 2^-31 become 0.
    """
    if factor == 0:
        return 0, 0
    fraction, shift = math.frexp(factor)
    multiplier = round_away(fraction * 2**31)
    if multiplier == 2**31:
        multiplier, shift = multiplier // 2, shift + 1
    return (0, 0) if shift < -31 else (multiplier, shift)


def activation_range(activation: str, scale: float, zero_point: int) -> tuple[int, int]:
    """Clamp of an output whose activation is fused: ``NONE``, ``RELU``, ``RELU6``, ``RELU_N1_TO_1``."""
    low, high = {"NONE": (None, None), "RELU": (0, None), "RELU6": (0, 6), "RELU_N1_TO_1": (-1, 1)}[activation]

    def level(real):
        return zero_point + round_away(float(np.float32(real) / np.float32(scale)))

    return (
        -128 if low is None else max(-128, level(low)),
        127 if high is None else min(127, level(high)),
    )


# Coefficients of gemmlowp's exp, sigmoid and tanh, in units of 2^-31 (2^-29 for the Newton start).
_EXP_EIGHTH, _THIRD = 1895147668, 715827883  # exp(-1/8), 1/3
_EXP_POWERS = (  # (power of two, exp(-2^power))
    (-2, 1672461947),
    (-1, 1302514674),
    (0, 790015084),
    (1, 290630308),
    (2, 39332535),
    (3, 720401),
    (4, 242),
)
_48_17, _MINUS_32_17 = 1515870810, -1010580540


def exp_negative(a: int, integer_bits: int) -> int:
    """exp(a) for ``a <= 0`` with so many integer bits; result in units of 2^-31."""
    if a == 0:
        return INT32_MAX
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    remainder = (a & (quarter - 1)) - quarter  # -1/4 <= remainder < 0
    x = saturate(remainder << integer_bits) + (1 << 28)  # Taylor around -1/8
    x2 = high_mul(x, x)
    x3, x4 = high_mul(x2, x), high_mul(x2, x2)
    tail = round_shift(high_mul(round_shift(x4, 2) + x3, _THIRD) + x2, 1)
    result = wrap(_EXP_EIGHTH + high_mul(_EXP_EIGHTH, x + tail))
    rest = wrap(remainder - a)
    for power, factor in _EXP_POWERS:
        if integer_bits > power and rest & (1 << (fraction_bits + power)):
            result = high_mul(result, factor)
    return result


def _half_of_one_plus(a: int) -> int:
    return (a + INT32_MAX + 1) // 2


def _newton(half: int) -> int:
    """1 / half for half in 1/2..1, in units of 2^-29."""
    x = wrap(_48_17 + high_mul(half, _MINUS_32_17))
    for _ in range(3):
        error = wrap((1 << 29) - high_mul(half, x))
        x = wrap(x + saturate(high_mul(x, error) << 2))
    return x


def one_over_one_plus(a: int) -> int:
    """1 / (1 + a) for a in 0..1, both in units of 2^-31."""
    return saturate(_newton(_half_of_one_plus(a)) << 1)


def one_minus_over_one_plus(a: int) -> int:
    """(1 - a) / (1 + a) for a in 0..1, both in units of 2^-31."""
    return saturate(wrap(_newton(_half_of_one_plus(a)) - (1 << 29)) << 2)


def logistic(a: int) -> int:
    """1 / (1 + exp(-a)), a with 4 integer bits; result in units of 2^-31."""
    if a == 0:
        return 1 << 30
    positive = one_over_one_plus(exp_negative(-abs(a), 4))
    return positive if a > 0 else INT32_MAX - positive


def tanh(a: int) -> int:
    """tanh(a), a with 4 integer bits; result in units of 2^-31."""
    if a == 0:
        return 0
    # exp(-2|a|): doubling is one more integer bit for the same number.
    positive = one_minus_over_one_plus(exp_negative(-abs(a), 5))
    return positive if a > 0 else -positive


def input_radius(integer_bits: int, shift: int, total: int = 31) -> int:
    """Largest difference from the zero point that does not overflow its fixed-point form."""
    return int(math.floor(((1 << integer_bits) - 1) * float(1 << (total - integer_bits)) / float(2.0**shift)))


@lru_cache(maxsize=64)
def softmax_table(scale: float, beta: float) -> np.ndarray:
    """exp(-scale * beta * i) for i = 0, 1... as long as it counts; int32 in units of 2^-31.

    Parameters
    ----------
    scale : float
        Of the softmax's input (a float32's value).
    beta : float
    """
    factor = min(beta * scale * (1 << (31 - 5)), float(INT32_MAX))
    multiplier, shift = quantize_multiplier(factor)
    radius = input_radius(5, shift)
    last = min(radius, 255)
    # A difference of -radius is -radius * 2^shift: shifted, it still fits.
    values = [exp_negative(high_mul(wrap(-i << shift), multiplier), 5) for i in range(last + 1)]
    return np.array(values, dtype=np.int32)


def table(function) -> np.ndarray:
    """``function`` of -128..127, clamped to int8, shape (256,)."""
    return np.array([clamp(function(x)) for x in range(-128, 128)], dtype=np.int8)


def _squashing_table(function, scale: float, zero_in: int, bits: int, zero_out: int) -> np.ndarray:
    """A function of 4 integer bits that ends flat on both sides, divided by ``2**bits``."""
    fraction, shift = math.frexp(scale * (1 << 27))
    multiplier, radius = round_away(fraction * 2**31), input_radius(4, shift)

    def value(x):
        x -= zero_in
        if abs(x) >= radius:
            return -128 if x <= -radius else 127  # radius 0: the reference asks for the lower side first
        return round_shift(function(requantize(x, multiplier, shift)), bits) + zero_out

    return table(value)


def logistic_table(scale: float, zero_point: int) -> np.ndarray:
    """Sigmoid; output scale 1/256 and zero point -128."""
    return _squashing_table(logistic, scale, zero_point, 23, -128)


def tanh_table(scale: float, zero_point: int) -> np.ndarray:
    """Hyperbolic tangent; output scale 1/128 and zero point 0."""
    return _squashing_table(tanh, scale, zero_point, 24, 0)


def rescale_table(multiplier: int, shift: int, zero_in: int, zero_out: int, low: int = -128, high: int = 127):
    """A change of scale and zero point, clamped to low..high."""
    return table(lambda x: clamp(requantize(x - zero_in, multiplier, shift) + zero_out, low, high))


def leaky_table(identity, slope, zero_in: int, zero_out: int) -> np.ndarray:
    """Leaky relu; ``identity`` and ``slope`` are (multiplier, shift) above and below zero."""

    def value(x):
        x -= zero_in
        return requantize(x, *(identity if x >= 0 else slope)) + zero_out

    return table(value)


def elu_table(scale: float, zero_in: int, scale_out: float, zero_out: int) -> np.ndarray:
    """exp(x) - 1 below zero, x above; in single precision, as the reference fills its table."""
    x = np.float32(scale) * (np.arange(-128, 128) - zero_in).astype(np.float32)
    below = np.exp(np.minimum(x, 0).astype(np.float64)).astype(np.float32) - np.float32(1)
    y = np.where(x < 0, below, x)
    y = y * (np.float32(1) / np.float32(scale_out))
    levels = np.sign(y) * np.floor(np.abs(y.astype(np.float64)) + 0.5) + zero_out
    return np.clip(levels, -128, 127).astype(np.int8)


def hard_swish_table(scale: float, zero_in: int, scale_out: float, zero_out: int) -> np.ndarray:
    """x * relu6(x + 3) / 6 in 16-bit steps."""

    def multiplier16(factor):
        multiplier, shift = quantize_multiplier(factor)
        return min((multiplier + (1 << 15)) >> 16, 32767), shift

    def saturate16(x):
        return max(-32768, min(32767, x))

    def high_mul16(a, b):
        return saturate16((a * b + (1 << 14)) >> 15)

    out, out_shift = multiplier16(scale / 128 / scale_out)
    relu, relu_shift = multiplier16(scale / 128 / float(np.float32(3) / np.float32(32768)))

    def value(x):
        fine = (x - zero_in) * 128
        if relu_shift > 0:
            gate = saturate16(high_mul16(saturate16(fine << (relu_shift - 1)), relu) << 1)
        else:
            gate = round_shift(high_mul16(fine, relu), -relu_shift)
        gate = (gate + 32768) >> 1  # 0 to 1
        product = gate * high_mul16(fine, out)
        product = (abs(product) >> 15) * (1 if product >= 0 else -1)
        return round_shift(product, -out_shift) + zero_out

    return table(value)


def _inverse_square_root(x: int) -> tuple[int, int]:
    """``1 / sqrt(x)`` as (multiplier, shift) for 1 <= x < 2^29: five Newton steps with 3 integer bits."""
    if x == 1:
        return INT32_MAX, 0
    pairs = (31 - x.bit_length()) // 2 - 1
    shift, x = 11 - pairs, x << (2 * pairs)

    def back_to_three(a, bits):  # from so many integer bits
        return saturate(a << (bits - 3))

    half = x >> 1  # in units of 2^-28
    y = 1 << 28
    for _ in range(5):
        cube = back_to_three(high_mul(high_mul(y, y), y), 9)
        y = back_to_three(wrap(high_mul((1 << 28) + (1 << 27), y) - high_mul(round_shift(half, 1), cube)), 6)
    y = high_mul(y, 1518500250)  # sqrt(2) / 2
    return (wrap(y << -shift), 0) if shift < 0 else (y, -shift)


def rsqrt_table(scale: float, zero_in: int, scale_out: float, zero_out: int) -> np.ndarray:
    """1 / sqrt(x); the reference stops below zero, here that counts as zero: the largest value."""
    root = np.sqrt(np.float32(scale)) * np.float32(scale_out)
    multiplier, shift = quantize_multiplier(1.0 / float(root))

    def value(x):
        x -= zero_in
        if x <= 0:
            return 127
        root, root_shift = _inverse_square_root(x)
        return requantize(requantize(1, root, root_shift + 20), multiplier, shift - 20) + zero_out

    return table(value)


def abs_table(factor, zero_in: int, zero_out: int) -> np.ndarray:
    """Absolute value; ``factor`` is a (multiplier, shift), or None between equal scales."""

    def value(x):
        x = abs(x - zero_in)
        return (x if factor is None else requantize(x, *factor)) + zero_out

    return table(value)


# Where the reference's table stands one above the nearest integer.
_ONE_ABOVE = (
    4, 8, 12, 14, 15, 16, 17, 19, 20, 21, 22, 25, 27, 28, 29, 30, 31, 33, 34, 35, 37, 39, 40, 41, 43, 44, 45, 46,
    49, 50, 54, 62, 63, 64, 66, 82, 86, 93, 100, 103, 112, 116, 135, 255,
)  # fmt: skip


def sigmoid_entries() -> np.ndarray:
    """uint16, shape (256,): 2^16 times the sigmoid of i / 24, from which the gates of an LSTM are drawn."""
    entries = np.floor(65536 / (1 + np.exp(-np.arange(256) / 24)) + 0.5)
    entries[list(_ONE_ABOVE)] += 1
    return entries.astype("<u2")


def values_of(scale: float, zero_point: int) -> np.ndarray:
    """What -128..127 mean; float32's values, shape (256,)."""
    return (np.float32(scale) * (np.arange(-128, 128) - zero_point).astype(np.float32)).astype(np.float64)


def levels_of(values: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """int8 for real values, halves away from zero; the arithmetic is single precision."""
    with np.errstate(over="ignore"):
        steps = values.astype(np.float32) * (np.float32(1) / np.float32(scale))
    levels = np.sign(steps) * np.floor(np.abs(steps.astype(np.float64)) + 0.5) + zero_point
    return np.clip(levels, -128, 127).astype(np.int8)
