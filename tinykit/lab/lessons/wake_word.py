"""Exercises of lesson 08, your own wake word."""

from __future__ import annotations

import numpy as np

from ..check import Exercise, register
from ..judge import choice, function, number

register(
    Exercise(
        "08.word",
        "A good wake word",
        "Set `letter` to one of the letters, and run the cell again.",
        choice(
            "c",
            "Four syllables with sharp changes between them, and nobody says it by chance.",
            {
                "a": ("too short", "One syllable: half of all sentences contain something like it."),
                "b": ("everyday word", "It is long enough, but it is said all day when nobody means the board."),
                "d": ("quiet sounds", "s, f and sh are weak and look like hiss: noise covers them first."),
            },
        ),
        ("How often is it said by chance?", "How much of it is left when a fan is running?"),
        'letter = "c"',
        "That is why commercial wake words have three or four syllables, and names that nobody has.",
    )
)

register(
    Exercise(
        "08.takes",
        "Twenty takes",
        "Set `letter` to one of the letters, and run the cell again.",
        choice(
            "d",
            "Variation is what makes a take worth having: voices, distances, rooms, moods.",
            {
                "a": ("one good take", "Twenty copies of one take are one take."),
                "b": ("one voice", "It will know that voice, on that day, at that distance."),
                "c": ("all alike", "Clean takes are easy, and teach nothing about the room it will work in."),
            },
        ),
        ("What will be different when the board is used?", "It should be different in the takes too."),
        'letter = "d"',
        "And ask everyone whose voice you keep: a recording of a voice is personal data.",
    )
)

register(
    Exercise(
        "08.head",
        "How much is learnt anew",
        "Set `new_weights` in the cell, and run it again.",
        number(
            291,
            "96 × 3 weights and 3 biases: few enough for twenty takes to settle.",
            [
                (288, "biases forgotten", "Those are the weights. Each of the three outputs has a bias too."),
                (99, "one output", "The layer has three outputs: silence, unknown, and your word."),
                (97, "one output", "The layer has three outputs: silence, unknown, and your word."),
                (194, "two outputs", "The layer has three outputs: silence, unknown, and your word."),
            ],
            "Inputs times outputs, plus one bias an output.",
        ),
        ("Each output has one weight for each of the 96 inputs.", "And each output has a bias."),
        "new_weights = 96 * 3 + 3",
        "All other weights come from the backbone, which has heard thousands of takes of other words.",
    )
)


def _cosine(a, b):
    a, b = np.asarray(a, float), np.asarray(b, float)
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


_a, _b = np.array([1.0, 2.0, 0.5]), np.array([0.5, -1.0, 2.0])

register(
    Exercise(
        "08.alike",
        "How alike are two takes",
        "Replace the `...` in `alike`, and run the cell again.",
        function(
            _cosine,
            [(_a, _b), (_a, 3 * _a), (_a, -_a), (np.array([3.0, 4.0]), np.array([4.0, 3.0]))],
            "The angle between two embeddings, whatever their lengths: 1 for the same direction.",
            [
                (
                    lambda a, b: float(a @ b),
                    "lengths left in",
                    "A louder take has a longer embedding. Divide by both lengths.",
                ),
                (
                    lambda a, b: float(np.linalg.norm(a - b)),
                    "distance",
                    "That is how far apart they are, 0 for the same. Alike should be 1 then.",
                ),
                (
                    lambda a, b: float(a @ b / ((a @ a) * (b @ b))),
                    "squared lengths",
                    "a @ a is the length squared. Take the root.",
                ),
                (
                    lambda a, b: float(np.arccos(np.clip(_cosine(a, b), -1, 1))),
                    "angle",
                    "That is the angle. Its cosine is 1 for alike and −1 for opposite.",
                ),
            ],
            "The product a @ b, over the length of a times the length of b.",
            tolerance=1e-5,
        ),
        ("`np.linalg.norm(a)` is the length of a.", "a @ b / (length of a × length of b)."),
        "def alike(a, b):\n    return a @ b / (np.linalg.norm(a) * np.linalg.norm(b))",
        "A backbone is good if takes of one word lie close together, for words it has never heard.",
    )
)

register(
    Exercise(
        "08.tune",
        "Where the threshold comes from",
        "Set `letter` to one of the letters, and run the cell again.",
        choice(
            "a",
            "One recording to choose by, another to judge by: as with validation and test in lesson 02.",
            {
                "b": (
                    "tuned on the test",
                    "Then the number you report is the one you picked: it can only look good.",
                ),
                "c": (
                    "training takes",
                    "The network has learnt these by heart: they score high whatever the threshold.",
                ),
                "d": ("habit", "Scores of different networks are not comparable: 0.5 means nothing by itself."),
            },
        ),
        ("Is choosing a threshold a kind of training?", "Which data may see the choice, and which must not?"),
        'letter = "a"',
        "Each choice that you make after looking at a recording uses that recording up.",
    )
)

register(
    Exercise(
        "08.days",
        "How long does it last",
        "Set `days` in the cell, and run it again.",
        number(
            (3.9, 4.2),
            "400 mAh over 4.1 mA is about 98 hours, four days. Listening is expensive.",
            [
                ((95, 100), "hours", "Those are hours."),
                ((0.24, 0.25), "upside down", "Charge over current gives hours; divide by 24 for days."),
                ((16.0, 17.5), "sleeping only", "The processor works for a quarter of the time: that is in the mean."),
            ],
            "The mean current first: 25 % of the time 14 mA, 75 % of the time 0.8 mA.",
            tolerance=0.01,
        ),
        ("Mean current = 0.25 × 14 + 0.75 × 0.8 mA.", "Hours = mAh / mA; a day has 24."),
        "days = 400 / (0.25 * 14 + 0.75 * 0.8) / 24",
        "Real products put a simpler listener in front, which wakes the network only when there is a voice.",
    )
)
