"""The commands where words are heard: train, evaluate on clips and on a long recording, listen."""

import json

import pytest

from tinykit.cli import main
from tinykit.data import compose_scene, sample
from tinykit.data.audio import to_wav
from tinykit.pipeline import Pipeline

WORDS = ("left", "right")


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """A folder of words as Speech Commands lays them out, and noise beside it."""
    folder = tmp_path_factory.mktemp("words")
    some = sample("words").select(labels=(*WORDS, "no", "tree"))
    for r in some:
        who = f"{some.persons.index(r.person):08x}"
        place = folder / "clips" / r.label
        place.mkdir(parents=True, exist_ok=True)
        number = len(list(place.glob(f"{who}_nohash_*.wav")))
        (place / f"{who}_nohash_{number}.wav").write_bytes(to_wav(r))
    noise = folder / "background_noise"
    noise.mkdir()
    for r in sample("noise"):
        (noise / f"{r.word}.wav").write_bytes(to_wav(r))
    return folder / "clips"


@pytest.fixture(scope="module")
def trained(spoken, tmp_path_factory):
    out = tmp_path_factory.mktemp("trained") / "words.tk"
    words = ["train", "keyword", "--data", str(spoken), "--words", ",".join(WORDS), "--out", str(out)]
    assert main([*words, "--model", "tiny_conv", "--epochs", "1"]) == 0
    return out


def test_train_makes_a_pipeline_of_the_words_asked_for(trained):
    pipeline = Pipeline.load(trained)
    assert pipeline.kind == "keyword" and pipeline.labels == ("silence", "unknown", *WORDS)
    assert pipeline.int8_model and pipeline.sensor == "mic"


def test_clips_become_the_pipelines_task(trained, spoken, capsys):
    assert main(["evaluate", str(trained), "--data", str(spoken), "--json"]) == 0
    shown = capsys.readouterr()
    facts = json.loads(shown.out)
    assert set(facts["labels"]) == {"silence", "unknown", *WORDS}
    assert facts["trained_on"] > 0 and "not a test" in shown.err


def test_a_long_recording_is_scored_as_a_stream(trained, tmp_path, capsys):
    scene = compose_scene(sample("words"), sample("noise"), 30, WORDS, seed=3)
    wav, table = scene.save(tmp_path / "room.wav")
    words = ["evaluate", str(trained), "--stream", str(wav), "--labels", str(table), "--json"]
    assert main(words) == 0
    by_host = json.loads(capsys.readouterr().out)
    assert by_host["seconds"] == pytest.approx(30, abs=0.1) and by_host["said"] == len(scene.words)
    assert main([*words, "--board", f"virtual://nano33ble?flash={tmp_path / 'flash'}"]) == 0
    by_board = json.loads(capsys.readouterr().out)
    assert by_board["said"] == by_host["said"] and by_board["by"] != by_host["by"]


def test_listening_prints_words_only(trained, tmp_path, capsys):
    scene = compose_scene(sample("words"), sample("noise"), 30, WORDS, seed=3)
    wav, _ = scene.save(tmp_path / "room.wav")
    board = f"virtual://nano33ble?flash={tmp_path / 'flash'}"
    assert main(["listen", str(trained), "--board", board, "--replay", str(wav), "--seconds", "6", "--json"]) == 0
    for line in capsys.readouterr().out.splitlines():
        assert json.loads(line)["label"] in WORDS


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["evaluate", "FILE"], "nothing to evaluate on"),
        (["evaluate", "FILE", "--stream", "no.wav"], "--stream needs --labels"),
        (["evaluate", "FILE", "--data", "GESTURES"], "is not sound"),
        (["train", "keyword", "--data", "CLIPS", "--words", "left,fish", "--out", "x.tk"], "'fish'"),
        (["train", "keyword", "--data", "CLIPS", "--words", ",", "--out", "x.tk"], "names no word"),
    ],
)
def test_bad_input_is_one_sentence(words, sentence, trained, spoken, tmp_path, capsys, monkeypatch):
    from tinykit.toolchain import data_dir

    monkeypatch.chdir(tmp_path)
    places = {"FILE": str(trained), "CLIPS": str(spoken), "GESTURES": str(data_dir() / "gestures")}
    assert main([places.get(word, word) for word in words]) == 1
    said = capsys.readouterr().err
    assert sentence in said and "Next:" in said and "Traceback" not in said
