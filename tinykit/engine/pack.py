"""Constants in the order in which the kernels read them."""

from __future__ import annotations

import numpy as np

from .step import CHANNEL


def _padded(rows: np.ndarray, multiple: tuple[int, int]) -> np.ndarray:
    """Zeros behind rows and columns, to multiples of these."""
    extra = [(0, -n % m) for n, m in zip(rows.shape, multiple, strict=True)]
    return np.pad(rows, extra)


def are_halves(rows: np.ndarray) -> bool:
    """Whether weights (out, in) can be kept as ``pack_halves`` does."""
    rows = _padded(rows, (1, 2)).astype(np.int64)
    return bool(np.all(256 * rows[:, 1::2] + rows[:, ::2] >= -(2**15)))


def pack_halves(rows: np.ndarray, records: np.ndarray, group: int, piece: int | None = None):
    """Weights (out, in) and channels for the kernels that use tk_halves.h.

    Parameters
    ----------
    rows : numpy.ndarray
        int8, for which ``are_halves`` holds.
    records : numpy.ndarray
        tk_channel records in short form.
    group : int
        So many rows are interleaved by words; missing ones are zeros.
    piece : int, optional
        So many inputs (a multiple of 4) of all rows come first, then the next. By default all.

    Returns
    -------
    data : bytes
    records : numpy.ndarray
        With what the kernel's inputs are too small by in the biases; as many as there are rows.
    """
    missing = -len(rows) % group
    rows = _padded(rows, (group, 4)).astype(np.int32)
    halves = (256 * rows[:, 1::2] + rows[:, ::2]).astype("<i2")
    records = np.concatenate([records, np.zeros(missing, CHANNEL)])
    records["shift"][len(records) - missing :] = 8
    records["bias"] += (256 * 127 * rows[:, 1::2].sum(axis=1)).astype(np.int32)
    words = halves.reshape(len(rows) // group, group, -1, 2).transpose(0, 2, 1, 3)
    step = piece // 4 if piece else words.shape[1]
    parts = [words[:, at : at + step] for at in range(0, words.shape[1], step)]
    return b"".join(np.ascontiguousarray(part).tobytes() for part in parts), records


def pack_conv_plain(rows: np.ndarray) -> bytes:
    """Weights (out channels, patch) for tk_op_conv_plain.c: fours as 0, 2, 1, 3; two rows interleaved."""
    rows = _padded(rows, (2, 4))
    fours = rows.reshape(rows.shape[0] // 2, 2, -1, 4)[..., [0, 2, 1, 3]]
    return np.ascontiguousarray(fours.transpose(0, 2, 1, 3)).tobytes()


def pack_dense_plain(rows: np.ndarray) -> bytes:
    """Weights (out, in) for tk_op_dense_plain.c: four rows interleaved by words."""
    rows = _padded(rows, (4, 4))
    return np.ascontiguousarray(rows.reshape(rows.shape[0] // 4, 4, -1, 4).transpose(0, 2, 1, 3)).tobytes()


def pack_depthwise(taps: np.ndarray) -> bytes:
    """Weights (taps, channels) for tk_op_depthwise.c: blocks of four channels, each [tap][4]."""
    taps = _padded(taps, (1, 4))
    return np.ascontiguousarray(taps.reshape(len(taps), -1, 4).transpose(1, 0, 2)).tobytes()
