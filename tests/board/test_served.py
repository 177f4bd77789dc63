"""``tinykit serve``: the virtual board behind a port for programs that know nothing of tinykit."""

import contextlib
import json
import os
import signal
import subprocess
import sys

import pytest
import serial
from fake_port import wait_until
from test_usb import touch
from usb import needs_pty

from tinykit.board import Board
from tinykit.board import messages as m
from tinykit.board.link import Link
from tinykit.board.virtual import Served, VirtualBoard
from tinykit.cli import main
from tinykit.errors import BoardError

pytestmark = needs_pty
LONG = 120


@pytest.fixture
def machine(request):
    with VirtualBoard(f"served-{os.getpid()}-{request.node.name}") as machine:
        yield machine


def test_another_program_finds_a_whole_board_there(machine, tmp_path):
    link = tmp_path / "nano"
    with Served(machine, link) as served:
        assert served.address == str(link)
        with Board(served.address, remember=False) as board:
            assert board.info.virtual and board.machine is None
            with board.stream("imu") as stream:
                assert len(stream.read(60, timeout=LONG)) == 60
                assert stream.stats.lost == 0
    assert not os.path.lexists(link)


def test_a_restart_takes_the_port_along_and_brings_it_back_under_its_link(machine, tmp_path):
    told = []
    with Served(machine, tmp_path / "nano", changed=told.append) as served:
        with Board(served.address, remember=False) as board, board.stream("imu") as stream:
            stream.read(10, timeout=LONG)
            machine.reboot()
            wait_until(lambda: stream.stats.interruptions == 1, LONG)
            received = stream.stats.received
            wait_until(lambda: stream.stats.received > received, LONG)
        machine.power_off()
        wait_until(lambda: served.address is None, LONG)
        with pytest.raises(BoardError, match="There is no port"):
            Board(str(tmp_path / "nano"))
        machine.power_on()
        wait_until(lambda: served.address is not None, LONG)
        with contextlib.closing(Link(served.address)) as again:
            assert again.request(m.ECHO, b"here") == b"here"
    assert [text.split(",")[0] for text in told].count("The board is gone") == 2


def test_a_1200_baud_touch_restarts_it_and_says_so(machine, tmp_path):
    told = []
    with Served(machine, tmp_path / "nano", changed=told.append) as served:
        touch(served.address)
        wait_until(lambda: any("is back on" in text for text in told), LONG)
        assert "1200 baud" in told[0] and machine.power_cycles == 2


def test_what_is_typed_at_each_start(machine, tmp_path):
    with Served(machine, tmp_path / "nano", typed=b"text\r") as served:
        for _ in range(2):
            with serial.Serial(served.address, 115200, timeout=LONG) as port:
                port.readline()
                assert port.readline().count(b",") == 5
            cycles = machine.power_cycles
            machine.reboot()
            wait_until(lambda cycles=cycles: served.address and served._number == cycles + 1, LONG)


def test_a_name_that_is_taken(machine, tmp_path):
    (tmp_path / "nano").write_text("a file")
    with pytest.raises(BoardError, match=r"nano can't be made: File exists.*another name"):
        Served(machine, tmp_path / "nano")


def test_a_link_that_a_killed_one_left_is_taken_over(machine, tmp_path):
    os.symlink("/dev/pts/none", tmp_path / "nano")
    with Served(machine, tmp_path / "nano") as served:
        with contextlib.closing(Link(served.address)) as link:
            assert link.request(m.ECHO, b"here") == b"here"


def test_the_command_says_the_port_and_serves_until_it_is_stopped(tmp_path):
    words = ["serve", "--json", "--link", str(tmp_path / "nano"), "--board", "virtual://nano33ble?flash=memory"]
    with subprocess.Popen([sys.executable, "-m", "tinykit", *words], stdout=subprocess.PIPE, text=True) as command:
        try:
            said = ""
            while not said.endswith("}\n"):
                line = command.stdout.readline()
                assert line, "the command ended"
                said += line
            assert json.loads(said)["port"] == str(tmp_path / "nano")
            with Board(json.loads(said)["port"], remember=False) as board:
                assert board.info.virtual
        finally:
            command.send_signal(signal.SIGINT)
        assert command.wait(LONG) == 130
    assert not os.path.lexists(tmp_path / "nano")


def test_a_real_board_is_not_served(capsys):
    assert main(["serve", "--board", "/dev/ttyACM0"]) == 1
    assert "is no virtual board" in capsys.readouterr().err
