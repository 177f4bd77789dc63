"""How alike takes are, as they come: the same take twice, and takes that could be one another."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import echoes, units
from .leakage import NEAR, STILL_DPS, STILL_G, WINDOW_S
from .recording import Recording
from .take import REST
from .windows import resample

# Half of a label's takes or more differ from their nearest by less: the same person, the same way, every time.
# Real people's takes of one label, in one go, differ by 0.29 or more (the median of 40 labels is 0.5).
ALIKE = 0.18
FEW = 5  # fewer takes say nothing about that
MOST = 100
LONGEST_S = 20.0  # a recording longer than that is no take
_TURN_DPS = 250.0  # counts as 1 g


class Twin(NamedTuple):
    """A take that is the same as another: that one's number, and the difference as a share of the movement."""

    key: int
    difference: float


class _Known:
    """A take as it is compared: its rows at the common scale, and its liveliest window."""

    def __init__(self, recording: Recording):
        self.recording = recording
        self.nearest, self.compared = np.inf, False
        self.rows = self.window = None
        self.marks: set = set()
        if (recording.label or "").lower() in REST or recording.seconds > LONGEST_S:
            return
        if recording.is_sound:
            self.marks = set(echoes.landmarks(recording.counts()))
            return
        rate = min(units.RATE_HZ, recording.rate_hz)
        acceleration = np.array([units.is_acceleration(c) for c in recording.channels])
        x = resample(recording.samples, recording.rate_hz, rate).astype(np.float64)
        length = max(8, round(WINDOW_S * rate))
        if len(x) <= length or not np.isfinite(x).all():
            return
        spread = _spread(x, length)
        lively = (spread / np.where(acceleration, STILL_G, STILL_DPS) ** 2).max(axis=1)
        best = int(lively[:-1].argmax())
        if lively[best] < 1:
            return
        self.length = length
        self.rows = x / np.where(acceleration, 1.0, _TURN_DPS)
        self.spread = (spread / np.where(acceleration, 1.0, _TURN_DPS) ** 2).sum(axis=1) * length
        window = self.rows[best : best + length + 1]
        # Two takes of one movement may have been sampled half a sample apart.
        self.window = [w - w.mean(axis=0) for w in (window[:-1], (window[:-1] + window[1:]) / 2)]

    def difference(self, other: _Known) -> float:
        """Of this one's liveliest window from the nearest place in the other, as a share of its movement."""
        if self.window is None or other.rows is None or self.rows.shape[1] != other.rows.shape[1]:
            return np.inf
        if len(self.window[0]) != other.length:  # sampled at another rate
            return np.inf
        least = np.inf
        for window in self.window:
            power = float((window**2).sum())
            common = sum(np.correlate(x, w, "valid") for x, w in zip(other.rows.T, window.T, strict=True))
            least = min(least, float((power + other.spread - 2 * common).min()) / power)
        return float(np.sqrt(max(least, 0.0)))


class Likeness:
    """Takes that are compared with each other as they come.

    Labels of rest, recordings of more than 20 s, and what hardly moves are left out: noise is like noise.
    """

    def __init__(self):
        self._known: dict[int, _Known] = {}
        self._noted: dict[int, Recording] = {}  # not looked at yet: there may be thousands, on disk

    def note(self, key: int, recording: Recording) -> None:
        """Note a take under a number, to compare later ones of its label with it: with the latest 100 of them."""
        self._noted[key] = recording

    def add(self, key: int, recording: Recording) -> Twin | None:
        """Note a take under a number; the take that it is the same as, if there is one.

        Movement is the same if it differs by 8 % or less of itself, sound if samples are equal.
        """
        new, twin = _Known(recording), None
        new.compared = True
        mine = {k: self._noted.pop(k) for k in [k for k, r in self._noted.items() if r.label == recording.label]}
        self._known |= {k: _Known(mine[k]) for k in list(mine)[-MOST:]}
        for other, known in self._known.items():
            if new.marks:
                if new.marks & known.marks:
                    twin = twin or Twin(other, 0.0)
                continue
            difference = new.difference(known)
            if difference <= NEAR and (twin is None or difference < twin.difference):
                twin = Twin(other, difference)
            if known.recording.label == recording.label:
                new.nearest = min(new.nearest, difference)
                known.nearest = min(known.nearest, difference)
        self._known[key] = new
        return twin

    def remove(self, key: int) -> None:
        """Forget a take."""
        self._known.pop(key, None)
        self._noted.pop(key, None)

    def alike(self, label: str) -> bool:
        """Whether a label's takes are all alike: five were added or more, and half of them hardly differ."""
        added = [k for k in self._known.values() if k.compared and k.recording.label == label]
        nearest = [k.nearest for k in added if k.window is not None]
        return len(nearest) >= FEW and float(np.median(nearest)) < ALIKE


def _spread(x: np.ndarray, length: int) -> np.ndarray:
    """Variance of every channel in every window of so many rows: (n - length + 1, c)."""
    x = x - x.mean(axis=0)
    sums = np.vstack([np.zeros((1, x.shape[1])), np.cumsum(x, axis=0)])
    squares = np.vstack([np.zeros((1, x.shape[1])), np.cumsum(x**2, axis=0)])
    mean = (sums[length:] - sums[:-length]) / length
    return np.maximum((squares[length:] - squares[:-length]) / length - mean**2, 0.0)
