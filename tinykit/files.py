"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
import uuid
from pathlib import Path

from .errors import TinykitError

_WAY_OUT = "Check the folder's name, its rights and the free space, or give another place."


def write_whole(path, data: bytes) -> Path:
    """Write a file so that a reader finds the old content or the new, never a part.

    Folders that are missing are made. A symbolic link stays one; what it points to is replaced.

    Parameters
    ----------
    path : path
    data : bytes

    Raises
    ------
    TinykitError
        The disk did not take it; what was there before is still there.
    """
    path = Path(path)
    part = None
    try:
        target = path.resolve()
        if target.is_dir():
            raise IsADirectoryError(21, "it is a folder")
        if target.exists() and not target.is_file():  # a pipe or a device: nothing to keep
            target.write_bytes(data)
            return path
        target.parent.mkdir(parents=True, exist_ok=True)
        new = target.with_name(f".{target.name[:100]}.{uuid.uuid4().hex[:8]}.part")
        with open(new, "xb") as file:
            part = new
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            part.chmod(target.stat().st_mode & 0o777)
        os.replace(part, target)
        part = None
    except OSError as error:
        raise _refused(path, error) from None
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
    return path


def check_place(path) -> None:
    """Refuse a place that can't be written to, before long work is done for it.

    Raises
    ------
    TinykitError
        It is a folder, or the folder for it can't be written to.
    """
    path = Path(path)
    try:
        target = path.resolve()
        if target.is_dir():
            raise IsADirectoryError(21, "it is a folder")
        if target.exists() and not target.is_file():
            return
        folder = next(parent for parent in target.parents if parent.exists())
        if not folder.is_dir():
            raise NotADirectoryError(20, f"{folder} is no folder")
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _refused(path, error) from None


def _refused(path, error: OSError) -> TinykitError:
    why = error.strerror or str(error)
    return TinykitError(f"{path} can't be written: {why[:1].lower()}{why[1:]}.", _WAY_OUT)
