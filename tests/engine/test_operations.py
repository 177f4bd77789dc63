"""Each operation against TensorFlow Lite Micro, over random shapes, scales and weights."""

import numpy as np
import pytest
from builder import Net, S
from golden import agree

from tinykit.engine import arena, compile_network
from tinykit.engine import plan as plan_module

SEEDS = range(12)


def pick(rng, *options):
    return options[rng.integers(len(options))]


def random_conv(net, rng, depthwise=None):
    _, h, w, _ = net.shape
    kernel = (int(rng.integers(1, min(5, h) + 1)), int(rng.integers(1, min(5, w) + 1)))
    stride = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
    dilation = (1, 1)
    if stride == (1, 1) or rng.random() < 0.2:
        dilation = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
        stride = (1, 1)
    padding = pick(rng, "SAME", "VALID")
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    if spans[0] > h or spans[1] > w:
        padding = "SAME"
    return net.conv(
        int(rng.integers(1, 18)),
        kernel,
        stride,
        dilation,
        padding,
        pick(rng, "NONE", "RELU", "RELU6", "RELU_N1_TO_1"),
        bool(depthwise or rng.random() < 0.8),  # tflite-micro crashes on a depthwise one without bias
        bool(rng.random() < 0.8),
        depthwise,
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_conv(seed):
    rng = np.random.default_rng(seed)
    net = Net(rng, (1, *rng.integers(1, 12, 2), int(rng.integers(1, 20))))
    agree(random_conv(net, rng).bytes(), rng)


@pytest.mark.parametrize("seed", SEEDS)
def test_pointwise(seed):
    rng = np.random.default_rng(100 + seed)
    net = Net(rng, (1, *rng.integers(1, 9, 2), int(rng.integers(1, 40))))
    agree(net.conv(int(rng.integers(1, 40)), (1, 1), activation=pick(rng, "NONE", "RELU")).bytes(), rng)


@pytest.mark.parametrize("seed", SEEDS)
def test_depthwise(seed):
    rng = np.random.default_rng(200 + seed)
    net = Net(rng, (1, *rng.integers(1, 12, 2), int(rng.integers(1, 20))))
    agree(random_conv(net, rng, depthwise=int(pick(rng, 1, 1, 2, 3))).bytes(), rng)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_dimension(seed):
    """Conv1D as Keras lowers it: height 1, between two reshapes."""
    rng = np.random.default_rng(300 + seed)
    steps, channels = int(rng.integers(5, 40)), int(rng.integers(1, 9))
    net = Net(rng, (1, steps, channels)).reshape((1, 1, steps, channels))
    net.conv(
        int(rng.integers(1, 17)),
        (1, int(rng.integers(1, 6))),
        (1, int(rng.integers(1, 3))),
        activation="RELU",
    )
    _, _, steps, channels = net.shape
    agree(net.reshape((1, steps, channels)).reduce("MEAN", (1,)).dense(3).softmax().bytes(), rng)


@pytest.mark.parametrize("seed", SEEDS)
def test_dense(seed):
    rng = np.random.default_rng(400 + seed)
    rows = int(pick(rng, 1, 1, 3))
    net = Net(rng, (1, rows, int(rng.integers(1, 90))))
    net.dense(
        int(rng.integers(1, 30)),
        pick(rng, "NONE", "RELU"),
        bool(rng.random() < 0.7),
        bool(rng.integers(2)),
        rows,
    )
    agree(net.reshape((1, *net.shape)).bytes(), rng)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["AVERAGE_POOL_2D", "MAX_POOL_2D"])
def test_pool(kind, seed):
    rng = np.random.default_rng(500 + seed)
    net = Net(rng, (1, *rng.integers(2, 12, 2), int(rng.integers(1, 20))))
    kernel = tuple(int(rng.integers(1, n + 1)) for n in net.shape[1:3])
    stride = tuple(int(n) for n in rng.integers(1, 4, 2))
    agree(net.pool(kind, kernel, stride, pick(rng, "SAME", "VALID"), pick(rng, "NONE", "RELU")).bytes(), rng)


@pytest.mark.parametrize("axes", [(1, 2), (1,), (2,), (3,), (2, 3)])
@pytest.mark.parametrize("keep_dims", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_mean(axes, keep_dims, seed):
    rng = np.random.default_rng(600 + seed)
    net = Net(rng, (1, *rng.integers(1, 30, 3)))
    agree(net.reduce("MEAN", axes, keep_dims).bytes(), rng)


@pytest.mark.parametrize("axes", [(1, 2), (1,), (3,)])
@pytest.mark.parametrize("seed", range(3))
def test_reduce_max(axes, seed):
    rng = np.random.default_rng(650 + seed)
    agree(Net(rng, (1, *rng.integers(2, 9, 3))).reduce("REDUCE_MAX", axes, rescale=False).bytes(), rng)


@pytest.mark.parametrize("seed", range(24))
def test_softmax(seed):
    rng = np.random.default_rng(700 + seed)
    scale = float(np.exp(rng.uniform(np.log(1e-3), np.log(3))))
    net = Net(rng, (1, int(rng.integers(2, 60))), scale)
    agree(net.softmax(pick(rng, 1.0, 1.0, 0.5, 2.0)).bytes(), rng, 40)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["ADD", "SUB", "MUL"])
def test_two_inputs(kind, seed):
    """Of the same size, the same tensor's two sides."""
    rng = np.random.default_rng(800 + seed)
    net = Net(rng, (1, *rng.integers(1, 7, 2), int(rng.integers(2, 9))))
    start = net.last
    net.conv(net.shape[3], (1, 1))
    if kind == "SUB":  # also from the one computed later
        start, net.last = (start, net.last) if seed % 2 else (net.last, start)
    agree(net.binary(kind, start, pick(rng, "NONE", "RELU", "RELU6")).bytes(), rng)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["ADD", "SUB", "MUL"])
@pytest.mark.parametrize("shape", ["one", "channels", "all"])
def test_constant(kind, shape, seed):
    rng = np.random.default_rng(900 + seed)
    net = Net(rng, (1, *rng.integers(1, 7, 2), int(rng.integers(2, 9))), zero=int(rng.integers(-40, 40)))
    shape = {"one": (1,), "channels": net.shape[3:], "all": net.shape}[shape]
    agree(net.binary(kind, net.constant(shape)).bytes(), rng)


@pytest.mark.parametrize("seed", range(4))
def test_scale_by_channel(seed):
    """Squeeze and excite: one factor a channel, computed from the picture itself."""
    rng = np.random.default_rng(950 + seed)
    net = Net(rng, (1, 5, 6, 8))
    picture = net.last
    net.reduce("MEAN", (1, 2), True)
    net.conv(8, (1, 1)).unary("LOGISTIC", 1 / 256, -128)
    factor, net.last = net.last, picture
    agree(net.binary("MUL", factor).bytes(), rng)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("kind", ["LOGISTIC", "TANH", "QUANTIZE", "RELU", "RELU6", "LEAKY_RELU", "ELU", "HARD_SWISH"])
def test_one_value(kind, seed):
    """Functions of one value: all 256 of them."""
    rng = np.random.default_rng(1000 + seed)
    scale = float(np.exp(rng.uniform(np.log(0.005), np.log(0.5)))) if kind != "RELU6" else float(rng.uniform(0.05, 0.2))
    net = Net(rng, (1, 256), scale, int(rng.integers(-128, 0)) if kind == "RELU6" else None)
    if kind == "LOGISTIC":
        net.unary(kind, 1 / 256, -128)
    elif kind == "TANH":
        net.unary(kind, 1 / 128, 0)
    elif kind == "RELU6":
        net.unary(kind, same=True)
    elif kind == "LEAKY_RELU":
        options = S.LeakyReluOptionsT()
        options.alpha = float(rng.uniform(0.01, 0.5))
        net.unary(kind, options=options)
    else:
        net.unary(kind, scale * rng.uniform(0.5, 2))
    from golden import tflm

    from tinykit.engine import Runtime

    x = np.arange(-128, 128).astype(np.int8)[None]
    network = net.bytes()
    assert np.array_equal(Runtime(network).run(x), tflm(network, x).reshape(1, 256))


@pytest.mark.parametrize("seed", SEEDS)
def test_pad(seed):
    rng = np.random.default_rng(1100 + seed)
    net = Net(rng, (1, *rng.integers(1, 9, 3)))
    amounts = [(0, 0)] + [tuple(int(n) for n in rng.integers(0, 4, 2)) for _ in range(3)]
    net.pad(amounts)
    if seed % 2:  # else it is the last
        net.pool("MAX_POOL_2D", (1, 1), (1, 1))
    plan = agree(net.bytes(), rng)
    assert [layer.kind for layer in plan.ops] == ["pad", "max_pool"][: 1 + seed % 2]


@pytest.mark.parametrize("depthwise", [None, 1])
@pytest.mark.parametrize("seed", range(4))
def test_pad_within_a_convolution(seed, depthwise):
    """Keras's ZeroPadding2D before a strided convolution costs nothing."""
    rng = np.random.default_rng(1200 + seed)
    net = Net(rng, (1, 9, 8, 4)).pad([(0, 0), (0, 1), (1, 2), (0, 0)])
    plan = agree(net.conv(6, (3, 3), (2, 2), padding="VALID", depthwise=depthwise).bytes(), rng)
    assert len(plan.ops) == 1


@pytest.mark.parametrize("depthwise", [None, 1])
def test_pad_wider_than_the_kernel(depthwise):
    """Some outputs see nothing but padding."""
    rng = np.random.default_rng(8)
    net = Net(rng, (1, 5, 6, 4)).pad([(0, 0), (2, 3), (3, 1), (0, 0)])
    plan = agree(net.conv(6, (1, 2), (1, 1), padding="VALID", depthwise=depthwise).bytes(), rng)
    assert len(plan.ops) == 1


@pytest.mark.parametrize("axis", [1, 2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_concatenation(axis, seed):
    rng = np.random.default_rng(1300 + seed)
    net = Net(rng, (1, 4, 5, 6))
    start = net.last
    net.pool("MAX_POOL_2D", (3, 3), (1, 1), "SAME")
    first = net.last
    net.last = start
    net.pool("AVERAGE_POOL_2D", (2, 2), (1, 1), "SAME")
    agree(net.concat([first, start], axis).bytes(), rng)


def test_reshape_alone():
    rng = np.random.default_rng(1)
    agree(Net(rng, (1, 4, 6)).reshape((1, 24)).bytes(), rng)


def test_large_sums_take_the_long_way():
    """Scales at which the short requantisation would overflow."""
    rng = np.random.default_rng(3)
    net = (
        Net(rng, (1, 4, 4, 8))
        .conv(8, (3, 3))
        .conv(8, (1, 1), zero=5, coarse=80)
        .conv(8, (3, 3), depthwise=1, coarse=100)
    )
    plan = agree(net.reduce("MEAN", (1, 2)).dense(5, coarse=127).bytes(), rng)
    assert [step.flags for step in plan.steps] == [1, 0, 0, 0, 0]


@pytest.mark.parametrize("aside", [False, True])
@pytest.mark.parametrize("seed", range(30))
def test_chain(seed, aside, monkeypatch):
    """Several layers in one arena: a tensor overwritten too early would show.

    Depthwise convolutions with and without rows kept aside, whatever the compiler would choose.
    """

    def lay_out(steps, *ends):
        for step in steps:
            if step.kind == "depthwise":
                step.keep_rows(aside)
        return arena.plan_arena(steps, *ends)

    monkeypatch.setattr(plan_module, "lay_out", lay_out)
    rng = np.random.default_rng(2000 + seed)
    net = Net(rng, (1, *rng.integers(8, 20, 2), int(rng.integers(1, 12))))
    for _ in range(int(rng.integers(3, 9))):
        kind = rng.integers(6)
        start, shape = net.last, net.shape
        if kind == 0:
            random_conv(net, rng)
        elif kind == 1:
            net.conv(0, (3, 3), (1, 1), padding="SAME", depthwise=1, activation="RELU")
        elif kind == 2:
            net.conv(int(rng.integers(1, 24)), (1, 1))
        elif kind == 3:  # a residual block
            net.conv(shape[3], (3, 3), activation="RELU").conv(shape[3], (3, 3)).binary("ADD", start)
        elif kind == 4 and min(shape[1:3]) >= 3:
            net.pool(pick(rng, "AVERAGE_POOL_2D", "MAX_POOL_2D"), (2, 2), (1, 1), pick(rng, "SAME", "VALID"))
        else:
            net.unary("QUANTIZE")
    plan = agree(net.reduce("MEAN", (1, 2)).dense(5).softmax().bytes(), rng)
    assert plan.arena_bytes % 16 == 0


def test_compiling_twice_gives_the_same_bytes():
    network = random_conv(Net(np.random.default_rng(5), (1, 9, 9, 3)), np.random.default_rng(6)).bytes()
    assert compile_network(network).bytes == compile_network(network).bytes
