"""Text files of the magic wand: ``-,-,-`` begins a recording, then ``x,y,z`` lines.

Form of the TensorFlow Lite Micro magic-wand example and of MagicWand-TFLite-ESP32-MPU6050:
``output_<gesture>_<person>.txt``, acceleration only, no times.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from ...errors import DataError
from .. import units
from . import names
from .raw import Options, Raw
from .table import text_of

RATE_HZ = 25.0
MARK = ["-", "-", "-"]  # cells of the line that begins a recording


def read(files: list[Path], root: Path, options: Options) -> list[Raw]:
    """Read magic-wand text files; one recording between two marks."""
    raws = []
    for path in files:
        label, person = _who(path, root)
        where = path.relative_to(root).as_posix() if path != root else path.name
        for first, rows in takes(path):
            raws.append(
                Raw(
                    np.array(rows),
                    units.ACCELERATION,
                    path,
                    label=label,
                    person=options.person or person,
                    rate_hz=RATE_HZ,
                    rate_note="no times in the files: 25 Hz assumed, the rate of the magic wand's sketch",
                    source=f"{where} line {first}",
                )
            )
    return raws


def takes(path: Path) -> list[tuple[int, list]]:
    """Recordings of one file: (line of the first row, rows of three floats).

    Raises
    ------
    DataError
        A line is neither a mark nor three finite numbers; the line is named.
    """
    found: list[tuple[int, list]] = []
    current = None
    for number, line in enumerate(text_of(path).splitlines(), 1):
        cells = [cell.strip() for cell in line.split(",")]
        if not any(cells):
            continue
        if cells == MARK:
            current = None
            continue
        try:
            values = [float(cell) for cell in cells]
        except ValueError:
            values = []
        if len(values) != 3 or not all(math.isfinite(v) for v in values):
            raise DataError(
                f"{path}, line {number}: {line.strip()[:60]!r} is not three finite numbers.",
                "Mend or delete the line.",
            )
        if current is None:
            current = []
            found.append((number, current))
        current.append(values)
    if not found:
        raise DataError(f"{path} has no rows.", "Record into it, or leave the file out.")
    return found


def _who(path: Path, root: Path) -> tuple[str, str]:
    """``output_<gesture>_<person>``; a gesture of several words is known by its folder."""
    stem = path.name.split(".")[0]
    stem = stem[len("output_") :] if stem.lower().startswith("output_") else stem
    folder = path.parent.name
    if stem.lower().startswith(folder.lower() + "_"):
        return folder, stem[len(folder) + 1 :]
    label, _, person = stem.partition("_")
    return label, person or names.person(path, root)
