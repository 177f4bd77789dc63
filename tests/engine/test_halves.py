"""Convolutions and dense layers by half-unpacked weights: every way through the kernels, and every way around them."""

import numpy as np
import pytest
from builder import Net
from golden import agree

from tinykit import toolchain
from tinykit.engine import Runtime, compile_network
from tinykit.engine.meter import engine_image, run_on_core

EXTREMES = (-128, 127, 0)


@pytest.fixture(scope="module", params=["zig", "gcc"])
def image(request):
    """The engine for the Cortex-M4F by either compiler: the assembly must not depend on it."""
    return engine_image() if request.param == "zig" else gcc_image()


def gcc_image():
    import shutil
    import subprocess
    import tempfile
    from pathlib import Path

    from tinykit.engine.elf import read_elf
    from tinykit.engine.standalone import ENTRIES

    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed.")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "engine.elf"
        command = ["arm-none-eabi-gcc", "-std=c99", "-O0", "-mcpu=cortex-m4", "-mthumb", "-Wall", "-Wextra", "-Werror",
                   *map(str, toolchain.engine_sources()), "--specs=nano.specs", "--specs=nosys.specs", "-nostartfiles",
                   *(f"-Wl,-u,{name}" for name in (*ENTRIES, "tk_engine_step")),
                   f"-T{toolchain.hardware_dir() / 'virtual' / 'bare.ld'}", "-o", str(target)]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return read_elf(target)


def same_on_the_core(network: bytes, image, rng):
    """Answers of the emulated core, to extremes and to noise, are those of this computer."""
    plan = compile_network(network)
    for x in (rng.choice(EXTREMES, plan.input_shape), rng.integers(-128, 128, plan.input_shape)):
        x = x.astype(np.int8)
        assert np.array_equal(run_on_core(plan, x, image)[0], Runtime(plan).run(x[None])[0])
    return plan


def narrow(rng, shape, kernel, out_c, **options):
    return Net(rng, (1, *shape)).conv(out_c, kernel, **options)


# Numbers of pixels that are no multiple of three, of channels that are odd, of inputs that leave a
# rest of four; patches of 1 to 17 fours, by whole words or not, inside the picture and over its edge.
CONVOLUTIONS = {
    "one pixel": lambda r: narrow(r, (1, 1, 5), (1, 1), 3, activation="RELU"),
    "two pixels": lambda r: narrow(r, (1, 2, 4), (1, 1), 1),
    "four pixels": lambda r: narrow(r, (2, 2, 32), (1, 1), 6, activation="RELU", zero=-128),
    "pixels with a rest": lambda r: narrow(r, (5, 7, 13), (1, 1), 7),
    "long pixels": lambda r: narrow(r, (3, 3, 68), (1, 1), 8, activation="RELU6"),
    "stride": lambda r: narrow(r, (7, 8, 12), (1, 1), 4, stride=(2, 3)),
    "picture": lambda r: narrow(r, (8, 9, 3), (3, 3), 5, activation="RELU"),
    "picture, stride": lambda r: narrow(r, (11, 12, 3), (3, 3), 8, stride=(2, 2)),
    "words": lambda r: narrow(r, (9, 11, 4), (3, 3), 6),
    "words, valid": lambda r: narrow(r, (9, 11, 8), (2, 3), 6, padding="VALID", zero=-128),
    "tall": lambda r: narrow(r, (25, 9, 1), (10, 4), 6, stride=(2, 2), activation="RELU"),
    "taller than the picture": lambda r: narrow(r, (3, 9, 4), (7, 3), 6),
    "wide": lambda r: narrow(r, (2, 20, 3), (1, 7), 4),
    "over both edges": lambda r: narrow(r, (4, 2, 3), (3, 5), 4),
    "gaps": lambda r: narrow(r, (9, 10, 5), (3, 2), 5, dilation=(2, 3)),
    "gaps downwards": lambda r: narrow(r, (9, 10, 4), (3, 2), 5, dilation=(2, 1)),
    "one dimension": lambda r: narrow(r, (1, 30, 6), (1, 5), 8, activation="RELU"),
    "one input": lambda r: narrow(r, (6, 6, 1), (1, 1), 3),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions(name, image):
    rng = np.random.default_rng(len(name))
    network = CONVOLUTIONS[name](rng).bytes()
    plan = agree(network, rng, 6)
    assert {step.kind for step in plan.steps} <= {"conv", "conv_1x1", "dense"}
    same_on_the_core(network, image, rng)


@pytest.mark.parametrize("quads", range(1, 18))
def test_every_entry_of_the_loops(quads, image):
    """The loops of eight fours are entered wherever a patch's length wants it."""
    rng = np.random.default_rng(quads)
    net = Net(rng, (1, 2, 2, 4 * quads)).conv(2, (1, 1), activation="RELU")
    net.reshape((1, 8)).dense(4 * quads).dense(3)
    agree(net.bytes(), rng, 4)
    same_on_the_core(net.bytes(), image, rng)


@pytest.mark.parametrize("depth, out", [(1, 1), (3, 5), (256, 2), (257, 9), (300, 4), (640, 3), (512, 130)])
def test_dense_in_pieces(depth, out, image):
    rng = np.random.default_rng(depth)
    net = Net(rng, (1, depth), zero=-128).dense(out, zero=int(rng.choice(EXTREMES)), coarse=5)
    plan = agree(net.reshape((1, out)).bytes(), rng, 6)
    assert plan.steps[0].kind == "dense"
    same_on_the_core(net.bytes(), image, rng)


@pytest.mark.parametrize("zero_in", EXTREMES)
@pytest.mark.parametrize("zero_out", [-128, 0, 120])
@pytest.mark.parametrize("activation", ["NONE", "RELU", "RELU6", "RELU_N1_TO_1"])
def test_zero_points_at_the_ends(zero_in, zero_out, activation):
    """Of input (padding), and of output (with and without a clamp that makes signs matter)."""
    rng = np.random.default_rng(zero_in % 7 + zero_out % 5)
    net = Net(rng, (1, 5, 6, 4), 0.02, zero_in).conv(5, (3, 3), activation=activation, scale=0.04, zero=zero_out)
    agree(net.bytes(), rng, 30)


def weights_of(net) -> np.ndarray:
    """The last layer's weights, to be changed in place."""
    buffer = net.buffers[net.tensors[net.operators[-1].inputs[1]].buffer]
    buffer.data = buffer.data.copy()
    return buffer.data.view(np.int8)


@pytest.mark.parametrize("kind", ["conv", "dense"])
def test_weights_of_minus_128(kind, image):
    """They are halves where their partner does not make them less."""
    rng = np.random.default_rng(4)
    for partner, expected in ((0, kind), (5, kind), (-1, f"{kind}_plain")):
        net = Net(rng, (1, 3, 3, 8) if kind == "conv" else (1, 30))
        net = net.conv(6, (2, 2)) if kind == "conv" else net.dense(7)
        weights_of(net)[:] //= 3
        weights_of(net)[2:4] = partner, -128
        weights_of(net)[8:10] = -128, 1
        plan = agree(net.bytes(), rng, 20)
        assert plan.steps[0].kind == expected
        same_on_the_core(net.bytes(), image, rng)


def test_sums_beyond_23_bits(image):
    """Long rows of large weights have no short form."""
    rng = np.random.default_rng(5)
    net = Net(rng, (1, 3, 3, 150)).conv(5, (3, 3))
    net.reshape((1, 45)).dense(1200).dense(3)
    plan = agree(net.bytes(), rng, 8)
    assert [step.kind for step in plan.steps] == ["conv_plain", "dense", "dense_plain"]
    same_on_the_core(net.bytes(), image, rng)


def test_a_dense_layer_of_many_rows_is_a_convolution(image):
    rng = np.random.default_rng(6)
    for rows, kind in ((2, "dense"), (3, "conv_1x1"), (7, "conv_1x1")):
        net = Net(rng, (1, rows, 9)).dense(6, rows=rows)
        plan = agree(net.reshape((1, *net.shape)).bytes(), rng)
        assert plan.steps[0].kind == kind
        same_on_the_core(net.bytes(), image, rng)


def test_a_convolution_with_one_output_is_a_dense_layer():
    rng = np.random.default_rng(7)
    plan = agree(Net(rng, (1, 5, 4, 3)).conv(6, (5, 4), padding="VALID").bytes(), rng)
    assert plan.steps[0].kind == "dense"
    plan = agree(Net(rng, (1, 5, 4, 3)).conv(6, (5, 4), (9, 9), padding="SAME").bytes(), rng)
    assert plan.steps[0].kind == "dense"


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("zero", EXTREMES)
def test_channels_that_training_has_switched_off(seed, zero):
    """Tiny weights with a bias beyond 2^23: one answer, or a few. MobileNets are full of them."""
    rng = np.random.default_rng(seed)
    net = Net(rng, (1, 4, 4, 8), 0.05, 3).conv(12, (1, 1), scale=0.05, zero=zero)
    weights, bias = (net.tensors[i] for i in net.operators[-1].inputs[1:])
    scales = weights.quantization.scale.copy()
    scales[:8] = [1e-9, 3e-8, 1e-7, 1e-6, 2e-6, 1e-5, 1e-5, 3e-5]
    values = (rng.uniform(-4, 4, 12) / (0.05 * scales)).clip(-(2**30), 2**30).astype(np.int32)
    weights.quantization.scale, bias.quantization.scale = scales, (0.05 * scales).astype(np.float32)
    weights_of(net)[:16] = 0
    net.buffers[bias.buffer].data = np.frombuffer(values.tobytes(), np.uint8)
    plan = agree(net.bytes(), rng, 30)
    assert plan.steps[0].kind == "conv_1x1"
