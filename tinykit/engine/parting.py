"""Two computations of one tensor, and how far they are apart."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .taps import Tap

FLOAT, TFLITE, MICRO, HOST, BOARD = "float", "TFLite", "tflite-micro", "host", "board"
COLUMNS = (FLOAT, TFLITE, MICRO, HOST, BOARD)
EXACT = (MICRO, HOST, BOARD)  # whose equality is promised
_ROUNDING = 0.5 + 1e-3  # of a step: what rounding to the nearest can be off, and float32's own last digits


@dataclass(frozen=True, eq=False)
class Difference:
    """One layer in two columns.

    Parameters
    ----------
    differ, of : int
        How many values differ, of how many; from the float network by more than rounding: half a step.
    largest, mean : float
        Of the differences, in quantisation steps (where there are none, in the values' own unit).
    index : tuple of int or None
        Where the first value that differs is.
    values : tuple
        What the two columns have there: numbers as computed; of the float network real values.
    decibels : float or None
        Only from the float network: signal to quantisation noise, ``10 log10(sum f^2 / sum (f - q)^2)``.
    clipped : int
        Only from the float network: its values beyond what the tensor can hold.
    """

    differ: int
    of: int
    largest: float
    mean: float
    index: tuple[int, ...] | None
    values: tuple
    decibels: float | None = None
    clipped: int = 0

    @property
    def equal(self) -> bool:
        """Whether all values are the same (from the float network: up to rounding)."""
        return self.differ == 0

    def as_dict(self) -> dict:
        """For JSON."""
        facts = {"differ": self.differ, "of": self.of, "largest_steps": self.largest, "mean_steps": self.mean}
        if self.index is not None:
            facts |= {"first": [int(i) for i in self.index], "values": [float(v) for v in self.values]}
        if self.decibels is not None:
            facts |= {"decibels": self.decibels, "clipped": self.clipped}
        return facts


@dataclass(frozen=True, eq=False)
class LayerParity:
    """One row of the lens: what one operation gives, in every column.

    Parameters
    ----------
    number : int
        Its place; 0 is the network's input.
    name, kind : str
        The layer's and the operation's name.
    shape : tuple of int
        Without the leading 1.
    dtype : str
    scale, zero_point : float, int
        A real value is (number - zero point) * scale; scale 0: numbers are values.
    values : dict of str to array
        By column; those that have none are missing.
    why : str
        Why the engine has no step for it, where that is so.
    sources : tuple of int
        Rows that it is computed from.
    """

    number: int
    name: str
    kind: str
    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int
    values: dict
    why: str = ""
    sources: tuple[int, ...] = ()

    def real(self, column: str) -> np.ndarray:
        """A column's values as real numbers, float64."""
        values = self.values[column].astype(np.float64)
        quantised = column != FLOAT and self.scale
        return (values - self.zero_point) * self.scale if quantised else values

    def difference(self, a: str, b: str) -> Difference | None:
        """Between two columns; None where one of them has not this layer."""
        if a not in self.values or b not in self.values:
            return None
        if FLOAT in (a, b):
            return self._from_float(a, b)
        x, y = self.values[a], self.values[b]
        apart = x != y
        if np.issubdtype(x.dtype, np.floating):
            apart &= ~(np.isnan(x) & np.isnan(y))
        steps = np.abs(x.astype(np.float64) - y.astype(np.float64))
        return self._told(apart, steps, (x, y))

    def _from_float(self, a: str, b: str) -> Difference:
        x, y = self.real(a), self.real(b)
        real, error = (x if a == FLOAT else y), np.abs(x - y)
        noise, signal = float((error**2).sum()), float((real**2).sum())
        decibels = 10 * math.log10(signal / noise) if noise > 0 and signal > 0 else None
        steps = error / self.scale if self.scale else error
        clipped = 0
        if self.scale:
            ends = np.iinfo(self.dtype)
            low, high = ((end - self.zero_point) * self.scale for end in (ends.min, ends.max))
            clipped = int(((real < low - self.scale / 2) | (real > high + self.scale / 2)).sum())
        apart = steps > _ROUNDING if self.scale else steps > 0
        return self._told(apart, steps, (x, y), decibels, clipped)

    @staticmethod
    def _told(apart, steps, both, decibels=None, clipped=0) -> Difference:
        index = values = None
        if apart.any():
            index = tuple(int(i) for i in np.unravel_index(int(np.argmax(apart)), apart.shape))
            values = tuple(v[index].item() for v in both)
        largest, mean = (float(f(steps)) if steps.size else 0.0 for f in (np.max, np.mean))
        return Difference(int(apart.sum()), apart.size, largest, mean, index, values, decibels, clipped)


def layer(number: int, tap: Tap, values: dict, rows: dict) -> LayerParity:
    """A row from a tap and what the columns have of it; ``rows``: index of a tensor -> number of its row."""
    t = tap.tensor
    shape = tuple(t.shape[1:]) if t.shape[:1] == (1,) else tuple(t.shape)
    values = {column: np.asarray(v).reshape(shape) for column, v in values.items()}
    sources = tuple(rows[i] for i in tap.sources if i in rows)
    scale = t.scale if t.dtype in ("INT8", "UINT8", "INT16") else 0.0
    return LayerParity(
        number, tap.name, tap.kind, shape, t.dtype.lower(), scale, t.zero_point, values, tap.why, sources
    )
