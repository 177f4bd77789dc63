"""The firmware image of the virtual board, built from the checkout or the installed package."""

from __future__ import annotations

from pathlib import Path

from ...toolchain import arm_image, core_sources, hardware_dir


def board_image(sketch=None, sources=None) -> Path:
    """ELF image of a sketch with the Arduino stand-ins; cached by content.

    Parameters
    ----------
    sketch : path, optional
        An Arduino sketch. Default: ``hardware/TinyKit/examples/Board/Board.ino``.
    sources : iterable of path, optional
        C files linked to it. Default: the device core.

    Raises
    ------
    BuildError
        It does not compile, or does not fit into 0x10000-0x50000.
    """
    virtual = hardware_dir() / "virtual"
    core = hardware_dir() / "TinyKit"
    sketch = Path(sketch or core / "examples" / "Board" / "Board.ino")
    return arm_image(
        [
            virtual / "start.c",
            virtual / "core.cpp",
            sketch,
            *(core_sources() if sources is None else sources),
        ],
        [virtual, virtual / "arduino", virtual / "libc", core / "src"],
        linker_script=virtual / "virtual.ld",
        name=sketch.stem.lower(),
        flags=["-DTINYKIT_VIRTUAL"],
    )
