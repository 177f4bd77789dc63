"""A wire that records what widgets send, and boards of a few lines."""

import threading
import time

import pytest


class Wire:
    """Records what a widget sends, as the browser would get it."""

    def __init__(self, monkeypatch):
        from tinykit.lab import widget as base

        self.messages, self._lock = [], threading.Lock()

        def send(widget, content, buffers=None):
            with self._lock:
                self.messages.append((widget, content, [bytes(b) for b in buffers or ()]))

        monkeypatch.setattr(base.LabWidget, "send", send)

    def of(self, kind):
        with self._lock:
            return [(c, b) for _, c, b in self.messages if c["k"] == kind]

    def wait(self, kind, where=lambda content: True, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = [(c, b) for c, b in self.of(kind) if where(c)]
            if found:
                return found[-1]
            time.sleep(0.01)
        raise AssertionError(
            f"no {kind!r} within {seconds} s; there were {sorted({c['k'] for _, c, _ in self.messages})}"
        )


@pytest.fixture
def wire(monkeypatch):
    return Wire(monkeypatch)


@pytest.fixture
def board():
    from lab_fake import FakeBoard

    board = FakeBoard()
    yield board
    board.close()


@pytest.fixture
def ear():
    from lab_fake import EarBoard

    board = EarBoard()
    yield board
    board.close()


@pytest.fixture
def open_widget():
    """Opens widgets as a browser does, and closes them."""
    opened = []

    def open_(widget):
        opened.append(widget)
        widget._receive(widget, {"k": "ready", "view": "a"}, [])
        return widget

    yield open_
    for widget in opened:
        widget.close()


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


@pytest.fixture(name="until")
def until_fixture():
    return until


@pytest.fixture
def click():
    def click_(widget, kind, buffers=(), **content):
        widget._receive(widget, {"k": kind, **content}, list(buffers))

    return click_
