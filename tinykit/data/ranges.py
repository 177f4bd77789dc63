"""What recordings tell about the sensor that made them: its range, and what it reads at rest."""

from __future__ import annotations

import numpy as np

from . import units

FULL_SCALES = {"a": (2.0, 4.0, 8.0, 16.0), "g": (250.0, 500.0, 1000.0, 2000.0)}
END = 0.9965  # share of its range from which on a sample counts as cut off


def full_scale(recordings, kind: str) -> float | None:
    """The range (g or deg/s) at which recordings are cut off, or None.

    A range is believed if several samples lie at its end and none beyond it.

    Parameters
    ----------
    recordings : list of Recording
    kind : {"a", "g"}
    """
    columns = [r.samples[:, [i for i, c in enumerate(r.channels) if c[0] == kind]].ravel() for r in recordings]
    values = np.abs(np.concatenate(columns)) if columns else np.empty(0)
    if not len(values) or values.max() <= 0:
        return None
    for scale in FULL_SCALES[kind]:
        # A converted 19.6 m/s2 is 1.9986 g: allow three thousandths.
        if abs(values.max() / scale - 1) < 0.003 and (values > scale * END).sum() >= 3:
            return scale
    return None


def parts(samples, channels, rows: int = 5) -> tuple[np.ndarray, np.ndarray] | None:
    """Acceleration in parts of a few rows: how much it varies, and how long it is on average.

    None where an axis is missing, or there is no whole part.

    Parameters
    ----------
    samples : array of shape (n, c)
        In any unit.
    channels : sequence of str
    rows : int
        In a part.

    Returns
    -------
    spread : float64 array of shape (n // rows,)
        Standard deviation, axes added as squares.
    length : float64 array of shape (n // rows,)
        Of the mean vector.
    """
    if not set(units.ACCELERATION) <= set(channels) or len(samples) < rows:
        return None
    a = np.asarray(samples)[:, [channels.index(c) for c in units.ACCELERATION]].astype(np.float64)
    cut = a[: len(a) // rows * rows].reshape(-1, rows, 3)
    return np.sqrt(cut.var(axis=1).sum(axis=1)), np.linalg.norm(cut.mean(axis=1), axis=1)


def rest_length(recordings) -> float | None:
    """Median length of the acceleration vector (g) in the quietest parts that are at rest; None if none is.

    A part is at rest if its spread is below 0.03 g.
    """
    measured = [found for r in recordings if (found := parts(r.samples, r.channels)) is not None]
    lengths = [length[spread < 0.03] for spread, length in measured]
    found = np.concatenate(lengths) if lengths else np.empty(0)
    return float(np.median(found)) if len(found) >= 5 else None
