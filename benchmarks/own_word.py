"""Your own word: recall at one false alarm in ten minutes, for words that the backbone never heard.

    python benchmarks/own_word.py                            three words, three draws of 20 takes
    python benchmarks/own_word.py --words cat --draws 1 --takes 10

Recordings come from TINYKIT_DATA (default ../shared/data beside the checkout). Takes are drawn from
the training side's speakers of Speech Commands, one take a speaker where there is a choice; the
recordings listened to are composed of other speakers' words under noise that was in no training.
The word is said by speakers of the other sides, whom the backbone never heard saying anything; where
these are fewer than 25 (zero), also by training speakers who gave no take. Distractors are all other
words, those that the backbone knows and those that it does not, said by speakers it never heard.

Answers are those of the int8 network by the device's own sources. The threshold is the one that
train_word set from takes and stock alone; beside it what the curve has at one false alarm in ten
minutes or less, and at none.
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

import numpy as np  # noqa: E402

import tinykit as tk  # noqa: E402
from tinykit.data import Dataset, compose_scene, open_dataset, open_noise  # noqa: E402
from tinykit.engine import cost, evaluate_stream, tuning  # noqa: E402
from tinykit.models import backbone  # noqa: E402
from tinykit.models.word import train_word  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("TINYKIT_DATA", ROOT.parent / "shared" / "data"))
WORDS = ("happy", "cat", "zero")
SNR_DB = {"5 to 20 dB": (5.0, 20.0), "20 dB": (20.0, 20.0)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", default=",".join(WORDS))
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--takes", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    everything, noise = open_dataset(DATA / "speech_commands"), open_noise(DATA)
    kept_out = backbone.load().card["kept_out"]
    rows = []
    for word in args.words.split(","):
        if word not in kept_out:
            raise SystemExit(f"The backbone has heard {word}; words kept out of it: {', '.join(kept_out)}.")
        for draw in range(args.draws):
            rows += one(everything, noise, word, draw, args)
            for row in rows[-len(SNR_DB) :]:
                print(line(row), flush=True)
    print(summary(rows))
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")


def one(everything, noise, word, draw, args):
    rng = np.random.default_rng([draw, sum(map(ord, word))])
    mine = [r for r in everything if r.label == word]
    givers = [r for r in mine if r.split == "training"]
    by_person = {r.person: r for r in (givers[i] for i in rng.permutation(len(givers)))}
    takes = Dataset(list(by_person.values())[: args.takes], {"name": word})
    strangers = [r for r in mine if r.split != "training"]
    if len(strangers) < 25:
        strangers += [r for r in givers if r.person not in takes.persons]
    others = [r for r in everything if r.label != word and r.split != "training" and r.person not in takes.persons]
    assert not {r.person for r in strangers + others} & set(takes.persons)
    quiet = [r for r in noise if r.split == "training"]
    unheard = [r for r in noise if r.split != "training"]
    started = time.perf_counter()
    pipeline = train_word(takes, noise=noise.part(quiet), seed=draw, progress=False)
    trained = time.perf_counter() - started
    pipeline = tk.quantize(pipeline, takes)
    rows = []
    for name, snr in SNR_DB.items():
        scene = compose_scene(strangers + others, unheard, 60 * args.minutes, [word], draw, snr)
        report = evaluate_stream(pipeline, scene)
        curve = fine(report)
        rows.append(
            {
                "word": word, "draw": draw, "takes": len(takes), "snr": name, "trained_s": round(trained, 1),
                "strangers": len({r.person for r in strangers}), **report.score.as_dict(),
                "left_out": pipeline.provenance["word"], "one": at_most(curve, args.minutes / 10),
                "none": at_most(curve, 0), "triggers": report.as_dict()["triggers"],
                "cycles": cost(pipeline).cycles if not rows else rows[0]["cycles"],
            }
        )  # fmt: skip
    return rows


def fine(report):
    """The curve with many thresholds."""
    rule = report.decision
    return tuning.curve(report.answers, report.events, rule.smoothing, rule.suppression_s, np.linspace(0.02, 1, 197))


def at_most(curve, false_alarms):
    """Recall at the lowest threshold from which on there are no more false alarms than that."""
    most = np.maximum.accumulate(curve.false_alarms[::-1, 0])[::-1]
    fits = np.flatnonzero(most <= false_alarms)
    return float(curve.found[fits[0], 0] / curve.said[0]) if len(fits) else 0.0


def line(r):
    return (
        f"{r['word']:7} draw {r['draw']} {r['takes']} takes  noise {r['snr']:10}  as set: {r['found']:3d} of "
        f"{r['said']:3d} found, {r['false_alarms']:2d} false alarms   at one in ten minutes: {r['one']:.3f}   at none: "
        f"{r['none']:.3f}   (left out {r['left_out']['found']} of {r['left_out']['left_out']}, {r['trained_s']} s)"
    )


def summary(rows):
    out = []
    for snr in SNR_DB:
        part = [r for r in rows if r["snr"] == snr]
        one, recall = [r["one"] for r in part], [r["recall"] for r in part]
        false = sum(r["false_alarms"] for r in part)
        out.append(
            f"noise {snr:10}  at one false alarm in 10 minutes: mean {np.mean(one):.3f}, worst {min(one):.3f}; as set: "
            f"mean recall {np.mean(recall):.3f}, worst {min(recall):.3f}, {false} false alarms in "
            f"{sum(r['seconds'] for r in part) / 60:.0f} minutes"
        )
    return "\n".join(out)


if __name__ == "__main__":
    main()
