"""Made-up windows with the answers that this computer finds: a program tries them when it starts.

They show a wrong front end, a wrong network or a wrong library before anybody wonders about bad answers.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

LEVELS = {"imu": (1, 3, 5, 8), "mic": (1, 4, 7, 10)}  # loudness: each step halves the noise


@dataclass(frozen=True)
class Check:
    """One window, as ``tk_solo_check`` in ``hardware/TinyKit/src/tk_solo.h``.

    Parameters
    ----------
    seed, level : int
        What the noise is made of; at level 0 it fills the int16 range, each further level halves it.
    input_crc32 : int
        Of the network's input.
    output : bytes
        The network's int8 answer.
    """

    seed: int
    level: int
    input_crc32: int
    output: bytes


def checks(pipeline, plan) -> tuple[Check, ...]:
    """Some windows of different loudness, and what becomes of them.

    Parameters
    ----------
    pipeline : Pipeline
    plan : Plan
        Of the pipeline.
    """
    from ..engine.runtime import Runtime
    from ..features import quantized

    levels = LEVELS[pipeline.sensor]
    channels = len(pipeline.front_end.channels)
    windows = [noise(seed, level, pipeline.window * channels) for seed, level in enumerate(levels, 1)]
    windows = np.stack(windows).reshape(len(levels), pipeline.window, channels)
    x = quantized(windows, pipeline.front_end, plan.input_scale, plan.input_zero_point)
    runtime, found = Runtime(plan), []
    for seed, level in enumerate(levels, 1):
        one = x[seed - 1 : seed]
        found.append(Check(seed, level, zlib.crc32(one.tobytes()), runtime.run(one).tobytes()))
    return tuple(found)


def noise(seed: int, level: int, count: int) -> np.ndarray:
    """The samples that ``tk_solo_noise`` makes: int16 of shape (count,)."""
    values = np.empty(count, np.int64)
    for i in range(count):
        seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
        values[i] = seed
    return ((values >> (16 + level)) - (32768 >> level)).astype(np.int16)


def check_source(found: tuple[Check, ...], name: str) -> str:
    """The checks as C: an array for each answer, and the table of that name."""
    lines = []
    for check in found:
        values = ", ".join(str(v) for v in np.frombuffer(check.output, np.int8))
        lines.append(f"static const int8_t answer_{check.seed}[] = {{{values}}};")
    rows = [f"    {{{c.seed}u, {c.level}u, 0x{c.input_crc32:08x}u, answer_{c.seed}}}," for c in found]
    return "\n".join([*lines, "", f"const tk_solo_check {name}[{len(found)}] = {{", *rows, "};"])
