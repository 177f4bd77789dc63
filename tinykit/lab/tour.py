"""The tour: every lesson run without a board and without a browser, left as HTML.

``python -m tinykit.lab.tour`` writes ``tour/index.html`` and one page a lesson. The exercises
stand as students find them; ``--solved`` fills in the solutions.
"""

from __future__ import annotations

import argparse
import html
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from ..errors import TinykitError
from . import check as _check  # noqa: F401  (the function; the module is asked for by name below)

CHECK = re.compile(r'^tk\.lab\.check\("([\w.]+)"', re.MULTILINE)
STILL_S = 3.0  # seconds of data in the picture of a live widget
CELL_LIMIT_S = 600
THEMES = ("reader", "light", "dark")
# One folder a run: lessons hand their work on to each other, and to nobody else.
# The kernel warns that it talks over TCP on this computer; widgets are pictures here, not state.
QUIET = {"store_widget_state": False, "extra_arguments": ["--IPKernelApp.log_level=40"]}
ENVIRONMENT = {"TINYKIT_STILL": str(STILL_S)}


def main(words=None) -> int:
    """Run the lessons and write the pages; the exit status says whether all went through."""
    parser = argparse.ArgumentParser(prog="python -m tinykit.lab.tour", description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", help="numbers of lessons, such as 02; default all")
    parser.add_argument("--out", default=None, help="folder for the pages; default tour/ in the checkout")
    parser.add_argument("--solved", action="store_true", help="with the exercises' solutions")
    parser.add_argument("--theme", choices=THEMES, default="reader", help="default: as the reader's browser has it")
    arguments = parser.parse_args(words)
    try:
        paths = lessons(arguments.lessons)
    except TinykitError as error:
        print(f"tour: {error}", file=sys.stderr)
        return 1
    out = Path(arguments.out) if arguments.out else paths[0].parents[1] / "tour"
    out.mkdir(parents=True, exist_ok=True)
    done = []
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            notebook, error, seconds = run(path, Path(folder), arguments.solved)
            (out / f"{path.stem}.html").write_text(page(notebook, arguments.theme), encoding="utf-8")
            done.append((path.stem, notebook, error, seconds))
            print(f"{path.stem}: {'stopped: ' + error if error else f'{seconds:.0f} s'}", flush=True)
    (out / "index.html").write_text(index(done, arguments.theme), encoding="utf-8")
    print(out / "index.html")
    return int(any(error for _, _, error, _ in done))


def lessons(numbers=()) -> list[Path]:
    """The lessons' notebooks, in order.

    Raises
    ------
    TinykitError
        They are not here: an installed tinykit has no notebooks, a checkout has.
    """
    folders = [Path(__file__).resolve().parents[2] / "notebooks", Path.cwd() / "notebooks", Path.cwd()]
    for folder in folders:
        found = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
        if found:
            break
    else:
        raise TinykitError("The lessons' notebooks are not here.", "Run this in a checkout of the project.")
    wanted = [path for path in found if not numbers or path.stem[:2] in numbers]
    if not wanted:
        there = ", ".join(path.stem[:2] for path in found)
        raise TinykitError(f"There is no lesson {', '.join(numbers)}.", f"There are {there}.")
    return wanted


def run(path: Path, workspace: Path, solved: bool = False, environment=None):
    """Run one lesson on the virtual board, in a kernel of its own.

    Parameters
    ----------
    path : Path
        The notebook.
    workspace : Path
        Folder that the lessons share in this run.
    solved : bool
        With the solutions in place of the exercises' placeholders.
    environment : dict, optional
        More variables for the kernel.

    Returns
    -------
    notebook : NotebookNode
        With its outputs, as far as it got.
    error : str
        Empty, or what the cell that stopped it said.
    seconds : float
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = nbformat.read(path, as_version=4)
    if solved:
        solve(notebook)
    own = {"TINYKIT_PORT": board_url(workspace), "TINYKIT_WORKSPACE": str(workspace)}
    variables = {**os.environ, **ENVIRONMENT, **own, **(environment or {})}
    client = NotebookClient(notebook, timeout=CELL_LIMIT_S, kernel_name="python3", **QUIET)
    began, error = time.monotonic(), ""
    try:
        client.execute(cwd=str(path.parent), env=variables)
    except CellExecutionError as problem:
        error = f"{problem.ename}: {problem.evalue}"
    except (CellTimeoutError, DeadKernelError) as problem:
        error = f"{type(problem).__name__}: {problem}"
    return notebook, error, time.monotonic() - began


def board_url(workspace: Path) -> str:
    """A virtual board of this run's own: its flash lies in the workspace."""
    flash = quote((workspace / "board.flash").as_posix(), safe="/:")
    return f"virtual://nano33ble?flash={flash}"


def exercise_of(cell) -> str | None:
    """Id of the exercise that a cell checks, or None."""
    found = CHECK.search(cell.source) if cell.cell_type == "code" else None
    return found.group(1) if found else None


def solve(notebook) -> None:
    """Replace each exercise's lines above its check by the solution."""
    exercises = sys.modules[f"{__package__}.check"].exercises()
    for cell in notebook.cells:
        id = exercise_of(cell)
        if id:
            cell.source = exercises[id].solution + "\n\n" + cell.source[CHECK.search(cell.source).start() :]


def page(notebook, theme: str = "reader") -> str:
    """One lesson as HTML; links between lessons lead to the pages.

    Parameters
    ----------
    notebook : NotebookNode
    theme : {"reader", "light", "dark"}
        "reader": light or dark as the reader's browser asks for, and light on paper.
    """
    from nbconvert import HTMLExporter

    tidy(notebook)
    exporter = HTMLExporter(template_name="lab", theme="dark" if theme == "dark" else "light", embed_images=True)
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True
    # The page must open without a network: nothing here needs MathJax, require.js or mermaid.
    exporter.mathjax_url = exporter.require_js_url = exporter.jquery_url = ""
    title = notebook.cells[0].source.splitlines()[0].lstrip("# ")
    text, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": title}})
    text = re.sub(r'<script[^>]*src=""[^>]*></script>', "", text)
    if theme == "reader":
        loader = exporter.environment.loader
        dark, _, _ = loader.get_source(exporter.environment, "static/theme-dark.css")
        text = _follow(text, dark)
    return re.sub(r'href="([0-9]{2}_\w+)\.ipynb"', r'href="\1.html"', text)


def _follow(text: str, dark: str) -> str:
    """A page in the light theme that takes the dark theme's variables where the reader wants it dark."""
    from .. import look

    style = f":root{{color-scheme:light dark}}\n@media screen and (prefers-color-scheme:dark){{{dark}}}\n"
    style = f"<style>\n{style}{look.following()}\n</style>\n"
    text = text.replace("</head>", style + "</head>", 1)
    return re.sub(r'<body class="([^"]*)"', r'<body class="\1 tk-follow"', text, count=1)


def tidy(notebook) -> None:
    """Show a progress bar as it stood last, or not at all: a page has neither a cursor nor a kernel."""
    for cell in notebook.cells:
        kept = []
        for output in cell.get("outputs", ()):
            before = kept[-1] if kept else {}
            if output.output_type == "stream" and before.get("name") == output.name:
                before["text"] += output.text
            else:
                kept.append(output)
        for output in kept:
            if output.output_type == "stream":
                lines = [line.rstrip("\r").rpartition("\r")[2] for line in output.text.split("\n")]
                output.text = "\n".join(lines)
        if cell.cell_type == "code":
            cell.outputs = [o for o in kept if not _empty(o)]


def _empty(output) -> bool:
    """Whether nothing of an output is to be seen on a page: blanks, or a bar that only a running kernel draws."""
    if output.output_type == "stream":
        return not output.text.strip()
    data = output.get("data", {})
    return "application/vnd.jupyter.widget-view+json" in data and "text/html" not in data


def index(done, theme: str = "reader") -> str:
    """The first page: one row a lesson."""
    from .. import look

    rows, goals = [], []
    for name, notebook, error, seconds in done:
        first = notebook.cells[0].source
        head = dict(re.findall(r"^\| \*\*([^*]+)\*\* \| (.+) \|$", first, flags=re.MULTILINE))
        title = html.escape(first.splitlines()[0].lstrip("# "))
        goals.append(f"<li><b>{title}</b>: {html.escape(head.get('Goal', ''))}</li>")
        link = look.Html(f'<a href="{name}.html" style="color:var(--tk-accent)">{title}</a>')
        state = look.state("bad", error[:80]) if error else look.state("ok", f"ran in {seconds:.0f} s")
        rows.append((link, head.get("Minutes", ""), state))
    table = look.table(rows, ["lesson", "minutes for a student", "here, on the virtual board"], align="lrl")
    card = look.card("The course", "every lesson, run without a board", table)
    style = "font:15px/1.5 system-ui,sans-serif;max-width:860px;margin:32px auto;padding:0 16px"
    dark = "body{background:#111;color:#eee}"
    grounds = {
        "light": "",
        "dark": dark,
        "reader": f":root{{color-scheme:light dark}}@media screen and (prefers-color-scheme:dark){{{dark}}}",
    }[theme]
    if theme == "reader":
        grounds += look.following()
    return f"""<!doctype html>
<html lang="en"{' data-theme="dark"' if theme == "dark" else ""}>
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>tinykit: the tour</title>
<style>body{{{style};background:#fff;color:#111}}{grounds}</style></head>
<body{' class="tk-follow"' if theme == "reader" else ""}>
<h1>tinykit: the tour</h1>
{card}
<ul>{"".join(goals)}</ul>
<p>The movements in these pages are synthetic: a program made them. Cycles and times of the board are
estimated on an emulated processor.</p>
</body>
</html>
"""


if __name__ == "__main__":
    sys.exit(main())
