"""What every layer of a network gives for one input: of the float network, and of TensorFlow's interpreter.

The converter names a tensor of the .tflite by the operations of the float network that it holds
(``net/conv1d/Relu;net/conv1d/BiasAdd``), so the two can be laid side by side. What it folds away (a
bias, a batch normalisation, an activation) is walked over: a tensor belongs to the last operation in it.
"""

from __future__ import annotations

import numpy as np

from ..models.backend import quiet, tensorflow
from ..models.predict import network

# Operations that the converter folds into the convolution or dense layer before them, if their other input is constant.
_FOLDED = {"BiasAdd", "Add", "AddV2", "Sub", "Mul", "RealDiv", "FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"}
_SHAPING = {"Identity", "Squeeze", "Reshape", "ExpandDims"}
_ACTIVATIONS = {"Relu", "Relu6"}
_MANY = {"Split", "SplitV", "Unpack"}
_FOLDING = _FOLDED | {"Conv2D", "DepthwiseConv2dNative", "MatMul", "BatchMatMul", "BatchMatMulV2", "BatchToSpaceND"}


def float_layers(pipeline, seen, net) -> dict[int, np.ndarray]:
    """What the float network has where the .tflite has its tensors.

    Parameters
    ----------
    pipeline : Pipeline
        With a float network.
    seen : float32 array of shape (rows, features)
        One window as the network sees it.
    net : engine.tflite.Network
        The int8 network, read.

    Returns
    -------
    dict
        Index of the tensor -> float32 values in its shape; without those that have no counterpart.
    """
    graph = _Graph(network(pipeline), seen.shape)
    values = graph.run(seen)
    names = {t.index: graph.named(t, node) for node in net.nodes for t in node.outputs}
    found = {}
    for node in net.nodes:
        for tensor in node.outputs:
            mine = names[tensor.index]
            others = {name for index, some in names.items() if index != tensor.index for name in some} - set(mine)
            fused = node.options.get("activation", "NONE") != "NONE"
            ends = [graph.output] if tensor.index == net.output.index else []
            ends += [graph.end(name, others, fused) for name in mine]
            fits = [end for end in ends if values[end].size == tensor.size]
            if fits:
                found[tensor.index] = values[fits[0]].reshape(tensor.shape)
    return found


class _Graph:
    """The float network's operations, in the order in which they run."""

    def __init__(self, model, shape):
        tf = tensorflow()
        with quiet():
            self.function = tf.compat.v1.wrap_function(
                lambda x: model(x, training=False), [tf.TensorSpec((1, *shape), tf.float32, name="window")]
            )
        self.input = self.function.inputs[0]
        self.output = self.function.outputs[0].op.name
        moved, self.ops, self.readers = {self.input.op.name}, {}, {}
        for op in self.function.graph.get_operations():
            sources = [t.op.name for t in op.inputs if t.op.name in moved]
            if sources and op.outputs and op.outputs[0].dtype == tf.float32:
                moved.add(op.name)
                self.ops[op.name] = op
                for name in dict.fromkeys(sources):
                    self.readers.setdefault(name, []).append(op.name)

    def run(self, seen) -> dict[str, np.ndarray]:
        """The values of all operations; of one with several outputs, the second is ``name:1``."""
        places = {}
        for name, op in self.ops.items():
            for k, output in enumerate(op.outputs if op.type in _MANY else op.outputs[:1]):
                places[f"{name}:{k}" if k else name] = output
        with quiet():
            ask = self.function.prune([self.input], list(places.values()))
            values = ask(tensorflow().constant(np.asarray(seen, np.float32)[None]))
        return {name: value.numpy() for name, value in zip(places, values, strict=True)}

    def named(self, tensor, node) -> list[str]:
        """The operations that the tensor's name says it holds."""
        found, place = [], node.outputs.index(tensor)
        for part in tensor.name.split(";"):
            part = part.split(":")[0]
            while part and part not in self.ops and part[-1].isdigit():  # the converter tells namesakes apart
                part = part[:-1]
            if part in self.ops:
                found.append(f"{part}:{place}" if place else part)
        return found

    def end(self, name: str, others: set, fused: bool) -> str:
        """From one operation that a tensor holds to the last that was folded into it, none of ``others``."""
        last = name
        while name in self.ops and len(readers := self.readers.get(name, ())) == 1:
            before, name = self.ops[name].type, readers[0]
            op = self.ops[name]
            alone = sum(t.op.name in self.ops or t is self.input for t in op.inputs) == 1
            if fused and op.type in _ACTIVATIONS and before not in _ACTIVATIONS:
                return name
            folds = op.type in _FOLDED and before in _FOLDING | _SHAPING and name not in others
            if not alone or not (folds or op.type in _SHAPING):
                break
            last = name
        return last


def interpreter_layers(network: bytes, x: np.ndarray, indices) -> dict[int, np.ndarray]:
    """What TensorFlow's interpreter has in the tensors of a .tflite, by its reference kernels.

    Parameters
    ----------
    network : bytes
        A .tflite with one input.
    x : array
        One example, of the input's type.
    indices : iterable of int
        The tensors asked for.

    Returns
    -------
    dict
        Index -> values.
    """
    lite = tensorflow().lite
    with quiet():
        interpreter = lite.Interpreter(
            model_content=network,
            experimental_op_resolver_type=lite.experimental.OpResolverType.BUILTIN_REF,
            experimental_preserve_all_tensors=True,
        )
        interpreter.allocate_tensors()
        given = interpreter.get_input_details()[0]
        interpreter.set_tensor(given["index"], np.asarray(x).reshape(given["shape"]))
        interpreter.invoke()
    return {index: interpreter.get_tensor(index) for index in indices}
