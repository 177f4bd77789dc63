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


def labels(files: list[Path]) -> dict[Path, str]:
    """Label of each file: its name, without a number where several differ by that alone.

    ``punch.csv`` -> punch; ``punch_1.csv`` and ``punch_2.csv`` -> punch; ``wing.0a3f.csv`` -> wing
    (up to the first dot, as Edge Impulse has it).
    """
    stems = {f: f.name.split(".")[0].strip() for f in files}
    groups = defaultdict(set)
    for f, stem in stems.items():
        groups[f.parent, _bare(stem)].add(stem)
    return {f: _bare(stem) if len(groups[f.parent, _bare(stem)]) > 1 else stem for f, stem in stems.items()}


def _bare(stem: str) -> str:
    return re.sub(r"[\s_\-(]*\d+\)?$", "", stem) or stem


def person(path: Path, root: Path) -> str:
    """Folder that holds the file, passing over folders that name no one; else the root's name."""
    top = root if root.is_dir() else root.parent
    for part in reversed(path.parent.relative_to(top).parts):
        if part.lower() not in _PLAIN:
            return part
    return top.resolve().name
