"""Small int8 networks written straight as FlatBuffers, without TensorFlow: any shape, any scale."""

import flatbuffers
import numpy as np

from tinykit.engine.tflite import schema_module

S = schema_module()


class Net:
    """A network of one path; ``last`` is the tensor that the next operation takes.

    All random choices come from ``rng``, so that a seed makes the same network again.
    """

    def __init__(self, rng, shape, scale=None, zero=None):
        self.rng = rng
        self.tensors, self.operators, self.codes, self.buffers = [], [], [], [S.BufferT()]
        self.input = self.last = self.activation(shape, scale, zero)

    # -- tensors

    def tensor(self, shape, dtype, scales=None, zeros=None, data=None, axis=0):
        t = S.TensorT()
        t.shape, t.type, t.name = np.array(shape, np.int32), dtype, f"t{len(self.tensors)}".encode()
        q = S.QuantizationParametersT()
        if scales is not None:
            q.scale = np.array(scales, np.float32)
            q.zeroPoint = np.array(zeros if zeros is not None else [0] * len(q.scale), np.int64)
            q.quantizedDimension = axis
        t.quantization = q
        if data is not None:
            b = S.BufferT()
            b.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            t.buffer = len(self.buffers)
            self.buffers.append(b)
        self.tensors.append(t)
        return len(self.tensors) - 1

    def activation(self, shape, scale=None, zero=None):
        scale = float(np.exp(self.rng.uniform(np.log(0.004), np.log(0.3)))) if scale is None else scale
        zero = int(self.rng.choice([-128, 0, self.rng.integers(-128, 90)])) if zero is None else zero
        return self.tensor(shape, S.TensorType.INT8, [scale], [zero])

    def like(self, shape, scale=None, zero=None):
        """An activation with the last one's type, scale and zero point."""
        last = self.tensors[self.last]
        return self.tensor(shape, last.type, [last.quantization.scale[0]], [last.quantization.zeroPoint[0]])

    def retype(self, index, dtype):
        """Make an int8 tensor another type of about the same reach; float32 has neither scale nor zero point."""
        t = self.tensors[index]
        t.type = getattr(S.TensorType, dtype)
        if dtype == "FLOAT32":
            t.quantization = S.QuantizationParametersT()
        elif dtype == "UINT8":
            t.quantization.zeroPoint += 128
        elif dtype in ("INT16", "INT32"):
            t.quantization.scale = (t.quantization.scale / 2 ** (8 if dtype == "INT16" else 24)).astype(np.float32)
            t.quantization.zeroPoint[:] = 0
        return index

    def ints(self, values, shape=None):
        values = np.array(values, np.int32)
        return self.tensor(values.shape if shape is None else shape, S.TensorType.INT32, data=values)

    @property
    def shape(self):
        return tuple(int(n) for n in self.tensors[self.last].shape)

    def scale_of(self, index):
        return float(self.tensors[index].quantization.scale[0])

    # -- operations

    def op(self, kind, inputs, output, options=None, options_type=None):
        """``output``: a tensor, or several; the first of them becomes the last tensor."""
        outputs = list(np.atleast_1d(output))
        code = S.OperatorCodeT()
        code.builtinCode = getattr(S.BuiltinOperator, kind)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = 1
        o = S.OperatorT()
        o.opcodeIndex = len(self.codes)
        self.codes.append(code)
        o.inputs, o.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
        if options is not None:
            o.builtinOptions = options
            o.builtinOptionsType = getattr(S.BuiltinOptions, options_type or type(options).__name__[:-1])
        self.operators.append(o)
        self.last = int(outputs[0])
        return self

    def _weights(self, shape, channels, axis, fan_in, per_channel, bias, out_scale, coarse=1):
        """Weights, and a bias, that keep most sums inside the output's range.

        ``coarse``: so many times smaller weights with so many times larger scales.
        """
        rng, x_scale = self.rng, self.scale_of(self.last)
        base = out_scale * 60 / (x_scale * 60 * 60 * np.sqrt(fan_in))
        n = channels if per_channel else 1
        scales = (base * np.exp(rng.uniform(-1, 1, n))).astype(np.float32)
        scales *= np.float32(coarse)
        w = (rng.integers(-127, 128, shape) // coarse).astype(np.int8)
        weights = self.tensor(shape, S.TensorType.INT8, scales, [0] * n, w, axis)
        if not bias:
            return weights, -1
        limit = 60 * out_scale / (x_scale * scales.astype(np.float64))
        values = (rng.uniform(-1, 1, channels) * limit).astype(np.int32)
        return weights, self.tensor([channels], S.TensorType.INT32, np.float32(x_scale) * scales, [0] * n, values)

    def conv(self, out_c, kernel, stride=(1, 1), dilation=(1, 1), padding="SAME", activation="NONE", bias=True,
             per_channel=True, depthwise=None, scale=None, zero=None, coarse=1):  # fmt: skip
        _, h, w, c = self.shape
        oh, ow = (_out(n, k, s, d, padding) for n, k, s, d in zip((h, w), kernel, stride, dilation, strict=True))
        if depthwise:
            out_c = c * depthwise
        y = self.activation((1, oh, ow, out_c), scale, zero)
        if depthwise:
            shape, axis, fan = (1, *kernel, out_c), 3, kernel[0] * kernel[1]
        else:
            shape, axis, fan = (out_c, *kernel, c), 0, kernel[0] * kernel[1] * c
        weights, b = self._weights(shape, out_c, axis, fan, per_channel, bias, self.scale_of(y), coarse)
        o = S.DepthwiseConv2DOptionsT() if depthwise else S.Conv2DOptionsT()
        o.padding = getattr(S.Padding, padding)
        o.strideH, o.strideW = stride
        o.dilationHFactor, o.dilationWFactor = dilation
        o.fusedActivationFunction = getattr(S.ActivationFunctionType, activation)
        if depthwise:
            o.depthMultiplier = depthwise
        return self.op("DEPTHWISE_CONV_2D" if depthwise else "CONV_2D", [self.last, weights, b], y, o)

    def dense(self, out_c, activation="NONE", bias=True, per_channel=False, rows=1, scale=None, zero=None, coarse=1):
        depth = int(np.prod(self.shape)) // rows
        y = self.activation((rows, out_c), scale, zero)
        weights, b = self._weights((out_c, depth), out_c, 0, depth, per_channel, bias, self.scale_of(y), coarse)
        o = S.FullyConnectedOptionsT()
        o.fusedActivationFunction = getattr(S.ActivationFunctionType, activation)
        return self.op("FULLY_CONNECTED", [self.last, weights, b], y, o)

    def pool(self, kind, kernel, stride, padding="VALID", activation="NONE"):
        _, h, w, c = self.shape
        oh, ow = (_out(n, k, s, 1, padding) for n, k, s in zip((h, w), kernel, stride, strict=True))
        y = self.like((1, oh, ow, c))
        o = S.Pool2DOptionsT()
        o.padding = getattr(S.Padding, padding)
        o.filterHeight, o.filterWidth = kernel
        o.strideH, o.strideW = stride
        o.fusedActivationFunction = getattr(S.ActivationFunctionType, activation)
        return self.op(kind, [self.last], y, o)

    def reduce(self, kind, axes, keep_dims=False, rescale=True):
        shape = [n for n in self.shape]
        out = [1 if i in axes else n for i, n in enumerate(shape)]
        if not keep_dims:
            out = [n for i, n in enumerate(shape) if i not in axes]
        y = self.activation(out, self.scale_of(self.last) * self.rng.uniform(0.3, 1.2)) if rescale else self.like(out)
        o = S.ReducerOptionsT()
        o.keepDims = keep_dims
        return self.op(kind, [self.last, self.ints(list(axes))], y, o)

    def softmax(self, beta=1.0):
        y = self.tensor(self.shape, S.TensorType.INT8, [1 / 256], [-128])
        o = S.SoftmaxOptionsT()
        o.beta = beta
        return self.op("SOFTMAX", [self.last], y, o)

    def reshape(self, shape):
        o = S.ReshapeOptionsT()
        o.newShape = np.array(shape, np.int32)
        return self.op("RESHAPE", [self.last, self.ints(list(shape))], self.like(shape), o)

    def unary(self, kind, scale=None, zero=None, options=None, same=False):
        y = self.like(self.shape) if same else self.activation(self.shape, scale, zero)
        return self.op(kind, [self.last], y, options)

    def binary(self, kind, other, activation="NONE", scale=None):
        options = {"ADD": S.AddOptionsT, "SUB": S.SubOptionsT, "MUL": S.MulOptionsT}
        o = options.get(kind, S.SquaredDifferenceOptionsT)()
        o.fusedActivationFunction = getattr(S.ActivationFunctionType, activation)
        if scale is None and kind != "MUL":  # so that the sum has room
            scale = (self.scale_of(self.last) + self.scale_of(other)) * self.rng.uniform(0.5, 1.2)
        shape = np.broadcast_shapes(self.shape, tuple(self.tensors[other].shape))
        y = self.activation(shape, scale, 0 if kind == "SUB" else None)
        return self.op(kind, [self.last, other], y, o)

    def constant(self, shape):
        return self.tensor(
            shape,
            S.TensorType.INT8,
            [float(self.rng.uniform(0.01, 0.1))],
            [int(self.rng.integers(-60, 60))],
            self.rng.integers(-128, 128, shape).astype(np.int8),
        )

    def state(self, shape, dtype, scale, zero=0):
        """Memory of a layer: a variable."""
        index = self.tensor(shape, getattr(S.TensorType, dtype), [scale], [zero])
        self.tensors[index].isVariable = True
        return index

    def _int8(self, shape, scale):
        values = self.rng.integers(-127, 128, shape).astype(np.int8)
        return self.tensor(shape, S.TensorType.INT8, [scale], [0], values)

    def lstm(self, units, time_major=False, clip=0.0, power=None):
        """Over a sequence (batch, steps, values), or steps first. int16 where the last tensor is."""
        rng, x = self.rng, self.last
        wide = self.tensors[x].type == S.TensorType.INT16
        batch, depth = self.shape[int(time_major)], self.shape[2]
        x_scale, reach = self.scale_of(x), 2.0**15 if wide else 100
        h_scale = 2.0**-15 if wide else float(rng.uniform(0.004, 0.009))
        h_zero = 0 if wide else int(rng.integers(-60, 60))
        gate = float(rng.uniform(0.5, 3))  # how large a gate's sum gets
        inputs = [gate / (x_scale * reach * 60 * np.sqrt(depth)) * float(rng.uniform(0.5, 2)) for _ in range(4)]
        pasts = [gate / (60 * np.sqrt(units)) * float(rng.uniform(0.5, 2)) for _ in range(4)]
        tensors = [x, *(self._int8((units, depth), s) for s in inputs), *(self._int8((units, units), s) for s in pasts)]
        tensors += [-1] * 3
        kind, dtype = (S.TensorType.INT64, np.int64) if wide else (S.TensorType.INT32, np.int32)
        for s in inputs:
            values = (rng.uniform(-1, 1, units) / (x_scale * s)).astype(dtype)
            tensors.append(self.tensor([units], kind, [x_scale * s], [0], values))
        power = int(rng.integers(-14, -8)) if power is None else power
        tensors += [-1, -1, self.state((batch, units), "INT16" if wide else "INT8", h_scale, h_zero)]
        tensors += [self.state((batch, units), "INT16", 2.0**power), -1, -1, -1, -1]
        o = S.UnidirectionalSequenceLSTMOptionsT()
        o.fusedActivationFunction, o.timeMajor, o.cellClip = S.ActivationFunctionType.TANH, time_major, clip
        shape = (*self.shape[:2], units)
        y = self.tensor(shape, S.TensorType.INT16 if wide else S.TensorType.INT8, [h_scale], [h_zero])
        return self.op("UNIDIRECTIONAL_SEQUENCE_LSTM", tensors, y, o)

    def svdf(self, units, memory, rank=1, wide=False, scale=None, zero=None):
        """Of examples (count, values); ``wide``: state and weights over time are int16."""
        rng, x = self.rng, self.last
        count, depth = self.shape
        state_scale = float(rng.uniform(0.02, 0.3)) / (200 if wide else 1)
        state_zero = 0 if wide else int(rng.integers(-128, 128))
        features = state_scale * (2e4 if wide else 60) / (self.scale_of(x) * 60 * 60 * np.sqrt(depth))
        dtype, kind = (np.int16, S.TensorType.INT16) if wide else (np.int8, S.TensorType.INT8)
        limit = np.iinfo(dtype).max
        over_time = rng.integers(-limit, limit + 1, (units * rank, memory)).astype(dtype)
        time_scale = float(rng.uniform(0.005, 0.02)) / (256 if wide else 1)
        y = self.activation((count, units), scale or state_scale * time_scale * limit * limit / 2, zero)
        bias_scale = state_scale * time_scale
        bias = rng.uniform(-1, 1, units) * np.clip(60 * self.scale_of(y) / bias_scale, 0, 2.0**30)
        bias = bias.astype(np.int32)
        tensors = [
            x,
            self._int8((units * rank, depth), features),
            self.tensor(over_time.shape, kind, [time_scale], [0], over_time),
            self.tensor([units], S.TensorType.INT32, [bias_scale], [0], bias),
            self.state((count, units * rank * memory), "INT16" if wide else "INT8", state_scale, state_zero),
        ]
        o = S.SVDFOptionsT()
        o.rank, o.fusedActivationFunction = rank, S.ActivationFunctionType.RELU
        return self.op("SVDF", tensors, y, o)

    def pad(self, amounts):
        shape = [n + a + b for n, (a, b) in zip(self.shape, amounts, strict=True)]
        amounts = self.ints(np.array(amounts).ravel(), (len(shape), 2))
        return self.op("PAD", [self.last, amounts], self.like(shape), S.PadOptionsT())

    def concat(self, others, axis):
        shape = list(self.shape)
        shape[axis] += sum(int(self.tensors[t].shape[axis]) for t in others)
        o = S.ConcatenationOptionsT()
        o.axis = axis
        return self.op("CONCATENATION", [self.last, *others], self.like(shape), o)

    def bytes(self) -> bytes:
        g = S.SubGraphT()
        g.tensors, g.operators = self.tensors, self.operators
        g.inputs, g.outputs = np.array([self.input], np.int32), np.array([self.last], np.int32)
        m = S.ModelT()
        m.version, m.operatorCodes, m.subgraphs, m.buffers = 3, self.codes, [g], self.buffers
        b = flatbuffers.Builder(4096)
        b.Finish(m.Pack(b), b"TFL3")
        return bytes(b.Output())


def _out(size, kernel, stride, dilation, padding):
    span = (kernel - 1) * dilation + 1
    return -(-size // stride) if padding == "SAME" else (size - span) // stride + 1
