"""The signal pad without a browser: who has the board, and what comes of the page's messages."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from lab_node import told

from tinykit import lab
from tinykit.board.virtual import Still
from tinykit.data import Recording, synthetic, units
from tinykit.errors import BoardError
from tinykit.lab.actor import acting

RATE = units.RATE_HZ


class Machine:
    """The virtual board as the pad sees it: a source, which is asked for four samples at a time."""

    def __init__(self):
        self.source, self.next = Still(), 0
        self.imu = SimpleNamespace(rate_hz=RATE)

    def run(self, seconds):
        out = []
        for _ in range(round(seconds * RATE / 4)):
            out.append(self.source.read((self.next + np.arange(4)) / RATE))
            self.next += 4
        return units.to_units(np.concatenate(out), units.CHANNELS)


@pytest.fixture
def machine(board):
    board.machine = Machine()
    return board.machine


def circle(begin_ms=5000.0):
    turn = np.linspace(0, 2 * np.pi, 61)
    points = 0.12 * np.column_stack([np.sin(turn), np.cos(turn) - 1])
    return {"t": (begin_ms + np.arange(61) * 1000 / 60).tolist(), "p": points.tolist(), "plane": "across"}


def test_a_real_board_is_refused_in_a_sentence(board):
    board.machine = None
    with pytest.raises(BoardError, match="real board feels its own sensor"):
        lab.pad(board)


def test_an_unknown_tab_is_refused_with_the_known_ones(board, machine):
    with pytest.raises(BoardError, match="replay"):
        lab.pad(board, show="music")


def test_the_board_keeps_its_own_signal_until_the_first_touch(board, machine, wire, open_widget, click):
    before = machine.source
    pad = open_widget(lab.pad(board))
    wire.wait("status", lambda s: not s["held"] and "own signal" in s["link"]["text"])
    assert machine.source is before
    click(pad, "stroke", first=True, last=True, **circle())
    assert pad.held and machine.source is not before
    click(pad, "give")
    assert machine.source is before and not pad.held


def test_what_is_drawn_is_felt_and_told_to_the_page(board, machine, wire, open_widget, click):
    pad = open_widget(lab.pad(board))
    whole = circle()
    for at in range(0, 61, 5):
        part = {"t": whole["t"][at : at + 5], "p": whole["p"][at : at + 5], "plane": "across"}
        click(pad, "stroke", first=at == 0, last=at + 5 >= 61, **part)
    felt = machine.run(2.0)
    assert np.linalg.norm(felt[:, :3] - [0, 0, 1], axis=1).max() > 0.4
    content, buffers = wire.wait("felt", lambda m: m["page_ms"] == whole["t"][-1] and m["runs"])
    assert len(buffers[0]) % 12 == 0
    wire.wait("status", lambda s: s["held"] and s["page_ms"] == whole["t"][-1])


def test_closing_gives_the_board_back(board, machine, click):
    before = machine.source
    pad = lab.pad(board)
    click(pad, "halt")
    assert machine.source is not before
    assert np.allclose(machine.run(1.0).mean(0), [0, 0, 1, 0, 0, 0], atol=0.05)
    pad.close()
    assert machine.source is before


def test_a_cell_may_hold_the_board_without_a_page_and_closing_still_gives_it_back(board, machine):
    before = machine.source
    pad = lab.pad(board)
    pad.rest()  # nobody looks at it
    pad.take()
    pad.motion.draw([0, 1], [[0, 0], [0.1, 0]])
    assert pad.held
    pad.close()
    assert machine.source is before


def test_a_signal_that_a_cell_sets_meanwhile_stays(board, machine, open_widget, click):
    pad = open_widget(lab.pad(board))
    click(pad, "halt")
    mine = machine.source = Still(seed=4)
    assert not pad.held
    click(pad, "give")
    assert machine.source is mine
    click(pad, "halt")  # another touch, and it is the pad's again
    assert pad.held
    pad.close()
    assert machine.source is mine


def test_two_pads_may_let_go_in_any_order(board, machine, open_widget, click):
    own = machine.source
    first, second = open_widget(lab.pad(board)), open_widget(lab.pad(board))
    click(first, "halt")
    click(second, "halt")
    assert second.held and not first.held
    click(first, "give")
    assert second.held
    click(second, "give")
    assert machine.source is own
    click(first, "halt")
    click(second, "halt")
    click(first, "halt")  # touched again: it is on top
    assert first.held and not second.held
    click(second, "give")
    assert first.held
    click(first, "give")
    assert machine.source is own


def test_a_pad_that_is_closed_beneath_the_microphone_leaves_its_own_hand(board, machine, open_widget, click):
    own = machine.source
    pad, microphone = lab.pad(board), open_widget(lab.microphone(board))
    click(pad, "halt")
    click(microphone, "mic", state="on")
    click(microphone, "sound", [np.arange(1, 1601, dtype="<i2").tobytes()], index=0)
    pad.close()
    assert machine.source.parts[0] is own and machine.source.sound(0, 1600).any()
    click(microphone, "mic", state="off")
    assert machine.source is own


def test_a_pad_that_is_touched_while_the_recorder_plays_a_take_outlasts_it(board, machine, open_widget, click, until):
    own = machine.source
    rows = np.tile(synthetic.take("wing", "ben").samples, (40, 1))  # a minute: it does not end meanwhile
    pad, recorder = open_widget(lab.pad(board)), open_widget(lab.recorder(board, labels=["wing"]))
    recorder.play(Recording(rows, rate_hz=RATE, label="wing"), "n", 1)
    until(lambda: machine.source is not own)
    click(pad, "halt")
    assert pad.held
    recorder.halt()
    assert pad.held
    click(pad, "give")
    assert machine.source is own


def test_a_pad_that_is_touched_in_an_acted_take_keeps_the_board(board, machine, open_widget, click):
    own = machine.source
    pad = open_widget(lab.pad(board))
    with acting(board, "imu", "wing", "ana", "1", 0):
        assert machine.source is not own
        click(pad, "halt")
    assert pad.held
    click(pad, "give")
    assert machine.source is own


def test_the_pad_says_what_the_board_feels_while_another_thread_lets_it_go(board, machine):
    pad = lab.pad(board)
    pad.take()
    pad._ear = None  # as letting go does, in the middle of a status
    assert pad._status()["link"]["text"] == "the board lies still"
    pad.close()


def test_the_rate_is_that_of_the_boards_sensor(board, machine):
    machine.imu.rate_hz = 99.8
    pad = lab.pad(board)
    assert pad.config["rate_hz"] == 99.8
    pad.close()


def test_a_devices_axes_are_turned_to_the_boards():
    """The board's X points to the device's top (y), its Y to the left (against x); rates turn along."""
    event = {
        "accelerationIncludingGravity": {"x": 1 * 9.80665, "y": 2 * 9.80665, "z": 3 * 9.80665},
        "rotationRate": {"alpha": 10, "beta": 20, "gamma": 30},  # about x, y and z
    }
    row = told(f"const out = rowOf({json.dumps(event)}, 1);", "device")
    assert row == pytest.approx([2, -1, 3, 20, -10, 30])


def test_a_take_is_replayed_once(board, machine, open_widget, click):
    rows = synthetic.take("wing", "ben").samples
    take = Recording(rows, rate_hz=RATE, label="wing", person="ben")
    pad = open_widget(lab.pad(board, [take]))
    assert pad.config["takes"] == [["wing", ["1, ben, 1.5 s"]]]
    click(pad, "replay", label="wing", take=0)
    felt = machine.run(3.5)
    error = [np.abs(felt[k : k + len(take)] - take.samples).max() for k in range(len(felt) - len(take))]
    assert min(error) < 2 / units.COUNTS_PER_DPS
    assert np.allclose(felt[-40:].mean(0), [0, 0, 1, 0, 0, 0], atol=0.1)


def test_without_takes_made_up_gestures_are_offered(board, machine):
    pad = lab.pad(board)
    assert [label for label, _ in pad.config["takes"]] == list(synthetic.LABELS)
    assert "made-up" in pad.config["about"]
    pad.close()


def test_a_take_of_sound_is_heard_exactly_and_then_there_is_silence(board, machine, open_widget, click):
    counts = np.random.default_rng(2).integers(-9000, 9000, (8000, 1)).astype(np.int16)
    take = Recording(counts, channels=("audio",), rate_hz=16000.0, label="yes")
    pad = open_widget(lab.pad(board, take))
    click(pad, "replay", label="yes", take=0)
    heard = np.concatenate([machine.source.sound(k * 256, 256) for k in range(60)])
    begin = np.flatnonzero(heard)[0]
    assert np.array_equal(heard[begin : begin + 8000], counts[:, 0]) and not heard[begin + 8000 :].any()


def test_the_pages_microphone_is_the_boards_ear_while_it_is_on(board, machine, open_widget, click):
    before = machine.source
    pad = open_widget(lab.pad(board, show="speak"))
    click(pad, "mic", state="on", name="fake", rate=48000)
    counts = np.arange(1, 4801, dtype="<i2")
    click(pad, "sound", [counts.tobytes()], index=0)
    assert pad.held and machine.source is not before
    heard = np.concatenate([machine.source.sound(k * 256, 256) for k in range(30)])
    assert np.array_equal(heard[heard > 0], counts)
    click(pad, "mic", state="off", name="", rate=0)
    click(pad, "sound", [counts.tobytes()], index=4800)  # the last block comes after the word that it is off
    assert not np.concatenate([machine.source.sound(k * 256, 256) for k in range(30, 60)]).any()
    assert pad.held  # and lies still, until it is let go


def test_what_a_device_feels_arrives_in_its_own_units(board, machine, open_widget, click):
    pad = open_widget(lab.pad(board, show="device"))
    rows = [[0.5, -0.25, 0.8, 30, -20, 10]] * 60
    click(pad, "felt", t=[1000 * k / 60 for k in range(60)], v=rows, first=True, last=True)
    felt = machine.run(1.2)
    assert np.median(felt[-30:], axis=0) == pytest.approx(rows[0], abs=0.05)


def test_a_message_that_makes_no_sense_is_told_and_harms_nothing(board, machine, wire, open_widget, click):
    pad = open_widget(lab.pad(board))
    click(pad, "stroke", t=[0.0], p=[["far", "away"]], plane="across", first=True, last=True)
    wire.wait("error")
    click(pad, "stroke", first=True, last=True, **circle())
    assert np.linalg.norm(machine.run(2.0)[:, :3] - [0, 0, 1], axis=1).max() > 0.4


def test_a_still_picture_needs_no_page(board, machine):
    pad = lab.pad(board)
    assert "Nothing was drawn yet" in str(pad.snapshot())
    pad.take()
    pad.motion.draw(np.array(circle()["t"]) / 1000, circle()["p"])
    machine.run(2.0)
    assert "<svg" in str(pad.snapshot())
    pad.close()


def test_the_config_is_plain_json(board, machine):
    pad = lab.pad(board)
    assert json.loads(json.dumps(pad.config)) == pad.config
    pad.close()


def test_a_board_that_is_gone_is_said(board, machine, wire, open_widget):
    open_widget(lab.pad(board))
    board.connected = False
    board.log.add("gone", "unplugged")
    wire.wait("status", lambda s: s["link"]["kind"] == "bad" and s["note"])
