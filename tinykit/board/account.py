"""An account of every sample that a sensor numbered: it came, once or twice, or it was lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import messages as m


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
        True rate by the device's clock; NaN before the second sample (of sound: frame).
    jitter_ms : float
        Standard deviation of the time from one sample to the next; of sound, which has one time a
        frame: of how much earlier or later than an even rate would have it a frame begins after
        the one before.
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
        first, start, gap, repeated, anew = self._place(frame, n)
        if repeated == n:
            return np.empty(0, np.int64), times[:0], frame.counts[:0]
        neighbours = np.diff(times) if anew else np.diff(times, prepend=self._time - start)
        times += start
        self._steps += first + n - self._next - anew  # the first sample has no neighbour before it
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

    def time_of(self, device_us: int) -> int:
        """A moment by the device's clock on this account's own, which goes on when the device starts anew; us."""
        return self._time + _signed32(device_us + self._time_base - self._time)

    def stats(self) -> StreamStats:
        """The account so far."""
        rate = self._steps / self._span_us * 1e6 if self._span_us > 0 else float("nan")
        jitter = (self._m2 / self._n) ** 0.5 / 1000 if self._n else 0.0
        return StreamStats(
            self.received, self.lost, self.duplicated, self.lost_estimated, self.interruptions,
            rate, jitter, self._seconds(),
        )  # fmt: skip

    def _place(self, frame, n: int) -> tuple[int, int, int, int, bool]:
        """Where a frame of ``n`` samples belongs, counting what is missing before it.

        Returns
        -------
        index and time of its first sample, unwrapped; samples between it and the last one (below
        zero: it repeats); how many of it repeat; whether nothing comes before it
        """
        anew = self._anew
        if anew:
            self._anew = False
            first = frame.index if self._next is None else self._next
            start = frame.time_us if self._next is None else self._time
            self._index_base, self._time_base = first - frame.index, start - frame.time_us
            self._next, self._time = first, start
        else:
            first = self._next + _signed32(frame.index + self._index_base - self._next)
            start = self._time + _signed32(frame.time_us + self._time_base - self._time)
        gap = first - self._next
        repeated = min(n, max(0, -gap))
        self.duplicated += repeated
        self.lost += max(0, gap)
        self.received += n - repeated
        return first, start, gap, repeated, anew

    def _seconds(self) -> float:
        return self._span_us / 1e6

    def _spread(self, intervals: np.ndarray) -> None:
        # Running variance of a block joined to what came before (Chan, Golub and LeVeque 1979).
        n = len(intervals)
        if not n:
            return
        mean = float(intervals.mean())
        m2 = float(((intervals - mean) ** 2).sum())
        total = self._n + n
        delta = mean - self._mean
        self._mean += delta * n / total
        self._m2 += m2 + delta**2 * self._n * n / total
        self._n = total


class SoundAccount(Account):
    """The same for sound, where a frame has the time of its first sample only.

    Parameters
    ----------
    rate_hz : float
        Nominal; gives the time of a frame's other samples.
    """

    def __init__(self, rate_hz: float):
        super().__init__()
        self.rate_hz = rate_hz
        self._begin: tuple[int, int] | None = None  # index and time of the last frame's first sample
        self._tail = 0  # samples of the last frame

    def accept(self, frame: m.AudioFrame) -> tuple[int, int, np.ndarray]:
        """Take a frame; returns index and time in microseconds of its first new sample, and the new counts."""
        n = len(frame.counts)
        first, start, gap, repeated, anew = self._place(frame, n)
        fresh = start + round(repeated / self.rate_hz * 1e6)
        if repeated == n:
            return first + n, fresh, frame.counts[:0]
        if not anew and self._begin is not None:
            self._steps += first - self._begin[0]
            self._span_us += start - self._begin[1]
            if gap == 0:
                even = (first - self._begin[0]) / self.rate_hz * 1e6
                self._spread(np.array([start - self._begin[1] - even]))
        self._begin, self._tail = (first, start), n
        self._next, self._time = first + n, start + round(n / self.rate_hz * 1e6)
        return first + repeated, fresh, frame.counts[repeated:]

    def _seconds(self) -> float:
        return self._span_us / 1e6 + max(0, self._tail - 1) / self.rate_hz


def _signed32(x: int) -> int:
    return (x + 0x80000000) % 0x100000000 - 0x80000000
