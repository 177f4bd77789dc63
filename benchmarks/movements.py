"""How well a long take of motion splits itself: real takes, one after another, with rest between.

``python benchmarks/movements.py`` reads the public sets under ``TINYKIT_DATA`` (see CONTRIBUTING.md)
and prints what was found, missed, doubled or joined, and what is said of streams that can't be split.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from tinykit.data import Recording, open_dataset, units
from tinykit.data.movements import split_movements

GESTURES = ("nano33_gestures", "nano33_spells", "mpu6050_gestures", "magic_wand_esp32")
MOVES_G = 0.05  # takes that move less (standard deviation) hold no gesture: some of "negative", of "peter"
PAUSES_S = ((0.5, 0.9), (0.8, 2.0), (1.0, 3.0))
UNREST = (0.3, 1.0, 3.0)  # of the hand between the takes; 1 is usual


def moving(takes) -> list[Recording]:
    """Those in which something moves."""
    return [r for r in takes if r.samples.std(0)[:3].max() > MOVES_G]


def unrest(n: int, rate_hz: float, random, size: float = 1.0) -> np.ndarray:
    """A hand that rests: slow tremor of some mg and deg/s, and the sensor's noise; (n, 6), made up."""
    t = np.arange(n)[:, None] / rate_hz
    out = random.normal(size=(n, 6)) * ([0.004] * 3 + [0.15] * 3)
    for hz in (1.3, 2.9, 6.1, 9.4):
        swing = np.sin(2 * np.pi * hz * t + random.uniform(0, 2 * np.pi, 6)) * random.normal(size=6)
        out += size * swing * ([0.003] * 3 + [1.0] * 3)
    return out


def pose_of(take: Recording) -> np.ndarray:
    """How the board is held in a take: 1 g along its median, no turning."""
    pose = np.median(take.samples, axis=0).astype(float)
    a = [i for i, c in enumerate(take.channels) if units.is_acceleration(c)]
    pose[a] /= max(np.linalg.norm(pose[a]), 1e-6)
    pose[[i for i in range(len(pose)) if i not in a]] = 0.0
    return pose


def long_take(takes, random, pause_s=(0.8, 2.0), size: float = 1.0):
    """Takes with rest before, between and after: the recording, and where each take is, in seconds.

    In a pause the hand turns from how it held the board in one take to how it does in the next.
    """
    rate, channels = takes[0].rate_hz, takes[0].channels
    columns = [units.CHANNELS.index(c) for c in channels]
    a = [i for i, c in enumerate(channels) if units.is_acceleration(c)]
    edge = max(1, round(0.06 * rate))  # a take that begins in full swing: no step there
    fade = np.linspace(1, 0, edge + 2)[1:-1, None]
    rows, truth, at, before = [], [], 0, None
    for take in [*takes, None]:
        here = pose_of(take) if take is not None else before
        n = round(random.uniform(*pause_s) * rate)
        s = np.linspace(0, 1, n)[:, None]
        rest = here + ((before if before is not None else here) - here) * (1 - s**3 * (10 - 15 * s + 6 * s**2))
        rest[:, a] /= np.maximum(np.linalg.norm(rest[:, a], axis=1, keepdims=True), 0.3)
        rest += unrest(n, rate, random, size)[:, columns]
        if rows:
            rest[:edge] = rows[-1][-1] * fade + rest[:edge] * (1 - fade)
        if take is not None:
            rest[-edge:] = rest[-edge:] * fade + take.samples[0] * (1 - fade)
        rows.append(rest)
        at += n
        if take is not None:
            rows.append(take.samples.astype(float))
            truth.append((at / rate, (at + len(take)) / rate))
            at, before = at + len(take), here
    made = Recording(np.concatenate(rows), channels, rate, takes[0].label, person=takes[0].person)
    return made, truth


def long_takes(dataset, seed: int = 0, many: int = 12, **how):
    """Long takes of up to ``many`` of each person's takes of each label: (recording, truth)."""
    for person in dataset.persons:
        for label in dataset.labels:
            takes = moving(dataset.select(persons=person, labels=label))
            for k in range(0, len(takes) - 2, many):
                part = takes[k : k + many]
                if len(part) > 2:
                    yield long_take(part, np.random.default_rng([seed, k, len(takes)]), **how)


def score(spans, truth) -> np.ndarray:
    """Takes, found once, missed, doubled (in pieces), joined with a neighbour; and finds where no take is."""
    hits = [[j for j, s in enumerate(spans) if s.start_s < end and s.end_s > start] for start, end in truth]
    owners = [sum(j in h for h in hits) for j in range(len(spans))]
    joined = [any(owners[j] > 1 for j in h) for h in hits]
    missed = sum(not h for h in hits)
    doubled = sum(len(h) > 1 and not also for h, also in zip(hits, joined, strict=True))
    found = len(hits) - missed - doubled - sum(joined)
    return np.array([len(truth), found, missed, doubled, sum(joined), owners.count(0)])


def main() -> None:
    folder = Path(os.environ.get("TINYKIT_DATA", "../shared/data")) / "gestures"
    sets = {name: open_dataset(folder / name) for name in GESTURES}
    print("| pauses, s | unrest | takes | found | missed | in pieces | joined | nothing there |")
    print("|---|---|---|---|---|---|---|---|")
    for pause_s in PAUSES_S:
        for size in UNREST:
            total = sum(
                score(split_movements(r).spans, truth)
                for d in sets.values()
                for r, truth in long_takes(d, pause_s=pause_s, size=size)
            )
            row = " | ".join(str(n) for n in total[2:])
            share = total[1] / total[0]
            print(f"| {pause_s[0]} to {pause_s[1]} | {size} | {total[0]} | {total[1]} ({share:.1%}) | {row} |")
    print("\n| pauses of 0.8 to 2 s | takes | found | missed | in pieces | joined | nothing there |")
    print("|---|---|---|---|---|---|---|")
    for name, dataset in sets.items():
        total = sum(score(split_movements(r).spans, truth) for r, truth in long_takes(dataset))
        print(f"| {name} | {' | '.join(str(n) for n in total)} |")
    print("\n| can't be split | recordings | said so | movements found |\n|---|---|---|---|")
    for name, parts in unsplit(folder).items():
        made = [split_movements(r) for r in parts]
        print(f"| {name} | {len(made)} | {sum(bool(s.doubt) for s in made)} | {sum(len(s) for s in made)} |")


def unsplit(folder) -> dict[str, list[Recording]]:
    """Real recordings without single movements: lying still, walking, and movement without a rest."""
    motion = open_dataset(folder / "edge_impulse_motion")
    out = {f"{label}, without a rest": list(motion.select(labels=label)) for label in ("circle", "flick", "updown")}
    out["idle"] = list(motion.select(labels="idle"))
    walks = []
    for r in open_dataset(folder / "har_smartwatch"):
        rows = np.flatnonzero(np.isin(r.row_labels, ["WALKING", "TURNING"]))
        part = slice(rows[0], rows[-1] + 1)
        times = None if r.timestamps_ms is None else r.timestamps_ms[part]
        walks.append(r.with_(samples=r.samples[part], row_labels=None, timestamps_ms=times, label="walking"))
    out["walking, watch on the wrist"] = walks
    return out


if __name__ == "__main__":
    main()
