"""Plain text end to end, behind a pseudo-terminal: what the Serial Plotter and Edge Impulse's forwarder read."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
import serial
from fake_port import wait_until
from made import Counting
from usb import needs_pty, settled

import tinykit as tk
from tinykit.board import text
from tinykit.board.port import open_port
from tinykit.board.virtual import Faults, Noise
from tinykit.cli import main
from tinykit.errors import BoardError, BoardGone

pytestmark = needs_pty
LONG = 120


def opened(address):
    """As other programs open it."""
    return serial.Serial(address, 115200, timeout=LONG)


def readings(port, n):
    """Whole lines, the first left out: numbers (n, columns)."""
    port.readline()
    lines = [port.readline() for _ in range(n)]
    assert all(line.endswith(b"\r\n") for line in lines)
    return np.array([[float(value) for value in line.decode("ascii").split(",")] for line in lines])


def numbers(values):
    """The numbers of ``Counting``'s samples, out of lines."""
    return np.rint(values[:, 0] * 8192).astype(int)


def forwarder_hertz(port):
    """The frequency as edge-impulse-data-forwarder finds it: lines that come within a second."""
    port.timeout = 0.01
    end, data = time.monotonic() + 1.0, b""
    while time.monotonic() < end:
        data += port.read(max(1, port.in_waiting))
    lines = [line.strip() for line in data.decode().split("\n") if line.strip()]
    if len(lines) < 2:
        return 0, 6
    columns = len(lines[1].split(","))
    assert all(np.isfinite(float(value)) for value in lines[1].split(","))
    whole = [line for line in lines[:1] + lines[-1:] if len(line.split(",")) == columns]
    return len(lines) - 2 + len(whole), columns


@pytest.mark.parametrize("sensor, rate_hz", [("LSM9DS1", 119.0), ("BMI270", 99.8)])
def test_the_forwarder_finds_the_sensors_frequency_by_counting_lines(usb, sensor, rate_hz):
    plugged = settled(usb.plug(sensor=sensor))
    left = tk.connect().text()
    assert (left.rate_hz, left.channels) == (rate_hz, ("aX", "aY", "aZ", "gX", "gY", "gZ"))
    with opened(left.port) as port:
        port.readline()

        def close():
            # It counts by the wall's clock; on a busy computer the board's own may fall behind that.
            began = plugged.machine.seconds
            hertz, columns = forwarder_hertz(port)
            assert columns == 6
            return abs(hertz / (plugged.machine.seconds - began) - rate_hz) < 10  # what it takes for the same

        wait_until(close, LONG)


def test_board_text_leaves_the_port_to_another_program_and_connecting_brings_it_back(usb):
    plugged = settled(usb.plug(source=Counting()))
    board = tk.connect()
    with board.stream("imu"):
        left = board.text()
    assert board.closed and left.port == plugged.address
    assert "Serial Plotter" in repr(left) and "aX,aY,aZ,gX,gY,gZ" in repr(left)
    for _ in range(2):  # it goes on when that program closes the port and opens it again
        with open_port(left.port) as port:
            port.timeout = LONG
            values = readings(port, 60)
        assert values.shape == (60, 6) and (np.diff(numbers(values)) == 1).all()
        wait_until(lambda: not plugged.machine.line.open, LONG)
    with tk.connect() as board, board.stream("imu") as stream:
        assert np.diff(stream.read(50, timeout=LONG).index).tolist() == [1] * 49
        assert board._link.decoder.damaged == 0


def test_text_typed_in_a_serial_monitor(usb):
    plugged = usb.plug(source=Counting())
    with opened(plugged.address) as port:
        port.write(b"text\r\n")
        assert (np.diff(numbers(readings(port, 30))) == 1).all()


def test_the_forwarder_starts_and_stops_a_board_that_is_silent(usb):
    """``edge-impulse-data-forwarder --start-msg``: no tinykit needed at all."""
    plugged = usb.plug(source=Counting())
    with opened(plugged.address) as port:
        port.timeout = 0.5
        assert port.read(1) == b""
        port.timeout = LONG
        port.write(b"AT+STARTDATAFWD\r\n")
        assert (np.diff(numbers(readings(port, 30))) == 1).all()
        port.write(b"AT+STOPDATAFWD\r\n")
        port.timeout = 0.5
        wait_until(lambda: port.read(200) == b"", LONG)


@pytest.mark.parametrize("sensor", ["LSM9DS1", "BMI270"])
def test_environment_and_loudness_as_text(usb, sensor):
    settled(usb.plug(sensor=sensor, source=Noise(-20)))
    with tk.connect() as board:
        reading = next(each for each in board.info.sensors if each.name == "environment")
        left = board.text("environment")
    assert (left.channels, left.rate_hz) == (reading.channels, reading.rate_hz)
    with opened(left.port) as port:
        values = readings(port, 10)
    assert values.shape == (10, len(reading.channels))
    where = dict(zip(left.channels, values.mean(0), strict=True))
    assert -40 < where["temperature"] < 60 and 300 < where["pressure"] < 1100
    with tk.connect() as board:
        left = board.text("mic")
    assert (left.channels, left.rate_hz) == (("rms", "peak"), 100.0)
    with opened(left.port) as port:
        values = readings(port, 100)
    assert values.shape == (100, 2) and (values[:, 1] >= values[:, 0]).all()
    assert np.sqrt((values[:, 0] ** 2).mean()) == pytest.approx(0.1, rel=0.1)  # -20 dB


def test_lines_are_whole_and_in_order_also_for_a_program_that_reads_late(usb):
    """What finds no room waits on the board, up to its memory's four seconds; then whole lines are left out."""
    plugged = settled(usb.plug(source=Counting(), speed=10))
    machine = plugged.machine
    left = tk.connect().text()
    with opened(left.port) as port:
        began = machine.seconds
        wait_until(lambda: machine.seconds > began + 40, LONG)  # 190 kB, where a tenth of that and 72 kB are kept
        assert machine.line.room() == 0
        values = readings(port, 3000)
    assert values.shape == (3000, 6)
    steps = np.diff(numbers(values))
    assert (steps >= 1).all() and steps.max() > 119
    assert np.allclose(values[:, 5], -values[:, 3])  # of one sample, in its own line


def test_a_board_without_that_sensor_says_so(usb):
    settled(usb.plug(faults=Faults(dead_sensor=True)))
    with tk.connect() as board:
        with pytest.raises(BoardError, match="has no sensor 'imu'"):
            board.text()
        assert not board.closed and board.slots


def test_the_board_inside_this_program_has_no_port_for_another():
    with tk.connect("virtual://nano33ble/plain?flash=memory") as board:
        with pytest.raises(BoardError, match="lives inside this program.*tinykit serve --text"):
            board.text()
        assert not board.closed


def test_the_command_prints_lines_and_ends_the_text(usb, capsys):
    plugged = settled(usb.plug())
    assert main(["text", "--board", plugged.address, "--seconds", "0.2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines and all(len([float(value) for value in line.split(",")]) == 6 for line in lines)
    assert main(["text", "--json", "--board", plugged.address, "--seconds", "0.2"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert rows and list(rows[0]) == ["aX", "aY", "aZ", "gX", "gY", "gZ"]
    assert rows[0]["aZ"] == pytest.approx(1, abs=0.1)
    with opened(plugged.address) as port:
        port.timeout = 0.5
        wait_until(lambda: port.read(200) == b"", LONG)


def test_the_command_can_leave_the_board_printing(usb, capsys):
    plugged = settled(usb.plug())
    assert main(["text", "--leave", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["port"] == plugged.address
    with opened(plugged.address) as port:
        assert readings(port, 5).shape == (5, 6)


def test_the_command_into_a_pipe_that_is_closed(usb):
    """``tinykit text | head``: it ends, and the board answers again."""
    with subprocess.Popen(
        [sys.executable, "-m", "tinykit", "text", "--board", f"virtual://nano33ble/pipe-{os.getpid()}?flash=memory"],
        stdout=subprocess.PIPE,
    ) as command:
        assert command.stdout.readline().count(b",") == 5
        command.stdout.close()
        assert command.wait(LONG) == 0


def test_a_board_that_prints_nothing_is_named(usb, monkeypatch):
    plugged = settled(usb.plug())
    with tk.connect() as board:
        port, _ = text.hand_over(board, "imu")
        found = text.lines(port)
        assert next(found).count(",") == 5
        plugged.machine.power_off()
        monkeypatch.setattr(text, "_SILENCE_S", 0.2)  # only now: until the first line it may take longer
        with pytest.raises(BoardError, match="prints nothing.*reset button"):
            list(found)
        text.end(port)


def test_a_cable_that_is_pulled_is_named(usb):
    plugged = settled(usb.plug())
    with tk.connect() as board:
        port, _ = text.hand_over(board, "imu")
        found = text.lines(port)
        assert next(found).count(",") == 5
        plugged.unplug()
        with pytest.raises(BoardGone, match="went away.*Plug it in again"):
            list(found)
        text.end(port)
        assert not port.is_open


def test_the_command_skips_a_line_that_is_damaged(usb, capsys, monkeypatch):
    plugged = settled(usb.plug())
    said = ["1,2,3,4,5,6", "1,2,3", "1,2,x,4,5,6", "", "6,5,4,3,2,1"]
    monkeypatch.setattr(text, "lines", lambda port, seconds: iter(said))
    assert main(["text", "--json", "--board", plugged.address]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [list(row.values()) for row in rows] == [[1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]]


def test_a_sensor_that_dies_is_named(usb):
    plugged = settled(usb.plug())
    with tk.connect() as board:
        port, _ = text.hand_over(board, "imu")
        found = text.lines(port)
        assert next(found).count(",") == 5
        plugged.machine.faults.dead_sensor = True
        with pytest.raises(BoardError, match="The board says: the IMU gives no samples.*reset button"):
            list(found)
        text.end(port)
