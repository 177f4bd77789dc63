"""Saying no to an operation, with what to use instead."""

from __future__ import annotations

from ..errors import UnsupportedOp

_RECURRENT = "Use 1-D convolutions instead of recurrent layers: they see time as well, and run here."
_INSTEAD = {
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _RECURRENT,
    "UNIDIRECTIONAL_SEQUENCE_RNN": _RECURRENT,
    "LSTM": _RECURRENT,
    "WHILE": _RECURRENT,
    "BATCH_MATMUL": "Use Dense or Conv layers; attention is not supported.",
    "TRANSPOSE": "Keep channels last, and use Reshape where the order stays the same.",
    "TRANSPOSE_CONV": "End the network before it grows again, or use Dense layers for the way up.",
    "RESIZE_NEAREST_NEIGHBOR": "Feed the size that the network needs.",
    "RESIZE_BILINEAR": "Feed the size that the network needs.",
    "SUB": "Turn it round: multiply by -1, then Add.",
    "DIV": "Use a multiplication by the reciprocal.",
    "HARD_SWISH": "Use ReLU or ReLU6.",
    "GELU": "Use ReLU, ReLU6 or LeakyReLU.",
    "EXP": "Use a sigmoid, tanh or softmax.",
    "PRELU": "Use LeakyReLU: one slope for all channels.",
    "DEQUANTIZE": "Convert with inference_output_type = tf.int8, and all layers in int8.",
    "SPACE_TO_BATCH_ND": "Use stride instead of dilation, or fix the input's length before converting.",
    "BATCH_TO_SPACE_ND": "Use stride instead of dilation, or fix the input's length before converting.",
    "STRIDED_SLICE": "Cut the input before it enters the network.",
    "SPLIT": "Cut the input before it enters the network.",
    "SUM": "Use a mean (GlobalAveragePooling).",
    "L2_NORMALIZATION": "Use BatchNormalization, which folds into the layer before it.",
    "QUANTIZE": "Convert with inference_input_type = tf.int8.",
}


def refuse(node, reason: str = "") -> None:
    """Raise ``UnsupportedOp`` naming operation, layer and what to use instead."""
    if node is None:
        raise UnsupportedOp(f"The engine can't run this network: {reason}.", "Check the network's graph.")
    what = f"The engine has no {node.kind}" if not reason else f"The engine can't run this {node.kind}: {reason}"
    raise UnsupportedOp(
        f"{what} (layer {node.name}).",
        _INSTEAD.get(node.kind.split()[0], "Use convolution, dense, pooling, mean, add, mul, relu or softmax layers."),
    )
