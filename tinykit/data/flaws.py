"""Flaws of recordings, one check each: what an audit is made of."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from . import units
from .leakage import near_pairs
from .ranges import END, full_scale, rest_length
from .recording import plural
from .take import LIMITS, REST, clipped_share, dead_channels, motion
from .windows import SAME_RATE

# Labels that say "none of the gestures": to lie still may be one of them.
ANYTHING = {"negative", "other", "unknown", "noise", "none"}
CLIPPED = 0.10  # share of clipped rows from which a take's peaks were not measured
FEW = 10  # takes of a label


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


def _by(recordings, key):
    groups = defaultdict(list)
    for r in recordings:
        groups[key(r)].append(r)
    return dict(sorted(groups.items()))


def listed(recordings) -> str:
    """The first five ids."""
    return ", ".join(r.id for r in recordings[:5]) + (", ..." if len(recordings) > 5 else "")


def _name(label: str | None) -> str:
    return repr(label) if label else "unlabelled"


def not_numbers(recordings):
    """Recordings with values that are not numbers."""
    out = []
    for r in recordings:
        bad = np.flatnonzero(~np.isfinite(r.samples).all(axis=1))
        if len(bad):
            out.append(
                Finding(
                    "not a number",
                    "bad",
                    f"{r.id} has {plural(len(bad), 'row')} with values that are not numbers, the first is row {bad[0]}",
                    (r.id,),
                    "Leave it out, or mend the file.",
                )
            )
    return out


def motionless(recordings):
    """Takes in which nothing moves, told per person and label."""

    def still(r):
        a, g = motion(r.samples, r.channels)
        return not (a > LIMITS.still_g or g > LIMITS.still_dps)

    out = []
    takes = [r for r in recordings if r.label and r.label.lower() not in REST]
    quiet_labels = {
        label for label, group in _by(takes, lambda r: r.label).items() if np.mean([still(r) for r in group]) > 0.5
    }
    for (person, label), group in _by(takes, lambda r: (r.person, r.label)).items():
        lying = [r for r in group if still(r)]
        if not lying or label in quiet_labels:
            continue
        most = max(motion(r.samples, r.channels)[0] for r in lying)
        how_many = (
            f"all {plural(len(group), 'recording')}"
            if len(lying) == len(group) > 1
            else f"{len(lying)} of {plural(len(group), 'recording')}"
        )
        verb = "shows" if len(lying) == 1 else "show"
        who = f" of {person}" if person else ""
        moved = f"acceleration varies by {max(most, 0.001):.3f} g at most" if np.isfinite(most) else "no rotation"
        anything = label.lower() in ANYTHING
        out.append(
            Finding(
                "motionless",
                "warn" if anything else "bad",
                f"{how_many} of {_name(label)}{who} {verb} no movement ({moved}): {listed(lying)}",
                tuple(r.id for r in lying),
                "Lying still may be meant here; otherwise leave them out."
                if anything
                else "Leave them out, or ask for them again: they teach that stillness is this gesture.",
            )
        )
    if quiet_labels:
        out.append(
            Finding(
                "still label",
                "none",
                f"most recordings of {', '.join(map(repr, sorted(quiet_labels)))} show no movement; taken as meant",
            )
        )
    return out


def dead(recordings):
    """Recordings in which an axis never changes."""
    out = []
    for r in recordings:
        dead = dead_channels(r.samples, r.channels)
        if dead:
            out.append(
                Finding(
                    "dead axis",
                    "bad",
                    f"{r.id}: {', '.join(dead)} never changes",
                    (r.id,),
                    "Leave it out, and check the sensor.",
                )
            )
    return out


def clipped(recordings):
    """Recordings at the end of the sensor's range in too many of their rows, told per person."""
    out = []
    for person, group in _by(recordings, lambda r: r.person).items():
        scales = {kind: full_scale(group, kind) for kind in "ag"}
        shares = {}
        for r in group:
            ends = np.zeros(len(r), bool)
            for i, c in enumerate(r.channels):
                if scales[c[0]]:
                    ends |= np.abs(r.samples[:, i]) > scales[c[0]] * END
            shares[r.id] = max(float(ends.mean()), clipped_share(r.samples, r.channels))
        hard = [r for r in group if shares[r.id] > CLIPPED]
        whole = float(np.average(list(shares.values()), weights=[len(r) for r in group]))
        ranges = " and ".join(f"{s:g} {'g' if k == 'a' else 'deg/s'}" for k, s in scales.items() if s)
        who = f" of {person}" if person else ""
        if hard:
            few = len(hard) <= max(2, 0.1 * len(group))
            ids = tuple(r.id for r in sorted(hard, key=lambda r: -shares[r.id]))
            named = ", ".join(f"{i} ({shares[i]:.0%})" for i in ids[:5]) + (", ..." if len(ids) > 5 else "")
            out.append(
                Finding(
                    "clipped",
                    "bad" if few else "warn",
                    f"{len(hard)} of {plural(len(group), 'recording')}{who} reached the end of the range"
                    f" ({ranges or 'of the board'}) in more than {CLIPPED:.0%} of their rows: {named}",
                    ids,
                    "Leave them out, or record them with less force: their peaks were never measured."
                    if few
                    else "These movements are often like that: use a wider range if the sensor has one.",
                )
            )
        elif whole > 0.001 and ranges:
            out.append(
                Finding("clipped", "none", f"{whole:.1%} of all rows{who} are at the end of the range ({ranges})")
            )
    return out


def duplicates(dataset):
    """Copies, and recordings that share a near-identical window."""
    out, seen, same = [], {}, set()
    for r in dataset:
        if r.fingerprint in seen:
            out.append(
                Finding(
                    "duplicate",
                    "bad",
                    f"{seen[r.fingerprint]} and {r.id} are the same recording",
                    (seen[r.fingerprint], r.id),
                    "Keep one of the two.",
                )
            )
            same.add((seen[r.fingerprint], r.id))
        else:
            seen[r.fingerprint] = r.id
    for i, j, difference in near_pairs(dataset):
        pair = (dataset[i].id, dataset[j].id)
        if pair not in same and not any(pair[1] == b for _, b in same):
            out.append(
                Finding(
                    "duplicate",
                    "bad",
                    f"{pair[0]} and {pair[1]} share "
                    + (
                        f"a near-identical window (they differ by {difference:.1%} of their movement)"
                        if difference
                        else "samples: they are pieces of one recording"
                    ),
                    pair,
                    "Keep one of the two.",
                )
            )
    return out


def lengths(recordings):
    """Lengths far from the usual of their label: by the median absolute deviation of the logarithm."""
    out = []
    takes = [r for r in recordings if r.row_labels is None]
    for label, group in _by(takes, lambda r: r.label or "").items():
        if len(group) < 5:
            continue
        logs = np.log([r.seconds for r in group])
        middle = np.median(logs)
        spread = max(1.4826 * np.median(np.abs(logs - middle)), 0.08)
        odd = [r for r, x in zip(group, logs, strict=True) if abs(x - middle) > 4 * spread]
        if odd:
            named = ", ".join(f"{r.id} ({r.seconds:.2f} s)" for r in odd[:5]) + (", ..." if len(odd) > 5 else "")
            out.append(
                Finding(
                    "odd length",
                    "warn",
                    f"{plural(len(odd), 'recording')} of {_name(label)} far from the usual "
                    f"{np.exp(middle):.2f} s: {named}",
                    tuple(r.id for r in odd),
                    "Play them back: a take may hold two gestures, or half of one.",
                )
            )
    return out


def balance(dataset):
    """Labels that are missing, too few, out of balance, or of one person only."""
    out = []
    bare = [r for r in dataset if not r.labels]
    if bare:
        out.append(
            Finding(
                "no label",
                "warn",
                f"{plural(len(bare), 'recording')} without a label",
                tuple(r.id for r in bare),
                "Label them, or leave them out.",
            )
        )
    counts = dataset.counts()
    totals = {label: sum(persons.values()) for label, persons in counts.items()}
    if len(totals) == 1:
        out.append(
            Finding(
                "one label",
                "bad",
                f"there is only one label, {_name(next(iter(totals)))}",
                (),
                "Record a second one; a classifier needs at least two.",
            )
        )
    if len(totals) > 1:
        most, least = max(totals, key=totals.get), min(totals, key=totals.get)
        if totals[most] >= 3 * totals[least]:
            what = "rows" if dataset.is_stream else "recordings"
            out.append(
                Finding(
                    "imbalance",
                    "warn",
                    f"{_name(most)} has {totals[most]} {what}, {_name(least)} has {totals[least]}",
                    (),
                    f"Record more of {_name(least)}, and judge by macro F1.",
                )
            )
    if not dataset.is_stream:
        few = {label: n for label, n in totals.items() if n < FEW}
        if few:
            out.append(
                Finding(
                    "few takes",
                    "warn",
                    ", ".join(f"{_name(k)} has {n}" for k, n in few.items()) + f": fewer than {FEW}",
                    (),
                    "Record more.",
                )
            )
    if len(dataset.persons) > 1:
        single = sorted(label for label, persons in counts.items() if len(persons) == 1)
        if single:
            out.append(
                Finding(
                    "one person",
                    "warn",
                    f"{', '.join(map(_name, single))} come from one person only, of {len(dataset.persons)}",
                    (),
                    "A split by person cannot test these; have others record them.",
                )
            )
    return out


def wrong_units(recordings):
    """Gravity that is not 1 g at rest; rotation too small for the acceleration beside it."""
    out = []
    for person, group in _by(recordings, lambda r: r.person).items():
        who = f" of {person}" if person else ""
        rest = rest_length(group)
        if rest is not None and not 0.75 < rest < 1.3:
            out.append(
                Finding(
                    "units",
                    "warn",
                    f"the quietest parts{who} measure {rest:.2f} g, expected about 1 g",
                    (),
                    "Check the unit (open_dataset(..., acceleration='m/s2')), or whether gravity was taken off.",
                )
            )
        moved = [motion(r.samples, r.channels) for r in group]
        ratio = np.median([g / a for a, g in moved if a > 0.1] or [np.nan])
        if ratio < 8:
            out.append(
                Finding(
                    "units",
                    "warn",
                    f"rotation{who} is {ratio:.1f} deg/s per g of movement, hands turn by 50 to 400",
                    (),
                    "Perhaps it is in rad/s: open_dataset(..., angular_rate='rad/s').",
                )
            )
    return out


def times(recordings):
    """Rates by their own time stamps that differ, and gaps."""
    out = []
    rates = np.array([r.rate_hz for r in recordings])
    middle = float(np.median(rates))
    odd = [r for r, rate in zip(recordings, rates, strict=True) if abs(rate / middle - 1) > SAME_RATE]
    if odd:
        out.append(
            Finding(
                "rate",
                "warn",
                f"{plural(len(odd), 'recording')} not at the usual {middle:.1f} Hz: "
                + ", ".join(f"{r.id} ({r.rate_hz:.1f} Hz)" for r in odd[:5]),
                tuple(r.id for r in odd),
                "Check the board's setting.",
            )
        )
    gaps = []
    for r in recordings:
        if r.timestamps_ms is not None and len(r) > 2:
            steps = np.diff(r.timestamps_ms)
            if (steps < 0).any():
                out.append(Finding("time", "bad", f"{r.id}: its times run backwards", (r.id,), "Leave it out."))
            elif steps.max() > 10 * 1000.0 / r.rate_hz:
                gaps.append((r, float(steps.max())))
    if gaps:
        out.append(
            Finding(
                "gap",
                "warn",
                f"{plural(len(gaps), 'recording')} with gaps: "
                + ", ".join(f"{r.id} ({gap:.0f} ms)" for r, gap in gaps[:5]),
                tuple(r.id for r, _ in gaps),
                "Samples were lost there; look before you train on them.",
            )
        )
    return out


def grips(recordings):
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
    return (
        [
            Finding(
                "grip",
                "warn",
                "the board is held another way by " + ", ".join(f"{p} ({a:.0f} degrees off)" for p, a in odd.items()),
                (),
                "Augment with rotations, or ask how they hold it.",
            )
        ]
        if odd
        else []
    )
