"""A board that is plugged into the browser's computer, by Web Serial, while the kernel is somewhere else."""

from __future__ import annotations

import threading
import time

from .. import look
from ..board.board import Board
from ..board.connection import once
from ..board.relay import BROWSER_URL, Relay
from ..errors import BoardError, FirmwareNeeded
from .widget import FLUSHER, LabWidget, module, sheet, source_html, span

_PAGE_S = 60.0  # a page that is loaded for the first time, over a slow line
_CHOOSE_S = 600.0
_ACK_S = 0.02
_SILENT_S, _SILENT_PINGS = 6.0, 5  # a page that answers none of so many is gone
_NEEDS = "`browser://` needs ipykernel 7 or later and JupyterLab 4.4 or later"
_ELSE = 'Without them: run tinykit on the computer with the board, or tk.connect("virtual").'
_FLASH = (
    "On the computer with the board, flash the TinyKit firmware once: `tinykit flash` in a terminal there, or "
    "the sketch hardware/TinyKit with the Arduino IDE. Without a board: tk.connect('virtual')."
)


class WebSerial(LabWidget):
    """The page's half of ``browser://``: a button to choose the board, and how its line is; by ``tk.connect``.

    Attributes
    ----------
    relay : Relay
        The port that the page carries.
    seconds_to_page : float or None
        How long the page's last answer took, there and back.
    """

    _esm = module("webserial")
    _css = sheet("sound")
    title = "Your board"

    def __init__(self, url: str = BROWSER_URL):
        self.url = url
        self.relay = Relay(self._to_page)
        self.held: Board | None = None
        self.seconds_to_page: float | None = None
        self.beside = self.refused = None  # heard while a cell runs; {what, next} of a browser that can't
        self._waiting = False
        self._acked = self._rated = 0
        self._acked_at = self._rated_at = self._heard_at = time.monotonic()
        self._since: float | None = None
        self._unanswered, self._ping, self._pinged = 0, 0, {}
        self._overruns = 0
        head = {"name": "at your browser's computer", "port": url, "virtual": False, "pic": "board"}
        super().__init__(None, {}, head)
        self.run()

    # -- what a cell waits for -----------------------------------------------------------------------

    def wait(self) -> None:
        """Wait until a board is open in the page.

        Raises
        ------
        BoardError
            The page can't be heard while a cell runs, has no Web Serial, or nobody chose a board.
        """
        self.beside = self.refused = None
        self.relay.wanted = self._waiting = True
        self.run()
        try:
            self.tell("who")
            if not self.relay.wait(lambda: self.beside, _PAGE_S):
                raise BoardError(f"This notebook's page is not heard while a cell runs: {_NEEDS}.", _ELSE)
            self.tell("open")
            if not self.relay.wait(lambda: self.relay.session or self.refused, _CHOOSE_S):
                raise BoardError(
                    f"No board was chosen in {_CHOOSE_S / 60:.0f} minutes.",
                    "Press “Choose the board” in the widget, then run this cell again.",
                )
            if not self.relay.session:
                raise BoardError(self.refused["what"], self.refused["next"])
        finally:
            self._waiting, self._status_at = False, 0.0

    def hold(self) -> Board:
        """A board behind the page's port; raises what ``tk.connect`` raises."""
        try:
            self.held = Board(self.url, opener=self.relay.open)
        except FirmwareNeeded as error:
            raise FirmwareNeeded(self.url, error.what, _FLASH, error.answers) from None
        self.run()
        return self.held

    # -- to the page ---------------------------------------------------------------------------------

    def _to_page(self, kind: str, data: bytes | None = None, **content) -> None:
        self.tell(kind, None if data is None else [data], **content)

    def flush(self) -> None:
        relay = self.relay
        self._let_go_if_closed()
        if relay.session is None and not self._waiting and (self._views == set() or self.unseen()):
            FLUSHER.discard(self)  # the next page that says hello wakes it
            return
        self._ack()
        if self.due():
            self._since = (self._since or time.monotonic()) if relay.session else None
            self._look_for_the_page()
            self._ping += 1
            self._pinged = {self._ping: time.monotonic()}
            link, note = self._link()
            self.tell("status", n=self._ping, link=link, note=note, facts=self._facts(), waiting=self._waiting)

    def _let_go_if_closed(self) -> None:
        held = self.held  # it is let go on several threads
        if held is not None and held.closed:
            self.held = None
            self.relay.release()

    def _ack(self) -> None:
        heard = self.relay.heard
        if heard != self._acked:
            self._acked, self._acked_at = heard, time.monotonic()
            self.tell("ack", session=self.relay.session, upto=heard)

    def _look_for_the_page(self) -> None:
        session = self.relay.session
        if session is None:
            self._unanswered = 0
            return
        # Pings are counted too: where this whole program stood still, nobody could have answered.
        self._unanswered += 1
        if self._unanswered > _SILENT_PINGS and time.monotonic() - self._heard_at > _SILENT_S:
            self.relay.gone(session, "the board's page does not answer: closed, or without a network")
            self.tell("who")  # another page may be there by now, or this one again

    def _link(self):
        if self.relay.session:
            now = time.monotonic()  # and since then, where the port was opened a moment ago on another thread
            return {"kind": "ok", "picture": "link", "text": f"linked for {span(now - (self._since or now))}"}, None
        if self.held is None:
            return {"kind": "none", "picture": "unlink", "text": "no board chosen yet"}, None
        why = self.relay.why or "the board is not open in the page"
        note = {
            "kind": "bad",
            "what": f"{why[0].upper()}{why[1:]}.",
            "next": "plug it in, or choose it again; everything goes on by itself then.",
        }
        return {"kind": "bad", "picture": "unlink", "text": "link lost, trying again"}, note

    def _facts(self) -> str:
        relay, now = self.relay, time.monotonic()
        rate = (relay.received - self._rated) / max(1e-3, now - self._rated_at)
        self._rated, self._rated_at = relay.received, now
        if not relay.received:
            return ""
        words = [f"{rate / 1000:.1f} kB/s from the board", f"{relay.lost:,} bytes lost on the way"]
        if self._overruns:
            words.append(f"{self._overruns:,} overruns in the browser")
        if self.seconds_to_page is not None:
            words.append(f"{1000 * self.seconds_to_page:.0f} ms to this page and back")
        return " · ".join(words)

    # -- from the page -------------------------------------------------------------------------------

    def _receive(self, widget, content, buffers) -> None:
        session = self.relay.session
        # Only the page that has the port speaks for it: one that was loaded again is there too, and has none.
        if session is None or session.startswith(f"{content.get('page')}."):
            self._heard_at, self._unanswered = time.monotonic(), 0
        if threading.current_thread() is not threading.main_thread() and not self.beside:
            self.beside = True
            self.relay.notify()
        super()._receive(widget, content, buffers)

    def on_hello(self, content, buffers) -> None:
        """A page is there; perhaps it can't have a port."""
        self._let_go_if_closed()
        self.refused = content.get("no")
        self.relay.notify()
        self.run()
        self.tell("welcome", page=content["page"])
        if self.relay.wanted and self.relay.session is None:
            self.tell("open")

    def on_opened(self, content, buffers) -> None:
        """The page opened a port."""
        if self.relay.opened(content["session"]):
            self._acked = 0
            self._since = time.monotonic()
        else:
            self.tell("close", session=content["session"])

    def on_data(self, content, buffers) -> None:
        """Bytes from the board."""
        self._overruns = content["overruns"]
        self.relay.taken(content["session"], content["taken"])
        if not self.relay.feed(content["session"], content["at"], bytes(buffers[0])):
            self.tell("stale", session=content["session"])
        elif time.monotonic() - self._acked_at > _ACK_S:
            self._ack()

    def on_taken(self, content, buffers) -> None:
        """The board's port took bytes."""
        self.relay.taken(content["session"], content["total"])
        self._give_up_if_over(content["session"])

    def on_pong(self, content, buffers) -> None:
        """The page is there."""
        asked = self._pinged.pop(content["n"], None)
        if asked is not None:
            self.seconds_to_page = time.monotonic() - asked
        self.relay.taken(content["session"], content["taken"])
        self._give_up_if_over(content["session"])

    def _give_up_if_over(self, session: str) -> None:
        """Have a page open its port anew that was without a network so long that its session is over here."""
        if session and session != self.relay.session:
            self.tell("stale", session=session)

    def on_gone(self, content, buffers) -> None:
        """The port was unplugged, or the page is being closed."""
        self.relay.gone(content["session"], content["why"])
        self._status_at = 0.0

    def _rest_if_alone(self) -> None:
        """A cell that is run again closes the view; the page keeps its port, and the board goes on."""

    def snapshot(self) -> look.Html:
        text = "A board at the browser's computer: it needs this notebook's kernel, and a live page."
        return look.card(
            self.title, source_html(self.head), look.note("none", text, ""), state=("none", "still picture")
        )


_PAGES: dict[str, WebSerial] = {}
_MAKING = threading.Lock()


def connect(url: str = BROWSER_URL) -> Board:
    """The board at the browser's computer; shows the widget, and waits for the choice.

    Parameters
    ----------
    url : str
        ``browser://``; with a name behind it (``browser://left``) a further board.

    Raises
    ------
    FirmwareNeeded
        It does not answer as a tinykit board.
    BoardError
        As ``WebSerial.wait``.
    """
    from IPython import get_ipython
    from IPython.display import display

    kernel = get_ipython().kernel
    if not getattr(kernel, "_supports_kernel_subshells", False):
        raise BoardError(f"{_NEEDS}; here is ipykernel {_version()}.", _ELSE)
    with _MAKING:
        page = _PAGES.get(url)
        if page is None or page.comm is None:  # a widget that was closed is shown no more
            if page is not None and page.held is not None:
                page.held.close()  # its line ended with the widget
            page = _PAGES[url] = WebSerial(url)
    display(page)
    page.wait()
    return once(url, page.hold)


def _version() -> str:
    import ipykernel

    return ipykernel.__version__
