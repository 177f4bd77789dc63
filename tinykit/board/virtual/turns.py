"""Whose signal a virtual board feels and hears, when several have lent it one and take it back in any order."""

from __future__ import annotations

import threading

_LOCK = threading.Lock()


def lend(machine, source) -> Turn:
    """Let a virtual board feel and hear a source until the turn ends.

    Turns lie upon each other: the newest is felt, and when one ends, wherever it lies, those above it
    stay. A source that a cell sets meanwhile stays as well, and ends them all.

    Parameters
    ----------
    machine : VirtualBoard
    source : signal source or callable
        A callable gets the source beneath it and gives the one to be felt; None: nothing is lent. It is
        called again when another source comes to lie beneath it.

    Returns
    -------
    Turn
    """
    turn = Turn(machine, source)
    while True:
        beneath = machine.source
        lends = turn._settle(beneath)  # a callable may take its time, others don't wait for it
        with _LOCK:
            stack = _stack(machine)
            if machine.source is not beneath:
                continue
            if lends:
                stack.append(turn)
                machine.source = turn.source
            return turn


class Turn:
    """A source that a virtual board feels and hears for a while; made by ``lend``.

    Attributes
    ----------
    source : signal source or None
        What it lends; None when it lends nothing.
    """

    def __init__(self, machine, make):
        self._machine, self._make = machine, make
        self._beneath = self.source = None

    @property
    def on(self) -> bool:
        """Whether the board feels it at this moment, not another one above it."""
        newest = self._machine.__dict__.get("_turns", [])[-1:]
        return newest == [self] and self._machine.source is self.source

    def end(self) -> None:
        """Take the source back; what lies on top then is felt. A second time does nothing."""
        with _LOCK:
            stack = _stack(self._machine)
            if self not in stack:
                return
            source = stack[0]._beneath  # the board's own
            stack.remove(self)
            for turn in list(stack):
                if turn._settle(source):
                    source = turn.source
                else:
                    stack.remove(turn)
            if self._machine.source is not source:
                self._machine.source = source

    def _settle(self, beneath) -> bool:
        """Lie on top of a source; whether there is anything to lend then."""
        if self.source is None or beneath is not self._beneath:
            self.source = self._make(beneath) if callable(self._make) else self._make
            self._beneath = beneath
        return self.source is not None

    def __repr__(self):
        return f"Turn({self.source!r})"


def _stack(machine) -> list[Turn]:
    """The turns of a board, the one that is felt last; none when somebody has set a source meanwhile."""
    stack = machine.__dict__.setdefault("_turns", [])
    if stack and machine.source is not stack[-1].source:
        stack.clear()
    return stack
