"""Edge Impulse: exports in its data acquisition format (JSON), with or without ``info.labels``.

Source: docs.edgeimpulse.com, "Data acquisition format" and "info.labels". The label is the one
of ``info.labels`` (or ``structured_labels.labels``), else the file name up to its first dot.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from ...errors import DataError
from .. import units
from . import names
from .raw import Options, Raw
from .table import column, text_of

SIDES = {
    "training": "training",
    "testing": "testing",
    "validation": "validation",
    "train": "training",
    "test": "testing",
}


def read(files: list[Path], root: Path, options: Options) -> list[Raw]:
    """Read data acquisition files; one recording a file."""
    top = root if root.is_dir() else root.parent
    known = _labels(top)
    return [_one(path, root, known.get(path.resolve(), {}), options) for path in files]


def _one(path: Path, root: Path, info: dict, options: Options) -> Raw:
    where = path.relative_to(root).as_posix() if path != root else path.name
    try:
        content = json.loads(text_of(path))
        payload = content["payload"]
        sensors = [(s["name"], s.get("units", "")) for s in payload["sensors"]]
        interval = float(payload["interval_ms"])
        values = payload["values"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is not an Edge Impulse recording ({error}).", "Export it again.") from None
    roles = [column(name)[0] for name, _ in sensors]
    keep = sorted(
        (i for i, role in enumerate(roles) if role in units.CHANNELS),
        key=lambda i: units.CHANNELS.index(roles[i]),
    )
    channels = tuple(roles[i] for i in keep)
    if not channels or len(set(channels)) != len(channels):
        raise DataError(
            f"{path} has the sensors {', '.join(n for n, _ in sensors)}; expected axes of an IMU, each once.",
            "Export accelerometer or IMU data.",
        )
    if interval <= 0:
        raise DataError(f"{path} has an interval of {interval} ms.", "Correct interval_ms in the file.")
    samples = _samples(path, values, len(sensors))[:, keep]
    label, row_labels = _label(path, info, len(samples))
    left = [sensors[i][0] for i in range(len(sensors)) if i not in keep]
    metadata = {k.lower(): str(v) for k, v in (info.get("metadata") or {}).items()}
    issued = (content.get("protected") or {}).get("iat")
    return Raw(
        samples,
        channels,
        path,
        label=label,
        row_labels=row_labels,
        person=options.person
        or next((metadata[k] for k in ("person", "subject", "user") if k in metadata), "")
        or names.person(path, root),
        session=metadata.get("session", ""),
        split=_side(path, info),
        device=str(payload.get("device_name", "")),
        recorded_at=datetime.fromtimestamp(issued, timezone.utc).isoformat()
        if isinstance(issued, (int, float)) and issued
        else "",
        rate_hz=1000.0 / interval,
        source=where,
        acceleration=_stated(path, sensors, keep, roles, units.ACCELERATION),
        angular_rate=_stated(path, sensors, keep, roles, units.ANGULAR_RATE),
        notes=[f"{where}: left out: {', '.join(left)}"] if left else [],
    )


def _samples(path: Path, values, columns: int) -> np.ndarray:
    for number, row in enumerate(values):
        if not isinstance(row, list):
            row = values[number] = [row]
        if len(row) != columns:
            raise DataError(f"{path}, reading {number}: {len(row)} values for {columns} sensors.", "Export it again.")
        if not all(isinstance(v, (int, float)) and np.isfinite(v) for v in row):
            raise DataError(
                f"{path}, reading {number}: {row} has a value that is not a finite number.",
                "Mend or delete the reading.",
            )
    if not values:
        raise DataError(f"{path} has no readings.", "Leave the file out.")
    return np.array(values, np.float64)


def _stated(path, sensors, keep, roles, wanted) -> str | None:
    stated = {sensors[i][1].strip() for i in keep if roles[i] in wanted} - {"", "N/A", "n/a"}
    if not stated:
        return None
    known = {units.unit_name(s) for s in stated}
    if len(known) != 1 or None in known:
        raise DataError(
            f"{path} states the units {', '.join(sorted(stated))}.",
            "Correct the file, or state acceleration= and angular_rate= when opening.",
        )
    return known.pop()


def _labels(top: Path) -> dict[Path, dict]:
    """What ``info.labels`` and ``structured_labels.labels`` under a folder say, per file.

    An export has one at the top and one in each folder, saying the same; the outer wins.
    """
    known: dict[Path, dict] = {}
    for info in sorted(top.rglob("info.labels"), key=lambda p: -len(p.parts)):
        try:
            files = json.loads(text_of(info))["files"]
            for entry in files:
                known[(info.parent / entry["path"]).resolve()] = entry
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{info} cannot be read ({error}).", "Export the data again.") from None
    for structured in top.rglob("structured_labels.labels"):
        try:
            for name, parts in json.loads(text_of(structured))["structuredLabels"].items():
                entry = known.setdefault((structured.parent / name).resolve(), {})
                entry["label"] = {"type": "multi-label", "labels": parts}
        except (ValueError, KeyError, AttributeError) as error:
            raise DataError(f"{structured} cannot be read ({error}).", "Export the data again.") from None
    return known


def _label(path: Path, info: dict, rows: int):
    label = info.get("label")
    if isinstance(label, str):
        return label, None
    kind = (label or {}).get("type")
    if kind == "label":
        return label["label"], None
    if kind == "unlabeled":
        return None, None
    if kind == "multi-label":
        per_row = np.full(rows, "", dtype=object)
        for part in label["labels"]:
            per_row[int(part["startIndex"]) : int(part["endIndex"]) + 1] = part["label"]
        if (per_row == "").any():
            row = int(np.flatnonzero(per_row == "")[0])
            raise DataError(f"{path}: reading {row} has no label in its label file.", "Label it, or export again.")
        return None, per_row.astype(str)
    return path.name.split(".")[0], None


def _side(path: Path, info: dict) -> str:
    return SIDES.get(str(info.get("category", "")).lower()) or SIDES.get(path.parent.name.lower(), "")
