"""What widgets read of a board's sensor: one stream, opened again after a rest, and what is new in it."""

from __future__ import annotations

import time

import numpy as np


class Tap:
    """A widget's place in a stream of samples.

    Parameters
    ----------
    board : Board
    sensor : str
    capacity_s : float
        Seconds of samples that stay readable.

    Attributes
    ----------
    stream : Stream
    first_at, last_at : float
        ``time.monotonic()`` of the opening, and of the last sample that was seen.
    """

    def __init__(self, board, sensor: str = "imu", capacity_s: float = 120.0):
        self.board, self.sensor, self.capacity_s = board, sensor, capacity_s
        self.stream = None
        self.open()

    def open(self) -> None:
        """Open the stream if it is not open; raises what the board raises."""
        if self.stream is None or self.stream.closed:
            self.stream = self.board.stream(self.sensor, capacity_s=self.capacity_s)
            self.cursor = 0
            self.gap_at: float | None = None
            self._next: int | None = None
        self.first_at = self.last_at = time.monotonic()

    def close(self) -> None:
        """Let the stream go; what is in it stays readable."""
        self.stream.close()

    @property
    def written(self) -> int:
        """Samples that came so far."""
        return self.stream.written

    @property
    def silent_s(self) -> float:
        """Seconds since the last sample was seen."""
        return time.monotonic() - self.last_at

    @property
    def settling(self) -> bool:
        """Whether a microphone was started a moment ago and gives nothing yet."""
        return bool(getattr(self.stream, "settling", False))

    @property
    def gap_s(self) -> float | None:
        """Seconds since samples were lost; None: none were."""
        return None if self.gap_at is None else time.monotonic() - self.gap_at

    def latest(self, seconds: float):
        """The samples of the last seconds, seen or not."""
        return self.stream.read_new(max(0, self.written - round(seconds * self.stream.rate_hz)))[0]

    def news(self, again_s: float | None = None):
        """Samples since the last call; with ``again_s`` the last so many seconds once more."""
        if again_s is not None:
            self.cursor = max(0, self.written - round(again_s * self.stream.rate_hz))
        samples, self.cursor = self.stream.read_new(self.cursor)
        if len(samples):
            self.last_at = time.monotonic()
        return samples

    def message(self, samples) -> tuple[list, dict]:
        """A block as a widget sends it: the counts as bytes, and where its indices start anew."""
        runs = runs_of(samples.index)
        if self._next is not None and runs[0][1] > self._next or len(runs) > 1:
            self.gap_at = time.monotonic()
        self._next = runs[-1][1] + len(samples) - runs[-1][0]
        return [np.ascontiguousarray(samples.counts, np.int16).tobytes()], {"runs": runs}

    def wait(self, seconds: float, at_most_s: float) -> None:
        """Wait until so many seconds of samples are there; for still pictures."""
        deadline = time.monotonic() + at_most_s
        while self.written < seconds * self.stream.rate_hz and time.monotonic() < deadline:
            time.sleep(1 / 30)


def runs_of(index: np.ndarray) -> list[list[int]]:
    """Rows at which the running number starts anew: ``[[row, index], ...]``."""
    starts = [0, *(np.flatnonzero(np.diff(index) != 1) + 1).tolist()]
    return [[row, int(index[row])] for row in starts]
