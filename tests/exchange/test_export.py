"""What can be exported and what not, from Python and from a terminal."""

import json
import shutil
import subprocess

import numpy as np
import pytest

import tinykit as tk
from tinykit import toolchain
from tinykit.cli import main
from tinykit.engine import compile_network
from tinykit.engine.runtime import Runtime
from tinykit.engine.standalone import kinds_source
from tinykit.engine.step import KINDS
from tinykit.engine.tflite import Node, read_network
from tinykit.errors import BuildError, DataError, DoesNotFit, ModelError, UnsupportedOp
from tinykit.exchange import allocation, checks, core_files, sketch
from tinykit.exchange.dense import without_many_scales
from tinykit.exchange.operators import methods


def test_the_command_says_what_it_wrote(wand, tmp_path, capsys):
    file = wand.save(tmp_path / "wand.tk")
    assert main(["export", "c", str(file), str(tmp_path / "out"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["kind"] == "c" and facts["plan_bytes"] > 0 and "main.c" in facts["files"]
    assert all((tmp_path / "out" / name).is_file() for name in facts["files"])
    assert main(["export", "c", str(file), str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "a C program" in said and "cc @host.args" in said


def test_the_command_refuses_in_one_sentence(wand, tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("", encoding="utf-8")
    file = wand.save(tmp_path / "pipelines" / "wand.tk")
    assert main(["export", "arduino", str(file), str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "nothing was written" in error and "Next:" in error


def test_it_takes_files_and_names_the_kinds(wand, tmp_path):
    file = wand.save(tmp_path / "wand.tk")
    made = tk.export(file, "c", tmp_path / "out")
    assert "arena bytes" in repr(made) and repr(made).splitlines()[-1].startswith("Next: in ")
    with pytest.raises(ModelError, match="no export 'rust'.*arduino, c"):
        tk.export(wand, "rust", tmp_path / "other")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("kind", ["arduino", "c"])
def test_a_float_network_is_refused(wand, tmp_path, kind):
    with pytest.raises(ModelError, match="no int8 network.*tk.quantize"):
        tk.export(wand.with_(int8_model=None), kind, tmp_path / "out")


@pytest.mark.parametrize("name", ["two words", ".hidden", "x" * 64, "naïve"])
def test_a_sketch_has_a_name_that_the_arduino_tools_take(wand, tmp_path, name):
    with pytest.raises(DataError, match="can't be called"):
        tk.export(wand, "arduino", tmp_path / name)


def test_names_and_labels_do_no_harm_in_c(wand, tmp_path):
    odd = wand.with_(name='a "wand" */ x', labels=("up, up", 'say "no"', "a\\b */"))
    from programs import built, run

    status, lines = run(built(tk.export(odd, "c", tmp_path / "odd").folder))
    assert status == 0 and lines[0] == '# gesture a "wand" */ x: up, up, say "no", a\\b */'


def test_an_arena_that_no_board_has_is_refused(wand, monkeypatch):
    monkeypatch.setattr(sketch, "allocation", lambda *_: allocation.Allocation(300_000, "made up"))
    with pytest.raises(DoesNotFit, match="arena of 300,000 bytes.*Next: "):
        sketch.sketch(wand, "wand")


def test_an_operation_that_the_library_has_not_is_named(wand):
    network = read_network(wand.int8_model)
    nodes = (*network.nodes, Node("BATCH_MATMUL", (network.input,), (network.output,)))
    changed = type(network)(network.name, nodes, network.input, network.output)
    with pytest.raises(UnsupportedOp, match="batch_matmul.*export c"):
        methods(changed)


def test_without_tflite_micro_the_arena_is_an_upper_bound(either, monkeypatch):
    pytest.importorskip("tflite_micro", reason="tflite-micro is not installed: there is nothing to compare with.")
    model, _ = without_many_scales(either.int8_model)
    network = read_network(model)
    asked = allocation.allocation(model, network)
    monkeypatch.setattr(allocation, "reported", lambda *_: None)
    bound = allocation.allocation(model, network)
    assert bound.source.startswith("an upper bound") and bound.reported is None
    assert asked.bytes <= bound.bytes < 4 * asked.bytes


# ---- dense layers ----


@pytest.fixture(scope="module")
def denses():
    """Dense layers of all sorts: over rows, one after the other, with and without bias and activation."""
    from tinykit import models

    keras = models.keras()
    import tensorflow as tf

    keras.utils.set_random_seed(4)
    network = keras.Sequential(
        [
            keras.Input((6, 10), batch_size=1),
            keras.layers.Dense(7, activation="relu", bias_initializer="normal"),
            keras.layers.Flatten(),
            keras.layers.Dense(9, activation="relu6", bias_initializer="normal"),
            keras.layers.Dense(5, use_bias=False),
            keras.layers.Dense(4, activation="softmax"),
        ]
    )
    rng = np.random.default_rng(4)
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([rng.normal(size=(1, 6, 10)).astype(np.float32)] for _ in range(30))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def many(network):
    return [n.name for n in network.nodes if n.kind == "FULLY_CONNECTED" and len(n.inputs[1].scales) > 1]


def test_dense_layers_become_convolutions_with_the_same_answers(denses):
    assert len(many(read_network(denses))) == 4, "the converter gives each output a scale"
    changed, count = without_many_scales(denses)
    assert count == 4 and many(read_network(changed)) == []
    convolutions = [node for node in read_network(changed).nodes if node.kind == "CONV_2D"]
    assert len(convolutions) == 4 and all(len(node.inputs) == 3 and node.inputs[2] is not None for node in convolutions)
    before, after = compile_network(denses), compile_network(changed)
    x = np.random.default_rng(0).integers(-128, 128, (300, *before.input_shape)).astype(np.int8)
    a, b = Runtime(before).run(x), Runtime(after).run(x)
    assert np.array_equal(a.reshape(300, -1), b.reshape(300, -1)) and len(np.unique(a.reshape(300, -1), axis=0)) > 100


def test_tflite_micro_answers_them_alike(denses):
    runtime = pytest.importorskip("tflite_micro.python.tflite_micro.runtime", reason="tflite-micro is not installed.")
    changed, _ = without_many_scales(denses)
    both = [runtime.Interpreter.from_bytes(model, arena_size=100_000) for model in (denses, changed)]
    for example in np.random.default_rng(1).integers(-128, 128, (50, 1, 6, 10)).astype(np.int8):
        found = []
        for one in both:
            one.set_input(example, 0)
            one.invoke()
            found.append(one.get_output(0).ravel())
        assert np.array_equal(*found)


def test_constants_lie_at_multiples_of_16(denses):
    changed, _ = without_many_scales(denses)
    constants = [
        t.data for node in read_network(denses).nodes for t in node.inputs if t is not None and t.data is not None
    ]
    weights = [data.tobytes() for data in constants if data.dtype == np.int8]
    assert len(weights) == 4 and all(changed.index(data) % 16 == 0 for data in weights)


def test_a_network_without_them_stays_as_it_is(shared_models):
    model = (shared_models / "kws_ref_model.tflite").read_bytes()
    assert without_many_scales(model) == (model, 0)


# ---- windows to check with ----


def test_the_windows_are_loud_and_quiet_and_answered_differently(either):
    from tinykit.engine import compile_plan

    found = checks.checks(either, compile_plan(either))
    assert len({check.input_crc32 for check in found}) == len(found) == 4
    assert len({check.output for check in found}) >= 2, "windows that all look alike check little"


def test_noise_fills_its_range():
    for level in (0, 5, 15):
        values = checks.noise(1, level, 5000).astype(int)
        most = 32768 >> level
        assert -most <= values.min() < -0.9 * most and 0.9 * most - 1 < values.max() < most


# ---- files of the core ----


def test_every_include_comes_along(either, tmp_path):
    for kind in ("arduino", "c"):
        folder = tk.export(either, kind, tmp_path / kind).folder
        for path in folder.rglob("*.[chi]*"):
            for line in path.read_text(encoding="utf-8").splitlines():
                if line.startswith('#include "tk_'):
                    assert (folder / "src" / line.split('"')[1]).is_file(), f"{path}: {line}"


def test_unknown_names_are_refused():
    with pytest.raises(BuildError, match="no tk_nothing"):
        core_files.needed(["tk_nothing"])


def test_each_kind_of_op_brings_all_that_the_linker_will_ask_for(tmp_path):
    """Held to what the compiler says that objects define and lack."""
    gcc, nm = shutil.which("arm-none-eabi-gcc"), shutil.which("arm-none-eabi-nm")
    if gcc is None or nm is None:
        pytest.skip("arm-none-eabi-gcc is not installed: the exported programs alone show it.")
    sources = toolchain.core_sources()
    flags = ["-std=c99", "-O1", "-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard", "-c"]
    subprocess.run([gcc, *flags, *map(str, sources)], cwd=tmp_path, check=True)

    def symbols(path, which):
        words = [nm, which, "-g", str(tmp_path / f"{path.stem}.o")]
        lines = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
        return {name for line in lines if (name := line.split()[-1]).startswith("tk_")}

    defined = {path: symbols(path, "--defined-only") for path in sources}
    lacking = {path: symbols(path, "--undefined-only") for path in sources}
    for kind in KINDS:
        roots = set(core_files._NAME.findall(core_files._COMMENT.sub("", kinds_source([kind]).split("{", 1)[1])))
        files = [p for p in core_files.needed(sorted(roots), without=["tk_kinds"]) if p.suffix == ".c"]
        have = set().union(*(defined[path] for path in files))
        assert set().union(*(lacking[path] for path in files)) - {"tk_kinds"} <= have, kind
        assert roots <= have and len(files) < len(sources) / 3
