"""The registers of the virtual board, read out of the header that the firmware uses."""

from __future__ import annotations

import re
from functools import lru_cache

from ...toolchain import hardware_dir


@lru_cache(maxsize=1)
def registers() -> dict[str, int]:
    """Name without ``TKV_`` -> number, for every ``#define`` of ``hardware/virtual/tk_virtual.h``."""
    text = (hardware_dir() / "virtual" / "tk_virtual.h").read_text(encoding="utf-8")
    found = re.findall(r"^#define TKV_(\w+) (0x[0-9A-Fa-f]+|\d+)u\b", text, re.MULTILINE)
    return {name: int(value, 0) for name, value in found}
