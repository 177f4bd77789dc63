"""Dense layers for a TensorFlow Lite Micro that knows one scale for all of a layer's weights.

TensorFlow's converter gives each output of a dense layer a scale of its own. The version that the Arduino
library manager has reads the first of them for all, and answers wrongly without a word. Its convolutions do
know one scale an output. So such a layer becomes a convolution with a kernel of 1x1, which is the same sum.
"""

from __future__ import annotations

from ..engine.tflite import schema_module


def without_many_scales(model: bytes) -> tuple[bytes, int]:
    """The same network with such dense layers as convolutions, and how many they were.

    Parameters
    ----------
    model : bytes
        A .tflite that ``read_network`` takes.

    Returns
    -------
    (bytes, int)
        With 0, the bytes as they came.
    """
    schema = schema_module()
    tree = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    graph = tree.subgraphs[0]
    made, changed = [], 0
    for operator in graph.operators:
        if not _is_many(schema, tree, graph, operator):
            made.append(operator)
            continue
        made += _Convolution(schema, tree, graph).of(operator)
        changed += 1
    if not changed:
        return model, 0
    graph.operators = made
    return _packed(schema, tree), changed


def _is_many(schema, tree, graph, operator) -> bool:
    code = tree.operatorCodes[operator.opcodeIndex]
    if max(code.builtinCode, code.deprecatedBuiltinCode) != schema.BuiltinOperator.FULLY_CONNECTED:
        return False
    scales = graph.tensors[operator.inputs[1]].quantization.scale
    return scales is not None and len(scales) > 1


class _Convolution:
    """Makes three operations of a dense one: into the shape of a picture, convolve, and back."""

    def __init__(self, schema, tree, graph):
        self._schema, self._tree, self._graph = schema, tree, graph

    def of(self, dense) -> list:
        schema, tensors = self._schema, self._graph.tensors
        x, weights, *bias = (int(i) for i in dense.inputs if i >= 0)
        y = int(dense.outputs[0])
        outputs, inputs = (int(n) for n in tensors[weights].shape)
        rows = _size(tensors[y]) // outputs
        options = schema.Conv2DOptionsT()
        options.padding = schema.Padding.VALID
        options.strideW = options.strideH = 1
        options.dilationWFactor = options.dilationHFactor = 1
        options.fusedActivationFunction = dense.builtinOptions.fusedActivationFunction
        picture = self._copy(x, (1, rows, 1, inputs))
        kernel = self._copy(weights, (outputs, 1, 1, inputs))
        answer = self._copy(y, (1, rows, 1, outputs))
        bias = bias or [self._zeros(x, weights, outputs)]  # that version's convolutions can't do without
        kinds = schema.BuiltinOptions
        return [
            self._reshape(x, picture),
            self._operator("CONV_2D", [picture, kernel, *bias], answer, kinds.Conv2DOptions, options),
            self._reshape(answer, y),
        ]

    def _copy(self, index: int, shape) -> int:
        """A tensor like another one, with another shape; constants share their bytes."""
        old, new = self._graph.tensors[index], self._schema.TensorT()
        for name, value in vars(old).items():
            setattr(new, name, value)
        new.shape, new.shapeSignature = list(shape), None
        self._graph.tensors.append(new)
        return len(self._graph.tensors) - 1

    def _zeros(self, x: int, weights: int, count: int) -> int:
        """A bias of nothing."""
        schema, tensors = self._schema, self._graph.tensors
        tensor, about, buffer = schema.TensorT(), schema.QuantizationParametersT(), schema.BufferT()
        about.scale = [float(tensors[x].quantization.scale[0]) * float(s) for s in tensors[weights].quantization.scale]
        about.zeroPoint = [0] * count
        buffer.data = bytes(4 * count)
        tensor.shape, tensor.type, tensor.name = [count], schema.TensorType.INT32, b"no_bias"
        tensor.quantization, tensor.buffer = about, len(self._tree.buffers)
        self._tree.buffers.append(buffer)
        tensors.append(tensor)
        return len(tensors) - 1

    def _reshape(self, x: int, y: int):
        options = self._schema.ReshapeOptionsT()
        options.newShape = [int(n) for n in self._graph.tensors[y].shape]
        return self._operator("RESHAPE", [x], y, self._schema.BuiltinOptions.ReshapeOptions, options)

    def _operator(self, kind: str, inputs, output: int, options_type: int, options):
        operator = self._schema.OperatorT()
        operator.opcodeIndex = self._code(getattr(self._schema.BuiltinOperator, kind))
        operator.inputs, operator.outputs = list(inputs), [output]
        operator.builtinOptionsType, operator.builtinOptions = options_type, options
        return operator

    def _code(self, number: int) -> int:
        codes = self._tree.operatorCodes
        for i, code in enumerate(codes):
            if max(code.builtinCode, code.deprecatedBuiltinCode) == number:
                return i
        code = self._schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = number
        code.version = 1
        codes.append(code)
        return len(codes) - 1


def _size(tensor) -> int:
    size = 1
    for n in tensor.shape:
        size *= int(n)
    return size


def _packed(schema, tree) -> bytes:
    """A .tflite whose constants lie at multiples of 16, as a microcontroller wants them."""
    import flatbuffers

    class Aligned(schema.BufferT):
        def Pack(self, builder):
            data = b"" if self.data is None else bytes(bytearray(self.data))
            at = None
            if data:
                builder.StartVector(1, len(data), 16)
                builder.head -= len(data)
                builder.Bytes[builder.head : builder.head + len(data)] = data
                at = builder.EndVector()
            schema.BufferStart(builder)
            if at is not None:
                schema.BufferAddData(builder, at)
            return schema.BufferEnd(builder)

    for buffer in tree.buffers:
        buffer.__class__ = Aligned
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(tree.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())
