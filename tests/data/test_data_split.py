"""Splits: nothing on two sides, nothing lost, the same in every process."""

import json
import subprocess
import sys
from collections import Counter

import pytest

from tinykit.data import Dataset, check_leakage, synthetic
from tinykit.errors import DataError


@pytest.fixture(scope="module")
def six():
    return synthetic.gestures(synthetic.PERSONS[:6], ("flex", "negative", "punch"), takes=2)


@pytest.mark.parametrize(
    "by, key",
    [
        ("person", lambda r: r.person),
        ("session", lambda r: (r.person, r.session)),
        ("recording", lambda r: r.id),
        ("blocks", lambda r: r.id),
    ],
)
def test_sides_share_no_group_and_lose_nothing(six, by, key):
    for seed in range(5):
        sides = six.split(by=by, seed=seed)
        groups = [{key(r) for r in side} for side in sides]
        assert all(groups) and not (groups[0] & groups[1] or groups[0] & groups[2] or groups[1] & groups[2])
        assert Counter(r.id for side in sides for r in side) == Counter(r.id for r in six)
        assert all(side.labels == six.labels for side in sides)


def test_split_is_the_same_in_every_process(six, tmp_path):
    six.save(tmp_path / "a")
    code = (
        "import json, sys; from tinykit.data import open_dataset; d = open_dataset(sys.argv[1]); "
        "ways = ('person', 'session', 'recording', 'blocks'); "
        "print(json.dumps([[r.id for r in s] for by in ways for s in d.split(by=by, seed=3)]"
        "+ [[r.id for r in f.test] for by in ('person', 'recording') for f in d.folds(by=by, k=3)]))"
    )
    outputs = []
    for hash_seed in ("0", "12345"):
        run = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "a")],
            capture_output=True,
            text=True,
            env={**__import__("os").environ, "PYTHONHASHSEED": hash_seed},
            check=True,
        )
        outputs.append(json.loads(run.stdout))
    here = [[r.id for r in s] for by in ("person", "session", "recording", "blocks") for s in six.split(by=by, seed=3)]
    assert outputs[0] == outputs[1] and outputs[0][: len(here)] == here


def test_another_seed_is_another_split(six):
    tests = {six.split(by="person", seed=seed).test.persons for seed in range(12)}
    assert len(tests) > 2
    assert six.split(seed=1).test.fingerprint != six.split(by="recording", seed=1).test.fingerprint


def test_split_does_not_depend_on_the_order_of_recordings(six):
    turned = six.part(six[::-1])
    for by in ("person", "session", "recording"):
        for a, b in zip(six.split(by=by), turned.split(by=by), strict=True):
            assert a.fingerprint == b.fingerprint


def testsizes_follow_the_fractions(six):
    train, validation, test = six.split(by="person", fractions=(0.5, 0.0, 0.5))
    assert (len(train.persons), len(validation), len(test.persons)) == (3, 0, 3)
    train, validation, test = six.split(by="recording", fractions=(0.5, 0.25, 0.25))
    assert (len(train), len(validation), len(test)) == (36, 18, 18)
    for bad in [(0.5, 0.5), (1, 1, 1), (0, 0.5, 0.5), "abc"]:
        with pytest.raises(DataError):
            six.split(fractions=bad)


def test_rare_labels_reach_every_side_when_they_can():
    whole = synthetic.gestures(synthetic.PERSONS[:6], ("flex", "punch"), takes=1)
    # Only three of six persons punched: each side gets one of them, training first.
    some = whole.select(lambda r: r.label == "flex" or r.person in ("ada", "cleo", "finn"))
    for seed in range(4):
        assert all(side.labels == ("flex", "punch") for side in some.split(seed=seed))


def test_blocks_keep_time_in_order(six):
    train, validation, test = six.split(by="blocks")
    place = {r.id: i for i, r in enumerate(six)}
    for person in six.persons:
        for label in six.labels:
            a, b, c = (
                [place[r.id] for r in side if r.person == person and r.label == label]
                for side in (train, validation, test)
            )
            assert a and c and max(a) < min(c)
            assert not b or max(a) < min(b) <= max(b) < min(c)


def test_blocks_cut_one_long_recording_in_time():
    stream = synthetic.stream(["punch"] * 20).with_(row_labels=None, label="punch", id="long")
    train, validation, test = Dataset([stream]).split(by="blocks")
    assert [len(x[0]) for x in (train, validation, test)] == pytest.approx(
        [0.6 * len(stream), 0.2 * len(stream), 0.2 * len(stream)], abs=1
    )
    assert (train[0].samples == stream.samples[: len(train[0])]).all()
    assert (test[0].samples == stream.samples[-len(test[0]) :]).all()


def test_folds_cover_everything_once(six):
    for by, k, n in (
        ("person", None, 6),
        ("person", 4, 4),
        ("session", None, 12),
        ("recording", 5, 5),
        ("blocks", 4, 4),
    ):
        folds = six.folds(by=by, k=k)
        assert len(folds) == n
        assert Counter(r.id for f in folds for r in f.test) == Counter(r.id for r in six)
        for fold in folds:
            assert len(fold.train) + len(fold.test) == len(six)
            assert not {r.id for r in fold.train} & {r.id for r in fold.test}
        if by == "person":
            assert all(not set(f.train.persons) & set(f.test.persons) for f in folds)
    assert [f.held_out for f in six.folds()] == [(p,) for p in six.persons]


def test_too_few_groups_are_named(six):
    two = six.select(persons=("ada", "ben"))
    with pytest.raises(DataError, match="2 person"):
        two.split(by="person")
    assert [len(s) for s in two.split(by="person", fractions=(0.5, 0, 0.5))] == [12, 0, 12]
    nameless = six.part([r.with_(session="") for r in six])
    with pytest.raises(DataError, match="no session"):
        nameless.split(by="session")
    with pytest.raises(DataError, match="at least 2"):
        six.select(persons="ada").folds()
    with pytest.raises(DataError, match="not known"):
        six.split(by="label")


def test_copies_stay_on_one_side(six):
    doubled = six.part([*six, *(r.with_(id=r.id + "-copy") for r in six)])
    for seed in range(3):
        sides = doubled.split(by="recording", seed=seed)
        assert check_leakage(*sides).clean


def test_given_split(six):
    marked = six.part([r.with_(split="training" if r.session == "1" else "testing") for r in six])
    train, validation, test = marked.split(by="given")
    assert (len(train), len(validation), len(test)) == (36, 0, 36)
    with pytest.raises(DataError, match="does not come with"):
        six.split(by="given")


def test_a_label_that_a_side_lacks_is_told(six):
    lone = six.select(lambda r: r.label != "punch" or r.person == "ada")
    made = lone.split(by="person")
    assert "punch" in made.train.labels  # training counts first
    assert made.missing == {"validation": ("punch",), "test": ("punch",)} and "test lacks punch" in repr(made)
    assert six.split().missing == {}


@pytest.mark.parametrize(
    "n, fractions, want",
    [
        (8, (0.6, 0.2, 0.2), (5, 1, 2)),
        (6, (0.6, 0.2, 0.2), (4, 1, 1)),
        (14, (0.6, 0.2, 0.2), (8, 3, 3)),
        (3, (0.6, 0.2, 0.2), (1, 1, 1)),
        (10, (0.6, 0.2, 0.2), (6, 2, 2)),
        (17, (0.6, 0.2, 0.2), (10, 3, 4)),
        (5, (0.8, 0.0, 0.2), (4, 0, 1)),
        (2, (0.5, 0.0, 0.5), (1, 0, 1)),
        (7, (0.5, 0.25, 0.25), (3, 2, 2)),
    ],
)
def test_shares_by_largest_remainder(n, fractions, want):
    from tinykit.data.split import sizes

    assert sizes(n, fractions) == want
