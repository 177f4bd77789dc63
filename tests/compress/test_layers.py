"""What each layer gives: the float network's tensors against Keras itself, and where int8 loses most."""

import tempfile
from pathlib import Path

import numpy as np
import pytest

import tinykit as tk
from tinykit.compress.layers import float_layers, interpreter_layers
from tinykit.compress.quantize import _convert
from tinykit.engine.tflite import read_network
from tinykit.pipeline import ImuFrontEnd, Pipeline

pytest.importorskip("tensorflow")
SHAPE = (24, 6)


def layers(k):
    # Named here: the names that Keras makes count up over all networks of a process.
    L = k.layers
    return [
        L.Conv1D(8, 5, padding="same", use_bias=False, name="first"),
        L.BatchNormalization(),
        L.ReLU(name="first_relu"),
        L.MaxPooling1D(2, name="pool"),
        L.SeparableConv1D(10, 3, activation="relu", name="separable"),
        L.Conv1D(6, 3, activation="tanh", name="second"),
        L.BatchNormalization(name="second_norm"),
        L.GlobalAveragePooling1D(name="mean"),
        L.Dense(8, activation="relu", name="dense"),
        L.Dense(3, activation="softmax", name="answer"),
    ]


@pytest.fixture(scope="module")
def pipeline():
    from tinykit import models

    k = models.keras()
    k.utils.set_random_seed(3)
    rng = np.random.default_rng(3)
    model = k.Sequential([k.layers.Input(SHAPE), *layers(k)], name="net")
    for w in model.weights:  # norms and biases that do something
        w.assign(np.exp(rng.normal(0, 0.3, w.shape)) if "variance" in w.name else w + rng.normal(0, 0.2, w.shape))
    seen = rng.normal(0, 1, (40, *SHAPE)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.h5"
        model.save(path)
        front = ImuFrontEnd(scale=(1.0,) * 6)
        return Pipeline("net", "gesture", 40.0, 24, 6, front, ("a", "b", "c"), float_model=path.read_bytes(),
                        int8_model=_convert(model, seen))  # fmt: skip


@pytest.fixture(scope="module")
def seen():
    return np.random.default_rng(9).normal(0, 1, SHAPE).astype(np.float32)


def test_every_tensor_is_the_layer_that_keras_says(pipeline, seen):
    from tinykit.models.backend import keras
    from tinykit.models.predict import network

    k, model = keras(), network(pipeline)
    net = read_network(pipeline.int8_model)
    found = float_layers(pipeline, seen, net)
    parts = k.Model(model.inputs, [layer.output for layer in model.layers])
    values = {layer.name: np.asarray(v)[0] for layer, v in zip(model.layers, parts(seen[None]), strict=True)}
    weights, bias = (np.asarray(w) for w in model.get_layer("answer").weights)
    expected = {  # operation -> what it should be, in order
        "CONV_2D": [values["first_relu"], values["separable"], None],
        "MAX_POOL_2D": [values["pool"]],
        "TANH": [values["second"]],
        "MEAN": [values["mean"]],
        "FULLY_CONNECTED": [values["dense"], values["dense"] @ weights + bias],
        "SOFTMAX": [values["answer"]],
    }
    checked = 0
    for node in net.nodes:
        tensor = node.outputs[0]
        if node.kind in expected:
            want = expected[node.kind].pop(0)
            if want is not None:
                assert np.allclose(found[tensor.index].ravel(), want.ravel(), atol=1e-4), (node.kind, tensor.name)
                checked += 1
    assert checked == 8 and not any(expected.values())


def test_the_int8_network_is_near_the_float_one_everywhere(pipeline, seen):
    report = tk.parity(pipeline, seen)
    assert report.columns[:2] == ("float", "TFLite") and report.exact
    rows = [d for d in report.differences["float", "TFLite"] if d is not None]
    assert len(rows) >= len(report.rows) - 2 and all(d.decibels > 20 for d in rows)
    # 8 bits hold about 50 dB of what fills their range; rounding the input costs at most half a step.
    assert rows[0].decibels > 35 and rows[0].equal == (rows[0].clipped == 0)
    assert abs(report.answers["float"] - report.answers["TFLite"]).max() < 0.05
    assert "int8 loses most in layer" in repr(report) and "lost most" in report._repr_html_()


def test_a_layer_that_int8_spoils_is_named(pipeline, seen):
    """A few weights of one layer of the .tflite turn round: its signal to noise falls there."""
    net = read_network(pipeline.int8_model)
    node = [n for n in net.nodes if n.kind == "CONV_2D"][1]
    weights = node.inputs[1].data
    data, turned = weights.tobytes(), np.where(weights > 90, -weights, weights).astype(np.int8).tobytes()
    assert data != turned and pipeline.int8_model.count(data) == 1
    report = tk.parity(pipeline.with_(int8_model=pipeline.int8_model.replace(data, turned)), seen)
    assert report.most_lost.layer.kind == "CONV_2D" and report.most_lost.before - report.most_lost.after > 10
    assert report.rows[report.most_lost.layer.number].name == node.name
    assert report.exact  # all int8 columns are spoilt alike


def test_values_beyond_the_range_are_counted(pipeline, seen):
    report = tk.parity(pipeline, 20 * seen)
    clipped = report.differences["float", "TFLite"][0].clipped
    given = report.rows[0]
    low, high = ((n - given.zero_point) * given.scale for n in (-128, 127))
    assert clipped == ((20 * seen < low - given.scale / 2) | (20 * seen > high + given.scale / 2)).sum() > 50


def test_the_interpreter_keeps_all_tensors(pipeline):
    net = read_network(pipeline.int8_model)
    x = np.random.default_rng(1).integers(-128, 128, (1, *SHAPE)).astype(np.int8)
    indices = [t.index for n in net.nodes for t in n.outputs]
    values = interpreter_layers(pipeline.int8_model, x, indices)
    assert all(values[t.index].size == t.size for n in net.nodes for t in n.outputs)
    relu = next(t for n in net.nodes for t in n.outputs if n.options.get("activation") == "RELU")
    assert values[relu.index].min() >= relu.zero_point
