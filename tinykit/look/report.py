"""Report cards: confusion matrix, float against int8, cost per layer, fit.

The sentence or the number comes first, the picture second; a share never stands without what it
is a share of; solid means measured and hatched means estimated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .html import Html, bar, card, esc, estimated, icon, number, parted
from .ramp import RAMPS, ramp

CLOCK_HZ = 64_000_000


def wilson(right: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's score interval for a share, 95 % unless told otherwise (Wilson 1927, JASA 22:209)."""
    if n == 0:
        return 0.0, 1.0
    p, zz = right / n, z * z
    centre = (p + zz / (2 * n)) / (1 + zz / n)
    half = z / (1 + zz / n) * math.sqrt(p * (1 - p) / n + zz / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def confusion(
    labels, matrix, title="Who is taken for whom", subtitle="", unit="take", units="", foot="", outside=0, answers=None
) -> Html:
    """The confusion matrix, with recall, precision, the worst mistakes and how sure the accuracy is.

    Parameters
    ----------
    labels : sequence of str
        Class names, in the order of the matrix.
    matrix : (n, n) array of int
        Rows: what it was. Columns: what the model said. A column more than rows is "unsure".
    unit, units : str
        What is counted: "take" or "window"; the plural defaults to unit + "s".
    foot : HTML
    outside : int
        How many more were of a label that the model does not know: wrong, and in no row.
    answers : sequence of int, optional
        How often each column was said, of those ``outside`` too; default: the sums of the columns.
    """
    units = units or unit + "s"
    labels = list(labels)
    matrix = [[int(v) for v in row] for row in matrix]
    said = labels + ["unsure"] * (max((len(r) for r in matrix), default=0) - len(labels))
    n = sum(map(sum, matrix)) + outside
    right = sum(matrix[i][i] for i in range(len(labels)))
    columns = list(answers) if answers is not None else [sum(r[j] for r in matrix) for j in range(len(said))]
    many = " lots" if len(said) > 8 else " many" if len(said) > 6 else ""
    up = " up" if len(said) > 8 else ""  # names stand upright where there are many
    head = "".join(f'<th class="c{up}" scope="col"><span>{esc(s)}</span></th>' for s in said)
    body = []
    for i, row in enumerate(matrix):
        total = sum(row)
        cells = "".join(_cell(v, total, i == j) for j, v in enumerate(row))
        body.append(
            f'<tr><th scope="row" class="row">{esc(labels[i])}</th>{cells}'
            f'<td class="e num">{row[i]} of {total}</td></tr>'
        )
    precision = "".join(
        f'<td class="e s num">{f"{matrix[j][j]} of {columns[j]}" if j < len(labels) else columns[j]}</td>'
        for j in range(len(said))
    )
    grid = (
        f'<div class="tk-scroll"><table class="tk-cm{many}"><caption class="vh">Rows: what it was. Columns: what the '
        f'model said.</caption><tr><td class="e"></td><th class="c" colspan="{len(said)}" scope="colgroup">the model '
        f'said</th><td class="e"></td></tr><tr><th scope="col">it was</th>{head}<th class="c" scope="col">found<br>'
        f"(recall)</th></tr>{''.join(body)}"
        f'<tr><th scope="row">correct<br>(precision)</th>{precision}<td class="e"></td></tr></table></div>'
    )
    side = _worst(labels, matrix) + _how_sure(right, n, units, outside)
    return card(title, subtitle, f'<div class="tk-two"><div>{grid}</div><div>{side}</div></div>', foot, label=title)


def _cell(v: int, total: int, diagonal: bool) -> str:
    share = v / total if total else 0.0
    shades = []
    for name, stops in zip("ld", RAMPS, strict=True):
        rgb = ramp(stops, 0.08 + 0.8 * share if v else 0.0)
        shades.append(f"--{name}:rgb({rgb[0]},{rgb[1]},{rgb[2]});--{name}t:{_ink(rgb)}")
    text = f"{100 * share:.0f}\u00a0%{parted()}<small>{v}</small>" if v else "0"
    text = f"<b>{text}</b>" if diagonal else text
    return f'<td class="{"dg" if diagonal else ""}" style="{";".join(shades)}">{text}</td>'


def _ink(rgb) -> str:
    """Black or white, whichever contrasts more (WCAG 2 relative luminance)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in rgb)]
    y = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#fff" if 1.05 / (y + 0.05) > (y + 0.05) / 0.05 else "#000"


def mistakes(labels, matrix, most: int = 3) -> list[str]:
    """The most frequent mistakes of a confusion matrix, a line each: “a” taken for “b”: 3 of 5."""
    wrong = [(v, i, j) for i, row in enumerate(matrix) for j, v in enumerate(row) if v and i != j]
    wrong.sort(key=lambda w: (-w[0], w[1], w[2]))
    return [
        f"“{labels[i]}” {'left unsure' if j >= len(labels) else f'taken for “{labels[j]}”'}: {v} of {sum(matrix[i])}"
        for v, i, j in wrong[:most]
    ]


def _worst(labels, matrix) -> str:
    lines = "".join(f"<li>{esc(line)}</li>" for line in mistakes(labels, matrix))
    if not lines:
        return "<h4>Where it goes wrong most</h4><p>Nowhere in this test.</p>" if matrix else ""
    return f'<h4>Where it goes wrong most</h4><ol class="tk-num">{lines}</ol>'


def _how_sure(right: int, n: int, units: str, outside: int) -> str:
    if not n:
        return f"<p>No {esc(units)} were tested.</p>"
    low, high = wilson(right, n)
    known = ""
    if outside:
        known = f" {number(outside)} of them had a label that the model does not know: wrong, and in no row."
    return (
        f"<h4>How sure is {number(100 * right / n, '%', 1)}?</h4>"
        f'<p class="s mut">{number(right)} of {number(n)} {esc(units)} right.{esc(known)} With this many {esc(units)} '
        f"the true value is likely between {number(100 * low, '%', 0)} and {number(100 * high, '%', 0)} "
        "(95\u00a0% interval).</p>"
    )


@dataclass(frozen=True)
class Versus:
    """One line of ``versus``.

    Parameters
    ----------
    measure : str
    before, after : float or None
        None: not there (a float model has no plan), shown as a dash word, no bar.
    unit : str
    digits : int, optional
        As in ``number``.
    full : float, optional
        What a full bar stands for; default the larger of the two.
    est : bool
        Both values are estimated: hatched bars and the word.
    how : str
        How it was estimated, for the tooltip.
    words : str, optional
        What to say in the last column. Default: "2.1 times smaller" and the like.
    less, more : str
        The words for it.
    """

    measure: str
    before: float | None
    after: float | None
    unit: str = ""
    digits: int | None = None
    full: float | None = None
    est: bool = False
    how: str = ""
    words: str | None = None
    less: str = "smaller"
    more: str = "larger"


def versus(rows, title="Float32 and int8", subtitle="", names=("float32", "int8"), foot="") -> Html:
    """Two versions side by side, one scale a row, the older first.

    Parameters
    ----------
    rows : sequence of Versus or dict
    names : (str, str)
        What the two versions are called.
    foot : HTML
        Assumptions, such as the power that an energy figure rests on.
    """
    rows = [r if isinstance(r, Versus) else Versus(**r) for r in rows]
    lines = []
    for r in rows:
        full = r.full or max([abs(v) for v in (r.before, r.after) if v is not None], default=0) or 1
        bars = "".join(
            bar(v / full, accent=k == 1, est=r.est)
            if v is not None
            else '<span class="tk-bar" aria-hidden="true"></span>'
            for k, v in enumerate((r.before, r.after))
        )
        a, b = ("none" if v is None else number(v, r.unit, r.digits) for v in (r.before, r.after))
        word = f"<br>{estimated(r.how)}" if r.est else ""
        lines.append(
            f'<tr><th scope="row" class="row">{esc(r.measure)}{word}</th><td class="r num '
            f'two"><div>{esc(a)}</div><div><b>{esc(b)}</b></div></td>'
            f'<td class="bars">{bars}</td><td class="wd">{esc(_times(r) if r.words is None else r.words)}</td></tr>'
        )
    old, new = map(esc, names)
    body = (
        f'<div class="tk-scroll"><table class="tk-grid"><caption class="vh">{esc(title)}: of each measure {old} first, '
        f'then {new}</caption><thead><tr><th scope="col">measure</th><th class="r" scope="col">'
        f'{old}<br>{new}</th><td class="bars"></td><th class="wd" scope="col">{new} compared with '
        f"{old}</th></tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )
    return card(title, subtitle, body, foot)


def _times(r: Versus) -> str:
    if not r.before or not r.after or r.before < 0 or r.after < 0:
        return ""
    factor = max(r.before, r.after) / min(r.before, r.after)
    if factor < 1.05:
        return "about the same"
    return f"{number(factor, digits=1)} times {r.less if r.after < r.before else r.more}"


def layers(rows, title="Cost per layer", subtitle=None, est=True, how="", foot="", unit="cycles") -> Html:
    """Cost per layer in the order of the model.

    Parameters
    ----------
    rows : sequence of dict
        ``name``, ``output`` (shape as text or tuple), ``weights`` (bytes) and ``cost`` (in ``unit``),
        optionally ``step`` (its number in the arena's picture), ``kernel``, ``macs``, ``instructions``, ``per``
        (cost a MAC) and ``ram`` (bytes in use).
    subtitle : text, optional
        Default: the sum, and for cycles the time it takes at 64 MHz.
    est : bool
        The costs are estimated.
    how : str
        How they were estimated, for the tooltip.
    """
    rows = [dict(r) for r in rows]
    total = sum(r["cost"] for r in rows) or 1
    most = max((r["cost"] for r in rows), default=1) or 1
    peak = max((r.get("ram") or 0 for r in rows), default=0)
    if subtitle is None:
        time = f" = {number(1000 * total / CLOCK_HZ, 'ms', 1)} at 64 MHz" if unit == "cycles" else ""
        word = f", {estimated(how)}" if est else ", measured"
        subtitle = Html(f"{number(total)} {esc(unit)}{time}{word}")
    has = {key for key in ("macs", "instructions", "per", "ram") if any(r.get(key) is not None for r in rows)}

    def cell(row, key, text, hide=""):
        return f'<td class="r num{hide}">{text(row.get(key))}</td>' if key in has else ""

    lines = []
    for r in rows:
        shape = r.get("output", "")
        shape = "×".join(map(str, shape)) if isinstance(shape, (tuple, list)) else shape
        weights = f"{number(r['weights'])}\u00a0B" if r.get("weights") else "none"
        step = f'<span class="mut">{r["step"]}</span> ' if r.get("step") else ""
        kernel = f' <span class="mut hide6">{esc(r["kernel"])}</span>' if r.get("kernel") else ""
        lines.append(
            f'<tr><th scope="row" class="row">{step}{esc(r["name"]).replace("_", "_<wbr>")}'
            f"{kernel}</th>"
            f'<td class="r num hide6">{esc(shape)}</td>'
            f'<td class="r num">{weights}</td>'
            + cell(r, "ram", lambda n: "" if n is None else _peaked(n, peak))
            + cell(r, "macs", lambda n: number(n or 0), " hide6")
            + cell(r, "instructions", lambda n: "" if n is None else number(n), " hide9")
            + f'<td class="bars">{bar(r["cost"] / most, est=est)}</td><td class="r num">{number(r["cost"])}</td>'
            + cell(r, "per", lambda n: "" if n is None else number(n, digits=2), " hide6")
            + f'<td class="r num">{number(100 * r["cost"] / total, "%", 1)}</td></tr>'
        )

    def column(key, text, hide=""):
        return f'<th class="r{hide}" scope="col">{text}</th>' if key in has else ""

    head = (
        '<th scope="col">layer</th><th class="r hide6" scope="col">output</th><th class="r" scope="col">weights</th>'
        + column("ram", "RAM")
        + column("macs", "MACs", " hide6")
        + column("instructions", "instructions", " hide9")
        + f'<th class="bars" scope="col">{estimated(how, "est.") + " " if est else ""}{esc(unit)}</th>'
        '<th class="r" scope="col"></th>' + column("per", "a MAC", " hide6") + '<th class="r" scope="col">share</th>'
    )
    body = (
        f'<div class="tk-scroll"><table class="tk-grid{" full" if len(has) > 1 else ""}">'
        f'<caption class="vh">{esc(title)}, in the order of the model</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )
    return card(title, subtitle, body, foot)


def _peaked(n, peak) -> str:
    return f"<b>{number(n)}\u00a0B</b>" if n == peak else f"{number(n)}\u00a0B"


def fits(memories, title="Will it fit?", subtitle="", advice="", late="", foot="") -> Html:
    """Verdict in words, then one gauge a memory; what does not fit is drawn past the end line.

    Parameters
    ----------
    memories : sequence of (name, limit, parts)
        ``limit`` in bytes; ``parts`` a sequence of (what, bytes) or (what, bytes, True) where True
        marks what belongs to the model.
    advice : text or sequence of text
        Shown under the gauges if something does not fit: what is largest, what to try.
    late : text
        Why its answers come too late; empty when they don't.
    foot : HTML
    """
    sums = [(name, limit, sum(p[1] for p in parts)) for name, limit, parts in memories]
    over = [(name, used - limit) for name, limit, used in sums if used > limit]
    if over or late:
        kind, bold = "bad", "It does not fit." if over else "It is too slow."
        wrong = [*(f"{name}: {_kb(extra)} too much" for name, extra in over), *([late] if late else [])]
        rest = "; ".join(wrong) + "."
    else:
        kind, bold = "ok", "It fits."
        rest = (
            " and ".join(f"{100 * (limit - used) / limit:.0f}\u00a0% of {name}" for name, limit, used in sums)
            + " stay free."
        )
    gauges = "".join(_gauge(*m) for m in memories)
    tips = [advice] if isinstance(advice, str) else list(advice)
    if len(tips) == 1:
        said = f"<p>{esc(tips[0])}</p>" if tips[0] else ""
    else:
        said = "<div><h4>What to change: one of these</h4><ul>" + "".join(f"<li>{esc(t)}</li>" for t in tips)
        said = f"{said}</ul></div>" if tips else ""
    body = (
        f'<div class="tk-fit"><p class="tk-verdict tk-st tk-{kind}">{icon(kind)}<span><b>{bold}</b> '
        f"{esc(rest)}</span></p>"
        f"{gauges}{said if over or late else ''}</div>"
    )
    return card(title, subtitle, body, foot)


def _kb(n) -> str:
    return number(n / 1024, "KB", 0 if n >= 10240 else 1) if n >= 1024 else number(n, "B")


def _gauge(name, limit, parts) -> str:
    used = sum(p[1] for p in parts)
    full, over = max(limit, used) or 1, used > limit
    marks = "".join(
        f'<i class="{"m" if len(p) > 2 and p[2] else ""}" style="width:{100 * p[1] / full:.2f}%"></i>' for p in parts
    )
    end = f'<span class="lim" style="left:calc({100 * limit / full:.2f}% - 2px)"></span>'
    past = f'<span class="ov" style="left:{100 * limit / full:.2f}%"></span>' if over else ""
    keys = "".join(
        f'<span class="{"m" if len(p) > 2 and p[2] else ""}">{esc(p[0])} {_kb(p[1])}</span>{parted()}' for p in parts
    )
    keys += (
        f"<b>{_kb(used)} needed, {_kb(limit)} there</b>"
        if over
        else f'<span class="f">free {_kb(limit - used)} of {_kb(limit)}</span>'
    )
    return (
        f'<div class="tk-gauge"><b>{esc(name)}</b><div class="bar" role="meter" aria-label="{esc(name)}" '
        f'aria-valuemin="0" '
        f'aria-valuemax="{limit}" aria-valuenow="{min(used, limit)}" aria-valuetext="{_kb(used)} of {_kb(limit)} used">'
        f'{marks}{"" if over else "<i class=f></i>"}{end}{past}</div><span></span><div class="key '
        f'num">{keys}</div></div>'
    )


def shares(rows, title, subtitle="", unit="take", foot="") -> Html:
    """One share a line, worst first where the caller sorts so: accuracy by person, recall by class.

    Parameters
    ----------
    rows : sequence of (name, right, n)
    unit : str
        What ``n`` counts.
    """
    lines = "".join(
        f'<tr><th scope="row" class="row">{esc(name)}</th><td class="bars">{bar(right / n if n else 0)}</td>'
        f'<td class="r num">{number(100 * right / n, "%", 1) if n else "none"}</td>'
        f'<td class="r num mut">{number(right)} of {number(n)}</td></tr>'
        for name, right, n in rows
    )
    body = (
        f'<div class="tk-scroll"><table class="tk-grid"><caption class="vh">{esc(title)}, in {esc(unit)}s</caption>'
        f"<tbody>{lines}</tbody></table></div>"
    )
    return card(title, subtitle, body, foot)
