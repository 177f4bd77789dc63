"""Values on the edge between two answers, where one wrong bit in a multiplier shows.

Random networks meet such values once in 100,000 outputs; here there is nothing else. (The reference
computes all multipliers in double precision, and the clamp of a fused activation in single.)
"""

import numpy as np
import pytest
from builder import Net, S
from golden import tflm

from tinykit.engine import Runtime


def same(network: bytes, x: np.ndarray):
    mine, theirs = Runtime(network).run(x), tflm(network, x)
    wrong = np.flatnonzero(mine.ravel() != theirs.ravel())
    assert not len(wrong), f"{len(wrong)} of {mine.size} values on an edge differ"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["dense", "conv", "depthwise"])
def test_sums_on_an_edge(kind, seed):
    """Input at its zero point, so that the sum is the bias; biases on both sides of every edge."""
    rng = np.random.default_rng(seed)
    x_scale, w_scale, y_scale = (np.float32(rng.uniform(*r)) for r in ((0.005, 0.02), (0.5e-5, 2e-5), (0.3, 0.7)))
    factor = float(x_scale) * float(w_scale) / float(y_scale)
    edges = (np.arange(-100, 100) + 0.5) / factor
    sums = (edges[:, None] + np.arange(-12, 13)).ravel().astype(np.int64)
    sums = sums[np.abs(sums) < 2**31 - 100]
    sums = sums[: len(sums) // 4 * 4].astype(np.int32)
    net = Net(rng, (1, 4) if kind == "dense" else (1, 1, 1, 4), float(x_scale), 0)
    if kind == "dense":
        net.dense(len(sums), per_channel=bool(seed % 2), scale=y_scale, zero=0)
    else:
        many = len(sums) // 4 if kind == "depthwise" else None
        net.conv(len(sums), (1, 1), per_channel=bool(seed % 2), scale=y_scale, zero=0, depthwise=many)
    weights, bias = (net.tensors[i] for i in net.operators[-1].inputs[1:])
    weights.quantization.scale = np.full(len(weights.quantization.scale), w_scale, np.float32)
    bias.quantization.scale = np.full(len(weights.quantization.scale), x_scale * w_scale, np.float32)
    net.buffers[bias.buffer].data = np.frombuffer(sums.tobytes(), np.uint8)
    same(net.bytes(), np.zeros((1, *net.tensors[net.input].shape[1:]), np.int8))


@pytest.mark.parametrize("kind", ["QUANTIZE", "RELU", "LEAKY_RELU"])
def test_scales_with_simple_ratios(kind):
    """Ratios such as 1/2 put whole tables on the edge."""
    rng = np.random.default_rng(0)
    x = np.arange(-128, 128).astype(np.int8)[None]
    for _ in range(60):
        scale = np.float32(rng.uniform(0.01, 0.1))
        out = float(np.float32(scale / rng.choice([0.5, 0.25, 1.5, 0.75, 0.1, 0.3, 0.7, 0.9, 1.1])))
        options = None
        if kind == "LEAKY_RELU":
            options = S.LeakyReluOptionsT()
            options.alpha = float(rng.choice([0.1, 0.2, 0.3, 0.5]))
        net = Net(rng, (1, 256), float(scale), 0)
        same(net.unary(kind, out, int(rng.integers(-20, 20)), options).bytes(), x)


def test_six_on_an_edge():
    """Scales at which 6 lies between two levels."""
    rng = np.random.default_rng(0)
    x = np.full((1, 1, 1, 1), 127, np.int8)
    for level in range(10, 240, 3):
        scale = np.float32(6 / (level + 0.5))
        for s in (scale, np.nextafter(scale, np.float32(0)), np.nextafter(scale, np.float32(1))):
            net = Net(rng, (1, 1, 1, 1), float(s), -128)
            same(net.pool("MAX_POOL_2D", (1, 1), (1, 1), activation="RELU6").bytes(), x)
