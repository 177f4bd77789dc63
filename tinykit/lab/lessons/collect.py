"""Exercises of lesson 01, collect gestures."""

from __future__ import annotations

import numpy as np

from ..check import Exercise, register
from ..judge import bad, choice, function, good, number

register(
    Exercise(
        "01.plan",
        "How many takes of a class",
        "Set `takes` in the cell, and run it again.",
        number(
            100,
            "One of 20 is 5 points, so the test part needs 20 takes of the class; 20 is a fifth of 100.",
            [
                (
                    20,
                    "test for total",
                    "20 takes is right for the test part. But the test is a fifth of all takes.",
                ),
                (
                    25,
                    "share mixed up",
                    "That makes the training part 20. It is the test part that must hold 20.",
                ),
                (
                    5,
                    "points for takes",
                    "With 5 takes in all, the test holds one: each error costs 100 points.",
                ),
                (
                    4,
                    "shares mixed up",
                    "Work out first how many takes the test part needs: one of them may cost 5 %.",
                ),
                (
                    120,
                    "test added on top",
                    "The fifth is of all takes, test included: not 100 for training and 20 more.",
                ),
            ],
            "First: of how many takes is one take 5 %? Then: that number is a fifth of what?",
        ),
        (
            "If the test holds n takes of a class, one mistake costs 100 / n points of recall.",
            "100 / n = 5 gives n = 20. And 20 is one fifth of all takes of that class.",
        ),
        "takes = (100 / 5) / (1 / 5)",
        "With fewer takes the recall is still worth showing, as long as it stands there as '3 of 4'.",
    )
)

_walk = np.cumsum(np.random.default_rng(3).normal(0, 1.2, (60, 3)), axis=0)
_clipped = np.clip(_walk, -4, 4)
_negative = np.clip(np.column_stack([-np.abs(_walk[:, 0]), _walk[:, 1] / 40, _walk[:, 2] / 40]), -4, 4)

register(
    Exercise(
        "01.clipping",
        "The clipped share of a take",
        "Replace the `...` in `clipped_share`, and run the cell again.",
        function(
            lambda a, limit: (np.abs(a) >= limit).any(axis=1).mean(),
            [
                (_clipped, 3.99),
                (_negative, 3.99),
                (np.zeros((10, 3)), 3.99),
                (np.full((4, 3), [0.5, -2.0, 0.1]), 2.0),
                (_clipped[:9], 2.0),
            ],
            "Either rail counts, and a sample is clipped as soon as one of its axes is.",
            [
                (
                    lambda a, limit: (a >= limit).any(axis=1).mean(),
                    "upper rail only",
                    "A sensor clips at both ends: −4 g is as lost as +4 g. Use the size without the sign.",
                ),
                (
                    lambda a, limit: (np.abs(a) >= limit).mean(),
                    "values for samples",
                    "That is the share of single values. One clipped axis spoils the whole sample: ask per row.",
                ),
                (
                    lambda a, limit: (np.abs(a) >= limit).any(axis=1).sum(),
                    "count for share",
                    "That is the number of clipped samples. Divide by how many there are.",
                ),
                (
                    lambda a, limit: (np.abs(a) >= limit).all(axis=1).mean(),
                    "all axes",
                    "You ask for all three axes at once. A single clipped axis is enough.",
                ),
                (
                    lambda a, limit: (np.linalg.norm(a, axis=1) >= limit).mean(),
                    "length of the vector",
                    "Each axis has its own limit of 4 g; three axes of 3 g are 5.2 g long, and none of them clips.",
                ),
                (
                    lambda a, limit: (np.abs(a) > limit).any(axis=1).mean(),
                    "limit itself",
                    "A clipped reading sits exactly on the limit: use `>=`.",
                ),
            ],
            "Per sample (row): does any axis reach the limit, up or down?",
        ),
        (
            "`np.abs(a) >= limit` is a table of True and False, one row a sample.",
            "`.any(axis=1)` makes one True or False of each row.",
            "The mean of True and False is the share of True.",
        ),
        "def clipped_share(a, limit=3.99):\n    return (np.abs(a) >= limit).any(axis=1).mean()",
        "The recorder works this out for every take, and flags the take when it clips.",
    )
)


def _clean(answer):
    from ..spoil import SPOILED, spoiled

    if isinstance(answer, str):
        answer = [answer]
    try:
        dropped = {str(id) for id in answer}
    except TypeError:
        return bad("not a list", "Give a list of takes' ids, in quotes.")
    known = {r.id for r in spoiled().recordings}
    unknown = sorted(dropped - known)
    if unknown:
        return bad("unknown take", f"There is no take {unknown[0]!r}: copy the ids from the audit above.")
    original, copy = SPOILED["original"], SPOILED["duplicate"]
    findings = [
        good("The motionless take is out: it would teach the model that lying still is a gesture.")
        if SPOILED["motionless"] in dropped
        else bad(
            "motionless kept",
            "The motionless take is still in. Its label says a gesture, its readings say a table.",
        ),
        good("The clipped take is out: its peaks were never measured.")
        if SPOILED["clipped"] in dropped
        else bad("clipped kept", "The clipped take is still in: its peaks are flat, which no hand does."),
    ]
    if {original, copy} <= dropped:
        findings.append(
            bad(
                "both twins dropped",
                "You dropped both of the identical takes. One of them is a good take: keep it.",
            )
        )
    elif {original, copy} & dropped:
        findings.append(good("One of the identical takes is out, and its twin is kept."))
    else:
        findings.append(
            bad(
                "duplicate kept",
                "Two takes are identical. A split may put one in train and one in test: a leak.",
            )
        )
    wronged = sorted(dropped - set(SPOILED.values()))
    if wronged:
        findings.append(
            bad(
                "good take dropped",
                f"{wronged[0]} has nothing wrong with it. Unusual takes are data too: keep them.",
            )
        )
    return findings


register(
    Exercise(
        "01.clean",
        "Takes to drop",
        "Put the ids of the takes to drop into the list, and run the cell again.",
        _clean,
        (
            "The audit names the takes. Three of them need to go.",
            "One lies still, one is clipped, and one is a copy of another take: drop one of the two.",
        ),
        'drop = ["take-07", "take-15", "take-22"]',
        "Drop what was measured badly, never what merely looks odd: odd takes are what users will do.",
    )
)


def _split(answer):
    try:
        parts = list(answer)
        ids = [[r.id for r in part.recordings] for part in parts]
        persons = [{r.person for r in part.recordings} for part in parts]
    except (TypeError, AttributeError):
        return bad("not datasets", "Give the parts that `split` returned: `(train, validation, test)`.")
    if len(parts) not in (2, 3):
        return bad("number of parts", f"A split has two or three parts; you gave {len(parts)}.")
    names = ["train", "test"] if len(parts) == 2 else ["train", "validation", "test"]
    flat = [id for part in ids for id in part]
    findings = []
    if len(flat) == len(set(flat)):
        findings.append(good(f"All {len(flat)} takes are used once, none twice."))
    else:
        findings.append(
            bad(
                "takes twice",
                f"{len(flat) - len(set(flat))} takes are in two parts: the test would know them.",
            )
        )
    empty = [name for name, part in zip(names, ids, strict=True) if not part]
    findings.append(
        bad("empty part", f"There is nothing in {empty[0]}. With few persons, check the fractions.")
        if empty
        else good(f"{', '.join(n.capitalize() if i == 0 else n for i, n in enumerate(names))} are all there.")
    )
    shared = sorted((persons[0] | persons[-2]) & persons[-1])
    if not shared:
        findings.append(good("Nobody in the test was met in training."))
    else:
        who = shared[0]
        here = sum(r.person == who for part in parts[:-1] for r in part.recordings)
        there = sum(r.person == who for r in parts[-1].recordings)
        findings.append(
            bad(
                "takes shuffled",
                f"{who} is in {names[0]} and in test ({here} and {there} takes). Takes were shuffled, not "
                f"persons; "
                "the model would be tested on a person it knows, and look better than it is.",
            )
        )
    return findings


register(
    Exercise(
        "01.split",
        "Split the takes by person",
        "Set `parts` to the three parts of a split, and run the cell again.",
        _split,
        (
            "`dataset.split(...)` takes `by=`: what must not be on two sides?",
            'By `"recording"`, a person has takes on both sides. Try `"person"`.',
        ),
        'parts = sample.split(by="person")',
        "Dealt by a hash of the name, the same person lands in the same part on every computer.",
    )
)

register(
    Exercise(
        "01.honest",
        "Which number to print",
        "Set `letter` to one of the letters, and run the cell again.",
        choice(
            "b",
            "A buyer is a new person. Only the split by person imitates that.",
            {
                "a": (
                    "higher is better",
                    "It is higher because the model was tested on persons it had met. A buyer is not one of them.",
                ),
                "c": (
                    "average of both",
                    "Averaging with a number that answers another question gives a number that answers none.",
                ),
                "d": (
                    "training accuracy",
                    "Training takes measure memory: a model that learns them by heart gets 100 % there.",
                ),
            },
        ),
        (
            "Who will use the device: persons in your recordings, or others?",
            "Which of the splits tests on persons that the model never met?",
        ),
        'letter = "b"',
        "If the device is for one person only, a split by session is the honest one: same person, another day.",
    )
)

_metres = [(np.array([0.0, -19.6133, 9.80665]),), (np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),)]

register(
    Exercise(
        "01.units",
        "Readings in m/s²",
        "Replace the `...` in `to_g`, and run the cell again.",
        function(
            lambda a: a / 9.80665,
            _metres,
            "1 g is 9.80665 m/s², so a reading in m/s² is divided by that.",
            [
                (
                    lambda a: a * 9.80665,
                    "upside down",
                    "That turns g into m/s². A board at rest reads 9.81 m/s², and should come out as 1 g.",
                ),
                (
                    lambda a: a,
                    "unchanged",
                    "That hands the readings on unchanged: a board at rest would feel 9.81 g.",
                ),
                (
                    lambda a: a / 10,
                    "rounded",
                    "Ten is 2 % off, more than the sensor's own error. Use 9.80665.",
                ),
                (lambda a: a / 1000, "milli-g", "1,000 is for readings in milli-g. These are in m/s²."),
                (
                    lambda a: a / 8192,
                    "counts",
                    "8,192 is for raw counts. These readings are in m/s² already.",
                ),
            ],
            "A board at rest reads 9.81 m/s². What must come out?",
            tolerance=1e-3,
        ),
        ("A board at rest reads 9.81 m/s², and that is 1 g.", "Divide by 9.80665."),
        "def to_g(a):\n    return a / 9.80665",
        "A model trained in m/s² and fed in g sees almost nothing. Write the unit next to every number.",
    )
)
