"""Exercises of lesson 05, sound and features."""

from __future__ import annotations

import numpy as np

from ..check import Exercise, register
from ..judge import function, number

register(
    Exercise(
        "05.highest",
        "The highest tone",
        "Set `highest_hz` in the cell, and run it again.",
        number(
            8000,
            "Half the rate: a wave needs a sample for its crest and one for its trough.",
            [
                (16000, "rate itself", "A wave of 16,000 Hz would be sampled once a turn, always at the same height."),
                (32000, "upside down", "That is the rate that a tone of 16,000 Hz would need."),
                (20000, "the ear's limit", "That is what young ears hear. Here the sampling sets the limit."),
                (3400, "telephone", "That is the telephone's limit, with its 8,000 samples a second."),
            ],
            "How many samples does one turn of a wave need at least?",
        ),
        ("A wave goes up and down once a turn.", "With two samples a turn, how many turns fit into 16,000 samples?"),
        "highest_hz = 16_000 / 2",
        "Higher tones don't vanish: they come back as lower ones that were never there. A microphone filters first.",
    )
)

register(
    Exercise(
        "05.frames",
        "How many frames",
        "Replace the `...` in `frames`, and run the cell again.",
        function(
            lambda n, frame, hop: 1 + (n - frame) // hop,
            [(16000, 480, 320), (480, 480, 320), (16000, 400, 160), (4000, 512, 256)],
            "The first frame needs a whole frame; after it, every hop gives one more.",
            [
                (
                    lambda n, frame, hop: n // hop,
                    "frames past the end",
                    "The last of these would reach beyond the sound: a frame is longer than a hop.",
                ),
                (
                    lambda n, frame, hop: (n - frame) // hop,
                    "first frame forgotten",
                    "Those are the hops. How many frames are there before the first hop?",
                ),
                (lambda n, frame, hop: n // frame, "no overlap", "That lays frame after frame. Ours overlap."),
                (
                    lambda n, frame, hop: (n - frame) / hop + 1,
                    "part of a frame",
                    "Frames come whole: divide with `//`.",
                ),
                (
                    lambda n, frame, hop: -(-n // hop),
                    "padded",
                    "That pads the end with silence, as some libraries do. The board takes frames that are whole.",
                ),
            ],
            "Count the frames that lie whole in the sound.",
        ),
        ("Where does frame k start, and where does it end?", "The last one must end at n or before."),
        "def frames(n, frame, hop):\n    return 1 + (n - frame) // hop",
        "It is the same count as for windows of a gesture in lesson 00: a frame is a very short window.",
    )
)

register(
    Exercise(
        "05.bin",
        "Which row of the spectrum",
        "Set `row` in the cell, and run it again.",
        number(
            32,
            "512 points share 16,000 Hz, so a row is 31.25 Hz wide, and 1000 / 31.25 is 32.",
            [
                (16, "half the points", "A row is 16,000 / 512 Hz wide: the points share the whole rate, not half."),
                ((29.5, 30.5), "frame for points", "480 samples, but zeros are added up to 512 points."),
                (31.25, "width of a row", "That is how wide a row is, in Hz. How many of these are 1000 Hz?"),
                (64, "double width", "The points share 16,000 Hz, the rate; not 8,000, the highest tone."),
            ],
            "How many Hz wide is a row? Then how many rows are 1000 Hz?",
        ),
        ("A row is rate / points wide.", "16,000 / 512 = 31.25 Hz."),
        "row = 1000 / (16_000 / 512)",
        "A loudest row of 32 for a whistle at 1000 Hz is what you saw in the picture above.",
    )
)


def _mel(hz):
    return 2595 * np.log10(1 + np.asarray(hz, float) / 700)


register(
    Exercise(
        "05.mel",
        "From hertz to mel",
        "Replace the `...` in `mel`, and run the cell again.",
        function(
            _mel,
            [(0.0,), (700.0,), (1000.0,), (np.array([60.0, 440.0, 7600.0]),)],
            "Nearly straight up to 700 Hz, and then slower and slower.",
            [
                (
                    lambda hz: 2595 * np.log(1 + np.asarray(hz, float) / 700),
                    "natural logarithm",
                    "`np.log` is to the base e. With 2595 belongs `np.log10`; with `np.log` it would be 1127.",
                ),
                (
                    lambda hz: 2595 * np.log2(1 + np.asarray(hz, float) / 700),
                    "logarithm to base 2",
                    "`np.log2` counts octaves. With 2595 belongs `np.log10`.",
                ),
                (
                    lambda hz: 700 * (10 ** (np.asarray(hz, float) / 2595) - 1),
                    "the way back",
                    "That is from mel to hertz. Here it goes the other way.",
                ),
                (
                    lambda hz: 2595 * np.log10(np.asarray(hz, float) + 1 / 700),
                    "order of operations",
                    "Divide the frequency by 700 first, then add 1.",
                ),
            ],
            "2595 times the logarithm to base 10 of (1 + hz / 700).",
        ),
        ("`np.log10` is the logarithm to base 10.", "Divide by 700, add 1, take the logarithm, multiply."),
        "def mel(hz):\n    return 2595 * np.log10(1 + hz / 700)",
        "1000 Hz is close to 1000 mel: that is how the scale was pinned down.",
    )
)


def _power(x):
    return np.mean(np.square(np.asarray(x, float)))


def _noise_gain(speech, noise, snr_db):
    return np.sqrt(_power(speech) / _power(noise) / 10 ** (snr_db / 10))


_speech = np.sin(np.arange(400) * 0.3) * 0.4
_noise = np.cos(np.arange(400) * 1.7 + 0.2) * 0.05

register(
    Exercise(
        "05.snr",
        "Noise at a stated ratio",
        "Replace the `...` in `noise_gain`, and run the cell again.",
        function(
            _noise_gain,
            [(_speech, _noise, 0.0), (_speech, _noise, 10.0), (_noise, _speech, -5.0), (_speech, _speech, 20.0)],
            "Power goes with the square of the values, so the gain is the root of the ratio of powers.",
            [
                (
                    lambda s, n, db: _power(s) / _power(n) / 10 ** (db / 10),
                    "power for gain",
                    "That is the factor for the power. The values are multiplied, and power is their square.",
                ),
                (
                    lambda s, n, db: np.sqrt(_power(s) / _power(n) * 10 ** (db / 10)),
                    "louder, not softer",
                    "A higher ratio means less noise. Yours gets louder with it.",
                ),
                (
                    lambda s, n, db: np.sqrt(_power(s) / _power(n)) / 10 ** (db / 10),
                    "decibels of power",
                    "10 dB is a factor of 10 in power, and of root 10 in the values.",
                ),
                (
                    lambda s, n, db: 1 / 10 ** (db / 20),
                    "powers as they are",
                    "That would be right if both had the same power. Look at the powers of the two first.",
                ),
                (
                    lambda s, n, db: np.sqrt(_power(n) / _power(s) / 10 ** (db / 10)),
                    "upside down",
                    "Weak noise under loud speech has to be made louder: the speech's power stands on top.",
                ),
            ],
            "Which gain makes power of speech over power of noise equal to the ratio?",
        ),
        (
            "The power of a sound is the mean of its squared values.",
            "Ratio = 10 ** (snr_db / 10) = power(speech) / (gain² × power(noise)). Solve for gain.",
        ),
        "def noise_gain(speech, noise, snr_db):\n"
        "    ratio = np.mean(speech**2) / np.mean(noise**2)\n"
        "    return np.sqrt(ratio / 10 ** (snr_db / 10))",
        "0 dB is noise as strong as the speech: you would raise your voice. 20 dB is a quiet room.",
    )
)

register(
    Exercise(
        "05.less",
        "How much smaller",
        "Set `times_smaller` in the cell, and run it again.",
        number(
            (16.2, 16.4),
            "32,000 bytes of sound become 1,960 bytes of features: a sixteenth, and the word is still in it.",
            [
                ((8.1, 8.2), "values for bytes", "Count bytes: a sample of sound takes two, an int8 feature one."),
                ((4.0, 4.2), "float features", "Features are int8 here: one byte each, not four."),
                ((0.06, 0.062), "upside down", "That is features over sound. The question is how many times smaller."),
                (1960, "bytes of features", "Those are the bytes of the features. How many does the sound take?"),
            ],
            "Bytes of a second of sound, over bytes of 49 rows of 40 int8 values.",
        ),
        ("A second is 16,000 samples of two bytes.", "The features are 49 × 40 values of one byte."),
        "times_smaller = 16_000 * 2 / (49 * 40)",
        "What was thrown away: the phase, the exact pitch, everything above and below. A voice is hard to get back.",
    )
)
