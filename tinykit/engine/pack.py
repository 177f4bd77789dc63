"""Constants in the order in which the kernels read them."""

from __future__ import annotations

import numpy as np

from .fixed import quantize_multiplier
from .step import CHANNEL


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


def pack_channels(bias: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """tk_channel records.

    Parameters
    ----------
    bias : numpy.ndarray
        int64, input zero point already folded in. Kept modulo 2^32, like the sums themselves.
    factors : numpy.ndarray
        float64: from the sum to the output, one a channel.
    """
    records = np.zeros(len(bias), dtype=CHANNEL)
    records["bias"] = bias.astype(np.int64).astype(np.uint32).view(np.int32)
    for record, factor in zip(records, factors, strict=True):
        multiplier, shift = quantize_multiplier(float(factor))
        record["multiplier"], record["shift"] = multiplier, shift if multiplier else -1
    return records


def simple_requantisation(channels: np.ndarray, reach: np.ndarray) -> bool:
    """Whether the short requantisation (TK_FLAG_SIMPLE) is exact for all channels.

    Parameters
    ----------
    channels : numpy.ndarray
        tk_channel records.
    reach : numpy.ndarray
        int64: the largest size of each channel's sum without bias.
    """
    shift, bias = channels["shift"], np.abs(channels["bias"].astype(np.int64))
    return bool(np.all((shift >= -22) & (shift <= -1) & (bias + reach < 2**30)))
