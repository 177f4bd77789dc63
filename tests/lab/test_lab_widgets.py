"""The widgets' Python side on a fake board: what is sent, what a click does, what happens when it fails."""

import shutil
import subprocess
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("anywidget")
from lab_fake import RATE  # noqa: E402

import tinykit as tk  # noqa: E402
from tinykit.data import Dataset, units  # noqa: E402
from tinykit.errors import DataError, TinykitError  # noqa: E402
from tinykit.lab import widget as base  # noqa: E402


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def samples_sent(wire):
    """Index and counts of everything sent since the last fresh start."""
    messages = wire.of("samples")
    start = max(i for i, (c, _) in enumerate(messages) if c["fresh"])
    index, counts = [], []
    for content, (data,) in messages[start:]:
        block = np.frombuffer(data, "<i2").reshape(-1, 6)
        ends = [row for row, _ in content["runs"][1:]] + [len(block)]
        for (row, first), end in zip(content["runs"], ends, strict=True):
            index += range(first, first + end - row)
        counts.append(block)
    return np.array(index), np.concatenate(counts)


# -- scope -------------------------------------------------------------------------------------


def test_the_scope_says_what_it_can_not_draw(board):
    with pytest.raises(TinykitError, match="no picture of the environment") as caught:
        tk.lab.scope(board, "environment")
    assert "board.read" in caught.value.next


def test_the_scope_sends_every_sample_once_and_only_new_ones(wire, board, open_widget):
    scope = open_widget(tk.lab.scope(board))
    until(lambda: scope._tap.cursor > 150)
    scope.rest()
    index, counts = samples_sent(wire)
    assert (np.diff(index) == 1).all()
    here, _ = scope._tap.stream.read_new(0)
    assert index[0] == here.index[0]
    assert (counts == here.counts[: len(counts)]).all()


def test_a_gap_reaches_the_browser_as_a_gap_and_the_foot_counts_it(wire, board, open_widget):
    scope = open_widget(tk.lab.scope(board))
    until(lambda: board.index > 30)
    board.skip = 43
    until(lambda: len(scope._tap.stream.read_new(0)[0]) > 120)
    status, _ = wire.wait("status", lambda c: c["facts"]["lost"] == 43)
    assert status["link"]["kind"] == "warn" and "lost" in status["link"]["text"]
    index, _ = samples_sent(wire)
    assert sorted(np.diff(index))[-1] == 44
    assert scope.facts.rate_hz == pytest.approx(RATE, rel=0.01)


def test_a_second_view_gets_the_whole_picture_again(wire, board, open_widget):
    scope = open_widget(tk.lab.scope(board))
    until(lambda: len(scope._tap.stream.read_new(0)[0]) > 150)
    before = len(wire.of("samples"))
    scope._receive(scope, {"k": "ready", "view": "b"}, [])
    until(lambda: any(c["fresh"] for c, _ in wire.of("samples")[before:]))
    index, _ = samples_sent(wire)
    assert len(index) > 100 and (np.diff(index) == 1).all()


def test_keep_last_five_seconds_keeps_what_the_student_saw(wire, board, open_widget):
    scope = open_widget(tk.lab.scope(board))
    until(lambda: scope._tap.written > 90)
    there, _ = scope._tap.stream.read_new()
    scope._receive(scope, {"k": "keep", "last": int(there.index[0]) + 60}, [])
    (kept,) = scope.kept
    assert len(kept) == 61 and kept.rate_hz == RATE and kept.label is None
    assert (kept.counts() == there.counts[:61]).all() and np.abs(kept.counts().astype(int)).max() > 4096
    assert "scope.kept[0]" in wire.wait("kept")[0]["text"]


def test_a_closed_board_is_said_and_is_no_error(wire, board, open_widget):
    scope = open_widget(tk.lab.scope(board))
    until(lambda: board.index > 30)
    board.closed = True
    status, _ = wire.wait("status", lambda c: "closed" in c["link"]["text"])
    assert status["link"]["kind"] == "none" and "tk.connect()" in status["note"]["next"]
    assert not scope.errors


def test_a_pulled_cable_is_said_with_the_way_out(wire, board, open_widget):
    open_widget(tk.lab.scope(board))
    until(lambda: board.index > 30)
    board.unplug()
    status, _ = wire.wait("status", lambda c: c["link"]["kind"] == "bad")
    assert "link lost" in status["link"]["text"] and "cable" in status["note"]["next"]
    board.replug()
    wire.wait("status", lambda c: c["link"]["kind"] == "ok" and c["note"] is None)


def test_the_last_view_closing_lets_the_board_go_and_the_next_wakes_it(wire, board, open_widget, monkeypatch):
    scope = open_widget(tk.lab.scope(board))
    assert len(board.streams) == 1
    scope._receive(scope, {"k": "bye", "view": "a"}, [])
    until(lambda: not board.streams)
    sent = len(wire.of("samples"))
    scope._receive(scope, {"k": "ready", "view": "b"}, [])
    until(lambda: len(wire.of("samples")) > sent)
    assert len(board.streams) == 1


def test_a_widget_that_nobody_sees_stops_sending(wire, board, monkeypatch):
    monkeypatch.setattr(base, "_UNSEEN_S", 0.3)
    scope = tk.lab.scope(board)
    until(lambda: not board.streams)
    assert not scope._running
    scope.close()


def test_a_widget_may_be_collected_on_the_flushers_thread_before_it_runs(monkeypatch):
    flusher, real = base.Flusher(), threading.Thread
    waited = []

    class Collects(real):
        def start(self):  # which waits for the thread, and that may wait for the flusher's lock
            other = real(target=flusher.discard, args=(None,), daemon=True)
            other.start()
            other.join(5)
            waited.append(other.is_alive())
            super().start()

    monkeypatch.setattr(threading, "Thread", Collects)
    widget = SimpleNamespace(flush=lambda: None)
    flusher.add(widget)
    flusher.discard(widget)
    assert waited == [False]


def test_an_error_in_flushing_is_shown_and_kept(wire, board, open_widget, monkeypatch, caplog):
    scope = open_widget(tk.lab.scope(board))
    monkeypatch.setattr(scope, "_status", lambda: 1 / 0)
    error, _ = wire.wait("error")
    assert "ZeroDivisionError" in error["what"] and error["next"]
    assert "ZeroDivisionError" in scope.errors[-1]


def test_a_message_that_means_nothing_is_shown(wire, board, open_widget):
    scope = open_widget(tk.lab.scope(board))
    scope._receive(scope, {"k": "nonsense"}, [])
    assert "unknown kind" in wire.wait("error")[0]["what"]


# -- live --------------------------------------------------------------------------------------


def test_live_sends_answers_and_counts_decisions(wire, board, open_widget):
    live = open_widget(tk.lab.live(board))
    assert live.config["labels"] == list(board.labels)
    content, (data,) = wire.wait("answers")
    assert content["labels"] == list(board.labels) and content["background"] == [4]  # rest
    rows = np.frombuffer(data, np.uint8).reshape(-1, len(board.labels))
    assert len(rows) == len(content["rows"])
    p = next(p for p in live._history if p.number == content["rows"][-1][0])
    assert rows[-1] / 255 == pytest.approx(list(p.smoothed.values()), abs=1 / 255)
    decision = content["rows"][-1][2]
    assert (board.labels[decision] if decision >= 0 else None) == p.label


def test_the_sliders_change_the_boards_rule_and_the_latest_wins(wire, board, open_widget):
    live = open_widget(tk.lab.live(board))
    for threshold in (0.1, 0.5, 0.85):
        live._receive(live, {"k": "rule", "threshold": threshold, "smoothing": 5}, [])
    wire.wait("rule", lambda c: c["threshold"] == 0.85)
    assert (board.rule.threshold, board.rule.smoothing) == (0.85, 5)
    assert live.config["threshold"] == 0.85


def test_a_correction_files_the_window_behind_that_answer(wire, board, open_widget):
    dataset = Dataset(card={"name": "mine"})
    live = open_widget(tk.lab.live(board, dataset, person="Ana"))
    until(lambda: len(live._history) > 5)
    p = list(live._history)[-2]
    live._receive(live, {"k": "wrong", "number": p.number, "truth": "wing"}, [])
    (kept,) = dataset.recordings
    assert (kept.label, kept.person, kept.quality["corrected"]) == ("wing", "Ana", True)
    stream, _ = live._tap.stream.read_new(0)
    last = round(p.device_time_s * RATE)
    want = stream.counts[(stream.index <= last) & (stream.index > last - 119)]
    assert (kept.counts() == want).all()
    assert wire.wait("filed")[0]["tally"]["wrong"] == 1


def test_none_of_these_is_kept_without_a_label_and_out_of_the_dataset(wire, board, open_widget):
    dataset = Dataset(card={"name": "mine"})
    live = open_widget(tk.lab.live(board, dataset))
    until(lambda: len(live._history) > 5)
    live._receive(live, {"k": "wrong", "number": live._history[-1].number, "truth": None}, [])
    assert len(dataset) == 0 and live.corrected[0].label is None


def test_an_answer_that_is_too_old_is_refused_in_words(wire, board, open_widget):
    live = open_widget(tk.lab.live(board))
    until(lambda: live._history)
    live._receive(live, {"k": "wrong", "number": 10**6, "truth": "wing"}, [])
    assert "no longer there" in wire.wait("error")[0]["what"] and not live.corrected


def test_a_pipeline_deployed_from_a_cell_reaches_an_open_live_view(wire, board, open_widget):
    open_widget(tk.lab.live(board))
    wire.wait("answers")
    board.rule = board.rule.__class__(smoothing=6, threshold=0.25)
    board.log.add("deployed", "v9 other")
    config, _ = wire.wait("config")
    assert (config["config"]["threshold"], config["config"]["smoothing"]) == (0.25, 6)


# -- recorder ----------------------------------------------------------------------------------


@pytest.fixture
def recorder(wire, board, open_widget):
    board.is_virtual = False  # no made-up hand
    return open_widget(
        tk.lab.recorder(board, Dataset(card={"name": "mine"}), labels=["circle", "wing"], person="Ana", session="1")
    )


def click(widget, kind, **content):
    widget._receive(widget, {"k": kind, **content}, [])


def test_a_take_is_in_the_dataset_and_on_a_card(wire, recorder):
    click(recorder, "record", label="circle", seconds=0.3, person="Ana")
    taken, _ = wire.wait("taken")
    assert taken["ok"]
    (kept,) = recorder.dataset.recordings
    assert (kept.label, kept.person, kept.session) == ("circle", "Ana", "1")
    content, (sparks,) = wire.wait("takes", lambda c: c["total"] == 1)
    assert content["takes"][0]["state"] == "new"
    picture = np.frombuffer(sparks, "<i2").reshape(-1, 3) / 1000
    assert picture[0] == pytest.approx(kept.samples[0, :3], abs=1e-3)
    assert picture[-1] == pytest.approx(kept.samples[-1, :3], abs=1e-3)
    labels, _ = wire.wait("labels", lambda c: c["labels"][0]["persons"] == {"Ana": 1})
    assert "wing" in labels["hint"]["text"]


def test_a_refused_take_shows_its_reason_and_stays_out(wire, board, recorder):
    board.refuse = "The take was not kept: nothing moves in it (standard deviation 0.007 g)."
    click(recorder, "record", label="circle", seconds=0.3, person="Ana")
    taken, _ = wire.wait("taken")
    assert not taken["ok"] and taken["text"].startswith("nothing moves in it") and taken["next"]
    assert len(recorder.dataset) == 0
    assert recorder.takes[0].state == "refused" and len(recorder.takes[0].recording) > 0


def test_discard_and_undo_give_the_same_dataset(wire, recorder):
    for _ in range(2):
        recorder.take("circle", 0.2, "Ana")
    before = recorder.dataset.fingerprint
    click(recorder, "discard", n=1)
    assert len(recorder.dataset) == 1
    assert wire.wait("takes", lambda c: c["undo"])[0]["undo"].startswith("Take 1 (Ana) discarded")
    click(recorder, "undo")
    assert recorder.dataset.fingerprint == before


def test_a_relabelled_take_changes_sides(recorder):
    recorder.take("circle", 0.2, "Ana")
    fingerprint = recorder.dataset[0].fingerprint
    click(recorder, "relabel", n=1, label="wing")
    (kept,) = recorder.dataset.recordings
    assert kept.label == "wing" and kept.fingerprint == fingerprint


def test_a_take_cancelled_is_not_kept(wire, recorder):
    click(recorder, "record", label="circle", seconds=10.0, person="Ana")
    wire.wait("taking")
    click(recorder, "cancel")
    assert not wire.wait("taken")[0]["ok"]
    assert len(recorder.dataset) == 0 and not recorder.takes


def test_takes_on_disk_survive_discard_and_undo(wire, board, open_widget, tmp_path):
    board.is_virtual = False
    dataset = Dataset(card={"name": "mine"}).save(tmp_path / "mine")
    recorder = open_widget(tk.lab.recorder(board, dataset, labels=["circle"], session="1"))
    recorder.take("circle", 0.2, "Ana")
    recorder.take("circle", 0.2, "Ben")
    click(recorder, "discard", n=1)
    assert len(Dataset.load(tmp_path / "mine")) == 1
    click(recorder, "undo")
    assert not recorder.errors, recorder.errors
    assert {r.person for r in Dataset.load(tmp_path / "mine")} == {"Ana", "Ben"}


def test_a_recorder_without_labels_says_how(board):
    with pytest.raises(DataError, match="labels="):
        tk.lab.recorder(board)


# -- deploy ------------------------------------------------------------------------------------


class Model:
    name, fingerprint, bytes, arena_bytes = "gestures", "91e4c70d0a1b", b"x" * 9840, 6656


@pytest.fixture
def deploy(wire, board, open_widget, monkeypatch):
    import tinykit.board.deploy

    monkeypatch.setattr(tinykit.board.deploy, "plan_of", lambda model: model)
    return open_widget(tk.lab.deploy(board, Model()))


def test_deploying_counts_bytes_and_ends_with_the_new_slot_running(wire, board, deploy):
    board.page_s = 0.3  # time enough to be seen in the middle
    click(deploy, "send")
    middle, _ = wire.wait("state", lambda c: c["busy"] and 0 < c["done"] < 9840)
    assert [s["active"] for s in middle["slots"]] == [True, False]
    end, _ = wire.wait("state", lambda c: c["result"])
    assert [s["active"] for s in end["slots"]] == [False, True]
    assert "runs from slot B" in end["result"]["what"] and end["back"] == "v7 gestures"
    click(deploy, "rollback")
    wire.wait("state", lambda c: c["slots"][0]["active"])


def test_a_deployment_from_a_cell_shows_in_an_open_widget(wire, board, deploy):
    wire.wait("state", lambda c: c["slots"][0]["active"])
    board.slots[0].active, board.slots[1].active = False, True
    board.slots[1].state, board.slots[1].name = "good", "other"
    board.log.add("deployed", "v9 other in slot B")
    wire.wait("state", lambda c: c["slots"][1]["active"] and c["slots"][1]["name"] == "other")


def test_a_failed_deploy_says_what_still_runs(wire, board, deploy):
    board.break_deploy = "Slot B does not hold what was sent."
    click(deploy, "send")
    end, _ = wire.wait("state", lambda c: c["failed"])
    assert end["result"]["kind"] == "bad" and end["result"]["next"]
    assert "Nothing changed on the board: v7 gestures still runs from slot A." == end["result"]["text"]
    assert "bad_crc" in end["report"] or "Slot B" in end["report"]


def test_sending_can_be_stopped(wire, board, deploy):
    board.page_s = 0.3
    click(deploy, "send")
    wire.wait("state", lambda c: c["done"] > 0)
    click(deploy, "stop")
    end, _ = wire.wait("state", lambda c: c["result"])
    assert "stopped" in end["result"]["what"] and end["slots"][0]["active"]


def test_deploy_from_a_cell_raises(board, deploy):
    board.break_deploy = "Slot B does not hold what was sent."
    with pytest.raises(TinykitError, match="Slot B"):
        deploy.deploy()


# -- where nothing runs ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["scope", "live", "recorder", "deploy"])
def test_every_widget_leaves_a_still_picture(name, board, monkeypatch):
    import tinykit.board.deploy

    monkeypatch.setattr(tinykit.board.deploy, "plan_of", lambda model: model)
    make = {
        "scope": lambda: tk.lab.scope(board),
        "live": lambda: tk.lab.live(board),
        "recorder": lambda: tk.lab.recorder(board, labels=["circle"]),
        "deploy": lambda: tk.lab.deploy(board, Model()),
    }[name]
    widget = make()
    data, _ = widget._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data and "<section" in data["text/html"]
    widget.close()

    monkeypatch.setenv("TINYKIT_STILL", "1")
    widget = make()
    data, _ = widget._repr_mimebundle_()
    assert set(data) == {"text/plain", "text/html"}
    assert {"scope": "acceleration, g", "live": "decision", "recorder": "circle", "deploy": "runs now"}[name] in data[
        "text/html"
    ]
    assert not widget._running and not board.streams and not board.lives
    widget.close()


@pytest.mark.parametrize("name", ["scope", "live", "recorder", "deploy", "flash"])
def test_the_javascript_parses(name, tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on the PATH, so the widgets' JavaScript was not parsed here.")
    path = tmp_path / f"{name}.mjs"
    path.write_text(base.module(name), encoding="utf-8")
    done = subprocess.run([node, "--check", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_units_in_the_browser_are_the_librarys(board):
    scope = tk.lab.scope(board)
    assert scope.config["per_unit"] == pytest.approx(units.counts_per_unit(scope.config["channels"]))
    scope.close()
