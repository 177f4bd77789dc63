"""Readings in plain text: lines of numbers for programs that know nothing of tinykit."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from ..errors import BoardError, BoardGone
from . import messages as m

_logger = logging.getLogger("tinykit.board")

BAUD = 115200
_SILENCE_S = 10.0  # after so long without a line, say so; a microphone settles for 3.5 s
_NUMBERS = {"imu": m.IMU, "mic": m.MIC, "environment": m.ENVIRONMENT}
_RESET = "Press the board's reset button, then run this again; `tinykit doctor` looks at more."
# Of sound, whose samples are too many for text, lines hold the loudness (tk_audio.h).
_LOUDNESS, _LOUDNESS_HZ = ("rms", "peak"), 100.0


@dataclass(frozen=True)
class PlainText:
    """A board that prints readings on a port that tinykit has let go of; made by ``board.text``.

    Parameters
    ----------
    port : str
        What the other program opens, at 115200 baud.
    sensor : str
    channels : tuple of str
        What a line's numbers are, in this order.
    rate_hz : float
        Lines a second.
    """

    port: str
    sensor: str
    channels: tuple[str, ...]
    rate_hz: float

    def __repr__(self) -> str:
        return (
            f"{self.port} prints {','.join(self.channels)}, {self.rate_hz:g} lines a second at {BAUD} baud.\n"
            "Open it in the Arduino Serial Plotter, or run edge-impulse-data-forwarder.\n"
            f"Afterwards close that program; tk.connect({self.port!r}) brings the board back."
        )


def hand_over(board, sensor: str):
    """Have a board print readings, end its link, and return its port, still open, and what lines it prints.

    Returns
    -------
    pyserial port
    PlainText

    Raises
    ------
    BoardError
        The board has no such sensor, or none that can be printed.
    DeviceError
        The board refused.
    """
    board.info.require(sensor)
    if sensor not in _NUMBERS:
        raise BoardError(f"The {sensor} has no plain text.", f"Choose one of: {', '.join(_NUMBERS)}.")
    board._stop()  # asked now: the next frame after the request below would end the text
    number = _NUMBERS[sensor]
    board._link.request(m.TEXT, bytes([1, number] if number else [1]))
    found = next(each for each in board.info.sensors if each.name == sensor)
    what = (_LOUDNESS, _LOUDNESS_HZ) if sensor == "mic" else (found.channels, found.rate_hz)
    return board._link.release(), PlainText(board.port, sensor, *what)


def lines(port, seconds: float | None = None):
    """Whole lines from a port, without their ends; the first, which may have lost its beginning, is left out.

    Parameters
    ----------
    port : pyserial port
    seconds : float, optional
        End so long after the first line.

    Raises
    ------
    BoardGone
        The cable was pulled.
    BoardError
        Nothing comes any more, or the board says that its sensor is dead.
    """
    rest, whole = b"", False
    heard, end = time.monotonic(), None
    while end is None or time.monotonic() < end:
        try:
            data = port.read(max(1, port.in_waiting))
        except OSError:  # pyserial's is one
            raise BoardGone(f"The board on {port.port} went away.", "Plug it in again, then run this again.") from None
        if data:
            heard = time.monotonic()
        elif time.monotonic() - heard > _SILENCE_S:
            raise BoardError(f"{port.port} prints nothing.", _RESET)
        *complete, rest = (rest + data).split(b"\n")
        for line in complete:
            if line.startswith(b"ERR: "):
                raise BoardError(f"The board says: {line[5:].decode('ascii', 'replace').strip()}.", _RESET)
            if whole:
                if end is None and seconds is not None:
                    end = time.monotonic() + seconds
                yield line.decode("ascii", "replace").strip()
            whole = True


def end(port) -> None:
    """Have the board speak to tinykit again, and close the port; one that is away speaks so when it is back."""
    try:
        port.write(b"\0")
        port.flush()
    except Exception as error:  # pyserial: OSError, and of flush also what termios has instead
        _logger.debug("ending the text failed: %s", error)
    finally:
        port.close()
