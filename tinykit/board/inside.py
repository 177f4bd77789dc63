"""A board's network run op by op, and what lies in its arena in between."""

from __future__ import annotations

import struct

from ..errors import BoardError, DeviceError
from . import messages as m
from .evaluate import write_input
from .port import FLASH

_MOST = 512  # bytes in a reply


def look_inside(link, mode: int, data: bytes, places) -> list[bytes]:
    """Pieces of the arena while one input is answered.

    Parameters
    ----------
    mode : int
        ``messages.MODE_TENSOR`` or ``MODE_WINDOW``.
    data : bytes
        The input.
    places : sequence of (int, int, int)
        Op after which to look (-1: before the first), offset in the arena, bytes; ascending by op.

    Raises
    ------
    BoardError
        Its firmware is too old to run ops one by one.
    DeviceError
        ``busy``, ``no_plan``, ``out_of_bounds``.
    """
    while True:
        reconnects = link.counters.reconnects
        try:
            found = _look(link, mode, data, places)
        except DeviceError as error:
            if error.name not in ("bad_length", "unknown_request"):
                raise
            raise BoardError(
                "This board's firmware is too old to look inside a network.",
                FLASH,
            ) from None
        # A board that lost power in between has forgotten what it computed before.
        if link.counters.reconnects == reconnects:
            return found


def _look(link, mode: int, data: bytes, places) -> list[bytes]:
    write_input(link, data)
    _run(link, mode, 0, 0)
    done, found = -1, []
    for op, offset, size in places:
        if op > done:
            _run(link, m.MODE_TENSOR, done + 1, op - done)
            done = op
        piece = b""
        while len(piece) < size:
            ask = struct.pack("<IH", offset + len(piece), min(_MOST, size - len(piece)))
            piece += link.request(m.ARENA_READ, ask)
        found.append(piece)
    return found


def _run(link, mode: int, first: int, count: int) -> None:
    link.request(m.RUN, struct.pack("<BBHH", mode, 0, first, count), timeout=5.0, tries=4)
