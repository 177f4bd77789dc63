"""The arena's layout: what lives together lies apart, and little is lost."""

import numpy as np
import pytest
from builder import Net

from tinykit.engine import compile_network


def test_input_and_output_give_way_to_the_largest_layer():
    """A large input, halved at once, then a picture that doubles its channels: as MobileNet on 96 x 96.

    The second layer must not lie on the first one's output here, though it may.
    """
    net = Net(np.random.default_rng(0), (1, 48, 48, 3)).conv(8, (3, 3), (2, 2))
    net.conv(0, (3, 3), depthwise=1).conv(16, (1, 1)).conv(0, (3, 3), (2, 2), depthwise=1).conv(32, (1, 1))
    plan = compile_network(net.bytes())
    largest = 24 * 24 * 16
    assert plan.arena_bytes <= largest + max(step.scratch_bytes for step in plan.steps) + 16


@pytest.mark.parametrize("seed", range(10))
def test_what_lives_together_lies_apart(seed):
    """But for an output on the input that dies where it is born."""
    rng = np.random.default_rng(seed)
    net = Net(rng, (1, 12, 10, 6))
    for _ in range(8):
        start = net.last
        net.conv(0, (3, 3), depthwise=1).conv(6, (1, 1))
        if rng.random() < 0.5:
            net.binary("ADD", start)
    blocks = compile_network(net.bytes()).layout.blocks
    for i, a in enumerate(blocks):
        for b in blocks[:i]:
            apart = a.place + a.size <= b.place or b.place + b.size <= a.place
            together = min(a.last, b.last) - max(a.first, b.first)
            assert apart or together < 0 or (together == 0 and not (a.scratch or b.scratch))
