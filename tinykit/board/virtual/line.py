"""The cable between a program and the virtual board: bytes both ways, one program at a time."""

from __future__ import annotations

# What a computer's driver keeps for a program that does not read, and for a board that does not.
TX_LIMIT = RX_LIMIT = 4096
USB_PACKET = 64  # bytes; what a real board can send in one go


class Line:
    """Bytes on their way; all methods under the board's condition.

    Parameters
    ----------
    faults : Faults
    wake : callable
        Tells the firmware that something happened on the line.
    changed : callable
        Tells everybody who waits.

    Attributes
    ----------
    rx, tx : bytearray
        On the way to the board; on the way to the host.
    port : object or None
        The program's end.
    packet : int or None
        Most bytes that the board can send in one go; None: as many as there is room for. A packet of
        just that size is held back until another follows, as Linux does it with USB's (its
        driver asks for two at a time, and a shorter one ends the wait).
    """

    def __init__(self, faults, wake, changed):
        self.faults, self._wake, self._changed = faults, wake, changed
        self.packet: int | None = None
        self.rx, self.tx = bytearray(), bytearray()
        self.start()

    def start(self) -> None:
        """Power-on: nothing on the line, and a port that was open before is dead."""
        self.rx.clear()
        self._empty()
        self.port, self.dtr = None, True
        self._full = False

    @property
    def open(self) -> bool:
        """Does a program hold the port open, with DTR?"""
        return self.port is not None and self.dtr

    def plug_in(self, port) -> None:
        """A program opens the port."""
        self.port = port
        self.rx.clear()
        self._empty()
        self._wake()

    def plug_out(self, port) -> None:
        """A program closes the port; what it did not read is lost."""
        if self.port is port:
            self.port = None
            self._empty()
            self._wake()

    def set_dtr(self, port, value: bool) -> None:
        """A program sets its DTR line."""
        if self.port is port:
            self.dtr = value
            self._wake()

    def host_write(self, data: bytes) -> int:
        """Bytes for the board; returns how many the line took."""
        data = data[: max(0, RX_LIMIT - len(self.rx))]
        if data:
            self.rx += self.faults.on_wire(data, to_host=False)
            self._wake()
        return len(data)

    def host_read(self, size: int) -> bytes:
        """At most ``size`` bytes from the board."""
        data = bytes(self.tx[:size])
        del self.tx[: len(data)]
        if data:
            if self._full:  # the firmware wanted to send more
                self._full = False
                self._wake()
            self._changed()
        return data

    def board_read(self, size: int) -> bytes:
        """At most ``size`` bytes from the host."""
        data = bytes(self.rx[:size])
        del self.rx[: len(data)]
        if data:
            self._changed()  # a writer may wait for room
        return data

    def room(self) -> int:
        """Bytes that the board may send now."""
        free = max(0, TX_LIMIT - len(self.tx) - len(self._held)) if self.open else 0
        return free if self.packet is None else min(free, self.packet)

    def board_write(self, data: bytes, wanted: int) -> None:
        """Bytes for the host, ``wanted`` of which the firmware would have liked to send."""
        if len(data) < wanted:
            self._full = True
        if not data:
            return
        full = len(data) == self.packet
        data = self.faults.on_wire(data, to_host=True)
        if full and not self._held:
            self._held = data
            return
        self.tx += self._held + data
        self._held = b""
        self._changed()

    def _empty(self) -> None:
        self.tx.clear()
        self._held = b""
