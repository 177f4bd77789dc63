"""The glue to the real board on this computer, over a core that behaves as its sources say."""

import ctypes
import shutil
import sys
from pathlib import Path

import pytest

from tinykit import toolchain

TINYKIT = toolchain.hardware_dir() / "TinyKit"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="malloc.h is not everywhere.")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("port")
    for name in ("Arduino.h", "USB/PluggableUSBSerial.h", "drivers/FlashIAP.h"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("", encoding="utf-8")  # all is in nano33_on_host.cpp
    shutil.copy(TINYKIT / "examples" / "Board" / "nano33_port.h", folder)
    sources = [Path(__file__).with_name("nano33_on_host.cpp"), TINYKIT / "src" / "tk_schedule.c"]
    return toolchain.host_library(sources, [folder, TINYKIT / "src"], "nano33", ["-Wno-unused-function"])


@pytest.fixture
def port(built, tmp_path):
    """A library of its own for each test: the header's state is static."""
    own = tmp_path / built.name
    own.write_bytes(built.read_bytes())
    library = ctypes.CDLL(str(own))
    library.test_id.restype = ctypes.c_char_p
    library.test_write.restype = ctypes.c_size_t
    library.test_write.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    library.test_program.argtypes = [ctypes.c_uint32, ctypes.c_size_t, ctypes.c_int]
    for name in ("sending", "erase", "program"):
        getattr(library, f"test_{name}").restype = ctypes.c_bool
    for name in ("mic", "mic_time", "imu", "imu_time", "cycles", "code_bytes"):
        getattr(library, f"test_{name}").restype = ctypes.c_uint32
    return library


def test_the_id_is_the_usb_serial_number(port):
    # variant.cpp, getUniqueSerialNumber: DEVICEADDR[1], then DEVICEADDR[0], eight digits each.
    assert port.test_id() == b"FFFF012389ABCDEF"


def test_a_write_never_waits(port):
    data = bytes(range(200))
    port.test_line(True, False)
    assert port.test_write(data, 200) == 63 and port.test_sending()
    assert port.test_write(data, 200) == 0  # the packet is not gone yet
    port.test_line(True, False)
    assert port.test_write(data, 5) == 5 and port.test_sending()
    port.test_line(False, False)
    assert port.test_write(data, 200) == 200 and not port.test_sending()  # nobody listens


@pytest.mark.parametrize("late_us, lost", [(0, 0), (9_000, 0), (15_000, 0), (17_000, 1), (33_000, 2), (85_000, 5)])
def test_buffers_that_nobody_read_are_counted(port, late_us, lost):
    for i in range(50):
        assert port.test_mic(100_000 + 16_000 * i) == 256 * i
        assert port.test_mic_time() == 100_000 + 16_000 * (i - 1)
    at = 100_000 + 16_000 * 50 + late_us
    assert port.test_mic(at) == 256 * (50 + lost)
    for i in range(51 + lost, 80):  # and then in time again, to the buffer
        assert port.test_mic(100_000 + 16_000 * i) == 256 * i


def test_readings_of_the_imu_are_numbered_and_timed(port):
    for i in range(100):
        assert port.test_imu(5000 + 10_016 * i + 3000 * (i % 3 == 1), 1, 10_016) == i  # a loop that is often late
        assert abs(port.test_imu_time() - (5000 + 10_016 * i)) <= 800
    assert port.test_imu(5000 + 10_016 * 109, 1, 10_016) == 109


def test_flash_is_erased_by_the_page_and_failures_are_told(port):
    out = (ctypes.c_uint32 * 3)()
    assert port.test_erase(0x51000, 0) and not port.test_erase(0x51000, -1)
    port.test_flash(out)
    assert list(out) == [0x51000, 4096, 2]
    assert port.test_program(0x51010, 7, 0) and not port.test_program(0x51010, 7, -1)
    port.test_flash(out)
    assert list(out) == [0x51010, 28, 4]


def test_the_cycle_counter_is_switched_on_and_may_wrap(port):
    assert port.test_cycles(2**32 - 10, 90) == 100
    assert port.test_code_bytes() == 0x20000
