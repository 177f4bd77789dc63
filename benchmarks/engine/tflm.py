"""TensorFlow Lite Micro: what it answers, and what it costs where the design states it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Figures:
    """A row of the design's section 4: release build with CMSIS-NN on the same emulator, its smallest build
    for flash; and, where they are more than the general ones, the aims for this network."""

    name: str
    instructions: int
    cycles: int
    arena: int
    flash: int
    cycles_aim: float | None = None
    arena_aim: int | None = None
    flash_aim: int | None = None


# By MACs: they tell one network from another whatever its file is called.
FIGURES = {
    2_656_768: Figures("DS-CNN keyword spotting", 7_698_890, 9_270_569, 22_820, 46_504, 4_400_000, 10_000, 20_000),
    701_056: Figures("magic wand CNN", 1_858_089, 2_346_255, 9_316, 40_012),
    336_000: Figures("micro_speech tiny conv", 1_494_788, 2_040_401, 6_836, 38_332),
    264_192: Figures("anomaly autoencoder", 582_924, 726_625, 2_580, 23_284),
    12_501_632: Figures("ResNet-8", 29_865_910, 36_792_257, 54_996, 43_636),
    7_489_664: Figures("MobileNetV1 0.25", 24_101_964, 29_377_501, 100_708, 46_504),
}
CYCLES_AIM, ARENA_AIM = 0.5, 0.6  # of TensorFlow Lite Micro's, for every network


def answers(network: Path, x: np.ndarray) -> np.ndarray:
    """Of the reference kernels in the tflite-micro package, one example after the other."""
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_file(str(network), arena_size=2_000_000)
    found = []
    for example in x:
        interpreter.set_input(example[None], 0)
        interpreter.invoke()
        found.append(np.array(interpreter.get_output(0)).ravel())
    return np.stack(found)
