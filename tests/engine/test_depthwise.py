"""Depthwise convolutions against TensorFlow Lite Micro: every kernel, and every edge of them."""

import numpy as np
import pytest
from builder import Net
from golden import agree

from tinykit.engine import compile_network, cost


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
    plan = compile_network(network)
    assert any(step.kind.startswith("depthwise_3x3") for step in plan.steps)
    agree(network, rng, 6)


@pytest.mark.parametrize("seed", range(0, 60, 5))
def test_three_by_three_on_the_core(seed):
    """``cost`` compares the emulated core's answer with this computer's."""
    cost(three_by_three(seed)[0])


def test_along_rows_and_along_columns():
    """Long lines are cheaper: a tall picture goes by columns, a wide one by rows."""
    rng = np.random.default_rng(0)
    for shape, down in (((1, 25, 5, 32), 1), ((1, 5, 25, 32), 0)):
        plan = agree(Net(rng, shape).conv(0, (3, 3), depthwise=1).bytes(), rng)
        assert [step.params[0] for step in plan.steps] == [down]
        assert plan.arena_bytes < 1.3 * 25 * 5 * 32  # the output lies on the input
