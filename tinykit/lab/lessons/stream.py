"""Exercises of lesson 07, from clips to a stream."""

from __future__ import annotations

import numpy as np

from ..check import Exercise, register
from ..judge import bad, choice, function, good, number

register(
    Exercise(
        "07.hour",
        "Wrong once in a hundred",
        "Set `false_answers` in the cell, and run it again.",
        number(
            360,
            "36,000 answers an hour, one in a hundred wrong. As a product that is unusable.",
            [
                (36000, "all answers", "Those are all answers of an hour. One in a hundred of them is wrong."),
                (36, "one answer a second", "There are ten answers a second, not one."),
                (6, "a minute", "That is a minute. The question asks for an hour."),
                (3.6, "one in ten thousand", "One in a hundred is 1 %, or 0.01."),
                (35640, "right answers", "Those are the right ones."),
            ],
            "Answers an hour, times the share that is wrong.",
        ),
        ("Ten a second for 3,600 seconds.", "One in a hundred of these."),
        "false_answers = 10 * 3600 * 0.01",
        "That is why the unit of this lesson is false alarms an hour. Clips hide it.",
    )
)


def _smooth(p, n):
    p = np.asarray(p, float)
    return np.array([p[max(0, i - n + 1) : i + 1].mean() for i in range(len(p))])


_p = np.array([0.0, 0.1, 0.9, 0.2, 0.0, 0.8, 0.9, 0.95, 0.3, 0.0])

register(
    Exercise(
        "07.smooth",
        "Mean over the last answers",
        "Replace the `...` in `smooth`, and run the cell again.",
        function(
            _smooth,
            [(_p, 3), (_p, 1), (_p[::-1].copy(), 4)],
            "A single high answer is worn down; one that stays gets through, a little later.",
            [
                (
                    lambda p, n: np.convolve(p, np.ones(n) / n, "same"),
                    "looks ahead",
                    "That averages around each answer. The board cannot wait for answers of the future.",
                ),
                (
                    lambda p, n: np.convolve(p, np.ones(n) / n, "valid"),
                    "starts late",
                    "At the start there are fewer than n answers: take the mean of those there are.",
                ),
                (
                    lambda p, n: np.convolve(p, np.ones(n) / n)[: len(p)],
                    "zeros before the start",
                    "Before the first answer there is nothing, not zeros: divide by how many there are.",
                ),
                (
                    lambda p, n: np.array([np.max(p[max(0, i - n + 1) : i + 1]) for i in range(len(p))]),
                    "maximum",
                    "The maximum keeps every spike alive for longer. The mean wears it down.",
                ),
                (
                    lambda p, n: np.array([np.mean(p[max(0, i - n) : i + 1]) for i in range(len(p))]),
                    "one too many",
                    "From i - n to i are n + 1 answers. Start at i - n + 1.",
                ),
            ],
            "For each answer, the mean of it and the n - 1 before it, or of as many as there are.",
        ),
        (
            "Answer i uses answers from `max(0, i - n + 1)` to i, both in.",
            "A list comprehension over `range(len(p))` will do.",
        ),
        "def smooth(p, n):\n    return np.array([p[max(0, i - n + 1) : i + 1].mean() for i in range(len(p))])",
        "Smoothing over n answers delays the decision by about n / 2 of them.",
    )
)


def _announce(times, seconds):
    kept = []
    for t in times:
        if not kept or t - kept[-1] >= seconds:
            kept.append(t)
    return kept


def _since_last(times, seconds):
    return [t for i, t in enumerate(times) if i == 0 or t - times[i - 1] >= seconds]


register(
    Exercise(
        "07.suppress",
        "One word, one detection",
        "Replace the `...` in `announce`, and run the cell again.",
        function(
            _announce,
            [([1.0, 1.1, 1.2, 3.0, 3.1], 1.0), ([0.0, 0.4, 0.8, 1.2, 1.6, 2.0], 1.0), ([5.0], 0.5), ([2.0, 3.0], 1.0)],
            "One word gives one detection, and the next word still gets its own.",
            [
                (
                    _since_last,
                    "counts from the last answer",
                    "Yours waits for quiet. Count from the last detection that was *announced*, or a long row of "
                    "answers is told only once.",
                ),
                (
                    lambda times, s: _announce(times, np.nextafter(s, 9)),
                    "at the limit",
                    "After exactly `seconds` it may be announced again: compare with >=.",
                ),
                (lambda times, s: list(times), "nothing held back", "A word of half a second gives five answers."),
                (lambda times, s: list(times)[:1], "only the first", "After `seconds` the next word may be told."),
            ],
            "Keep a time if it is the first, or at least `seconds` after the last one kept.",
        ),
        ("Go through the times and keep a list of those announced.", "Compare with the last one in that list."),
        "def announce(times, seconds):\n"
        "    kept = []\n"
        "    for t in times:\n"
        "        if not kept or t - kept[-1] >= seconds:\n"
        "            kept.append(t)\n"
        "    return kept",
        "The board does the same, word by word: left may follow right at once.",
    )
)


def _score(answer):
    try:
        hits, misses, alarms = (int(a) for a in answer)
    except (TypeError, ValueError):
        return bad("not three numbers", "Give three whole numbers: hits, misses, false alarms.")
    if (hits, misses, alarms) == (2, 1, 2):
        return good("2.6 and 12.4 are hits; 5.0 and 9.9 belong to no word; the word at 8.0 is missed.")
    if (hits, misses, alarms) == (3, 0, 1):
        return bad("too late", "9.9 is 1.3 s after the end of the second word: more than the one second allowed.")
    if (hits, misses, alarms) == (0, 3, 4):
        return bad("no grace", "A detection comes after the word: until one second after its end it is a hit.")
    if (hits, misses, alarms) == (2, 1, 1):
        return bad("late is free", "A detection that is no hit is a false alarm, also if it was meant for a word.")
    if hits + misses != 3:
        return bad("words lost", "There are three words, and each is either hit or missed.")
    if hits + alarms != 4:
        return bad("detections lost", "There are four detections, and each is either a hit or a false alarm.")
    return bad("other value", "Draw the three words and the four detections on a line.")


register(
    Exercise(
        "07.score",
        "Hits, misses, false alarms",
        "Set `hits`, `misses` and `false_alarms`, and run the cell again.",
        _score,
        (
            "A word is hit by a detection from its start until one second after its end.",
            "Go through the words: 2.0–2.5, 8.0–8.6, 11.8–12.3. Which detection belongs to each?",
        ),
        "hits, misses, false_alarms = 2, 1, 2",
        "9.9 s is 1.3 s after the second word: too late to be of use, so it counts against us twice.",
    )
)


def _choose(curve, limit):
    rows = [row for row in curve if row["false_alarms_per_hour"] <= limit]
    return min(rows, key=lambda row: row["misses"])["threshold"]


_curve = [
    {"threshold": 0.5, "false_alarms_per_hour": 60.0, "misses": 2},
    {"threshold": 0.6, "false_alarms_per_hour": 24.0, "misses": 3},
    {"threshold": 0.7, "false_alarms_per_hour": 6.0, "misses": 5},
    {"threshold": 0.8, "false_alarms_per_hour": 1.0, "misses": 8},
    {"threshold": 0.9, "false_alarms_per_hour": 0.0, "misses": 14},
    {"threshold": 0.95, "false_alarms_per_hour": 0.5, "misses": 20},
]

register(
    Exercise(
        "07.choose",
        "Choose the point",
        "Replace the `...` in `choose`, and run the cell again.",
        function(
            _choose,
            [(_curve, 10.0), (_curve, 30.0), (_curve, 0.0), (_curve, 6.0)],
            "Of all points that keep the limit, the one that misses least.",
            [
                (
                    lambda c, limit: min(c, key=lambda r: r["misses"])["threshold"],
                    "limit ignored",
                    "That misses least, and wakes up all the time. Keep the limit first.",
                ),
                (
                    lambda c, limit: min(c, key=lambda r: r["false_alarms_per_hour"])["threshold"],
                    "safest",
                    "That has the fewest false alarms and hears little. The limit may be used up.",
                ),
                (
                    lambda c, limit: max(
                        (r for r in c if r["false_alarms_per_hour"] <= limit), key=lambda r: r["threshold"]
                    )["threshold"],
                    "highest threshold",
                    "Of the points that keep the limit you took the strictest. Which of them misses least?",
                ),
                (
                    lambda c, limit: min(c, key=lambda r: r["false_alarms_per_hour"] + r["misses"])["threshold"],
                    "apples and pears",
                    "False alarms an hour and misses cannot be added. One is limited, the other made small.",
                ),
            ],
            "Keep the rows within the limit, then take the one with the fewest misses.",
        ),
        (
            "First a list of rows with `false_alarms_per_hour` at most `limit`.",
            "Then `min(rows, key=lambda row: row['misses'])`.",
        ),
        "def choose(curve, limit):\n"
        "    rows = [row for row in curve if row['false_alarms_per_hour'] <= limit]\n"
        "    return min(rows, key=lambda row: row['misses'])['threshold']",
        "Which limit is right is not for the network to say: a toy may be woken by mistake, an alarm may not.",
    )
)

register(
    Exercise(
        "07.none",
        "No false alarm, so none?",
        "Set `letter` to one of the letters, and run the cell again.",
        choice(
            "b",
            "With nothing seen, the 95 % limit is about 3 in the time listened: 3 in 10 minutes is 18 an hour.",
            {
                "a": ("none seen, none there", "Ten minutes are short. At 6 an hour, one test in three sees none."),
                "c": ("one more", "At 6 an hour one would expect 1 in ten minutes, and see none in 37 % of all tests."),
                "d": ("nothing known", "It does say something: at 60 an hour, ten would have been expected here."),
            },
        ),
        (
            "If the true rate were 6 an hour, how often would ten minutes pass without one?",
            "The rule of three: none seen means at most about 3, with 95 % confidence.",
        ),
        'letter = "b"',
        "To claim less than one an hour, listen for three hours without a false alarm.",
    )
)
