"""Windows to features, by the C code that also runs on the board."""

from .core import load_core
from .imu import checked, features, quantized, resample
from .section import pack_section, probabilities_of, unpack_section

__all__ = [
    "checked",
    "features",
    "load_core",
    "pack_section",
    "probabilities_of",
    "quantized",
    "resample",
    "unpack_section",
]
