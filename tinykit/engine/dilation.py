"""Put dilated convolutions together again.

TensorFlow writes a dilated convolution as three operations: cut the picture into interleaved ones
(SPACE_TO_BATCH_ND), convolve each, and interleave the results (BATCH_TO_SPACE_ND). The kernels
know dilation, so the three, with the reshapes between them, become one convolution. (The converter
writes this form when the batch is left open, and then states shapes for a batch of 1 throughout,
from which TensorFlow Lite Micro computes wrong answers; here only the outermost shapes are used.)
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .refuse import refuse
from .tflite import Network, Node, Tensor

_RESHAPES = ("RESHAPE", "EXPAND_DIMS", "SQUEEZE")
_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


def join_dilated(network: Network) -> Network:
    """The network with every dilated convolution in one piece.

    Raises
    ------
    UnsupportedOp
        SPACE_TO_BATCH_ND for another purpose, or in a form that is not a dilated convolution.
    """
    nodes = list(network.nodes)
    for start in [n for n in nodes if n.kind == "SPACE_TO_BATCH_ND"]:
        chain = _chain(nodes, start)
        at = nodes.index(start)
        nodes = [n for n in nodes if n not in chain]
        nodes.insert(at, _joined(chain))
    return replace(network, nodes=tuple(nodes))


def _chain(nodes: list[Node], start: Node) -> list[Node]:
    """From SPACE_TO_BATCH_ND to BATCH_TO_SPACE_ND, each the only reader of the one before."""
    chain = [start]
    while chain[-1].kind != "BATCH_TO_SPACE_ND":
        made = chain[-1].outputs[0].index
        readers = [n for n in nodes if any(t is not None and t.index == made for t in n.inputs)]
        allowed = _RESHAPES + _CONVOLUTIONS + ("BATCH_TO_SPACE_ND",)
        if len(readers) != 1 or readers[0].kind not in allowed:
            refuse(start)
        chain.append(readers[0])
    return chain


def _joined(chain: list[Node]) -> Node:
    first, last = chain[0], chain[-1]
    convolutions = [n for n in chain if n.kind in _CONVOLUTIONS]
    if len(convolutions) != 1:
        refuse(first)
    conv = convolutions[0]
    o = conv.options
    steps = (o["strideH"], o["strideW"], o["dilationHFactor"], o["dilationWFactor"])
    if steps != (1, 1, 1, 1) or o["padding"] != "VALID":
        refuse(first)
    # Along which of height and width the convolution sees the axes that were cut.
    middle = conv.inputs[0].shape
    block, pads = (np.ravel(first.inputs[i].data).tolist() for i in (1, 2))
    crops = np.ravel(last.inputs[2].data).tolist()
    if any(crops[::2]) or np.ravel(last.inputs[1].data).tolist() != block:
        refuse(first)
    x, y = first.inputs[0], last.outputs[0]
    if len(block) == 2:
        dilation, pad = tuple(block), (pads[0], pads[2])
        x4, y4 = x.shape, y.shape
    elif len(middle) == 4 and middle[1] == 1:
        dilation, pad = (1, block[0]), (0, pads[0])
        x4, y4 = _spread(x, 1), _spread(y, 1)
    elif len(middle) == 4 and middle[2] == 1:
        dilation, pad = (block[0], 1), (pads[0], 0)
        x4, y4 = _spread(x, 2), _spread(y, 2)
    else:
        refuse(first)
    options = {**o, "dilationHFactor": dilation[0], "dilationWFactor": dilation[1], "pad": pad}
    return Node(conv.kind, (replace(x, shape=x4), *conv.inputs[1:]), (replace(y, shape=y4),), options)


def _spread(tensor: Tensor, axis: int) -> tuple[int, ...]:
    shape = list(tensor.shape)
    if len(shape) == 3:
        shape.insert(axis, 1)
    return tuple(shape)
