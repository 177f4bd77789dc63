"""A whole pipeline as a folder of sources that others' tools build."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from .. import __version__
from ..errors import ModelError
from ..pipeline import Pipeline
from .folder import write_folder

KINDS = ("arduino", "c")


@dataclass(frozen=True)
class Exported:
    """What was written.

    Parameters
    ----------
    kind : str
        ``"arduino"`` or ``"c"``.
    folder : Path
    files : tuple of str
        Places in the folder.
    facts : dict
        What the program takes: its sizes, and where they are from.
    next : str
        How to go on.
    """

    kind: str
    folder: Path
    files: tuple[str, ...]
    facts: dict = field(default_factory=dict)
    next: str = ""

    def as_dict(self) -> dict:
        """For JSON."""
        return {"kind": self.kind, "folder": str(self.folder), "files": list(self.files), **self.facts}

    def __repr__(self) -> str:
        what = "an Arduino sketch" if self.kind == "arduino" else "a C program"
        lines = [f"{self.folder}: {what}, {len(self.files)} files"]
        for name, value in self.facts.items():
            # As wide as a notebook's cell; the last line stays whole, to be copied.
            lines += textwrap.wrap(f"  {name.replace('_', ' '):30}{_told(value)}", 96, subsequent_indent=" " * 32)
        return "\n".join([*lines, f"Next: {self.next}"])


def export(pipeline, kind: str, folder) -> Exported:
    """Write a pipeline as a program that needs no tinykit: sensor, front end, network and decisions.

    The program tries some made-up windows when it starts, and says whether they come out as on this
    computer. Calling it again for the same folder brings the folder up to date; files that were changed by
    hand are never overwritten.

    Parameters
    ----------
    pipeline : Pipeline or path
        After ``tk.quantize``, or a ``.tk`` file.
    kind : str
        ``"arduino"``: a sketch for the Nano 33 BLE Sense, both revisions, that runs the network with
        TensorFlow Lite Micro (Chirale_TensorFLowLite from the library manager). ``"c"``: a C99 program
        with tinykit's engine, for any Cortex-M and for this computer.
    folder : path
        New, empty, or an earlier export. An Arduino sketch gets its name.

    Returns
    -------
    Exported

    Raises
    ------
    ModelError
        The pipeline has no int8 network, or one that the program can't run (``UnsupportedOp``), or one
        that does not fit the board (``DoesNotFit``).
    DataError
        The folder is not for this.
    TinykitError
        The disk did not take it.
    """
    if kind not in KINDS:
        raise ModelError(f"There is no export {kind!r}.", f"Give one of: {', '.join(KINDS)}.")
    if not isinstance(pipeline, Pipeline):
        pipeline = Pipeline.load(pipeline)
    folder = Path(folder)
    if kind == "arduino":
        from .sketch import sketch

        made = sketch(pipeline, folder.resolve().name)
    else:
        from .program import program

        made = program(pipeline)
    card = {"made_by": f"tinykit {__version__}", "kind": kind, "pipeline": pipeline.name}
    write_folder(folder, made.files, {**card, "fingerprint": pipeline.fingerprint, **made.facts})
    return Exported(kind, folder, tuple(sorted(made.files)), made.facts, made.next.format(folder=folder))


def _told(value) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(str(v) for v in value)
    return f"{value:,}" if isinstance(value, int) else str(value)
