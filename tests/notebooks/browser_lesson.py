"""A lesson open in JupyterLab: its cells run as a student runs them, and what they left."""

import math
import re

from lab_browser import _NOTEBOOK, draw, open_notebook, printed, problems, raised, shot, show, text, theme, wait
from playwright.sync_api import Error

# Every code cell: its source, whether it was run to its end, and what went wrong in it.
_CELLS = f"""() => [...{_NOTEBOOK}.content.model.cells].map((cell, place) => cell.type !== "code" ? null : {{
  place, id: cell.id, source: cell.sharedModel.getSource(),
  done: cell.executionCount !== null && cell.executionState !== "running",
  wrong: cell.outputs.toJSON().flatMap((o) => o.output_type === "error" ? [`${{o.ename}}: ${{o.evalue}}`]
    : o.output_type === "stream" && o.name === "stderr" ? [[o.text].flat().join("")] : []),
  shown: cell.outputs.toJSON().map((o) => [o.data?.["text/html"] ?? o.text].flat().join("")),
}}).filter((cell) => cell)"""
_CLOSES = re.compile(r"^(board|twin)\.close\(\)", re.MULTILINE)
_RUN = f"""([place, command]) => {{
  {_NOTEBOOK}.content.activeCellIndex = place;
  return void window.jupyterapp.commands.execute(command);
}}"""
CELLS_S = 400  # for all of a lesson's cells; a training is among them


class Lesson:
    """One lesson in the page, with a kernel of its own.

    Parameters
    ----------
    page : Page
    server : process
        JupyterLab on a folder of lessons.
    name : str
        Of the notebook's file.
    """

    def __init__(self, page, server, name):
        self.page, self.number, self.stem = page, name[:2], name.partition(".")[0]
        open_notebook(page, server, name, run=False)
        wait(lambda: self.cells(), 60, "the notebook's cells")
        page.log.clear()  # what the lesson before said while it was closed

    def cells(self) -> list[dict]:
        """The code cells as they stand."""
        return self.page.evaluate(_CELLS)

    def shows(self, *words) -> bool:
        """Whether all of these stand in what the cells showed, in sight or not."""
        html = "".join(part for cell in self.cells() for part in cell["shown"])
        missing = [each for each in words if each not in html]
        assert not missing, f"{self.stem} does not show {missing}"
        return True

    def run(self, before="") -> None:
        """The cells before one; by default before the one that closes the board, for that ends the widgets."""
        cells = self.cells()
        stops = (c["place"] for c in cells if (c["id"] == before if before else _CLOSES.search(c["source"])))
        last = next(stops, None)
        assert last is not None or not before, f"there is no cell {before}"
        if last is None:
            self._run(cells[0]["place"], "notebook:run-all-cells", cells)
        else:
            self._run(last, "notebook:run-all-above", [c for c in cells if c["place"] < last])

    def finish(self, *titles) -> None:
        """The other cells; afterwards these widgets say that the board is closed, and nothing is wrong anywhere."""
        wrong = problems(self.page)
        assert not wrong, wrong
        rest = [c for c in self.cells() if not c["done"]]
        if rest:
            self._run(rest[0]["place"], "notebook:run-all-below", rest)
        closed = lambda title: "board closed" in text(self.show(title))  # noqa: E731
        for title in titles:
            wait(lambda title=title: closed(title), 60, f"the closed board in {title}")
        said = " ".join(self.page.locator("section.tk").all_text_contents())
        assert "fault of tinykit" not in said
        wrong = raised(self.page)
        assert not wrong, wrong

    def close(self) -> None:
        """End the kernel."""
        self.page.evaluate(f"() => {_NOTEBOOK}.context.sessionContext.shutdown()")

    def _run(self, place, command, cells) -> None:
        ids = {c["id"] for c in cells}
        self.page.evaluate(_RUN, [place, command])

        def done():
            mine = [c for c in self.cells() if c["id"] in ids]
            for cell in mine:
                wrong = [w for w in cell["wrong"] if "%|" not in w]  # a progress bar is no trouble
                assert not wrong, f"{cell['id']}: {wrong}"
            return all(c["done"] for c in mine) and mine

        left = lambda: [c["id"] for c in self.cells() if c["id"] in ids and not c["done"]]  # noqa: E731
        mine = wait(done, CELLS_S, f"the end of {self.stem}'s cells", left)
        silent = [c["id"] for c in mine if not c["shown"]]
        assert len(silent) <= 1, f"{silent} showed nothing"

    def show(self, title):
        """A live widget, scrolled into sight."""
        wait(lambda: self.page.locator(f'section.tk[aria-label="{title}"]').count(), 60, title)
        return show(self.page, title)

    def printed(self, code: str) -> str:
        """Run code in the lesson's kernel: what it printed."""
        return printed(self.page, code).strip()

    def shots(self, *titles) -> None:
        """Pictures of widgets in both themes, and of the whole lesson as it stands."""
        for name in ("light", "dark"):
            theme(self.page, name)
            for title in titles:
                shot(self.show(title), f"lesson-{self.number}-{title.lower().replace(' ', '-')}-{name}")
        theme(self.page, "light")
        try:
            self._whole()
        except Error as error:  # a window as tall as a lesson may be too much for a busy computer
            print(f"There is no picture of the whole lesson {self.number}: {error}")

    def _whole(self) -> None:
        size = self.page.viewport_size
        outer = self.page.locator(".jp-WindowedPanel-outer")
        height = outer.evaluate("(outer) => outer.querySelector('.jp-WindowedPanel-viewport').scrollHeight")
        self.page.set_viewport_size({"width": 1000, "height": height + 150})
        outer.evaluate("(outer) => { outer.scrollTop = 0; }")
        shot(self.page, f"lesson-{self.number}")
        self.page.set_viewport_size(size)


def circle(pad, seconds=1.0, across_cm=20, steps=75):
    """Draw a circle on the signal pad, clockwise from the top; a hand starts and stops softly."""
    height = pad.locator("canvas.tk-pad").evaluate("(canvas) => canvas.getBoundingClientRect().height")
    assert math.isclose(height, 280, abs_tol=4), "the pad's height is 40 cm of the hand's way"
    r = across_cm / 2 * height / 40
    shares = [i / steps for i in range(steps + 1)]
    turns = [2 * math.pi * share - math.sin(2 * math.pi * share) for share in shares]
    draw(pad, [[1000 * seconds * s, r * math.sin(t), r * math.cos(t)] for s, t in zip(shares, turns, strict=True)])
