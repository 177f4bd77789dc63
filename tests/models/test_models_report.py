import json

import numpy as np
import pytest

from tinykit.data import Windows
from tinykit.errors import DataError
from tinykit.models import Report


@pytest.fixture()
def answers():
    rng = np.random.default_rng(4)
    truth = rng.integers(4, size=300)
    said = np.where(rng.random(300) < 0.7, truth, rng.integers(4, size=300))
    return truth, said, np.array(["ann", "bob", "cem"])[rng.integers(3, size=300)]


def test_numbers_against_sklearn(answers):
    metrics = pytest.importorskip("sklearn.metrics")
    truth, said, persons = answers
    report = Report("abcd", truth, said, persons)
    assert report.accuracy == pytest.approx(metrics.accuracy_score(truth, said))
    assert report.macro_f1 == pytest.approx(metrics.f1_score(truth, said, average="macro"))
    np.testing.assert_allclose(list(report.recall.values()), metrics.recall_score(truth, said, average=None))
    np.testing.assert_allclose(list(report.precision.values()), metrics.precision_score(truth, said, average=None))
    np.testing.assert_array_equal(report.confusion, metrics.confusion_matrix(truth, said))


def test_macro_f1_leaves_out_labels_that_do_not_occur(answers):
    metrics = pytest.importorskip("sklearn.metrics")
    truth, said = np.array([0, 0, 1, 1]), np.array([0, 2, 1, 1])
    assert Report("abcd", truth, said).macro_f1 == pytest.approx(metrics.f1_score(truth, said, average="macro"))


def test_interval_against_statsmodels_formula():
    # Wilson's interval of 8 of 10, from Newcombe 1998 (Statistics in Medicine 17:857), z = 1.96.
    report = Report(("a", "b"), np.zeros(10, int), np.array([0] * 8 + [1] * 2))
    assert report.interval == pytest.approx((0.4902, 0.9433), abs=2e-4)


def test_unsure_and_unknown_are_wrong_and_unsure_has_a_column():
    report = Report(("a", "b"), [0, 0, 1, -1], [0, -1, 1, 0])
    assert report.right == 2 and report.accuracy == 0.5
    np.testing.assert_array_equal(report.confusion, [[1, 0, 1], [0, 1, 0]])


def test_per_person_adds_up(answers):
    report = Report("abcd", *answers)
    assert sum(a for a, _ in report.per_person.values()) == report.right
    assert sum(n for _, n in report.per_person.values()) == len(report)


def test_folds_add(answers):
    truth, said, persons = answers
    parts = [Report("abcd", truth[s], said[s], persons[s]) for s in (slice(0, 100), slice(100, None))]
    both = parts[0] + parts[1]
    assert both.accuracy == Report("abcd", truth, said).accuracy and len(both) == 300


def test_a_take_s_answer_is_the_mean_of_its_windows():
    windows = Windows(
        np.zeros((3, 8, 1), np.int16),
        np.array([0, 0, 1]),
        np.array([0, 0, 1]),
        np.zeros(3, int),
        np.array(["ann", "ann", "bob"]),
        ("a", "b"),
        ("aX",),
        25.0,
    )
    report = Report.of(windows, [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
    assert report.truth.tolist() == [0, 1] and report.predicted.tolist() == [0, 1] and report.unit == "take"


def test_empty_and_mismatched_are_refused():
    with pytest.raises(DataError, match="at least one"):
        Report(("a", "b"), [], [])
    with pytest.raises(DataError, match="2 answers and 3 truths"):
        Report(("a", "b"), [0, 1, 1], [0, 1])
    with pytest.raises(DataError, match="outside"):
        Report(("a", "b"), [0, 2], [0, 1])


def test_it_goes_to_json_and_html(answers):
    report = Report(("a", "<b>", "c", "d"), *answers, title="t")
    again = json.loads(json.dumps(report.as_dict()))
    assert again["accuracy"] == round(report.accuracy, 4) and again["per_person"]["ann"]["of"] > 0
    assert json.loads(json.dumps(Report(("a", "b"), [0], [0]).as_dict()))["recall"]["b"] is None
    assert "&lt;b&gt;" in report._repr_html_()
    assert f"accuracy {report.accuracy:.3f}" in repr(report)


def test_of_many_persons_the_ones_with_most_mistakes_are_shown():
    persons = [f"p{i:02}" for i in range(30) for _ in range(2)]
    predicted = np.zeros(60, int)
    predicted[[8, 9, 40]] = 1  # p04 twice, p20 once
    report = Report(("a", "b"), np.zeros(60, int), predicted, persons)
    lines = repr(report).splitlines()
    assert (
        lines.index("  p04: 0 of 2") < lines.index("  p20: 1 of 2")
        and lines[-1] == "  (10 more persons, none of them worse)"
    )
    assert len(report.per_person) == 30 == len(report.as_dict()["per_person"])


def test_a_report_in_a_terminal_has_its_matrix():
    report = Report(("circle", "wing"), [0] * 5 + [1] * 5, [0] * 4 + [1] + [1] * 4 + [-1])
    rows = [line.split() for line in repr(report).splitlines()]
    assert "it was circle wing unsure found (recall)".split() in rows
    assert "circle 80 %, 4 20 %, 1 0 4 of 5".split() in rows and "wing 0 80 %, 4 20 %, 1 4 of 5".split() in rows
    many = Report(tuple(f"word {k}" for k in range(20)), list(range(20)), list(range(20)))
    assert max(map(len, repr(many).splitlines())) <= 100 and "word 19: recall 1.00 (1 of 1)" in repr(many)


def test_takes_of_unknown_labels_count_in_the_card():
    html = Report(("a", "b"), [0, 1, -1, -1], [0, 1, 0, 1])._repr_html_()
    assert "How sure is 50.0\u00a0%?" in html and "2 of them had a label that the model does not know" in html


def test_the_card_s_precision_is_the_report_s_with_unknown_labels_too():
    report = Report(("a", "b", "c"), [0, 1, 1, 2, -1, -1], [0, 1, 1, 2, 0, 1])
    assert report.precision == pytest.approx({"a": 1 / 2, "b": 2 / 3, "c": 1})
    (line,) = (line for line in repr(report).splitlines() if "precision" in line)
    assert line.split() == "correct (precision) 1 of 2 2 of 3 1 of 1".split()
    assert "2 of the 6 had a label that the model does not know: wrong, and in no row" in repr(report)
    unsure = Report(("a", "b"), [0, 1, -1, -1], [0, -1, -1, 0])
    (line,) = (line for line in repr(unsure).splitlines() if "precision" in line)
    assert line.split() == "correct (precision) 1 of 2 0 of 0 2".split()


def test_a_matrix_too_wide_for_a_terminal_leaves_its_worst_mistakes():
    many = Report(tuple(f"word {k}" for k in range(20)), [0, 0, *range(1, 20)], [7, 7, *range(1, 20)])
    assert "  “word 0” taken for “word 7”: 2 of 2" in repr(many).splitlines()
