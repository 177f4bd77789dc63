"""The inertial sensor of the virtual board: an exact schedule, a FIFO, and a signal source."""

from __future__ import annotations

import struct
from collections import deque

import numpy as np

from ...data import units
from .sources import Still

# Nominal rates in hertz: data sheet of the LSM9DS1; the BMI270 as users measured it.
RATES = {"LSM9DS1": units.RATE_HZ, "BMI270": 99.8}
KINDS = {"LSM9DS1": 1, "BMI270": 2}
FIFO = 32
_BLOCK = 64  # samples made at a time, unless the source is fed while it is felt and wants fewer


class Imu:
    """Samples of a signal source at the sensor's rate, on the device's clock.

    Parameters
    ----------
    kind : str
        ``"LSM9DS1"`` (Rev1 of the board) or ``"BMI270"`` (Rev2).
    source : object
        See ``sources``: ``read(times_s) -> int16 (n, 6)`` and ``duration`` in seconds or None. While
        a source plays that has no ``read``, the board lies still. A source with ``block`` is asked for
        so many samples at a time.
    faults : Faults
    """

    def __init__(self, kind: str, source, faults):
        self.kind, self.rate_hz, self.faults = kind, RATES[kind], faults
        self._set(source)
        self._first = 0  # index of the sample at which the source began
        self.start()

    def start(self) -> None:
        """Power-on: the sensor counts from 0; the source goes on where it was."""
        played = getattr(self, "_next", 0) - self._first
        self._first = -played
        self._next = 0
        self.fifo: deque[bytes] = deque()
        self.lost = 0
        self._block: deque = deque()

    def attach(self, source) -> None:
        """Play another source, from its beginning, from the next sample on."""
        self._set(source)
        self._first = self._next
        self._block.clear()

    def _set(self, source) -> None:
        self.source = source
        self.moves = getattr(source, "read", None) is not None
        self._read = source.read if self.moves else Still().read

    @property
    def played_s(self) -> float:
        """How much of the source was played, in seconds."""
        return (self._next - self._first) / self.rate_hz

    @property
    def finished(self) -> bool:
        """Has a source that moves come to its end?"""
        if not self.moves:
            return False
        duration = self.source.duration
        return duration is not None and self.played_s >= duration

    def next_due_us(self) -> float | None:
        """Device time of the next sample; None when the sensor is dead."""
        if self.faults.dead_sensor:
            return None
        if not self._block:
            self._fetch()
        return self._block[0][0]

    def update(self, now_us: int) -> int:
        """Take every sample that is due; returns how many."""
        if self._block and now_us < self._block[0][0]:
            return 0
        taken = 0
        behind = int(now_us * self.rate_hz / 1e6) - self._next
        if behind > FIFO + _BLOCK and not self.faults.dead_sensor:
            # Nobody will see those that the FIFO drops, so don't make them.
            self.lost += behind - FIFO + len(self.fifo)
            self._next += behind - FIFO
            self.fifo.clear()
            self._block.clear()
        while True:
            due = self.next_due_us()
            if due is None or due > now_us:
                return taken
            time_us, values = self._block.popleft()
            if len(self.fifo) >= FIFO:  # as the sensor does it: the oldest goes
                self.fifo.popleft()
                self.lost += 1
            header = struct.pack("<II", self._next & 0xFFFFFFFF, int(time_us) & 0xFFFFFFFF)
            self.fifo.append(header + values)
            self._next += 1
            taken += 1

    def _fetch(self) -> None:
        """Prepare the next block of ``(time in us, six values)``; the schedule has no drift."""
        size = getattr(self.source, "block", _BLOCK)
        index = np.arange(self._next, self._next + size)
        times = (index + 1) * (1e6 / self.rate_hz)
        jitter = min(self.faults.jitter_us, 0.45e6 / self.rate_hz)
        if jitter:
            rng = np.random.default_rng([self.faults.seed, 2, self._next])
            times = times + rng.uniform(-jitter, jitter, size)
        seconds = times / 1e6 - (self._first + 1) / self.rate_hz
        values = np.ascontiguousarray(self._read(np.maximum(seconds, 0.0)), "<i2")
        self._block.extend((t, v.tobytes()) for t, v in zip(np.ceil(times).tolist(), values, strict=True))
