"""Live predictions over a pulled cable, and what a student takes back; on a fake board."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("anywidget")
from lab_fake import HZ, RATE, speech  # noqa: E402

import tinykit as tk  # noqa: E402
from tinykit.board.live import Prediction  # noqa: E402
from tinykit.board.log import EventLog  # noqa: E402
from tinykit.data import Dataset  # noqa: E402
from tinykit.errors import DeviceError  # noqa: E402
from tinykit.lab.history import History  # noqa: E402


@pytest.fixture
def data():
    return Dataset(card={"name": "mine"})


def pulled(board, live, until):
    """The cable is pulled after some answers and put back: the board begins anew; the numbers before and after."""
    until(lambda: len(live._history) > 5)
    board.unplug()
    before = live._history[-1]
    board.replug(anew=True)
    until(lambda: len(live._history) and live._history[-1].number > before.number + 6)
    return before.number, live._history[-1].number


def test_answers_go_on_over_a_restart_with_a_gap(wire, board, open_widget, until):
    live = open_widget(tk.lab.live(board))
    before, after = pulled(board, live, until)
    kept = list(live._history)
    numbers, times = [p.number for p in kept], [p.device_time_s for p in kept]
    assert numbers == sorted(set(numbers)) and times == sorted(times)
    steps = np.diff(numbers)
    assert (steps == 1).sum() == len(steps) - 1 and steps.max() > 1, "one gap, where the board was away"
    status, _ = wire.wait("status", lambda c: "lost" in c["link"]["text"] and c["link"]["kind"] == "warn")
    assert "answers were lost" in status["link"]["text"]


@pytest.mark.parametrize("which", [0, 1])
def test_the_window_of_an_answer_is_filed_after_a_restart(wire, board, open_widget, until, click, data, which):
    """Of an answer from before it too: its samples are still here."""
    live = open_widget(tk.lab.live(board, data))
    number = pulled(board, live, until)[which]
    p = live._history.find(number)
    click(live, "wrong", number=number, truth="wing")
    (kept,) = data.recordings
    stream, _ = live._tap.stream.read_new(0)
    last = round(p.device_time_s * RATE)
    assert kept.label == "wing" and len(kept) == 119
    assert (kept.counts() == stream.counts[(stream.index <= last) & (stream.index > last - 119)]).all()
    assert not live.errors


def test_a_detection_after_a_restart_has_its_sound(wire, ear, open_widget, until):
    live = open_widget(tk.lab.live(ear))
    until(lambda: any(c["heard"] for c, _ in wire.of("detected")))
    ear.unplug()
    ear.replug(anew=True)
    told = max(c["number"] for c, _ in wire.of("detected"))
    content, _ = wire.wait("detected", lambda c: c["number"] > told + 1 and c["heard"])
    d = live.detections[content["number"]]
    p = live._history.find(d.answer)
    last = p.index + round(ear.began_anew_s * HZ)  # the board counts from 0 again
    assert (d.recording.counts()[:, 0] == speech(np.arange(last - HZ + 1, last + 1))).all()


def test_a_slider_moved_while_the_board_is_away_acts_when_it_is_back(wire, board, open_widget, until, click):
    live = open_widget(tk.lab.live(board))
    wire.wait("answers")
    board.unplug()
    click(live, "rule", threshold=0.35, smoothing=2)
    status, _ = wire.wait("status", lambda c: c["note"] and "sent when it is back" in c["note"]["next"])
    assert status["link"]["kind"] == "bad" and board.rule.threshold != 0.35
    board.replug()
    wire.wait("rule", lambda c: c["threshold"] == 0.35 and c["smoothing"] == 2)
    assert board.rule.threshold == 0.35 and not live.errors


def test_a_correction_is_taken_back_once(wire, board, open_widget, until, click, data):
    live = open_widget(tk.lab.live(board, data))
    until(lambda: len(live._history) > 5)
    click(live, "wrong", number=live._history[-2].number, truth="wing")
    filed, _ = wire.wait("filed", lambda c: c.get("undo"))
    assert len(data) == 1 and live._history.tally["wrong"] == 1
    for _ in range(2):
        click(live, "unwrong", undo=filed["undo"])
    assert len(data) == 0 and not live.corrected and live._history.tally["wrong"] == 0
    assert wire.of("filed")[-1][0]["text"] == "Taken back: it is no longer in mine."


def test_a_correction_taken_back_after_a_reset_counts_none_below_none(wire, board, open_widget, until, click):
    live = open_widget(tk.lab.live(board))
    until(lambda: len(live._history) > 5)
    click(live, "wrong", number=live._history[-2].number, truth="wing")
    filed, _ = wire.wait("filed", lambda c: c.get("undo"))
    click(live, "reset")
    click(live, "unwrong", undo=filed["undo"])
    back, _ = wire.wait("filed", lambda c: "Taken back" in c["text"])
    assert back["tally"]["wrong"] == 0 and not live.corrected and "in .corrected" in back["text"]


def test_decisions_are_counted_by_class(wire, board, open_widget, until, click):
    live = open_widget(tk.lab.live(board))
    until(lambda: len(live._history.tally["each"]) >= 2, 40)
    live.rest()

    def counted():
        """Once the flush under way has ended."""
        tally, labels = live._history.tally, [p.label for p in list(live._history)]
        seen = [b for a, b in zip(["", *labels], labels, strict=False) if b != a]
        each = {w: seen.count(w) for w in set(seen) - {None, "rest"}}
        return tally["each"] == each and tally["decisions"] == sum(each.values())

    until(counted)
    click(live, "reset")
    assert live._history.tally["each"] == {}


def test_each_gesture_may_have_a_threshold_and_one_for_all_again(wire, board, open_widget, click):
    live = open_widget(tk.lab.live(board))
    assert live.config["each"] is False
    click(live, "rule", thresholds={"wing": 0.9}, smoothing=3)
    rule, _ = wire.wait("rule", lambda c: c["each"])
    assert rule["thresholds"][1] == 0.9 and board.rule.thresholds[1] == 0.9
    click(live, "rule", threshold=0.5, smoothing=3)
    wire.wait("rule", lambda c: not c["each"] and c["threshold"] == 0.5)
    assert board.rule.thresholds == ()


def test_announcements_keep_their_numbers_over_a_new_pipeline(wire, ear, open_widget, until, click, data):
    live = open_widget(tk.lab.live(ear, data))
    wire.wait("detected", lambda c: c["heard"])
    first = next(d for d in live.detections.kept if d.recording is not None)
    ear.log.add("deployed", "v2 words in slot B")
    wire.wait("config")
    told = max(c["number"] for c, _ in wire.of("detected"))
    wire.wait("detected", lambda c: c["number"] > told)
    click(live, "false", number=first.number)
    (kept,) = data.recordings
    assert (kept.counts() == first.recording.counts()).all() and not live.errors
    numbers = [d.number for d in live.detections.kept]
    assert len(set(numbers)) == len(numbers)


def test_answers_of_the_pipeline_before_are_not_kept_under_other_labels(wire, board, open_widget, until):
    live = open_widget(tk.lab.live(board))
    until(lambda: len(live._history) > 5)
    board.labels = live._live.labels = board.pipeline.labels = ("push", "pull", "lift", "drop", "rest")
    until(lambda: "push" in live._history[-1].smoothed)
    board.log.add("deployed", "v8 lifting in slot B")
    config, _ = wire.wait("config", lambda c: "push" in c["config"]["labels"])
    assert not config["anew"] and all("push" in p.smoothed for p in live._history)
    before = live._history[-1].number
    board.pipeline.window = 60
    board.log.add("deployed", "v9 lifting in slot A")
    wire.wait("config", lambda c: c["anew"])
    assert live._history.find(before) is None
    until(lambda: len(live._history) and live._history[-1].number > before)


def test_answers_are_lost_only_where_the_board_was_away():
    log, clock = EventLog(), SimpleNamespace(time_of=lambda t: t)
    made = [Prediction(n, 0.0, 0.25 * n, 7.0, 1, None, False, {}, {}, ()) for n in range(4)]
    log.add("reconnected", "before live was opened")
    history = History(False, log)
    history.add(made, clock)
    log.add("deployed", "v2")
    assert history.add(made, clock)[0].number > 3 and history.gap_at is None, "asked to begin anew: nothing is lost"
    log.add("reconnected", "back")
    history.add(made, clock)
    told = history.gap_at
    history.add(made, clock)
    assert told is not None and history.gap_at == told


def test_the_latest_values_of_a_slider_win_over_an_error(board, open_widget, until, click, monkeypatch):
    live = open_widget(tk.lab.live(board))
    own, asked, go_on = board.decision, threading.Event(), threading.Event()

    def decision(**wanted):
        if not asked.is_set():
            asked.set()
            go_on.wait(20)
            raise DeviceError("busy", "The board is busy.", "Try again.")
        return own(**wanted)

    monkeypatch.setattr(board, "decision", decision)
    click(live, "rule", threshold=0.4)
    assert asked.wait(20)
    click(live, "rule", threshold=0.45)
    go_on.set()
    until(lambda: board.rule.threshold == 0.45)
    until(lambda: live.config["threshold"] == 0.45)
