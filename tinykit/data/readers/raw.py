"""What a reader finds in a file, and how it becomes recordings in g and deg/s."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...errors import DataError
from .. import units
from ..ranges import parts
from ..recording import Recording, safe_name

# Length of gravity's vector at rest, per unit that files use.
GRAVITY = {
    "g": 1.0,
    "m/s2": units.STANDARD_GRAVITY,
    "mg": 1000.0,
    "counts (8192 per g)": units.COUNTS_PER_G,
    "counts (16384 per g)": 16384.0,
}
PHONE_LIMIT_RAD = 35.0  # 2000 deg/s, the usual full scale, in rad/s


@dataclass
class Options:
    """What the caller states, and so is not guessed; None: as found in the files."""

    rate_hz: float | None = None
    acceleration: str | None = None
    angular_rate: str | None = None
    rows_per_take: int | None = None
    person: str | None = None


@dataclass
class Raw:
    """One recording in the units of its file."""

    samples: np.ndarray
    channels: tuple[str, ...]
    file: Path
    label: str | None = None
    row_labels: np.ndarray | None = None
    person: str = ""
    session: str = ""
    split: str = ""
    device: str = ""
    recorded_at: str = ""
    rate_hz: float | None = None
    rate_note: str = ""
    times_ms: np.ndarray | None = None
    acceleration: str | None = None  # unit that the file states
    angular_rate: str | None = None
    source: str = ""
    notes: list[str] = field(default_factory=list)


def finish(raws: list[Raw], options: Options) -> tuple[list[Recording], list[str]]:
    """Convert units, settle rates, give ids.

    Units are settled per person, since a folder of one person comes from one sketch.

    Returns
    -------
    recordings : list of Recording
    notes : list of str
        What was assumed or done, each said once.
    """
    notes: dict[str, None] = {}
    said: dict[str, list[tuple[str, float]]] = {}
    hashes: dict[Path, str] = {}
    recordings, taken = [], set()
    for person in dict.fromkeys(raw.person for raw in raws):
        group = [raw for raw in raws if raw.person == person]
        a_factor, a_note, rest = _acceleration(group, options)
        g_factor, g_note, largest = _angular_rate(group, options, a_note)
        for note, value in ((a_note, rest), (g_note, largest)):
            if note:
                said.setdefault(note, []).append((person, value))
        for raw in group:
            factors = [a_factor if units.is_acceleration(c) else g_factor for c in raw.channels]
            rate = options.rate_hz or raw.rate_hz
            if rate is None:
                raise DataError(
                    f"{raw.file} has no times, and its rate is not known.",
                    "State it: open_dataset(path, rate_hz=...).",
                )
            if options.rate_hz is None and raw.rate_note:
                notes[raw.rate_note] = None
            notes.update(dict.fromkeys(raw.notes))
            if raw.file not in hashes:
                hashes[raw.file] = hashlib.sha256(raw.file.read_bytes()).hexdigest()
            stem = "-".join(safe_name(x) for x in (raw.person, raw.label, raw.session) if x) or raw.file.stem
            number = 1
            while f"{stem}-{number:03d}" in taken:
                number += 1
            taken.add(f"{stem}-{number:03d}")
            recordings.append(
                Recording(
                    samples=raw.samples * factors,
                    channels=raw.channels,
                    rate_hz=rate,
                    label=raw.label,
                    row_labels=raw.row_labels,
                    person=raw.person,
                    session=raw.session,
                    id=f"{stem}-{number:03d}",
                    device=raw.device,
                    recorded_at=raw.recorded_at,
                    split=raw.split,
                    sha256=hashes[raw.file],
                    timestamps_ms=raw.times_ms,
                    source=raw.source,
                )
            )
    everyone = len({raw.person for raw in raws})
    return recordings, [_tell(note, found, everyone) for note, found in said.items()] + list(notes)


def _tell(note: str, found: list[tuple[str, float]], everyone: int) -> str:
    """One sentence for all persons of whom the same is said, with the span of what was measured."""
    values = [value for _, value in found]
    low, high = f"{min(values):.3g}", f"{max(values):.3g}"
    note = note.replace("{}", low if low == high else f"{low} to {high}")
    return note if len(found) == everyone else f"{', '.join(person for person, _ in found)}: {note}"


def _acceleration(group: list[Raw], options: Options) -> tuple[float, str, float]:
    """Factor to g, what to say about it ({} for a number), and that number."""
    declared = options.acceleration or next((r.acceleration for r in group if r.acceleration), None)
    if options.acceleration:
        return (
            units.unit_factor(declared, "aX"),
            f"acceleration read as {declared}, as stated by the caller",
            0.0,
        )
    rest, still = _at_rest(group)
    if rest is None:
        unit = declared or "g"
        return units.unit_factor(unit, "aX"), "" if declared else "acceleration assumed to be in g", 0.0
    nearest = min(GRAVITY, key=lambda name: abs(np.log(rest / GRAVITY[name])))
    if declared:
        factor = units.unit_factor(declared, "aX")
        if abs(np.log(rest * factor)) < np.log(1.6):
            return factor, "" if declared == "g" else f"acceleration converted from {declared} to g", rest
        if still and abs(np.log(rest / GRAVITY[nearest])) < np.log(1.3):
            return (
                1 / GRAVITY[nearest],
                (
                    f"the files state {declared}, but their quietest parts measure {{}}, which is gravity in "
                    f"{nearest}: acceleration read as {nearest}"
                ),
                rest,
            )
        return (
            factor,
            (
                f"acceleration converted from {declared} to g, but its quietest parts measure {{}} g: "
                "gravity may have been taken off, or the unit may be wrong"
            ),
            rest * factor,
        )
    note = (
        ""
        if nearest == "g"
        else (
            f"the files state no unit; their quietest parts measure {{}}: acceleration read as {nearest} and "
            "converted to g"
        )
    )
    return 1 / GRAVITY[nearest], note, rest


def _angular_rate(group: list[Raw], options: Options, a_note: str) -> tuple[float, str, float]:
    """Factor to deg/s, what to say about it ({} for a number), and that number."""
    columns = [r.samples[:, [i for i, c in enumerate(r.channels) if c in units.ANGULAR_RATE]] for r in group]
    if not columns[0].shape[1]:
        return 1.0, "", 0.0
    declared = options.angular_rate or next((r.angular_rate for r in group if r.angular_rate), None)
    if declared:
        note = "" if declared == "deg/s" else f"angular rate converted from {declared} to deg/s"
        return units.unit_factor(declared, "gX"), note, 0.0
    largest = max(float(np.abs(x).max()) for x in columns)
    if largest < PHONE_LIMIT_RAD and "m/s2" in a_note:
        return (
            units.unit_factor("rad/s", "gX"),
            (
                "the files state no unit for angular rate; its largest value is {} beside acceleration in "
                "m/s2: read as rad/s and converted to deg/s"
            ),
            largest,
        )
    return 1.0, "", 0.0


def _at_rest(group: list[Raw]) -> tuple[float | None, bool]:
    """Length of the acceleration vector in the quietest tenth, and whether that is at rest."""
    measured = [found for raw in group if (found := parts(raw.samples, raw.channels)) is not None]
    if not measured:
        return None, False
    spread, length = (np.concatenate(part) for part in zip(*measured, strict=True))
    quiet = spread <= np.quantile(spread, 0.1)
    rest = float(np.median(length[quiet]))
    if rest <= 0:
        return None, False
    return rest, bool(np.median(spread[quiet]) < 0.05 * rest)
