"""A keyword task: the words wanted, ``unknown`` from other words, ``silence`` from noise."""

from __future__ import annotations

import hashlib
from collections import Counter
from itertools import zip_longest

import numpy as np

from ..errors import DataError
from . import noise as _noise
from .dataset import Dataset
from .recording import Recording

SILENCE, UNKNOWN = "silence", "unknown"
BACKGROUND = (SILENCE, UNKNOWN)
QUIETEST_DB = -40.0


def words_of(labels) -> tuple[str, ...]:
    """The labels that are words, and can be detected: all but silence and unknown."""
    return tuple(label for label in labels if label not in BACKGROUND)


def keywords(
    dataset: Dataset,
    words,
    noise=None,
    *,
    unknown_share: float | int | None = 1.0,
    silence_share: float | int = 1.0,
    seconds: float = 1.0,
    seed: int = 0,
) -> Dataset:
    """Make a keyword task of a dataset of words.

    Recordings of ``words`` stay as they are, some of the others become ``"unknown"`` (as many
    different words as there are), and clips cut from noise become ``"silence"``. What was said or
    heard stays in ``recording.word``. Recordings that are labelled so already are all kept.

    Split first, then do this with every side: a side of a split gets noise recordings of its own
    side only (see ``open_noise``).

    Parameters
    ----------
    dataset : Dataset
        Of sound, a label a recording.
    words : sequence of str
    noise : Dataset or path, optional
        Background noise; None: what lies in or beside the dataset's folder, if anything.
    unknown_share, silence_share : float, int or None
        How many: a float is a share of the mean number a word, an int is the number itself;
        None: all other words.
    seconds : float
        Length of a clip of silence.
    seed : int
        Another seed, another choice.

    Returns
    -------
    Dataset
        Labels ``silence``, ``unknown``, then ``words`` in the order given.

    Raises
    ------
    DataError
        A word is not in the dataset, or there is no noise on this side.
    """
    words = _checked(dataset, words)
    kept = [r for r in dataset if r.label in words or r.label in BACKGROUND]
    usual = sum(r.label in words for r in kept) / len(words)
    others = [r for r in dataset if r.label and r.label not in words and r.label not in BACKGROUND]
    chosen = _choose(others, _number(unknown_share, usual, len(others)), seed)
    made = [r.with_(label=UNKNOWN, word=r.word or r.label) for r in chosen]
    noise = dataset.card.get("noise") if noise is None else noise
    wanted = _number(silence_share, usual, 0)
    if noise is not None and wanted:
        noise = noise if isinstance(noise, Dataset) else _noise.open_noise(noise)
        side = (dataset.card.get("split") or {}).get("side")
        made += _silence(_noise.of_side(noise, side), wanted, seconds, seed)
    present = {r.label for r in (*kept, *made)}
    card = {"labels": [x for x in (*BACKGROUND, *words) if x in present], "words": list(words)}
    return dataset.part([*kept, *made], **card)


def _checked(dataset: Dataset, words) -> tuple[str, ...]:
    words = (words,) if isinstance(words, str) else tuple(dict.fromkeys(words))
    if not words:
        raise DataError("There are no words to spot.", "Give one or more: words=('left', 'right').")
    clash = [w for w in words if w in BACKGROUND]
    if clash:
        raise DataError(f"{clash[0]!r} is what everything else is called; it can't be a word.", "Leave it out.")
    missing = [w for w in words if w not in dataset.labels]
    if missing:
        raise DataError(
            f"{dataset.name} has no recordings of {', '.join(map(repr, missing))}; "
            f"it has {', '.join(dataset.labels) or 'none'}.",
            "Choose from these, or record them.",
        )
    if not all(r.is_sound for r in dataset):
        raise DataError(f"{dataset.name} is not sound: its channels are {','.join(dataset.channels)}.", "Open sound.")
    return words


def _number(share, usual: float, every: int) -> int:
    if share is None:
        return every
    number = share if isinstance(share, int) and not isinstance(share, bool) else round(share * usual)
    if not 0 <= number < 10**7:
        raise DataError(f"A share or number is {share}; expected 0 or more.", "Give 1.0 for as many as a word has.")
    return int(number)


def _choose(others: list[Recording], number: int, seed: int) -> list[Recording]:
    """By hash, word by word in turn, so that rare words are heard too."""
    by_word: dict[str, list[Recording]] = {}
    for r in sorted(others, key=lambda r: _hash(seed, r.id)):
        by_word.setdefault(r.label, []).append(r)
    rounds = zip_longest(*(by_word[w] for w in sorted(by_word, key=lambda w: _hash(seed, w))))
    chosen = {id(r) for r in [r for one in rounds for r in one if r is not None][:number]}
    return [r for r in others if id(r) in chosen]


def _silence(recordings: list[Recording], number: int, seconds: float, seed: int) -> list[Recording]:
    """Pieces of noise from each recording in turn, at its own level and down to 40 dB below."""
    made, used = [], Counter()
    for i in range(number):
        r = recordings[i % len(recordings)]
        counts = r.counts()[:, 0]
        length = min(round(seconds * r.rate_hz), len(counts))
        rng = np.random.RandomState(np.frombuffer(_digest(seed, r.id, used[r.id]), "<u4"))
        used[r.id] += 1
        first = rng.randint(len(counts) - length + 1)
        gain = 10 ** (rng.uniform(QUIETEST_DB, 0.0) / 20)
        piece = np.rint(counts[first : first + length] * gain).astype(np.int16)
        made.append(
            r.with_(
                samples=piece,
                label=SILENCE,
                word=r.word or r.id,
                person=r.person or f"noise-{r.id}",
                id=f"{SILENCE}/{r.id}-{used[r.id]:04d}",
                source=f"{r.source} from {first / r.rate_hz:.2f} s, {20 * np.log10(gain):.0f} dB",
                sha256="",
                quality={},
                timestamps_ms=None,
                row_labels=None,
            )
        )
    return made


def _digest(*names) -> bytes:
    return hashlib.sha256("/".join(map(str, names)).encode()).digest()


def _hash(*names) -> str:
    return _digest(*names).hex()
