"""Compile a network, or a whole pipeline, into a plan: the bytes that a board runs.

The layout is that of ``hardware/TinyKit/src/tk_plan.h``.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

import numpy as np

from .. import look
from ..errors import DoesNotFit, ModelError
from .arena import Layout, lay_out
from .lower import Lowering
from .step import FLAG_CONST, KINDS, Step
from .tflite import Network, Tensor, read_network

FORMAT = 2
SLOT_BYTES = 316 * 1024  # of flash for a plan, in each of the board's two slots
ARENA_BYTES = 128 * 1024  # of RAM that the firmware keeps for a run

# A file that is well-formed but makes no sense can fail anywhere.
_DAMAGE = (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError, struct.error)

_HEADER = struct.Struct("<4sHHII12I")
_OP = struct.Struct("<HHIIIII6H2H2H2H2H3h2bII7i")
_ALIGN = 16


@dataclass(frozen=True)
class Layer:
    """What one operation of a plan is and costs.

    Parameters
    ----------
    number : int
        Its place in the plan.
    name, kind : str
        The layer's name, and the kernel that runs it.
    in_shape, out_shape : tuple of int
        (height, width, channels).
    macs : int
        Multiplications of an input by a weight, padding included.
    weight_bytes : int
        Flash for its weights, biases, multipliers and tables, but for what an earlier layer has already.
    ram_bytes : int
        Arena in use while it runs: every buffer that is alive, and scratch.
    """

    number: int
    name: str
    kind: str
    in_shape: tuple[int, int, int]
    out_shape: tuple[int, int, int]
    macs: int
    weight_bytes: int
    ram_bytes: int


@dataclass(frozen=True, eq=False)
class Plan:
    """A compiled network.

    Parameters
    ----------
    name : str
    bytes : bytes
        What goes into a board's slot, header and CRC included.
    arena_bytes : int
        RAM that a run needs.
    ops : tuple of Layer
    input_shape, output_shape : tuple of int
        Of one example, without the leading 1.
    input_scale, output_scale : float
    input_zero_point, output_zero_point : int
        A value is (integer - zero point) * scale; scale 0: there is none (floats, places of an argmax).
    input_dtype, output_dtype : str
        NumPy's name for the values: int8, or uint8, int16, int32, int64, float32.
    """

    name: str
    bytes: bytes
    arena_bytes: int
    ops: tuple[Layer, ...]
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    input_scale: float
    input_zero_point: int
    output_scale: float
    output_zero_point: int
    layout: Layout = field(repr=False)
    steps: tuple[Step, ...] = field(repr=False, default=())
    network: Network | None = field(repr=False, default=None)  # what it was compiled from
    input_dtype: str = "int8"
    output_dtype: str = "int8"

    @property
    def macs(self) -> int:
        """Multiplications in one run."""
        return sum(layer.macs for layer in self.ops)

    @property
    def crc32(self) -> int:
        """The plan's own checksum."""
        return struct.unpack_from("<I", self.bytes, 12)[0]

    def check_fit(self, slot_bytes: int = SLOT_BYTES, arena_bytes: int = ARENA_BYTES) -> Plan:
        """Return the plan if a board has room for it.

        Raises
        ------
        DoesNotFit
            By how much it is too large, and what to try.
        """
        if len(self.bytes) > slot_bytes:
            most = max(self.ops, key=lambda layer: layer.weight_bytes)
            raise DoesNotFit(
                f"{self.name} needs {len(self.bytes):,} bytes of flash, the board's slot holds {slot_bytes:,}: "
                f"{len(self.bytes) - slot_bytes:,} too many.",
                f"Make layer {most.name} smaller ({most.weight_bytes:,} bytes of weights), or use fewer filters.",
            )
        if self.arena_bytes > arena_bytes:
            most = max(self.ops, key=lambda layer: layer.ram_bytes)
            raise DoesNotFit(
                f"{self.name} needs {self.arena_bytes:,} bytes of RAM to run, the board has {arena_bytes:,}: "
                f"{self.arena_bytes - arena_bytes:,} too many.",
                f"Layer {most.name} needs most, {most.ram_bytes:,} bytes: give it a stride of 2, fewer filters, "
                "or a shorter window.",
            )
        return self

    def __repr__(self) -> str:
        return (
            f"<Plan {self.name}: {len(self.ops)} ops, {len(self.bytes):,} bytes of flash, "
            f"{self.arena_bytes:,} bytes of RAM, {self.macs:,} MACs>"
        )

    def _repr_html_(self) -> str:
        from .timeline import picture

        rows = [(o.number + 1, _named(o), _text(o.out_shape), o.macs, o.weight_bytes, o.ram_bytes) for o in self.ops]
        head = ("step", "layer", "output", "MACs", "weight bytes", "RAM in use")
        facts = repr(self)[1:-1].split(": ", 1)[1]
        return look.stack(look.card(self.name, facts, look.table(rows, head)), picture(self))

    _repr_pretty_ = look.shown


def _named(layer):
    return look.Html(f'{look.esc(layer.name)}<br><span class="xs mut">{look.esc(layer.kind)}</span>')


def _text(shape) -> str:
    return "×".join(str(n) for n in shape if n != 1) or "1"


def compile_network(model, name: str | None = None, section: bytes = b"") -> Plan:
    """Compile a .tflite that computes in int8; it may begin and end with other numbers.

    Parameters
    ----------
    model : bytes or path
        The network.
    name : str, optional
        By default the file's name.
    section : bytes, optional
        A packed pipeline section; without one the plan is a bare network.

    Returns
    -------
    Plan
        Not checked for size: call ``check_fit``.

    Raises
    ------
    ModelError
        Not a .tflite with one input and one output, or one that computes in floats.
    UnsupportedOp
        An operation that the engine has not, with the layer's name and what to use instead.
    """
    return planned(read_network(model, name), section)


def planned(network: Network, section: bytes = b"") -> Plan:
    """Compile a network that was read already; otherwise as ``compile_network``."""
    try:
        lowered = Lowering(network)
        layout = lay_out(lowered.steps, lowered.input, network.input.bytes, lowered.output)
        return _assemble(network, lowered, layout, section)
    except ModelError:
        raise
    except _DAMAGE as error:
        raise ModelError(
            f"{network.name} contradicts itself ({type(error).__name__}: {error}).",
            "Convert the network again.",
        ) from error


def compile_plan(pipeline, fit: bool = True) -> Plan:
    """Compile a pipeline: its int8 network with front end, labels and decision rule.

    Parameters
    ----------
    pipeline : Pipeline
        After ``tk.quantize``.
    fit : bool
        False: a plan that is too large for the board is returned as well.

    Returns
    -------
    Plan

    Raises
    ------
    ModelError
        The pipeline has no int8 network, or one that does not go with its window or labels.
    UnsupportedOp, DoesNotFit
        See ``compile_network`` and ``Plan.check_fit``.
    """
    from ..features.section import pack_section

    if not pipeline.int8_model:
        raise ModelError(
            f"Pipeline {pipeline.name} has no int8 network, only "
            f"{'a float one' if pipeline.float_model else 'none at all'}; a board runs int8.",
            "small = tk.quantize(pipeline, train)",
        )
    network = read_network(pipeline.int8_model, pipeline.name)
    x, y = network.input, network.output
    if x.dtype != "INT8" or y.dtype != "INT8":
        raise ModelError(
            f"The network of {pipeline.name} takes {x.dtype.lower()} and gives {y.dtype.lower()}; "
            "a board's front end and decision work with int8.",
            "Convert with inference_input_type = inference_output_type = tf.int8 (tk.quantize does).",
        )
    rows, features = pipeline.input_shape
    if x.size != rows * features:
        raise ModelError(
            f"The network of {pipeline.name} takes {x.shape[1:]} values, its front end makes {rows} x {features}.",
            "Train again with this front end and window.",
        )
    if y.size != len(pipeline.labels):
        raise ModelError(
            f"The network of {pipeline.name} has {y.size} outputs for {len(pipeline.labels)} labels.",
            "Train again with these labels.",
        )
    section = pack_section(pipeline, x.scale, x.zero_point, y.scale, y.zero_point)
    plan = compile_network(pipeline.int8_model, pipeline.name, section)
    return plan.check_fit() if fit else plan


def _assemble(network: Network, lowered: Lowering, layout: Layout, section: bytes) -> Plan:
    steps = lowered.steps
    section_at = _HEADER.size
    ops_at = _up(section_at + len(section))
    const_at = ops_at + _OP.size * len(steps)
    constants, records, layers = bytearray(), [], []
    kept: dict[bytes, int] = {}  # layers that are unrolled have the same weights again and again

    def keep(data: bytes) -> int:
        """Add a constant, if no earlier one is the same; returns its plan offset."""
        if data not in kept:
            constants.extend(bytes(-len(constants) % _ALIGN))
            kept[data] = const_at + len(constants)
            constants.extend(data)
        return kept[data]

    for number, step in enumerate(steps):
        before = len(constants)
        data = keep(step.data) if step.data else 0
        channels = keep(step.channels.tobytes()) if step.channels is not None else 0
        records.append(_record(step, layout, number, data, channels))
        layers.append(_layer(step, layout, number, len(constants) - before))
    constants.extend(bytes(-len(constants) % _ALIGN))
    body = bytearray(_HEADER.size)
    body += section + bytes(ops_at - section_at - len(section)) + b"".join(records) + constants
    places = layout.buffers
    fields = (
        section_at if section else 0, len(section), ops_at, len(steps), const_at, len(constants), layout.bytes,
        places[lowered.input], network.input.bytes, places[lowered.output] + lowered.output_offset,
        network.output.bytes, 0,
    )  # fmt: skip
    _HEADER.pack_into(body, 0, b"TKPL", FORMAT, 0, len(body), 0, *fields)
    struct.pack_into("<I", body, 12, zlib.crc32(body[16:]))
    return Plan(
        network.name,
        bytes(body),
        layout.bytes,
        tuple(layers),
        _example(network.input),
        _example(network.output),
        network.input.scale,
        network.input.zero_point,
        network.output.scale,
        network.output.zero_point,
        layout,
        tuple(steps),
        network,
        network.input.dtype.lower(),
        network.output.dtype.lower(),
    )


def _record(step: Step, layout: Layout, number: int, data: int, channels: int) -> bytes:
    places = [layout.buffers[b] + offset for b, offset in zip(step.inputs, step.in_offsets, strict=True)]
    first, second = (*places, 0, 0)[:2]
    if step.flags & FLAG_CONST:
        second, data = data, 0
    params = list(step.params) + [0] * (7 - len(step.params))
    return _OP.pack(
        KINDS[step.kind],
        step.flags,
        first,
        second,
        layout.buffers[step.output] + step.out_offset,
        layout.scratch[number],
        step.scratch_bytes,
        *step.in_shape,
        *step.out_shape,
        *step.kernel,
        *step.stride,
        *step.dilation,
        *step.pad,
        *step.zeros,
        *step.clamp,
        data,
        channels,
        *params,
    )


def _layer(step: Step, layout: Layout, number: int, weight_bytes: int) -> Layer:
    alive = [b for b in layout.blocks if b.first <= number <= b.last]
    # Blocks may overlap while one replaces the other: count each byte once.
    used = np.zeros(layout.bytes, dtype=bool)
    for block in alive:
        used[block.place : block.place + block.size] = True
    return Layer(number, step.name, step.kind, step.in_shape, step.out_shape, step.macs, weight_bytes, int(used.sum()))


def _example(tensor: Tensor) -> tuple[int, ...]:
    return tuple(tensor.shape[1:]) if tensor.shape[:1] == (1,) else tuple(tensor.shape)


def _up(n: int) -> int:
    return -(-n // _ALIGN) * _ALIGN
