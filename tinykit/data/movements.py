"""A long take of motion, cut into its movements: where the hand rests, one ends and the next begins."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..errors import DataError
from . import units
from .loudness import Envelope
from .recording import Recording
from .segments import Segments, Span, joined, runs

# How much a hand moves: acceleration that changes within FRAME_S, and turning, as the root of the sum of
# their squares. TURN_DPS of turning count as 1 g. In dB of 1 g, so that a flick and a slow circle both show.
FRAME_S, HOP_S = 0.15, 0.02
TURN_DPS = 500.0
NOTHING_DB = -80.0
# A hand at rest has -45 to -30 dB, walking with the board in hand -16 and more, gestures -20 to +10.
# Measured on seven public sets; benchmarks/movements.py counts what is found of them.
CALM_DB = -34.0  # less unrest than that is taken for as much
REST_DB = -22.0  # whoever never has less does not rest
MOVES_DB = -25.0  # 0.056 g: whatever stays below is no movement
LOWEST_DB = 4.0  # of a threshold, above the rest
SHARE = 0.55  # of the way from the rest to the strongest, in dB
EDGES = 0.6  # a movement begins and ends where it rises through this share of the threshold
GAP_S = 0.3  # rests shorter than that are within a movement, as at the corners of a W
PAUSES, LONGEST_GAP_S = 0.45, 0.8  # and so are those shorter than this share of the usual pause
JERK_S = 0.15  # shorter than any gesture
LONG_S = 4.0  # longer than a gesture


def movement(recording: Recording) -> Envelope:
    """How much the hand moves, over time: an envelope in dB of 1 g, every 20 ms.

    Parameters
    ----------
    recording : Recording
        Of acceleration, angular rate, or both; gravity is taken off, and so is the gyroscope's offset.

    Raises
    ------
    DataError
        It is sound.
    """
    if recording.is_sound:
        raise DataError(
            f"Recording {recording.id} is sound; there are no movements in it.", "Split its words: split_words(...)."
        )
    x = np.nan_to_num(recording.samples.astype(np.float64))
    rate = recording.rate_hz
    at = _times(recording)
    even = np.arange(at[-1] * rate + 1e-6) / rate if at[-1] > 0 else np.zeros(1)
    x = np.column_stack([np.interp(even, at, column) for column in x.T])  # what was lost leaves no step
    turning = np.array([c in units.ANGULAR_RATE for c in recording.channels])
    width = max(3, round(FRAME_S * rate))
    padded = np.pad(x, ((width // 2, width - 1 - width // 2), (0, 0)), mode="edge")
    spread = _mean(padded**2, width) - _mean(padded, width) ** 2
    power = np.maximum(spread[:, ~turning], 0).sum(1)
    if turning.any():
        turned = padded[:, turning] - np.median(x[:, turning], axis=0)
        power = power + _mean(turned**2, width).sum(1) / TURN_DPS**2
    times = np.arange(0, len(even) / rate, HOP_S)
    return Envelope(times, 10 * np.log10(np.maximum(np.interp(times, even, power), 10 ** (NOTHING_DB / 10))))


def split_movements(
    recording: Recording,
    threshold_db: float | None = None,
    *,
    seconds: float = 1.5,
    label: str | None = None,
) -> Segments:
    """Find the movements in a long take, by the rests between them.

    Parameters
    ----------
    recording : Recording
        Of the IMU: one movement again and again, at rest for two thirds of a second or more between.
    threshold_db : float, optional
        How far a movement rises above the rest. Lower finds weaker ones, and more unrest. None: chosen
        by what the take holds.
    seconds : float
        Length of each movement's recording, the movement in its middle; a longer one gets as much
        as it needs.
    label : str, optional
        Of every movement; None: the take's.

    Returns
    -------
    Segments
        A sequence of recordings, with the envelope and threshold to show. ``doubt`` says why it should
        not be split so, where it should not: nothing moves in it, or it never comes to rest.

    Raises
    ------
    DataError
        It is sound.
    """
    shape = movement(recording)
    low, high = np.quantile(shape.db, (0.1, 0.95))
    rest = float(np.clip(low, CALM_DB, REST_DB))
    if threshold_db is None:
        threshold_db = max(LOWEST_DB, MOVES_DB - rest, SHARE * (high - rest))
    spans = _spans(shape, rest, threshold_db)
    doubt = _doubt(shape, low, spans)
    found = [_cut(recording, spans, k, seconds, label) for k in range(len(spans))]
    return Segments(found, spans, shape, np.full(len(shape.db), rest), float(threshold_db), "movement", doubt)


def split_windows(recording: Recording, seconds: float = 1.5, label: str | None = None) -> Segments:
    """Cut a long take into windows side by side: for what has no beginning and no end, as walking.

    Parameters
    ----------
    recording : Recording
        Of the IMU.
    seconds : float
        Of each window; what is left over at the end is dropped.
    label : str, optional
        Of every window; None: the take's.

    Returns
    -------
    Segments
    """
    shape, rate = movement(recording), recording.rate_hz
    spans = []
    for k in range(int((_times(recording)[-1] + 1 / rate) / seconds + 1e-6)):
        inside = (shape.times_s >= k * seconds) & (shape.times_s < (k + 1) * seconds)
        spans.append(Span(k * seconds, (k + 1) * seconds, float(shape.db[inside].max())))
    found = [_piece(recording, s.start_s, s.end_s, number, label) for number, s in enumerate(spans)]
    return Segments(found, spans, shape, np.full(len(shape.db), CALM_DB), 0.0, "window")


def _spans(shape: Envelope, rest: float, threshold_db: float) -> list[Span]:
    """Stretches that rise through the threshold, out to where they fall to a part of it."""
    above = shape.db - rest
    pieces = [
        [shape.times_s[a], shape.times_s[b], a, b]
        for a, b in runs(above > EDGES * threshold_db)
        if above[a : b + 1].max() >= threshold_db
    ]
    found = joined(pieces, GAP_S)
    if len(found) > 3:
        pauses = [after[0] - before[1] for before, after in pairwise(found)]
        found = joined(found, min(LONGEST_GAP_S, max(GAP_S, PAUSES * float(np.median(pauses)))))
    # A frame reaches half its length beyond what moves in it.
    return [
        Span(float(a), float(b), float(shape.db[i : j + 1].max()))
        for a, b, i, j in found
        if b - a - FRAME_S / 2 >= JERK_S
    ]


def _doubt(shape: Envelope, low: float, spans: list[Span]) -> str:
    """Why the movements that were found are none, in a sentence; empty if they are."""
    if shape.db.max() < MOVES_DB:
        return "Nothing moves in it."
    if low > REST_DB:
        return "It never comes to rest, so there is nothing to split it at."
    longest = sum(s.end_s - s.start_s > LONG_S for s in spans)
    if spans and longest > len(spans) / 2:
        usual = float(np.median([s.end_s - s.start_s for s in spans]))
        return (
            f"It goes on without a rest for {usual:.1f} s at a time: no single movements."
            if len(spans) > 1
            else f"It is one movement of {usual:.1f} s without a rest."
        )
    return ""


def _cut(recording: Recording, spans: list[Span], k: int, seconds: float, label) -> Recording:
    """One movement in the middle of its take; beside the neighbours where there is room for that."""
    start, end = spans[k].start_s, spans[k].end_s
    length = max(seconds, end - start)
    whole = _times(recording)[-1] + 1 / recording.rate_hz
    low, high = (start + end - length) / 2, (start + end + length) / 2
    before = spans[k - 1].end_s if k else 0.0
    after = spans[k + 1].start_s if k + 1 < len(spans) else whole
    if after - before >= length:  # there is room between the neighbours
        shift = max(before - low, 0.0) - max(high - after, 0.0)
    else:
        shift = max(0.0 - low, 0.0) - max(high - whole, 0.0)
    return _piece(recording, low + shift, high + shift, k, label)


def _piece(recording: Recording, start: float, end: float, number: int, label) -> Recording:
    at, rate = _times(recording), recording.rate_hz
    length = round((end - start) * rate)
    first = int(np.searchsorted(at, max(start, 0.0) - 0.5 / rate))
    if recording.timestamps_ms is None:
        last = min(first + length, len(at))
        first = max(0, last - length)
    else:
        last = int(np.searchsorted(at, end - 0.5 / rate))
    rows = slice(first, max(last, first + 1))
    times = None if recording.timestamps_ms is None else recording.timestamps_ms[rows] - recording.timestamps_ms[first]
    return recording.with_(
        samples=recording.samples[rows],
        timestamps_ms=times,
        row_labels=None if recording.row_labels is None else recording.row_labels[rows],
        label=recording.label if label is None else label,
        id=f"{recording.id or 'take'}-{number + 1:02d}",
        quality={},
        sha256="",
        source=f"{recording.source or recording.id} from {at[first]:.2f} s".strip(),
    )


def _times(recording: Recording) -> np.ndarray:
    """Seconds of every row from the first."""
    if recording.timestamps_ms is None:
        return np.arange(len(recording)) / recording.rate_hz
    return (recording.timestamps_ms - recording.timestamps_ms[0]) / 1000


def _mean(x: np.ndarray, width: int) -> np.ndarray:
    sums = np.vstack([np.zeros((1, x.shape[1])), np.cumsum(x, axis=0)])
    return (sums[width:] - sums[:-width]) / width
