"""Finding a board to connect to."""

from __future__ import annotations

import os
import threading
from functools import partial

from ..errors import BoardError, FirmwareNeeded, PortBusy
from .board import Board
from .port import FLASH, VIRTUAL_URL, Port, ports, same_port, usb_serial_number
from .relay import BROWSER_URL

# A cell that connects is often run twice: the second time it gets the board that is open.
_OPEN: dict[str, Board] = {}
_OPENING = threading.Lock()


def connect(port: str | Port | None = None, source=None) -> Board:
    """Connect to a board: a USB Nano if there is one, else the virtual board.

    Parameters
    ----------
    port : str or Port, optional
        As ``tk.ports()`` lists them; ``"virtual"`` for the virtual board. Default: the
        environment variable ``TINYKIT_PORT``, else what is plugged in, else the virtual board.
        ``"browser://"`` in a notebook: a board at the browser's computer, wherever the kernel is.
    source : Dataset, Recording, Scene or signal source, optional
        What a virtual board's hand does and its ear hears (``tinykit.board.virtual``).

    Returns
    -------
    Board
        Use it in ``with``, or ``close()`` it, so that others can have the port. A board that this
        program has open already is given again. If another notebook has the virtual board, a
        further one is made, with slots of its own.

    Raises
    ------
    PortBusy
        Another program holds the port.
    FirmwareNeeded
        The Nano there runs another firmware, or one of another protocol; a notebook offers to flash it.
    BoardError
        No such port, several Nanos to choose from; says what to do.
    """
    url = port.address if isinstance(port, Port) else port or os.environ.get("TINYKIT_PORT") or _choose()
    if url == "virtual":
        url = VIRTUAL_URL
    if source is not None and not url.startswith("virtual://"):
        raise BoardError(
            f"{url} is a real board: its signals come from its sensor.",
            "Leave source out, or use tk.connect('virtual', source=...).",
        )
    if url.startswith(BROWSER_URL):
        raise BoardError(
            f"{url} is a board at a browser's computer: only a notebook reaches it.",
            "Use tk.connect('browser://') in JupyterLab, or give a port of this computer: tk.ports() lists them.",
        )
    board = once(url, _virtual if url == VIRTUAL_URL else partial(Board, url))
    if source is not None:
        try:
            board.source = source
        except BaseException:
            board.close()
            raise
    return board


def once(url: str, make) -> Board:
    """The board that this program has open on a port, or what ``make()`` opens there."""
    with _OPENING:
        board = _OPEN.get(url) if "://" in url else opened(url, usb_serial_number(url))
        if board is None or board.closed:
            board = _OPEN[url] = make()
    return board


def opened(address: str, serial_number: str | None = None) -> Board | None:
    """The board that this program has open on a port, or None.

    Parameters
    ----------
    address : str
    serial_number : str, optional
        Of the USB device there: a board that is in its bootloader has another port than the one it was opened on.
    """
    for board in list(_OPEN.values()):
        if board.closed:
            continue
        known = serial_number and board.serial_number
        if board.serial_number == serial_number if known else same_port(board.port, address):
            return board
    return None


def _virtual() -> Board:
    """The virtual board; if another notebook has it, a further one with slots of its own."""
    for number in range(1, 9):
        try:
            return Board(VIRTUAL_URL if number == 1 else f"{VIRTUAL_URL}/nano33ble-{number}")
        except PortBusy:
            continue
    return Board(f"{VIRTUAL_URL}/nano33ble-9")


def _choose() -> str:
    found = ports()
    nanos = [port for port in found if port.kind == "nano33ble"]
    if len(nanos) > 1:
        raise BoardError(
            f"{len(nanos)} boards are plugged in: {', '.join(port.address for port in nanos)}.",
            f"Choose one: tk.connect({nanos[0].address!r}).",
        )
    if nanos:
        return nanos[0].address
    for port in found:
        if port.kind in ("bootloader", "micropython"):
            raise FirmwareNeeded(
                port.address,
                f"{port.address} is an {port.what}: the TinyKit firmware does not run on it.",
                f"{FLASH} Or go on without it: tk.connect('virtual').",
            )
    return VIRTUAL_URL
