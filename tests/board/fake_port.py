"""A device of a few lines behind a pyserial-like port, for what the link must do with bad bytes.

What the real firmware does is tested on the virtual board; this one can be told to misbehave.
"""

import random
import struct
import threading
import time

import numpy as np

from tinykit.board import messages as m
from tinykit.board.frame import Decoder, encode


class FakeBoard:
    """Answers HELLO, INFO, ECHO and streams; ``tamper(bytes) -> bytes`` works on what it sends."""

    def __init__(self, tamper=lambda data: data, ignore=0):
        self.tamper, self.ignore = tamper, ignore
        self.plugged, self.busy, self.requests = True, False, []
        self.booted = time.monotonic()
        self.index = self.seq = self.sent = 0
        self.streaming = False
        self.mic = "on"  # as INFO has it; empty: no microphone, None: a firmware that knows none
        self._out = bytearray()
        self._changed = threading.Condition()
        self._decoder = Decoder()

    def open(self, url="fake"):
        from tinykit.errors import BoardGone, PortBusy

        if self.busy:
            raise PortBusy("busy")
        if not self.plugged:
            raise BoardGone("away")
        return FakePort(self)

    def unplug(self):
        with self._changed:
            self.plugged = False
            self._out.clear()
            self._changed.notify_all()

    def replug(self, rebooted=False):
        if rebooted:
            self.booted, self.index, self.streaming, self.sent = time.monotonic(), 0, False, 0
        self._decoder = Decoder()
        self.plugged = True

    def send(self, data):
        with self._changed:
            if self.plugged:
                self._out += self.tamper(data)
                self._changed.notify_all()

    def sample(self, count=4, skip=0, repeat=False, deliver=True):
        """Sample ``count`` times at 119 Hz and send them in one frame; the data are the index."""
        if repeat:
            self.index -= count
        self.index += skip
        index = np.arange(self.index, self.index + count)
        time_us = (index * 1e6 / 119).astype(np.int64)
        delta = np.diff(time_us, prepend=time_us[0])
        rows = np.repeat(index.astype("<i2")[:, None], 6, axis=1)
        head = struct.pack("<BBBBII", 0, count, 6, 0, int(index[0]), int(time_us[0]) & 0xFFFFFFFF)
        self.index += count
        self.sent += count
        self.seq = (self.seq + 1) & 0xFF
        if deliver:
            self.send(encode(m.SAMPLES, self.seq, head + delta.astype("<u2").tobytes() + rows.tobytes()))

    def hear(self, count=240, skip=0, repeat=False, deliver=True):
        """Send ``count`` samples of sound; each is the low bits of its index."""
        if repeat:
            self.index -= count
        self.index += skip
        index = np.arange(self.index, self.index + count)
        head = struct.pack("<BBHII", 1, 0, count, self.index & 0xFFFFFFFF, int(self.index * 62.5) & 0xFFFFFFFF)
        self.index += count
        self.sent += count
        self.seq = (self.seq + 1) & 0xFF
        if deliver:
            self.send(encode(m.AUDIO, self.seq, head + index.astype(np.int16).tobytes()))

    def receive(self, data):
        for frame in self._decoder.feed(data):
            self.requests.append(frame)
            if self.ignore:
                self.ignore -= 1
                continue
            self.send(self.answer(frame))

    def answer(self, frame):
        uptime = int((time.monotonic() - self.booted) * 1000)
        payload = b""
        if frame.type == m.HELLO:
            payload = struct.pack("<HI", 1, uptime)
        elif frame.type == m.ECHO:
            payload = frame.payload
        elif frame.type == m.INFO:
            payload = b"firmware=0.1.0\nsensors=imu:LSM9DS1:119.0:aX,aY,aZ,gX,gY,gZ:8192:16.384"
            payload += b";mic:MP34DT06:16000.0:audio:32768" if self.mic else b""
            payload += b"\nvirtual=0\n" + (b"mic=%s\n" % self.mic.encode() if self.mic is not None else b"")
        elif frame.type == m.STREAM_START:
            self.streaming, self.sent = True, 0
            payload = struct.pack("<I", 119000)
        elif frame.type == m.STREAM_STOP:
            self.streaming = False
            payload = struct.pack("<II", self.sent, 0)
        else:
            name = b"unknown_request"
            return encode(m.ERROR, frame.seq, struct.pack("<hBBI", -3, frame.type, 0, 7) + name)
        return encode(frame.type | m.REPLY, frame.seq, payload)


class FakePort:
    """What the link uses of pyserial."""

    def __init__(self, board):
        self.board, self.is_open = board, True

    @property
    def in_waiting(self):
        self._check()
        return len(self.board._out)

    def read(self, size=1):
        board = self.board
        with board._changed:
            board._changed.wait_for(lambda: board._out or not board.plugged, 0.05)
            self._check()
            data = bytes(board._out[:size])
            del board._out[:size]
            return data

    def write(self, data):
        self._check()
        self.board.receive(data)
        return len(data)

    def _check(self):
        if not self.board.plugged or not self.is_open:
            raise OSError(5, "Input/output error")

    def close(self):
        self.is_open = False


def corrupt(share, seed=0):
    """Replaces this share of the bytes by others."""
    rng = np.random.default_rng(seed)

    def tamper(data):
        bytes_ = np.frombuffer(data, np.uint8).copy()
        hit = rng.random(len(bytes_)) < share
        bytes_[hit] ^= rng.integers(1, 256, hit.sum(), dtype=np.uint8)
        return bytes_.tobytes()

    return tamper


def drop(share, seed=0):
    """Leaves out this share of the bytes."""
    rng = random.Random(seed)
    return lambda data: bytes(b for b in data if rng.random() >= share)


def wait_until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    assert condition()


def settle(link):
    """All that the fake board sent before has been read: replies come in order."""
    assert link.request(m.ECHO, b"barrier") == b"barrier"
