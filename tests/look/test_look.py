"""The look: escaped, well-formed, self-contained, and right about numbers."""

import ast
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tinykit import look
from tinykit.look import report

VOID = {"br", "hr", "img", "input", "meta", "link", "col", "path", "line", "rect", "circle", "polygon", "polyline"}
LABELS = ["circle", "wing", "punch", "flex", "rest"]
MATRIX = [[28, 1, 0, 1, 0], [2, 26, 0, 2, 0], [0, 1, 29, 0, 0], [1, 1, 0, 28, 0], [0, 0, 0, 1, 29]]


class Balance(HTMLParser):
    """Fails on a tag that closes what is not open, and collects the text."""

    def __init__(self):
        super().__init__()
        self.open, self.text, self.tags, self.attributes = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        assert self.open and self.open[-1] == tag, f"</{tag}> while {self.open[-3:]} are open"
        self.open.pop()

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.text.append(data)


def parse(html):
    parser = Balance()
    parser.feed(str(html))
    parser.close()
    assert parser.open == []
    parser.said = re.sub(r"\s+", " ", " ".join(parser.text).replace("\u00a0", " "))
    return parser


def every_card():
    """One of each, with text that would break out if it were not escaped."""
    bad = '<script>alert("x")</script>&'
    samples = [[math.sin(i / 9), 0.1, 1.0, 90 * math.cos(i / 9), 0, -5] for i in range(300)]
    return {
        "card": look.card(bad, bad, look.facts({bad: bad}) + look.note("bad", bad, bad), look.dots(bad), ("warn", bad)),
        "table": look.card("t", body=look.table([[bad, 1234.5], ["x", -2]], [bad, "n"], caption=bad)),
        "confusion": look.confusion([bad, *LABELS[1:]], MATRIX, subtitle=bad),
        "unsure": look.confusion([bad, "b"], [[3, 1, 1], [0, 4, 0]]),
        "versus": look.versus(
            [look.Versus(bad, 20, 10, "KB"), look.Versus("c", None, 3.0, est=True, how=bad)], subtitle=bad
        ),
        "layers": look.layers([{"name": bad, "output": (60, 16), "weights": 544, "cost": 100, "macs": 7}], how=bad),
        "arena": look.arena(
            [{"name": bad, "offset": 0, "size": 720, "first": 0, "last": 1}], [bad, "b"], 1024, kept=100
        ),
        "fits": look.fits([("RAM", 262144, [(bad, 300000, True)])], advice=bad),
        "dataset": look.dataset_card(bad, ["a"], [bad], [[3]], ["train"], {bad: bad}, [bad], bad),
        "crowd": look.crowd_card(bad, [(bad, 3, 2, [1, 2], "")], 2, [bad, "test"], {bad: bad}, [bad], bad, unit=bad),
        "shares": look.shares([(bad, 1, 2), ("none", 0, 0)], bad),
        "traces": look.card("t", body=look.traces(samples, 119, gaps=[(50, 7)], label=bad)),
        "spark": look.card("t", body=look.spark(samples, label=bad)),
        "lanes": look.card("t", body=look.lanes([[0.1, 0.9]] * 9, [bad, "b"], 0.7, [0] * 5 + [-1] * 4)),
        "tap": look.card(bad, body=look.double_tap()),
        "check": look.check_card("not yet", bad, bad, bad, bad, [(True, bad)], bad, (1, 2), bad, bad, foot=[bad]),
    }


@pytest.mark.parametrize("name", every_card())
def test_a_card_is_well_formed_escaped_and_needs_no_network(name):
    html = every_card()[name]
    parsed = parse(html)
    assert "script" not in parsed.tags
    assert 'alert("x")' in " ".join(parsed.text + [str(v) for _, v in parsed.attributes])
    assert not re.search(r"https?:|//[a-z]|url\((?!#)|@import|src=", html.replace("http://www.w3.org/2000/svg", ""))


def test_pieces_nest_without_being_escaped_twice():
    html = look.card("t", look.tag("a & b"), look.note("ok", look.mono("x<y")))
    assert "a &amp; b" in html and "x&lt;y" in html and "&amp;amp;" not in html


def test_the_style_stands_once_in_a_stack():
    cards = [look.card("a"), look.confusion(LABELS, MATRIX)]
    assert look.stack(*cards).count("<style>") == 1
    assert all(card.count("<style>") == 1 for card in cards)


def test_the_style_is_scoped():
    """Nothing outside a tinykit card may change: each selector names a tk class or its ground."""
    sheet = re.sub(r"\{[^{}]*\}", "{}", look.sheet())
    sheet = re.sub(r"@(media|container)[^{]*\{", "", sheet)
    for selector in re.findall(r"([^{}]+)\{\}", sheet):
        for part in re.sub(r":is\((?:[^()]|\([^()]*\))*\)", ":is", selector).split(","):
            if part.strip():
                assert re.search(r"\.tk\b|\.tk-", part), part


@pytest.mark.parametrize(
    "value, options, text",
    [
        (248900, {}, "248,900"),
        (-2, {}, "\u22122"),
        (-0.001, {"digits": 1}, "0.0"),
        (0.25, {"sign": True}, "+0.250"),
        (93.3333, {"unit": "%", "digits": 1}, "93.3\u00a0%"),
        (12.34, {}, "12.3"),
        (1234.6, {}, "1,235"),
        (None, {}, "unknown"),
        (float("nan"), {}, "unknown"),
        (float("inf"), {}, "no limit"),
    ],
)
def test_numbers_read_as_people_write_them(value, options, text):
    assert look.number(value, **options) == text


def test_shares_carry_their_base():
    assert look.percent(140, 150) == "93.3\u00a0% (140 of 150)"
    assert look.percent(0, 0) == "none of 0"
    assert look.kilobytes(720) == "720\u00a0B" and look.kilobytes(9840) == "9.6\u00a0KB"


@pytest.mark.parametrize("right, n", [(140, 150), (0, 5), (5, 5), (1, 3), (999, 1000)])
def test_wilsons_interval_solves_its_equation(right, n):
    """Its ends are where |p - q| = z sqrt(q (1 - q) / n): checked by putting them in, not by the formula."""
    p, z = right / n, 1.96
    for q in report.wilson(right, n):
        assert abs(p - q) == pytest.approx(z * math.sqrt(max(0.0, q * (1 - q)) / n), abs=1e-9)


def test_text_in_the_matrix_can_be_read_in_both_themes():
    """WCAG contrast of every cell's text on its own shade, at least 4.5 : 1."""

    def luminance(rgb):
        linear = [v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in (c / 255 for c in rgb)]
        return sum(w * v for w, v in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    for share in range(0, 101):
        style = report._cell(share, 100, False)
        for theme in "ld":
            rgb = list(map(int, re.search(rf"--{theme}:rgb\((\d+),(\d+),(\d+)\)", style).groups()))
            ink = re.search(rf"--{theme}t:(#\w+)", style).group(1)
            a, b = sorted((luminance(rgb), luminance((255,) * 3 if ink == "#fff" else (0,) * 3)))
            assert (b + 0.05) / (a + 0.05) >= 4.5, (share, theme)


def test_the_confusion_card_says_what_the_matrix_says():
    said = parse(look.confusion(LABELS, MATRIX)).said
    assert "140 of 150 takes right" in said and "How sure is 93.3 %?" in said
    assert "“wing” taken for “circle”: 2 of 30" in said
    assert "28 of 30" in said and "28 of 31" in said  # recall and precision of circle
    assert parse(look.confusion(["a"], [[0]])).said.count("No takes were tested") == 1


def test_a_column_more_is_unsure_not_wrong():
    said = parse(look.confusion(["a", "b"], [[3, 1, 1], [0, 4, 0]])).said
    assert "unsure" in said and "7 of 9 takes right" in said and "left unsure: 1 of 5" in said


def test_versus_compares_in_words_and_marks_estimates():
    said = parse(look.versus([look.Versus("plan", 20.0, 10.0, "KB"), look.Versus("cycles", 100, 400, est=True)])).said
    assert "2.0 times smaller" in said and "4.0 times larger" in said and said.count("estimated") == 1
    html = look.versus([look.Versus("cycles", 100, 400, est=True)])
    assert html.count('class="est"') == 1 and html.count('class="acc est"') == 1


def test_what_does_not_fit_is_said_and_drawn_past_the_end():
    html = look.fits(
        [("Flash", 1000, [("a", 600)]), ("RAM", 256 * 1024, [("core", 62 * 1024), ("arena", 225 * 1024, True)])]
    )
    said = parse(html).said
    assert "It does not fit. RAM: 31 KB too much." in said and "287 KB needed, 256 KB there" in said
    assert html.count('class="ov"') == 1
    assert "It fits." in parse(look.fits([("RAM", 1000, [("a", 250)])])).said


def test_a_card_of_many_people_says_how_many_in_which_part():
    rows = [("go", 420, 236, [384, 36], ""), ("up", 9, 9, [9, 0], "")]
    said = parse(look.crowd_card("w", rows, 240, ["training", "test"])).said
    assert "go 420 384 36 236" in said and "up 9 9 0 9" in said and "all 429 393 36 240" in said


def test_the_arena_finds_its_peak():
    tensors = [
        {"name": "in", "offset": 0, "size": 720, "first": 0, "last": 0},
        {"name": "out 1", "offset": 720, "size": 960, "first": 0, "last": 1},
        {"name": "out 2", "offset": 0, "size": 640, "first": 1, "last": 2},
    ]
    said = parse(look.arena(tensors, ["a", "b", "c"], 4096)).said
    assert "peak 1,680 B, in step 1" in said and "4,096 bytes given, 1,680 used" in said


def test_no_line_crosses_a_gap():
    """Every missing stretch, and every value that is not a number, lifts the pen once."""
    samples = [[0.0] * 6 for _ in range(100)]
    whole, gap = look.traces(samples, 100), look.traces(samples, 100, gaps=[(40, 9)])
    pens = [re.findall(r' d="([^"]*)" ?/?>', html.replace("\n", "")) for html in (whole, gap)]
    curves = [[d for d in found if d.count("L") > 50] for found in pens]
    assert [d.count("M") for d in curves[0]] == [1] * 6
    assert [d.count("M") for d in curves[1]] == [2] * 6
    assert "9 lost" in parse(gap).said


def test_the_look_is_a_leaf():
    """It imports nothing of tinykit outside itself, and nothing that is not in the standard library."""
    folder = Path(look.__file__).parent
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.level <= 1, f"{path.name} imports {node.module}"
            names = (
                [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom) and not node.level
                else []
            )
            assert not any(n.split(".")[0] in ("tinykit", "numpy", "matplotlib") for n in names), path.name


def test_all_that_is_offered_is_there():
    assert all(hasattr(look, name) for name in look.__all__)


class Stripped(HTMLParser):
    """What is left of a page where its style, its drawings and ``hidden`` parts are taken away."""

    BLOCKS = {"div", "p", "section", "table", "caption", "tr", "td", "th", "dl", "dt", "dd", "ul", "ol", "li", "h3",
              "h4", "details", "summary", "pre", "figure", "figcaption", "br"}  # fmt: skip

    def __init__(self, html):
        super().__init__()
        self.words, self.open, self.heap = [], [], []
        self.feed(str(html))

    def handle_starttag(self, tag, attrs):
        if tag in self.BLOCKS:
            self.words.append("\n")
        if tag not in VOID:
            self.open.append("hidden" if "hidden" in dict(attrs) else tag if tag in ("style", "svg") else "")

    def handle_endtag(self, tag):
        if tag not in VOID:
            self.open.pop()
        if tag in self.BLOCKS:
            self.words.append("\n")

    def handle_data(self, data):
        if not any(self.open):
            self.words.append(data)
        elif "svg" in self.open and "hidden" not in self.open and data.strip():
            self.heap.append(data)

    @property
    def lines(self):
        return [line.strip() for line in "".join(self.words).replace("\u00a0", " ").split("\n") if line.strip()]


def test_cards_read_without_their_style():
    """JupyterLab shows a notebook of somebody else's so: words must not run together, nor drawings leave theirs."""
    lines = Stripped(look.confusion(LABELS, MATRIX)).lines
    assert "93 %, 28" in lines and "28 of 30" in lines
    lines = Stripped(look.fits([("RAM", 262144, [("core", 60000), ("arena", 9000, True)])])).lines
    assert "core 59 KB, arena 8.8 KB, free 189 KB of 256 KB" in lines
    lines = Stripped(look.card("Dataset", "gestures", state=("ok", "linked"))).lines
    assert lines == ["Dataset", "gestures: linked"]
    lines = Stripped(look.check_card("not yet", "Exercise 1", "Bytes", hint="Count.", hint_number=(1, 2))).lines
    assert lines == ["Exercise 1", "Bytes: not yet", "Hint 1 of 2: Count."]
    tensors = [{"name": "in", "offset": 0, "size": 720, "first": 0, "last": 0}]
    lines = Stripped(look.arena(tensors, ["a", "b"], 1024, twin="x\ny")).lines
    assert lines[1] == "1,024 bytes given, 720 used"
    assert lines[2].startswith("[Arena of 1,024 bytes over 2 steps.") and lines[3:] == ["The same as text", "x", "y"]


@pytest.mark.parametrize("name", every_card())
def test_a_drawing_leaves_a_sentence_and_no_heap_of_words(name):
    html = every_card()[name]
    parsed, stripped = parse(html), Stripped(html)
    left = " ".join(stripped.lines)
    assert not stripped.heap
    if "text" in parsed.tags:
        labels = [str(v).replace("\u00a0", " ") for k, v in parsed.attributes if k == "aria-label"]
        assert any(f"[{label}]" in left for label in labels), left


def test_a_card_in_a_terminal_is_its_text():
    said = repr(look.confusion(LABELS, MATRIX, subtitle="int8"))
    assert "<" not in said and "font" not in said
    rows = [line.split() for line in said.splitlines()]
    assert rows[0] == "Who is taken for whom: int8".split()
    assert "wing 7 %, 2 87 %, 26 0 7 %, 2 0 26 of 30".split() in rows
    assert said.count("140 of 150 takes right.") == 1
    header = next(line for line in said.splitlines() if "it was" in line)
    row = next(line for line in said.splitlines() if line.strip().startswith("rest"))
    assert row.index("97 %, 29") + 8 == header.index("rest") + 4, "a number ends where its column's name ends"


def test_the_text_twin_says_all_that_the_card_says():
    """Every number and word of each card is in its text, but for what is a picture there."""
    for name, html in every_card().items():
        plain = re.sub(r"\W+", "", look.text(html, 10**4))
        for line in Stripped(re.sub(r"<caption.*?</caption>", "", str(html))).lines:
            if not line.startswith("["):
                for word in line.replace("[", " ").split():
                    assert re.sub(r"\W+", "", word) in plain, (name, line, word)


def test_long_text_is_wrapped_and_notes_keep_their_marks():
    said = look.text(look.card("T", body=look.note("warn", "few takes " * 20, "Record more.")), 60)
    assert all(len(line) <= 60 for line in said.splitlines())
    assert said.splitlines()[1].startswith(" ! few takes") and said.splitlines()[-1] == "   Next: Record more."
    wide = look.table([["a", "word " * 40]], ["what", "found"])
    lines = look.text(wide, 70).splitlines()
    assert max(map(len, lines)) <= 70 and lines[2].startswith("        word") and len(lines) == 5


def test_a_gap_is_as_wide_as_what_is_lost():
    """100 rows and 100 lost: the hatched band is half of the picture, and time counts both."""
    html = str(look.traces([[0.0] * 6] * 100, 100, gaps=[(50, 100)]))
    left, wide = map(float, re.search(r'<rect x="([\d.]+)%" y="28" width="([\d.]+)%"', html).groups())
    assert left == pytest.approx(100 * 49 / 199, abs=0.01) and wide == pytest.approx(100 * 101 / 199, abs=0.01)
    said = parse(html).said
    assert "100 lost" in said and "\u22122.0 s" in said.replace("\u22122 s", "\u22122.0 s")
    assert look.traces([[0.0] * 6] * 5, 100, gaps=[(0, 3), (9, 3)]).count("lost") == 0, "a gap has two sides"
