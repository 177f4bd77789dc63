"""The lessons one after the other with their exercises solved, each going on with what the one before kept."""

import os
import re

import pytest
from lessons import LESSONS
from runs import STILL, problems, verdicts

from tinykit.lab import tour
from tinykit.pipeline import Pipeline


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def lessons(folder):
    """Number of a lesson -> (notebook, error), all run in order."""
    return {path.stem[:2]: tour.run(path, folder, solved=True, environment=STILL)[:2] for path in LESSONS}


def said(notebook) -> str:
    streams = [o.text for cell in notebook.cells for o in cell.get("outputs", ()) if o.output_type == "stream"]
    return "\n".join(streams)


def check_right(notebook, error):
    assert not error and not problems(notebook)
    assert set(verdicts(notebook).values()) == {"right"}


def check_equal(text):
    """Lesson 09 compared two boards, window by window."""
    equal, windows = map(int, re.search(r"(\d+) of (\d+) windows are equal in every bit", text).groups())
    assert equal == windows > 100, "the whole test part"


def test_solved_in_order_every_check_is_right(lessons, folder):
    for notebook, error in lessons.values():
        check_right(notebook, error)
    text = {number: said(notebook) for number, (notebook, _) in lessons.items()}
    float_, int8 = (Pipeline.load(folder / name) for name in ("float.tk", "int8.tk"))
    assert int8.float_model == float_.float_model and int8.int8_model, "03 quantised what 02 trained"
    assert int8.fingerprint in text["04"], "04 deployed what 03 kept"
    assert (folder / "gestures" / "dataset.json").exists(), "01 kept a take"
    assert "the int8 pipeline that you kept" in text["07"], "07 went on with what 06 trained"
    tuned = Pipeline.load(folder / "words-int8.tk")
    assert tuned.decision.thresholds and tuned.provenance["tuned"]["said"], "07 kept thresholds for each word"
    assert int8.fingerprint in text["09"], "09 went on with what 03 kept"
    check_equal(text["09"])
    assert "4 windows came out as on the computer that made this program" in text["09"], "the C program ran"


def test_from_virtual_to_real_over_a_port(lessons, folder):
    """Behind a port the virtual board is what a real one is: an address, and no machine to reach into."""
    pytest.importorskip("termios", reason="Windows has no pseudo-terminals to put a board behind.")
    from tinykit.board.virtual import Served, VirtualBoard

    with VirtualBoard(f"lesson-{os.getpid()}") as machine, Served(machine) as served:
        port = {"TINYKIT_PORT": served.address}
        notebook, error, _ = tour.run(LESSONS[-1], folder, solved=True, environment={**STILL, **port})
    check_right(notebook, error)
    check_equal(said(notebook))
