"""Public sets: where they are, under which licence, and what they hash to. Downloaded only when asked."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

from ..errors import DataError
from ..toolchain import cache_dir, data_dir
from .archive import download, fetch_archive
from .dataset import Dataset
from .readers import open_dataset

FORMAT = 1


def public(registry=None) -> dict[str, dict]:
    """Public sets by name: ``about``, ``licence``, ``files`` (how many), ``sources`` (repositories, or an
    archive's address) and, of archives, ``bytes`` to download.

    Parameters
    ----------
    registry : path, optional
        Another registry than ``data/registry.json``.
    """
    sets = _read(registry)["sets"]
    return {
        name: {
            "about": entry["about"],
            "licence": entry["licence"],
            "files": entry["archive"]["files"] if _packed(entry) else sum(len(s["files"]) for s in entry["sources"]),
            "sources": [entry["archive"]["url"]] if _packed(entry) else [s["repository"] for s in entry["sources"]],
            **({"bytes": entry["archive"]["bytes"]} if _packed(entry) else {}),
        }
        for name, entry in sets.items()
    }


def fetch(name: str, folder=None, progress: bool = True, registry=None, **reading) -> Dataset:
    """Download a public set (once) and open it.

    Every file comes from a fixed commit and must have the SHA-256 of the registry; what is
    there already is checked and not loaded again. A set that is one archive is checked as a whole,
    unpacked, and kept as files.

    Parameters
    ----------
    name : str
        One of ``public()``.
    folder : path, optional
        Where to keep the files; default: ``TINYKIT_CACHE`` or the user's cache folder.
    progress : bool
        Show a bar.
    registry : path, optional
    **reading
        Passed to ``open_dataset``, such as ``words`` and ``limit``.

    Returns
    -------
    Dataset
        Its card states licence, source and citation.

    Raises
    ------
    DataError
        No such set, no network, no room, or a file that is not what the registry says (it is deleted).
    """

    book = _read(registry)
    if name not in book["sets"]:
        raise DataError(
            f"There is no public set {name!r} in the registry; there are {', '.join(book['sets'])}.",
            "Choose one of these.",
        )
    entry = book["sets"][name]
    place = Path(folder) if folder is not None else cache_dir() / "public" / name
    if _packed(entry):
        dataset = open_dataset(fetch_archive(entry["archive"], place, progress), **reading)
        origins = [f"{entry['archive']['url']}, SHA-256 {entry['archive']['sha256'][:12]}"]
    else:
        _fetch_files(book["base"], name, entry, place, progress)
        dataset = open_dataset(place, **reading)
        origins = [f"github.com/{s['repository']} at {s['commit'][:12]}" for s in entry["sources"]]
    dataset.card.update(
        name=name,
        description=entry["about"],
        licence=entry["licence"],
        provenance="; ".join(origins) + (f"; cite {entry['cite']}" if "cite" in entry else ""),
    )
    return dataset


def _packed(entry: dict) -> bool:
    return "archive" in entry


def _fetch_files(base: str, name: str, entry: dict, place: Path, progress: bool) -> None:
    """The files of a set, one by one."""
    from tqdm import tqdm

    files = [(s, path, where, digest) for s in entry["sources"] for path, (where, digest) in s["files"].items()]
    for source, path, where, digest in tqdm(files, desc=name, unit="file", disable=not progress):
        url = "/".join([base, source["repository"], source["commit"], quote(where)])
        download(url, digest, place / path, f"what is loaded already stays in {place}.")


def _read(registry) -> dict:
    path = Path(registry) if registry is not None else data_dir() / "registry.json"
    try:
        book = json.loads(path.read_text(encoding="utf-8"))
        if book["format"] != FORMAT:
            raise DataError(
                f"{path} has registry format {book['format']}, this tinykit reads {FORMAT}.",
                "Update tinykit.",
            )
        return book
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise DataError(f"The registry {path} cannot be read ({error}).", "Restore the file.") from None
