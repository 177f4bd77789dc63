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
    """``features`` for windows of IMU counts."""
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
    """``quantized`` for windows of IMU counts."""
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
