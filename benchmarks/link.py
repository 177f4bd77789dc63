"""Streaming loss, counted losses on a noisy line, and the time from deploy() to the first live prediction.

    python benchmarks/link.py [--seconds 60] [--repeat 5] [--json]

All on the virtual board with the paced clock, so times are those that people meet; they depend on
this computer, the losses don't.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "board"))

import numpy as np

from tinykit.board import Board


def stream(seconds, corrupt=0.0):
    """One paced stream; the samples themselves are checked against what the sensor produced."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"virtual://nano33ble?clock=paced&flash={(Path(folder) / 'flash.bin').as_posix()}"
        with Board(url, remember=False) as board:
            with board.stream("imu", seconds=seconds, capacity_s=seconds + 10) as samples:
                samples.read(1)
                board.machine.faults.corrupt = corrupt
                began = time.monotonic()
                list(samples)
                took = time.monotonic() - began
                board.machine.faults.corrupt = 0.0
            block, _ = samples.read_new()
            stats = samples.stats
            repeated = len(block.index) - len(np.unique(block.index))
            return {
                "seconds": round(took, 2),
                "corrupted bytes": corrupt,
                "received": stats.received,
                "lost": stats.lost,
                "repeated": repeated,
                "accounted": stats.received + stats.lost,
                "damaged frames": board._link.decoder.damaged,
                "rate Hz": round(stats.rate_hz, 3),
                "jitter ms": round(stats.jitter_ms, 4),
            }


def first_prediction(pipeline, repeat):
    """Seconds from deploy() to the switch-over and to the first live prediction."""
    rows = []
    for _ in range(repeat):
        with tempfile.TemporaryDirectory() as folder:
            url = f"virtual://nano33ble?clock=paced&flash={(Path(folder) / 'flash.bin').as_posix()}"
            with Board(url, remember=False) as board:
                time.sleep(1.5)  # a window's worth of samples: a board on a table has been on for longer
                done = board.deploy(pipeline, progress=False)
                with board.live() as live:
                    live.next()
                rows.append((done.plan_bytes, done.seconds, done.first_prediction_s))
    return rows


def main():
    """Measure and print."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--seconds", type=float, default=60)
    words.add_argument("--repeat", type=int, default=5)
    words.add_argument("--json", action="store_true")
    options = words.parse_args()
    from conftest import make_pipeline

    pipeline = make_pipeline("benchmark", seed=1, window=119, hop=12, filters=16)
    results = {"streams": [stream(options.seconds), stream(options.seconds, corrupt=0.01)], "deploy": []}
    for size, switched, first in first_prediction(pipeline, options.repeat):
        results["deploy"].append({"plan bytes": size, "switched s": round(switched, 3), "first s": round(first, 3)})
    if options.json:
        print(json.dumps(results, indent=1))
        return
    for rows in results.values():
        print(" | ".join(rows[0]))
        for row in rows:
            print(" | ".join(str(value) for value in row.values()))
        print()
    firsts = [row["first s"] for row in results["deploy"]]
    print(f"deploy() to the first live prediction: median {statistics.median(firsts)} s, worst {max(firsts)} s")


if __name__ == "__main__":
    main()
