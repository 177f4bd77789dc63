"""Deploying over a cable that is pulled, and what the buttons offer then; on a fake board."""

from types import SimpleNamespace

import pytest

pytest.importorskip("anywidget")

import tinykit as tk  # noqa: E402
from tinykit.errors import BoardGone  # noqa: E402

TOTAL = 9840


@pytest.fixture
def deploy(wire, board, open_widget, monkeypatch):
    import tinykit.board.deploy

    monkeypatch.setattr(tinykit.board.deploy, "plan_of", lambda model: model)
    model = SimpleNamespace(
        name="gestures", fingerprint="91e4c70d0a1b", bytes=b"x" * TOTAL, arena_bytes=6656, labels=("a", "b")
    )
    return open_widget(tk.lab.deploy(board, model))


def pull(board, deploy, at):
    """Pull the cable when so many bytes were sent."""
    own = deploy._progress

    def progress(done, total):
        own(done, total)
        if done >= at and board.connected:
            board.unplug()

    deploy._progress = progress


def test_a_cable_pulled_in_the_middle_is_said_at_once_and_mends_itself(wire, board, deploy, click):
    pull(board, deploy, TOTAL / 2)
    click(deploy, "send")
    cut, _ = wire.wait("state", lambda c: c["failed"] and not c["busy"])
    assert cut["gone"] and cut["away"] and cut["step"] == 2
    assert cut["result"]["what"] == f"The board went away when {cut['done']:,} of {TOTAL:,} bytes were sent."
    assert "keeps v7 gestures in slot A" in cut["result"]["text"] and "plug it in" in cut["result"]["next"]
    status, _ = wire.wait("status", lambda c: c["link"]["kind"] == "bad")
    assert status["note"] is None, "one note, not two about the same"
    board.replug()
    back, _ = wire.wait("state", lambda c: c["result"] and "is back" in c["result"]["what"])
    assert "runs v7 gestures from slot A as before" in back["result"]["what"] and back["failed"] and not back["away"]
    del deploy._progress
    click(deploy, "send")
    wire.wait("state", lambda c: c["slots"][1]["active"] and not c["failed"] and not c["busy"])
    assert not deploy.errors


def test_a_board_that_had_switched_over_when_it_went_is_believed(wire, board, deploy, click, until):
    deploy._crc = 0x91E4C70D  # of what the fake board takes in
    board.switches_late = True
    pull(board, deploy, TOTAL - 480)
    click(deploy, "send")
    wire.wait("state", lambda c: c["failed"] and not c["busy"])
    board.replug()
    back, _ = wire.wait("state", lambda c: c["result"] and "is back" in c["result"]["what"])
    assert back["result"]["kind"] == "ok" and not back["failed"] and back["slots"][1]["active"]
    assert "switched over before" in back["result"]["text"]


def test_from_a_cell_it_raises_and_is_shown(wire, board, deploy):
    pull(board, deploy, TOTAL / 3)
    with pytest.raises(BoardGone):
        deploy.deploy()
    wire.wait("state", lambda c: c["failed"] and c["gone"])


def test_a_press_while_the_board_is_away_is_answered_at_once(wire, board, deploy, click):
    board.unplug()
    for kind in ("send", "rollback"):
        click(deploy, kind)
    state, _ = wire.wait("state", lambda c: c["result"] and "not there" in c["result"]["what"])
    assert not state["busy"] and state["result"]["next"]
    board.replug()
    wire.wait("state", lambda c: c["result"] is None and not c["away"])


def test_what_is_there_already_is_not_offered_again(wire, board, deploy, click):
    deploy._crc = 0x91E4C70D
    click(deploy, "send")
    sent, _ = wire.wait("state", lambda c: c["result"] and not c["busy"])
    assert sent["here"] and "nothing to send" in sent["next"] and sent["back"] == "v7 gestures" and not sent["newer"]
    click(deploy, "rollback")
    back, _ = wire.wait("state", lambda c: c["slots"][0]["active"] and not c["busy"] and c["result"])
    assert back["here"] and back["newer"] and back["back"] == "v8 gestures"


def test_two_presses_send_once(wire, board, deploy, click, monkeypatch):
    sent, own = [], board.deploy
    monkeypatch.setattr(board, "deploy", lambda *a, **k: sent.append(1) or own(*a, **k))
    for _ in range(2):
        click(deploy, "send")
    wire.wait("state", lambda c: c["result"] and not c["busy"])
    assert sent == [1] and not deploy.errors


def test_a_trial_cut_short_does_not_undo_the_switch(wire, board, deploy, monkeypatch):
    def gone():
        raise BoardGone("The board on fake is gone.", "Plug it in again.")

    deploy.on = SimpleNamespace(windows=lambda *a: gone())
    deploy.pipeline.__dict__.update(window=1, hop=1, rate_hz=1.0, front_end=SimpleNamespace(channels=()))
    assert deploy.deploy().slot == "B"
    state, _ = wire.wait("state", lambda c: c["result"] and not c["busy"])
    assert state["result"]["kind"] == "warn" and "runs from slot B" in state["result"]["what"] and not state["failed"]
    assert "not tried on known windows" in state["result"]["text"]
