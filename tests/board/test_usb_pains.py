"""What hurts on a real board, on the virtual one behind a pseudo-terminal, with pyserial: packets, a host that
does not read, a port that nobody has open, a microphone that stops, rates that are not what was asked."""

import contextlib
import itertools
import os
import struct

import numpy as np
import pytest
import serial
from fake_port import wait_until
from made import Counting
from probe_board import probe_image
from usb import needs_pty, settled

import tinykit as tk
from tinykit.board import messages as m
from tinykit.board.frame import Decoder, encode
from tinykit.board.link import Link
from tinykit.board.virtual import Noise, Served, VirtualBoard
from tinykit.errors import DeviceError

pytestmark = needs_pty
LONG = 120
_NUMBERS = itertools.count()


def opened(address):
    return serial.Serial(address, 115200, timeout=LONG)


@contextlib.contextmanager
def probe(**options):
    """A plain sketch, which sends with Serial.write, behind a port."""
    name = f"pains-{os.getpid()}-{next(_NUMBERS)}"
    with VirtualBoard(name, image=probe_image(), **options) as machine, Served(machine) as served:
        yield machine, served


class Frames:
    """What comes over an open port, as frames; and requests to it."""

    def __init__(self, port):
        self.port, self._decoder, self._numbers = port, Decoder(), itertools.count(1)
        self.events: list = []

    def ask(self, type, payload=b""):
        seq = next(self._numbers) & 0xFF
        self.port.write(encode(type, seq, payload))
        while True:
            for frame in self.more():
                if frame.type & 0x80 and frame.seq == seq:
                    assert frame.type == type | m.REPLY, frame
                    return frame.payload

    def more(self):
        data = self.port.read(max(1, self.port.in_waiting))
        assert data, "the board fell silent"
        frames = self._decoder.feed(data)
        self.events += [frame for frame in frames if not frame.type & 0x80]
        return frames

    def samples(self):
        return [m.parse_samples(frame.payload) for frame in self.events if frame.type == m.SAMPLES]

    def wait_for(self, condition):
        while not condition():
            self.more()


def test_a_sketch_that_writes_waits_for_a_host_that_does_not_read():
    """And misses its sensor meanwhile, as on the real board; nothing that it wrote is lost."""
    n = 50_000  # four bytes each: more than the computer's own buffers hold
    with probe() as (machine, served), opened(served.address) as port:
        port.write(b"B" + struct.pack("<I", n))
        wait_until(lambda: machine.imu.lost > 100, LONG)  # its loop() stands in Serial.write
        assert np.frombuffer(port.read(4 * n), "<u4").tolist() == list(range(n))[::-1]
        port.write(b"p")
        assert port.read(4) == b"pong"


def test_closing_the_port_frees_a_sketch_that_waits_and_what_it_writes_then_is_lost():
    n = 50_000
    with probe() as (machine, served):
        with opened(served.address) as port:
            port.write(b"B" + struct.pack("<I", n))
            wait_until(lambda: machine.imu.lost > 100, LONG)
        # Its loop() runs again when it has taken what its sensor kept.
        wait_until(lambda: not machine.line.open and len(machine.imu.fifo) < 8, LONG)
        with opened(served.address) as port:
            port.write(b"p")
            assert port.read(4) == b"pong"  # and nothing else before it


def test_a_full_packet_of_64_bytes_waits_for_another():
    """What a sketch writes with Serial.write may lie on the way until it writes more."""
    with probe() as (machine, served), opened(served.address) as port:
        port.write(b"R" + struct.pack("<II", 0x10000, 64))
        port.timeout = 0.5
        assert port.read(64) == b""
        port.timeout = LONG
        port.write(b"p")
        sent = port.read(68)
        assert sent[64:] == b"pong"
        port.write(b"R" + struct.pack("<II", 0x10000, 128))
        assert port.read(128)[:64] == sent[:64]


def test_the_firmware_sends_shorter_packets_so_that_none_waits(usb):
    plugged = settled(usb.plug())
    written = []
    line = plugged.machine.line
    send = line.board_write
    line.board_write = lambda data, wanted: (written.append(len(data)), send(data, wanted))
    with tk.connect() as board:
        for size in (*range(40, 70), 105, 169, 512):  # replies of 64 and 128 bytes are among them
            assert board._link.request(m.ECHO, bytes([7]) * size) == bytes([7]) * size
    assert max(written) == 63


def test_sound_comes_whole_in_such_packets(usb):
    plugged = settled(usb.plug(source=Noise(-20)))
    with tk.connect() as board, board.stream("mic") as stream:
        sound = stream.read(16000, timeout=LONG)
        assert np.diff(sound.index).tolist() == [1] * 15999
        assert stream.stats.lost == 0 and board._link.decoder.damaged == 0
        assert np.abs(sound.counts).max() > 0
    assert plugged.machine.mic.overruns == 0


def test_the_firmware_never_waits_for_a_host_that_does_not_read(usb):
    """It goes on sampling, and what its memory could not keep is counted, sample by sample."""
    plugged = usb.plug(source=Counting(), speed=10)
    machine = plugged.machine
    with opened(plugged.address) as port:
        frames = Frames(port)
        frames.ask(m.STREAM_START, struct.pack("<BBHI", 0, 4, 0, 0))
        frames.wait_for(frames.samples)
        # 120 kB: more than the computer's buffers and the four seconds of its own memory hold.
        began = machine.seconds
        wait_until(lambda: machine.seconds > began + 50, LONG)
        assert machine.line.room() == 0 and machine.imu.lost == 0 and machine.state == "running"
        frames.wait_for(lambda: any(block.flags & 1 for block in frames.samples()))
        sent, overwritten = struct.unpack("<II", frames.ask(m.STREAM_STOP, b"\0"))
        got = frames.samples()
    assert overwritten > 100
    assert sum(len(block.counts) for block in got) == sent
    assert got[-1].index + len(got[-1].counts) - got[0].index == sent + overwritten


def test_what_is_sent_while_nobody_has_the_port_open_is_gone(usb):
    plugged = usb.plug(speed=10)
    machine = plugged.machine
    with opened(plugged.address) as port:
        frames = Frames(port)
        frames.ask(m.STREAM_START, struct.pack("<BBHI", 0, 1, 0, 0))
        frames.wait_for(frames.samples)
        before = frames.samples()[-1]
    wait_until(lambda: not machine.line.open, LONG)
    closed = machine.seconds
    wait_until(lambda: machine.seconds > closed + 1, LONG)
    assert machine.line.tx == b""
    with opened(plugged.address) as port:
        frames = Frames(port)
        frames.wait_for(lambda: len(frames.samples()) > 10)
        after = frames.samples()
    # The sensor's own numbers show how many: all of a second, at least.
    assert after[0].index - before.index > 119
    assert [block.index for block in after] == list(range(after[0].index, after[0].index + len(after)))


@pytest.mark.parametrize("sensor, rate_hz", [("LSM9DS1", 119.0), ("BMI270", 99.8)])
def test_the_rate_is_the_sensors_own_whatever_was_asked(usb, sensor, rate_hz):
    plugged = settled(usb.plug(sensor=sensor))
    with tk.connect() as board:
        imu = next(each for each in board.info.sensors if each.name == "imu")
        assert (imu.part, imu.rate_hz) == (sensor, rate_hz)
        with pytest.raises(DeviceError) as caught:
            board._link.request(m.STREAM_START, struct.pack("<BBHI", 0, 4, 0, 100_000))
        assert (caught.value.name, caught.value.detail) == ("bad_rate", round(rate_hz * 1000))
        with board.stream("imu") as stream:
            stream.read(240, timeout=LONG)
            stats = stream.stats
    assert stats.lost == 0 and stats.rate_hz == pytest.approx(rate_hz, abs=0.05)
    assert plugged.machine.imu.lost == 0


def test_a_sketch_that_leaves_a_buffer_unread_has_no_sound_any_more():
    """The driver stops without a word; only a new start helps."""
    with probe() as (machine, served), opened(served.address) as port:

        def ask(letter, *numbers):
            port.write(letter + struct.pack(f"<{len(numbers)}I", *numbers))
            return struct.unpack("<I", port.read(4))[0]

        assert ask(b"k", 16000) == 1
        wait_until(lambda: ask(b"i") > 3, LONG)
        ask(b"L", 1)  # its callback reads nothing, once
        wait_until(lambda: not machine.mic.on, LONG)
        stopped, seconds = ask(b"i"), machine.seconds
        wait_until(lambda: machine.seconds > seconds + 1, LONG)
        assert ask(b"i") == stopped and machine.mic.overruns == 1
        assert ask(b"k", 16000) == 1
        wait_until(lambda: ask(b"i") > stopped + 3, LONG)


def test_the_firmware_starts_a_microphone_again_that_stopped_and_says_what_was_lost(usb):
    plugged = settled(usb.plug(source=Noise(-20)))
    machine = plugged.machine
    with tk.connect() as board, board.stream("mic") as stream:
        before = stream.read(1600, timeout=LONG)
        with machine.condition:
            machine.mic.on = False  # as its driver does on an overrun
        after = stream.read(4800, timeout=LONG)
        wait_until(lambda: any("had stopped" in event.text for event in board.log.of("log")), LONG)
        stats = stream.stats
        assert stats.interruptions == 0 and board._link.counters.reconnects == 0
    indices = np.concatenate([before.index, after.index])
    steps = np.diff(indices)
    assert (steps >= 1).all() and (steps > 1).sum() == 1
    # Half a second of silence until it is noticed, and 3.5 s to settle, at least.
    assert stats.lost == steps.max() - 1 > 4 * 16000


def test_a_link_over_the_pseudo_terminal_survives_a_noisy_cable(usb):
    plugged = settled(usb.plug())
    plugged.machine.faults.corrupt = 0.0005
    with contextlib.closing(Link(plugged.address)) as link:
        for n in range(40):
            assert link.request(m.ECHO, bytes([n]) * 200) == bytes([n]) * 200
        assert plugged.machine.faults.corrupted > 0
