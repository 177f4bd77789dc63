"""Audits: what was planted is found, named, and nothing else is blamed."""

import numpy as np
import pytest

from tinykit.data import Dataset, audit, synthetic
from tinykit.errors import DataError


@pytest.fixture(scope="module")
def good():
    return synthetic.gestures(persons=("ada", "ben", "cleo"), takes=5)


def test_a_good_set_is_clean(good):
    result = audit(good)
    assert result.clean and not result.suspects and result.checked == 150
    assert "nothing found" in repr(result) and "nothing found" in result._repr_html_()


def spoil(dataset, where, change):
    return dataset.part([change(r) if where(r) else r for r in dataset])


def lying(r):
    noise = np.random.RandomState(sum(map(ord, r.id)) * 7 + len(r)).normal(
        [0, 0, 1, 0, 0, 0], [0.003] * 3 + [0.1] * 3, r.samples.shape
    )
    return r.with_(samples=noise)


def test_a_person_whose_takes_of_a_label_are_all_motionless(good):
    result = audit(spoil(good, lambda r: r.person == "ben" and r.label == "wing", lying))
    (finding,) = [f for f in result.findings if f.grade == "bad"]
    wanted = [r.id for r in good if r.person == "ben" and r.label == "wing"]
    assert finding.kind == "motionless" and sorted(finding.ids) == sorted(wanted) == sorted(result.suspects)
    assert "all 10" in finding.text and "'wing' of ben" in finding.text
    assert len(result.without_suspects()) == 140


def test_stillness_that_is_a_label(good):
    rest = spoil(good, lambda r: r.label == "wing", lambda r: lying(r).with_(label="steady"))
    result = audit(rest)
    assert not result.of("motionless") and len(result.of("still label")) == 1


def plant(good):
    first = good[0]
    nan = first.samples.copy()
    nan[5] = np.nan
    dead = first.samples.copy()
    dead[:, 1] = 0.5
    loud = np.clip(first.samples * [6, 6, 6, 1, 1, 1], -4, 4)
    return {
        "not a number": (first.with_(samples=nan), "row 5", "bad"),
        "dead axis": (first.with_(samples=dead), "aY never", "bad"),
        "clipped": (first.with_(samples=loud), f"{first.id}", "bad"),
        "duplicate": (good[7].with_(id=first.id), f"{first.id} and {good[7].id}", "bad"),
        "odd length": (
            first.with_(samples=np.tile(first.samples, (4, 1)), timestamps_ms=None),
            f"{first.id} (6",
            "warn",
        ),
        "no label": (first.with_(label=None), "1 recording", "warn"),
        "time": (first.with_(timestamps_ms=first.timestamps_ms[::-1].copy()), "backwards", "bad"),
        "gap": (
            first.with_(timestamps_ms=first.timestamps_ms + 200.0 * (np.arange(len(first)) > 50)),
            "(208 ms)",
            "warn",
        ),
        "rate": (first.with_(rate_hz=123.0), "123.0 Hz", "warn"),
    }


@pytest.mark.parametrize(
    "kind",
    ["not a number", "dead axis", "clipped", "duplicate", "odd length", "no label", "time", "gap", "rate"],
)
def test_one_bad_recording_is_named(good, kind):
    recording, said, grade = plant(good)[kind]
    result = audit(good.part([recording, *good[1:]]))
    found = [f for f in result.findings if f.grade != "none"]
    assert [f.kind for f in found] == [kind], result
    assert said in found[0].text and found[0].grade == grade
    assert bool(result.suspects) == (grade == "bad")


def test_units_that_cannot_be_right(good):
    metres = spoil(good, lambda r: r.person == "ada", lambda r: r.with_(samples=r.samples * [0.1, 0.1, 0.1, 1, 1, 1]))
    assert any("of ada measure 0.1" in f.text for f in audit(metres).of("units"))
    radians = spoil(
        good,
        lambda r: r.person == "ada",
        lambda r: r.with_(samples=np.hstack([r.samples[:, :3], np.radians(r.samples[:, 3:])])),
    )
    assert any("rad/s" in f.next for f in audit(radians).of("units"))


def test_a_board_held_the_other_way_up(good):
    four = good.part(
        [
            *good,
            *(
                r.with_(person="dan", id=r.id + "d", samples=r.samples * [1, -1, -1, 1, -1, -1])
                for r in good
                if r.person == "ada"
            ),
        ]
    )
    (finding,) = audit(four).of("grip")
    assert "dan (1" in finding.text and "ada" not in finding.text


def test_labels_out_of_balance_and_of_one_person(good):
    few = good.select(lambda r: r.label != "punch" or (r.person == "ada" and r.session == "1"))
    kinds = {f.kind: f.text for f in audit(few).findings}
    assert "'punch' has 5" in kinds["imbalance"] and "'punch' has 5" in kinds["few takes"]
    assert "'punch'" in kinds["one person"]
    assert audit(good.select(labels="punch")).of("one label")[0].grade == "bad"


def test_an_empty_set():
    assert audit(Dataset()).findings[0].kind == "empty"
    with pytest.raises(DataError):
        Dataset()["x"]
