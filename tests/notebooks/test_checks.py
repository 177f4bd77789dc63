"""Each check accepts the right answer, names the idea behind typical wrong ones, and waits for the rest."""

import sys

import numpy as np
import pytest

import tinykit.lab.check  # noqa: F401
from tinykit.errors import TinykitError

checks = sys.modules["tinykit.lab.check"]
EXERCISES = checks.exercises()

# id -> [(wrong answer, name of the misconception)]
WRONG = {
    "00.radio": [
        (119 * 6 / 4, "bytes per value"),
        (119 * 2 / 4, "axes forgotten"),
        (119 * 6 * 2, "four answers a second"),
        (4 / 1428, "upside down"),
        (119 * 6 * 16 / 4, "bits and bytes"),
        (1000, "other value"),
        ("many", "not a number"),
    ],
    "00.memory": [
        (256 * 1024 / (119 * 6), "bytes per value"),
        (256 * 1024 / (119 * 2), "axes forgotten"),
        (256 * 1000 / 1428, "1000 for 1024"),
        (1024 * 1024 / 1428, "flash for RAM"),
        (256 * 1024 / (119 * 6 * 4), "float32"),
        (256 * 1024 * 8 / 1428, "bits and bytes"),
        (3, "other value"),
    ],
    "00.gravity": [
        ((0, 0, 0), "still means zero"),
        ((0, 0, 9.81), "m/s² for g"),
        ((0, 0, -1), "direction"),
        ((1, 0, 0), "wrong axis"),
        ((0.5, 0.5, 0.5), "other value"),
        ((0, 1), "not three"),
        (("up", 0, 0), "not numbers"),
    ],
    "00.counts": [
        (12288, "sign lost"),
        (-1.5 * 32768, "range as scale"),
        (-1.5 * 16.384, "wrong sensor"),
        (-1.5 / 8192, "divided"),
        (0, "other value"),
    ],
    "00.rate": [
        (lambda t: 1000 * len(t) / (t[-1] - t[0]), "fence posts"),
        (lambda t: (len(t) - 1) / (t[-1] - t[0]), "milliseconds"),
        (lambda t: len(t) / (t[-1] - t[0]), "fence posts and milliseconds"),
        (lambda t: (t[-1] - t[0]) / (len(t) - 1), "interval for rate"),
        (lambda t: 1000 / (t[1] - t[0]), "one gap only"),
        (lambda t: 1000 * len(t) / t[-1], "clock from zero"),
        (lambda t: 119.0, "other value"),
        (lambda t: t.mean(), "raises"),
        (119, "not a function"),
    ],
    "00.windows": [
        (lambda n, window, hop: n // hop, "windows past the end"),
        (lambda n, window, hop: (n - window) // hop, "first window forgotten"),
        (lambda n, window, hop: n // window, "no overlap"),
        (lambda n, window, hop: (n - window) / hop + 1, "part of a window"),
        (lambda n, window, hop: 8, "other value"),
    ],
    "01.plan": [
        (20, "test for total"),
        (25, "share mixed up"),
        (5, "points for takes"),
        (120, "test added on top"),
        (50, "other value"),
    ],
    "01.clipping": [
        (lambda a, limit: (a >= limit).any(axis=1).mean(), "upper rail only"),
        (lambda a, limit: (np.abs(a) >= limit).mean(), "values for samples"),
        (lambda a, limit: (np.abs(a) >= limit).any(axis=1).sum(), "count for share"),
        (lambda a, limit: (np.abs(a) >= limit).all(axis=1).mean(), "all axes"),
        (lambda a, limit: (np.linalg.norm(a, axis=1) >= limit).mean(), "length of the vector"),
        (lambda a, limit: (np.abs(a) > limit).any(axis=1).mean(), "limit itself"),
        (lambda a, limit: 0.1, "other value"),
    ],
    "01.clean": [
        (["take-15", "take-22"], "motionless kept"),
        (["take-07", "take-22"], "clipped kept"),
        (["take-07", "take-15"], "duplicate kept"),
        (["take-07", "take-15", "take-04", "take-22"], "both twins dropped"),
        (["take-07", "take-15", "take-22", "take-01"], "good take dropped"),
        (["take-99"], "unknown take"),
        (3, "not a list"),
    ],
    "01.honest": [
        ("a", "higher is better"),
        ("c", "average of both"),
        ("d", "training accuracy"),
        ("z", "not a choice"),
    ],
    "01.units": [
        (lambda a: a * 9.81, "upside down"),
        (lambda a: a, "unchanged"),
        (lambda a: a / 10, "rounded"),
        (lambda a: a / 1000, "milli-g"),
        (lambda a: a / 8192, "counts"),
        (lambda a: a + 1, "other value"),
    ],
    "02.features": [
        (lambda w: np.concatenate([w.mean(axis=1), w.std(axis=1)]), "wrong axis"),
        (lambda w: np.array([w.mean(), w.std()]), "no axis"),
        (lambda w: w.mean(axis=0), "spread missing"),
        (lambda w: w.std(axis=0), "mean missing"),
        (lambda w: [w.mean(axis=0), w.std(axis=0)], "not joined"),
        (lambda w: [*w.std(axis=0), *w.mean(axis=0)], "order"),
        (lambda w: w, "other value"),
    ],
    "02.majority": [
        (lambda labels: 1 / len(set(labels)), "guessing evenly"),
        (lambda labels: max(map(labels.count, labels)), "count for share"),
        (lambda labels: min(map(labels.count, labels)) / len(labels), "rarest label"),
        (lambda labels: len(set(labels)) / len(labels), "labels counted"),
        (lambda labels: 1.0, "other value"),
    ],
    "02.epoch": [
        (lambda train_loss, validation_loss: int(np.argmin(train_loss)) + 1, "training loss"),
        (lambda train_loss, validation_loss: int(np.argmin(validation_loss)), "counted from zero"),
        (lambda train_loss, validation_loss: int(np.argmax(validation_loss)) + 1, "highest loss"),
        (lambda train_loss, validation_loss: min(validation_loss), "loss for epoch"),
        (lambda train_loss, validation_loss: 2, "other value"),
    ],
    "02.recall": [
        (lambda m, k: (m[k, k] / m[:, k].sum(), m[k, k] / m[k].sum()), "row and column swapped"),
        (lambda m, k: (m[k, k] / m.sum(), m[k, k] / m.sum()), "divided by everything"),
        (lambda m, k: (np.trace(m) / m.sum(),) * 2, "accuracy"),
        (lambda m, k: (m[k, k] / m[k].sum(),) * 2, "recall twice"),
        (lambda m, k: (m[k, k], m[k, k]), "not divided"),
        (lambda m, k: (1, 1), "other value"),
    ],
    "02.verdict": [
        ("a", "best seed"),
        ("b", "difference within noise"),
        ("d", "worst seed"),
        (3, "not a choice"),
    ],
    "02.transfer": [("a", "test takes in training"), ("c", "person dropped"), ("d", "larger network")],
    "03.scale": [
        ((4 / 256, -64), "levels for steps"),
        ((6 / 255, -64), "symmetric range"),
        ((3 / 127, 0), "symmetric range"),
        ((255 / 4, -64), "upside down"),
        ((3 / 255, -128), "range from zero"),
        ((4 / 255, 64), "uint8"),
        ((4 / 255, 0), "symmetric zero"),
        ((4 / 255, -64.25), "zero point not whole"),
        ((4 / 255, -128), "zero point"),
        ((1, -64), "scale"),
        (0.0157, "not two numbers"),
    ],
    "03.quantise": [
        (lambda x, s, z: np.round(x / s) + z, "no clipping"),
        (lambda x, s, z: (np.round(x / s) + z).astype(int).astype(np.int8), "wrapped round"),
        (lambda x, s, z: np.clip((x / s).astype(int) + z, -128, 127), "cut off"),
        (lambda x, s, z: np.clip((x / s + z).astype(int), -128, 127), "cut off"),
        (lambda x, s, z: np.clip(x // s + z, -128, 127), "cut off"),
        (lambda x, s, z: np.clip(np.round(x / s), -128, 127), "no zero point"),
        (lambda x, s, z: np.clip(np.round(x / s) - z, -128, 127), "sign of the zero point"),
        (lambda x, s, z: np.clip(np.round(x * s) + z, -128, 127), "times the scale"),
        (lambda x, s, z: np.clip(np.round(x / s) + z, 0, 255), "uint8"),
        (lambda x, s, z: x, "other value"),
    ],
    "03.calibration": [("b", "test data in calibration"), ("c", "noise for data"), ("d", "widest range")],
    "03.size": [
        (480 + 16, "bias in int8"),
        ((480 + 16) * 4, "float32"),
        (480, "bias forgotten"),
        (6 * 16 + 16 * 4, "kernel forgotten"),
        (30 + 64, "filters forgotten"),
        (1, "other value"),
    ],
    "03.arena": [
        (sum, "nothing is freed"),
        (max, "largest alone"),
        (lambda sizes: sum(sorted(sizes)[-2:]), "two largest"),
        (lambda sizes: sizes[0] + sizes[1], "first layer only"),
        (lambda sizes: sizes[0] + sizes[-1], "ends only"),
        (len, "other value"),
    ],
    "03.duty": [
        (0.025, "share for percent"),
        (6.25, "milliseconds"),
        (0.625, "once a second"),
        (40, "upside down"),
        (2500, "kHz"),
        (99, "other value"),
    ],
    "04.pages": [
        (6, "header page forgotten"),
        (5, "part of a page"),
        (23456 / 4096, "part of a page"),
        (23456 / 4096 + 1, "part of a page"),
        (80, "whole slot"),
        (24, "kilobytes"),
        (1, "other value"),
    ],
    "04.power": [("a", "overwritten in place"), ("c", "half a plan runs"), ("d", "flash forgets")],
    "04.decide": [
        (lambda p, threshold: int(np.argmax(p)), "always an answer"),
        (lambda p, threshold: int(np.argmax(p)) if max(p) > threshold else -1, "threshold itself"),
        (lambda p, threshold: int(np.argmax(p >= threshold)), "argmax of nothing"),
        (lambda p, threshold: max(p) if max(p) >= threshold else -1, "probability for label"),
        (lambda p, threshold: int(np.argmax(p)) if max(p) <= threshold else -1, "upside down"),
        (lambda p, threshold: 0, "other value"),
    ],
    "04.delay": [
        (4 * 30 / 119 * 1000, "fence posts"),
        (30 / 119 * 1000, "one hop"),
        (3 * 30 / 119, "seconds"),
        (90, "samples for time"),
        (120, "fence posts in samples"),
        (1, "other value"),
    ],
    "04.agree": [
        (lambda host, board: (host.argmax(1) == board.argmax(1)).mean(), "same label is enough"),
        (lambda host, board: (host == board).mean(), "values for windows"),
        (lambda host, board: (host == board).all(axis=1).sum(), "count for share"),
        (lambda host, board: float((host == board).all()), "all or nothing"),
        (lambda host, board: (abs(host.astype(int) - board) <= 1).all(axis=1).mean(), "nearly equal"),
        (lambda host, board: 1.0, "other value"),
    ],
}

SWEEP = [
    {"threshold": 0.5, "hits": 18, "false_alarms": 4},
    {"threshold": 0.7, "hits": 17, "false_alarms": 1},
    {"threshold": 0.8, "hits": 15, "false_alarms": 1},
    {"threshold": 0.9, "hits": 9, "false_alarms": 1},
]
WRONG["04.threshold"] = [
    ((SWEEP, 0.5), "false alarms"),
    ((SWEEP, 0.9), "too strict"),
    ((SWEEP, 0.65), "not in the table"),
    ((SWEEP, "high"), "not a threshold"),
]

WRONG |= {
    "05.highest": [
        (16000, "rate itself"),
        (32000, "upside down"),
        (20000, "the ear's limit"),
        (3400, "telephone"),
        (1, "other value"),
    ],
    "05.frames": [
        (lambda n, frame, hop: n // hop, "frames past the end"),
        (lambda n, frame, hop: (n - frame) // hop, "first frame forgotten"),
        (lambda n, frame, hop: n // frame, "no overlap"),
        (lambda n, frame, hop: (n - frame) / hop + 1, "part of a frame"),
        (lambda n, frame, hop: -(-n // hop), "padded"),
        (lambda n, frame, hop: 49, "other value"),
    ],
    "05.bin": [
        (16, "half the points"),
        (30, "frame for points"),
        (31.25, "width of a row"),
        (64, "double width"),
        (1000, "other value"),
    ],
    "05.mel": [
        (lambda hz: 2595 * np.log(1 + np.asarray(hz) / 700), "natural logarithm"),
        (lambda hz: 2595 * np.log2(1 + np.asarray(hz) / 700), "logarithm to base 2"),
        (lambda hz: 700 * (10 ** (np.asarray(hz) / 2595) - 1), "the way back"),
        (lambda hz: 2595 * np.log10(np.asarray(hz) + 1 / 700), "order of operations"),
        (lambda hz: np.asarray(hz) * 1.0, "other value"),
    ],
    "05.snr": [
        (lambda s, n, db: np.mean(s**2) / np.mean(n**2) / 10 ** (db / 10), "power for gain"),
        (lambda s, n, db: np.sqrt(np.mean(s**2) / np.mean(n**2) * 10 ** (db / 10)), "louder, not softer"),
        (lambda s, n, db: np.sqrt(np.mean(s**2) / np.mean(n**2)) / 10 ** (db / 10), "decibels of power"),
        (lambda s, n, db: 10 ** (-db / 20), "powers as they are"),
        (lambda s, n, db: np.sqrt(np.mean(n**2) / np.mean(s**2) / 10 ** (db / 10)), "upside down"),
        (lambda s, n, db: 1.0, "other value"),
    ],
    "05.less": [
        (16000 / 1960, "values for bytes"),
        (32000 / 1960 / 4, "float features"),
        (1960 / 32000, "upside down"),
        (1960, "bytes of features"),
        (100, "other value"),
    ],
    "06.split": [("a", "clips shuffled"), ("c", "words apart"), ("d", "length"), (2, "not a choice")],
    "06.unknown": [("a", "no class"), ("b", "one word"), ("d", "noise only"), ("e", "not a choice")],
    "06.weights": [
        (lambda c: np.array(c) / np.sum(c), "more for the common"),
        (lambda c: 1 / np.array(c), "no scale"),
        (lambda c: np.sum(c) / np.array(c), "classes forgotten"),
        (lambda c: np.max(c) / np.array(c), "commonest as one"),
        (lambda c: np.ones(len(c)), "other value"),
    ],
    "06.shift": [
        (np.roll, "wrapped round"),
        (lambda s, by: np.concatenate([np.zeros(max(by, 0)), s, np.zeros(max(-by, 0))]), "longer"),
        (lambda s, by: s[by:] if by >= 0 else s[:by], "shorter"),
        (lambda s, by: s, "other value"),
    ],
    "06.separable": [
        (3 * 3 * 64 * 64, "ordinary convolution"),
        (576, "mixing forgotten"),
        (4096, "depthwise forgotten"),
        (576 * 4096, "multiplied"),
        (1, "other value"),
    ],
    "06.reject": [
        (np.mean, "mean"),
        (np.max, "all rejected"),
        (lambda s: 0.9, "0.9 as threshold"),
        (lambda s: np.sort(s)[int(np.ceil(0.1 * len(s))) - 1], "the wrong end"),
        (lambda s: s[int(np.ceil(0.9 * len(s))) - 1], "not sorted"),
        (np.min, "other value"),
    ],
    "07.hour": [
        (36000, "all answers"),
        (36, "one answer a second"),
        (6, "a minute"),
        (3.6, "one in ten thousand"),
        (35640, "right answers"),
        (1, "other value"),
    ],
    "07.smooth": [
        (lambda p, n: np.convolve(p, np.ones(n) / n, "same"), "looks ahead"),
        (lambda p, n: np.convolve(p, np.ones(n) / n, "valid"), "starts late"),
        (lambda p, n: np.convolve(p, np.ones(n) / n)[: len(p)], "zeros before the start"),
        (lambda p, n: np.array([max(p[max(0, i - n + 1) : i + 1]) for i in range(len(p))]), "maximum"),
        (lambda p, n: np.array([np.mean(p[max(0, i - n) : i + 1]) for i in range(len(p))]), "one too many"),
        (lambda p, n: p, "other value"),
    ],
    "07.suppress": [
        (
            lambda times, s: [t for i, t in enumerate(times) if i == 0 or t - times[i - 1] >= s],
            "counts from the last answer",
        ),
        (lambda times, s: times, "nothing held back"),
        (lambda times, s: times[:1], "only the first"),
        (lambda times, s: times[1:], "other value"),
    ],
    "07.score": [
        ((3, 0, 1), "too late"),
        ((0, 3, 4), "no grace"),
        ((2, 1, 1), "late is free"),
        ((2, 2, 2), "words lost"),
        ((2, 1, 3), "detections lost"),
        ((1, 2, 3), "other value"),
        (2, "not three numbers"),
    ],
    "07.choose": [
        (lambda c, limit: min(c, key=lambda r: r["misses"])["threshold"], "limit ignored"),
        (lambda c, limit: min(c, key=lambda r: r["false_alarms_per_hour"])["threshold"], "safest"),
        (
            lambda c, limit: max(r["threshold"] for r in c if r["false_alarms_per_hour"] <= limit),
            "highest threshold",
        ),
        (
            lambda c, limit: min(c, key=lambda r: r["false_alarms_per_hour"] + r["misses"])["threshold"],
            "apples and pears",
        ),
        (lambda c, limit: 0.75, "other value"),
    ],
    "07.none": [("a", "none seen, none there"), ("c", "one more"), ("d", "nothing known"), ("", "not a choice")],
    "08.word": [("a", "too short"), ("b", "everyday word"), ("d", "quiet sounds"), (1, "not a choice")],
    "08.takes": [("a", "one good take"), ("b", "one voice"), ("c", "all alike"), ("x", "not a choice")],
    "08.head": [
        (288, "biases forgotten"),
        (99, "one output"),
        (97, "one output"),
        (194, "two outputs"),
        (7, "other value"),
    ],
    "08.alike": [
        (lambda a, b: a @ b, "lengths left in"),
        (lambda a, b: np.linalg.norm(a - b), "distance"),
        (lambda a, b: a @ b / ((a @ a) * (b @ b)), "squared lengths"),
        (
            lambda a, b: np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1)),
            "angle",
        ),
        (lambda a, b: 1.0, "other value"),
    ],
    "08.tune": [("b", "tuned on the test"), ("c", "training takes"), ("d", "habit"), (0, "not a choice")],
    "08.days": [(400 / 4.1, "hours"), (4.1 * 24 / 400, "upside down"), (17, "sleeping only"), (1, "other value")],
}

SKETCH = 0x805A


def is_number(text):
    try:
        return float(text) == float(text)
    except ValueError:
        return False


def all_numbers(line):
    return all(map(is_number, line.split(",")))


WRONG |= {
    "09.differs": [("a", "luck of the chip"), ("b", "rounding"), ("d", "plan made anew"), (3, "not a choice")],
    "09.port": [
        (lambda ports, serial: next((i for i, p in enumerate(ports) if p[2] == serial), -1), "bootloader taken"),
        (lambda ports, serial: next((i for i, p in enumerate(ports) if p[1] == SKETCH), -1), "any board"),
        (lambda ports, serial: len(ports) - 1, "newest port"),
        (lambda ports, serial: max([i for i, p in enumerate(ports) if p[1] == SKETCH], default=-1), "newest port"),
        (lambda ports, serial: [p[2] for p in ports].index(serial), "raises"),
        (lambda ports, serial: 0, "other value"),
    ],
    "09.cable": [("a", "flash first"), ("c", "rights"), ("d", "crash"), ("", "not a choice")],
    "09.stretch": [
        (99.8 / 119, "upside down"),
        (1.0, "rate ignored"),
        (119 / 100, "rate that was asked for"),
        (119 * 99.8, "multiplied"),
        (119 / 99.8 * 1000, "milliseconds"),
        (119 - 99.8, "only the difference"),
        (2, "other value"),
    ],
    "09.notice": [("a", "accuracy"), ("b", "labels"), ("c", "two digits"), ("e", "not a choice")],
    "09.arena": [("a", "compiler"), ("b", "linker"), ("d", "silently wrong"), (1, "not a choice")],
    "09.line": [
        (lambda line, n: [float(part) for part in line.split(",")], "raises"),
        (lambda line, n: [float(x) for x in line.split(",") if is_number(x)], "holes closed up"),
        (lambda line, n: [float(x) if is_number(x) else 0 for x in line.split(",")], "other value"),
        (lambda line, n: ([float(x) for x in line.split(",") if is_number(x)] + [0] * n)[:n], "holes filled"),
        (lambda line, n: list(map(float, line.split(","))) if all_numbers(line) else [], "cut line"),
        (lambda line, n: [], "other value"),
    ],
}


@pytest.fixture(scope="module")
def sample():
    from tinykit.data import sample

    return sample("gestures")


@pytest.fixture(autouse=True)
def fresh():
    checks.forget()


def answer_of(id, names):
    """The value that the cell of an exercise hands to its check."""
    if id == "03.scale":
        return names["scale"], names["zero_point"]
    if id == "04.threshold":
        return names["sweep"], names["threshold"]
    if id == "07.score":
        return names["hits"], names["misses"], names["false_alarms"]
    known = ("np", "sample", "sweep", "rows", "fewest", "__builtins__")
    return next(value for name, value in names.items() if name not in known)


def test_every_exercise_has_wrong_answers_to_reject():
    assert set(WRONG) | {"01.split"} == set(EXERCISES)


@pytest.mark.parametrize("id", EXERCISES)
def test_untouched_is_not_attempted(id):
    for untouched in (..., None, (..., ...), lambda *a: ..., {"a": ...}):
        if callable(untouched) and "function" not in EXERCISES[id].judge.__qualname__:
            continue
        result = checks.check(id, untouched)
        assert result.state == "not attempted" and result.tries == 0
        assert EXERCISES[id].task in repr(result)


@pytest.mark.parametrize("id", EXERCISES)
def test_solution_is_right(id, request):
    names = {"np": np, "sweep": SWEEP}
    if id in ("01.clean", "01.split"):
        names["sample"] = request.getfixturevalue("sample")
    exec(EXERCISES[id].solution, names)
    result = checks.check(id, answer_of(id, names))
    assert result.right, result


@pytest.mark.parametrize("id, answer, misconception", [(id, *pair) for id, pairs in WRONG.items() for pair in pairs])
def test_wrong_answer_is_named(id, answer, misconception, request):
    if id == "01.clean":
        request.getfixturevalue("sample")
    result = checks.check(id, answer)
    assert result.state == "wrong"
    assert misconception in [f.misconception for f in result.findings]
    assert all(f.text in repr(result) for f in result.findings)


def test_split_by_take_is_named(sample):
    whole = sample.split(by="person")
    cases = [
        (sample.split(by="recording"), "takes shuffled"),
        ((whole.train, whole.test, whole.test), "takes twice"),
        ((whole.train, sample.part([]), whole.test), "empty part"),
        ((sample,), "number of parts"),
        ("person", "not datasets"),
    ]
    for answer, misconception in cases:
        result = checks.check("01.split", answer)
        assert misconception in [f.misconception for f in result.findings], result
        assert result.state == "wrong"


def test_duplicate_may_be_dropped_from_either_side(sample):
    assert checks.check("01.clean", ["take-07", "take-15", "take-04"]).right


def test_gravity_in_any_container():
    assert checks.check("00.gravity", np.array([0, 0, 0.99])).right
    assert checks.check("00.gravity", [0, 0, 1]).right


def test_last_epoch_is_told_apart_from_lowest_training_loss():
    last = checks.check("02.epoch", lambda train_loss, validation_loss: len(train_loss))
    assert last.misconception in ("last epoch", "training loss")


def test_hints_come_one_by_one_and_then_the_solution():
    exercise = EXERCISES["00.rate"]
    for n in range(1, len(exercise.hints) + 1):
        shown = checks.hint("00.rate")
        assert shown.notes == exercise.hints[:n]
    assert checks.hint("00.rate").notes == exercise.hints
    shown = checks.solution("00.rate")
    assert exercise.solution in repr(shown) and "before a try" in shown.status


def test_tries_are_counted_until_it_is_right():
    assert checks.check("00.counts", 1).status == "not yet, try 1"
    assert checks.check("00.counts", ...).status == "not attempted"
    assert checks.check("00.counts", 12288).status == "not yet, try 2"
    assert checks.check("00.counts", -12288).status == "right, on try 3"
    assert checks.check("00.counts", -12288).status == "right, on try 3"


def test_unknown_id_names_a_near_one():
    with pytest.raises(TinykitError, match="00.rate"):
        checks.check("00.rates", 1)


def test_students_function_may_change_its_argument():
    def rate(times_ms):
        first = times_ms.pop(0)
        return 1000 * len(times_ms) / (times_ms[-1] - first)

    assert checks.check("00.rate", rate).right


def test_cards_escape_what_the_student_wrote():
    card = checks.check("00.memory", "<script>alert(1)</script>")._repr_html_()
    assert "<script>" not in card and "&lt;script&gt;" in card


@pytest.mark.parametrize("id", EXERCISES)
def test_every_exercise_has_a_card_hints_and_something_further(id):
    exercise = EXERCISES[id]
    assert len(exercise.hints) >= 2 and exercise.further
    for result in (checks.check(id), checks.hint(id), checks.solution(id)):
        assert exercise.title in result._repr_html_()
