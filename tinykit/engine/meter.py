"""One run of a plan on the emulated Cortex-M4F, whole and op by op, counted."""

from __future__ import annotations

import struct

import numpy as np

from ..errors import TinykitError
from .cortex import FLASH_BYTES, RAM_BASE, RAM_BYTES, Cortex
from .elf import Elf
from .plan import Plan
from .standalone import engine_image

_STATE, _ARENA = 0x400, 0x1000  # from the start of RAM; the stack is at its end
_PLAN = 0x5_1000  # flash: where slot A's plan begins
# Memory that the chip has not, for networks that are too large for it: they have a cost all the same.
_MORE_FLASH, _MORE_RAM, _PAGE = 0x9000_0000, 0xA000_0000, 0x1000


def run_on_core(plan: Plan, x: np.ndarray, image: Elf | None = None):
    """Run one example on the emulated core, whole and op by op.

    Parameters
    ----------
    plan : Plan
        It may be larger than the chip's memory.
    x : array of the plan's input shape and type
    image : elf.Elf, optional
        The engine as another compiler builds it; by default Zig's Clang, -O2.

    Returns
    -------
    answer : array of the plan's output shape and type
    total : cortex.Count
        Of ``tk_engine_run``.
    parts : list of cortex.Count
        One an op.
    """
    core = _Bench(plan)
    core.load(image or engine_image())
    core.put(core.plan_at, plan.bytes)
    state, engine, size = (RAM_BASE + _STATE + at for at in (0, 64, 128))
    for status in (
        core.call("tk_plan_open", state, core.plan_at, len(plan.bytes)),
        core.call("tk_engine_init", engine, state, core.arena_at, plan.arena_bytes),
    ):
        if status:
            raise TinykitError(
                f"The emulated core refuses the plan (status {status - 2**32}).", "Report this as a fault."
            )
    data = np.ascontiguousarray(x, dtype=plan.input_dtype).tobytes()
    source = core.call("tk_engine_input", engine, size)
    core.put(source, data)
    with core.counting() as total:
        core.call("tk_engine_run", engine)
    target = core.call("tk_engine_output", engine, size)
    (length,) = struct.unpack("<I", core.read(size, 4))
    answer = np.frombuffer(core.take(target, length), dtype=plan.output_dtype).reshape(plan.output_shape)
    core.put(source, data)
    parts = []
    for op in range(len(plan.ops)):
        with core.counting() as part:
            core.call("tk_engine_step", engine, op)
        parts.append(part)
    return answer, total, parts


def random_input(plan: Plan, seed: int = 0) -> np.ndarray:
    """One example of random values, of the plan's input shape and type."""
    rng, dtype = np.random.default_rng(seed), np.dtype(plan.input_dtype)
    if dtype.kind == "f":
        return rng.normal(0, 1, plan.input_shape).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, plan.input_shape, dtype=dtype, endpoint=True)


class _Bench(Cortex):
    """The core, with as much memory as a plan needs."""

    def __init__(self, plan: Plan):
        super().__init__()
        self.plan_at, self.arena_at = _PLAN, RAM_BASE + _ARENA
        if _PLAN + len(plan.bytes) > FLASH_BYTES - 0x1000:
            self.plan_at = self._more(_MORE_FLASH, len(plan.bytes))
        if _ARENA + plan.arena_bytes > RAM_BYTES - 0x2000:
            self.arena_at = self._more(_MORE_RAM, plan.arena_bytes)

    def _more(self, at: int, size: int) -> int:
        self.uc.mem_map(at, -(-size // _PAGE) * _PAGE)
        return at

    def put(self, address: int, data: bytes) -> None:
        if address >= _MORE_FLASH:
            self.uc.mem_write(address, bytes(data))
        else:
            self.write(address, data)

    def take(self, address: int, size: int) -> bytes:
        return bytes(self.uc.mem_read(address, size)) if address >= _MORE_FLASH else self.read(address, size)
