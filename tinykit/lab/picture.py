"""Still pictures for lessons, in the lab's look: one take, one take of each label, curves, a table."""

from __future__ import annotations

import math

import numpy as np

from .. import look
from ..look import Html, esc, number
from .sound import play

_HEIGHT, _STRIP = 190, 38
_STYLES = (  # line style first, so that it reads in grey; then colour
    ("var(--tk-accent)", "", 2),
    ("var(--tk-ink)", "5 3", 1.5),
    ("var(--tk-ink-2)", "1.5 2.5", 1.5),
    ("var(--tk-edge)", "9 3 2 3", 1.5),
)


def table(rows, head=None, title: str = "", subtitle: str = "") -> Html:
    """A table as a card; numbers are formatted.

    Parameters
    ----------
    rows : sequence of sequences
    head : sequence of str, optional
    title, subtitle : str
    """
    rows = [list(row) for row in rows]
    columns = range(min(map(len, rows), default=0)) if head else ()
    for c in columns:  # one column, one number of digits
        if all(isinstance(row[c], (float, np.floating)) for row in rows):
            digits = 2 if min(abs(row[c]) for row in rows) >= 1 else 3
            for row in rows:
                row[c] = number(row[c], digits=digits)
    align = "".join("r" if _numeric(rows, c) else "l" for c in range(max(map(len, rows), default=0)))
    return look.card(title, subtitle, look.table(rows, head, align, caption=title))


def _numeric(rows, column: int) -> bool:
    """Whether a column holds numbers, as they are or as text."""
    cells = [str(row[column]).replace(look.html.MINUS, "-").removesuffix(" %") for row in rows if column < len(row)]
    return bool(cells) and all(cell.replace(",", "").lstrip("-").replace(".", "", 1).isdigit() for cell in cells)


def traces(recording, title: str = "") -> Html:
    """Acceleration and rotation of one take over time; of sound, the waveform with a player.

    Parameters
    ----------
    recording : Recording
    title : str, optional
        Default: its label and its id.
    """
    if recording.is_sound:
        return play(recording, title)
    title = title or " · ".join(x for x in (recording.label or "", recording.id) if x) or "take"
    who = f"{recording.person or 'unknown person'}, {number(recording.seconds, 's', 2)}, "
    picture = look.traces(recording.samples, recording.rate_hz, recording.channels, now="end")
    return look.card(title, f"{who}{len(recording)} samples at {recording.rate_hz:.4g} Hz", picture)


def gestures(dataset, person: str | None = None) -> Html:
    """The first take of each label side by side, acceleration only, all on one scale.

    Parameters
    ----------
    dataset : Dataset
    person : str, optional
        Takes of this person; default the first one.
    """
    person = person or (dataset.persons[0] if dataset.persons else "")
    takes = {}
    for r in dataset:
        if r.person == person and r.label and r.label not in takes:
            takes[r.label] = r
    shown = {
        name: takes[name].samples[:, [i for i, c in enumerate(takes[name].channels) if c[0] == "a"]]
        for name in sorted(takes)
    }
    most = max((float(np.abs(a).max()) for a in shown.values()), default=1.0)
    limit = next((g for g in (1, 2, 3) if most <= g), 4)
    cells = []
    for label, a in shown.items():
        take = takes[label]
        picture = look.spark(a, limit, height=84, label=f"acceleration of {label}")
        cells.append(
            f'<div style="min-width:0"><div class="s"><b>{esc(label)}</b> '
            f'<span class="mut">{number(take.seconds, "s", 1)}</span></div>{picture}</div>'
        )
    grid = (
        '<div style="display:grid;gap:12px 16px;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));'
        f'padding:8px 12px">{"".join(cells)}</div>'
    )
    made = look.tag("synthetic") if dataset.card.get("synthetic") else None
    foot = look.dots(f"acceleration, ±{limit} g", "X solid", "Y dashed", "Z dotted")
    return look.card("One take of each label", f"{dataset.name}, {person}", grid, foot, state=made)


def windows(recording, window: int, hop: int) -> Html:
    """One take's acceleration or sound, and under it every window that is cut from it.

    Parameters
    ----------
    recording : Recording
    window, hop : int
        Samples.
    """
    columns = [i for i, c in enumerate(recording.channels) if c[0] == "a"]
    n = len(recording)
    starts = range(0, max(1, n - window + 1), hop)
    bars = "".join(
        f'<div style="height:14px;margin:3px 0;position:relative"><span class="xs" style="position:absolute;'
        f"left:{100 * start / n:.2f}%;width:{100 * min(window, n) / n:.2f}%;background:var(--tk-wash);"
        f"border:1px solid var(--tk-accent);border-radius:2px;line-height:12px;text-align:center"
        f'">{place}</span></div>'
        for place, start in enumerate(starts, 1)
    )
    if recording.is_sound:
        counts = recording.counts()[:, 0]
        picture = look.wave(counts, 84, limit=look.half_range(counts), label=f"waveform of {recording.label}")
    else:
        picture = look.spark(recording.samples[:, columns], 2, height=84, label=f"acceleration of {recording.label}")
    left = (n - window) - starts[-1]
    foot = look.dots(f"{n} samples", f"window {window}", f"hop {hop}", f"{max(0, left)} samples left over at the end")
    label = f"{len(starts)} windows of {window} samples, each begins {hop} samples after the one before"
    bars = look.drawn(f'<div role="img" aria-label="{label}">{bars}</div>', label)
    body = f'<div style="padding:8px 12px">{picture}{bars}</div>'
    return look.card(f"{len(starts)} windows of one take", f"{recording.label}, {recording.person}", body, foot)


def chart(series, x=None, title="", subtitle="", xlabel="", ylabel="", mark=None, zero=False) -> Html:
    """Lines over one axis, each named at its right end; more than four have a strip each.

    Parameters
    ----------
    series : dict of str to sequence of float
        None and not-a-number leave a gap.
    x : sequence of float, optional
        Default: 1, 2, 3 ...
    mark : (float, str), optional
        A vertical line at this x, and its words.
    zero : bool
        The axis begins at 0.
    """
    values = {name: [math.nan if v is None else float(v) for v in ys] for name, ys in series.items()}
    length = max(map(len, values.values()))
    x = [float(v) for v in (x if x is not None else range(1, length + 1))]
    finite = [v for ys in values.values() for v in ys if math.isfinite(v)] or [0.0]
    low, high, ticks = _nice(0.0 if zero else min(finite), max(finite))
    x0, x1 = min(x), max(max(x), min(x) + 1e-9)
    top, strips = 24, len(values) > len(_STYLES)
    height = (_STRIP + 6) * len(values) if strips else _HEIGHT
    bottom = top + height

    def at_x(v):
        return 100 * (v - x0) / (x1 - x0)

    def at_y(v, strip=0):
        share = (v - low) / (high - low)
        return (_STRIP + 6) * (strip + 1) - _STRIP * share if strips else _HEIGHT * (1 - share)

    if strips:
        ylabel += f" (each strip {' to '.join(number(t, digits=_digits(ticks)) for t in (low, high))})"
    out = [f'<text class="h" x="0" y="12">{esc(ylabel)}</text>']
    for place, t in ((0, t) for t in ticks) if not strips else ((i, low) for i in range(len(values))):
        y = round(top + at_y(t, place)) + 0.5
        text = list(values)[place] if strips else number(t, digits=_digits(ticks))
        out.append(_line("grid", y))
        out.append(f'<text x="-7" y="{y + 4}" text-anchor="end">{esc(text)}</text>')
    x_low, x_high, x_ticks = _nice(x0, x1, 8)
    for t in x_ticks:
        if x0 - 1e-9 <= t <= x1 + 1e-9:
            text = number(t, digits=_digits(x_ticks))
            out.append(f'<text x="{at_x(t):.2f}%" y="{bottom + 15}" text-anchor="middle">{text}</text>')
    out.append(f'<text class="h" x="50%" y="{bottom + 31}" text-anchor="middle">{esc(xlabel)}</text>')
    if mark is not None:
        place = f"{at_x(mark[0]):.2f}%"
        anchor = "end" if at_x(mark[0]) > 60 else "start"
        out.append(f'<line x1="{place}" x2="{place}" y1="{top}" y2="{bottom}" stroke="var(--tk-ink)"/>')
        shift = f'dx="{-6 if anchor == "end" else 6}" y="{top + 12}" text-anchor="{anchor}"'
        out.append(f'<text class="h halo" x="{place}" {shift}>{esc(mark[1])}</text>')
    curves, ends = [], []
    for i, (name, ys) in enumerate(values.items()):
        colour, dash, width = _STYLES[0 if strips else i]
        path, pen = "", False
        for a, b in zip(x, ys, strict=False):
            if math.isfinite(b):
                path += f"{'L' if pen else 'M'}{at_x(a):.2f} {at_y(b, i):.1f}"
                ends = [e for e in ends if e[1] != name] + [[top + at_y(b), name]]
            pen = math.isfinite(b)
        pen = f'stroke="{colour}" stroke-width="{width}" stroke-dasharray="{dash}"'
        curves.append(f'<path d="{path}" fill="none" {pen} vector-effect="non-scaling-stroke"/>')
    ends.sort()
    for _ in range(9):
        for a, b in zip(ends, ends[1:], strict=False):
            push = max(0.0, 15 - (b[0] - a[0])) / 2
            a[0], b[0] = a[0] - push, b[0] + push
    for k, end in enumerate(reversed(ends)):  # the axis has its numbers below
        end[0] = min(end[0], bottom - 4 - 15 * k)
    if not strips:
        out += [f'<text class="k" x="100%" dx="8" y="{y + 4:.1f}">{esc(name)}</text>' for y, name in ends]
    stretched = f'viewBox="0 0 100 {height}" preserveAspectRatio="none"'
    inner = f'<svg y="{top}" width="100%" height="{height}" {stretched}>{"".join(curves)}</svg>'
    names = 20 + 7 * max(len(n) for n in values)
    left, right = (max(56, names), 20) if strips else (56, names)
    size = f'height="{bottom + 38}" style="height:{bottom + 38}px"'
    label = f"{title or ylabel} over {xlabel or 'samples'}: {'; '.join(_told(*line) for line in values.items())}."
    picture = f'<svg class="tk-pic" {size} role="img" aria-label="{esc(label)}">{"".join(out)}{inner}</svg>'
    return look.card(title, subtitle, look.drawn(picture, label, f"6px {right}px 4px {left}px"))


def _told(name: str, ys) -> str:
    """One line of a chart in words: where it begins and ends, and its ends on the way."""
    known = [y for y in ys if math.isfinite(y)]
    if not known:
        return f"{name} has no values"
    return (
        f"{name} begins at {number(known[0])}, ends at {number(known[-1])}, lowest {number(min(known))}, "
        f"highest {number(max(known))}"
    )


def _line(kind: str, y: float) -> str:
    return f'<line class="{kind}" x1="0" x2="100%" y1="{y}" y2="{y}"/>'


def _nice(low: float, high: float, most: int = 5):
    """Round ends and ticks that cover low to high."""
    span = (high - low) or abs(high) or 1.0
    raw = span / most
    power = 10 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [round(k * step, 10) for k in range(first, max(last, first + 1) + 1)]
    return ticks[0], ticks[-1], ticks


def _digits(ticks) -> int:
    step = np.min(np.diff(ticks))
    return max(0, -math.floor(math.log10(step) + 1e-9))
