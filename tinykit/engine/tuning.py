"""False alarms against missed words over thresholds, and the choice of a point."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..data.keywords import words_of
from ..errors import DataError, ModelError
from .detection import announcements, checked_events, detections, match, score
from .streaming import StreamAnswers, stream_answers

# Finer where a softmax that is sure of itself crowds its answers.
THRESHOLDS = np.unique(
    np.round(
        np.concatenate([np.arange(0.3, 0.9, 0.02), np.arange(0.9, 0.98, 0.01), np.arange(0.98, 1.0001, 0.0025)]), 4
    )
)
SMOOTHING = (1, 2, 3, 4, 5, 6, 8)
SUPPRESSION_S = (0.5, 0.75, 1.0, 1.5)


@dataclass(frozen=True, eq=False)
class Curve:
    """What each threshold, the same for all words, would find, miss and raise falsely.

    Parameters
    ----------
    words : tuple of str
    thresholds : float array of shape (t,)
        Ascending.
    found, false_alarms : int array of shape (t, words)
    said : int array of shape (words,)
    seconds : float
        Listened to.
    """

    words: tuple[str, ...]
    thresholds: np.ndarray
    found: np.ndarray
    false_alarms: np.ndarray
    said: np.ndarray
    seconds: float

    @property
    def per_hour(self) -> np.ndarray:
        """False alarms per hour of all words together, shape (t,)."""
        return self.false_alarms.sum(1) * 3600 / self.seconds

    @property
    def missed(self) -> np.ndarray:
        """Share of the words that was missed, shape (t,); not a number where none was said."""
        said = self.said.sum()
        return 1 - self.found.sum(1) / said if said else np.full(len(self.thresholds), math.nan)

    def of(self, word: str) -> Curve:
        """The curve of one word."""
        i = self.words.index(word)
        part = slice(i, i + 1)
        return Curve(
            (word,), self.thresholds, self.found[:, part], self.false_alarms[:, part], self.said[part], self.seconds
        )

    def __add__(self, other: Curve) -> Curve:
        """Both recordings together."""
        if self.words != other.words or not np.array_equal(self.thresholds, other.thresholds):
            raise DataError("These curves are of other words or thresholds.", "Draw them by the same pipeline.")
        return Curve(
            self.words, self.thresholds, self.found + other.found, self.false_alarms + other.false_alarms,
            self.said + other.said, self.seconds + other.seconds,
        )  # fmt: skip

    def __repr__(self) -> str:
        rows = [f"{'threshold':>9}  {'found':>12}  {'false alarms':>12}  {'per hour':>8}"]
        said = int(self.said.sum())
        for i in range(0, len(self.thresholds), max(1, len(self.thresholds) // 12)):
            rows.append(
                f"{self.thresholds[i]:9.3f}  {f'{self.found[i].sum()} of {said}':>12}  "
                f"{self.false_alarms[i].sum():12d}  {self.per_hour[i]:8.1f}"
            )
        return "\n".join(rows)


def heard(pipeline, scene) -> tuple[StreamAnswers, list]:
    """A pipeline's answers to a scene, and what was said in it.

    Parameters
    ----------
    pipeline : Pipeline
    scene : object with ``recording`` and ``events``, or (sound or StreamAnswers, events)
    """
    sound, events = (scene.recording, scene.events) if hasattr(scene, "recording") else scene
    answers = sound if isinstance(sound, StreamAnswers) else stream_answers(pipeline, sound)
    if answers.labels != tuple(pipeline.labels):
        theirs, ours = ", ".join(answers.labels), ", ".join(pipeline.labels)
        raise DataError(
            f"The answers are about {theirs}, the pipeline's labels are {ours}.",
            "Let this pipeline answer.",
        )
    return answers, checked_events(events, answers.seconds)


def curve(answers, events, smoothing: int = 3, suppression_s: float = 0.5, thresholds=None) -> Curve:
    """Count hits and false alarms for many thresholds, by the device's rule for each.

    Parameters
    ----------
    answers : StreamAnswers
    events : sequence of Event
    smoothing, suppression_s
        The rest of the rule.
    thresholds : sequence of float, optional
    """
    levels = np.asarray(THRESHOLDS if thresholds is None else sorted(thresholds), float)
    words = words_of(answers.labels)
    events = checked_events(events, answers.seconds)
    announced, _ = announcements(answers, smoothing, suppression_s, levels)
    found, false = np.zeros((2, len(levels), len(words)), int)
    said = np.zeros(len(words), int)
    for w, word in enumerate(words):
        mine = [e for e in events if e.label == word]
        said[w] = len(mine)
        is_word = announced == answers.labels.index(word)
        for t in range(len(levels)):
            if t and np.array_equal(is_word[t], is_word[t - 1]):
                found[t, w], false[t, w] = found[t - 1, w], false[t - 1, w]
                continue
            result = match(answers.times_s[is_word[t]], mine)
            found[t, w], false[t, w] = len(result.hits), len(result.false)
    return Curve(words, levels, found, false, said, answers.seconds)


def tune(pipeline, scenes, false_alarms_per_hour: float = 6.0, smoothing=SMOOTHING, suppression_s=SUPPRESSION_S):
    """Choose thresholds per word, smoothing and suppression on recordings made for that.

    Of all settings with at most so many false alarms per hour of all words together, the one that
    finds most words; of thresholds that do equally well, the middle. What is reported afterwards
    must come from another recording: these are remembered, and a report on them says so.

    Parameters
    ----------
    pipeline : Pipeline
        With an int8 network.
    scenes : scene or list of scenes
        What ``heard`` takes: recordings with what was said in them.
    false_alarms_per_hour : float
        At most so many. Ten minutes can't tell less than six per hour from none.
    smoothing : sequence of int
        Lengths to try.
    suppression_s : sequence of float
        Times to try; the shortest with the fewest words announced twice is kept.

    Returns
    -------
    Pipeline
        With another ``decision``; ``provenance["tuned"]`` says on what, and what was reached there.

    Raises
    ------
    DataError
        No word of the pipeline is said in the scenes.
    """
    if not false_alarms_per_hour >= 0:
        raise ModelError(f"{false_alarms_per_hour} false alarms per hour is no limit.", "Give 0 or more.")
    scenes = list(scenes) if isinstance(scenes, list) else [scenes]
    pairs = [heard(pipeline, scene) for scene in scenes]
    words = words_of(pipeline.labels)
    said = {e.label for _, events in pairs for e in events}
    if not said & set(words):
        raise DataError(
            f"None of {', '.join(words)} is said in these recordings.", "Tune on recordings with the words in them."
        )
    seconds = sum(a.seconds for a, _ in pairs)
    budget = math.floor(false_alarms_per_hour * seconds / 3600 + 1e-9)
    best = None
    for length in smoothing:
        total = _total(pairs, length, min(suppression_s))
        places, kept = choose(total, budget)
        found = sum(int(total.found[t, w]) for w, t in enumerate(places))
        # Of equals the fewest false alarms, then the shortest delay.
        merit = (kept, found, -sum(int(total.false_alarms[t, w]) for w, t in enumerate(places)), -length)
        if best is None or merit > best[0]:
            best = merit, length, [float(total.thresholds[t]) for t in places]
    _, length, levels = best
    decision = pipeline.decision.__class__(
        length, pipeline.decision.threshold, min(suppression_s), _thresholds(pipeline, levels)
    )
    trials = []
    for pause in sorted(suppression_s):
        rule = decision.__class__(length, decision.threshold, pause, decision.thresholds)
        scores = [score(detections(a, rule), e, a.seconds, words) for a, e in pairs]
        trials.append((-sum(s.found for s in scores), sum(s.repeats for s in scores), pause, rule, scores))
    _, _, _, decision, scores = min(trials, key=lambda trial: trial[:3])
    facts = {
        "recordings": [a.fingerprint for a, _ in pairs],
        "seconds": round(seconds, 3),
        "limit_per_hour": false_alarms_per_hour,
        "said": sum(s.said for s in scores),
        "found": sum(s.found for s in scores),
        "false_alarms": sum(s.false_alarms for s in scores),
        "reached": sum(s.false_alarms for s in scores) <= budget,
    }
    return pipeline.with_(decision=decision, provenance={**pipeline.provenance, "tuned": facts})


def _total(pairs, smoothing, suppression_s) -> Curve:
    total = None
    for answers, events in pairs:
        part = curve(answers, events, smoothing, suppression_s)
        total = part if total is None else total + part
    return total


def _thresholds(pipeline, levels) -> tuple[float, ...]:
    by_word = dict(zip(words_of(pipeline.labels), levels, strict=True))
    return tuple(by_word.get(label, pipeline.decision.threshold) for label in pipeline.labels)


def choose(total: Curve, budget: int) -> tuple[list[int], bool]:
    """The threshold of each word with which most is found and all words raise at most ``budget`` false alarms.

    A lower threshold may by chance raise fewer false alarms than a higher one (what it announces
    before suppresses what comes after). Such luck does not count: a threshold is charged with the most
    that any higher one raises.

    Returns
    -------
    list of int
        Places in ``total.thresholds``, one per word.
    bool
        Whether the budget could be kept.
    """
    charged = np.maximum.accumulate(total.false_alarms[::-1], axis=0)[::-1]
    plans = {0: (0, ())}  # false alarms spent: (words found, thresholds of the words so far)
    for w in range(len(total.words)):
        options = {}
        for t in range(len(total.thresholds)):
            cost = int(charged[t, w])
            if cost <= budget and (cost not in options or total.found[t, w] > total.found[options[cost], w]):
                options[cost] = t
        if not options:
            t = len(total.thresholds) - 1
            return [t] * len(total.words), False
        fresh = {}
        for spent, (found, chosen) in plans.items():
            for cost, t in options.items():
                value = (found + int(total.found[t, w]), (*chosen, t))
                if spent + cost <= budget and (spent + cost not in fresh or value[0] > fresh[spent + cost][0]):
                    fresh[spent + cost] = value
        if not fresh:
            return [len(total.thresholds) - 1] * len(total.words), False
        plans = fresh
    spent = max(plans, key=lambda s: (plans[s][0], -s))
    return [_middle(total, charged, w, t) for w, t in enumerate(plans[spent][1])], True


def _middle(total, charged, w, t) -> int:
    """The middle of the thresholds around ``t`` that do the same."""

    def same(k):
        return charged[k, w] == charged[t, w] and total.found[k, w] == total.found[t, w]

    low = high = t
    while low > 0 and same(low - 1):
        low -= 1
    while high + 1 < len(total.thresholds) and same(high + 1):
        high += 1
    return (low + high + 1) // 2
