"""Labels, persons and sessions from file and folder names."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

# Folders that say which side of a split, or nothing at all; never who.
_PLAIN = {
    "training",
    "testing",
    "validation",
    "train",
    "test",
    "data",
    "dataset",
    "datasets",
    "csv",
    "raw",
    "recordings",
    "gestures",
    "samples",
    "files",
}


# File names that only number what the folder names.
_NUMBERING = {"", "take", "sample", "recording", "record", "rec", "data", "file", "capture", "trial", "imu"}


def labels(files: list[Path]) -> dict[Path, str]:
    """Label of each file: its name, without a number where several differ by that alone.

    ``punch.csv`` -> punch; ``punch_1.csv`` and ``punch_2.csv`` -> punch; ``wing.0a3f.csv`` -> wing
    (up to the first dot, as Edge Impulse has it). Where file names only count or repeat the
    folder (``punch/03.csv``, ``punch/punch_03.csv``), the folder is the label.
    """
    if by_folder(files):
        return {f: f.parent.name for f in files}
    stems = {f: _stem(f) for f in files}
    groups = defaultdict(set)
    for f, stem in stems.items():
        groups[f.parent, _bare(stem)].add(stem)
    bare = {f: _bare(stem) if len(groups[f.parent, _bare(stem)]) > 1 else stem for f, stem in stems.items()}
    # digit_0 to digit_9 are ten labels, not one.
    return bare if len(set(bare.values())) > 1 else stems


def by_folder(files: list[Path]) -> bool:
    """Whether the folders, not the files, are named after labels."""

    def says_nothing(f):
        bare = re.sub(r"[\s_\-()]*\d*[\s_\-()]*$", "", _stem(f)).lower()
        return bare in _NUMBERING or bare == f.parent.name.lower()

    return len({f.parent.name for f in files}) > 1 and all(map(says_nothing, files))


def _stem(path: Path) -> str:
    return path.name.split(".")[0].strip()


def _bare(stem: str) -> str:
    return re.sub(r"[\s_\-(]*\d+\)?$", "", stem) or stem


def person(path: Path, root: Path, above: int = 0) -> str:
    """Folder that holds the file, passing over folders that name no one; else the root's name.

    Parameters
    ----------
    above : int
        Folders to pass over first: 1 where the folder is the label.
    """
    top = root if root.is_dir() else root.parent
    parts = path.parent.relative_to(top).parts
    for part in reversed(parts[: len(parts) - above]):
        if part.lower() not in _PLAIN:
            return part
    return top.resolve().name
