"""A stream: samples of one sensor, kept as they come, for any number of readers."""

from __future__ import annotations

import numpy as np

from . import messages as m
from .account import StreamStats
from .samples import Ring, Samples
from .sensor import Sensor

__all__ = ["Ring", "Samples", "Sensor", "Stream", "StreamStats"]

_SILENCE_S = 5.0  # after so long without a sample, say why
_SETTLING_S = 20.0  # and for a microphone to settle: 3.5 s by the board's clock
_AWAY_S = 30.0  # but wait so long for a board that was unplugged


class Stream:
    """Samples of one sensor from the moment it was opened; made by ``board.stream``.

    A context manager, and an iterator over ``Samples`` blocks as they come. Several streams of a
    sensor can be open at once. Reading never holds up the port.

    Parameters
    ----------
    sensor : Sensor
    seconds : float, optional
        Iterating ends after so many seconds of the device's clock.
    capacity_s : float
        Seconds of samples that the ring keeps.
    """

    def __init__(self, sensor: Sensor, seconds: float | None = None, capacity_s: float = 120.0):
        self.sensor, self.seconds = sensor, seconds
        self.channels, self.rate_hz = sensor.channels, sensor.rate_hz
        # A little more than asked for, so that a take of that length is whole in the ring.
        capacity_s = max(capacity_s, (seconds or 0) * 1.1 + 1)
        self._ring = sensor.ring(int(capacity_s * self.rate_hz))
        self._account = sensor.account()
        self._cursor = 0
        self._closed = False
        sensor._attach(self)

    def read_new(self, cursor: int = 0, limit: int | None = None) -> tuple[Samples, int]:
        """Samples since ``cursor`` and the next cursor; at once, from any thread (see ``Ring.read_new``)."""
        return self._ring.read_new(cursor, limit)

    def read(self, n: int, timeout: float | None = None) -> Samples:
        """The next ``n`` samples of this stream's own cursor.

        Raises
        ------
        BoardError
            They did not come within ``timeout`` seconds (default: three times their duration + 5 s,
            of sound 12 s).
        """
        timeout = 3 * n / self.rate_hz + _SILENCE_S + self.sensor.patience_s if timeout is None else timeout
        if not self._wait(self._cursor + n, timeout):
            self.sensor._explain_silence(self)
        block, self._cursor = self._ring.read_new(self._cursor, n)
        return block

    @property
    def stats(self) -> StreamStats:
        """Received, lost, duplicated, true rate and jitter so far."""
        with self._ring.changed:
            return self._account.stats()

    @property
    def written(self) -> int:
        """Samples that came so far: the cursor at which ``read_new`` goes on."""
        return self._ring.written

    def time_of(self, device_time_s: float) -> float:
        """The time of its samples, s, at a moment by the board's clock of now, as an answer has it.

        They are the same until the board starts anew: then its clock begins at 0, and a stream's goes on.
        """
        with self._ring.changed:
            return self._account.time_of(round(device_time_s * 1e6)) / 1e6

    @property
    def settling(self) -> bool:
        """Whether it waits for a microphone that was started a moment ago; no reason for a time-out."""
        return self.sensor.settling

    @property
    def closed(self) -> bool:
        """Whether the stream has ended."""
        return self._closed

    def __iter__(self):
        wanted = None if self.seconds is None else round(self.seconds * self.rate_hz)
        start = None
        while True:
            if not self._wait(self._cursor + 1, _SILENCE_S):
                if self._closed:
                    return
                more = self.sensor.patience_s if self.sensor.link.up else _AWAY_S
                if not self._wait(self._cursor + 1, more):
                    self.sensor._explain_silence(self)
            block, self._cursor = self._ring.read_new(self._cursor)
            if not len(block):
                return
            if start is None:
                start = int(block.index[0])
            if wanted is not None:
                keep = int(np.searchsorted(block.index, start + wanted))
                if keep:
                    yield block[:keep]
                if int(block.index[-1]) - start + 1 >= wanted:
                    return
            else:
                yield block

    def close(self) -> None:
        """End the stream; the sensor stops when its last stream ends. What is in the ring stays."""
        if not self._closed:
            self.sensor._detach(self)
            self._end()

    def _end(self) -> None:
        self._closed = True
        self._tell()

    def _tell(self) -> None:
        """Have those who wait look again."""
        with self._ring.changed:
            self._ring.changed.notify_all()

    def _wait(self, cursor: int, timeout: float) -> bool:
        def ended():
            return self._ring.written >= cursor or self._closed

        with self._ring.changed:
            if self.settling:
                self._ring.changed.wait_for(lambda: ended() or not self.settling, _SETTLING_S)
            return self._ring.changed.wait_for(ended, timeout) and self._ring.written >= cursor

    def _take(self, frame: m.SampleFrame | m.AudioFrame) -> None:
        with self._ring.changed:
            self._ring.write(*self._account.accept(frame))

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def __repr__(self) -> str:
        s = self.stats
        state = "ended" if self._closed else "running"
        return (
            f"<Stream {self.sensor.name} {state}: {s.received} samples at {s.rate_hz:.2f} Hz, "
            f"{s.lost} lost, {s.duplicated} duplicated>"
        )
