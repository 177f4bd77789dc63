"""False alarms against missed words, over thresholds: a still picture with the chosen point."""

from __future__ import annotations

import math

from .html import Html, drawn, esc, number

_HEIGHT, _TOP = 196, 26
_TICKS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


def curve(lines, chosen=None, seconds: float = 600.0, label: str = "") -> Html:
    """Share of words missed (down the page) over false alarms per hour (across, closer together to the right).

    Parameters
    ----------
    lines : sequence of (name, per_hour, missed)
        One value of each per threshold, in their order; ``missed`` 0 to 1. The first line is drawn strongest.
        Names stand at the lines' upper ends.
    chosen : (float, float, str), optional
        False alarms per hour, share missed, and what to write beside the point.
    seconds : float
        Length of what was listened to: one false alarm in it is the first step of the scale.
    label : str
        What is seen, for assistive technology.
    """
    lines = [(str(n), [float(v) for v in a], [float(v) for v in m]) for n, a, m in lines]
    one = 3600 / seconds  # one false alarm, per hour
    most = max([one, *(v for _, a, _ in lines for v in a)] + ([chosen[0]] if chosen else []))
    # Far to the right nobody would want to be, and the interesting part gets no room.
    right = min(most, max(60 * one, 4 * chosen[0] if chosen else 0))
    shown = [m for _, a, ms in lines for v, m in zip(a, ms, strict=True) if v <= right and not math.isnan(m)]
    worst = max(shown + ([chosen[1]] if chosen else []) + [0.05])
    top = next(v for v in (0.1, 0.2, 0.5, 1.0) if worst <= v or v == 1.0)

    def x(per_hour):  # equal steps for 1, 3, 7, 15 ... times the smallest rate that could be seen
        return 100 * math.log1p(max(0.0, per_hour) / one) / math.log1p(right / one)

    def y(share):
        return _TOP + min(1.0, share / top) * _HEIGHT

    parts = [f'<text class="h" x="0" y="{_TOP - 11}">words missed</text>']
    for k in range(6):
        at = _TOP + round(k * _HEIGHT / 5) + 0.5
        parts.append(f'<line class="{"grid" if k else "zero"}" x1="0" x2="100%" y1="{at}" y2="{at}"/>')
        parts.append(f'<text x="-7" y="{at + 4}" text-anchor="end">{number(100 * top * k / 5, "%", 0)}</text>')
    last = -1e9
    bottom = _TOP + _HEIGHT
    for tick in (t for t in _TICKS if t <= right):
        at = x(tick)
        if at - last < 7:
            continue
        last = at
        anchor = "start" if at < 1 else "end" if at > 97 else "middle"
        parts.append(f'<line class="grid" x1="{at:.2f}%" x2="{at:.2f}%" y1="{_TOP}" y2="{bottom}"/>')
        parts.append(f'<text x="{at:.2f}%" y="{bottom + 15}" text-anchor="{anchor}">{number(tick)}</text>')
    parts.append(f'<text class="h" x="100%" y="{bottom + 32}" text-anchor="end">false alarms per hour</text>')
    paths = []
    taken = [((0.0, _TOP - 11.0), (14.0, _TOP - 11.0)), ((0.0, _TOP), (100.0, _TOP))]  # the heading, and the top line
    for i, (name, rates, missed) in enumerate(lines):
        points = [
            (round(10 * x(r), 1), round(y(m) - _TOP, 1))
            for r, m in zip(rates, missed, strict=True)
            if r <= right and not math.isnan(m)
        ]
        if not points:
            continue
        places = [(a / 10, b + _TOP) for a, b in points]
        taken += zip(places, places[1:], strict=False)
        path = "M" + "L".join(f"{a:g} {b:g}" for a, b in points)
        style = "stroke:var(--tk-ink)" if i == 0 else "stroke:var(--tk-edge);stroke-width:1.25;stroke-dasharray:4 2"
        paths.append(f'<path class="tr" style="{style}" vector-effect="non-scaling-stroke" d="{path}"/>')
        if len(lines) > 1:
            a, b = max(points, key=lambda p: (p[1], p[0]))
            parts.append(f'<text class="k halo" x="{a / 10:.2f}%" dx="6" y="{b + _TOP - 5:.1f}">{esc(name)}</text>')
    parts.append(
        f'<svg y="{_TOP}" width="100%" height="{_HEIGHT}" viewBox="0 0 1000 {_HEIGHT}" preserveAspectRatio="none" '
        f'overflow="hidden">{"".join(paths)}</svg>'
    )
    if chosen:
        at, down = x(chosen[0]), y(chosen[1])
        left, beside = _free(at, down, len(chosen[2]), taken)
        side = 'text-anchor="end" dx="-11"' if left else 'dx="11"'
        parts.append(
            f'<circle cx="{at:.2f}%" cy="{down:.1f}" r="5" fill="var(--tk-accent)" stroke="var(--tk-plot)" '
            f'stroke-width="1.5"/><text class="k halo" x="{at:.2f}%" {side} y="{beside:.1f}">{esc(chosen[2])}</text>'
        )
    label = label or _words(lines, chosen)
    total = bottom + 40
    return drawn(
        f'<svg class="tk-pic" height="{total}" style="height:{total}px" role="img" aria-label="{esc(label)}">'
        f"{''.join(parts)}</svg>",
        label,
        "8px 16px 4px 58px",
    )


def _free(at: float, down: float, letters: int, taken) -> tuple[bool, float]:
    """Where words beside a point cross no line: whether left of it, and the height of their base line."""
    wide = 0.95 * letters  # per cent of a plot of 700 px, about
    for left in (at > 55, at <= 55):
        a, b = (at - 1.6 - wide, at - 1.6) if left else (at + 1.6, at + 1.6 + wide)
        for base in (down - 8, down + 18):
            if a >= 0 and b <= 100 and base <= _TOP + _HEIGHT and not _crossed(a, b, base - 13, base + 5, taken):
                return left, base
    return at > 55, down - 8


def _crossed(a: float, b: float, high: float, low: float, segments) -> bool:
    """Whether a straight piece runs through the box from a to b and from high down to low."""
    for (x0, y0), (x1, y1) in segments:
        if max(min(x0, x1), a) <= min(max(x0, x1), b):
            at = [y0 + (y1 - y0) * (min(max(v, x0), x1) - x0) / (x1 - x0) for v in (a, b)] if x1 > x0 else [y0, y1]
            if min(at) <= low and max(at) >= high:
                return True
    return False


def _words(lines, chosen) -> str:
    text = f"Words missed over false alarms per hour, {len(lines)} line{'s' if len(lines) > 1 else ''}."
    if chosen:
        text += f" Chosen: {number(100 * chosen[1], '%', 1)} missed at {number(chosen[0], digits=1)} per hour."
    return text
