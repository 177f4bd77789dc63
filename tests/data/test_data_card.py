"""The cards of datasets, splits and pipelines: what they say is what is there, and what is uneven is said."""

import re

import numpy as np
import pytest

import tinykit as tk
from tinykit import look
from tinykit.data import Dataset, Recording
from tinykit.data.scene import Event, Scene
from tinykit.pipeline import Decision, ImuFrontEnd, Pipeline

pretty = pytest.importorskip("IPython.lib.pretty").pretty


def takes(plan):
    """A dataset of short takes: {(label, person): how many}."""
    rng = np.random.default_rng(4)
    return Dataset([
        Recording(rng.normal(size=(60, 6)), label=label, person=person, id=f"{person}-{label}-{k}")
        for (label, person), n in plan.items() for k in range(n)
    ], {"name": "few"})  # fmt: skip


def even(labels="abc", persons=("ada", "ben", "cleo"), n=8):
    return {(label, person): n for label in labels for person in persons}


def said(value):
    return look.text(value._repr_html_())


def test_an_even_dataset_has_no_warning_and_its_table_adds_up():
    text = said(takes(even()))
    assert " ! " not in text and "few: " not in text
    assert "a 8 8 8 24".split() in [line.split() for line in text.splitlines()]
    assert "all 24 24 24 72".split() in [line.split() for line in text.splitlines()]
    assert "72, 0.5 s each" in text and "3 (nicknames only)" in text and "at 119 Hz" in text


def test_what_is_uneven_is_said():
    text = said(takes({**even(), ("b", "cleo"): 2}))
    assert " ! cleo has 2 takes of “b”, most others 8: a network will know it better from them." in text
    text = said(takes({**even(), ("b", "cleo"): 0, ("c", "ada"): 1}))
    assert "cleo has no take of “b”" in text and "ada has 1 take of “c”" in text
    text = said(takes({**even(), **{("c", p): 3 for p in ("ada", "ben", "cleo")}}))
    assert "Less than half as many takes as of “a” (24): “c” (9)." in text
    assert "All takes are of ada" in said(takes(even(persons=("ada",))))
    many = {**even("abcd"), ("a", "ada"): 1, ("b", "ben"): 1, ("c", "cleo"): 1}
    assert said(takes(many)).count(" has 1 take of") == 2 and "And 1 more such gaps" in said(takes(many))


def test_a_side_of_a_split_is_no_dataset_of_one_person():
    side = takes(even()).split().test
    assert len(side.persons) == 1 and "All takes are of" not in said(side)


def test_nothing_is_a_card_too():
    assert "0 s" in said(Dataset([])) and "not named" in said(Dataset([]))


def test_a_split_shows_who_is_where():
    split = takes(even()).split()
    text = said(split)
    assert "[no person is in two parts]" in text and "24 train, 24 validation, 24 test" in text
    head = text.splitlines()[1].split(), text.splitlines()[2].split()
    assert head == (["train", "validation", "test"], [*split.train.persons, *split.validation.persons,
                                                      *split.test.persons, "all"])  # fmt: skip
    both = said(takes(even()).split(by="recording"))
    assert "[3 in two parts]" in both and "What is measured there is about known persons." in both
    rows = [line.split() for line in both.splitlines() if re.match(r"  [abc] ", line)]
    assert [row[-1] for row in rows] == ["24"] * 3, "each label's takes over all parts"


def test_a_split_of_many_people_counts_them():
    people = tuple(f"p{k:02d}" for k in range(15))
    text = said(takes(even("ab", people, 2)).split())
    assert "a 30 18 6 6 15".split() in [line.split() for line in text.splitlines()]


def test_a_terminal_shows_the_card_and_a_list_the_short_form():
    dataset = takes(even())
    assert pretty(dataset) == said(dataset) and pretty([dataset]) == f"[{dataset!r}]"
    assert pretty(dataset.split()) == said(dataset.split())


def test_the_card_of_a_pipeline_says_what_it_does():
    front = ImuFrontEnd(center=True, scale=(0.1,) * 6)
    pipeline = Pipeline("wave", "gesture", 119.0, 119, 30, front, ("up", "down"), Decision(2, 0.5, 0.5),
                        provenance={"takes": {"up": 5, "down": 6}, "persons": ["ada"], "dataset": "mine"})  # fmt: skip
    text = said(pipeline)
    assert "[no network]" in text and "1.00 s = 119 samples at 119 Hz" in text and "one every 0.25 s" in text
    assert "mean of 2 answers, at least 0.50; then 0.5 s of rest" in text and "mine, 11 takes of 1 person" in text
    assert "[float: not yet for a board]" in said(pipeline.with_(float_model=b"x" * 2048))
    ready = said(pipeline.with_(int8_model=b"x" * 2048, decision=Decision(1, 0.5, 1.0, (0.4, 0.9))))
    assert "[int8: ready for a board]" in ready and "int8 2.0 KB" in ready and "at least 0.40 to 0.90" in ready
    assert tk.__all__ and pretty(pipeline) == text


def test_a_scene_shows_when_what_is_said():
    sound = Recording(np.zeros((32000, 1)), channels=("audio",), rate_hz=16000.0, id="kitchen")
    scene = Scene(sound, (Event(0.5, 1.0, "go"), Event(1.5, 1.75, "unknown", "tree"), Event(1.2, 1.3, "go")))
    html = scene._repr_html_()
    assert re.findall(r'<rect x="([\d.]+)%"[^>]* width="([\d.]+)%"', html) == [
        ("25.000", "25.000"), ("60.000", "5.000"), ("75.000", "12.500")]  # fmt: skip
    assert "go 2 times, unknown once" in said(scene) and "recorded as it is" in said(scene)
    assert "nothing is said" in said(Scene(sound, ())) and pretty(scene) == said(scene)
