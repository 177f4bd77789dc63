"""Leakage: the same material on two sides of a split makes a test say what it wants to hear."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..errors import DataError, LeakageError
from . import echoes, units
from .recording import plural
from .windows import resample

# Windows are compared at this rate at most: enough for hands, and quick.
RATE_HZ = 50.0
WINDOW_S = 0.8
# Two windows are near-identical if their difference is at most this share of their movement.
# Different takes of one person differ by 0.12 and more in the real sets, by 0.11 in the synthetic one.
NEAR = 0.08
# Windows that move less than this are not compared: noise looks like noise.
STILL_G, STILL_DPS = 0.03, 5.0
_NAMES = ("training", "validation", "test", "side 4", "side 5", "side 6", "side 7", "side 8")


class Leak(NamedTuple):
    """Material on two sides: ``kind`` is ``"same recording"`` or ``"near-identical window"``."""

    kind: str
    side_a: str
    id_a: str
    side_b: str
    id_b: str
    difference: float
    seconds: float = 0.0


@dataclass(frozen=True)
class Leakage:
    """What a leakage check found.

    Parameters
    ----------
    leaks : list of Leak
    compared : int
        Windows compared on the smaller sides; of sound, the surroundings of its loudest samples.
    persons : dict
        ``{(side, side): persons on both}``; no leak by itself, but worth saying.
    """

    leaks: list[Leak]
    compared: int
    persons: dict = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.leaks

    def lines(self) -> list[str]:
        """What was found, a line each."""
        out = []
        for leak in self.leaks:
            how = (
                "are the same recording"
                if leak.kind == "same recording"
                else f"share a window (at {leak.seconds:.2f} s, they differ by {leak.difference:.1%})"
            )
            out.append(f"{leak.side_a} {leak.id_a} and {leak.side_b} {leak.id_b} {how}")
        for (a, b), names in self.persons.items():
            out.append(
                f"{plural(len(names), 'person')} on both sides, {a} and {b}: {', '.join(names[:4])}"
                f"{', ...' if len(names) > 4 else ''}; what is measured there is about known persons"
            )
        return out

    def __repr__(self) -> str:
        head = plural(len(self.leaks), "leak") if self.leaks else "no leak"
        return "\n".join([f"<Leakage: {head}, {self.compared} windows compared>", *self.lines()[:20]])

    def _repr_html_(self) -> str:
        from .. import look

        told = self.lines()
        known = told[len(self.leaks) :]
        notes = [look.note("bad", line) for line in told[: len(self.leaks)][:20]]
        if len(self.leaks) > 20:
            notes.append(look.note("bad", f"and {len(self.leaks) - 20} more"))
        if self.clean:
            notes.append(look.note("ok", "No recording and no near-identical window is on two sides."))
        notes += [look.note("warn", line) for line in known]
        state = ("bad", f"{len(self.leaks)} found") if self.leaks else ("ok", "nothing found")
        return look.card("Leakage", f"{self.compared:,} windows compared", look.Html("".join(notes)), state=state)


def check_leakage(*sides, names=_NAMES, near: float = NEAR, report: bool = False) -> Leakage:
    """Look for recordings and near-identical windows that are on two sides.

    Parameters
    ----------
    *sides : Dataset
        Two or more, for example the three of ``dataset.split()``.
    names : sequence of str
        What to call them.
    near : float
        Largest difference of two windows that counts as near-identical: root mean square of
        the difference over that of the movement. Sound is compared sample by sample: pieces of one
        recording have samples in common, two recordings have not.
    report : bool
        Return the report even when something was found.

    Returns
    -------
    Leakage

    Raises
    ------
    LeakageError
        Something was found, and ``report`` is False.
    """
    if len(sides) == 1 and isinstance(sides[0], tuple):
        sides = sides[0]
    if len(sides) < 2:
        raise DataError("A leakage check needs two sides or more.", "Give check_leakage(train, validation, test).")
    leaks: list[Leak] = []
    persons, compared = {}, 0
    prints = [[r.fingerprint for r in side] for side in sides]
    for a in range(len(sides)):
        for b in range(a + 1, len(sides)):
            both = sorted(set(sides[a].persons) & set(sides[b].persons))
            if both:
                persons[names[a], names[b]] = both
            where = {f: sides[a][i].id for i, f in enumerate(prints[a])}
            same = {i for i, f in enumerate(prints[b]) if f in where}
            leaks += [
                Leak("same recording", names[a], where[prints[b][i]], names[b], sides[b][i].id, 0.0)
                for i in sorted(same)
            ]
            found, count = _near(sides[a], sides[b], near, skip=same)
            compared += count
            leaks += [
                Leak("near-identical window", names[a], sides[a][i].id, names[b], sides[b][j].id, d, s)
                for i, j, d, s in found
            ]
    result = Leakage(leaks, compared, persons)
    if leaks and not report:
        raise LeakageError(
            f"{plural(len(leaks), 'leak')} from one side to another; the first: {result.lines()[0]}.",
            "Split again by person, session or blocks, and remove duplicates (tk.audit shows them).",
        )
    return result


def near_pairs(dataset, near: float = NEAR) -> list[tuple[int, int, float]]:
    """Pairs of recordings of one dataset that share a near-identical window: (i, j, difference)."""
    found, _ = _near(dataset, dataset, near, skip=(), itself=True)
    return [(i, j, d) for i, j, d, _ in found]


def _near(one, other, near: float, skip=(), itself: bool = False):
    """Per recording of ``other`` its nearest one in ``one``, if near enough.

    ``other`` is cut into windows side by side, ``one`` at every row, so that no shift hides a
    copy. Both are centred; gravity's direction counts through the movement only.
    """
    if not len(one) or not len(other) or one.channels != other.channels:
        return [], 0
    if one.channels == units.SOUND:
        return echoes.shared(one, other, skip, itself)
    rate = min(RATE_HZ, one.rate_hz, other.rate_hz)
    length = max(8, round(WINDOW_S * rate))
    dense = _pieces(one, rate, length, 1)
    sparse = _pieces(other, rate, length, length)
    if dense is None or sparse is None:
        return [], 0
    x, x_take, _ = dense
    y, y_take, y_start = sparse
    x_norm, y_norm = (x * x).sum(1), (y * y).sum(1)
    best: dict[tuple[int, int], tuple[float, float]] = {}
    for begin in range(0, len(y), 256):
        block = slice(begin, begin + 256)
        squares = y_norm[block, None] + x_norm[None] - 2 * (y[block] @ x.T)
        limit = near**2 * np.minimum(y_norm[block, None], x_norm[None])
        for row, column in zip(*np.nonzero(squares <= limit), strict=True):
            i, j = int(x_take[column]), int(y_take[begin + row])
            if j in skip or (itself and i >= j):
                continue
            d = float(np.sqrt(max(squares[row, column], 0.0) / y_norm[begin + row]))
            if d < best.get((i, j), (np.inf, 0))[0]:
                best[i, j] = (d, y_start[begin + row] / rate)
    nearest: dict[int, tuple] = {}
    for (i, j), (d, s) in best.items():
        if j not in nearest or d < nearest[j][1]:
            nearest[j] = (i, d, s)
    return [(i, j, d, s) for j, (i, d, s) in sorted(nearest.items())], len(y)


def _pieces(dataset, rate: float, length: int, step: int):
    """Centred windows in g and in 250 deg/s, flat: (float32 (n, length * c), take, start)."""
    scale = np.array([1.0 if units.is_acceleration(c) else 1.0 / 250.0 for c in dataset.channels])
    acceleration = [i for i, c in enumerate(dataset.channels) if units.is_acceleration(c)]
    pieces, takes, starts = [], [], []
    for number, recording in enumerate(dataset):
        x = resample(recording.samples, recording.rate_hz, rate)
        if len(x) < length or not np.isfinite(x).all():
            continue
        first = np.arange(0, len(x) - length + 1, step)
        windows = np.lib.stride_tricks.sliding_window_view(x, length, axis=0)[first].transpose(0, 2, 1)
        spread = windows.std(axis=1)
        moves = np.zeros(len(first), bool)
        if acceleration:
            moves |= np.sqrt((spread[:, acceleration] ** 2).sum(1)) > STILL_G
        turning = [i for i in range(x.shape[1]) if i not in acceleration]
        if turning:
            moves |= np.sqrt((spread[:, turning] ** 2).sum(1)) > STILL_DPS
        windows = ((windows - windows.mean(axis=1, keepdims=True)) * scale)[moves]
        pieces.append(windows.reshape(len(windows), length * x.shape[1]).astype(np.float32))
        takes.append(np.full(len(windows), number))
        starts.append(first[moves])
    if not pieces or not sum(map(len, pieces)):
        return None
    return np.concatenate(pieces), np.concatenate(takes), np.concatenate(starts)
