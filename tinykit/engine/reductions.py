"""Pooling, means and maxima over axes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from . import fixed, moves
from .checks import activation_of, check_same_scale, picture_shape, same_pad
from .refuse import refuse
from .step import Step
from .tflite import Node


def _pool(lowering, node: Node, kind: str) -> None:
    x, y, o = node.inputs[0], node.outputs[0], node.options
    kernel, stride = (int(o["filterHeight"]), int(o["filterWidth"])), (int(o["strideH"]), int(o["strideW"]))
    inputs, out = picture_shape(node, x), picture_shape(node, y)
    same = o["padding"] == "SAME"
    sides = zip(inputs[:2], out[:2], kernel, stride, strict=True)
    pad = tuple(same_pad(n, m, k, s, 1) if same else 0 for n, m, k, s in sides)
    clamp = fixed.activation_range(activation_of(node), y.scale, y.zero_point)
    source = lowering.read(node, x)
    lowering.add(
        node,
        Step(
            kind,
            node.name,
            [source],
            lowering.write(y),
            inputs,
            out,
            kernel,
            stride,
            (1, 1),
            pad,
            clamp=clamp,
        ),
    )


def _average_pool_2d(lowering, node: Node) -> None:
    _pool(lowering, node, "average_pool")


def _max_pool_2d(lowering, node: Node) -> None:
    _pool(lowering, node, "max_pool")


def _reduced(lowering, node: Node) -> tuple[int, tuple[int, int, int]]:
    """The buffer to reduce, and its (outer, reduced, inner) sizes.

    Axes that are not neighbours are brought together first, behind those that stay.
    """
    x, axes = node.inputs[0], node.inputs[1]
    if axes is None or axes.data is None:
        refuse(node, "its axes are not constants")
    rank = len(x.shape)
    chosen = sorted({int(a) % rank for a in np.ravel(axes.data) if x.shape[a] != 1})
    source, shape = lowering.read(node, x), x.shape
    first, last = (chosen[0], chosen[-1] + 1) if chosen else (0, 0)
    if any(shape[a] != 1 for a in range(first, last) if a not in chosen):
        whole = moves.blank(x)
        order = [a for a in range(rank) if a not in chosen] + chosen
        together = replace(x, shape=tuple(shape[a] for a in order))
        cut, target = moves.Cut.of(whole.transpose(order), whole), moves.blank(together)
        output = lowering.between()
        moves.copy(lowering, node, [source], cut, output, moves.Cut.of(target, target), x, together)
        source, shape, first, last = output, together.shape, rank - len(chosen), rank
    sizes = [int(np.prod(shape[a:b])) for a, b in ((0, first), (first, last), (last, rank))]
    return source, (sizes[0], sizes[1], sizes[2])


def _sum(lowering, node: Node) -> None:
    _mean(lowering, node, False)


def _mean(lowering, node: Node, divide: bool = True) -> None:
    x, y = node.inputs[0], node.outputs[0]
    source, (outer, count, inner) = _reduced(lowering, node)
    multiplier, shift = fixed.quantize_multiplier(x.scale / y.scale)
    if divide:  # 1 / count goes into the multiplier, with as many bits as the reference gives it
        extra = min(count.bit_length() - 1, 32, 31 + shift)
        multiplier, shift = (multiplier << extra) // count, shift - extra
    lowering.add(
        node,
        Step(
            "mean",
            node.name,
            [source],
            lowering.write(y),
            (outer, count, inner),
            (outer, 1, inner),
            zeros=(x.zero_point, 0, y.zero_point),
            params=[multiplier, shift, -x.zero_point * count],
        ),
    )


def _reduce_max(lowering, node: Node) -> None:
    check_same_scale(node)
    source, (outer, count, inner) = _reduced(lowering, node)
    shape = (outer * count, 1, inner)
    lowering.add(
        node,
        Step(
            "max_pool",
            node.name,
            [source],
            lowering.write(node.outputs[0]),
            shape,
            (outer, 1, inner),
            (count, 1),
            (count, 1),
            (1, 1),
        ),
    )


OPERATIONS = {
    "AVERAGE_POOL_2D": _average_pool_2d,
    "MAX_POOL_2D": _max_pool_2d,
    "MEAN": _mean,
    "SUM": _sum,
    "REDUCE_MAX": _reduce_max,
}
