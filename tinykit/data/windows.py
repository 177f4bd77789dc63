"""Recordings to windows: resampled, cut, and counted as the device counts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..errors import DataError
from . import units
from .audio import at_rate

# A sensor's true rate is a percent or so off its nominal one, and a device that resamples goes
# by the nominal one: so nearly equal rates are equal.
SAME_RATE = 0.02


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of a dataset, ready for a front end.

    Parameters
    ----------
    counts : int16 array of shape (n, window, c)
        As the sensor counts (``units.COUNTS_PER_G``, ``COUNTS_PER_DPS``, ``COUNTS_FULL_SCALE``).
    labels : int array of shape (n,)
        Index into ``names``; -1 where there is no label, or one that is not in ``names``.
    takes : int array of shape (n,)
        Which recording of the dataset each window is from.
    starts : int array of shape (n,)
        First row of each window in the resampled recording (negative: padded in front).
    persons : array of str of shape (n,)
    names : tuple of str
        The labels.
    channels : tuple of str
    rate_hz : float
        Rate of the windows.
    per_take : bool
        True: a take's answer is the mean of its windows' probabilities. False: every
        window is answered for itself (streams with a label per row).
    """

    counts: np.ndarray
    labels: np.ndarray
    takes: np.ndarray
    starts: np.ndarray
    persons: np.ndarray
    names: tuple[str, ...]
    channels: tuple[str, ...]
    rate_hz: float
    per_take: bool = True
    ids: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def window(self) -> int:
        """Samples in a window."""
        return self.counts.shape[1]

    def select(self, mask) -> Windows:
        """The windows for which ``mask`` (boolean or indices) holds."""
        return Windows(
            self.counts[mask],
            self.labels[mask],
            self.takes[mask],
            self.starts[mask],
            self.persons[mask],
            self.names,
            self.channels,
            self.rate_hz,
            self.per_take,
            self.ids,
        )

    def answers(self, probabilities) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Bring answers for windows to what is scored: takes, or the windows themselves.

        Parameters
        ----------
        probabilities : array of shape (n, labels)

        Returns
        -------
        probabilities : float64 array of shape (m, labels)
            Mean over each take's windows (``per_take``), else as given.
        labels : int array of shape (m,)
        persons : array of str of shape (m,)
        """
        probabilities = np.asarray(probabilities, np.float64)
        if len(probabilities) != len(self):
            raise DataError(
                f"{len(probabilities)} answers were given for {len(self)} windows.",
                "Answer every window once, in order.",
            )
        if not self.per_take:
            return probabilities, self.labels, self.persons
        _, first, which = np.unique(self.takes, return_index=True, return_inverse=True)
        sums = np.zeros((len(first), probabilities.shape[1]))
        np.add.at(sums, which, probabilities)
        return sums / np.bincount(which)[:, None], self.labels[first], self.persons[first]

    def __repr__(self) -> str:
        per = "scored per take" if self.per_take else "scored per window"
        return (
            f"<Windows {len(self)} of {self.window} samples at {self.rate_hz:g} Hz, "
            f"{','.join(self.channels)}, {len(self.names)} labels, {per}>"
        )


def resample(samples, rate_hz: float, to_hz: float) -> np.ndarray:
    """A recording at another rate, as the device does it, but in floating point.

    Up: linear interpolation. Down: mean of the linear interpolation over one output period
    (a box as long as the period keeps most of what would alias out). Rates within 2 % of each
    other count as the same.

    Parameters
    ----------
    samples : array of shape (n, c)
    rate_hz, to_hz : float
        Rates of input and output.

    Returns
    -------
    float64 array of shape (m, c)
        The first output sample is at the first input sample's time; m = floor of the last
        input sample's time in output periods, plus one.
    """
    samples = np.asarray(samples, np.float64)
    n = len(samples)
    if n < 2 or abs(rate_hz / to_hz - 1) <= SAME_RATE:
        return samples.copy()
    m = int(np.floor((n - 1) * to_hz / rate_hz + 1e-9)) + 1
    at = np.minimum(np.arange(m) * (rate_hz / to_hz), n - 1.0)  # in input samples
    if to_hz > rate_hz:
        left = np.minimum(at.astype(int), n - 2)
        part = (at - left)[:, None]
        return samples[left] * (1 - part) + samples[left + 1] * part
    half = 0.5 * rate_hz / to_hz
    from_, to = np.maximum(at - half, 0.0), np.minimum(at + half, n - 1.0)
    return (_integral(samples, to) - _integral(samples, from_)) / (to - from_)[:, None]


def _integral(samples: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Integral of the linear interpolation from row 0 to the (fractional) rows ``at``."""
    steps = np.cumsum((samples[1:] + samples[:-1]) / 2, axis=0)
    whole = np.vstack([np.zeros((1, samples.shape[1])), steps])
    left = np.minimum(at.astype(int), len(samples) - 2)
    part = (at - left)[:, None]
    value, slope = samples[left], samples[left + 1] - samples[left]
    return whole[left] + value * part + slope * part**2 / 2


def cut(recording, window: int, hop: int, rate_hz: float, channels) -> tuple[np.ndarray, np.ndarray]:
    """The windows of one recording.

    A recording shorter than the window is centred; the IMU's edge rows are repeated, sound gets
    silence. A
    longer take's last window ends at its last row, so that no row is left out; a stream
    with row labels has windows at whole hops only.

    Returns
    -------
    counts : int16 array of shape (n, window, c)
    starts : int array of shape (n,)
        First row at ``rate_hz``; negative where the take was padded.
    """
    counts = _counts(recording, rate_hz, channels)
    n = len(counts)
    if n <= window:
        before = (window - n) // 2
        fill = "constant" if recording.is_sound else "edge"  # a still board has gravity, a still room nothing
        padded = np.pad(counts, ((before, window - n - before), (0, 0)), mode=fill)
        return padded[None], np.array([-before])
    starts = np.arange(0, n - window + 1, hop)
    if recording.row_labels is None and starts[-1] != n - window:
        starts = np.append(starts, n - window)
    rows = starts[:, None] + np.arange(window)
    return counts[rows], starts


def _counts(recording, rate_hz: float, channels) -> np.ndarray:
    if not recording.is_sound:
        columns = [recording.channels.index(c) for c in channels]
        return units.to_counts(resample(recording.samples[:, columns], recording.rate_hz, rate_hz), channels)
    counts = recording.counts()
    if abs(recording.rate_hz / rate_hz - 1) <= SAME_RATE:
        return counts
    return at_rate(counts[:, 0], recording.rate_hz, rate_hz)[:, None]


def majority(recording, starts, window: int, rate_hz: float) -> list[str]:
    """Label of each window of a stream with row labels: the most frequent, the later if equal.

    The later one, because a live answer is about what happens now.
    """
    step = recording.rate_hz / rate_hz
    step = 1.0 if abs(step - 1) <= SAME_RATE else step
    n = int(np.floor((len(recording) - 1) / step + 1e-9)) + 1
    rows = np.minimum(np.rint(np.arange(n) * step).astype(int), len(recording) - 1)
    at_rate = recording.row_labels[rows]
    answers = []
    for start in starts:
        part = at_rate[max(start, 0) : start + window]
        names, counts = np.unique(part, return_counts=True)
        best = set(names[counts == counts.max()].tolist())
        answers.append(next(str(x) for x in part[::-1] if x in best))
    return answers


def make_windows(recordings, window: int, hop: int | None, rate_hz: float, channels, names) -> Windows:
    """Windows of many recordings; see ``Dataset.windows``."""
    if window != int(window) or window < 1 or (hop is not None and (hop != int(hop) or hop < 1)):
        raise DataError(
            f"The window is {window} samples and the hop {hop}; both must be whole numbers, at least 1.",
            "Give lengths in samples.",
        )
    window, hop = int(window), None if hop is None else int(hop)
    streams = [r.row_labels is not None for r in recordings]
    if any(streams) and not all(streams):
        raise DataError(
            "Some recordings have a label per row, some one label for all.",
            "Select one kind: dataset.select(...).",
        )
    hop = hop or max(1, window // 2)
    index = {name: i for i, name in enumerate(names)}
    counts, labels, takes, starts, persons = [], [], [], [], []
    for i, recording in enumerate(recordings):
        missing = [c for c in channels if c not in recording.channels]
        if missing:
            raise DataError(
                f"Recording {recording.id} has channels {','.join(recording.channels)}; "
                f"{','.join(missing)} is asked for.",
                "Ask for channels that all recordings have.",
            )
        if not recording.is_sound and not np.isfinite(recording.samples).all():
            row = int(np.flatnonzero(~np.isfinite(recording.samples).all(axis=1))[0])
            raise DataError(
                f"Recording {recording.id} has a value that is not a number in row {row}.",
                "Leave the recording out (tk.audit shows which).",
            )
        x, first = cut(recording, window, hop, rate_hz, channels)
        if recording.row_labels is not None:
            found = majority(recording, first, window, rate_hz)
        else:
            found = [recording.label] * len(x)
        counts.append(x)
        starts.append(first)
        labels += [index.get(name, -1) for name in found]
        takes += [i] * len(x)
        persons += [recording.person] * len(x)
    if not counts:
        raise DataError("The dataset has no recordings, so there are no windows.", "Record or open some first.")
    return Windows(
        np.concatenate(counts),
        np.array(labels, int),
        np.array(takes, int),
        np.concatenate(starts),
        np.array(persons),
        tuple(names),
        tuple(channels),
        float(rate_hz),
        not any(streams),
        tuple(r.id for r in recordings),
    )
