"""tk_decide against fractions."""

import ctypes
import random
from fractions import Fraction

import pytest

from tinykit.features import load_core


class Rule(ctypes.Structure):
    _fields_ = [
        ("threshold", ctypes.c_uint16),
        ("smoothing", ctypes.c_uint8),
        ("count", ctypes.c_uint8),
        ("suppression_ms", ctypes.c_uint16),
        ("thresholds", ctypes.c_uint16 * 64),
    ]


class Answer(ctypes.Structure):
    _fields_ = [("label", ctypes.c_int8), ("announce", ctypes.c_bool), ("smoothed", ctypes.c_uint8 * 64)]


class Decide:
    def __init__(self, labels, threshold=0, smoothing=1, suppression_ms=0, thresholds=(), count=None):
        self.core, self.state = load_core(), ctypes.create_string_buffer(4096)
        count = len(thresholds) if count is None else count
        rule = Rule(threshold, smoothing, count, suppression_ms, (ctypes.c_uint16 * 64)(*thresholds))
        self.status = self.core.tk_decide_init(self.state, ctypes.byref(rule), ctypes.c_uint32(labels))
        self.labels = labels

    def push(self, answer, time_us=0):
        out = Answer()
        raw = (ctypes.c_int8 * self.labels)(*answer)
        self.core.tk_decide_push(self.state, raw, ctypes.c_uint64(time_us), ctypes.byref(out))
        return out.label, out.announce, list(out.smoothed[: self.labels])


@pytest.mark.parametrize("smoothing", [1, 2, 3, 7, 16])
@pytest.mark.parametrize("labels", [1, 2, 5, 64])
def test_mean_threshold_and_first_of_equals(smoothing, labels):
    rng = random.Random(smoothing * 100 + labels)
    threshold = rng.randrange(20_000, 40_000)
    decide, answers = Decide(labels, threshold, smoothing), []
    sure = 0
    for _ in range(400):
        answers.append([rng.choice([-128, 127, rng.randrange(-128, 128)]) for _ in range(labels)])
        last = answers[-smoothing:]
        means = [Fraction(sum(a[i] + 128 for a in last), len(last)) for i in range(labels)]
        best = means.index(max(means))
        expected = best if means[best] / 255 >= Fraction(threshold, 65535) else -1
        label, _, smoothed = decide.push(answers[-1])
        assert label == expected
        assert all(abs(s - m) <= Fraction(1, 2) for s, m in zip(smoothed, means, strict=True))
        sure += label >= 0
    assert 0 < sure


@pytest.mark.parametrize("labels", [2, 5, 64])
def test_a_threshold_of_its_own_for_each_label(labels):
    rng = random.Random(labels)
    thresholds = [50_000, 0, 65_535, *(rng.randrange(40_000, 60_000) for _ in range(61))][:labels]
    decide, answers, seen = Decide(labels, rng.randrange(65536), 2, 0, thresholds), [], set()
    for _ in range(3000):
        answers.append([rng.randrange(-128, 100) for _ in range(labels)])
        answers[-1][rng.randrange(labels)] = rng.randrange(50, 128)
        last = answers[-2:]
        means = [Fraction(sum(a[i] + 128 for a in last), len(last)) for i in range(labels)]
        best = means.index(max(means))
        expected = best if means[best] / 255 >= Fraction(thresholds[best], 65535) else -1
        assert decide.push(answers[-1])[0] == expected
        seen.add((best, expected >= 0))
    assert len(seen) > labels  # some labels were decided at some times only


def test_threshold_one_needs_certainty_and_zero_needs_nothing():
    assert Decide(2, 65535).push([127, -128])[0] == 0
    assert Decide(2, 65535).push([126, -128])[0] == -1
    assert Decide(2, 0).push([-128, -128])[0] == 0


def test_announcements():
    decide = Decide(3, 32768, 1, 500)
    wing, ring, none = [127, -128, -128], [-128, 127, -128], [-50, -50, -50]
    story = [
        (0, wing, True), (100_000, wing, False), (200_000, ring, True), (300_000, wing, False),
        (400_000, none, False), (499_999, wing, False), (500_000, wing, True), (600_000, ring, False),
        (700_000, ring, True), (2_000_000, wing, True), ((1 << 32) + 100, wing, True),
    ]  # fmt: skip
    for time, answer, announced in story:
        assert decide.push(answer, time)[1] == announced, time


def test_rules_out_of_range():
    for labels, smoothing in [(0, 1), (65, 1), (3, 0), (3, 17)]:
        assert Decide(labels, 0, smoothing).status == -1
    for count in (1, 2, 4, 64, 255):
        assert Decide(3, count=count).status == -1
    assert Decide(3, count=3).status == Decide(3, count=0).status == 0
