"""What the doctor finds on USB, each thing faked at the computer's USB, and told with what to do next."""

import contextlib
import os
import struct
import sys
import threading

import pytest
from test_holder import holding
from usb import needs_pty, settled

import tinykit as tk
from tinykit.board import checkup, rights
from tinykit.board import messages as m
from tinykit.board.frame import encode
from tinykit.board.port import open_port
from tinykit.board.virtual import Faults

pytestmark = needs_pty


def only():
    """The one finding on USB; it says what to do."""
    (finding,) = checkup.on_usb()
    assert finding.next and finding.found
    assert finding.as_dict()["name"] == finding.name
    return finding


def test_no_board_and_no_need_of_one(usb):
    finding = only()
    assert (finding.name, finding.state, finding.picture) == ("no_board", "warn", "double_tap")
    assert "None is needed" in finding.next and "cable" in finding.next and "twice" in finding.next
    usb.plug("other")
    assert "FT232R USB UART" in only().found


def test_a_cable_that_only_charges_is_found_by_plugging_in(usb):
    usb.plug("none")
    assert only().name == "no_board"
    told = []
    finding = checkup.watch(told.append, seconds=0.3)
    assert (finding.name, finding.state) == ("charge_only", "bad")
    assert "another cable" in finding.next and "twice" in finding.next and told


@pytest.mark.parametrize("was_there", [False, True])
def test_a_board_that_appears_is_seen(usb, was_there):
    board = usb.plug("fake")
    if not was_there:
        board.unplug()

    def hand(told):
        plugging = threading.Thread(target=lambda: (board.unplug(), board.replug()))
        plugging.start()

    finding = checkup.watch(hand, seconds=60)
    assert (finding.name, finding.state) == ("appeared", "ok") and board.address in finding.found


def test_two_boards_are_named(usb):
    one, two = usb.plug("bootloader"), usb.plug("bootloader")
    findings = checkup.on_usb()
    assert [f.name for f in findings] == ["several", "bootloader", "bootloader"]
    assert all(b.address in findings[0].found and b.serial_number in findings[0].found for b in (one, two))
    assert f"tk.connect('{one.address}')" in findings[0].next and findings[0].state == "warn"
    assert [f.port for f in findings[1:]] == [one.address, two.address]


def test_the_environment_names_a_port(usb, monkeypatch):
    one, two = usb.plug("bootloader"), usb.plug("bootloader")
    monkeypatch.setenv("TINYKIT_PORT", two.address)
    assert [f.name for f in checkup.on_usb()] == ["bootloader", "bootloader"], "it is said which one"
    two.unplug()
    finding = checkup.on_usb()[0]
    assert (finding.name, finding.state) == ("elsewhere", "warn") and "Correct it" in finding.next
    link = usb.folder / "usb-Arduino_Nano_33_BLE-if00"  # as in /dev/serial/by-id
    link.symlink_to(one.address)
    for there in ("virtual://nano33ble", "", str(link)):
        monkeypatch.setenv("TINYKIT_PORT", there)
        assert [f.name for f in checkup.on_usb()] == ["bootloader"]
    two.replug()
    assert [f.name for f in checkup.on_usb()] == ["bootloader", "bootloader"], "it is said which one"


def test_the_bootloader(usb):
    board = usb.plug("fake")
    board.bootloader()
    finding = only()
    assert (finding.name, finding.state, finding.port) == ("bootloader", "bad", board.address)
    assert "reset button once" in finding.next and "tinykit flash" in finding.next and finding.remedy


def test_micropython(usb):
    usb.plug("micropython")
    finding = only()
    assert (finding.name, finding.picture) == ("micropython", "double_tap")
    assert "twice" in finding.next and finding.remedy


def test_no_right_to_open_the_port(usb, monkeypatch):
    board = usb.plug("fake")
    monkeypatch.setattr(rights, "FOLDER", usb.folder / "rules")
    os.chmod(board.address, 0)
    root = os.geteuid() == 0
    if root:  # for whom modes mean nothing: be nobody for a moment
        os.seteuid(65534)
    try:
        finding = only()
    finally:
        if root:
            os.seteuid(0)
    assert (finding.name, finding.state, finding.port) == ("no_rights", "bad", board.address)
    assert "permission denied" in finding.found
    if sys.platform.startswith("linux"):
        assert "plug the board in again" in finding.next or "log in again" in finding.next


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Only Linux has /proc.")
def test_a_busy_port_and_who_has_it(usb):
    board = usb.plug("fake")
    process = holding(board.address, "ipykernel_launcher", JPY_SESSION_NAME="lessons/03.ipynb")
    try:
        finding = only()
    finally:
        process.communicate()
    assert (finding.name, finding.state) == ("busy", "bad")
    assert "the notebook 03.ipynb" in finding.found and str(process.pid) in finding.found
    assert "Kernel > Shut Down" in finding.next


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Only Linux has /proc.")
@pytest.mark.parametrize("name", ["/opt/tools/bossac", "/usr/bin/arduino-cli"])
def test_an_upload_that_is_under_way_is_left_alone(usb, name):
    """Whoever ends it has a board that is half written."""
    board = usb.plug("fake")
    process = holding(board.address, name=name)
    try:
        finding = only()
    finally:
        process.communicate()
    assert finding.name == "busy" and str(process.pid) in finding.found
    assert "Wait until it has ended" in finding.next and "kill" not in finding.next


def test_a_port_that_this_program_has_open(usb):
    board = usb.plug("fake")
    with contextlib.closing(open_port(board.address)):
        finding = only()
    assert finding.name == "busy"
    if sys.platform.startswith("linux"):
        assert "this program itself" in finding.found and "close()" in finding.next


@pytest.mark.parametrize(("platform", "who"), [("linux", "another user"), ("win32", "another program")])
def test_a_busy_port_of_somebody_who_is_not_seen(usb, monkeypatch, platform, who):
    usb.plug("fake")
    port = tk.ports()[0]
    monkeypatch.setattr(sys, "platform", platform)
    finding = checkup.busy(port, [])
    assert who in finding.found and "serial monitor" in finding.next
    assert ("ModemManager" in finding.next) == (platform == "linux")


@pytest.mark.parametrize("stays", [True, False])
def test_a_crashed_sketch(usb, stays):
    board = usb.plug()
    board.crash(stays)
    finding = only()
    # A port that is gone looks like no board at all: then too the double tap is told and drawn.
    assert finding.name == ("crashed" if stays else "no_board")
    assert finding.picture == "double_tap" and "twice" in finding.next and "in fours" in finding.found + finding.next
    assert finding.remedy
    board.double_tap()
    assert only().name == "bootloader"


def test_another_sketch_is_quoted(usb):
    board = usb.plug("fake")
    board.other_firmware("Failed to initialize IMU!\r\n")
    finding = only()
    assert (finding.name, finding.state) == ("other_firmware", "bad")
    assert "'Failed to initialize IMU!'" in finding.found and f"tinykit flash --port {board.address}" in finding.next
    board.other_firmware("\x01\x02\x03\x04\x05\x06\x07\x7f" * 8)
    assert "unreadable" in only().found
    board.other_firmware(None)
    assert only().name == "crashed"


def test_a_firmware_from_before_this_tinykit(usb):
    board = usb.plug("fake")  # it knows no slots
    finding = only()
    assert (finding.name, finding.state) == ("old_firmware", "bad") and "unknown_request" in finding.found
    answer = board.fake.answer

    def of_another_protocol(frame):
        if frame.type == m.HELLO:
            return encode(frame.type | m.REPLY, frame.seq, struct.pack("<HI", 2, 1))
        return answer(frame)

    board.fake.answer = of_another_protocol
    finding = only()
    assert finding.name == "old_firmware" and "speaks protocol 2" in finding.found

    def that_refuses_this_one(frame):
        if frame.type == m.HELLO:
            return encode(m.ERROR, frame.seq, struct.pack("<II", 2, 1) + b"bad_version")
        return answer(frame)

    board.fake.answer = that_refuses_this_one
    finding = only()
    assert finding.name == "old_firmware" and "bad_version" in finding.found
    assert "tinykit flash" in finding.next and finding.remedy


def test_a_board_that_goes_away_meanwhile(usb):
    board = usb.plug("fake")
    # Its first bytes are its last: the cable is pulled when it is greeted.
    board.fake.receive = lambda data: threading.Thread(target=board.unplug).start()
    finding = only()
    assert (finding.name, finding.state) == ("gone", "bad") and "Plug it in again" in finding.next


def test_a_board_that_falls_silent_meanwhile(usb):
    board = settled(usb.plug(clock="free"))
    with tk.connect() as mine:
        board.machine.faults = Faults(drop=1.0)
        first, _, last = checkup.on_usb()
        board.machine.faults = Faults()
        assert (first.name, last.name, last.state, last.port) == ("answers", "no_answer", "bad", mine.port)
        assert "did not answer" in last.found and "reset button" in last.next


def test_a_whole_board_is_looked_over_and_left_closed(usb):
    board = settled(usb.plug(clock="free", sensor="BMI270"))
    findings = checkup.on_usb()
    assert [f.name for f in findings] == [
        "answers", "firmware", "cable", "imu_rev2", "mic_silent", "environment",
    ]  # fmt: skip
    assert all(f.state == "ok" and not f.next and f.port == board.address for f in findings)
    open_port(board.address).close()
    with tk.connect() as mine:
        findings = checkup.on_usb()  # the board that is open is asked, and stays open
        assert [f.state for f in findings] == ["ok"] * 6 and mine.connected
        assert mine.info.board


def test_a_cable_so_bad_that_nothing_gets_through(usb):
    board = usb.plug("virtual", faults=Faults(drop=0.2))
    finding = only()
    assert finding.name in ("crashed", "other_firmware") and board.address in finding.found
    board.machine.faults = Faults()
    board.replug()
    settled(board)
    assert checkup.on_usb()[0].name == "answers"
