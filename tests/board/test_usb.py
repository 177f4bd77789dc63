"""The stand-in for USB itself: what tests of uploads and of the doctor lean on."""

import contextlib

import pytest
import serial
from fake_port import FakeBoard, wait_until
from usb import ask, needs_pty, settled

import tinykit as tk
from tinykit.board import messages as m
from tinykit.board.link import Link
from tinykit.errors import BoardError

pytestmark = needs_pty
LONG = 120


def touch(address):
    """As arduino-cli does it: open at 1200 baud, DTR low, close."""
    port = serial.Serial(None, 1200)
    port.dtr = False
    port.port = address
    port.open()
    port.close()


def test_the_real_firmware_is_found_and_answers_over_pyserial(usb):
    plugged = settled(usb.plug())
    assert [port.kind for port in tk.ports()] == ["nano33ble", "virtual"]
    with tk.connect() as board:
        assert board.port == plugged.address and board.machine is None
        assert board.info.id == plugged.serial_number
        with board.stream("imu") as stream:
            samples = stream.read(50, timeout=LONG)
        assert samples.index.tolist() == list(range(samples.index[0], samples.index[0] + 50))


def test_a_touch_leads_to_the_bootloader_and_an_upload_back_under_another_name(usb):
    plugged = usb.plug()
    first = plugged.address
    touch(first)
    assert plugged.touched.wait(LONG)
    second = plugged.address
    assert [(port.address, port.kind) for port in tk.ports()][0] == (second, "bootloader")
    with pytest.raises(BoardError, match="waiting in its bootloader"):
        tk.connect()
    assert ask(usb.socket, do="flash", address=second) == {"address": plugged.address}
    third = plugged.address
    assert len({first, second, third}) == 3 and usb.touches == 1
    entry = ask(usb.socket, do="ports")["ports"][0]
    assert (entry["device"], entry["pid"], entry["serial_number"]) == (third, 0x805A, plugged.serial_number)
    with pytest.raises(BoardError, match="There is no port"):
        tk.connect(first)
    settled(plugged)
    with tk.connect() as board:
        assert board.port == third


def test_a_port_at_another_speed_is_no_touch(usb):
    plugged = usb.plug("fake")
    for baud in (9600, 115200):
        serial.Serial(plugged.address, baud).close()
    with serial.Serial(plugged.address, 115200) as port:
        wait_until(lambda: plugged._terminal.open, LONG)
        assert not plugged._terminal._told
        port.baudrate = 1200  # heard now, and done when the port is closed
        wait_until(lambda: plugged._terminal._told, LONG)
        assert plugged.state == "sketch"
    assert plugged.touched.wait(LONG) and plugged.state == "bootloader"


@pytest.mark.parametrize("stays", [True, False])
def test_a_crashed_sketch_hears_no_touch(usb, stays):
    plugged = usb.plug()
    plugged.crash(stays)
    assert len(usb.comports()) == stays
    if stays:
        terminal = plugged._terminal
        touch(plugged.address)
        wait_until(lambda: terminal._told and not terminal._threads[0].is_alive(), LONG)
        assert plugged.state == "crashed" and usb.touches == 0
    plugged.double_tap()
    assert plugged.state == "bootloader"
    plugged.flash()
    settled(plugged)
    with tk.connect() as board:
        assert board.port == plugged.address


def test_another_sketch_talks_or_is_silent(usb):
    plugged = usb.plug("fake")
    plugged.other_firmware("Hello\r\n")
    with serial.Serial(plugged.address, 115200, timeout=LONG) as port:
        assert port.readline() == b"Hello\r\n"
    plugged.other_firmware(None)
    with serial.Serial(plugged.address, 115200, timeout=0.3) as port:
        port.write(b"anybody?")
        assert port.read() == b""
    touch(plugged.address)
    assert plugged.touched.wait(LONG)
    plugged.flash()
    with contextlib.closing(Link(plugged.address)) as link:
        assert b"firmware=0.1.0" in link.request(m.INFO)


def test_a_pulled_cable_fails_what_is_open_and_hides_the_port(usb):
    plugged = usb.plug("fake")
    address = plugged.address
    with contextlib.closing(serial.Serial(address, 115200, timeout=LONG)) as port:
        plugged.unplug()
        assert usb.comports() == [] and plugged.address is None
        with pytest.raises(OSError):
            while True:
                port.read()
    with pytest.raises(OSError):
        serial.Serial(address)
    plugged.replug()
    assert plugged.address not in (None, address)


def test_other_things_on_the_bus(usb):
    usb.plug("none")
    assert usb.comports() == []
    usb.plug("other")
    usb.plug("micropython")
    assert [port.kind for port in tk.ports()] == ["micropython", "other", "virtual"]


def test_two_boards_have_two_serial_numbers(usb):
    one, two = usb.plug("fake"), usb.plug("fake")
    assert one.serial_number != two.serial_number
    with pytest.raises(BoardError, match="2 boards are plugged in"):
        tk.connect()


def test_what_one_program_did_not_read_is_not_for_the_next(usb):
    plugged = usb.plug("fake")
    fake: FakeBoard = plugged.fake
    with serial.Serial(plugged.address, 115200, timeout=LONG) as port:
        wait_until(lambda: plugged._terminal.open, LONG)
        fake.send(b"for the first")
        assert port.read(3) == b"for"
        wait_until(lambda: port.in_waiting == len(" the first"), LONG)
    wait_until(lambda: not plugged._terminal.open, LONG)
    with serial.Serial(plugged.address, 115200, timeout=LONG) as port:
        wait_until(lambda: plugged._terminal.open, LONG)
        fake.send(b"second")
        assert port.read(6) == b"second"
