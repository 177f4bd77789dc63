"""Saying no to an operation, with what to use instead."""

from __future__ import annotations

from ..errors import ModelError, UnsupportedOp

_BOARD = "Do it before the network: in the front end, or on the computer."
_DILATED = "Use stride instead of dilation, or fix the input's length before converting."
_INSTEAD = {
    "UNIDIRECTIONAL_SEQUENCE_RNN": "Use an LSTM, or 1-D convolutions: they see time as well.",
    "BIDIRECTIONAL_SEQUENCE_LSTM": "Use an LSTM that goes forward only, or 1-D convolutions.",
    "BIDIRECTIONAL_SEQUENCE_RNN": "Use an LSTM that goes forward only, or 1-D convolutions.",
    "RNN": "Use an LSTM, or 1-D convolutions: they see time as well.",
    "LSTM": "Fix the batch at 1 before converting (keras.Input(..., batch_size=1)): the newer kind of LSTM comes out.",
    "WHILE": "Fix the batch at 1 before converting (keras.Input(..., batch_size=1)), or use 1-D convolutions.",
    "TRANSPOSE_CONV": "Use UpSampling2D(interpolation='nearest') and a convolution.",
    "RESIZE_BILINEAR": "Use interpolation='nearest'.",
    "DIV": "Multiply by the reciprocal.",
    "POW": "Multiply the tensor by itself, or use an activation from a table: sigmoid, tanh, hard swish.",
    "SPACE_TO_BATCH_ND": _DILATED,
    "BATCH_TO_SPACE_ND": _DILATED,
    "L2_NORMALIZATION": "Use BatchNormalization, which folds into the layer before it.",
    "EMBEDDING_LOOKUP": _BOARD,
    "GATHER_ND": "Use slices or a gather with fixed places.",
    "TOPK_V2": "End with a softmax, or with one argmax.",
    "CAST": "Leave the number's kind to the converter: cast before the network, or not at all.",
    "RFFT2D": _BOARD,
    "AudioSpectrogram": _BOARD,
    "Mfcc": _BOARD,
}
_ALL = "Use convolution, dense, pooling, mean, add, mul, concatenation, relu or softmax layers."
_OTHERWISE = "Give this layer another form, or leave it out; the README lists what runs."
_QUANTISE = (
    "small = tk.quantize(pipeline, train); or give the converter representative_dataset and "
    "target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]."
)


def refuse(node, reason: str = "") -> None:
    """Raise ``UnsupportedOp`` naming operation, layer and what to use instead."""
    if node is None:
        raise UnsupportedOp(f"The engine can't run this network: {reason}.", "Check the network's graph.")
    what = f"The engine has no {node.kind}" if not reason else f"The engine can't run this {node.kind}: {reason}"
    word = node.kind.split()[-1]
    raise UnsupportedOp(f"{what} (layer {node.name}).", _INSTEAD.get(word, _OTHERWISE if reason else _ALL))


def refuse_type(node, tensor, allowed: tuple[str, ...], nodes=()) -> None:
    """Raise an error about a tensor whose kind of number this operation can't have.

    It names how the network was converted, where that shows in its ``nodes``, and how to convert it instead.
    """
    where = f"({node.kind}, layer {node.name})"
    if tensor.dtype in ("STRING", "RESOURCE", "VARIANT"):
        raise ModelError(
            f"The network holds a tensor of {tensor.dtype.lower()}s {where}, expected numbers.",
            "Do what is done with text or tables before the network.",
        )
    if tensor.dtype == "FLOAT16":
        raise ModelError(
            f"The network was converted with float16 weights {where}, expected int8 throughout.", _QUANTISE
        )
    if tensor.dtype == "FLOAT32" and any(_is_hybrid(n) for n in (node, *nodes)):
        raise ModelError(
            "The network was converted with dynamic-range quantisation: int8 weights, but float32 between the "
            f"layers {where}; expected int8 throughout.",
            "Give converter.representative_dataset, so that it learns the ranges (tk.quantize does).",
        )
    if tensor.dtype == "FLOAT32":
        raise ModelError(f"The network computes in float32 {where}, expected int8 throughout.", _QUANTISE)
    if tensor.dtype == "INT16" and "INT8" in allowed:
        raise ModelError(
            f"The network was converted with 16-bit activations (int16x8) {where}, expected int8.",
            "Convert with target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8].",
        )
    if tensor.dtype == "UINT8" and "INT8" in allowed:
        raise ModelError(
            f"The network was quantised to uint8, as TensorFlow 1 did {where}, expected int8.",
            "Convert it again with a converter of TensorFlow 2.",
        )
    refuse(node, f"it works on {tensor.dtype.lower()}, expected {' or '.join(allowed).lower()}")


def _is_hybrid(node) -> bool:
    """Whether it multiplies floats by weights of int8, or makes floats of such weights first."""
    x = node.inputs[0] if node.inputs else None
    if x is None or not node.outputs or node.outputs[0].dtype != "FLOAT32":
        return False
    if node.kind == "DEQUANTIZE":
        return x.data is not None and x.dtype in ("INT8", "UINT8", "INT4")
    weights = [t for t in node.inputs[1:] if t is not None and t.data is not None and len(t.shape) > 1]
    return x.dtype == "FLOAT32" and any(t.dtype in ("INT8", "UINT8", "INT4") for t in weights)
