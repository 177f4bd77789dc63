"""Exercises of lesson 00, start here."""

from __future__ import annotations

import numpy as np

from ..check import Exercise, register
from ..judge import bad, function, good, number, same

register(
    Exercise(
        "00.radio",
        "Bytes that stay on the board",
        "Set `times_fewer` in the cell, and run it again.",
        number(
            357,
            "119 × 6 × 2 = 1,428 bytes a second of raw readings, against 4 bytes a second of answers: 357 times fewer.",
            [
                (178.5, "bytes per value", "Each reading is an int16: two bytes, not one."),
                (
                    59.5,
                    "axes forgotten",
                    "One sample holds six readings, one per axis. Where did the axes go?",
                ),
                (
                    1428,
                    "four answers a second",
                    "That is the raw stream over one byte a second. There are four answers a second, one byte each.",
                ),
                (
                    1 / 357,
                    "upside down",
                    "That is answers over readings. The question asks for readings over answers.",
                ),
                (2856, "bits and bytes", "Check the unit: everything here is in bytes."),
            ],
            "Work out both streams in bytes a second, then divide the larger by the smaller.",
        ),
        (
            "How many bytes does one sample take: six axes, two bytes each?",
            "Raw readings: 119 samples a second × 12 bytes. Answers: 4 a second × 1 byte.",
        ),
        "times_fewer = (119 * 6 * 2) / (4 * 1)",
        "A radio costs far more energy a byte than the processor does, so this is also battery life.",
    )
)

register(
    Exercise(
        "00.memory",
        "Seconds of sensor in memory",
        "Set `seconds` in the cell, and run it again.",
        number(
            (183, 184),
            "256 × 1,024 = 262,144 bytes, over 1,428 bytes a second: a little over three minutes.",
            [
                ((366, 368), "bytes per value", "Each reading is an int16, so it takes two bytes."),
                ((1100, 1103), "axes forgotten", "A sample is six readings, not one: aX to gZ."),
                ((179, 179.5), "1000 for 1024", "Very near: one KB of memory is 1,024 bytes, not 1,000."),
                ((733, 736), "flash for RAM", "That is the 1 MB of flash. Readings go to RAM, 256 KB."),
                (
                    (91, 92.5),
                    "float32",
                    "That would be float32, four bytes a reading. The sensor gives int16.",
                ),
                (
                    (1466, 1469),
                    "bits and bytes",
                    "That counts bits. Memory is measured in bytes, eight bits each.",
                ),
            ],
            "Divide the bytes there are by the bytes that one second takes.",
        ),
        (
            "Bytes in one second: samples × axes × bytes per reading.",
            "One second takes 119 × 6 × 2 = 1,428 bytes. How often does that go into 256 × 1,024?",
        ),
        "seconds = 256 * 1024 / (119 * 6 * 2)",
        "The firmware keeps only the last 4 seconds: the rest of the RAM is for the network and the link.",
    )
)


def _gravity(answer):
    values = np.asarray(answer, dtype=object).ravel()
    try:
        values = values.astype(float)
    except (TypeError, ValueError):
        return bad("not numbers", "Give three numbers: aX, aY, aZ in g.")
    if values.shape != (3,):
        return bad("not three", "Give three numbers: aX, aY, aZ in g.")
    if same(values, (0, 0, 1), 0.06):
        return good("The table pushes up with 1 g, and that push is all an accelerometer can feel.")
    if same(values, (0, 0, 0), 0.06):
        return bad(
            "still means zero",
            "An accelerometer shows zero in free fall, not at rest: at rest it feels the table's push. Look "
            "at the scope.",
        )
    if same(np.abs(values), (0, 0, 9.81), 0.1):
        return bad("m/s² for g", "That is in m/s². tinykit shows acceleration in g, and gravity is 1 g.")
    if same(values, (0, 0, -1), 0.06):
        return bad(
            "direction",
            "Gravity pulls down, but the sensor feels what holds it up: the table's push, along +Z.",
        )
    if np.sum(np.abs(np.abs(values) - 1) < 0.06) == 1 and abs(values[2]) < 0.06:
        return bad("wrong axis", "Right size, wrong axis: Z points out of the board's upper face.")
    return bad("other value", "A board at rest feels 1 g in all, along the axis that points up.")


register(
    Exercise(
        "00.gravity",
        "A board flat on the table",
        "Set `flat` to three numbers, and run the cell again.",
        _gravity,
        (
            "What does the scope above show while the board lies still?",
            "The total is 1 g. Which axis points up, out of the chips' side of the board?",
        ),
        "flat = (0.0, 0.0, 1.0)",
        "So three numbers at rest tell which way is down: that is orientation for free.",
    )
)

register(
    Exercise(
        "00.counts",
        "From g to counts",
        "Set `g_in_counts` in the cell, and run it again.",
        number(
            -12288,
            "−1.5 g × 8,192 counts per g. The sign stays: int16 goes from −32,768 to 32,767.",
            [
                (
                    12288,
                    "sign lost",
                    "The size is right, but the acceleration was negative, and counts are signed.",
                ),
                (
                    -49152,
                    "range as scale",
                    "That is 1.5 × 32,768: the full scale of 32,768 counts stands for 4 g, not 1.",
                ),
                (-24.576, "wrong sensor", "16.384 counts per deg/s is the gyroscope's scale."),
                (-24.6, "wrong sensor", "16.384 counts per deg/s is the gyroscope's scale."),
                (-1.5 / 8192, "divided", "That divides. How many counts is 1 g? And 1.5 g?"),
            ],
            "One g is 8,192 counts. How many are −1.5 g?",
            tolerance=1e-4,
        ),
        (
            "The range is ±4 g, and int16 has 32,768 steps on each side of zero.",
            "32,768 / 4 = 8,192 counts per g. Multiply, and keep the sign.",
        ),
        "g_in_counts = -1.5 * 8192",
        "Above 4 g the count stays at 32,767: the sensor clips, and the true peak is gone for good.",
    )
)

_times = [
    ([0.0, 8.4, 16.8, 25.2, 33.6],),
    ([100.0, 110.0, 120.0],),
    ([5.0, 13.0, 23.0, 30.0, 41.0, 50.0],),
]

register(
    Exercise(
        "00.rate",
        "The true rate",
        "Replace the `...` in `true_rate`, and run the cell again.",
        function(
            lambda t: (len(t) - 1) / (t[-1] - t[0]) * 1000,
            _times,
            "Intervals over time: one fewer than there are samples, and milliseconds turned into seconds.",
            [
                (
                    lambda t: len(t) / (t[-1] - t[0]) * 1000,
                    "fence posts",
                    "Five samples have four gaps between them. You divided the samples, not the gaps, by the time.",
                ),
                (
                    lambda t: (len(t) - 1) / (t[-1] - t[0]),
                    "milliseconds",
                    "The times are in milliseconds, a rate is per second: you are off by a factor of 1,000.",
                ),
                (
                    lambda t: len(t) / (t[-1] - t[0]),
                    "fence posts and milliseconds",
                    "Two things: times are in milliseconds, and n samples have n − 1 gaps.",
                ),
                (
                    lambda t: (t[-1] - t[0]) / (len(t) - 1),
                    "interval for rate",
                    "That is the mean interval in milliseconds. The rate is how many of them fit into a second.",
                ),
                (
                    lambda t: 1000 / (t[1] - t[0]),
                    "one gap only",
                    "You used the first gap only. Gaps jitter; the whole span evens that out.",
                ),
                (
                    lambda t: len(t) / t[-1] * 1000,
                    "clock from zero",
                    "The first time need not be 0. Take the time from the first sample to the last.",
                ),
            ],
            "Count the gaps between samples, and divide by the time they take in seconds.",
        ),
        (
            "Draw five samples on a line. How many gaps do you see?",
            "Time spanned: `times_ms[-1] - times_ms[0]`, in milliseconds.",
            "Gaps are `len(times_ms) - 1`; the result times 1,000 is per second.",
        ),
        "def true_rate(times_ms):\n    return 1000 * (len(times_ms) - 1) / (times_ms[-1] - times_ms[0])",
        "The library measures every take like this, and says so when a board's rate is not what was asked.",
    )
)

register(
    Exercise(
        "00.windows",
        "How many windows",
        "Replace the `...` in `how_many`, and run the cell again.",
        function(
            lambda n, window, hop: max(0, (n - window) // hop + 1),
            [(400, 119, 40), (357, 119, 60), (119, 119, 30), (250, 100, 50), (1000, 119, 30)],
            "The first window needs no hop; after that, one more for each hop that still fits.",
            [
                (
                    lambda n, window, hop: n // hop,
                    "windows past the end",
                    "That counts every start, also those whose window runs past the end of the recording.",
                ),
                (
                    lambda n, window, hop: (n - window) // hop,
                    "first window forgotten",
                    "One short: a recording of exactly one window has one window, not none.",
                ),
                (
                    lambda n, window, hop: n // window,
                    "no overlap",
                    "That is for windows that do not overlap. Here each starts one hop after the last.",
                ),
                (
                    lambda n, window, hop: (n - window) / hop + 1,
                    "part of a window",
                    "Nearly: a part of a window is no window. Use whole-number division, `//`.",
                ),
            ],
            "Where does the last window start, if it must end inside the recording?",
        ),
        (
            "The last window may start at `n - window`, not later.",
            "From 0 to `n - window` in steps of `hop`: how many steps fit, and one for the start?",
        ),
        "def how_many(n, window, hop):\n    return (n - window) // hop + 1",
        "A smaller hop means quicker answers and more work for the processor: lesson 04 puts a number on it.",
    )
)
