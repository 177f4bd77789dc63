"""The latest answers of a board, in one row over every restart, and what was counted in them."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace

from ..board.live import BACKGROUND

_KEPT = 1000


class History:
    """Answers as they come, numbered on where the board counts anew: it was unplugged, or live was opened again.

    Their times are those of the stream of samples beside them, so that the window behind an answer is
    found whatever has happened since.

    Parameters
    ----------
    words : bool
        Decisions are announcements of words; else each change to a class that is no background.
    log : EventLog, optional
        The board's: it knows whether answers were lost, or the board was only asked to begin anew.

    Attributes
    ----------
    tally : dict
        ``decisions``, ``wrong``, ``unsure``, and ``each``: decisions by label.
    gap_at : float or None
        ``time.monotonic()`` when the first answer after the board had been away came.
    """

    def __init__(self, words: bool, log=None):
        self.words, self._log = words, log
        self._log_cursor, self._was_away = 0, False
        self.opened()
        self._kept: deque = deque(maxlen=_KEPT)
        self._last: int | None = None  # the board's number, moved on
        self._shift = 0
        self._shown: str | None = ""  # the decision of the last answer; "" before the first
        self.gap_at: float | None = None
        self.reset()

    def reset(self) -> None:
        """Count anew."""
        self.tally = {"decisions": 0, "wrong": 0, "unsure": 0, "each": {}}

    def opened(self) -> None:
        """Live was opened: where the board was before that is not about its answers."""
        self._away()
        self._was_away = False

    def _away(self) -> bool:
        """Whether the board was away since its answers last began anew."""
        if self._log is not None:
            events, self._log_cursor = self._log.read_new(self._log_cursor)
            self._was_away |= any(event.kind == "reconnected" for event in events)
        return self._was_away

    def forget(self, labels=None) -> None:
        """Keep only the answers in these labels; none without. Numbers go on."""
        wanted = list(labels or ())
        self._kept = deque((p for p in self if wanted and list(p.smoothed) == wanted), maxlen=_KEPT)

    def add(self, predictions, stream) -> list:
        """Take what is new; returns it, numbered and timed on."""
        out = []
        for p in predictions:
            number = p.number + self._shift
            if self._last is not None and number <= self._last:
                self._shift += self._last + 2 - number  # one is missing at least: a gap that is seen
                number = self._last + 2
                if self._away():
                    self.gap_at, self._was_away = time.monotonic(), False
            self._last = number
            p = replace(p, number=number, device_time_s=stream.time_of(p.device_time_s))
            if self._kept and p.device_time_s < self._kept[-1].device_time_s:
                self._kept.clear()  # another stream of samples, that begins earlier
            self._kept.append(p)
            self._count(p)
            out.append(p)
        return out

    def last(self, seconds: float) -> list:
        """Those of the last so many seconds."""
        kept = list(self)
        return [p for p in kept if p.device_time_s > kept[-1].device_time_s - seconds]

    def find(self, number: int):
        """The answer of that number; None when it is no longer there."""
        return next((p for p in reversed(list(self._kept)) if p.number == number), None)

    def _count(self, p) -> None:
        if self.words and p.detected:
            self._decided(p.label)
        if p.label == self._shown:
            return
        self._shown = p.label
        if p.label is None:
            self.tally["unsure"] += 1
        elif not self.words and p.label.lower() not in BACKGROUND:
            self._decided(p.label)

    def _decided(self, label: str) -> None:
        self.tally["decisions"] += 1
        self.tally["each"][label] = self.tally["each"].get(label, 0) + 1

    def __len__(self) -> int:
        return len(self._kept)

    def __getitem__(self, i):
        return self._kept[i]

    def __iter__(self):
        return iter(list(self._kept))
