"""Exercises of lesson 02, train."""

from __future__ import annotations

import numpy as np

from ..check import Exercise, register
from ..judge import choice, function

_rng = np.random.default_rng(5)
_windows = [(_rng.normal(size=(119, 6)),), (_rng.normal(2, 3, size=(30, 6)),)]

register(
    Exercise(
        "02.features",
        "Summary features by hand",
        "Replace the `...` in `summary`, and run the cell again.",
        function(
            lambda w: np.concatenate([w.mean(axis=0), w.std(axis=0)]),
            _windows,
            "Twelve numbers: a mean and a spread for each of the six channels.",
            [
                (
                    lambda w: np.concatenate([w.mean(axis=1), w.std(axis=1)]),
                    "wrong axis",
                    "Axis 1 runs across the channels, mixing g with deg/s. Go down the time: axis 0.",
                ),
                (
                    lambda w: np.array([w.mean(), w.std()]),
                    "no axis",
                    "Without an axis, numpy mixes all channels into one number. Go down the time: axis 0.",
                ),
                (
                    lambda w: w.mean(axis=0),
                    "spread missing",
                    "The means are there; the standard deviations are not.",
                ),
                (
                    lambda w: w.std(axis=0),
                    "mean missing",
                    "The standard deviations are there; the means are not.",
                ),
                (
                    lambda w: np.array([w.mean(axis=0), w.std(axis=0)]),
                    "not joined",
                    "Right numbers, in two rows of six. The classifier wants one row of twelve: concatenate them.",
                ),
                (
                    lambda w: np.concatenate([w.std(axis=0), w.mean(axis=0)]),
                    "order",
                    "Right numbers, but the means come first here.",
                ),
            ],
            "Six means, then six standard deviations, each down the time axis.",
        ),
        (
            "`w` has 119 rows (time) and 6 columns (channels). Which axis is time?",
            "`w.mean(axis=0)` gives six means. The same for `std`.",
            "`np.concatenate([first, second])` joins them into one row.",
        ),
        "def summary(w):\n    return np.concatenate([w.mean(axis=0), w.std(axis=0)])",
        "The mean of the acceleration is mostly gravity: it tells how the board was held.",
    )
)

_labels = [
    (["rest"] * 70 + ["wave"] * 20 + ["punch"] * 10,),
    (["a", "b", "b", "c", "b"],),
    (["x", "x", "y", "y"],),
]


def _most(labels):
    return max(labels.count(name) for name in set(labels))


register(
    Exercise(
        "02.majority",
        "The laziest classifier",
        "Replace the `...` in `majority_accuracy`, and run the cell again.",
        function(
            lambda labels: _most(labels) / len(labels),
            _labels,
            "Always saying the commonest label is right as often as that label occurs.",
            [
                (
                    lambda labels: 1 / len(set(labels)),
                    "guessing evenly",
                    "That is for rolling a die. Always saying the commonest label does better when classes are uneven.",
                ),
                (_most, "count for share", "That is how many it gets right. Divide by how many there are."),
                (
                    lambda labels: min(labels.count(n) for n in set(labels)) / len(labels),
                    "rarest label",
                    "That is the share of the rarest label. The lazy one picks the commonest.",
                ),
                (
                    lambda labels: len(set(labels)) / len(labels),
                    "labels counted",
                    "That counts how many different labels there are. How often does the commonest occur?",
                ),
            ],
            "How often is the commonest label the right one?",
        ),
        (
            "If 70 of 100 takes are `rest`, how often is 'always rest' right?",
            "`labels.count(name)` counts one label; take the largest over `set(labels)`.",
        ),
        "def majority_accuracy(labels):\n    return max(labels.count(name) for name in set(labels)) / len(labels)",
        "On even classes it scores 1 / classes. Macro F1 is low for it always, so we print that too.",
    )
)

_curves = [
    ([1.2, 0.8, 0.5, 0.3, 0.2, 0.1], [1.3, 0.9, 0.7, 0.65, 0.7, 0.8]),
    ([0.9, 0.7, 0.6], [1.0, 0.8, 0.75]),
    ([1.0, 0.4, 0.2, 0.1], [0.9, 0.5, 0.6, 0.7]),
]

register(
    Exercise(
        "02.epoch",
        "When to stop",
        "Replace the `...` in `best_epoch`, and run the cell again.",
        function(
            lambda train_loss, validation_loss: int(np.argmin(validation_loss)) + 1,
            _curves,
            "The lowest validation loss: from there on the network learns the training takes by heart.",
            [
                (
                    lambda train_loss, validation_loss: int(np.argmin(train_loss)) + 1,
                    "training loss",
                    "Training loss falls for ever: it also falls while the network learns takes by heart. "
                    "Which curve has not been trained on?",
                ),
                (
                    lambda train_loss, validation_loss: len(train_loss),
                    "last epoch",
                    "That is simply the last epoch. Longer is not better once the validation loss turns up.",
                ),
                (
                    lambda train_loss, validation_loss: int(np.argmin(validation_loss)),
                    "counted from zero",
                    "Right place, but epochs are counted from 1, and Python's positions from 0.",
                ),
                (
                    lambda train_loss, validation_loss: int(np.argmax(validation_loss)) + 1,
                    "highest loss",
                    "That is the highest loss. A loss is a penalty: low is good.",
                ),
                (
                    lambda train_loss, validation_loss: min(validation_loss),
                    "loss for epoch",
                    "That is the lowest loss itself. Which epoch was it?",
                ),
            ],
            "Find the epoch (from 1) with the lowest loss on data that was not trained on.",
        ),
        (
            "Which of the two curves tells about takes the network has not seen?",
            "`np.argmin(validation_loss)` is the place of the lowest value, counted from 0.",
        ),
        "def best_epoch(train_loss, validation_loss):\n    return int(np.argmin(validation_loss)) + 1",
        "Choosing the epoch is a choice too: made on the test takes, it would leak them into the model.",
    )
)

_matrices = [
    (np.array([[26, 4, 0], [2, 18, 10], [1, 3, 36]]), 1),
    (np.array([[26, 4, 0], [2, 18, 10], [1, 3, 36]]), 2),
    (np.array([[5, 5], [1, 9]]), 0),
]

register(
    Exercise(
        "02.recall",
        "Recall and precision",
        "Replace both `...` in `recall_precision`, and run the cell again.",
        function(
            lambda m, k: (m[k, k] / m[k].sum(), m[k, k] / m[:, k].sum()),
            _matrices,
            "Recall goes along the row of what was done, precision down the column of what was said.",
            [
                (
                    lambda m, k: (m[k, k] / m[:, k].sum(), m[k, k] / m[k].sum()),
                    "row and column swapped",
                    "The two are swapped. Recall: of all real punches, how many were found? That is a row.",
                ),
                (
                    lambda m, k: (m[k, k] / m.sum(), m[k, k] / m.sum()),
                    "divided by everything",
                    "You divide by all takes. Recall asks about this class's takes only: its row.",
                ),
                (
                    lambda m, k: (np.trace(m) / m.sum(), np.trace(m) / m.sum()),
                    "accuracy",
                    "That is the accuracy over all classes. Recall and precision are about one class.",
                ),
                (
                    lambda m, k: (m[k, k] / m[k].sum(), m[k, k] / m[k].sum()),
                    "recall twice",
                    "The recall is right. Precision looks down the column: of all takes called this, how many were?",
                ),
                (
                    lambda m, k: (m[k, k], m[k, k]),
                    "not divided",
                    "That is the number of right answers. Divide by the row for recall, by the column for precision.",
                ),
            ],
            "Rows are what was done, columns what the model said.",
        ),
        (
            "Row k of the matrix holds all takes that really are class k.",
            "Recall is `m[k, k] / m[k].sum()`. Precision uses column k: `m[:, k]`.",
        ),
        "def recall_precision(m, k):\n    return m[k, k] / m[k].sum(), m[k, k] / m[:, k].sum()",
        "A missed gesture costs recall, a false alarm costs precision. Which is worse depends on the product.",
    )
)

register(
    Exercise(
        "02.verdict",
        "The honest sentence",
        "Set `letter` to one of the letters, and run the cell again.",
        choice(
            "c",
            "The seeds spread over 4 points and the means differ by 1: this test cannot tell the two apart.",
            {
                "a": (
                    "best seed",
                    "0.90 is the luckiest of three seeds. Choosing it after looking at the test is fitting the test.",
                ),
                "b": (
                    "difference within noise",
                    "The means do differ by a point, but the seeds differ by four, and one take of 100 is one point.",
                ),
                "d": (
                    "worst seed",
                    "Picking the worst seed is no more honest than picking the best: report the mean and the spread.",
                ),
            },
        ),
        (
            "How far apart are the three seeds from each other? And the mean from the forest?",
            "With 100 test takes, one take is one point. Would a rerun give the same order?",
        ),
        'letter = "c"',
        "Then cost decides. A network runs on the engine as it is; a forest's summary features need code of their own.",
    )
)

register(
    Exercise(
        "02.transfer",
        "A person that the model fails on",
        "Set `letter` to one of the letters, and run the cell again.",
        choice(
            "b",
            "More persons show the model in how many ways a gesture can be done, and the test stays a stranger.",
            {
                "a": (
                    "test takes in training",
                    "Then the test person is no stranger any more. The number goes up, the device does not get better.",
                ),
                "c": (
                    "person dropped",
                    "The next user may be just like that person. Dropping them hides the failure from you alone.",
                ),
                "d": (
                    "larger network",
                    "It already learns its training persons almost by heart. What it lacks is persons, not weights.",
                ),
            },
        ),
        (
            "What will be different when the device meets its next user?",
            "Which remedy makes the device better for strangers, and leaves the test a stranger?",
        ),
        'letter = "b"',
        "Another good way: let each new user record a few takes to adapt to, and test on others of their takes.",
    )
)
