"""What a test says: accuracy, macro F1, confusion, per person, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .. import look
from ..errors import DataError

MOST_COLUMNS = 100
MOST_PERSONS = 20  # in what is shown; all are in ``per_person``


@dataclass(frozen=True, eq=False)
class Report:
    """Answers beside the truth.

    Parameters
    ----------
    labels : tuple of str
        Class names.
    truth : int array of shape (n,)
        Index into ``labels``. -1: a label that the pipeline does not know; never right.
    predicted : int array of shape (n,)
        Index into ``labels``. -1: unsure; never right.
    persons : array of str of shape (n,), optional
    unit : str
        What was scored: ``"take"`` or ``"window"``.
    title : str
        What answered, on what.
    extra : dict
        More facts, such as the agreement of the board with the host.

    Raises
    ------
    DataError
        Nothing to score, lengths that differ, or an index without a label.
    """

    labels: tuple[str, ...]
    truth: np.ndarray
    predicted: np.ndarray
    persons: np.ndarray | None = None
    unit: str = "take"
    title: str = ""
    extra: dict = field(default_factory=dict)

    def __post_init__(self):
        object.__setattr__(self, "labels", tuple(self.labels))
        for name in ("truth", "predicted"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), int).ravel())
        if self.persons is not None:
            object.__setattr__(self, "persons", np.asarray(self.persons, str).ravel())
        lengths = {len(self.truth), len(self.predicted)}
        if self.persons is not None:
            lengths.add(len(self.persons))
        if len(lengths) > 1 or not len(self.truth):
            raise DataError(
                f"A report needs one answer for each truth, at least one; got {len(self.predicted)} answers and "
                f"{len(self.truth)} truths.",
                "Test on a dataset that has recordings.",
            )
        for values in (self.truth, self.predicted):
            if values.min() < -1 or values.max() >= len(self.labels):
                raise DataError(
                    f"An index is outside the {len(self.labels)} labels.", "Give indices into labels, or -1."
                )

    @classmethod
    def of(cls, windows, probabilities, title: str = "", **extra) -> Report:
        """Score answers for windows by the kit's rule: mean per take, or each window of a stream.

        Parameters
        ----------
        windows : tinykit.data.Windows
        probabilities : array of shape (n, labels)
            One row a window; int8 outputs will do (the order of means is the same).
        """
        answers, truth, persons = windows.answers(probabilities)
        if (np.asarray(truth) < 0).all():
            raise DataError(
                f"No recording has a label that the pipeline knows; it knows {', '.join(windows.names)}.",
                "Test on recordings of the same gestures, or rename their labels.",
            )
        unit = "take" if windows.per_take else "window"
        return cls(windows.names, truth, answers.argmax(axis=1), persons, unit, title, dict(extra))

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def confusion(self) -> np.ndarray:
        """Rows what it was, columns what was said; int (k, k), or (k, k + 1) if some are unsure."""
        k = len(self.labels)
        matrix = np.zeros((k, k + 1), int)
        known = self.truth >= 0
        np.add.at(matrix, (self.truth[known], np.where(self.predicted[known] < 0, k, self.predicted[known])), 1)
        return matrix if matrix[:, k].any() else matrix[:, :k]

    @property
    def right(self) -> int:
        """How many answers are right."""
        return int(((self.truth == self.predicted) & (self.truth >= 0)).sum())

    @property
    def unknown(self) -> int:
        """How many have a label that the pipeline does not know; they are wrong, and not in ``confusion``."""
        return int((self.truth < 0).sum())

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return self.right / len(self)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the accuracy (Wilson 1927). Takes of one person are not independent,
        so with few people the truth may lie further out."""
        return look.wilson(self.right, len(self))

    @property
    def recall(self) -> dict[str, float]:
        """Per label: of those that it was, how many were said. NaN where there were none."""
        return {name: _ratio(self._hits(i), (self.truth == i).sum()) for i, name in enumerate(self.labels)}

    @property
    def precision(self) -> dict[str, float]:
        """Per label: of those that were said, how many it was. NaN where none was said."""
        return {name: _ratio(self._hits(i), (self.predicted == i).sum()) for i, name in enumerate(self.labels)}

    @property
    def f1(self) -> dict[str, float]:
        """Per label: harmonic mean of precision and recall. NaN where it neither was nor was said."""
        return {
            name: _ratio(2 * self._hits(i), (self.truth == i).sum() + (self.predicted == i).sum())
            for i, name in enumerate(self.labels)
        }

    @property
    def macro_f1(self) -> float:
        """Mean of ``f1`` over the labels that were tested or said."""
        return float(np.nanmean(list(self.f1.values())))

    @property
    def per_person(self) -> dict[str, tuple[int, int]]:
        """Person -> (right answers, answers); empty if persons are not known."""
        if self.persons is None:
            return {}
        good = (self.truth == self.predicted) & (self.truth >= 0)
        return {
            str(p): (int(good[self.persons == p].sum()), int((self.persons == p).sum()))
            for p in np.unique(self.persons)
        }

    def _hits(self, i: int) -> int:
        return int(((self.truth == i) & (self.predicted == i)).sum())

    def __add__(self, other: Report) -> Report:
        """Two tests as one, such as the folds of a cross-validation."""
        if self.labels != other.labels or self.unit != other.unit:
            raise DataError("Two reports with different labels or units cannot be added.", "Add folds of one dataset.")
        both = None if self.persons is None or other.persons is None else np.concatenate([self.persons, other.persons])
        return Report(
            self.labels,
            np.concatenate([self.truth, other.truth]),
            np.concatenate([self.predicted, other.predicted]),
            both,
            self.unit,
            self.title,
            dict(self.extra),
        )

    def as_dict(self) -> dict:
        """Everything as plain numbers and lists, for JSON; NaN becomes None."""

        def plain(table):
            return {k: None if np.isnan(v) else round(v, 4) for k, v in table.items()}

        low, high = self.interval
        return {
            "title": self.title,
            "unit": self.unit,
            "n": len(self),
            "unknown": self.unknown,
            "accuracy": round(self.accuracy, 4),
            "interval": [round(low, 4), round(high, 4)],
            "macro_f1": round(self.macro_f1, 4),
            "recall": plain(self.recall),
            "precision": plain(self.precision),
            "labels": list(self.labels),
            "confusion": self.confusion.tolist(),
            "per_person": {p: {"right": a, "of": n} for p, (a, n) in self.per_person.items()},
            **self.extra,
        }

    def __repr__(self) -> str:
        low, high = self.interval
        head = f"{self.title}: " if self.title else ""
        lines = [
            f"{head}accuracy {self.accuracy:.3f} ({self.right} of {len(self)} {self.unit}s, 95 % interval "
            f"{low:.2f} to {high:.2f}), macro F1 {self.macro_f1:.3f}"
        ]
        lines += self._matrix() or [*self._recalls(), *(f"  {line}" for line in self._mistakes())]
        if self.unknown:
            lines.append(
                f"  {self.unknown} of the {len(self)} had a label that the model does not know: wrong, and in no row"
            )
        persons = self.per_person
        if len(persons) > 1:
            lines += [f"  {person}: {right} of {n}" for person, (right, n) in _shown(persons)]
            if len(persons) > MOST_PERSONS:
                lines.append(f"  ({len(persons) - MOST_PERSONS} more persons, none of them worse)")
        return "\n".join([*lines, *(f"  {fact}" for fact in self._facts())])

    def _matrix(self) -> list[str]:
        """The confusion matrix in text; nothing where it is wider than a terminal."""
        told = look.text(self._card()).splitlines()
        rows = [line for line in told[1:] if line.startswith("  ")]
        return rows if max(map(len, rows)) <= MOST_COLUMNS else []

    def _recalls(self) -> list[str]:
        return [
            f"  {name}: recall {value:.2f} ({self._hits(i)} of {(self.truth == i).sum()})"
            for i, (name, value) in enumerate(self.recall.items())
            if not np.isnan(value)
        ]

    def _mistakes(self) -> list[str]:
        return look.mistakes(self.labels, self.confusion.tolist())

    def _card(self, **about):
        matrix = self.confusion
        answers = [int((self.predicted == i).sum()) for i in range(len(self.labels))]
        if matrix.shape[1] > len(self.labels):
            answers.append(int((self.predicted < 0).sum()))
        return look.confusion(self.labels, matrix.tolist(), unit=self.unit, answers=answers, **about)

    def _facts(self):
        both = self.extra.get("agreement")
        if both:
            yield f"{both['equal']} of {both['windows']} windows answered bit for bit as on the host"

    def _repr_html_(self) -> str:
        cards = [
            self._card(subtitle=self.title, foot=look.dots(*self._facts()), outside=self.unknown),
        ]
        persons = self.per_person
        if len(persons) > 1:
            worst_first = sorted(((p, a, n) for p, (a, n) in _shown(persons)), key=lambda row: row[1] / row[2])
            cards.append(look.shares(worst_first, "Accuracy by person", unit=self.unit))
        return str(look.stack(*cards))


def _shown(persons: dict) -> list:
    """All persons, or, of many, those with the most mistakes."""
    rows = list(persons.items())
    if len(rows) <= MOST_PERSONS:
        return rows
    return sorted(rows, key=lambda row: (row[1][0] - row[1][1], row[1][0] / row[1][1]))[:MOST_PERSONS]


def _ratio(a, b) -> float:
    return float(a) / float(b) if b else float("nan")
