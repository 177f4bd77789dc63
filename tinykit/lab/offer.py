"""``tk.connect`` as a notebook has it: where a board needs the firmware, there is a button for it."""

from __future__ import annotations

import os
import sys
from functools import partial, wraps

from ..board import connect as _connect
from ..board import ports
from ..board.port import same_port
from ..board.relay import BROWSER_URL
from ..errors import FirmwareNeeded, TinykitError


@wraps(_connect)
def connect(port=None, source=None):
    try:
        board = _at_browser(port, source) or _connect(port, source)
    except FirmwareNeeded as error:
        if in_notebook():
            # IPython calls this where nobody has caught the error: in place of the traceback.
            error._render_traceback_ = partial(_ask, error)
        raise
    _tell_if_old(board)
    return board


def _at_browser(port, source):
    """The board of ``browser://``, where that is asked for in a notebook; else None."""
    url = getattr(port, "address", port) or os.environ.get("TINYKIT_PORT") or ""
    if source is not None or not url.startswith(BROWSER_URL) or not in_notebook():
        return None
    from .webserial import connect

    return connect(url)


def in_notebook() -> bool:
    """Whether a notebook's kernel runs this."""
    if "ipykernel" not in sys.modules:
        return False
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None


def _ask(error: FirmwareNeeded) -> list[str]:
    """Show the button; returns the lines that stand in place of the traceback."""
    lines = [f"{type(error).__name__}: {error.what}", f"Next: {error.next}"]
    shown, error.offered = getattr(error, "offered", False), True
    if shown or not any(same_port(port.address, error.port) and port.kind != "other" for port in ports()):
        return lines  # a kernel asks twice; and where no Nano is, there is nothing to press for
    try:
        _show(error.port, error.what, "run this cell again.")
    except (ImportError, TinykitError) as failure:  # no widgets here: the sentence alone has to do
        lines.append(f"(No button could be shown: {failure})")
    return lines


def _tell_if_old(board) -> None:
    """It is said, and nothing is done."""
    from ..board.firmware import old_in_words

    what = old_in_words(board)
    if not what:
        return
    board.log.add("firmware", what)
    if in_notebook() and not board.port.startswith(BROWSER_URL):
        _show(board, f"{what} It works, but for what is new.", "the board goes on as it is connected.")
    else:
        print(f"{what} Next: tk.flash(), or `tinykit flash` in a terminal.", file=sys.stderr)


def _show(port, why: str, then: str) -> None:
    from IPython.display import display

    from .flash import FlashView

    display(FlashView(port, why, then))
