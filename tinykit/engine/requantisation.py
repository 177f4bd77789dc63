"""How the sum of an output channel becomes an int8, worked out once: the plan's tk_channel records.

The short form (see tk_short in ``hardware/TinyKit/src/tk_quant.h``) must give the two roundings of
TensorFlow Lite Micro for every sum that int8 inputs can make. Where that does not follow from the
arithmetic, all steps of the staircase from sum to output are tried.
"""

from __future__ import annotations

import numpy as np

from .fixed import clamp, quantize_multiplier, requantize
from .step import CHANNEL, FLAG_SIMPLE

_SUM = 1 << 23  # sums must stay below, because the kernels have them times 256


def pack_channels(rows: np.ndarray, bias: np.ndarray, factors: np.ndarray, zero_in: int, zero_out: int):
    """tk_channel records, in short form if that is exact for all of them.

    Parameters
    ----------
    rows : numpy.ndarray
        int8, shape (out channels, weights of one output).
    bias : numpy.ndarray
        int64, as the network states it.
    factors : numpy.ndarray
        float64: from the sum to the output, one a channel.
    zero_in, zero_out : int
        Zero points; the first is folded into the bias.

    Returns
    -------
    records : numpy.ndarray
    flag : int
        ``FLAG_SIMPLE`` for the short form, otherwise 0.
    """
    rows = rows.astype(np.int64)
    bias = bias.astype(np.int64) - zero_in * rows.sum(axis=1)
    multipliers = [quantize_multiplier(float(f)) for f in factors]
    # The smallest and largest sum that any int8 inputs can give.
    least = bias + np.minimum(127 * rows, -128 * rows).sum(axis=1)
    most = bias + np.maximum(127 * rows, -128 * rows).sum(axis=1)
    records = np.zeros(len(bias), dtype=CHANNEL)
    for i, (multiplier, shift) in enumerate(multipliers):
        short = _short(int(bias[i]), multiplier, -shift, int(least[i]), int(most[i]), zero_out)
        if short is None:
            break
        records[i] = short
    else:
        return records, FLAG_SIMPLE
    records["bias"] = bias.astype(np.uint32).view(np.int32)  # modulo 2^32, like the sums themselves
    records["multiplier"] = [m for m, _ in multipliers]
    records["offset"] = 0
    records["shift"] = [-shift if m else 1 for m, shift in multipliers]
    return records, 0


def _short(bias: int, multiplier: int, right: int, least: int, most: int, zero: int):
    """``(bias, multiplier, offset, shift)`` of the short form; None if there is none.

    Parameters
    ----------
    bias : int
        Input zero point folded in.
    multiplier, right : int
        The real factor is ``multiplier / 2**(31 + right)``.
    least, most : int
        Of the sums, bias included.
    zero : int
        Zero point of the output.
    """
    if 1 <= right <= 16 and -_SUM <= least and most < _SUM:
        return 256 * bias, multiplier, 64 * (1 + 2**right) + (zero << (right + 7)), right + 7
    if right < 0 or max(-least, most) >= 2**31:
        return None

    def answer(x):
        return clamp(requantize(x, multiplier, -right) + zero)

    first, last = answer(least), answer(most)
    if first == last:  # a channel that training has switched off
        return 0, 0, (first << 8) + 128, 8
    # A small factor, or a large bias: with fewer bits of the first, and as much of the bias in the
    # offset as leaves the sum its sign. That need not be exact.
    fewer = max(0, right - 16)
    moved = least if least >= 0 else most + 1 if most < 0 else 0
    small = multiplier + (1 << fewer >> 1) >> fewer
    unit = right - fewer
    half = 1 if moved >= 0 else -1
    offset = (((2 * moved * multiplier + half * 2**31) << 7) >> (32 + fewer)) + (64 + (zero << 7) << unit)
    if moved < 0:
        offset += 128  # which tk_short takes away again
    shift = unit + 7
    if unit < 2 or least - moved < -_SUM or most - moved >= _SUM or abs(offset) >= 2**30 + 2**29:
        return None

    def short(x):
        value = (256 * (x - moved) * small >> 32) + offset
        return clamp(value - (128 if x < moved else 0) >> shift)

    for level in range(first + 1, last + 1):
        below, above = least, most  # the first sum that gives this level is above the one, at most the other
        while above - below > 1:
            middle = (below + above) // 2
            below, above = (below, middle) if answer(middle) >= level else (middle, above)
        if short(above) < level or short(above - 1) >= level:
            return None
    return 256 * (bias - moved), small, offset, shift
