"""Streaming loss, counted losses on a noisy line, windows of sound, and the time from deploy() to the first prediction.

    python benchmarks/link.py [--seconds 60] [--repeat 5] [--json]

All on the virtual board with the paced clock, so times are those that people meet; they depend on
this computer, the losses don't.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "board"))

import numpy as np
from made import Counting, babble

from tinykit import Pipeline, engine
from tinykit.board import Board
from tinykit.board.virtual import SoundReplay, Together


def virtual():
    """A fresh virtual board on the wall's clock."""
    return Board("virtual://nano33ble/benchmark?clock=paced&flash=memory", remember=False)


def stream(seconds, corrupt=0.0):
    """One paced stream of samples that say their own number."""
    with virtual() as board:
        board.machine.source = Counting()
        time.sleep(0.5)  # what the sensor took before is through
        with board.stream("imu", seconds=seconds, capacity_s=seconds + 10) as samples:
            samples.read(4)
            board.machine.faults.to_board = False
            board.machine.faults.corrupt = corrupt
            began = time.monotonic()
            list(samples)
            took = time.monotonic() - began
            board.machine.faults.corrupt = 0.0
            samples.read(8)  # whole again, so that the last loss shows as a gap
        block, _ = samples.read_new()
        stats = samples.stats
        return {
            "corrupted bytes": f"{corrupt:.0%}",
            "wall s": round(took, 1),
            "sensor took": int(block.index[-1] - block.index[0]) + 1,
            "received": stats.received,
            "counted lost": stats.lost,
            "repeated": len(block.index) - len(np.unique(block.index)),
            "wrong": Counting.wrong(block),
            "damaged frames": board._link.decoder.damaged,
            "true rate Hz": round(stats.rate_hz, 3),
            "jitter ms": round(stats.jitter_ms, 4),
        }


def ramp(n):
    """Counts that say their own place, modulo 65,536, so that a wrong one can't pass for a right one."""
    return ((np.arange(n) * 7919) % 65536 - 32768).astype(np.int16)


def sound(seconds, corrupt=0.0, with_imu=False):
    """One paced stream of sound whose samples say their own place; with the IMU's stream beside it, perhaps."""
    with virtual() as board:
        board.source = Together(Counting(), SoundReplay(ramp(65536), loop=True, gap_s=0))
        imu = board.stream("imu") if with_imu else None
        with board.stream("mic", seconds=seconds, capacity_s=seconds + 10) as samples:
            samples.read(240)  # the microphone has settled
            board.machine.faults.to_board = False
            board.machine.faults.corrupt = corrupt
            began, cpu = time.monotonic(), time.process_time()
            list(samples)
            took, cpu = time.monotonic() - began, time.process_time() - cpu
            board.machine.faults.corrupt = 0.0
            samples.read(16000)  # whole again, so that the last loss shows as a gap
        block, stats = samples.read_new()[0], samples.stats
        index, counts = block.index, block.counts[:, 0]
        span = int(index[-1] - index[0]) + 1
        place = int(np.flatnonzero(ramp(65536) == counts[0])[0])
        wrong = int((ramp(65536)[(place + index - index[0]) % 65536] != counts).sum())
        return {
            "corrupted bytes": f"{corrupt:.1%}",
            "IMU beside it": f"{imu.stats.received} received, {imu.stats.lost} lost" if imu else "no",
            "wall s": round(took, 1),
            "CPU s, board and host": round(cpu, 1),
            "microphone took": span,
            "received": stats.received,
            "counted lost": stats.lost,
            "wrong": wrong,
            "lost by the microphone's driver": board.machine.mic.lost,
            "damaged frames": board._link.decoder.damaged,
            "true rate Hz": round(stats.rate_hz, 2),
        }


def clips(path, n):
    """Milliseconds for a second of sound: sent as a window, through the board's front end and network, read back."""
    pipeline = Pipeline.load(path)
    windows = babble(n).reshape(-1, 16000, 1)
    host = engine.answers(pipeline, windows)
    with virtual() as board:
        board.deploy(pipeline, progress=False)
        board.answers(windows[:2])
        began, cpu = time.monotonic(), time.process_time()
        answers = board.answers(windows)
        wall, cpu = time.monotonic() - began, time.process_time() - cpu
        return {
            "clips": n,
            "equal to the host bit for bit": int((answers == host).all(1).sum()),
            "ms a clip": round(1000 * wall / n, 1),
            "CPU ms a clip, board and host": round(1000 * cpu / n, 1),
            "requests a clip": round(board._link.counters.requests / (n + 2), 1),
        }


def first_prediction(path):
    """Seconds from deploy() to the switch-over and to the first live prediction, in this process."""
    pipeline = Pipeline.load(path)
    with virtual() as board:
        time.sleep(1.5)  # a window's worth of samples: a board on a table has been on for longer
        done = board.deploy(pipeline, progress=False)
        with board.live() as live:
            live.next()
        return {
            "plan bytes": done.plan_bytes,
            "switched over s": round(done.seconds, 3),
            "first prediction s": round(done.first_prediction_s, 3),
        }


def deploys(repeat):
    """The same, each time in a program that has just started, as in a lesson that opens cold."""
    from made import make_pipeline

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = make_pipeline("benchmark", seed=1, window=119, hop=12, filters=32).save(Path(folder) / "benchmark.tk")
        for _ in range(repeat):
            done = subprocess.run([sys.executable, __file__, "--one", str(path)], capture_output=True, check=True)
            rows.append(json.loads(done.stdout))
    return rows


def windows(n):
    """``clips`` for a small untrained network."""
    from made import make_listener

    with tempfile.TemporaryDirectory() as folder:
        return clips(make_listener("benchmark", seed=1).save(Path(folder) / "words.tk"), n)


def main():
    """Measure and print."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--seconds", type=float, default=60)
    words.add_argument("--repeat", type=int, default=5)
    words.add_argument("--json", action="store_true")
    words.add_argument("--one", metavar="FILE.tk", help="deploy this once")
    options = words.parse_args()
    if options.one:
        print(json.dumps(first_prediction(options.one)))
        return
    results = {
        "streams": [stream(options.seconds), stream(options.seconds, corrupt=0.01)],
        "sound": [
            sound(options.seconds),
            sound(options.seconds, with_imu=True),
            sound(options.seconds, corrupt=0.001),
            sound(options.seconds, corrupt=0.01),
        ],
        "windows of sound": [windows(100)],
        "deploys": deploys(options.repeat),
    }
    if options.json:
        print(json.dumps(results, indent=1))
        return
    for name, rows in results.items():
        print(f"{name}\n")
        print("| " + " | ".join(rows[0]) + " |\n|" + "---|" * len(rows[0]))
        for row in rows:
            print("| " + " | ".join(str(value) for value in row.values()) + " |")
        print()
    firsts = [row["first prediction s"] for row in results["deploys"]]
    print(f"deploy() to the first live prediction: median {statistics.median(firsts)} s, worst {max(firsts)} s")


if __name__ == "__main__":
    main()
