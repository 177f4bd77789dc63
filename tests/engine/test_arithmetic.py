"""Operations on two tensors of different shapes, matrix products and functions, against TensorFlow Lite Micro."""

import numpy as np
import pytest
from builder import Net, S
from golden import agree, tflm

from tinykit.engine import Runtime

BINARY = ["ADD", "SUB", "MUL", "SQUARED_DIFFERENCE", "MAXIMUM", "MINIMUM", "PRELU"]
OPTIONS = {"ADD": S.AddOptionsT, "SUB": S.SubOptionsT, "MUL": S.MulOptionsT,
           "SQUARED_DIFFERENCE": S.SquaredDifferenceOptionsT, "MAXIMUM": S.MaximumMinimumOptionsT,
           "MINIMUM": S.MaximumMinimumOptionsT, "PRELU": None}  # fmt: skip


def pick(rng, *options):
    return options[rng.integers(len(options))]


def edge(rng):
    """A zero point, often at an end of its range."""
    return int(pick(rng, -128, 127, 0, rng.integers(-128, 128)))


def spread(net, kind, a, b, activation="NONE"):
    """An operation on tensors a and b, its output as large as both of them ask for."""
    rng = net.rng
    shape = np.broadcast_shapes(*(tuple(net.tensors[t].shape) for t in (a, b)))
    sa, sb = net.scale_of(a), net.scale_of(b)
    if kind in ("MAXIMUM", "MINIMUM"):
        net.last = a
        y = net.like(shape)
    else:
        scale = {"MUL": 40 * sa * sb, "SQUARED_DIFFERENCE": 40 * (sa + sb) ** 2, "PRELU": sa}.get(kind, sa + sb)
        zero = pick(rng, -100, 0, 60) if kind in ("SQUARED_DIFFERENCE", "PRELU") else int(rng.integers(-80, 40))
        y = net.activation(shape, scale * rng.uniform(0.3, 1.5), zero)
    options = OPTIONS[kind] and OPTIONS[kind]()
    if hasattr(options, "fusedActivationFunction"):
        options.fusedActivationFunction = getattr(S.ActivationFunctionType, activation)
    return net.op(kind, [a, b], y, options)


def other_of(net, kind, shape, constant):
    """A second tensor: a constant, or computed from the input."""
    rng, first = net.rng, net.last
    if constant:
        q = net.tensors[first].quantization
        same = kind in ("MAXIMUM", "MINIMUM")
        scale = float(q.scale[0]) * (1 if same else float(rng.uniform(0.3, 2)))
        zero = int(q.zeroPoint[0]) if same else int(rng.integers(-60, 60))
        values = np.clip(rng.integers(-90, 90, shape) + zero, -128, 127).astype(np.int8)
        return net.tensor(shape, S.TensorType.INT8, [scale], [zero], values)
    axes = [i for i, (n, m) in enumerate(zip(net.shape, shape, strict=True)) if n != m]
    if axes:
        net.reduce("REDUCE_MAX", axes, True, False)
    if kind not in ("MAXIMUM", "MINIMUM"):
        net.unary("QUANTIZE", net.scale_of(net.last) * 1.5, int(rng.integers(-60, 60)))
    other, net.last = net.last, first
    return other


@pytest.mark.parametrize("kind", BINARY)
@pytest.mark.parametrize("seed", range(10))
def test_any_two_shapes(kind, seed):
    """Up to four axes, each of which either side may lack."""
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(1, 4))
    full = (1, *(int(n) for n in rng.integers(1, 7, rank - 1)), int(rng.integers(4, 9)))
    net = Net(rng, full, zero=int(rng.integers(-60, 60)))
    constant = bool(rng.random() < 0.5)
    shape = tuple(n if rng.random() < 0.5 else 1 for n in full)
    if not constant:  # one side may lack an axis, but they must be neighbours for the helper
        shape = tuple(n if i < seed % (rank + 1) else 1 for i, n in enumerate(full))
    other = other_of(net, kind, shape, constant)
    sides = (net.last, other) if kind == "PRELU" or rng.random() < 0.5 else (other, net.last)
    fused = pick(rng, "NONE", "RELU", "RELU6") if kind != "SUB" else "NONE"
    agree(spread(net, kind, *sides, fused).bytes(), rng)


@pytest.mark.parametrize("kind", BINARY[:6])
@pytest.mark.parametrize("seed", range(4))
def test_both_sides_lack_an_axis(kind, seed):
    """(1, n, 1) with (1, 1, m), and with (m)."""
    rng = np.random.default_rng(50 + seed)
    n, m = (int(k) for k in rng.integers(2, 9, 2))
    net = Net(rng, (1, n, 1), zero=edge(rng))
    other = other_of(net, kind, (m,) if seed % 2 else (1, 1, m), True)
    agree(spread(net, kind, *((net.last, other) if seed < 2 else (other, net.last))).bytes(), rng)


@pytest.mark.parametrize("kind", ["RSQRT", "ABS"])
@pytest.mark.parametrize("seed", range(12))
def test_functions(kind, seed):
    """All values that the reference takes (no root below zero)."""
    rng = np.random.default_rng(100 + seed)
    zero = edge(rng)
    net = Net(rng, (1, 256), float(np.exp(rng.uniform(np.log(1e-4), np.log(1)))), zero)
    scale = net.scale_of(net.last)
    if kind == "RSQRT":
        out = float(1 / np.sqrt(scale) / rng.uniform(20, 250))
    else:
        out = scale if seed % 3 == 0 else scale * float(rng.uniform(0.4, 2))
    network = net.unary(kind, out, edge(rng)).bytes()
    x = np.arange(-128, 128).astype(np.int8)[None]
    if kind == "RSQRT":
        x = np.maximum(x, zero).astype(np.int8)
    assert np.array_equal(Runtime(network).run(x), tflm(network, x).reshape(1, 256))


def product(net, a, b, turn_a=False, turn_b=False):
    """A matrix product of tensors a and b."""
    types = {net.tensors[t].type for t in (a, b)}
    (m, k), (_, n) = (tuple(net.tensors[t].shape[-2:])[:: -1 if turn else 1] for t, turn in ((a, turn_a), (b, turn_b)))
    shape = (*np.broadcast_shapes(*(tuple(net.tensors[t].shape[:-2]) for t in (a, b))), m, n)
    reach = 60 * 60 if types == {S.TensorType.INT8} else 2**14 * 2**14 / 200
    scale = net.scale_of(a) * net.scale_of(b) * np.sqrt(k) * reach / 60 * float(net.rng.uniform(0.4, 2))
    y = net.activation(shape, scale, edge(net.rng) // 2)
    if types != {S.TensorType.INT8}:
        net.tensors[y].type, net.tensors[y].quantization.zeroPoint[:] = S.TensorType.INT16, 0
    options = S.BatchMatMulOptionsT()
    options.adjX, options.adjY = turn_a, turn_b
    return net.op("BATCH_MATMUL", [a, b], y, options)


def batches(rng, rank):
    """Two lists of batches that broadcast; the first begins with 1, as a network's input does."""
    full = [1, *(int(n) for n in rng.integers(1, 4, rank))][:rank]
    second = [n if rng.random() < 0.6 else 1 for n in full]
    if rank > 1 and full[1] == 1:
        second[1] = int(rng.integers(1, 4))
    return full, second[int(rng.integers(0, rank + 1)) :]


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("seed", range(24))
def test_product_with_a_constant(seed, wide):
    """On either side, turned or not, one batch for many or many for one."""
    rng = np.random.default_rng(200 + seed)
    m, k, n = (int(i) for i in rng.integers(1, 20, 3))
    turn_a, turn_b = bool(seed & 1), bool(seed & 2)
    first, second = batches(rng, int(rng.integers(1, 3)))
    if seed >= 16:  # the constant comes first
        net = Net(rng, (*first, *((n, k) if turn_b else (k, n))), zero=edge(rng) // 2)
        constant = net.constant((*second, *((k, m) if turn_a else (m, k))))
        sides = (constant, net.last)
    else:
        net = Net(rng, (*first, *((k, m) if turn_a else (m, k))), zero=edge(rng) // 2)
        constant = net.constant((*second, *((n, k) if turn_b else (k, n))))
        sides = (net.last, constant)
    if wide:
        net.retype(net.input, "INT16")
        tensor = net.retype(constant, "INT16")
        values = rng.integers(-32768, 32768, tuple(net.tensors[tensor].shape)).astype(np.int16)
        net.buffers[net.tensors[tensor].buffer].data = np.frombuffer(values.tobytes(), np.uint8)
    network = product(net, *sides, turn_a, turn_b).bytes()
    if not wide:
        agree(network, rng)
        return
    engine = Runtime(network)
    x = rng.integers(-32768, 32768, (8, *engine.plan.input_shape)).astype(np.int16)
    x[4:] //= 64
    theirs = tflm(network, x)
    assert np.array_equal(engine.run(x).reshape(theirs.shape), theirs) and len(np.unique(theirs)) > 1


@pytest.mark.parametrize("seed", range(12))
def test_product_of_two_that_are_computed(seed):
    """As attention does: the input with itself, turned, and with something of another zero point."""
    rng = np.random.default_rng(250 + seed)
    heads, m, k = (int(i) for i in rng.integers(1, 12, 3))
    net = Net(rng, (1, heads, m, k), zero=edge(rng) // 2)
    x = net.last
    net.unary("QUANTIZE", net.scale_of(x) * 1.3, edge(rng) // 2)
    turn = bool(seed & 1)
    product(net, x, net.last, turn, not turn)
    net.softmax()
    product(net, net.last, x, bool(seed & 2) and not turn, turn)
    agree(net.bytes(), rng)


@pytest.mark.parametrize("kind", ["MEAN", "SUM", "REDUCE_MAX"])
@pytest.mark.parametrize("axes", [(1, 3), (-1, 1), (1, 2, 3), (2,), (3, 2)])
def test_reductions_over_any_axes(kind, axes):
    rng = np.random.default_rng(len(axes) + axes[0])
    net = Net(rng, (1, *(int(n) for n in rng.integers(2, 9, 3))), zero=int(rng.integers(-60, 60)))
    whole = tuple(a % 4 for a in axes)
    net.reduce(kind, whole, bool(axes[0] % 2), kind != "REDUCE_MAX")
    values = np.array(axes, np.int32)
    net.buffers[net.tensors[net.operators[-1].inputs[1]].buffer].data = values.view(np.uint8)
    if kind == "SUM":
        net.tensors[net.last].quantization.scale[0] *= 9
    agree(net.bytes(), rng)


def test_equal_constants_are_kept_once():
    net = Net(np.random.default_rng(3), (1, 16))
    x = net.last
    net.unary("LOGISTIC", 1 / 256, -128)
    first, net.last = net.last, x
    plan = agree(net.unary("LOGISTIC", 1 / 256, -128).concat([first], 1).bytes(), net.rng)
    assert [layer.weight_bytes for layer in plan.ops if layer.kind == "table"] == [256, 0]
