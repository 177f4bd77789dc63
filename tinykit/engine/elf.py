"""Just enough of ELF to load an image for a 32-bit Arm core."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from ..errors import ModelError

_LOAD, _SYMTAB = 1, 2
_OBJECT, _FUNCTION = 1, 2


@dataclass(frozen=True)
class Segment:
    """A piece of the image: ``data`` lies at ``physical`` in flash and belongs at ``virtual``."""

    physical: int
    virtual: int
    data: bytes
    memory_bytes: int


@dataclass(frozen=True)
class Elf:
    """An image.

    Attributes
    ----------
    entry : int
        Address of the first instruction (bit 0 set: Thumb).
    segments : tuple of Segment
    symbols : dict of str to int
        Addresses of functions (bit 0 clear), data and linker-script names.
    functions : tuple of (start, end, name)
        Sorted by address.
    sections : dict of str to (address, bytes)
    objects : tuple of (start, end, name)
        Tables and variables.
    """

    entry: int
    segments: tuple[Segment, ...]
    symbols: dict[str, int]
    functions: tuple[tuple[int, int, str], ...]
    sections: dict[str, tuple[int, int]]
    objects: tuple[tuple[int, int, str], ...] = ()


def read_elf(path) -> Elf:
    """Parse a little-endian 32-bit Arm ELF file.

    Raises
    ------
    ModelError
        It is not such a file.
    """
    raw = Path(path).read_bytes()
    if raw[:6] != b"\x7fELF\x01\x01" or struct.unpack_from("<H", raw, 18)[0] != 40:
        raise ModelError(f"{path} is not a 32-bit Arm ELF image.", "Build it with toolchain.arm_image.")
    entry, phoff, shoff = struct.unpack_from("<III", raw, 24)
    phsize, phnum, shsize, shnum, shnames = struct.unpack_from("<HHHHH", raw, 42)

    segments = []
    for at in range(phoff, phoff + phnum * phsize, phsize):
        kind, offset, virtual, physical, size, memory = struct.unpack_from("<IIIIII", raw, at)
        if kind == _LOAD and memory:
            segments.append(Segment(physical, virtual, raw[offset : offset + size], memory))

    headers = [struct.unpack_from("<IIIIIIIIII", raw, shoff + i * shsize) for i in range(shnum)]
    names = headers[shnames][4] if shnum else 0
    sections = {_text(raw, names + h[0]): (h[3], h[5]) for h in headers if h[2] & 2}  # SHF_ALLOC

    symbols, functions, objects = {}, [], []
    for header in headers:
        if header[1] != _SYMTAB:
            continue
        strings = headers[header[6]][4]
        for at in range(header[4], header[4] + header[5], 16):
            name, value, size, info, _, section = struct.unpack_from("<IIIBBH", raw, at)
            text = _text(raw, strings + name)
            if not text or text.startswith("$") or not section:
                continue
            if info & 15 == _FUNCTION:
                value &= ~1
                functions.append((value, value + size, text))
            elif info & 15 == _OBJECT and size:
                objects.append((value, value + size, text))
            symbols[text] = value
    return Elf(entry, tuple(segments), symbols, tuple(sorted(functions)), sections, tuple(objects))


def _text(raw: bytes, at: int) -> str:
    return raw[at : raw.index(0, at)].decode("utf-8", "replace")
