"""Exercises of lesson 06, train keywords."""

from __future__ import annotations

import numpy as np

from ..check import Exercise, register
from ..judge import choice, function, number

register(
    Exercise(
        "06.split",
        "What to keep together",
        "Set `letter` to one of the letters, and run the cell again.",
        choice(
            "b",
            "All clips of a voice on one side: the test is then a stranger, as every user will be.",
            {
                "a": (
                    "clips shuffled",
                    "Then the same voice is on both sides, and the test asks whether the network remembers it.",
                ),
                "c": (
                    "words apart",
                    "A word that is only in the test cannot be learnt. Every part needs every word.",
                ),
                "d": (
                    "length",
                    "The length says little about who spoke. What do two clips of one person have in common?",
                ),
            },
        ),
        (
            "Who will use the finished device: a voice from the training set?",
            "What must never be on both sides?",
        ),
        'letter = "b"',
        "The set's authors draw the side from the speaker's name itself, so it stays the same when clips are added.",
    )
)

register(
    Exercise(
        "06.unknown",
        "What goes into unknown",
        "Set `letter` to one of the letters, and run the cell again.",
        choice(
            "c",
            "Many different words, so that the network learns where the wanted words end, not what others sound like.",
            {
                "a": (
                    "no class",
                    "Then every word is pressed into one of the five. A softmax always adds up to 1.",
                ),
                "b": (
                    "one word",
                    "Then it learns that one word by heart, and takes every other for a keyword.",
                ),
                "d": (
                    "noise only",
                    "Noise is unlike any word. What fools a wake word is speech: other words, and parts of words.",
                ),
            },
        ),
        ("What will the microphone hear all day?", "The class must be as varied as that."),
        'letter = "c"',
        "The best other words are those that sound nearly right: follow for four, tree for three.",
    )
)


def _weights(counts):
    counts = np.asarray(counts, float)
    return counts.sum() / (len(counts) * counts)


register(
    Exercise(
        "06.weights",
        "Weights for rare classes",
        "Replace the `...` in `class_weights`, and run the cell again.",
        function(
            _weights,
            [([300, 100],), ([50, 50, 50],), ([400, 80, 1200, 40],)],
            "Each class now counts the same in all, and the mean clip counts 1.",
            [
                (
                    lambda c: np.asarray(c, float) / np.sum(c),
                    "more for the common",
                    "That gives the common classes even more say. Rare ones should count more.",
                ),
                (
                    lambda c: 1 / np.asarray(c, float),
                    "no scale",
                    "The proportions are right. Scale them, so that a set with equal counts gets ones.",
                ),
                (
                    lambda c: np.sum(c) / np.asarray(c, float),
                    "classes forgotten",
                    "With three equal classes that gives 3, 3, 3. Divide by the number of classes too.",
                ),
                (
                    lambda c: np.max(c) / np.asarray(c, float),
                    "commonest as one",
                    "The proportions are right, but the mean clip no longer counts 1, so the learning rate shifts.",
                ),
            ],
            "A class's weight is all clips / (number of classes × its own clips).",
        ),
        (
            "A class with half as many clips should weigh twice as much a clip.",
            "With equal counts every weight should be 1.",
        ),
        "def class_weights(counts):\n    counts = np.array(counts)\n    return counts.sum() / (len(counts) * counts)",
        "Weights change what a mistake costs, not what the network sees. More takes of the rare class are better.",
    )
)


def _shift(sound, by):
    sound = np.asarray(sound)
    out = np.zeros_like(sound)
    if by >= 0:
        out[by:] = sound[: len(sound) - by]
    else:
        out[:by] = sound[-by:]
    return out


_clip = np.arange(1.0, 9.0)

register(
    Exercise(
        "06.shift",
        "Shift a word in time",
        "Replace the `...` in `shift`, and run the cell again.",
        function(
            _shift,
            [(_clip, 2), (_clip, -3), (_clip, 0), (_clip[::-1].copy(), 1)],
            "The word moves, silence moves in, and what is pushed out is gone.",
            [
                (
                    lambda s, by: np.roll(s, by),
                    "wrapped round",
                    "`np.roll` brings the end of the word back at the start: a sound nobody makes.",
                ),
                (
                    lambda s, by: _shift(s, -by),
                    "direction",
                    "Later is to the right: with `by` = 2 the first two values are silence.",
                ),
                (
                    lambda s, by: np.concatenate([np.zeros(max(by, 0)), s, np.zeros(max(-by, 0))]),
                    "longer",
                    "The clip must keep its length: cut off what is pushed out.",
                ),
                (
                    lambda s, by: s[by:] if by >= 0 else s[:by],
                    "shorter",
                    "The clip must keep its length: fill what was left free with zeros.",
                ),
            ],
            "A shifted clip has the same length, zeros where nothing is left.",
        ),
        (
            "Start with `np.zeros_like(sound)` and copy a part into it.",
            "For `by` ≥ 0, `out[by:]` gets the first `len(sound) - by` values; for `by` < 0 it is the other way round.",
        ),
        "def shift(sound, by):\n"
        "    out = np.zeros_like(sound)\n"
        "    if by >= 0:\n"
        "        out[by:] = sound[: len(sound) - by]\n"
        "    else:\n"
        "        out[:by] = sound[-by:]\n"
        "    return out",
        "On the board nobody cuts the word out of the sound for you: it may lie anywhere in the window.",
    )
)

register(
    Exercise(
        "06.separable",
        "What a separable layer saves",
        "Set `separable_weights` in the cell, and run it again.",
        number(
            4672,
            "9 weights for each of the 64 channels, then 64 × 64 that mix them: 576 + 4,096, an eighth of 36,864.",
            [
                (36864, "ordinary convolution", "That is the ordinary one: every filter looks at all channels."),
                (576, "mixing forgotten", "That is the depthwise half. Then 64 filters of 1 × 1 mix the channels."),
                (4096, "depthwise forgotten", "That is the 1 × 1 half. The 3 × 3 filters, one a channel, come on top."),
                (2359296, "multiplied", "The two halves come one after the other: add their weights."),
            ],
            "3 × 3 weights for each channel, plus 64 × 64 for the 1 × 1 filters. No biases here.",
        ),
        (
            "Depthwise: each of the 64 channels has one 3 × 3 filter of its own.",
            "Pointwise: 64 filters of 1 × 1, each over 64 channels.",
        ),
        "separable_weights = 3 * 3 * 64 + 64 * 64",
        "Fewer weights, fewer MACs; but the depthwise half keeps the processor less busy a cycle, as `tk.cost` shows.",
    )
)


def _threshold(scores):
    scores = np.sort(np.asarray(scores, float))
    return scores[int(np.ceil(0.9 * len(scores))) - 1]


_others = [np.round(np.linspace(0.02, 0.6, 10), 3), np.array([0.1, 0.9, 0.3, 0.2, 0.8, 0.05, 0.4, 0.15, 0.25, 0.35])]


_reject = function(
    _threshold,
    [(_others[0],), (_others[1],), (np.linspace(0, 1, 101)[1:],)],
    "Nine in ten other words score at most this, so a word must score more than that.",
    [
        (
            lambda s: np.mean(s),
            "mean",
            "The mean rejects about half. Nine in ten must lie at or under the threshold.",
        ),
        (lambda s: np.max(s), "all rejected", "That rejects all of them, and more of the keywords than need be."),
        (lambda s: 0.9, "0.9 as threshold", "90 % is a share of the words, not a score."),
        (
            lambda s: np.sort(s)[int(np.ceil(0.1 * len(s))) - 1],
            "the wrong end",
            "That is the lowest tenth: nine in ten score more than that and would be let through.",
        ),
        (
            lambda s: np.asarray(s)[int(np.ceil(0.9 * len(s))) - 1],
            "not sorted",
            "Sort the scores first: the order in which they come says nothing.",
        ),
    ],
    "Sort the scores; which is the smallest that nine in ten don't exceed?",
    tolerance=1e-9,
)

register(
    Exercise(
        "06.reject",
        "The threshold that rejects nine in ten",
        "Replace the `...` in `threshold`, and run the cell again.",
        _reject,
        (
            "Sort the scores from low to high.",
            "With 10 scores it is the ninth: index 8. With n it is index `ceil(0.9 * n) - 1`.",
        ),
        "def threshold(scores):\n    return np.sort(scores)[int(np.ceil(0.9 * len(scores))) - 1]",
        "Recall at a stated rejection compares networks that are differently sure of themselves.",
    )
)
