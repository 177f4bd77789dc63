"""Public sets that come as one archive: downloaded once, checked, unpacked without escapes."""

from __future__ import annotations

import json
import shutil
import stat
import tarfile
import uuid
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from ..errors import DataError

UNPACKED = "files"  # the folder in which an archive's files lie
DONE = "unpacked.json"  # beside it: from which archive, and how many they are
ROOM = 2.5  # times the archive's size, that must be free to unpack it


def fetch_archive(entry: dict, place: Path, progress: bool) -> Path:
    """Download an archive (once) and unpack it; the archive itself is not kept.

    Parameters
    ----------
    entry : dict
        ``url``, ``sha256``, ``bytes``, and perhaps ``folder``: what to open inside.
    place : Path
        Where to keep the files.
    progress : bool
        Show bars.

    Returns
    -------
    Path
        The folder to open.

    Raises
    ------
    DataError
        No network, no room on the disk, a damaged download, an archive that would write elsewhere.
    """
    files = place / UNPACKED
    if not _there(files, place / DONE, entry["sha256"]):
        place.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(place).free
        if free < ROOM * entry["bytes"]:
            raise DataError(
                f"{place} has {free / 1e9:.1f} GB free; to load and unpack this set takes "
                f"{ROOM * entry['bytes'] / 1e9:.1f} GB.",
                "Free some space, or give another folder: fetch(name, folder).",
            )
        url = entry["url"]
        archive = place / PurePosixPath(url).name
        download(url, entry["sha256"], archive, "sample('words') is there without one.", progress)
        number = unpack(archive, files, progress)
        (place / DONE).write_text(json.dumps({"sha256": entry["sha256"], "files": number}), encoding="utf-8")
        archive.unlink()
    return files / entry.get("folder", "")


def _there(files: Path, done: Path, sha256: str) -> bool:
    try:
        noted = json.loads(done.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if noted.get("sha256") != sha256 or not files.is_dir():
        return False
    number = sum(p.is_file() for p in files.rglob("*"))
    if number < noted.get("files", 0):
        raise DataError(
            f"{files} has {number} of the {noted['files']} files of its archive.",
            f"Delete {done.parent} and fetch the set again.",
        )
    return True


def download(url: str, sha256: str, target: Path, offline: str, progress: bool = False) -> None:
    """Load a file, which must have this hash; one that is there already is checked only.

    Parameters
    ----------
    url, sha256 : str
    target : Path
        Where it goes.
    offline : str
        What there is without a network, for the error.
    progress : bool
        Show a bar.

    Raises
    ------
    DataError
        It could not be loaded, or is something else (then it is not kept).
    """
    import pooch

    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("WARNING")  # the bar says it all
    try:
        loader = pooch.HTTPDownloader(progressbar=progress, timeout=30)
        pooch.retrieve(url, f"sha256:{sha256}", target.name, target.parent, downloader=loader)
    except ValueError as error:
        raise DataError(
            f"{url} is not what the registry says: {error}", "Try again; if it stays so, report it."
        ) from None
    except OSError as error:  # requests' errors are OSErrors
        raise DataError(
            f"{url} could not be loaded ({type(error).__name__}).", f"Check the network; {offline}"
        ) from None
    finally:
        logger.setLevel(level)


def unpack(archive: Path, target: Path, progress: bool = False) -> int:
    """Unpack a .zip or .tar.gz into a new folder, which appears whole or not at all.

    Parameters
    ----------
    archive, target : Path
        What is at ``target`` is replaced.
    progress : bool

    Returns
    -------
    int
        Files written.

    Raises
    ------
    DataError
        It is damaged, or holds a link, a device, or a file that would lie outside the folder.
    """
    from tqdm import tqdm

    made = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        made.mkdir(parents=True)
        number = 0
        for name, stream in tqdm(_members(archive), desc="unpacking", unit=" files", disable=not progress):
            place = made / _inside(name, archive)
            place.parent.mkdir(parents=True, exist_ok=True)
            with stream, open(place, "wb") as file:
                shutil.copyfileobj(stream, file)
            number += 1
        if target.exists():
            shutil.rmtree(target)
        made.rename(target)
        return number
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DataError(f"{archive} cannot be unpacked ({error}).", "Delete it and fetch the set again.") from None
    except OSError as error:
        raise DataError(
            f"{archive} could not be unpacked: {error.strerror or error}.", "Check free space and rights."
        ) from None
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _members(archive: Path):
    """Name and open stream of every file; anything that is no plain file or folder is refused."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            for info in opened.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)
                if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                    raise _refused(archive, info.filename)
                if not info.is_dir():
                    yield info.filename, opened.open(info)
        return
    with tarfile.open(archive, "r:*") as opened:
        for info in opened:
            if info.isdir():
                continue
            if not info.isreg():
                raise _refused(archive, info.name)
            yield info.name, opened.extractfile(info)


def _inside(name: str, archive: Path) -> Path:
    """A member's path, relative; it must not leave the folder, on any system."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or any(":" in part for part in path.parts) or not path.parts:
        raise _refused(archive, name)
    return Path(*path.parts)


def _refused(archive: Path, name: str) -> DataError:
    return DataError(
        f"{archive.name} holds {name!r}, which is no plain file inside its folder; nothing was unpacked.",
        "Do not use this archive.",
    )
