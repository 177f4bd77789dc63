"""Functions of one value (tables), softmax, and operations on two tensors value by value."""

from __future__ import annotations

import numpy as np

from . import fixed
from .checks import activation_of, flat_shape
from .refuse import refuse
from .step import FLAG_CONST, FLAG_SUBTRACT, Step
from .tflite import Node


def _unary(lowering, node: Node, table: np.ndarray) -> None:
    source = lowering.read(node, node.inputs[0])
    lowering.table(node, source, lowering.write(node.outputs[0]), flat_shape(node, node.outputs[0]), table)


def _check_output(node: Node, steps: int, zero_point: int) -> None:
    """The reference's tables are for one output scale only, 1 / steps."""
    y = node.outputs[0]
    if y.scale != 1 / steps or y.zero_point != zero_point:
        found = f"its output has scale {y.scale:g} and zero point {y.zero_point}"
        refuse(node, f"{found}, expected 1/{steps} and {zero_point}")


def _softmax(lowering, node: Node) -> None:
    x, y = node.inputs[0], node.outputs[0]
    _check_output(node, 256, -128)
    depth = x.shape[-1]
    table = fixed.softmax_table(x.scale, float(np.float32(node.options.get("beta", 1.0))))
    shape = (x.size // depth, 1, depth)
    source = lowering.read(node, x)
    data = table.astype("<i4").tobytes()
    lowering.add(
        node,
        Step("softmax", node.name, [source], lowering.write(y), shape, shape, data=data, params=[len(table)]),
    )


def quantize(lowering, node: Node) -> None:
    """From int8 to int8, of another scale."""
    x, y = node.inputs[0], node.outputs[0]
    if x.scale == y.scale and x.zero_point == y.zero_point:
        return lowering.rename(node)
    factor = fixed.quantize_multiplier(x.scale / y.scale)
    _unary(lowering, node, fixed.rescale_table(*factor, x.zero_point, y.zero_point))


def _relu(lowering, node: Node) -> None:
    x, y = node.inputs[0], node.outputs[0]
    factor = fixed.quantize_multiplier(x.scale / y.scale)
    _unary(lowering, node, fixed.rescale_table(*factor, x.zero_point, y.zero_point, max(-128, y.zero_point)))


def _relu6(lowering, node: Node) -> None:
    x = node.inputs[0]
    low, high = fixed.activation_range("RELU6", x.scale, x.zero_point)
    _unary(lowering, node, fixed.table(lambda v: fixed.clamp(v, low, high)))


def _leaky_relu(lowering, node: Node) -> None:
    x, y = node.inputs[0], node.outputs[0]
    alpha = np.float32(node.options.get("alpha", 0.0))
    if alpha < 0:
        refuse(node, f"its slope is {alpha}, below zero")
    up = fixed.quantize_multiplier(x.scale / y.scale)
    down = fixed.quantize_multiplier(x.scale * float(alpha) / y.scale)
    _unary(lowering, node, fixed.leaky_table(up, down, x.zero_point, y.zero_point))


def _elu(lowering, node: Node) -> None:
    x, y = node.inputs[0], node.outputs[0]
    _unary(lowering, node, fixed.elu_table(x.scale, x.zero_point, y.scale, y.zero_point))


def _hard_swish(lowering, node: Node) -> None:
    x, y = node.inputs[0], node.outputs[0]
    if x.scale / 128 > y.scale:
        refuse(node, f"its scale rises from {x.scale:g} to {y.scale:g}")
    _unary(lowering, node, fixed.hard_swish_table(x.scale, x.zero_point, y.scale, y.zero_point))


def _logistic(lowering, node: Node) -> None:
    x = node.inputs[0]
    _check_output(node, 256, -128)
    _unary(lowering, node, fixed.logistic_table(x.scale, x.zero_point))


def _tanh(lowering, node: Node) -> None:
    x = node.inputs[0]
    _check_output(node, 128, 0)
    _unary(lowering, node, fixed.tanh_table(x.scale, x.zero_point))


def _binary(lowering, node: Node, kind: str, flags: int = 0) -> None:
    a, b, y = node.inputs[0], node.inputs[1], node.outputs[0]
    if a.index not in lowering.place and a.index not in lowering.pads or a.size < b.size:
        if flags:
            refuse(node, "it takes the larger tensor from the smaller one, or from a constant")
        a, b = b, a
    if b.dtype != "INT8" or len(b.scales) != 1:
        refuse(node, "its second input is not int8 with one scale")
    trailing = tuple(n for n in b.shape)
    while trailing and trailing[0] == 1:
        trailing = trailing[1:]
    if a.size != y.size or (trailing and tuple(a.shape[-len(trailing) :]) != trailing):
        refuse(node, f"it stretches {b.shape} over {a.shape}")
    constant = b.data is not None
    inputs = [lowering.read(node, a)] + ([] if constant else [lowering.read(node, b)])
    if kind == "add":
        twice = 2 * max(a.scale, b.scale)
        factors = (a.scale / twice, b.scale / twice, twice / (2**20 * y.scale))
    else:
        factors = (a.scale * b.scale / y.scale,)
    params = [n for factor in factors for n in fixed.quantize_multiplier(factor)]
    params += [0] * (6 - len(params)) + [b.size]
    lowering.add(
        node,
        Step(
            kind,
            node.name,
            inputs,
            lowering.write(y),
            flat_shape(node, y),
            flat_shape(node, y),
            zeros=(a.zero_point, b.zero_point, y.zero_point),
            clamp=fixed.activation_range(activation_of(node), y.scale, y.zero_point),
            data=b.data.tobytes() if constant else b"",
            params=params,
            flags=flags | (FLAG_CONST if constant else 0),
        ),
    )


def _add(lowering, node: Node) -> None:
    _binary(lowering, node, "add")


def _sub(lowering, node: Node) -> None:
    _binary(lowering, node, "add", FLAG_SUBTRACT)


def _mul(lowering, node: Node) -> None:
    _binary(lowering, node, "mul")


OPERATIONS = {
    "SOFTMAX": _softmax,
    "RELU": _relu,
    "RELU6": _relu6,
    "LEAKY_RELU": _leaky_relu,
    "ELU": _elu,
    "HARD_SWISH": _hard_swish,
    "LOGISTIC": _logistic,
    "TANH": _tanh,
    "ADD": _add,
    "SUB": _sub,
    "MUL": _mul,
}
