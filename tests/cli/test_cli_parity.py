"""``tinykit parity``: what it prints, and its exit status."""

import json

import numpy as np
import pytest

import tinykit as tk
from tinykit.cli import main
from tinykit.engine import Runtime


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """A small part of the synthetic sample, as a dataset on disk."""
    path = tmp_path_factory.mktemp("few") / "dataset"
    sample = tk.sample("gestures")
    sample.select(persons=sample.persons[:2], labels=("circle", "wing"), sessions=("1",)).save(path)
    return path


@pytest.fixture(scope="module")
def trained(few, tmp_path_factory):
    """One epoch: nothing is said about how good it is."""
    data = tk.open_dataset(few)
    pipeline = tk.train("gesture", data, model="cnn2d", epochs=1, progress=False)
    return tk.quantize(pipeline, data).save(tmp_path_factory.mktemp("parity") / "wand.tk")


def test_a_pipeline_on_the_board(trained, few, tmp_path, capsys):
    url = f"virtual://nano33ble?flash={(tmp_path / 'flash.bin').as_posix()}"
    assert main(["parity", str(trained), "--data", str(few), "--take", "3", "--board", url]) == 0
    text = capsys.readouterr().out
    assert "host and board: equal in every bit" in text and "int8 loses most in layer" in text
    assert max(map(len, text.splitlines())) <= 100


def test_a_bare_network_by_its_inputs(trained, tmp_path, capsys):
    network = tk.Pipeline.load(trained).int8_model
    (tmp_path / "n.tflite").write_bytes(network)
    runtime = Runtime(network)
    x = np.random.default_rng(0).integers(-128, 128, (3, *runtime.plan.input_shape)).astype(np.int8)
    np.save(tmp_path / "x.npy", x)
    words = ["parity", str(tmp_path / "n.tflite"), "--input", str(tmp_path / "x.npy"), "--take", "2", "--json"]
    assert main(words) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["exact"] is True and "float" in facts["left_out"] and facts["columns"][-1] == "host"
    assert facts["answers"]["host"] == ((runtime.run(x)[2].ravel() + 128.0) / 256).tolist()


def test_what_does_not_go_together_is_refused(trained, tmp_path, capsys):
    (tmp_path / "n.tflite").write_bytes(tk.Pipeline.load(trained).int8_model)
    np.save(tmp_path / "x.npy", np.zeros((2, *Runtime(tk.Pipeline.load(trained).int8_model).plan.input_shape), np.int8))
    assert main(["parity", str(tmp_path / "n.tflite"), "--data", str(tmp_path)]) == 1
    assert "has no front end" in capsys.readouterr().err
    assert main(["parity", str(trained), "--input", str(tmp_path / "x.npy"), "--take", "2"]) == 1
    assert "has 2, there is no number 2" in capsys.readouterr().err
