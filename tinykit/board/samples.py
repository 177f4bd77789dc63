"""Samples as a program reads them, and the ring that keeps the latest."""

from __future__ import annotations

import bisect
import threading
from collections.abc import Callable

import numpy as np

from ..data import units


class Samples:
    """A block of samples in the order of their indices; ``block[a:b]`` is a part of it.

    Parameters
    ----------
    index : int64 array of shape (n,)
        Running number from the sensor; a gap means lost samples.
    time_s : float64 array of shape (n,)
        The device's clock.
    counts : int16 array of shape (n, c)
    channels : tuple of str
        The c names.

    Notes
    -----
    Either array may be given as a function that makes it: a minute of sound is 2 MB of counts, and
    its indices and times would be another 15.
    """

    def __init__(self, index, time_s, counts: np.ndarray, channels: tuple[str, ...]):
        self._index, self._time_s = index, time_s
        self.counts, self.channels = counts, channels

    @property
    def index(self) -> np.ndarray:
        """int64 (n,): running number from the sensor."""
        return _made(self._index)

    @property
    def time_s(self) -> np.ndarray:
        """float64 (n,): seconds on the device's clock."""
        return _made(self._time_s)

    @property
    def values(self) -> np.ndarray:
        """float32 (n, c) in g and deg/s; sound in full scale, -1 to 1."""
        return units.to_units(self.counts, self.channels)

    @classmethod
    def joined(cls, blocks) -> Samples:
        """Blocks that follow one another as one; at least one."""
        blocks = list(blocks)
        return cls(
            lambda: np.concatenate([block.index for block in blocks]),
            lambda: np.concatenate([block.time_s for block in blocks]),
            np.concatenate([block.counts for block in blocks]),
            blocks[0].channels,
        )

    def __getitem__(self, rows: slice) -> Samples:
        return Samples(lambda: self.index[rows], lambda: self.time_s[rows], self.counts[rows], self.channels)

    def __len__(self) -> int:
        return len(self.counts)

    def __repr__(self) -> str:
        return f"<Samples: {len(self)} of {', '.join(self.channels)}>"


def _made(array: np.ndarray | Callable[[], np.ndarray]) -> np.ndarray:
    return array() if callable(array) else array


class Ring:
    """The last ``capacity`` samples of a stream; one writer, any number of readers.

    Parameters
    ----------
    capacity : int
        Samples.
    channels : tuple of str
    """

    def __init__(self, capacity: int, channels: tuple[str, ...]):
        self.channels = channels
        self.changed = threading.Condition()
        self._counts = np.zeros((capacity, len(channels)), np.int16)
        self._written = 0
        self._note(capacity)

    @property
    def capacity(self) -> int:
        """Samples that it keeps."""
        return len(self._counts)

    @property
    def written(self) -> int:
        """Samples written in all."""
        return self._written

    def write(self, index, time_us, counts) -> None:
        """Append samples with their indices and times; the oldest make room."""
        with self.changed:
            index, time_us, counts = (x[-self.capacity :] for x in (index, time_us, counts))
            at = self._put(counts)
            self._index[at], self._time_us[at] = index, time_us
            self.changed.notify_all()

    def read_new(self, cursor: int = 0, limit: int | None = None) -> tuple[Samples, int]:
        """Samples written since ``cursor``, oldest first, and the cursor for the next call.

        A reader that falls behind by more than the capacity goes on with the oldest still here.
        """
        with self.changed:
            first = max(cursor, self._written - self.capacity)
            last = max(first, self._written if limit is None else min(self._written, first + limit))
            begin, end = first % self.capacity, last % self.capacity
            if first < last and begin >= end:  # over the ring's end
                at = np.r_[begin : self.capacity, 0:end]
            else:
                at = np.arange(begin, end)
            return Samples(*self._places(first, last, at), self._counts[at], self.channels), last

    def _put(self, counts) -> np.ndarray:
        at = np.arange(self._written, self._written + len(counts)) % self.capacity
        self._counts[at] = counts
        self._written += len(counts)
        return at

    def _note(self, capacity: int) -> None:
        """Make room for where and when the samples were taken."""
        self._index = np.zeros(capacity, np.int64)
        self._time_us = np.zeros(capacity, np.int64)

    def _places(self, first: int, last: int, at: np.ndarray) -> tuple:
        """Index and time in seconds of the samples written as number ``first`` up to ``last``."""
        return self._index[at], self._time_us[at] / 1e6


class SoundRing(Ring):
    """A ring that keeps index and time once a frame: the samples of a frame are evenly spaced.

    Parameters
    ----------
    capacity, channels
        As for ``Ring``: 2 bytes a sample, 2 MB a minute at 16 kHz.
    rate_hz : float
        Gives the times within a frame.
    """

    def __init__(self, capacity: int, channels: tuple[str, ...], rate_hz: float):
        super().__init__(capacity, channels)
        self._period_us = 1e6 / rate_hz

    def write(self, index: int, time_us: int, counts) -> None:
        """Append a frame, of whose first sample index and time are given."""
        if not len(counts):
            return
        with self.changed:
            spare = max(0, len(counts) - self.capacity)
            self._starts.append(self._written)
            self._frames.append((index + spare, time_us + spare * self._period_us))
            self._put(counts[spare:])
            # Frames whose samples have all been overwritten, a thousand at a time.
            gone = bisect.bisect_right(self._starts, self._written - self.capacity) - 1
            if gone > 1000:
                del self._starts[:gone], self._frames[:gone]
            self.changed.notify_all()

    def _note(self, capacity: int) -> None:
        self._starts: list[int] = []  # of each frame: how many samples were written before it,
        self._frames: list[tuple[int, float]] = []  # index and time of its first sample

    def _places(self, first: int, last: int, at: np.ndarray) -> tuple:
        a = max(0, bisect.bisect_right(self._starts, first) - 1)
        b = bisect.bisect_left(self._starts, last)
        starts = np.array(self._starts[a:b], np.int64)
        frames = np.array(self._frames[a:b], np.float64).reshape(-1, 2)
        period = self._period_us

        def spread(column):
            """What the frame says, for each sample, and how far into the frame that is."""
            lengths = np.diff(np.maximum(starts, first), append=last)
            number = np.arange(first, last)
            return np.repeat(frames[:, column], lengths), number - np.repeat(starts, lengths)

        def index():
            begin, within = spread(0)
            return begin.astype(np.int64) + within

        def time_s():
            begin, within = spread(1)
            return (begin + within * period) / 1e6

        return index, time_s
