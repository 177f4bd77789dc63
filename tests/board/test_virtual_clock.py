"""Time on the virtual board: the sensor's schedule, waiting, cycles."""

import threading
import time

import numpy as np
import pytest
from probe_board import Probe

from tinykit.board.virtual import Replay
from tinykit.data.recording import Recording
from tinykit.errors import BoardError


def due_us(index, rate_hz=119.0):
    """Exact schedule: sample i is taken (i + 1) periods after power-on; whole microseconds, up."""
    return np.ceil((np.asarray(index, np.float64) + 1) * (1e6 / rate_hz)).astype(np.int64)


def test_free_schedule_is_exact_and_does_not_drift():
    with Probe() as probe:
        samples = probe.samples(119 * 120)
        assert np.array_equal(np.diff(samples["index"]), np.ones(len(samples) - 1))
        assert np.array_equal(samples["time_us"], due_us(samples["index"]))
        assert probe.board.imu.lost == 0
        assert probe.board.seconds >= 120


def test_bmi270_has_its_own_rate():
    with Probe(sensor="BMI270") as probe:
        assert probe.number("v") == 2
        samples = probe.samples(200)
        assert np.array_equal(samples["time_us"], due_us(samples["index"], 99.8))


def test_paced_takes_as_long_as_on_the_wall():
    start = time.perf_counter()
    with Probe(clock="paced") as probe:
        samples = probe.samples(80)
        took = time.perf_counter() - start
    assert np.array_equal(samples["time_us"], due_us(samples["index"]))
    # It may be late on a busy computer, but it can't have felt so much since power-on in less time.
    assert took >= samples["time_us"][-1] / 1e6 - probe.board.clock.LEAD_US / 1e6
    assert probe.board.clock.slipped_us < 1  # below zero: a busy computer was late by more than it catches up with


def test_paced_speed():
    # 50 s of device time at 50 times the speed take at least a second, less some for what a board
    # may run ahead.
    start = time.perf_counter()
    with Probe(clock="paced", speed=50) as probe:
        samples = probe.samples(5950)
        assert time.perf_counter() - start >= samples["time_us"][-1] / 50e6 - 0.3
    assert np.array_equal(samples["time_us"], due_us(samples["index"]))


def test_paced_board_that_was_held_up_catches_up_without_loss():
    with Probe(clock="paced") as probe:
        probe.samples(3)
        with probe.board.condition:  # as if the computer had had no time for the emulator
            time.sleep(0.6)
        samples = probe.samples(60)
        assert np.array_equal(np.diff(samples["index"]), np.ones(59))
        assert np.array_equal(samples["time_us"], due_us(samples["index"]))
        assert probe.board.imu.lost == 0


def test_idle_board_leaves_the_processor_alone():
    with Probe(clock="paced"):
        time.sleep(0.2)
        used = []
        for _ in range(5):  # the least: the tests' own threads may do something meanwhile
            start = time.process_time()
            time.sleep(0.5)
            used.append(time.process_time() - start)
        assert min(used) < 0.15


def stood_still(board):
    """Device time, once it is the same twice 0.1 s apart: a busy computer first does what is under way."""
    deadline = time.monotonic() + 10
    while True:
        before = board.seconds
        time.sleep(0.1)
        if board.seconds == before or time.monotonic() > deadline:
            return before


def test_free_board_stands_still_when_nobody_is_there():
    with Probe() as probe:
        probe.samples(10)
        probe.port.close()
        before = stood_still(probe.board)
        time.sleep(0.2)
        assert probe.board.seconds == before


def test_free_board_stands_still_at_the_end_of_a_source():
    rows = np.arange(119)[:, None] * np.array([[1, 0, 0, 0, 0, 0]]) / 8192
    with Probe() as probe:
        probe.board.source = Replay(Recording(rows.astype(np.float32)))
        samples = probe.samples(100)
        deadline = time.monotonic() + 20
        while not probe.board.finished and time.monotonic() < deadline:
            time.sleep(0.01)
        before = stood_still(probe.board)
        time.sleep(0.1)
        assert probe.board.finished and probe.board.seconds - before < 0.001
        assert np.all(np.diff(samples["value"][:, 0]) >= 0)
        assert probe.ask("p") == b"pong"  # but it answers


def test_delay_passes_exactly_its_time():
    with Probe() as probe:
        assert 2_500_000 <= probe.number("d", 2500) < 2_500_010  # and a few cycles


def test_clock_registers_beyond_32_bits():
    with Probe() as probe, probe.board.hold():
        probe.board.clock.pass_us(5 * 2**32)
        now = 5 * 2**32 // 1000
        assert 0 <= probe.number("m") - now % 2**32 < 1000


def test_cycles_are_those_of_the_loop_and_make_time_pass():
    with Probe() as probe, probe.board.hold():
        base = probe.number("c", 0)
        # nop, subs, taken branch: 1 + 1 + 3, or with cmp or a second counter a bit more
        per_turn = (probe.number("c", 20_000) - probe.number("c", 10_000)) / 10_000
        assert per_turn in (5.0, 6.0)
        before = probe.number("t")
        cycles = probe.number("c", 1_000_000)
        passed = probe.number("t") - before
        assert base < 100
        assert cycles / 64 <= passed < cycles / 64 + 100


def test_held_time_advances_by_what_is_asked():
    with Probe() as probe, probe.board.hold():
        before = probe.board.imu._next
        start = probe.board.seconds
        for _ in range(10):
            probe.board.advance(0.5)
        taken = probe.board.imu._next - before
        end = probe.board.seconds
        assert end == pytest.approx(start + 5.0, abs=0.009)
        assert taken == int(end * 119 + 1e-6) - int(start * 119 + 1e-6)


def test_slow_host_stops_a_free_board_instead_of_losing_bytes():
    with Probe() as probe:
        probe.port.write(b"s" + (2000).to_bytes(4, "little"))
        time.sleep(0.3)
        assert probe.port.in_waiting <= 4096
        data = probe.port.read(2000 * 20)
        index = np.frombuffer(data, np.uint8).reshape(2000, 20)[:, :4].copy().view("<u4").ravel()
        assert np.array_equal(np.diff(index), np.ones(1999))


def test_program_that_does_not_read_does_not_lose_bytes_either():
    with Probe() as probe:
        probe.port.write(b"B" + (5000).to_bytes(4, "little"))
        time.sleep(0.1)
        data = np.frombuffer(probe.port.read(20000), "<u4")
        assert np.array_equal(data, np.arange(4999, -1, -1))


def test_endless_loop_can_be_stopped():
    with Probe() as probe:
        probe.port.write(b"h")
        time.sleep(0.1)
        done = threading.Thread(target=probe.board.reboot)
        done.start()
        done.join(20)
        assert not done.is_alive()
        probe.open()
        assert probe.ask("p") == b"pong"


@pytest.mark.parametrize("options", [{"clock": "slow"}, {"speed": 0}, {"sensor": "MPU6050"}])
def test_wrong_options_are_refused(options):
    with pytest.raises(BoardError, match="Choose clock paced or free"):
        Probe(**options)


def test_overrun_is_a_gap_of_the_index():
    with Probe() as probe:
        first = probe.samples(5)
        probe.number("d", 1000)  # a busy firmware: the FIFO holds 32 samples
        probe.number("d", 10_000)
        second = probe.samples(100)
        gap = second["index"][0] - first["index"][-1] - 1
        # The firmware drops samples too, before and between, but the FIFO lost those of both delays.
        assert gap > 1000
        assert probe.board.imu.lost == pytest.approx(11 * 119 - 2 * 32, abs=2)
        assert np.array_equal(np.diff(second["index"]), np.ones(99))
        assert np.array_equal(second["time_us"], due_us(second["index"]))


def test_paced_time_can_not_be_held():
    with Probe(clock="paced") as probe, pytest.raises(BoardError, match="clock='free'"):
        with probe.board.hold():
            pass
