"""IMU counts to features and to network input, by the same C code that the board runs."""

from __future__ import annotations

import ctypes

import numpy as np

from ..errors import DataError
from ..pipeline import IMU_CHANNELS, ImuFrontEnd, Pipeline
from .core import check, load_core
from .section import pack_section

_BAD_RATE = -30  # TK_ERR_RATE in hardware/TinyKit/src/tk_status.h


def features(counts, front_end: ImuFrontEnd) -> np.ndarray:
    """Features as the network sees them before quantisation.

    Parameters
    ----------
    counts : array of int16, shape (n, window, channels)
        IMU counts (8192 a g, 16.384 a degree per second), the front end's channels only.
    front_end : ImuFrontEnd
        An empty ``scale`` counts as all ones: features in counts.

    Returns
    -------
    array of float32, shape (n, window, features)
        The device's integer features times their scale, rounded once.

    Raises
    ------
    DataError
        ``counts`` has the wrong type or shape.
    ModelError
        The device can't compute this front end.
    """
    counts = _checked(counts, front_end)
    scale = front_end.scale or (1.0,) * len(front_end.features)
    out = np.empty((*counts.shape[:2], len(front_end.features)), np.int32)
    section = _section(front_end, counts.shape[1], (1.0,) * len(front_end.features), 1.0, 0)
    core = load_core()
    check(
        core.tk_batch_features(section, len(section), counts.ctypes.data, len(counts), out.ctypes.data),
        "compute these features",
    )
    return (out * np.asarray(scale, np.float64)).astype(np.float32)


def quantized(counts, front_end: ImuFrontEnd, scale: float, zero_point: int) -> np.ndarray:
    """Network input, bit for bit as the board computes it.

    Parameters
    ----------
    counts : array of int16, shape (n, window, channels)
    front_end : ImuFrontEnd
        With one scale per feature.
    scale, zero_point : float, int
        Quantisation of the network's int8 input.

    Returns
    -------
    array of int8, shape (n, window, features)

    Raises
    ------
    DataError, ModelError
        As ``features``; also when the scales are out of the device's range.
    """
    counts = _checked(counts, front_end)
    out = np.empty((*counts.shape[:2], len(front_end.features)), np.int8)
    section = _section(front_end, counts.shape[1], front_end.scale, scale, zero_point)
    core = load_core()
    check(
        core.tk_batch_quantized(section, len(section), counts.ctypes.data, len(counts), out.ctypes.data),
        "quantise these features",
    )
    return out


def resample(counts, from_hz: float, to_hz: float) -> np.ndarray:
    """Samples at another rate, as the board makes them.

    Straight lines between samples when the rate rises, their mean over one output period when it
    falls, unchanged when the rates are within 2 % of each other (hardware/TinyKit/src/tk_resample.h).
    Rates are rounded to thousandths of a hertz.

    Parameters
    ----------
    counts : array of int16, shape (samples, channels)
        At most six channels.
    from_hz, to_hz : float

    Returns
    -------
    array of int16, shape (about samples * to_hz / from_hz, channels)
        The first output is at the first input's time; the last one needs all input around it.

    Raises
    ------
    DataError
        ``counts`` has the wrong type or shape.
    ModelError
        A rate is zero, above 4 kHz, or the two are more than 64 times apart.
    """
    counts = np.asarray(counts)
    if counts.ndim != 2 or counts.dtype != np.int16 or not 1 <= counts.shape[1] <= len(IMU_CHANNELS):
        raise DataError(
            f"Resampling takes int16 of shape (samples, 1 to 6 channels), got {counts.dtype} {counts.shape}.",
            "Convert with tinykit.data.units.to_counts.",
        )
    rates = [round(hz * 1000) for hz in (from_hz, to_hz)]
    doing = f"resample {from_hz:g} Hz to {to_hz:g} Hz"
    if not all(0 < rate < 1 << 32 for rate in rates):
        check(_BAD_RATE, doing)
    padded = np.zeros((len(counts), len(IMU_CHANNELS)), np.int16)
    padded[:, : counts.shape[1]] = counts
    room = max(len(counts), len(counts) * rates[1] // rates[0]) + 2
    out = np.empty((room, len(IMU_CHANNELS)), np.int16)
    made = ctypes.c_size_t()
    check(
        load_core().tk_batch_resample(
            *rates, padded.ctypes.data, len(padded), out.ctypes.data, len(out), ctypes.byref(made)
        ),
        doing,
    )
    return out[: made.value, : counts.shape[1]].copy()


def _checked(counts, front_end: ImuFrontEnd) -> np.ndarray:
    counts = np.asarray(counts)
    if counts.ndim != 3 or counts.dtype != np.int16 or counts.shape[2] != len(front_end.channels):
        raise DataError(
            f"The front end takes int16 counts of shape (n, window, {len(front_end.channels)}) for "
            f"{', '.join(front_end.channels)}, got {counts.dtype} {counts.shape}.",
            "Cut windows with Dataset.windows(..., channels=front_end.channels).",
        )
    return np.ascontiguousarray(counts)


def _section(front_end: ImuFrontEnd, window: int, scales, input_scale: float, zero_point: int) -> bytes:
    # The device checks whole pipelines only; labels and rate play no part in the front end.
    front_end = ImuFrontEnd(front_end.channels, front_end.center, front_end.magnitude, tuple(scales))
    pipeline = Pipeline("front end", "gesture", 119.0, window, 1, front_end, ("any",))
    return pack_section(pipeline, input_scale, zero_point)


def checked(counts, pipeline) -> np.ndarray:
    """Windows of IMU counts as an array, once their shape is the pipeline's.

    Raises
    ------
    DataError
        The shape is not ``(n, window, channels)`` of the pipeline.
    """
    counts = np.asarray(counts)
    channels = pipeline.front_end.channels
    if counts.ndim != 3 or counts.shape[1:] != (pipeline.window, len(channels)):
        raise DataError(
            f"The windows have shape {counts.shape}; expected (n, {pipeline.window}, {len(channels)}) for "
            f"{','.join(channels)}.",
            "Cut them with dataset.windows(...), with the pipeline's window, rate and channels.",
        )
    return counts
