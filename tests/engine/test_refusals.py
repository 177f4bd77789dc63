"""What the engine can't run, it refuses by name, with a way out."""

import re

import flatbuffers
import numpy as np
import pytest
from builder import Net, S

from tinykit.engine import Runtime, compile_network, compile_plan
from tinykit.engine.lower import OPERATIONS
from tinykit.engine.refuse import _INSTEAD
from tinykit.errors import ModelError, UnsupportedOp
from tinykit.pipeline import ImuFrontEnd, Pipeline
from tinykit.toolchain import hardware_dir


def net(shape=(1, 4, 4, 3)):
    return Net(np.random.default_rng(0), shape)


def test_unknown_operation_names_layer_and_way_out():
    n = net()
    n.tensors[n.last].name = b"in"
    n.unary("SIN")
    n.tensors[n.last].name = b"model/odd_one/Sin"
    with pytest.raises(UnsupportedOp, match=r"no SIN \(layer odd_one\)\. Next: Use convolution"):
        compile_network(n.bytes())


def test_readme_and_advice_know_what_exists():
    text = (hardware_dir().parent / "README.md").read_text(encoding="utf-8")
    part = text.split("### Which networks run")[1].split("\n### ")[0]
    listed = " ".join(line.split(":")[-1] for line in part.split("\n\n")[2].replace("\n  ", " ").splitlines())
    assert {name.strip().upper() for name in re.split(r"[,\s]+|\(.*?\)", listed)} - {""} == set(OPERATIONS)
    assert not set(OPERATIONS) & set(_INSTEAD), "advice about an operation that exists"


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


def retyped(n, dtype, weights=None):
    """Its activations of this type, and its weights perhaps of another."""
    constants = {int(i) for op in n.operators for i in op.inputs[1:]}
    for i, tensor in enumerate(n.tensors):
        if i not in constants:
            n.retype(i, dtype)
        elif weights and tensor.type == S.TensorType.INT8:
            tensor.type = getattr(S.TensorType, weights)
    return n.bytes()


@pytest.mark.parametrize(
    "dtype, words",
    [
        ("FLOAT32", r"dynamic-range quantisation: int8 weights.*\(CONV_2D, layer conv_2d\).*representative_dataset"),
        ("INT16", r"16-bit activations \(int16x8\) \(CONV_2D.*TFLITE_BUILTINS_INT8"),
        ("UINT8", r"quantised to uint8, as TensorFlow 1 did \(CONV_2D.*TensorFlow 2"),
    ],
)
def test_other_kinds_of_quantisation_are_named(dtype, words):
    with pytest.raises(ModelError, match=words):
        compile_network(retyped(net().conv(2, (3, 3)), dtype))


def test_a_float_layer_before_the_weights_does_not_hide_how_it_was_converted():
    with pytest.raises(ModelError, match="dynamic-range"):
        compile_network(retyped(net().pool("MAX_POOL_2D", (2, 2), (1, 1)).dense(3), "FLOAT32"))


@pytest.mark.parametrize("dtype, words", [("FLOAT16", "float16 weights"), ("INT8", "dynamic-range")])
def test_weights_that_become_floats_first(dtype, words):
    n = net((1, 6))
    weights = n.tensor(
        (6,), getattr(S.TensorType, dtype), [0.1], [0], np.zeros(6 * (2 if dtype == "FLOAT16" else 1), np.int8)
    )
    n.op("DEQUANTIZE", [weights], n.tensor((6,), S.TensorType.FLOAT32), S.DequantizeOptionsT())
    with pytest.raises(ModelError, match=words):
        compile_network(n.bytes())


def test_text_is_refused():
    n = net((1, 6)).softmax()
    n.tensors[n.input].type = S.TensorType.STRING
    with pytest.raises(ModelError, match="input of network is string, expected int8, .*Turn text into numbers"):
        compile_network(n.bytes())


def test_an_open_size():
    n = net((1, 20, 3)).reduce("MEAN", (1,)).dense(2)
    n.tensors[n.input].shapeSignature = np.array([-1, 20, 3], np.int32)
    assert compile_network(n.bytes())  # the batch may be open
    n.tensors[n.input].shapeSignature = np.array([1, -1, 3], np.int32)
    with pytest.raises(ModelError, match=r"shape \(1, \?, 3\), which leaves a size open.*keras\.Input"):
        compile_network(n.bytes())


def test_several_outputs():
    n = net((1, 6)).dense(3)
    data = S.ModelT.InitFromObj(S.Model.GetRootAs(n.bytes(), 0))
    data.subgraphs[0].outputs = np.array([n.last, n.last], np.int32)
    with pytest.raises(ModelError, match="1 inputs and 2 outputs.*one of each"):
        compile_network(packed(data))


def test_several_graphs():
    data = S.ModelT.InitFromObj(S.Model.GetRootAs(net((1, 6)).dense(3).bytes(), 0))
    data.subgraphs.append(data.subgraphs[0])
    with pytest.raises(UnsupportedOp, match="2 graphs: it holds a loop or a branch.*batch_size=1"):
        compile_network(packed(data))


def packed(model) -> bytes:
    builder = flatbuffers.Builder(4096)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_a_multiplication_of_floats_in_an_int8_network():
    """Float behind DEQUANTIZE, int8 before it: the layer is named."""
    n = net((1, 6)).dense(3)
    n.op("DEQUANTIZE", [n.last], n.tensor(n.shape, S.TensorType.FLOAT32), S.DequantizeOptionsT())
    n.op("LOGISTIC", [n.last], n.tensor(n.shape, S.TensorType.FLOAT32))
    with pytest.raises(ModelError, match=r"in float32 \(LOGISTIC, layer logistic\), expected int8 throughout"):
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
    moving = net().pad([(0, 0), (1, 2), (0, 1), (0, 0)])
    moving.op("TRANSPOSE", [moving.last, moving.ints([0, 2, 1, 3])], moving.like((1, 5, 7, 3)))
    moving.concat([moving.last], 3).op("ARG_MAX", [moving.last, moving.ints([3])], moving.tensor((1, 5, 7), 2))
    networks = [net().conv(3, (3, 3)).softmax().bytes(), moving.bytes()]
    rng = np.random.default_rng(0)
    for turn in range(600):
        data = networks[turn % 2]
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
