"""False alarms against missed words, with the point under your hand: sliders move the running board's rule."""

from __future__ import annotations

import threading
import time

import numpy as np

from .. import look
from ..engine import tuning
from ..pipeline import Decision
from .rule import RuleHand
from .widget import LabWidget, link_of, module, sheet


class CurveView(LabWidget):
    """A detection curve with sliders; made by ``tk.lab.curve``.

    Attributes
    ----------
    decision : Decision
        The rule as the sliders stand; ``pipeline.with_(decision=view.decision)`` keeps it.
    """

    _esm = module("curve")
    _css = sheet("curve")
    title = "Detection curve"

    def __init__(self, report, board=None, events=None):
        self.report, self.events = report, events
        self.decision: Decision = board.decision() if board is not None else report.decision
        # The curve, and the rule with whose smoothing and pause it was counted: replaced together.
        self._counted = report.curve, report.decision
        self._labels = tuple(report.answers.labels)
        self._hand = RuleHand(self, lambda: self._labels, self._in_force, self._follow)
        self._counting = threading.Lock()
        self._changed = True
        self._first_at = time.monotonic()
        self._count()
        config = {
            "name": report.name,
            "labels": list(self._labels),
            "words": list(self._counted[0].words),
            "live": board is not None,
            "again": events is not None,
            "warnings": list(report.warnings),
        }
        head = None if board is not None else {"name": report.name, "port": "", "virtual": False, "pic": "none"}
        super().__init__(board, config, head)
        self.run()

    @property
    def curve(self) -> tuning.Curve:
        """What each threshold finds and misses, with the smoothing and pause as they stand."""
        return self._counted[0]

    def flush(self) -> None:
        if self.unseen():
            return
        if self.fresh() or self._changed:
            self._changed = False
            self._show()
        if self.due() and self.board is not None:
            link, note = link_of(self.board, time.monotonic() - self._first_at)
            if link["kind"] == "ok":
                link["text"] = "linked, the sliders move its rule"
            self.tell("status", link=link, note=note)

    def _show(self) -> None:
        (c, counted), rule = self._counted, self.decision
        self.tell(
            "curve", levels=[round(float(t), 4) for t in c.thresholds], found=c.found.T.tolist(),
            false=c.false_alarms.T.tolist(), said=c.said.tolist(), seconds=c.seconds,
            thresholds=[rule.threshold_of(self._labels.index(w)) for w in c.words],
            smoothing=counted.smoothing, suppression_s=counted.suppression_s,
        )  # fmt: skip

    # -- the browser -----------------------------------------------------------------------------

    def on_rule(self, content, buffers) -> None:
        """A slider moved."""
        words = {str(word): float(value) for word, value in content["thresholds"].items()}
        levels = [words.get(name, self.decision.threshold_of(i)) for i, name in enumerate(self._labels)]
        rule = Decision(
            int(content.get("smoothing", self.decision.smoothing)),
            self.decision.threshold,
            float(content.get("suppression_s", self.decision.suppression_s)),
            tuple(levels),
        )
        self.decision = rule
        if _pace(rule) != _pace(self._counted[1]):
            self.work("curve", self._count)
        if self.board is not None:
            self._hand.move({
                "thresholds": words, "smoothing": rule.smoothing, "suppression_s": rule.suppression_s
            })  # fmt: skip

    def _count(self) -> None:
        """The curve anew, for another smoothing or pause."""
        if self.events is None:
            return
        with self._counting:
            while _pace(self.decision) != _pace(self._counted[1]):
                rule = self.decision
                again = tuning.curve(self.report.answers, self.events, rule.smoothing, rule.suppression_s)
                self._counted, self._changed = (again, rule), True

    def _in_force(self, rule: Decision) -> None:
        self.tell("rule", text=f"in force on the board: mean of {rule.smoothing}, {rule.suppression_s:.1f} s pause")

    def _follow(self, rule: Decision) -> None:
        """Another widget moved the rule."""
        self.decision, self._changed = rule, True
        self._in_force(rule)
        self._count()

    # -- where nothing runs ----------------------------------------------------------------------

    def point(self) -> tuple[int, int, int]:
        """Words found, words said and false alarms where the sliders stand."""
        c, found, false = self.curve, 0, 0
        for w, word in enumerate(c.words):
            k = int(np.abs(c.thresholds - self.decision.threshold_of(self._labels.index(word))).argmin())
            found, false = found + int(c.found[k, w]), false + int(c.false_alarms[k, w])
        return found, int(c.said.sum()), false

    def snapshot(self) -> look.Html:
        c = self.curve
        found, said, false = self.point()
        words = f"{found} of {said} found, {false} false alarms"
        chosen = (false * 3600 / c.seconds, 1 - found / said, words) if said else None
        picture = look.curve([("all words", c.per_hour, c.missed)], chosen, c.seconds)
        rule = self.decision
        foot = look.dots(f"mean of {rule.smoothing} answers", f"{rule.suppression_s:g} s pause after a word")
        return look.card(self.title, self.report.name, picture, foot, state=("none", "still picture"))


def _pace(rule: Decision) -> tuple:
    return rule.smoothing, rule.suppression_s


def curve(report, board=None, events=None) -> CurveView:
    """Show false alarms against missed words, and move the point: thresholds per word, smoothing, pause.

    Parameters
    ----------
    report : StreamReport
        Of a recording that is kept for choosing. What is chosen here must be reported on another one.
    board : Board, optional
        Its running rule follows the sliders.
    events : sequence of Event or scene, optional
        What was said in the recording: then smoothing and pause can be moved as well.

    Returns
    -------
    CurveView
        ``.decision`` is the rule as the sliders stand.
    """
    events = getattr(events, "events", events)
    if events is None:
        events = getattr(report, "events", None)
    return CurveView(report, board, events)
