"""A keyword pipeline over long recordings: tuned on some, shown on others, with the curve.

    python benchmarks/stream.py --pipeline FIVE.tk          three times ten minutes to tune on, as much to show
    python benchmarks/stream.py                             trains the five words first (a quarter of an hour)
    python benchmarks/stream.py --pipeline FIVE.tk --html curve.html

Recordings come from TINYKIT_DATA (default ../shared/data beside the checkout) and are composed:
words of speakers that the pipeline did not learn from, other words between them, under noise of 5 to
20 dB. Half of these speakers are for tuning, the others for showing; so are the noises that were in no
training, where there are two or more. Answers are those of the int8 network by the device's own sources.
"""

import argparse
import hashlib
import json
import os
import time
from pathlib import Path

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "2")

import tinykit as tk  # noqa: E402
from tinykit.data import Dataset, compose_scene, open_dataset, open_noise  # noqa: E402
from tinykit.data.keywords import words_of  # noqa: E402
from tinykit.engine import cost, evaluate_stream, tune  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("TINYKIT_DATA", ROOT.parent / "shared" / "data"))
WORDS = ("left", "right", "up", "down", "go")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipeline", type=Path)
    parser.add_argument("--per-hour", type=float, default=12.0, help="false alarms per hour to allow when tuning")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--tunes", type=int, default=3, help="recordings to tune on")
    parser.add_argument("--shows", type=int, default=3)
    parser.add_argument("--html", type=Path, help="write the last report's card there")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    everything, noise = open_dataset(DATA / "speech_commands"), open_noise(DATA)
    pipeline = tk.Pipeline.load(args.pipeline) if args.pipeline else trained(everything, noise)
    learnt = set(pipeline.provenance["persons"])
    words = words_of(pipeline.labels)
    sides = [[], []]
    for r in everything:
        if r.person not in learnt:
            sides[hashlib.sha256(r.person.encode()).digest()[0] & 1].append(r)
    heard = set(pipeline.provenance.get("noise", ()))
    noises = [r for r in noise if (r.word or r.id) not in heard] or list(noise)
    print(f"{pipeline.name} {pipeline.fingerprint}: answers every {1000 * pipeline.hop / pipeline.rate_hz:.0f} ms; "
          f"unheard speakers: {len({r.person for r in sides[0]})} to tune on, {len({r.person for r in sides[1]})} to "
          f"show; noises {', '.join(r.word or r.id for r in noises)}")  # fmt: skip

    def scene(side, seed):
        noise_side = noises[side::2] if len(noises) > 1 else noises
        return compose_scene(sides[side], noise_side, 60 * args.minutes, words, seed)

    started = time.perf_counter()
    tuned = tune(pipeline, [scene(0, 100 + k) for k in range(args.tunes)], false_alarms_per_hour=args.per_hour)
    print(f"tuned in {time.perf_counter() - started:.1f} s: {tuned.provenance['tuned']}")
    results = []
    for seed in range(1, args.shows + 1):
        shown = scene(1, seed)
        started = time.perf_counter()
        report = evaluate_stream(tuned, shown)
        took = time.perf_counter() - started
        print(f"\n{report!r}\n(ten minutes' answers, score and curve in {took:.1f} s)")
        untuned = evaluate_stream(pipeline, (report.answers, shown.events))
        print(f"as trained, not tuned: {untuned.score.found} of {untuned.score.said} found, "
              f"{untuned.score.false_alarms} false alarms")  # fmt: skip
        results.append({**report.as_dict(), "took_s": took})
    found, said = sum(r["found"] for r in results), sum(r["said"] for r in results)
    false, seconds = sum(r["false_alarms"] for r in results), sum(r["seconds"] for r in results)
    print(f"\nAll: {found} of {said} words found ({100 * found / said:.1f} %), {false} false alarms in "
          f"{seconds / 60:.0f} minutes ({3600 * false / seconds:.1f} per hour)")  # fmt: skip
    print(report.curve)
    if args.html:
        args.html.write_text(f"<!doctype html><meta charset=utf-8>{report._repr_html_()}", encoding="utf-8")
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"{cost(tuned).milliseconds:.1f} ms an answer, estimated")


def trained(everything, noise):
    """The five words, learnt from three quarters of the speakers."""
    part = Dataset([r for r in everything if hashlib.sha256(r.person.encode()).digest()[1] >= 64], everything.card)
    quiet = noise.part([r for r in noise if r.split == "training"])
    pipeline = tk.train("keyword", part, words=WORDS, noise=quiet)
    return tk.quantize(pipeline, part)


if __name__ == "__main__":
    main()
