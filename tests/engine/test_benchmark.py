"""The benchmark's one command, on two networks: one that runs and one that is refused."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from builder import Net

from tinykit.toolchain import hardware_dir

ENGINE = hardware_dir().parent / "benchmarks" / "engine"


def test_benchmark_measures_what_runs_and_names_what_does_not(tmp_path):
    pytest.importorskip(
        "tflite_micro.python.tflite_micro.runtime",
        reason="The golden reference, tflite-micro, exists for Linux on x86-64 only.",
    )
    rng = np.random.default_rng(0)
    net = Net(rng, (1, 6, 6, 4)).conv(8, (3, 3), activation="RELU").reduce("MEAN", (1, 2)).dense(5).softmax()
    (tmp_path / "small.tflite").write_bytes(net.bytes())
    (tmp_path / "strange.tflite").write_bytes(Net(rng, (1, 8)).unary("COS").bytes())
    figures = tmp_path / "figures.json"
    command = [sys.executable, ENGINE, "--models", tmp_path, "--inputs", "3", "--json", figures, "--layers"]
    done = subprocess.run(
        [str(w) for w in command], capture_output=True, text=True, env={**os.environ, "TINYKIT_DATA": ""}
    )
    assert done.returncode == 0, done.stderr[-2000:]
    small, strange = json.loads(figures.read_text())["networks"]
    assert "no COS" in strange["refused"] and f"strange: {strange['refused']}" in done.stdout
    assert small["random_wrong"] == small["realistic_wrong"] == 0 and small["random_values"] == 15
    assert small["macs"] == 6 * 6 * 9 * 4 * 8 + 8 * 5
    for compiler in ("clang", *(["gcc"] if "gcc" in small else [])):
        build = small[compiler]
        assert build["answers_as_this_computer"] and 1000 < build["code_flash"] < 30_000
        assert sum(layer["cycles_estimated"] for layer in build["layers"]) <= build["cycles_estimated"] * 1.1
        assert f"{build['cycles_estimated']:,}" in done.stdout
    assert ("arm-none-eabi-gcc is not installed" in done.stdout) == ("gcc" not in small)
