"""What a network costs: counted on the emulated core, whose answers must be the host's and the reference's."""

import numpy as np
import pytest
from builder import Net
from golden import tflm

from tinykit.engine import compile_network, cost
from tinykit.engine.costs import run_on_core


def network(seed=0):
    rng = np.random.default_rng(seed)
    net = Net(rng, (1, 10, 9, 5)).conv(8, (3, 3), activation="RELU").conv(0, (3, 3), depthwise=1)
    start = net.last
    net.conv(8, (1, 1)).binary("ADD", start).pool("MAX_POOL_2D", (2, 2), (2, 2))
    return net.pool("AVERAGE_POOL_2D", (2, 2), (1, 1)).unary("QUANTIZE").reduce("MEAN", (1, 2)).dense(6).softmax()


@pytest.mark.parametrize("seed", range(6))
def test_emulated_core_answers_as_the_reference(seed):
    """The Arm build, with its DSP instructions, against TensorFlow Lite Micro."""
    data = network(seed).bytes()
    plan = compile_network(data)
    x = np.random.default_rng(seed).integers(-128, 128, (1, 10, 9, 5)).astype(np.int8)
    answer, total, parts = run_on_core(plan, x[0])
    assert np.array_equal(answer.ravel(), tflm(data, x).ravel())
    # Op by op is the whole, but for a call an op.
    assert abs(sum(p.instructions for p in parts) - total.instructions) < 60 * len(parts)


@pytest.mark.parametrize("name", ["kws_ref_model", "magic_wand_int8", "micro_speech_quantized", "ad01_int8"])
def test_reference_networks_on_the_emulated_core(shared_models, name):
    data = (shared_models / f"{name}.tflite").read_bytes()
    plan = compile_network(data)
    x = np.random.default_rng(1).integers(-128, 128, (1, *plan.input_shape)).astype(np.int8)
    assert np.array_equal(run_on_core(plan, x[0])[0].ravel(), tflm(data, x).ravel())


def test_cost_adds_up():
    price = cost(network().bytes())
    assert price.macs == sum(layer.macs for layer in price.layers)
    # By hand: 10*9*8*45 + 10*9*8*9 + 10*9*64 + 8*6
    assert price.macs == 32400 + 6480 + 5760 + 48
    assert price.cycles >= price.instructions > price.macs
    assert price.plan_bytes == len(price.plan.bytes) and price.arena_bytes == price.plan.arena_bytes
    assert 5_000 < price.code_flash_bytes < 40_000
    assert max(layer.ram_bytes for layer in price.layers) <= price.arena_bytes
    told = price.as_dict()
    assert told["cycles_estimated"] == price.cycles and len(told["layers"]) == len(price.layers)
    assert "estimated" in repr(price) and "estimated" in price._repr_html_().replace("est.", "estimated")


def test_arena_is_smaller_than_all_tensors_together():
    plan = compile_network(network().bytes())
    together = sum(b.size for b in plan.layout.blocks)
    largest = max(b.size for b in plan.layout.blocks)
    assert largest <= plan.arena_bytes < together


@pytest.mark.parametrize("seed", range(12))
def test_kernels_of_the_arm_build(seed):
    """Odd sizes and channel counts, both ways of requantising, with and without rows kept aside."""
    rng = np.random.default_rng(100 + seed)
    net = Net(rng, (1, *map(int, rng.integers(3, 10, 2)), int(rng.integers(1, 11))))
    coarse = 80 if seed % 3 == 0 else 1
    net.conv(int(rng.integers(1, 14)), (int(rng.integers(1, 4)), int(rng.integers(1, 4))), coarse=coarse)
    net.conv(0, (3, 2), (1, 1), (1, int(rng.integers(1, 3))), depthwise=1, coarse=coarse, activation="RELU6")
    net.conv(0, (2, 3), (2, 1), depthwise=int(rng.integers(1, 3)))
    net.conv(int(rng.integers(1, 14)), (1, 1), activation="RELU")
    data = net.dense(int(rng.integers(1, 11)), coarse=coarse).bytes()
    plan = compile_network(data)
    for x in rng.integers(-128, 128, (2, *plan.input_shape)).astype(np.int8):
        assert np.array_equal(run_on_core(plan, x)[0].ravel(), tflm(data, x[None]).ravel())
