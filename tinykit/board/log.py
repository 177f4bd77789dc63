"""What happened between computer and board, in order, for people to read."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import NamedTuple


class Event(NamedTuple):
    """One line of the log.

    ``time`` is the computer's (seconds since 1970); ``kind`` one of ``"connected"``, ``"gone"``,
    ``"reconnected"``, ``"lost"``, ``"fault"``, ``"log"``, ``"deployed"``, ``"error"``.
    """

    time: float
    kind: str
    text: str


class EventLog:
    """The last thousand events; any thread may add or read."""

    def __init__(self, size: int = 1000):
        self._events = deque(maxlen=size)
        self._added = 0
        self._lock = threading.Lock()

    def add(self, kind: str, text: str) -> Event:
        """Append an event with the present time."""
        event = Event(time.time(), kind, text)
        with self._lock:
            self._events.append(event)
            self._added += 1
        return event

    def read_new(self, cursor: int = 0) -> tuple[list[Event], int]:
        """Events added since ``cursor`` (0 at first), and the cursor for the next call."""
        with self._lock:
            fresh = min(self._added - cursor, len(self._events))
            return list(self._events)[len(self._events) - fresh :], self._added

    def of(self, kind: str) -> list[Event]:
        """The events of one kind."""
        return [event for event in self if event.kind == kind]

    def __iter__(self):
        with self._lock:
            return iter(list(self._events))

    def __len__(self) -> int:
        return len(self._events)

    def __repr__(self) -> str:
        lines = (f"{time.strftime('%H:%M:%S', time.localtime(e.time))} {e.kind:12} {e.text}" for e in self)
        return "\n".join(lines) or "<EventLog: nothing yet>"
