"""What an IMU in a moving hand measures: the physics, then the faults of a real sensor.

An accelerometer measures specific force: linear acceleration minus gravity, in its own frame;
lying still it reads 1 g upwards. A gyroscope measures angular velocity in its own frame.
Frames: world x forward, y left, z up; sensor x forward, y left, z up in the level hand.
Sensor figures: LSM9DS1 data sheet (DocID025715), table 3 (ranges, offsets) and the noise
densities measured by its users (the data sheet has none).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from . import units

OVERSAMPLING = 8  # grid points of a trajectory per sensor sample
NOISE_G, NOISE_DPS = 0.004, 0.15  # standard deviations of one sample of an LSM9DS1 at rest


@dataclass(frozen=True)
class Trajectory:
    """Where the sensor is and how it is turned, on an even grid.

    Parameters
    ----------
    rate_hz : float
        Of the grid; several times the sensor's.
    position : float64 array of shape (n, 3)
        Of the sensor in the world, in metres.
    orientation : float64 array of shape (n, 4)
        Unit quaternions w, x, y, z that turn sensor vectors into world vectors.
    """

    rate_hz: float
    position: np.ndarray
    orientation: np.ndarray

    def specific_force(self) -> np.ndarray:
        """Acceleration minus gravity in the sensor's frame, in g: float64 (n, 3)."""
        velocity = np.gradient(self.position, 1.0 / self.rate_hz, axis=0)
        acceleration = np.gradient(velocity, 1.0 / self.rate_hz, axis=0) / units.STANDARD_GRAVITY
        return turn(conjugate(self.orientation), acceleration + [0.0, 0.0, 1.0])

    def angular_rate(self) -> np.ndarray:
        """Angular velocity in the sensor's frame, in deg/s: float64 (n, 3)."""
        steps = multiply(conjugate(self.orientation[:-1]), self.orientation[1:])
        steps = steps * np.where(steps[:, :1] < 0, -1.0, 1.0)  # the short way round
        sine = np.linalg.norm(steps[:, 1:], axis=1, keepdims=True)
        angle = 2 * np.arctan2(sine, steps[:, :1])
        axis = np.divide(steps[:, 1:], sine, out=np.zeros_like(steps[:, 1:]), where=sine > 1e-12)
        rate = np.degrees(axis * angle) * self.rate_hz
        # A step's rate belongs between two grid points: bring it back onto them.
        return np.vstack([rate[:1], (rate[1:] + rate[:-1]) / 2, rate[-1:]])


@dataclass(frozen=True)
class Sensor:
    """Faults of one sensor; all zero is a perfect one.

    Parameters
    ----------
    rate_hz : float
        True rate.
    noise_g, noise_dps : float
        Standard deviation of a sample's noise.
    bias_g, bias_dps : arrays of shape (3,)
        Offsets at rest.
    mix_a, mix_g : arrays of shape (3, 3)
        Scale errors and axis misalignment: measured = mix @ true.
    jitter : float
        Standard deviation of a sample's time, as a share of the interval.
    """

    rate_hz: float = units.RATE_HZ
    noise_g: float = 0.0
    noise_dps: float = 0.0
    bias_g: np.ndarray = field(default_factory=lambda: np.zeros(3))
    bias_dps: np.ndarray = field(default_factory=lambda: np.zeros(3))
    mix_a: np.ndarray = field(default_factory=lambda: np.eye(3))
    mix_g: np.ndarray = field(default_factory=lambda: np.eye(3))
    jitter: float = 0.0

    @classmethod
    def typical(cls, random: np.random.RandomState) -> Sensor:
        """A sensor as one comes out of a box: noise, offsets and misalignment of usual size."""
        return cls(
            rate_hz=units.RATE_HZ * (1 + 0.008 * random.randn()),
            noise_g=NOISE_G,
            noise_dps=NOISE_DPS,
            bias_g=0.02 * random.randn(3),
            bias_dps=1.2 * random.randn(3),
            mix_a=np.eye(3) + 0.01 * random.randn(3, 3),
            mix_g=np.eye(3) + 0.01 * random.randn(3, 3),
            jitter=0.01,
        )


def measure(trajectory: Trajectory, sensor: Sensor, random: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """What a sensor reads along a trajectory.

    The signal is averaged over a sample interval (the sensor's own low-pass filter), taken at
    the sensor's times, then disturbed, rounded to counts and saturated at +-4 g, +-2000 deg/s.

    Returns
    -------
    counts : int16 array of shape (m, 6)
    times_ms : float64 array of shape (m,)
        True times of the samples from the first.
    """
    true = np.hstack([trajectory.specific_force(), trajectory.angular_rate()])
    box = max(1, round(trajectory.rate_hz / sensor.rate_hz))
    padded = np.pad(true, ((box - 1 - (box - 1) // 2, (box - 1) // 2), (0, 0)), mode="edge")
    sums = np.cumsum(np.vstack([np.zeros((1, 6)), padded]), axis=0)
    smooth = (sums[box:] - sums[:-box]) / box
    seconds = (len(true) - 1) / trajectory.rate_hz
    times = np.arange(int(np.floor(seconds * sensor.rate_hz)) + 1) / sensor.rate_hz
    times = np.clip(times + sensor.jitter / sensor.rate_hz * random.randn(len(times)), 0, seconds)
    grid = np.arange(len(true)) / trajectory.rate_hz
    at = np.column_stack([np.interp(times, grid, column) for column in smooth.T])
    a = at[:, :3] @ sensor.mix_a.T + sensor.bias_g + sensor.noise_g * random.randn(len(at), 3)
    g = at[:, 3:] @ sensor.mix_g.T + sensor.bias_dps + sensor.noise_dps * random.randn(len(at), 3)
    return units.to_counts(np.hstack([a, g]), units.CHANNELS), (times - times[0]) * 1000.0


def euler(roll, pitch, yaw) -> np.ndarray:
    """Angles in radians, shape (n,), as quaternions: yaw about z, then pitch about y, then roll about x."""

    def about(axis, angle):
        q = np.zeros((len(angle), 4))
        q[:, 0], q[:, 1 + axis] = np.cos(angle / 2), np.sin(angle / 2)
        return q

    roll, pitch, yaw = np.broadcast_arrays(*(np.atleast_1d(np.asarray(a, np.float64)) for a in (roll, pitch, yaw)))
    return multiply(about(2, yaw), multiply(about(1, pitch), about(0, roll)))


def multiply(p, q) -> np.ndarray:
    """Hamilton product of quaternions, shapes (n, 4)."""
    p, q = np.asarray(p), np.asarray(q)
    w = p[..., 0] * q[..., 0] - (p[..., 1:] * q[..., 1:]).sum(-1)
    v = p[..., :1] * q[..., 1:] + q[..., :1] * p[..., 1:] + np.cross(p[..., 1:], q[..., 1:])
    return np.concatenate([w[..., None], v], axis=-1)


def conjugate(q) -> np.ndarray:
    """Conjugate: the inverse turn of unit quaternions."""
    return np.asarray(q) * [1.0, -1.0, -1.0, -1.0]


def turn(q, v) -> np.ndarray:
    """Vectors (n, 3) turned by unit quaternions (n, 4)."""
    q, v = np.asarray(q), np.asarray(v)
    t = 2 * np.cross(q[..., 1:], v)
    return v + q[..., :1] * t + np.cross(q[..., 1:], t)
