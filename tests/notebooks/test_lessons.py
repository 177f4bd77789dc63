"""Every lesson runs on the virtual board as a student finds it."""

import pytest
from lessons import LESSONS
from runs import STILL, problems, verdicts

from tinykit.lab import tour


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


def test_tour_of_one_lesson_leaves_pages(tmp_path, capsys):
    assert tour.main(["00", "--out", str(tmp_path)]) == 0
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'href="00_start_here.html"' in index and "ran in" in index
    assert "01_collect_gestures.html" in (tmp_path / "00_start_here.html").read_text(encoding="utf-8")


def test_a_page_leaves_out_what_only_a_running_kernel_draws():
    from nbformat.v4 import new_code_cell, new_notebook, new_output

    bar = {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "0%| | 0/47k"}
    outputs = [
        new_output("display_data", bar),
        new_output("display_data", {**bar, "text/html": "<p>still</p>"}),
        new_output("display_data", {"text/plain": "42"}),
        new_output("stream", name="stderr", text="10%\r100%\r    \r"),
    ]
    notebook = new_notebook(cells=[new_code_cell("x", outputs=outputs)])
    tour.tidy(notebook)
    assert [o.data.get("text/html", o.data["text/plain"]) for o in notebook.cells[0].outputs] == ["<p>still</p>", "42"]


def test_tour_without_lessons_says_so(capsys):
    assert tour.main(["99"]) == 1
    assert "There is no lesson 99" in capsys.readouterr().err
