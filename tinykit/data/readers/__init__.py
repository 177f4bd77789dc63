"""Recordings in other people's formats, known by content, not by name."""

from __future__ import annotations

import os
from pathlib import Path

from ...errors import DataError
from ..dataset import Dataset
from ..recording import plural
from ..store import CARD
from . import arduino_csv, edge_impulse, har, magic_wand, speech
from .raw import Options, finish
from .table import column, find_header, text_of

READERS = {
    "CSV of an IMU": arduino_csv.read,
    "CSV with a label per row": har.read,
    "magic-wand text": magic_wand.read,
    "Edge Impulse JSON": edge_impulse.read,
}
KINDS = (
    "a tinykit dataset, folders of WAV or FLAC files, CSVs with columns aX,aY,aZ(,gX,gY,gZ), magic-wand text "
    "files, or an Edge Impulse export"
)
_SUFFIXES = {".csv", ".txt", ".json", ".tsv"}
_STROKES = "strokes"
_SOUND = "sound"


def open_dataset(
    path,
    *,
    rate_hz: float | None = None,
    acceleration: str | None = None,
    angular_rate: str | None = None,
    rows_per_take: int | None = None,
    person: str | None = None,
    words=None,
    limit: int | None = None,
) -> Dataset:
    """Open recordings, whatever their format: a tinykit dataset, sound files, CSVs, text or JSON.

    Units become g and deg/s, sound becomes one channel at 16 kHz. What was assumed, converted or
    left out is in ``dataset.card["notes"]``.

    Sound lies in a folder a word. In the layout of Speech Commands, ``word/speaker_nohash_n.wav``,
    the person is the speaker, ``split`` is the authors' (``dataset.split(by="given")``), and
    ``_background_noise_`` is left to ``open_noise(dataset.card["noise"])``.

    Parameters
    ----------
    path : path
        A folder (searched to the bottom) or one file.
    rate_hz : float, optional
        Rate, where the files are silent or wrong.
    acceleration, angular_rate : str, optional
        Units of the files, such as ``"m/s2"`` and ``"rad/s"``, where they are silent or wrong.
    rows_per_take : int, optional
        Rows of a gesture in CSVs without blank lines between gestures (default 119).
    person : str, optional
        Who made all of them; default: by folder or file name.
    words : collection of str, optional
        Sound only: these labels.
    limit : int, optional
        Sound only: at most so many files a label.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        Nothing there, nothing that can be read, several formats at once, mixed rates or
        axes, or a line that cannot be read (it is named).
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"There is nothing at {path}.", "Check the name of the folder.")
    if (path / CARD).is_file() or path.name == CARD:
        dataset = Dataset.load(path if path.is_dir() else path.parent)
        if not dataset.recordings:
            raise DataError(f"The dataset in {path} is empty: it has no recordings.", "Record some takes first.")
        return dataset
    inside = _datasets(path)
    if inside:
        raise DataError(f"{path} is not a dataset, but {inside[0]} inside it is one.", f"Open {inside[0]}.")
    sounds = speech.files(path)
    found: dict[str, list[Path]] = {_SOUND: sounds} if sounds else {}
    other: list[Path] = []
    for file in _files(path):
        kind = sniff(file)
        (found.setdefault(kind, []) if kind else other).append(file)
    strokes = found.pop(_STROKES, [])
    if not found:
        if strokes:
            raise DataError(
                f"{strokes[0]} holds strokes of the magic wand: x,y positions that a sketch derived, not "
                "what an IMU measured.",
                "Open raw accelerometer or IMU recordings instead.",
            )
        if path.is_dir() and not any(_files(path)):
            raise DataError(
                f"The folder {path} is empty: it has no .wav, .flac, .csv, .txt or .json files.", f"Give {KINDS}."
            )
        raise DataError(f"{path} has no recordings that can be read.", _hint(path))
    if len(found) > 1:
        told = ", ".join(
            f"{len(files)} of {kind} ({files[0].relative_to(path).as_posix()})" for kind, files in found.items()
        )
        raise DataError(f"{path} holds several formats: {told}.", "Open the folders one by one.")
    kind, files = next(iter(found.items()))
    if sounds:
        return Dataset(*speech.read(sounds, path, words, limit, person))
    options = Options(rate_hz, acceleration, angular_rate, rows_per_take, person)
    recordings, notes = finish(READERS[kind](files, path, options), options)
    if strokes:
        notes.append(f"{plural(len(strokes), 'stroke file')} left out: positions, not IMU data")
    if other:
        which = other[0].relative_to(path).as_posix() + (", ..." if len(other) > 1 else "")
        notes.append(f"{plural(len(other), 'file')} without recordings left out: {which}")
    card = {
        "name": path.resolve().stem if path.is_file() else path.resolve().name,
        "provenance": f"read from {path.name} as {kind}",
        "format_read": kind,
        "notes": notes,
    }
    return Dataset(recordings, card)


def _hint(path: Path) -> str:
    """What to do about files of a kind that is not read."""
    names = [path.name] if path.is_file() else [p.name for p in path.rglob("*")]
    ends = {name.lower().rsplit(".", 1)[-1] for name in names}
    if "zip" in ends:
        return "Unpack the .zip first, then open the folder."
    if "cbor" in ends:
        return "Export the data as JSON instead of CBOR."
    return f"Give {KINDS}; a CSV needs a header line that names its axes."


def sniff(path: Path) -> str | None:
    """The kind of a file (a key of ``READERS``, or strokes), or None if it holds no recordings."""
    try:
        text = text_of(path, limit=20000)
    except DataError:
        return None
    start = text.lstrip()
    if start.startswith("{"):
        head = start.replace(" ", "")
        if '"payload"' in head and '"values"' in head or '"payload"' in text_of(path):
            return "Edge Impulse JSON"
        return _STROKES if '"strokes"' in head and '"strokePoints"' in head else None
    for line in start.splitlines():
        cells = [c.strip() for c in line.split(",")]
        if not any(cells):
            continue
        if cells == magic_wand.MARK:
            return "magic-wand text"
        break
    header = find_header(text)
    if header is None:
        return None
    roles = {column(name)[0] for name in header[1]}
    return "CSV with a label per row" if "label" in roles else "CSV of an IMU"


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    found = []
    for folder, inside, here in os.walk(path):
        inside[:] = [name for name in inside if not name.startswith(".")]
        for name in here:
            stem, suffix = os.path.splitext(name.lower())
            if suffix in _SUFFIXES and not name.startswith(".") and stem not in ("readme", "license", "licence"):
                found.append(Path(folder, name))
    return sorted(found)


def _datasets(path: Path) -> list[Path]:
    """Folders inside a folder that are tinykit datasets."""
    return sorted(Path(folder) for folder, _, here in os.walk(path) if CARD in here)
