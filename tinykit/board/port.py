"""Serial ports: which are there, what each is, and how to open one or say clearly why not."""

from __future__ import annotations

import errno
import os
import sys
from dataclasses import asdict, dataclass

from ..errors import BoardError, PortBusy
from . import rights

VIRTUAL_URL = "virtual://nano33ble"

ARDUINO_VID = 0x2341
# Arduino's mbed core 4.6.0, boards.txt; both revisions of the Nano 33 BLE Sense have the same ids.
_NANO = {
    0x805A: ("nano33ble", "Arduino Nano 33 BLE (Sense)"),
    0x005A: ("bootloader", "Arduino Nano 33 BLE (Sense), waiting in its bootloader"),
    0x015A: ("micropython", "Arduino Nano 33 BLE (Sense) with MicroPython"),
}

_READ_TIMEOUT_S = 0.05
_WRITE_TIMEOUT_S = 2.0

FLASH = "Run tk.flash() once (`tinykit flash` in a terminal): it writes the TinyKit firmware to the board."
LINUX_RULES = (
    "Run `sudo usermod -a -G dialout $USER` (group uucp on Arch) and log in again; or write "
    f"{rights.RULE} into {rights.FOLDER.as_posix()}/{rights.FILE} and plug the board in again. "
    "`tinykit doctor` says which of them is missing, and writes the rule with --mend."
)


@dataclass(frozen=True)
class Port:
    """A place where a board may be.

    Parameters
    ----------
    address : str
        What ``tk.connect`` takes: ``/dev/ttyACM0``, ``COM5``, ``virtual://nano33ble``.
    kind : str
        ``"nano33ble"``, ``"bootloader"``, ``"micropython"``, ``"virtual"`` or ``"other"``.
    what : str
        The same in words.
    serial_number : str or None
        Of the USB device: it stays when the address changes.
    vid, pid : int or None
        USB vendor and product.
    """

    address: str
    kind: str
    what: str
    serial_number: str | None = None
    vid: int | None = None
    pid: int | None = None

    def as_dict(self) -> dict:
        """For JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.address:24} {self.kind:12} {self.what}"


class Ports(list):
    """A list of ``Port`` that shows itself as a table."""

    def __repr__(self) -> str:
        return "\n".join(map(str, self))

    def _repr_html_(self) -> str:
        from .. import look

        rows = [[look.mono(port.address), port.kind, port.what] for port in self]
        return look.card("Ports", body=look.table(rows, ["Port", "Kind", "What it is"]))


def ports() -> Ports:
    """Every serial port and what it is; Nanos first, the virtual board (always there) last.

    Returns
    -------
    list of Port
    """
    found = [describe(entry) for entry in _scan()]
    found.sort(key=lambda port: (port.kind != "nano33ble", port.kind == "other", port.address))
    virtual = Port(VIRTUAL_URL, "virtual", "Virtual Nano 33 BLE Sense: the same firmware, emulated here")
    return Ports([*found, virtual])


def find_port(serial_number: str) -> str | None:
    """Address at which the USB device with this serial number is now, or None."""
    for entry in _scan():
        if entry.serial_number == serial_number and entry.pid != 0x005A:
            return entry.device
    return None


def usb_serial_number(address: str) -> str | None:
    """Serial number of the USB device behind a port, or None if it has none."""
    return next((entry.serial_number for entry in _scan() if same_port(entry.device, address)), None)


def same_port(one: str, other: str) -> bool:
    """Whether two names are of one port: Linux has further ones for each, in /dev/serial/by-id."""
    return one == other or os.path.realpath(one) == os.path.realpath(other)


def open_port(url: str):
    """Open a port by name or pyserial URL, for one program only.

    Returns
    -------
    serial.SerialBase
        Reads wait at most 0.05 s, writes 2 s.

    Raises
    ------
    PortBusy
        Another program holds it.
    BoardError
        It is not there, or this user may not open it; the message names the way out.
    """
    import serial

    try:
        port = serial.serial_for_url(
            url, do_not_open=True, baudrate=115200, timeout=_READ_TIMEOUT_S, write_timeout=_WRITE_TIMEOUT_S
        )
        if "://" not in url and sys.platform != "win32":
            port.exclusive = True
        port.open()
        return port
    except ValueError as error:
        raise BoardError(
            f"{url!r} is no port ({error}).", "Give one that tk.ports() lists, or virtual://nano33ble."
        ) from None
    except OSError as error:  # SerialException is one
        raise _explain(url, error) from None


def _explain(url: str, error: OSError) -> BoardError:
    """The one clear sentence for an error of opening."""
    text = str(error)
    code = error.errno
    if isinstance(error.__cause__, BoardError) and not isinstance(error.__cause__, PortBusy):
        return error.__cause__
    # pyserial on Windows puts the system's error into the text only.
    denied = code in (errno.EACCES, errno.EPERM) or "PermissionError" in text or "Access is denied" in text
    busy = code in (errno.EAGAIN, errno.EBUSY) or "busy" in text or "exclusively lock" in text
    if busy or (denied and sys.platform == "win32"):
        return PortBusy(
            f"Another program holds {url}.",
            "Close the Arduino IDE's serial monitor, other notebooks (Kernel > Shut Down) or "
            "`tinykit` commands that use it, then connect again.",
        )
    if denied:
        way = LINUX_RULES if sys.platform.startswith("linux") else "Check the permissions of the port."
        return BoardError(f"You may not open {url}: permission denied.", way)
    if code in (errno.ENOENT, errno.ENODEV, errno.ENXIO) or "FileNotFoundError" in text:
        there = ", ".join(port.address for port in ports())
        return BoardError(f"There is no port {url}.", f"Plug the board in, or use one that is here: {there}.")
    if url.startswith("virtual://"):
        return BoardError(f"{text}.", "Correct the address; plain virtual://nano33ble always works.")
    return BoardError(f"{url} could not be opened: {text}.", "Unplug the board, plug it in again, and retry.")


def _scan() -> list:
    from serial.tools import list_ports

    # Bare ttyS ports that a PC has with nothing behind them would only fill the list.
    return [entry for entry in list_ports.comports() if entry.vid is not None or "ttyS" not in entry.device]


def describe(entry) -> Port:
    """What a port is, from pyserial's entry for it."""
    kind, what = "other", entry.description or "serial port"
    if entry.vid == ARDUINO_VID and entry.pid in _NANO:
        kind, what = _NANO[entry.pid]
    return Port(entry.device, kind, what, entry.serial_number, entry.vid, entry.pid)
