"""How loud sound is, frame by frame: what word splitting, quality and audits look at.

Levels are in dB of full scale, of root mean squares: a sine of full scale has -3 dB.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import units

FRAME_S, HOP_S = 0.025, 0.010
# Below: hum, handling, a microphone's offset. Speech has its energy above.
LOW_HZ, HIGH_HZ = 120.0, 7600.0
SILENT_DB = -120.0
QUIET_PART = 0.15  # the quietest part of a recording tells its noise floor


class Envelope(NamedTuple):
    """Level over time.

    Parameters
    ----------
    times_s : float64 array of shape (frames,)
        Middle of every frame.
    db : float64 array of shape (frames,)
    """

    times_s: np.ndarray
    db: np.ndarray


def envelope(counts, rate_hz: float = units.SOUND_RATE_HZ) -> Envelope:
    """Level of sound in frames of 25 ms, every 10 ms, between 120 Hz and 7.6 kHz.

    Parameters
    ----------
    counts : int16 array of shape (n,) or (n, 1)
    rate_hz : float
    """
    x = np.asarray(counts).reshape(-1)
    frame, hop = max(2, round(FRAME_S * rate_hz)), max(1, round(HOP_S * rate_hz))
    if len(x) < frame:
        x = np.pad(x, (0, frame - len(x)))
    frames = np.lib.stride_tricks.sliding_window_view(x, frame)[::hop]
    window = np.hanning(frame + 2)[1:-1]
    size = 1 << (frame - 1).bit_length()
    hz = np.fft.rfftfreq(size, 1 / rate_hz)
    band = (hz >= LOW_HZ) & (hz <= min(HIGH_HZ, rate_hz / 2))
    # Parseval: twice the one-sided spectrum is the power of the windowed frame.
    scale = 2.0 / (size * np.square(window).sum() * units.COUNTS_FULL_SCALE**2)
    power = np.empty(len(frames))
    for first in range(0, len(frames), 4096):
        block = slice(first, first + 4096)
        spectrum = np.fft.rfft(frames[block] * window, size)[:, band]
        power[block] = (np.square(spectrum.real) + np.square(spectrum.imag)).sum(1) * scale
    times = (np.arange(len(frames)) * hop + frame / 2) / rate_hz
    return Envelope(times, 10 * np.log10(np.maximum(power, 10 ** (SILENT_DB / 10))))


def floor(db, around: int = 400) -> np.ndarray:
    """The noise floor at every frame: the level of the quietest 15 % of the frames around it.

    Parameters
    ----------
    db : array of shape (frames,)
    around : int
        Frames that are looked at, half before and half after; 400 are 4 s.

    Returns
    -------
    float64 array of shape (frames,)
        Interpolated between stretches of a quarter of ``around``.
    """
    db = np.asarray(db, np.float64)
    step = max(1, around // 4)
    middles = np.arange(0, len(db) + step, step)[: max(1, -(-len(db) // step) + 1)]
    levels = [np.quantile(db[max(0, m - around // 2) : m + around // 2 + 1], QUIET_PART) for m in middles]
    return np.interp(np.arange(len(db)), middles, levels)


class Loudness(NamedTuple):
    """What is measured of one take.

    Parameters
    ----------
    peak : float
        Largest sample, of full scale.
    level_db : float
        Level of the loudest tenth of a second.
    above_db : float
        How far that is above the take's quietest frames.
    clipped : float
        Share of the samples that lie flat at the end of the scale, three or more in a row.
    edge_db : float
        How far the louder one of the first and last frames is below ``level_db``.
    """

    peak: float
    level_db: float
    above_db: float
    clipped: float
    edge_db: float


def loudness(counts, rate_hz: float = units.SOUND_RATE_HZ) -> Loudness:
    """Measure a take of sound.

    Parameters
    ----------
    counts : int16 array of shape (n,) or (n, 1)
    rate_hz : float
    """
    x = np.asarray(counts).reshape(-1).astype(np.int32)
    if not len(x):
        return Loudness(0.0, SILENT_DB, 0.0, 0.0, 0.0)
    db = envelope(x, rate_hz).db
    span = min(len(db), round(0.1 / HOP_S))
    loudest = np.convolve(10 ** (db / 10), np.full(span, 1 / span), "valid").max()
    level = 10 * np.log10(max(loudest, 10 ** (SILENT_DB / 10)))
    edge = max(db[0], db[-1])
    return Loudness(
        float(np.abs(x).max() / units.COUNTS_FULL_SCALE),
        float(level),
        float(level - np.quantile(db, 0.1)),
        flat(x),
        float(level - edge),
    )


def flat(counts) -> float:
    """Share of the samples that are clipped: three or more in a row at the largest or smallest value,
    where that is beyond half of full scale (some devices clip before the end)."""
    x = np.asarray(counts).reshape(-1).astype(np.int32)
    top = np.abs(x).max() if len(x) else 0
    if len(x) < 3 or top < units.COUNTS_FULL_SCALE / 2:
        return 0.0
    at_end = (x >= x.max() - 1) & (x.max() > top / 2) | (x <= x.min() + 1) & (-x.min() > top / 2)
    runs = at_end[:-2] & at_end[1:-1] & at_end[2:]
    inside = np.zeros(len(x), bool)
    for shift in range(3):
        inside[shift : len(x) - 2 + shift] |= runs
    return float(inside.mean())
