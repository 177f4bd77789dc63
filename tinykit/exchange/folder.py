"""Writing a folder of files again and again, without ever losing what a person wrote into it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

from ..errors import DataError, TinykitError
from ..files import write_whole

MANIFEST = "tinykit.json"  # says what was written, so that the next time knows what was changed since


class Made(NamedTuple):
    """A program's files by their place in its folder, facts about it, and how to go on."""

    files: dict[str, bytes]
    facts: dict
    next: str


def write_folder(folder, files: dict[str, bytes], card: dict) -> None:
    """Write files, and take away those that an earlier time wrote and this one does not.

    Parameters
    ----------
    folder : path
        New, empty, or written by this function before.
    files : dict of str to bytes
        By their place in the folder, with ``/``.
    card : dict
        For the manifest: what all this is.

    Raises
    ------
    DataError
        The folder is somebody else's, or files in it were changed by hand: then nothing is written.
    TinykitError
        The disk did not take it.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder} is a file, not a folder.", "Give the name of a new folder.")
    before = _before(folder)
    changed = [name for name in {**before, **files} if _is_changed(folder / name, before.get(name), files.get(name))]
    if changed:
        shown = ", ".join(sorted(changed)[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else "")
        raise DataError(
            f"In {folder} {shown} {'was' if len(changed) == 1 else 'were'} changed by hand; nothing was written.",
            "Give another folder, or move your changes away first.",
        )
    for name, data in files.items():
        if _bytes(folder / name) != data:
            write_whole(folder / name, data)
    for name in set(before) - set(files):
        (folder / name).unlink(missing_ok=True)
    written = {name: _digest(data) for name, data in sorted(files.items())}
    write_whole(folder / MANIFEST, json.dumps({**card, "files": written}, indent=1).encode() + b"\n")


def _before(folder: Path) -> dict[str, str]:
    """Digests by name, as the manifest of an earlier time has them."""
    try:
        there = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        raise TinykitError(f"{folder} can't be read: {error.strerror}.", "Check its rights.") from None
    if not there:
        return {}
    try:
        files = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
        return {
            str(name): str(digest)
            for name, digest in files.items()
            if (folder / name).resolve().is_relative_to(folder.resolve())
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise DataError(
            f"{folder} has other files in it ({', '.join(there[:3])}); nothing was written.",
            "Give a new folder, or an earlier export of yours.",
        ) from None


def _is_changed(path: Path, before: str | None, new: bytes | None) -> bool:
    data = _bytes(path)
    return data is not None and data != new and _digest(data) != before


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
