"""Layers with a memory against TensorFlow Lite Micro, from a reset and without one; and what surrounds them."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from builder import Net, S

from tinykit.engine import Runtime, compile_network
from tinykit.errors import UnsupportedOp
from tinykit.features import pack_section, quantized


def answers(network: bytes, x: np.ndarray, reset: bool) -> np.ndarray:
    """The reference's, reset before each example or not at all."""
    runtime = pytest.importorskip(
        "tflite_micro.python.tflite_micro.runtime",
        reason="The golden reference, tflite-micro, exists for Linux on x86-64 only.",
    )
    interpreter = runtime.Interpreter.from_bytes(network, arena_size=900_000)
    found = []
    for example in x:
        if reset:
            interpreter.reset()
        interpreter.set_input(example[None], 0)
        interpreter.invoke()
        found.append(np.array(interpreter.get_output(0)))
    return np.stack(found)


def agree(network: bytes, rng, count: int = 8):
    """The same answers from a reset and on and on; returns the plan."""
    engine = Runtime(network)
    dtype = np.dtype(engine.plan.input_dtype)
    ends = np.iinfo(dtype)
    x = rng.integers(ends.min, ends.max + 1, (count, *engine.plan.input_shape)).astype(dtype)
    x[count // 2 :] //= 4
    for reset in (True, False):
        engine.reset()
        theirs = answers(network, x, reset)
        mine = engine.run(x, reset=reset).reshape(theirs.shape)
        wrong = np.argwhere(mine != theirs)
        assert not len(wrong), f"reset {reset}: {len(wrong)} of {mine.size} values differ, first at {wrong[0]}"
        assert len(np.unique(theirs)) > 1
    return engine.plan


@pytest.mark.parametrize("seed", range(24))
def test_lstm(seed):
    rng = np.random.default_rng(seed)
    steps, depth, units = (int(n) for n in rng.integers(1, 14, 3))
    net = Net(rng, (1, steps, depth), zero=int(rng.integers(-128, 128)))
    agree(net.lstm(units, clip=[0.0, 0.0, 10.0, 0.5][seed % 4], power=-15 + seed % 13).bytes(), rng)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("time_major", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_lstm_over_several_sequences(seed, time_major, wide):
    """A picture's rows as sequences, or its columns: batches are not 1 within a network."""
    rng = np.random.default_rng(50 + seed)
    rows, steps, depth = (int(n) for n in rng.integers(2, 7, 3))
    net = Net(rng, (1, rows, steps, depth))
    if wide:
        net.retype(net.input, "INT16")
    shape = (steps, rows, depth) if time_major else (rows, steps, depth)
    net.op("RESHAPE", [net.last, net.ints(shape)], net.tensor(shape, net.tensors[net.input].type,
           net.tensors[net.input].quantization.scale, net.tensors[net.input].quantization.zeroPoint),
           S.ReshapeOptionsT())  # fmt: skip
    net.lstm(int(rng.integers(1, 9)), time_major)
    y = net.tensors[net.last]
    shape = (1, *(int(n) for n in y.shape))
    out = net.tensor(shape, y.type, y.quantization.scale, y.quantization.zeroPoint)
    agree(net.op("RESHAPE", [net.last, net.ints(shape)], out, S.ReshapeOptionsT()).bytes(), rng)


@pytest.mark.parametrize("seed", range(12))
def test_lstm_of_int16(seed):
    rng = np.random.default_rng(100 + seed)
    steps, depth, units = (int(n) for n in rng.integers(1, 14, 3))
    net = Net(rng, (1, steps, depth))
    net.retype(net.input, "INT16")
    agree(net.lstm(units, power=-15 + seed).bytes(), rng)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_svdf(seed, wide):
    rng = np.random.default_rng(150 + seed)
    depth, units, memory = (int(n) for n in rng.integers(1, 20, 3))
    net = Net(rng, (1, depth), zero=int(rng.integers(-128, 128)))
    agree(net.svdf(units, memory, 1 + seed % 3, wide).bytes(), rng, 24)


def test_memory_is_not_shared():
    """Layers before and after a memory, and two memories: none overwrites the other."""
    rng = np.random.default_rng(7)
    net = Net(rng, (1, 6)).dense(30, "RELU").svdf(7, 5, 2).dense(40).svdf(9, 4).dense(5).softmax()
    plan = agree(net.bytes(), rng, 24)
    kept = [b for b in plan.layout.blocks if (b.first, b.last) == (0, len(plan.ops))]
    assert [b.size for b in kept] == [7 * 2 * 5, 9 * 4]
    for block in plan.layout.blocks:
        for other in kept:
            apart = block.place + block.size <= other.place or other.place + other.size <= block.place
            assert block is other or apart


def test_what_a_run_forgets():
    """By default an LSTM begins each example anew, and SVDF goes on until a reset."""
    rng = np.random.default_rng(8)
    x = rng.integers(-128, 128, (6, 5, 4)).astype(np.int8)
    lstm = Runtime(Net(rng, (1, 5, 4)).lstm(6).bytes())
    assert np.array_equal(lstm.run(x), lstm.run(x, reset=True))
    assert not np.array_equal(lstm.run(x), lstm.run(x, reset=False))
    svdf = Runtime(Net(rng, (1, 20)).svdf(6, 4).bytes())
    x = x.reshape(6, 20)
    first = svdf.run(x)
    assert not np.array_equal(svdf.run(x), first)
    svdf.reset()
    assert np.array_equal(svdf.run(x), first) and not np.array_equal(svdf.run(x, reset=True), first)


def test_softmax_of_int16():
    rng = np.random.default_rng(9)
    net = Net(rng, (1, 3, 9), 0.1)
    y = net.tensor(net.shape, S.TensorType.INT16, [2.0**-16], [-32768])
    options = S.SoftmaxOptionsT()
    options.beta = 1.0
    agree(net.op("SOFTMAX", [net.last], y, options).bytes(), rng, 20)


def lstm_with(change) -> bytes:
    net = Net(np.random.default_rng(0), (1, 3, 4)).lstm(5)
    change(net, net.operators[-1])
    return net.bytes()


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda n, o: o.inputs.__setitem__(9, n.tensor((5,), S.TensorType.INT16, [1.0])), "peephole"),
        (lambda n, o: o.inputs.__setitem__(16, n.tensor((5, 5), S.TensorType.INT8, [1.0])), "projection"),
        (lambda n, o: o.inputs.__setitem__(20, n.tensor((5,), S.TensorType.INT16, [1.0])), "layer normalisation"),
        (lambda n, o: o.inputs.__setitem__(1, -1), "coupled"),
        (lambda n, o: setattr(o.builtinOptions, "fusedActivationFunction", 1), "activation is RELU"),
        (lambda n, o: n.tensors[o.inputs[19]].quantization.scale.__setitem__(0, 100.0), "cells have scale 100"),
        (lambda n, o: n.tensors[o.inputs[2]].quantization.zeroPoint.__setitem__(0, 3), "zero point"),
    ],
)
def test_other_lstms_are_refused_by_name(change, words):
    with pytest.raises(UnsupportedOp, match=words):
        compile_network(lstm_with(change))


def test_a_board_forgets_when_live_mode_starts(monkeypatch):
    """The second session answers as a runtime that was just reset, whatever the first one heard."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "hardware"))
    host, live = (importlib.import_module(name) for name in ("host_device", "test_live"))
    pipeline = live.make(window=20, hop=5, channels=("aX", "aY"), magnitude=())
    net = (
        Net(np.random.default_rng(5), (1, 20, 2), live.SCALE, live.ZERO)
        .reshape((1, 40))
        .svdf(3, 120, scale=1 / 256, zero=-128)
    )
    section = pack_section(pipeline, live.SCALE, live.ZERO)
    plan = compile_network(net.bytes(), section=section)
    device, samples = host.HostDevice(arena=16384), live.rows(600)
    device.upload(plan.bytes)
    sessions = []
    for part in (samples[:300], samples[300:]):
        device.request(0x0E)
        device.sense(part)
        sessions.append(live.predictions(device))
        device.request(0x0F)
    inputs = []
    for session in sessions:
        windows = np.stack([samples[p["index"] - 19 : p["index"] + 1, :2] for p in session])
        x = quantized(np.ascontiguousarray(windows), pipeline.front_end, live.SCALE, live.ZERO)
        inputs.append(x.reshape(len(x), 40))
        answers = Runtime(plan).run(inputs[-1]).reshape(len(x), 3)
        assert len(session) > 30 and [p["raw"] for p in session] == answers.tolist()
    on_and_on = Runtime(plan).run(np.concatenate(inputs)).reshape(-1, 3)
    assert not np.array_equal(on_and_on[-len(answers) :], answers)
