"""Every window of every test set, answered by the board: bit for bit as TensorFlow Lite Micro?

    python benchmarks/board_exact.py [--sets NAME ...] [--epochs 6] [--json]

For each fold of each set of real recordings (TINYKIT_DATA), as benchmarks/gestures.py cuts them: train,
quantise, deploy to the virtual board, and have it answer all windows of the test side through its own
front end. The golden reference gets the same windows as int8 tensors and runs the .tflite file itself
with the reference kernels of the tflite-micro package. Training is short: what is compared is
arithmetic, and that must be equal for any weights.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

import numpy as np  # noqa: E402
from gestures import DATA, TARGETS, folds_of  # noqa: E402

import tinykit as tk  # noqa: E402
from tinykit import engine, features, models  # noqa: E402
from tinykit.board import Board  # noqa: E402


def golden(pipeline, counts) -> np.ndarray:
    """int8 answers of shape (n, labels) by tflite-micro's reference kernels."""
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(pipeline.int8_model, arena_size=1_000_000)
    plan = engine.compile_plan(pipeline)
    x = features.quantized(counts, pipeline.front_end, plan.input_scale, plan.input_zero_point)
    answers = []
    for example in x.reshape(len(x), 1, *plan.input_shape):
        interpreter.set_input(example, 0)
        interpreter.invoke()
        answers.append(np.array(interpreter.get_output(0)).ravel())
    return np.stack(answers)


def measure(name, epochs) -> dict:
    """All folds of one set."""
    dataset = tk.open_dataset(DATA / name)
    windows = equal = 0
    board_s = 0.0
    folds = folds_of(name, dataset)
    with Board("virtual://nano33ble/exact?clock=free&flash=memory", remember=False) as board:
        for number, fold in enumerate(folds):
            pipeline = tk.train("gesture", fold.train, seed=0, epochs=epochs, progress=False)
            pipeline = tk.quantize(pipeline, fold.train)
            counts = models.test_windows(pipeline, fold.test).counts
            board.deploy(pipeline, progress=False)
            began = time.perf_counter()
            answers = board.answers(counts)
            board_s += time.perf_counter() - began
            same = (answers == golden(pipeline, counts)).all(axis=1)
            windows, equal = windows + len(same), equal + int(same.sum())
            print(f"{name} {number + 1}/{len(folds)}: {same.sum()} of {len(same)}", file=sys.stderr, flush=True)
    return {"set": name, "folds": len(folds), "windows": windows, "equal": equal, "board s": round(board_s, 1)}


def main():
    """Measure and print; exit status 1 if a single output differs."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--sets", nargs="+", default=list(TARGETS), choices=list(TARGETS))
    words.add_argument("--epochs", type=int, default=6)
    words.add_argument("--json", action="store_true")
    options = words.parse_args()
    if not DATA.is_dir():
        words.error(f"the recordings are not in {DATA}; set TINYKIT_DATA to their folder")
    rows = [measure(name, options.epochs) for name in options.sets]
    if options.json:
        print(json.dumps(rows, indent=1))
    else:
        print("| " + " | ".join(rows[0]) + " |\n|" + "---|" * len(rows[0]))
        for row in rows:
            print("| " + " | ".join(str(value) for value in row.values()) + " |")
    return 0 if all(row["windows"] == row["equal"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
