"""What a board announced, with the sound it announced it from: to hear again, and to keep as a negative."""

from __future__ import annotations

import itertools
import time
from collections import deque
from dataclasses import dataclass

import numpy as np

from ..data import Recording, units
from ..errors import BoardError, DataError

_KEPT = 40  # detections with their sound: 1.3 MB
_PATIENCE_S = 3.0  # for sound that comes later than the answer about it


@dataclass
class Detected:
    """One announcement: what, when, how surely, and the window it came from (None: its sound was lost).

    ``number`` counts announcements here; ``answer`` is the board's own, which begins anew with every start.
    """

    number: int
    answer: int
    label: str
    probability: float
    time: float
    recording: Recording | None = None
    filed: Recording | None = None


def window_of(samples, prediction, seconds: float, rate_hz: float) -> np.ndarray:
    """Rows of the samples that an answer was about, by the board's clock.

    Raises
    ------
    BoardError
        They are not there.
    """
    # Both clocks are the board's 32-bit microseconds, unwrapped from different starts.
    lag = (prediction.device_time_s - samples.time_s) * 1e6
    lag = (lag + 2**31) % 2**32 - 2**31
    upto = np.flatnonzero((lag > -0.5e6 / rate_hz) & (lag < 25e6))
    wanted = round(seconds * rate_hz)
    if len(upto) < wanted // 2:
        raise BoardError("The window behind this answer is no longer there.", "Mark an answer within 20 seconds.")
    return upto[-wanted:]


def recording_of(board, samples, rows, rate_hz: float, **about) -> Recording:
    """Those rows as a recording of that board."""
    counts, times = samples.counts[rows], samples.time_s[rows]
    sound = samples.channels == units.SOUND
    return Recording(
        units.to_units(counts, samples.channels),
        channels=samples.channels,
        rate_hz=rate_hz,
        device=board.device_name,
        recorded_at=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        timestamps_ms=None if sound else (times - times[0]) * 1000,  # sound is evenly spaced
        **about,
    )


class Detections:
    """The latest announcements of words, each with its second of sound.

    Parameters
    ----------
    tap : Tap
        Of the microphone.
    seconds : float
        Length of a window.
    before : Detections, optional
        Those of the pipeline before: they stay, and are numbered on, for the page still shows them.
    """

    def __init__(self, tap, seconds: float, before: Detections | None = None):
        self.tap, self.seconds = tap, seconds
        self.kept: deque[Detected] = before.kept if before else deque(maxlen=_KEPT)
        self._numbers = before._numbers if before else itertools.count(1)
        self._waiting: list = []  # (prediction, since when) whose sound has not all come

    def note(self, predictions) -> None:
        """Remember what was announced."""
        now = time.monotonic()
        for p in predictions:
            if p.detected:
                self._waiting.append((p, now))

    def news(self) -> list[Detected]:
        """Announcements whose sound is there by now, or will not come."""
        if not self._waiting:
            return []
        samples = self.tap.latest(self.seconds + 2 * _PATIENCE_S)
        rate, now, out = self.tap.stream.rate_hz, time.monotonic(), []
        for p, since in list(self._waiting):
            found = self._sound(samples, p, rate)
            if found is None and now - since < _PATIENCE_S:
                continue
            self._waiting.remove((p, since))
            out.append(Detected(next(self._numbers), p.number, p.label, p.probability, p.time, found))
        self.kept.extend(out)
        return out

    def _sound(self, samples, p, rate: float) -> Recording | None:
        if not len(samples):
            return None
        last = (p.device_time_s - float(samples[-1:].time_s[0])) * 1e6
        if (last + 2**31) % 2**32 - 2**31 > 1.5e6 / rate:
            return None  # its end has not come yet
        try:
            rows = window_of(samples, p, self.seconds, rate)
        except BoardError:
            return None
        if len(rows) < round(self.seconds * rate):
            return None
        about = {"quality": {"predicted": p.label}, "source": "announced live"}
        return recording_of(self.tap.board, samples, rows, rate, **about)

    def __getitem__(self, number: int) -> Detected:
        for d in self.kept:
            if d.number == number:
                if d.recording is None:
                    raise DataError("The sound of this detection was lost on the way.", "Choose another one.")
                return d
        raise DataError("This detection is no longer there.", f"The last {_KEPT} are kept; choose one of those.")
