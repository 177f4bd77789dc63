"""An emulated Cortex-M4F with the memory of the nRF52840, that counts what it does.

The emulator is unicorn. C hooks (``hardware/virtual/count.c``) count instructions and estimated cycles
by basic block; each block is decoded once (``engine.cycles``). Counting costs a twentieth of the
speed, so it is always on: code runs at several hundred million instructions a second.
"""

from __future__ import annotations

import bisect
import ctypes
import struct
import weakref
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .. import toolchain
from ..errors import TinykitError
from .cycles import block_cost
from .elf import Elf, read_elf

CLOCK_HZ = 64_000_000
FLASH_BYTES = 1 << 20
SKETCH = 0x1_0000  # where the Nano's bootloader starts the sketch: its vector table
RAM_BASE, RAM_BYTES = 0x2000_0000, 256 * 1024
STACK_TOP = RAM_BASE + RAM_BYTES
_SYSTEM = 0xE000_E000  # NVIC, CPACR: plain memory here
_RETURN = 0xF_FF00  # calls return to here: in the last page of flash, which nothing uses
_NOWHERE = 0xFFFF_FFFF
_NEVER = 2**64 - 1
_INTERRUPT_CYCLES, _FRAME_BYTES = 12 + 12, 104  # in and out of it; what the core stacks, FPU included
_IT_BITS = 0x0600_FC00  # of xPSR: in the middle of an IT block


class CoreFault(TinykitError):
    """The emulated core did what the real one would answer with a fault."""


_BLOCK = np.dtype([("runs", "<u4"), ("taken", "<u4"), ("bytes", "<u2"), ("instructions", "<u2"),
                   ("cycles", "<u2"), ("extra", "<u2")])  # fmt: skip
_DECODE = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32)


class _Counter(ctypes.Structure):
    # tkv_counter in hardware/virtual/count.c
    _fields_ = [(n, ctypes.c_void_p) for n in ("stop", "get", "set", "decode", "blocks")]
    _fields_ += [(n, ctypes.c_uint32) for n in ("halfwords", "last", "last_end", "reserved")]
    _fields_ += [(n, ctypes.c_uint64) for n in ("instructions", "cycles", "stepped", "budget", "alarm")]


@dataclass
class Count:
    """What a piece of work cost, all in basic blocks.

    Attributes
    ----------
    instructions : int
        Executed, those that IT skips included.
    cycles : int
        Estimated (see ``engine.cycles``).
    """

    instructions: int = 0
    cycles: int = 0

    @property
    def microseconds(self) -> float:
        """Estimated time at the Nano's 64 MHz."""
        return self.cycles / (CLOCK_HZ / 1e6)


class Cortex:
    """A Cortex-M4F, 1 MB of flash at 0 and 256 kB of RAM at 0x20000000.

    Flash can't be written by the running code (as on the chip); Python writes it through
    ``write`` or straight into ``flash``.

    Parameters
    ----------
    registers : (address, read, write), optional
        A 4 kB block of device registers: ``read(offset) -> int`` and ``write(offset, value)``
        are called at each access.

    Attributes
    ----------
    flash, ram : memoryview of bytes
    uc : unicorn.Uc
    image : Elf or None
        What ``load`` loaded last.
    """

    def __init__(self, registers=None):
        import unicorn
        from unicorn import arm_const as arm

        self._arm = arm
        self._flash = (ctypes.c_ubyte * FLASH_BYTES)()
        self._ram = (ctypes.c_ubyte * RAM_BYTES)()
        self.flash = memoryview(self._flash).cast("B")
        self.ram = memoryview(self._ram).cast("B")
        self.flash[:] = b"\xff" * FLASH_BYTES
        self.image: Elf | None = None
        self._blocks = np.zeros(FLASH_BYTES // 2, _BLOCK)
        self._failure: BaseException | None = None
        self._interrupted = self._context = None  # where an interrupt came in between
        self._limit_hook = None

        uc = self.uc = unicorn.Uc(
            unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS, cpu=arm.UC_CPU_ARM_CORTEX_M4
        )
        read_execute = unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC
        uc.mem_map_ptr(0, FLASH_BYTES, read_execute, ctypes.addressof(self._flash))
        uc.mem_map_ptr(RAM_BASE, RAM_BYTES, unicorn.UC_PROT_ALL, ctypes.addressof(self._ram))
        uc.mem_map(_SYSTEM, 0x1000, unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE)
        if registers is not None:
            address, read, write = registers
            on_read = self.guarded(lambda _uc, offset, _size, _data: read(offset) & _NOWHERE)
            on_write = self.guarded(lambda _uc, offset, _size, value, _data: write(offset, value))
            uc.mmio_map(address, 0x1000, on_read, None, on_write, None)
        # CPACR: full access to the FPU, which is off after reset.
        uc.reg_write(arm.UC_ARM_REG_C1_C0_2, 0xF << 20)
        uc.reg_write(arm.UC_ARM_REG_FPEXC, 1 << 30)

        this = weakref.ref(self)  # a strong one would make a cycle through ctypes, which Python can't collect
        self._decode = _DECODE(self.guarded(lambda address, size: this()._decode_block(address, size)))
        functions = _library().uc_emu_stop, _library().uc_reg_read, _library().uc_reg_write
        self._counter = _Counter(
            *(ctypes.cast(f, ctypes.c_void_p).value for f in functions),
            decode=ctypes.cast(self._decode, ctypes.c_void_p).value,
            blocks=self._blocks.ctypes.data,
            halfwords=len(self._blocks),
            last=_NOWHERE,
            budget=_NEVER,
            alarm=_NEVER,
        )
        self._hook(unicorn.UC_HOOK_BLOCK, "tkv_on_block")
        uc.ctl_set_tlb_mode(unicorn.UC_TLB_VIRTUAL)
        self._hook(unicorn.UC_HOOK_TLB_FILL, "tkv_on_page")

    @property
    def counter_address(self) -> int:
        """Where the hooks' ``tkv_counter`` is, in this process."""
        return ctypes.addressof(self._counter)

    def map_registers(self, address: int, read, write, user: int) -> None:
        """A 4 kB block of device registers that C functions serve (unicorn's ``uc_mmio_map``)."""
        read, write, user = (ctypes.cast(p, ctypes.c_void_p) for p in (read, write, user))
        address, size = ctypes.c_uint64(address), ctypes.c_size_t(0x1000)
        status = _library().uc_mmio_map(self.uc._uch, address, size, read, user, write, user)
        if status:
            raise CoreFault(f"The emulator refused registers (error {status}).", "Run tinykit doctor.")

    # -- memory ---------------------------------------------------------------------------------

    def load(self, path, physical: bool = False) -> Elf:
        """Put an ELF image into memory and return it.

        Parameters
        ----------
        path : path or Elf
        physical : bool
            True: as a programmer flashes it (the start-up code then copies data into RAM).
            False: each segment where it belongs when running, so that functions can be called.
        """
        image = path if isinstance(path, Elf) else read_elf(path)
        for segment in image.segments:
            at = segment.physical if physical else segment.virtual
            if physical and not segment.data:
                continue
            fill = b"" if physical else bytes(segment.memory_bytes - len(segment.data))
            self.write(at, segment.data + fill)
        self.image = image
        self._blocks[:] = 0
        self.uc.ctl_flush_tb()
        return image

    def read(self, address: int, size: int) -> bytes:
        """Copy ``size`` bytes out of flash or RAM."""
        memory, at = self._place(address, size)
        return bytes(memory[at : at + size])

    def write(self, address: int, data: bytes) -> None:
        """Copy bytes into flash or RAM (flash too: this is the programmer, not the core)."""
        memory, at = self._place(address, len(data))
        memory[at : at + len(data)] = data

    def symbol(self, name: str) -> int:
        """Address of a function or variable of the loaded image."""
        if self.image is None or name not in self.image.symbols:
            raise CoreFault(f"The loaded image has no symbol {name}.", "Load an image that has it.")
        return self.image.symbols[name]

    def _place(self, address: int, size: int):
        if 0 <= address and address + size <= FLASH_BYTES:
            return self.flash, address
        if RAM_BASE <= address and address + size <= STACK_TOP:
            return self.ram, address - RAM_BASE
        raise CoreFault(
            f"{size} bytes at {address:#x} are neither in flash (0 to {FLASH_BYTES:#x}) nor in RAM "
            f"({RAM_BASE:#x} to {STACK_TOP:#x}).",
            "Check the address.",
        )

    # -- running --------------------------------------------------------------------------------

    def call(self, function, *arguments: int) -> int:
        """Call a C function with up to four integer or pointer arguments.

        Parameters
        ----------
        function : str or int
            Symbol of the loaded image, or address.

        Returns
        -------
        int
            r0, unsigned 32 bits.

        Raises
        ------
        CoreFault
            The code touched memory that is not there or met an undefined instruction.
        """
        address = self.symbol(function) if isinstance(function, str) else function
        arm, stack = self._arm, STACK_TOP
        self.uc.reg_write(arm.UC_ARM_REG_SP, stack - 8 * ((max(0, len(arguments) - 4) + 1) // 2))
        for i, value in enumerate(arguments[:4]):
            self.uc.reg_write(arm.UC_ARM_REG_R0 + i, value & _NOWHERE)
        for i, value in enumerate(arguments[4:]):
            self.write(self.uc.reg_read(arm.UC_ARM_REG_SP) + 4 * i, struct.pack("<I", value & _NOWHERE))
        self.uc.reg_write(arm.UC_ARM_REG_LR, _RETURN | 1)
        self.run(address)
        return self.uc.reg_read(arm.UC_ARM_REG_R0)

    def run(self, address: int | None = None) -> None:
        """Run from ``address`` (default: where the core stands) until ``stop``, or until a call returns."""
        import unicorn

        counter, pc = self._counter, self._arm.UC_ARM_REG_PC
        if address is not None:
            counter.last = _NOWHERE
        start = self._get(pc) if address is None else address
        try:
            self.uc.emu_start(start | 1, _RETURN)
        except unicorn.UcError as error:
            if self._failure is None:
                what = f"The emulated core stopped at {self.where()}: {error}."
                raise CoreFault(what, "A bug in the firmware: please report it.") from None
        finally:
            failure, self._failure = self._failure, None
            if failure is not None:
                raise failure
        if self._get(pc) == _RETURN and counter.last < counter.halfwords:
            # The branch back was no block's beginning, so no hook saw that it was taken.
            last = self._blocks[counter.last]
            last["taken"] += 1
            counter.cycles += int(last["extra"])
            counter.last = _NOWHERE

    def reset(self, vectors: int = SKETCH) -> None:
        """As after power-on: RAM unknown (0xA5), registers 0, SP and PC out of the vector table."""
        arm = self._arm
        self.ram[:] = b"\xa5" * RAM_BYTES
        stack, start = struct.unpack("<II", self.read(vectors, 8))
        for i in range(13):
            self._set(arm.UC_ARM_REG_R0 + i, 0)
        self._set(arm.UC_ARM_REG_SP, stack)
        self._set(arm.UC_ARM_REG_LR, _RETURN | 1)
        self._set(arm.UC_ARM_REG_PC, start)
        self._counter.last = _NOWHERE
        self._interrupted = None

    def alarm(self, cycles: int | None) -> None:
        """Have ``run`` return before the first block that begins at so many cycles; None: not at all."""
        self._counter.alarm = _NEVER if cycles is None else cycles

    @property
    def interrupted(self) -> bool:
        """Is an interrupt's function at work?"""
        return self._interrupted is not None

    @property
    def can_be_interrupted(self) -> bool:
        """Not in the middle of an IT block, where this core's state would get into the function."""
        return not self._get(self._arm.UC_ARM_REG_XPSR) & _IT_BITS

    def interrupt(self, function: int) -> None:
        """While the core stands still: have the next ``run`` call a function in between.

        ``run`` returns when the function has; ``resume`` then goes back to where the core was.
        """
        uc, arm, counter = self.uc, self._arm, self._counter
        if self._context is None:
            self._context = uc.context_save()
        else:
            uc.context_update(self._context)
        self._interrupted = counter.last, counter.last_end
        self._set(arm.UC_ARM_REG_SP, (self._get(arm.UC_ARM_REG_SP) - _FRAME_BYTES) & ~7)
        self._set(arm.UC_ARM_REG_LR, _RETURN | 1)
        self._set(arm.UC_ARM_REG_PC, function | 1)
        counter.last = _NOWHERE
        counter.cycles += _INTERRUPT_CYCLES

    def resume(self) -> bool:
        """After ``run``: go back to where the core was interrupted, if the function has returned."""
        if self._interrupted is None or self._get(self._arm.UC_ARM_REG_PC) != _RETURN:
            return False
        self._counter.last, self._counter.last_end = self._interrupted
        self.uc.context_restore(self._context)
        self._interrupted = None
        return True

    def _get(self, register: int) -> int:
        # The binding's reg_read takes ten times as long.
        value = ctypes.c_uint32()
        _library().uc_reg_read(self.uc._uch, register, ctypes.byref(value))
        return value.value

    def _set(self, register: int, value: int) -> None:
        _library().uc_reg_write(self.uc._uch, register, ctypes.byref(ctypes.c_uint32(value)))

    def stop(self) -> None:
        """Make ``run`` return at the end of the current block. From any thread."""
        self.uc.emu_stop()

    def limit(self, instructions: int | None) -> None:
        """Stop after exactly so many executed instructions from now (None: no limit).

        Call it while the core stands still. Instructions that IT skips do not count here.
        ``limit_reached`` tells whether it came to that.
        """
        import unicorn

        counter = self._counter
        counter.stepped = 0
        counter.budget = _NEVER if instructions is None else instructions
        if instructions is not None and self._limit_hook is None:
            self._limit_hook = self._hook(unicorn.UC_HOOK_CODE, "tkv_on_instruction")
        elif instructions is None and self._limit_hook is not None:
            _library().uc_hook_del(self.uc._uch, ctypes.c_size_t(self._limit_hook))
            self._limit_hook = None
        # Translated code has its hooks built in.
        self.uc.ctl_flush_tb()

    @property
    def limit_reached(self) -> bool:
        return self._limit_hook is not None and self._counter.stepped >= self._counter.budget

    @property
    def stepped(self) -> int:
        """Instructions executed since ``limit`` was set."""
        return self._counter.stepped

    def where(self) -> str:
        """Program counter, with the function it is in."""
        pc = self._get(self._arm.UC_ARM_REG_PC) & ~1
        name = self.function_at(pc)
        return f"{pc:#x} in {name}" if name else f"{pc:#x}"

    def function_at(self, address: int) -> str | None:
        """Name of the function that covers an address."""
        functions = self.image.functions if self.image else ()
        at = bisect.bisect_right(functions, (address, _NOWHERE, "")) - 1
        if at >= 0 and functions[at][0] <= address < functions[at][1]:
            return functions[at][2]
        return None

    # -- counting -------------------------------------------------------------------------------

    @property
    def instructions(self) -> int:
        """Instructions since the core was made."""
        return self._counter.instructions

    @property
    def cycles(self) -> int:
        """Estimated cycles since the core was made."""
        return self._counter.cycles

    @contextmanager
    def counting(self):
        """``with core.counting() as count: core.call(...)``; then ``count.cycles`` and so on."""
        count = Count()
        before = self.instructions, self.cycles
        yield count
        count.instructions = self.instructions - before[0]
        count.cycles = self.cycles - before[1]

    def by_function(self) -> dict[str, Count]:
        """Where the core spent its time since ``clear_profile``: own cost of each function, largest first."""
        used = np.flatnonzero(self._blocks["runs"])
        table: dict[str, Count] = {}
        for at, block in zip(used.tolist(), self._blocks[used], strict=True):
            count = table.setdefault(self.function_at(2 * at) or f"{2 * at:#x}", Count())
            count.instructions += int(block["runs"]) * int(block["instructions"])
            count.cycles += int(block["runs"]) * int(block["cycles"]) + int(block["taken"]) * int(block["extra"])
        return dict(sorted(table.items(), key=lambda item: -item[1].cycles))

    def clear_profile(self) -> None:
        """Start ``by_function`` from zero."""
        self._blocks["runs"] = 0
        self._blocks["taken"] = 0

    def _decode_block(self, address: int, size: int) -> None:
        block = self._blocks[address >> 1]
        block["bytes"] = size
        block["instructions"], block["cycles"], block["extra"] = block_cost(self.read(address, size), address)

    def guarded(self, function):
        """A function that the emulator may call: what it raises stops the core and comes out of ``run``."""
        this = weakref.ref(self)

        def call(*arguments):
            try:
                return function(*arguments)
            except BaseException as error:
                core = this()
                if core._failure is None:
                    core._failure = error
                core.uc.emu_stop()
                return 0

        return call

    def _hook(self, kind: int, name: str) -> int:
        # unicorn's own hook_add wraps a Python function; ours is C, so the library is called directly.
        handle = ctypes.c_size_t()
        status = _library().uc_hook_add(
            self.uc._uch, ctypes.byref(handle), kind, ctypes.cast(getattr(_hooks(), name), ctypes.c_void_p),
            ctypes.cast(ctypes.byref(self._counter), ctypes.c_void_p), ctypes.c_uint64(1), ctypes.c_uint64(0),
        )  # fmt: skip
        if status:
            raise CoreFault(f"The emulator refused a counting hook (error {status}).", "Run tinykit doctor.")
        return handle.value


@lru_cache(maxsize=1)
def _hooks():
    folder = toolchain.hardware_dir() / "virtual"
    return ctypes.CDLL(str(toolchain.host_library([folder / "count.c"], [folder], name="count")))


@lru_cache(maxsize=1)
def _library():
    from unicorn.unicorn_py3.unicorn import uclib

    return uclib
