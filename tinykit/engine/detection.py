"""From answers to detections, by the device's own rule, and how good they are.

Scored as MLPerf Tiny scores a streaming wake word: a word is found when it is announced between its
start and one second after its end; what else is announced is a false alarm, and false alarms of one
word within a second count once.
"""

from __future__ import annotations

import ctypes
import math
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..data.keywords import BACKGROUND
from ..data.scene import Event
from ..errors import DataError, ModelError

LATE_S = 1.0  # how long after its end a word may be announced
DEBOUNCE_S = 1.0


class Detection(NamedTuple):
    """A word that the pipeline announced: when (end of the window), which, how surely (smoothed, 0 to 1)."""

    time_s: float
    label: str
    probability: float


def announcements(answers, smoothing: int, suppression_s: float, thresholds):
    """The device's rule over a stream, once for each of several thresholds for all labels alike.

    Parameters
    ----------
    answers : StreamAnswers
    smoothing : int
    suppression_s : float
    thresholds : sequence of float
        0 to 1.

    Returns
    -------
    int8 array of shape (thresholds, n)
        The label that each answer announces, -1: none.
    uint8 array of shape (n, labels)
        The smoothed answers, of 255.
    """
    from ..features.core import check

    levels = np.array([round(float(t) * 65535) for t in thresholds], np.uint16)
    n = len(answers)
    announced = np.full((len(levels), n), -1, np.int8)
    smoothed = np.zeros((n, len(answers.labels)), np.uint8)
    if not n:
        return announced, smoothed
    if not (1 <= smoothing <= 255 and 0 <= suppression_s <= 65.535):
        raise ModelError(
            f"Smoothing over {smoothing} answers and {suppression_s} s of suppression is out of the device's range.",
            "Smooth over 1 to 16 answers, suppress for 0 to 65.535 s.",
        )
    core = _core()
    work = np.zeros(core.tk_batch_decide_bytes() // 8 + 2, np.uint64)
    times = np.round(answers.times_s * 1e6).astype(np.uint64)
    status = core.tk_batch_decide(
        work.ctypes.data, len(answers.labels), smoothing, round(suppression_s * 1000), levels.ctypes.data, len(levels),
        answers.answers.ctypes.data, times.ctypes.data, n, announced.ctypes.data, smoothed.ctypes.data,
    )  # fmt: skip
    check(status, f"decide with smoothing over {smoothing} answers and {len(answers.labels)} labels")
    return announced, smoothed


@lru_cache(maxsize=1)
def _core():
    from ..features.core import load_core

    core, pointer, size = load_core(), ctypes.c_void_p, ctypes.c_size_t
    core.tk_batch_decide_bytes.restype = size
    core.tk_batch_decide_bytes.argtypes = []
    core.tk_batch_decide.restype = ctypes.c_int
    core.tk_batch_decide.argtypes = [
        pointer, ctypes.c_uint32, ctypes.c_uint8, ctypes.c_uint16, pointer, size, pointer, pointer, size, pointer,
        pointer,
    ]  # fmt: skip
    return core


def detections(answers, decision) -> list[Detection]:
    """What the device announces, without silence and unknown.

    Parameters
    ----------
    answers : StreamAnswers
    decision : Decision

    Returns
    -------
    list of Detection
        In the order of their times.
    """
    labels = answers.labels
    if decision.thresholds and len(decision.thresholds) != len(labels):
        raise ModelError(
            f"The decision has {len(decision.thresholds)} thresholds for {len(labels)} labels.",
            "Give one per label, silence and unknown too, or none.",
        )
    levels = [decision.threshold_of(i) for i in range(len(labels))]
    distinct = sorted(set(levels))
    announced, smoothed = announcements(answers, decision.smoothing, decision.suppression_s, distinct)
    found = []
    for i, label in enumerate(labels):
        if label in BACKGROUND:
            continue
        for k in np.flatnonzero(announced[distinct.index(levels[i])] == i):
            found.append(Detection(float(answers.times_s[k]), label, float(smoothed[k, i] / 255)))
    return sorted(found)


class Match(NamedTuple):
    """Announcements of one word against the times at which it was said."""

    hits: list  # (event's place, time) of each event that was found
    false: list  # times of false alarms, debounced
    repeats: int  # further announcements of an event that had been found


def match(times, events) -> Match:
    """Which announcements of a word found which of its events.

    Parameters
    ----------
    times : sequence of float
        Of the announcements of one word, ascending.
    events : sequence of Event
        Of that word, ascending by start.
    """
    hits, found, false, repeats, first = [], set(), [], 0, 0
    for t in times:
        while first < len(events) and events[first].end_s + LATE_S < t:
            first += 1
        inside = []
        for k in range(first, len(events)):
            if events[k].start_s > t:
                break
            if t <= events[k].end_s + LATE_S:
                inside.append(k)
        fresh = [k for k in inside if k not in found]
        if fresh:
            found.add(fresh[0])
            hits.append((fresh[0], t))
        elif inside:
            repeats += 1
        elif not false or t - false[-1] >= DEBOUNCE_S:
            false.append(t)
    return Match(hits, false, repeats)


def checked_events(events, seconds: float) -> list[Event]:
    """Events as ``tinykit.data.scene.Event``, ascending; also from (start_s, end_s, label).

    Raises
    ------
    DataError
        One lies outside the recording, ends before it starts, or has no label.
    """
    made = []
    for e in events:
        e = Event(*e)
        e = Event(float(e.start_s), float(e.end_s), str(e.label), str(e.word))
        if not (math.isfinite(e.start_s) and 0 <= e.start_s <= e.end_s <= seconds + 0.05 and e.label):
            raise DataError(
                f"“{e.label}” from {e.start_s:g} to {e.end_s:g} s is not a stretch of a recording of {seconds:g} s.",
                "Check the table of events: start_s, end_s, label.",
            )
        made.append(e)
    return sorted(made)


@dataclass(frozen=True)
class WordScore:
    """One word: how often it was said, found, announced again, and announced without being said."""

    word: str
    said: int
    found: int
    repeats: int
    false_alarms: int

    @property
    def missed(self) -> int:
        """How often it was said and not found."""
        return self.said - self.found


@dataclass(frozen=True, eq=False)
class StreamScore:
    """Detections against what was said.

    Parameters
    ----------
    words : tuple of WordScore
    seconds : float
        Length of what was listened to.
    triggers : tuple of Detection
        The false alarms, debounced, in the order of their times.
    misses : tuple of Event
    """

    words: tuple[WordScore, ...]
    seconds: float
    triggers: tuple[Detection, ...] = ()
    misses: tuple[Event, ...] = ()

    @property
    def said(self) -> int:
        """Words said."""
        return sum(w.said for w in self.words)

    @property
    def found(self) -> int:
        """Words found."""
        return sum(w.found for w in self.words)

    @property
    def false_alarms(self) -> int:
        """False alarms, debounced."""
        return sum(w.false_alarms for w in self.words)

    @property
    def repeats(self) -> int:
        """Words that were announced again."""
        return sum(w.repeats for w in self.words)

    @property
    def recall(self) -> float:
        """Share of the words that was found; not a number where none was said."""
        return self.found / self.said if self.said else math.nan

    @property
    def recall_interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the recall."""
        from ..look import wilson

        return wilson(self.found, self.said)

    @property
    def per_hour(self) -> float:
        """False alarms per hour."""
        return self.false_alarms * 3600 / self.seconds

    @property
    def per_hour_interval(self) -> tuple[float, float]:
        """Poisson 95 % interval of the false alarms per hour."""
        low, high = poisson(self.false_alarms)
        return low * 3600 / self.seconds, high * 3600 / self.seconds

    def as_dict(self) -> dict:
        """Numbers only, for JSON."""
        return {
            "seconds": self.seconds,
            "said": self.said,
            "found": self.found,
            "recall": None if math.isnan(self.recall) else self.recall,
            "recall_interval": list(self.recall_interval),
            "false_alarms": self.false_alarms,
            "false_alarms_per_hour": self.per_hour,
            "false_alarms_per_hour_interval": list(self.per_hour_interval),
            "repeats": self.repeats,
            "words": {w.word: {"said": w.said, "found": w.found, "false_alarms": w.false_alarms} for w in self.words},
        }


def poisson(n: int) -> tuple[float, float]:
    """Exact 95 % interval for the mean of a Poisson count (Garwood 1936, Biometrika 28:437)."""
    from scipy.special import gammaincinv

    return (float(gammaincinv(n, 0.025)) if n else 0.0), float(gammaincinv(n + 1, 0.975))


def score(found, events, seconds: float, words) -> StreamScore:
    """Score detections.

    Parameters
    ----------
    found : sequence of Detection
    events : sequence of Event, or of (start_s, end_s, label)
        What was said; labels that are none of the words are distractors.
    seconds : float
        Length of the recording.
    words : sequence of str

    Returns
    -------
    StreamScore
    """
    events = checked_events(events, seconds)
    said = Counter(e.label for e in events)
    rows, triggers, misses = [], [], []
    for word in words:
        mine = sorted(d for d in found if d.label == word)
        spoken = [e for e in events if e.label == word]
        result = match([d.time_s for d in mine], spoken)
        rows.append(WordScore(word, said[word], len(result.hits), result.repeats, len(result.false)))
        by_time = {d.time_s: d for d in mine}
        triggers += [by_time[t] for t in result.false]
        hit = {k for k, _ in result.hits}
        misses += [e for k, e in enumerate(spoken) if k not in hit]
    return StreamScore(tuple(rows), float(seconds), tuple(sorted(triggers)), tuple(sorted(misses)))
