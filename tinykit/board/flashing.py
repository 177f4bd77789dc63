"""Putting the TinyKit firmware onto a real board, with the user's own arduino-cli."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass

from ..errors import BoardError, ToolError
from . import firmware
from . import messages as m
from .arduino_cli import ArduinoCli
from .board import Board
from .connection import opened
from .info import BoardInfo
from .port import Port, open_port, ports, same_port
from .relay import BROWSER_URL

BACK_S = 20.0  # after an upload the port takes up to 10 s to come back, and the sketch some to start
STEPS = ("look", "download", "compile", "upload", "restart")
WORDS = {
    "look": "looking for the tools", "download": "downloading what Arduino needs, once", "compile": "compiling",
    "upload": "writing to the board", "reset": "waiting for you", "restart": "waiting for the board",
}  # fmt: skip


@dataclass(frozen=True)
class Flashed:
    """What a flashing did.

    Parameters
    ----------
    port : str
        Where the board is now; it may have another name than before.
    board : str
        What it is.
    firmware, before : str
        Versions; ``before`` is empty where none was known.
    pipelines : tuple of str
        What is still deployed on it.
    flash, ram : int
        Bytes of the firmware, stated by the linker.
    platform : str
        The core that it was compiled with.
    seconds : float
        All of it, compiling included.
    """

    port: str
    board: str
    firmware: str
    before: str
    pipelines: tuple[str, ...]
    flash: int
    ram: int
    platform: str
    seconds: float

    def as_dict(self) -> dict:
        """For JSON."""
        return asdict(self)

    def _facts(self) -> dict:
        return {
            "firmware": f"{self.firmware} ({self.before or 'none'} before)",
            "port": self.port,
            "size": f"{self.flash:,} bytes of flash, {self.ram:,} bytes of static RAM",
            "built with": self.platform,
            "still deployed": ", ".join(self.pipelines) or "nothing",
        }

    def __repr__(self) -> str:
        lines = [f"{self.board}: flashed in {self.seconds:.0f} s"]
        return "\n".join([*lines, *(f"{name:16}{text}" for name, text in self._facts().items())])

    def _repr_html_(self) -> str:
        from .. import look

        facts = {name.capitalize(): text for name, text in self._facts().items()}
        return look.card(self.board, f"in {self.seconds:.0f} s", look.facts(facts), state=("ok", "flashed"), pad=True)


@dataclass(frozen=True)
class Check:
    """What flashing would do; nothing was done.

    Parameters
    ----------
    tool, version : str
        The arduino-cli.
    port : str
    what : str
        What is on the port.
    firmware, before : str
        Version that would be written, and what is there; empty: nothing that answers.
    road : Road
        With which core and libraries.
    built : bool
        It is compiled already.
    """

    tool: str
    version: str
    port: str
    what: str
    firmware: str
    before: str
    road: firmware.Road
    built: bool

    def as_dict(self) -> dict:
        """For JSON."""
        return asdict(self)

    def __repr__(self) -> str:
        lines = {
            "board": f"{self.what} on {self.port}",
            "firmware": f"{self.before or 'none that answers'} now, {self.firmware} would be written",
            "arduino-cli": f"{self.version} ({self.tool})",
            "built with": str(self.road),
            "time": "some 10 s" if self.built else "a minute or two, and longer where Arduino's core is downloaded",
        }
        return "\n".join(f"{name:12}{text}" for name, text in lines.items())


def check(port=None, fqbn: str | None = None) -> Check:
    """What ``flash`` would do, without doing it; nothing is asked of the network.

    Raises
    ------
    ToolError, BoardError
        As ``flash``: what would stand in its way.
    """
    cli = ArduinoCli.find()
    place = _board_on(port)
    road = firmware.road_for(cli, firmware.sketch_dir(), firmware.board_package(fqbn))
    return Check(
        cli.path, cli.version, place.address, place.what, firmware.shipped(), _version_on(place), road,
        firmware.is_built(road),
    )  # fmt: skip


def flash(port=None, fqbn: str | None = None, wait_s: float = 60.0, progress=True) -> Flashed:
    """Compile the TinyKit firmware and write it to a Nano 33 BLE Sense (Rev1 or Rev2).

    Needed once a board, and again when a newer tinykit brings a newer firmware. Only the firmware's own place is
    written, so what is deployed should stay (not tried on a real board yet); ``Flashed.pipelines`` says what did.
    A board that is connected in this notebook goes on afterwards.

    Parameters
    ----------
    port : str, Port or Board, optional
        Default: the environment variable ``TINYKIT_PORT``, else the Nano that is plugged in.
    fqbn : str, optional
        Board package; default: the environment variable ``TINYKIT_FQBN``, else ``arduino:mbed_nano:nano33ble``.
    wait_s : float
        Seconds to wait for two presses of the reset button, where the board can't be restarted by USB
        because its sketch has crashed. 0: don't wait.
    progress : bool or callable
        Show what is going on, or call this with (step, text): steps are look, download, compile, upload,
        reset (press the button) and restart.

    Returns
    -------
    Flashed

    Raises
    ------
    ToolError
        arduino-cli is absent or too old, or could not do it; ``error.report`` is all that it said.
    PortBusy
        Another program holds the port.
    BoardError
        No board, several to choose from, or it did not come back.
    """
    began = time.monotonic()
    with _shown(progress) as tell:
        tell("look", "")
        place = _board_on(port)
        cli = ArduinoCli.find()
        road = firmware.road_for(cli, firmware.sketch_dir(), firmware.board_package(fqbn))
        before = _version_on(place)
        made = firmware.build(cli, road, tell)
        others = {p.address for p in ports() if p.kind == "nano33ble" and p.address != place.address}
        board = opened(place.address, place.serial_number)
        with ExitStack() as stack:
            if board is not None:
                stack.enter_context(board.lend())
            tell("upload", "")
            said = _upload(cli, made, road, place, wait_s, tell)
            tell("restart", "")
            address = _wait_for_sketch(place, said, others)
        if board is not None:
            info, names, address = _look(board), _deployed(board), board.port
        else:
            with _open(address) as fresh:
                info, names = fresh.info, _deployed(fresh)
    wanted = firmware.shipped()
    if info.firmware != wanted:
        raise BoardError(
            f"{address} answers with firmware {info.firmware} after {wanted} was written.",
            "Press the board's reset button once and run tk.flash() again.",
        )
    return Flashed(
        address, info.board, info.firmware, before, names, made.flash, made.ram, made.platform,
        time.monotonic() - began,
    )  # fmt: skip


# -- which board -------------------------------------------------------------------------------------------


def _board_on(port) -> Port:
    number = None
    if isinstance(port, Board):
        port, number = port.port, port.serial_number
    address = port.address if isinstance(port, Port) else port or os.environ.get("TINYKIT_PORT")
    if address == "virtual" or str(address).startswith("virtual://"):
        raise BoardError(
            "The virtual board is not flashed: it always runs the firmware of this tinykit.",
            "Plug a Nano 33 BLE Sense in, or give its port: tk.flash('/dev/ttyACM0').",
        )
    if str(address).startswith(BROWSER_URL):
        raise BoardError(
            "That board is plugged into the browser's computer; Arduino's tools would run on the kernel's.",
            "Flash it there: `tinykit flash` in a terminal of that computer.",
        )
    found = ports()
    if address:
        place = next((p for p in found if number and p.serial_number == number), None)
        place = place or next((p for p in found if same_port(p.address, address)), None)
        if place is None:
            there = ", ".join(p.address for p in found if p.kind != "virtual") or "none"
            raise BoardError(f"There is no port {address}.", f"Plug the board in; ports that are here: {there}.")
        if place.kind == "other":
            raise BoardError(
                f"{address} is no Nano 33 BLE: {place.what}.", "Give the port of the Nano, as tk.ports() lists it."
            )
        return place
    nanos = [p for p in found if p.kind in ("nano33ble", "bootloader", "micropython")]
    if not nanos:
        raise BoardError(
            "No Nano 33 BLE is plugged in, as far as this computer sees.",
            "Plug it in with a cable that carries data (many carry power only); does its green light shine? "
            "tinykit doctor looks further.",
        )
    if len(nanos) > 1:
        raise BoardError(
            f"{len(nanos)} boards are plugged in: {', '.join(p.address for p in nanos)}.",
            f"Choose one: tk.flash({nanos[0].address!r}).",
        )
    return nanos[0]


def _version_on(place: Port) -> str:
    """Version of the firmware that is on a board; empty where nothing answers as one.

    Raises what opening the port raises, so that a port that is busy or forbidden is told before minutes
    of compiling.
    """
    board = opened(place.address, place.serial_number)
    if board is None or place.kind == "bootloader":  # which a board of ours has not open
        open_port(place.address).close()
    if board is not None:
        return board.info.firmware
    if place.kind != "nano33ble":
        return ""
    try:
        with Board(place.address, remember=False) as board:
            return board.info.firmware
    except BoardError:
        return ""


# -- upload, and back --------------------------------------------------------------------------------------


def _upload(cli, made, road, place, wait_s, tell) -> str:
    sketch = firmware.stage(road, made.folder)
    try:
        return cli.upload(sketch, made, place.address, road.profile, tell)
    except ToolError as error:
        if error.name not in ("no_board", "cable"):
            raise
        tell("reset", "press the board's reset button twice, quickly")
        address = _wait_for(lambda: _bootloader(place), wait_s)
        if address is None:
            raise
    tell("upload", "")
    return cli.upload(sketch, made, address, road.profile, tell)


def _bootloader(place: Port) -> str | None:
    """The port of a board that waits in its bootloader: the one that was meant, or the only one."""
    waiting = [p for p in ports() if p.kind == "bootloader"]
    same = [p for p in waiting if p.serial_number == place.serial_number]
    return (same or waiting)[0].address if same or len(waiting) == 1 else None


def _wait_for_sketch(place: Port, said: str, others) -> str:
    address = _wait_for(lambda: _sketch(place, said, others), BACK_S)
    if address is None:
        raise BoardError(
            f"The firmware was written, and the board did not come back within {BACK_S:g} s.",
            "Press its reset button once, or unplug it and plug it in again; then tk.connect().",
        )
    return address


def _sketch(place: Port, said: str, others) -> str | None:
    """Where the board is after the upload: by its serial number, else as arduino-cli saw it, else the new one."""
    nanos = [p for p in ports() if p.kind == "nano33ble"]
    same = [p.address for p in nanos if p.serial_number and p.serial_number == place.serial_number]
    if same:
        return same[0]
    new = [p.address for p in nanos if p.address not in others]
    return said if said in new else new[0] if len(new) == 1 else None


def _wait_for(find, seconds: float):
    end = time.monotonic() + seconds
    while (found := find()) is None and time.monotonic() < end:
        time.sleep(0.25)
    return found


@contextmanager
def _open(address: str):
    """The board on a port that has just appeared; the system may need some time until it can be opened."""
    end = time.monotonic() + BACK_S
    while True:
        try:
            board = Board(address, remember=False)
            break
        except BoardError:
            if time.monotonic() > end:
                raise
            time.sleep(0.25)
    with board:
        yield board


def _look(board) -> BoardInfo:
    """What a board that was lent says of itself, once it is back."""
    end = time.monotonic() + BACK_S
    while True:
        try:
            return BoardInfo.parse(board._link.request(m.INFO))
        except BoardError:
            if time.monotonic() > end:
                raise


def _deployed(board) -> tuple[str, ...]:
    return tuple(slot.name for slot in board.slots if slot.state == "good")


@contextmanager
def _shown(progress):
    """A function of (step, text) that shows where it is."""
    if callable(progress):
        yield progress
        return
    from tqdm.auto import tqdm

    with tqdm(total=0, bar_format="{desc} {elapsed}", disable=not progress, leave=False) as bar:

        def tell(step, text):
            bar.set_description_str(f"flash: {WORDS[step]}{': ' if text else ''}{text[:70]}")

        yield tell
