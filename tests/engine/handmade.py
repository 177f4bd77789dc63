"""Small networks that between them have a record of every kind, for the validator and its fuzzer."""

import numpy as np
from builder import Net, S


def networks():
    """All of them."""
    rng = np.random.default_rng(0)
    net = Net(rng, (1, 9, 8, 6)).pad([(0, 0), (1, 1), (0, 1), (0, 0)]).pool("MAX_POOL_2D", (2, 2), (1, 1), "SAME")
    net.conv(6, (3, 3), activation="RELU", padding="SAME").conv(0, (3, 3), depthwise=1)
    start = net.last
    net.conv(6, (1, 1)).binary("ADD", start).binary("MUL", net.constant((6,))).unary("LOGISTIC", 1 / 256, -128)
    first = net.last
    net.pool("AVERAGE_POOL_2D", (3, 3), (1, 1), "SAME").concat([first], 3).conv(0, (2, 2), (2, 2), depthwise=2)
    net.conv(0, (3, 3), (2, 2), depthwise=1)
    net.reduce("MEAN", (1, 2)).dense(5).softmax()
    other = Net(rng, (1, 20, 3)).reshape((1, 1, 20, 3)).conv(5, (1, 3), dilation=(1, 2)).conv(0, (1, 3), depthwise=1)
    other.dense(4).softmax()
    plain = Net(rng, (1, 4, 4, 2)).conv(3, (1, 1), zero=5, coarse=127).reduce("MEAN", (1, 2))  # no short form
    plain.dense(6, per_channel=True, zero=5, coarse=127)
    return (
        net.bytes(),
        other.bytes(),
        plain.bytes(),
        *moving_networks(rng),
        *arithmetic_networks(rng),
        *networks_with_a_memory(rng),
    )


def networks_with_a_memory(rng):
    """LSTM and SVDF of both widths, and a softmax of int16."""
    for wide in (False, True):
        lstm, svdf = Net(rng, (1, 3, 5)), Net(rng, (1, 6))
        if wide:
            lstm.retype(lstm.input, "INT16")
        yield lstm.lstm(3, clip=8.0).bytes()
        svdf.svdf(2, 3, 2, wide)
        if wide:
            y = svdf.tensor(svdf.shape, S.TensorType.INT16, [2.0**-16], [-32768])
            svdf.op("SOFTMAX", [svdf.last], y, S.SoftmaxOptionsT())
        yield svdf.bytes()


def arithmetic_networks(rng):
    """Every operation on two tensors, of two shapes; and products of matrices of two sorts."""
    net = Net(rng, (1, 4, 3, 5))
    start = net.last
    net.reduce("MEAN", (2,), True).binary("ADD", start)
    for kind in ("MUL", "SUB", "SQUARED_DIFFERENCE"):
        net.binary(kind, net.constant((3, 1)))
    for kind in ("MAXIMUM", "MINIMUM"):
        net.op(kind, [net.last, net.last], net.like(net.shape))
    net.op("PRELU", [net.last, net.constant((3, 5))], net.activation(net.shape))
    turned, aside = S.BatchMatMulOptionsT(), S.BatchMatMulOptionsT()
    turned.adjX = turned.adjY = aside.adjY = True
    net.op("BATCH_MATMUL", [net.last, net.constant((4, 7, 3))], net.activation((1, 4, 5, 7)), turned)
    wide = Net(rng, (1, 3, 5, 4))
    wide.retype(wide.input, "INT16")
    wide.op("BATCH_MATMUL", [wide.last, wide.last], wide.retype(wide.activation((1, 3, 5, 5)), "INT16"), aside)
    return net.bytes(), wide.bytes()


def moving_networks(rng):
    """Floats in, values moved every way, places out; and integers of two sizes."""
    net = Net(rng, (1, 4, 6, 5))
    net.retype(net.input, "FLOAT32")
    net.op("QUANTIZE", [net.last], net.activation(net.shape), S.QuantizeOptionsT())
    net.op("TRANSPOSE", [net.last, net.ints([0, 2, 3, 1])], net.like((1, 6, 5, 4)), S.TransposeOptionsT())
    size = net.ints([9, 10])
    net.op("RESIZE_NEAREST_NEIGHBOR", [net.last, size], net.like((1, 9, 10, 4)), S.ResizeNearestNeighborOptionsT())
    fixed = net.like((1, 9, 10, 4))
    net.tensors[fixed].buffer = len(net.buffers)
    net.buffers.append(S.BufferT())
    net.buffers[-1].data = rng.integers(0, 256, 360).astype(np.uint8)
    net.concat([fixed], 3).op("ARG_MAX", [net.last, net.ints([1])], net.tensor((1, 10, 8), S.TensorType.INT32))
    small = Net(rng, (1, 7, 3))
    small.retype(small.input, "INT16")
    small.op("QUANTIZE", [small.last], small.activation(small.shape), S.QuantizeOptionsT())
    small.op("DEQUANTIZE", [small.last], small.tensor(small.shape, S.TensorType.FLOAT32), S.DequantizeOptionsT())
    return net.bytes(), small.bytes()
