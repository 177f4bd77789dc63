"""Building exported programs, and what they should say: reckoned here, in Python's own integers."""

import os
import re
import subprocess
import sys

import numpy as np

from tinykit import toolchain
from tinykit.engine.evaluation import runtime_of
from tinykit.features import quantized, resample

STRICT = ["-Werror", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Wpedantic", "-Wno-overlength-strings"]
ZIG = [sys.executable, "-m", "ziglang", "cc"]
ZIG_CORTEX = [*ZIG, "-target", "thumb-freestanding-eabi", "-mcpu=cortex_m4"]


def build(folder, compiler, arguments, target, *more):
    """Build in an exported folder; the compiler may not say a word."""
    place = str(toolchain.cache_dir() / "zig")
    environment = dict(os.environ, ZIG_GLOBAL_CACHE_DIR=place, ZIG_LOCAL_CACHE_DIR=place)
    command = [*compiler, arguments, *STRICT, *more, "-o", str(target)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0 and not done.stderr.strip(), f"{' '.join(command)}\n{done.stderr[:3000]}"
    return target


def built(folder, *more):
    """The program for this computer."""
    return build(folder, ZIG, "@host.args", folder / ("program.exe" if sys.platform == "win32" else "program"), *more)


def run(program, *arguments):
    """Exit status and what was said, line by line."""
    done = subprocess.run([str(program), *map(str, arguments)], capture_output=True, timeout=300)
    return done.returncode, done.stdout.decode("utf-8").split("\r\n")[:-1]


def feature_answers(pipeline, counts, rate_hz=None):
    """Answers to IMU counts (n, 6) at this rate (the pipeline's own), and the reading with which each is due."""
    plan = runtime_of(pipeline).plan
    rate_hz = rate_hz or pipeline.rate_hz
    rows = resample(counts, rate_hz, pipeline.rate_hz)
    # One reading may give several rows; an answer is due behind the last of them.
    made = [len(resample(counts[: n + 1], rate_hz, pipeline.rate_hz)) for n in range(len(counts))]
    ends, readings, have, since = [], [], 0, 0
    for reading, count in enumerate(made):
        full = have < pipeline.window <= count
        since = pipeline.hop + count - pipeline.window if full else since + count - have
        have = count
        if have >= pipeline.window and since >= pipeline.hop:
            ends.append(have)
            readings.append(reading)
            since = 0 if since >= 2 * pipeline.hop else since - pipeline.hop
    windows = np.stack([rows[end - pipeline.window : end] for end in ends])
    x = quantized(windows, pipeline.front_end, plan.input_scale, plan.input_zero_point)
    return runtime_of(pipeline).run(x, reset=False).reshape(len(x), -1), readings


def lines_of(pipeline, answers, times_s):
    """What ``tk_solo_put_answer`` says of them; a decision's time is left open."""
    rule, lines, held, told = pipeline.decision, [], [], {}
    for answer, time in zip(answers.astype(int) + 128, times_s, strict=True):
        held = [*held, answer][-rule.smoothing :]
        sums, n = np.sum(held, axis=0), len(held)
        smoothed = (sums + n // 2) // n
        parts = zip(pipeline.labels, smoothed, strict=True)
        lines.append(" ".join(f"{label}:{(value * 100 + 127) // 255 / 100:.2f}" for label, value in parts))
        best = int(np.argmax(sums))
        if sums[best] * 257 >= round(rule.threshold_of(best) * 65535) * n:
            if best not in told or time - told[best] >= rule.suppression_s:
                told[best] = time
                lines.append(f"> {pipeline.labels[best]}")
    return lines


def heard(lines):
    """Answers and decisions of what a program said, without the decisions' times, and those times."""
    kept = [line for line in lines if not line.startswith("#")]
    times = [float(found.group(1)) for line in kept if (found := re.search(r" at ([\d.]+) s$", line))]
    return [re.sub(r" at [\d.]+ s$", "", line) for line in kept], times
