"""Depthwise convolutions against TensorFlow Lite Micro: every kernel, and every edge of them."""

import numpy as np
import pytest
from builder import Net
from golden import agree

from tinykit.engine import compile_network, cost
from tinykit.engine.step import KINDS


def pick(rng, *options):
    return options[rng.integers(len(options))]


def three_by_three(seed):
    """Any size, stride, padding, multiplier and zero point; sometimes more layers, for the arena."""
    rng = np.random.default_rng(seed)
    height, width = (int(n) for n in rng.integers(1, 20, 2))
    net = Net(rng, (1, height, width, int(rng.integers(2, 18))), zero=pick(rng, -128, 127, 0, -3))
    if seed % 3 == 0:
        net.pad([(0, 0), *(tuple(int(n) for n in rng.integers(0, 3, 2)) for _ in range(2)), (0, 0)])
    padding = pick(rng, "SAME", "VALID") if min(net.shape[1:3]) >= 3 else "SAME"
    stride = pick(rng, (1, 1), (2, 2), (1, 2), (2, 1), (3, 1), (1, 3), (3, 2))
    multiplier = pick(rng, 1, 1, 1, 2, 3, 5)
    activation = pick(rng, "NONE", "RELU", "RELU6")
    net.conv(0, (3, 3), stride, padding=padding, depthwise=multiplier, activation=activation,
             zero=pick(rng, -128, -3, 0) if activation != "NONE" else pick(rng, 100, -128, -3))  # fmt: skip
    if rng.random() < 0.5:
        net.unary("QUANTIZE")
    return net.bytes(), rng


@pytest.mark.parametrize("seed", range(60))
def test_three_by_three(seed):
    network, rng = three_by_three(seed)
    agree(network, rng, 6)


@pytest.mark.parametrize("seed", range(0, 60, 5))
def test_three_by_three_on_the_core(seed):
    """``cost`` compares the emulated core's answer with this computer's."""
    cost(three_by_three(seed)[0])


def any_kernel(seed):
    """Kernels, dilations, strides and multipliers of every kind, pictures down to one row or column."""
    rng = np.random.default_rng(1000 + seed)
    size = [int(rng.integers(1, (1, 8, 24)[seed % 3] + 1)), int(rng.integers(1, 25))]
    height, width = size if seed % 2 else size[::-1]
    kernel = int(rng.integers(1, min(12, height + 2))), int(rng.integers(1, min(14, width + 2)))
    stride = pick(rng, (1, 1), (1, 1), (2, 2), (1, 2), (2, 1), (3, 1), (3, 3))
    dilation = tuple(int(n) for n in rng.integers(1, 4, 2)) if stride == (1, 1) and seed % 4 < 2 else (1, 1)
    net = Net(rng, (1, height, width, int(rng.integers(2, 18))), zero=pick(rng, -128, 127, 0, -3))
    if seed % 5 == 0:
        net.pad([(0, 0), *(tuple(int(n) for n in rng.integers(0, 7, 2)) for _ in range(2)), (0, 0)])
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    fits = spans[0] <= net.shape[1] and spans[1] <= net.shape[2]
    activation = pick(rng, "NONE", "RELU")
    net.conv(0, kernel, stride, dilation, pick(rng, "SAME", "VALID") if fits else "SAME", activation,
             depthwise=pick(rng, 1, 1, 1, 2, 3, 8), zero=pick(rng, -128, -3, 0))  # fmt: skip
    if rng.random() < 0.5:
        net.unary("QUANTIZE")
    return net.bytes(), rng


@pytest.mark.parametrize("seed", range(60))
def test_any_kernel(seed):
    network, rng = any_kernel(seed)
    agree(network, rng, 6)


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_any_kernel_on_the_core(seed):
    cost(any_kernel(seed)[0])


def test_every_kernel_is_chosen():
    networks = [make(seed)[0] for seed in range(60) for make in (any_kernel, three_by_three)]
    kinds = {step.kind for network in networks for step in compile_network(network).steps}
    assert {kind for kind in KINDS if kind.startswith("depthwise")} <= kinds


@pytest.mark.parametrize("shape, kernel, dilation", [
    ((1, 40, 1, 8), (5, 1), (1, 1)), ((1, 1, 40, 8), (1, 5), (1, 4)), ((1, 24, 24, 8), (3, 3), (1, 1)),
    ((1, 20, 20, 8), (5, 5), (1, 1)), ((1, 6, 40, 8), (3, 3), (2, 2)),
])  # fmt: skip
def test_the_output_lies_on_the_input(shape, kernel, dilation):
    """And is right there, layer upon layer."""
    rng = np.random.default_rng(3)
    net = Net(rng, shape)
    for _ in range(3):
        net.conv(0, kernel, (1, 1), dilation, depthwise=1)
    plan = agree(net.bytes(), rng)
    assert plan.arena_bytes < np.prod(shape) + max(step.scratch_bytes for step in plan.steps) + 32


def test_along_rows_and_along_columns():
    """Long lines are cheaper: a tall picture goes by columns, a wide one by rows."""
    rng = np.random.default_rng(0)
    for shape, down in (((1, 25, 5, 32), 1), ((1, 5, 25, 32), 0)):
        plan = agree(Net(rng, shape).conv(0, (3, 3), depthwise=1).bytes(), rng)
        assert [step.params[0] for step in plan.steps] == [down]
        assert plan.arena_bytes < 1.3 * 25 * 5 * 32  # the output lies on the input
