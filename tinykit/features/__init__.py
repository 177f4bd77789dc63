"""Windows and sounds to features, by the C code that also runs on the board."""

from .core import load_core
from .imu import resample
from .mel import pack_front, unpack_front
from .section import pack_section, probabilities_of, unpack_section
from .sound import frames, quantized_frames
from .windows import checked, features, quantized

__all__ = [
    "checked",
    "features",
    "frames",
    "load_core",
    "pack_front",
    "pack_section",
    "probabilities_of",
    "quantized",
    "quantized_frames",
    "resample",
    "unpack_front",
    "unpack_section",
]
