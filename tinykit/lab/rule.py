"""The running board's decision rule under a hand: the latest values win, and the board says what is in force."""

from __future__ import annotations

import threading
import weakref

from ..errors import BoardGone

_KEYS = ("threshold", "smoothing", "suppression_s", "thresholds")
_HANDS = weakref.WeakSet()  # of all widgets: two with sliders on one board must not contradict each other


def facts_of_rule(rule, labels) -> dict:
    """A decision rule as a widget sends it, with one threshold a label."""
    return {
        "threshold": rule.threshold,
        "each": bool(rule.thresholds),
        "thresholds": [rule.threshold_of(i) for i in range(len(labels))],
        "smoothing": rule.smoothing,
        "suppression_s": rule.suppression_s,
    }


class RuleHand:
    """Changes the rule on a thread of its own; a slider that is dragged never waits for the board.

    Parameters
    ----------
    widget : LabWidget
        Has ``board`` and ``work``.
    labels : callable
        The labels that its thresholds are of.
    changed : callable
        Called with the Decision that is in force after each change.
    followed : callable, optional
        The same after a change by another widget of the same board and labels; default ``changed``.
    waits : bool
        What is asked for while the board is away is kept for ``again``, and is no error.
    """

    def __init__(self, widget, labels, changed, followed=None, waits: bool = False):
        self.widget, self.labels, self.changed, self.followed = widget, labels, changed, followed or changed
        self.waits, self._kept = waits, None
        self._wanted: dict | None = None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        _HANDS.add(self)

    def move(self, content: dict) -> None:
        """What the browser asks for: any of threshold, smoothing, suppression_s, thresholds (by label)."""
        wanted = {key: content[key] for key in _KEYS if content.get(key) is not None}
        with self._lock:
            if self.waits and not self.widget.board.connected:
                self._kept = wanted
                return
            self._wanted, self._kept = wanted, None
            if self._thread is None:
                self._thread = self.widget.work("decision rule", self._change)

    @property
    def waiting(self) -> bool:
        """Whether something is kept for a board that is away."""
        return self._kept is not None

    def again(self) -> None:
        """Ask for what was kept: the board is back."""
        if (kept := self._kept) is not None:
            self.move(kept)

    def _change(self) -> None:
        wanted = None
        try:
            while True:
                with self._lock:
                    wanted, self._wanted = self._wanted, None
                    if wanted is None:
                        self._thread = None
                        return
                board = self.widget.board
                rule = board.decision(**wanted)
                self.changed(rule)
                labels = tuple(self.labels())
                for hand in tuple(_HANDS):  # an older widget may show a pipeline with other thresholds
                    if hand is self or getattr(hand.widget, "board", None) is not board:
                        continue
                    if tuple(hand.labels()) == labels:
                        hand.followed(rule)
        except BaseException as error:
            with self._lock:
                self._thread = None
                if self.waits and isinstance(error, BoardGone):
                    self._kept, self._wanted = self._wanted or wanted, None
                    return
                if isinstance(error, BoardGone):
                    self._wanted = None  # it would fail alike
                elif self._wanted is not None:  # moved on meanwhile: the latest values still win
                    self._thread = self.widget.work("decision rule", self._change)
            raise
