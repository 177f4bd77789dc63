"""How a board was held during a take: an estimate, from its gyroscope and from gravity."""

from __future__ import annotations

import numpy as np

from . import imu, units
from .recording import Recording

# How fast gravity corrects what the gyroscope adds up, per second. Only while the hand pushes little does the
# accelerometer show where down is, so a sample that is far from 1 g counts less.
CORRECTS_PER_S = 1.0
# Without a gyroscope gravity is all there is: what is slower than this is taken for it.
TILTS_PER_S = 6.0
SURE_G = 0.15
FIRST_S = 0.1  # the mean of so much tells how the board is held at first


def orientation(recording: Recording) -> np.ndarray:
    """Estimate how the board is turned at every row of a take: float32 (n, 4).

    Unit quaternions w, x, y, z that turn the sensor's vectors into the room's, whose z is up. Where north is
    nobody knows, so it begins at 0. Turning is summed up from the angular rate, and tilt held by gravity
    (a complementary filter; Mahony, Hamel and Pflimlin 2008, with the first of its two gains). Without
    angular rate it is the tilt alone, and slow.

    Parameters
    ----------
    recording : Recording
        Of the IMU; of angular rate alone, the board begins level.
    """
    x = np.nan_to_num(recording.samples.astype(np.float64))
    named = {c: x[:, i] for i, c in enumerate(recording.channels)}
    force, rate = (
        np.column_stack([named.get(c, np.zeros(len(x))) for c in names])
        for names in (units.ACCELERATION, units.ANGULAR_RATE)
    )
    felt = any(c in named for c in units.ACCELERATION)
    turned = any(c in named for c in units.ANGULAR_RATE)
    if recording.timestamps_ms is None:
        steps = np.full(len(x), 1.0 / recording.rate_hz)
    else:
        steps = np.diff(recording.timestamps_ms, prepend=recording.timestamps_ms[0]) / 1000
    first = force[: max(1, round(FIRST_S * recording.rate_hz))].mean(axis=0)
    q = _upright(first) if felt and np.linalg.norm(first) > 0.2 else np.array([1.0, 0.0, 0.0, 0.0])
    strength = np.linalg.norm(force, axis=1)
    gain = CORRECTS_PER_S * np.exp(-(((strength - 1.0) / SURE_G) ** 2)) if turned else np.full(len(x), TILTS_PER_S)
    out = np.empty((len(x), 4))
    for k in range(len(x)):
        omega = np.radians(rate[k])
        if felt and strength[k] > 0.2:
            up = imu.turn(imu.conjugate(q), np.array([0.0, 0.0, 1.0]))  # where it would be felt, as things stand
            omega = omega + gain[k] * np.cross(force[k] / strength[k], up)
        q = _turned(q, omega * steps[k])
        out[k] = q
    return out.astype(np.float32)


def _turned(q: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """A quaternion turned further by a vector of radians, in the sensor's own frame."""
    size = float(np.linalg.norm(angle))
    if size < 1e-12:
        return q
    step = np.concatenate([[np.cos(size / 2)], np.sin(size / 2) * angle / size])
    q = imu.multiply(q, step)
    return q / np.linalg.norm(q)


def _upright(force: np.ndarray) -> np.ndarray:
    """The turn without a spin that brings this direction up."""
    a = force / np.linalg.norm(force)
    q = np.array([1.0 + a[2], a[1], -a[0], 0.0])
    if q[0] < 1e-6:  # upside down
        q = np.array([0.0, 1.0, 0.0, 0.0])
    return q / np.linalg.norm(q)
