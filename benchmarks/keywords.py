"""Accuracy of keyword networks on real recordings, clean and in noise, beside logistic regression.

    python benchmarks/keywords.py                     three networks, 3 seeds
    python benchmarks/keywords.py --models res_time --seeds 1
    python benchmarks/keywords.py --board             every int8 answer by the virtual board as well

Recordings come from TINYKIT_DATA (default ../shared/data beside the checkout): Speech Commands,
the words left, right, up, down, go, all other words as "unknown", pieces of noise as "silence".

Training: the speakers that the authors' hash rule gives to training. Test: those of validation and
testing together, since the shared copy has 19 keyword clips of testing speakers only; nothing is
chosen by them: training runs its fixed schedule. Settings were chosen by a fifth of the training
speakers, held out for that. Noise is split by file: the test noises (under words at 10 and 0 dB,
root mean squares of the whole clip, and cut for silence) are never heard in training. All networks
have the same epochs and the same changes of the clips; logistic regression has the clips as they are.

"recall" is that of the words when the threshold on the best word's probability is set so that at
least 90 % of the other words stay below it. Noisy tests hold words and other words, no silence.
"""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np

import tinykit as tk
from tinykit import data, engine, models
from tinykit.data.keywords import BACKGROUND, SILENCE
from tinykit.data.noise import mix, open_noise
from tinykit.models import zoo_keyword
from tinykit.models.backend import versions

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("TINYKIT_DATA", ROOT.parent / "shared" / "data")) / "speech_commands"
WORDS = ("left", "right", "up", "down", "go")
SNRS_DB = (10, 0)
REJECTION = 0.9
TARGETS = {"accuracy": 0.93, "macro_f1": 0.93, "recall": 0.94, "at 10 dB": 0.90, "at 0 dB": 0.82}
MOST_BYTES, MOST_ARENA, MOST_SECONDS = 60_000, 32_768, 900


class Tests:
    """The test clips, clean and in noise, as one dataset; and how answers to them are scored."""

    def __init__(self, dataset, noise):
        self.noise = [r for r in noise if r.split != "training"]
        test = dataset.select(lambda r: r.split != "training")
        clean = data.keywords(test, WORDS, noise.part(self.noise), unknown_share=None)
        spoken = [r for r in clean if r.label != SILENCE]
        self.parts = {"clean": list(clean)}
        for r in self.noise:
            for snr in SNRS_DB:
                rng = np.random.default_rng(snr)
                name = f"{r.word} at {snr} dB"
                self.parts[name] = [x.with_(samples=mix(x.counts()[:, 0], r, snr, rng)) for x in spoken]
        self.whole = clean.part([r for part in self.parts.values() for r in part])
        self.persons = len(test.persons)

    def score(self, truth, predicted, scores=None):
        """Figures of one network's answers to ``whole``.

        Parameters
        ----------
        truth, predicted : int arrays
            Places among silence, unknown and the words.
        scores : array of shape (n, labels), optional
        """
        first, figures = 0, {}
        for name, part in self.parts.items():
            here = slice(first, first + len(part))
            first += len(part)
            report = models.Report((*BACKGROUND, *WORDS), truth[here], predicted[here])
            figures[name] = report.accuracy
            if name == "clean":
                figures = {"accuracy": report.accuracy, "macro_f1": report.macro_f1}
                if scores is not None:
                    figures["recall"] = recall(truth[here], scores[here])
        for snr in SNRS_DB:
            figures[f"at {snr} dB"] = float(np.mean([v for k, v in figures.items() if k.endswith(f" at {snr} dB")]))
        return figures


def recall(truth, scores) -> float:
    """Share of words found and named rightly at the lowest threshold that rejects 90 % of other words."""
    best = scores[:, 2:].max(axis=1)
    levels = np.unique(best)
    others = best[truth == 1]
    threshold = next((x for x in levels if np.mean(others < x) >= REJECTION), np.inf)
    found = (best >= threshold) & (scores[:, 2:].argmax(axis=1) + 2 == truth)
    return float(found[truth > 1].mean())


def measure(name, seed, train, noise, tests, epochs=None, board=None, keep=None):
    """Train, quantise and test one network; a dictionary of plain numbers."""
    wall, cpu = time.perf_counter(), time.process_time()
    heard = noise.part([r for r in noise if r.split == "training"])
    pipeline = tk.train(
        "keyword", train, words=WORDS, noise=heard, model=name, seed=seed, epochs=epochs, progress=False
    )
    seconds = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    pipeline = tk.quantize(pipeline, train)
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        pipeline.save(keep / f"{name}-{seed}.tk")
    windows = models.test_windows(pipeline, tests.whole)
    answers = {"float": models.predict(pipeline, windows.counts), "int8": engine.answers(pipeline, windows.counts)}
    figures = {k: tests.score(windows.labels, v.argmax(axis=1), v.astype(float)) for k, v in answers.items()}
    cost = tk.cost(pipeline).as_dict()
    result = {
        "model": name,
        "seed": seed,
        "seconds": seconds,
        "epochs": pipeline.provenance["epochs"],
        "weights": pipeline.provenance["weights"],
        "macs": pipeline.provenance["macs"],
        "cost": cost,
        **figures,
    }
    if board is not None:
        board.deploy(pipeline, progress=False)
        own = board.answers(windows.counts)
        result["board"] = {"answers": len(own), "equal": int((own == answers["int8"]).all(axis=1).sum())}
    return result


def logistic_regression(train, noise, tests):
    """The simple methods on the same clips."""
    heard = noise.part([r for r in noise if r.split == "training"])
    found = models.baselines(train, tests.whole, words=WORDS, noise=heard)
    return {name: tests.score(r.truth, r.predicted) for name, r in found.reports.items()}


def summary(runs, simple):
    """Mean and spread over seeds, a dictionary a network."""
    out = {}
    for name in dict.fromkeys(r["model"] for r in runs):
        mine = [r for r in runs if r["model"] == name]
        spread = {
            kind: {
                key: {
                    "mean": round(float(np.mean([r[kind][key] for r in mine])), 4),
                    "sd": round(float(np.std([r[kind][key] for r in mine])), 4),
                }
                for key in mine[0][kind]
            }
            for kind in ("float", "int8")
        }
        cost = mine[0]["cost"]
        out[name] = {
            "seeds": [r["seed"] for r in mine],
            **spread,
            "weights": mine[0]["weights"],
            "macs": mine[0]["macs"],
            "plan_bytes": max(r["cost"]["plan_bytes"] for r in mine),
            "arena_bytes": cost["arena_bytes"],
            "cycles_estimated": cost["cycles_estimated"],
            "epochs": mine[0]["epochs"],
            "seconds": {k: round(float(np.mean([r["seconds"][k] for r in mine])), 1) for k in ("wall", "cpu")},
            **({"board": [r["board"] for r in mine]} if "board" in mine[0] else {}),
        }
    return {**out, **{name: {"int8": None, "float": figures} for name, figures in simple.items()}}


def table(results):
    """The results as text, in Markdown."""
    heads = ["accuracy", "macro_f1", "recall", "at 10 dB", "at 0 dB"]
    lines = [
        "| network | answers | accuracy | macro F1 | recall at 90 % rejection | at 10 dB | at 0 dB |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, m in results.items():
        for kind in ("int8", "float"):
            if m[kind] is None:
                continue
            cells = [m[kind].get(h) for h in heads]
            cells = [
                "" if c is None else f"{c['mean']:.3f} ± {c['sd']:.3f}" if isinstance(c, dict) else f"{c:.3f}"
                for c in cells
            ]
            lines.append(f"| {name} | {kind} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "| network | weights | MACs | plan bytes | arena bytes | cycles, est. | ms at 64 MHz, est. | epochs | "
        "training wall s | CPU s |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, m in results.items():
        if m["int8"] is not None:
            lines.append(
                f"| {name} | {m['weights']:,} | {m['macs']:,} | {m['plan_bytes']:,} | {m['arena_bytes']:,} | "
                f"{m['cycles_estimated']:,} | {m['cycles_estimated'] / 64e3:.1f} | {m['epochs']} | "
                f"{m['seconds']['wall']:.0f} | {m['seconds']['cpu']:.0f} |"
            )
    return "\n".join(lines)


def verdict(name, m):
    """What the numbers of one network say against the targets, in one line."""
    missed = [f"{k} {m['int8'][k]['mean']:.3f} < {v}" for k, v in TARGETS.items() if m["int8"][k]["mean"] < v]
    if m["plan_bytes"] > MOST_BYTES or m["arena_bytes"] > MOST_ARENA:
        missed.append(f"plan {m['plan_bytes']:,} B, arena {m['arena_bytes']:,} B")
    if m["seconds"]["wall"] > MOST_SECONDS:
        missed.append(f"training {m['seconds']['wall']:.0f} s")
    lost = 100 * (m["float"]["accuracy"]["mean"] - m["int8"]["accuracy"]["mean"])
    return f"{name}: float minus int8 {lost:+.2f} points; " + (
        "NOT met: " + ", ".join(missed) if missed else "all targets met."
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    default = [zoo_keyword.names()[0], "ds_cnn", "tiny_conv"]
    parser.add_argument("--models", nargs="+", default=default, choices=zoo_keyword.names())
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="of every network; default what tinykit.train chooses")
    parser.add_argument("--board", action="store_true", help="int8 answers by the virtual board as well, and compared")
    parser.add_argument("--keep", type=Path, help="folder for the trained pipelines")
    parser.add_argument("--out", type=Path, help="JSON; default benchmarks/results/keywords.json, none for part runs")
    parser.add_argument("--resume", nargs="+", type=Path, default=(), help="JSON files with runs to take over")
    arguments = parser.parse_args()
    if not DATA.is_dir():
        parser.error(f"the recordings are not in {DATA}; set TINYKIT_DATA to their folder")
    whole = arguments.models == default and arguments.seeds == 3 and not arguments.epochs
    out = arguments.out or (ROOT / "benchmarks" / "results" / "keywords.json" if whole else None)

    dataset = tk.open_dataset(DATA)
    noise = open_noise(dataset.card["noise"])
    train, tests = dataset.select(split="training"), Tests(dataset, noise)
    heard = sorted(r.word for r in noise if r.split == "training")
    facts = {
        "fingerprint": dataset.fingerprint,
        "training": {"recordings": len(train), "persons": len(train.persons), "noises": heard},
        "test": {
            "persons": tests.persons,
            "noises": sorted(r.word for r in tests.noise),
            "clips": {name: len(part) for name, part in tests.parts.items()},
            "labels": {x: sum(r.label == x for r in tests.parts["clean"]) for x in (*BACKGROUND, *WORDS)},
        },
    }
    print(json.dumps(facts, indent=1), flush=True)
    simple = logistic_regression(train, noise, tests)
    print(json.dumps(simple), flush=True)
    board = tk.connect("virtual://nano33ble/benchmark?flash=memory&clock=free") if arguments.board else None
    runs, known = [], {}
    for file in arguments.resume:
        before = json.loads(file.read_text(encoding="utf-8"))
        if before["fingerprint"] != facts["fingerprint"]:
            parser.error(f"{file} was measured on other recordings")
        known.update({(r["model"], r["seed"]): r for r in before["runs"]})
    for seed in range(arguments.seeds):
        for name in arguments.models:
            again = known.get((name, seed))
            runs.append(again or measure(name, seed, train, noise, tests, arguments.epochs, board, arguments.keep))
            r = runs[-1]
            text = ", ".join(f"{k} {v:.3f}" for k, v in r["int8"].items())
            text += f"; {r['seconds']['wall']:.0f} s, CPU {r['seconds']['cpu']:.0f} s"
            text += f"; board equal {r['board']['equal']} of {r['board']['answers']}" if "board" in r else ""
            print(f"{name} seed {seed}: {text}", flush=True)
            results = summary(runs, simple)
            if out:  # after each run: what is measured is not lost
                out.parent.mkdir(parents=True, exist_ok=True)
                text = json.dumps({"versions": versions(), **facts, "results": results, "runs": runs}, indent=1)
                out.write_text(text + "\n", encoding="utf-8")
    if board is not None:
        board.close()
    print(table(results))
    for name in arguments.models:
        print(verdict(name, results[name]))
    if out:
        print(f"Written: {out}")


if __name__ == "__main__":
    main()
