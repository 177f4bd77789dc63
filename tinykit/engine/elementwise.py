"""Functions of one value (tables), and softmax."""

from __future__ import annotations

import math

import numpy as np

from . import fixed
from .checks import flat_shape
from .refuse import refuse
from .step import Step
from .tflite import Node

_LONGEST_ROW = 4096  # of a softmax (tk_op_softmax.c)


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
    wide = y.dtype == "INT16"
    if x.dtype != "INT8":
        refuse(node, f"its input is {x.dtype.lower()}, expected int8")
    if not wide:
        _check_output(node, 256, -128)
    elif abs(y.scale - 2**-16) > 2**-16 / 1000 or y.zero_point != -32768:
        found = f"its output has scale {y.scale:g} and zero point {y.zero_point}"
        refuse(node, f"{found}, expected 1/65536 and -32768")
    depth = x.shape[-1]
    if depth > _LONGEST_ROW:
        refuse(node, f"its rows have {depth} values, more than {_LONGEST_ROW}")
    table = fixed.softmax_table(x.scale, float(np.float32(node.options.get("beta", 1.0))))
    shape = (x.size // depth, 1, depth)
    source = lowering.read(node, x)
    data = table.astype("<i4").tobytes()
    lowering.add(
        node,
        Step(
            "softmax_16" if wide else "softmax",
            node.name,
            [source],
            lowering.write(y),
            shape,
            shape,
            data=data,
            params=[len(table)],
            out_size=2 if wide else 1,
        ),
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


def _rsqrt(lowering, node: Node) -> None:
    x, y = node.inputs[0], node.outputs[0]
    _unary(lowering, node, fixed.rsqrt_table(x.scale, x.zero_point, y.scale, y.zero_point))


def _abs(lowering, node: Node) -> None:
    x, y = node.inputs[0], node.outputs[0]
    factor = None
    if x.scale != y.scale:
        factor = fixed.quantize_multiplier(float(np.float32(x.scale) / np.float32(y.scale)))
    _unary(lowering, node, fixed.abs_table(factor, x.zero_point, y.zero_point))


def _function(function):
    """One that the reference has for floats only: a table as TensorFlow Lite makes them."""

    def lower(lowering, node: Node) -> None:
        x, y = node.inputs[0], node.outputs[0]
        values = function(fixed.values_of(x.scale, x.zero_point), node.options)
        _unary(lowering, node, fixed.levels_of(values, y.scale, y.zero_point))

    return lower


def _gelu(x: np.ndarray, options: dict) -> np.ndarray:
    if options.get("approximate"):
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + np.array([math.erf(v) for v in x / math.sqrt(2)]))


def _logistic(lowering, node: Node) -> None:
    x = node.inputs[0]
    _check_output(node, 256, -128)
    _unary(lowering, node, fixed.logistic_table(x.scale, x.zero_point))


def _tanh(lowering, node: Node) -> None:
    x = node.inputs[0]
    _check_output(node, 128, 0)
    _unary(lowering, node, fixed.tanh_table(x.scale, x.zero_point))


OPERATIONS = {
    "SOFTMAX": _softmax,
    "RELU": _relu,
    "RELU6": _relu6,
    "LEAKY_RELU": _leaky_relu,
    "ELU": _elu,
    "HARD_SWISH": _hard_swish,
    "RSQRT": _rsqrt,
    "ABS": _abs,
    "EXP": _function(lambda x, options: np.exp(np.minimum(x, 80))),  # float32 ends there, int8 long before
    "GELU": _function(_gelu),
    "LOGISTIC": _logistic,
    "TANH": _tanh,
}

TYPES = {"SOFTMAX": ("INT8", "INT16")}
