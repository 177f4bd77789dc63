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
