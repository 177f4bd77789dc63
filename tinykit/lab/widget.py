"""What all live widgets share: who flushes, who listens, what is shown where nothing runs.

Three threads meet here. The board's reader fills rings and never waits. One flusher a kernel looks
into them thirty times a second and sends what is new. The browser's messages are handled on the
kernel's own thread, or on another one, as the ipykernel has it. Nothing ever waits for the browser.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
import traceback
from importlib.resources import files

import anywidget
import traitlets

from .. import look
from ..errors import TinykitError
from ..look.icons import PATHS
from .lease import Lease

_logger = logging.getLogger("tinykit.lab")
FRAMES_PER_S = 30
# A widget that no browser has answered for so long is in a script or a test: stop sending.
_UNSEEN_S = 20.0


def module(name: str, *shared: str) -> str:
    """The ESM of a widget: icons, core.js, what it shares, its own file (anywidget resolves no imports)."""
    static = files(__package__).joinpath("static")
    icons = f"const ICONS = {json.dumps(PATHS)};\n"
    parts = ("core", *shared, name)
    return icons + "\n".join(static.joinpath(f"{part}.js").read_text(encoding="utf-8") for part in parts)


def sheet(*names: str) -> str:
    """The style of a widget: the look's sheet, then its own."""
    static = files(__package__).joinpath("static")
    return "\n".join([look.sheet(), *(static.joinpath(f"{n}.css").read_text(encoding="utf-8") for n in names)])


class Flusher:
    """One daemon thread for all widgets of a kernel; it runs while there are any."""

    def __init__(self):
        self._widgets: tuple = ()  # replaced, never changed, so that the thread reads it without a lock
        self._lock = threading.RLock()  # a widget that is collected while it is held calls ``discard``
        self._thread: threading.Thread | None = None

    def add(self, widget) -> None:
        """Call ``widget.flush()`` thirty times a second from now on."""
        thread = None
        with self._lock:
            if not any(w is widget for w in self._widgets):
                self._widgets = (*self._widgets, widget)
            if self._thread is None:
                thread = self._thread = threading.Thread(target=self._run, name="tinykit flusher", daemon=True)
        if thread is not None:
            thread.start()  # without the lock: before it says that it started, it may collect a widget

    def discard(self, widget) -> None:
        """Stop calling it."""
        with self._lock:
            self._widgets = tuple(w for w in self._widgets if w is not widget)

    def _run(self) -> None:
        due = time.monotonic()
        while True:
            with self._lock:
                widgets = self._widgets
                if not widgets:
                    self._thread = None
                    return
            for widget in widgets:
                try:
                    widget.flush()
                except Exception as error:
                    self.discard(widget)
                    self._fail(widget, error)
            widget = widgets = None  # no reference while it sleeps
            now = time.monotonic()
            due = max(due + 1 / FRAMES_PER_S, now + 0.002)  # late frames are dropped, not made up for
            time.sleep(due - now)

    @staticmethod
    def _fail(widget, error: Exception) -> None:
        try:
            widget.fail(error)
        except Exception:  # telling failed too (the kernel is shutting down): the others must go on
            _logger.exception("%s failed, and could not say so", widget.title)


FLUSHER = Flusher()


class LabWidget(anywidget.AnyWidget):
    """A widget on a board.

    A subclass opens what it reads in ``start``, lets it go in ``stop``, sends what is new in
    ``flush``, answers the browser in methods ``on_<kind>(message, buffers)`` and draws itself as
    HTML in ``snapshot``.

    Parameters
    ----------
    board : Board or None
    config : dict
        What the browser needs to know from the start.
    head : dict, optional
        What stands beside the title in place of the board.
    """

    head = traitlets.Dict().tag(sync=True)
    config = traitlets.Dict().tag(sync=True)
    title = "Widget"
    _guard = None  # until the constructor has run: a widget that failed in it is closed when collected

    def __init__(self, board, config: dict, head: dict | None = None):
        self.board = board
        self.errors: list[str] = []
        self._views: set | None = None  # None: no browser has said anything yet
        self._made = time.monotonic()
        self._lease, self._given_up = Lease(), False
        self._start_failed = False  # a page's next word tries again, once there is a board
        self._running = False
        self._guard = threading.RLock()
        self._status_at = 0.0
        self._again = True  # send everything, not only what is new
        self._log_cursor = board.log.read_new(0)[1] if board is not None else 0
        super().__init__(head=head or head_of(board), config=config)
        _hear_beside_cells(self.comm)
        self.on_msg(self._receive)

    # -- for subclasses --------------------------------------------------------------------------

    def start(self) -> None:
        """Open what the widget reads; raises what the board raises."""

    def stop(self) -> None:
        """Let it go; called once for each ``start``."""

    def flush(self) -> None:
        """Send what is new; on the flusher's thread."""

    def snapshot(self) -> look.Html:
        """The widget as it stands, as HTML that needs nothing running."""
        raise NotImplementedError

    def settle(self, seconds: float) -> None:
        """Wait until there is something to see; for still pictures."""

    # -- running ---------------------------------------------------------------------------------

    def run(self) -> None:
        """Start reading and sending; again after ``rest``."""
        with self._guard:
            if not self._running:
                self.start()
                self._running = True
            self._again, self._status_at = True, 0.0
        FLUSHER.add(self)

    def rest(self) -> None:
        """Stop sending and let go of the board; a browser that opens the widget again wakes it."""
        FLUSHER.discard(self)
        with self._guard:
            if self._running:
                self._running = False
                self.stop()

    def close(self) -> None:
        """End the widget."""
        if self._guard is not None:
            self.rest()
        super().close()

    def unseen(self) -> bool:
        """Whether no browser shows the widget; a caller in ``flush`` then stops."""
        never = self._views is None and time.monotonic() - self._made > _UNSEEN_S
        if never or (self._views and self._lease.over()):
            # Letting go asks the board, and the flusher must not wait.
            self._views, self._given_up = None if never else set(), True
            FLUSHER.discard(self)
            threading.Thread(target=self._rest_quietly, name="tinykit widget rest", daemon=True).start()
            return True
        return False

    def due(self, seconds: float = 1.0) -> bool:
        """True once a second, for what changes slowly; and after ``run``."""
        now = time.monotonic()
        if now - self._status_at < seconds:
            return False
        self._status_at = now
        return True

    def fresh(self, something: bool = True) -> bool:
        """True once after a browser asked for everything; once there is ``something`` to send."""
        again = self._again and something
        if again:
            self._again = False
        return again

    def deployed(self) -> bool:
        """Whether something was deployed or rolled back since the last call, from here or from a cell."""
        return "deployed" in self.happened()

    def happened(self) -> set[str]:
        """The kinds of events in the board's log since the last call of this or of ``deployed``."""
        events, self._log_cursor = self.board.log.read_new(self._log_cursor)
        return {event.kind for event in events}

    def work(self, what: str, call, *args) -> threading.Thread:
        """Do something slow on a thread of its own; what it raises is shown in the widget."""

        def body():
            try:
                call(*args)
            except Exception as error:
                self.fail(error)

        thread = threading.Thread(target=body, name=f"tinykit {what}", daemon=True)
        thread.start()
        return thread

    def tell(self, kind: str, _buffers=None, **content) -> None:
        """Send a message to every view; never waits."""
        self.send({"k": kind, **content}, buffers=_buffers)

    def fail(self, error: Exception) -> None:
        """Show an error in the widget, keep it in ``errors``, and log it; nothing is swallowed."""
        self.errors.append("".join(traceback.format_exception(type(error), error, error.__traceback__)))
        if isinstance(error, TinykitError):
            what, next = error.what, error.next
            _logger.info("%s: %s", self.title, error)
        else:
            what = f"{type(error).__name__}: {error}"
            next = "This is a fault of tinykit; print(widget.errors[-1]) shows where it happened."
            _logger.error("%s failed", self.title, exc_info=error)
        self.tell("error", what=what, next=next)

    def _rest_quietly(self) -> None:
        try:
            with self._guard:
                if not self._views:  # none came back meanwhile
                    self.rest()
        except Exception as error:
            self.fail(error)

    # -- the browser -----------------------------------------------------------------------------

    def _receive(self, _, content, buffers) -> None:
        try:
            kind = content.get("k", "")
            handler = getattr(self, f"on_{kind}", None)
            if handler is None:
                raise ValueError(f"{self.title} got a message of unknown kind {kind!r}")
            handler(content, buffers)
        except Exception as error:
            self.fail(error)

    def on_ready(self, content, buffers) -> None:
        """A view opened."""
        self._views, self._given_up = (self._views or set()) | {content["view"]}, False
        self._lease.renew()
        self._start_failed = True
        self.run()
        self._start_failed = False

    def on_here(self, content, buffers) -> None:
        """A view is still open.

        One that was given up (its computer slept), is not known (its first word waits for the end of a cell), or had
        no board to start with gets everything again.
        """
        self._lease.renew()
        again = self._start_failed and getattr(self.board, "connected", True)
        if again or self._given_up or content["view"] not in (self._views or ()):
            self.on_ready(content, buffers)

    def on_bye(self, content, buffers) -> None:
        """A view closed; after the last one the board is let go."""
        self._views = (self._views or set()) - {content["view"]}
        if not self._views:
            self.work("widget rest", self._rest_if_alone)

    def _rest_if_alone(self) -> None:
        time.sleep(1.0)  # JupyterLab closes a view and opens another when a cell is moved
        if not self._views:
            self.rest()

    # -- where nothing runs ----------------------------------------------------------------------

    def _repr_mimebundle_(self, **kwargs):
        """The live view, with a still picture beside it for pages where nothing runs.

        ``TINYKIT_STILL=SECONDS`` in the environment gives the picture alone, after so many seconds
        of data: that is how lessons become HTML.
        """
        still = os.environ.get("TINYKIT_STILL")
        if still:
            self.settle(float(still))
            picture = self.snapshot()
            self.rest()
            return {"text/plain": repr(self), "text/html": str(picture)}, {}
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return bundle
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return {**data, "text/html": str(self.snapshot())}, metadata

    def __repr__(self) -> str:
        return f"<{self.title} of {self.head.get('name', 'a board')} on {self.head.get('port', '')}>"


def _hear_beside_cells(comm) -> None:
    """Have the browser's messages handled where JupyterLab sends them: on a subshell, also while a cell runs.

    ipykernel 7.4 sends them where the widget last spoke from instead; a flusher speaks as the main shell does, and
    there they would wait for the end of the cell. And a comm tells IPython that a cell begins and ends with each of
    its messages; beside a cell that really runs, matplotlib would then close the figure it draws.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda data, default: default
    if hasattr(comm, "handle_msg") and hasattr(comm, "_msg_callback"):
        comm.handle_msg = lambda msg: comm._msg_callback(msg) if comm._msg_callback else None


def head_of(board) -> dict:
    """Name, port and whether it is virtual, for the head of every widget."""
    virtual = bool(board.is_virtual)
    name = "Virtual board" if virtual else board.info.board
    return {"name": name, "port": board.port, "virtual": virtual, "pic": getattr(board, "picture", "")}


def source_html(head: dict) -> look.Html:
    """The same as HTML."""
    right = (
        look.tag("simulated data")
        if head["virtual"]
        else look.Html(f'<span class="mut mono">{look.esc(head["port"])}</span>')
    )
    picture = look.icon(head["pic"] or ("virt" if head["virtual"] else "board"))
    return look.Html(f'<span class="tk-st">{picture}<span>{look.esc(head["name"])}</span> {right}</span>')


def away(board) -> float | None:
    """Seconds since the board went away; None while it is there."""
    if board.connected:
        return None
    gone = [event.time for event in board.log.of("gone")]
    return max(0.0, time.time() - gone[-1]) if gone else 0.0


def link_of(board, since_s: float, silent_s: float = 0.0, gap_s: float | None = None, what: str = "samples"):
    """How the link stands, in words, and a note where something is to be done.

    Parameters
    ----------
    since_s : float
        Seconds since the widget was linked.
    silent_s : float
        Seconds since the last ``what`` arrived.
    gap_s : float or None
        Seconds since some were lost.

    Returns
    -------
    (dict, dict or None)
        Link (``kind``, ``picture``, ``text``) and note (``kind``, ``what``, ``next``).
    """
    if hasattr(board, "link"):  # a page's microphone knows for itself
        return board.link(silent_s)
    if getattr(board, "closed", False):
        return (
            {"kind": "none", "picture": "unlink", "text": "board closed"},
            {
                "kind": "none",
                "what": f"The board was closed; these are its last {what}.",
                "next": "board = tk.connect(), then run this cell again.",
            },
        )
    gone = away(board)
    if gone is not None:
        at = time.strftime("%H:%M:%S", time.localtime(time.time() - gone))
        return (
            {"kind": "bad", "picture": "unlink", "text": f"link lost {span(gone)} ago, trying again"},
            {
                "kind": "bad",
                "what": f"The board stopped sending at {at}.",
                "next": "check that the USB cable is in. If the orange light blinks slowly, the board is in its "
                "bootloader: press reset once.",
            },
        )
    if silent_s > 1.5:
        dead = any("sensor_dead" in event.text for event in board.log.of("fault"))
        return (
            {"kind": "bad", "picture": "bad", "text": f"linked, but no {what} for {span(silent_s)}"},
            {
                "kind": "bad",
                "what": "The sensor has stopped giving samples." if dead else f"The board sends no {what}.",
                "next": "press the board's reset button; the picture goes on by itself.",
            },
        )
    if gap_s is not None and gap_s < 10:
        return {"kind": "warn", "picture": "warn", "text": f"linked, {what} were lost {span(gap_s)} ago"}, None
    return {"kind": "ok", "picture": "link", "text": f"linked for {span(since_s)}"}, None


def many(n: int, one: str, more: str = "") -> str:
    """A count with its noun: "1 take", "3 people"."""
    return f"{n:,} {one if n == 1 else more or one + 's'}"


def span(seconds: float) -> str:
    """A time as people say it: "41 s", "2 min 14 s"."""
    s = max(0, round(seconds))
    return f"{s} s" if s < 90 else f"{s // 60} min {s % 60} s"
