"""Constants in the order in which the kernels read them."""

from __future__ import annotations

import numpy as np

from .fixed import quantize_multiplier
from .step import CHANNEL, FLAG_SIMPLE


def _padded(rows: np.ndarray, multiple: tuple[int, int]) -> np.ndarray:
    """Zeros behind rows and columns, to multiples of these."""
    extra = [(0, -n % m) for n, m in zip(rows.shape, multiple, strict=True)]
    return np.pad(rows, extra)


def pack_conv(rows: np.ndarray) -> bytes:
    """Weights (out channels, patch) for tk_op_conv.c: fours as 0, 2, 1, 3; two rows interleaved."""
    rows = _padded(rows, (2, 4))
    fours = rows.reshape(rows.shape[0] // 2, 2, -1, 4)[..., [0, 2, 1, 3]]
    return np.ascontiguousarray(fours.transpose(0, 2, 1, 3)).tobytes()


def pack_dense(rows: np.ndarray) -> bytes:
    """Weights (out, in) for tk_op_dense.c: four rows interleaved by words."""
    rows = _padded(rows, (4, 4))
    return np.ascontiguousarray(rows.reshape(rows.shape[0] // 4, 4, -1, 4).transpose(0, 2, 1, 3)).tobytes()


def pack_depthwise(taps: np.ndarray) -> bytes:
    """Weights (taps, channels) for tk_op_depthwise.c: blocks of four channels, each [tap][4]."""
    taps = _padded(taps, (1, 4))
    return np.ascontiguousarray(taps.reshape(len(taps), -1, 4).transpose(1, 0, 2)).tobytes()


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
    records = np.zeros(len(bias), dtype=CHANNEL)
    records["multiplier"] = [m for m, _ in multipliers]
    records["shift"] = [-s if m else 1 for m, s in multipliers]
    # The largest and smallest sum that any int8 inputs can give.
    most = bias + np.maximum(127 * rows, -128 * rows).sum(axis=1)
    least = bias + np.minimum(127 * rows, -128 * rows).sum(axis=1)
    right = records["shift"].astype(np.int64)
    if np.all((right >= 1) & (right <= 16) & (most < 2**23) & (least >= -(2**23))):
        records["bias"] = 256 * bias
        records["offset"] = 64 * (1 + 2**right) + (zero_out << (right + 7))
        records["shift"] += 7
        return records, FLAG_SIMPLE
    records["bias"] = bias.astype(np.uint32).view(np.int32)  # modulo 2^32, like the sums themselves
    return records, 0
