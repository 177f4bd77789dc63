"""Bad input gets one clear sentence and a way out, and nothing that was there is lost."""

import contextlib
import csv
import io
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import replace

import numpy as np
import pytest

import tinykit as tk
from tinykit import engine, models
from tinykit.cli import main
from tinykit.files import write_whole
from tinykit.pipeline import ImuFrontEnd, Pipeline

BOARD = "virtual://nano33ble/bad-input?flash={}"
AXES = "aX,aY,aZ,gX,gY,gZ"


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A small dataset on disk, from the synthetic sample."""
    path = tmp_path_factory.mktemp("good") / "dataset"
    sample = tk.sample("gestures")
    sample.select(persons=sample.persons[:2], labels=("circle", "wing"), sessions=("1",)).save(path)
    return path


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """Untrained networks, converted in all the wrong ways."""
    keras = models.keras()
    import tensorflow as tf

    folder, layers = tmp_path_factory.mktemp("networks"), keras.layers

    def network(shape, *middle, labels=2):
        return keras.Sequential([keras.Input(shape, batch_size=1), *middle, layers.Dense(labels, activation="softmax")])

    def convert(name, model, kind=tf.int8):
        shape = model.input_shape[1:]
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        if kind is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: (
                [np.random.default_rng(i).normal(size=(1, *shape)).astype(np.float32)] for i in range(3)
            )
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = kind
        (folder / f"{name}.tflite").write_bytes(converter.convert())

    convert("small", network((20,), layers.Dense(8, activation="relu")))
    convert("float", network((20,)), None)
    convert("heavy", network((600,), layers.Dense(900)))
    convert("wide", network((96, 96, 1), layers.Conv2D(32, 3, padding="same"), layers.GlobalMaxPooling2D()))
    convert("window", network((50, 6, 1), layers.Flatten()))
    convert("grown", network((8, 8, 2), layers.Conv2DTranspose(4, 3), layers.GlobalAveragePooling2D()))
    small = (folder / "small.tflite").read_bytes()
    (folder / "noise.tflite").write_bytes(np.random.default_rng(1).bytes(2000))
    (folder / "marked.tflite").write_bytes(small[:8] + np.random.default_rng(1).bytes(2000))
    (folder / "cut.tflite").write_bytes(small[: len(small) // 2])
    (folder / "empty.tflite").write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def whole(networks, tmp_path_factory):
    """A whole pipeline, untrained."""
    front = ImuFrontEnd(scale=(1 / 4000,) * 6)
    path = tmp_path_factory.mktemp("whole") / "whole.tk"
    model = (networks / "window.tflite").read_bytes()
    return Pipeline("whole", "gesture", 25.0, 50, 6, front, ("circle", "wing"), int8_model=model).save(path)


@pytest.fixture
def board(tmp_path):
    return BOARD.format(tmp_path / "flash.bin")


def refused(capsys, *words):
    """What a refused command says: one sentence and a way out, in JSON and in words."""
    capsys.readouterr()
    assert main([str(word) for word in words] + ["--json"]) == 1
    out, err = capsys.readouterr()
    said = json.loads(out)
    last = err.strip().splitlines()[-1]
    assert last == f"tinykit: {said['what']} Next: {said['next']}"
    assert said["next"] and said["what"].endswith(".") and "Traceback" not in err
    return said["what"]


def rows(n, seed=0):
    return "".join(f"{','.join(f'{v:.3f}' for v in r)}\n" for r in np.random.default_rng(seed).normal(size=(n, 6)))


def write_two(folder, punch=None, flex=None):
    folder.mkdir()
    usual = f"{AXES}\n{rows(119 * 6)}"
    (folder / "punch.csv").write_bytes(punch if isinstance(punch, bytes) else (punch or usual).encode())
    (folder / "flex.csv").write_bytes(flex if isinstance(flex, bytes) else (flex or usual).encode())
    return folder


# --- recordings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "flex, sentence",
    [
        (f"{AXES}\n{rows(40)}nan,1,1,1,1,1\n", "line 42"),
        (f"{AXES}\n{rows(40)}1e999,1,1,1,1,1\n", "line 42"),
        (f"{AXES}\n{rows(40)}hello,1,1,1,1,1\n", "hello"),
        (f"{AXES}\n{rows(40)}1,1,1\n", "3 values, expected 6"),
        ("aX,aY,aZ\n" + "1,1,1\n" * 714, "mixed"),
        (f"{AXES}\n", "no rows"),
        (f"{AXES}\n{rows(119)}", "at least 5"),
        ('{"payload": {"values": [[1', "several formats"),
    ],
    ids=["nan", "infinite", "word", "short row", "axes", "header alone", "too few", "two formats"],
)
def test_recordings_that_nothing_can_be_learnt_from(flex, sentence, tmp_path, capsys):
    folder, out = write_two(tmp_path / "data", flex=flex), tmp_path / "x.tk"
    assert sentence in refused(capsys, "train", "gesture", "--data", folder, "--out", out)
    assert not out.exists()


@pytest.mark.parametrize(
    "name, data, sentence",
    [
        ("a.csv", np.random.default_rng(0).bytes(4000), "no recordings"),
        ("a.pdf", b"%PDF-1.4\0", "empty"),
        ("a.csv", rows(30).encode(), "no recordings"),
        ("a.json", b'{"payload": {"values": [[1,2,3],[1,2', "not an Edge Impulse recording"),
    ],
    ids=["binary", "pdf", "no header", "cut json"],
)
def test_folders_without_recordings(name, data, sentence, tmp_path, capsys, whole):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / name).write_bytes(data)
    assert sentence in refused(capsys, "evaluate", whole, "--data", folder)


def spoil_row(folder, column, value):
    index = folder / "recordings.csv"
    table = list(csv.DictReader(io.StringIO(index.read_text(encoding="utf-8"))))
    table[0][column] = value
    text = io.StringIO()
    writer = csv.DictWriter(text, table[0])
    writer.writeheader()
    writer.writerows(table)
    index.write_text(text.getvalue(), encoding="utf-8")


def first(folder):
    return sorted((folder / "recordings").glob("*.csv"))[0]


@pytest.mark.parametrize(
    "spoil, sentence",
    [
        (lambda d: (d / "dataset.json").write_text('{"format": 1, "na'), "cannot be read"),
        (lambda d: (d / "dataset.json").write_text("[1]"), "cannot be read"),
        (lambda d: (d / "dataset.json").write_text('{"format": 99}'), "format 99"),
        (lambda d: (d / "recordings.csv").write_bytes(b"\xff\xfe\x9d" * 40), "UTF-8"),
        (lambda d: first(d).write_bytes(b"\xff\x9d" * 40), "UTF-8"),
        (lambda d: first(d).write_bytes(first(d).read_bytes()[:500]), "line"),
        (lambda d: first(d).unlink(), "not there"),
        (lambda d: spoil_row(d, "quality", "{bad"), "quality"),
        (lambda d: spoil_row(d, "rate_hz", "fast"), "'fast'"),
    ],
    ids=["cut card", "list", "newer", "binary index", "binary file", "cut file", "missing file", "quality", "rate"],
)
def test_datasets_that_are_damaged(spoil, sentence, good, whole, tmp_path, capsys):
    folder = tmp_path / "spoilt"
    shutil.copytree(good, folder)
    spoil(folder)
    assert sentence in refused(capsys, "evaluate", whole, "--data", folder)


def test_other_channels_than_the_pipeline_takes(whole, good, tmp_path, capsys):
    few = tmp_path / "few"
    dataset = tk.open_dataset(good)
    tk.Dataset([replace(r, samples=r.samples[:, :3], channels=r.channels[:3]) for r in dataset], {}).save(few)
    assert "gX,gY,gZ" in refused(capsys, "evaluate", whole, "--data", few)


def test_files_that_are_no_recordings_are_told(tmp_path, capsys, whole):
    folder = write_two(tmp_path / "data")
    (folder / "zz.csv").write_bytes(np.random.default_rng(0).bytes(500))
    refused(capsys, "evaluate", whole, "--data", folder)  # other gestures
    assert main(["evaluate", str(whole), "--data", str(folder)]) == 1
    assert "zz.csv" in capsys.readouterr().err


def test_persons_that_are_not_there(good, tmp_path, capsys):
    out = tmp_path / "x.tk"
    what = refused(capsys, "train", "gesture", "--data", good, "--out", out, "--leave-out", "nobody")
    assert "nobody" in what and tk.open_dataset(good).persons[0] in what and not out.exists()


# --- pipelines and networks -----------------------------------------------------------------------


def changed(whole, path, change):
    """A pipeline file whose card is changed."""
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "pipeline.json":
                card = json.loads(data)
                data = json.dumps(change(card) or card)
            new.writestr(name, data)
    return path


@pytest.mark.parametrize(
    "change, sentence",
    [
        (lambda c: c.update(format=2), "format 2"),
        (lambda c: [c], "damaged"),
        (lambda c: c.pop("labels") and None, "lacks 'labels'"),
        (lambda c: c.update(labels=[1, 2]), "labels are [1, 2]"),
        (lambda c: c.update(front_end=[1]), "front_end is [1]"),
        (lambda c: c["front_end"].update(more=1), "more"),
        (lambda c: c.update(window="50"), "window is '50'"),
        (lambda c: c.update(hop=0), "hop is 0"),
        (lambda c: c.update(rate_hz=-1), "rate_hz is -1"),
        (lambda c: c.update(provenance=[]), "provenance is []"),
        (lambda c: c.update(labels=["a", "b", "c"]), "2 outputs for 3 labels"),
    ],
)
def test_pipelines_whose_card_is_wrong(change, sentence, whole, good, tmp_path, capsys):
    path = changed(whole, tmp_path / "x.tk", change)
    assert sentence in refused(capsys, "evaluate", path, "--data", good)


def test_pipelines_that_are_damaged(whole, good, tmp_path, capsys):
    data, path = whole.read_bytes(), tmp_path / "x.tk"
    middle = len(data) // 2
    for bad in (b"", b"text", data[:middle], data[:middle] + b"\0" * 64 + data[middle + 64 :]):
        path.write_bytes(bad)
        for command in (["evaluate", path, "--data", good], ["cost", path], ["deploy", path]):
            assert "not a tinykit pipeline" in refused(capsys, *command)
    assert "no file" in refused(capsys, "cost", tmp_path / "none.tk")
    assert "no file" in refused(capsys, "evaluate", tmp_path, "--data", good)


@pytest.mark.parametrize(
    "name, sentence",
    [
        ("float", "computes in float32"),
        ("grown", "no TRANSPOSE_CONV"),
        ("noise", "noise is not a .tflite"),
        ("marked", "damaged"),
        ("cut", "damaged"),
        ("empty", "not a .tflite"),
        ("none", "no file"),
    ],
)
def test_networks_that_the_engine_cannot_take(name, sentence, networks, tmp_path, capsys):
    model, x, y = networks / f"{name}.tflite", tmp_path / "x.npy", tmp_path / "y.npy"
    np.save(x, np.zeros((1, 20), np.int8))
    assert sentence in refused(capsys, "cost", model)
    assert sentence in refused(capsys, "run", model, "--input", x, "--output", y)
    assert not y.exists()


def test_networks_that_are_too_large_say_by_how_much(networks, tmp_path, capsys):
    for name, what in (("heavy", "flash"), ("wide", "RAM")):
        x = tmp_path / "x.npy"
        np.save(x, np.zeros((1, 20), np.int8))
        plan = engine.compile_network(networks / f"{name}.tflite")
        need, have = (len(plan.bytes), 0x4F000) if name == "heavy" else (plan.arena_bytes, 128 * 1024)
        said = refused(capsys, "run", networks / f"{name}.tflite", "--input", x, "--output", tmp_path / "y.npy")
        assert what in said and f"{need - have:,} too many" in said
    assert main(["cost", str(networks / "heavy.tflite")]) == 0
    assert "does not fit" in capsys.readouterr().out


# --- tensors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "array, sentence",
    [
        (np.zeros((2, 20), np.float32), "float32"),
        (np.zeros((2, 20), np.uint8), "uint8"),
        (np.zeros((2, 21), np.int8), "(2, 21), expected (n, 20)"),
        (np.zeros((2, 4, 5), np.int8), "(2, 4, 5)"),
        (np.zeros(20, np.int8), "(20,)"),
        (np.int8(3), "no examples"),
        (np.zeros((0, 20), np.int8), "no examples"),
        (np.array([1, "a", None], object), "allow_pickle"),
    ],
    ids=["float", "uint8", "wide", "3-d", "1-d", "scalar", "none", "objects"],
)
def test_examples_that_are_not_what_the_network_takes(array, sentence, networks, board, tmp_path, capsys):
    x, y = tmp_path / "x.npy", tmp_path / "y.npy"
    np.save(x, array)
    y.write_text("kept")
    words = ["run", networks / "small.tflite", "--input", x, "--output", y, "--board", board]
    assert sentence in refused(capsys, *words)
    assert y.read_text() == "kept"


def test_files_that_are_no_arrays(networks, tmp_path, capsys):
    x, y = tmp_path / "x.npy", tmp_path / "y.npy"
    np.save(x, np.zeros((9, 20), np.int8))
    cut, packed = x.read_bytes()[:150], io.BytesIO()
    np.savez(packed, a=np.zeros(3))
    for data in (b"", b"1,2,3", cut, packed.getvalue(), np.random.default_rng(0).bytes(99)):
        x.write_bytes(data)
        assert str(x) in refused(capsys, "run", networks / "small.tflite", "--input", x, "--output", y)
    assert "no file" in refused(capsys, "run", networks / "small.tflite", "--input", tmp_path, "--output", y)


def test_answers_go_to_the_very_file_named_and_have_the_networks_shape(networks, board, tmp_path, capsys):
    x, y = tmp_path / "x.npy", tmp_path / "answers"
    np.save(x, np.zeros((3, 20), np.int8))
    words = ["run", networks / "small.tflite", "--input", x, "--output", y, "--board", board, "--json"]
    assert main([str(word) for word in words]) == 0
    assert json.loads(capsys.readouterr().out)["shape"] == [3, 2]
    assert np.load(y).shape == (3, 2) and np.load(y).dtype == np.int8
    assert {p.name for p in tmp_path.iterdir()} - {"flash.bin", "flash.bin.lock"} == {"x.npy", "answers"}


# --- places to write to ---------------------------------------------------------------------------


def test_places_that_cannot_be_written_to_are_refused_before_the_work(good, networks, tmp_path, capsys):
    x, file = tmp_path / "x.npy", tmp_path / "file"
    np.save(x, np.zeros((1, 20), np.int8))
    file.write_text("kept")
    for place in (tmp_path, file / "below.tk"):
        assert "can't be written" in refused(capsys, "train", "gesture", "--data", good, "--out", place)
        words = ["run", networks / "small.tflite", "--input", x, "--output", place]
        assert "can't be written" in refused(capsys, *words)
    assert file.read_text() == "kept"


def test_a_write_that_fails_leaves_the_old_file(whole, tmp_path, monkeypatch):
    path = tmp_path / "x.tk"
    path.write_text("kept")
    pipeline = Pipeline.load(whole)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(tk.errors.TinykitError, match="no space left"):
        pipeline.save(path)
    assert path.read_text() == "kept" and list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    try:
        link.symlink_to(real)
    except OSError:
        pytest.skip("This system lets no user make links.")
    write_whole(link, b"new")
    assert link.is_symlink() and real.read_bytes() == b"new"


# --- boards ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["/dev/ttyNOPE", "COM99", "virtual://nano34", "foo://bar", "virtual://nano33ble?x=1"])
def test_ports_that_are_not_there(url, whole, capsys):
    assert refused(capsys, "deploy", whole, "--board", url)


def test_a_flash_file_that_is_something_else_is_left_alone(whole, tmp_path, capsys):
    mine = tmp_path / "thesis.txt"
    mine.write_text("years of work")
    for path in (mine, tmp_path):
        assert "flash of a virtual board" in refused(capsys, "deploy", whole, "--board", BOARD.format(path))
    assert mine.read_text() == "years of work"


def test_a_board_without_a_pipeline(board, networks, tmp_path, capsys):
    assert "no_plan" in refused(capsys, "listen", "--board", board, "--seconds", "1")
    np.save(tmp_path / "x.npy", np.zeros((1, 20), np.int8))
    words = ["--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy", "--board", board]
    assert main([str(w) for w in ["run", networks / "small.tflite", *words]]) == 0
    assert "no_pipeline" in refused(capsys, "listen", "--board", board, "--seconds", "1")


def started(*words, stderr=subprocess.PIPE):
    command = [sys.executable, "-m", "tinykit.cli", *map(str, words)]
    # A program started in the background of a shell has Ctrl-C switched off, and hands that on.
    mine = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)
    finally:
        signal.signal(signal.SIGINT, mine)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a child alone")
def test_ctrl_c_ends_quietly_and_a_held_port_is_said_to_be_busy(whole, board, capsys):
    listener = started("listen", whole, "--board", board, "--json")
    try:
        assert json.loads(listener.stdout.readline())["probabilities"]
        assert "Another program holds" in refused(capsys, "deploy", whole, "--board", board)
        listener.send_signal(signal.SIGINT)
        out, err = listener.communicate(timeout=60)
    finally:
        listener.kill()
    assert listener.returncode == 130 and "Traceback" not in err, err
    assert all(json.loads(line) for line in out.splitlines())
    assert main(["deploy", str(whole), "--board", board, "--json"]) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a child alone")
def test_ctrl_c_in_training_leaves_the_old_file(tmp_path):
    import fcntl  # these three: not on Windows
    import pty
    import termios

    data, out = write_two(tmp_path / "data"), tmp_path / "out" / "x.tk"
    out.parent.mkdir()
    out.write_text("kept")
    screen, theirs = pty.openpty()  # on a terminal it says how far it is, if that has any width
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 100, 0, 0))
    trainer = started("train", "gesture", "--data", data, "--out", out, "--epochs", "100000", stderr=theirs)
    os.close(theirs)
    said = bytearray()

    def listen():
        with contextlib.suppress(OSError):  # the last one at the other end is gone
            while data := os.read(screen, 4096):
                said.extend(data)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        deadline = time.monotonic() + 300
        while b"loss" not in said and time.monotonic() < deadline:
            time.sleep(0.05)
        assert b"loss" in said and trainer.poll() is None, said  # it trains
        trainer.send_signal(signal.SIGINT)
        trainer.communicate(timeout=120)
    finally:
        trainer.kill()
        listener.join(20)
        os.close(screen)
    err = said.decode(errors="replace")
    assert trainer.returncode == 130 and "Traceback" not in err, err
    assert out.read_text() == "kept" and list(out.parent.iterdir()) == [out]


def test_labels_that_the_pipeline_does_not_know_are_told(whole, good, tmp_path, capsys):
    more = tmp_path / "more"
    dataset = tk.open_dataset(good)
    made = [r if r.label == "wing" or i % 2 else replace(r, label="other") for i, r in enumerate(dataset.recordings)]
    others = sum(r.label == "other" for r in made)
    tk.Dataset(made, {}).save(more)
    assert 0 < others < len(made)
    assert main(["evaluate", str(whole), "--data", str(more), "--json"]) == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert report["unknown"] == others and f"{others} of {len(made)}" in err and "other" in err
    assert sum(map(sum, report["confusion"])) == report["n"] - others
    right = sum(report["confusion"][i][i] for i in range(2))
    assert report["accuracy"] == pytest.approx(right / len(made), abs=1e-4)


def test_the_same_limits_hold_in_python(good, whole):
    dataset = tk.open_dataset(good)
    for wrong in ({"epochs": 0}, {"epochs": -1}, {"seed": -1}, {"seed": 2**32}):
        with pytest.raises(tk.errors.ModelError, match=next(iter(wrong))):
            tk.train("gesture", dataset, **wrong)
    assert engine.answers(Pipeline.load(whole), np.zeros((0, 50, 6), np.int16)).shape == (0, 2)


# --- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "train gesture --data D --out X --epochs 0",
        "train gesture --data D --out X --epochs -1",
        "train gesture --data D --out X --seed text",
        "train gesture --data D --out X --seed -1",
        "train speech --data D --out X",
        "listen --seconds 0",
        "listen --seconds nan",
        "evaluate X --data D --part silly",
        "frobnicate",
        "",
    ],
)
def test_wrong_words_are_status_2_and_nothing_on_standard_output(words, capsys):
    with pytest.raises(SystemExit) as end:
        main(words.split())
    out, err = capsys.readouterr()
    assert end.value.code == 2 and not out and "error:" in err.splitlines()[-1]
