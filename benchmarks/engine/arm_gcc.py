"""The engine as the Arduino tools would build it: arm-none-eabi-gcc for the Cortex-M4F, newlib-nano."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

from tinykit import toolchain
from tinykit.engine.elf import Elf, read_elf
from tinykit.engine.standalone import ENTRIES, sources
from tinykit.engine.step import KINDS

GCC = "arm-none-eabi-gcc"
# What the Arduino core of the Nano 33 BLE says of processor and floats; warnings count.
FLAGS = ["-std=gnu11", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=softfp", "-mfpu=fpv4-sp-d16",
         "-Wall", "-Wextra", "-Werror", "-ffunction-sections", "-fdata-sections"]  # fmt: skip
LINK = ["--specs=nano.specs", "--specs=nosys.specs", "-nostartfiles", "-Wl,--gc-sections",
        "-Wl,--no-warn-rwx-segments"]  # fmt: skip


def version() -> str | None:
    """Its version, or None when it is not installed."""
    if shutil.which(GCC) is None:
        return None
    return subprocess.run([GCC, "-dumpfullversion"], capture_output=True, text=True).stdout.strip()


@lru_cache(maxsize=64)
def image(kinds: tuple[str, ...] = tuple(KINDS), level: str = "-O2", step: bool = True) -> Elf:
    """The engine with these kinds of op. ``step``: with ``tk_engine_step``, which a program does not need.

    Raises
    ------
    RuntimeError
        It does not compile without a warning.
    """
    keep = (*ENTRIES, "tk_engine_step") if step else ENTRIES
    script = toolchain.hardware_dir() / "virtual" / "bare.ld"
    headers = toolchain.hardware_dir() / "TinyKit" / "src"
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "engine.elf"
        command = [GCC, *FLAGS, level, f"-I{headers}", *map(str, sources(kinds, folder)), *LINK,
                   *(f"-Wl,-u,{name}" for name in keep), f"-T{script}", "-o", str(target)]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            # The linker of some versions does not know that a warning of its own can be silenced.
            command.remove("-Wl,--no-warn-rwx-segments")
            done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{GCC} {level}: {done.stderr[:3000]}")
        return read_elf(target)


def flash_bytes(kinds: tuple[str, ...], level: str = "-O2") -> int:
    """Flash of a program's engine with these kinds of op only."""
    return sum(len(segment.data) for segment in image(kinds, level, step=False).segments)
