"""Board.ino on this computer: the microphone's queue between interrupt and loop, and the IMU's answers."""

import ctypes
import random
from pathlib import Path

import numpy as np
import pytest

from tinykit import toolchain

HARDWARE = toolchain.hardware_dir()
EMPTY = [
    "Arduino_LSM9DS1.h",
    "Arduino_BMI270_BMM150.h",
    "PDM.h",
    "Wire.h",
    "virtual_port.h",
]  # all is in sketch_on_host.cpp


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sketch")
    for name in EMPTY:
        (folder / name).write_text("", encoding="utf-8")
    # As a header, so that a change of it makes a new library.
    (folder / "Board.h").write_bytes((HARDWARE / "TinyKit" / "examples" / "Board" / "Board.ino").read_bytes())
    source = Path(__file__).with_name("sketch_on_host.cpp")
    return toolchain.host_library([source], [folder, HARDWARE / "TinyKit" / "src"], "sketch")


@pytest.fixture
def sketch(built, tmp_path):
    """A library of its own for each test: the sketch's state is static."""
    own = tmp_path / built.name
    own.write_bytes(built.read_bytes())
    return ctypes.CDLL(str(own))


class Ear:
    def __init__(self, sketch):
        self.sketch, self.made, self.kept = sketch, 0, []
        sketch.test_start()

    def interrupt(self, n=256):
        assert self.sketch.test_interrupt(n) == 0, "what is left unread stops the driver"
        self.made += n

    def read(self, capacity):
        out, index, time = (ctypes.c_int16 * capacity)(), ctypes.c_uint32(), ctypes.c_uint32()
        n = self.sketch.test_read(out, ctypes.c_size_t(capacity), ctypes.byref(index), ctypes.byref(time))
        if n:
            assert abs(time.value - 1_000_000 - index.value * 62.5) <= 1
            numbers = np.arange(index.value, index.value + n)
            assert np.array_equal(np.array(out[:n], np.int16), numbers.astype(np.int16))
            self.kept += numbers.tolist()
        return n


@pytest.mark.parametrize("capacity", [1, 100, 256, 1000])
def test_all_that_the_interrupt_reads_arrives(sketch, capacity):
    ear, rng = Ear(sketch), random.Random(1)
    for _ in range(300):
        for _ in range(rng.randrange(7)):
            ear.interrupt(rng.choice([256, 256, 100, 1]))
        while ear.read(capacity):
            pass
    assert ear.kept == list(range(ear.made)) and ear.made > 100_000


def test_interrupts_at_any_moment_of_reading(sketch):
    ear, rng, before = Ear(sketch), random.Random(2), 0
    for _ in range(5000):
        if before < 6 and rng.random() < 0.4:
            ear.interrupt()
        ear.read(rng.choice([1, 60, 200, 256]))
        before = -(-(ear.made - len(ear.kept)) // 256)
    while ear.read(256):
        pass
    assert ear.kept == list(range(ear.made)) and ear.made > 100_000


def test_a_late_loop_loses_whole_buffers_and_the_index_tells(sketch):
    ear = Ear(sketch)
    for _ in range(20):
        ear.interrupt()
    while ear.read(100):
        pass
    assert ear.kept == list(range(7 * 256))
    ear.interrupt()
    ear.read(256)
    assert ear.kept[7 * 256 :] == list(range(20 * 256, 21 * 256))


def test_a_restart_ends_the_driver_first(sketch):
    sketch.test_start()
    assert (sketch.test_begun(), sketch.test_ended()) == (1, 0)
    sketch.test_start()
    assert (sketch.test_begun(), sketch.test_ended()) == (2, 1)


@pytest.mark.parametrize("revision", [1, 2])
def test_an_imu_that_fails_gives_no_reading(sketch, revision):
    rate = ctypes.c_float(99.84)
    assert sketch.test_imu(revision, 1, rate) == 10
    for failure in (0, -1):
        assert sketch.test_imu(revision, failure, rate) == 0
    assert sketch.test_imu_rate() == 99840


@pytest.mark.parametrize("revision, usual", [(1, 119000), (2, 99840)])
def test_a_rate_that_can_not_be_is_not_believed(sketch, revision, usual):
    for rate in (0.0, float("nan"), -1.0, 1e30, 0.39):
        assert sketch.test_imu(revision, 1, ctypes.c_float(rate)) == 10
        assert sketch.test_imu_rate() == usual


def test_no_imu_is_no_sensor(sketch):
    assert sketch.test_imu(0, 1, ctypes.c_float(119)) == -1
