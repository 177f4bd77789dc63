"""A virtual board for other programs: the Serial Plotter, Edge Impulse's data forwarder, a terminal."""

from __future__ import annotations

import threading

from .terminal import Cable, Terminal


class Served:
    """Keeps a virtual board behind a pseudo-terminal, until ``close``: tried on Linux only.

    A board that restarts or loses power takes its port along, as on USB; when it is back, so is the
    port, under a new name of the system's, and under the same ``link``.

    Parameters
    ----------
    board : VirtualBoard
    link : path, optional
        A name of its own: a symbolic link that leads to the port, wherever that is.
    typed : bytes
        Sent to the board each time that it starts, such as ``b"text\\r"`` for readings in plain text.
    changed : callable, optional
        Called with a sentence for people: where the port is now, that it is gone, what happened.

    Raises
    ------
    BoardError
        This computer has no pseudo-terminals, or the link can't be made.
    """

    def __init__(self, board, link=None, typed: bytes = b"", changed=lambda text: None):
        self.board, self._link, self._typed, self._changed = board, link, typed, changed
        self._closing = False
        self._terminal: Terminal | None = None
        self._number = -1
        self._seen = len(board.log)
        board.power_on()
        self._plug()
        self._thread = threading.Thread(target=self._watch, name=f"serving {board.name}", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str | None:
        """What other programs open; None while the board is off."""
        terminal = self._terminal
        return terminal.address if terminal is not None else None

    def close(self) -> None:
        """Take the port away; the board stays. Safe to call twice."""
        with self.board.condition:
            self._closing = True
            self.board.condition.notify_all()
        self._thread.join()

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _plug(self) -> None:
        with self.board.condition:
            self._number = self.board.power_cycles
            self.board.line.host_write(self._typed)
        self._terminal = Terminal(Cable(self.board), self._link, self._touched)

    def _unplug(self) -> None:
        if self._terminal is not None:
            self._terminal.close()
            self._terminal = None

    def _touched(self) -> None:
        self._changed("Opened at 1200 baud and closed: a real board would be in its bootloader now; this one restarts.")
        self.board.reboot()

    def _watch(self) -> None:
        board = self.board
        while True:
            with board.condition:
                board.condition.wait_for(lambda: self._closing or self._differs())
                closing = self._closing
            if closing:
                return self._unplug()
            for text in board.log[self._seen :]:
                self._changed(text)
            self._seen = len(board.log)
            if self._terminal is not None:
                self._unplug()
                self._changed("The board is gone, and its port with it.")
            else:
                self._plug()
                self._changed(f"The board is back on {self.address}.")

    def _differs(self) -> bool:
        """Has power gone or come since the port was made? Under the board's condition."""
        board = self.board
        if self._terminal is None:
            return board.booted and board.alive(board.power_cycles)
        return not board.alive(self._number)
