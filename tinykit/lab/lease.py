"""Whether a page still shows a widget: one that was closed, or whose computer sleeps, does not say so."""

from __future__ import annotations

import threading
import time

# A page says every five seconds that it is there (core.js), also while it is hidden.
LEASE_S = 60.0
_COUNTS_S = 0.2  # of a longer pause no more than that: where this program stood still, nobody could be heard

_busy = threading.Event()  # a cell runs
_watching = False


class Lease:
    """How long a widget goes on without a word from a page.

    Only time counts in which the kernel sent and could hear. Where it hears on its main thread (before ipykernel 7,
    or JupyterLab 4.4), it can't hear while a cell runs.
    """

    def __init__(self):
        self.renew()
        _watch_cells()

    def renew(self) -> None:
        """A page was heard of, on this thread."""
        self._deaf = threading.current_thread() is threading.main_thread()
        self._spent, self._at = 0.0, time.monotonic()

    def over(self) -> bool:
        """Whether it has run out; to be asked at every flush."""
        now = time.monotonic()
        if not (self._deaf and _busy.is_set()):
            self._spent += min(now - self._at, _COUNTS_S)
        self._at = now
        return self._spent > LEASE_S


def _watch_cells() -> None:
    """Know from now on whether a cell runs; where there are no cells, none does."""
    global _watching
    if _watching:
        return
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None:
        _watching = True
        _busy.set()  # this one
        shell.events.register("pre_execute", _busy.set)
        shell.events.register("post_execute", _busy.clear)
