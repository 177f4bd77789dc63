"""What a network costs on the board: counted on the emulated core, not guessed from its MACs."""

from __future__ import annotations

import struct
from dataclasses import asdict, dataclass, field
from functools import lru_cache

import numpy as np

from .. import toolchain
from ..errors import DoesNotFit, ModelError, TinykitError
from ..pipeline import Pipeline
from .cortex import CLOCK_HZ, FLASH_BYTES, RAM_BASE, RAM_BYTES, Cortex
from .elf import read_elf
from .front import FrontCost, front_cost, skipped
from .plan import ARENA_BYTES, SLOT_BYTES, Layer, Plan, compile_network, compile_plan
from .runtime import Runtime

# nRF52840 product specification v1.1, 5.2.1.1: running from flash with cache, DC/DC, 3 V: 3.3 mA.
ACTIVE_WATTS = 3.3e-3 * 3.0
HOW_CYCLES = "instructions counted on an emulated Cortex-M4F, cycles by Arm's timing table, zero wait states"
HOW_ENERGY = "estimated cycles at 64 MHz times 9.9 mW (3.3 mA at 3 V: the nRF52840 alone, from its data sheet)"

_ENTRIES = (
    "tk_plan_open",
    "tk_engine_init",
    "tk_engine_input",
    "tk_engine_output",
    "tk_engine_run",
    "tk_engine_step",
)
_STATE, _ARENA = 0x400, 0x1000  # from the start of RAM; the stack is at its end
_PLAN = 0x5_1000  # flash: where slot A's plan begins


@dataclass(frozen=True)
class LayerCost(Layer):
    """A plan's layer, with what it took to run it once.

    Parameters
    ----------
    instructions, cycles : int
        Of one run; cycles are estimated.
    """

    instructions: int = 0
    cycles: int = 0


@dataclass(frozen=True, eq=False)
class Cost:
    """What a network costs on a Cortex-M4F at 64 MHz.

    Parameters
    ----------
    name : str
    macs : int
        Multiplications of an input by a weight in one answer.
    plan_bytes : int
        Flash for the plan: weights, multipliers, op records, pipeline section.
    arena_bytes : int
        RAM for one answer, scratch included.
    code_flash_bytes : int
        Flash for the engine's code: validator and all kernels, whatever the network uses.
    instructions, cycles : int
        Of one answer. Instructions are counted, cycles estimated from them.
    layers : tuple of LayerCost
    front : FrontCost or None
        The front end's, of a pipeline. What stands above is the network's alone.
    """

    name: str
    macs: int
    plan_bytes: int
    arena_bytes: int
    code_flash_bytes: int
    instructions: int
    cycles: int
    layers: tuple[LayerCost, ...]
    plan: Plan = field(repr=False, default=None)
    front: FrontCost | None = None

    @property
    def milliseconds(self) -> float:
        """Time of one run of the network at 64 MHz (estimated)."""
        return 1000 * self.cycles / CLOCK_HZ

    @property
    def microjoules(self) -> float:
        """Energy of one run of the network (estimated; see ``HOW_ENERGY``)."""
        return 1e6 * ACTIVE_WATTS * self.cycles / CLOCK_HZ

    @property
    def fits(self) -> bool:
        """Whether the board has room for it."""
        return self.plan_bytes <= SLOT_BYTES and self.arena_bytes <= ARENA_BYTES

    @property
    def busy(self) -> float | None:
        """Share of the processor's time for front end and network (estimated); None without a front end."""
        if self.front is None:
            return None
        return (self.front.answer_cycles + self.cycles) / (CLOCK_HZ * self.front.answer_s)

    @property
    def skipped(self) -> float | None:
        """Answers that the device skips for each that it makes (estimated); None without a front end."""
        return None if self.front is None else skipped(self.cycles, self.front)

    def as_dict(self) -> dict:
        """Numbers only, for JSON."""
        pipeline = {}
        if self.front is not None:
            pipeline = {
                "front_end": self.front.as_dict(),
                "processor_share_estimated": round(self.busy, 4),
                "answers_skipped_estimated": self.skipped if np.isfinite(self.skipped) else None,
            }
        return {
            "name": self.name,
            "macs": self.macs,
            "plan_bytes": self.plan_bytes,
            "arena_bytes": self.arena_bytes,
            "code_flash_bytes": self.code_flash_bytes,
            "instructions": self.instructions,
            "cycles_estimated": self.cycles,
            "milliseconds_estimated": round(self.milliseconds, 4),
            "microjoules_estimated": round(self.microjoules, 3),
            "fits": self.fits,
            **pipeline,
            "layers": [
                {"cycles_estimated" if key == "cycles" else key: value for key, value in asdict(layer).items()}
                for layer in self.layers
            ],
        }

    def __repr__(self) -> str:
        lines = [
            f"{self.name}: {self.macs:,} MACs",
            f"flash: plan {self.plan_bytes:,} bytes, and the engine's code {self.code_flash_bytes:,} bytes; "
            f"RAM: arena {self.arena_bytes:,} bytes",
            f"{'the network' if self.front else 'one answer'}: {self.instructions:,} instructions, "
            f"{self.cycles:,} cycles = {self.milliseconds:.2f} ms "
            f"at 64 MHz, {self.microjoules:.1f} µJ (cycles, time and energy estimated)",
            *([repr(self.front), self._pace()] if self.front else []),
        ]
        try:
            if self.plan is not None:
                self.plan.check_fit()
        except DoesNotFit as error:
            lines.append(f"Does not fit: {error}")
        for layer in self.layers:
            per_mac = f"{layer.cycles / layer.macs:6.2f} a MAC" if layer.macs else ""
            lines.append(
                f"  {layer.number:2} {layer.name[:28]:28} {layer.kind:12} {layer.cycles:>11,} cycles {per_mac}".rstrip()
            )
        return "\n".join(lines)

    def _pace(self) -> str:
        """Do answers come in time? As a sentence, estimated."""
        front, made = self.front, self.skipped
        of = f"{front.runs} hops and the network" if front.unit == "hop" else "front end and network"
        share = (
            f"an answer every {1000 * front.answer_s:g} ms: {of} take {100 * self.busy:.0f} % of the time (estimated)"
        )
        if not made:
            return f"{share}; no answer is skipped"
        if made == np.inf:
            return f"{share}; the front end alone is too slow for the board"
        return f"{share}: too slow, of {made + 1} answers that are due {made} {'is' if made == 1 else 'are'} skipped"

    def _repr_html_(self) -> str:
        from .. import look

        front = self.front
        rows = []
        if front is not None:
            name = f"front end, {front.runs} hops" if front.unit == "hop" else "front end"
            shape = self.plan.input_shape if self.plan is not None else ()
            shape = tuple(n for n in shape if n != 1)
            shape = (front.runs, *shape[1:]) if front.unit == "hop" else shape
            rows = [{"name": name, "output": shape, "weights": front.table_bytes, "cost": front.answer_cycles}]
        rows += [
            {"name": o.name, "output": _shape(o), "weights": o.weight_bytes, "macs": o.macs, "cost": o.cycles}
            for o in self.layers
        ]
        instructions, energy = self.instructions, self.microjoules
        if front is not None:
            instructions += front.runs * front.instructions
            energy *= 1 + front.answer_cycles / self.cycles
        foot = look.dots(
            f"{instructions:,} instructions",
            f"{self.macs:,} MACs",
            look.Html(f"{look.number(energy, 'µJ', 1)} an answer, {look.estimated(HOW_ENERGY)}"),
        )
        if front is not None:
            pace = self._pace()
            said = look.muted(f"{pace[0].upper()}{pace[1:]}. Front end in {front.bytes_in_words}.")
            foot = look.Html(f"{foot}<br>{said}")
        table = look.layers(rows, f"Cost of {self.name}, layer by layer", how=HOW_CYCLES, foot=foot)
        most = max(self.layers, key=lambda layer: layer.ram_bytes)
        advice = f"Layer {most.name} needs most RAM, {most.ram_bytes:,} bytes: a stride of 2 or fewer filters help."
        gauges = look.fits(
            [
                ("flash for a pipeline", SLOT_BYTES, [("plan", self.plan_bytes, True)]),
                ("RAM for an answer", ARENA_BYTES, [("arena", self.arena_bytes, True)]),
            ],
            advice=advice,
        )
        return look.stack(table, gauges)


def _shape(layer: Layer) -> tuple[int, ...]:
    return tuple(n for n in layer.out_shape if n != 1) or (1,)


def cost(network) -> Cost:
    """What a network costs on the board.

    It runs once on the emulated Cortex-M4F, on random input; the engine's time does not depend on
    the values, but for some cycles. The answer is compared with this computer's.

    Parameters
    ----------
    network : Pipeline, Plan, path or bytes
        A pipeline with an int8 network, a compiled plan, an int8 .tflite, or a .tk file.

    Returns
    -------
    Cost

    Raises
    ------
    ModelError, UnsupportedOp
        See ``compile_plan`` and ``compile_network``.
    """
    if not isinstance(network, (Plan, Pipeline, bytes, bytearray, memoryview)) and str(network).endswith(".tk"):
        network = Pipeline.load(network)
    plan = _plan(network)
    x = np.random.default_rng(0).integers(-128, 128, (1, *plan.input_shape)).astype(np.int8)
    answer, total, parts = run_on_core(plan, x[0])
    if not np.array_equal(answer, Runtime(plan).run(x)[0]):
        raise TinykitError(
            f"The emulated core and this computer answer differently to {plan.name}.",
            "Report this as a fault.",
        )
    layers = tuple(
        LayerCost(**vars(layer), instructions=part.instructions, cycles=part.cycles)
        for layer, part in zip(plan.ops, parts, strict=True)
    )
    return Cost(
        plan.name,
        plan.macs,
        len(plan.bytes),
        plan.arena_bytes,
        code_flash_bytes(),
        total.instructions,
        total.cycles,
        layers,
        plan,
        front_cost(network) if isinstance(network, Pipeline) else None,
    )


def _plan(network) -> Plan:
    if isinstance(network, Plan):
        return network
    return compile_plan(network, fit=False) if isinstance(network, Pipeline) else compile_network(network)


@lru_cache(maxsize=1)
def _image():
    source, libc = (toolchain.hardware_dir() / p for p in ("TinyKit/src", "virtual/libc"))
    return read_elf(toolchain.arm_image(toolchain.engine_sources(), [source, libc], name="engine", keep=_ENTRIES))


def code_flash_bytes() -> int:
    """Flash for the engine: plan validator, CRC, all kernels, and what they need of the C library."""
    return sum(len(segment.data) for segment in _image().segments)


def run_on_core(plan: Plan, x: np.ndarray):
    """Run one example on the emulated core, whole and op by op.

    Parameters
    ----------
    plan : Plan
    x : int8 array of the plan's input shape

    Returns
    -------
    answer : int8 array of the plan's output shape
    total : cortex.Count
        Of ``tk_engine_run``.
    parts : list of cortex.Count
        One an op.

    Raises
    ------
    ModelError
        The plan is larger than the emulated core's memory.
    """
    if _PLAN + len(plan.bytes) > FLASH_BYTES - 0x1000 or _ARENA + plan.arena_bytes > RAM_BYTES - 0x2000:
        plan.check_fit()  # says by how much, and what to try
        raise ModelError(
            f"{plan.name} ({len(plan.bytes):,} bytes, arena {plan.arena_bytes:,}) is larger than the chip itself.",
            "Make it smaller: a stride of 2 early, or fewer filters.",
        )
    core = Cortex()
    core.load(_image())
    core.write(_PLAN, plan.bytes)
    state, engine, size, arena = (
        RAM_BASE + _STATE,
        RAM_BASE + _STATE + 64,
        RAM_BASE + _STATE + 128,
        RAM_BASE + _ARENA,
    )
    for status in (
        core.call("tk_plan_open", state, _PLAN, len(plan.bytes)),
        core.call("tk_engine_init", engine, state, arena, plan.arena_bytes),
    ):
        if status:
            raise TinykitError(
                f"The emulated core refuses the plan (status {status - 2**32}).", "Report this as a fault."
            )
    data = np.ascontiguousarray(x, dtype=np.int8).tobytes()
    source = core.call("tk_engine_input", engine, size)
    core.write(source, data)
    with core.counting() as total:
        core.call("tk_engine_run", engine)
    target = core.call("tk_engine_output", engine, size)
    (length,) = struct.unpack("<I", core.read(size, 4))
    answer = np.frombuffer(core.read(target, length), dtype=np.int8).reshape(plan.output_shape)
    core.write(source, data)
    parts = []
    for op in range(len(plan.ops)):
        with core.counting() as part:
            core.call("tk_engine_step", engine, op)
        parts.append(part)
    return answer, total, parts
