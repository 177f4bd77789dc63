"""tk_schedule: readings that a driver neither counts nor times, against a sensor that knows."""

import ctypes
import random

import numpy as np
import pytest

from tinykit import toolchain

SRC = toolchain.hardware_dir() / "TinyKit" / "src"


class Schedule(ctypes.Structure):
    _fields_ = [("begun", ctypes.c_bool), *((name, ctypes.c_uint32) for name in ("index", "time_us", "taken_us"))]


@pytest.fixture(scope="module")
def reading():
    path = toolchain.host_library([SRC / "tk_schedule.c"], [SRC], "schedule")
    function = ctypes.CDLL(str(path)).tk_schedule_reading
    function.argtypes = [ctypes.POINTER(Schedule), *[ctypes.c_uint32] * 3]
    function.restype = None
    return function


def play(reading, period_us, error, kept, polls, start=0):
    """Poll a sensor at times ``polls``: per reading its true number and time, and what is reckoned."""
    true = period_us * (1 + error)
    schedule, taken, rows = Schedule(), 0, []
    for now in polls:
        made = int(now / true)  # reading i is ready at (i + 1) * true
        taken = max(taken, made - kept)
        while taken < made:
            reading(schedule, (start + int(now)) % 2**32, period_us, kept)
            rows.append((taken, (taken + 1) * true, schedule.index, (schedule.time_us - start) % 2**32))
            taken += 1
            now += 300  # each takes as long on the bus
    return np.array(rows)


@pytest.mark.parametrize("error", [0, 0.02, -0.02])
@pytest.mark.parametrize("period_us, kept", [(8403, 32), (10016, 1), (16000, 1)])
@pytest.mark.parametrize("start", [0, 2**32 - 5_000_000])
def test_nothing_is_called_lost_that_was_not(reading, period_us, error, kept, start):
    rng, now, polls = random.Random(3), period_us * 1.0, []
    while now < 60e6:
        polls.append(now)
        now += rng.uniform(200, 4000)
    rows = play(reading, period_us, error, kept, polls, start)
    assert len(rows) > 3000 and np.array_equal(rows[:, 2], np.arange(len(rows)))
    assert np.abs(rows[:, 3] - rows[:, 1]).max() < 5000 and (np.diff(rows[:, 3]) > 0).all()


@pytest.mark.parametrize("period_us, kept, stall_ms, least, most", [
    (10016, 1, 90, 7, 9), (16000, 1, 85, 4, 5), (16000, 1, 26, 0, 1), (8403, 32, 90, 0, 0), (8403, 32, 500, 26, 29),
])  # fmt: skip
def test_what_a_stall_loses_is_counted(reading, period_us, kept, stall_ms, least, most):
    rng, found, wrong = random.Random(4), [], []
    for _ in range(200):
        at = rng.uniform(2e6, 3e6)
        polls = [t for t in np.arange(period_us, 5e6, 500.0) if not at < t < at + 1000 * stall_ms]
        rows = play(reading, period_us, 0.0, kept, polls)
        lost = rows[-1, 0] + 1 - len(rows)
        found.append(lost)
        wrong.append(abs(rows[-1, 2] - rows[-1, 0] + rows[0, 0] - rows[0, 2]))
        assert np.abs(rows[-100:, 3] - rows[-100:, 1]).max() < 1000
    assert least <= min(found) and max(found) <= most
    # A stall that ends as a reading comes: whether that one was before or after, nobody can tell.
    assert max(wrong) <= 1 and np.mean(wrong) < 0.1


@pytest.mark.parametrize("error", [0.01, 0.03, -0.03])
@pytest.mark.parametrize("every_ms", [20, 50, 100])
def test_a_busy_spell_of_a_sensor_that_drifts_is_forgotten(reading, error, every_ms):
    """Layers of a network that take long: some readings wait each time, none is lost, also not afterwards."""
    polls = [*np.arange(8403, 20e6, 1000.0 * every_ms), *np.arange(20e6, 60e6, 1000.0)]
    rows = play(reading, 8403, error, 32, polls)
    assert np.array_equal(rows[:, 2], rows[:, 0]), "nothing was lost"
    calm = rows[rows[:, 1] > 21e6]
    assert np.abs(calm[:, 3] - calm[:, 1]).max() < 5000


def test_a_sensor_that_drifts_and_stalls(reading):
    """A sensor 2 % off: what a stall loses is known to one reading."""
    for error in (-0.02, 0.02):
        polls = [t for t in np.arange(10016, 20e6, 700.0) if t % 3e6 > 90_000]
        rows = play(reading, 10016, error, 1, polls)
        lost = rows[-1, 0] + 1 - len(rows)
        assert lost >= 40 and abs(rows[-1, 2] - rows[-1, 0] + rows[0, 0] - rows[0, 2]) <= 6  # stalls
