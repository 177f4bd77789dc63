"""A hand that is moved while the virtual board feels it: what the pad's strokes become."""

import threading

import numpy as np
import pytest
from probe_board import Probe

from tinykit.board.virtual import PushMotion, Together
from tinykit.board.virtual.hand import SMOOTH_S, Ear
from tinykit.data import synthetic, units
from tinykit.data.imu import NOISE_DPS, NOISE_G
from tinykit.data.motion import Path
from tinykit.errors import DataError

RATE = units.RATE_HZ


class Clocked:
    """Reads a hand as the sensor does, four samples at a time."""

    def __init__(self, **options):
        self.hand, self.next = PushMotion(**options), 0
        self.run(0.2)

    @property
    def now(self):
        return self.next / RATE

    def run(self, seconds):
        """What was felt meanwhile, in g and deg/s."""
        out = []
        for _ in range(round(seconds * RATE / 4)):
            out.append(self.hand.read((self.next + np.arange(4)) / RATE))
            self.next += 4
        return units.to_units(np.concatenate(out), units.CHANNELS)


def circle(seconds=1.0, radius=0.12, rate_hz=60):
    """Clockwise from the top, at an even pace, in steps of a pixel."""
    times = np.arange(round(seconds * rate_hz) + 1) / rate_hz
    turn = 2 * np.pi * times / seconds
    way = radius * np.column_stack([np.sin(turn), np.cos(turn) - 1])
    return times, np.round(way * 700) / 700


def test_between_strokes_the_board_lies_still_with_its_own_noise():
    felt = Clocked().run(8)
    assert np.allclose(felt.mean(0), [0, 0, 1, 0, 0, 0], atol=0.03)
    assert np.allclose(felt[:, :3].std(0), NOISE_G, rtol=0.3) and np.allclose(felt[:, 3:].std(0), NOISE_DPS, rtol=0.3)


def test_an_even_circle_feels_its_centripetal_acceleration():
    """The radius times the square of the angular rate, about gravity, which the wrist's tilt turns a little."""
    rig = Clocked()
    rig.hand.draw(*circle(seconds=1.0, radius=0.10))
    felt = rig.run(1.5)
    expected = 0.10 * (2 * np.pi) ** 2 / units.STANDARD_GRAVITY  # 0.40 g
    size = np.linalg.norm(felt[:, :3], axis=1)
    at = {part: size[round((rig.hand.lead_s + part) * RATE)] for part in (0.25, 0.5, 0.75)}
    assert at[0.5] == pytest.approx(1 + expected, abs=0.08)  # at the bottom both point the same way
    assert at[0.25] == pytest.approx(np.hypot(1, expected), abs=0.08) == at[0.75]


def test_the_sides_are_those_of_the_board():
    """A jerk to the right begins with acceleration to the right: against Y, which points to the left."""
    rig = Clocked()
    course = Path(0.5, 120)
    rig.hand.draw(course.t, np.column_stack([0.2 * course.reach(0, 0.5), 0 * course.t]), "across")
    felt = rig.run(rig.hand.lead_s + 0.25)
    assert felt[:, 1].min() < -0.25 and felt[:, 1].max() < 0.1
    rig = Clocked()
    rig.hand.draw(course.t, np.column_stack([0.2 * course.reach(0, 0.5), 0 * course.t]), "forward")
    felt = rig.run(rig.hand.lead_s + 0.25)
    assert felt[:, 0].max() > 0.25 and felt[:, 0].min() > -0.1


def test_the_forearm_that_is_lifted_tilts_the_board():
    rig = Clocked()
    bend = np.radians(80) * Path(0.8, 120).reach(0, 0.8)
    times = np.arange(len(bend)) / 120
    rig.hand.draw(times, 0.3 * np.column_stack([np.cos(bend) - 1, np.sin(bend)]), "forward", last=False)
    felt = rig.run(2.0)[-40:].mean(0)
    assert felt[:3] == pytest.approx([np.sin(np.radians(80)), 0, np.cos(np.radians(80))], abs=0.05)


def test_a_turn_stays_as_long_as_it_is_held_and_then_goes_back():
    rig = Clocked()
    rig.hand.draw([0, 0.3], [[0, 0], [0.1, 0]], "turn", last=False)
    held = rig.run(3.0)[-100:].mean(0)
    assert held[:3] == pytest.approx([0, np.sin(0.6), np.cos(0.6)], abs=0.03)  # 6 radians a metre
    assert rig.hand.moving and rig.hand.label_at(rig.now) is None
    rig.hand.draw([3.0], [[0.1, 0]], "turn", first=False)
    after = rig.run(5.0)[-100:].mean(0)
    assert after == pytest.approx([0, 0, 1, 0, 0, 0], abs=0.1)
    assert not rig.hand.moving and rig.hand.label_at(rig.now) == "rest"


@pytest.mark.parametrize("piece", [1, 4, 13])
def test_pieces_feel_as_the_whole(piece):
    """However the messages are cut, as long as they come in time."""
    times, way = circle()
    whole, cut = Clocked(), Clocked()
    whole.hand.draw(times, way)
    expected = whole.run(2.4)
    starts = list(range(0, len(times), piece))
    felt = []
    for at in starts:
        end = at + piece
        cut.hand.draw(times[at:end], way[at:end], first=at == 0, last=end >= len(times))
        until = times[min(end, len(times) - 1)]
        while cut.now - 0.2 + 4 / RATE < until:
            felt.append(cut.run(4.01 / RATE))
    felt.append(cut.run(2.4))
    felt = np.concatenate(felt)[: len(expected)]
    assert cut.hand.starved_s == 0
    assert np.abs(felt - expected).max(0) == pytest.approx(0, abs=0.13)  # two counts of the gyroscope


def test_a_late_piece_makes_the_hand_wait_and_leaves_nothing_out():
    times, way = circle()
    rig = Clocked()
    rig.hand.draw(times[:30], way[:30], last=False)
    first = rig.run(2.0)  # the rest should have come after half a second
    rig.hand.draw(times[30:], way[30:], first=False)
    felt = np.concatenate([first, rig.run(3.0)])
    assert 1.0 < rig.hand.starved_s < 2.0
    after = felt[len(first) :]
    assert np.linalg.norm(after[:, :3] - [0, 0, 1], axis=1).max() > 0.4  # the other half of the circle came
    assert after[-100:].mean(0) == pytest.approx([0, 0, 1, 0, 0, 0], abs=0.1)  # and ended where it began
    waiting = first[-round(0.5 * RATE) :]
    assert np.abs(np.linalg.norm(waiting[:, :3], axis=1) - 1).max() < 0.05  # it waits, and does not jump
    assert np.abs(felt[:, :3]).max() < 2.5


def test_nothing_that_was_felt_changes_and_nothing_jumps():
    """A pointer that rests sends nothing; what it does then goes on from where it rested."""
    rig = Clocked()
    rig.hand.draw([0, 0.02], [[0, 0], [0.002, 0]], last=False)
    rest = rig.run(3.0)
    rig.hand.draw([3.0, 3.05, 3.1], [[0.004, 0], [0.01, 0], [0.02, 0]], first=False, last=False)
    felt = np.concatenate([rest, rig.run(1.0)])
    assert rig.hand.starved_s < 0.2
    assert np.abs(np.diff(felt[:, :3], axis=0)).max() < 0.3


def test_strokes_that_come_at_once_are_done_one_after_the_other():
    rig = Clocked()
    times, way = circle(seconds=0.8)
    rig.hand.draw(times, way)
    rig.hand.draw(times + 3.0, way)
    moved = np.linalg.norm(rig.run(6.0)[:, :3] - [0, 0, 1], axis=1) > 0.15
    edges = np.flatnonzero(np.diff(moved[: round(5 * RATE)].astype(int)) == 1)
    assert edges[-1] - edges[0] > 1.5 * RATE  # the pause in between is kept, but no longer than it needs to be
    assert rig.hand.dropped == 0


def test_what_would_have_to_wait_too_long_is_dropped_and_counted():
    rig = Clocked(most_s=3.0)
    times, way = circle()
    for k in range(4):
        rig.hand.draw(times + 2.0 * k, way)
    assert rig.hand.dropped == 2
    rig.run(12)
    rig.hand.draw(times + 30, way)
    assert rig.hand.dropped == 2 and rig.hand.moving


def test_a_recording_is_felt_exactly_and_named_meanwhile():
    take = synthetic.take("punch", "ada")
    rows = units.to_counts(take.samples, units.CHANNELS)
    rig = Clocked()
    rig.hand.feel(np.arange(len(rows)) / RATE, take.samples, label="punch")
    before = rig.now
    felt = units.to_counts(rig.run(3.0), units.CHANNELS)
    begins = [k for k in range(len(felt) - len(rows)) if np.abs(felt[k : k + len(rows)] - rows.astype(int)).max() <= 1]
    assert len(begins) == 1
    assert rig.hand.label_at(before + (begins[0] + 20) / RATE) == "punch"
    assert felt[-1, 2] == pytest.approx(8192, abs=300)


@pytest.mark.parametrize("drawn_s", [0.6, 1.2, 1.9, 2.4, 4.2])
def test_let_go_stops_the_hand_and_brings_it_back_without_a_jerk(drawn_s):
    rig = Clocked()
    rig.hand.draw(*circle(seconds=3.0))
    rig.run(drawn_s)
    rig.hand.let_go()
    felt = rig.run(2.4)
    assert np.abs(np.linalg.norm(felt[:, :3], axis=1) - 1).max() < 0.5
    assert np.abs(np.diff(felt[:, :3], axis=0)).max() < 0.15
    assert not rig.hand.moving
    assert np.allclose(rig.run(1.0).mean(0), [0, 0, 1, 0, 0, 0], atol=0.03)
    rig.hand.draw([9.0], [[0.5, 0.5]], first=False)  # a piece of what was dropped
    assert not rig.hand.moving


def test_what_was_dropped_delays_nothing():
    rig = Clocked()
    rig.hand.draw(*circle(seconds=7.0))
    rig.run(1.0)
    rig.hand.let_go()
    rig.run(2.4)
    rig.hand.draw(*circle())
    felt = rig.run(1.5)
    assert np.linalg.norm(felt[:, :3] - [0, 0, 1], axis=1).max() > 0.4


def test_let_go_fades_a_recording_into_rest():
    """Gravity stays whole meanwhile."""
    rows = np.tile([0.0, 0, 1, 90, 0, 0], (400, 1))
    rig = Clocked()
    rig.hand.feel(np.arange(len(rows)) / RATE, rows, label="turn")
    rig.run(1.5)
    assert rig.hand.label_at(rig.now) == "turn"
    rig.hand.let_go()
    felt = rig.run(0.5)
    assert np.abs(felt[:, 2] - 1).max() < 0.06
    assert np.diff(felt[:24, 3]).min() > -15 and abs(felt[-1, 3]) < 2
    assert not rig.hand.moving and rig.hand.label_at(rig.now) == "rest"


def test_news_are_what_was_felt():
    rig = Clocked()
    _, cursor = rig.hand.news(0)
    felt = rig.run(1.0)
    rows, end = rig.hand.news(cursor)
    assert end - cursor == len(rows) == len(felt)
    assert np.array_equal(units.to_units(rows, units.CHANNELS), felt)
    assert len(rig.hand.news(0, 10)[0]) == 10 and len(rig.hand.news(end)[0]) == 0


def test_the_board_feels_a_stroke_within_a_second_of_its_own_time():
    """The sensor takes a few samples ahead only of what is fed; and there is an ear beside the hand."""
    hand = PushMotion()
    with Probe() as probe, probe.board.hold():
        probe.board.source = Together(hand, Ear())
        probe.board.wait_until_idle()
        probe.board.advance(0.5)
        drawing = threading.Thread(target=hand.draw, args=circle())
        drawing.start()
        drawing.join(30)
        assert hand.moving
        before = hand.news(0)[1]
        probe.board.advance(1.0)
        felt = units.to_units(hand.news(before)[0], units.CHANNELS)
    assert abs(len(felt) - RATE) < 8
    start = np.flatnonzero(np.abs(felt[:, :3] - [0, 0, 1]).max(1) > 0.1)[0] / RATE
    assert hand.lead_s - 4 * SMOOTH_S < start < hand.lead_s + 0.1


@pytest.mark.parametrize(
    "times, points, plane, words",
    [
        ([], np.empty((0, 2)), "across", "0 times"),
        ([0, 1], [[0, 0]], "across", "2 times"),
        ([0, 1], [[0, 0], [np.nan, 0]], "across", "2 times"),
        ([1, 0], [[0, 0], [0, 0]], "across", "don't rise"),
        ([0, 1], [[0, 0], [0, 0]], "sideways", "sideways"),
    ],
)
def test_nonsense_is_refused_and_the_board_goes_on(times, points, plane, words):
    rig = Clocked()
    with pytest.raises(DataError, match=words):
        rig.hand.draw(times, points, plane)
    assert not rig.hand.moving and rig.run(0.5).shape[1] == 6
