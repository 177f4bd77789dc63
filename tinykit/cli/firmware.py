"""Putting the firmware onto a real board."""

from __future__ import annotations

from ..errors import ToolError
from . import common


def flash(arguments):
    """Compile the TinyKit firmware and write it to a Nano 33 BLE Sense; needs arduino-cli."""
    from ..board import flashing

    try:
        if arguments.check:
            found = flashing.check(arguments.board, arguments.fqbn)
            return common.say(arguments, found.as_dict(), repr(found))
        shown = common.shown(arguments)
        done = flashing.flash(arguments.board, arguments.fqbn, arguments.wait, True if shown else _told(flashing.WORDS))
    except ToolError as error:
        if arguments.verbose and error.report:
            common.note(error.report)
        raise
    common.say(arguments, done.as_dict(), repr(done))


def _told(words):
    """A line on standard error for each step: where no bar can be shown, and a button may have to be pressed."""
    seen = []

    def tell(step, text):
        if step not in seen[-1:]:
            seen.append(step)
            common.note(f"{words[step]}{f': {text}' if text else ''}")

    return tell
