"""Operations on a tensor and a part of itself, which lies in the same memory."""

import numpy as np
import pytest
from builder import Net, S
from golden import agree

BEGINNINGS = [(0, 0, 0), (0, 0, 2), (0, 4, 0), (0, 7, 0), (0, 3, 3)]


def part(net, begin, size):
    """A slice of the last tensor, which stays the last."""
    whole = net.last
    net.op("SLICE", [whole, net.ints(begin), net.ints(size)], net.like(size), S.SliceOptionsT())
    found, net.last = net.last, whole
    return found


@pytest.mark.parametrize("kind", ["SUB", "ADD", "MUL", "SQUARED_DIFFERENCE"])
@pytest.mark.parametrize("begin", BEGINNINGS)
@pytest.mark.parametrize("size", [(1, 1, 4), (1, 8, 1), (1, 1, 1)])
@pytest.mark.parametrize("before", ["input", "operation"])
def test_less_a_part_of_itself(kind, begin, size, before):
    """As in x - x[:, :1], each sample less the first one."""
    if any(b + s > n for b, s, n in zip(begin, size, (1, 8, 4), strict=True)):
        begin = tuple(min(b, n - s) for b, s, n in zip(begin, size, (1, 8, 4), strict=True))
    net = Net(np.random.default_rng([sum(begin), sum(size)]), (1, 8, 4), 0.05, 3)
    if before == "operation":
        net.unary("TANH", 1 / 128, 0)
    net.binary(kind, part(net, begin, size), scale=0.004 if kind != "SUB" else 0.06)
    net.reshape((1, 32))
    agree(net.bytes(), np.random.default_rng(1))


@pytest.mark.parametrize("kind", ["SUB", "MUL"])
def test_of_another_less_a_part_of_its_source(kind):
    net = Net(np.random.default_rng(2), (1, 8, 4), 0.05, 3)
    piece = part(net, (0, 4, 0), (1, 1, 4))
    net.unary("TANH", 1 / 128, 0)
    net.binary(kind, piece, scale=0.01)
    agree(net.bytes(), np.random.default_rng(2))


@pytest.mark.parametrize("kind", ["SUB", "MUL", "SQUARED_DIFFERENCE"])
@pytest.mark.parametrize("first, second", [(0, 4), (4, 0), (2, 4), (4, 2), (1, 3), (3, 1)])
def test_two_parts_of_one(kind, first, second):
    """As in gated units: one half of the channels, or of the samples, times the other."""
    net = Net(np.random.default_rng([first, second]), (1, 8, 16), 0.05, -5)
    net.unary("TANH", 1 / 128, 0)
    a, b = (part(net, (0, n, 0), (1, 4, 16)) for n in (first, second))
    net.last = a
    net.binary(kind, b, scale=0.004)
    agree(net.bytes(), np.random.default_rng(3))
