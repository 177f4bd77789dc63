"""virtual:// as a pyserial port, and what goes wrong with cables and firmware."""

import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import serial
from probe_board import Probe

from tinykit.board.virtual import Faults, VirtualBoard
from tinykit.errors import BoardError, BoardGone, PortBusy


def wait_for(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


@pytest.fixture
def probe():
    with Probe() as probe:
        yield probe


def test_read_returns_what_there_is_after_the_timeout(probe):
    probe.port.timeout = 0.2
    probe.port.write(b"p")
    wait_for(lambda: probe.port.in_waiting == 4)
    start = time.monotonic()
    assert probe.port.read(10) == b"pong"
    assert time.monotonic() - start >= 0.2
    probe.port.timeout = 0
    assert probe.port.read(10) == b""


def test_read_blocks_without_a_timeout_until_all_is_there(probe):
    probe.port.timeout = None
    threading.Timer(0.2, lambda: probe.port.write(b"p")).start()
    assert probe.port.read(4) == b"pong"


def test_cancel_read(probe):
    probe.port.timeout = None
    threading.Timer(0.2, probe.port.cancel_read).start()
    assert probe.port.read(4) == b""
    assert probe.ask("p") == b"pong"  # only that one


def test_waiting_bytes_and_reset(probe):
    probe.port.write(b"p")
    deadline = time.monotonic() + 10
    while probe.port.in_waiting < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert probe.port.in_waiting == 4
    probe.port.reset_input_buffer()
    assert probe.port.in_waiting == 0
    assert probe.port.out_waiting == 0


def test_write_times_out_on_a_board_that_does_not_read(probe):
    probe.port.write(b"h")  # an endless loop
    probe.port.write_timeout = 0.2
    with pytest.raises(serial.SerialTimeoutException):
        probe.port.write(bytes(100_000))


def test_print_speaks_text(probe):
    assert probe.ask("n", size=14) == b"-42 3.142 FF\r\n"


def test_read_until_works_as_on_other_ports(probe):
    probe.port.write(b"n")
    assert probe.port.readline() == b"-42 3.142 FF\r\n"


def test_second_program_finds_the_port_busy(probe):
    with pytest.raises(serial.SerialException, match="busy"):
        serial.serial_for_url(f"virtual://nano33ble/{probe.name}")
    probe.port.close()
    with pytest.raises(serial.PortNotOpenError):
        probe.port.read()
    assert probe.open().is_open
    assert probe.ask("p") == b"pong"


def test_board_keeps_running_between_two_programs(probe):
    probe.number("v")
    seconds = probe.board.seconds
    probe.port.close()
    probe.open()
    assert probe.board.seconds >= seconds > 0
    assert probe.port.machine is probe.board


def test_without_dtr_bytes_are_lost(probe):
    probe.port.dtr = False
    probe.port.timeout = 0.2
    probe.port.write(b"p")
    assert probe.port.read(4) == b""
    probe.port.dtr = True
    assert probe.ask("p") == b"pong"


def test_unplug_and_replug(probe):
    threading.Timer(0.2, probe.board.unplug).start()
    with pytest.raises(serial.SerialException, match="disconnected"):
        probe.port.read(1)
    with pytest.raises(serial.SerialException, match="disconnected"):
        probe.port.write(b"p")
    with pytest.raises(serial.SerialException, match="disconnected"):
        _ = probe.port.in_waiting
    assert probe.port.is_open  # as pyserial has it
    with pytest.raises(serial.SerialException, match="unplugged"):
        probe.open()
    with pytest.raises(BoardError, match="replug"):
        probe.board.power_on()
    probe.board.replug()
    with pytest.raises(serial.PortNotOpenError):
        probe.port.write(b"p")
    probe.open()
    assert probe.ask("p") == b"pong"


def test_reboot_kills_the_open_port_and_starts_time_again(probe):
    probe.samples(500)
    probe.board.reboot()
    seconds = probe.board.seconds  # it stands still while nobody has the port
    with pytest.raises(serial.SerialException, match="disconnected"):
        probe.port.read(1)
    probe.open()
    assert seconds < 4
    assert probe.ask("p") == b"pong"


def test_firmware_restarts_itself(probe):
    probe.samples(200)
    probe.port.write(b"r")
    with pytest.raises(serial.SerialException):
        probe.port.read(1)
    wait_for(lambda: probe.board.state == "running")
    probe.open()
    assert probe.ask("p") == b"pong"
    assert "restarted" in probe.board.log[-1]


@pytest.mark.parametrize(("letter", "reason"), [("!", "told to"), ("x", "WRITE_UNMAPPED")])
def test_firmware_that_gives_up_says_why(probe, letter, reason):
    probe.port.write(letter.encode())
    with pytest.raises(serial.SerialException):
        probe.port.read(1)
    wait_for(lambda: probe.board.state == "crashed")
    assert reason in probe.board.log[-1]
    with pytest.raises(serial.SerialException, match=reason):
        probe.open()
    probe.board.reboot()
    probe.open()
    assert probe.ask("p") == b"pong"


def test_signal_source_that_fails_is_told(probe):
    class Broken:
        duration = None

        def read(self, times_s):
            raise RuntimeError("no signal today")

    probe.board.source = Broken()
    with pytest.raises(serial.SerialException):
        probe.port.write(b"s" + (100_000).to_bytes(4, "little"))
        probe.port.read(20 * 100_000)
        probe.port.read(1)  # the first read gives what came before
    wait_for(lambda: probe.board.state == "crashed")
    assert "no signal today" in probe.board.log[-1]


def test_leds(probe):
    probe.ask("l", size=1)
    assert probe.board.led == 0b0101


@pytest.mark.parametrize("direction", ["to_host", "to_board"])
def test_bytes_are_lost_and_damaged_at_the_given_rate(direction):
    other = {"to_host": "to_board", "to_board": "to_host"}[direction]
    faults = Faults(drop=0.05, corrupt=0.02, seed=3, **{other: False})
    data = bytes(range(256)) * 400
    arrived = faults.on_wire(data, to_host=direction == "to_host")
    assert len(data) - len(arrived) == faults.dropped
    assert faults.dropped == pytest.approx(0.05 * len(data), rel=0.1)
    assert faults.corrupted == pytest.approx(0.02 * 0.95 * len(data), rel=0.1)
    assert faults.on_wire(data, to_host=direction != "to_host") == data
    # In pieces, the same bytes suffer in the same way.
    again = Faults(drop=0.05, corrupt=0.02, seed=3, **{other: False})
    pieces = [data[i : i + n] for i, n in zip(range(0, len(data), 997), [997] * 200, strict=False)]
    assert b"".join(again.on_wire(p, direction == "to_host") for p in pieces) == arrived


def test_corrupted_bytes_always_differ():
    faults = Faults(corrupt=1.0)
    data = bytes(range(256)) * 20
    assert all(a != b for a, b in zip(faults.on_wire(data, True), data, strict=True))


def test_faults_act_on_the_port():
    with Probe() as probe:
        # n counts down; damage goes one way only, so that the command itself arrives
        probe.board.faults.to_board = False
        probe.board.faults.drop = 0.1
        probe.port.timeout = 0.5
        probe.port.write(b"B" + (1000).to_bytes(4, "little"))
        data, deadline = b"", time.monotonic() + 10
        while len(data) + probe.board.faults.dropped < 4000 and time.monotonic() < deadline:
            data += probe.port.read(4000 - len(data) - probe.board.faults.dropped)
        assert len(data) == 4000 - probe.board.faults.dropped
        assert 300 < probe.board.faults.dropped < 500


def test_sensor_jitter_and_death():
    with Probe(faults=Faults(jitter_us=800, seed=1)) as probe:
        samples = probe.samples(1000)
        due = (samples["index"].astype(float) + 1) * 1e6 / 119
        error = samples["time_us"] - due
        assert np.array_equal(np.diff(samples["index"]), np.ones(999))
        assert 700 < np.abs(error).max() <= 801
        assert np.abs(error.mean()) < 60
        probe.board.faults.dead_sensor = True
        probe.port.timeout = 0.3
        probe.port.write(b"s" + (100).to_bytes(4, "little"))
        assert len(probe.port.read(2000)) < 2000
        probe.board.reboot()
        probe.open()
        assert probe.number("v") == 0
        probe.board.faults.dead_sensor = False
        probe.board.reboot()
        probe.open()
        assert probe.number("v") == 1


def test_two_boards_side_by_side():
    with Probe() as one, Probe() as two:
        assert one.board.serial_number != two.board.serial_number
        with ThreadPoolExecutor(2) as pool:
            for samples in pool.map(lambda probe: probe.samples(600), (one, two)):
                assert np.array_equal(np.diff(samples["index"]), np.ones(599))
        assert one.ask("p") == two.ask("p") == b"pong"


def test_names_are_given_free():
    with VirtualBoard("alone", clock="free") as board:
        assert VirtualBoard.get("alone") is board
        with pytest.raises(PortBusy, match="already"):
            VirtualBoard("alone")
        thread = board._thread
    assert not thread.is_alive() and board.state == "closed"
    with pytest.raises(BoardGone):
        VirtualBoard.get("alone")
    board.close()  # twice does no harm


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("virtual://uno", "only virtual board is nano33ble"),
        ("virtual://nano33ble/u?colour=red", "no option colour"),
        ("virtual://nano33ble/u?clock=slow", "clock paced or free|can't have"),
        ("virtual://nano33ble/u?speed=fast", "fast"),
    ],
)
def test_wrong_urls(url, message):
    with pytest.raises(serial.SerialException, match=message):
        serial.serial_for_url(url)
    with pytest.raises(BoardGone):
        VirtualBoard.get("u")


def test_url_makes_a_board_and_finds_it_again(tmp_path):
    flash = tmp_path / "f.flash"
    url = f"virtual://nano33ble/made?flash={flash}&clock=free&source=generator:circle&corrupt=0.5&seed=7"
    with serial.serial_for_url(url, timeout=1) as port:
        board = port.machine
        assert board is VirtualBoard.get("made")
        assert (board.faults.corrupt, board.faults.seed, board.source.labels) == (0.5, 7, ("circle",))
        assert not board.clock.paced
        assert flash.stat().st_size == 0xA0000
    with serial.serial_for_url("virtual://nano33ble/made") as port:
        assert port.machine is board
    with serial.serial_for_url(url) as port:
        assert port.machine is board
    with pytest.raises(serial.SerialException, match="other options"):
        serial.serial_for_url("virtual://nano33ble/made?clock=paced")
    board.close()


def test_program_that_just_ends_leaves_no_thread_behind():
    program = """
        import serial, tinykit.board
        port = serial.serial_for_url("virtual://nano33ble/left?flash=memory", timeout=1)
        port.machine.samples = None
        print("open", port.is_open)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "open True\n", "")


def test_faults_can_be_replaced():
    with Probe() as probe:
        probe.board.faults = Faults(full_flash=True, corrupt=1.0, to_board=False)
        probe.port.write(b"p")
        assert probe.port.read(4) != b"pong"
        assert probe.board.flash.faults.full_flash
        probe.board.faults = Faults()
        assert probe.ask("p") == b"pong"


def test_url_plays_recordings(tmp_path):
    from tinykit.data import Dataset, Recording

    Dataset([Recording(np.full((50, 6), 0.5, np.float32), label="half", person="ada")]).save(tmp_path / "set")
    with serial.serial_for_url(f"virtual://nano33ble/player?flash=memory&source={tmp_path / 'set'}") as port:
        assert port.machine.source.loop and port.machine.source.label_at(0.1) == "half"
        port.machine.close()
    with pytest.raises(serial.SerialException, match="nothing at"):
        serial.serial_for_url(f"virtual://nano33ble/player?flash=memory&source={tmp_path / 'nothing'}")
