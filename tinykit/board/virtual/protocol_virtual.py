"""pyserial's ``virtual://nano33ble[/NAME][?option=value&...]``.

Options, each used when the URL makes the board and refused when they differ from those it runs
with: ``flash`` (path, or ``memory``), ``clock`` (``paced``, ``free``), ``speed``, ``sensor``
(``LSM9DS1``, ``BMI270``), ``source`` (``still``, ``generator``, ``generator:LABEL``, ``noise``,
``noise:DECIBELS``, or a path to recordings or to a sound file, played in a loop), and the faults
``drop``, ``corrupt``, ``jitter_us``, ``seed``.
"""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from serial import (
    PortNotOpenError,
    SerialBase,
    SerialException,
    SerialTimeoutException,
)

from ...errors import BoardError, BoardGone, PortBusy
from ...toolchain import cache_dir
from .faults import Faults
from .machine import _BOARDS, VirtualBoard
from .sound import Noise
from .sources import Generator, Replay, Still

_OPTIONS = {"flash", "clock", "speed", "sensor", "source", "drop", "corrupt", "jitter_us", "seed"}


class Serial(SerialBase):
    """A port of a virtual board, as pyserial's other ports.

    Attributes
    ----------
    machine : VirtualBoard or None
        The board behind the port, once it is open.
    """

    def __init__(self, *args, **kwargs):
        self.machine: VirtualBoard | None = None
        self._number = -1
        self._cancel_read = self._cancel_write = False
        super().__init__(*args, **kwargs)

    def open(self):
        if self._port is None:
            raise SerialException("Port must be configured before it can be used.")
        if self.is_open:
            raise SerialException("Port is already open.")
        self.machine = _board(self.portstr)
        try:
            self._number = self.machine.plug_in(self)
        except (PortBusy, BoardGone) as error:
            raise SerialException(error.what) from error
        self.is_open = True
        self._cancel_read = self._cancel_write = False
        self._update_dtr_state()

    def close(self):
        if self.is_open:
            self.is_open = False
            with self.machine.condition:
                self.machine.line.plug_out(self)

    def _reconfigure_port(self):
        pass  # a USB port has no real baud rate

    @property
    def in_waiting(self):
        with self._held() as board:
            return len(board.line.tx)

    @property
    def out_waiting(self):
        with self._held() as board:
            return len(board.line.rx)

    def read(self, size=1):
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        data = b""
        with self._held() as board:
            while True:
                data += board.line.host_read(size - len(data))
                if len(data) >= size or self._cancel_read:
                    break
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    break
                board.condition.wait(left)
                if not self.is_open:
                    break
                if not board.alive(self._number):
                    if data:
                        break
                    self._check(board)
            self._cancel_read = False
        return data

    def write(self, data):
        data = bytes(data)
        deadline = None if self._write_timeout is None else time.monotonic() + self._write_timeout
        sent = 0
        with self._held() as board:
            while True:
                sent += board.line.host_write(data[sent:])
                if sent >= len(data) or self._cancel_write:
                    break
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise SerialTimeoutException("Write timeout")
                board.condition.wait(left)
                if not self.is_open:
                    break
                self._check(board)
            self._cancel_write = False
        return sent

    def flush(self):
        """Wait until the board has taken every byte."""
        with self._held() as board:
            while board.line.rx and board.alive(self._number) and self.is_open:
                board.condition.wait(0.1)

    def reset_input_buffer(self):
        with self._held() as board:
            while board.line.tx:
                board.line.host_read(len(board.line.tx))

    def reset_output_buffer(self):
        with self._held() as board:
            board.line.rx.clear()

    def cancel_read(self):
        self._cancel("_cancel_read")

    def cancel_write(self):
        self._cancel("_cancel_write")

    def _cancel(self, flag):
        if self.is_open:
            with self.machine.condition:
                setattr(self, flag, True)
                self.machine.condition.notify_all()

    def _update_dtr_state(self):
        if self.machine is not None:
            with self.machine.condition:
                self.machine.line.set_dtr(self, bool(self._dtr_state))

    def _update_rts_state(self):
        pass

    def _update_break_state(self):
        pass

    cts = dsr = property(lambda self: True)
    ri = property(lambda self: False)
    cd = property(lambda self: self.is_open)

    def _held(self):
        if not self.is_open:
            raise PortNotOpenError()
        return _Held(self)

    def _check(self, board):
        if not board.alive(self._number):
            raise SerialException("device disconnected: the virtual board lost power or was unplugged")


class _Held:
    """The board's condition, entered, with the power checked."""

    def __init__(self, port):
        self._port, self._board = port, port.machine

    def __enter__(self):
        self._board.condition.acquire()
        try:
            self._port._check(self._board)
        except BaseException:
            self._board.condition.release()
            raise
        return self._board

    def __exit__(self, *_):
        self._board.condition.release()


def _board(url: str) -> VirtualBoard:
    """The board that a URL names, made when there is none."""
    parts = urlsplit(url)
    name = unquote(parts.path.strip("/")) or parts.netloc
    options = dict(parse_qsl(parts.query))
    unknown = sorted(set(options) - _OPTIONS)
    if parts.netloc != "nano33ble" or unknown:
        why = f"there is no option {unknown[0]}" if unknown else "the only virtual board is nano33ble"
        raise SerialException(f"{url}: {why}; expected virtual://nano33ble[/NAME][?{'&'.join(sorted(_OPTIONS))}]")
    settings = tuple(sorted(options.items()))
    board = _BOARDS.get(name)
    if board is not None:
        if settings and board.settings != settings:
            raise SerialException(
                f"the virtual board {name!r} runs already with other options "
                f"({dict(board.settings) or 'none'}): close it or choose another name"
            )
        return board
    flash = options.get("flash", "")
    try:
        board = VirtualBoard(
            name,
            flash=None if flash == "memory" else flash or cache_dir() / "boards" / f"{name}.flash",
            clock=options.get("clock", "paced"),
            speed=float(options.get("speed", 1)),
            sensor=options.get("sensor", "LSM9DS1"),
            source=_source(options.get("source", "still")),
            faults=Faults(**{k: float(options[k]) for k in ("drop", "corrupt", "jitter_us") if k in options},
                          seed=int(options.get("seed", 0))),
        )  # fmt: skip
    except ValueError as error:
        raise SerialException(f"{url}: {error}") from error
    except PortBusy as error:
        raise SerialException(f"could not open port: busy. {error.what}") from error
    except BoardError as error:
        raise SerialException(f"{url}: {error.what}") from error
    board.settings, board.made_by_url = settings, True
    return board


def _source(text: str):
    kind, _, label = text.partition(":")
    if kind == "still":
        return Still()
    if kind == "generator":
        return Generator(labels=label) if label else Generator()
    if kind == "noise":
        return Noise(float(label)) if label else Noise()
    from ...data import audio, open_dataset

    if Path(text).suffix.lower() in audio.SUFFIXES:
        return Replay(audio.read_audio(text), loop=True)
    return Replay(open_dataset(text).recordings, loop=True)
