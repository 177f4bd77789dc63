"""What recordings tell about the sensor that made them: its range, and what it reads at rest."""

from __future__ import annotations

import numpy as np

from . import units

FULL_SCALES = {"a": (2.0, 4.0, 8.0, 16.0), "g": (250.0, 500.0, 1000.0, 2000.0)}


def full_scale(recordings, kind: str) -> float | None:
    """The range (g or deg/s) at which recordings are cut off, or None.

    A range is believed if several samples lie at its end and none beyond it.

    Parameters
    ----------
    recordings : list of Recording
    kind : {"a", "g"}
    """
    columns = [
        r.samples[:, [i for i, c in enumerate(r.channels) if c[0] == kind]].ravel() for r in recordings
    ]
    values = np.abs(np.concatenate(columns)) if columns else np.empty(0)
    if not len(values) or values.max() <= 0:
        return None
    for scale in FULL_SCALES[kind]:
        # A converted 19.6 m/s2 is 1.9986 g: allow three thousandths.
        if abs(values.max() / scale - 1) < 0.003 and (values > scale * 0.9965).sum() >= 3:
            return scale
    return None


def rest_length(recordings, rows: int = 5) -> float | None:
    """Median length of the acceleration vector (g) in the quietest parts that are at rest; None if none is.

    A part is at rest if its spread is below 0.03 g.
    """
    lengths = []
    for r in recordings:
        if not set(units.ACCELERATION) <= set(r.channels) or len(r) < rows:
            continue
        a = r.samples[:, [r.channels.index(c) for c in units.ACCELERATION]].astype(np.float64)
        parts = a[: len(a) // rows * rows].reshape(-1, rows, 3)
        at_rest = np.sqrt(parts.var(axis=1).sum(axis=1)) < 0.03
        lengths.append(np.linalg.norm(parts.mean(axis=1), axis=1)[at_rest])
    found = np.concatenate(lengths) if lengths else np.empty(0)
    return float(np.median(found)) if len(found) >= 5 else None
