"""Exercises of lesson 04, deploy and live."""

from __future__ import annotations

import numpy as np

from ..check import Exercise, register
from ..judge import bad, choice, function, good, number

register(
    Exercise(
        "04.pages",
        "Pages to erase",
        "Set `pages` in the cell, and run it again.",
        number(
            7,
            "23,456 bytes reach into the sixth page, and the slot's own header page makes seven.",
            [
                (
                    6,
                    "header page forgotten",
                    "Six pages hold the plan. The slot's first page, its header, comes on top.",
                ),
                (
                    5,
                    "part of a page",
                    "5.7 pages: a page is erased as a whole, so the started one counts. Then the header.",
                ),
                (
                    (5.7, 5.75),
                    "part of a page",
                    "A page is erased as a whole: round up. Then add the header page.",
                ),
                ((6.7, 6.75), "part of a page", "A page is erased as a whole: there is no part of a page."),
                (80, "whole slot", "That is the whole slot. Only the pages that the plan needs are erased."),
                (24, "kilobytes", "Pages have 4,096 bytes, not 1,024."),
            ],
            "Round up to whole pages of 4,096 bytes, and remember the header.",
        ),
        (
            "23,456 / 4,096 is 5.7. How many whole pages is that?",
            "Six for the plan, one for the slot's header.",
        ),
        "pages = -(-23_456 // 4096) + 1",
        "An erase may take up to 90 ms on the real chip, so seven pages stay well under a second.",
    )
)

register(
    Exercise(
        "04.power",
        "The cable is pulled",
        "Set `letter` to one of the letters, and run the cell again.",
        choice(
            "b",
            "The old slot was never touched, and the new one is not marked as good until all of it is.",
            {
                "a": (
                    "overwritten in place",
                    "That would be so if the upload went over the running plan. It goes into the other slot.",
                ),
                "c": (
                    "half a plan runs",
                    "A plan without its last step, the activation record, is never started, and its CRC would not fit.",
                ),
                "d": (
                    "flash forgets",
                    "Flash keeps its bits without power. It is RAM that forgets.",
                ),
            },
        ),
        (
            "Into which slot does the upload write: the running one, or the other?",
            "What is written last, and what does the board believe before that?",
        ),
        'letter = "b"',
        "The tests cut the power of the virtual board at 200 instants of a deploy: old or new, always whole.",
    )
)

_answers = [
    (np.array([0.1, 0.8, 0.1]), 0.7),
    (np.array([0.4, 0.35, 0.25]), 0.7),
    (np.array([0.7, 0.2, 0.1]), 0.7),
    (np.array([0.05, 0.15, 0.8]), 0.9),
    (np.array([0.3, 0.3, 0.4]), 0.35),
]


def _decide(p, threshold):
    return int(np.argmax(p)) if np.max(p) >= threshold else -1


register(
    Exercise(
        "04.decide",
        "From probabilities to a decision",
        "Replace the `...` in `decide`, and run the cell again.",
        function(
            _decide,
            _answers,
            "The best label if it reaches the threshold, else −1 for unsure.",
            [
                (
                    lambda p, threshold: int(np.argmax(p)),
                    "always an answer",
                    "That always names a label, even at 0.40. Below the threshold the decision is 'unsure', −1.",
                ),
                (
                    lambda p, threshold: int(np.argmax(p)) if np.max(p) > threshold else -1,
                    "threshold itself",
                    "A probability that just reaches the threshold is enough: `>=`.",
                ),
                (
                    lambda p, threshold: int(np.argmax(p >= threshold)),
                    "argmax of nothing",
                    "`argmax` of only False is 0: an unsure answer would become the first label.",
                ),
                (
                    lambda p, threshold: float(np.max(p)) if np.max(p) >= threshold else -1,
                    "probability for label",
                    "That returns the probability. The decision is which label: its place.",
                ),
                (
                    lambda p, threshold: int(np.argmax(p)) if np.max(p) <= threshold else -1,
                    "upside down",
                    "That is sure when it should be unsure, and the other way round.",
                ),
            ],
            "Which label is best, and does it reach the threshold?",
        ),
        (
            "`np.argmax(p)` is the place of the best label, `np.max(p)` its probability.",
            "If the best probability reaches the threshold, return the place, else −1.",
        ),
        "def decide(p, threshold):\n    return int(np.argmax(p)) if np.max(p) >= threshold else -1",
        "The board does the same in whole numbers, on the smoothed answers.",
    )
)

register(
    Exercise(
        "04.delay",
        "What smoothing costs",
        "Set `span_ms` in the cell, and run it again.",
        number(
            (756, 757),
            "Four answers lie three hops apart: 3 × 30 samples / 119 Hz = 756 ms.",
            [
                ((1008, 1009), "fence posts", "Four answers have three hops between them, not four."),
                ((252, 252.2), "one hop", "That is a single hop. Four answers lie three hops apart."),
                ((0.756, 0.757), "seconds", "Right, in seconds. The question asks for milliseconds."),
                (90, "samples for time", "90 samples is right. At 119 samples a second, how long is that?"),
                (
                    120,
                    "fence posts in samples",
                    "Four answers have three hops between them; and turn samples into ms.",
                ),
                (
                    (1.008, 1.009),
                    "fence posts",
                    "Four answers have three hops between them; and this is in seconds.",
                ),
            ],
            "Time from the first of the four answers to the last: hops × samples a hop / rate.",
        ),
        (
            "Draw four answers on a line. How many hops lie between the first and the last?",
            "One hop is 30 / 119 s.",
        ),
        "span_ms = 1000 * (4 - 1) * 30 / 119",
        "Smoothing trades false alarms for delay. A shorter hop buys the delay back with more computing.",
    )
)


def _threshold(answer):
    try:
        sweep, threshold = answer
        rows = [(float(r["threshold"]), int(r["hits"]), int(r["false_alarms"])) for r in sweep]
        value = float(threshold)
    except (TypeError, ValueError, KeyError):
        return bad("not a threshold", "Give the sweep and one threshold from its first column.")
    row = next((r for r in rows if abs(r[0] - value) < 1e-6), None)
    if row is None:
        return bad("not in the table", "Choose a threshold that stands in the table's first column.")
    fewest = min(r[2] for r in rows)
    allowed = [r for r in rows if r[2] == fewest]
    most = max(r[1] for r in allowed)
    if row[2] > fewest:
        return bad(
            "false alarms",
            f"At {value:.2f} there are {row[2]} false alarms, and {fewest} is reachable. Here the fewest "
            "false alarms come first.",
        )
    if row[1] < most:
        return bad(
            "too strict",
            f"At {value:.2f} the false alarms are as few as can be, but only {row[1]} gestures are found; "
            f"a lower threshold finds {most} with as few false alarms.",
        )
    return good(f"{row[1]} gestures found, {row[2]} false alarms: nothing in the table is better on both.")


register(
    Exercise(
        "04.threshold",
        "Choose a threshold",
        "Set `threshold` to a value of the table, and run the cell again.",
        _threshold,
        (
            "Look down the column of false alarms: where is it lowest?",
            "Of the rows with the fewest false alarms, take one with the most hits.",
        ),
        "fewest = min(row['false_alarms'] for row in sweep)\n"
        "rows = [row for row in sweep if row['false_alarms'] == fewest]\n"
        "threshold = max(rows, key=lambda row: row['hits'])['threshold']",
        "Choose it on validation takes. A threshold fitted to the test takes flatters them.",
    )
)

_host = np.array([[10, -5, 3], [1, 2, 90], [-8, -8, 16], [100, 20, 30]], dtype=np.int8)
_near = _host.copy()
_near[1, 0] += 1
_far = _host.copy()
_far[0], _far[2, 2], _far[3, 1] = [-5, 10, 3], 17, 60

register(
    Exercise(
        "04.agree",
        "Agreement, bit for bit",
        "Replace the `...` in `agreement`, and run the cell again.",
        function(
            lambda host, board: (host == board).all(axis=1).mean(),
            [(_host, _host.copy()), (_host, _near), (_host, _far)],
            "A window agrees when every one of its outputs is the same, to the last bit.",
            [
                (
                    lambda host, board: (host.argmax(1) == board.argmax(1)).mean(),
                    "same label is enough",
                    "That compares labels. Two engines can agree on labels and differ in every number.",
                ),
                (
                    lambda host, board: (host == board).mean(),
                    "values for windows",
                    "That is the share of single numbers. Ask per window: are all its outputs equal?",
                ),
                (
                    lambda host, board: (host == board).all(axis=1).sum(),
                    "count for share",
                    "That is the number of windows that agree. Divide by how many there are.",
                ),
                (
                    lambda host, board: float((host == board).all()),
                    "all or nothing",
                    "That is 1 only if everything agrees. What share of the windows does?",
                ),
                (
                    lambda host, board: np.isclose(host, board, atol=1).all(axis=1).mean(),
                    "nearly equal",
                    "Nearly is not bit for bit: these are whole numbers, so compare with `==`.",
                ),
            ],
            "For each window (row): are all outputs equal? Then the share of such rows.",
        ),
        (
            "`host == board` is a table of True and False, one row a window.",
            "`.all(axis=1)` asks whether the whole row agrees; the mean is the share.",
        ),
        "def agreement(host, board):\n    return (host == board).all(axis=1).mean()",
        "Equal accuracy proves little: two models can be right equally often on different takes.",
    )
)
