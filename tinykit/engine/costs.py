"""What a network costs on the board: counted on the emulated core, not guessed from its MACs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import numpy as np

from ..errors import ModelError, TinykitError
from ..pipeline import Pipeline
from .cortex import CLOCK_HZ
from .energy import ACTIVE_WATTS, ASSUMED_ENERGY, ASSUMED_TIME, Lifetime, lifetime
from .front import FrontCost, front_cost, skipped
from .meter import random_input, run_on_core
from .plan import ARENA_BYTES, SLOT_BYTES, Layer, Plan, compile_network, compile_plan
from .runtime import Runtime
from .standalone import stand_alone, whole_engine

HOW_CYCLES = "instructions counted on an emulated Cortex-M4F, cycles by Arm's timing table, zero wait states"
HOW_ENERGY = "estimated cycles at 64 MHz times 9.9 mW (3.3 mA at 3 V: the nRF52840 alone, from its data sheet)"
_RANDOM = "calibrated on random values: its cost is that of the trained network, its answers mean nothing"
_ASSUMED_FLASH = (
    "code flash: plan check, engine and the kernels that this network uses, by Zig's Clang -O2; not counted are "
    "start-up, drivers and your own code"
)


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

    @property
    def cycles_per_mac(self) -> float | None:
        """Estimated; None for a layer that multiplies by no weight."""
        return self.cycles / self.macs if self.macs else None


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
        Flash for the engine's code in a program made for this network alone: validator and the kernels it uses.
    engine_flash_bytes : int
        The same with all kernels, as the firmware that is flashed once holds them.
    instructions, cycles : int
        Of one answer. Instructions are counted, cycles estimated from them.
    layers : tuple of LayerCost
    front : FrontCost or None
        The front end's, of a pipeline. What stands above is the network's alone.
    note : str
        What else must be known of these figures; empty as a rule.
    """

    name: str
    macs: int
    plan_bytes: int
    arena_bytes: int
    code_flash_bytes: int
    engine_flash_bytes: int
    instructions: int
    cycles: int
    layers: tuple[LayerCost, ...]
    plan: Plan = field(repr=False, default=None)
    front: FrontCost | None = None
    note: str = ""

    @property
    def milliseconds(self) -> float:
        """Time of one run of the network at 64 MHz (estimated)."""
        return 1000 * self.cycles / CLOCK_HZ

    @property
    def microjoules(self) -> float:
        """Energy of one run of the network (estimated; see ``assumptions``)."""
        return 1e6 * ACTIVE_WATTS * self.cycles / CLOCK_HZ

    @property
    def answer_microjoules(self) -> float:
        """Of one answer, the front end's share with it (estimated)."""
        return 1e6 * ACTIVE_WATTS * self.answer_cycles / CLOCK_HZ

    @property
    def answer_cycles(self) -> int:
        """From one answer to the next (estimated): the network, and the front end where there is one."""
        return self.cycles + (self.front.answer_cycles if self.front else 0)

    @property
    def peak(self) -> LayerCost:
        """The layer that needs most RAM while it runs."""
        return max(self.layers, key=lambda layer: layer.ram_bytes)

    @property
    def fits(self) -> bool:
        """Whether the board has room for it (``tk.fits`` says more)."""
        return self.plan_bytes <= SLOT_BYTES and self.arena_bytes <= ARENA_BYTES

    @property
    def busy(self) -> float | None:
        """Share of the processor's time for front end and network (estimated); None without a front end."""
        return None if self.front is None else self.answer_cycles / (CLOCK_HZ * self.front.answer_s)

    @property
    def skipped(self) -> float | None:
        """Answers that the device skips for each that it makes (estimated); None without a front end."""
        return None if self.front is None else skipped(self.cycles, self.front)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What the figures rest on, and what they leave out."""
        front = ("the front end ran on noise; its time hardly depends on the sound or motion",) if self.front else ()
        return (*ASSUMED_TIME, *front, *ASSUMED_ENERGY, _ASSUMED_FLASH, *([self.note] if self.note else []))

    def lifetime(self, battery: str = "cr2032", every_s: float | None = None, sensor: str | None = None) -> Lifetime:
        """Days on a battery (estimated).

        Parameters
        ----------
        battery : str
            ``"cr2032"``, ``"2xaa"`` or ``"lipo400"``.
        every_s : float, optional
            Seconds from one answer to the next. Default: the pipeline's hop; a bare network needs it.
        sensor : str, optional
            ``"mic"`` or ``"imu"``, on all the time; by default none is counted.
        """
        every_s = self.front.answer_s if every_s is None and self.front else every_s
        if every_s is None:
            raise ModelError(
                f"{self.name} is a bare network: nobody said how often it answers.",
                "Give every_s=1.0 (in a terminal: --every 1).",
            )
        return lifetime(self.answer_cycles, every_s, battery, sensor)

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
            "peak_layer": self.peak.name,
            "code_flash_bytes": self.code_flash_bytes,
            "engine_flash_bytes": self.engine_flash_bytes,
            "instructions": self.instructions,
            "cycles_estimated": self.cycles,
            "milliseconds_estimated": round(self.milliseconds, 4),
            "microjoules_estimated": round(self.microjoules, 3),
            "fits": self.fits,
            **pipeline,
            "layers": [self._layer(layer) for layer in self.layers],
            "assumptions": list(self.assumptions),
        }

    def _layer(self, layer: LayerCost) -> dict:
        told = {"cycles_estimated" if key == "cycles" else key: value for key, value in asdict(layer).items()}
        per_mac = layer.cycles_per_mac
        return {
            **told,
            "cycles_per_mac_estimated": None if per_mac is None else round(per_mac, 3),
            "share_estimated": round(layer.cycles / max(1, sum(other.cycles for other in self.layers)), 5),
        }

    def __repr__(self) -> str:
        from .bill import text

        return text(self)

    def _repr_html_(self) -> str:
        from .bill import cards

        return cards(self)


def cost(network) -> Cost:
    """What a network costs on the board.

    It runs once on the emulated Cortex-M4F, on random input; the engine's time does not depend on
    the values, but for some cycles. The answer is compared with this computer's. A network that is
    too large for the chip has a cost as well: ``tk.fits`` says what to change.

    Parameters
    ----------
    network : Pipeline, Plan, Keras model, path or bytes
        A pipeline with an int8 network, a compiled plan, an int8 .tflite, or a .tk file. A Keras model, trained
        or not, is quantised on random values first: good for its cost, not for its answers.

    Returns
    -------
    Cost

    Raises
    ------
    ModelError, UnsupportedOp
        See ``compile_plan`` and ``compile_network``.
    """
    network, note = network_of(network)
    plan = _plan(network)
    x = random_input(plan)
    answer, total, parts = run_on_core(plan, x)
    if answer.tobytes() != Runtime(plan).run(x[None])[0].tobytes():
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
        stand_alone(plan).flash_bytes,
        whole_engine().flash_bytes,
        total.instructions,
        total.cycles,
        layers,
        plan,
        front_cost(network) if isinstance(network, Pipeline) else None,
        note,
    )


def network_of(network):
    """A pipeline, a plan, or a .tflite (path or bytes), from all that ``cost`` takes; and what to say of it."""
    if isinstance(network, (Plan, Pipeline, bytes, bytearray, memoryview)):
        return network, ""
    if hasattr(network, "layers") and hasattr(network, "count_params"):
        from ..compress import convert_untrained

        data, name = convert_untrained(network)
        return compile_network(data, name), _RANDOM
    if str(network).endswith(".tk"):
        return Pipeline.load(network), ""
    if str(network).endswith((".keras", ".h5", ".hdf5")):
        raise ModelError(f"{network} is a float Keras model, and the board computes in int8.",
                         "Load it, then tk.cost(model); or quantise it and give the .tflite.")  # fmt: skip
    return network, ""


def _plan(network) -> Plan:
    if isinstance(network, Plan):
        return network
    return compile_plan(network, fit=False) if isinstance(network, Pipeline) else compile_network(network)
