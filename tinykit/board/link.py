"""Requests, replies and events over one port; a cable pulled and plugged in again is mended.

Threads: any thread may ask, one at a time; one daemon thread reads the port and hands events to
their handlers. Handlers run on that thread, so they must be quick and must not ask.
"""

from __future__ import annotations

import atexit
import logging
import struct
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass

from ..errors import BoardError, BoardGone, DeviceError, FirmwareNeeded, LinkError, PortBusy
from . import messages as m
from .frame import Decoder, Frame, encode
from .log import EventLog
from .port import FLASH, find_port, open_port, usb_serial_number

_logger = logging.getLogger("tinykit.board")

# What to do about an error that the device names; its own text says what happened.
_WAY_OUT = {
    "bad_version": FLASH,
    "unknown_request": FLASH,
    "slot_empty": "Deploy a pipeline first: board.deploy(pipeline).",
    "no_plan": "Deploy a pipeline first: board.deploy(pipeline).",
    "no_pipeline": "Deploy a pipeline (board.deploy(pipeline)), or use board.run(x) with a bare network.",
    "slot_damaged": "Deploy again; the other slot still works.",
    "sensor_dead": "Press the board's reset button; if it stays dead, use another board or the virtual one.",
    "flash_failed": "The board kept its old pipeline. Deploy again; if it fails again, the flash is worn out.",
    "busy": "Stop live predictions, the stream of sound or the upload that is under way, then try again.",
    "bad_crc": "Deploy again; the board kept its old pipeline.",
    "too_large": "Train a smaller model, or shorten the window.",
    "arena_too_small": "Use fewer channels or a smaller window: the board lacks the RAM.",
}


@dataclass
class LinkCounters:
    """What the link had to mend. ``damaged`` frames come from the decoder's own counters."""

    requests: int = 0
    repeated: int = 0
    reconnects: int = 0
    events: int = 0
    events_lost: int = 0


class Link:
    """A board behind a port.

    Parameters
    ----------
    url : str
        Port name or pyserial URL.
    log : EventLog, optional
        Where unplugging, reconnecting and losses are written.
    opener : callable, optional
        ``url -> serial port``, for tests.
    reconnect : bool
        Whether to look for the board again when it goes away.

    Raises
    ------
    PortBusy, BoardError
        As ``open_port``; also when nothing on the port speaks the protocol.
    """

    TIMEOUT_S = 0.5  # a flash page takes a board 0.09 s
    TRIES = 10
    HELLO_TRIES = 8

    def __init__(self, url: str, log: EventLog | None = None, opener=open_port, reconnect: bool = True):
        self.url = url
        self.log = log if log is not None else EventLog()
        self.counters = LinkCounters()
        self._opener, self._reconnect = opener, reconnect
        self.serial_number = None if "://" in url else usb_serial_number(url)
        self._decoder = Decoder()
        self._handlers: dict[int, list] = {}
        self._restorers: list = []
        self._asking = threading.RLock()
        self._changed = threading.Condition()
        self._awaited: dict[int, int] = {}  # number of a request on its way -> its type
        self._replies: dict[int, Frame] = {}
        self._seq = 0
        self._event_seq: int | None = None
        self._closing = threading.Event()
        self._gone_at: float | None = None
        self._given_up = self._lent = False
        self._restorer: threading.Thread | None = None
        self._uptime_ms, self._uptime_at = 0, time.monotonic()
        self.loses_power = False  # whether this board never outlives its port, as the virtual one
        self._port = opener(url)
        self._up = True
        # Registered after the virtual board's own: at the program's end the port closes first.
        atexit.register(self.close)
        self._reader = threading.Thread(target=self._read, name=f"tinykit link {url}", daemon=True)
        self._reader.start()
        try:
            self._hello()
        except (LinkError, DeviceError) as error:
            self.close()
            if isinstance(error, DeviceError):
                raise FirmwareNeeded(url, error.what, FLASH, answers=True) from None
            if url.startswith("virtual://"):
                raise BoardError(
                    f"{url} did not start in time: this computer is very busy.",
                    "Try again; if it fails again, run tinykit doctor.",
                ) from None
            raise FirmwareNeeded(
                url,
                f"Nothing on {url} answers as a tinykit board.",
                f"{FLASH} If the board hangs, press its reset button twice first. Without a board: "
                "tk.connect('virtual').",
            ) from None
        except BaseException:
            self.close()
            raise

    # -- asking --------------------------------------------------------------------------------

    def request(self, type: int, payload: bytes = b"", timeout: float = TIMEOUT_S, tries: int = TRIES) -> bytes:
        """Ask and return the reply's payload; repeated when no answer comes (requests are idempotent).

        Parameters
        ----------
        type : int
            One of the requests in ``messages``.
        payload : bytes
        timeout : float
            Seconds to wait for each of the ``tries``.

        Raises
        ------
        DeviceError
            The board answered with an error; its name is the exception's ``name``.
        BoardGone
            The board is away and did not come back in time.
        LinkError
            The board is there and did not answer.
        """
        if threading.current_thread() is self._reader:
            raise RuntimeError("A handler of events must not ask the board: hand the work to another thread.")
        with self._asking:
            self._seq = (self._seq + 1) & 0xFF
            data = encode(type, self._seq, payload)
            timeout *= getattr(self._port, "patience", 1)  # a port that is elsewhere answers later
            self.counters.requests += 1
            end = time.monotonic() + timeout * tries
            attempt = asked = 0
            while attempt < tries:
                self._wait_until_up(timeout * (tries - attempt))
                self.counters.repeated += asked > 0
                asked, before = asked + 1, self.counters.reconnects
                reply = self._ask_once(data, type, timeout)
                if reply is not None:
                    return self._unwrap(reply, type)
                # A board that went away could not answer; that says nothing about the line.
                away = not self._up or self.counters.reconnects != before
                if not away or time.monotonic() > end:
                    attempt += 1
            self._wait_until_up(0)
            name = m.NAMES.get(type, hex(type))
            raise LinkError(
                f"{self.url} did not answer '{name}' in {tries} tries of {timeout:g} s.",
                "Press the board's reset button, or unplug it and plug it in again, then retry.",
            )

    def burst(self, calls, timeout: float = TIMEOUT_S, ahead: int = 6) -> list[bytes | None]:
        """Ask several things in a row, some of them on their way at once; the board answers in order.

        Nothing is repeated: whether a lost one may be asked again after later ones, the caller knows.

        Parameters
        ----------
        calls : list of (type, payload)
            At most 200.
        timeout : float
            Seconds to wait for a reply after the one before.
        ahead : int
            Requests that may wait for their replies; six of full length fit into a port's buffer.

        Returns
        -------
        list of bytes or None
            Payload of each reply; None where it did not come, or was an error.
        """
        with self._asking:
            timeout *= getattr(self._port, "patience", 1)
            self._wait_until_up(timeout * self.TRIES)
            self.counters.requests += len(calls)
            numbers = [(self._seq + 1 + i) & 0xFF for i in range(len(calls))]
            self._seq = numbers[-1]
            with self._changed:
                self._awaited = {seq: type for seq, (type, _) in zip(numbers, calls, strict=True)}
                self._replies = {}
            replies: list[bytes | None] = []
            sent = 0
            try:
                while len(replies) < len(calls):
                    done = len(replies)
                    while sent < min(len(calls), done + ahead):
                        self._port.write(encode(calls[sent][0], numbers[sent], calls[sent][1]))
                        sent += 1
                    reply = self._await(numbers[done], timeout, later=numbers[done + 1 : sent])
                    replies.append(None if reply is None or reply.type == m.ERROR else reply.payload)
                    if reply is None and not self._up:
                        break
            except Exception as error:  # as in _ask_once
                _logger.debug("write failed: %s", error)
            with self._changed:
                self._awaited, self._replies = {}, {}
            replies += [None] * (len(calls) - len(replies))
            self.counters.repeated += replies.count(None)
            return replies

    def _ask_once(self, data: bytes, type: int, timeout: float) -> Frame | None:
        with self._changed:
            self._awaited, self._replies = {self._seq: type}, {}
        try:
            self._port.write(data)
        except Exception as error:  # the reader sees the same and reconnects; a full buffer is a lost try
            _logger.debug("write failed: %s", error)
        reply = self._await(self._seq, timeout)
        with self._changed:
            self._awaited, self._replies = {}, {}
        return reply

    def _await(self, seq: int, timeout: float, later=()) -> Frame | None:
        """The reply to a request on its way; None when it does not come, or one to a later request has."""

        def settled():
            gone = self._closing.is_set() or not self._up
            return gone or seq in self._replies or any(other in self._replies for other in later)

        with self._changed:
            self._changed.wait_for(settled, timeout)
            return self._replies.pop(seq, None)

    def _wait_until_up(self, timeout: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._up or self._given_up or self._closing.is_set(), timeout)
            if self._closing.is_set():
                raise BoardError("This board was closed.", "Connect again: board = tk.connect().")
            if not self._up:
                raise BoardGone(
                    f"The board on {self.url} is gone.",
                    "Plug it in again: the connection mends itself; then run this again.",
                )

    def _unwrap(self, reply: Frame, type: int) -> bytes:
        if reply.type != m.ERROR:
            return reply.payload
        detail = struct.unpack_from("<I", reply.payload, 4)[0] if len(reply.payload) >= 8 else 0
        name = reply.payload[8:].decode("utf-8", "replace") or "unknown"
        more = f" ({detail:,})" if detail not in (0, 0xFFFFFFFF) else ""
        what = f"The board refused '{m.NAMES.get(type, hex(type))}': {name}{more}."
        error = DeviceError(name, what, _WAY_OUT.get(name, ""))
        error.detail = detail
        raise error

    def _hello(self) -> bool:
        """Greet; whether the board has started anew since the last greeting."""
        payload = self.request(m.HELLO, struct.pack("<H", m.PROTOCOL_VERSION), timeout=0.5, tries=self.HELLO_TRIES)
        version, uptime_ms = struct.unpack_from("<HI", payload)
        if version != m.PROTOCOL_VERSION:
            raise FirmwareNeeded(
                self.url,
                f"The board speaks protocol {version}, this tinykit speaks {m.PROTOCOL_VERSION}.",
                FLASH if version < m.PROTOCOL_VERSION else "Update tinykit, or: " + FLASH,
                answers=True,
            )
        # Its clock has gone on from what it was, or began again after it was gone: which is nearer?
        now = time.monotonic()
        gone_on = self._uptime_ms + (now - self._uptime_at) * 1000
        began_again = (now - self._gone_at) * 1000 if self._gone_at else 0.0
        rebooted = self.loses_power or uptime_ms < (gone_on + began_again) / 2
        self._uptime_ms, self._uptime_at = uptime_ms, now
        return rebooted

    # -- events --------------------------------------------------------------------------------

    def on(self, event: int, handler) -> None:
        """Call ``handler(frame)`` on the reader thread for every event of this type."""
        self._handlers.setdefault(event, []).append(handler)

    def off(self, event: int, handler) -> None:
        """Undo ``on``; unknown handlers are ignored."""
        if handler in self._handlers.get(event, []):
            self._handlers[event].remove(handler)

    def on_restore(self, restorer) -> None:
        """Call ``restorer(rebooted, seconds_away)``, off the reader thread, after each reconnection."""
        self._restorers.append(restorer)

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closing.is_set()

    @property
    def up(self) -> bool:
        """Whether the port is open at present."""
        return self._up

    @property
    def decoder(self):
        """Counters of the bytes and frames that arrived."""
        return self._decoder.counters

    @property
    def port(self):
        """The open pyserial object; on a virtual board its ``machine`` is the board itself."""
        return self._port

    # -- the reader thread ---------------------------------------------------------------------

    def _read(self) -> None:
        while not self._closing.is_set():
            try:
                if self._lent:
                    raise BoardGone("another program has the port for a while")
                data = self._port.read(max(1, self._port.in_waiting))
            except Exception as error:  # pyserial: OSError; on Windows also others inside it
                if self._closing.is_set():
                    return
                self._lose(error)
                if not self._reconnect or not self._find_again():
                    with self._changed:
                        self._given_up = True
                        self._changed.notify_all()
                    return
                continue
            if data:
                for frame in self._decoder.feed(data):
                    self._route(frame)

    def _route(self, frame: Frame) -> None:
        if frame.type & m.REPLY:
            with self._changed:
                type = self._awaited.get(frame.seq)
                if type is not None and frame.type in (type | m.REPLY, m.ERROR):
                    self._replies[frame.seq] = frame
                    self._changed.notify_all()
        elif m.FIRST_EVENT <= frame.type <= m.LAST_EVENT:
            self.counters.events += 1
            if self._event_seq is not None:
                self.counters.events_lost += (frame.seq - self._event_seq - 1) & 0xFF
            self._event_seq = frame.seq
            for handler in list(self._handlers.get(frame.type, ())):
                try:
                    handler(frame)
                except Exception as error:
                    self.log.add("error", f"A handler of event 0x{frame.type:02x} failed: {error!r}")
                    _logger.exception("handler of event 0x%02x failed", frame.type)

    def _lose(self, error: Exception) -> None:
        self._gone_at = time.monotonic()
        self.log.add("gone", f"The board on {self.url} is gone ({error}); waiting for it to come back.")
        try:
            self._port.close()
        except Exception as failure:
            _logger.debug("closing the lost port failed: %s", failure)
        with self._changed:  # afterwards, so that who waits for it finds the port free
            self._up = False
            self._changed.notify_all()

    def _find_again(self) -> bool:
        """Open the board's port again, waiting longer each time; False when closed meanwhile."""
        pause = 0.05
        while not self._closing.wait(pause):
            pause = min(pause * 1.6, 2.0)
            if self._lent:
                pause = 0.05
                continue
            if getattr(getattr(self._port, "machine", None), "state", "") == "closed":
                return False  # a virtual board that was switched off for good
            url = find_port(self.serial_number) if self.serial_number else self.url
            if url is None:
                continue
            try:
                port = self._opener(url)
            except (BoardError, PortBusy, OSError):
                continue
            self._decoder.resync()
            self._event_seq = None
            with self._changed:
                self.url, self._port, self._up = url, port, True
                self._changed.notify_all()
            self.counters.reconnects += 1
            self._restorer = threading.Thread(target=self._restore, name="tinykit restore", daemon=True)
            self._restorer.start()
            return True
        return False

    def _restore(self) -> None:
        away = time.monotonic() - self._gone_at
        try:
            rebooted = self._hello()
            started = "It had started anew." if rebooted else "It had kept running."
            self.log.add("reconnected", f"The board is back on {self.url} after {away:.1f} s. {started}")
            for restorer in list(self._restorers):
                restorer(rebooted, away)
        except BoardError as error:
            if not self._closing.is_set():
                self.log.add("error", f"The board came back on {self.url}, then: {error}")
                self._port.close()  # the reader sees it, and looks for the board once more

    @contextmanager
    def lend(self):
        """Leave the port to another program; afterwards the board is looked for, under whichever name it has then."""
        self._lent = True
        try:
            with self._changed:
                self._changed.wait_for(lambda: not self._up or self._closing.is_set(), 10.0)
            yield
        finally:
            self._lent = False

    # -- ending --------------------------------------------------------------------------------

    def release(self):
        """Stop the reader and give the port, still open, to the caller, who closes it."""
        atexit.unregister(self.close)
        self._closing.set()
        with self._changed:
            self._changed.notify_all()
        here = threading.current_thread()
        for thread in (self._reader, self._restorer):
            if thread is not None and thread is not here and thread.is_alive():
                thread.join(5.0)
        return self._port

    def close(self) -> None:
        """Stop the reader and close the port; safe to call twice and from any thread."""
        self.release()
        machine = getattr(self._port, "machine", None)
        try:
            self._port.close()
        except Exception as error:
            _logger.debug("closing %s failed: %s", self.url, error)
        # A virtual board that came with its URL goes with it; one that somebody made stays.
        if getattr(machine, "made_by_url", False):
            machine.close()
