"""The boards on USB, looked over one by one: what stands between this computer and each, and what to do.

A question is a function that returns a ``Finding``. Nothing is changed on a board: what its ``Remedy``
would do waits until somebody agrees.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator

from ..errors import BoardError, BoardGone, DeviceError, FirmwareNeeded, PortBusy
from . import rights
from .board import Board
from .connection import opened
from .finding import Finding, Remedy, steps
from .holder import holders
from .port import Port, open_port, ports, same_port
from .vitals import vitals

BOARD = "USB board"
DOUBLE_TAP = "press its reset button twice, as if double-clicking: its orange light breathes then"
CABLE = "use another cable (many only charge), straight into the computer"
_LISTEN_S = 1.5
_WATCH_S = 30.0


def on_usb() -> list[Finding]:
    """Everything about the boards on USB; some seconds a board, most of them for its microphone to settle."""
    found = [port for port in ports() if port.kind != "virtual"]
    boards = [port for port in found if port.kind != "other"]
    findings = [] if boards else [no_board(found)]
    chosen = os.environ.get("TINYKIT_PORT") or "virtual"
    if chosen != "virtual" and "://" not in chosen and not any(same_port(port.address, chosen) for port in found):
        findings.append(elsewhere(chosen))
    elif len(boards) > 1 and not any(same_port(port.address, chosen) for port in boards):
        findings.append(several(boards))
    for port in boards:
        findings += look_over(port)
    return findings


def look_over(port: Port) -> list[Finding]:
    """One board: whether it can be opened, what runs on it, and how it is."""
    if port.kind == "bootloader":
        return [bootloader(port)]
    holding = [holder for holder in holders(port.address) if not holder.here]
    if holding:
        return [busy(port, holding)]
    if port.kind == "micropython":
        return [micropython(port)]
    board = opened(port.address, port.serial_number)
    if board is not None:
        return list(_whole(board, port, keep=True))
    try:
        board = Board(port.address, remember=False)
    except PortBusy:
        return [busy(port, holders(port.address))]
    except DeviceError as error:
        return [foreign(port, f"it refused a request ({error.name})")]
    except BoardError as error:
        if _denied(error):
            return [forbidden(port)]
        if isinstance(error, FirmwareNeeded) and error.answers:
            return [foreign(port, error.what[0].lower() + error.what[1:].rstrip("."))]
        return [_mute(port, error)]
    return list(_whole(board, port, keep=False))


def _whole(board, port: Port, keep: bool) -> Iterator[Finding]:
    """A board that answers, to the end or until it is gone; ``keep``: somebody else has it open."""
    answers = f"{board.info.board} on {port.address} answers"
    yield Finding(BOARD, "ok", answers, name="answers", port=port.address)
    try:
        yield from vitals(board, flash_remedy(port))
    except BoardGone as error:
        yield gone(port, error)
    except BoardError as error:
        yield Finding(BOARD, "bad", error.what, error.next, "no_answer", port.address)
    finally:
        if not keep:
            board.close()


# -- what may be found -------------------------------------------------------------------------------------


def no_board(others=()) -> Finding:
    """No Nano is seen; a cable that only charges looks the same, and so does a sketch that died early."""
    seen = f", only {', '.join(f'{port.address} ({port.what})' for port in others)}" if others else ""
    windows = " In Windows' WSL a board has to be handed over first: usbipd attach." if _in_wsl() else ""
    return Finding(
        BOARD, "warn", f"no Nano 33 BLE is seen{seen}",
        f"None is needed: the virtual board stands in for it. If one is plugged in, {CABLE}. If its orange light "
        f"blinks in fours its sketch has crashed: {DOUBLE_TAP}.{windows}",
        "no_board", picture="double_tap",
        remedy=Remedy(f"Watch USB for {_WATCH_S:g} s, while you unplug the board and plug it in again", watch),
    )  # fmt: skip


def watch(tell, seconds: float = _WATCH_S) -> Finding:
    """Whether a board appears while somebody plugs it in; nothing at all means the cable."""
    before = {(port.address, port.serial_number) for port in ports()}
    tell("Unplug the board, count to three, and plug it in again.")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        now = ports()
        new = [p for p in now if (p.address, p.serial_number) not in before]
        if new:
            return Finding(BOARD, "ok", f"{new[0].what} appeared on {new[0].address}", name="appeared")
        before &= {(port.address, port.serial_number) for port in now}
        time.sleep(0.1)
    way = f"{CABLE[0].upper()}{CABLE[1:]}. If the same cable works with another device that has a port, {DOUBLE_TAP}."
    return Finding(
        BOARD, "bad", f"nothing appeared on USB in {seconds:g} s: the cable carries power only, or none",
        way, "charge_only", picture="double_tap",
    )  # fmt: skip


def elsewhere(chosen: str) -> Finding:
    """The environment names a port that is not there; ports change their names when a board is plugged in again."""
    return Finding(
        BOARD, "warn", f"TINYKIT_PORT names {chosen}, which is not here",
        "Correct it, or take it out of the environment: tk.connect() finds a Nano by itself.", "elsewhere", chosen,
    )  # fmt: skip


def several(boards) -> Finding:
    """More than one board."""
    one = boards[0].address
    names = ", ".join(f"{port.address} ({port.serial_number or 'no serial number'})" for port in boards)
    return Finding(
        BOARD, "warn", f"{len(boards)} boards are plugged in: {names}",
        f"Say which one: tk.connect({one!r}), --port {one}, or TINYKIT_PORT={one} in the environment. To learn which "
        "is which, unplug one and run this again.", "several",
    )  # fmt: skip


def bootloader(port: Port) -> Finding:
    """It waits in its bootloader."""
    return Finding(
        BOARD, "bad", f"{port.address} waits in its bootloader (its orange light breathes): no sketch runs",
        "Press its reset button once: the sketch that is on it starts. If it comes back to the bootloader there is "
        f"none: run `tinykit flash --port {port.address}`.", "bootloader", port.address, remedy=flash_remedy(port),
    )  # fmt: skip


def micropython(port: Port) -> Finding:
    """MicroPython runs on it, which answers no tinykit."""
    return Finding(
        BOARD, "bad", f"{port.address} runs MicroPython, not the TinyKit firmware",
        f"Flash it: {DOUBLE_TAP}; then run `tinykit flash`. What is on it now goes.",
        "micropython", port.address, "double_tap", flash_remedy(port),
    )  # fmt: skip


def busy(port: Port, holding) -> Finding:
    """Another program has the port open; two readers would get half of the bytes each."""
    if not holding:
        linux = sys.platform.startswith("linux")
        who = "a program of another user or of the system" if linux else "another program"
        wait = "Wait half a minute (ModemManager looks at each new port), or close" if linux else "Close"
        usual = "the Arduino IDE's serial monitor, other notebooks (Kernel > Shut Down), `tinykit` commands"
        way = f"{wait} what may have it: {usual}."
    elif holding[0].here:
        who, way = "this program itself", "Call board.close() on what has it open, or restart the kernel."
    else:
        who, way = ", ".join(map(str, holding)), f"{_ending(holding[0])}. Then run this again."
    return Finding(BOARD, "bad", f"{port.address} is in use by {who}", way, "busy", port.address)


def _ending(holder) -> str:
    if "notebook" in holder.name:
        return "Close it, or end it: Kernel > Shut Down in that notebook"
    if "ModemManager" in holder.name:
        return "Wait half a minute, it lets go by itself"
    if "Arduino IDE" in holder.name:
        return "Close its serial monitor and plotter"
    if "bossac" in holder.name:  # a board that is half written starts no more
        return "Wait until it has ended"
    if "arduino-cli" in holder.name:
        return "Wait until it has ended, or, if all it does is to monitor the port, close it"
    return f"Close it, or end it: kill {holder.pid}"


def forbidden(port: Port) -> Finding:
    """This user may not open the port."""
    remedy = None
    if rights.can_write_rule() and not rights.has_rule():
        offer = (
            f"Write a udev rule for Arduino's boards into {rights.FOLDER / rights.FILE} (sudo asks for your password)"
        )
        remedy = Remedy(offer, lambda tell: _ruled(port))
    return Finding(
        BOARD, "bad", f"you may not open {port.address}: permission denied", rights.way_in(port.address),
        "no_rights", port.address, remedy=remedy,
    )  # fmt: skip


def _ruled(port: Port) -> Finding:
    rights.write_rule()
    return Finding(
        BOARD, "ok", "the udev rule is written", "Unplug the board and plug it in again.", "rule", port.address
    )


def _mute(port: Port, error: BoardError) -> Finding:
    """It opened, and nothing answered as a tinykit board: another sketch, or a dead one."""
    try:
        said = _listen(port.address)
    except PortBusy:
        return busy(port, holders(port.address))
    except (BoardError, OSError):
        return gone(port, error)
    if not said:
        return crashed(port)
    text = "".join(c for c in said.decode("utf-8", "replace") if c.isprintable() or c in "\r\n")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # The first line may have lost its beginning.
    line = lines[1 if len(lines) > 1 else 0] if lines else ""
    says = f"; it says {line[:60]!r}" if len(text) > len(said) // 2 and line else "; it sends something unreadable"
    return Finding(
        BOARD, "bad", f"another sketch runs on {port.address}, not the TinyKit firmware{says}",
        f"Flash it: run `tinykit flash --port {port.address}`. The sketch that is on it now goes.",
        "other_firmware", port.address, remedy=flash_remedy(port),
    )  # fmt: skip


def crashed(port: Port) -> Finding:
    """Its port is there, and nothing behind it says a word."""
    return Finding(
        BOARD, "bad",
        f"{port.address} can be opened, and nothing answers: its sketch has crashed (then its orange light may blink "
        "in fours), or is another one that says nothing",
        f"Press its reset button once and run this again. If that does not help, {DOUBLE_TAP}; then run "
        "`tinykit flash`.",
        "crashed", port.address, "double_tap", flash_remedy(port),
    )  # fmt: skip


def foreign(port: Port, why: str) -> Finding:
    """TinyKit's firmware, so old or so new that there is no talking to it."""
    return Finding(
        BOARD, "bad", f"the TinyKit firmware on {port.address} is of another version than this tinykit: {why}",
        f"Run `tinykit flash --port {port.address}`: it writes the firmware that belongs to this tinykit.",
        "old_firmware", port.address, remedy=flash_remedy(port),
    )  # fmt: skip


def gone(port: Port, error: BoardError) -> Finding:
    """It went away while it was looked at."""
    return Finding(
        BOARD, "bad", f"the board on {port.address} went away while it was looked at ({error.what.rstrip('.')})",
        f"Plug it in again, and {CABLE}: a loose plug does this. Then run this again.", "gone", port.address,
    )  # fmt: skip


# -- mending -----------------------------------------------------------------------------------------------


def flash_remedy(port: Port) -> Remedy:
    """Writing the TinyKit firmware onto a board."""

    def act(tell):
        from .flashing import WORDS, flash

        done = flash(port, progress=steps(tell, WORDS))
        found = f"firmware {done.firmware} was written in {done.seconds:.0f} s; the board is on {done.port} now"
        return Finding("firmware", "ok", found, name="flashed", port=done.port)

    offer = f"Write the TinyKit firmware onto the board on {port.address} (a minute or two; the sketch on it goes)"
    return Remedy(offer, act)


# -- small things ------------------------------------------------------------------------------------------


def _listen(address: str, seconds: float = _LISTEN_S) -> bytes:
    """What comes from a port by itself; opening it is all that is done."""
    said = b""
    port = open_port(address)
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end and len(said) < 2000:
            said += port.read(max(1, port.in_waiting))
    finally:
        port.close()
    return said


def _denied(error: BoardError) -> bool:
    cause = error.__context__
    return isinstance(cause, OSError) and cause.errno in (errno.EACCES, errno.EPERM)


def _in_wsl() -> bool:
    return sys.platform.startswith("linux") and "microsoft" in os.uname().release.lower()
