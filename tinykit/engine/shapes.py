"""Operations that move values without changing them: renaming, padding, joining."""

from __future__ import annotations

import numpy as np

from .checks import activation_of, check_same_scale
from .refuse import refuse
from .step import Step
from .tflite import Node


def _rename(lowering, node: Node) -> None:
    lowering.rename(node)


def _transpose(lowering, node: Node) -> None:
    order = node.inputs[1].data if len(node.inputs) > 1 and node.inputs[1] is not None else None
    shape = node.inputs[0].shape
    if order is None or [a for a in order if shape[a] != 1] != sorted(a for a in order if shape[a] != 1):
        refuse(node)
    lowering.rename(node)


def _pad(lowering, node: Node) -> None:
    x, y, amounts = node.inputs[0], node.outputs[0], node.inputs[1]
    if amounts is None or amounts.data is None:
        refuse(node, "its widths are not constants")
    pads = tuple((int(a), int(b)) for a, b in amounts.data.reshape(-1, 2))
    if len(x.shape) > 4 or (len(x.shape) == 4 and any(pads[0])):
        refuse(node, f"it pads {pads}, which the engine can't")
    lowering.read(node, x)
    if node.kind == "PAD" and x.scale == y.scale and x.zero_point == y.zero_point:
        lowering.pads[y.index] = (x, node, pads)  # a convolution may do it for nothing
    else:
        lowering.pad(node, x, y, pads)


def _concatenation(lowering, node: Node) -> None:
    check_same_scale(node)
    activation_of(node)
    y = node.outputs[0]
    axis = int(node.options["axis"]) % len(y.shape)
    outer = int(np.prod(y.shape[:axis]))
    after = int(np.prod(y.shape[axis + 1 :]))
    sources = [lowering.read(node, x) for x in node.inputs]
    output, offset = lowering.write(y), 0
    for x, source in zip(node.inputs, sources, strict=True):
        shape = (outer, x.shape[axis], after)
        size = x.shape[axis] * after
        step = Step("copy", node.name, [source], output, shape, shape, params=[size, y.shape[axis] * after])
        step.out_offset = offset
        offset += size
        lowering.add(node, step)


TYPES = {}

OPERATIONS = {
    "RESHAPE": _rename,
    "SQUEEZE": _rename,
    "EXPAND_DIMS": _rename,
    "TRANSPOSE": _transpose,
    "PAD": _pad,
    "PADV2": _pad,
    "CONCATENATION": _concatenation,
}
