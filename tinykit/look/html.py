"""Pieces of HTML in the lab's look: numbers, states, bars, tables, notes, cards.

Two kinds of string. Text arguments are escaped. ``body`` and ``foot`` are HTML and go in as they
are; so does an ``Html`` value anywhere, so that pieces nest::

    card("Cost", body=table([["conv", 248900]], ["layer", "cycles"]), state=("ok", "measured"))
"""

from __future__ import annotations

import html as _html
import math
from functools import lru_cache
from importlib.resources import files

from . import icons

MINUS = "\u2212"


class Html(str):
    """A string that is HTML already: not escaped again, shown as HTML by Jupyter and as text by a terminal."""

    def __repr__(self) -> str:
        from .twin import text

        return text(self)

    def _repr_html_(self) -> str:
        return str(self)

    def __html__(self) -> str:
        return str(self)


def esc(text) -> Html:
    """Escape for element content and double-quoted attributes; ``Html`` passes unchanged."""
    if isinstance(text, Html):
        return text
    return Html(_html.escape("" if text is None else str(text), quote=True))


def number(value, unit: str = "", digits: int | None = None, sign: bool = False) -> str:
    """A number as people read it: thousands with comma, true minus, no "-0", unit after a space.

    Parameters
    ----------
    value : number or None
        None and not-a-number give "unknown"; infinity gives "no limit".
    unit : str
        Printed after a no-break space.
    digits : int, optional
        Digits after the point. Default: none for integers, else enough for three significant ones.
    sign : bool
        Print "+" before positive numbers.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "unknown"
    if isinstance(value, float) and math.isinf(value):
        return "no limit"
    if digits is None:
        size = abs(value)
        whole = float(value).is_integer()
        digits = 0 if whole or size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    text = f"{value:,.{digits}f}"
    if not any(c in "123456789" for c in text):
        text = text.lstrip("-")
    elif text.startswith("-"):
        text = MINUS + text[1:]
    elif sign:
        text = "+" + text
    return f"{text}\u00a0{unit}" if unit else text


def percent(part, whole=None, digits: int = 1) -> str:
    """ "93.3 %"; with ``whole`` the share of it, and "140 of 150" beside it says of how many."""
    if whole is None:
        return number(100 * part, "%", digits)
    if not whole:
        return "none of 0"
    return f"{number(100 * part / whole, '%', digits)} ({number(part)} of {number(whole)})"


def kilobytes(n) -> str:
    """Bytes as people read them: "720 B" below 1,024, then "9.6 KB" (1 KB = 1,024 bytes)."""
    if n is None:
        return "unknown"
    if abs(n) < 1024:
        return number(int(n), "B")
    kb = n / 1024
    return number(kb, "KB", 0 if kb >= 100 else 1) if kb < 1024 else number(kb / 1024, "MB", 2)


def icon(name: str) -> Html:
    """One of ``icons.PATHS``, hidden from screen readers: a word always stands beside it."""
    return Html(f'<span class="ic" aria-hidden="true">{icons.svg(name)}</span>')


def state(kind: str, text, picture: str | None = None) -> Html:
    """A lower-case word after its shape. ``kind``: ok, warn, bad, none, run."""
    return Html(f'<span class="tk-st tk-{kind}">{icon(picture or kind)}<span>{esc(text)}</span></span>')


_state = state  # ``card`` has an argument of that name
_WORDS = {"ok": "good", "warn": "look here", "bad": "failed", "none": "not done", "run": "now"}


def tag(text) -> Html:
    """A small bordered word such as "simulated data"."""
    return Html(f'<span class="tk-tag">{esc(text)}</span>')


def estimated(how: str = "", word: str = "estimated") -> Html:
    """The word "estimated", with how in its tooltip."""
    title = f' title="{esc(how)}"' if how else ""
    return Html(f'<span class="tk-est"{title}>{esc(word)}</span>')


def muted(text) -> Html:
    """Secondary text."""
    return Html(f'<span class="mut">{esc(text)}</span>')


def mono(text) -> Html:
    """A name as the computer spells it: a port, a hash, a variable."""
    return Html(f'<span class="mono">{esc(text)}</span>')


def bar(share: float, accent: bool = False, est: bool = False, label: str = "") -> Html:
    """A bar of ``share`` (0 to 1) of its width; hatched when estimated.

    With ``label`` it is a meter for assistive technology; without, decoration beside a number.
    """
    share = 0.0 if share is None or math.isnan(share) else min(1.0, max(0.0, share))
    kind = " ".join(k for k, on in (("acc", accent), ("est", est)) if on)
    fill = "--tk-fill:var(--tk-accent);" if accent and est else ""
    aria = (
        f'role="meter" aria-label="{esc(label)}" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{100 * share:.1f}" aria-valuetext="{number(100 * share, "percent", 1)}"'
        if label
        else 'aria-hidden="true"'
    )
    return Html(f'<span class="tk-bar" {aria}><i class="{kind}" style="{fill}width:{100 * share:.2f}%"></i></span>')


def table(rows, head=None, align: str = "", caption: str = "", best: int | None = None, raw: bool = False) -> Html:
    """A plain table over the whole width of a card.

    Parameters
    ----------
    rows : sequence of sequences
        Cells; text is escaped, ``Html`` is not, numbers are formatted and set to the right.
    head : sequence, optional
        Column names.
    align : str
        One letter a column: l, c or r. Default: r for columns of numbers, else l.
    caption : str
        What the table is, for assistive technology.
    best : int, optional
        Index of a row to set in bold.
    raw : bool
        Text cells are HTML already.
    """
    rows = [[Html(c) if raw and isinstance(c, str) else c for c in row] for row in rows]
    columns = max([len(r) for r in rows] + [len(head or ())], default=0)
    if not align:
        numeric = [
            all(_is_number(r[i]) for r in rows if i < len(r) and r[i] not in ("", None)) and bool(rows)
            for i in range(columns)
        ]
        align = "".join("r" if n else "l" for n in numeric)
    out = [f'<caption class="vh">{esc(caption)}</caption>' if caption else ""]
    if head:
        cells = "".join(
            f'<th scope="col" class="{align[i]}">{esc(h)}</th>' if h else "<td></td>" for i, h in enumerate(head)
        )
        out.append(f"<thead><tr>{cells}</tr></thead>")
    out.append("<tbody>")
    for k, row in enumerate(rows):
        cells = "".join(_table_cell(c, align[i], i == 0 and columns > 1) for i, c in enumerate(row))
        out.append(f'<tr class="best">{cells}</tr>' if k == best else f"<tr>{cells}</tr>")
    out.append("</tbody>")
    return Html(f'<div class="tk-scroll"><table class="tk-grid">{"".join(out)}</table></div>')


def _table_cell(value, align: str, names: bool) -> str:
    """One cell; ``names``: it says what its row is about."""
    text = esc(number(float(value) if type(value).__module__ == "numpy" else value) if _is_number(value) else value)
    if isinstance(value, Html) and value.startswith('<span class="tk-bar"'):
        return f'<td class="bars">{value}</td>'
    if names:
        return f'<th scope="row" class="row {align} num">{text}</th>'
    return f'<td class="{align} num">{text}</td>'


def _is_number(x) -> bool:
    return isinstance(x, (int, float)) and not isinstance(x, bool) or type(x).__module__ == "numpy"


def facts(pairs) -> Html:
    """Name and value, one pair a line. ``pairs``: a dict or a sequence of pairs; None values are left out."""
    pairs = pairs.items() if hasattr(pairs, "items") else pairs
    lines = "".join(f"<dt>{esc(k)}</dt><dd>{esc(v)}</dd>" for k, v in pairs if v is not None)
    return Html(f'<dl class="tk-dl">{lines}</dl>')


def parted(by: str = ", ") -> Html:
    """What parts two pieces where the style is stripped; with the style they stand apart, and it is not seen."""
    return Html(f'<span class="sep">{esc(by)}</span>')


def drawn(picture, label: str, padding: str = "", ground: str = "tk-plot") -> Html:
    """A drawing with words in it, on the ground of data; where drawings are stripped, what it shows as a sentence.

    Without ``hidden`` the words of a stripped drawing would stay behind in a heap.

    Parameters
    ----------
    picture : HTML
        SVG, with ``label`` as its ``aria-label``.
    padding : str
        CSS.
    ground : str
        Class of the ground; empty: the card's own.
    """
    style = f' style="padding:{padding}"' if padding else ""
    kind = f"{ground} tk-drawn".strip()
    words = f'<p class="sep tk-drawn-words">[{esc(label)}]</p>'
    return Html(f'<div class="{kind}"{style} hidden>{picture}</div>{words}')


def dots(*parts) -> Html:
    """Facts joined by " · "; empty ones are left out."""
    return Html(" · ".join(esc(p) for p in parts if p not in (None, "")))


def note(kind: str, text, next: str = "") -> Html:
    """A sentence across the card. ``kind``: ok, warn, bad, run, none; ``next`` goes after "Next:"."""
    role = ' role="alert"' if kind == "bad" else ""
    colour = {"none": "edge", "run": "accent"}.get(kind, kind)
    picture = "next" if kind == "run" else kind
    mark = f'<span class="ic" style="color:var(--tk-{colour})" aria-hidden="true">{icons.svg(picture)}</span>'
    more = f"{'<br>' if text else ''}<b>Next:</b> {esc(next)}" if next else ""
    return Html(f'<div class="tk-note tk-{kind}"{role}>{mark}<div>{esc(text)}{more}</div></div>')


def card(
    title, subtitle="", body="", foot="", state=None, label: str = "", pad: bool = False, classes: str = ""
) -> Html:
    """A card: head (title, subtitle, state at the right), body, foot; with the style it needs.

    Parameters
    ----------
    title, subtitle : text
    body, foot : HTML
        The foot is for facts; join them with ``dots``.
    state : (kind, text) or kind or Html, optional
        What ``state()`` takes; a kind alone gets its usual word.
    label : str
        Name for assistive technology; default the title.
    pad : bool
        Put the body in the card's padding (tables and plots go to the edge, text should not).
    """
    by = " " if isinstance(state, Html) else ": "
    if isinstance(state, tuple):
        state = _state(*state)
    elif state in _WORDS:
        state = _state(state, _WORDS[state])
    right = f'<span class="tk-sp"></span>{parted(by)}{state}' if state else ""
    sub = f'<span class="mut">{esc(subtitle)}</span>' if subtitle else ""
    inner = f'<div class="tk-body">{body}</div>' if pad else body
    below = f'<div class="tk-foot"><span class="tk-facts">{foot}</span></div>' if foot else ""
    return Html(
        f'{style()}<section class="{f"tk {classes}".strip()}" role="group" aria-label="{esc(label or title)}">'
        f'<div class="tk-head"><h3>{esc(title)}</h3>{sub}{right}</div>{inner}{below}</section>'
    )


def stack(*cards) -> Html:
    """Several cards under each other, with the style once."""
    sheet = style()
    return Html(sheet + "".join(str(c).replace(sheet, "") for c in cards))


@lru_cache(maxsize=1)
def sheet() -> str:
    """The style sheet's text (tk.css), comments removed."""
    text = files(__package__).joinpath("tk.css").read_text(encoding="utf-8")
    out, rest = "", text
    while "/*" in rest:
        before, rest = rest.split("/*", 1)
        out, rest = out + before, rest.split("*/", 1)[1]
    return "\n".join(line.strip() for line in (out + rest).splitlines() if line.strip())


def style() -> Html:
    """The style sheet as an element, to stand once in an output."""
    return Html(f"<style>{sheet()}</style>")


@lru_cache(maxsize=1)
def following() -> str:
    """Style for a page whose ``<body>`` has the class ``tk-follow``: cards take the reader's theme, light or dark.

    On paper they are light.
    """
    text = sheet()
    start = text.index("{", text.index('[data-tk-ground="dark"]{'))
    dark = text[start : text.index("}", start) + 1]
    return f"@media screen and (prefers-color-scheme:dark){{.tk-follow .tk.tk{dark}}}"
