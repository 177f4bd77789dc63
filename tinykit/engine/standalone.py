"""The engine with nothing in it that a plan doesn't use: what a firmware of its own would hold.

A board that is flashed once has all kernels. A program made for one network needs a table of kinds
(``tk_kinds.c``) with its own kinds only; the linker then drops all other kernels, their checks and
their helpers. Here such a program is built as far as its size tells: without start-up code, main and
the plan itself.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .. import toolchain
from ..errors import ModelError
from .elf import Elf, read_elf
from .plan import Plan
from .step import KINDS

# What a program calls: check the plan, give it memory, fill the input, run, read the output.
ENTRIES = ("tk_plan_open", "tk_engine_init", "tk_engine_input", "tk_engine_output", "tk_engine_run")

_ROW = re.compile(r"\[TK_(\w+)\]\s*=\s*\{[^{}]*\}")


@dataclass(frozen=True)
class Firmware:
    """The engine's code as one compiler builds it (Zig's Clang, -O2, Cortex-M4F).

    Parameters
    ----------
    kinds : tuple of str
        Kinds of op that it can run.
    flash_bytes : int
        Code and its constants; what it needs of the C library and of the compiler's helpers included.
    ram_bytes : int
        Static variables.
    parts : tuple of (name, bytes)
        Functions and tables, largest first.
    """

    kinds: tuple[str, ...]
    flash_bytes: int
    ram_bytes: int
    parts: tuple[tuple[str, int], ...]

    def __repr__(self) -> str:
        lines = [f"{self.flash_bytes:,} bytes of flash, {self.ram_bytes:,} of static RAM: {', '.join(self.kinds)}"]
        return "\n".join([*lines, *(f"  {size:>7,}  {name}" for name, size in self.parts)])


def kinds_source(kinds) -> str:
    """Text of a ``tk_kinds.c`` with these kinds only.

    Parameters
    ----------
    kinds : iterable of str
        Keys of ``step.KINDS``.

    Raises
    ------
    ModelError
        The engine's own table has no such kind.
    """
    text = _table().read_text(encoding="utf-8")
    rows = {row.group(1).lower(): row.group(0) for row in _ROW.finditer(text)}
    missing = sorted(set(kinds) - set(rows))
    if missing:
        raise ModelError(f"The engine has no kernel {missing[0]}.", "Compile the network again with this tinykit.")
    chosen = "".join(f"    {rows[kind]},\n" for kind in sorted(set(kinds), key=KINDS.__getitem__))
    return (
        "/* The kinds of op that one plan uses; the linker drops all other kernels. */\n"
        '#include "tk_kernels.h"\n\n'
        f"const tk_kind_entry tk_kinds[TK_KIND_END] = {{\n{chosen}}};\n"
    )


def sources(kinds, folder) -> list[Path]:
    """All C files of an engine with these kinds only; its table of kinds is written into a folder."""
    table = Path(folder) / _table().name
    table.write_text(kinds_source(kinds), encoding="utf-8")
    return [table if path.name == table.name else path for path in toolchain.engine_sources()]


def stand_alone(plan: Plan) -> Firmware:
    """The engine with the kinds that a plan uses."""
    return _built(tuple(sorted({layer.kind for layer in plan.ops}, key=KINDS.__getitem__)))


def whole_engine() -> Firmware:
    """The engine with every kind, as the firmware that is flashed once holds it."""
    return _firmware(tuple(KINDS), engine_image())


@lru_cache(maxsize=1)
def engine_image() -> Elf:
    """The engine with every kind; its ops can be called one by one."""
    keep = (*ENTRIES, "tk_engine_step")
    return read_elf(toolchain.arm_image(toolchain.engine_sources(), include_dirs(), name="engine", keep=keep))


@lru_cache(maxsize=64)
def _built(kinds: tuple[str, ...]) -> Firmware:
    with tempfile.TemporaryDirectory(prefix="tinykit-") as folder:
        image = read_elf(toolchain.arm_image(sources(kinds, folder), include_dirs(), name="alone", keep=ENTRIES))
    return _firmware(kinds, image)


def _firmware(kinds: tuple[str, ...], image: Elf) -> Firmware:
    flash = sum(len(segment.data) for segment in image.segments)
    ram = sum(size for name, (_, size) in image.sections.items() if name in (".data", ".bss"))
    return Firmware(kinds, flash, ram, _parts(image))


def include_dirs() -> list[Path]:
    """Folders of the headers that the engine's sources include."""
    hardware = toolchain.hardware_dir()
    return [hardware / "TinyKit" / "src", hardware / "virtual" / "libc"]


def _table() -> Path:
    return next(path for path in toolchain.engine_sources() if path.name == "tk_kinds.c")


def _parts(image: Elf) -> tuple[tuple[str, int], ...]:
    """Functions and tables; of several names for one place the shortest."""
    sizes: dict[int, tuple[str, int]] = {}
    for start, end, name in (*image.functions, *image.objects):
        if end > start and (start not in sizes or len(name) < len(sizes[start][0])):
            sizes[start] = name, end - start
    return tuple(sorted(sizes.values(), key=lambda part: (-part[1], part[0])))
