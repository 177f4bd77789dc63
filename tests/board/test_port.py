import errno
import os
import sys
from types import SimpleNamespace

import pytest
import serial
from serial.tools import list_ports

import tinykit as tk
from tinykit.board import port as room
from tinykit.errors import BoardError, PortBusy


def usb(device, pid, serial_number="ABC", vid=0x2341):
    return SimpleNamespace(device=device, vid=vid, pid=pid, serial_number=serial_number, description="n/a")


@pytest.fixture
def plugged(monkeypatch):
    entries = []
    monkeypatch.setattr(list_ports, "comports", lambda: entries)
    monkeypatch.delenv("TINYKIT_PORT", raising=False)
    return entries


def test_the_virtual_board_is_always_listed(plugged):
    assert [(p.address, p.kind) for p in tk.ports()] == [("virtual://nano33ble", "virtual")]


def test_what_each_port_is(plugged):
    plugged += [
        usb("COM9", 0x1234, vid=0x0403),
        usb("COM5", 0x805A),
        usb("COM6", 0x005A),
        usb("COM7", 0x015A),
        SimpleNamespace(device="/dev/ttyS0", vid=None, pid=None, serial_number=None, description="ttyS0"),
    ]
    found = tk.ports()
    assert [p.address for p in found] == ["COM5", "COM6", "COM7", "COM9", "virtual://nano33ble"]
    assert [p.kind for p in found] == ["nano33ble", "bootloader", "micropython", "other", "virtual"]
    assert "COM5" in repr(found) and "COM5" in found._repr_html_()
    assert found[0].as_dict()["vid"] == 0x2341


def test_a_board_is_found_again_by_its_serial_number(plugged):
    plugged += [usb("COM5", 0x805A, "one"), usb("COM8", 0x805A, "two"), usb("COM9", 0x005A, "three")]
    assert room.find_port("two") == "COM8"
    assert room.find_port("three") is None  # in its bootloader it speaks another language
    assert room.find_port("four") is None


def test_several_boards_ask_for_a_choice(plugged):
    plugged += [usb("COM5", 0x805A, "one"), usb("COM8", 0x805A, "two")]
    with pytest.raises(BoardError, match=r"2 boards are plugged in: COM5, COM8.*tk.connect\('COM5'\)"):
        tk.connect()


@pytest.mark.parametrize("pid", [0x005A, 0x015A])
def test_a_board_without_the_firmware_is_not_passed_over(plugged, pid):
    plugged.append(usb("COM5", pid))
    with pytest.raises(BoardError, match="the TinyKit firmware does not run on it"):
        tk.connect()


def failing(monkeypatch, error):
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(serial, "serial_for_url", refuse)


def test_linux_permissions_name_the_way_out(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    failing(monkeypatch, serial.SerialException(errno.EACCES, "could not open port: Permission denied"))
    with pytest.raises(BoardError, match="permission denied") as caught:
        room.open_port("/dev/ttyACM0")
    assert "dialout" in caught.value.next and "60-tinykit.rules" in caught.value.next
    assert not isinstance(caught.value, PortBusy)


def test_busy_on_windows(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    text = "could not open port 'COM5': PermissionError(13, 'Access is denied.', None, 5)"
    failing(monkeypatch, serial.SerialException(text))
    with pytest.raises(PortBusy, match="Another program holds COM5"):
        room.open_port("COM5")


def test_absent_on_windows(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    text = "could not open port 'COM5': FileNotFoundError(2, 'The system cannot find the file.', None, 2)"
    failing(monkeypatch, serial.SerialException(text))
    with pytest.raises(BoardError, match="There is no port COM5.*virtual://nano33ble"):
        room.open_port("COM5")


@pytest.mark.skipif(os.name != "posix", reason="Needs a pseudo-terminal.")
def test_a_port_that_another_program_holds():
    master, slave = os.openpty()
    try:
        name = os.ttyname(slave)
        with room.open_port(name):
            with pytest.raises(PortBusy, match="Another program holds"):
                room.open_port(name)
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.skipif(os.name != "posix", reason="A POSIX path.")
def test_a_port_that_is_not_there():
    with pytest.raises(BoardError, match="There is no port /dev/ttyNONE"):
        room.open_port("/dev/ttyNONE")


def test_a_name_that_is_no_port():
    with pytest.raises(BoardError, match="is no port"):
        room.open_port("nonsense://board")


def test_a_real_board_has_no_signal_source(plugged):
    with pytest.raises(BoardError, match="real board"):
        tk.connect("/dev/ttyACM7", source=object())


def test_a_virtual_board_with_an_unknown_option():
    with pytest.raises(BoardError, match="there is no option clck; expected .*clock.*plain virtual://nano33ble"):
        room.open_port("virtual://nano33ble?clck=free")
