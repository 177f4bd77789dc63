"""The lessons as the tests see them."""

import re
import sys
from pathlib import Path

import nbformat

import tinykit.lab.check  # noqa: F401
from tinykit.lab.tour import exercise_of as exercise_id  # noqa: F401

checks = sys.modules["tinykit.lab.check"]
ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "notebooks"
LESSONS = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))


def read(path):
    """A lesson as a notebook node."""
    return nbformat.read(path, as_version=4)


def words(notebook) -> int:
    """Words of prose: Markdown without code and link targets."""
    text = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    text = re.sub(r"```.*?```|`[^`]*`", " x ", text, flags=re.DOTALL)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return len(re.findall(r"[A-Za-z0-9][\w'’.,-]*", text))
