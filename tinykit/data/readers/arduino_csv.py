"""CSVs of Arduino's IMU_Capture sketch and its many relatives.

Header ``aX,aY,aZ,gX,gY,gZ``; one file a label, one folder a person; gestures of 119 rows (one
second of the LSM9DS1), with or without blank lines between them; no times. Source: "Get
started with machine learning on Arduino", docs.arduino.cc.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from .. import units
from ..recording import plural
from ..store import rate_of
from . import names
from .raw import Options, Raw
from .table import Table, gaps, read_table

ROWS = 119  # rows of a gesture in IMU_Capture
_STREAM = 3 * ROWS  # a part without a blank line that is longer holds several gestures


def read(files: list[Path], root: Path, options: Options) -> list[Raw]:
    """Read CSVs without label column: label = file name, person = folder (see ``names``)."""
    raws = []
    labels = names.labels(files)
    above = int(names.by_folder(files))
    for path in files:
        table = read_table(path)
        person = options.person or names.person(path, root, above)
        where = path.relative_to(root).as_posix() if path != root else path.name
        shared = {
            "channels": table.channels,
            "file": path,
            "label": labels[path],
            "person": person,
            "acceleration": table.acceleration,
            "angular_rate": table.angular_rate,
        }
        if table.times_ms is not None and options.rows_per_take is None:
            raws.append(
                Raw(
                    table.values,
                    times_ms=table.times_ms,
                    rate_hz=rate_of(table.times_ms),
                    source=where,
                    notes=[f"{where}: {n}" for n in table.notes],
                    **shared,
                )
            )
            continue
        takes, length, note = cut(table, options.rows_per_take)
        notes = [f"{where}: {n}" for n in (*table.notes, note) if n]
        rate, rate_note = units.RATE_HZ, "no times in the files: 119 Hz assumed, the LSM9DS1's rate"
        if table.times_ms is not None:
            rate, rate_note = rate_of(table.times_ms), ""
        elif length != ROWS:
            rate = float(length)
            rate_note = (
                f"no times in the files: {length} rows a gesture taken to be one second, so {length} Hz "
                "assumed; state rate_hz if you know it"
            )
        for a, b in takes:
            raws.append(
                Raw(
                    table.values[a:b],
                    rate_hz=rate,
                    rate_note=rate_note,
                    notes=notes,
                    source=f"{where} lines {table.lines[a]}-{table.lines[b - 1]}",
                    **shared,
                )
            )
    return raws


def cut(table: Table, rows: int | None = None) -> tuple[list[tuple[int, int]], int, str]:
    """Cut a table into gestures.

    Parameters
    ----------
    table : Table
    rows : int, optional
        Rows of a gesture, if known.

    Returns
    -------
    takes : list of (first, last + 1)
    rows : int
        Rows of a gesture (the usual number, where they differ).
    note : str
        What was assumed, and what was done with rows that do not fill a gesture.
    """
    n = len(table.values)
    starts = gaps(table.blanks)
    ends = np.append(starts[1:], n)
    sizes = ends - starts
    if rows is None and len(sizes) > 1 and np.median(sizes) <= _STREAM:
        usual, times = Counter(sizes.tolist()).most_common(1)[0]
        if 2 * times < len(sizes):  # gestures of free length: every part is one
            takes = [(a, b) for a, b in zip(starts.tolist(), ends.tolist(), strict=True) if b - a >= 5]
            left = len(sizes) - len(takes)
            note = f"{plural(left, 'part')} of fewer than 5 rows left out" if left else ""
            return takes, int(np.median(sizes)), note
        return _blocks(starts, ends, usual)
    note = ""
    if rows is None:
        rows, note = _length(table.values)
    takes, told = [], []
    for a, b in zip(starts.tolist(), ends.tolist(), strict=True):
        whole, rest = divmod(b - a, rows)
        before = _fragment(table.values[a:b], rows) if rest and whole else whole
        takes += [
            (a + i * rows + rest * (i >= before), a + (i + 1) * rows + rest * (i >= before)) for i in range(whole)
        ]
        if rest and whole:
            where = "at the end" if before == whole else f"before gesture {before + 1}, where the signal jumps,"
            told.append(f"{b - a} rows are no multiple of {rows}: {plural(rest, 'row')} left over {where} left out")
    if not takes:
        return [(0, n)], rows, f"only {n} rows, fewer than a gesture of {rows}: kept as one short take"
    return takes, rows, "; ".join(x for x in (note, *told) if x)


def _fragment(values: np.ndarray, rows: int) -> int:
    """Where the rows that fill no gesture are: before which one; the number of gestures: at the end.

    Every gesture after a fragment is shifted by it, so its place is where cutting there makes
    the jumps between gestures largest.
    """
    whole, rest = divmod(len(values), rows)
    jumps = np.log(_jumps(values) + 1e-3)

    def score(before):
        edges = [i * rows for i in range(1, before + 1)] + [i * rows + rest for i in range(before, whole)]
        at = np.array([e for e in edges if 0 < e < len(values)], int) - 1
        return float(jumps[at].mean()) if len(at) else -np.inf

    scores = [score(before) for before in range(whole + 1)]
    best = int(np.argmax(scores))
    return best if scores[best] > scores[whole] + 0.3 else whole


def _blocks(starts, ends, usual: int) -> tuple[list[tuple[int, int]], int, str]:
    """Gestures separated by blank lines: parts of other lengths are cut, kept or left out, and told."""
    takes, cut_up, short, left = [], 0, 0, 0
    for a, b in zip(starts.tolist(), ends.tolist(), strict=True):
        whole, rest = divmod(b - a, usual)
        takes += [(a + i * usual, a + (i + 1) * usual) for i in range(whole)]
        cut_up += whole > 1
        if rest and 2 * rest >= usual:
            takes.append((b - rest, b))
            short += 1
        elif rest:
            left += rest
    told = [
        f"{plural(cut_up, 'part')} without a blank line cut every {usual} rows" if cut_up else "",
        f"{plural(short, 'gesture')} of fewer than {usual} rows kept" if short else "",
        f"{plural(left, 'row')} in parts of less than half a gesture left out" if left else "",
    ]
    return takes, usual, "; ".join(t for t in told if t)


def _length(values: np.ndarray) -> tuple[int, str]:
    """Rows of a gesture where no blank lines tell: 119, unless jumps tell of another number.

    Where one triggered capture ends and the next begins the signal jumps. If the jumps at
    multiples of 119 are no larger than elsewhere, other numbers are tried.
    """
    if len(values) < 5 * 20:
        return ROWS, ""
    jumps = np.log(_jumps(values) + 1e-3)
    usual, spread = jumps.mean(), jumps.std() + 1e-9

    def strength(rows):
        """How far the jumps between gestures of so many rows are above chance, in standard errors."""
        at = np.arange(rows, len(values), rows) - 1
        return float((jumps[at].mean() - usual) / spread * np.sqrt(len(at))) if len(at) >= 4 else 0.0

    expected = strength(ROWS)
    if expected >= 3.0:
        return ROWS, ""
    # A multiple of the true number meets fewer jumps, so it is weaker; a divisor dilutes them.
    found = max(range(20, min(600, len(values) // 5) + 1), key=strength)
    if strength(found) >= max(5.0, expected + 3.0):
        return found, f"no blank lines: cut every {found} rows, where the signal jumps"
    return (
        ROWS,
        f"no blank lines and no jumps every {ROWS} rows, so perhaps one stream: cut every {ROWS} rows",
    )


def _jumps(values: np.ndarray) -> np.ndarray:
    """Size of the step from each row to the next, channels weighted by their spread: (n - 1,)."""
    scale = np.median(np.abs(values - np.median(values, axis=0)), axis=0) + 1e-9
    return (np.abs(np.diff(values, axis=0)) / scale).mean(axis=1)
