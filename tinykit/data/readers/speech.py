"""Folders of sound, a folder a word: the layout of Speech Commands, and what students make like it.

The split by speaker is that of Speech Commands' authors (Warden 2018, arXiv:1804.03209, and the
data set's README): SHA-1 of the file's name without ``_nohash_`` and what follows it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from pathlib import Path

from ...errors import DataError
from .. import audio, units
from ..audio import SUFFIXES
from ..noise import FOLDERS, noise_folder
from ..recording import Recording, plural
from . import names

MOST = 2**27 - 1  # files a class, in the authors' rule
VALIDATION, TESTING = 10.0, 10.0  # percent
IN_MEMORY = 512e6  # bytes of files; a larger set stays on disk until it is used
_MARK = "_nohash_"
_SIDES = {"train": "training", "test": "testing", "val": "validation", "valid": "validation", "dev": "validation"}
_SIDES.update({side: side for side in ("training", "testing", "validation")})


def which_side(name: str) -> str:
    """The side of the split to which the authors' rule gives a file.

    Parameters
    ----------
    name : str
        File name, or the speaker in front of ``_nohash_``.
    """
    digest = hashlib.sha1(re.sub(r"_nohash_.*$", "", name).encode()).hexdigest()
    percent = (int(digest, 16) % (MOST + 1)) * (100.0 / MOST)
    if percent < VALIDATION:
        return "validation"
    return "testing" if percent < VALIDATION + TESTING else "training"


def files(path: Path) -> list[Path]:
    """Sound files below a folder, but for background noise and hidden folders; sorted."""
    if path.is_file():
        return [path] if path.suffix.lower() in SUFFIXES else []
    found = []
    for folder, inside, here in os.walk(path):
        inside[:] = sorted(name for name in inside if not name.startswith(".") and name not in FOLDERS)
        sounds = [name for name in here if os.path.splitext(name)[1].lower() in SUFFIXES and not name.startswith(".")]
        found += [Path(folder, name) for name in sorted(sounds)]
    return found


def read(found: list[Path], root: Path, words=None, limit: int | None = None, person: str | None = None):
    """Recordings of a folder of sound files.

    Parameters
    ----------
    found : list of Path
        As ``files`` gives them.
    root : Path
        What was opened.
    words : collection of str, optional
        Only these labels.
    limit : int, optional
        At most so many files a label, of as few speakers as it takes.
    person : str, optional
        Who made all of them.

    Returns
    -------
    recordings : list of Recording
    card : dict
        ``noise``, where there is background noise; ``notes``.
    """
    top = root if root.is_dir() else root.parent
    label = labels(found, top)
    if words is not None:
        words = (words,) if isinstance(words, str) else tuple(words)
        missing = sorted(set(words) - set(label.values()))
        if missing:
            raise DataError(
                f"{root} has no sound files of {', '.join(map(repr, missing))}; it has "
                f"{', '.join(sorted(set(label.values())))}.",
                "Choose from these.",
            )
        found = [f for f in found if label[f] in words]
    if limit is not None:
        found = _fewer(found, label, limit)
    authors = sum(_MARK in f.name for f in found) > len(found) / 2
    large = sum(os.stat(f).st_size for f in found) > IN_MEMORY
    recordings, unread, changed = [], [], Counter()
    folders: dict[Path, tuple[str, str, str]] = {}
    for f in found:
        name = f.name
        if f.parent not in folders:
            folders[f.parent] = _folder(f.parent.relative_to(top), label[f])
        prefix, side, owner = folders[f.parent]
        speaker = name.split(_MARK)[0] if _MARK in name else ""
        about = {
            "label": label[f],
            "person": person or speaker or owner,
            "split": side or (which_side(name) if authors else ""),
            "id": prefix + f.stem,
            "source": prefix + name,
        }
        samples = audio.stored(f) if large else None
        if samples is None:
            try:
                samples, about["sha256"], rate, channels = audio.load(f)
            except DataError as error:
                unread.append(error)
                continue
            changed[rate, channels] += (rate, channels) != (audio.RATE_HZ, 1)
        recordings.append(Recording(samples, units.SOUND, audio.RATE_HZ, **about))
    if not recordings:
        raise unread[0]
    notes = [_converted(rate, channels, n) for (rate, channels), n in sorted(changed.items()) if n]
    if unread:
        notes.append(f"{plural(len(unread), 'file')} left out, the first: {unread[0].what}")
    if large:
        notes.append("a large set: its files stay on disk and are read when they are used")
    card = {"name": top.resolve().name, "provenance": f"read from {root.name}", "notes": notes}
    noise = noise_folder(top)
    return recordings, {**card, **({"noise": str(noise)} if noise else {})}


def labels(found: list[Path], top: Path) -> dict[Path, str]:
    """Label of each file: its folder's name, or, where they lie in one folder, the file's."""
    flat = [f for f in found if f.parent == top or f.parent.name.lower() in _SIDES]
    by_name = names.labels(flat) if flat else {}
    return {f: by_name.get(f, f.parent.name) for f in found}


def _folder(place: Path, label: str) -> tuple[str, str, str]:
    """What a folder says of its files: the beginning of their ids, the side, and whose they are."""
    side = next((_SIDES[part.lower()] for part in place.parts if part.lower() in _SIDES), "")
    owners = [part for part in place.parts if part.lower() not in _SIDES and part != label]
    return "".join(f"{part}/" for part in place.parts), side, owners[-1] if owners else ""


def _fewer(found: list[Path], label: dict[Path, str], limit: int) -> list[Path]:
    """At most ``limit`` files a label, whole speakers by hash, so that a larger limit adds to a smaller one."""
    kept, counts = set(), Counter()
    for f in sorted(found, key=lambda f: (hashlib.sha256(f.name.split(_MARK)[0].encode()).hexdigest(), f.name)):
        if counts[label[f]] < limit:
            counts[label[f]] += 1
            kept.add(f)
    return [f for f in found if f in kept]


def _converted(rate: float, channels: int, n: int) -> str:
    done = [f"resampled from {rate:g} Hz" if rate != audio.RATE_HZ else ""]
    done.append(f"mixed from {channels} channels" if channels != 1 else "")
    return f"{plural(n, 'file')} {' and '.join(x for x in done if x)} to one channel at {audio.RATE_HZ:g} Hz"
