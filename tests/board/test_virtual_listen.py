"""The real firmware on the virtual board listens, whatever keeps it busy: every answer is the host's."""

import os
import time

import numpy as np
import pytest
from made import babble, make_listener

from tinykit.board import Board
from tinykit.data import audio
from tinykit.engine import cost
from tinykit.engine.streaming import stream_answers

FULL = os.environ.get("TINYKIT_FULL") == "1"
RATE = 16_000


def play(pipeline, sound, clock="free"):
    """What the board says, and what its microphone lost."""
    with Board(f"virtual://nano33ble/listener?clock={clock}&flash=memory", remember=False) as board:
        board.deploy(pipeline, progress=False)
        played = board.play(audio.sound(sound), progress=False)
        return played, board.machine.mic.lost, board.machine.mic.overruns


def wrong(pipeline, sound, played):
    """How many answers are not the host's, each found by its own time."""
    front = pipeline.front_end
    span = (pipeline.input_shape[0] - 1) * front.hop + front.frame
    ends = np.rint(played.answers.times_s * RATE).astype(int)
    assert not np.any((ends - ends[0]) % pipeline.hop)
    host = stream_answers(pipeline, sound[ends[0] - span :])
    return int((played.answers.answers != host.answers[(ends - ends[0]) // pipeline.hop]).any(axis=1).sum())


@pytest.fixture(scope="module")
def slow():
    """A network whose second layer takes longer than two of the microphone's buffers."""
    return make_listener("slow", seed=3, hop=640, filters=192)


def test_a_layer_longer_than_a_buffer_costs_answers_and_no_sound(slow):
    layers = [layer.cycles for layer in cost(slow).layers]
    assert max(layers) > 2 * 0.016 * 64e6  # estimated
    sound = babble(8, seed=4)
    played, lost, overruns = play(slow, sound)
    assert (lost, overruns) == (0, 0)
    assert played.answers.skipped > len(played.answers) / 2
    assert wrong(slow, sound, played) == 0


def test_paced_it_keeps_up_with_the_room():
    pipeline, sound = make_listener("paced", seed=1), babble(5, seed=5)
    start = time.perf_counter()
    played, lost, overruns = play(pipeline, sound, "paced")
    assert time.perf_counter() - start > 5
    assert (lost, overruns, played.answers.skipped) == (0, 0, 0)
    assert wrong(pipeline, sound, played) == 0


@pytest.mark.slow
def test_minutes_of_it():
    pipeline, sound = make_listener("minutes", seed=2, hop=3200), babble(600 if FULL else 40, seed=6)
    played, lost, overruns = play(pipeline, sound)
    assert (lost, overruns, played.answers.skipped) == (0, 0, 0)
    assert len(played.answers) >= (len(sound) - 16_000) // 3200
    assert wrong(pipeline, sound, played) == 0
