"""Windows as another hand, another grip or another sensor might have given them.

All in float counts, before the front end: what the network then sees comes out of the same
integer code as on the device.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..data import units


@dataclass(frozen=True)
class Augment:
    """How far windows are changed in training.

    Parameters
    ----------
    rotation_deg : float
        Standard deviation of the angle of a random rotation of the sensor in the hand.
        Acceleration and angular rate turn together.
    stretch : float
        Standard deviation of the logarithm of the speed (0.15: about 15 % faster or slower).
    shift : float
        Largest shift, as a share of the window.
    gain : float
        Standard deviation of the logarithm of the size of the movement; gravity keeps its own.
    noise_g, noise_dps : float
        Standard deviation of white noise in g and deg/s.
    mixup : float
        Parameter of the Beta distribution of mixup (Zhang et al. 2018, arXiv:1710.09412); 0: none.
    made_up : float
        Made-up windows for the background class, as a share of the others; 0: none.
    """

    rotation_deg: float = 25.0
    stretch: float = 0.15
    shift: float = 0.1
    gain: float = 0.15
    noise_g: float = 0.01
    noise_dps: float = 2.0
    mixup: float = 0.3
    made_up: float = 0.1

    @classmethod
    def none(cls) -> Augment:
        """No change at all."""
        return cls(0, 0, 0, 0, 0, 0, 0, 0)


def rotations(rng, n: int, sd_deg: float) -> np.ndarray:
    """Random rotation matrices of shape (n, 3, 3): uniform axis, normal angle (Rodrigues' formula)."""
    axis = rng.normal(size=(n, 3))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    angle = np.radians(rng.normal(size=n) * sd_deg)[:, None, None]
    cross = np.zeros((n, 3, 3))
    cross[:, [0, 1, 2], [1, 2, 0]] = -axis[:, [2, 0, 1]]
    cross[:, [1, 2, 0], [0, 1, 2]] = axis[:, [2, 0, 1]]
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)


def triples(channels) -> list[list[int]]:
    """Columns of the complete x, y, z triples among the channels."""
    found = []
    for names in (units.ACCELERATION, units.ANGULAR_RATE):
        if all(name in channels for name in names):
            found.append([list(channels).index(name) for name in names])
    return found


def rotate(x, matrices, channels) -> np.ndarray:
    """Turn every complete triple of axes of each window by that window's matrix.

    Parameters
    ----------
    x : array of shape (n, window, c)
    matrices : array of shape (n, 3, 3)
    channels : sequence of str
        Names of the c columns; a triple with a missing axis cannot be turned and stays.
    """
    y = np.array(x, np.float32)
    for columns in triples(channels):
        y[..., columns] = np.einsum("nwc,ndc->nwd", y[..., columns], matrices.astype(np.float32))
    return y


def scale_movement(x, factors) -> np.ndarray:
    """Make each window's movement larger or smaller around its mean, which holds gravity."""
    mean = x.mean(axis=1, keepdims=True)
    return mean + (x - mean) * np.asarray(factors, np.float32)[:, None, None]


def add_noise(rng, x, sd) -> np.ndarray:
    """White noise; ``sd`` of shape (c,) in counts."""
    return x + rng.normal(size=x.shape).astype(np.float32) * np.asarray(sd, np.float32)


def vary(rng, x, channels, how: Augment) -> np.ndarray:
    """Rotation, size of movement and noise, then the sensor's range again.

    Parameters
    ----------
    rng : numpy.random.Generator
    x : float array of shape (n, window, c)
        Counts.

    Returns
    -------
    int16 array of the same shape
    """
    n = len(x)
    if how.gain:
        x = scale_movement(x, np.exp(rng.normal(size=n) * how.gain))
    if how.rotation_deg:
        x = rotate(x, rotations(rng, n, how.rotation_deg), channels)
    if how.noise_g or how.noise_dps:
        per_unit = units.counts_per_unit(channels)
        sd = [
            k * (how.noise_g if units.is_acceleration(c) else how.noise_dps)
            for k, c in zip(per_unit, channels, strict=True)
        ]
        x = add_noise(rng, x, sd)
    return np.clip(np.rint(x), -32768, 32767).astype(np.int16)


def mixup(rng, x, targets, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Weighted means of pairs of windows and of their targets; the larger weight stays with its own.

    Parameters
    ----------
    x : float array of shape (n, window, features)
    targets : float array of shape (n, labels)
    """
    other = rng.permutation(len(x))
    weight = rng.beta(alpha, alpha, size=(len(x), 1, 1)).astype(np.float32)
    weight = np.maximum(weight, 1 - weight)
    return x * weight + x[other] * (1 - weight), targets * weight[:, 0] + targets[other] * (1 - weight[:, 0])
