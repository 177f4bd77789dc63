"""The widget behind ``browser://``, with a page of a few lines in place of a browser."""

import threading
import time

import pytest

from tinykit.errors import BoardError
from tinykit.lab import lease, webserial


class Page:
    """What static/webserial.js says and answers; its messages come on a thread of their own, as from a subshell."""

    def __init__(self, widget, name="page"):
        self.widget, self.name, self.session, self.number = widget, name, None, 0

    def say(self, kind, buffers=(), **content):
        message = {"k": kind, "page": self.name, **content}
        thread = threading.Thread(target=self.widget._receive, args=(self.widget, message, list(buffers)))
        thread.start()
        thread.join(30)

    def open(self):
        self.number += 1
        self.session = f"{self.name}.{self.number}"
        self.say("opened", session=self.session)

    def data(self, at, data, session=None):
        self.say("data", [data], session=session or self.session, at=at, taken=0, overruns=0)


@pytest.fixture
def widget(wire):
    widget = webserial.WebSerial()
    yield widget
    widget.close()
    assert not widget.errors


def waiting(widget):
    """``widget.wait()`` on a thread: how it ended, in a list."""
    ended = []

    def body():
        try:
            widget.wait()
            ended.append(None)
        except BoardError as error:
            ended.append(error)

    threading.Thread(target=body, daemon=True).start()
    return ended


def test_a_cell_waits_until_the_page_has_a_board(widget, wire, until):
    page, ended = Page(widget), waiting(widget)
    wire.wait("who")
    page.say("hello")
    assert wire.of("welcome")[-1][0]["page"] == "page"
    wire.wait("open")
    assert not ended
    page.open()
    until(lambda: ended == [None])


def test_a_page_that_is_not_heard_beside_a_cell_is_a_sentence(widget, wire, monkeypatch):
    monkeypatch.setattr(webserial, "_PAGE_S", 0.05)
    with pytest.raises(BoardError, match="ipykernel 7 or later and JupyterLab 4.4 or later.*virtual"):
        widget.wait()


def test_a_message_on_the_kernels_own_thread_is_no_sign_of_being_heard(widget, wire, monkeypatch):
    monkeypatch.setattr(webserial, "_PAGE_S", 0.05)
    widget._receive(widget, {"k": "hello", "page": "page"}, [])  # as when no cell runs
    with pytest.raises(BoardError, match="not heard while a cell runs"):
        widget.wait()


def test_a_browser_without_web_serial_ends_the_waiting(widget, wire, until):
    page, ended = Page(widget), waiting(widget)
    wire.wait("who")
    page.say("hello", no={"what": "This browser has no Web Serial.", "next": "open Chrome."})
    until(lambda: ended)
    assert str(ended[0]) == "This browser has no Web Serial. Next: open Chrome."


def test_a_second_page_is_told_to_close(widget, wire):
    first, second = Page(widget), Page(widget, "second")
    widget.relay.wanted = True
    first.open()
    second.open()
    assert [content["session"] for content, _ in wire.of("close")] == ["second.1"]
    assert widget.relay.session == "page.1"


def test_what_arrives_is_acknowledged_so_that_the_page_sends_on(widget, wire):
    page = Page(widget)
    widget.relay.wanted = True
    page.open()
    page.data(0, b"x" * 100)
    page.data(100, b"y" * 50)
    wire.wait("ack", lambda content: content["upto"] == 150 and content["session"] == page.session)
    page.data(0, b"z", session="page.0")
    assert wire.of("stale")[-1][0]["session"] == "page.0"  # it opens its port anew
    assert widget.relay.received == 150 and widget.relay.lost == 0


def test_a_page_that_answers_nothing_is_gone(widget, wire, monkeypatch, until):
    monkeypatch.setattr(webserial, "_SILENT_S", 0.0)
    monkeypatch.setattr(webserial, "_SILENT_PINGS", 1)
    page = Page(widget)
    widget.relay.wanted = True
    page.open()
    until(lambda: widget.relay.session is None, 30)
    assert "page does not answer" in widget.relay.why
    page.data(0, b"late")  # it was only slow
    assert wire.of("stale") and widget.relay.received == 0


def test_a_page_loaded_again_without_a_last_word_is_asked_to_open_the_port(widget, wire, monkeypatch, until):
    """What the old page says as it goes may not arrive; the new one answers every ping, and has no port."""
    monkeypatch.setattr(webserial, "_SILENT_S", 0.0)
    monkeypatch.setattr(webserial, "_SILENT_PINGS", 1)
    old, new = Page(widget, "old"), Page(widget, "new")
    widget.relay.wanted = True
    old.open()
    new.say("hello")
    assert not wire.of("open")

    def over():
        new.say("pong", session="", n=0, taken=0, overruns=0)
        return widget.relay.session is None

    until(over, 30)
    wire.wait("who")
    new.say("hello")
    wire.wait("open")


def test_an_answering_page_stays(widget, wire):
    page = Page(widget)
    widget.relay.wanted = True
    page.open()
    for _ in range(2 + webserial._SILENT_PINGS):
        widget._status_at = 0.0
        seen = len(wire.of("status"))
        end = time.monotonic() + 20
        while len(wire.of("status")) == seen and time.monotonic() < end:
            time.sleep(0.01)
        page.say("pong", session=page.session, n=wire.of("status")[-1][0]["n"], taken=0, overruns=0)
    assert widget.relay.session == page.session and widget.seconds_to_page is not None


@pytest.mark.parametrize("word", [{"k": "pong", "n": 0, "taken": 0}, {"k": "taken", "total": 0}], ids=["pong", "taken"])
def test_a_page_that_was_away_opens_its_port_anew_although_the_board_says_nothing(widget, wire, word):
    page = Page(widget)
    widget.relay.wanted = True
    page.open()
    word = dict(word)
    kind = word.pop("k")
    page.say(kind, session=page.session, **word)
    page.say(kind, session="", **word)  # a page without a port
    assert not wire.of("stale")
    widget.relay.gone(page.session, "the board's page does not answer")
    page.say(kind, session=page.session, **word)
    assert [content["session"] for content, _ in wire.of("stale")] == [page.session]
    page.open()
    assert widget.relay.session == page.session


def test_a_port_that_opens_beside_the_flusher_is_told_at_once(widget, wire):
    widget.relay.wanted = True
    widget.relay.opened("page.1")
    widget._since = None  # it is noted a moment later
    assert widget._link() == ({"kind": "ok", "picture": "link", "text": "linked for 0 s"}, None)


def test_a_closed_board_leaves_the_page_its_port(widget, wire):
    page = Page(widget)
    widget.relay.wanted = True
    page.open()

    class Closed:
        closed = True

    widget.held = Closed()
    wire.wait("close", lambda content: content["session"] == page.session)
    assert not widget.relay.wanted


def test_a_still_page_shows_a_card(widget, wire):
    assert "needs this notebook" in str(widget.snapshot())


def test_an_old_kernel_is_a_sentence(monkeypatch):
    import IPython

    class Kernel:
        _supports_kernel_subshells = False

    monkeypatch.setattr(IPython, "get_ipython", lambda: type("Shell", (), {"kernel": Kernel})())
    with pytest.raises(BoardError, match="needs ipykernel 7 or later.*here is ipykernel"):
        webserial.connect()


@pytest.fixture
def notebook(monkeypatch):
    """``connect`` in a kernel that hears beside cells; the widgets that it shows, in a list."""
    import IPython
    import IPython.display

    kernel = type("Kernel", (), {"_supports_kernel_subshells": True})()
    shown, boards = [], []

    class Held:
        closed = False

        def close(self):
            self.closed = True

    def hold(page):
        boards.append(Held())
        page.held = boards[-1]
        return page.held

    monkeypatch.setattr(IPython, "get_ipython", lambda: type("Shell", (), {"kernel": kernel})())
    monkeypatch.setattr(IPython.display, "display", shown.append)
    monkeypatch.setattr(webserial.WebSerial, "wait", lambda page: None)
    monkeypatch.setattr(webserial.WebSerial, "hold", hold)
    monkeypatch.setattr(webserial, "_PAGES", {})
    monkeypatch.setattr(lease, "_watching", True)  # this shell has no events
    yield shown
    for page in shown:
        page.close()
    for board in boards:
        board.close()


def test_a_closed_widget_is_not_shown_again(wire, notebook):
    url = "browser://closed"
    first = webserial.connect(url)
    assert webserial.connect(url) is first and notebook[0] is notebook[1]  # a cell that is run again
    notebook[0].close()
    second = webserial.connect(url)
    assert notebook[2] is not notebook[0] and notebook[2].comm is not None
    assert first.closed and second is not first and not second.closed  # its line ended with the widget
