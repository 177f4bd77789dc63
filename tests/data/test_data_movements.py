"""A long take of motion splits itself: real takes in a row, synthetic ones, and what has no single movements."""

import numpy as np
import pytest

from tinykit.board.virtual import Generator
from tinykit.data import Recording, open_dataset, split_movements, synthetic
from tinykit.data.movements import movement, split_windows
from tinykit.errors import DataError


@pytest.fixture(scope="module")
def bench():
    """benchmarks/movements.py, which makes the long takes and counts."""
    import importlib.util
    from pathlib import Path

    path = Path(__file__).parents[2] / "benchmarks" / "movements.py"
    spec = importlib.util.spec_from_file_location("movements_benchmark", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def made(label, seconds=30.0, person="ben", pause_s=1.0):
    """A long take of a made-up person: the recording, and how many movements were begun."""
    source = Generator(label, person=person, pause_s=pause_s)
    rows = np.arange(round(seconds * 119))
    samples = source.read(rows / 119) / np.float32([8192] * 3 + [16.384] * 3)
    return Recording(samples, label=label, person=person, rate_hz=119.0, id="long")


# At rest for 0.8 to 2 s between: 98.0 % in all; the 30 Hz of mpu6050_gestures are one second cut out of more.
@pytest.mark.parametrize("name, share", [
    ("nano33_gestures", 0.96), ("nano33_spells", 0.97), ("mpu6050_gestures", 0.8), ("magic_wand_esp32", 0.96),
])  # fmt: skip
def test_real_takes_are_found_one_by_one(name, share, bench, shared_data):
    dataset = open_dataset(shared_data / "gestures" / name)
    total = sum(bench.score(split_movements(r).spans, truth) for r, truth in bench.long_takes(dataset))
    takes, found, missed, doubled, _, nothing = total
    assert found / takes > share, total
    assert missed / takes < 0.01 and doubled / takes < 0.02 and nothing / takes < 0.01, total


def test_what_never_rests_and_what_never_moves_is_said(bench, shared_data):
    doubts = {
        name: [split_movements(r).doubt for r in parts]
        for name, parts in bench.unsplit(shared_data / "gestures").items()
    }
    idle = doubts.pop("idle")
    assert sum(doubt == "Nothing moves in it." for doubt in idle) >= 20  # of 24: the rest was bumped into
    for name, said in doubts.items():
        assert all("rest" in doubt for doubt in said), name


@pytest.mark.parametrize("label", ["circle", "wing", "punch", "flex", "shake"])
def test_made_up_movements_are_counted(label):
    counts = []
    for person in synthetic.PERSONS:
        found = split_movements(made(label, person=person))
        assert not found.doubt
        counts.append(len(found))
        for take, span in zip(found, found.spans, strict=True):
            assert (take.label, take.person) == (label, person)
            assert take.seconds == pytest.approx(max(1.5, span.end_s - span.start_s), abs=0.02)
    assert counts.count(12) >= 7, counts  # begun every 2.5 s; one person's may run into each other


def test_a_take_is_the_part_of_the_long_one_with_its_movement_in_the_middle():
    long = made("punch")
    found = split_movements(long, seconds=1.5)
    take, span = found[3], found.spans[3]
    first = round(float(take.source.split("from ")[1].removesuffix(" s")) * 119)
    assert (take.samples == long.samples[first : first + len(take)]).all()
    assert first / 119 + 0.75 == pytest.approx((span.start_s + span.end_s) / 2, abs=0.02)
    assert len({r.id for r in found}) == len(found)


def test_the_hand_on_the_threshold_decides():
    long = made("circle")
    chosen = split_movements(long)
    assert len(split_movements(long, 60.0)) == 0
    assert len(split_movements(long, chosen.threshold_db + 1)) == 12
    assert split_movements(long, 12.5).threshold_db == 12.5


def test_a_movement_longer_than_a_take_is_kept_whole():
    found = split_movements(made("circle"), seconds=0.5)
    assert len(found) == 12
    for take, span in zip(found, found.spans, strict=True):
        assert take.seconds == pytest.approx(max(0.5, span.end_s - span.start_s), abs=0.02)


def test_what_was_lost_is_no_movement_and_stays_a_gap():
    still = made("circle").with_(samples=np.tile(np.float32([0, 0, 1, 0, 0, 0]), (1200, 1)))
    times = np.arange(1200) * 1000 / 119
    times[600:] += 2000.0  # two seconds lost
    turned = still.samples.copy()
    turned[600:] = [0, 1, 0, 0, 0, 0]  # and the board lies otherwise since
    assert split_movements(still.with_(samples=turned, timestamps_ms=times)).doubt == "Nothing moves in it."
    windows = split_windows(still.with_(timestamps_ms=times), seconds=1.0)
    assert len(windows) == 12 and sum(map(len, windows)) == pytest.approx(1200, abs=30)


def test_movement_is_measured_in_g():
    """A swing of 0.1 g at 2 Hz, and turning at 100 deg/s: the standard deviations in 0.15 s."""
    t = np.arange(1190) / 119
    x = np.zeros((1190, 6), np.float32)
    x[:, 2] = 1.0 + 0.1 * np.sin(2 * np.pi * 2 * t)
    swing = movement(Recording(x, rate_hz=119.0))
    want = np.mean([np.std(0.1 * np.sin(2 * np.pi * 2 * (s + np.arange(18) / 119))) ** 2 for s in t[:60]])
    assert np.mean(10 ** (swing.db[20:-20] / 10)) == pytest.approx(want, rel=0.03)
    x[:, 2], x[:, 5] = 1.0, np.where(t > 6, 100.0, 0.0)
    turning = movement(Recording(x, rate_hz=119.0))
    assert turning.db[turning.times_s > 6.5] == pytest.approx(20 * np.log10(100 / 500), abs=0.1)


def test_windows_lie_side_by_side():
    long = made("circle", 10.0)
    windows = split_windows(long, 1.5)
    assert len(windows) == 6 and all(len(w) in (178, 179) for w in windows)
    assert (windows[1].samples[0] == long.samples[round(1.5 * 119) + (len(windows[0]) - 178)]).all()
    assert "window" in repr(windows)


def test_words_are_refused():
    from tinykit.data import sound

    with pytest.raises(DataError, match="is sound"):
        split_movements(sound(np.zeros(16000, np.int16), 16000))
