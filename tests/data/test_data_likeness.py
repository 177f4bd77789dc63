"""The same take twice, and takes that are all alike."""

import numpy as np
import pytest

from tinykit.data import open_dataset, sample, synthetic
from tinykit.data.likeness import Likeness


@pytest.fixture(scope="module")
def circles():
    return list(synthetic.gestures(persons=("ada",), labels=("circle",), takes=3))


def test_a_copy_a_shifted_copy_and_a_turned_hand(circles):
    one, other, *_ = circles
    kin = Likeness()
    kin.note(1, one)
    assert kin.add(2, other) is None
    twin = kin.add(3, one.with_(id="copy"))
    assert twin.key == 1 and twin.difference < 1e-3
    later = one.with_(samples=np.vstack([one.samples[:1].repeat(9, 0), one.samples[:-9]]))
    assert kin.add(4, later).key in (1, 3)
    halfway = one.with_(
        samples=(one.samples[:-1] + one.samples[1:]) / 2, timestamps_ms=None
    )  # sampled half a sample later
    assert kin.add(5, halfway).difference < 0.08
    mirrored = one.with_(samples=one.samples * np.float32([1, -1, 1, -1, 1, -1]))
    assert kin.add(6, mirrored) is None
    for key in (1, 3, 4, 5):
        kin.remove(key)
    assert kin.add(7, one) is None


def test_takes_that_could_be_one_another_are_called_alike(circles):
    random = np.random.default_rng(1)
    kin = Likeness()
    for key in range(6):  # a machine's hand: the same movement with 10 % of other movement
        other = circles[1 + key % 2].samples
        kin.add(key, circles[0].with_(samples=circles[0].samples + 0.03 * random.normal() * other))
    assert kin.alike("circle") and not kin.alike("wing")
    for key in range(2, 6):
        kin.remove(key)
    assert not kin.alike("circle")  # too few to say so


def test_synthetic_people_are_not_all_alike():
    takes = synthetic.gestures(persons=("ada", "ben"), labels=("circle", "flex"), takes=6)
    kin = Likeness()
    assert [kin.add(k, r) for k, r in enumerate(takes)] == [None] * len(takes)
    assert not kin.alike("circle") and not kin.alike("flex")


def test_rest_is_like_rest_and_nobody_minds(circles):
    rest = circles[0].with_(label="rest")
    kin = Likeness()
    assert kin.add(1, rest) is None and kin.add(2, rest.with_(id="again")) is None


@pytest.mark.parametrize("name", ["nano33_gestures", "magic_wand_esp32"])
def test_real_people_are_not_all_alike(name, shared_data):
    dataset = open_dataset(shared_data / "gestures" / name)
    twins = []
    for person in dataset.persons[:4]:
        kin = Likeness()
        for key, take in enumerate(dataset.select(persons=person)):
            if take.samples.std(0)[:3].max() > 0.05 and kin.add(key, take):
                twins.append(take.id)
        assert not any(kin.alike(label) for label in dataset.labels), person
    assert not twins


def test_a_word_heard_twice():
    words = list(sample("words").select(labels="yes"))[:3] or list(sample("words"))[:3]
    kin = Likeness()
    assert kin.add(1, words[0]) is None and kin.add(2, words[1]) is None
    cut = words[0].with_(samples=words[0].counts()[800:])
    assert kin.add(3, cut).key == 1
