"""The arena as a picture: steps of one answer to the right, addresses upwards, one box a tensor."""

from __future__ import annotations

from .html import Html, card, esc, number

_HEIGHT = 290


def arena(
    tensors,
    steps,
    size,
    used=None,
    kept=0,
    title="Who lives where in the arena, and when",
    subtitle="",
    kept_words="kept all the time",
    foot="",
) -> Html:
    """Tensors in the arena over the steps of one answer.

    Parameters
    ----------
    tensors : sequence of dict
        ``name``, ``offset`` and ``size`` in bytes, ``first`` and ``last`` step (0-based, both
        included), optionally ``scratch`` (lives for its step only).
    steps : sequence of str
        Names of the steps.
    size : int
        Bytes of arena given.
    used : int, optional
        Bytes used; default the highest end of a tensor plus ``kept``.
    kept : int
        Bytes at the top that are taken all the time.
    """
    tensors = [dict(t) for t in tensors]
    n = max(1, len(steps))
    peak, at = 0, 0
    for t in tensors:
        if t["offset"] + t["size"] > peak:
            peak, at = t["offset"] + t["size"], t["first"]
    used = peak + kept if used is None else used
    size = max(size, peak + kept, 1)
    unit = _HEIGHT / size
    base = 30 + _HEIGHT

    def y(b):
        return base - b * unit

    names = n <= 8
    out = ['<text class="h" x="0" y="16">address, bytes</text>']
    for b in _ticks(size):
        line = round(y(b)) + 0.5
        out.append(f'<line class="grid" x1="0" x2="100%" y1="{line}" y2="{line}"/>')
        out.append(f'<text x="-7" y="{y(b) + 4:.1f}" text-anchor="end">{number(b)}</text>')
    plot = []
    every = max(1, -(-n // 16))
    for i, step in enumerate(steps):
        if i:
            x = f"{100 * i / n:.3f}%"
            plot.append(f'<line class="grid" stroke-dasharray="2 3" x1="{x}" x2="{x}" y1="30" y2="{base}"/>')
        if names or i % every == 0:
            text = f"{i + 1}<tspan class=wide> {esc(step)}</tspan>" if names else f"{i + 1}"
            plot.append(
                f'<text class="k" x="{100 * (i + 0.5) / n:.3f}%" y="{base + 16}" text-anchor="middle">{text}</text>'
            )
    if kept:
        top, h = y(size), kept * unit
        plot.append(
            f'<rect x="1" y="{top + 1:.1f}" width="99.6%" height="{max(2.0, h - 2):.1f}" rx="2" fill="var(--tk-well)" '
            'stroke="var(--tk-edge)"/>'
        )
        if h > 16:
            plot.append(
                f'<text class="k" x="50%" y="{top + h / 2 + 4:.1f}" text-anchor="middle">{esc(kept_words)}: '
                f"{number(kept)}\u00a0B</text>"
            )
    # Names come after all boxes: tensors that share memory overlap, and would cover them.
    boxes, labels = zip(*(_box(t, n, y, unit) for t in tensors), strict=True) if tensors else ((), ())
    plot += [*boxes, *labels]
    level = round(y(peak)) - 1.5
    out_peak = f'<line x1="0" x2="100%" y1="{level}" y2="{level}" stroke="var(--tk-ink)" stroke-width="1.5"/>'
    share = (at + 0.5) / n
    anchor, x = ("end", "99.5%") if share > 0.6 else ("start", f"{100 * at / n:.2f}%")
    below = level - 6 < 26
    plot.append(
        f'{out_peak}<text class="h halo" x="{x}" y="{level + 14 if below else level - 6:.1f}" '
        f'text-anchor="{anchor}">peak '
        f"{number(peak)}\u00a0B, in step {at + 1}</text>"
    )
    label = (
        f"Arena of {number(size)} bytes over {len(steps)} steps. The shared part peaks at {number(peak)} bytes in step "
        f"{at + 1}{f', {esc(steps[at])}' if steps else ''}."
    )
    under = (
        "" if names else (f'<text class="k" x="0" y="{base + 32}">step of one answer, in the order of the model</text>')
    )
    picture = (
        f'<div class="tk-plot" style="padding:4px 12px 4px 58px"><svg class="tk-pic" '
        f'height="{base + (24 if names else 40)}" '
        f'style="height:{base + (24 if names else 40)}px" role="img" aria-label="{label}">{"".join(out)}'
        f"{''.join(plot)}{under}</svg></div>"
    )
    if not subtitle:
        subtitle = f"{number(size)} bytes given, {number(used)} used"
    key = Html(
        '<span class="tk-key"><span><i></i>tensor</span><span><i class="d"></i>scratch, one step only</span></span>'
    )
    return card(title, subtitle, picture, foot, state=key)


def _box(t, n, y, unit) -> tuple[str, str]:
    """One tensor: its box, and its name where there is room for it."""
    first, last, scratch = t["first"], t["last"], t.get("scratch", False)
    h = max(3.0, t["size"] * unit - 1.5)
    top = y(t["offset"]) - h - 0.5
    left, width = 100 * first / n, 100 * (last - first + 1) / n
    fill, edge, dash = (
        ("--tk-plot", "--tk-edge", ' stroke-dasharray="3 2"') if scratch else ("--tk-wash", "--tk-accent", "")
    )
    name = f"{t['name']}, {number(t['size'])}\u00a0B"
    title = f"<title>{esc(name)} at {number(t['offset'])}, steps {first + 1} to {last + 1}</title>"
    box = (
        f'<rect x="{left + 0.2:.3f}%" y="{top:.1f}" width="{max(0.3, width - 0.4):.3f}%" height="{h:.1f}" rx="2" '
        f'fill="var({fill})" stroke="var({edge})"{dash}>{title}</rect>'
    )
    if h < 13 or width * 7.6 < 6.2 * len(str(t["name"])):
        return box, ""
    text = name if width * 7.6 >= 6.2 * len(name) else str(t["name"])
    wide = " wide" if width < 25 else ""
    return box, (
        f'<text class="halo{wide}" x="{left + width / 2:.3f}%" y="{top + h / 2 + 4:.1f}" text-anchor="middle" '
        f'style="fill:var(--tk-ink)">{esc(text)}</text>'
    )


def _ticks(size: int) -> list[int]:
    step = 1
    while size / step > 5:
        step *= 2
    return list(range(0, size + 1, step))
