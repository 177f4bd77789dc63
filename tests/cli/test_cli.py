"""The commands do the main job from a terminal, and refuse in one sentence."""

import json
import subprocess
import sys

import numpy as np
import pytest

import tinykit as tk
from tinykit.cli import main


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """A small part of the synthetic sample, as a dataset on disk: three persons, two labels."""
    path = tmp_path_factory.mktemp("few") / "dataset"
    persons = tk.sample("gestures").persons[:3]
    tk.sample("gestures").select(persons=persons, labels=("circle", "wing"), sessions=("1",)).save(path)
    return path


@pytest.fixture(scope="module")
def trained(few, tmp_path_factory):
    """A pipeline that the command has trained; two epochs, so nothing is said about how good it is."""
    path = tmp_path_factory.mktemp("trained") / "two.tk"
    assert main(["train", "gesture", "--data", str(few), "--out", str(path), "--seed", "1", "--epochs", "2"]) == 0
    return path


@pytest.fixture
def board(tmp_path):
    return f"virtual://nano33ble/cli?flash={tmp_path / 'flash.bin'}"


def said(capsys):
    return json.loads(capsys.readouterr().out)


def test_train_writes_a_whole_pipeline(trained):
    pipeline = tk.Pipeline.load(trained)
    assert pipeline.labels == ("circle", "wing")
    assert pipeline.int8_model and pipeline.provenance["seed"] == 1


def test_the_board_answers_as_the_host_does(trained, few, board, capsys):
    words = ["evaluate", str(trained), "--data", str(few), "--json"]
    assert main(words) == 0
    host = said(capsys)
    assert main([*words, "--board", board]) == 0
    there = said(capsys)
    assert there["accuracy"] == host["accuracy"] and there["confusion"] == host["confusion"]
    assert set(there["per_person"]) == set(tk.open_dataset(few).persons)
    assert there["agreement"]["exact"] and there["agreement"]["windows"] > 0


def test_what_was_trained_on_is_said_to_be_so(trained, few, capsys):
    main(["evaluate", str(trained), "--data", str(few)])
    assert "trained on" in capsys.readouterr().err


def test_cost_has_what_a_program_would_read(trained, capsys):
    assert main(["cost", str(trained), "--json"]) == 0
    price = said(capsys)
    wanted = {"macs", "plan_bytes", "arena_bytes", "code_flash_bytes", "instructions", "cycles_estimated", "layers"}
    assert wanted <= set(price)
    assert all(price[key] > 0 for key in wanted - {"layers"})
    # Layers are counted one call each, the whole in one go: a few loads and branches differ.
    layers = sum(layer["cycles_estimated"] for layer in price["layers"])
    assert layers == pytest.approx(price["cycles_estimated"], rel=0.01)


def test_deploy_then_listen(trained, few, board, capsys):
    assert main(["deploy", str(trained), "--board", board, "--json"]) == 0
    assert said(capsys)["slot"] in ("A", "B", 0, 1)
    assert main(["listen", "--board", board, "--replay", str(few), "--seconds", "1.5", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines and all(set(line["probabilities"]) == {"circle", "wing"} for line in lines)


def test_run_equals_the_golden_reference(trained, board, tmp_path, capsys):
    runtime = pytest.importorskip(
        "tflite_micro.python.tflite_micro.runtime", reason="tflite-micro is for Linux on x86-64 only"
    )
    model = tmp_path / "net.tflite"
    model.write_bytes(tk.Pipeline.load(trained).int8_model)
    golden = runtime.Interpreter.from_bytes(model.read_bytes())
    shape = golden.get_input_details(0)["shape"]
    x = np.random.default_rng(5).integers(-128, 128, (4, *shape[1:]), np.int8)
    np.save(tmp_path / "x.npy", x)
    words = ["run", str(model), "--input", str(tmp_path / "x.npy"), "--output", str(tmp_path / "y.npy")]
    assert main([*words, "--board", board]) == 0
    y = np.load(tmp_path / "y.npy")
    for given, got in zip(x, y, strict=True):
        golden.set_input(given[None], 0)
        golden.invoke()
        assert np.array_equal(golden.get_output(0)[0], got)


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["evaluate", "none.tk", "--data", "."], "no file"),
        (["cost", "none.tflite"], "no file"),
        (["train", "gesture", "--data", "no_such_folder", "--out", "x.tk"], "no_such_folder"),
    ],
)
def test_bad_input_is_one_sentence_with_a_way_out(words, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 1
    error = capsys.readouterr().err
    assert sentence in error and "Next:" in error and "Traceback" not in error
    assert not list(tmp_path.iterdir())


def test_empty_folder_and_one_class(tmp_path, few, capsys):
    empty = tmp_path / "empty"
    empty.mkdir()
    assert main(["train", "gesture", "--data", str(empty), "--out", str(tmp_path / "x.tk")]) == 1
    one = tmp_path / "one"
    tk.open_dataset(few).select(labels=("wing",)).save(one)
    assert main(["train", "gesture", "--data", str(one), "--out", str(tmp_path / "x.tk")]) == 1
    assert capsys.readouterr().err.count("Next:") == 2


def test_run_refuses_floats(tmp_path, trained, board, capsys):
    model, x = tmp_path / "net.tflite", tmp_path / "x.npy"
    model.write_bytes(tk.Pipeline.load(trained).int8_model)
    np.save(x, np.zeros((1, 4), np.float32))
    assert main(["run", str(model), "--input", str(x), "--output", str(tmp_path / "y.npy"), "--board", board]) == 1
    assert "int8" in capsys.readouterr().err


def test_ports_lists_the_virtual_board(capsys):
    assert main(["ports", "--json"]) == 0
    assert any(port["address"].startswith("virtual://") for port in said(capsys)["ports"])


def test_a_test_on_other_gestures_is_refused(trained, tmp_path, capsys):
    other = tmp_path / "other"
    sample = tk.sample("gestures")
    sample.select(persons=sample.persons[:1], labels=("punch",), sessions=("1",)).save(other)
    assert main(["evaluate", str(trained), "--data", str(other)]) == 1
    assert "circle, wing" in capsys.readouterr().err


def test_cost_says_whether_it_fits_and_draws_the_arena(trained, tmp_path, capsys):
    page = tmp_path / "cost.html"
    words = ["cost", str(trained), "--on", "microbit-v2", "--arena", "--battery", "2xaa", "--sensor", "imu"]
    assert main([*words, "--html", str(page)]) == 0
    text = capsys.readouterr().out
    assert "It fits the BBC micro:bit V2" in text and "scratch" in text and "two alkaline AA" in text
    assert "assumed:" in text and max(map(len, text.splitlines())) <= 100
    html = page.read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>") and "Will it fit?" in html and "Who lives where" in html
    assert main([*words, "--json"]) == 0
    told = said(capsys)
    assert told["fit"]["board"] == "microbit-v2" and told["fit"]["fits"] is True
    assert told["lifetime_estimated"]["days"] > 0 and told["arena"] and told["assumptions"]
    assert main(["cost", str(trained), "--layers"]) == 0
    assert capsys.readouterr().out.split()[:4] == ["step", "layer", "kernel", "MACs"]
    assert main(["cost", str(trained), "--on", "uno"]) == 1
    assert "no board 'uno'" in capsys.readouterr().err


def test_info_says_how_big_the_firmware_is(board, capsys):
    assert main(["info", "--board", board, "--json"]) == 0
    told = said(capsys)
    assert told["flash"] > 0 and told["ram"] > told["arena"] and "conv" in told["kernels"]
    assert main(["info", "--board", board]) == 0
    text = capsys.readouterr().out
    assert f"{told['flash']:,} bytes of flash" in text and max(map(len, text.splitlines()[1:])) <= 100


def test_python_dash_m_is_the_same_command():
    done = subprocess.run([sys.executable, "-m", "tinykit", "--version"], capture_output=True, text=True)
    assert done.returncode == 0 and tk.__version__ in done.stdout
