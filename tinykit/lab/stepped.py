"""What deploying and flashing have in common: a button that starts something slow, its steps, and how it ended."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

from .. import look
from ..errors import BoardError, TinykitError
from .widget import LabWidget


class Stepped(LabWidget):
    """A widget of steps; the page's half is ``steps.js``.

    A subclass does its work inside ``doing``, moves ``_step``, sets how it ended with ``ended``, says
    in ``fail_words`` what a failure means, and adds what the page must know to ``state``.
    """

    def __init__(self, board, config: dict, head: dict | None = None):
        self._step, self._busy, self._failed = -1, False, False
        self._began = 0.0
        self._result: dict | None = None
        self._report = ""
        self._changed = True
        self._one = threading.Lock()
        super().__init__(board, config, head)

    # -- for subclasses --------------------------------------------------------------------------

    def state(self) -> dict:
        """What the page must know besides the steps."""
        return {}

    def status(self) -> dict:
        """How it stands, once a second: ``link`` and ``note``."""
        raise NotImplementedError

    def fail_words(self, error: Exception) -> None:
        """Say with ``ended`` what this failure means for the board."""
        raise NotImplementedError

    # -- doing it --------------------------------------------------------------------------------

    def press(self, call) -> None:
        """The button: do it on a thread of its own; a second press while that goes on is none."""
        if not self._busy:
            self._busy, self._began = True, time.monotonic()
            self.work(self.title.lower(), self._pressed, call)

    def _pressed(self, call) -> None:
        try:
            call()
        except TinykitError:
            pass  # shown in the widget with its way out, by ``fail_words``

    @contextmanager
    def doing(self, step: int = -1):
        """While it goes on, from this step; what it raises is shown and goes on to the caller.

        Raises
        ------
        BoardError
            It goes on already.
        """
        if not self._one.acquire(timeout=1.0):
            raise BoardError(f"{self.title} is under way already.", "Wait until it is done.")
        try:
            self._busy, self._failed, self._result, self._report = True, False, None, ""
            self._step, self._began, self._changed = step, time.monotonic(), True
            try:
                yield
            except Exception as error:
                self._failed = True
                self.fail_words(error)
                raise
        finally:
            self._busy, self._changed = False, True
            self._one.release()

    def ended(self, kind: str, what: str, text: str = "", next: str = "") -> None:
        """What is said of how it ended: ``kind`` ok, warn, bad or none, and three sentences."""
        self._result = {"kind": kind, "what": what, "text": text, "next": next}
        self._changed = True

    # -- telling the page ------------------------------------------------------------------------

    def flush(self) -> None:
        if self.unseen():
            return
        if self.fresh() or self._changed:
            self._changed = False
            self.tell(
                "state", step=self._step, busy=self._busy, failed=self._failed, result=self._result,
                report=self._report, **self.state(),
            )  # fmt: skip
        if self.due():
            self.tell("status", **self.status())

    def result_html(self) -> look.Html | str:
        """How it ended, for the still picture."""
        if not self._result:
            return ""
        text = look.Html(f"<b>{look.esc(self._result['what'])}</b> {look.esc(self._result['text'])}")
        return look.note(self._result["kind"], text, self._result["next"])


def words_of(error: Exception) -> tuple[str, str]:
    """What happened, and what to do next, as far as the error says it."""
    return (error.what, error.next) if isinstance(error, TinykitError) else (f"{type(error).__name__}: {error}", "")
