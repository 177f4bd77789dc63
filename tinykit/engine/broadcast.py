"""Operations on two tensors, value by value: either may be used again along axes where it has one value."""

from __future__ import annotations

from . import fixed, moves
from .checks import LIMIT, activation_of, check_same_scale, flat_shape
from .refuse import refuse
from .step import FLAG_CONST, FLAG_SUBTRACT, Step
from .tflite import Node, Tensor

_AXES = 4


def shared_axes(node: Node, a: tuple, b: tuple, out: tuple) -> list[tuple[int, bool, bool]]:
    """The output's axes, as few as possible: size, whether the first input has it, whether the second."""
    rank = len(out)
    a, b = ((1,) * (rank - len(s)) + tuple(s) for s in (a, b))
    axes = []
    for n, in_a, in_b in zip(out, a, b, strict=True):
        if in_a not in (1, n) or in_b not in (1, n):
            refuse(node, f"it stretches {b} over {a} to {out}")
        if n == 1:
            continue
        here = in_a == n, in_b == n
        if axes and axes[-1][1:] == here and axes[-1][0] * n <= LIMIT:
            axes[-1] = (axes[-1][0] * n, *here)
        else:
            axes.append((n, *here))
    return axes or [(1, True, True)]


def _factors(kind: str, a: Tensor, b: Tensor, y: Tensor) -> tuple[float, ...]:
    """From the inputs' differences from their zero points to the output's, step by step."""
    if kind in ("add", "squared_difference"):
        twice = 2 * max(a.scale, b.scale)
        last = twice / (2**20 * y.scale) if kind == "add" else twice * twice / (2**14 * y.scale)
        return a.scale / twice, b.scale / twice, last
    if kind == "prelu":
        return a.scale / y.scale, a.scale * b.scale / y.scale
    return (a.scale * b.scale / y.scale,) if kind == "mul" else ()


def keep_constant(lowering, node: Node, tensor: Tensor) -> None:
    """Have a constant copied into the arena, for kernels that read their first input there."""
    if tensor.index not in lowering.place:
        whole = moves.Cut.of(*[moves.blank(tensor)] * 2)
        moves.copy(
            lowering, node, [], whole, lowering.write(tensor), whole, tensor, tensor, values=tensor.data.tobytes()
        )


def _binary(lowering, node: Node, kind: str, flags: int = 0) -> None:
    a, b, y = node.inputs[0], node.inputs[1], node.outputs[0]
    for x in (a, b):
        if x is None or x.dtype != "INT8" or len(x.scales) != 1:
            refuse(node, "an input is not int8 with one scale")
    axes = shared_axes(node, a.shape, b.shape, y.shape)
    if not flags and kind != "prelu" and (a.data is not None or (b.data is None and not all(x[1] for x in axes))):
        a, b, axes = b, a, [(n, in_b, in_a) for n, in_a, in_b in axes]
    if a.data is not None:
        if b.data is not None:
            refuse(node, "both of its inputs are constants")
        keep_constant(lowering, node, a)
    constant = b.data is not None
    inputs = [lowering.read(node, a)] + ([] if constant else [lowering.read(node, b)])
    params = [n for factor in _factors(kind, a, b, y) for n in fixed.quantize_multiplier(factor)]
    step = Step(
        kind,
        node.name,
        inputs,
        lowering.write(y),
        flat_shape(node, a),
        flat_shape(node, y),
        zeros=(a.zero_point, b.zero_point, y.zero_point),
        clamp=fixed.activation_range(activation_of(node), y.scale, y.zero_point),
        data=b.data.tobytes() if constant else b"",
        params=params,
        flags=flags | (FLAG_CONST if constant else 0),
        again=not all(x[2] for x in axes),
    )
    # The first as it is, the second whole, or its values again and again: what the quick kernels know.
    if (
        kind in ("add", "mul")
        and all(x[1] for x in axes)
        and (all(x[2] for x in axes) or not any(x[2] for x in axes[:-1]))
    ):
        step.params += [0] * (6 - len(params)) + [b.size]
    else:
        _spread(node, step, axes)
    lowering.add(node, step)


def _spread(node: Node, step: Step, axes: list) -> None:
    """Make it one for the kernels of tk_op_broadcast.c."""
    if len(axes) > _AXES:
        refuse(node, f"its inputs share {len(axes)} axes in turns, more than {_AXES}")
    axes = [(1, True, True)] * (_AXES - len(axes)) + axes
    sizes = [n for n, _, _ in axes]
    step.kind = {"add": "broadcast_add", "mul": "broadcast_mul"}.get(step.kind, step.kind)
    step.kernel, step.stride = (sizes[0], sizes[1]), (sizes[2], sizes[3])
    step.dilation = tuple(sum(1 << i for i, axis in enumerate(axes) if axis[which]) for which in (1, 2))
    whole = [all(axis[which] for axis in axes) for which in (1, 2)]
    step.clear = 0 if whole[0] else None


def _add(lowering, node: Node) -> None:
    _binary(lowering, node, "add")


def _sub(lowering, node: Node) -> None:
    _binary(lowering, node, "add", FLAG_SUBTRACT)


def _mul(lowering, node: Node) -> None:
    _binary(lowering, node, "mul")


def _squared_difference(lowering, node: Node) -> None:
    _binary(lowering, node, "squared_difference")


def _maximum(lowering, node: Node) -> None:
    check_same_scale(node)
    _binary(lowering, node, "maximum")


def _minimum(lowering, node: Node) -> None:
    check_same_scale(node)
    _binary(lowering, node, "minimum")


def _prelu(lowering, node: Node) -> None:
    _binary(lowering, node, "prelu")


OPERATIONS = {
    "ADD": _add,
    "SUB": _sub,
    "MUL": _mul,
    "SQUARED_DIFFERENCE": _squared_difference,
    "MAXIMUM": _maximum,
    "MINIMUM": _minimum,
    "PRELU": _prelu,
}
