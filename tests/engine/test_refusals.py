"""What the engine can't run, it refuses by name, with a way out."""

import numpy as np
import pytest
from builder import Net, S

from tinykit.engine import Runtime, compile_network, compile_plan
from tinykit.errors import ModelError, UnsupportedOp
from tinykit.pipeline import ImuFrontEnd, Pipeline


def net(shape=(1, 4, 4, 3)):
    return Net(np.random.default_rng(0), shape)


def test_unknown_operation_names_layer_and_way_out():
    n = net()
    n.tensors[n.last].name = b"in"
    n.unary("GELU")
    n.tensors[n.last].name = b"model/odd_one/Gelu"
    with pytest.raises(UnsupportedOp, match=r"no GELU \(layer odd_one\)\. Next: Use ReLU"):
        compile_network(n.bytes())


def test_custom_operation_is_named():
    n = net()
    n.unary("CUSTOM")
    n.codes[-1].customCode = b"MyOp"
    with pytest.raises(UnsupportedOp, match="CUSTOM MyOp"):
        compile_network(n.bytes())


def test_float_network():
    n = net().softmax()
    for tensor in n.tensors:
        tensor.type = S.TensorType.FLOAT32
    with pytest.raises(ModelError, match=r"in float32 \(SOFTMAX, layer softmax\), expected int8.*tk\.quantize"):
        compile_network(n.bytes())


def test_weights_with_a_zero_point():
    n = net().conv(2, (1, 1), per_channel=False)
    weights = n.operators[0].inputs[1]
    n.tensors[weights].quantization.zeroPoint[0] = 3
    with pytest.raises(UnsupportedOp, match="zero point"):
        compile_network(n.bytes())


def test_batch_of_two():
    with pytest.raises(ModelError, match="batch of 1"):
        compile_network(net((2, 3)).softmax().bytes())


def test_grouped_convolution():
    n = net((1, 4, 4, 4)).conv(4, (3, 3))
    n.tensors[n.operators[0].inputs[0]].shape[3] = 8
    with pytest.raises(UnsupportedOp, match="groups of 4"):
        compile_network(n.bytes())


@pytest.mark.parametrize("size", [0, 7, 200])
def test_truncated_file(size):
    with pytest.raises(ModelError):
        compile_network(net().softmax().bytes()[:size], "cut")


def test_damaged_file_never_ends_in_another_error():
    data = net().conv(3, (3, 3)).softmax().bytes()
    rng = np.random.default_rng(0)
    for _ in range(300):
        broken = bytearray(data)
        for at in rng.integers(8, len(data), 3):
            broken[at] = rng.integers(256)
        try:
            compile_network(bytes(broken))
        except ModelError:
            pass


def test_no_such_file(tmp_path):
    with pytest.raises(ModelError, match="There is no file"):
        compile_network(tmp_path / "missing.tflite")


def test_not_a_network():
    with pytest.raises(ModelError, match="TFL3"):
        compile_network(b"PK\x03\x04 something else entirely")


def test_run_wants_int8_of_the_right_size():
    engine = Runtime(net((1, 6)).softmax().bytes())
    assert engine.run(np.zeros((0, 6), np.int8)).shape == (0, 6)
    for wrong in (np.zeros((2, 6), np.float32), np.zeros((2, 5), np.int8), np.int8(3)):
        with pytest.raises(ModelError, match=r"takes int8 of shape \(n, 6\)"):
            engine.run(wrong)


def pipeline(**changes):
    n = Net(np.random.default_rng(0), (1, 8, 6)).dense(3).softmax()
    front = ImuFrontEnd(scale=(1.0,) * 6)
    fields = dict(name="p", kind="gesture", rate_hz=119.0, window=8, hop=4, front_end=front, labels=("a", "b", "c"))
    return Pipeline(**{**fields, "int8_model": n.bytes(), **changes})


def test_pipeline_compiles_with_its_section():
    plan = compile_plan(pipeline())
    assert plan.bytes[16:20] == (64).to_bytes(4, "little") and Runtime(plan)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"int8_model": None}, "no int8 network.*tk.quantize"),
        ({"window": 9}, "front end makes 9 x 6"),
        ({"labels": ("a", "b")}, "3 outputs for 2 labels"),
    ],
)
def test_pipeline_that_contradicts_its_network(changes, words):
    with pytest.raises(ModelError, match=words):
        compile_plan(pipeline(**changes))
