"""A port that is elsewhere: a carrier, such as a notebook's page, opens it and brings its bytes here.

The link uses ``RelayPort`` as any pyserial port. The carrier is told by messages what to do (``open``, ``write``,
``close``) and says what it did (``opened``, ``feed``, ``taken``, ``gone``); nothing here ever waits for it
longer than a link waits for a port.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from ..errors import BoardError

BROWSER_URL = "browser://"

_OPEN_S = 1.0  # how long one try of opening waits for the carrier
_READ_S = 0.05
_WRITE_S = 2.0
_WINDOW = 16 * 1024  # bytes on their way that the far port has not taken yet


class Relay:
    """One port elsewhere, and who uses it.

    Parameters
    ----------
    send : callable
        ``send(kind, data=None, **content)``: a message for the carrier; never waits.

    Attributes
    ----------
    session : str or None
        Name of the present opening of the far port; None: it is not open.
    wanted : bool
        Whether somebody here wants it open.
    received, lost, sent : int
        Bytes since it was made. ``lost`` are those of which the carrier said that there were some.
    why : str
        Why the last session ended.
    """

    def __init__(self, send: Callable[..., None]):
        self._send = send
        self._changed = threading.Condition()
        self.session: str | None = None
        self.wanted = False
        self.received = self.lost = self.sent = 0
        self.why = ""
        self._buffer = bytearray()
        self._next = 0  # number of the session's next byte from there
        self._written = self._taken = 0  # bytes of this session, on their way and in the far port

    # -- for the link ------------------------------------------------------------------------------

    def open(self, url: str = BROWSER_URL) -> RelayPort:
        """Have the far port opened; what a ``Link`` calls as its opener.

        Raises
        ------
        BoardError
            It is not open within a second: nobody chose one, or it is away.
        """
        with self._changed:
            if not self.wanted:  # a carrier that knows goes on trying, and tells when it has it
                self.wanted = True
                self._send("open")
            if not self._changed.wait_for(lambda: self.session is not None or not self.wanted, _OPEN_S):
                raise BoardError(
                    "No board is open in the browser.", "Press “Choose the board” in the widget, then run this again."
                )
            if self.session is None:
                raise BoardError("The port was let go.", "Connect again: board = tk.connect('browser://').")
            return RelayPort(self, url, self.session)

    def release(self, session: str | None = None) -> None:
        """Nobody here wants the far port any more; only if it is still in that session, if one is given."""
        with self._changed:
            if session is not None and session != self.session:
                return
            self.wanted = False
            now, self.session = self.session, None
            self._buffer.clear()
            self._changed.notify_all()
        if now is not None:
            self._send("close", session=now)

    # -- for the carrier ---------------------------------------------------------------------------

    def opened(self, session: str) -> bool:
        """The far port is open now; False where it is not wanted, or another one is open already."""
        with self._changed:
            if not self.wanted or self.session not in (None, session):
                return False
            if self.session is None:
                self.session, self.why = session, ""
                self._next = self._written = self._taken = 0
                self._buffer.clear()
                self._changed.notify_all()
            return True

    def feed(self, session: str, at: int, data: bytes) -> bool:
        """Bytes from there, the first of them number ``at`` of the session; False: of another session."""
        with self._changed:
            if session != self.session:
                return False
            if at < self._next:  # the carrier repeats itself: known already
                return True
            self.lost += at - self._next
            self._next = at + len(data)
            self.received += len(data)
            self._buffer += data
            self._changed.notify_all()
            return True

    def taken(self, session: str, total: int) -> None:
        """The far port has so many bytes of this session by now."""
        with self._changed:
            if session == self.session:
                self._taken = max(self._taken, total)
                self._changed.notify_all()

    def gone(self, session: str, why: str) -> None:
        """The far port is closed, or its carrier is away."""
        with self._changed:
            if session == self.session:
                self.session, self.why = None, why
                self._changed.notify_all()

    def wait(self, condition: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait until a condition on this relay is true; whether it is."""
        with self._changed:
            return self._changed.wait_for(condition, seconds)

    def notify(self) -> None:
        """What somebody waits for may have changed."""
        with self._changed:
            self._changed.notify_all()

    @property
    def heard(self) -> int:
        """Number of the next byte that is expected in this session: all before have arrived."""
        return self._next


class RelayPort:
    """What the link uses of a pyserial port, for one session of a ``Relay``."""

    patience = 4  # times what the link waits for an answer: over a network, past a page that may be drawing

    def __init__(self, relay: Relay, url: str, session: str):
        self._relay, self.port, self._session = relay, url, session
        self.is_open = True

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read at once."""
        with self._relay._changed:
            self._check()
            return len(self._relay._buffer)

    def read(self, size: int = 1) -> bytes:
        """At most ``size`` bytes; waits at most 0.05 s for the first."""
        relay = self._relay
        with relay._changed:
            relay._changed.wait_for(lambda: relay._buffer or relay.session != self._session, _READ_S)
            self._check()
            data = bytes(relay._buffer[:size])
            del relay._buffer[:size]
            return data

    def write(self, data: bytes) -> int:
        """Send bytes; waits at most 2 s for room."""
        from serial import SerialTimeoutException

        data, relay = bytes(data), self._relay
        with relay._changed:
            self._check()
            full = lambda: relay._written - relay._taken + len(data) > _WINDOW  # noqa: E731
            if not relay._changed.wait_for(lambda: not full() or relay.session != self._session, _WRITE_S):
                raise SerialTimeoutException("Write timeout")
            self._check()
            at, relay._written = relay._written, relay._written + len(data)
            relay.sent += len(data)
            relay._send("write", data, session=self._session, at=at)  # in order, so under the lock
        return len(data)

    def flush(self) -> None:
        """Wait until the far port has every byte, at most 2 s."""
        relay = self._relay
        with relay._changed:
            relay._changed.wait_for(lambda: relay._taken >= relay._written or relay.session != self._session, _WRITE_S)

    def close(self) -> None:
        """Let go of the far port; safe to call twice."""
        if self.is_open:
            self.is_open = False
            self._relay.release(self._session)

    def _check(self) -> None:
        relay = self._relay
        if not self.is_open or relay.session != self._session:
            raise OSError(relay.why or "the port was closed")
