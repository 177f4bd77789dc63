"""A board's port as a pseudo-terminal, which any program may open: tried on Linux only.

What a pseudo-terminal can't show is lines and speeds of a cable: a port that a program has open counts
as DTR on, and of speeds only 1200 baud means something, as on the real board: once it was set, the
board resets into its bootloader as soon as the port is closed (Arduino's mbed core 4.6, USBSerial.cpp).
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import threading

from ...errors import BoardError
from .line import USB_PACKET

TOUCH_BAUD = 1200
_LOOK_S = 0.01  # how soon an opening, a closing or a speed is noticed
_CHUNK = 4096


class Terminal:
    """Carries bytes between a device and the programs that open its pseudo-terminal.

    Parameters
    ----------
    device : object
        ``plug_in()`` and ``plug_out()``: a program opened the port, closed it; ``take(data) -> int``: how
        many of these bytes from a program it takes; ``peek() -> bytes``: what it has for the program,
        ``drop(n)``: so many of them were delivered; ``condition``: entered around ``peek`` and
        ``drop``, notified when either may have changed.
    link : path, optional
        A name for it: a symbolic link, made here and removed with it. Default: the system's name.
    touched : callable, optional
        Called once, on a thread of its own, after the 1200-baud touch.

    Attributes
    ----------
    address : str
        What a program opens.

    Raises
    ------
    BoardError
        This computer has no pseudo-terminals, or the name is taken.
    """

    def __init__(self, device, link=None, touched=None):
        try:
            import pty  # noqa: F401  (Windows has the module, and what it needs not)
            import termios
            import tty
        except ImportError:
            raise BoardError(
                "This computer has no pseudo-terminals, so other programs can't open the virtual board.",
                "Use Linux or macOS for this (on Windows: WSL); notebooks don't need it.",
            ) from None
        self._termios, self._device, self._touched = termios, device, touched
        self._master, slave = os.openpty()
        try:
            tty.setraw(slave)  # a program that sets nothing must not get its own bytes echoed
            self.name = os.ttyname(slave)
        finally:
            os.close(slave)  # only then does it show whether a program has it open
        os.set_blocking(self._master, False)
        self.address = self.name if link is None else self._named(link)
        self._open = self._told = self._closing = False
        self._rest = b""  # from a program, not yet taken by the device
        self._threads = [
            threading.Thread(target=work, name=f"{work.__name__} {self.address}", daemon=True)
            for work in (self._inward, self._outward)
        ]
        for thread in self._threads:
            thread.start()

    def _named(self, link) -> str:
        link = os.fspath(link)
        try:
            if os.path.islink(link) and not os.path.exists(link):
                os.unlink(link)  # left over by one that was killed
            os.symlink(self.name, link)
        except OSError as error:
            os.close(self._master)
            raise BoardError(f"{link} can't be made: {error.strerror}.", "Choose another name for the port.") from None
        return link

    @property
    def open(self) -> bool:
        """Has a program opened it?"""
        return self._open

    def close(self) -> None:
        """Pull the cable: it vanishes, also for a program that has it open. Safe to call twice."""
        with self._device.condition:
            if self._closing:
                return
            self._closing = True
            self._device.condition.notify_all()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(10)
        if self.address != self.name:
            with contextlib.suppress(OSError):
                if os.readlink(self.address) == self.name:
                    os.unlink(self.address)
        os.close(self._master)
        if self._open:
            self._open = False
            self._device.plug_out()

    # -- from programs to the device ---------------------------------------------------------------

    def _inward(self) -> None:
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        while not self._closing:
            if self._rest:
                self._give()
                continue
            events = dict(poll.poll(1000 * _LOOK_S)).get(self._master, 0)
            data, ended = self._read() if events & select.POLLIN else (b"", False)
            here = not ended and not events & (select.POLLHUP | select.POLLERR)
            if (here or data) and not self._open:
                self._plug_in()
            if data:
                self._rest = data
                self._give()
            if self._speed() == TOUCH_BAUD:
                self._told = True
            if not here and not data:
                if self._open:
                    self._plug_out()
                if self._told and self._touched is not None:
                    threading.Thread(target=self._touched, name="1200-baud touch", daemon=True).start()
                    return
                self._pause()

    def _read(self) -> tuple[bytes, bool]:
        """What a program wrote, and whether none has it open: Linux fails then, macOS reads an end of file."""
        try:
            data = os.read(self._master, _CHUNK)
        except OSError as error:
            if error.errno in (errno.EIO, errno.EAGAIN):
                return b"", error.errno == errno.EIO
            raise
        return data, not data

    def _give(self) -> None:
        self._rest = self._rest[self._device.take(self._rest) :]
        if self._rest:
            self._pause()

    def _plug_in(self) -> None:
        self._device.plug_in()
        with self._device.condition:
            self._open = True
            self._device.condition.notify_all()

    def _plug_out(self) -> None:
        with self._device.condition:
            self._open = False
            self._device.condition.notify_all()
        self._device.plug_out()
        # What it did not read is not for the next program.
        with contextlib.suppress(OSError):
            slave = os.open(self.name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            try:
                self._termios.tcflush(slave, self._termios.TCIFLUSH)
            finally:
                os.close(slave)

    def _speed(self) -> int | None:
        try:
            speed = self._termios.tcgetattr(self._master)[5]
        except self._termios.error:
            return None
        return TOUCH_BAUD if speed == self._termios.B1200 else speed

    def _pause(self) -> None:
        with self._device.condition:
            if not self._closing:
                self._device.condition.wait(_LOOK_S)

    # -- from the device to programs -----------------------------------------------------------------

    def _outward(self) -> None:
        condition = self._device.condition
        with condition:
            while not self._closing:
                data = self._device.peek() if self._open else b""
                if not data:
                    condition.wait()
                    continue
                try:
                    self._device.drop(os.write(self._master, data))
                except OSError as error:
                    if error.errno not in (errno.EAGAIN, errno.EIO):
                        raise
                    condition.wait(_LOOK_S)  # full: the program does not read


class Cable:
    """A virtual board as the device of a ``Terminal``: it sends packets of 64 bytes, as over USB."""

    def __init__(self, board):
        self.board, self.condition = board, board.condition
        self.board.line.packet = USB_PACKET

    def plug_in(self) -> None:
        """A program opened the port."""
        with self.condition:
            if self.board.state == "running":
                self.board.line.plug_in(self)

    def plug_out(self) -> None:
        """It closed it."""
        with self.condition:
            self.board.line.plug_out(self)

    def take(self, data: bytes) -> int:
        """Bytes for the board; a board that is off takes all, to no effect."""
        with self.condition:
            return self.board.line.host_write(data) if self.board.state == "running" else len(data)

    def peek(self) -> bytes:
        """What it has for the program."""
        return bytes(self.board.line.tx[:_CHUNK])

    def drop(self, count: int) -> None:
        """So many bytes were delivered."""
        self.board.line.host_read(count)
