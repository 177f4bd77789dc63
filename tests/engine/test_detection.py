"""The decision over a stream, its score, its curve and its tuning: against rules written out anew."""

import math
import random
import re
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from tinykit import errors
from tinykit.data.scene import Event
from tinykit.engine import detection, listening, tuning
from tinykit.engine.detection import Detection, match, score
from tinykit.engine.streaming import StreamAnswers
from tinykit.pipeline import Decision, MelFrontEnd, Pipeline

LABELS = ("silence", "unknown", "left", "right", "go")
WORDS = LABELS[2:]


def stream(answers, hop_s=0.1, labels=LABELS, mark="aa"):
    n = len(answers)
    return StreamAnswers(1 + np.arange(n) * hop_s, answers, labels, 1 + n * hop_s, mark)


def rule_in_fractions(answers, decision):
    """What the device's comment says, in exact arithmetic: (answer's number, label) of every announcement."""
    last, out = {}, []
    for k in range(len(answers)):
        held = answers.answers[max(0, k + 1 - decision.smoothing) : k + 1].astype(int) + 128
        sums = [int(v) for v in held.sum(0)]
        best = sums.index(max(sums))
        level = Fraction(round(decision.threshold_of(best) * 65535), 65535)
        if Fraction(sums[best], len(held) * 255) < level:
            continue
        now = Fraction(round(answers.times_s[k] * 1e6), 10**6)
        if best not in last or now - last[best] >= Fraction(round(decision.suppression_s * 1000), 1000):
            last[best] = now
            out.append((k, best))
    return out


def spoken(seed=0, n=3000, words=60, sure=0.97):
    """Noise in which words are answered to for about a second each, some weakly, and some wrong answers."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet([8, 4, 0.4, 0.4, 0.4], n)
    events, at = [], 30
    for _ in range(words):
        word = int(rng.integers(2, 5))
        events.append(Event(1 + at * 0.1 - 0.6, 1 + at * 0.1, LABELS[word]))
        strength = rng.uniform(0.3, sure)
        p[at : at + 6] = (1 - strength) * p[at : at + 6] + strength * np.eye(5)[word]
        at += int(rng.integers(20, n // words * 2 - 20))
        if at > n - 20:
            break
    for k in rng.integers(0, n - 5, 25):
        wrong = rng.uniform(0.4, 0.9)
        p[k : k + 5] = (1 - wrong) * p[k : k + 5] + wrong * np.eye(5)[int(rng.integers(2, 5))]
    answers = np.clip(np.round(p * 256) - 128, -128, 127).astype(np.int8)
    return stream(answers, mark=f"seed{seed}"), events


def a_pipeline(decision=None, **provenance):
    return Pipeline(
        "five", "keyword", 16000.0, 16000, 1600, MelFrontEnd(), LABELS, decision or Decision(), provenance=provenance
    )


@pytest.mark.parametrize("seed", range(6))
def test_detections_are_those_of_the_rule_in_fractions(seed):
    rng = random.Random(seed)
    answers, _ = spoken(seed, 800, 20)
    levels = tuple(rng.choice([0.3, 0.5, 0.6, 0.77]) for _ in LABELS)
    decision = Decision(rng.randrange(1, 7), 0.5, rng.choice([0, 0.25, 0.5, 1.2]), levels if seed % 2 else ())
    expected = [(k, LABELS[i]) for k, i in rule_in_fractions(answers, decision) if i >= 2]
    found = detection.detections(answers, decision)
    assert [(round((d.time_s - 1) / 0.1), d.label) for d in found] == expected
    assert len(expected) > 5


def test_a_detection_says_how_sure_it_was():
    answers = np.full((3, 5), -128, np.int8)
    answers[:, 3] = (127, 0, 0)
    found = detection.detections(stream(answers), Decision(2, 0.5, 0))
    assert [d.label for d in found] == ["right"] * 3
    assert found[0].probability == 1 and found[1].probability == pytest.approx((255 + 128) / 2 / 255, abs=1 / 255)


def test_thresholds_must_be_one_per_label():
    with pytest.raises(errors.ModelError, match="2 thresholds for 5 labels"):
        detection.detections(stream(np.zeros((3, 5), np.int8)), Decision(thresholds=(0.5, 0.5)))


def test_words_hit_from_their_start_to_a_second_after_their_end():
    events = [Event(10.0, 10.6, "go")]
    for time, hits, false in [(9.99, 0, 1), (10.0, 1, 0), (11.6, 1, 0), (11.61, 0, 1)]:
        result = match([time], events)
        assert (len(result.hits), len(result.false)) == (hits, false), time


def test_a_word_is_hit_once_and_its_echo_is_no_false_alarm():
    result = match([10.2, 10.9, 11.5, 12.0], [Event(10, 10.6, "go")])
    assert [t for _, t in result.hits] == [10.2] and result.repeats == 2 and result.false == [12.0]


def test_two_quick_words_need_two_announcements():
    events = [Event(10, 10.5, "go"), Event(11, 11.4, "go")]
    assert [k for k, _ in match([11.2], events).hits] == [0]
    assert [k for k, _ in match([11.2, 11.3], events).hits] == [0, 1]


def test_false_alarms_within_a_second_count_once():
    assert match([1, 1.5, 1.99, 2.0, 2.9, 3.0], []).false == [1, 2.0, 3.0]


def test_a_wrong_word_is_a_miss_and_a_false_alarm():
    s = score([Detection(5.2, "left", 0.9)], [(5, 5.5, "right"), (8, 8.5, "house")], 60, WORDS)
    assert (s.found, s.said, s.false_alarms) == (0, 1, 1)
    assert s.per_hour == 60 and s.triggers[0].label == "left" and s.misses == (Event(5, 5.5, "right"),)


def test_intervals_are_those_of_the_textbook():
    for n in (0, 1, 3, 17):
        low, high = detection.poisson(n)
        assert high == pytest.approx(stats.chi2.ppf(0.975, 2 * n + 2) / 2)
        assert low == pytest.approx(stats.chi2.ppf(0.025, 2 * n) / 2 if n else 0)


@pytest.mark.parametrize("bad", [(3, 2, "go"), (-1, 2, "go"), (50, 61, "go"), (1, 2, ""), (math.nan, 2, "go")])
def test_events_outside_the_recording_are_refused(bad):
    with pytest.raises(errors.DataError, match="not a stretch"):
        score([], [bad], 60, WORDS)


def test_every_point_of_the_curve_is_what_the_rule_gives_there():
    answers, events = spoken(3)
    made = tuning.curve(answers, events, 3, 0.5, [0.4, 0.55, 0.7, 0.85, 0.97])
    for i, level in enumerate(made.thresholds):
        s = score(detection.detections(answers, Decision(3, level, 0.5)), events, answers.seconds, WORDS)
        assert [w.found for w in s.words] == made.found[i].tolist()
        assert [w.false_alarms for w in s.words] == made.false_alarms[i].tolist()
        assert made.per_hour[i] == pytest.approx(s.per_hour) and made.missed[i] == pytest.approx(1 - s.recall)
    assert made.false_alarms.sum(1)[0] > made.false_alarms.sum(1)[-1]
    assert (made.of("go").found[:, 0] == made.found[:, 2]).all()


def test_curves_of_two_recordings_add_up():
    one, two = (tuning.curve(*spoken(seed), thresholds=[0.5, 0.8]) for seed in (1, 2))
    both = one + two
    assert (both.found == one.found + two.found).all() and both.seconds == one.seconds + two.seconds
    assert both.said.sum() == one.said.sum() + two.said.sum()


def test_choice_finds_as_much_as_any_choice_could():
    """Against trying every combination of thresholds."""
    rng = np.random.default_rng(5)
    for budget in (0, 1, 3, 6):
        false = -np.sort(-rng.integers(0, 5, (6, 3)), axis=0)
        found = -np.sort(-rng.integers(0, 20, (6, 3)), axis=0)
        total = tuning.Curve(WORDS, np.linspace(0.4, 0.9, 6), found, false, np.array([20] * 3), 600.0)
        places, kept = tuning.choose(total, budget)
        best = max(
            (sum(found[t, w] for w, t in enumerate((a, b, c))) for a in range(6) for b in range(6) for c in range(6)
             if sum(false[t, w] for w, t in enumerate((a, b, c))) <= budget),
            default=None,
        )  # fmt: skip
        assert kept == (best is not None)
        if kept:
            assert sum(false[t, w] for w, t in enumerate(places)) <= budget
            assert sum(found[t, w] for w, t in enumerate(places)) == best


def test_a_lucky_threshold_is_charged_with_what_higher_ones_raise():
    false = np.array([[0], [4], [0], [0]])
    total = tuning.Curve(
        ("go",), np.array([0.4, 0.5, 0.6, 0.7]), np.array([[9], [8], [7], [2]]), false, np.array([9]), 60
    )
    assert tuning.choose(total, 0) == ([2], True)


def test_tuning_keeps_the_limit_where_it_was_tuned_and_says_so():
    scene = spoken(7, 6000, 120)
    loose, tight = (tuning.tune(a_pipeline(), scene, false_alarms_per_hour=rate) for rate in (60, 6))
    for pipeline, most in ((loose, 60), (tight, 6)):
        report = listening.evaluate_stream(pipeline, scene)
        assert report.score.per_hour <= most and pipeline.provenance["tuned"]["reached"]
        assert "tuned on this very recording" in report.warnings[0] and "Warning" in repr(report)
        assert pipeline.provenance["tuned"]["found"] == report.score.found
        assert len(pipeline.decision.thresholds) == len(LABELS)
    assert loose.provenance["tuned"]["found"] > tight.provenance["tuned"]["found"] > 0
    other = listening.evaluate_stream(tight, spoken(8, 6000, 120))
    assert other.warnings == () and "Warning" not in repr(other)


def test_tuning_without_a_word_is_refused():
    answers, _ = spoken(1)
    with pytest.raises(errors.DataError, match="None of left, right, go is said"):
        tuning.tune(a_pipeline(), (answers, [(1, 2, "house")]))
    with pytest.raises(errors.DataError, match="labels are"):
        tuning.tune(a_pipeline().with_(labels=("silence", "unknown", "a", "b", "c")), (answers, [(1, 2, "a")]))


def test_report_in_words_and_in_html():
    report = listening.evaluate_stream(a_pipeline(Decision(3, 0.5, 0.5)), spoken(2))
    s = report.score
    assert f"{s.found} of {s.said} words found" in repr(report) and "minutes: " in repr(report)
    html = report._repr_html_()
    assert f"{s.found} of {s.said}" in html and html.count("<svg") >= 2
    assert not re.search(r"(nan|inf|None)\b", re.sub(r"<style>.*?</style>", "", html, flags=re.S))
    numbers = report.as_dict()
    assert numbers["false_alarms"] == len(numbers["triggers"]) and numbers["recall_interval"][0] < numbers["recall"]


def test_a_false_alarm_is_listed_with_what_was_said():
    answers = np.full((60, 5), -128, np.int8)
    answers[:, 1], answers[40:44] = 0, (-128, -128, -128, -128, 127)
    report = listening.evaluate_stream(
        a_pipeline(Decision(1, 0.5, 1)), (stream(answers), [Event(4.5, 4.9, "unknown", "no")])
    )
    assert "0:05.0 go (“no” was said)" in repr(report) and "<td" in report._repr_html_()
    assert report.as_dict()["triggers"][0]["said"] == "no" and report.said_at(3) == ""


def test_a_silent_stream_can_be_reported():
    quiet = stream(np.tile(np.array([127, -128, -128, -128, -128], np.int8), (50, 1)))
    report = listening.evaluate_stream(a_pipeline(), (quiet, []))
    assert "No word" in repr(report) and "0 false alarms" in repr(report) and report._repr_html_()


def test_false_alarms_become_negatives():
    rng = np.random.default_rng(0)
    sound = rng.integers(-3000, 3000, 16000 * 5).astype(np.int16)
    triggers = [Detection(1.0, "left", 0.9), Detection(3.5, "go", 0.8)]
    made = listening.harvest(a_pipeline(Decision(3)), sound, triggers)
    assert [r.label for r in made] == ["unknown"] * 2 and [len(r) for r in made] == [16000, 16000]
    assert (made[1].counts()[:, 0] == sound[16000 * 2 + 8000 - 1600 : 16000 * 3 + 8000 - 1600]).all()
    assert "“go” at 3.50 s" in made[1].source and len({r.id for r in made}) == 2
