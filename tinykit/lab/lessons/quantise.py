"""Exercises of lesson 03, quantise and compare."""

from __future__ import annotations

import math

import numpy as np

from ..check import Exercise, register
from ..judge import bad, choice, function, good, number


def _scale(answer):
    try:
        scale, zero = (float(a) for a in answer)
    except (TypeError, ValueError):
        return bad("not two numbers", "Give two numbers: the scale and the zero point.")
    findings = []
    if math.isclose(scale, 4 / 255, rel_tol=2e-3):
        findings.append(good("Scale 4 / 255: the range of 4 over the 255 steps between 256 levels."))
    elif math.isclose(scale, 4 / 256, rel_tol=2e-3):
        findings.append(
            bad("levels for steps", "256 levels have 255 steps between them, like fence posts and the gaps.")
        )
    elif math.isclose(scale, 6 / 255, rel_tol=2e-3) or math.isclose(scale, 3 / 127, rel_tol=2e-3):
        findings.append(
            bad(
                "symmetric range",
                "That is for −3 to 3. The values go from −1 to 3: a third of your levels would stay unused.",
            )
        )
    elif math.isclose(scale, 255 / 4, rel_tol=2e-3):
        findings.append(bad("upside down", "That is steps per unit. The scale is how much one step is worth."))
    elif math.isclose(scale, 3 / 255, rel_tol=2e-3):
        findings.append(bad("range from zero", "The range starts at −1, not at 0: it is 4 wide."))
    else:
        findings.append(bad("scale", "The scale is the width of the range over the number of steps, 255."))
    if zero == -64:
        findings.append(good("Zero point −64: 0.0 is 63.75 steps above −1, rounded to 64, and −128 + 64 = −64."))
    elif zero in (64, 63):
        findings.append(
            bad("uint8", "64 steps is right, but int8 starts at −128, not at 0. Which level do you land on?")
        )
    elif zero == 0:
        findings.append(bad("symmetric zero", "0 would be for a range as wide below zero as above it."))
    elif zero != int(zero):
        findings.append(bad("zero point not whole", "The zero point is a level, so it is a whole number: round it."))
    else:
        findings.append(bad("zero point", "How many steps is 0.0 above the lowest value, −1? Start from −128."))
    return findings


register(
    Exercise(
        "03.scale",
        "Scale and zero point by hand",
        "Set `scale` and `zero_point`, and run the cell again.",
        _scale,
        (
            "256 levels have 255 steps between them, and the range is 3 − (−1) = 4 wide.",
            "0.0 is 1.0 above the lowest value: how many steps is that? −1.0 itself is level −128.",
        ),
        "scale = (3.0 - -1.0) / 255\nzero_point = round(-128 + 1.0 / scale)",
        "Zero must be a level of its own: padding is full of zeros, and an error there would be everywhere.",
    )
)

_tensor = np.array([-2.0, -1.0, -0.3, -0.004, 0.0, 0.006, 0.9, 1.7, 2.999, 3.7])


def _q(x, scale, zero_point):
    return np.clip(np.round(x / scale) + zero_point, -128, 127)


register(
    Exercise(
        "03.quantise",
        "Quantise an array",
        "Replace the `...` in `quantise`, and run the cell again.",
        function(
            _q,
            [(_tensor, 4 / 255, -64), (_tensor * 2, 0.031, 5), (np.array([-9.0, 9.0, 0.02]), 0.05, 0)],
            "Divide by the scale, round, shift by the zero point, and stop at the ends.",
            [
                (
                    lambda x, s, z: np.round(x / s) + z,
                    "no clipping",
                    "Values beyond the range leave −128 to 127. In eight bits they would wrap round to the other end.",
                ),
                (
                    lambda x, s, z: (np.round(x / s) + z).astype(int).astype(np.int8),
                    "wrapped round",
                    "A cast to int8 wraps: 130 becomes −126, the largest turns into nearly the smallest. Clip first.",
                ),
                (
                    lambda x, s, z: np.clip(np.trunc(x / s) + z, -128, 127),
                    "cut off",
                    "`int` and `astype` cut towards zero. Round, or the error is twice as large and leans one way.",
                ),
                (
                    lambda x, s, z: np.clip(np.trunc(x / s + z), -128, 127),
                    "cut off",
                    "`int` and `astype` cut towards zero. Round, or the error is twice as large and leans one way.",
                ),
                (
                    lambda x, s, z: np.clip(np.floor(x / s) + z, -128, 127),
                    "cut off",
                    "`//` and `floor` cut downwards. Round, or the error is twice as large and leans one way.",
                ),
                (
                    lambda x, s, z: np.clip(np.round(x / s), -128, 127),
                    "no zero point",
                    "The zero point is missing: 0.0 must land on it.",
                ),
                (
                    lambda x, s, z: np.clip(np.round(x / s) - z, -128, 127),
                    "sign of the zero point",
                    "The zero point is added going in, and subtracted coming back.",
                ),
                (
                    lambda x, s, z: np.clip(np.round(x * s) + z, -128, 127),
                    "times the scale",
                    "Times the scale is the way back. Going in, divide by it.",
                ),
                (
                    lambda x, s, z: np.clip(np.round(x / s) + z, 0, 255),
                    "uint8",
                    "0 to 255 is uint8. int8 goes from −128 to 127.",
                ),
            ],
            "Which level is each value nearest to?",
        ),
        (
            "`x / scale` counts steps from zero; `np.round` picks the nearest level.",
            "Add the zero point, then `np.clip(..., -128, 127)`.",
        ),
        "def quantise(x, scale, zero_point):\n    return np.clip(np.round(x / scale) + zero_point, -128, 127)",
        "Inside the range, the error is never more than half a step.",
    )
)

register(
    Exercise(
        "03.calibration",
        "What to calibrate with",
        "Set `letter` to one of the letters, and run the cell again.",
        choice(
            "a",
            "Real windows, of the kind the network was trained on, and none that it will be judged by.",
            {
                "b": (
                    "test data in calibration",
                    "Then the ranges are fitted to the test takes, and the test measures how well that was done.",
                ),
                "c": (
                    "noise for data",
                    "Noise does not drive the layers as gestures do: the ranges would be of the wrong size.",
                ),
                "d": (
                    "widest range",
                    "Then every step is wide, and ordinary values share a few levels. The range should just fit.",
                ),
            },
        ),
        (
            "Calibration looks at data to choose ranges. Is that a kind of training?",
            "It must be real gestures, and must not be the test's.",
        ),
        'letter = "a"',
        "`tk.quantize(pipeline, train)` asks for the training part by name, to make this hard to get wrong.",
    )
)

register(
    Exercise(
        "03.size",
        "Bytes of a layer",
        "Set `layer_bytes` in the cell, and run it again.",
        number(
            544,
            "480 weights of one byte, and 16 biases that stay int32: 480 + 64.",
            [
                (
                    496,
                    "bias in int8",
                    "Biases stay int32: they are added to 32-bit sums. 16 of them take 64 bytes.",
                ),
                (1984, "float32", "That is the layer in float32: four bytes for everything."),
                (480, "bias forgotten", "Those are the weights. Each of the 16 filters has a bias too."),
                (144, "kernel forgotten", "Each filter has 5 × 6 weights, not 6."),
                (160, "kernel forgotten", "Each filter has 5 × 6 weights, not 6."),
                (
                    94,
                    "filters forgotten",
                    "That is one filter's 30 weights and the biases. There are 16 filters.",
                ),
            ],
            "Weights: kernel × channels in × filters, one byte each. Then the biases.",
        ),
        (
            "Weights: 5 (kernel) × 6 (channels in) × 16 (filters).",
            "Weights take one byte each, biases four, one bias a filter.",
        ),
        "layer_bytes = 5 * 6 * 16 * 1 + 16 * 4",
        "Add a scale per filter and headers, and you see why int8 is a little more than a quarter of float32.",
    )
)

_sizes = [([714, 1904, 944, 480, 16],), ([100, 50, 200, 10],), ([300, 20, 30, 290],)]


def _peak(s):
    return max(a + b for a, b in zip(s, s[1:], strict=False))


register(
    Exercise(
        "03.arena",
        "The peak of the arena",
        "Replace the `...` in `peak_bytes`, and run the cell again.",
        function(
            _peak,
            _sizes,
            "A layer needs its input and its output at the same time, and nothing older.",
            [
                (
                    sum,
                    "nothing is freed",
                    "That keeps every tensor to the end. Once the next layer has read a tensor, its place is free.",
                ),
                (
                    max,
                    "largest alone",
                    "A layer cannot write its result into nothing: its input and its output live together.",
                ),
                (
                    lambda s: sum(sorted(s)[-2:]),
                    "two largest",
                    "The two largest need not be neighbours: only a layer's input and output live together.",
                ),
                (
                    lambda s: s[0] + s[1],
                    "first layer only",
                    "That is the first layer. The peak may come later: look at every neighbouring pair.",
                ),
                (
                    lambda s: s[0] + s[-1],
                    "ends only",
                    "That is input plus answer of the whole network. Inside, the tensors are larger.",
                ),
            ],
            "For each layer, add the bytes of its input and of its output; take the largest.",
        ),
        (
            "Which two tensors must exist while layer 1 runs? While layer 2 runs?",
            "`zip(sizes, sizes[1:])` gives the neighbouring pairs.",
        ),
        "def peak_bytes(sizes):\n    return max(a + b for a, b in zip(sizes, sizes[1:]))",
        "Where a layer may write over its input, the planner saves even more: the picture above shows it.",
    )
)

register(
    Exercise(
        "03.duty",
        "How busy is the processor",
        "Set `busy_percent` in the cell, and run it again.",
        number(
            2.5,
            "400,000 cycles at 64 MHz are 6.25 ms, out of every 250 ms.",
            [
                (0.025, "share for percent", "That is the share. The question asks for per cent."),
                (
                    6.25,
                    "milliseconds",
                    "That is the time of one run in milliseconds. Compare it with the hop.",
                ),
                (
                    (0.62, 0.63),
                    "once a second",
                    "That is for one run a second. With a hop of 0.25 s there are four.",
                ),
                (
                    40,
                    "upside down",
                    "That is how many runs would fit into a hop. Turn it round, in per cent.",
                ),
                (4000, "upside down", "That is hop over run. The question asks for run over hop."),
                ((2500, 2500), "kHz", "64 MHz is 64,000,000 cycles a second."),
            ],
            "Seconds of one run, over seconds from one run to the next, times 100.",
        ),
        ("One run takes 400,000 / 64,000,000 seconds.", "There is one run per hop, every 0.25 s."),
        "busy_percent = 100 * (400_000 / 64e6) / 0.25",
        "The rest of the time the processor may sleep: that is where the battery life comes from.",
    )
)
