"""What passes from lesson to lesson: own recordings when there are enough, and kept pipelines."""

import numpy as np
import pytest

from tinykit.data import Recording, sample
from tinykit.errors import DataError
from tinykit.lab.workspace import TAKES_PER_LABEL, Workspace, workspace
from tinykit.pipeline import ImuFrontEnd, Pipeline


def record(ws, labels, persons, sessions=("1",), takes=TAKES_PER_LABEL, device="board"):
    """Add takes of noise to the workspace's own dataset."""
    rng, own = np.random.default_rng(0), ws.recordings
    for label in labels:
        for person in persons:
            for session in sessions:
                for _ in range(takes):
                    own.add(
                        Recording(
                            rng.normal(size=(60, 6)),
                            label=label,
                            person=person,
                            session=session,
                            device=device,
                        )
                    )
    return own


def test_folder_comes_from_the_environment_or_stands_beside_the_notebook(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TINYKIT_WORKSPACE", raising=False)
    assert workspace().folder == tmp_path / "workspace"
    monkeypatch.setenv("TINYKIT_WORKSPACE", str(tmp_path / "mine"))
    assert workspace().folder == tmp_path / "mine"
    assert not (tmp_path / "mine").exists(), "nothing is made before something is kept"


def test_empty_workspace_gives_the_sample_and_says_so(tmp_path, capsys):
    ws = Workspace(tmp_path / "w")
    assert ws.dataset().fingerprint == sample("gestures").fingerprint
    said = capsys.readouterr().out
    assert "no recordings of your own" in said and "synthetic" in said
    assert "not yet" in repr(ws) and "not yet" in ws._repr_html_()


def test_a_recorder_that_was_only_opened_leaves_no_recordings(tmp_path):
    ws = Workspace(tmp_path)
    assert len(ws.recordings) == 0 and "no recordings of your own" in ws.missing()


def test_too_few_takes_say_how_many_are_missing(tmp_path, capsys):
    ws = Workspace(tmp_path)
    record(ws, ["wave"], ["me"])
    assert "1 label" in ws.missing()
    record(ws, ["rest"], ["me"], takes=3)
    assert "3 takes of 'rest'" in ws.missing()
    assert ws.dataset(quiet=True).name == sample("gestures").name
    assert capsys.readouterr().out == ""


def test_enough_takes_are_used_and_virtual_ones_are_named(tmp_path, capsys):
    ws = Workspace(tmp_path)
    record(ws, ["rest", "wave"], ["me"], device="Virtual Nano")
    assert len(ws.dataset()) == 2 * TAKES_PER_LABEL
    said = capsys.readouterr().out
    assert "your own recordings" in said and "20 of 20 come from the virtual board" in said


@pytest.mark.parametrize(
    "persons, sessions, way, words",
    [
        (("a", "b", "c"), ("1",), "person", ""),
        (("a",), ("1", "2", "3"), "session", "by session"),
        (("a",), ("1",), "recording", "by recording"),
    ],
)
def test_split_goes_by_what_there_is_and_says_what_it_cannot_tell(tmp_path, capsys, persons, sessions, way, words):
    ws = Workspace(tmp_path)
    record(ws, ["rest", "wave"], persons, sessions)
    capsys.readouterr()
    parts = ws.split()
    said = capsys.readouterr().out
    assert words in said and bool(said) == bool(words)
    ids = [{r.id for r in part} for part in parts]
    assert all(ids) and sum(map(len, ids)) == len(ws.recordings) and not ids[0] & ids[2]
    if way != "recording":
        kept = [{getattr(r, way) for r in part} for part in parts]
        assert not kept[0] & kept[2]
    again = ws.split(quiet=True)
    assert [{r.id for r in part} for part in again] == ids, "the same in every lesson"


def test_sample_split_has_the_left_handed_person_in_validation(tmp_path):
    train, validation, test = Workspace(tmp_path).split(quiet=True)
    assert "dan" in validation.persons and len(validation.persons) == 2
    assert len(train.persons) == 4 and len(test.persons) == 2
    assert not set(train.persons) & set(test.persons)


def made(train, **changes):
    labels = train.labels
    front_end = ImuFrontEnd(scale=(1.0,) * 6)
    return Pipeline("p", "gesture", 119.0, 60, 30, front_end, labels, float_model=b"float",
                    provenance={"fingerprint": train.fingerprint}).with_(**changes)  # fmt: skip


def test_pipeline_is_made_once_and_then_kept(tmp_path, monkeypatch, capsys):
    ws = Workspace(tmp_path)
    calls = []

    def fit(kind, train, validation, **options):
        calls.append((train.fingerprint, validation.fingerprint))
        return made(train)

    def quantize(pipeline, train):
        calls.append(train.fingerprint)
        return pipeline.with_(int8_model=b"int8")

    monkeypatch.setattr("tinykit.models.train", fit)
    monkeypatch.setattr("tinykit.compress.quantize", quantize)
    train, validation, _ = ws.split(quiet=True)
    small = ws.pipeline("int8")
    assert "no int8 pipeline yet" in capsys.readouterr().out
    assert small.int8_model and calls == [(train.fingerprint, validation.fingerprint), train.fingerprint]
    assert ws.pipeline("int8").fingerprint == small.fingerprint and len(calls) == 2
    assert "that you kept" in capsys.readouterr().out

    ws.keep(made(train, provenance={"fingerprint": "of other takes"}))
    ws.pipeline("float")
    assert "other takes" in capsys.readouterr().out and len(calls) == 3

    (tmp_path / "float.tk").write_bytes(b"no zip")
    ws.pipeline("float")
    assert "not a tinykit pipeline" in capsys.readouterr().out and len(calls) == 4


def test_unknown_step_is_refused(tmp_path):
    with pytest.raises(DataError, match="no step 'int4'"):
        Workspace(tmp_path).pipeline("int4")
