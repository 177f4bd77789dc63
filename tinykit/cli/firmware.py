"""Putting the firmware onto a real board."""

from __future__ import annotations

from ..errors import ToolError
from . import common


def flash(arguments):
    """Compile the TinyKit firmware and write it to a Nano 33 BLE Sense; needs arduino-cli."""
    from ..board import finding, flashing

    try:
        if arguments.check:
            found = flashing.check(arguments.board, arguments.fqbn)
            return common.say(arguments, found.as_dict(), repr(found))
        # Where no bar can be shown, lines: a button may have to be pressed.
        progress = True if common.shown(arguments) else finding.steps(common.note, flashing.WORDS)
        done = flashing.flash(arguments.board, arguments.fqbn, arguments.wait, progress)
    except ToolError as error:
        if arguments.verbose and error.report:
            common.note(error.report)
        raise
    common.say(arguments, done.as_dict(), repr(done))
