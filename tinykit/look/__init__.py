"""The look: HTML in the lab's style. A leaf that every room may use; it imports nothing of tinykit."""

from .arena import arena, in_place
from .check import check_card
from .curve import curve
from .dataset import crowd_card, dataset_card
from .html import (
    Html,
    bar,
    card,
    dots,
    drawn,
    esc,
    estimated,
    facts,
    icon,
    kilobytes,
    mono,
    muted,
    note,
    number,
    parted,
    percent,
    sheet,
    stack,
    state,
    style,
    table,
    tag,
)
from .parity import ParityCell, ParityPicture, parity
from .plot import lanes, spark, traces
from .report import Versus, confusion, fits, layers, shares, versus, wilson
from .sound import Heard, envelope, features, half_range, player, wav, wave
from .tap import double_tap
from .twin import text

__all__ = [
    "Heard",
    "Html",
    "ParityCell",
    "ParityPicture",
    "Versus",
    "arena",
    "bar",
    "card",
    "check_card",
    "confusion",
    "curve",
    "crowd_card",
    "dataset_card",
    "dots",
    "double_tap",
    "drawn",
    "envelope",
    "esc",
    "estimated",
    "facts",
    "features",
    "fits",
    "half_range",
    "icon",
    "in_place",
    "kilobytes",
    "lanes",
    "layers",
    "mono",
    "muted",
    "note",
    "number",
    "parity",
    "parted",
    "percent",
    "player",
    "shares",
    "sheet",
    "spark",
    "stack",
    "state",
    "style",
    "table",
    "tag",
    "text",
    "traces",
    "versus",
    "wav",
    "wave",
    "wilson",
]
