"""The virtual microphone: its schedule, its interrupt, what it does when nobody reads."""

import struct
import time

import numpy as np
import pytest
from probe_board import HEARD, Probe, command

from tinykit.board.virtual import Faults, Noise, Replay, SoundReplay, emulation
from tinykit.data.audio import sound

RATE = 16_000
SETTLED = 3.5


def ramp(n, start=0):
    """Counts that say their own place, so that a wrong sample can't pass for a right one."""
    return ((np.arange(start, start + n) * 7919) % 65536 - 32768).astype(np.int16)


def due_us(index, start_us, rate=RATE):
    """Sample i is taken (i + 1) periods after the start; whole microseconds, up."""
    return start_us + np.ceil((np.asarray(index) + 1) * (1e6 / rate)).astype(np.int64)


def settled(probe):
    assert probe.number("k", RATE) == 1
    probe.number("d", 3600)
    probe.number("A")


def test_schedule_is_exact_and_no_sample_is_missing():
    with Probe() as probe:
        with probe.board.hold():
            probe.board.source = SoundReplay(ramp(40 * RATE))
            probe.board.advance(0.1)
            probe.port.write(command("k", RATE) + command("a", 1000))
        assert probe.port.read(4) == struct.pack("<I", 1)
        heard = np.frombuffer(probe.port.read(1000 * HEARD.itemsize), HEARD)
        start = probe.board.mic._start_us
        assert np.array_equal(heard["index"], np.arange(1000) * 256)
        assert np.array_equal(heard["time_us"], due_us(heard["index"], start))
        samples = heard["sample"].reshape(-1)
        settling = int(SETTLED * RATE)
        # The source began before the microphone was on.
        first = probe.board.mic._origin
        assert 0.05 * RATE < first < 0.2 * RATE
        assert np.array_equal(samples[settling:], ramp(len(samples), first)[settling:])
        assert probe.board.mic.lost == probe.board.mic.overruns == 0


def test_first_seconds_carry_an_offset_that_dies_away():
    with Probe() as probe:
        samples = probe.heard(300, command("k", RATE))["sample"].reshape(-1).astype(float)
    means = samples[: 4 * RATE].reshape(-1, RATE // 2).mean(axis=1)
    assert means[0] > 3000
    assert np.all(np.diff(means[:7]) < 0)
    assert np.all(samples[int(SETTLED * RATE) :] == 0)


def test_a_source_that_is_set_plays_from_its_beginning():
    with Probe() as probe:
        settled(probe)
        with probe.board.hold():
            probe.number("A")
            probe.board.source = ramp(3 * RATE)
            probe.port.write(command("a", 130))
        samples = np.frombuffer(probe.port.read(130 * HEARD.itemsize), HEARD)["sample"].reshape(-1)
        begin = np.flatnonzero(samples)[0]
        assert begin % 256 == 0
        n = len(samples) - begin
        assert np.array_equal(samples[begin:], ramp(n))


def test_the_interrupt_comes_while_the_core_works():
    with Probe() as probe:
        settled(probe)
        took, came, x = struct.unpack("<III", probe.ask("w", 2_000_000, size=12))
        expected = 0
        for _ in range(20):
            expected = (expected * 3 + 1) & 0xFFFFFFFF
        assert took > 100_000  # many buffers long
        assert abs(came - took / 16_000) <= 1
        assert probe.board.mic.overruns == 0 and probe.board.mic.lost == 0
        assert probe.board.mic.on
        # The work was not disturbed: the same sum as without a microphone.
        probe.number("K")
        assert struct.unpack("<III", probe.ask("w", 2_000_000, size=12))[1:] == (0, x)


def test_a_code_buffer_that_is_emptied_changes_no_count_and_no_answer(monkeypatch):
    """Each run of the core leaves something in it; an interrupt ends one."""
    import unicorn

    emptied, empty = [], unicorn.Uc.ctl_flush_tb
    monkeypatch.setattr(unicorn.Uc, "ctl_flush_tb", lambda uc: emptied.append(uc) or empty(uc))

    def worked(runs):
        monkeypatch.setattr(emulation, "_RUNS", runs)
        emptied.clear()
        with Probe() as probe:
            with probe.board.hold():
                probe.board.source = SoundReplay(ramp(40 * RATE))
                probe.board.advance(0.1)
                probe.port.write(command("k", RATE))
                probe.board.advance(5.0)
                core, times = probe.board.core, len(emptied)
                counts = core.instructions, core.cycles, probe.board.mic.lost, probe.board.mic.overruns
            assert probe.port.read(4) == struct.pack("<I", 1)
            probe.number("A")
            return times, counts, struct.unpack("<III", probe.ask("w", 500_000, size=12))[2]

    never, counts, answer = worked(10**9)
    often, same, again = worked(7)
    assert often >= never + 5.0 * RATE / 256 / 7 / 2
    assert same == counts and counts[0] > 0 and again == answer


def test_a_long_sleep_lets_interrupts_in_and_takes_its_time():
    with Probe() as probe:
        settled(probe)
        began, before = probe.board.seconds, probe.number("i")
        assert 1_000_000 <= probe.number("d", 1000) < 1_000_200
        came = probe.number("i") - before
        # While the host thinks, a free board's time goes on.
        assert 62 <= came <= (probe.board.seconds - began) / 0.016 + 2


def test_buffer_that_is_not_read_stops_the_microphone_silently():
    with Probe() as probe:
        settled(probe)
        before = probe.number("L", 1)  # the next buffer is left where it is
        probe.number("d", 100)
        assert probe.number("i") - before <= 2
        assert probe.board.mic.overruns == 1 and not probe.board.mic.on
        stopped = probe.number("i")
        probe.number("d", 1000)
        assert probe.number("i") == stopped
        # Started again it goes on, and its number says how much was missed.
        last = probe.board.mic.index
        with probe.board.hold():
            before_us = probe.number("t")
            probe.number("A")
            assert probe.number("k", RATE) == 1
            after_us = probe.number("t")
        first = probe.heard(1)["index"][0]
        assert first > last + RATE
        first_us = first * 1000 / 16 + probe.board.mic._first_us
        assert before_us - 1000 < first_us < after_us + 1000


def test_without_that_fault_only_the_buffer_is_lost():
    with Probe(faults=Faults(stop_on_overrun=False)) as probe:
        settled(probe)
        probe.number("L", 3)
        probe.number("d", 100)
        probe.number("A")
        assert probe.board.mic.on and probe.board.mic.overruns == 3 and probe.board.mic.lost == 3 * 256
        index = probe.heard(20, command("A"))["index"].astype(int)
        assert np.all(np.diff(index) == 256)


def test_interrupts_held_back_lose_all_but_the_last_buffer():
    with Probe() as probe:
        settled(probe)
        probe.port.write(command("A") + command("a", 3) + command("M", 100) + command("a", 30))
        answer = probe.port.read(4 + 3 * HEARD.itemsize + 4 + 30 * HEARD.itemsize)
        before, after = answer[4 : 4 + 3 * HEARD.itemsize], answer[-30 * HEARD.itemsize :]
        assert probe.board.mic.on and probe.board.mic.overruns == 0
        assert probe.board.mic.lost in (5 * 256, 6 * 256)
        gaps = np.diff(np.frombuffer(before + after, HEARD)["index"].astype(int))
        assert sorted(set(gaps)) == [256, 256 + probe.board.mic.lost] and (gaps > 256).sum() == 1


def test_the_core_stands_still_while_the_flash_works():
    with Probe() as probe:
        settled(probe)
        assert probe.number("E", 0x50000) == 0  # 85 ms: more than five buffers
        assert probe.board.mic.on and probe.board.mic.lost in (4 * 256, 5 * 256)


def test_dead_microphone_says_nothing_until_it_lives_and_is_started():
    with Probe() as probe:
        settled(probe)
        probe.board.faults = Faults(dead_mic=True)
        probe.number("d", 20)
        before = probe.number("i")
        probe.number("d", 500)
        assert probe.number("i") == before
        assert probe.number("k", RATE) == 1  # as on the real board: nobody can tell yet
        probe.number("d", 500)
        assert probe.number("i") == before
        probe.board.faults = Faults()
        probe.number("d", 500)
        assert probe.number("i") == before
        probe.number("k", RATE)
        probe.number("d", 500)
        assert probe.number("i") - before >= 31


def test_the_other_rate_is_interpolated():
    n = 8 * RATE
    t = np.arange(n) / RATE
    tone = np.round(9000 * np.sin(2 * np.pi * 440 * t)).astype(np.int16)
    with Probe() as probe:
        with probe.board.hold():
            probe.board.source = SoundReplay(tone)
            probe.board.advance(0.1)
            probe.port.write(command("k", 41_667) + command("a", 700))
        heard = np.frombuffer(probe.port.read(4 + 700 * HEARD.itemsize)[4:], HEARD)
        mic = probe.board.mic
        skip = int(SETTLED * 41_667) + 256
        samples = heard["sample"].reshape(-1)[skip:]
        at = mic._origin / RATE + np.arange(skip, skip + len(samples)) / 41_667
    assert np.abs(samples - 9000 * np.sin(2 * np.pi * 440 * at)).max() < 9000 * 0.005


@pytest.mark.parametrize("rate", [8000, 44_100])
def test_rates_that_it_has_not_are_refused(rate):
    with Probe() as probe:
        assert probe.number("k", rate) == 0


def test_gain_is_in_half_decibels():
    with Probe() as probe:
        settled(probe)
        probe.board.source = SoundReplay(np.full(RATE, 1000, np.int16), loop=True, gap_s=0)
        probe.number("g", 60)
        probe.number("d", 100)
        probe.number("A")
        assert np.all(probe.heard(2)["sample"] == 10_000)
        probe.number("g", 80)
        probe.number("d", 100)
        probe.number("A")
        assert np.all(probe.heard(2)["sample"] == 31_623)


def test_free_board_stands_still_at_the_end_of_the_sound():
    with Probe() as probe:
        settled(probe)
        with probe.board.hold():
            probe.number("A")
            probe.board.source = SoundReplay(ramp(RATE))
            probe.port.write(command("a", 62))
        data = np.frombuffer(probe.port.read(62 * HEARD.itemsize), HEARD)
        probe.board.condition.acquire()
        probe.board.condition.wait_for(lambda: probe.board.finished, 20)
        probe.board.condition.release()
        assert probe.board.finished
        assert len(data) == 62
        assert probe.ask("p") == b"pong"


def test_the_source_goes_on_after_a_reboot():
    steps = (np.arange(60 * RATE) // 32).astype(np.int16)  # no count comes twice
    with Probe() as probe:
        probe.board.source = Replay(sound(steps), loop=True, gap_s=0)
        settled(probe)
        with probe.board.hold():
            played = probe.board.mic.played_s(probe.board.clock.now_us)
            probe.port.close()
        probe.board.reboot()
        with probe.board.hold():
            probe.open()
            probe.port.write(command("k", RATE) + command("d", 3600) + command("A") + command("a", 3))
        heard = np.frombuffer(probe.port.read(3 * 4 + 3 * HEARD.itemsize)[3 * 4 :], HEARD)
        place = int(heard["sample"][0, 0]) * 32 / RATE
        # Some time passes between: the board boots, the microphone settles.
        assert played + 3.5 < place < played + 10


def test_paced_board_loses_nothing():
    with Probe(clock="paced") as probe:
        probe.board.source = Noise(-20)
        index = probe.heard(60, command("k", RATE))["index"].astype(int)
        assert np.array_equal(index, np.arange(60) * 256)
        assert probe.board.mic.lost == 0


def test_power_cut_inside_the_interrupt_is_a_power_cut():
    with Probe() as probe:
        for n in range(40):
            probe.number("k", RATE)
            with probe.board.hold():  # else so many instructions may have passed before the write
                probe.board.power_cut(2000 + 10 * n)
                probe.port.write(command("d", 10_000))
            assert probe.board.wait_for_cut(20)
            probe.board.power_on()
            probe.open()
            assert probe.ask("p") == b"pong"
            if "on_sound" in probe.board.last_cut or "mic_interrupt" in probe.board.last_cut:
                break
        else:
            pytest.fail("no cut hit the interrupt")


def test_heard_is_as_the_probe_sends_it():
    assert HEARD.itemsize == 8 + 512


def test_paced_board_that_was_held_up_catches_up_without_loss():
    with Probe(clock="paced") as probe:
        probe.board.source = Noise(-20)
        probe.port.write(command("k", RATE) + command("a", 62))
        before = probe.port.read(4 + 2 * HEARD.itemsize)[4:]
        with probe.board.condition:  # as if the computer had had no time for the emulator
            time.sleep(0.6)
        after = probe.port.read(60 * HEARD.itemsize)
        assert np.array_equal(np.frombuffer(before + after, HEARD)["index"].astype(int), np.arange(62) * 256)
        assert probe.board.mic.lost == 0
