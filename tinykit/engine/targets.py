"""Boards by name: what a network may take on each, and where that is written."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ModelError
from .plan import ARENA_BYTES, SLOT_BYTES

KB = 1024
_STACK = 4 * KB


@dataclass(frozen=True)
class Target:
    """A board that a network is to run on.

    Parameters
    ----------
    name, title : str
        For programs, and for people.
    clock_hz : float
    flash_bytes : int
        For the plan on a board with tinykit's firmware; else for everything.
    ram_bytes : int
        For the arena on a board with tinykit's firmware; else for everything.
    firmware : bool
        Whether tinykit's firmware runs on it, flashed once; else a program made for the network alone.
    sources : tuple of str
        Where the figures stand, and what they leave out.
    """

    name: str
    title: str
    clock_hz: float
    flash_bytes: int
    ram_bytes: int
    firmware: bool
    sources: tuple[str, ...]

    @property
    def reserved_ram(self) -> int:
        """RAM that is kept for the stack, where no firmware has divided it already."""
        return 0 if self.firmware else _STACK


_ALONE = (
    "a program for this network alone: plan, engine code, front end; start-up, drivers and radio are not counted",
    f"{_STACK // KB} KB of RAM are kept for the stack",
)
_CYCLES = "cycles as on the Nano, at this clock: wait states of this chip's flash are not counted"


def _alone(name, title, mhz, flash_kb, ram_kb, source):
    return Target(name, title, mhz * 1e6, flash_kb * KB, ram_kb * KB, False, (source, *_ALONE, _CYCLES))


TARGETS = {
    target.name: target
    for target in (
        Target(
            "nano33ble", "Nano 33 BLE Sense", 64e6, SLOT_BYTES, ARENA_BYTES, True,
            (
                "nRF52840 product specification v1.1: 1 MB of flash, 256 KB of RAM, 64 MHz",
                f"tinykit's firmware gives a plan one of two slots of {SLOT_BYTES // KB} KB and an arena of "
                f"{ARENA_BYTES // KB} KB (hardware/TinyKit/examples/Board)",
            ),
        ),
        _alone("microbit-v2", "BBC micro:bit V2", 64, 512, 128,
               "nRF52833 product specification: 512 KB of flash, 128 KB of RAM, Cortex-M4F at 64 MHz"),
        _alone("nicla-sense-me", "Arduino Nicla Sense ME", 64, 512, 64,
               "nRF52832 product specification: 512 KB of flash, 64 KB of RAM, Cortex-M4F at 64 MHz"),
        _alone("nucleo-l432kc", "ST Nucleo-L432KC", 80, 256, 64,
               "STM32L432KC data sheet: 256 KB of flash, 64 KB of RAM, Cortex-M4F at 80 MHz"),
        _alone("m4f-32k", "smallest Cortex-M4F (128 KB of flash, 32 KB of RAM)", 64, 128, 32,
               "no board in particular: the size of the smallest chips with this core"),
    )
}  # fmt: skip


def target(name: str | Target) -> Target:
    """A board by name.

    Raises
    ------
    ModelError
        There is none of that name; it says which there are.
    """
    if isinstance(name, Target):
        return name
    found = TARGETS.get(str(name).lower())
    if found is None:
        raise ModelError(f"There is no board {name!r} in the list.", f"Take one of {', '.join(TARGETS)}.")
    return found
