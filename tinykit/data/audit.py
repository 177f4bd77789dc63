"""An audit: what is wrong or odd in a dataset, before anybody trains on it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from . import units
from .leakage import near_pairs
from .take import LIMITS, REST, clipped_share, dead_channels, motion

# Labels that say "none of the gestures": to lie still may be one of them.
ANYTHING = {"negative", "other", "unknown", "noise", "none"}
FULL_SCALES = {"a": (2.0, 4.0, 8.0, 16.0), "g": (250.0, 500.0, 1000.0, 2000.0)}
CLIPPED = 0.10  # share of clipped rows from which a take's peaks were not measured
FEW = 10  # takes of a label
_ORDER = {"bad": 0, "warn": 1, "none": 2}


@dataclass(frozen=True)
class Finding:
    """One thing that the audit found.

    Parameters
    ----------
    kind : str
        In a word or two: ``"motionless"``, ``"clipped"``, ``"duplicate"``, ...
    grade : {"bad", "warn", "none"}
        Leave these recordings out; look at it; only to know.
    text : str
        What, who, how many, measured how.
    ids : tuple of str
        Recordings that it is about.
    next : str
        What to do.
    """

    kind: str
    grade: str
    text: str
    ids: tuple[str, ...] = ()
    next: str = ""


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
        return look.card("Audit", f"{self.checked:,} recordings", look.Html("".join(notes)),
                         look.dots(_count(self.findings)), state=(worst, words[worst]))


def audit(dataset) -> Audit:
    """Look for what spoils a dataset.

    Motionless and clipped takes, copies and near-identical windows, values that are no
    numbers, axes that never change, outliers in length, labels with few takes or few people,
    units and rates that cannot be right, boards held differently.

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
        return Audit([Finding("empty", "bad", "the dataset has no recordings", (), "Record some takes.")], 0, (), dataset)
    sound = [r for r in recordings if np.isfinite(r.samples).all()]
    findings += _not_numbers(recordings)
    findings += _motionless(sound)
    findings += _dead(sound)
    findings += _clipped(sound)
    doubles = _duplicates(dataset.part(sound))
    findings += doubles
    findings += _lengths(recordings)
    findings += _balance(dataset)
    findings += _units(sound)
    findings += _times(recordings)
    findings += _grips(sound)
    findings += [Finding("as read", "none", note) for note in dataset.card["notes"]]
    findings.sort(key=lambda f: _ORDER[f.grade])
    suspects = [i for f in findings if f.grade == "bad" and f.kind != "duplicate" for i in f.ids]
    suspects += [f.ids[1] for f in doubles]
    return Audit(findings, len(recordings), tuple(dict.fromkeys(suspects)), dataset)


def _count(findings) -> str:
    n = {grade: sum(f.grade == grade for f in findings) for grade in _ORDER}
    if not n["bad"] and not n["warn"]:
        return "nothing found that spoils it"
    return f"{n['bad']} bad, {n['warn']} to look at"


def _by(recordings, key):
    groups = defaultdict(list)
    for r in recordings:
        groups[key(r)].append(r)
    return dict(sorted(groups.items()))


def _list(recordings) -> str:
    return ", ".join(r.id for r in recordings[:5]) + (", ..." if len(recordings) > 5 else "")


def _name(label: str | None) -> str:
    return repr(label) if label else "unlabelled"


def _not_numbers(recordings):
    out = []
    for r in recordings:
        bad = np.flatnonzero(~np.isfinite(r.samples).all(axis=1))
        if len(bad):
            out.append(Finding("not a number", "bad", f"{r.id} has {len(bad)} row(s) with values that are not numbers, "
                               f"the first is row {bad[0]}", (r.id,), "Leave it out, or mend the file."))
    return out


def _motionless(recordings):
    """Takes in which nothing moves, told per person and label."""
    def still(r):
        a, g = motion(r.samples, r.channels)
        return not (a > LIMITS.still_g or g > LIMITS.still_dps)

    out = []
    takes = [r for r in recordings if r.label and r.label.lower() not in REST]
    quiet_labels = {label for label, group in _by(takes, lambda r: r.label).items()
                    if np.mean([still(r) for r in group]) > 0.5}
    for (person, label), group in _by(takes, lambda r: (r.person, r.label)).items():
        lying = [r for r in group if still(r)]
        if not lying or label in quiet_labels:
            continue
        most = max(motion(r.samples, r.channels)[0] for r in lying)
        how_many = (f"all {len(group)}" if len(lying) == len(group) > 1 else f"{len(lying)} of {len(group)}")
        who = f" of {person}" if person else ""
        moved = f"acceleration varies by {max(most, 0.001):.3f} g at most" if np.isfinite(most) else "no rotation"
        anything = label.lower() in ANYTHING
        out.append(Finding(
            "motionless", "warn" if anything else "bad",
            f"{how_many} recording(s) of {_name(label)}{who} show no movement ({moved}): {_list(lying)}",
            tuple(r.id for r in lying),
            "Lying still may be meant here; otherwise leave them out." if anything else
            "Leave them out, or ask for them again: they teach that stillness is this gesture."))
    if quiet_labels:
        out.append(Finding("still label", "none", f"most recordings of {', '.join(map(repr, sorted(quiet_labels)))} "
                           "show no movement; taken as meant"))
    return out


def _dead(recordings):
    out = []
    for r in recordings:
        dead = dead_channels(r.samples, r.channels)
        if dead:
            out.append(Finding("dead axis", "bad", f"{r.id}: {', '.join(dead)} never changes", (r.id,),
                               "Leave it out, and check the sensor."))
    return out


def full_scale(recordings, kind: str) -> float | None:
    """The range (g or deg/s) at which recordings are cut off, or None.

    A range is believed if several samples lie at its end and none beyond it.

    Parameters
    ----------
    recordings : list of Recording
    kind : {"a", "g"}
    """
    columns = [r.samples[:, [i for i, c in enumerate(r.channels) if c[0] == kind]].ravel() for r in recordings]
    values = np.abs(np.concatenate(columns)) if columns else np.empty(0)
    if not len(values) or values.max() <= 0:
        return None
    for scale in FULL_SCALES[kind]:
        # A converted 19.6 m/s2 is 1.9986 g: allow three thousandths.
        if abs(values.max() / scale - 1) < 0.003 and (values > scale * 0.9965).sum() >= 3:
            return scale
    return None


def _clipped(recordings):
    out = []
    for person, group in _by(recordings, lambda r: r.person).items():
        scales = {kind: full_scale(group, kind) for kind in "ag"}
        shares = {}
        for r in group:
            ends = np.zeros(len(r), bool)
            for i, c in enumerate(r.channels):
                if scales[c[0]]:
                    ends |= np.abs(r.samples[:, i]) > scales[c[0]] * 0.9965
            shares[r.id] = max(float(ends.mean()), clipped_share(r.samples, r.channels))
        hard = [r for r in group if shares[r.id] > CLIPPED]
        whole = float(np.average(list(shares.values()), weights=[len(r) for r in group]))
        ranges = " and ".join(f"{s:g} {'g' if k == 'a' else 'deg/s'}" for k, s in scales.items() if s)
        who = f" of {person}" if person else ""
        if hard:
            few = len(hard) <= max(2, 0.1 * len(group))
            ids = tuple(r.id for r in sorted(hard, key=lambda r: -shares[r.id]))
            named = ", ".join(f"{i} ({shares[i]:.0%})" for i in ids[:5]) + (", ..." if len(ids) > 5 else "")
            out.append(Finding(
                "clipped", "bad" if few else "warn",
                f"{len(hard)} of {len(group)} recording(s){who} are at the end of the range"
                f" ({ranges or 'of the board'}) in more than {CLIPPED:.0%} of their rows: {named}", ids,
                "Leave them out, or record them with less force: their peaks were never measured." if few else
                "So many that it belongs to these movements: use a wider range if the sensor has one."))
        elif whole > 0.001 and ranges:
            out.append(Finding("clipped", "none", f"{whole:.1%} of all rows{who} are at the end of the range ({ranges})"))
    return out


def _duplicates(dataset):
    out, seen, same = [], {}, set()
    for r in dataset:
        if r.fingerprint in seen:
            out.append(Finding("duplicate", "bad", f"{seen[r.fingerprint]} and {r.id} are the same recording",
                               (seen[r.fingerprint], r.id), "Keep one of the two."))
            same.add((seen[r.fingerprint], r.id))
        else:
            seen[r.fingerprint] = r.id
    for i, j, difference in near_pairs(dataset):
        pair = (dataset[i].id, dataset[j].id)
        if pair not in same and not any(pair[1] == b for _, b in same):
            out.append(Finding("duplicate", "bad", f"{pair[0]} and {pair[1]} share a near-identical window (they differ "
                               f"by {difference:.1%} of their movement)", pair, "Keep one of the two."))
    return out


def _lengths(recordings):
    """Lengths far from the usual of their label: by the median absolute deviation of the logarithm."""
    out = []
    takes = [r for r in recordings if r.row_labels is None]
    for label, group in _by(takes, lambda r: r.label or "").items():
        if len(group) < 5:
            continue
        logs = np.log([r.seconds for r in group])
        middle = np.median(logs)
        spread = max(1.4826 * np.median(np.abs(logs - middle)), 0.08)
        odd = [r for r, x in zip(group, logs) if abs(x - middle) > 4 * spread]
        if odd:
            named = ", ".join(f"{r.id} ({r.seconds:.2f} s)" for r in odd[:5]) + (", ..." if len(odd) > 5 else "")
            out.append(Finding("odd length", "warn", f"{len(odd)} recording(s) of {_name(label)} are far from the usual "
                               f"{np.exp(middle):.2f} s: {named}", tuple(r.id for r in odd),
                               "Play them back: a take may hold two gestures, or half of one."))
    return out


def _balance(dataset):
    out = []
    bare = [r for r in dataset if not r.labels]
    if bare:
        out.append(Finding("no label", "warn", f"{len(bare)} recording(s) have no label", tuple(r.id for r in bare),
                           "Label them, or leave them out."))
    counts = dataset.counts()
    totals = {label: sum(persons.values()) for label, persons in counts.items()}
    if len(totals) == 1:
        out.append(Finding("one label", "bad", f"there is only one label, {_name(next(iter(totals)))}", (),
                           "Record a second one; a classifier needs at least two."))
    if len(totals) > 1:
        most, least = max(totals, key=totals.get), min(totals, key=totals.get)
        if totals[most] >= 3 * totals[least]:
            what = "rows" if dataset.is_stream else "recordings"
            out.append(Finding("imbalance", "warn", f"{_name(most)} has {totals[most]} {what}, {_name(least)} has "
                               f"{totals[least]}", (), f"Record more of {_name(least)}, and judge by macro F1."))
    if not dataset.is_stream:
        few = {label: n for label, n in totals.items() if n < FEW}
        if few:
            out.append(Finding("few takes", "warn", ", ".join(f"{_name(k)} has {n}" for k, n in few.items()) +
                               f": fewer than {FEW}", (), "Record more."))
    if len(dataset.persons) > 1:
        single = sorted(label for label, persons in counts.items() if len(persons) == 1)
        if single:
            out.append(Finding("one person", "warn", f"{', '.join(map(_name, single))} come from one person only, "
                               f"of {len(dataset.persons)}", (),
                               "A split by person cannot test these; have others record them."))
    return out


def _units(recordings):
    """Gravity that is not 1 g at rest; rotation too small for the acceleration beside it."""
    out = []
    for person, group in _by(recordings, lambda r: r.person).items():
        who = f" of {person}" if person else ""
        rest = rest_length(group)
        if rest is not None and not 0.75 < rest < 1.3:
            out.append(Finding("units", "warn", f"the quietest parts{who} measure {rest:.2f} g, expected about 1 g", (),
                               "Check the unit (open_dataset(..., acceleration='m/s2')), or whether gravity was "
                               "taken off."))
        moved = [motion(r.samples, r.channels) for r in group]
        ratio = np.median([g / a for a, g in moved if a > 0.1] or [np.nan])
        if ratio < 8:
            out.append(Finding("units", "warn", f"rotation{who} is {ratio:.1f} deg/s per g of movement, hands turn by 50 "
                               "to 400", (), "Perhaps it is in rad/s: open_dataset(..., angular_rate='rad/s')."))
    return out


def rest_length(recordings, rows: int = 5) -> float | None:
    """Median length of the acceleration vector (g) in the quietest parts that are at rest; None if none is.

    A part is at rest if its spread is below 0.03 g.
    """
    lengths = []
    for r in recordings:
        if not set(units.ACCELERATION) <= set(r.channels) or len(r) < rows:
            continue
        a = r.samples[:, [r.channels.index(c) for c in units.ACCELERATION]].astype(np.float64)
        parts = a[: len(a) // rows * rows].reshape(-1, rows, 3)
        at_rest = np.sqrt(parts.var(axis=1).sum(axis=1)) < 0.03
        lengths.append(np.linalg.norm(parts.mean(axis=1), axis=1)[at_rest])
    found = np.concatenate(lengths) if lengths else np.empty(0)
    return float(np.median(found)) if len(found) >= 5 else None


def _times(recordings):
    """Rates by their own time stamps that differ, and gaps."""
    out = []
    rates = np.array([r.rate_hz for r in recordings])
    middle = float(np.median(rates))
    odd = [r for r, rate in zip(recordings, rates) if abs(rate / middle - 1) > 0.02]
    if odd:
        out.append(Finding("rate", "warn", f"{len(odd)} recording(s) are not at the usual {middle:.1f} Hz: "
                           + ", ".join(f"{r.id} ({r.rate_hz:.1f} Hz)" for r in odd[:5]), tuple(r.id for r in odd),
                           "Check the board's setting."))
    gaps = []
    for r in recordings:
        if r.timestamps_ms is not None and len(r) > 2:
            steps = np.diff(r.timestamps_ms)
            if (steps < 0).any():
                out.append(Finding("time", "bad", f"{r.id}: its times run backwards", (r.id,), "Leave it out."))
            elif steps.max() > 10 * 1000.0 / r.rate_hz:
                gaps.append((r, float(steps.max())))
    if gaps:
        out.append(Finding("gap", "warn", f"{len(gaps)} recording(s) have gaps: "
                           + ", ".join(f"{r.id} ({gap:.0f} ms)" for r, gap in gaps[:5]),
                           tuple(r.id for r, _ in gaps), "Samples were lost there; look before you train on them."))
    return out


def _grips(recordings):
    """Persons whose board points another way than the others' (mean direction of gravity)."""
    means = {}
    for person, group in _by(recordings, lambda r: r.person).items():
        if person and set(units.ACCELERATION) <= set(group[0].channels):
            columns = [group[0].channels.index(c) for c in units.ACCELERATION]
            mean = np.mean([r.samples[:, columns].mean(axis=0) for r in group], axis=0)
            means[person] = mean / (np.linalg.norm(mean) + 1e-9)
    if len(means) < 3:
        return []
    usual = np.median(np.array(list(means.values())), axis=0)
    usual /= np.linalg.norm(usual) + 1e-9
    angles = {p: float(np.degrees(np.arccos(np.clip(m @ usual, -1, 1)))) for p, m in means.items()}
    odd = {p: a for p, a in angles.items() if a > 60}
    return [Finding("grip", "warn", "the board is held another way by "
                    + ", ".join(f"{p} ({a:.0f} degrees off)" for p, a in odd.items()), (),
                    "Augment with rotations, or ask how they hold it.")] if odd else []
