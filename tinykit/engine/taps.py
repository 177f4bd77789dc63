"""Where a plan has the tensors of its network: in which bytes of the arena, and after which step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .folding import fold
from .lower import Lowering
from .plan import Plan
from .tflite import DTYPES, Node, Tensor

_RESHAPES = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE")
_CUTS = ("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND")


@dataclass(frozen=True, eq=False)
class Tap:
    """One tensor that an operation of the network makes, or the network's input.

    Parameters
    ----------
    name, kind : str
        The layer's name and the operation's; the input has no operation.
    tensor : Tensor
    sources : tuple of int
        Indices of the tensors that it is computed from, without constants.
    step : int or None
        The plan's step after which it lies in the arena (-1: before the first); None: the plan has no
        step for it.
    offset : int
        Where it lies, bytes from the arena's first.
    why : str
        Where there is no step: why not.
    activation : str
        What the operation has fused, as the schema spells it.
    """

    name: str
    kind: str
    tensor: Tensor
    sources: tuple[int, ...]
    step: int | None
    offset: int = 0
    why: str = ""
    activation: str = "NONE"

    @property
    def place(self) -> tuple[int, int, int]:
        """What ``Runtime.inside`` and ``Board.inside`` are asked for."""
        return self.step, self.offset, self.tensor.bytes

    def values(self, data: bytes) -> np.ndarray:
        """The tensor's values from its bytes."""
        return np.frombuffer(data, np.dtype(DTYPES[self.tensor.dtype]).newbyteorder("<")).reshape(self.tensor.shape)


def taps(plan: Plan) -> list[Tap]:
    """All tensors that a network's operations make, in running order, its input first.

    Parameters
    ----------
    plan : Plan
        Compiled from a .tflite.
    """
    network = fold(plan.network)
    lowered = Lowering(plan.network)
    written = {step.output: number for number, step in enumerate(plan.steps)}
    makers = {t.index: node for node in network.nodes for t in node.outputs}
    x = network.input
    found = [Tap("input", "", x, (), -1, plan.layout.buffers[lowered.input])]
    for node in network.nodes:
        sources = tuple(t.index for t in node.inputs if t is not None and t.data is None)
        fused = node.options.get("activation", "NONE")
        for tensor in node.outputs:
            index, step, offset, why = tensor.index, None, 0, ""
            if lowered.place.get(index) == index and index not in lowered.views and index in written:
                step, offset = written[index], plan.layout.buffers[index]
            elif index == network.output.index:  # renamed, cut out or joined: there when all is done
                step, offset = len(plan.steps) - 1, plan.layout.buffers[lowered.output] + lowered.output_offset
            else:
                why = _why(node, tensor, lowered, network.nodes, makers)
            found.append(Tap(node.name, node.kind, tensor, sources, step, offset, why, fused))
    return found


def _why(node: Node, tensor: Tensor, lowered: Lowering, nodes, makers) -> str:
    """Why a plan has no step for this tensor, for people."""
    readers = [n for n in nodes if any(t is not None and t.index == tensor.index for t in n.inputs)]
    if tensor.index in lowered.views:
        root = makers.get(lowered.views[tensor.index][0])
        return f"a part of {root.name if root else 'the input'}"
    if tensor.index in lowered.place:
        return "only another name" if node.kind not in _RESHAPES else "only another shape"
    if node.kind in _CUTS or any(n.kind in _CUTS for n in readers):
        return "joined into a dilated convolution"
    return f"folded into {readers[0].name}" if readers else "nothing reads it"
