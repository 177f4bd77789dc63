"""The microphone of the virtual board: an exact schedule, buffers, and a signal source.

Behaviour of the Nano's: nRF52840 product specification, section 6.15 (PDM), the PDM library of
Arduino's mbed core, and what users report about its first seconds (ArduinoCore-mbed#674).
"""

from __future__ import annotations

import numpy as np

from ...data import units

KIND = 1  # MP34DT06
RATES = (16_000, 41_667)
SOURCE_HZ = int(units.SOUND_RATE_HZ)
BUFFER, BUFFER_MOST = 256, 4096
GAIN, GAIN_MOST = 20, 80
SETTLE_S = 3.5
_SETTLE_OFFSET, _SETTLE_NOISE = 6000.0, 400.0  # counts at the start


class Mic:
    """Sound of a signal source at the microphone's rate, on the device's clock.

    Sample k of a run is taken (k + 1) / rate seconds after the microphone was started. Samples are
    numbered from its first start since power-on; when it is stopped and started again, the number
    has moved on by the time in between. In the first 3.5 s of a run an offset and noise die away.

    Parameters
    ----------
    source : object
        See ``sound``: ``sound(first, count) -> int16 (count,)`` at 16 kHz. What has no such method
        makes no sound: zeros.
    faults : Faults

    Attributes
    ----------
    on : bool
    full : bool
        A buffer waits to be handed over.
    lost : int
        Samples since power-on that were taken and never handed over, or handed over and never read.
    overruns : int
        How often a buffer was not read before the next.
    """

    def __init__(self, source, faults):
        self.faults, self.source = faults, source
        self._begun_us = 0.0  # when the source began, on the device's clock
        self._now_us = 0
        self.start()

    def start(self) -> None:
        """Power-on: off; the source goes on where it was."""
        self._begun_us -= self._now_us
        self._now_us = 0
        self.on = self.full = False
        self.handler, self.buffer, self.gain = 0, BUFFER, GAIN
        self.lost = self.overruns = 0
        self.index = self.time_us = 0
        self._first_us: int | None = None
        self._left = np.empty(0, "<i2")
        self.rate = RATES[0]

    def attach(self, source, now_us: int) -> None:
        """Play another source, from its beginning, from the next buffer on."""
        self.source = source
        self._begun_us = self._time_of(self._handed) if self.on else now_us
        if self.on:
            self._aim()

    def switch(self, rate: int, now_us: int) -> None:
        """Start at so many samples a second; 0, or a rate that it has not, stops it."""
        self._now_us = now_us
        self.on = rate in RATES and not self.faults.dead_mic
        self.full, self._left = False, np.empty(0, "<i2")
        if not self.on:
            return
        self.rate = rate
        if self._first_us is None:
            self._first_us = now_us
        self._start_us = now_us
        self._base = (now_us - self._first_us) * rate // 1_000_000
        self._run = self.buffer  # samples in a buffer of this run
        self._handed = 0  # samples of this run that were handed over, or lost
        self._due_us = self._due_after(now_us)
        self._aim()

    def _aim(self) -> None:
        # Place in the source of this run's sample 0, in samples of the source.
        self._origin = round((self._start_us - self._begun_us) * SOURCE_HZ / 1e6)
        self._tail = (-9, np.zeros(2, np.int16))

    def _time_of(self, sample: int) -> float:
        """When the interval of a sample of this run begins, us."""
        return self._start_us + sample * 1e6 / self.rate

    @property
    def begin(self) -> int:
        """Index of the sample with which the source began; while the microphone runs at 16 kHz."""
        return (self._base - self._origin) & 0xFFFFFFFF

    def played_s(self, now_us: int) -> float:
        """How much of the source was played, in seconds."""
        until = self._time_of(self._handed) if self.on else now_us
        return max(0.0, (until - self._begun_us) / 1e6)

    def next_due_us(self) -> int | None:
        """When the next buffer will be full; None while the microphone is off."""
        return self._due_us if self.on else None

    def _due_after(self, now_us: int) -> int:
        return -int(-self._time_of(self._full_until(now_us) + self._run) // 1)

    def _full_until(self, now_us: int) -> int:
        """Samples of this run in buffers that are full by now."""
        return int((now_us - self._start_us) * self.rate // 1_000_000) // self._run * self._run

    def update(self, now_us: int) -> int:
        """Notice that a buffer is full; returns 1 when one is that was not full before, else 0."""
        self._now_us = now_us
        if not self.on:
            return 0
        if self.faults.dead_mic:
            self.on = self.full = False
            return 0
        if now_us < self._due_us:
            return 0
        self._due_us = self._due_after(now_us)
        self.full = True
        return 1

    def hand_over(self) -> bool:
        """The interrupt: the last full buffer can be read from now on. False: it stopped instead."""
        self.full = False
        full = self._full_until(self._now_us)
        self.lost += len(self._left)
        if len(self._left):
            self.overruns += 1
            if self.faults.stop_on_overrun:
                self.on, self._left = False, self._left[:0]
                return False
        self.lost += full - self._run - self._handed  # filled up while nobody asked
        first = full - self._run
        self._handed = full
        self._left = self._hear(first, self._run)
        self._next = first
        return True

    @property
    def waiting(self) -> int:
        """Samples that can be read."""
        return len(self._left)

    def pop(self, count: int) -> bytes:
        """At most so many of them; ``index`` and ``time_us`` then are those of the first."""
        taken, self._left = self._left[:count], self._left[count:]
        if len(taken):
            self.index = (self._base + self._next) & 0xFFFFFFFF
            self.time_us = -int(-self._time_of(self._next + 1) // 1) & 0xFFFFFFFF
            self._next += len(taken)
        return taken.tobytes()

    def _hear(self, first: int, count: int) -> np.ndarray:
        """Samples of this run as the microphone gives them: little-endian int16."""
        sound = self._from_source(first, count)
        settling = int(SETTLE_S * self.rate)
        if first >= settling and self.gain == GAIN:
            return sound
        values = sound.astype(np.float64)
        if first < settling:
            left = np.maximum(0.0, 1 - np.arange(first, first + count) / settling) ** 3
            noise = np.random.default_rng([self.faults.seed, 4, self._base, first]).standard_normal(count)
            values += left * (_SETTLE_OFFSET + _SETTLE_NOISE * noise)
        values *= 10 ** ((self.gain - GAIN) / 40)  # half decibels
        return np.clip(np.rint(values), -32768, 32767).astype("<i2")

    def _from_source(self, first: int, count: int) -> np.ndarray:
        listen = getattr(self.source, "sound", None)
        if listen is None:
            return np.zeros(count, "<i2")
        if self.rate == SOURCE_HZ:
            return np.ascontiguousarray(listen(self._origin + first, count), "<i2")
        # Between two samples of the source, the value is on the line between them.
        at = np.arange(first, first + count) * (SOURCE_HZ / self.rate)
        begin, end = int(at[0]), int(at[-1]) + 1
        known, values = self._tail  # a source is not asked twice for the same
        kept = values[begin - known :] if known <= begin <= known + 1 else values[:0]
        new = listen(self._origin + begin + len(kept), end + 1 - begin - len(kept))
        line = np.concatenate([kept, new])
        self._tail = end - 1, line[-2:]
        return np.rint(np.interp(at, np.arange(begin, end + 1), line)).astype("<i2")
