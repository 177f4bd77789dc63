"""From the operations of a .tflite to the steps of a plan.

Each supported operation has one function, in ``convolutions``, ``reductions``, ``elementwise`` or
``shapes``. It checks that the operation is of the form the kernels know, does once what can be done
once (zero points folded into biases, multipliers, tables), and appends a ``Step``. Operations that
only rename a tensor (reshape and its kin) become no step at all.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from . import convolutions, elementwise, reductions, shapes
from .checks import LIMIT
from .dilation import join_dilated
from .refuse import refuse
from .step import Step
from .tflite import Network, Node, Tensor

OPERATIONS = {
    **convolutions.OPERATIONS,
    **reductions.OPERATIONS,
    **elementwise.OPERATIONS,
    **shapes.OPERATIONS,
}
# What an operation's activations may be; of all others, int8.
TYPES = {**shapes.TYPES}
_SHAPE_TYPES = ("INT32", "INT64")
_ZERO_POINTS = {"INT8": (-128, 127), "UINT8": (0, 255), "INT16": (-32768, 32767)}
_MOST = 1 << 22  # values in one tensor: far more than any board's RAM


class Lowering:
    """The steps of a network.

    Parameters
    ----------
    network : Network

    Attributes
    ----------
    steps : list of Step
    place : dict
        Tensor index -> buffer.
    views : dict
        Buffer that is a part of another -> that one, and the offset in bytes.
    """

    def __init__(self, network: Network):
        network = join_dilated(network)
        self.steps: list[Step] = []
        self.place = {network.input.index: network.input.index}
        self.views: dict[int, tuple[int, int]] = {}
        self.uses = Counter(t.index for node in network.nodes for t in node.inputs if t is not None)
        self.uses[network.output.index] += 1
        self.pads: dict[int, tuple[Tensor, Node, tuple]] = {}  # tensor -> a padding not yet done
        for node in network.nodes:
            self._lower(node)
        self.input = self.place[network.input.index]
        last = network.nodes[-1] if network.nodes else None
        if network.output.index not in self.place and network.output.index not in self.pads:
            refuse(last, "the output is not computed from the input")
        self.output = self.read(last, network.output)
        if not self.steps:  # nothing but renaming: still one op, so that a plan has one
            size = network.input.size
            table = np.arange(-128, 128, dtype=np.int8)
            self.table(network.nodes[0] if network.nodes else None, self.input, self.input, (1, 1, size), table)

    def _lower(self, node: Node) -> None:
        outputs = [t for t in node.outputs if t.dtype not in _SHAPE_TYPES]
        if not outputs and node.outputs:
            return  # arithmetic on shapes: the file states every shape already
        function = OPERATIONS.get(node.kind)
        if function is None:
            refuse(node)
        if not node.inputs or not node.outputs:
            refuse(node, "it has no input, or no output")
        allowed = TYPES.get(node.kind, ("INT8",))
        for tensor in [*(t for t in node.inputs if t is not None and t.data is None), *node.outputs]:
            if tensor.dtype not in allowed:
                names = " or ".join(allowed).lower()
                refuse(node, f"it works on {tensor.dtype.lower()}, expected {names}")
            if tensor.dtype in _ZERO_POINTS:
                low, high = _ZERO_POINTS[tensor.dtype]
                if len(tensor.scales) != 1:
                    refuse(node, f"an activation has {len(tensor.scales)} scales, expected one")
                if not 0 < tensor.scale < float("inf") or not low <= tensor.zero_point <= high:
                    refuse(node, f"an activation has scale {tensor.scale:g} and zero point {tensor.zero_point}")
            if not 0 < tensor.size <= _MOST or min(tensor.shape, default=1) < 1:
                refuse(node, f"a tensor of shape {tensor.shape} is beyond the engine")
        function(self, node)

    def read(self, node: Node, tensor: Tensor) -> int:
        """Buffer of an activation; does a padding that was put off."""
        if tensor.index in self.pads:
            source, pad_node, pads = self.pads.pop(tensor.index)
            self.pad(pad_node, source, tensor, pads)
        if tensor.index not in self.place:
            refuse(node, f"its input {tensor.name} is a constant")
        return self.place[tensor.index]

    def add(self, node: Node, step: Step) -> None:
        for shape in (step.in_shape, step.out_shape, step.kernel, step.stride, step.dilation, step.pad):
            if any(n > LIMIT for n in shape):
                refuse(node, f"a size of {max(shape)} is beyond the engine's {LIMIT}")
        places = [self.views.get(buffer, (buffer, 0)) for buffer in step.inputs]
        step.inputs, step.in_offsets = [p[0] for p in places], tuple(p[1] for p in places)
        self.steps.append(step)

    def write(self, tensor: Tensor) -> int:
        self.place[tensor.index] = tensor.index
        return tensor.index

    def table(self, node: Node | None, source: int, output: int, shape, table: np.ndarray) -> None:
        name = node.name if node else "identity"
        self.add(node, Step("table", name, [source], output, shape, shape, data=table.tobytes()))

    def rename(self, node: Node) -> None:
        source, target = node.inputs[0], node.outputs[0]
        if source.size != target.size:
            refuse(node, f"it turns {source.shape} into {target.shape}")
        self.place[target.index] = self.read(node, source)

    def pad(self, node: Node, x: Tensor, y: Tensor, pads) -> None:
        value = y.zero_point
        if len(node.inputs) > 2 and node.inputs[2] is not None:
            if node.inputs[2].data is None:
                refuse(node, "its value is not a constant")
            value = int(np.ravel(node.inputs[2].data)[0])
        before = [p[0] for p in pads][-3:]
        before = [0] * (3 - len(before)) + before
        shapes = [(1, 1, 1, *t.shape)[-3:] for t in (x, y)]
        source = self.read(node, x)
        self.add(
            node,
            Step(
                "pad",
                node.name,
                [source],
                self.write(y),
                shapes[0],
                shapes[1],
                pad=(before[0], before[1]),
                zeros=(x.zero_point, 0, value),
                params=[before[2]],
            ),
        )
