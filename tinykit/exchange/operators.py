"""What TensorFlow Lite Micro, as the Arduino library manager has it, calls each operation."""

from __future__ import annotations

from ..errors import UnsupportedOp

LIBRARY = "Chirale_TensorFLowLite", "2.0.0"

# tflite::MicroMutableOpResolver's methods in that version, without "Add".
_METHODS = """
Abs Add AddN ArgMax ArgMin AveragePool2D BatchToSpaceNd BroadcastArgs BroadcastTo Cast Ceil Concatenation Conv2D Cos
CumSum DepthToSpace DepthwiseConv2D Dequantize Div Elu Equal Exp ExpandDims Fill Floor FloorDiv FloorMod FullyConnected
Gather GatherNd Greater GreaterEqual HardSwish L2Normalization L2Pool2D LeakyRelu Less LessEqual Log LogicalAnd
LogicalNot LogicalOr Logistic LogSoftmax Maximum MaxPool2D MirrorPad Mean Minimum Mul Neg NotEqual Pack Pad PadV2 Prelu
Quantize ReduceMax Relu Relu6 Reshape ResizeBilinear ResizeNearestNeighbor Round Rsqrt SelectV2 Shape Sin Slice Softmax
SpaceToBatchNd SpaceToDepth Split SplitV Squeeze Sqrt Square SquaredDifference StridedSlice Sub Sum Svdf Tanh
TransposeConv Transpose Unpack UnidirectionalSequenceLSTM ZerosLike
""".split()
_BY_NAME = {name.lower(): f"Add{name}" for name in _METHODS}


def methods(network) -> list[str]:
    """Methods of the op resolver that a network needs, each once, in the order of their names.

    Parameters
    ----------
    network : Network

    Raises
    ------
    UnsupportedOp
        The library has no such operation.
    """
    found = set()
    for node in network.nodes:
        # The schema's names are the same words with underscores.
        method = _BY_NAME.get(node.kind.replace("_", "").lower())
        if method is None:
            raise UnsupportedOp(
                f"Layer {node.name} is a {node.kind.lower()}, which the Arduino library {LIBRARY[0]} {LIBRARY[1]} "
                "does not have.",
                "tinykit export c has it; or use another layer.",
            )
        found.add(method)
    return sorted(found)
