"""CSVs with a label in every row: activities in a stream, as phones and watches record them.

Example: GeoTecINIT sp-sw-har-dataset (Matey-Sanz, Casteleyn, Granell 2023), files
``sXX_YY_sw.csv``: subject XX, execution YY; m/s2, rad/s, times in ms.
"""

from __future__ import annotations

import re
from pathlib import Path

from ...errors import DataError
from ..store import rate_of
from . import names
from .raw import Options, Raw
from .table import read_table


def read(files: list[Path], root: Path, options: Options) -> list[Raw]:
    """Read CSVs with a label column; one recording a file."""
    raws = []
    for path in files:
        table = read_table(path)
        where = path.relative_to(root).as_posix() if path != root else path.name
        if any(not label for label in table.row_labels):
            row = next(i for i, label in enumerate(table.row_labels) if not label)
            raise DataError(f"{path}, line {table.lines[row]}: the label is missing.", "Mend or delete the line.")
        times = table.times_ms
        who, session = _who(path, root)
        raws.append(
            Raw(
                table.values,
                table.channels,
                path,
                row_labels=table.row_labels,
                person=options.person or who,
                session=session,
                times_ms=times,
                rate_hz=rate_of(times) if times is not None else None,
                acceleration=table.acceleration,
                angular_rate=table.angular_rate,
                source=where,
                rate_note="rate measured from the files' times" if times is not None else "",
                notes=[f"{where}: {n}" for n in table.notes],
            )
        )
    return raws


def _who(path: Path, root: Path) -> tuple[str, str]:
    parts = re.match(r"^(?P<who>[A-Za-z]*\d+)[_-](?P<session>\d+)(?:[_-]|$)", path.stem)
    if parts:
        return parts["who"], parts["session"]
    return names.person(path, root), path.stem
