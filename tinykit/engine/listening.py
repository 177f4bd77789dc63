"""How a pipeline does in a long recording: found, missed, false alarms, and what triggered them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..data.keywords import words_of
from ..errors import DataError
from .detection import LATE_S, StreamScore, detections, score
from .streaming import StreamAnswers, fingerprint_of, sound_of
from .tuning import Curve, curve, heard

_LISTED = 12


@dataclass(frozen=True, eq=False)
class StreamReport:
    """A pipeline on a long recording.

    Parameters
    ----------
    name : str
        Of the pipeline.
    decision : Decision
        The chosen point.
    answers : StreamAnswers
    score : StreamScore
        At the chosen point.
    curve : Curve
        Over thresholds that are the same for all words, with the chosen smoothing and suppression.
    warnings : tuple of str
        What makes these numbers better than they are.
    facts : tuple of str
        What else to know, such as that the recording is composed.
    events : tuple of Event
        What was said.
    """

    name: str
    decision: object
    answers: StreamAnswers
    score: StreamScore
    curve: Curve
    warnings: tuple[str, ...] = ()
    facts: tuple[str, ...] = field(default=())
    events: tuple = ()

    @property
    def triggers(self):
        """The false alarms: (time_s, label, probability)."""
        return self.score.triggers

    def said_at(self, time_s: float) -> str:
        """The last thing said in the second before an announcement; empty: nothing."""
        near = [e for e in self.events if e.start_s <= time_s <= e.end_s + LATE_S]
        return (near[-1].word or near[-1].label) if near else ""

    def as_dict(self) -> dict:
        """Numbers only, for JSON."""
        c = self.curve
        return {
            "pipeline": self.name,
            **self.score.as_dict(),
            "by": self.answers.source,
            "skipped_hops": self.answers.skipped,
            "smoothing": self.decision.smoothing,
            "suppression_s": self.decision.suppression_s,
            "thresholds": {w: self._threshold(w) for w in c.words},
            "triggers": [
                {"time_s": round(t.time_s, 3), "label": t.label, "probability": round(t.probability, 3),
                 "said": self.said_at(t.time_s)}
                for t in self.triggers
            ],
            "curve": {
                "threshold": c.thresholds.tolist(), "missed": c.missed.tolist(), "per_hour": c.per_hour.tolist()
            },
            "warnings": list(self.warnings),
        }  # fmt: skip

    def _threshold(self, word: str) -> float:
        return self.decision.threshold_of(self.answers.labels.index(word))

    def _sentences(self) -> list[str]:
        s = self.score
        low, high = (100 * v for v in s.recall_interval)
        first = (
            f"{s.found} of {s.said} words found ({100 * s.recall:.1f} %; 95 % interval {low:.0f} to {high:.0f} %)."
            if s.said
            else "No word of the pipeline is said in this recording."
        )
        low, high = s.per_hour_interval
        count = f"{s.false_alarms} false alarm{'' if s.false_alarms == 1 else 's'}"
        second = f"{count} in {duration(s.seconds)}: {s.per_hour:.1f} per hour (95 % interval {low:.1f} to {high:.1f})."
        return [first, second]

    def _rule(self) -> str:
        d = self.decision
        return f"mean of {d.smoothing} answers, {d.suppression_s:g} s of suppression"

    def __repr__(self) -> str:
        s = self.score
        width = max([len(w.word) for w in s.words] + [4])
        out = [f"{self.name} by {self.answers.source}, {self._rule()}", *self._sentences()]
        out += [f"Warning: {w}" for w in self.warnings]
        out += [f"{'word':{width}}  {'threshold':>9}  {'found':>10}  {'false alarms':>12}  announced again"]
        for w in s.words:
            out.append(
                f"{w.word:{width}}  {self._threshold(w.word):9.3f}  {f'{w.found} of {w.said}':>10}  "
                f"{w.false_alarms:12d}  {w.repeats:d}"
            )
        if s.triggers:
            listed = [(t, self.said_at(t.time_s)) for t in s.triggers[:_LISTED]]
            told = (f"{clock(t.time_s)} {t.label}" + (f" (“{said}” was said)" if said else "") for t, said in listed)
            out.append("False alarms at: " + ", ".join(told))
            if len(s.triggers) > _LISTED:
                out[-1] += f" and {len(s.triggers) - _LISTED} more"
        out += list(self.facts)
        return "\n".join(out)

    def _repr_html_(self) -> str:
        from .. import look

        s = self.score
        first, second = self._sentences()
        body = [f'<p class="tk-verdict" style="padding:10px 16px 8px">{look.esc(first)} {look.esc(second)}</p>']
        body += [look.note("warn", w) for w in self.warnings]
        if s.said:
            words = f"{s.found} of {s.said} found, {s.false_alarms} in {duration(s.seconds)}"
            chosen = (s.per_hour, 1 - s.recall, words)
            lines = [("all words", self.curve.per_hour, self.curve.missed)]
            body.append(look.curve(lines, chosen, s.seconds))
        rows = [
            [w.word, f"{self._threshold(w.word):.3f}", f"{w.found} of {w.said}", w.false_alarms, w.repeats]
            for w in s.words
        ]
        head = ["word", "threshold", "found", "false alarms", "announced again"]
        body.append(look.table(rows, head, "lrrrr", caption="Found and false alarms of each word"))
        if s.triggers:
            listed = [
                [clock(t.time_s), t.label, self.said_at(t.time_s) or "nothing", f"{100 * t.probability:.0f} %"]
                for t in s.triggers[:_LISTED]
            ]
            body.append(look.table(listed, ["false alarm at", "taken for", "what was said", "how sure"], "rllr"))
        more = len(s.triggers) - _LISTED
        foot = look.dots(
            self._rule(), f"answers by {self.answers.source}",
            f"{self.answers.skipped} hops skipped" if self.answers.skipped else "no hop skipped",
            f"{more} more false alarms" if more > 0 else "", *self.facts,
        )  # fmt: skip
        return str(look.card("In a long recording", self.name, "".join(body), foot))


def duration(seconds: float) -> str:
    """ "10 minutes", "1.5 hours", "42 s"."""
    for unit, size in (("hour", 3600), ("minute", 60)):
        if seconds >= 2 * size or abs(seconds - size) < 0.5:
            n = round(seconds / size, 1)
            return f"{n:g} {unit}" + ("" if n == 1 else "s")
    return f"{seconds:.0f} s"


def clock(seconds: float) -> str:
    """ "3:07.4"."""
    tenths = round(10 * seconds)
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"


def evaluate_stream(pipeline, scene) -> StreamReport:
    """Score a pipeline on a long recording with known words, by the answers that the board gives.

    Parameters
    ----------
    pipeline : Pipeline
        With an int8 network; its decision is the chosen point.
    scene : object with ``recording`` and ``events``, or (sound or StreamAnswers, events)
        Not one that thresholds were tuned on: the report warns of it.

    Returns
    -------
    StreamReport
    """
    answers, events = heard(pipeline, scene)
    rule, warnings = pipeline.decision, []
    words = words_of(pipeline.labels)
    tuned = pipeline.provenance.get("tuned", {})
    if answers.fingerprint and answers.fingerprint in tuned.get("recordings", ()):
        warnings.append(
            "The thresholds were tuned on this very recording: on another one they will do worse. "
            "Show a recording that tuning never heard."
        )
    card = getattr(scene, "card", None) or {}
    facts = ["composed of single words and noise: nobody spoke it so"] if card.get("composed") else []
    facts += ["synthetic voices"] if card.get("synthetic") else []
    return StreamReport(
        pipeline.name,
        rule,
        answers,
        score(detections(answers, rule), events, answers.seconds, words),
        curve(answers, events, rule.smoothing, rule.suppression_s),
        tuple(warnings),
        tuple(facts),
        tuple(events),
    )


def harvest(pipeline, sound, triggers, label: str = "unknown") -> list:
    """The windows that raised false alarms, as recordings to train against.

    Parameters
    ----------
    pipeline : Pipeline
    sound : Recording or int16 array
        What was listened to.
    triggers : iterable of Detection, or StreamReport
        The false alarms; each gives the window in the middle of the answers that were smoothed.
    label : str
        What they are from now on.

    Returns
    -------
    list of Recording
        One window each; ``source`` says what it was taken for, when, and by which pipeline.
    """
    from ..data import Recording

    counts = sound_of(sound, pipeline)
    mark = fingerprint_of(counts)
    about = getattr(sound, "id", "") or mark
    mine, made = pipeline.fingerprint, []
    for t in getattr(triggers, "triggers", triggers):
        end = int(round(t.time_s * pipeline.rate_hz))
        late = (pipeline.decision.smoothing - 1) * pipeline.hop // 2  # smoothing answers late
        end = min(len(counts), max(pipeline.window, end - late))
        piece = counts[end - pipeline.window : end]
        if len(piece) < pipeline.window:
            raise DataError(
                f"There is no whole window before {t.time_s:g} s in a sound of {len(counts) / pipeline.rate_hz:g} s.",
                "Give the recording in which these false alarms were found.",
            )
        made.append(
            Recording(
                np.ascontiguousarray(piece[:, None].astype(np.float32) / 32768), ("audio",), pipeline.rate_hz,
                label=label, id=f"false-{mark}-{end}", session=about,
                source=f"false alarm “{t.label}” at {t.time_s:.2f} s of {about}, by {pipeline.name} {mine}",
            )
        )  # fmt: skip
    return made
