"""The browser's microphone on the kernel's side: what a recorder reads in place of a board."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from ..board import messages as m
from ..board.log import EventLog
from ..board.recorder import Take
from ..board.sensor import Microphone
from ..board.stream import Stream
from ..errors import BoardError

RATE_HZ = 16000.0


class BrowserSound:
    """Sound that a page sends; it has streams, a log and a name, as a board has.

    ``feed`` is called by a widget for every block; everything else may be called from any thread.

    Attributes
    ----------
    state : str
        ``"off"``, ``"asking"`` (the browser asks for permission), ``"on"`` or ``"failed"``.
    received, lost : int
        Samples since it was made.
    sink : callable or None
        Called with int16 (n,) for every block.
    """

    is_virtual = closed = False
    connected = True  # the page is there, or its widget is closed; the microphone's own state is ``state``
    port = "browser"
    device_name = "browser microphone"
    picture = "mic"
    machine = source = None

    def __init__(self):
        self.log = EventLog()
        self.info = SimpleNamespace(board="Your microphone")
        self.state = "off"
        self.sink = None
        self._over = False  # the page said that it is off: a block that comes late is no longer passed on
        self.received = self.lost = 0
        self.end = self.page = 0  # the number of the next sample, here and as the page numbers it
        self._shift = 0  # from the page's numbers to these: a page that is loaded again counts from 0
        self._ear = _Ear(self.log)

    def stream(self, sensor: str = "mic", seconds: float | None = None, capacity_s: float = 60.0) -> Stream:
        """A stream of what comes from now on.

        Raises
        ------
        BoardError
            A browser has only a microphone.
        """
        if sensor != "mic":
            raise BoardError(f"A browser has no sensor {sensor!r}, only a microphone.", 'Use sensor="mic".')
        return Stream(self._ear, seconds, capacity_s)

    def record(self, label, seconds=1.0, person="", session="", dataset=None, sensor="mic", progress=False):
        """Record one take, as ``Board.record`` does; raises what it raises."""
        recording = Take(self, seconds, sensor).recording(label, person, session, bool(progress))
        return recording if dataset is None else dataset.add(recording)

    def feed(self, index: int, counts: np.ndarray) -> None:
        """A block that arrived: int16 (n,), numbered by the page from ``index`` on."""
        if not len(counts):
            return
        self.page = index + len(counts)
        at = index + self._shift
        if at < self.end:
            self._shift, at = self.end - index, self.end
        self.lost += at - self.end
        self.received += len(counts)
        self.end = at + len(counts)
        time_us = round(at * 1e6 / RATE_HZ)
        # As a board numbers them: 32 bits, which the streams unwrap.
        frame = m.AudioFrame(m.MIC, 0, at & 0xFFFFFFFF, time_us & 0xFFFFFFFF, counts.reshape(-1, 1))
        self._ear._on_frame(SimpleNamespace(payload=frame))
        if self.sink is not None and not self._over:
            self.sink(counts)

    def heard(self, content: dict) -> None:
        """The page's microphone was started, stopped or refused."""
        self.state = str(content["state"])
        self._over = self.state not in ("on", "asking")
        self.log.add("log", f"browser microphone {self.state} {content.get('what') or ''}".strip())

    def link(self, silent_s: float):
        """How it stands, in words: (link, note) as ``widget.link_of`` gives them."""
        if self.state == "on":
            if silent_s > 2.0:
                note = {"kind": "none", "what": "The sound waits in the browser.", "next": "wait for the running cell."}
                return {"kind": "warn", "picture": "mic", "text": "on, but nothing arrives"}, note
            return {"kind": "ok", "picture": "mic", "text": "microphone on"}, None
        words = {"asking": "asks for permission", "failed": "no microphone"}.get(self.state, "microphone off")
        kind = "warn" if self.state == "failed" else "none"
        return {"kind": kind, "picture": "mic", "text": words}, None  # the page itself says why

    def __repr__(self) -> str:
        return f"<BrowserSound {self.state}: {self.received:,} samples, {self.lost:,} lost>"


class _Ear(Microphone):
    """A board's microphone whose frames come from a page: nothing is asked of any board."""

    _parse = staticmethod(lambda frame: frame)

    def __init__(self, log: EventLog):
        nobody = SimpleNamespace(up=True, on=lambda *_: None, off=lambda *_: None)
        super().__init__(nobody, m.MIC, "mic", RATE_HZ, ("audio",), log)

    def _start(self) -> None:
        self._heard = True

    def _stop(self, stream) -> None:
        pass

    def _explain_silence(self, stream) -> None:
        raise BoardError(
            "The stream was closed." if stream.closed else "No sound came from the browser for five seconds.",
            "Press “Start the microphone” in the widget; while a cell runs, its sound has to wait.",
        )
