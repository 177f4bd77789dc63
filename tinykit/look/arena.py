"""The arena as a picture: steps of one answer to the right, addresses upwards, one box a tensor."""

from __future__ import annotations

import zlib

from .html import Html, card, drawn, esc, number

_HEIGHT = 290
_LETTER, _LINE = 6.2, 13  # px: width of a letter and height of a line, about
_WIDE, _NARROW = 7.6, 4.9  # px a per cent of the plot, on a wide page and on one of 600 px


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
    twin="",
) -> Html:
    """Tensors in the arena over the steps of one answer.

    A tensor that is written over one that is read for the last time shares memory with it in that
    step: the shared part is striped.

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
    twin : str
        The same as text, to open under the picture.
    """
    tensors = [dict(t) for t in tensors]
    n = max(1, len(steps))
    peak, at = 0, 0
    for t in tensors:
        if t["offset"] + t["size"] > peak:
            peak, at = t["offset"] + t["size"], t["first"]
    used = peak + kept if used is None else used
    size = max(size, peak + kept, 1)
    shared = in_place(tensors)
    draw = _Drawing(n, size, peak, f"tk{zlib.crc32(repr((tensors, size)).encode()):08x}")
    # Names come after all boxes: tensors that share memory overlap, and would cover them.
    parts = [draw.patterns(), *draw.grid(steps), draw.column(at), *draw.kept(kept, kept_words)]
    parts += [draw.box(t) for t in tensors] + [draw.stripes(t) for t in shared]
    parts += [draw.name(t, shared) for t in tensors]
    parts.append(draw.level(at, str(steps[at]) if len(steps) > at else ""))
    named = f", {steps[at]}" if len(steps) > at else ""
    label = (
        f"Arena of {number(size)} bytes over {len(steps)} steps. The shared part peaks at {number(peak)} bytes in step "
        f"{at + 1}{named}. {len(tensors)} pieces of memory, {len(shared)} of them written over what is read."
    )
    height = draw.base + (24 if draw.names else 40)
    picture = drawn(
        f'<svg class="tk-pic" height="{height}" style="height:{height}px" role="img" aria-label="{esc(label)}">'
        f"{''.join(parts)}</svg>",
        label,
        "4px 12px 4px 58px",
    )
    if twin:
        picture += f'<details class="tk-twin"><summary>The same as text</summary><pre>{esc(twin)}</pre></details>'
    if not subtitle:
        subtitle = f"{number(size)} bytes given, {number(used)} used"
    keys = [("", "tensor"), ("d", "scratch, one step only")] + ([("p", "written over what it reads")] if shared else [])
    key = "".join(f'<span><i class="{kind}"></i>{words}</span>' for kind, words in keys)
    return card(title, subtitle, picture, foot, state=Html(f'<span class="tk-key tk-drawn" hidden>{key}</span>'))


def in_place(tensors) -> list[dict]:
    """Where one tensor begins in memory that another, read for the last time in that step, still has.

    Parameters
    ----------
    tensors : sequence of dict
        As ``arena`` takes them.

    Returns
    -------
    list of dict
        ``new`` and ``old``, two of the tensors; ``offset``, ``size`` and ``step`` of what they share.
    """
    found = []
    for new in tensors:
        for old in tensors:
            if old is new or old.get("scratch") or new.get("scratch") or old["last"] != new["first"]:
                continue
            if old["first"] >= new["first"] and old["last"] >= new["last"]:
                continue
            low = max(old["offset"], new["offset"])
            high = min(old["offset"] + old["size"], new["offset"] + new["size"])
            if low < high:
                found.append({"new": new, "old": old, "offset": low, "size": high - low, "step": new["first"]})
    return found


class _Drawing:
    """Pieces of the picture; x in per cent of the plot's width, y in px."""

    def __init__(self, steps: int, size: int, peak: int, key: str):
        self.n, self.size, self.peak, self.key = steps, size, peak, key
        self.unit, self.base = _HEIGHT / size, 30 + _HEIGHT
        self.names = steps <= 8

    def y(self, address: int) -> float:
        return self.base - address * self.unit

    def x(self, step: float) -> float:
        return 100 * step / self.n

    def patterns(self) -> str:
        lines = (
            '<pattern id="{key}{name}" width="{w}" height="{w}" patternUnits="userSpaceOnUse" patternTransform='
            '"rotate({turn})"><path d="M0 0V{w}" stroke="var({colour})" stroke-width="{thick}"/></pattern>'
        )
        scratch = lines.format(key=self.key, name="s", w=5, turn=45, colour="--tk-edge", thick=1.6)
        shared = lines.format(key=self.key, name="p", w=7, turn=90, colour="--tk-accent", thick=2)
        return f"<defs>{scratch}{shared}</defs>"

    def grid(self, steps):
        yield '<text class="h" x="0" y="16">address, bytes</text>'
        for address in _ticks(self.size):
            line = round(self.y(address)) + 0.5
            yield f'<line class="grid" x1="0" x2="100%" y1="{line}" y2="{line}"/>'
            yield f'<text x="-7" y="{self.y(address) + 4:.1f}" text-anchor="end">{number(address)}</text>'
        every = max(1, -(-self.n // 16))
        for i, step in enumerate(steps):
            if i and self.n <= 32:
                x = f"{self.x(i):.3f}%"
                yield f'<line class="grid" stroke-dasharray="2 3" x1="{x}" x2="{x}" y1="30" y2="{self.base}"/>'
            if self.names or i % every == 0:
                text = f"{i + 1}<tspan class=wide> {esc(step)}</tspan>" if self.names else f"{i + 1}"
                x = f"{self.x(i + 0.5):.3f}%"
                yield f'<text class="k" x="{x}" y="{self.base + 16}" text-anchor="middle">{text}</text>'
        if not self.names:
            yield f'<text class="k" x="0" y="{self.base + 32}">step of one answer, in the order of the model</text>'

    def column(self, step: int) -> str:
        """The step of the peak, from top to bottom."""
        return (
            f'<rect x="{self.x(step):.3f}%" y="30" width="{100 / self.n:.3f}%" height="{_HEIGHT}" '
            'fill="var(--tk-track)"/>'
        )

    def kept(self, size: int, words: str):
        if not size:
            return
        top, h = self.y(self.size), size * self.unit
        yield (
            f'<rect x="1" y="{top + 1:.1f}" width="99.6%" height="{max(2.0, h - 2):.1f}" rx="2" fill="var(--tk-well)" '
            'stroke="var(--tk-edge)"/>'
        )
        if h > 16:
            yield (
                f'<text class="k" x="50%" y="{top + h / 2 + 4:.1f}" text-anchor="middle">{esc(words)}: '
                f"{number(size)}\u00a0B</text>"
            )

    def box(self, t) -> str:
        left, width, top, h = self._place(t, t["first"], t["last"])
        scratch = t.get("scratch", False)
        style = (
            f'fill="url(#{self.key}s)" stroke="var(--tk-edge)" stroke-dasharray="3 2"'
            if scratch
            else 'fill="var(--tk-wash)" stroke="var(--tk-accent)"'
        )
        return (
            f'<rect x="{left + 0.1:.3f}%" y="{top:.1f}" width="{max(0.3, width - 0.2):.3f}%" height="{h:.1f}" rx="2" '
            f"{style}><title>{esc(_words(t))}</title></rect>"
        )

    def stripes(self, t) -> str:
        left, width, top, h = self._place(t, t["step"], t["step"])
        words = (
            f"{t['new']['name']} is written over {t['old']['name']}, {number(t['size'])}\u00a0B in step {t['step'] + 1}"
        )
        return (
            f'<rect x="{left + 0.1:.3f}%" y="{top:.1f}" width="{width - 0.2:.3f}%" height="{h:.1f}" rx="2" '
            f'fill="url(#{self.key}p)"><title>{esc(words)}</title></rect>'
        )

    def name(self, t, shared) -> str:
        """The tensor's name, where there is room for it: along the box, or upwards in a high and narrow one.

        A tensor that shares memory has it upwards, in a step where most of it is its own.
        """
        left, width, top, h = self._place(t, t["first"], t["last"])
        long, short = f"{t['name']}, {number(t['size'])}\u00a0B", str(t["name"])
        if t.get("scratch"):
            return ""
        mine = [s for s in shared if t in (s["new"], s["old"])]
        if not mine and h >= _LINE and width * _WIDE >= _LETTER * len(short) + 8:
            text = long if width * _WIDE >= _LETTER * len(long) + 8 else short
            wide = " wide" if width * _NARROW < _LETTER * len(text) + 8 else ""
            return (
                f'<text class="halo{wide}" x="{left + width / 2:.3f}%" y="{top + h / 2 + 4:.1f}" '
                f'text-anchor="middle" style="fill:var(--tk-ink)">{esc(text)}</text>'
            )
        step, low, high = self._own(t, mine)
        h = (high - low) * self.unit - 6
        if self.x(1) * _WIDE < _LINE or h < _LETTER * len(short):
            return ""
        text = long if h >= _LETTER * len(long) else short
        wide = " wide" if self.x(1) * _NARROW < _LINE else ""
        return (
            f'<svg x="{self.x(step + 0.5):.3f}%" y="{self.y((low + high) / 2):.1f}" width="1" height="1" '
            f'overflow="visible"><text class="halo{wide}" transform="rotate(-90)" x="0" y="4" text-anchor="middle" '
            f'style="fill:var(--tk-ink)">{esc(text)}</text></svg>'
        )

    def _own(self, t, shared):
        """The step, and the addresses in it, where most of a tensor's memory is its own; else its first step."""
        whole = t["offset"], t["offset"] + t["size"]
        best = t["first"], *whole
        most = 0
        for step in range(t["first"], min(t["last"], t["first"] + 4) + 1):
            free = [whole]
            for s in shared:
                if s["step"] == step:
                    low, high = s["offset"], s["offset"] + s["size"]
                    free = [(a, b) for x, y in free for a, b in ((x, min(y, low)), (max(x, high), y)) if a < b]
            for a, b in free:
                if b - a > most:
                    best, most = (step, a, b), b - a
        return best if most * 2 >= t["size"] else (t["first"], *whole)

    def level(self, step: int, name: str) -> str:
        """The line of the peak, and where it is reached."""
        y = round(self.y(self.peak)) - 1.5
        share = (step + 0.5) / self.n
        anchor, x = ("end", "100%") if share > 0.6 else ("start", f"{self.x(step):.2f}%")
        above, shift = y - 6, 0.0
        if above < 26:  # the arena is full: beside the heading
            above = 16
            shift = max(0.0, 120 - self.x(step) * _NARROW) if anchor == "start" else 0.0
        named = f"<tspan class=wide>: {esc(name)}</tspan>" if name else ""
        return (
            f'<line x1="0" x2="100%" y1="{y}" y2="{y}" stroke="var(--tk-ink)" stroke-width="1.5"/>'
            f'<text class="h halo" x="{x}" dx="{shift:.0f}" y="{above:.1f}" text-anchor="{anchor}">peak '
            f"{number(self.peak)}\u00a0B, in step {step + 1}{named}</text>"
        )

    def _place(self, t, first: int, last: int):
        """Left and width in per cent, top and height in px."""
        h = max(3.0, t["size"] * self.unit - 1.5)
        return self.x(first), self.x(last - first + 1), self.y(t["offset"]) - h - 0.5, h


def _words(t) -> str:
    what = "scratch of " if t.get("scratch") else ""
    return (
        f"{what}{t['name']}, {number(t['size'])}\u00a0B at {number(t['offset'])}, steps {t['first'] + 1} to "
        f"{t['last'] + 1}"
    )


def _ticks(size: int) -> list[int]:
    step = 1
    while size / step > 5:
        step *= 2
    return list(range(0, size + 1, step))
