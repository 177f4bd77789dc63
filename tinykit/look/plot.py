"""Still pictures of signals as SVG: what a live widget shows, for pages where nothing runs.

The picture's own 100 % is the plot area, which stretches with the page (curves in a nested ``svg``
without fixed proportions, strokes that don't scale); text keeps its size and stands in the padding.
"""

from __future__ import annotations

import math
import zlib

from .html import Html, drawn, esc, number

_MARKS = {
    "x": '<circle class="fx" cx="{x}" cy="{y}" r="3.4"/>',
    "y": '<path class="fy" transform="translate({x} {y})" d="M0 -4L3.9 2.9H-3.9z"/>',
    "z": '<rect class="fz" transform="translate({x} {y})" x="-3" y="-3" width="6" height="6"/>',
}
_AXES = "xyz"


def traces(
    samples,
    rate_hz,
    channels=("aX", "aY", "aZ", "gX", "gY", "gZ"),
    gaps=(),
    stale=False,
    now="now",
    label="",
    limits=(None, None),
) -> Html:
    """Acceleration and rotation over time, in two plots with one time axis.

    Parameters
    ----------
    samples : (n, c) array of float
        In g and deg/s.
    rate_hz : float
    channels : sequence of str
        Names whose first letter (a or g) tells the plot and whose last (X, Y, Z) the axis.
    gaps : sequence of (int, int)
        (row before which samples are missing, how many). Nothing is drawn across a gap.
    stale : bool
        Old data: faded, no end values.
    now : str
        What stands at the right end of the time axis.
    label : str
        What is seen, for assistive technology.
    limits : (float or None, float or None)
        Half range of the two plots; None: chosen from the data.
    """
    rows = [list(map(float, r)) for r in samples]
    places = _places(len(rows), gaps)  # what was lost has its time
    n = places[-1] + 1 if places else 0
    seconds = n / rate_hz if rate_hz else 0.0
    groups = [
        ("acceleration", "g", [i for i, c in enumerate(channels) if c[0] == "a"], 2, limits[0], (1, 2, 4)),
        (
            "rotation",
            "deg/s",
            [i for i, c in enumerate(channels) if c[0] == "g"],
            0,
            limits[1],
            (50, 100, 250, 500, 1000, 2000),
        ),
    ]
    groups = [g for g in groups if g[2]]
    height, top, parts = 112, 28, []
    stretch = '<svg y="{y}" width="100%" height="{h}" viewBox="0 0 {n} {h}" preserveAspectRatio="none">'
    y0 = top
    for name, unit, columns, digits, limit, choices in groups:
        m = limit or _half_range(rows, columns, choices)
        parts.append(f'<text class="h" x="0" y="{y0 - 9}">{name}, {unit}</text>')
        for v in (-m, -m / 2, 0, m / 2, m):
            y = round(y0 + height / 2 - v / m * height / 2) + 0.5
            parts.append(f'<line class="{"grid" if v else "zero"}" x1="0" x2="100%" y1="{y}" y2="{y}"/>')
            parts.append(f'<text x="-7" y="{y + 4}" text-anchor="end">{_tick(v)}</text>')
        curves = "".join(
            f'<path class="tr {_axis(channels[c])}{" stale" if stale else ""}" vector-effect="non-scaling-stroke" '
            f'd="{_path(rows, places, c, m, height, gaps)}"/>'
            for c in columns
        )
        parts.append(stretch.format(y=y0, h=height, n=max(1, n - 1)) + curves + "</svg>")
        if rows and not stale:
            parts.append(_end_tags(rows[-1], columns, channels, m, y0, height, digits))
        y0 += height + 30
    bottom = y0 - 30
    inner = []
    step = 2 if seconds > 4 else 1 if seconds > 2 else 0.5
    k = 0
    while seconds and k * step <= seconds + 1e-9:
        at = 100 * (1 - k * step / seconds)
        inner.append(f'<line class="grid" x1="{at:.2f}%" x2="{at:.2f}%" y1="{top}" y2="{bottom}"/>')
        text = number(-k * step, "s", 0 if step >= 1 else 1) if k else esc(now)
        anchor = "end" if k == 0 else "start" if at < 4 else "middle"
        inner.append(f'<text x="{at:.2f}%" y="{bottom + 15}" text-anchor="{anchor}">{text}</text>')
        k += 1
    key = f"tk{zlib.crc32(repr((label, tuple(gaps), rows[:9])).encode()):08x}g"
    if gaps:
        inner.append(
            f'<defs><pattern id="{key}" width="5" height="5" patternUnits="userSpaceOnUse" '
            'patternTransform="rotate(45)"><path class="gap" d="M0 0V5"/></pattern></defs>'
        )
    counts = []
    for row, lost in gaps:
        if not 0 < row < len(rows):
            continue
        left, right = (100 * places[k] / max(1, n - 1) for k in (row - 1, row))
        inner.append(
            f'<rect x="{left:.2f}%" y="{top}" width="{right - left:.2f}%" height="{bottom - top}" fill="url(#{key})"/>'
        )
        inner += [
            f'<line class="gapedge" x1="{x:.2f}%" x2="{x:.2f}%" y1="{top}" y2="{bottom}"/>' for x in (left, right)
        ]
        side = f'x="{left:.2f}%" dx="-5" text-anchor="end"' if right > 80 else f'x="{right:.2f}%" dx="5"'
        counts.append(f'<text class="h halo" {side} y="{top + 13}">{number(lost)} lost</text>')
    label = label or f"Traces of the last {number(seconds, 'seconds', 1)}: {', '.join(g[0] for g in groups)}."
    total = bottom + 22
    return drawn(
        f'<svg class="tk-pic" height="{total}" style="height:{total}px" role="img" aria-label="{esc(label)}">'
        f"{''.join(inner)}{''.join(parts)}{''.join(counts)}</svg>",
        label,
        "4px 92px 4px 52px",
    )


def spark(samples, limit=4.0, gaps=(), height=52, label="") -> Html:
    """A small picture of one take's acceleration: X solid, Y dashed, Z dotted; all on one scale.

    Parameters
    ----------
    samples : (n, 3 or more) array of float
        The first three columns are drawn.
    limit : float
        Half range.
    gaps : sequence of (int, int) or (int,)
        As ``traces`` takes them; without a count the pen is lifted only.
    """
    rows = [list(map(float, r[:3])) for r in samples]
    places = _places(len(rows), gaps)
    n = max(1, places[-1]) if places else 1
    curves = "".join(
        f'<path class="tr {_AXES[c]}" vector-effect="non-scaling-stroke" '
        f'd="{_path(rows, places, c, limit * 1.05, height, gaps)}"/>'
        for c in range(min(3, len(rows[0]) if rows else 0))
    )
    return Html(
        f'<svg class="tk-pic spark" style="height:{height}px" height="{height}" viewBox="0 0 {n} {height}" '
        f'preserveAspectRatio="none" role="img" aria-label="{esc(label or "acceleration of the take")}">'
        f'<line class="zero" vector-effect="non-scaling-stroke" x1="0" x2="{n}" y1="{height / 2}" '
        f'y2="{height / 2}"/>{curves}</svg>'
    )


def lanes(history, labels, threshold, decisions=(), seconds=10.0, row=28, background=()) -> Html:
    """Probability of each class over time, one lane a class, and the decisions under them.

    Parameters
    ----------
    history : (n, classes) array of float
        Smoothed probabilities, oldest first, over ``seconds``.
    threshold : float or list of float
        One for all, or one a class.
    decisions : sequence of int
        One an answer; -1 is unsure.
    background : collection of int
        Classes that mean "nothing": a thin line in the strip.
    """
    rows = [list(map(float, r)) for r in history]
    n, h = max(1, len(rows) - 1), row - 6
    out, curves = [], []
    for j, name in enumerate(labels):
        base = row * (j + 1) - 3
        out.append(f'<text class="k" x="-12" text-anchor="end" y="{base - h / 2 + 4}">{esc(name)}</text>')
        out.append(f'<line class="grid" x1="0" x2="100%" y1="{base + 0.5}" y2="{base + 0.5}"/>')
        level = threshold[j] if isinstance(threshold, (list, tuple)) else threshold
        y = round(base - level * h) + 0.5
        out.append(
            f'<line x1="0" x2="100%" y1="{y}" y2="{y}" stroke="var(--tk-ink-2)" stroke-dasharray="2 4" opacity=".7"/>'
        )
        points = " ".join(f"{i},{base - min(1.0, max(0.0, r[j])) * h:.1f}" for i, r in enumerate(rows))
        colour = f"var(--tk-c{j % 8 + 1})"
        if rows:
            curves.append(
                f'<polygon points="0,{base} {points} {len(rows) - 1},{base}" fill="{colour}" opacity=".28"/>'
                f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5" '
                f'vector-effect="non-scaling-stroke"/>'
            )
    total = row * len(labels) + 46
    strip = row * len(labels) + 4
    out.append(f'<text x="-12" text-anchor="end" y="{strip + 14}">decision</text>')
    words, i = [], 0
    decisions = list(decisions)
    while i < len(decisions):
        e = i
        while e + 1 < len(decisions) and decisions[e + 1] == decisions[i]:
            e += 1
        left = 100 * i / n
        width = min(100.0, 100 * (e + 1) / n) - left
        if decisions[i] in background:
            words.append(
                f'<rect x="{left:.2f}%" y="{strip + 9}" width="{width:.2f}%" height="3" fill="var(--tk-edge)"/>'
            )
        elif decisions[i] >= 0:
            words.append(
                f'<rect x="{left:.2f}%" y="{strip}" width="{width:.2f}%" height="20" fill="var(--tk-track)"/>'
                f'<rect x="{left:.2f}%" y="{strip}" width="3" height="20" fill="var(--tk-c{decisions[i] % 8 + 1})"/>'
            )
            if width * 6.5 > 8 * len(labels[decisions[i]]) + 8:
                words.append(
                    f'<text class="k" dx="8" x="{left:.2f}%" y="{strip + 14}">{esc(labels[decisions[i]])}</text>'
                )
        else:
            words.append(
                f'<line x1="{left:.2f}%" x2="{left + width:.2f}%" y1="{strip + 10}" y2="{strip + 10}" '
                'stroke="var(--tk-edge)" stroke-dasharray="2 3"/>'
            )
        i = e + 1
    inner = (
        f'<svg width="100%" height="{row * len(labels)}" viewBox="0 0 {n} {row * len(labels)}" '
        f'preserveAspectRatio="none">{"".join(curves)}</svg>{"".join(words)}'
        f'<text x="0" y="{total - 6}">{number(-float(seconds), "s")}</text>'
        f'<text x="100%" y="{total - 6}" text-anchor="end">now</text>'
    )
    left = 24 + 7 * max([len(str(x)) for x in labels] + [8])
    label = f"Probabilities of {len(labels)} classes in the last {number(seconds, 'seconds')}."
    return drawn(
        f'<svg class="tk-pic" height="{total}" style="height:{total}px" role="img" aria-label="{label}">'
        f"{''.join(out)}{inner}</svg>",
        label,
        f"4px 12px 4px {left}px",
    )


def _tick(v: float) -> str:
    return number(v, digits=0 if float(v).is_integer() else 1, sign=True)


def _axis(channel: str) -> str:
    return channel[-1].lower() if channel[-1].lower() in _AXES else "x"


def _half_range(rows, columns, choices) -> float:
    most = max((abs(r[c]) for r in rows for c in columns if not math.isnan(r[c])), default=0.0)
    return float(next((c for c in choices if most <= c), choices[-1]))


def _places(n: int, gaps) -> list[int]:
    """Where each of n rows stands in time, in samples: after a gap, as many further as are lost."""
    lost = {gap[0]: gap[1] if len(gap) > 1 else 0 for gap in gaps}
    out, at = [], -1
    for i in range(n):
        at += 1 + (lost.get(i, 0) if i else 0)
        out.append(at)
    return out


def _path(rows, places, column, limit, height, gaps=()) -> str:
    starts = {g[0] for g in gaps}
    out, pen = [], False
    for i, row in enumerate(rows):
        v = row[column]
        if math.isnan(v):
            pen = False
            continue
        v = max(-limit, min(limit, v))
        pen = pen and i not in starts
        out.append(f"{'L' if pen else 'M'}{places[i]} {height / 2 - v / limit * height / 2:.1f}")
        pen = True
    return "".join(out)


def _end_tags(last, columns, channels, limit, y0, height, digits) -> str:
    tags = sorted(
        ([y0 + height / 2 - max(-1.0, min(1.0, last[c] / limit)) * height / 2, c] for c in columns), key=lambda t: t[0]
    )
    for _ in range(9):  # push apart to 16 px
        for a, b in zip(tags, tags[1:], strict=False):
            d = 16 - (b[0] - a[0])
            if d > 0:
                a[0] -= d / 2
                b[0] += d / 2
    out = []
    for y, c in tags:
        axis = _axis(channels[c])
        out.append(_MARKS[axis].format(x=10, y=round(y, 1)))
        out.append(f'<text class="h" x="18" y="{y + 4:.1f}">{esc(channels[c][-1])}</text>')
        out.append(
            f'<text class="k" x="82" y="{y + 4:.1f}" '
            f'text-anchor="end">{number(last[c], digits=digits, sign=True)}</text>'
        )
    return f'<svg x="100%" width="92" overflow="visible">{"".join(out)}</svg>'
