"""Networks that begin or end in other numbers than int8, bit for bit against TensorFlow Lite Micro."""

import numpy as np
import pytest
from builder import Net, S
from golden import tflm

import tinykit as tk
from tinykit.engine import Runtime, compile_network, compile_plan
from tinykit.engine.costs import run_on_core
from tinykit.errors import ModelError
from tinykit.pipeline import ImuFrontEnd, Pipeline

SCALES = (1e-4, 0.003921569, 0.1, 1 / 3, 7.5)


def end(net, kind, dtype, scale=None, zero=0):
    """QUANTIZE or DEQUANTIZE to this type."""
    scales = ([scale], [zero]) if scale else ()
    return net.op(kind, [net.last], net.tensor(net.shape, getattr(S.TensorType, dtype), *scales))


def entered(rng, shape, dtype, scale=None, zero=0):
    """A network whose input is of this type."""
    net = Net(rng, shape, scale, zero)
    net.tensors[net.input].type = getattr(S.TensorType, dtype)
    if scale is None:
        net.tensors[net.input].quantization = S.QuantizationParametersT()
    return net


def floats(rng, scale, count):
    """Whole steps, halves between them, their neighbours, both zeros, large and tiny ones, and any."""
    steps = np.arange(-300, 300) / 2
    near = (steps * scale).astype(np.float32)
    some = [near, np.nextafter(near, np.float32(np.inf)), np.nextafter(near, -np.float32(np.inf))]
    some += [np.float32([0, -0.0, 1e-42, -1e-42, 1e5 * scale, -1e5 * scale, 2**30 * scale, -(2**30) * scale])]
    some += [rng.normal(0, 60 * scale, count).astype(np.float32)]
    return np.concatenate(some).astype(np.float32)


def same(network, x):
    """Both answers, which must agree in every bit; the plan."""
    engine = Runtime(network)
    mine, theirs = engine.run(x), tflm(network, x)
    assert mine.dtype == theirs.dtype == np.dtype(engine.plan.output_dtype)
    wrong = np.flatnonzero(mine.ravel().view(f"V{mine.itemsize}") != theirs.ravel().view(f"V{mine.itemsize}"))
    assert not len(wrong), (mine.ravel()[wrong[:5]], theirs.ravel()[wrong[:5]], engine.plan)
    return engine.plan


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("dtype, zero", [("INT8", -128), ("INT8", 127), ("INT8", 3), ("INT16", 0)])
def test_floats_in(dtype, zero, scale):
    rng = np.random.default_rng(0)
    x = floats(rng, scale, 500)[None]
    plan = same(end(entered(rng, x.shape, "FLOAT32"), "QUANTIZE", dtype, scale, zero).bytes(), x)
    assert plan.input_dtype == "float32" and plan.input_scale == 0


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("dtype, zero", [("INT8", -128), ("INT8", 127), ("UINT8", 128), ("UINT8", 0), ("INT16", 0)])
def test_floats_out(dtype, zero, scale):
    """Every value of the type."""
    rng, limits = np.random.default_rng(1), np.iinfo(dtype.lower())
    x = np.arange(limits.min, limits.max + 1).astype(dtype.lower())
    x = x.reshape(-1, 256)
    same(end(entered(rng, (1, 256), dtype, scale, zero), "DEQUANTIZE", "FLOAT32").bytes(), x)


INTEGERS = [("INT8", "UINT8"), ("INT8", "INT16"), ("INT8", "INT32"), ("UINT8", "INT8"), ("INT16", "INT8"),
            ("INT16", "INT16"), ("INT16", "INT32"), ("INT32", "INT8"), ("INT32", "INT16")]  # fmt: skip


@pytest.mark.parametrize("source, target", INTEGERS)
@pytest.mark.parametrize("seed", range(6))
def test_integers_to_integers(source, target, seed):
    rng = np.random.default_rng(10 + seed)

    def zero_of(dtype):
        limits = np.iinfo(dtype.lower())
        return int(rng.choice([limits.min, limits.max, rng.integers(limits.min, limits.max)])) if "8" in dtype else 0

    limits = np.iinfo(source.lower())
    scale = float(np.exp(rng.uniform(np.log(1e-4), np.log(0.1))))
    into = scale if seed == 0 else scale * float(np.exp(rng.uniform(np.log(1e-2), np.log(30))))
    net = entered(rng, (1, 512), source, scale, zero_of(source))
    x = rng.integers(limits.min, limits.max + 1, (8, 512)).astype(source.lower())
    if source == "INT32":
        x //= rng.integers(1, 1 << 20)
    x[0, :2] = (limits.min, limits.max) if source != "INT32" else (-30000, 30000)
    same(end(net, "QUANTIZE", target, into, zero_of(target)).bytes(), x)


def test_uint8_of_one_scale_turns_its_highest_bit():
    rng = np.random.default_rng(2)
    net = entered(rng, (1, 256), "UINT8", 1 / 255, 128)
    net = end(end(net, "QUANTIZE", "INT8", 1 / 255, 0), "QUANTIZE", "UINT8", 1 / 255, 128)
    same(net.bytes(), np.arange(256, dtype=np.uint8)[None])


def test_what_is_no_number_and_what_is_beyond():
    """TensorFlow Lite Micro leaves both to the compiler: here, the smallest and the nearest integer."""
    rng = np.random.default_rng(3)
    x = np.float32([[np.nan, np.inf, -np.inf, 3e38, -3e38, 0]])
    network = end(entered(rng, x.shape, "FLOAT32"), "QUANTIZE", "INT8", 0.5, 10).bytes()
    engine = Runtime(network)
    assert engine.run(x).tolist() == [[-128, 127, -128, 127, -128, 10]]
    assert run_on_core(engine.plan, x[0])[0].tolist() == engine.run(x)[0].tolist()


def network(rng, dtype):
    """Something between two ends of a type."""
    if dtype == "FLOAT32":
        net = end(entered(rng, (1, 6, 5, 3), dtype), "QUANTIZE", "INT8", 0.02, -5)
    else:
        scale, zero = (0.02, 128) if dtype == "UINT8" else (1e-3, 0)
        net = end(entered(rng, (1, 6, 5, 3), dtype, scale, zero), "QUANTIZE", "INT8", 0.02, -5)
    net.conv(4, (3, 3), activation="RELU").reduce("MEAN", (1, 2)).dense(5).softmax()
    if dtype == "FLOAT32":
        return end(net, "DEQUANTIZE", dtype)
    return end(net, "QUANTIZE", dtype, 1 / 256 if dtype != "INT16" else 1e-4, 0)


@pytest.mark.parametrize("dtype", ["FLOAT32", "UINT8", "INT16"])
def test_whole_networks_on_host_and_core(dtype):
    rng = np.random.default_rng(4)
    data = network(rng, dtype).bytes()
    if dtype == "FLOAT32":
        x = rng.normal(0, 1.5, (10, 6, 5, 3)).astype(np.float32)
    else:
        limits = np.iinfo(dtype.lower())
        x = rng.integers(limits.min, limits.max + 1, (10, 6, 5, 3)).astype(dtype.lower())
    plan = same(data, x)
    assert plan.input_dtype == plan.output_dtype == dtype.lower()
    for one in x[:3]:
        answer, _, _ = run_on_core(plan, one)
        assert answer.tobytes() == Runtime(plan).run(one[None]).tobytes()


def test_the_board_takes_and_gives_them_too(tmp_path):
    rng = np.random.default_rng(4)
    plan = compile_network(network(rng, "INT16").bytes())
    x = rng.integers(-32768, 32768, (3, 6, 5, 3)).astype(np.int16)
    with tk.connect(f"virtual://nano33ble/{tmp_path.name}?flash=memory&clock=free") as board:
        board.deploy(plan)
        answers = board.run(x)
        assert answers.dtype == np.int16 and np.array_equal(answers, Runtime(plan).run(x).reshape(answers.shape))
        with pytest.raises(ModelError, match=r"takes int16 of shape \(n, ...\), got int8"):
            board.run(x.astype(np.int8))


@pytest.mark.parametrize("kind", ["ARG_MAX", "ARG_MIN"])
@pytest.mark.parametrize("axis", [1, 2, 3, -1])
@pytest.mark.parametrize("levels", [2, 256])
def test_places(kind, axis, levels):
    """The first of equal values, along any axis."""
    rng = np.random.default_rng(5)
    net = Net(rng, (1, 4, 5, 6))
    options = getattr(S, "ArgMaxOptionsT" if kind == "ARG_MAX" else "ArgMinOptionsT")()
    options.outputType = S.TensorType.INT32
    y = net.tensor([n for a, n in enumerate(net.shape) if a != axis % 4], S.TensorType.INT32)
    net.op(kind, [net.last, net.ints([axis])], y, options)
    x = (rng.integers(0, levels, (10, 4, 5, 6)) - levels // 2).astype(np.int8)
    plan = same(net.bytes(), x)
    assert plan.output_dtype == "int32"
    assert np.array_equal(run_on_core(plan, x[0])[0], Runtime(plan).run(x[:1])[0])
    # int64, which tflite-micro can't write: the same numbers.
    net.tensors[y].type = options.outputType = S.TensorType.INT64
    wide = Runtime(net.bytes()).run(x)
    assert wide.dtype == np.int64 and np.array_equal(wide, Runtime(plan).run(x))


def test_run_wants_the_type_that_the_network_has():
    engine = Runtime(network(np.random.default_rng(6), "FLOAT32").bytes())
    with pytest.raises(ModelError, match=r"takes float32 of shape \(n, 6, 5, 3\), got int8.*numbers of float32"):
        engine.run(np.zeros((1, 6, 5, 3), np.int8))
    assert engine.run(np.zeros((0, 6, 5, 3), np.float32)).shape == (0, 5)


def test_a_pipeline_stays_int8():
    net = network(np.random.default_rng(7), "FLOAT32")
    front = ImuFrontEnd(scale=(1.0,) * 6)
    pipeline = Pipeline(name="p", kind="gesture", rate_hz=119.0, window=15, hop=5, front_end=front,
                        labels=tuple("abcde"), int8_model=net.bytes())  # fmt: skip
    with pytest.raises(ModelError, match=r"takes float32 and gives float32; a board's .* work with int8.*tf\.int8"):
        compile_plan(pipeline)
    assert compile_network(net.bytes()).arena_bytes
