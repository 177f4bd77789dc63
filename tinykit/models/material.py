"""Recordings as one block of numbers from which training draws windows of any position and speed."""

from __future__ import annotations

import numpy as np

from ..data import units
from ..data.windows import resample


class Material:
    """Recordings at the pipeline's rate, in counts, ready to be drawn from.

    Parameters
    ----------
    recordings : sequence of Recording
        All with one label each, or all with a label per row.
    names : sequence of str
        Labels, in the order of the network's outputs.
    rate_hz : float
    channels : sequence of str

    Attributes
    ----------
    x : float32 array of shape (n, rows, c)
        Counts; rows past a recording's end repeat its last one.
    length : int array of shape (n,)
    label : int array of shape (n,)
        -1 for streams.
    """

    def __init__(self, recordings, names, rate_hz: float, channels):
        self.names, self.channels, self.rate_hz = tuple(names), tuple(channels), float(rate_hz)
        place = {name: i for i, name in enumerate(self.names)}
        parts = []
        for r in recordings:
            columns = [r.channels.index(c) for c in self.channels]
            parts.append(units.to_counts(resample(r.samples[:, columns], r.rate_hz, rate_hz), self.channels))
        self.length = np.array([len(p) for p in parts])
        self.x = np.stack([np.pad(p, ((0, self.length.max() - len(p)), (0, 0)), mode="edge") for p in parts])
        self.x = self.x.astype(np.float32)
        self.is_stream = recordings[0].row_labels is not None
        self.label = np.array([-1 if self.is_stream else place.get(r.label, -1) for r in recordings])
        self.sums = self._row_sums(recordings, place) if self.is_stream else None

    def _row_sums(self, recordings, place):
        """Running count of each label along each stream: a window's majority in one subtraction."""
        sums = np.zeros((len(recordings), self.x.shape[1] + 1, len(self.names)), np.int32)
        for i, r in enumerate(recordings):
            rows = np.rint(np.arange(self.length[i]) * r.rate_hz / self.rate_hz).astype(int)
            found = r.row_labels[np.minimum(rows, len(r) - 1)]
            one = np.zeros((self.length[i], len(self.names)), np.int32)
            for name, column in place.items():
                one[:, column] = found == name
            sums[i, 1 : self.length[i] + 1] = np.cumsum(one, axis=0)
            sums[i, self.length[i] + 1 :] = sums[i, self.length[i]]
        return sums

    def __len__(self) -> int:
        return len(self.x)

    def draw(self, rng, window: int, stretch: float = 0.0, shift: float = 0.0):
        """One window of every take, or a second of shift apart of every stream, at random.

        Parameters
        ----------
        rng : numpy.random.Generator
        window : int
        stretch : float
            Standard deviation of the logarithm of the speed.
        shift : float
            A take as long as the window moves by up to this share of the window; a longer
            one by as much as keeps the window inside it.

        Returns
        -------
        counts : float32 array of shape (m, window, c)
        labels : int array of shape (m,)
            -1 where rows without a label are in the majority.
        """
        if self.is_stream:
            return self._draw_streams(rng, window, stretch)
        n = len(self)
        speed = np.exp(rng.normal(size=n) * stretch)
        room = np.maximum(np.abs(self.length - window * speed) / 2, shift * window * speed)
        middle = (self.length - 1) / 2 + rng.uniform(-1, 1, size=n) * room
        at = middle[:, None] + (np.arange(window) - (window - 1) / 2) * speed[:, None]
        return self.at(np.arange(n), at), self.label

    def _draw_streams(self, rng, window, stretch):
        many = np.maximum(1, 2 * self.length // window)
        which = np.repeat(np.arange(len(self)), many)
        last = np.maximum(self.length[which] - window, 0)
        start = np.floor(rng.random(len(which)) * (last + 1)).astype(int)
        inside = self.sums[which, np.minimum(start + window, self.length[which])] - self.sums[which, start]
        label = np.where(inside.sum(axis=1) * 2 >= np.minimum(window, self.length[which]), inside.argmax(axis=1), -1)
        speed = np.exp(rng.normal(size=len(which)) * stretch)
        at = start[:, None] + (window - 1) / 2 + (np.arange(window) - (window - 1) / 2) * speed[:, None]
        known = label >= 0
        return self.at(which[known], at[known]), label[known]

    def at(self, which, at) -> np.ndarray:
        """Rows of recordings at fractional places, by linear interpolation; edges repeat.

        Parameters
        ----------
        which : int array of shape (m,)
        at : float array of shape (m, window)
        """
        at = np.clip(at, 0, (self.length[which] - 1)[:, None])
        left = np.floor(at).astype(int)
        right = np.minimum(left + 1, (self.length[which] - 1)[:, None])
        part = (at - left)[..., None].astype(np.float32)
        row = np.asarray(which)[:, None]
        return self.x[row, left] * (1 - part) + self.x[row, right] * part
