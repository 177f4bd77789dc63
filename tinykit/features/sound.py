"""Sound to log-mel energies or MFCC, by the same C code that the board runs, on all cores."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ..errors import DataError
from ..pipeline import MelFrontEnd
from .core import check, load_core
from .mel import FRAMES, MAX_BANDS, pack_front

_CHUNK = 2000  # frames that one call into the core computes: some milliseconds of work
_WORK = 32 * (FRAMES[1] + 2 * MAX_BANDS) + 64  # TK_BATCH_MEL_WORK


def frames(sound, front_end: MelFrontEnd, threads: int | None = None) -> np.ndarray:
    """Features of a long recording, every whole frame of it.

    Parameters
    ----------
    sound : array of int16, shape (samples,) or (samples, 1)
        16 kHz, 32768 is full scale. Frame k starts at sample ``k * hop``.
    front_end : MelFrontEnd
    threads : int, optional
        At most so many; all cores by default. The result does not depend on it.

    Returns
    -------
    array of float32, shape (rows, features)
        ``(feature - mean) * scale``, rows = ``front_end.rows(samples)``.

    Raises
    ------
    DataError
        ``sound`` has the wrong type or shape.
    ModelError
        The device can't compute this front end.
    """
    return clip_features(_one(sound), front_end, threads)[0]


def quantized_frames(
    sound, front_end: MelFrontEnd, scale: float, zero_point: int, threads: int | None = None
) -> np.ndarray:
    """Every whole frame of a long recording as the network's input, bit for bit as on the board.

    Parameters
    ----------
    sound, front_end, threads
        As for ``frames``.
    scale, zero_point : float, int
        Quantisation of the network's int8 input.

    Returns
    -------
    array of int8, shape (rows, features)

    Raises
    ------
    DataError, ModelError
        As ``frames``.
    """
    return clip_quantized(_one(sound), front_end, scale, zero_point, threads)[0]


def clip_features(counts, front_end: MelFrontEnd, threads: int | None = None) -> np.ndarray:
    """``features`` for clips of sound: int16 (n, samples) or (n, samples, 1) to float32 (n, rows, features)."""
    clips = _clips(counts)
    n = len(front_end.features)
    mean = np.asarray(front_end.mean or (0.0,) * n, np.float32)
    scale = np.asarray(front_end.scale or (1.0,) * n, np.float32)

    def finish(rows):
        if front_end.mean or front_end.scale:
            rows -= mean
            rows *= scale
        return rows

    return _map(clips, front_end, pack_front(front_end, 1.0, 0), finish, np.float32, threads)


def clip_quantized(
    counts, front_end: MelFrontEnd, scale: float, zero_point: int, threads: int | None = None
) -> np.ndarray:
    """``quantized`` for clips of sound: int16 (n, samples) or (n, samples, 1) to int8 (n, rows, features)."""
    block, core = pack_front(front_end, scale, zero_point), load_core()

    def finish(rows):
        out = np.empty(rows.shape, np.int8)
        status = core.tk_batch_mel_quantized(block, len(block), rows.ctypes.data, len(rows), out.ctypes.data)
        check(status, "quantise these features")
        return out

    return _map(_clips(counts), front_end, block, finish, np.int8, threads)


def _map(clips, front_end, block, finish, dtype, threads) -> np.ndarray:
    """Features of all clips, chunk by chunk, each chunk through ``finish`` into one array."""
    n, samples = clips.shape
    rows, features, core = front_end.rows(samples), len(front_end.features), load_core()
    out = np.empty((n, rows, features), dtype)
    if rows == 0:
        return out

    def compute(piece, target):
        made = np.empty((target.size // features, features), np.float32)
        work = np.empty(_WORK, np.uint8)
        status = core.tk_batch_mel(
            block, len(block), piece.ctypes.data, *piece.shape, work.ctypes.data, made.ctypes.data
        )
        check(status, "compute these features")
        target[...] = finish(made).reshape(target.shape)

    if rows > _CHUNK:  # long sounds: pieces of each, overlapping by what frames share
        starts = range(0, rows, _CHUNK)
        jobs = [
            (clip[None, at * front_end.hop : (min(rows, at + _CHUNK) - 1) * front_end.hop + front_end.frame],
             target[at : at + _CHUNK])
            for clip, target in zip(clips, out, strict=True) for at in starts
        ]  # fmt: skip
    else:
        step = max(1, _CHUNK // rows)
        jobs = [(clips[i : i + step], out[i : i + step]) for i in range(0, n, step)]
    workers = min(len(jobs), threads or os.cpu_count() or 1)
    if workers <= 1:
        for job in jobs:
            compute(*job)
    else:  # ctypes lets go of Python's lock while C computes
        with ThreadPoolExecutor(workers) as pool:
            for _ in pool.map(lambda job: compute(*job), jobs):
                pass
    return out


def _one(sound) -> np.ndarray:
    sound = np.asarray(sound)
    if sound.ndim == 2 and sound.shape[1] == 1:
        sound = sound[:, 0]
    if sound.ndim != 1:
        raise DataError(
            f"One sound is int16 of shape (samples,), got {sound.dtype} {sound.shape}.",
            "For many clips use tinykit.features.features.",
        )
    return sound[None]


def _clips(counts) -> np.ndarray:
    counts = np.asarray(counts)
    if counts.ndim == 3 and counts.shape[2] == 1:
        counts = counts[:, :, 0]
    if counts.ndim != 2 or counts.dtype != np.int16:
        raise DataError(
            f"The front end takes int16 sound of shape (n, samples, 1), got {counts.dtype} {counts.shape}.",
            "Convert with tinykit.data.units.to_counts.",
        )
    return np.ascontiguousarray(counts)
