"""A dataset on disk: a folder that a person can read, in which nothing gets half written.

::

    dataset.json            the card
    recordings.csv          one row a recording
    recordings/*.csv        timestamp in ms, then the channels; sound: *.wav or *.flac, 16 bit, one channel
    removed/                what was taken out

A recording is added in three steps: its file is written as ``NAME.part`` and flushed,
the index is replaced by one that names it, the file gets its name. Whatever step is cut
short, the next opening either finishes the job or finds the old state and says what lies
beside it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import uuid
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..errors import DataError
from . import audio, units
from .recording import Recording, plural, safe_name

FORMAT = 1
CARD, INDEX, FOLDER, REMOVED = "dataset.json", "recordings.csv", "recordings", "removed"
COLUMNS = (
    "file",
    "label",
    "person",
    "session",
    "split",
    "sha256",
    "device",
    "recorded_at",
    "quality",
    "id",
    "rate_hz",
    "source",
    "word",
)
FILES = {"wav": audio.to_wav, "flac": audio.to_flac}  # what sound is written as: the card's "files"
HERE = ("noise",)  # what a card says about this computer only
SOUND_UNITS = {"audio": "full scale"}
UNITS = {"acceleration": "g", "angular rate": "deg/s", "timestamp": "ms"}


def write(dataset, path: Path) -> None:
    """Write a whole dataset; see ``Dataset.save``."""
    if path.is_file():
        raise DataError(f"{path} is a file; a dataset is a folder.", "Give another name.")
    if path.is_dir() and any(path.iterdir()):
        if dataset.path is None or path.resolve() != dataset.path.resolve():
            raise DataError(
                f"The folder {path} is not empty; nothing was written.",
                "Give a new name, or open that dataset and add to it.",
            )
        _replace(path / CARD, _card_text(dataset))
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.parent / f".{path.name}.{uuid.uuid4().hex[:8]}.part"
    (made / FOLDER).mkdir(parents=True)
    rows, taken = [], set()
    for recording in dataset.recordings:
        suffix, data = _encoded(recording, dataset.card)
        name = _file_name(recording, taken, suffix)
        taken.add(name.lower())
        (made / name).write_bytes(data)
        rows.append(_row(recording, name, data))
    (made / INDEX).write_bytes(_index_text(rows))
    (made / CARD).write_bytes(_card_text(dataset))
    if path.is_dir():
        path.rmdir()
    made.rename(path)


def append(path: Path, recording: Recording) -> Recording:
    """Add one recording to a dataset on disk; returns it with file hash and source.

    Its id changes if another program has added one of that name meanwhile.
    """
    rows = _read_index(path)
    taken, number, wanted = {row["id"] for row in rows}, 1, recording.id
    while recording.id in taken:
        number += 1
        recording = recording.with_(id=f"{wanted}-{number}")
    suffix, data = _encoded(recording, _card(path))
    name = _file_name(recording, {row["file"].lower() for row in rows}, suffix)
    (path / FOLDER).mkdir(exist_ok=True)
    part = path / (name + ".part")
    _write_flushed(part, data)
    row = _row(recording, name, data)
    _replace(path / INDEX, _index_text([*rows, row]))
    os.replace(part, path / name)
    return recording.with_(sha256=row["sha256"], source=row["source"])


def remove(path: Path, recording: Recording) -> None:
    """Take one recording out of the index and move its file to ``removed/``."""
    rows = _read_index(path)
    gone = [row for row in rows if row["id"] == recording.id]
    _replace(path / INDEX, _index_text([row for row in rows if row["id"] != recording.id]))
    for row in gone:
        if (path / row["file"]).exists():
            (path / REMOVED).mkdir(exist_ok=True)
            target = path / REMOVED / Path(row["file"]).name
            if target.exists():
                target = target.with_name(f"{target.stem}.{uuid.uuid4().hex[:6]}{target.suffix}")
            os.replace(path / row["file"], target)


def read(path: Path) -> tuple[list[Recording], dict]:
    """Recordings and card of a dataset on disk.

    Raises
    ------
    DataError
        Not a dataset, made by a newer version, or a file is missing or cannot be read.
    """
    card = _card(path)
    card.pop("format")
    notes = card.get("notes", ())
    card["notes"] = [str(note) for note in (notes if isinstance(notes, list) else ())]
    card["notes"] = [note for note in card["notes"] if not note.startswith("On opening:")]
    rows = _read_index(path)
    recordings, changed = [], []
    for row in rows:
        data = _file_bytes(path, row)
        if hashlib.sha256(data).hexdigest() != row["sha256"]:
            changed.append(row["file"])
        recordings.append(_parse(path / row["file"], data, row))
    if changed:
        card["notes"].append(
            f"On opening: {plural(len(changed), 'file')} changed since they were recorded "
            f"({changed[0]}{', ...' if len(changed) > 1 else ''})."
        )
    known = {row["file"] for row in rows}
    stray = sorted(f"{FOLDER}/{p.name}" for p in (path / FOLDER).glob("*") if f"{FOLDER}/{p.name}" not in known)
    if stray:
        card["notes"].append(
            f"On opening: {plural(len(stray), 'file')} not in {INDEX}, perhaps from an interrupted "
            f"save ({stray[0]}{', ...' if len(stray) > 1 else ''}); left alone."
        )
    return recordings, card


def _card(path: Path) -> dict:
    try:
        card = json.loads((path / CARD).read_text(encoding="utf-8"))
        found = card["format"]
    except FileNotFoundError:
        raise DataError(f"{path} is not a tinykit dataset: it has no {CARD}.", "Check the folder.") from None
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path / CARD} cannot be read ({error}).", "Restore it, or write it again.") from None
    if found != FORMAT:
        raise DataError(f"{path} has dataset format {found}, this tinykit reads {FORMAT}.", "Update tinykit.")
    return card


def _encoded(recording: Recording, card: dict) -> tuple[str, bytes]:
    """Suffix and bytes of a recording's file."""
    if not recording.is_sound:
        return ".csv", recording.to_csv()
    kind = card.get("files", "wav")
    if kind not in FILES:
        raise DataError(f"Sound can't be written as {kind!r}.", f"Set the card's 'files' to {' or '.join(FILES)}.")
    return f".{kind}", FILES[kind](recording)


def _file_bytes(path: Path, row: dict) -> bytes:
    file = path / row["file"]
    part = path / (row["file"] + ".part")
    if not file.exists() and part.exists() and hashlib.sha256(part.read_bytes()).hexdigest() == row["sha256"]:
        os.replace(part, file)  # finish what a crash interrupted
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise DataError(
            f"{path / INDEX} names {row['file']}, which is not there.", "Restore the file, or delete its row."
        ) from None


def _parse(file: Path, data: bytes, row: dict) -> Recording:
    try:
        rate = float(row.get("rate_hz") or 0)
        quality = json.loads(row["quality"] or "{}")
        if not np.isfinite(rate) or rate < 0 or not isinstance(quality, dict):
            raise ValueError
    except ValueError:
        raise DataError(
            f"{file.parent.parent / INDEX}: the row of {row['file']} has rate_hz {row.get('rate_hz')!r} and quality "
            f"{row['quality'][:60]!r}; expected a number and a JSON object.",
            "Restore the file, or mend the row.",
        ) from None
    if file.suffix.lower() in audio.SUFFIXES:
        found = audio.decode(data, file, round(rate) or None)  # a true rate is no whole number, a file's is
        content = {"samples": found.counts, "channels": units.SOUND, "rate_hz": rate or found.rate_hz}
    else:
        content = _rows(file, data, rate)
    return Recording(
        **content,
        label=row["label"] or None,
        person=row["person"],
        session=row["session"],
        id=row.get("id") or file.stem,
        device=row["device"],
        recorded_at=row["recorded_at"],
        split=row["split"],
        quality=quality,
        sha256=row["sha256"],
        source=row.get("source") or row["file"],
        word=row.get("word", ""),
    )


def _rows(file: Path, data: bytes, rate: float) -> dict:
    """What a CSV holds: samples, channels, rate and, where there are any, labels and times of rows."""
    lines = list(csv.reader(io.StringIO(_text(file, data))))
    header = [name.strip() for name in lines[0]] if lines else []
    labelled = header[-1:] == ["label"]
    channels = tuple(header[1:-1] if labelled else header[1:])
    if header[:1] != ["timestamp"] or not channels or set(channels) - set(units.CHANNELS):
        raise DataError(
            f"{file} begins with {','.join(header)!r}; expected timestamp and channels such as "
            f"{','.join(units.CHANNELS)}.",
            "Restore the file.",
        )
    table = []
    for number, line in enumerate(lines[1:], 2):
        try:
            values = [float(x) for x in line[: 1 + len(channels)]]
            if len(line) != len(header):
                raise ValueError
        except ValueError:
            raise DataError(
                f"{file}, line {number}: {','.join(line)!r} is not a row of {len(header)} values.",
                "Restore the file, or delete the line.",
            ) from None
        table.append(values)
    if not table:
        raise DataError(f"{file} has no rows.", "Restore the file, or delete its row in recordings.csv.")
    table = np.array(table)
    times = table[:, 0]
    rate = rate or rate_of(times)
    even = not rate or np.abs(times - times[0] - np.arange(len(times)) * (1000.0 / rate)).max() < 0.01
    return {
        "samples": table[:, 1:],
        "channels": channels,
        "rate_hz": rate,
        "row_labels": np.array([line[-1] for line in lines[1:]]) if labelled else None,
        "timestamps_ms": None if even else times,
    }


def _text(file: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{file} is not a text file in UTF-8.", "Restore the file.") from None


def rate_of(times_ms) -> float:
    """Mean rate in Hz of rows with these times in ms; 0 if they do not advance."""
    span = float(times_ms[-1] - times_ms[0])
    return (len(times_ms) - 1) * 1000.0 / span if span > 0 else 0.0


def _file_name(recording: Recording, taken, suffix: str) -> str:
    """A name that is not among ``taken``, which are in lower case: some file systems ignore case."""
    # <label>.<id>.csv: what Edge Impulse's uploader takes the label from.
    what = safe_name(recording.label or ("rows" if recording.row_labels is not None else "unlabelled"))
    stem = f"{FOLDER}/{what}.{safe_name(recording.id)}"
    name, number = f"{stem}{suffix}", 1
    while name.lower() in taken:
        number += 1
        name = f"{stem}-{number}{suffix}"
    return name


def _row(recording: Recording, name: str, data: bytes) -> dict:
    return {
        "file": name,
        "label": recording.label or "",
        "person": recording.person,
        "session": recording.session,
        "split": recording.split,
        "sha256": hashlib.sha256(data).hexdigest(),
        "device": recording.device,
        "recorded_at": recording.recorded_at,
        "id": recording.id,
        "rate_hz": repr(recording.rate_hz),
        "quality": json.dumps(recording.quality, sort_keys=True) if recording.quality else "",
        "source": recording.source,
        "word": recording.word,
    }


def _card_text(dataset) -> bytes:
    card = {
        "format": FORMAT,
        **{key: value for key, value in dataset.card.items() if key not in HERE},
        "rate_hz": dataset.rate_hz,
        "channels": list(dataset.channels),
        "units": SOUND_UNITS if dataset.channels == units.SOUND else UNITS,
    }
    return (json.dumps(card, indent=1, ensure_ascii=False, default=str) + "\n").encode()


def _index_text(rows) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _read_index(path: Path) -> list[dict]:
    try:
        text = _text(path / INDEX, (path / INDEX).read_bytes())
    except FileNotFoundError:
        return []
    rows = list(csv.DictReader(io.StringIO(text)))
    wanted = set(COLUMNS[:9])
    if rows and not wanted <= set(rows[0]):
        missing = ", ".join(sorted(wanted - set(rows[0])))
        raise DataError(f"{path / INDEX} lacks {missing} among its columns.", "Restore the file.")
    return [{key: value or "" for key, value in row.items() if key} for row in rows]


def _replace(path: Path, data: bytes) -> None:
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.part")
    _write_flushed(part, data)
    os.replace(part, path)


def _write_flushed(path: Path, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def told(path: Path):
    """Say in one sentence why the disk did not take it."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{path} could not be written: {error.strerror or error}. What was there before is still there.",
            "Close other programs that have its files open (a spreadsheet?), check free space and rights, "
            "and do it again.",
        ) from error
