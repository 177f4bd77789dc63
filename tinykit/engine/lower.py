"""From the operations of a .tflite to the steps of a plan.

Each supported operation has one function, in one of the modules that ``OPERATIONS`` is put together
from. It checks that the operation is of the form the kernels know, does once what can be done
once (zero points folded into biases, multipliers, tables), and appends a ``Step``. Operations that
only rename a tensor (reshape and its kin) become no step at all.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from . import broadcast, convolutions, elementwise, ends, matmul, moves, recurrent, reductions, shapes
from .checks import LIMIT
from .dilation import join_dilated
from .folding import fold
from .refuse import refuse, refuse_type
from .step import Step
from .tflite import Network, Node, Tensor

OPERATIONS = {
    **convolutions.OPERATIONS,
    **reductions.OPERATIONS,
    **elementwise.OPERATIONS,
    **broadcast.OPERATIONS,
    **matmul.OPERATIONS,
    **recurrent.OPERATIONS,
    **shapes.OPERATIONS,
    **ends.OPERATIONS,
}
# What an operation's activations may be; of all others, int8.
TYPES = {**elementwise.TYPES, **shapes.TYPES, **ends.TYPES, **matmul.TYPES, **recurrent.TYPES}
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
        network = join_dilated(fold(network))
        self.steps: list[Step] = []
        self.place = {network.input.index: network.input.index}
        self._between = 0
        self.views: dict[int, tuple[int, int]] = {}
        self.uses = Counter(t.index for node in network.nodes for t in node.inputs if t is not None)
        self.uses[network.output.index] += 1
        self.held: dict[int, moves.Held] = {}  # tensor -> a cut of another, not yet made
        self.pads: dict[int, tuple[Tensor, Node, tuple]] = {}  # tensor -> a padding not yet done
        self.nodes = network.nodes
        for node in network.nodes:
            self._lower(node)
        self.input = self.place[network.input.index]
        last = network.nodes[-1] if network.nodes else None
        if not any(network.output.index in made for made in (self.place, self.pads, self.held)):
            refuse(last, "the output is not computed from the input")
        self.output = self.read(last, network.output)
        self.output, self.output_offset = self.views.get(self.output, (self.output, 0))
        if not self.steps:  # nothing but renaming: still one op, so that a plan has one
            x = network.input
            whole = moves.Cut.of(*[moves.blank(x)] * 2)
            node = last or Node("IDENTITY", (x,), (network.output,))
            moves.copy(self, node, [self.input], whole, self.input, whole, x, x)

    def _lower(self, node: Node) -> None:
        function = OPERATIONS.get(node.kind)
        if function is None:
            refuse(node)
        if not node.inputs or not node.outputs:
            refuse(node, "it has no input, or no output")
        allowed = TYPES.get(node.kind, ("INT8",))
        activations = [*(t for t in node.inputs if t is not None and t.data is None), *node.outputs]
        for tensor in activations:
            if tensor.dtype not in allowed:
                refuse_type(node, tensor, allowed, self.nodes)
            if tensor.dtype in _ZERO_POINTS:
                low, high = _ZERO_POINTS[tensor.dtype]
                if len(tensor.scales) != 1:
                    refuse(node, f"an activation has {len(tensor.scales)} scales, expected one")
                if not 0 < tensor.scale < float("inf") or not low <= tensor.zero_point <= high:
                    refuse(node, f"an activation has scale {tensor.scale:g} and zero point {tensor.zero_point}")
            if not 0 < tensor.size <= _MOST or min(tensor.shape, default=1) < 1:
                refuse(node, f"a tensor of shape {tensor.shape} is beyond the engine")
        if node.kind in shapes.OPERATIONS and len({t.dtype for t in activations}) > 1:
            refuse(node, "its input and its output are of different types")
        function(self, node)

    def read(self, node: Node, tensor: Tensor) -> int:
        """Buffer of an activation; does a padding or a cut that was put off."""
        if tensor.index in self.held:
            moves.make(self, tensor)
        if tensor.index in self.pads:
            source, pad_node, pads = self.pads.pop(tensor.index)
            shapes.pad(self, pad_node, source, tensor, pads)
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

    def part(self, source: int, tensor: Tensor, offset: int) -> None:
        """A tensor that lies within a buffer already, so many bytes from its start."""
        root, before = self.views.get(source, (source, 0))
        self.views[tensor.index] = root, before + offset
        self.place[tensor.index] = tensor.index

    def between(self) -> int:
        """A buffer for what has no tensor in the file."""
        self._between -= 1
        return self._between

    def table(self, node: Node, source: int, output: int, shape, table: np.ndarray) -> None:
        self.add(node, Step("table", node.name, [source], output, shape, shape, data=table.tobytes()))

    def rename(self, node: Node) -> None:
        source, target = node.inputs[0], node.outputs[0]
        if source.size != target.size:
            refuse(node, f"it turns {source.shape} into {target.shape}")
        if source.index in self.pads and self.uses[source.index] == 1 and self._pad_on(source, target):
            return
        if source.index in self.held:
            before = self.held[source.index]
            moves.keep(self, node, before, before.view, target)
        else:
            self.place[target.index] = self.read(node, source)

    def _pad_on(self, source: Tensor, target: Tensor) -> bool:
        """Let a padding wait behind a renaming that adds an axis: Conv1D is a CONV_2D to the file."""
        for axis in range(1, len(source.shape)):
            if tuple(target.shape) == (*source.shape[:axis], 1, *source.shape[axis:]):
                x, node, pads = self.pads.pop(source.index)
                x = replace(x, shape=(*x.shape[:axis], 1, *x.shape[axis:]))
                self.pads[target.index] = x, node, (*pads[:axis], (0, 0), *pads[axis:])
                return True
        return False
