"""How to press the reset button twice, as pictures: where, when, and what is seen then."""

from __future__ import annotations

import math

from .html import Html, drawn, esc

TEXT = r"""
        ____________________________________
    ___|  o orange light      ___________   |
   |USB   (R) reset          |   chip    |  |
   |___                      |___________|  |
       |____________________________________|

   press (R) twice within half a second:   __|'|__|'|______
   the orange light breathes: the board waits in its bootloader
"""


def double_tap() -> Html:
    """Three pictures in a row, one below the other where there is little room."""
    figures = (
        (_board(), "1", "The reset button is behind the USB socket; a thumbnail reaches it."),
        (_presses(), "2", "Press it twice, as quickly as a double click. Too slow starts the sketch twice: try again."),
        (_breath(), "3", "The orange light breathes: the board waits in its bootloader, until it is flashed or reset."),
    )
    cells = "".join(
        f'<figure style="margin:0">{picture}<figcaption class="s"><b>{n}</b> {esc(text)}</figcaption></figure>'
        for picture, n, text in figures
    )
    return Html(f'<div class="tk-figs" role="group" aria-label="Pressing reset twice">{cells}</div>')


def _svg(label: str, body: str) -> str:
    # Its own size at least, so that its words are never smaller than the page's small ones.
    return drawn(
        f'<svg class="tk-pic" viewBox="0 0 196 104" style="max-width:208px;min-width:180px" role="img" '
        f'aria-label="{esc(label)}" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" '
        f'stroke-linejoin="round">{body}</svg>',
        label,
        ground="",
    )


def _text(x, y, text, anchor="start", kind="k") -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}" stroke="none">{esc(text)}</text>'


def _board() -> str:
    pins = "".join(f"M{x} 31h.01M{x} 81h.01" for x in range(40, 188, 11))
    body = (
        '<rect x="24" y="24" width="168" height="64" rx="3"/>'
        f'<path d="{pins}" stroke-width="3.5" style="color:var(--tk-edge)"/>'
        '<path d="M46 42H14v28h32z" style="fill:var(--tk-bg)"/>'  # the socket stands out over the edge
        '<rect x="130" y="38" width="48" height="36" rx="1.5"/><path d="M137 45h10v8h10v-8h10v8h6"/>'
        '<circle cx="60" cy="42" r="3" style="fill:var(--tk-warn);stroke:var(--tk-warn)"/>'
        '<rect x="74" y="47" width="20" height="18" rx="2"/>'
        '<circle cx="84" cy="56" r="5.5" style="fill:var(--tk-accent);stroke:var(--tk-accent)"/>'
        '<path d="M84 47V16" style="color:var(--tk-accent)"/>'
        '<path d="M60 38V16" style="color:var(--tk-warn)" stroke-width="1"/>'
        + _text(2, 12, "orange light")
        + _text(80, 12, "reset button", kind="h")
        + _text(30, 60, "USB", "middle")
    )
    return _svg("The board from above: the reset button between the USB socket and the chip, the light beside it", body)


def _presses() -> str:
    body = (
        '<path d="M10 74H48V40H66V74H98V40H116V74H186" stroke-width="2" style="color:var(--tk-accent)"/>'
        + _text(57, 32, "press", "middle", "h")
        + _text(107, 32, "press", "middle", "h")
        + '<path d="M48 84v8M116 84v8M48 88H116" stroke-width="1"/>'
        + _text(122, 92, "half a second")
    )
    return _svg("Two presses within half a second", body)


def _breath() -> str:
    points = [(10 + i * 2, 74 - 34 * (0.5 - 0.5 * math.cos(2 * math.pi * i / 29))) for i in range(88)]
    curve = "L".join(f"{x} {y:.1f}" for x, y in points)
    rays = "".join(
        f"M{98 + 11 * x:.1f} {14 + 11 * y:.1f}L{98 + 14 * x:.1f} {14 + 14 * y:.1f}"
        for x, y in ((math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)) for k in range(8))
    )
    body = (
        f'<path d="M{curve}" stroke-width="2" style="color:var(--tk-warn)"/>'
        f'<circle cx="98" cy="14" r="6" style="fill:var(--tk-warn);stroke:none"/>'
        f'<path d="{rays}" style="color:var(--tk-warn)"/>'
        '<path class="zero" d="M10 74H186"/>' + _text(10, 92, "brighter, darker, brighter ...")
    )
    return _svg("The light becomes brighter and darker, again and again", body)
