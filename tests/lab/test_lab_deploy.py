"""Deploying over a cable that is pulled, and what the buttons offer then; on a fake board."""

from types import SimpleNamespace

import pytest

pytest.importorskip("anywidget")

import tinykit as tk  # noqa: E402
from tinykit.errors import BoardGone, DeviceError, DoesNotFit, LinkError  # noqa: E402

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
    for kind in ("here", "ready"):  # what a page says every five seconds, and once more when it is drawn anew
        click(deploy, kind, view="v")
        assert deploy._failed, f"{kind!r} made it forget that sending failed"
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
    board.page_s = 0.3  # the second press comes while the first is sent
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


def fails(board, monkeypatch, error, first=lambda: None, sent=True):
    """Deploying ends with this error, after what ``first`` does and what the board takes in."""
    own = board.deploy

    def fail(*args, **kwargs):
        first()
        if sent:
            own(*args, **kwargs)
        raise error

    monkeypatch.setattr(board, "deploy", fail)


def test_a_failure_past_the_switch_says_what_runs(wire, board, deploy, click, monkeypatch):
    deploy._crc = 0x91E4C70D
    fails(board, monkeypatch, LinkError("The answer was lost.", "Use another cable."))
    click(deploy, "send")
    state, _ = wire.wait("state", lambda c: c["result"] and not c["busy"])
    assert state["result"]["text"] == "It had switched over: v8 gestures runs from slot B."
    assert state["result"]["kind"] == "warn" and not state["failed"] and state["slots"][1]["active"]


def test_a_failure_with_the_same_pipeline_running_is_no_switch(wire, board, deploy, click, monkeypatch):
    deploy._crc = board.slots[0].crc
    fails(board, monkeypatch, DeviceError("flash", "The flash failed.", "Use another board."), sent=False)
    click(deploy, "send")
    state, _ = wire.wait("state", lambda c: c["result"] and not c["busy"])
    assert state["failed"] and state["result"]["text"].startswith("Nothing changed on the board: v7")


def test_a_board_that_went_with_all_bytes_may_have_switched(wire, board, deploy, click):
    own = deploy._progress

    def progress(done, total):
        own(total if done > total / 2 else done, total)
        if done > total / 2:
            board.unplug()

    deploy._progress = progress
    click(deploy, "send")
    cut, _ = wire.wait("state", lambda c: c["failed"] and not c["busy"])
    assert cut["result"]["text"] == "Whether it had switched over is seen when it is back."


@pytest.mark.parametrize("away", [False, True])
def test_what_was_in_the_cleared_slot_is_said_to_be_gone(wire, board, deploy, click, monkeypatch, away):
    b = board.slots[1]
    b.state, b.crc, b.length, b.name = "good", 6, 9000, "old"
    board.versions.append({"version": 6, "crc": 6, "name": "old", "fingerprint": "06", "deployed_at": ""})
    deploy._look_again()

    def clear():
        b.state, b.crc, b.length, b.name = "empty", 0, 0, ""
        deploy._progress(480, TOTAL)
        if away:
            board.unplug()

    error = BoardGone("It is gone.", "Plug it in.") if away else DeviceError("flash", "The flash failed.", "Again.")
    fails(board, monkeypatch, error, clear, sent=False)
    click(deploy, "send")
    state, _ = wire.wait("state", lambda c: c["failed"] and not c["busy"])
    if not away:
        told = "v7 gestures still runs from slot A; v6 old, which was in slot B, is gone."
        assert state["result"]["text"] == told
        return
    assert "keeps v7 gestures in slot A" in state["result"]["text"]
    assert state["result"]["text"].endswith("; v6 old, which was in slot B, is gone.")
    board.replug()
    back, _ = wire.wait("state", lambda c: c["result"] and "is back" in c["result"]["what"])
    told = "What was sent in part is not used; v6 old, which was in slot B, is gone."
    assert back["result"]["text"] == told


def test_what_does_not_fit_is_said_while_the_board_is_away_too(wire, board, deploy, monkeypatch):
    fails(board, monkeypatch, DoesNotFit("It is too large.", "Make it smaller."), board.unplug, sent=False)
    with pytest.raises(DoesNotFit):
        deploy.deploy()
    state, _ = wire.wait("state", lambda c: c["failed"] and not c["busy"])
    assert state["result"]["what"] == "It is too large." and state["result"]["next"] == "Make it smaller."
    assert state["step"] == 0 and not state["gone"]


def test_nothing_sent_is_not_said_to_be_unused(wire, board, deploy, click, monkeypatch):
    fails(board, monkeypatch, BoardGone("It is gone.", "Plug it in."), board.unplug, sent=False)
    click(deploy, "send")
    wire.wait("state", lambda c: c["failed"] and "before anything was sent" in c["result"]["what"])
    board.replug()
    back, _ = wire.wait("state", lambda c: c["result"] and "is back" in c["result"]["what"])
    assert back["result"]["text"] == ""


def test_a_result_is_not_wiped_by_an_earlier_press_in_vain(wire, board, deploy, click):
    board.unplug()
    click(deploy, "send")
    assert deploy._absent
    board.connected = True
    deploy.deploy()
    said = len(wire.of("status"))
    wire.wait("status", lambda c: len(wire.of("status")) > said + 1)
    assert "runs from slot B" in deploy._result["what"]


def test_the_time_left_is_reckoned_from_the_bytes(wire, board, deploy, click):
    board.page_s = 0.2
    click(deploy, "send")
    state, _ = wire.wait("state", lambda c: c["left_s"] is not None)
    assert state["busy"] and 0 < state["done"] < TOTAL and state["left_s"] > 0
    click(deploy, "stop")
    end, _ = wire.wait("state", lambda c: c["result"] and not c["busy"])
    assert end["left_s"] is None
