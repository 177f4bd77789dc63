"""Leaks that were planted are found; sides without a leak are clean."""

import numpy as np
import pytest

from tinykit.data import check_leakage, synthetic
from tinykit.errors import DataError, LeakageError


@pytest.fixture(scope="module")
def sides():
    return synthetic.gestures(takes=2).split(by="person")


def test_a_proper_split_is_clean(sides):
    result = check_leakage(*sides)
    assert result.clean and result.compared > 50 and not result.persons
    assert check_leakage(sides).clean  # the split itself will do


def test_the_same_recording_under_another_name(sides):
    train, _, test = sides
    spoiled = test.part([*test, train[3].with_(id="innocent", person="x", label="wing")])
    with pytest.raises(LeakageError, match="innocent"):
        check_leakage(train, spoiled)
    report = check_leakage(train, spoiled, report=True)
    assert [(x.kind, x.id_a, x.id_b) for x in report.leaks] == [("same recording", train[3].id, "innocent")]


def disguises():
    noise = np.random.RandomState(5)
    return {
        "shifted by 0.3 s": lambda x: x[36:],
        "shifted by less than a sample": lambda x: 0.63 * x[:-1] + 0.37 * x[1:],
        "a little louder": lambda x: x * 1.04,
        "with noise": lambda x: x + noise.normal(0, [0.01] * 3 + [1.0] * 3, x.shape),
        "another offset": lambda x: x + [0.1, 0, -0.1, 3, 0, 0],
        "in the middle of something else": lambda x: np.vstack(
            [np.zeros((50, 6)) + x[0], x, np.zeros((40, 6)) + x[-1]]
        ),
        "rounded": lambda x: np.round(x, 1),
    }


@pytest.mark.parametrize("name", disguises())
def test_near_identical_windows_in_disguise(sides, name):
    train, _, test = sides
    source = next(r for r in train if r.label == "flex")
    planted = source.with_(samples=disguises()[name](source.samples.astype(float)), timestamps_ms=None, id="planted")
    report = check_leakage(train, test.part([*test, planted]), report=True)
    assert {x.id_b for x in report.leaks} == {"planted"}
    assert report.leaks[0].id_a == source.id and report.leaks[0].difference < 0.08


def test_two_stillnesses_are_no_leak(sides):
    train, _, test = sides
    noise = np.random.RandomState(1)
    lying = [
        train[0].with_(samples=[0, 0, 1, 0, 0, 0] + noise.normal(0, 0.002, (150, 6)), timestamps_ms=None, id=f"s{i}")
        for i in range(2)
    ]
    assert check_leakage(train.part([*train, lying[0]]), test.part([*test, lying[1]])).clean


def test_persons_on_both_sides_are_told(sides):
    whole = synthetic.gestures(persons=("ada", "ben"), labels=("flex",), takes=4)
    report = check_leakage(*whole.split(by="blocks"))
    assert report.clean and report.persons["training", "test"] == ["ada", "ben"]
    assert "known persons" in repr(report) and "known persons" in report._repr_html_()


def test_one_side_is_not_enough(sides):
    with pytest.raises(DataError):
        check_leakage(sides[0])
