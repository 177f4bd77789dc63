"""The lessons as the tests see them."""

import re
import sys
from pathlib import Path

import nbformat

import tinykit.lab.check  # noqa: F401

checks = sys.modules["tinykit.lab.check"]
ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "notebooks"
LESSONS = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))
CHECK = re.compile(r'^tk\.lab\.check\("([\w.]+)"', re.MULTILINE)


def read(path):
    """A lesson as a notebook node."""
    return nbformat.read(path, as_version=4)


def exercise_id(cell) -> str | None:
    """The exercise that a cell checks, or None."""
    found = CHECK.search(cell.source) if cell.cell_type == "code" else None
    return found.group(1) if found else None


def solved(notebook):
    """The notebook with each exercise's lines above the check replaced by its solution."""
    exercises = checks.exercises()
    for cell in notebook.cells:
        id = exercise_id(cell)
        if id:
            cell.source = exercises[id].solution + "\n\n" + cell.source[CHECK.search(cell.source).start() :]
    return notebook


def words(notebook) -> int:
    """Words of prose: Markdown without code and link targets."""
    text = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    text = re.sub(r"```.*?```|`[^`]*`", " x ", text, flags=re.DOTALL)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return len(re.findall(r"[A-Za-z0-9][\w'’.,-]*", text))
