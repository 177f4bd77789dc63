"""Samples of the real recordings; benchmarks/gestures.py measures the whole."""

import os

import pytest

import tinykit as tk
from tinykit import models
from tinykit.compress import reference_answers
from tinykit.models import defaults

pytestmark = pytest.mark.slow
FULL = os.environ.get("TINYKIT_FULL") == "1"


def test_the_wand_on_people_it_has_not_seen(shared_data):
    dataset = tk.open_dataset(shared_data / "gestures" / "magic_wand_esp32")
    people = ("kai", "stefan", "patrick", "filip") if FULL else ("kai",)
    total = None
    for person in people:
        train, test = dataset.select(lambda r, out=person: r.person != out), dataset.select(persons=person)
        small = tk.quantize(tk.train("gesture", train, progress=False), train)
        windows = models.test_windows(small, test)
        report = models.Report.of(windows, reference_answers(small, windows.counts))
        total = report if total is None else total + report
    assert total.accuracy >= 0.8  # one fold varies; the target is for all of them


def test_spells_of_one_person_in_contiguous_blocks(shared_data):
    dataset = tk.open_dataset(shared_data / "gestures" / "nano33_spells")
    for fold in dataset.folds(by="blocks", k=5)[: 5 if FULL else 1]:
        pipeline = tk.train("gesture", fold.train, progress=False)
        small = tk.quantize(pipeline, fold.train)
        windows = models.test_windows(small, fold.test)
        exact = models.Report.of(windows, models.predict(pipeline, windows.counts))
        whole = models.Report.of(windows, reference_answers(small, windows.counts))
        assert exact.accuracy >= 0.8 and abs(exact.right - whole.right) <= 1


def test_peter_s_motionless_slopes_are_not_trained_on_but_are_tested(shared_data):
    dataset = tk.open_dataset(shared_data / "gestures" / "magic_wand_esp32")
    _, out = defaults.without_still(dataset)
    assert len(out) == 5 and {(r.person, r.label) for r in out} == {("peter", "slope")}
    test = dataset.select(persons="peter")
    assert len(test.windows(80).takes) == len(test) == 20
