"""Real recordings: counts that other tools give, gravity of 1 g, and the known flaws."""

import csv
import re

import numpy as np
import pytest

from tinykit.data import audit, check_leakage, open_dataset
from tinykit.data.leakage import near_pairs
from tinykit.data.ranges import rest_length
from tinykit.errors import DataError

SETS = [
    "nano33_gestures",
    "nano33_spells",
    "mpu6050_gestures",
    "magic_wand_esp32",
    "har_smartwatch",
    "edge_impulse_motion",
]
_open = {}


@pytest.fixture
def real(shared_data):
    def opened(name):
        if name not in _open:
            _open[name] = open_dataset(shared_data / "gestures" / name)
        return _open[name]

    return opened


def manifest(shared_data, name):
    with open(shared_data / "manifest.csv", newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["set"] == name and row["label"]]


@pytest.mark.parametrize("name", SETS)
def test_labels_persons_and_files_are_those_of_the_manifest(name, real, shared_data):
    rows = manifest(shared_data, name)
    dataset = real(name)
    files = {re.sub(r" lines? .*", "", r.source) for r in dataset}
    assert files == {row["path"].split(f"gestures/{name}/")[1] for row in rows}
    assert len(dataset.persons) == len({row["person"] for row in rows})
    if not dataset.is_stream:
        assert set(dataset.labels) == {row["label"] for row in rows}
        for row in rows:
            part = [r for r in dataset if r.source.startswith(row["path"].split(f"gestures/{name}/")[1])]
            assert {r.label for r in part} == {row["label"]}
            assert {r.sha256 for r in part} == {row["sha256"]}


@pytest.mark.parametrize("name, rows", [("nano33_gestures", 119), ("nano33_spells", 119), ("mpu6050_gestures", 30)])
def test_gestures_of_a_fixed_length(name, rows, real, shared_data):
    dataset = real(name)
    for path in sorted((shared_data / "gestures" / name).rglob("*.csv")):
        numbers = sum(bool(re.match(rb"^-?\d", line)) for line in path.read_bytes().splitlines())
        where = path.relative_to(shared_data / "gestures" / name).as_posix()
        takes = [r for r in dataset if r.source.startswith(where)]
        assert len(takes) == numbers // rows and all(len(r) == rows for r in takes)
        first = re.search(rb"^-?\d.*$", path.read_bytes(), re.MULTILINE).group().split(b",")
        np.testing.assert_allclose(takes[0].samples[0], [float(v) for v in first], rtol=1e-6)


def test_magic_wand_recordings_and_lengths(real, shared_data):
    dataset = real("magic_wand_esp32")
    for path in (shared_data / "gestures" / "magic_wand_esp32").rglob("*.txt"):
        parts = [p.split() for p in path.read_text(encoding="utf-8").split("-,-,-")][1:]
        lengths = [len(p) for p in parts if p]
        where = path.relative_to(shared_data / "gestures" / "magic_wand_esp32").as_posix()
        takes = [r for r in dataset if r.source.startswith(where + " ")]
        assert [len(r) for r in takes] == lengths
        first = [float(v) / 9.80665 for v in parts[0][0].split(",")]
        np.testing.assert_allclose(takes[0].samples[0], first, rtol=1e-5)
    assert len(dataset) == 439 and {17, 171} <= {len(r) for r in dataset}


def test_activities_row_by_row(real, shared_data):
    dataset = real("har_smartwatch")
    for recording in dataset[::25]:
        with open(shared_data / "gestures" / "har_smartwatch" / recording.source, newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["label"] for row in rows] == recording.row_labels.tolist()
        np.testing.assert_allclose(recording.samples[:, 0], [float(r["x_acc"]) / 9.80665 for r in rows], rtol=1e-5)
        np.testing.assert_allclose(
            recording.samples[:, 5], [float(r["z_gyro"]) * 180 / np.pi for r in rows], rtol=1e-5, atol=1e-6
        )
        span = (int(rows[-1]["timestamp"]) - int(rows[0]["timestamp"])) / 1000
        assert recording.rate_hz == pytest.approx((len(rows) - 1) / span, rel=1e-9)
    assert 100 < dataset.rate_hz < 106


@pytest.mark.parametrize("name", SETS)
def test_gravity_is_one_g_at_rest(name, real):
    assert rest_length(list(real(name))) == pytest.approx(1.0, abs=0.06)


def test_the_unit_that_edge_impulse_files_state_is_wrong(real):
    assert any("state m/s2" in note and "read as g" in note for note in real("edge_impulse_motion").card["notes"])
    train, validation, test = real("edge_impulse_motion").split(by="given")
    assert len(train) == 72 and not len(validation) and len(test) == 24


def test_five_motionless_slopes(real):
    found = [f for f in audit(real("magic_wand_esp32")).of("motionless") if f.grade == "bad"]
    assert len(found) == 1 and "all 5" in found[0].text and "'slope' of peter" in found[0].text
    assert set(found[0].ids) == {f"peter-slope-00{i}" for i in range(1, 6)}


@pytest.mark.parametrize("name", SETS)
def test_no_real_take_is_a_copy_of_another(name, real):
    assert near_pairs(real(name)) == []


@pytest.mark.parametrize(
    "name, by",
    [
        ("magic_wand_esp32", "person"),
        ("har_smartwatch", "person"),
        ("nano33_gestures", "blocks"),
        ("nano33_spells", "blocks"),
    ],
)
def test_splits_of_real_sets_are_clean(name, by, real):
    sides = real(name).split(by=by)
    assert check_leakage(*sides).clean and sum(map(len, sides)) == len(real(name))
    assert by != "person" or not set(sides[0].persons) & set(sides[2].persons)


def test_real_sets_come_back_from_disk(real, tmp_path):
    for name in ("mpu6050_gestures", "nano33_spells"):
        dataset = real(name)
        assert (
            dataset.save(tmp_path / name).fingerprint
            == dataset.fingerprint
            == open_dataset(tmp_path / name).fingerprint
        )


def test_strokes_and_mixed_folders_are_refused(shared_data):
    with pytest.raises(DataError, match="strokes"):
        open_dataset(shared_data / "gestures" / "wand_digit_strokes")
    with pytest.raises(DataError, match="several formats"):
        open_dataset(shared_data / "gestures")
