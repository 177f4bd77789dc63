"""Every lesson runs on the virtual board: as a student finds it, and with its exercises solved."""

import re

import pytest
from lessons import LESSONS, exercise_id

from tinykit.lab import tour
from tinykit.pipeline import Pipeline

STILL = {"TINYKIT_STILL": "0.5"}
SAYS = re.compile(r"^Exercise ([\w.]+) \(.*?\): (.*)$", re.MULTILINE)


def verdicts(notebook) -> dict[str, str]:
    """What each exercise's check said, by its id."""
    said = {}
    for cell in notebook.cells:
        if exercise_id(cell):
            texts = [o.data["text/plain"] for o in cell.outputs if o.output_type == "execute_result"]
            assert len(texts) == 1, (cell.id, cell.outputs)
            id, words = SAYS.search(texts[0]).groups()
            assert id == exercise_id(cell)
            said[id] = words
    return said


def problems(notebook) -> list[str]:
    """Errors, warnings and noise in the outputs; a progress bar is none."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                found.append(f"{cell.id}: {output.ename}: {output.evalue}")
            elif output.output_type == "stream" and output.name == "stderr":
                lines = re.split(r"[\r\n]+", output.text)
                found += [f"{cell.id}: {line}" for line in lines if line.strip() and "%|" not in line]
    return found


@pytest.mark.parametrize("path", LESSONS, ids=lambda p: p.stem)
def test_opens_cold_and_waits_for_answers(path, tmp_path):
    notebook, error, seconds = tour.run(path, tmp_path, environment=STILL)
    assert not error and not problems(notebook)
    said = verdicts(notebook)
    assert said and set(said.values()) == {"not attempted"}
    shown = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.outputs]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) - len(shown) <= 1, "at most the last cell, which closes the board, shows nothing"
    page = tour.page(notebook)
    assert "<svg" in page and 'src="http' not in page, "pictures, and nothing fetched from elsewhere"


def test_solved_in_order_every_check_is_right(tmp_path):
    for path in LESSONS:
        notebook, error, seconds = tour.run(path, tmp_path, solved=True, environment=STILL)
        assert not error and not problems(notebook), path.stem
        assert set(verdicts(notebook).values()) == {"right"}, path.stem
    float_, int8 = (Pipeline.load(tmp_path / name) for name in ("float.tk", "int8.tk"))
    assert int8.float_model == float_.float_model and int8.int8_model, "03 quantised what 02 trained"
    said = "\n".join(o.text for cell in notebook.cells for o in cell.get("outputs", ()) if o.output_type == "stream")
    assert int8.fingerprint in said, "04 deployed what 03 kept"
    assert (tmp_path / "gestures" / "dataset.json").exists(), "01 kept a take"


def test_tour_of_one_lesson_leaves_pages(tmp_path, capsys):
    assert tour.main(["00", "--out", str(tmp_path)]) == 0
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'href="00_start_here.html"' in index and "ran in" in index
    assert "01_collect_gestures.html" in (tmp_path / "00_start_here.html").read_text(encoding="utf-8")


def test_tour_without_lessons_says_so(capsys):
    assert tour.main(["99"]) == 1
    assert "There is no lesson 99" in capsys.readouterr().err
