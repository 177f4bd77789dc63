"""What several operations ask of a node: shapes, fused activation, equal scales."""

from __future__ import annotations

from .refuse import refuse
from .tflite import Node, Tensor

LIMIT = 65535  # sizes are 16-bit in an op record


def activation_of(node: Node) -> str:
    activation = node.options.get("activation", "NONE")
    if activation not in ("NONE", "RELU", "RELU6", "RELU_N1_TO_1"):
        refuse(node, f"its fused activation is {activation}")
    return activation


def check_same_scale(node: Node) -> None:
    y = node.outputs[0]
    for x in node.inputs:
        if x is not None and x.dtype == "INT8" and (x.scale != y.scale or x.zero_point != y.zero_point):
            refuse(node, "its inputs and its output have different scales")


def same_pad(size: int, out: int, kernel: int, stride: int, dilation: int) -> int:
    """Rows before the picture for 'same' padding: the smaller half of what is missing."""
    return max(0, ((out - 1) * stride + (kernel - 1) * dilation + 1 - size) // 2)


def picture_shape(node: Node, tensor: Tensor) -> tuple[int, int, int]:
    if len(tensor.shape) != 4 or tensor.shape[0] != 1:
        refuse(node, f"a tensor has shape {tensor.shape}, expected (1, height, width, channels)")
    return tensor.shape[1], tensor.shape[2], tensor.shape[3]


def flat_shape(node: Node, tensor: Tensor) -> tuple[int, int, int]:
    """A shape of the same size with no side beyond 16 bits."""
    if tensor.size <= LIMIT:
        return 1, 1, tensor.size
    last = tensor.shape[-1]
    rest = tensor.shape[-2] if len(tensor.shape) > 1 else 1
    return tensor.size // (last * rest), rest, last
