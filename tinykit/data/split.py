"""Splits and folds: by person, session, recording or contiguous blocks; the same everywhere.

Nothing here draws random numbers: order comes from SHA-256 over the seed and a name, so a
split is the same in every process, on every machine and in every version of Python.
"""

from __future__ import annotations

import hashlib
import itertools
from typing import NamedTuple

from ..errors import DataError
from ..look import shown
from .recording import plural

WAYS = ("person", "session", "recording", "blocks", "given")
SIDES = ("training", "validation", "testing")
_ATTEMPTS = 256


class Split(NamedTuple):
    """Training, validation and test side of a dataset."""

    train: object
    validation: object
    test: object

    @property
    def missing(self) -> dict[str, tuple[str, ...]]:
        """Labels that a side lacks although another has them: ``{side: labels}``."""
        every = set().union(*(side.labels for side in self))
        lacking = {
            name: tuple(sorted(every - set(side.labels)))
            for name, side in zip(self._fields, self, strict=True)
            if len(side)
        }
        return {name: labels for name, labels in lacking.items() if labels}

    def __repr__(self) -> str:
        told = [f"{name}: {_tell(side)}" for name, side in zip(self._fields, self, strict=True)]
        told += [f"{name} lacks {', '.join(labels)}" for name, labels in self.missing.items()]
        return f"<Split {'; '.join(told)}>"

    def _repr_html_(self) -> str:
        from . import card

        return card.split_html(self)

    _repr_pretty_ = shown


class Fold(NamedTuple):
    """One fold of a cross-validation."""

    train: object
    test: object

    @property
    def held_out(self) -> tuple[str, ...]:
        """Persons of the test side."""
        return self.test.persons

    def __repr__(self) -> str:
        return (
            "<Fold " + "; ".join(f"{name}: {_tell(side)}" for name, side in zip(self._fields, self, strict=True)) + ">"
        )


def split(dataset, by: str = "person", fractions=(0.6, 0.2, 0.2), seed: int = 0) -> Split:
    """Cut a dataset in three; see ``Dataset.split``."""
    train, validation, test = _fractions(fractions)
    _not_empty(dataset)
    if by == "given":
        return _given(dataset)
    if by == "recording":
        sides = _recordings(dataset, (train, validation, test), seed)
    elif by == "blocks":
        sides = _blocks(dataset, (train, validation, test))
    elif by in ("person", "session"):
        groups = _groups(dataset, by)
        sides = _whole_groups(dataset, groups, (train, validation, test), seed, by)
    else:
        raise DataError(f"A split by {by!r} is not known; it goes by {', '.join(WAYS)}.", "Choose one of these.")
    card = {"by": by, "fractions": [train, validation, test], "seed": seed, "of": dataset.fingerprint}
    return Split(*(dataset.part(side, split={**card, "side": name}) for side, name in zip(sides, SIDES, strict=True)))


def folds(dataset, by: str = "person", k: int | None = None, seed: int = 0) -> list[Fold]:
    """Cut a dataset into folds; see ``Dataset.folds``."""
    _not_empty(dataset)
    recordings = dataset.recordings
    if by in ("person", "session"):
        groups = _groups(dataset, by)
        if k is None:
            parts = [[name] for name in sorted(groups)]
        else:
            parts = [[] for _ in range(min(k, len(groups)))]
            for name in sorted(groups, key=lambda g: (-len(groups[g]), _key(seed, g))):
                smallest = min(parts, key=lambda p: (sum(len(groups[g]) for g in p), len(p)))
                smallest.append(name)
        tests = [sorted(i for g in part for i in groups[g]) for part in parts]
    elif by in ("recording", "blocks"):
        k = k or 5
        tests = [[] for _ in range(k)]
        for members in _strata(recordings, persons=by == "blocks").values():
            if by == "recording":
                members = sorted(members, key=lambda i: _key(seed, recordings[i].fingerprint))
            for place, i in enumerate(members):
                tests[place * k // len(members)].append(i)
    else:
        raise DataError(f"Folds by {by!r} are not known; they go by {', '.join(WAYS[:4])}.", "Choose one of these.")
    tests = [t for t in tests if t]
    if len(tests) < 2:
        raise DataError(
            f"The dataset has {len(tests)} {by}, folds need at least 2.",
            "Use by='recording' or by='blocks', or record more people.",
        )
    made = []
    for number, test in enumerate(tests):
        inside = set(test)
        train = [r for i, r in enumerate(recordings) if i not in inside]
        card = {"by": by, "fold": number, "folds": len(tests), "seed": seed, "of": dataset.fingerprint}
        made.append(
            Fold(
                dataset.part(train, split={**card, "side": "training"}),
                dataset.part([recordings[i] for i in test], split={**card, "side": "testing"}),
            )
        )
    return made


def _fractions(fractions) -> tuple[float, float, float]:
    try:
        values = tuple(float(f) for f in fractions)
    except (TypeError, ValueError):
        values = ()
    if len(values) != 3 or min(values) < 0 or values[0] == 0 or abs(sum(values) - 1) > 1e-6:
        raise DataError(
            f"The fractions are {fractions}; expected three (training, validation, test) that add "
            "up to 1, training not 0.",
            "For example fractions=(0.6, 0.2, 0.2).",
        )
    return values


def _not_empty(dataset) -> None:
    if not dataset.recordings:
        raise DataError("The dataset is empty: it has no recordings to split.", "Record or open some first.")


def _key(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()


def _groups(dataset, by: str) -> dict[str, list[int]]:
    """Name of a person or session -> indices of its recordings."""
    groups: dict[str, list[int]] = {}
    for i, recording in enumerate(dataset.recordings):
        if not getattr(recording, by):
            raise DataError(
                f"Recording {recording.id} has no {by}, so a split by {by} is not possible.",
                "Use by='blocks' (early against late) or by='recording', and say so in the report.",
            )
        name = recording.person if by == "person" else f"{recording.person}/{recording.session}"
        groups.setdefault(name, []).append(i)
    return groups


def sizes(n: int, fractions) -> tuple[int, int, int]:
    """How many of n go to each side: by largest remainders, at least one where the fraction is not 0."""
    exact = [f * n for f in fractions]
    sizes = [max(int(x + 1e-9), f > 0) for x, f in zip(exact, fractions, strict=True)]
    left = n - sum(sizes)
    # Of equal remainders the test's comes first: a number measured on one person says little.
    order = sorted((2, 0, 1), key=lambda side: -round(exact[side] - int(exact[side] + 1e-9), 9))
    for side in order[: max(left, 0)]:
        sizes[side] += 1 if fractions[side] else 0
    return n - sizes[1] - sizes[2], sizes[1], sizes[2]


def _whole_groups(dataset, groups, fractions, seed, by):
    """Whole persons or sessions to each side.

    Of 256 orders made by hash: the fewest labels missing on a side (training counts first,
    then test), then shares of recordings nearest to the fractions, to a tenth; the first
    such order. To a tenth, so that a few more takes seldom move a person to another side.
    """
    names = sorted(groups)
    counts = sizes(len(names), fractions)
    wanted = 1 + sum(f > 0 for f in fractions[1:])
    if len(names) < wanted or counts[0] < 1:
        raise DataError(
            f"The dataset has {plural(len(names), by)}; this split needs at least {wanted}.",
            f"Use by='blocks' or by='recording', or record more {by}s.",
        )
    labels = {name: {x for i in groups[name] for x in dataset.recordings[i].labels} for name in names}
    everything = set().union(*labels.values())
    best = None
    for attempt in range(_ATTEMPTS):
        order = sorted(names, key=lambda name: _key(seed, f"{attempt}:{name}"))
        parts = (order[counts[1] + counts[2] :], order[counts[2] : counts[1] + counts[2]], order[: counts[2]])
        score = tuple(
            len(everything - set().union(*(labels[n] for n in part))) if part else 0
            for part in (parts[0], parts[2], parts[1])
        )
        shares = [sum(len(groups[n]) for n in part) / len(dataset.recordings) for part in parts]
        score += (round(10 * max(abs(a - b) for a, b in zip(shares, fractions, strict=True))),)
        if best is None or score < best[0]:
            best = (score, parts)
    return [[dataset.recordings[i] for name in sorted(part) for i in groups[name]] for part in best[1]]


def _strata(recordings, persons: bool) -> dict[tuple, list[int]]:
    strata: dict[tuple, list[int]] = {}
    for i, r in enumerate(recordings):
        key = (r.label or "/".join(r.labels),) + ((r.person,) if persons else ())
        strata.setdefault(key, []).append(i)
    return strata


def _recordings(dataset, fractions, seed):
    """Single recordings, per label, in an order by hash; identical ones stay together."""
    sides = ([], [], [])
    for members in _strata(dataset.recordings, persons=False).values():
        same: dict[str, list[int]] = {}
        for i in members:
            same.setdefault(dataset.recordings[i].fingerprint, []).append(i)
        order = sorted(same, key=lambda f: _key(seed, f))
        _, validation, test = _few(len(order), fractions)
        for place, key in enumerate(order):
            side = 2 if place < test else 1 if place < test + validation else 0
            sides[side].extend(same[key])
    return [[dataset.recordings[i] for i in sorted(side)] for side in sides]


def _few(n: int, fractions) -> tuple[int, int, int]:
    """``sizes`` for strata: with too few recordings, training gets them first, then test."""
    train, validation, test = sizes(n, fractions)
    if train < 1 or n < 3:
        return (1, 0, 1) if n == 2 and fractions[2] else (n, 0, 0)
    return train, validation, test


def _blocks(dataset, fractions):
    """Per label and person: the first recordings train, the next validate, the last test.

    Where a label of a person is one or two long recordings, these are cut in time.
    """
    sides = ([], [], [])
    for members in _strata(dataset.recordings, persons=True).values():
        recordings = [dataset.recordings[i] for i in members]
        if len(recordings) < 3:
            for recording in recordings:
                for side, piece in zip(sides, in_time(recording, fractions), strict=True):
                    side.extend(piece)
            continue
        train, validation, _ = _few(len(recordings), fractions)
        sides[0].extend(recordings[:train])
        sides[1].extend(recordings[train : train + validation])
        sides[2].extend(recordings[train + validation :])
    return sides


def in_time(recording, fractions, shortest_s: float = 4.0):
    """One recording in three pieces, if it is long enough that each has windows of its own."""
    if recording.seconds * min(f for f in fractions if f) < shortest_s:
        return [recording], [], []
    n = len(recording)
    samples = recording.counts() if recording.is_sound else recording.samples
    ends = [0, round(n * fractions[0]), round(n * (fractions[0] + fractions[1])), n]
    pieces = []
    for number, (a, b) in enumerate(itertools.pairwise(ends)):
        pieces.append(
            [
                recording.with_(
                    samples=samples[a:b],
                    id=f"{recording.id}:{number}",
                    row_labels=None if recording.row_labels is None else recording.row_labels[a:b],
                    timestamps_ms=None if recording.timestamps_ms is None else recording.timestamps_ms[a:b],
                    source=f"{recording.source} rows {a}-{b - 1}".strip(),
                )
            ]
            if b > a
            else []
        )
    return pieces


def _given(dataset) -> Split:
    """The split that the dataset came with."""
    sides = [[r for r in dataset.recordings if r.split == name] for name in SIDES]
    if not sides[0] or not sides[2]:
        raise DataError(
            "The dataset does not come with a split: its recordings are not marked training and testing.",
            "Use by='person'.",
        )
    card = {"by": "given", "of": dataset.fingerprint}
    return Split(*(dataset.part(side, split={**card, "side": name}) for side, name in zip(sides, SIDES, strict=True)))


def _tell(side) -> str:
    return f"{plural(len(side), 'recording')} of {plural(len(side.persons), 'person')}"
