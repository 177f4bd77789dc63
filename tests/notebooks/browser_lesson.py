"""A lesson open in JupyterLab: its cells run as a student runs them, and what they left."""

import math
import re

from lab_browser import _NOTEBOOK, open_notebook, printed, problems, raised, shot, show, text, theme, wait

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
        # From one notebook to the next JupyterLab itself may raise in its own code; widgets come as blobs.
        wrong = [m for m in raised(self.page) if any(word in m for word in ("anywidget", "blob:", "tinykit"))]
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
        size = self.page.viewport_size
        outer = self.page.locator(".jp-WindowedPanel-outer")
        height = outer.evaluate("(outer) => outer.querySelector('.jp-WindowedPanel-viewport').scrollHeight")
        self.page.set_viewport_size({"width": 1000, "height": height + 150})
        outer.evaluate("(outer) => { outer.scrollTop = 0; }")
        shot(self.page, f"lesson-{self.number}")
        self.page.set_viewport_size(size)


def circle(page, pad, seconds=1.0, across_cm=20):
    """Draw a circle on the signal pad with the pointer, clockwise from the top.

    The way is gone by the page's own clock, so a slow machine draws it with fewer points, not slower.
    """
    surface = pad.locator("canvas.tk-pad")
    surface.scroll_into_view_if_needed()
    box = surface.bounding_box()
    x, y, r = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, across_cm / 2 * box["height"] / 40
    page.mouse.move(x, y - r)
    page.mouse.down()
    surface.evaluate(
        """async (surface, [x, y, r, ms]) => {
          for (let begin = performance.now(), share = 0; share < 1;) {
            await new Promise((next) => setTimeout(next, 8));
            share = Math.min(1, (performance.now() - begin) / ms);
            const eased = share - Math.sin(2 * Math.PI * share) / (2 * Math.PI); // a hand starts and stops softly
            surface.dispatchEvent(new PointerEvent("pointermove", { pointerId: 1, isPrimary: true, buttons: 1,
              clientX: x + r * Math.sin(2 * Math.PI * eased), clientY: y - r * Math.cos(2 * Math.PI * eased) }));
          }
        }""",
        [x, y, r, 1000 * seconds],
    )
    page.mouse.up()
    assert math.isclose(box["height"], 280, abs_tol=4), "the pad's height is 40 cm of the hand's way"
