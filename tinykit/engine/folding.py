"""Work out once, on the host, what does not depend on the input: arithmetic on shapes.

Where a model asks for a tensor's shape (``tf.shape``), the converter leaves that arithmetic in the
file. Every shape is known here, so its results are constants, and the operations disappear.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .shapes import slices
from .tflite import Network, Node, Tensor

_MOST = 1 << 16  # values of a constant made here; shapes have a few


def _reduce(function):
    def run(node: Node, x, axes):
        return function(x, axis=tuple(np.ravel(axes).tolist()), keepdims=bool(node.options.get("keepDims")))

    return run


def _concatenated(node: Node, *parts):
    return np.concatenate(parts, axis=int(node.options["axis"]))


def _stacked(node: Node, *parts):
    return np.stack(parts, axis=int(node.options["axis"]))


def _gathered(node: Node, x, places):
    return np.take(x, places, axis=int(node.options.get("axis") or 0))


def _cut(node: Node, x, begin, size):
    stops = [None if n == -1 else b + n for b, n in zip(begin.tolist(), size.tolist(), strict=True)]
    return x[tuple(map(slice, begin.tolist(), stops))]


def _range(node: Node, first, stop, step):
    numbers = range(int(first), int(stop), int(step))
    return np.array(numbers) if len(numbers) <= _MOST else np.broadcast_to(0, len(numbers))


# int32 and int64 wrap, as they do in C.
_FUNCTIONS = {
    "SHAPE": lambda node, x: np.array(x.shape),
    "RANK": lambda node, x: np.array(x.ndim),
    "STRIDED_SLICE": lambda node, x, *_: x[slices(node, x.ndim)],
    "SLICE": _cut,
    "PACK": _stacked,
    "CONCATENATION": _concatenated,
    "GATHER": _gathered,
    "RESHAPE": lambda node, x, *_: x.reshape(node.outputs[0].shape),
    "SQUEEZE": lambda node, x: x.reshape(node.outputs[0].shape),
    "EXPAND_DIMS": lambda node, x, axis: np.expand_dims(x, int(np.ravel(axis)[0])),
    "CAST": lambda node, x: x,
    "ADD": lambda node, x, y: x + y,
    "SUB": lambda node, x, y: x - y,
    "MUL": lambda node, x, y: x * y,
    "FLOOR_DIV": lambda node, x, y: x // y,
    "MAXIMUM": lambda node, x, y: np.maximum(x, y),
    "MINIMUM": lambda node, x, y: np.minimum(x, y),
    "REDUCE_PROD": _reduce(np.prod),
    "SUM": _reduce(np.sum),
    "FILL": lambda node, shape, value: np.broadcast_to(value, shape.tolist()),
    "RANGE": _range,
    "BROADCAST_ARGS": lambda node, x, y: np.array(np.broadcast_shapes(x.tolist(), y.tolist())),
    "BROADCAST_TO": lambda node, x, shape: np.broadcast_to(x, shape.tolist()),
    "TRANSPOSE": lambda node, x, order: x.transpose(order.tolist()),
}
_INTEGERS = {"INT32": np.int32, "INT64": np.int64}


def fold(network: Network) -> Network:
    """The network without the operations whose results are integers known beforehand."""
    known: dict[int, Tensor] = {}
    nodes = []
    for node in network.nodes:
        node = replace(node, inputs=tuple(known.get(t.index, t) if t is not None else None for t in node.inputs))
        result = _result(node)
        if result is None:
            nodes.append(node)
        else:
            known[result.index] = result
    return replace(network, nodes=tuple(nodes))


def _result(node: Node) -> Tensor | None:
    """The constant that this operation computes; None if it is of another sort."""
    if node.kind not in _FUNCTIONS or len(node.outputs) != 1 or node.outputs[0].dtype not in _INTEGERS:
        return None
    if any(t is None for t in node.inputs) or node.options.get("activation", "NONE") != "NONE":
        return None
    if node.kind in ("SHAPE", "RANK"):
        values = [np.empty(t.shape, dtype="V1") for t in node.inputs]
    elif all(t.data is not None and t.dtype in _INTEGERS and t.size <= _MOST for t in node.inputs):
        values = [t.data for t in node.inputs]
    else:
        return None
    y = node.outputs[0]
    with np.errstate(all="ignore"):
        data = np.asarray(_FUNCTIONS[node.kind](node, *values))
    if data.size > _MOST:
        return None
    return replace(y, shape=data.shape, data=data.astype(_INTEGERS[y.dtype]))
