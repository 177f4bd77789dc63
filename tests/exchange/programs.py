"""Building exported programs, and what they should say: reckoned here, in Python's own integers."""

import os
import re
import subprocess
import sys

import numpy as np

from tinykit import toolchain
from tinykit.engine.evaluation import runtime_of
from tinykit.features import quantized

STRICT = ["-Werror", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Wpedantic"]
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


def feature_answers(pipeline, counts):
    """Answers to all windows of IMU counts (n, 6) that are at the pipeline's rate, from the first on."""
    plan = runtime_of(pipeline).plan
    starts = range(0, len(counts) - pipeline.window + 1, pipeline.hop)
    windows = np.stack([counts[at : at + pipeline.window] for at in starts])
    x = quantized(windows, pipeline.front_end, plan.input_scale, plan.input_zero_point)
    ends = [at + pipeline.window - 1 for at in starts]
    return runtime_of(pipeline).run(x, reset=False).reshape(len(x), -1), ends


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
