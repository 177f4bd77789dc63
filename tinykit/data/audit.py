"""An audit: what is wrong or odd in a dataset, before anybody trains on it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from . import flaws, hearing, units
from .flaws import Finding
from .take import REST

_ORDER = {"bad": 0, "warn": 1, "none": 2}


@dataclass(frozen=True)
class Audit:
    """Everything an audit found, worst first.

    Parameters
    ----------
    findings : list of Finding
    suspects : tuple of str
        Recordings that should be left out: of findings graded bad, and one of two copies.
    checked : int
        Recordings looked at.
    """

    findings: list[Finding]
    checked: int
    suspects: tuple[str, ...] = ()
    dataset: object = field(default=None, repr=False)

    @property
    def clean(self) -> bool:
        """Whether nothing was found that is bad or to be looked at."""
        return all(f.grade == "none" for f in self.findings)

    def of(self, kind: str) -> list[Finding]:
        """Findings of one kind."""
        return [f for f in self.findings if f.kind == kind]

    def without_suspects(self):
        """The dataset without ``suspects``."""
        gone = set(self.suspects)
        return self.dataset.select(lambda r: r.id not in gone)

    def __repr__(self) -> str:
        lines = [f"<Audit of {self.checked} recordings: {_count(self.findings)}>"]
        marks = {"bad": "!!", "warn": " !", "none": "  "}
        for f in self.findings:
            lines.append(f"{marks[f.grade]} {f.kind}: {f.text}")
            if f.next:
                lines.append(f"     Next: {f.next}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from .. import look

        notes = [look.note(f.grade, f"{f.kind}: {f.text}", f.next) for f in self.findings]
        worst = "bad" if any(f.grade == "bad" for f in self.findings) else "ok" if self.clean else "warn"
        words = {"bad": "leave some out", "warn": "look at these", "ok": "nothing found"}
        return look.card(
            "Audit",
            f"{self.checked:,} recordings",
            look.Html("".join(notes)),
            look.dots(_count(self.findings)),
            state=(worst, words[worst]),
        )


def audit(dataset) -> Audit:
    """Look for what spoils a dataset.

    Motionless and clipped takes, copies and near-identical windows, values that are no
    numbers, axes that never change, outliers in length, labels with few takes or few people,
    units and rates that cannot be right, boards held differently. Of sound: silent, too quiet,
    clipped and cut-off takes, copies and overlapping pieces, labels, rates.

    Parameters
    ----------
    dataset : Dataset

    Returns
    -------
    Audit
        ``.findings``, ``.suspects``; shows itself as a card.
    """
    recordings = list(dataset)
    findings: list[Finding] = []
    if not recordings:
        return Audit(
            [Finding("empty", "bad", "the dataset has no recordings", (), "Record some takes.")],
            0,
            (),
            dataset,
        )
    findings += _of_sound(dataset) if dataset.channels == units.SOUND else _of_motion(dataset)
    findings += [Finding("as read", "none", note) for note in dataset.card["notes"]]
    findings.sort(key=lambda f: _ORDER[f.grade])
    suspects = [i for f in findings if f.grade == "bad" and f.kind != "duplicate" for i in f.ids]
    suspects += [f.ids[1] for f in findings if f.kind == "duplicate"]
    return Audit(findings, len(recordings), tuple(dict.fromkeys(suspects)), dataset)


def _of_motion(dataset) -> list[Finding]:
    recordings = list(dataset)
    whole = [r for r in recordings if np.isfinite(r.samples).all()]
    return [
        *flaws.not_numbers(recordings),
        *flaws.motionless(whole),
        *flaws.dead(whole),
        *flaws.clipped(whole),
        *flaws.duplicates(dataset.part(whole)),
        *flaws.lengths(recordings),
        *flaws.balance(dataset),
        *flaws.wrong_units(whole),
        *flaws.times(recordings),
        *flaws.grips(whole),
    ]


def _of_sound(dataset) -> list[Finding]:
    recordings = list(dataset)
    return [
        *hearing.faults(recordings),
        # Clips of silence are pieces of few recordings, and overlap.
        *flaws.duplicates(dataset.select(lambda r: (r.label or "").lower() not in REST)),
        *flaws.balance(dataset),
        *hearing.rates(recordings),
    ]


def _count(findings) -> str:
    n = {grade: sum(f.grade == grade for f in findings) for grade in _ORDER}
    if not n["bad"] and not n["warn"]:
        return "nothing found that spoils it"
    return f"{n['bad']} bad, {n['warn']} to look at"
