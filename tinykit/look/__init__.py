"""The look: HTML in the lab's style. A leaf that every room may use; it imports nothing of tinykit."""

from .arena import arena
from .check import check_card
from .html import (
    Html,
    bar,
    card,
    dots,
    esc,
    estimated,
    facts,
    icon,
    kilobytes,
    mono,
    muted,
    note,
    number,
    percent,
    sheet,
    stack,
    state,
    style,
    table,
    tag,
)
from .plot import lanes, spark, traces
from .report import Versus, confusion, dataset_card, fits, layers, shares, versus, wilson

__all__ = [
    "Html", "Versus", "arena", "bar", "card", "check_card", "confusion", "dataset_card", "dots", "esc", "estimated",
    "facts", "fits", "icon", "kilobytes", "lanes", "layers", "mono", "muted", "note", "number", "percent", "shares",
    "sheet", "spark", "stack", "state", "style", "table", "tag", "traces", "versus", "wilson",
]
