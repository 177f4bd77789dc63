"""Units of the room: g, deg/s and full scale outside, int16 counts where the device begins.

The counts are those of the LSM9DS1 as Arduino's library sets it (data sheet DocID025715,
table 3, rounded to a power of two on the acceleration side): +-4 g over int16 gives
8192 counts per g, +-2000 deg/s gives 16.384 counts per deg/s. Sound is in full scale, -1 to
just below 1: 32768 counts, so that int16 becomes float32 and int16 again without loss.
"""

from __future__ import annotations

import math

import numpy as np

from ..errors import DataError
from ..pipeline import IMU_CHANNELS

CHANNELS = IMU_CHANNELS
ACCELERATION, ANGULAR_RATE = CHANNELS[:3], CHANNELS[3:]
SOUND = ("audio",)

COUNTS_PER_G = 8192.0
COUNTS_PER_DPS = 16.384
RANGE_G = 4.0
RANGE_DPS = 2000.0
RATE_HZ = 119.0
COUNTS_FULL_SCALE = 32768.0
SOUND_RATE_HZ = 16000.0
_COUNTS = {
    **dict.fromkeys(ACCELERATION, COUNTS_PER_G),
    **dict.fromkeys(ANGULAR_RATE, COUNTS_PER_DPS),
    "audio": COUNTS_FULL_SCALE,
}
# The slow sensors': counts in one unit, and the unit ("": the sensor's own counts). tk_environment.c says the same.
ENVIRONMENT = {
    "temperature": (100.0, "°C"), "humidity": (100.0, "%"), "pressure": (25.0, "hPa"), "red": (1.0, ""),
    "green": (1.0, ""), "blue": (1.0, ""), "clear": (1.0, ""), "proximity": (1.0, ""),
}  # fmt: skip
_COUNTS.update({name: counts for name, (counts, _) in ENVIRONMENT.items()})

STANDARD_GRAVITY = 9.80665  # m/s2 in one g (ISO 80000-3)
_DEGREES = 180.0 / math.pi

# Spelling as found in files -> factor to this room's unit.
_TO_G = {"g": 1.0, "mg": 1e-3, "m/s2": 1 / STANDARD_GRAVITY, "counts": 1 / COUNTS_PER_G}
_TO_DPS = {"deg/s": 1.0, "mdeg/s": 1e-3, "rad/s": _DEGREES, "counts": 1 / COUNTS_PER_DPS}
_SPELLINGS = {
    "m/s2": ("m/s2", "m/s^2", "m/s²", "ms-2", "ms2", "m/ss", "m/s/s", "m.s-2", "meters/s2"),
    "g": ("g", "gs", "gee", "gravity", "g-force"),
    "mg": ("mg", "millig"),
    "deg/s": ("deg/s", "dps", "°/s", "degrees/s", "deg/sec", "degree/s", "degs"),
    "mdeg/s": ("mdeg/s", "mdps"),
    "rad/s": ("rad/s", "rads", "radians/s", "rps", "rad/sec"),
    "counts": ("counts", "count", "lsb", "raw"),
}
_CANONICAL = {spelling: unit for unit, spellings in _SPELLINGS.items() for spelling in spellings}


def is_acceleration(channel: str) -> bool:
    """Whether a channel is one of ``aX, aY, aZ``."""
    return channel in ACCELERATION


def counts_per_unit(channels) -> np.ndarray:
    """Counts in one g, one deg/s or full scale, per channel: float64 of shape (c,).

    Raises
    ------
    DataError
        A channel is none of ``CHANNELS`` and not ``"audio"``.
    """
    unknown = [c for c in channels if c not in _COUNTS]
    if unknown:
        raise DataError(
            f"There is no channel {unknown[0]!r}; the IMU's channels are {', '.join(CHANNELS)}, sound's is audio.",
            "Rename the column, or leave it out.",
        )
    return np.array([_COUNTS[c] for c in channels])


def told(channels) -> str:
    """What the samples of these channels are in, in words."""
    return "of full scale" if tuple(channels) == SOUND else "acceleration in g, angular rate in deg/s"


def to_counts(x, channels) -> np.ndarray:
    """Samples in g, deg/s and full scale as the sensor would count them.

    Rounds half away from zero and saturates at the int16 range, as the sensor does.

    Parameters
    ----------
    x : array of shape (..., c)
        Acceleration in g, angular rate in deg/s, sound in full scale.
    channels : sequence of str
        The c names of the last axis, out of ``CHANNELS``, or ``"audio"``.

    Returns
    -------
    int16 array of the same shape

    Raises
    ------
    DataError
        Channel count and last axis differ, or a value is not a number.
    """
    x = np.asarray(x, np.float64)
    factors = counts_per_unit(channels)
    if x.ndim == 0 or x.shape[-1] != len(factors):
        raise DataError(
            f"The samples have {x.shape[-1] if x.ndim else 0} columns, the channels are {len(factors)}.",
            "Give one name per column.",
        )
    scaled = x * factors
    if np.isnan(scaled).any():
        raise DataError("A sample is not a number (NaN).", "Leave the recording out, or mend the row.")
    rounded = np.trunc(scaled + np.copysign(0.5, scaled))
    return np.clip(rounded, -32768, 32767).astype(np.int16)


def to_units(counts, channels) -> np.ndarray:
    """Counts as float32 in g, deg/s and full scale; shape (..., c), the inverse of ``to_counts``."""
    return (np.asarray(counts, np.float64) / counts_per_unit(channels)).astype(np.float32)


def unit_name(text: str) -> str | None:
    """The room's spelling of a unit (``"m/s^2"`` -> ``"m/s2"``), or None if unknown."""
    return _CANONICAL.get(text.strip().lower().replace(" ", ""))


def unit_factor(unit: str, channel: str) -> float:
    """Factor from ``unit`` to g (``aX..aZ``) or deg/s (``gX..gZ``).

    Raises
    ------
    DataError
        The unit does not measure what the channel measures.
    """
    table = _TO_G if is_acceleration(channel) else _TO_DPS
    name = unit_name(unit)
    if name not in table:
        raise DataError(
            f"Channel {channel} is in {unit!r}; expected one of {', '.join(table)}.",
            "Correct the unit in the file, or state it when opening.",
        )
    return table[name]
