"""The registers between the emulated core and the devices; see ``hardware/virtual/bus.c``."""

from __future__ import annotations

import ctypes
from functools import lru_cache

from ... import toolchain
from ...engine.cortex import CLOCK_HZ
from .registers import registers

CYCLES_PER_US = CLOCK_HZ // 1_000_000
_WORDS, _KEPT_READ, _KEPT_WRITE = 128, 1, 2
_READ = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_uint32)
_WRITE = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32)


class Bus(ctypes.Structure):
    """Registers of one board.

    Attributes
    ----------
    cycles_from, idle_us : int
        The clock: microseconds that passed without cycles, and since when cycles count.
    imu_due_us : int
        Until then the number of waiting samples stays as it is. 0: ask.
    rx_waiting : int
        0 when surely no byte waits.
    """

    _fields_ = [
        ("counter", ctypes.c_void_p), ("read", _READ), ("write", _WRITE), ("cycles_from", ctypes.c_uint64),
        ("idle_us", ctypes.c_uint64), ("imu_due_us", ctypes.c_uint64), ("cycles_a_us", ctypes.c_uint32),
        ("rx_waiting", ctypes.c_uint32), ("word", ctypes.c_uint32 * _WORDS), ("kept", ctypes.c_uint8 * _WORDS),
    ]  # fmt: skip

    def connect(self, core, read, write, kept_reads=(), kept_writes=()) -> None:
        """Put the registers before a core.

        Parameters
        ----------
        core : Cortex
        read, write : callable
            What Python does: ``read(offset) -> int``, ``write(offset, value)``.
        kept_reads, kept_writes : iterable of str
            Registers that only give what was put there, or only keep what is written.
        """
        names = registers()
        for name in kept_reads:
            self.kept[names[name] // 4] |= _KEPT_READ
        for name in kept_writes:
            self.kept[names[name] // 4] |= _KEPT_WRITE
        self.counter, self.cycles_a_us = core.counter_address, CYCLES_PER_US
        self.read, self.write = _READ(core.guarded(read)), _WRITE(core.guarded(write))
        library = _library()
        core.map_registers(names["BASE"], library.tkv_bus_read, library.tkv_bus_write, ctypes.addressof(self))

    def __getitem__(self, name: str) -> int:
        """What a register keeps."""
        return self.word[registers()[name] // 4]

    def __setitem__(self, name: str, value: int) -> None:
        self.word[registers()[name] // 4] = value


@lru_cache(maxsize=1)
def _library():
    folder = toolchain.hardware_dir() / "virtual"
    return ctypes.CDLL(str(toolchain.host_library([folder / "bus.c"], [folder], name="bus")))
