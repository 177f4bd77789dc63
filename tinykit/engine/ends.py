"""Where a network begins and ends: other kinds of numbers into int8, and out of it.

Integers change by fixed-point arithmetic. Floats go through one division or one product each, so
that host, board and TensorFlow Lite Micro agree to the bit.
"""

from __future__ import annotations

import numpy as np

from . import elementwise, fixed, moves
from .refuse import refuse, refuse_type
from .shapes import constant
from .step import Step
from .tflite import Node

_CODES = {"INT8": 1, "UINT8": 2, "INT16": 3, "INT32": 4}  # as tk_op_quantize.c numbers them
# What TensorFlow Lite Micro turns into what.
_TO_INTEGERS = {
    "FLOAT32": ("INT8", "INT16"),
    "INT8": ("INT8", "UINT8", "INT16", "INT32"),
    "UINT8": ("INT8",),
    "INT16": ("INT8", "INT16", "INT32"),
    "INT32": ("INT8", "INT16"),
}


def _change(lowering, node: Node, kind: str, params: list[int]) -> None:
    x, y = node.inputs[0], node.outputs[0]
    if x.size != y.size:
        refuse(node, f"it turns {x.shape} into {y.shape}")
    shape, source = moves.three(x.shape), lowering.read(node, x)
    step = Step(kind, node.name, [source], lowering.write(y), shape, shape, params=params)
    step.in_size, step.out_size = x.itemsize, y.itemsize
    step.clear = 0 if y.itemsize <= x.itemsize else (y.itemsize - x.itemsize) * x.size
    lowering.add(node, step)


def _bits(scale: float) -> int:
    """A float32 as an int32."""
    return int(np.float32(scale).view(np.int32))


def _quantize(lowering, node: Node) -> None:
    x, y = node.inputs[0], node.outputs[0]
    if y.dtype not in _TO_INTEGERS.get(x.dtype, ()):
        refuse(node, f"it turns {x.dtype.lower()} into {y.dtype.lower()}")
    if x.dtype == "FLOAT32":
        return _change(lowering, node, "quantize", [0, _CODES[y.dtype], _bits(y.scale), 0, 0, y.zero_point])
    if x.dtype == y.dtype == "INT8":
        return elementwise.quantize(lowering, node)
    if not (0 < x.scale < float("inf") and 0 < y.scale < float("inf")):
        refuse(node, f"it has scales {x.scale:g} and {y.scale:g}")
    multiplier, shift = fixed.quantize_multiplier(x.scale / y.scale)
    if x.itemsize == y.itemsize == 1:  # from uint8, or into it
        values = [n & 0xFF if x.dtype == "UINT8" else n for n in range(-128, 128)]
        values = [fixed.requantize(n - x.zero_point, multiplier, shift) + y.zero_point for n in values]
        table = np.clip(values, *((0, 255) if y.dtype == "UINT8" else (-128, 127))).astype(np.uint8)
        return lowering.table(node, lowering.read(node, x), lowering.write(y), moves.three(x.shape), table)
    codes = [_CODES[x.dtype], _CODES[y.dtype]]
    _change(lowering, node, "rescale", [*codes, multiplier, shift, x.zero_point, y.zero_point])


def _dequantize(lowering, node: Node) -> None:
    x, y = node.inputs[0], node.outputs[0]
    if x.data is not None:  # weights
        refuse_type(node, x if x.dtype == "FLOAT16" else y, ("INT8",), lowering.nodes)
    if x.dtype not in ("INT8", "UINT8", "INT16") or y.dtype != "FLOAT32":
        refuse(node, f"it turns {x.dtype.lower()} into {y.dtype.lower()}")
    _change(lowering, node, "dequantize", [_CODES[x.dtype], 0, _bits(x.scale), 0, x.zero_point])


def _arg(lowering, node: Node, smallest: int) -> None:
    x, y = node.inputs[0], node.outputs[0]
    if x.dtype != "INT8" or y.dtype not in ("INT32", "INT64"):
        refuse(node, f"it turns {x.dtype.lower()} into {y.dtype.lower()}")
    axis, rank = int(constant(node, 1, "its axis is")[0]), len(x.shape)
    if not -rank <= axis < rank or x.size // x.shape[axis] != y.size:
        refuse(node, f"it turns {x.shape} into {y.shape} along axis {axis}")
    axis %= rank
    shape = [int(np.prod(x.shape[a:b], dtype=np.int64)) for a, b in ((0, axis), (axis, axis + 1), (axis + 1, rank))]
    source = lowering.read(node, x)
    step = Step("argmax", node.name, [source], lowering.write(y), tuple(shape), (shape[0], 1, shape[2]),
                params=[smallest, y.itemsize])  # fmt: skip
    step.out_size = y.itemsize
    lowering.add(node, step)


def _arg_max(lowering, node: Node) -> None:
    _arg(lowering, node, 0)


def _arg_min(lowering, node: Node) -> None:
    _arg(lowering, node, 1)


OPERATIONS = {"QUANTIZE": _quantize, "DEQUANTIZE": _dequantize, "ARG_MAX": _arg_max, "ARG_MIN": _arg_min}

TYPES = {
    "QUANTIZE": ("INT8", "UINT8", "INT16", "INT32", "FLOAT32"),
    "DEQUANTIZE": ("INT8", "UINT8", "INT16", "FLOAT32"),
    "ARG_MAX": ("INT8", "INT32", "INT64"),
    "ARG_MIN": ("INT8", "INT32", "INT64"),
}
