"""Background noise: opened, kept apart from training by file, mixed under speech."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from ..errors import DataError
from . import split as _split
from . import units
from .audio import SUFFIXES, read_audio, rms
from .dataset import Dataset
from .recording import Recording, plural
from .store import CARD

LABEL = "noise"
FOLDERS = ("_background_noise_", "background_noise")
FRACTIONS = (0.6, 0.2, 0.2)


def noise_folder(path) -> Path | None:
    """The folder of background noise in a folder of words, or beside it; None if there is none."""
    path = Path(path).resolve()
    found = [place / name for place in (path, path.parent) for name in FOLDERS]
    return next((folder for folder in found if folder.is_dir()), None)


def open_noise(path) -> Dataset:
    """Recordings of background noise, each given to one side of a split.

    By file, so that noise that is heard in a test was never heard in training: in an order by
    hash, a fifth of the files tests, a fifth validates, the others train. White, pink and brown
    noise come last in that order, since rooms do not sound like that. One or two files are cut in
    time instead. Take the sides with ``noise.split(by="given")``.

    Parameters
    ----------
    path : path
        A folder of sound files, one with ``_background_noise_`` in it or beside it, one file, or a
        tinykit dataset of noise.

    Returns
    -------
    Dataset
        Label ``"noise"``; ``word`` is the file's name.

    Raises
    ------
    DataError
        There is no noise.
    """
    path = Path(path)
    if (path / CARD).is_file():
        noise = Dataset.load(path)
        return noise if any(r.split for r in noise) else apart(noise)
    if path.is_dir() and path.name not in FOLDERS:
        path = noise_folder(path) if noise_folder(path) and not _sounds(path) else path
    files = [path] if path.is_file() else _sounds(path)
    if not files:
        raise DataError(f"{path} has no sound files.", "Give a folder of WAV files of noise, half a minute each.")
    recordings = [read_audio(f, label=LABEL, word=f.stem, person=f"noise-{f.stem}") for f in files]
    return apart(Dataset(recordings, {"name": path.name, "provenance": f"read from {path.name}"}))


def apart(noise: Dataset) -> Dataset:
    """Noise recordings with their sides, by file or, of one or two files, in time."""
    if len(noise) < 3:
        sides = zip(*(_split.in_time(r, FRACTIONS, shortest_s=1.0) for r in noise), strict=True)
        marked = [
            r.with_(split=name) for name, side in zip(_split.SIDES, sides, strict=True) for part in side for r in part
        ]
        made = noise.part(marked)
        made.card["notes"].append("few noise files: cut in time, so that training and test hear the same kind of noise")
        return made
    _, validation, test = _split.sizes(len(noise), FRACTIONS)
    order = sorted(noise, key=lambda r: (_drawn(r.word), hashlib.sha256(r.word.encode()).hexdigest()))
    side = {r.id: 2 if i < test else 1 if i < test + validation else 0 for i, r in enumerate(order)}
    return noise.part([r.with_(split=_split.SIDES[side[r.id]]) for r in noise])


def _drawn(name: str) -> bool:
    return any(colour in name.lower() for colour in ("white", "pink", "brown"))


def of_side(noise: Dataset, side: str | None) -> list[Recording]:
    """The noise recordings that a side may hear.

    Parameters
    ----------
    noise : Dataset
    side : str or None
        ``"training"``, ``"validation"`` or ``"testing"``; None: all.

    Raises
    ------
    DataError
        It has none.
    """
    if side is None or (noise.card.get("split") or {}).get("side") == side:
        return list(noise)
    marked = noise if any(r.split for r in noise) else apart(noise)
    found = [r for r in marked if r.split == side]
    if not found:
        raise DataError(
            f"None of the {plural(len(noise), 'noise recording')} is for the {side} side.",
            "Give at least three noise recordings, or some of that side's own.",
        )
    return found


def mix(speech, noise, snr_db: float, rng=None):
    """Speech with noise under it, at a stated signal to noise ratio.

    The ratio is that of the root mean squares of the whole clip, with its pauses, and of the piece
    of noise that is added. Where the sum would leave full scale, all of it is turned down.

    Parameters
    ----------
    speech : Recording, or array of shape (n,)
        int16 counts, or floats of full scale.
    noise : Recording, or array of shape (m,)
        A piece of n samples is taken from a random place; repeated where it is shorter.
    snr_db : float
    rng : numpy.random.RandomState or Generator, optional
        None: the piece is the first n samples.

    Returns
    -------
    Recording or array of shape (n,)
        As given. Silent speech or silent noise: the speech unchanged.
    """
    if isinstance(speech, Recording):
        return speech.with_(samples=mix(speech.counts()[:, 0], noise, snr_db, rng))
    given = np.asarray(speech)
    x, y = _floats(given), _floats(noise)
    if not len(y):
        return given
    first = 0 if rng is None else _integer(rng, max(len(y) - len(x), 0) + 1 if len(y) >= len(x) else len(y))
    piece = y[first : first + len(x)] if len(y) >= len(x) else np.resize(np.roll(y, -first), len(x))
    loud, level = rms(x), rms(piece)
    if not loud or not level:
        return given
    mixed = x + piece * (loud / level * 10 ** (-snr_db / 20))
    mixed /= max(1.0, float(np.abs(mixed).max()) * (1 + 1 / units.COUNTS_FULL_SCALE))
    if given.dtype == np.int16:
        return units.to_counts(mixed[:, None], units.SOUND)[:, 0]
    return mixed.astype(np.float32)


def _floats(x) -> np.ndarray:
    x = x.counts()[:, 0] if isinstance(x, Recording) else np.asarray(x)
    return x / units.COUNTS_FULL_SCALE if x.dtype == np.int16 else x.astype(np.float64)


def _integer(rng, end: int) -> int:
    return int(rng.integers(end) if hasattr(rng, "integers") else rng.randint(end))


def _sounds(path: Path) -> list[Path]:
    return sorted(p for p in path.glob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
