"""A port elsewhere: the link on a relay, whose carrier is a few lines here."""

import threading
import time

import pytest
from fake_port import FakeBoard, settle, wait_until

from tinykit.board import messages as m
from tinykit.board.link import Link
from tinykit.board.relay import Relay
from tinykit.errors import BoardError


class Carrier:
    """Carries between a relay and a fake board, as a page does; told when to be slow or away."""

    def __init__(self, board):
        self.board, self.relay = board, Relay(self.told)
        self.messages, self.session, self._number, self.sent, self.taken = [], None, 0, 0, 0
        self.takes = self.opens = True
        self._thread = threading.Thread(target=self.carry, daemon=True)
        self._going = True
        self._thread.start()

    def told(self, kind, data=None, **content):
        self.messages.append(kind)
        if kind == "open" and self.opens:
            threading.Thread(target=self.open, daemon=True).start()
        if kind == "close" and content["session"] == self.session:
            self.session = None
        if kind == "write" and content["session"] == self.session:
            self.board.receive(data)
            self.taken += len(data)
            if self.takes:
                self.relay.taken(self.session, self.taken)

    def open(self):
        self._number += 1
        session = f"session {self._number}"
        self.board.replug()
        self.sent = self.taken = 0
        if self.relay.opened(session):
            self.session = session

    def carry(self):
        while self._going:
            with self.board._changed:
                self.board._changed.wait_for(lambda: self.board._out, 0.05)
                data = bytes(self.board._out)
                self.board._out.clear()
            if data and self.session:
                self.relay.feed(self.session, self.sent, data)
                self.sent += len(data)

    def lose(self):
        session, self.session = self.session, None
        self.relay.gone(session, "the board was unplugged")

    def end(self):
        self._going = False
        self._thread.join(10)


@pytest.fixture
def carrier():
    carrier = Carrier(FakeBoard())
    yield carrier
    carrier.end()


def test_a_link_asks_and_hears_over_a_relay(carrier):
    link = Link("browser://", opener=carrier.relay.open)
    try:
        heard = []
        link.on(m.SAMPLES, lambda frame: heard.append(frame.payload))
        for _ in range(5):
            carrier.board.sample(count=8)
        settle(link)
        assert len(heard) == 5 and link.decoder.frames >= 6
        assert carrier.relay.lost == 0 and carrier.relay.received == carrier.sent
    finally:
        link.close()
    assert carrier.session is None and not carrier.relay.wanted  # the far port is free


def test_a_lost_port_is_opened_again_and_the_restorers_called(carrier):
    link = Link("browser://", opener=carrier.relay.open)
    try:
        restored = []
        link.on_restore(lambda rebooted, away: restored.append(rebooted))
        carrier.lose()
        wait_until(lambda: not link.up)
        assert carrier.relay.wanted  # somebody still wants it: the carrier may open it at any time
        time.sleep(0.2)
        carrier.open()
        wait_until(lambda: restored, 30)
        settle(link)
        assert "unplugged" in link.log.of("gone")[0].text
    finally:
        link.close()


def test_nobody_opens_it_a_sentence_says_what_to_do(carrier):
    carrier.opens = False
    with pytest.raises(BoardError, match="No board is open in the browser.*Choose the board"):
        Link("browser://", opener=carrier.relay.open)


def test_bytes_that_never_came_are_counted_and_the_stream_goes_on():
    relay = Relay(lambda *_, **__: None)
    relay.wanted = True
    assert relay.opened("a")
    port = relay.open()
    assert relay.feed("a", 0, b"abc") and relay.feed("a", 8, b"xyz")
    assert relay.feed("a", 0, b"abc")  # repeated: known already
    assert port.in_waiting == 6 and port.read(100) == b"abcxyz"
    assert relay.lost == 5 and relay.received == 6 and relay.heard == 11


def test_bytes_of_another_opening_are_refused():
    relay = Relay(lambda *_, **__: None)
    assert not relay.opened("a")  # not wanted
    relay.wanted = True
    assert relay.opened("a") and not relay.opened("b")  # a second page
    port = relay.open()
    assert not relay.feed("b", 0, b"abc") and port.in_waiting == 0
    relay.gone("b", "not this one")
    assert relay.session == "a"
    relay.gone("a", "its page was closed")
    with pytest.raises(OSError, match="its page was closed"):
        port.read(1)
    with pytest.raises(OSError, match="its page was closed"):
        port.write(b"x")
    assert relay.opened("c")
    with pytest.raises(OSError):  # a port is of one opening
        port.read(1)


def test_who_writes_waits_for_the_far_port(monkeypatch):
    from serial import SerialTimeoutException

    from tinykit.board import relay as module

    monkeypatch.setattr(module, "_WRITE_S", 0.05)
    sent = []
    relay = Relay(lambda kind, data=None, **content: sent.append((kind, data)))
    relay.wanted = True
    relay.opened("a")
    port = relay.open()
    port.write(bytes(module._WINDOW))
    with pytest.raises(SerialTimeoutException):
        port.write(b"one more")
    assert [kind for kind, _ in sent] == ["write"]
    relay.taken("a", 8)
    assert port.write(b"one more") == 8
    relay.taken("a", module._WINDOW + 8)
    port.flush()


def test_a_terminal_says_that_only_a_notebook_reaches_it():
    from tinykit.board import connect, flash

    with pytest.raises(BoardError, match="only a notebook reaches it"):
        connect("browser://")
    with pytest.raises(BoardError, match="is a real board: its signals come from its sensor.*Leave source out"):
        connect("browser://", source=object())  # in a notebook too
    with pytest.raises(BoardError, match="`tinykit flash` in a terminal of that computer"):
        flash("browser://")
