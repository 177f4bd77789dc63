"""A hand that somebody moves while the board feels it: by a pointer, a phone, or from a recording.

The physics of a pointer is that of ``data.imu``: its path, in metres, is made smooth and differentiated
twice; the wrist turns along as it does in the made-up gestures. What is felt is an estimate of what a
hand would feel that goes this way.
"""

from __future__ import annotations

import threading
from collections import deque
from itertools import islice

import numpy as np

from ...data import imu, units
from ...errors import DataError
from .sources import Still

ARM_M = 0.30  # elbow to board
PLANES = ("across", "forward", "turn")
# How the wrist turns along, radians a metre; the middle of what made-up people do.
_YAW, _PITCH, _ROLL, _TILT = 2.2, 2.05, 3.0, 6.0
# A pointer comes in steps of a pixel: so much smoothing (Gauss, standard deviation in seconds) leaves of
# them 0.01 g, and of a stroke of a quarter of a second four fifths.
SMOOTH_S = 0.03
_REACH_S = 3.5 * SMOOTH_S
_HOLD_S, _BACK_S = 0.6, 1.2  # after a stroke the hand rests, then goes back to where it began
_STEP_S = 0.05  # longer than from one place of a moving pointer to the next
_RAMP_S = 0.15  # into a recording, and out of it
_KEPT_S = 2.0  # of what was
_GRID_HZ = imu.OVERSAMPLING * units.RATE_HZ


class PushMotion:
    """Movements that somebody feeds while they are felt; in between the board lies still.

    A piece that comes late makes the hand wait in its place, and all that follows comes so much later:
    nothing of a movement is left out.

    Parameters
    ----------
    lead_s : float
        So much later a movement is felt.
    most_s : float
        A movement that would have to wait longer is dropped.
    seed : int
        Of the sensor's noise.

    Attributes
    ----------
    starved_s : float
        How long the hand had to wait in the middle of a movement, in all.
    dropped : int
        Movements that were never felt.
    """

    duration = None
    block = 4  # samples that the sensor may take ahead of their time

    def __init__(self, lead_s: float = 0.3, most_s: float = 8.0, seed: int = 0):
        self.lead_s, self.most_s = lead_s, most_s
        self.starved_s, self.dropped = 0.0, 0
        self._still = Still(seed)
        self._lock = threading.Lock()
        self._felt: deque = deque(maxlen=round(20 * units.RATE_HZ))
        self._count = 0
        self._begin()

    def _begin(self) -> None:
        self._now = 0.0
        self._path = _Course(6)  # position in metres, roll, pitch, yaw
        self._told = _Course(7)  # how much it counts, g, deg/s
        self._path_clock, self._told_clock = _Clock(), _Clock()
        self._spans: deque = deque(maxlen=16)  # (begin, end, label) of recordings

    # -- what is fed -------------------------------------------------------------------------------

    def draw(self, times_s, points, plane: str = "across", first: bool = True, last: bool = True) -> None:
        """The next piece of a stroke, or a whole one; from any thread.

        Parameters
        ----------
        times_s : array of shape (n,)
            On any clock, rising. Where they are a tenth of a second apart the pointer rested.
        points : array of shape (n, 2)
            Metres to the right and up, from anywhere.
        plane : str
            What right and up are: ``"across"`` (right and up, seen from behind the hand), ``"forward"``
            (forward and up, about the elbow) or ``"turn"`` (roll to the right and nose up, in place).
        first, last : bool
            Whether the stroke begins, and ends, with this piece.

        Raises
        ------
        DataError
            There is no such plane; or times and points are not of one length, or not numbers.
        """
        times_s, points = _checked(times_s, points, 2)
        if plane not in PLANES:
            raise DataError(f"A hand can't move {plane!r}.", f"Choose one of {', '.join(PLANES)}.")
        with self._lock:
            times = self._placed(self._path_clock, times_s, first, _REACH_S)
            if times is None:
                return
            path = self._path
            if first:
                self._base, self._from = path.at(times[:1])[0], points[0]
                path.cut(times[0])
                path.add(times[:1], self._base[None])
            self._hold(path, times[0], _REACH_S)
            path.add(times, self._base + _pose(points - self._from, plane))
            if last:
                self._go_back(times[-1])

    def feel(self, times_s, values, first: bool = True, last: bool = True, label: str | None = None) -> None:
        """The next piece of what a sensor felt, or all of it; from any thread.

        Parameters
        ----------
        times_s : array of shape (n,)
            On any clock, rising.
        values : array of shape (n, 6)
            In g and degrees per second, as the board's own sensor would feel them.
        first, last : bool
            Whether it begins, and ends, with this piece.
        label : str, optional
            What is being done.

        Raises
        ------
        DataError
            Times and values are not of one length, or not numbers.
        """
        times_s, values = _checked(times_s, values, 6)
        with self._lock:
            times = self._placed(self._told_clock, times_s, first, 0.0)
            if times is None:
                return
            rows = np.hstack([np.ones((len(values), 1)), values])
            told = self._told
            if first:
                told.cut(times[0] - _RAMP_S)
                before = told.values[-1] if len(told.times) and told.values[-1, 0] else [0.0, *values[0]]
                told.add([times[0] - _RAMP_S], np.array(before)[None])
            self._hold(told, times[0], 0.0)
            told.add(times, rows)
            if last:
                told.add([times[-1] + _RAMP_S], np.hstack([0.0, values[-1]])[None])
            if label is not None:
                self._spans.append((times[0], times[-1], label))

    def let_go(self) -> None:
        """Drop what waits and lie still: whoever held it went away.

        The hand does not jump: it stops where it is, rests, and goes back to where it began.
        """
        with self._lock:
            path, told, now = self._path, self._told, self._now
            until = now + _REACH_S  # what was felt already knows of the path until here
            if self._path_clock.end > until or (len(path.times) and path.values[-1].any()):
                path.cut(until)
                self._go_back(until)
            if told.lasts(now):
                told.cut(now)
                told.add([now + _RAMP_S], np.hstack([0.0, told.values[-1, 1:]])[None])
            for clock, end in ((self._path_clock, until), (self._told_clock, now)):
                clock.shift, clock.end = None, min(clock.end, end)
            spans = [(begin, min(end, now), label) for begin, end, label in self._spans if begin < now]
            self._spans = deque(spans, self._spans.maxlen)

    def _go_back(self, time: float) -> None:
        """After a rest the hand goes gently to where it began."""
        path, s = self._path, np.linspace(0, 1, 80)
        course = 1 - s**3 * (10 - 15 * s + 6 * s**2)
        path.add(time + _HOLD_S + s * _BACK_S, course[:, None] * path.values[-1])

    def _placed(self, clock: _Clock, times_s, first: bool, reach_s: float):
        """Times on the source's own clock; None: the movement is dropped."""
        if first:
            begin = self._now + self.lead_s
            if clock.end > begin - 1.5 and reach_s:  # strokes that come together are done one after the other
                begin = max(begin, clock.end + min(max(times_s[0] - clock.then, 0.1), 1.5))
            if not reach_s:  # row by row, if it has the sensor's rate
                begin = np.ceil(begin * units.RATE_HZ - 1e-6) / units.RATE_HZ
            clock.shift = begin - times_s[0]
            if begin > self._now + self.most_s:
                self.dropped += 1
                clock.shift = None
        elif clock.shift is not None:
            gap = min(times_s[0] - clock.then, _STEP_S)
            late = max(0.0, self._now + reach_s + gap - (times_s[0] + clock.shift))
            self.starved_s += late
            clock.shift += late
        if clock.shift is None:
            return None
        clock.end, clock.then = times_s[-1] + clock.shift, times_s[-1]
        return times_s + clock.shift

    def _hold(self, course: _Course, time: float, reach_s: float) -> None:
        """Where nothing came the hand stayed in its place, until a moment before ``time``.

        What was felt already does not change any more, and who rests sends nothing.
        """
        since = course.times[-1]
        until = max(self._now + reach_s, time - _STEP_S if time - since > 2 * _STEP_S else since)
        if since < until < time:
            course.add([until], course.values[-1:])

    # -- what is felt ------------------------------------------------------------------------------

    def read(self, times_s) -> np.ndarray:
        times = np.asarray(times_s, np.float64)
        with self._lock:
            if times[0] < self._now - 1.0:  # it was attached anew, and begins at its beginning
                self._begin()
            self._now = max(self._now, float(times[-1]))
            samples = self._moved(times)
            told = self._told.at(times)
            for course in (self._path, self._told):
                course.forget(times[0] - _KEPT_S)
        weight = told[:, :1]
        # A recording has its own sensor's noise.
        samples = (samples + self._noise(times)) * (1 - weight) + told[:, 1:] * weight
        counts = units.to_counts(samples, units.CHANNELS)
        with self._lock:
            self._felt.extend(counts)
            self._count += len(counts)
        return counts

    def news(self, cursor: int, most: int = 2000) -> tuple[np.ndarray, int]:
        """What was felt since: int16 (n, 6), and the number of the next sample; from any thread."""
        with self._lock:
            count = self._count
            n = min(count - cursor, most, len(self._felt))
            rows = list(islice(self._felt, len(self._felt) - n, None)) if n > 0 else []
        return np.array(rows, np.int16).reshape(-1, 6), count

    @property
    def moving(self) -> bool:
        """Whether a movement is being felt, or is on its way."""
        with self._lock:
            path, told = self._path, self._told
            return path.busy(self._now, np.inf) or bool(told.at(np.array([self._now]))[0, 0]) or told.lasts(self._now)

    def label_at(self, time_s: float):
        for begin, end, label in tuple(self._spans):
            if begin <= time_s <= end:
                return label
        return None if self.moving else "rest"

    def _noise(self, times) -> np.ndarray:
        return units.to_units(self._still.read(times), units.CHANNELS) - [0, 0, 1, 0, 0, 0]

    def _moved(self, times) -> np.ndarray:
        """What the path makes the board feel: float64 (n, 6), in g and deg/s."""
        path, margin = self._path, _REACH_S + 2 / units.RATE_HZ
        if not path.busy(times[0] - margin, times[-1] + margin):
            return np.tile([0.0, 0, 1, 0, 0, 0], (len(times), 1))
        first, last = np.floor((times[0] - margin) * _GRID_HZ), np.ceil((times[-1] + margin) * _GRID_HZ)
        grid = np.arange(first, last + 1) / _GRID_HZ
        half = round(_REACH_S * _GRID_HZ)
        kernel = np.exp(-0.5 * (np.arange(-half, half + 1) / _GRID_HZ / SMOOTH_S) ** 2)
        kernel /= kernel.sum()
        smooth = np.column_stack([np.convolve(column, kernel, "valid") for column in path.at(grid).T])
        way = imu.Trajectory(_GRID_HZ, smooth[:, :3], imu.euler(*smooth[:, 3:].T))
        true = np.hstack([way.specific_force(), way.angular_rate()])
        box = np.full(imu.OVERSAMPLING, 1 / imu.OVERSAMPLING)  # the sensor's own low-pass filter
        grid = grid[half : len(grid) - half]
        centre = np.convolve(grid, box, "valid")
        return np.column_stack([np.interp(times, centre, np.convolve(column, box, "valid")) for column in true.T])

    def __repr__(self):
        return f"PushMotion({'moving' if self.moving else 'still'})"


class Ear:
    """An ear that hears one source after the other; silence while it has none.

    Attributes
    ----------
    source : object or None
        With ``sound(first, count)``; may be replaced at any time.
    """

    read = None
    duration = None

    def __init__(self):
        self.source = None

    def sound(self, first: int, count: int) -> np.ndarray:
        source = self.source
        return np.zeros(count, np.int16) if source is None else source.sound(first, count)

    def label_at(self, time_s: float):
        return None

    def __repr__(self):
        return f"Ear({self.source!r})"


class _Clock:
    """Where a feeder's times lie on the source's clock."""

    shift: float | None = None  # None: nothing is expected
    end = -np.inf  # of what came, on the source's clock
    then = 0.0  # the same, on the feeder's


class _Course:
    """Values at rising times, straight lines in between."""

    def __init__(self, width: int):
        self.times, self.values = np.empty(0), np.empty((0, width))

    def add(self, times, values) -> None:
        self.times = np.concatenate([self.times, np.asarray(times, float)])
        self.values = np.concatenate([self.values, values])

    def cut(self, time: float) -> None:
        """Forget what comes later, and stay at what it would be then."""
        if len(self.times):
            value = self.at(np.array([time]))
            keep = self.times < time
            self.times, self.values = self.times[keep], self.values[keep]
            self.add([time], value)

    def forget(self, time: float) -> None:
        """Forget what was before, but for the last value."""
        gone = int(np.searchsorted(self.times, time)) - 1
        if gone > 0:
            self.times, self.values = self.times[gone:], self.values[gone:]

    def at(self, times) -> np.ndarray:
        if not len(self.times):
            return np.zeros((len(times), self.values.shape[1]))
        return np.column_stack([np.interp(times, self.times, column) for column in self.values.T])

    def lasts(self, time: float) -> bool:
        """Whether it goes on after this time."""
        return len(self.times) > 0 and self.times[-1] > time

    def busy(self, begin: float, end: float) -> bool:
        """Whether anything but zeros is in this time."""
        if not len(self.times):
            return False
        a, b = np.searchsorted(self.times, [begin, end])
        return bool(self.values[max(a - 1, 0) : b + 1].any())


def _checked(times_s, rows, width: int) -> tuple[np.ndarray, np.ndarray]:
    times_s, rows = np.asarray(times_s, float).reshape(-1), np.asarray(rows, float)
    if not len(times_s) or rows.shape != (len(times_s), width) or not np.isfinite(rows).all():
        raise DataError(
            f"A piece of a movement has {len(times_s)} times and rows of shape {rows.shape}.",
            f"Give at least one time, and {width} numbers for each.",
        )
    if not np.isfinite(times_s).all() or (np.diff(times_s) < 0).any():
        raise DataError("The times of a movement don't rise.", "Give them in seconds, in the order of the movement.")
    return times_s, rows


def _pose(moved: np.ndarray, plane: str) -> np.ndarray:
    """Position (metres, x forward, y left, z up) and roll, pitch, yaw of a hand that was moved so: (n, 6)."""
    right, up = moved.T
    zero = np.zeros(len(moved))
    if plane == "turn":
        columns = zero, zero, zero, _TILT * right, -_TILT * up, zero
    elif plane == "forward":
        # The forearm points where the hand is; the fist turns inwards as it goes forward.
        pitch = -np.arctan2(up, np.maximum(ARM_M + right, 0.02))
        columns = right, zero, up, -_ROLL * np.maximum(right, 0.0), pitch, zero
    else:
        columns = zero, -right, up, zero, -_PITCH * up, -_YAW * right
    return np.column_stack(columns)
