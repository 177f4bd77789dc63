"""The same sound in two recordings, wherever in them it lies: by samples that are equal.

Two recordings of the same thing never have equal samples; copies, and overlapping pieces of one
recording, have. So each recording is marked at its landmarks, samples that are the largest far and
wide: they are the same ones whatever was cut off before and after.
"""

from __future__ import annotations

import hashlib

import numpy as np

REACH = 1024  # samples on both sides, among which a landmark is the largest
AROUND = 32  # samples on both sides that must be equal
LOUD = 128  # counts that a landmark has at least: near silence, chance makes samples equal
VARIED = 16  # different values among them at least: a plateau is like any other


def landmarks(counts) -> dict[bytes, int]:
    """Hash of the samples around each landmark, and where it is.

    Parameters
    ----------
    counts : int16 array of shape (n,) or (n, 1)
    """
    x = np.ascontiguousarray(counts, dtype="<i2").reshape(-1)
    loud = np.abs(x.astype(np.int32))
    found = {}
    for start in range(0, len(x), REACH // 2):
        at = start + int(np.argmax(loud[start : start + REACH // 2]))
        if loud[at] < LOUD or at < AROUND or at + AROUND >= len(x):
            continue
        if loud[at] < loud[max(0, at - REACH) : at + REACH + 1].max():
            continue
        piece = x[at - AROUND : at + AROUND + 1]
        if len(np.unique(piece)) >= VARIED:
            found.setdefault(hashlib.blake2b(piece.tobytes(), digest_size=12).digest(), at)
    return found


def shared(one, other, skip=(), itself: bool = False) -> tuple[list[tuple[int, int, float, float]], int]:
    """Per recording of ``other`` the first one of ``one`` that has samples in common with it.

    Parameters
    ----------
    one, other : Dataset
        Of sound.
    skip : collection of int
        Recordings of ``other`` that need not be looked at.
    itself : bool
        The two are the same dataset.

    Returns
    -------
    pairs : list of (int, int, float, float)
        Indices in ``one`` and ``other``, 0.0 (they do not differ), seconds in ``other``.
    compared : int
        Landmarks of ``other``.
    """
    known: dict[bytes, int] = {}
    for i, r in enumerate(one):
        for mark in landmarks(r.counts()):
            known.setdefault(mark, i)
    pairs, compared = [], 0
    for j, r in enumerate(other):
        marks = landmarks(r.counts())
        compared += len(marks)
        hits = [(known[mark], at) for mark, at in marks.items() if mark in known and not (itself and known[mark] >= j)]
        if hits and j not in skip:
            i, at = min(hits)
            pairs.append((i, j, 0.0, at / r.rate_hz))
    return pairs, compared
