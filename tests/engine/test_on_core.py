"""Element-wise kernels and pools on the emulated core: its DSP instructions against this computer's C.

``cost`` compares the two answers; ``test_operations`` holds this computer's to tflite-micro.
"""

import numpy as np
import pytest
from builder import Net
from golden import agree

from tinykit.engine import cost


def network(kind, seed):
    rng = np.random.default_rng(seed)
    shape = (1, *(int(n) for n in rng.integers(2, 20, 2)), int(rng.integers(1, 18)))
    net = Net(rng, shape, zero=(-128, 127, 0, -3)[seed % 4])
    if kind in ("ADD", "SUB", "MUL"):
        start = net.last
        net.conv(net.shape[3], (1, 1), zero=(0, -128, 127)[seed % 3])
        scale = 120 * net.scale_of(start) * net.scale_of(net.last) if kind == "MUL" else None
        return net.binary(kind, start, scale=scale), rng
    if kind == "MEAN":
        return net.reduce("MEAN", (1, 2), rescale=seed % 2 == 0), rng
    kernel = tuple(int(rng.integers(1, n + 1)) for n in shape[1:3])
    stride = tuple(int(n) for n in rng.integers(1, 4, 2))
    return net.pool(kind, kernel, stride, ("SAME", "VALID")[seed % 2], ("NONE", "RELU6")[seed % 4 == 3]), rng


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["ADD", "SUB", "MUL", "MEAN", "AVERAGE_POOL_2D", "MAX_POOL_2D"])
def test_core_and_computer_agree(kind, seed):
    net, rng = network(kind, seed)
    cost(agree(net.bytes(), rng, 4))


@pytest.mark.parametrize("value", [-128, 127])
def test_sums_at_the_ends(value):
    """More values of one sign than an int16 holds."""
    rng = np.random.default_rng(0)
    plan = agree(Net(rng, (1, 30, 21, 6), zero=-3).pool("AVERAGE_POOL_2D", (30, 21), (1, 1)).bytes(), rng)
    from tinykit.engine import Runtime

    x = np.full((1, 30, 21, 6), value, np.int8)
    assert np.all(Runtime(plan).run(x) == value)
    cost(plan)
