"""The lessons keep to their form: length, header, exercises, clean cells."""

import ast
import re
import subprocess
import sys

import pytest
from lessons import FOLDER, LESSONS, ROOT, checks, exercise_id, read, words

EXERCISES = checks.exercises()


@pytest.fixture(params=LESSONS, ids=lambda p: p.stem)
def lesson(request):
    return request.param, read(request.param)


def test_ten_lessons_are_there():
    assert [p.stem[:2] for p in LESSONS] == [f"{n:02d}" for n in range(10)]


def test_length(lesson):
    _, notebook = lesson
    assert 25 <= len(notebook.cells) <= 35
    assert 500 <= words(notebook) <= 1000
    for cell in notebook.cells:
        assert cell.source.strip()
        assert len(cell.source.splitlines()) <= 20, cell.id
        if cell.cell_type == "code":
            assert max(map(len, cell.source.splitlines())) <= 98, cell.id  # what fits into a notebook of 900 px


def test_header(lesson):
    path, notebook = lesson
    head = notebook.cells[0]
    assert head.cell_type == "markdown" and head.source.startswith(f"# {path.stem[:2]} · ")
    rows = dict(re.findall(r"^\| \*\*([^*]+)\*\* \| (.+) \|$", head.source, flags=re.MULTILINE))
    assert list(rows) == ["Goal", "Minutes", "Board", "At the end you have"]
    assert 45 <= int(rows["Minutes"]) <= 60
    assert rows["Board"].startswith("Not needed")


def test_exercises_come_every_four_or_five_cells(lesson):
    path, notebook = lesson
    places = [n for n, cell in enumerate(notebook.cells) if exercise_id(cell)]
    gaps = [b - a for a, b in zip([0, *places], [*places, len(notebook.cells) - 1], strict=True)]
    assert all(gap in (4, 5) for gap in gaps[:-1]) and gaps[-1] <= 5, gaps
    ids = [exercise_id(notebook.cells[n]) for n in places]
    assert ids == [id for id in EXERCISES if id.startswith(path.stem[:2] + ".")], "all of the lesson's, in order"


def test_an_exercise_is_announced_and_comes_untouched(lesson):
    _, notebook = lesson
    for above, cell in zip(notebook.cells, notebook.cells[1:], strict=False):
        id = exercise_id(cell)
        if id:
            assert above.cell_type == "markdown" and f"### Exercise {id}: " in above.source
            assert "..." in cell.source and f'tk.lab.hint("{id}")' in cell.source
            assert EXERCISES[id].solution not in cell.source


def test_nothing_was_run(lesson):
    _, notebook = lesson
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None
        assert not cell.metadata


def test_metadata(lesson):
    path, notebook = lesson
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.metadata.language_info.name == "python"
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids) and all(id.startswith(path.stem[:2] + "-") for id in ids)


def test_links_lead_somewhere(lesson):
    _, notebook = lesson
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for target in re.findall(r"\]\(([^)]+)\)", cell.source):
                assert (FOLDER / target).exists(), target


def test_code_is_python_and_uses_what_it_imports(lesson):
    path, notebook = lesson
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    solutions = [e.solution for id, e in EXERCISES.items() if id.startswith(path.stem[:2])]
    names = {n.id for source in code + solutions for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Name)}
    imported = {
        alias.asname or alias.name
        for source in code
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    assert imported <= names, imported - names


def test_ruff_finds_nothing():
    if subprocess.run([sys.executable, "-m", "ruff", "--version"], capture_output=True).returncode:
        pytest.skip("ruff is not installed: pip install ruff to check the cells' style.")
    run = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--select", "E,F", "--line-length", "98",
         "--ignore", "E402,F401", *map(str, LESSONS)],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
