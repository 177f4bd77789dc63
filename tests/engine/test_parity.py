"""The parity lens on small networks: what must be equal is, and an injected fault is found where it is."""

import ctypes
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from builder import Net, S

import tinykit as tk
from tinykit import toolchain
from tinykit.engine import Runtime, compile_network, micro
from tinykit.engine.fixed import quantize_multiplier
from tinykit.engine.taps import taps
from tinykit.engine.tflite import read_network
from tinykit.errors import DataError

needs_micro = pytest.mark.skipif(
    not micro.util.find_spec("tflite_micro"), reason="tflite-micro exists for Linux on x86-64 only."
)


@pytest.fixture
def no_tensorflow(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)


def picture(seed=3):
    """Convolutions, a residual, padding, a cut and a softmax."""
    net = Net(np.random.default_rng(seed), (1, 12, 10, 4))
    net.conv(8, (3, 3), activation="RELU")
    left = net.last
    net.conv(8, (3, 3), depthwise=1).conv(8, (1, 1)).binary("ADD", left)
    net.pad([(0, 0), (1, 1), (1, 1), (0, 0)]).conv(6, (3, 3), stride=(2, 2), padding="VALID")
    net.pool("MAX_POOL_2D", (2, 2), (2, 2)).reshape((1, 36)).dense(5).softmax()
    return net.bytes()


def test_the_host_has_every_tensor_where_the_plan_says(no_tensorflow):
    network = picture()
    report = tk.parity(network)
    assert report.exact and "TFLite" in report.left_out and "float" in report.left_out
    assert report.left_out["TFLite"].startswith("TensorFlow cannot be imported")
    whys = {row.kind: row.why for row in report.rows if "host" not in row.values}
    assert whys == {"PAD": f"folded into {report.rows[6].name}", "RESHAPE": "only another shape"}
    plan = compile_network(network)
    x = report.rows[0].values["host"]
    answer = Runtime(plan).run(x.reshape(1, *plan.input_shape))
    assert np.array_equal(report.rows[-1].values["host"].ravel(), answer.ravel())
    assert np.allclose(report.answers["host"], (answer.ravel() + 128.0) / 256)


@needs_micro
def test_equal_columns_are_said_to_be(no_tensorflow):
    report = tk.parity(picture())
    assert report.columns == ("tflite-micro", "host") and report.first == {("tflite-micro", "host"): None}
    ((columns, layers, values),) = report.equal
    stepped = [row for row in report.rows[1:] if "host" in row.values]
    assert columns == report.columns and layers == len(stepped) == len(report.rows) - 3
    assert values == sum(row.values["host"].size for row in stepped)
    assert f"equal in every bit, {layers} layers, {values:,} values" in repr(report)
    assert "equal where they must be" in report._repr_html_()
    with_it = [row for row in report.rows if row.kind == "PAD"]
    assert "tflite-micro" in with_it[0].values and with_it[0].difference("tflite-micro", "host") is None


@needs_micro
@pytest.mark.parametrize("kernel, kind", [("softmax", "SOFTMAX"), ("max_pool", "MAX_POOL_2D"), ("add", "ADD")])
def test_a_kernel_that_computes_wrong_is_named(kernel, kind, no_tensorflow, tmp_path, monkeypatch):
    """A core is built in which one kernel's third output is one off."""
    source = toolchain.hardware_dir() / "TinyKit" / "src"
    table = (source / "tk_kinds.c").read_text(encoding="utf-8")
    assert len(re.findall(rf"\btk_op_{kernel}\b", table)) == 1
    wrong = (
        f"static void wrong(const tk_op *op, const uint8_t *plan, uint8_t *arena)\n"
        f"{{\n    tk_op_{kernel}(op, plan, arena);\n    arena[op->out + 2] ^= 1;\n}}\n\nconst tk_kind_entry"
    )
    table = re.sub(rf"\btk_op_{kernel}\b", "wrong", table).replace("const tk_kind_entry", wrong, 1)
    (tmp_path / "tk_kinds.c").write_text(table, encoding="utf-8")
    sources = [p for p in toolchain.engine_sources() if p.name != "tk_kinds.c"]
    sources += [source / "tk_status.c", tmp_path / "tk_kinds.c"]
    library = toolchain.host_library(sources, [source], "wrong")
    core = ctypes.CDLL(str(library))
    core.tk_status_name.restype = ctypes.c_char_p
    monkeypatch.setattr("tinykit.features.core.load_core", lambda: core)
    report = tk.parity(picture())
    at = report.first["tflite-micro", "host"]
    assert not report.exact and at.layer.kind == kind and at.difference.differ == 1
    assert np.ravel_multi_index(at.index, at.layer.shape) == 2 and abs(at.values[0] - at.values[1]) == 1
    assert f"tflite-micro and host part in layer {at.layer.number}, {at.name} ({kind}): 1 of" in repr(report)
    page = report._repr_html_()
    assert "they part" in page and "the ring: the first" in page and page.count("<figure>") == 3


@needs_micro
def test_a_corrupted_weight_is_named(no_tensorflow, monkeypatch):
    """One weight of the file that only the engine gets is another: the middle layer computes something else."""
    network = picture()
    plan = compile_network(network)
    layer = next(row for row in taps(plan) if row.kind == "CONV_2D" and row.step == 2)
    node = next(n for n in read_network(network).nodes if n.outputs[0].index == layer.tensor.index)
    weights = node.inputs[1].data.tobytes()
    at = network.index(weights) + len(weights) // 2
    spoilt = network[:at] + bytes([network[at] ^ 0x55]) + network[at + 1 :]
    monkeypatch.setattr("tinykit.engine.lens._compiled", lambda model: (compile_network(spoilt), network))
    at = tk.parity(network).first["tflite-micro", "host"]
    assert at.layer.kind == "CONV_2D" and at.layer.number == [t.step for t in taps(plan)].index(2)
    assert at.difference.differ > 1


@needs_micro
def test_tensorflow_rounds_dense_layers_once_and_this_is_said():
    """The explanation holds: with the sum in integers, one rounding gives TFLite's value, two tflite-micro's."""
    pytest.importorskip("tensorflow")
    rng = np.random.default_rng(8)
    net = Net(rng, (1, 64), scale=0.05, zero=3)
    net.dense(600)
    network = net.bytes()
    found = 0
    for _ in range(10):
        report = tk.parity(network, rng.integers(-128, 128, (1, 64)).astype(np.int8))
        assert report.exact  # TFLite's column is none of those that must be equal
        at = report.first["TFLite", "tflite-micro"]
        if at is None:
            continue
        assert at.layer.kind == "FULLY_CONNECTED" and "rounds the sum of a dense layer once" in repr(report)
        node = read_network(network).nodes[0]
        x, w, b = node.inputs
        given = report.rows[0].values["host"].astype(np.int64) - x.zero_point
        unit = at.index[0]
        total = int(w.data[unit].astype(np.int64) @ given + b.data[unit])
        multiplier, shift = quantize_multiplier(x.scale * float(w.scales[0]) / at.layer.scale)
        assert shift < 0
        once = (total * multiplier + (1 << (30 - shift))) >> (31 - shift)
        high = (abs(total * multiplier) + (1 << 30)) >> 31
        twice = (high + (1 << (-shift - 1))) >> -shift  # halves go away from zero
        twice = twice if total >= 0 else -twice
        assert (once + at.layer.zero_point, twice + at.layer.zero_point) == at.values
        found += 1
    assert found


@needs_micro
def test_random_networks_layer_by_layer(tmp_path):
    """Every tensor of random networks; in another process, as tflite-micro gives up on some by ending it."""
    code = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "import chains, tinykit as tk\nfrom tinykit.errors import TinykitError\n"
        "for seed in range(int(sys.argv[1]), int(sys.argv[2])):\n"
        "    network, built = chains.build(chains.chain_of(seed))\n"
        "    print(seed, end=' ', flush=True)\n"
        "    try:\n        report = tk.parity(network)\n"
        "    except TinykitError as error:\n        print('refused', error.what); continue\n"
        "    blank = [r.kind for r in report.rows if 'host' not in r.values and not r.why]\n"
        "    assert repr(report) and report._repr_html_()\n"
        "    word = 'alone' if 'tflite-micro' in report.left_out else 'equal' if report.exact else 'part'\n"
        "    print(word, *(str(at) for at in report.first.values() if at), *blank, flush=True)\n"
    )
    first, last, told = 0, 40, []
    while first < last and len(told) < 2 * last:
        command = [sys.executable, "-c", code, str(first), str(last)]
        here = Path(__file__).parent
        done = subprocess.run(command, cwd=here, capture_output=True, text=True)
        told += done.stdout.strip().splitlines()
        assert done.returncode <= 0 or "Error" not in done.stderr, done.stderr[-2000:]
        first = int(told[-1].split()[0]) + 1
    words = [line.split()[1:] for line in told]
    assert not [
        line for line, w in zip(told, words, strict=True) if w[:1] == ["part"] or len(w) > 1 and w[0] == "equal"
    ]
    assert sum(w[:1] == ["equal"] for w in words) > 0.7 * last, told


def test_what_has_no_step_says_why(no_tensorflow):
    net = Net(np.random.default_rng(1), (1, 9, 7, 3))
    net.conv(4, (3, 3), activation="RELU").reshape((1, 252)).dense(3)
    rows = taps(compile_network(net.bytes()))
    assert [(t.kind, t.why) for t in rows if t.step is None] == [("RESHAPE", "only another shape")]
    assert rows[0].step == -1 and rows[-1].place[2] == 3


def test_an_output_that_is_only_renamed_is_there(no_tensorflow, monkeypatch):
    net = Net(np.random.default_rng(1), (1, 6, 4))
    net.reshape((1, 24)).dense(8).reshape((1, 4, 2))
    report = tk.parity(net.bytes())
    assert report.exact and np.array_equal(report.answers["host"], report.answers["tflite-micro"])
    monkeypatch.setattr(micro.util, "find_spec", lambda name: None)
    assert len(tk.parity(net.bytes()).answers["host"]) == 8 and "answer" in repr(tk.parity(net.bytes()))


def test_tflite_micro_is_left_out_where_it_is_not(monkeypatch, no_tensorflow):
    monkeypatch.setattr(micro.util, "find_spec", lambda name: None)
    report = tk.parity(picture())
    assert report.columns == ("host",) and report.pairs == () and report.exact
    assert report.left_out["tflite-micro"] == "tflite-micro is not installed here."
    assert "Left out: tflite-micro" in repr(report) and "tflite-micro is not installed" in report._repr_html_()


def test_inputs(no_tensorflow):
    network = picture()
    x = np.random.default_rng(0).integers(-128, 128, (12, 10, 4)).astype(np.int8)
    given = read_network(network).input
    same = tk.parity(network, ((x.astype(float) - given.zero_point) * given.scale))
    assert np.array_equal(tk.parity(network, x).rows[-1].values["host"], same.rows[-1].values["host"])
    floats = Net(np.random.default_rng(1), (1, 6))
    floats.tensors[floats.input].type = S.TensorType.FLOAT32
    floats.op("QUANTIZE", [floats.last], floats.activation((1, 6), 0.05), S.QuantizeOptionsT())
    floats.dense(3)
    wide = np.random.default_rng(0).normal(size=6)
    both = [tk.parity(floats.bytes(), values).rows[-1].values["host"] for values in (wide, wide.astype(np.float32))]
    assert np.array_equal(*both)
    for wrong in (x[:5], x.astype(np.int16), "window"):
        with pytest.raises(DataError, match=r"takes one int8 input of shape \(12, 10, 4\)"):
            tk.parity(network, wrong)


def test_text_fits_a_terminal_and_numbers_are_json():
    report = tk.parity(picture())
    assert max(map(len, repr(report).splitlines())) <= 100
    facts = json.loads(json.dumps(report.as_dict()))
    assert facts["exact"] is True and len(facts["rows"]) == len(report.rows)
    assert set(facts["columns"]) | set(facts["left_out"]) == {"float", "TFLite", "tflite-micro", "host", "board"}
