"""Samples as they arrive: a ring of the latest, and an account of every one that did not."""

from __future__ import annotations

import struct
import threading
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..data import units
from ..errors import BoardError, DeviceError
from . import messages as m
from .log import EventLog

_SILENCE_S = 5.0  # after so long without a sample, say why
_AWAY_S = 30.0  # but wait so long for a board that was unplugged


class Samples(NamedTuple):
    """A block of samples in the order of their indices.

    ``index`` int64 (n,): running number from the sensor, a gap means lost samples. ``time_s``
    float64 (n,): the device's clock. ``counts`` int16 (n, c). ``channels``: the c names.
    """

    index: np.ndarray
    time_s: np.ndarray
    counts: np.ndarray
    channels: tuple[str, ...]

    @property
    def values(self) -> np.ndarray:
        """float32 (n, c) in g and deg/s."""
        return units.to_units(self.counts, self.channels)

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True)
class StreamStats:
    """What came and what did not, since the stream was opened; all measured unless said otherwise.

    Parameters
    ----------
    received : int
        Samples accepted, each once.
    lost : int
        Samples that the sensor numbered and that never came.
    duplicated : int
        Samples that came again and were dropped.
    lost_estimated : int
        Estimated from the time away, while the board had no power and numbered nothing.
    interruptions : int
        Times the board was gone.
    rate_hz : float
        True rate by the device's clock; NaN before the second sample.
    jitter_ms : float
        Standard deviation of the time from one sample to the next.
    seconds : float
        Device time from the first to the last sample, gaps included.
    """

    received: int = 0
    lost: int = 0
    duplicated: int = 0
    lost_estimated: int = 0
    interruptions: int = 0
    rate_hz: float = float("nan")
    jitter_ms: float = 0.0
    seconds: float = 0.0


class Account:
    """Puts frames in order: unwraps 32-bit indices and times, counts gaps and repeats.

    Not thread-safe; its owner holds a lock.
    """

    def __init__(self):
        self.received = self.lost = self.duplicated = 0
        self.lost_estimated = self.interruptions = 0
        self._next: int | None = None  # index expected next, unwrapped
        self._time = 0  # time of the last sample, microseconds, unwrapped
        self._index_base = self._time_base = 0  # added to the device's own; move when it starts anew
        self._anew = True  # whether the next frame sets the bases
        self._steps = self._span_us = 0  # over all pairs of neighbours, gaps included
        self._n = 0  # neighbours without a gap, for the jitter
        self._mean = self._m2 = 0.0

    def accept(self, frame: m.SampleFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Take a frame; returns index, time in microseconds and counts of what is new in it."""
        times = np.cumsum(frame.delta_us)
        times -= times[0]
        n = len(times)
        if self._anew:
            self._anew = False
            first = frame.index if self._next is None else self._next
            start = frame.time_us if self._next is None else self._time
            self._index_base, self._time_base = first - frame.index, start - frame.time_us
            self._next, self._time = first, start
            self._steps -= 1  # the first sample has no neighbour before it
            neighbours = np.diff(times)
        else:
            first = self._next + _signed32(frame.index + self._index_base - self._next)
            start = self._time + _signed32(frame.time_us + self._time_base - self._time)
            neighbours = np.diff(times, prepend=self._time - start)
        gap = first - self._next
        repeated = min(n, max(0, -gap))
        self.duplicated += repeated
        if repeated == n:
            return np.empty(0, np.int64), times[:0], frame.counts[:0]
        times += start
        self.lost += max(0, gap)
        self.received += n - repeated
        self._steps += first + n - self._next
        self._span_us += int(times[-1]) - self._time
        # A step over a gap or out of a repeat is not the time between neighbours.
        self._spread(neighbours if gap == 0 else neighbours[len(neighbours) - (n - repeated - 1) :])
        self._next, self._time = first + n, int(times[-1])
        return np.arange(first + repeated, first + n, dtype=np.int64), times[repeated:], frame.counts[repeated:]

    def restart(self, lost_estimated: int, seconds: float) -> None:
        """The device counts from 0 again; indices and times go on after the estimated loss."""
        self.lost_estimated += lost_estimated
        self._anew = True
        if self._next is not None:
            self._next += lost_estimated
            self._time += round(seconds * 1e6)

    def stats(self) -> StreamStats:
        """The account so far."""
        rate = self._steps / self._span_us * 1e6 if self._span_us > 0 else float("nan")
        jitter = (self._m2 / self._n) ** 0.5 / 1000 if self._n else 0.0
        return StreamStats(
            self.received, self.lost, self.duplicated, self.lost_estimated, self.interruptions,
            rate, jitter, self._span_us / 1e6,
        )  # fmt: skip

    def _spread(self, intervals: np.ndarray) -> None:
        # Running variance of a block joined to what came before (Chan, Golub and LeVeque 1979).
        n = len(intervals)
        if not n:
            return
        mean = float(intervals.mean())
        m2 = float(((intervals - mean) ** 2).sum())
        total = self._n + n
        delta = mean - self._mean
        self._m2 += m2 + delta * delta * self._n * n / total
        self._mean += delta * n / total
        self._n = total


def _signed32(difference: int) -> int:
    return (difference + 0x80000000) % 0x100000000 - 0x80000000


class Ring:
    """The latest ``capacity`` samples, written by one thread, read by any."""

    def __init__(self, capacity: int, channels: tuple[str, ...]):
        self.channels = channels
        self._index = np.zeros(capacity, np.int64)
        self._time_us = np.zeros(capacity, np.int64)
        self._counts = np.zeros((capacity, len(channels)), np.int16)
        self._written = 0
        self.changed = threading.Condition()

    @property
    def written(self) -> int:
        """Samples ever written: the cursor of the next one."""
        return self._written

    def write(self, index: np.ndarray, time_us: np.ndarray, counts: np.ndarray) -> None:
        """Append; the oldest make room."""
        capacity = len(self._index)
        index, time_us, counts = index[-capacity:], time_us[-capacity:], counts[-capacity:]
        with self.changed:
            at = (self._written + np.arange(len(index))) % capacity
            self._index[at], self._time_us[at], self._counts[at] = index, time_us, counts
            self._written += len(index)
            self.changed.notify_all()

    def read_new(self, cursor: int = 0, limit: int | None = None) -> tuple[Samples, int]:
        """Samples written since ``cursor``, oldest first, and the cursor for the next call.

        A reader that falls behind by more than the capacity goes on with the oldest still here.
        """
        with self.changed:
            capacity = len(self._index)
            first = max(cursor, self._written - capacity)
            last = self._written if limit is None else min(self._written, first + limit)
            at = np.arange(first, last) % capacity
            block = Samples(self._index[at], self._time_us[at] / 1e6, self._counts[at], self.channels)
            return block, last


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
        self._ring = Ring(int(capacity_s * self.rate_hz), self.channels)
        self._account = Account()
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
            They did not come within ``timeout`` seconds (default: three times their duration + 5 s).
        """
        timeout = 3 * n / self.rate_hz + 5 if timeout is None else timeout
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
                if self.sensor.link.up or not self._wait(self._cursor + 1, _AWAY_S):
                    self.sensor._explain_silence(self)
            block, self._cursor = self._ring.read_new(self._cursor)
            if not len(block):
                return
            if start is None:
                start = int(block.index[0])
            if wanted is not None:
                keep = int(np.searchsorted(block.index, start + wanted))
                if keep:
                    yield Samples(block.index[:keep], block.time_s[:keep], block.counts[:keep], block.channels)
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
        with self._ring.changed:
            self._ring.changed.notify_all()

    def _wait(self, cursor: int, timeout: float) -> bool:
        with self._ring.changed:
            return (
                self._ring.changed.wait_for(lambda: self._ring.written >= cursor or self._closed, timeout)
                and self._ring.written >= cursor
            )

    def _take(self, frame: m.SampleFrame) -> None:
        with self._ring.changed:
            accepted = self._account.accept(frame)
            if len(accepted[0]):
                self._ring.write(*accepted)

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


class Sensor:
    """One sensor of a board: starts when its first stream opens, stops when the last one closes.

    Parameters
    ----------
    link : Link
    number : int
        As in the messages (0: IMU).
    name, rate_hz, channels
        As the board's INFO states them.
    log : EventLog
        Losses while the board was away are written here.
    """

    def __init__(self, link, number: int, name: str, rate_hz: float, channels: tuple[str, ...], log: EventLog):
        self.link, self.number, self.name = link, number, name
        self.rate_hz, self.channels, self.log = rate_hz, channels, log
        # About 30 frames a second: smooth to look at, little overhead.
        self.samples_a_frame = max(1, min(30, round(rate_hz / 30)))
        self._streams: list[Stream] = []
        self._lock = threading.RLock()  # guards the list; never held while a frame is taken
        self._running: Account | None = None
        self._tell_gap = False
        self._dead = False
        link.on(m.SAMPLES, self._on_samples)
        link.on(m.FAULT, self._on_fault)

    def _attach(self, stream: Stream) -> None:
        with self._lock:
            self._streams = [*self._streams, stream]
            if len(self._streams) > 1:
                return
            self._running = Account()
            try:
                self._start()
            except BaseException:
                self._streams = []
                raise

    def _start(self) -> None:
        self.link.request(m.STREAM_START, struct.pack("<BBHI", self.number, self.samples_a_frame, 0, 0))

    def _detach(self, stream: Stream) -> None:
        with self._lock:
            if stream not in self._streams:
                return
            if len(self._streams) == 1:
                self._stop(stream)
            self._streams = [other for other in self._streams if other is not stream]

    def _stop(self, stream: Stream) -> None:
        try:
            payload = self.link.request(m.STREAM_STOP, struct.pack("<B", self.number), tries=3)
        except BoardError as error:
            self.log.add("error", f"The {self.name} stream was not stopped on the board: {error}")
            return
        sent, overruns = struct.unpack_from("<II", payload)
        with stream._ring.changed:
            account, whole = stream._account, self._running
            # Frames lost before the first or after the last one that came leave no gap of the
            # index; the board's own count shows them. Only a stream that saw the whole run can tell.
            if whole is not None and not whole.interruptions and account.received == whole.received:
                missing = sent + overruns - account.received
                if missing > account.lost:
                    account.lost = missing

    def _on_samples(self, frame) -> None:
        samples = m.parse_samples(frame.payload)
        if samples is None or samples.sensor != self.number or samples.counts.shape[1] != len(self.channels):
            return
        self._dead = False
        whole = self._running
        if whole is not None:
            before = whole.lost
            whole.accept(samples)
            if self._tell_gap:
                self._tell_gap = False
                lost = whole.lost - before
                self.log.add("lost", f"{lost} samples of {self.name} were lost while the board was away.")
        for stream in self._streams:
            stream._take(samples)

    def _on_fault(self, frame) -> None:
        if m.parse_fault(frame.payload)[0] == m.STATUS_SENSOR_DEAD:
            self._dead = True

    def _restore(self, rebooted: bool, away: float) -> None:
        """Start again after a reconnection, and say what was lost."""
        with self._lock:
            if not self._streams:
                return
            estimated = round(away * self.rate_hz)
            whole = [self._running] if self._running is not None else []
            for account in [*whole, *(stream._account for stream in self._streams)]:
                account.interruptions += 1
                if rebooted:
                    account.restart(estimated, away)
            if rebooted:
                self.log.add("lost", f"About {estimated} samples of {self.name} (estimated from {away:.1f} s away).")
            else:
                self._tell_gap = True
            self._start()

    def _explain_silence(self, stream: Stream) -> None:
        if stream.closed:
            raise BoardError("The stream was closed.", "Open a new one: board.stream('imu').")
        if self._dead:
            raise DeviceError(
                "sensor_dead",
                f"The {self.name} sensor has stopped giving samples.",
                "Press the board's reset button; if it stays dead, use another board or the virtual one.",
            )
        self.link._wait_until_up(0)  # raises BoardGone when the board is away
        raise BoardError(
            f"No samples of {self.name} arrive, although the board answers.",
            "Press the board's reset button and connect again.",
        )

    def _close(self, stop: bool) -> None:
        """End all; ``stop``: ask the board too."""
        for stream in list(self._streams):
            stream.close() if stop else stream._end()
        self.link.off(m.SAMPLES, self._on_samples)
        self.link.off(m.FAULT, self._on_fault)
