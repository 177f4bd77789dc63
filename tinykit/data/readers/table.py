"""Text tables as boards, phones and spreadsheets write them."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import DataError
from .. import units

_ACC = "(?:a|acc|accel|accelerometer|acceleration)"
_GYR = "(?:g|gyr|gyro|gyroscope|rot|rotation|omega)"
_MAG = "(?:m|mag|magn|magneto|magnetometer)"
_TIME = {
    "timestamp",
    "timestampms",
    "time",
    "timems",
    "t",
    "ms",
    "millis",
    "milliseconds",
    "times",
    "seconds",
    "timeus",
    "micros",
    "timestampus",
    "timestamps",
}
_LABEL = {"label", "labels", "class", "activity", "gesture", "target"}
_HEADER_LINES = 20  # a header is looked for in so many lines


@dataclass
class Table:
    """A text table with known columns.

    Parameters
    ----------
    values : float64 array of shape (n, c)
    channels : tuple of str
        The c names.
    times_ms : float64 array of shape (n,), or None
        From the first row.
    row_labels : array of str of shape (n,), or None
    lines : int array of shape (n,)
        Line of each row in the file, from 1.
    blanks : int array of shape (n,)
        Empty or separator lines before each row.
    acceleration, angular_rate : str or None
        Units in the header, if stated.
    notes : list of str
    """

    values: np.ndarray
    channels: tuple[str, ...]
    times_ms: np.ndarray | None
    row_labels: np.ndarray | None
    lines: np.ndarray
    blanks: np.ndarray
    acceleration: str | None
    angular_rate: str | None
    notes: list[str]


def text_of(path: Path, limit: int | None = None) -> str:
    """The text of a file, whatever its byte order mark; a clear error if it is not text."""
    with open(path, "rb") as file:
        data = file.read() if limit is None else file.read(limit)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data[: len(data) // 2 * 2].decode("utf-16", errors="replace")
    if b"\0" in data:
        raise DataError(f"{path} is not a text file.", "Give recordings as CSV, text or JSON.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if limit is not None and error.start >= len(data) - 4:
            return data[: error.start].decode("utf-8-sig")
        return data.decode("latin-1")


def column(name: str) -> tuple[str, str | None]:
    """What a column is: a channel, ``time``, ``label``, ``field`` (magnetometer) or empty; and its unit."""
    name = name.strip().strip("\"'").strip()
    unit = None
    bracket = re.match(r"^(.*?)\s*[(\[]([^)\]]*)[)\]]$", name)
    if bracket:
        name, unit = bracket.group(1), bracket.group(2)
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    for pattern, letter in ((_ACC, "a"), (_GYR, "g")):
        axis = re.match(rf"^{pattern}([xyz])$|^([xyz]){pattern}$", plain)
        if axis:
            return letter + (axis.group(1) or axis.group(2)).upper(), unit
    if re.match(rf"^{_MAG}[xyz]$|^[xyz]{_MAG}$", plain):
        return "field", unit
    if plain in ("x", "y", "z"):
        return "a" + plain.upper(), unit
    if plain in _TIME:
        return "time", unit
    if plain in _LABEL:
        return "label", unit
    return "", unit


def find_header(text: str) -> tuple[int, list[str], str] | None:
    """Line (from 0), names and delimiter of the first line that names at least two axes."""
    seen = 0
    for number, line in enumerate(text.splitlines()):
        if not line.strip():
            continue
        seen += 1
        if seen > _HEADER_LINES:
            break
        for delimiter in (",", ";", "\t"):
            names = _cells(line, delimiter)
            axes = {column(n)[0] for n in names} & set(units.CHANNELS)
            if len(axes) >= 2:
                return number, names, delimiter
    return None


def read_table(path: Path) -> Table:
    """Read a CSV with a header that names the axes.

    Blank lines, separator rows of empty (quoted) cells and repeated headers are counted as
    gaps before the row that follows. Columns other than axes, time and label are left out
    and noted.

    Raises
    ------
    DataError
        No header; no rows; a row with too few or too many cells, with text, or with a value
        that is not finite: the line is named.
    """
    text = text_of(path)
    header = find_header(text)
    if header is None:
        raise DataError(
            f"{path} has no header that names axes such as aX,aY,aZ,gX,gY,gZ.",
            "Add the header line, or check that this is the right file.",
        )
    start, names, delimiter = header
    roles = [column(n) for n in names]
    keep = [i for i, (role, _) in enumerate(roles) if role in units.CHANNELS]
    channels = tuple(roles[i][0] for i in keep)
    if len(set(channels)) != len(channels):
        twice = next(c for c in channels if channels.count(c) > 1)
        raise DataError(f"{path} has two columns for {twice}: {', '.join(names)}.", "Rename or remove one.")
    order = sorted(range(len(keep)), key=lambda i: units.CHANNELS.index(channels[i]))
    keep, channels = [keep[i] for i in order], tuple(channels[i] for i in order)
    time = next((i for i, (role, _) in enumerate(roles) if role == "time"), None)
    label = next((i for i, (role, _) in enumerate(roles) if role == "label"), None)
    numbers = keep + ([time] if time is not None else [])

    rows, labels, lines, blanks, gap = [], [], [], [], 0
    for number, line in enumerate(text.splitlines()[start + 1 :], start + 2):
        cells = _cells(line, delimiter)
        if not any(cells) or cells == names:
            gap += 1
            continue
        while len(cells) > len(names) and not cells[-1]:
            cells.pop()
        if len(cells) != len(names):
            raise DataError(
                f"{path}, line {number}: {len(cells)} values, expected {len(names)} "
                f"({','.join(names)}): {line.strip()[:60]!r}.",
                "Mend or delete the line.",
            )
        try:
            values = [float(cells[i].replace(",", ".")) for i in numbers]
        except ValueError:
            i = next(i for i in numbers if not _is_number(cells[i]))
            raise DataError(
                f"{path}, line {number}: {cells[i]!r} in column {names[i]} is not a number.",
                "Mend or delete the line.",
            ) from None
        rows.append(values)
        labels.append(cells[label] if label is not None else "")
        lines.append(number)
        blanks.append(gap)
        gap = 0
    if not rows:
        raise DataError(f"{path} has a header and no rows.", "Record into it, or leave the file out.")
    table = np.array(rows)
    if not np.isfinite(table).all():
        row, i = (int(x[0]) for x in np.nonzero(~np.isfinite(table)))
        raise DataError(
            f"{path}, line {lines[row]}: column {names[numbers[i]]} is {table[row, i]}, not a finite number.",
            "Mend or delete the line.",
        )
    notes = []
    left = [names[i] for i, (role, _) in enumerate(roles) if role in ("field", "")]
    if left:
        notes.append(f"left out: {', '.join(left)}")
    acceleration = _unit([u for (role, u) in roles if role in units.ACCELERATION])
    angular_rate = _unit([u for (role, u) in roles if role in units.ANGULAR_RATE])
    times = None
    if time is not None:
        times = times_in_ms(table[:, -1], path)
    return Table(
        table[:, : len(keep)],
        channels,
        times,
        np.array(labels) if label is not None else None,
        np.array(lines),
        np.array(blanks),
        acceleration,
        angular_rate,
        notes,
    )


def times_in_ms(times: np.ndarray, path: Path) -> np.ndarray | None:
    """Times in s, ms, us or ns as ms from the first; None if they do not advance.

    The unit is the one that gives a rate between 2 Hz and 5 kHz, milliseconds first.
    """
    times = times - times[0]
    if len(times) < 2 or times[-1] <= 0:
        return None
    step = times[-1] / (len(times) - 1)
    for factor in (1.0, 1e3, 1e-3, 1e-6):
        if 2.0 <= 1000.0 / (step * factor) <= 5000.0:
            return times * factor
    raise DataError(
        f"{path}: its times advance by {step:g} a row, which is no plausible rate in s, ms, us or ns.",
        "Correct the time column, or remove it and state rate_hz.",
    )


def gaps(blanks: np.ndarray) -> np.ndarray:
    """Rows (indices) that begin a new gesture, by the blank lines before them.

    Some writers put a blank line after every row; so what separates is more blank lines
    than usual, not blank lines as such.
    """
    if len(blanks) < 2:
        return np.array([0])
    usual = Counter(blanks[1:].tolist()).most_common(1)[0][0]
    return np.concatenate([[0], 1 + np.flatnonzero(blanks[1:] > usual)])


def _cells(line: str, delimiter: str) -> list[str]:
    if '"' in line:
        parts = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
        return [cell.strip().strip("\"'").strip() for cell in parts]
    return [cell.strip().strip("'") for cell in line.split(delimiter)] if line.strip() else []


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _unit(found) -> str | None:
    stated = [u for u in found if u]
    return units.unit_name(stated[0]) if stated else None
