"""The plain-text twin of a card: the same words and numbers, for terminals and where HTML is stripped."""

from __future__ import annotations

import re
import textwrap
from html.parser import HTMLParser

_VOID = {"br", "hr", "img", "input", "wbr", "path", "line", "rect", "circle", "polygon", "polyline", "image", "use"}
_LINE = {"div", "p", "section", "ul", "ol", "dl", "figure", "figcaption", "details", "summary", "h3", "h4", "tr"}
_MARKS = {"tk-bad": "!! ", "tk-warn": " ! ", "tk-ok": "ok ", "tk-run": "-> ", "tk-none": " - "}


class _Node:
    """An element: its name, its attributes, and what is in it (elements and text)."""

    def __init__(self, name: str, attributes=()):
        self.name, self.attributes, self.inside = name, dict(attributes), []

    def has(self, kind: str) -> bool:
        return kind in (self.attributes.get("class") or "").split()

    def all(self, *names):
        """Elements of these names in it, in order; not those inside one that was found."""
        for part in self.inside:
            if isinstance(part, _Node):
                if part.name in names:
                    yield part
                else:
                    yield from part.all(*names)


class _Tree(HTMLParser):
    def __init__(self, html: str):
        super().__init__()
        self.root = _Node("root")
        self._open = [self.root]
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        node = _Node(tag, attrs)
        self._open[-1].inside.append(node)
        if tag not in _VOID:
            self._open.append(node)

    def handle_startendtag(self, tag, attrs):
        self._open[-1].inside.append(_Node(tag, attrs))

    def handle_endtag(self, tag):
        for k in range(len(self._open) - 1, 0, -1):
            if self._open[k].name == tag:
                del self._open[k:]
                return

    def handle_data(self, data):
        self._open[-1].inside.append(data)


def text(html, width: int = 100) -> str:
    """HTML of this package as text for a terminal.

    Tables become columns, a drawing becomes what its label says, a state its word.

    Parameters
    ----------
    html : str
        A card, a stack of cards, or a piece of one.
    width : int
        Longest line; tables and preformatted text may be wider.
    """
    lines = _block(_Tree(str(html)).root, width)
    out = re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines))
    return out.strip("\n").replace("\u00a0", " ")


def shown(value, printer, cycle: bool) -> None:
    """A ``_repr_pretty_`` for what has a card: its text where it stands alone, the short form in a list."""
    alone = len(printer.group_stack) <= 2 and not cycle  # the printer's own group and the value's
    printer.text(text(value._repr_html_()) if alone else repr(value))


def _block(node: _Node, width: int) -> list[str]:
    """A block's lines: runs of inline content are wrapped, blocks in it follow each other."""
    lines, run = [], ""
    for part in node.inside:
        if isinstance(part, str) or not _is_block(part):
            run += _inline(part)
        else:
            lines += _wrapped(run, width)
            run = ""
            lines += _element(part, width)
    return lines + _wrapped(run, width)


def _element(node: _Node, width: int) -> list[str]:
    if node.has("tk-drawn-words"):  # the drawing itself has said it
        return []
    if node.name == "table":
        return _table(node, width)
    if node.name == "pre":
        return _inline(node, raw=True).strip("\n").split("\n")
    if node.name == "section":
        return [*_block(node, width), ""]
    if node.has("tk-head"):
        return _head(node)
    if node.attributes.get("role") == "img":
        return _wrapped(_inline(node), width)
    if node.attributes.get("role") == "meter":
        return [node.attributes.get("aria-valuetext") or ""]
    if node.has("tk-note"):
        mark = next((m for kind, m in _MARKS.items() if node.has(kind)), " - ")
        lines = _block(node, width - len(mark))
        return [(mark if i == 0 else " " * len(mark)) + line for i, line in enumerate(lines)]
    if node.name == "dl":
        return _facts(node, width)
    if node.name in ("ul", "ol"):
        marks = (f"{i}. " if node.name == "ol" else "- " for i in range(1, 10**6))
        return [
            line for item, mark in zip(node.all("li"), marks, strict=False)
            for line in _hung(_inline(item), mark, width)
        ]  # fmt: skip
    if node.name in ("h4", "h3"):
        return ["", *_wrapped(_inline(node), width)]
    return _block(node, width)


def _is_block(node: _Node) -> bool:
    return node.name in _LINE or node.name in ("table", "pre") or any(_is_block(n) for n in _nodes(node))


def _nodes(node: _Node):
    return (n for n in node.inside if isinstance(n, _Node))


def _head(node: _Node) -> list[str]:
    """Title, what it is of, and its state in brackets."""
    said = [(_inline(part).strip(), part) for part in _nodes(node) if not part.has("sep")]
    states = [words for words, part in said if words and (part.has("tk-st") or part.has("tk-tag"))]
    others = [words for words, part in said if words and words not in states and not part.has("tk-key")]
    return [": ".join(others) + "".join(f" [{state}]" for state in states)]


def _facts(node: _Node, width: int) -> list[str]:
    names = [_inline(n).strip() for n in node.all("dt")]
    values = [_inline(n).strip() for n in node.all("dd")]
    wide = min(24, max(map(len, names), default=0)) + 2
    return [
        line for name, value in zip(names, values, strict=False)
        for line in _hung(value, f"  {name:{wide}}", width)
    ]  # fmt: skip


def _inline(part, raw: bool = False) -> str:
    if isinstance(part, str):
        return part if raw else re.sub(r"[ \t\n]+", " ", part)
    label = part.attributes.get("aria-label") or ""
    if part.attributes.get("role") == "img" and label:
        return f" [{label}] "
    if part.name in ("style", "svg", "caption", "script") or part.attributes.get("aria-hidden") == "true":
        return ""
    if part.name == "audio":
        return f" [sound: {label}] " if label else " [sound] "
    if part.attributes.get("role") == "meter":
        return part.attributes.get("aria-valuetext") or ""
    if part.name == "br":
        return "\n"
    return "".join(_inline(p, raw) for p in part.inside)


def _table(node: _Node, width: int) -> list[str]:
    """Columns as wide as they must be, numbers to the right; a column in which nothing stands is left out."""
    rows = []
    for line in node.all("tr"):
        cells = []
        for cell in line.all("td", "th"):
            words = re.sub(r"\s+", " ", _cell(cell)).strip()
            right = cell.name == "td" and (cell.has("r") or bool(re.match(r"[\u2212+\d▾]", words)))
            cells.append((words, right))
            cells += [("", False)] * (int(cell.attributes.get("colspan") or 1) - 1)
        rows.append(cells)
    count = max(map(len, rows), default=0)
    rows = [row + [("", False)] * (count - len(row)) for row in rows]
    # A name that spans columns does not make its first one wide.
    spans = [any(cell.attributes.get("colspan") for cell in line.all("td", "th")) for line in node.all("tr")]
    plain = [row for row, spanning in zip(rows, spans, strict=True) if not spanning] or rows
    kept = [c for c in range(count) if any(row[c][0] for row in plain)]
    widths = [max(len(row[c][0]) for row in plain) for c in kept]
    rights = [sum(row[c][1] for row in plain) * 2 > sum(bool(row[c][0]) for row in plain[1:]) for c in kept]
    # What does not fit goes on under its own column, if that is the last one and has room.
    before = sum(widths[:-1]) + 2 * len(widths)
    room = width - before
    if not kept or rights[-1] or room < 30 or before + widths[-1] <= width:
        return ["  " + _columns([row[c][0] for c in kept], widths, rights) for row in rows]
    lines = []
    for row in rows:
        *words, last = [row[c][0] for c in kept]
        first, *more = textwrap.wrap(last, room, break_long_words=False, break_on_hyphens=False) or [""]
        lines.append("  " + _columns([*words, first], widths, rights))
        lines += [" " * before + line for line in more]
    return lines


def _columns(words, widths, rights) -> str:
    """One line; a word wider than its column, as over several columns, takes room from those after it."""
    out, at = "", 0
    for word, width, right in zip(words, widths, rights, strict=True):
        if word:
            out = out.ljust(at) if len(out) < at or not out else f"{out} "
            out += word.rjust(width) if right else word
        at += width + 2
    return out


def _cell(cell: _Node) -> str:
    """Blocks in a cell are parted by a space, as their line break is lost."""
    return "".join(f" {_cell(p)} " if _blocks(p) else _inline(p) for p in cell.inside)


def _blocks(part) -> bool:
    return isinstance(part, _Node) and (part.name in ("div", "p") or any(_blocks(p) for p in _nodes(part)))


def _wrapped(words: str, width: int) -> list[str]:
    lines = []
    for line in words.strip().split("\n"):
        lines += textwrap.wrap(line, max(20, width), break_long_words=False, break_on_hyphens=False)
    return lines


def _hung(words: str, mark: str, width: int) -> list[str]:
    lines = _wrapped(words, width - len(mark)) or [""]
    return [(mark if i == 0 else " " * len(mark)) + line for i, line in enumerate(lines)]
