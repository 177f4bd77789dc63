"""A cost as text for terminals, and as cards for notebooks: the same figures twice."""

from __future__ import annotations

import textwrap

import numpy as np

from ..look import number
from .costs import HOW_CYCLES, HOW_ENERGY, Cost
from .fit import Fit, fits
from .timeline import picture

WIDTH = 100


def text(cost: Cost, fit: Fit | None = None) -> str:
    """All figures in at most 100 columns: sums, fit, layer by layer, assumptions.

    Parameters
    ----------
    cost : Cost
    fit : Fit, optional
        By default with the Nano.
    """
    fit = fits(cost) if fit is None else fit
    return "\n".join([*_sums(cost), "", told(fit), "", *table(cost), "", *assumed(cost.assumptions)])


def told(what) -> str:
    """A value's own words, no line longer than the page is wide."""
    return "\n".join(part for line in repr(what).splitlines() for part in _wrapped(line))


def _sums(cost: Cost) -> list[str]:
    peak, per_mac = cost.peak, f", {cost.cycles / cost.macs:.2f} a MAC" if cost.macs else ""
    lines = [
        f"{cost.name}: {cost.macs:,} MACs",
        f"  time    {cost.milliseconds:.2f} ms {'for the network' if cost.front else 'an answer'} at 64 MHz: "
        f"{cost.cycles:,} cycles{per_mac} (estimated), {cost.instructions:,} instructions",
        f"  energy  {_energy(cost.answer_microjoules)} an answer"
        f"{f', {_energy(cost.microjoules)} of it the network' if cost.front else ''} (estimated)",
        f"  flash   plan {cost.plan_bytes:,} bytes; engine code {cost.code_flash_bytes:,} bytes for this network "
        f"alone ({cost.engine_flash_bytes:,} with all kernels)",
        f"  RAM     arena {cost.arena_bytes:,} bytes; most in step {peak.number + 1}, {peak.name}: {peak.ram_bytes:,}",
    ]
    if cost.front is not None:
        lines += [repr(cost.front), pace(cost)]
    return [part for line in lines for part in _wrapped(line, 10)]


def _wrapped(line: str, indent: int = 4) -> list[str]:
    return textwrap.wrap(line, WIDTH, subsequent_indent=" " * indent, break_long_words=False) or [line]


def _energy(microjoules: float) -> str:
    return f"{microjoules:.1f} µJ" if microjoules < 1000 else f"{microjoules / 1000:.2f} mJ"


def table(cost: Cost) -> list[str]:
    """Layer by layer; names are cut where the line would be too long."""
    total = max(1, sum(layer.cycles for layer in cost.layers))
    head = ("step", "layer", "kernel", "MACs", "instructions", "cycles", "/MAC", "share", "weights", "RAM")
    rows = [
        (
            str(layer.number + 1), layer.name, layer.kind, f"{layer.macs:,}", f"{layer.instructions:,}",
            f"{layer.cycles:,}", f"{layer.cycles_per_mac:.2f}" if layer.macs else "",
            f"{100 * layer.cycles / total:.1f} %", f"{layer.weight_bytes:,}", f"{layer.ram_bytes:,}",
        )
        for layer in cost.layers
    ]  # fmt: skip
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    widths[1] = max(8, min(widths[1], WIDTH - sum(widths) + widths[1] - 2 * len(head) + 2))
    lines = []
    for row in (head, *rows):
        cells = [
            (_cut(cell, width) if i == 1 else cell).ljust(width) if i in (1, 2) else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def _cut(name: str, width: int) -> str:
    return name if len(name) <= width else f"{name[: width - 1]}…"


def assumed(assumptions) -> list[str]:
    """What figures rest on, one point a line."""
    return ["assumed:"] + [
        line
        for point in assumptions
        for line in textwrap.wrap(point, WIDTH, initial_indent="  - ", subsequent_indent="    ")
    ]


def pace(cost: Cost) -> str:
    """Do answers come in time? As a sentence, estimated."""
    front, made = cost.front, cost.skipped
    of = f"{front.runs} hops and the network" if front.unit == "hop" else "front end and network"
    share = (
        f"an answer every {number(1000 * front.answer_s)} ms: {of} take {100 * cost.busy:.0f} % of the time (estimated)"
    )
    if not made:
        return f"{share}; no answer is skipped"
    if made == np.inf:
        return f"{share}; the front end alone is too slow for the board"
    return f"{share}: too slow, of {made + 1} answers that are due {made} {'is' if made == 1 else 'are'} skipped"


def page(cost: Cost, fit: Fit | None = None) -> str:
    """A whole page of HTML with the cards, that needs nothing else."""
    from .. import look

    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Cost of {look.esc(cost.name)}</title>'
        "<style>body{margin:16px auto;max-width:1000px;padding:0 12px}</style></head>"
        f"<body>{cards(cost, fit)}</body></html>\n"
    )


def cards(cost: Cost, fit: Fit | None = None) -> str:
    """Cost layer by layer, the arena over time, and whether it fits, as cards."""
    from .. import look

    front, rows = cost.front, []
    if front is not None:
        name = f"front end, {front.runs} hops" if front.unit == "hop" else "front end"
        shape = tuple(n for n in cost.plan.input_shape if n != 1) if cost.plan is not None else ()
        shape = (front.runs, *shape[1:]) if front.unit == "hop" else shape
        rows = [{"name": name, "output": shape, "weights": front.table_bytes, "cost": front.answer_cycles}]
    rows += [
        {
            "step": o.number + 1, "name": o.name, "kernel": o.kind,
            "output": tuple(n for n in o.out_shape if n != 1) or (1,),
            "weights": o.weight_bytes, "macs": o.macs, "instructions": o.instructions, "cost": o.cycles,
            "per": o.cycles_per_mac, "ram": o.ram_bytes,
        }
        for o in cost.layers
    ]  # fmt: skip
    instructions = cost.instructions + (front.runs * front.instructions if front is not None else 0)
    foot = look.dots(
        f"{instructions:,} instructions",
        f"{cost.macs:,} MACs",
        look.Html(f"{look.esc(_energy(cost.answer_microjoules))} an answer, {look.estimated(HOW_ENERGY)}"),
        f"plan {look.kilobytes(cost.plan_bytes)}",
        f"engine code {look.kilobytes(cost.code_flash_bytes)} for this network alone, "
        f"{look.kilobytes(cost.engine_flash_bytes)} with all kernels",
    )
    if front is not None:
        said = pace(cost)
        said = look.muted(f"{said[0].upper()}{said[1:]}. Front end in {front.bytes_in_words}.")
        foot = look.Html(f"{foot}<br>{said}")
    points = "".join(f"<li>{look.esc(point)}</li>" for point in cost.assumptions)
    foot = look.Html(f"{foot}<details><summary>What is assumed</summary><ul>{points}</ul></details>")
    table = look.layers(rows, f"Cost of {cost.name}, layer by layer", how=HOW_CYCLES, foot=foot)
    pictures = [picture(cost.plan)] if cost.plan is not None else []
    return look.stack(table, *pictures, (fits(cost) if fit is None else fit)._repr_html_())
