"""Everything that tinykit raises on purpose.

::

    TinykitError                  one clear sentence and a way out
    +-- DataError (ValueError)    recordings, datasets, splits
    |   +-- TakeRefused           a take that is not good enough to keep
    |   +-- LeakageError          the same material on two sides of a split
    +-- ModelError (ValueError)   networks and pipelines
    |   +-- UnsupportedOp         the engine has no such operation
    |   +-- DoesNotFit            too large for the slot or the arena
    +-- BuildError                the C core could not be compiled
    +-- BoardError                ports and boards
        +-- PortBusy              another program holds the port
        +-- BoardGone             the cable was pulled, or power was lost
        +-- LinkError             frames lost or damaged beyond repair
        +-- DeviceError           the board said no; ``.name`` is its word for it
"""

from __future__ import annotations


class TinykitError(Exception):
    """What happened, what was expected and got, and what to do next.

    Parameters
    ----------
    what : str
        One sentence: what happened, what was expected, what was got.
    next : str, optional
        What to do about it. Printed after "Next:".
    """

    def __init__(self, what: str, next: str = ""):
        self.what, self.next = what, next
        super().__init__(f"{what} Next: {next}" if next else what)


class DataError(TinykitError, ValueError):
    """Recordings, datasets or splits are not as they must be."""


class TakeRefused(DataError):
    """A take is not good enough to keep; the reason is in the sentence."""


class LeakageError(DataError):
    """The same recording, or a near-identical window, is on two sides of a split."""


class ModelError(TinykitError, ValueError):
    """A network or a pipeline is not as it must be."""


class UnsupportedOp(ModelError):
    """The engine has no such operation."""


class DoesNotFit(ModelError):
    """The pipeline is too large for the board's slot or arena."""


class BuildError(TinykitError):
    """The C core could not be compiled on this computer."""


class BoardError(TinykitError):
    """Something between this computer and the board went wrong."""


class PortBusy(BoardError):
    """Another program holds the port."""


class BoardGone(BoardError):
    """The board went away: cable pulled, power lost, or port vanished."""


class LinkError(BoardError):
    """The link lost or damaged more than repeating could mend."""


class DeviceError(BoardError):
    """The board answered with an error.

    Parameters
    ----------
    name : str
        The device's own name for it, such as ``"slot_empty"`` (hardware/PROTOCOL.md).
    """

    def __init__(self, name: str, what: str, next: str = ""):
        self.name = name
        super().__init__(what, next)


class FirmwareNeeded(BoardError):
    """A Nano is there, and its firmware is not TinyKit's, or too old to be talked to; ``tk.flash()`` helps.

    Parameters
    ----------
    port : str
        Where it is.
    answers : bool
        Whether TinyKit's firmware answers there, of another version than this tinykit needs.
    """

    def __init__(self, port: str, what: str, next: str = "", answers: bool = False):
        self.port, self.answers = port, answers
        super().__init__(what, next)


class ToolError(BoardError):
    """arduino-cli is absent or too old, or it could not do what it was asked.

    Parameters
    ----------
    name : str
        What kind of failure: ``"absent"``, ``"old"``, ``"offline"``, ``"no_core"``, ``"no_library"``,
        ``"compile"``, ``"too_large"``, ``"no_board"``, ``"busy"``, ``"no_rights"``, ``"cable"``,
        ``"disk_full"``, ``"no_rosetta"``, ``"timeout"`` or ``"failed"``.
    report : str
        The command and all that it said, for a teacher.
    """

    def __init__(self, name: str, what: str, next: str = "", report: str = ""):
        self.name, self.report = name, report
        super().__init__(what, next)
