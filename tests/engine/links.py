"""For every operation, how to append one with random options to a network: what ``chains`` draws from.

``test_property.py`` fails when the engine knows an operation that is not in ``TABLE``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from builder import Net, S
from chains import BIGGEST, Unfit, factors


@dataclass(frozen=True)
class Link:
    """``build(net, rng)`` appends it; it follows a tensor of one of ``dtypes``; ``ends``: nothing follows it.

    ``alone``: tflite-micro has it not, so it comes in no chain, and TensorFlow is asked instead.
    """

    build: Callable
    dtypes: tuple[str, ...] = ("INT8",)
    ends: bool = False
    alone: bool = False


TABLE: dict[str, Link] = {}


def back(net):
    """To int8, for an operation that knows nothing else."""
    net.op("QUANTIZE", [net.last], net.activation(net.shape, 0.03), S.QuantizeOptionsT())


def link(name, *dtypes, ends=False, alone=False):
    def enter(function):
        TABLE[name] = Link(function, dtypes or ("INT8",), ends, alone)
        return function

    return enter


def pick(rng, *options):
    return options[rng.integers(len(options))]


def between(rng, low, high) -> int:
    """low..high, both included; the operation does not fit where there is nothing between them."""
    if high < low:
        raise Unfit
    return int(rng.integers(low, high + 1))


# -- with weights


def _window(net, rng, most=5):
    """kernel, stride, dilation and padding that leave at least one output."""
    height, width, _ = net.picture()
    kernel = [between(rng, 1, min(most, n)) for n in (height, width)]
    if rng.random() < 0.3:
        kernel = [1, 1] if rng.random() < 0.5 else [min(3, height), min(3, width)]
    stride = [between(rng, 1, 3), between(rng, 1, 3)]
    dilation = [1, 1]
    if rng.random() < 0.3:
        dilation = [between(rng, 1, 4), between(rng, 1, 4)]
    padding = pick(rng, "SAME", "VALID")
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    if spans[0] > height or spans[1] > width:
        padding = "SAME"
    if rng.random() < 0.1:  # a kernel wider than the picture
        kernel, padding = [kernel[0] + height, kernel[1] + width], "SAME"
    return tuple(kernel), tuple(stride), tuple(dilation), padding


def _channels(net, rng) -> int:
    """Of a convolution's output: mostly few, sometimes as many as real networks have."""
    if rng.random() < 0.15 and net.size < BIGGEST:
        return between(rng, 17, 80)
    return between(rng, 1, 18)


def _fused(rng):
    return pick(rng, "NONE", "NONE", "RELU", "RELU6", "RELU_N1_TO_1")


@link("CONV_2D")
def _conv(net, rng):
    kernel, stride, dilation, padding = _window(net, rng)
    net.conv(_channels(net, rng), kernel, stride, dilation, padding, _fused(rng),
             bool(rng.random() < 0.8), bool(rng.random() < 0.8))  # fmt: skip


@link("DEPTHWISE_CONV_2D")
def _depthwise(net, rng):
    kernel, stride, dilation, padding = _window(net, rng)
    if rng.random() < 0.35:  # what most networks have
        kernel, stride, dilation, padding = (3, 3), pick(rng, (1, 1), (2, 2)), (1, 1), "SAME"
    many = pick(rng, 1, 1, 1, 2, 3, 4)
    # With a bias always: tflite-micro crashes on a depthwise one without.
    net.conv(0, kernel, stride, dilation, padding, _fused(rng), True, bool(rng.random() < 0.8), many)


@link("FULLY_CONNECTED")
def _dense(net, rng):
    style, per_channel = rng.random(), bool(rng.random() < 0.4)
    activation, bias, out_c = _fused(rng), bool(rng.random() < 0.7), between(rng, 1, 30)
    rows = 1
    if style < 0.4 and len(net.shape) > 1:
        rows = net.size // net.shape[-1]
    if rows * out_c > BIGGEST or net.size // rows * out_c > 40 * BIGGEST:
        raise Unfit
    before = net.shape
    net.dense(out_c, activation, bias, per_channel, rows)
    if rows > 1 and rng.random() < 0.7:  # as Keras writes a dense layer on a sequence
        net.tensors[net.last].shape = np.array([*before[:-1], out_c], np.int32)
        net.operators[-1].builtinOptions.keepNumDims = True
    elif net.shape[0] != 1:
        net.reshape((1, *net.shape))


@link("DILATED")
def _dilated(net, rng):
    """A dilated convolution as TensorFlow writes it: cut, convolve, put together."""
    _, width, channels = net.picture()
    height = net.shape[1]
    d = between(rng, 2, 3)
    kernel = (between(rng, 1, min(3, height)), between(rng, 1, min(3, width)))
    spans = [(k - 1) * d for k in kernel]
    if spans[0] >= height or spans[1] >= width:
        raise Unfit
    sides = [(n, -(-n // d) * d) for n in (height, width)]
    pads = [[0, padded - n] for n, padded in sides]
    out = [n - s for n, s in zip((height, width), spans, strict=True)]
    cut = (d * d, sides[0][1] // d, sides[1][1] // d, channels)
    y = net.like(cut)
    net.op("SPACE_TO_BATCH_ND", [net.last, net.ints([d, d]), net.ints(pads)], y, S.SpaceToBatchNDOptionsT())
    net.conv(between(rng, 1, 8), kernel, padding="VALID", activation=_fused(rng))
    shape = (d * d, cut[1] - kernel[0] + 1, cut[2] - kernel[1] + 1, net.shape[3])
    net.tensors[net.last].shape = np.array(shape, np.int32)
    crops = [[0, n * d - m] for n, m in zip(shape[1:3], out, strict=True)]
    y = net.like((1, *out, shape[3]))
    net.op("BATCH_TO_SPACE_ND", [net.last, net.ints([d, d]), net.ints(crops)], y, S.BatchToSpaceNDOptionsT())


# -- pools and reductions


def _pool(kind):
    def build(net, rng):
        height, width, _ = net.picture()
        kernel = between(rng, 1, height), between(rng, 1, width)
        if rng.random() < 0.5:
            kernel = min(kernel[0], 3), min(kernel[1], 3)
        stride = between(rng, 1, 3), between(rng, 1, 3)
        net.pool(kind, kernel, stride, pick(rng, "SAME", "VALID"), _fused(rng))

    return build


link("AVERAGE_POOL_2D")(_pool("AVERAGE_POOL_2D"))
link("MAX_POOL_2D")(_pool("MAX_POOL_2D"))


def _axes(net, rng):
    rank = len(net.shape)
    if rank < 2:
        raise Unfit
    axes = [a for a in range(1, rank) if rng.random() < 0.5] or [between(rng, 1, rank - 1)]
    if rank == 4 and rng.random() < 0.4:
        axes = [1, 2]
    signed = [a - rank if rng.random() < 0.2 else a for a in axes]
    rng.shuffle(signed)
    return axes, signed


def _reduce(kind, rescale):
    def build(net, rng):
        axes, signed = _axes(net, rng)
        keep = bool(rng.random() < 0.5)
        scale = net.scale_of(net.last)
        net.reduce(kind, axes, keep, rescale)
        values = np.array(signed, np.int32)
        net.buffers[net.tensors[net.operators[-1].inputs[1]].buffer].data = values.view(np.uint8)
        if kind == "SUM":
            net.tensors[net.last].quantization.scale[0] = scale * float(rng.uniform(1, 9))

    return build


link("MEAN")(_reduce("MEAN", True))
link("REDUCE_MAX")(_reduce("REDUCE_MAX", False))
link("REDUCE_MIN")(_reduce("REDUCE_MIN", False))
link("SUM")(_reduce("SUM", True))


# -- one value at a time


@link("SOFTMAX")
def _softmax(net, rng):
    net.softmax(pick(rng, 1.0, 1.0, 0.5, 2.0))
    if rng.random() < 0.2:
        y = net.tensors[net.last]
        y.type, y.quantization.scale[0], y.quantization.zeroPoint[0] = S.TensorType.INT16, 2.0**-16, -32768


def _fixed_output(kind, steps, zero):
    def build(net, rng):
        net.unary(kind, 1 / steps, zero)

    return build


link("LOGISTIC")(_fixed_output("LOGISTIC", 256, -128))
link("TANH")(_fixed_output("TANH", 128, 0))


def _scaled(kind, low=0.3, high=3.0, options=None):
    def build(net, rng):
        scale = net.scale_of(net.last) * float(np.exp(rng.uniform(np.log(low), np.log(high))))
        net.unary(kind, scale, options=options(rng) if options else None)

    return build


def _slope(rng):
    options = S.LeakyReluOptionsT()
    options.alpha = float(rng.choice([0.0, 0.1, 0.2, 0.3, rng.uniform(0, 1), 1.0]))
    return options


@link("QUANTIZE", "INT8", "INT16", "UINT8", "INT32", "FLOAT32", "FLOAT32")
def _quantize(net, rng):
    """From int8 mostly to int8; from other numbers mostly back to it."""
    targets = {"INT16": ["INT16", "INT32"], "INT32": ["INT16"], "FLOAT32": ["INT16"], "UINT8": []}
    targets = targets.get(net.dtype, ["INT16", "UINT8", "INT32"])
    to = pick(rng, *targets) if targets and rng.random() < 0.2 else "INT8"
    scale = 0.03 if net.dtype == "FLOAT32" else net.scale_of(net.last)
    scale *= float(np.exp(rng.uniform(-1.2, 1.2)))
    if to != "INT8":
        y = net.retype(net.activation(net.shape, scale), to)
    else:
        y = net.activation(net.shape, scale * {"INT16": 60, "INT32": 2**23}.get(net.dtype, 1))
    net.op("QUANTIZE", [net.last], y, S.QuantizeOptionsT())


link("RELU")(_scaled("RELU"))
link("LEAKY_RELU")(_scaled("LEAKY_RELU", options=_slope))
link("ELU")(_scaled("ELU"))


@link("RELU6")
def _relu6(net, rng):
    net.unary("RELU6", same=True)


@link("HARD_SWISH")
def _hard_swish(net, rng):
    net.unary("HARD_SWISH", net.scale_of(net.last) * float(rng.uniform(0.3, 3)), options=S.HardSwishOptionsT())


# -- two values


def _other(net, rng):
    """A second operand: an earlier tensor, the same one, or a constant; whole or to be stretched."""
    shape = net.shape
    style = rng.random()
    if style < 0.35:
        other = net.earlier(lambda t: t.type == S.TensorType.INT8 and tuple(t.shape) == shape)
        if other is not None:
            return other
    if style < 0.45:
        return net.last
    if style < 0.6:
        return net.constant(pick(rng, (1,), shape[-1:], shape))
    small = tuple(n if rng.random() < 0.6 else 1 for n in shape)
    if rng.random() < 0.3:
        small = small[between(rng, 0, len(small) - 1) :]
    if rng.random() < 0.5:
        return net.constant(small)
    # Computed: the same tensor, pooled over the axes that are one, or a part of it there.
    axes = [a for a, (n, m) in enumerate(zip(shape, small[-len(shape) :], strict=False)) if n != m]
    if len(small) != len(shape) or not axes:
        return net.constant(small)
    first = net.last
    if rng.random() < 0.5:
        begin = [between(rng, 0, n - m) for n, m in zip(shape, small, strict=True)]
        net.op("SLICE", [first, net.ints(begin), net.ints(small)], net.like(small), S.SliceOptionsT())
        other, net.last = net.last, first
        return other
    axes = list(range(axes[0], axes[-1] + 1))
    net.reduce("REDUCE_MAX", axes, True, False)
    other, net.last = net.last, first
    return other


def _binary(kind):
    def build(net, rng):
        if len(net.shape) > 4:
            raise Unfit
        other = _other(net, rng)
        computed = net.tensors[other].buffer == 0
        x = net.last
        product = None
        if kind in ("MUL", "SQUARED_DIFFERENCE"):
            product = net.scale_of(x) * net.scale_of(other) * float(rng.uniform(10, 200))
        if kind == "SQUARED_DIFFERENCE":
            product = max(net.scale_of(x), net.scale_of(other)) ** 2 * float(rng.uniform(10, 200))
        net.binary(kind, other, "NONE" if kind == "SQUARED_DIFFERENCE" else _fused(rng), product)
        turned = rng.random() < 0.3
        if turned and (computed or rng.random() < 0.5):
            net.operators[-1].inputs = net.operators[-1].inputs[::-1].copy()

    return build


for _kind in ("ADD", "SUB", "MUL", "SQUARED_DIFFERENCE"):
    link(_kind)(_binary(_kind))


def _choice(kind):
    """The larger or smaller of two, which must have one scale; or a slope below zero."""

    def build(net, rng):
        if len(net.shape) > 4:
            raise Unfit
        small = tuple(n if rng.random() < 0.6 else 1 for n in net.shape)
        other, q = net.constant(small), net.tensors[net.last].quantization
        if kind == "PRELU":
            net.op(kind, [net.last, other], net.activation(net.shape, net.scale_of(net.last)))
        else:
            net.tensors[other].quantization = q
            sides = [net.last, other] if rng.random() < 0.5 else [other, net.last]
            net.op(kind, sides, net.like(net.shape), S.MaximumMinimumOptionsT())

    return build


for _kind in ("MAXIMUM", "MINIMUM", "PRELU"):
    link(_kind)(_choice(_kind))


@link("BATCH_MATMUL", "INT8", "INT16")
def _batch_matmul(net, rng):
    """By a constant, or by itself on its side."""
    if not 2 <= len(net.shape) <= 4:
        raise Unfit
    shape, options = net.shape, S.BatchMatMulOptionsT()
    options.adjX, options.adjY = bool(rng.random() < 0.3), bool(rng.random() < 0.5)
    m, k = shape[-2:][::-1] if options.adjX else shape[-2:]
    if rng.random() < 0.3:
        other, n, options.adjY = net.last, m, not options.adjX
        if net.size * m > 20 * BIGGEST:
            raise Unfit
        batch = shape[:-2]
    else:
        n = between(rng, 1, 12)
        batch = tuple(d if rng.random() < 0.6 else 1 for d in shape[:-2])
        batch = batch[between(rng, 0, len(batch)) :]
        other = net.constant((*batch, *((n, k) if options.adjY else (k, n))))
    scale = net.scale_of(net.last) * net.scale_of(other) * np.sqrt(k) * float(rng.uniform(20, 100))
    y = net.activation((*shape[:-2], m, n), scale)
    if net.dtype == "INT16":
        if other != net.last:
            net.retype(other, "INT16")
            values = rng.integers(-32768, 32768, tuple(net.tensors[other].shape)).astype(np.int16)
            net.buffers[net.tensors[other].buffer].data = np.frombuffer(values.tobytes(), np.uint8)
        net.tensors[y].type, net.tensors[y].quantization.zeroPoint[:] = S.TensorType.INT16, 0
        net.tensors[y].quantization.scale[0] *= 256 if other == net.last else 1
    net.op("BATCH_MATMUL", [net.last, other], y, options)
    if net.shape[0] != 1:
        net.reshape((1, *net.shape))


@link("UNIDIRECTIONAL_SEQUENCE_LSTM", "INT8", "INT16")
def _lstm(net, rng):
    """Over the last tensor as one sequence; seldom over several."""
    steps, depth = factors(rng, net.size, 2)
    if steps * 40 > BIGGEST or depth > 200:
        raise Unfit
    net.reshape((1, steps, depth)).lstm(between(rng, 1, 12), False, float(pick(rng, 0.0, 0.0, 10.0, 1.0)))


@link("SVDF")
def _svdf(net, rng):
    if net.size > 400:
        raise Unfit
    net.reshape((1, net.size)).svdf(between(rng, 1, 12), between(rng, 1, 9), between(rng, 1, 3), rng.random() < 0.4)


@link("EXP", alone=True)
def _exp(net, rng):
    net.unary("EXP", float(rng.uniform(0.01, 0.1)))


@link("GELU", alone=True)
def _gelu(net, rng):
    options = S.GeluOptionsT()
    options.approximate = bool(rng.random() < 0.5)
    net.unary("GELU", net.scale_of(net.last), options=options)


@link("ABS")
def _abs(net, rng):
    scale = net.scale_of(net.last)
    net.unary("ABS", scale if rng.random() < 0.3 else scale * float(rng.uniform(0.3, 3)))


@link("RSQRT")
def _rsqrt(net, rng):
    """Of nothing below zero: the reference stops there."""
    net.op("QUANTIZE", [net.last], Net.activation(net, net.shape, zero=-128), S.QuantizeOptionsT())
    net.unary("RSQRT", float(1 / np.sqrt(net.scale_of(net.last)) / rng.uniform(20, 250)))


# -- moving


@link("RESHAPE")
def _reshape(net, rng):
    net.reshape((1, *factors(rng, net.size, between(rng, 1, 3))))


def _axis_of_one(net, rng, kind):
    axis = between(rng, 1, len(net.shape))
    shape = list(net.shape)
    if kind == "EXPAND_DIMS":
        if len(shape) > 3:
            raise Unfit
        shape.insert(axis, 1)
        return net.op(kind, [net.last, net.ints([axis])], net.like(shape), S.ExpandDimsOptionsT())
    ones = [a for a in range(1, len(shape)) if shape[a] == 1]
    if not ones:
        raise Unfit
    axis = int(rng.choice(ones))
    del shape[axis]
    options = S.SqueezeOptionsT()
    options.squeezeDims = np.array([axis], np.int32)
    return net.op(kind, [net.last], net.like(shape), options)


@link("EXPAND_DIMS")
def _expand_dims(net, rng):
    _axis_of_one(net, rng, "EXPAND_DIMS")


@link("SQUEEZE")
def _squeeze(net, rng):
    if 1 not in net.shape[1:]:
        net.reshape((1, *net.shape[1:-1], 1, net.shape[-1]) if len(net.shape) < 4 else (1, 1, net.size))
    _axis_of_one(net, rng, "SQUEEZE")


@link("TRANSPOSE")
def _transpose(net, rng):
    rank = len(net.shape)
    order = [0, *(int(a) + 1 for a in rng.permutation(rank - 1))]
    if rng.random() < 0.1:
        order = [int(a) for a in rng.permutation(rank)]
    shape = [net.shape[a] for a in order]
    net.op("TRANSPOSE", [net.last, net.ints(order)], net.like(shape), S.TransposeOptionsT())
    if shape[0] != 1:
        net.reshape((1, *shape) if rank < 4 else (1, net.size))


def _amounts(net, rng):
    most = 3 if net.size < 600 else 1
    amounts = [(0, 0)] + [(between(rng, 0, most), between(rng, 0, most)) for _ in net.shape[1:]]
    if len(amounts) == 4 and rng.random() < 0.6:
        amounts[3] = (0, 0)
    return amounts


@link("PAD")
def _pad(net, rng):
    if len(net.shape) > 4:
        raise Unfit
    net.pad(_amounts(net, rng))


@link("PADV2")
def _padv2(net, rng):
    if len(net.shape) > 4:
        raise Unfit
    before = net.tensors[net.last].quantization
    net.pad(_amounts(net, rng))
    value = rng.integers(-128, 128, (1,)).astype(np.int8)
    constant = net.tensor([1], S.TensorType.INT8, before.scale[:1], before.zeroPoint[:1], value)
    op = net.operators[-1]
    op.inputs = np.array([*op.inputs, constant], np.int32)
    net.codes[-1].builtinCode = net.codes[-1].deprecatedBuiltinCode = S.BuiltinOperator.PADV2
    op.builtinOptions, op.builtinOptionsType = S.PadV2OptionsT(), S.BuiltinOptions.PadV2Options


@link("CONCATENATION")
def _concatenation(net, rng):
    axis = between(rng, 1, len(net.shape) - 1) if len(net.shape) > 1 else 0
    x = net.tensors[net.last]

    def joins(t):
        same = t.type == x.type and len(t.shape) == len(x.shape)
        same = same and all(n == m for a, (n, m) in enumerate(zip(t.shape, x.shape, strict=True)) if a != axis)
        q, p = t.quantization, x.quantization
        return same and q.scale is not None and q.scale[0] == p.scale[0] and q.zeroPoint[0] == p.zeroPoint[0]

    others = [t for t in (net.earlier(joins) for _ in range(2)) if t is not None]
    if not others or rng.random() < 0.3:
        others.append(net.last)
    if rng.random() < 0.5 and len(net.shape) == 4:
        first = net.last
        net.pool(pick(rng, "MAX_POOL_2D", "AVERAGE_POOL_2D"), (2, 2), (1, 1), "SAME")
        others.append(first)
    net.concat(others, axis)
    if rng.random() < 0.3:
        net.operators[-1].builtinOptions.axis = axis - len(net.shape)


@link("STRIDED_SLICE")
def _strided_slice(net, rng):
    shape = net.shape
    if len(shape) > 4:
        raise Unfit
    begin, end, step, out = [], [], [], []
    options = S.StridedSliceOptionsT()
    begin_mask = end_mask = shrink = 0
    for axis, n in enumerate(shape):
        s = 1 if axis == 0 else pick(rng, 1, 1, 2, 3, -1, -2)
        a, b = (between(rng, 0, n - 1), between(rng, 0, n - 1)) if axis else (0, n - 1)
        if (s > 0) != (a <= b):
            a, b = b, a
        b = b + 1 if s > 0 else b - 1
        if rng.random() < 0.3:
            begin_mask |= 1 << axis
            a = 0 if s > 0 else n - 1
        if rng.random() < 0.3 or b < 0:
            end_mask |= 1 << axis
            b = n if s > 0 else -1
        count = len(range(a, b, s))
        if count < 1:
            raise Unfit
        out.append(count)
        begin.append(a - n if rng.random() < 0.2 else a)
        end.append(b - n if rng.random() < 0.2 and 0 < b < n else b)
        step.append(s)
    if len(shape) > 2 and rng.random() < 0.25:  # an index: the axis goes
        axis = between(rng, 1, len(shape) - 1)
        shrink = 1 << axis
        at = between(rng, 0, shape[axis] - 1)
        begin[axis], end[axis], step[axis] = at, at + 1, 1
        begin_mask, end_mask = begin_mask & ~shrink, end_mask & ~shrink
        del out[axis]
    options.beginMask, options.endMask, options.shrinkAxisMask = begin_mask, end_mask, shrink
    inputs = [net.last, net.ints(begin), net.ints(end), net.ints(step)]
    net.op("STRIDED_SLICE", inputs, net.like(out), options)


@link("SLICE")
def _slice(net, rng):
    begin, size = [], []
    for axis, n in enumerate(net.shape):
        a = between(rng, 0, n - 1) if axis else 0
        begin.append(a)
        size.append(between(rng, 1, n - a))
    given = [-1 if a + s == n and rng.random() < 0.3 else s for a, s, n in zip(begin, size, net.shape, strict=True)]
    net.op("SLICE", [net.last, net.ints(begin), net.ints(given)], net.like(size), S.SliceOptionsT())


def _parts(net, rng, sizes, axis):
    outputs = []
    for n in sizes:
        shape = list(net.shape)
        shape[axis] = n
        outputs.append(net.like(shape))
    return outputs


def _go_on(net, rng, outputs):
    """Take one of several outputs; sometimes two, joined."""
    net.last = int(rng.choice(outputs))
    net.history += [o for o in outputs if o != net.last]
    if rng.random() < 0.5:
        axis = len(net.shape) - 1
        others = [o for o in outputs if tuple(net.tensors[o].shape[:axis]) == net.shape[:axis]]
        net.concat([int(rng.choice(others))], axis)


@link("SPLIT")
def _split(net, rng):
    ways = [(a, k) for a in range(1, len(net.shape)) for k in range(2, 5) if net.shape[a] % k == 0]
    if not ways:
        raise Unfit
    axis, count = ways[rng.integers(len(ways))]
    outputs = _parts(net, rng, [net.shape[axis] // count] * count, axis)
    options = S.SplitOptionsT()
    options.numSplits = count
    given = axis - len(net.shape) if rng.random() < 0.3 else axis
    net.op("SPLIT", [net.ints(given, ()), net.last], outputs, options)
    _go_on(net, rng, outputs)


@link("SPLIT_V")
def _split_v(net, rng):
    axes = [a for a in range(1, len(net.shape)) if net.shape[a] > 1]
    if not axes:
        raise Unfit
    axis = int(rng.choice(axes))
    cut = between(rng, 1, net.shape[axis] - 1)
    sizes = [cut, net.shape[axis] - cut]
    outputs = _parts(net, rng, sizes, axis)
    options = S.SplitVOptionsT()
    options.numSplits = 2
    net.op("SPLIT_V", [net.last, net.ints(sizes), net.ints(axis, ())], outputs, options)
    net.last = outputs[rng.integers(2)]


@link("PACK")
def _pack(net, rng):
    if len(net.shape) > 3:
        raise Unfit
    axis, count = between(rng, 1, len(net.shape)), between(rng, 1, 3)
    shape = [*net.shape[:axis], count, *net.shape[axis:]]
    options = S.PackOptionsT()
    options.axis, options.valuesCount = axis, count
    x = net.tensors[net.last]
    inputs = [net.last]
    for _ in range(count - 1):
        other = net.earlier(
            lambda t: t.type == x.type and tuple(t.shape) == tuple(x.shape)
            and t.quantization.scale[0] == x.quantization.scale[0]
            and t.quantization.zeroPoint[0] == x.quantization.zeroPoint[0]
        )  # fmt: skip
        inputs.append(net.last if other is None else other)
    net.op("PACK", inputs, net.like(shape), options)


@link("UNPACK")
def _unpack(net, rng):
    axes = [a for a in range(1, len(net.shape)) if net.shape[a] <= 4]
    if not axes or len(net.shape) < 3:
        raise Unfit
    axis = int(rng.choice(axes))
    shape = [*net.shape[:axis], *net.shape[axis + 1 :]]
    options = S.UnpackOptionsT()
    options.axis, options.num = axis, net.shape[axis]
    outputs = [net.like(shape) for _ in range(net.shape[axis])]
    net.op("UNPACK", [net.last], outputs, options)
    net.last = int(rng.choice(outputs))


@link("RESIZE_NEAREST_NEIGHBOR")
def _resize(net, rng):
    height, width, channels = net.picture()
    out = between(rng, 1, min(3 * height, 20)), between(rng, 1, min(3 * width, 20))
    if rng.random() < 0.4:
        out = 2 * height, 2 * width
    if out[0] * out[1] * channels > BIGGEST:
        raise Unfit
    options = S.ResizeNearestNeighborOptionsT()
    options.alignCorners, options.halfPixelCenters = pick(rng, (False, False), (True, False), (False, True))
    y = net.like((1, *out, channels))
    net.op("RESIZE_NEAREST_NEIGHBOR", [net.last, net.ints(out)], y, options)


@link("MIRROR_PAD")
def _mirror_pad(net, rng):
    options = S.MirrorPadOptionsT()
    options.mode = between(rng, 0, 1)
    most = [0, *(min(3, n - 1 + options.mode) for n in net.shape[1:])]
    amounts = [(between(rng, 0, n), between(rng, 0, n)) for n in most]
    shape = [n + a + b for n, (a, b) in zip(net.shape, amounts, strict=True)]
    if np.prod(shape) > BIGGEST:
        raise Unfit
    widths = net.ints(np.ravel(amounts), (len(shape), 2))
    net.op("MIRROR_PAD", [net.last, widths], net.like(shape), options)


@link("GATHER")
def _gather(net, rng):
    axis = between(rng, 1, len(net.shape) - 1)
    places = rng.integers(0, net.shape[axis], between(rng, 1, 6))
    shape = list(net.shape)
    shape[axis] = len(places)
    if np.prod(shape) > BIGGEST:
        raise Unfit
    options = S.GatherOptionsT()
    options.axis = axis - (len(shape) if rng.random() < 0.3 else 0)
    net.op("GATHER", [net.last, net.ints(places)], net.like(shape), options)


@link("REVERSE_V2")
def _reverse(net, rng):
    axis = between(rng, 1, len(net.shape) - 1)
    net.op("REVERSE_V2", [net.last, net.ints([axis])], net.like(net.shape), S.ReverseV2OptionsT())


@link("BROADCAST_TO")
def _broadcast_to(net, rng):
    shape = [between(rng, 1, 4) if n == 1 and i else n for i, n in enumerate(net.shape)]
    if np.prod(shape) > BIGGEST:
        raise Unfit
    net.op("BROADCAST_TO", [net.last, net.ints(shape)], net.like(shape), S.BroadcastToOptionsT())


@link("TILE", alone=True)
def _tile(net, rng):
    times = [1, *(between(rng, 1, 2) for _ in net.shape[1:])]
    shape = [n * t for n, t in zip(net.shape, times, strict=True)]
    net.op("TILE", [net.last, net.ints(times)], net.like(shape), S.TileOptionsT())


def _blocks(kind, options_type):
    def build(net, rng):
        height, width, channels = net.picture()
        options = options_type()
        block = options.blockSize = between(rng, 2, 3)
        odd = [-n % block for n in (height, width)] if kind == "SPACE_TO_DEPTH" else [0, 0]
        odd.append(-channels % block**2 if kind == "DEPTH_TO_SPACE" else 0)
        if any(odd):
            height, width, channels = net.pad([(0, 0), *((0, n) for n in odd)]).shape[1:]
        if kind == "SPACE_TO_DEPTH":
            shape = (1, height // block, width // block, channels * block**2)
        else:
            shape = (1, height * block, width * block, channels // block**2)
        net.op(kind, [net.last], net.like(shape), options)

    return build


link("SPACE_TO_DEPTH")(_blocks("SPACE_TO_DEPTH", S.SpaceToDepthOptionsT))
link("DEPTH_TO_SPACE")(_blocks("DEPTH_TO_SPACE", S.DepthToSpaceOptionsT))


# -- the ends


@link("DEQUANTIZE", "INT8", "INT16", "UINT8", ends=True)
def _dequantize(net, rng):
    net.op("DEQUANTIZE", [net.last], net.tensor(net.shape, S.TensorType.FLOAT32), S.DequantizeOptionsT())


def _arg(kind, options_type):
    def build(net, rng):
        options = options_type()
        axis = between(rng, 1, len(net.shape) - 1)
        options.outputType = S.TensorType.INT32
        y = net.tensor([n for a, n in enumerate(net.shape) if a != axis], S.TensorType.INT32)
        net.op(kind, [net.last, net.ints([axis - (len(net.shape) if rng.random() < 0.3 else 0)])], y, options)

    return build


link("ARG_MAX", ends=True)(_arg("ARG_MAX", S.ArgMaxOptionsT))
link("ARG_MIN", ends=True)(_arg("ARG_MIN", S.ArgMinOptionsT))
