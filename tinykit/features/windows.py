"""Windows to features, whatever the sensor."""

from __future__ import annotations

import numpy as np

from ..errors import DataError
from ..pipeline import ImuFrontEnd, MelFrontEnd
from . import imu, sound


def features(counts, front_end: ImuFrontEnd | MelFrontEnd) -> np.ndarray:
    """Features as the network sees them before quantisation.

    Parameters
    ----------
    counts : array of int16, shape (n, window, channels)
        IMU counts (8192 a g, 16.384 a degree per second), the front end's channels only; or sound
        (32768 is full scale), one channel, also as (n, window).
    front_end : ImuFrontEnd or MelFrontEnd
        An empty ``scale`` counts as all ones, an empty ``mean`` as zeros.

    Returns
    -------
    array of float32, shape (n, rows, features)
        rows = ``front_end.rows(window)``. For an IMU the device's integer features times their
        scale, rounded once; for sound the device's float32 features, minus mean, times scale.

    Raises
    ------
    DataError
        ``counts`` has the wrong type or shape.
    ModelError
        The device can't compute this front end.
    """
    if isinstance(front_end, MelFrontEnd):
        return sound.clip_features(counts, front_end)
    return imu.features(counts, front_end)


def quantized(counts, front_end: ImuFrontEnd | MelFrontEnd, scale: float, zero_point: int) -> np.ndarray:
    """Network input, bit for bit as the board computes it.

    Parameters
    ----------
    counts, front_end
        As for ``features``; an IMU front end needs one scale per feature.
    scale, zero_point : float, int
        Quantisation of the network's int8 input.

    Returns
    -------
    array of int8, shape (n, rows, features)

    Raises
    ------
    DataError, ModelError
        As ``features``; also when the scales are out of the device's range.
    """
    if isinstance(front_end, MelFrontEnd):
        return sound.clip_quantized(counts, front_end, scale, zero_point)
    return imu.quantized(counts, front_end, scale, zero_point)


def checked(counts, pipeline) -> np.ndarray:
    """Windows as an array, once their shape is the pipeline's.

    Sound may come as (n, window); it leaves as (n, window, 1).

    Raises
    ------
    DataError
        The shape is not ``(n, window, channels)`` of the pipeline.
    """
    counts = np.asarray(counts)
    channels = pipeline.front_end.channels
    if len(channels) == 1 and counts.ndim == 2 and counts.shape[1] == pipeline.window:
        counts = counts[:, :, None]
    if counts.ndim != 3 or counts.shape[1:] != (pipeline.window, len(channels)):
        raise DataError(
            f"The windows have shape {counts.shape}; expected (n, {pipeline.window}, {len(channels)}) for "
            f"{','.join(channels)}.",
            "Cut them with dataset.windows(...), with the pipeline's window, rate and channels.",
        )
    return counts
