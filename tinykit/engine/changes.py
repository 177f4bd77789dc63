"""A network with one thing changed, as far as its cost goes: stride 2, half the filters, half the input.

Shapes are worked out anew from the changed operation to the output and weights are cut to size. The
result computes nonsense, but it compiles, so that its flash, arena and cycles are real.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .tflite import Network, Node, Tensor

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
WITH_FILTERS = ("CONV_2D", "FULLY_CONNECTED")
_POOLS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")
_REDUCTIONS = ("MEAN", "SUM", "REDUCE_MAX")


class NotPossible(Exception):
    """This change can't be made to this network, or it meets an operation that is not known here."""


@dataclass(frozen=True)
class Change:
    """One change.

    Parameters
    ----------
    kind : str
        ``"stride"`` (twice as long steps), ``"filters"`` (half as many) or ``"input"`` (half as large).
    node : int or None
        Which operation; None: the input, or for filters all but the last operation that has any.
    """

    kind: str
    node: int | None = None

    def said(self, network: Network) -> str:
        """In a student's words."""
        if self.kind == "input":
            old, new = (_text(n.input.shape) for n in (network, apply(network, self)))
            return f"an input of {new} instead of {old}"
        if self.node is None:
            return "half the filters in every layer but the last"
        node = network.nodes[self.node]
        if self.kind == "stride":
            old = max(_strides(node))
            return f"stride {2 * old} instead of {old} in {_called(network, self.node)}"
        count = node.inputs[1].shape[0]
        what = "units" if node.kind == "FULLY_CONNECTED" else "filters"
        return f"{max(1, count // 2)} {what} instead of {count} in {_called(network, self.node)}"


def candidates(network: Network) -> list[Change]:
    """All changes that could be tried."""
    last = max((i for i, node in enumerate(network.nodes) if node.kind in WITH_FILTERS), default=None)
    found = []
    for i, node in enumerate(network.nodes):
        if node.kind in CONVOLUTIONS and max(node.inputs[1].shape[1:3]) > 1:
            found.append(Change("stride", i))
        if node.kind in WITH_FILTERS and i != last and node.inputs[1].shape[0] > 1:
            found.append(Change("filters", i))
    return [*found, Change("filters"), Change("input")]


def apply(network: Network, change: Change) -> Network:
    """The network after a change.

    Raises
    ------
    NotPossible
        It would not fit together any more, or its shapes can't be worked out.
    """
    return _Rewrite(network, change).result


class _Rewrite:
    def __init__(self, network: Network, change: Change):
        self.change = change
        self.last = max((i for i, node in enumerate(network.nodes) if node.kind in WITH_FILTERS), default=None)
        self.new: dict[int, Tensor] = {}
        shape = network.input.shape
        if change.kind == "input":
            shape = _halved(shape)
        self.new[network.input.index] = replace(network.input, shape=shape)
        try:
            nodes = tuple(self._node(i, node) for i, node in enumerate(network.nodes))
        except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
            raise NotPossible(str(error)) from error
        output = self.new.get(network.output.index)
        if output is None or output.size != network.output.size:
            raise NotPossible("the answer would have another size")
        self.result = Network(network.name, nodes, self.new[network.input.index], output)

    def _node(self, i: int, node: Node) -> Node:
        inputs = [t if t is None else self.new.get(t.index, t) for t in node.inputs]
        chosen, every = self.change.node == i, self.change.node is None
        halve = self.change.kind == "filters" and (chosen or (every and node.kind in WITH_FILTERS and i != self.last))
        longer = self.change.kind == "stride" and chosen
        same = all(a is b or a.shape == b.shape for a, b in zip(inputs, node.inputs, strict=True))
        if same and not halve and not longer:
            # What comes is as it was, so what goes is too, whatever this operation does.
            self.new.update((tensor.index, tensor) for tensor in node.outputs)
            return node
        if self._shape(node, list(node.inputs), dict(node.options), False) != node.outputs[0].shape:
            raise NotPossible(f"{node.kind} does something else to shapes here")
        options = dict(node.options)
        if longer:  # only along sides that there are
            sides = [n > 1 for n in node.outputs[0].shape[1:3]]
            options["strideH"] *= 1 + sides[0]
            options["strideW"] *= 1 + sides[1]
        shape = self._shape(node, inputs, options, halve)
        if min(shape, default=1) < 1:
            raise NotPossible(f"nothing would be left after {node.name}")
        outputs = []
        for number, tensor in enumerate(node.outputs):
            if number and tensor.shape != node.outputs[0].shape:
                raise NotPossible(f"{node.kind} has outputs of several shapes")
            outputs.append(replace(tensor, shape=shape))
            self.new[tensor.index] = outputs[-1]
        return Node(node.kind, tuple(inputs), tuple(outputs), options)

    def _shape(self, node: Node, inputs: list, options: dict, halve: bool) -> tuple[int, ...]:
        """The output's shape; weights among the inputs are cut to size."""
        if node.kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            return self._weighted(node, inputs, options, halve)
        if node.kind in _POOLS:
            x, old = inputs[0].shape, node.inputs[0].shape
            # A window over the whole picture stays one.
            options["filterHeight"] = _window(options["filterHeight"], old[1], x[1])
            options["filterWidth"] = _window(options["filterWidth"], old[2], x[2])
            return _slid(x, (options["filterHeight"], options["filterWidth"]), options, x[3])
        return self._plain(node, inputs)

    def _weighted(self, node: Node, inputs: list, options: dict, halve: bool) -> tuple[int, ...]:
        """Cut the weights to size; the output's shape."""
        x, w = inputs[0], inputs[1]
        old = node.inputs[0]
        if w.data is None:
            raise NotPossible("its weights are computed")
        if node.kind == "DEPTHWISE_CONV_2D":
            out = w.shape[3] // old.shape[3] * x.shape[3]
            w = _cut(w, 3, out)
            shape = _slid(x.shape, w.shape[1:3], options, out)
        else:
            out = max(1, w.shape[0] // 2) if halve else w.shape[0]
            if node.kind == "CONV_2D":
                if w.shape[3] != old.shape[3]:
                    raise NotPossible("a grouped convolution")
                w = _cut(_cut(w, 3, x.shape[3]), 0, out)
                shape = _slid(x.shape, w.shape[1:3], options, out)
            else:
                rows = old.shape[-1] == w.shape[1]
                w = _cut(_cut(w, 1, x.shape[-1] if rows else x.size), 0, out)
                lead = x.shape[:-1] if rows and len(node.outputs[0].shape) == len(old.shape) else (1,)
                shape = (*lead, out)
        inputs[1] = w
        if len(inputs) > 2 and inputs[2] is not None:
            inputs[2] = _cut(inputs[2], 0, out)
        return shape

    def _plain(self, node: Node, inputs: list) -> tuple[int, ...]:
        """The output's shape of an operation without weights."""
        x, old, out = inputs[0], node.inputs[0], node.outputs[0]
        kind = node.kind
        if kind in _REDUCTIONS:
            axes = {int(a) % len(x.shape) for a in np.ravel(inputs[1].data)}
            kept = len(out.shape) == len(old.shape)
            return tuple(1 if i in axes else n for i, n in enumerate(x.shape) if kept or i not in axes)
        if kind == "PAD":
            return tuple(n + int(a) + int(b) for n, (a, b) in zip(x.shape, inputs[1].data, strict=True))
        if kind == "CONCATENATION":
            axis = node.options["axis"] % len(x.shape)
            rest = {t.shape[:axis] + t.shape[axis + 1 :] for t in inputs}
            if len(rest) > 1:
                raise NotPossible(f"the parts that {node.name} joins would no longer go together")
            return (*x.shape[:axis], sum(t.shape[axis] for t in inputs), *x.shape[axis + 1 :])
        if kind == "TRANSPOSE":
            return tuple(x.shape[int(a)] for a in inputs[1].data)
        if kind in ("RESHAPE", "SQUEEZE", "EXPAND_DIMS"):
            return _reshaped(old.shape, out.shape, x)
        if kind in ("ADD", "SUB", "MUL", "SQUARED_DIFFERENCE"):
            for i, (tensor, before) in enumerate(zip(inputs, node.inputs, strict=True)):
                if tensor.data is not None and tensor.shape and tensor.shape[-1] == out.shape[-1]:
                    inputs[i] = _cut(tensor, len(tensor.shape) - 1, inputs[1 - i].shape[-1])
                elif tensor.shape != before.shape and inputs[1 - i].shape == node.inputs[1 - i].shape == before.shape:
                    raise NotPossible(f"the two sides of {node.name} would no longer go together")
            return tuple(int(n) for n in np.broadcast_shapes(*(t.shape for t in inputs)))
        if old.shape == out.shape and sum(t is not None and t.data is None for t in inputs) == 1:
            return x.shape
        raise NotPossible(f"what {kind} does to shapes is not known here")


def _halved(shape) -> tuple[int, ...]:
    """Half as long a window, or a picture of half the sides: of two sides that differ much only the longer one."""
    sides = [n for n in shape[1:3]] if len(shape) > 2 else []
    if not sides or max(sides) < 4:
        raise NotPossible("the input is no picture")
    new = [n // 2 if n > 1 and 2 * n > max(sides) else n for n in sides]
    return (shape[0], *new, *shape[3:])


def _cut(tensor: Tensor, axis: int, size: int) -> Tensor:
    """The first ``size`` along an axis, with their scales."""
    if size > tensor.shape[axis]:
        raise NotPossible("it would need weights that are not there")
    data = np.take(tensor.data, range(size), axis)
    many = len(tensor.scales) > 1 and tensor.axis == axis
    scales, zeros = (a[:size] if many else a for a in (tensor.scales, tensor.zero_points))
    return replace(tensor, shape=data.shape, data=data, scales=scales, zero_points=zeros)


def _slid(x, kernel, options, channels) -> tuple[int, ...]:
    """Output shape of a window that slides over a picture."""
    sides = []
    for n, k, way in zip(x[1:3], kernel, "HW", strict=True):
        stride, span = options[f"stride{way}"], (k - 1) * options.get(f"dilation{way}Factor", 1) + 1
        sides.append(-(-n // stride) if options["padding"] == "SAME" else -(-(n - span + 1) // stride))
    return (x[0], *sides, channels)


def _window(size: int, old: int, new: int) -> int:
    return new if size >= old else min(size, new)


def _reshaped(old, out, x: Tensor) -> tuple[int, ...]:
    if [n for n in old if n != 1] == [n for n in out if n != 1]:  # ones come and go
        rest = iter(b for a, b in zip(old, x.shape, strict=True) if a != 1)
        return tuple(1 if n == 1 else next(rest) for n in out)
    free = [i for i, n in enumerate(out) if n != 1]
    if len(free) == 1:  # all in one row
        return tuple(x.size if i == free[0] else 1 for i in range(len(out)))
    last = x.shape[-1] if old[-1] == out[-1] else out[-1]
    shape = [*out[:-1], last]
    known = int(np.prod([n for i, n in enumerate(shape) if i != free[0]]))
    if x.size % known:
        raise NotPossible("its values would no longer fill the shape")
    shape[free[0]] = x.size // known
    return tuple(shape)


def _called(network: Network, i: int) -> str:
    """An operation's name, with its place where others are called the same."""
    name = network.nodes[i].name
    alike = [k for k, node in enumerate(network.nodes) if node.name == name and node.kind == network.nodes[i].kind]
    return name if len(alike) == 1 else f"{name} (the {alike.index(i) + 1}. of {len(alike)})"


def _strides(node: Node) -> tuple[int, int]:
    return node.options["strideH"], node.options["strideW"]


def _text(shape) -> str:
    return " x ".join(str(n) for n in shape[1:] if n != 1) or "1"
