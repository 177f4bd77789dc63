"""What a network costs: counted on the emulated core, whose answers must be the host's and the reference's."""

import numpy as np
import pytest
from builder import Net
from golden import tflm

from tinykit.engine import compile_network, cost
from tinykit.engine.costs import run_on_core
from tinykit.engine.front import FrontCost, front_cost, skipped
from tinykit.errors import ModelError
from tinykit.pipeline import ImuFrontEnd, MelFrontEnd, Pipeline


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
    assert 5_000 < price.code_flash_bytes < price.engine_flash_bytes
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


LOG_MEL = MelFrontEnd()


def keyword(front=LOG_MEL, hop=1600):
    """A pipeline of sound with a small network of random weights."""
    rows = front.rows(16000)
    net = Net(np.random.default_rng(0), (1, rows, len(front.features), 1)).conv(4, (8, 4), (4, 2))
    data = net.dense(3).softmax().bytes()
    return Pipeline("words", "keyword", 16000.0, 16000, hop, front, ("silence", "unknown", "yes"), int8_model=data)


def test_cost_of_a_pipeline_has_its_front_end():
    price = cost(keyword())
    front = price.front
    assert (front.unit, front.runs, front.answer_s) == ("hop", 5, 0.1)
    assert 20_000 < front.instructions < front.cycles < 80_000
    # Window, spans, weights, gains and offsets; a second of sound and its 49 rows of 40 features.
    assert front.table_bytes > 4 * (480 + 40 + 80) and front.ring_bytes == 32768 + 49 * 40
    assert price.busy == (5 * front.cycles + price.cycles) / 6_400_000
    assert price.skipped == 0 and "no answer is skipped" in " ".join(repr(price).split())
    told = price.as_dict()
    assert told["front_end"]["cycles_estimated"] == front.cycles
    assert told["processor_share_estimated"] == round(price.busy, 4)
    assert "front end, 5 hops" in price._repr_html_() and "no answer is skipped" in price._repr_html_()


def test_mfcc_cost_more_than_log_mel_and_long_frames_more_than_short():
    cycles = [front_cost(keyword(front, 5 * front.hop)).cycles
              for front in (MelFrontEnd(), MelFrontEnd(coefficients=10), MelFrontEnd(frame=640))]  # fmt: skip
    assert cycles == sorted(cycles)


def test_work_bytes_are_those_of_the_c_struct(tmp_path):
    import ctypes

    from tinykit import toolchain

    source = tmp_path / "size.c"
    source.write_text('#include "tk_mel.h"\nunsigned size(void) { return sizeof(tk_mel_work); }\n', encoding="utf-8")
    library = toolchain.host_library([source], [toolchain.hardware_dir() / "TinyKit" / "src"], name="size")
    assert ctypes.CDLL(str(library)).size() == front_cost(keyword()).work_bytes


def test_cost_of_an_imu_front_end():
    front = ImuFrontEnd(center=True, magnitude=("a", "g"), scale=(1e-3,) * 8)
    small = front_cost(Pipeline("g", "gesture", 119.0, 60, 30, front, ("any",)))
    large = front_cost(Pipeline("g", "gesture", 119.0, 120, 30, front, ("any",)))
    assert small.unit == "window" and small.runs == 1 and large.ring_bytes == 2 * 120 * 6
    assert 1.8 < large.cycles / small.cycles < 2.2


def test_slow_networks_skip_answers():
    # An answer every 0.1 s: 6.4 million cycles, of which the front end takes 0.4 million.
    front = FrontCost("hop", 1, 80_000, 5, 0.1, 0, 0, 0, 0)
    assert [skipped(n, front) for n in (1, 6_000_000, 6_000_001, 12_000_001)] == [0, 0, 1, 2]
    assert skipped(1, FrontCost("hop", 1, 1_280_000, 5, 0.1, 0, 0, 0, 0)) == np.inf
    window = FrontCost("window", 1, 400_000, 1, 0.1, 0, 0, 0, 0)
    assert [skipped(n, window) for n in (6_000_000, 6_000_001)] == [0, 1]


def test_hops_that_do_not_fit_are_refused():
    with pytest.raises(ModelError, match="hop is 1000 samples"):
        cost(keyword(hop=1000))
