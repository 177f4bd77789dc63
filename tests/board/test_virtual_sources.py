"""What the virtual IMU feels: replays, made-up movements, a board at rest."""

import numpy as np
import pytest
from probe_board import Probe

from tinykit.board.virtual import Generator, Replay, Still
from tinykit.data import units
from tinykit.data.recording import Recording
from tinykit.errors import DataError

AT_119 = np.arange(400) / 119.0


def recording(rows, rate_hz=119.0, channels=units.CHANNELS, **fields):
    return Recording(np.asarray(rows, np.float32), channels=channels, rate_hz=rate_hz, **fields)


def noise(n, seed=0):
    counts = np.random.default_rng(seed).integers(-32768, 32768, (n, 6)).astype(np.int16)
    return counts, units.to_units(counts, units.CHANNELS)


def test_replay_at_the_sensors_rate_gives_every_row_exactly():
    counts, rows = noise(300)
    source = Replay(recording(rows))
    assert np.array_equal(source.read(AT_119[:300]), counts)
    assert source.duration == pytest.approx(299 / 119)


def test_the_board_gives_exactly_the_rows_too():
    counts, rows = noise(200, seed=4)
    with Probe() as probe, probe.board.hold():
        probe.board.source = Replay(recording(rows))
        start = probe.board.imu._next
        probe.port.write(b"s" + (150).to_bytes(4, "little"))
        probe.board.wait_until_idle()
        probe.board.advance(1.0)  # 150 samples are 3000 bytes: within what the line holds
        probe.board.advance(0.5)
        data = probe.port.read(150 * 20)
    samples = np.frombuffer(data, np.dtype([("index", "<u4"), ("time_us", "<u4"), ("value", "<i2", 6)]))
    first = samples["index"][0] - start
    assert first >= 0
    assert np.array_equal(samples["value"], counts[first : first + 150])


def test_other_rates_are_interpolated():
    slow = recording(np.arange(50)[:, None] * np.array([[0.01, 0, 0, 10, 0, 0]]), rate_hz=50)
    times = np.arange(100) / 119.0
    values = Replay(slow).read(times)
    expected = np.minimum(times * 50, 49)
    assert np.array_equal(values[:, 0], np.round(expected * 0.01 * 8192).astype(int))
    assert np.abs(values[:, 3] - expected * 10 * 16.384).max() <= 0.5


def test_row_by_row_ignores_the_rate():
    counts, rows = noise(100)
    assert np.array_equal(Replay(recording(rows, rate_hz=50), row_by_row=True).read(AT_119[:100]), counts)
    two = Replay([recording(rows), recording(rows[:50])], row_by_row=True)
    assert np.array_equal(two.read(AT_119[:150]), np.vstack([counts, counts[:50]]))


def test_counts_saturate_at_the_sensors_range():
    rows = [[4.5, -9, 0, 2500, -2500, 0]] * 3
    assert Replay(recording(rows)).read([0.0]).tolist() == [[32767, -32768, 0, 32767, -32768, 0]]


def test_channels_that_were_not_recorded_are_zero():
    values = Replay(recording([[0.5, 1.0]] * 3, channels=("aX", "aZ"))).read([0.0])
    assert values.tolist() == [[4096, 0, 8192, 0, 0, 0]]


def test_loop_and_end():
    counts, rows = noise(119)
    once, loop = Replay(recording(rows)), Replay(recording(rows), loop=True, gap_s=0)
    assert np.array_equal(once.read([5.0])[0], counts[-1])  # the last row stays
    times = np.arange(119) / 119.0
    assert np.array_equal(loop.read(times + 3.0), counts)
    assert loop.duration is None and once.duration == pytest.approx(118 / 119)


def test_labels_of_what_is_played():
    a, b = recording(np.zeros((119, 6)), label="a"), recording(np.ones((119, 6)), label="b")
    source = Replay([a, b], gap_s=0.5)
    assert [source.label_at(t) for t in (0.0, 0.9, 1.2, 1.6, 2.4, 9.0)] == ["a", "a", None, "b", "b", None]
    rows = recording(np.zeros((100, 6)), rate_hz=10, row_labels=np.array(["x"] * 50 + ["y"] * 50))
    assert [Replay(rows).label_at(t) for t in (0.0, 4.0, 4.95, 5.0, 6.0, 9.9)] == [*"xxxyyy"]


def test_an_empty_dataset_is_refused():
    with pytest.raises(DataError, match="no recording"):
        Replay([])


def test_still_board_feels_gravity_and_noise():
    values = Still(seed=1).read(AT_119) / ([8192.0] * 3 + [16.384] * 3)
    assert values.mean(axis=0) == pytest.approx([0, 0, 1, 0, 0, 0], abs=0.03)
    assert values.std(axis=0) == pytest.approx([0.004] * 3 + [0.15] * 3, rel=0.2)


@pytest.mark.parametrize(
    "make",
    [Still, Generator, lambda: Generator("punch", person="finn"),
     lambda: Replay(recording(noise(80)[1], rate_hz=77), loop=True)],
)  # fmt: skip
def test_blocks_do_not_matter(make):
    times = np.arange(700) / 119.0
    whole = make().read(times)
    source = make()
    pieces = [source.read(times[i : i + 37]) for i in range(0, 700, 37)]
    assert whole.shape == (700, 6) and whole.dtype == np.int16
    assert np.array_equal(whole, np.vstack(pieces))


def test_generator_moves_in_its_takes_and_rests_between():
    source = Generator(("circle", "punch"), pause_s=1.0)
    times = np.arange(1190) / 119.0
    labels = np.array([source.label_at(t) for t in times])
    assert [label for i, label in enumerate(labels) if i == 0 or labels[i - 1] != label][:4] == [
        "circle", "rest", "punch", "rest"]  # fmt: skip
    rates = np.abs(source.read(times)[:, 3:] / 16.384).max(axis=1)
    assert np.percentile(rates[labels == "rest"], 95) < np.percentile(rates[labels != "rest"], 60)
    # In the middle of a rest, about 1 g whatever way the board is held.
    values = source.read(np.arange(int(2.0 * 119), int(2.2 * 119)) / 119.0)[:, :3] / 8192
    assert np.linalg.norm(values, axis=1) == pytest.approx(1.0, abs=0.15)


def test_generator_refuses_unknown_movements():
    with pytest.raises(DataError, match="no synthetic movement 'dance'"):
        Generator("dance")


def test_source_is_switched_while_running():
    with Probe() as probe:
        probe.board.source = Replay(recording([[0.5, 0, 0, 0, 0, 0]] * 10), loop=True)
        assert probe.samples(200)["value"][-1][0] == 4096
        probe.board.source = Replay(recording([[-0.5, 0, 0, 0, 0, 0]] * 10, label="down"), loop=True, gap_s=0)
        assert probe.samples(200)["value"][-1][0] == -4096
        assert probe.board.doing == "down"
