"""Whether gestures are announced live: takes of strangers one after another, with rest between.

    python benchmarks/gesture_stream.py                       both sets, one seed
    python benchmarks/gesture_stream.py --shift 0.1 0.3       two ways to train, on the same sides

Accuracy of single takes says little about live mode, where windows begin anywhere: most hold half a
gesture and half rest. Each person's takes, labels mixed, are put into long ones (see ``movements.py``:
the rest is made up), answered at every hop and decided on by the device's sources, and counted as the
live widget counts: each change of the decision to a gesture is one. Found: with the gesture's label,
while a window that holds some of it counts. Again: once more for the same gesture. Wrong: another
label in its place. Nothing there: where only rest was.
"""

import argparse
import os
from dataclasses import replace

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

import numpy as np  # noqa: E402
from gestures import DATA, folds_of  # noqa: E402
from movements import long_take, moving  # noqa: E402

import tinykit as tk  # noqa: E402
from tinykit import engine, models  # noqa: E402
from tinykit.board.live import BACKGROUND  # noqa: E402
from tinykit.engine.detection import announcements  # noqa: E402
from tinykit.models.defaults import choose  # noqa: E402
from tinykit.pipeline import Decision  # noqa: E402

SETS = ("magic_wand_esp32", "nano33_gestures", "nano33_spells")
RULES = ((3, 0.6), (2, 0.5))


def streams(dataset, seed: int, many: int = 12):
    """Long takes of each person, labels mixed; with them where each take is, and its label."""
    random = np.random.default_rng(seed)
    for person in dataset.persons or ("",):
        takes = moving(dataset.select(persons=person))
        order = random.permutation(len(takes))
        for k in range(0, len(order) - 2, many):
            part = [takes[i] for i in order[k : k + many]]
            made, places = long_take(part, random)
            yield made, [(*place, take.label) for place, take in zip(places, part, strict=True)]


def answers_to(pipeline, dataset, made) -> engine.StreamAnswers:
    """The int8 network's answer to the window that ends at every hop."""
    cut = dataset.part([made]).windows(
        pipeline.window, pipeline.hop, pipeline.rate_hz, pipeline.front_end.channels, pipeline.labels
    )  # fmt: skip
    ends = np.minimum((pipeline.window + np.arange(len(cut)) * pipeline.hop) / pipeline.rate_hz, made.seconds)
    return engine.StreamAnswers(ends, engine.answers(pipeline, cut.counts), pipeline.labels, made.seconds)


def decided(heard, rule) -> list:
    """Times and labels at which the decision changes to a gesture."""
    (announced,), _ = announcements(heard, rule.smoothing, 0.0, [rule.threshold])
    changed = np.flatnonzero(np.diff(announced, prepend=-1))
    said = [(heard.times_s[k], heard.labels[announced[k]]) for k in changed if announced[k] >= 0]
    return [(t, label) for t, label in said if label not in BACKGROUND]


def score(found, truth, reach_s: float) -> np.ndarray:
    """Gestures, found, again, wrong, nothing there."""
    said, wrong, again, nowhere = set(), 0, 0, 0
    for time_s, label in found:
        over = [min(end, time_s) - max(start, time_s - reach_s) for start, end, _ in truth]
        k = int(np.argmax(over))
        mine = [i for i, o in enumerate(over) if o > 0 and truth[i][2] == label]
        if mine:
            new = [i for i in mine if i not in said]
            again += not new
            said.update(new[:1])
        elif over[k] > 0:
            wrong += 1
        else:
            nowhere += 1
    gestures = sum(label not in BACKGROUND for _, _, label in truth)
    return np.array([gestures, len(said), again, wrong, nowhere])


def measure(name: str, seed: int, shift: float | None, most: int | None):
    """By rule: the counts of ``score`` over all folds; and the takes answered rightly one by one."""
    dataset = tk.open_dataset(DATA / name)
    total, right = {rule: np.zeros(5, int) for rule in RULES}, np.zeros(2, int)
    for fold in folds_of(name, dataset)[:most]:
        how = {} if shift is None else {"augment": replace(choose(fold.train).augment, shift=shift)}
        pipeline = tk.quantize(tk.train("gesture", fold.train, seed=seed, progress=False, **how), fold.train)
        windows = models.test_windows(pipeline, fold.test)
        single = models.Report.of(windows, engine.answers(pipeline, windows.counts).astype(float))
        right += [int((single.truth == single.predicted).sum()), len(single)]
        for made, truth in streams(fold.test, seed):
            heard = answers_to(pipeline, fold.test, made)
            for rule in RULES:
                found = decided(heard, Decision(*rule))
                reach = (pipeline.window + (rule[0] - 1) * pipeline.hop) / pipeline.rate_hz
                total[rule] += score(found, truth, reach)
    return total, right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--shift", nargs="+", type=float, default=[None], help="of the augmentation; default: as set")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folds", type=int, help="at most so many folds a set")
    arguments = parser.parse_args()
    print("| set | shift | single takes | smoothing, threshold | gestures | found | again | wrong | nothing there |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in arguments.sets:
        for shift in arguments.shift:
            total, right = measure(name, arguments.seed, shift, arguments.folds)
            for (smoothing, threshold), n in total.items():
                rule = f"{smoothing}, {threshold}"
                row = f"{n[0]} | {n[1]} ({n[1] / n[0]:.1%}) | {n[2]} | {n[3]} | {n[4]}"
                how = "as set" if shift is None else shift
                print(f"| {name} | {how} | {right[0]} of {right[1]} | {rule} | {row} |", flush=True)


if __name__ == "__main__":
    main()
