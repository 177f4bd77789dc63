"""A page that is closed says nothing: what a widget does when its views fall silent."""

import threading

import pytest

from tinykit.lab import lease as leases
from tinykit.lab import widget as base


class Clock:
    """Time that goes on as the test says."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(leases, "time", clock)
    monkeypatch.setattr(leases, "_busy", threading.Event())
    return clock


def flushes(clock, lease, seconds, step=0.033):
    """Asked at every flush: whether it ran out."""
    end = clock.now + seconds
    while clock.now < end:
        clock.now += step
        if lease.over():
            return True
    return False


def test_a_lease_runs_out_after_a_minute_without_a_word(clock):
    lease = leases.Lease()
    assert not flushes(clock, lease, 59)
    lease.renew()
    assert not flushes(clock, lease, 59)
    assert flushes(clock, lease, 2)


def test_time_in_which_the_program_stood_still_does_not_count(clock):
    lease = leases.Lease()
    clock.now += 3600
    assert not lease.over()
    assert not flushes(clock, lease, 59)


@pytest.mark.parametrize("beside", [False, True])
def test_a_kernel_that_cannot_hear_during_a_cell_waits_for_its_end(clock, beside):
    lease = leases.Lease()
    if beside:  # messages are heard on a thread of their own, also now
        thread = threading.Thread(target=lease.renew)
        thread.start()
        thread.join()
    leases._busy.set()
    assert flushes(clock, lease, 600) == beside
    leases._busy.clear()
    assert flushes(clock, lease, 61)


def test_a_widget_whose_views_fell_silent_lets_go_and_wakes_when_one_is_heard(wire, board, open_widget, until,
                                                                              monkeypatch):  # fmt: skip
    from tinykit import lab

    scope = open_widget(lab.scope(board))
    assert scope in base.FLUSHER._widgets
    monkeypatch.setattr(leases, "LEASE_S", 0.0)
    until(lambda: not scope._running)
    assert scope not in base.FLUSHER._widgets
    monkeypatch.setattr(leases, "LEASE_S", 60.0)
    before = len(wire.of("samples"))
    scope._receive(scope, {"k": "here", "view": "a"}, [])
    assert scope._running and scope in base.FLUSHER._widgets
    until(lambda: any(c["fresh"] for c, _ in wire.of("samples")[before:]))


def test_a_word_from_a_view_does_not_wake_what_was_put_to_rest(wire, board, open_widget):
    from tinykit import lab

    scope = open_widget(lab.scope(board))
    scope.rest()
    scope._receive(scope, {"k": "here", "view": "a"}, [])
    assert not scope._running and not scope.errors


def test_a_word_from_a_view_that_is_not_known_keeps_a_widget_awake(wire, board, monkeypatch):
    """Its first word may wait for the end of a cell, while the later ones are heard."""
    from tinykit import lab

    scope = lab.scope(board)
    try:
        scope._receive(scope, {"k": "here", "view": "a"}, [])
        monkeypatch.setattr(base, "_UNSEEN_S", 0.0)
        assert not scope.unseen() and scope._running and not scope.errors
    finally:
        scope.close()


def test_a_widget_that_could_not_start_tries_again_once_its_board_is_back(wire, board, open_widget):
    from tinykit import lab

    scope = open_widget(lab.scope(board))
    scope.rest()
    board.unplug()
    scope._receive(scope, {"k": "ready", "view": "b"}, [])
    for _ in range(3):
        scope._receive(scope, {"k": "here", "view": "b"}, [])
    assert not scope._running and len(scope.errors) == 1  # it waits: each try could cost seconds
    board.replug()
    scope._receive(scope, {"k": "here", "view": "b"}, [])
    assert scope._running and scope in base.FLUSHER._widgets and len(scope.errors) == 1


def test_a_message_to_a_widget_is_no_cell_that_begins_and_ends(board, monkeypatch):
    """Heard beside a cell, that would close the figure which the cell draws."""
    import comm
    import IPython
    from comm.base_comm import BaseComm

    from tinykit import lab

    happened, heard = [], []
    events = type("Events", (), {"trigger": staticmethod(happened.append)})
    shell = type("Shell", (), {"events": events})
    monkeypatch.setattr(leases, "_watching", True)
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    monkeypatch.setattr(BaseComm, "publish_msg", lambda self, *args, **kwargs: None)
    monkeypatch.setattr(comm, "create_comm", BaseComm)
    scope = lab.scope(board)
    try:
        monkeypatch.setattr(scope, "on_here", lambda content, buffers: heard.append(content), raising=True)
        message = {"content": {"data": {"method": "custom", "content": {"k": "here", "view": "a"}}}, "buffers": []}
        BaseComm.handle_msg(scope.comm, message)
        assert happened == ["pre_execute", "post_execute"] and len(heard) == 1  # as it is without our care
        scope.comm.handle_msg(message)
        assert len(happened) == 2 and len(heard) == 2 and not scope.errors
    finally:
        scope.close()
