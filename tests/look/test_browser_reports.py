"""The cards in Chromium: light, dark and forced colours, wide and narrow, on paper and without their style."""

import re

import pytest
from lab_browser import browser, shot
from test_look import LABELS, MATRIX, every_card

from tinykit import look
from tinykit.lab import tour

pytestmark = pytest.mark.browser

# Text nodes with less contrast than 4.5 : 1, boxes that stick out of their card, and type under 10.9 px.
LOOK = """() => {
  const canvas = document.createElement("canvas"), pen = canvas.getContext("2d", { willReadFrequently: true });
  canvas.width = canvas.height = 1;
  const known = new Map(), grounds = new WeakMap();
  const rgba = (css, under) => {
    const key = `${css} ${under}`;
    if (!known.has(key)) known.set(key, measured(css, under));
    return known.get(key);
  };
  const measured = (css, under) => {
    pen.clearRect(0, 0, 1, 1);
    if (under) { pen.fillStyle = `rgb(${under.slice(0, 3)})`; pen.fillRect(0, 0, 1, 1); }
    pen.fillStyle = css; pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const bright = (c) => {
    const l = c.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2];
  };
  const ground = (e) => {
    if (!e) return [255, 255, 255, 255];
    if (!grounds.has(e)) {
      const css = getComputedStyle(e).backgroundColor, c = rgba(css);
      grounds.set(e, c[3] === 255 ? c : rgba(css, ground(e.parentElement)));
    }
    return grounds.get(e);
  };
  const faint = [], out = [], small = [];
  let texts = 0, smallest = 99;
  for (const card of document.querySelectorAll(".tk")) {
    const edge = card.getBoundingClientRect(), name = card.getAttribute("aria-label");
    for (const e of card.querySelectorAll("*")) {
      if (!e.checkVisibility() || e.closest(".vh")) continue;
      const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
      if (!own) continue;
      const words = e.textContent.trim().slice(0, 40), box = e.getBoundingClientRect(), style = getComputedStyle(e);
      if (!box.width) continue;
      texts += 1;
      if (parseFloat(style.fontSize) < 10.9) small.push([name, words, style.fontSize]);
      if (box.right > edge.right + 1 || box.left < edge.left - 1) out.push([name, words, box.right - edge.right]);
      const svg = e.closest("svg"), under = ground(e.closest("svg") ? svg.parentElement : e);
      const ink = rgba(svg ? style.fill : style.color, under);
      const [a, b] = [bright(ink), bright(under)].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
      smallest = Math.min(smallest, ratio);
      if (ratio < 4.5) faint.push([name, words, ratio, style.color]);
    }
  }
  return { faint, out, small, texts, smallest, ground: bright(ground(document.querySelector(".tk"))) };
}"""
HOSTILE = re.compile(r"&lt;script&gt;.*?&lt;/script&gt;&amp;")


def cards():
    """Cards as they are, with longer names than most, and one of many classes."""
    many = [f"word {k}" for k in range(12)]
    matrix = [[9 if i == j else (i + j) % 3 for j in range(12)] for i in range(12)]
    long = [{"name": "global_average_pooling2d_with_a_name", "kernel": "average_pool", "output": (60, 160),
             "macs": 10**7, "weights": 10**5, "cost": 10**7, "ram": 99_999, "instructions": 10**8, "per": 1.25,
             "step": k}
            for k in range(3)]  # fmt: skip
    own = [HOSTILE.sub("long-name", str(html)) for html in every_card().values()]
    return [*own, str(look.confusion(LABELS, MATRIX)), str(look.confusion(many, matrix)), str(look.layers(long))]


def notebook():
    import nbformat

    outputs = [
        {"output_type": "display_data", "data": {"text/html": html, "text/plain": look.text(html)}, "metadata": {}}
        for html in cards()
    ]
    code = {"cell_type": "code", "id": "b", "source": "cards", "outputs": outputs, "execution_count": 1, "metadata": {}}
    words = {"cell_type": "markdown", "id": "a", "source": "# Cards\n\nText.", "metadata": {}}
    return nbformat.from_dict({"cells": [words, code], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for theme in tour.THEMES:
        (folder / f"{theme}.html").write_text(tour.page(notebook(), theme), encoding="utf-8")
    body = "".join(cards())
    code = '<body class="vscode-dark" style="--vscode-editor-background:#1f1f1f;--vscode-editor-foreground:#ccc">'
    for name, start in (("bare", "<body>"), ("code", code)):
        (folder / f"{name}.html").write_text(f"<!doctype html>{start}{body}", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def page():
    with browser() as page:
        yield page


def seen(page, path, width=900, **media):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(**{"color_scheme": "light", "forced_colors": "none", "media": "screen", **media})
    page.goto(path.as_uri())
    return page.evaluate(LOOK)


@pytest.mark.parametrize("width", [900, 600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_of_the_tour_follows_its_reader(page, pages, scheme, width):
    found = seen(page, pages / "reader.html", width, color_scheme=scheme)
    shot(page, f"cards-{scheme}-{width}")
    assert found["texts"] > 300 and not found["faint"] and not found["small"]
    assert (found["ground"] > 0.9) == (scheme == "light") and (found["ground"] < 0.03) == (scheme == "dark")
    # What is wider than a narrow card is scrolled to; at 900 px nothing is.
    wide = page.evaluate("() => [...document.querySelectorAll('.tk')].filter((c) => c.scrollWidth > c.clientWidth + 1)")
    assert not wide and (width == 600 or not found["out"])
    shown = page.evaluate("() => [...document.querySelectorAll('.sep')].filter((e) => e.checkVisibility()).length")
    drawn = page.evaluate("() => [...document.querySelectorAll('.tk-drawn')].every((e) => e.checkVisibility())")
    assert shown == 0 and drawn


def test_a_chosen_theme_stays(page, pages):
    assert seen(page, pages / "dark.html", color_scheme="light")["ground"] < 0.03
    assert seen(page, pages / "light.html", color_scheme="dark")["ground"] > 0.9


def test_paper_is_white(page, pages):
    found = seen(page, pages / "reader.html", color_scheme="dark", media="print")
    assert found["ground"] > 0.9 and not found["faint"]


def test_pages_without_jupyterlab(page, pages):
    assert not seen(page, pages / "bare.html")["faint"]
    found = seen(page, pages / "code.html")
    assert not found["faint"] and found["ground"] < 0.03, "VS Code's dark theme"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forced_colours_keep_text_and_marks(page, pages, scheme):
    found = seen(page, pages / "reader.html", color_scheme=scheme, forced_colors="active")
    assert not found["faint"]
    ink = "(e) => getComputedStyle(e).stroke"
    axes = {page.locator(f".tk-pic .tr.{axis}").first.evaluate(ink) for axis in "xyz"}
    assert len(axes) == 1, "one colour, and lines of three kinds"
    dash = "(e) => getComputedStyle(e).strokeDasharray"
    assert len({page.locator(f".tk-pic .tr.{axis}").first.evaluate(dash) for axis in "xyz"}) == 3


def test_the_tree_for_screen_readers(page, pages):
    """Tables have names, rows and columns have headers, pictures and meters say what they show."""
    seen(page, pages / "bare.html")
    told = page.get_by_role("group", name="Who is taken for whom").nth(2).aria_snapshot()
    assert 'table "Rows: what it was. Columns: what the model said."' in told
    assert 'rowheader "wing"' in told and 'columnheader "punch"' in told and 'cell "26 of 30"' in told
    meter = page.get_by_role("meter", name="RAM")
    assert meter.get_attribute("aria-valuetext").replace("\u00a0", " ") == "293 KB of 256 KB used"
    unnamed = """() => [...document.querySelectorAll('.tk table, .tk svg[role], .tk canvas, .tk [role=meter]')]
      .filter((e) => !(e.getAttribute('aria-label') || e.querySelector('caption')))
      .map((e) => e.outerHTML.slice(0, 90))"""
    assert page.evaluate(unnamed) == []
