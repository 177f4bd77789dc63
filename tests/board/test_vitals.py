"""How the doctor finds a board that answers: the real firmware on the emulated core, with faults; over a port."""

import contextlib
import re
import struct
import threading

import numpy as np
import pytest
from fake_port import FakeBoard
from usb import Usb, needs_pty, settled

from tinykit.board import firmware as ours
from tinykit.board import messages as m
from tinykit.board import vitals
from tinykit.board.board import Board
from tinykit.board.finding import Remedy
from tinykit.board.frame import encode
from tinykit.board.virtual import Faults, Noise
from tinykit.engine.plan import FORMAT
from tinykit.engine.step import KINDS

pytestmark = needs_pty


@contextlib.contextmanager
def board_with(**options):
    """The real firmware behind a port, as fast as the computer can."""
    with Usb() as usb:
        plugged = settled(usb.plug(**{"clock": "free", **options}))
        with contextlib.closing(Board(plugged.address, remember=False)) as board:
            yield board, plugged.machine


def said(finding, name, state):
    assert (finding.name, finding.state) == (name, state), finding
    assert bool(finding.next) == (state != "ok"), "whoever has to do something is told what"
    return finding


def test_the_cable_of_a_board_that_is_well():
    with board_with() as (board, _):
        assert "180 of 180" in said(vitals.cable(board), "cable", "ok").found


@pytest.mark.parametrize("fault", [{"drop": 1e-4}, {"corrupt": 1e-4}, {"drop": 1e-4, "to_host": False}])
def test_packets_lost_on_the_cable_are_counted(fault):
    with board_with() as (board, machine):
        machine.faults = Faults(**fault, seed=3)
        finding = vitals.cable(board)
        faults, machine.faults = machine.faults, Faults()
        assert faults.dropped + faults.corrupted > 0
        assert finding.name == "packet_loss" and finding.state in ("warn", "bad")
        assert "another cable" in finding.next and "damaged" in finding.found


def test_the_revision_is_told_by_its_imu():
    for sensor, name, words in (
        ("LSM9DS1", "imu", "Rev1; measured 119.0"),
        ("BMI270", "imu_rev2", "Rev2; measured 99.8"),
    ):
        with board_with(sensor=sensor) as (board, _):
            finding = said(vitals.imu(board), name, "ok")
            assert words in finding.found and ", 0 samples lost" in finding.found
    assert "Arduino_BMI270_BMM150" in finding.found


def test_an_imu_that_was_not_found_at_the_start():
    with board_with(faults=Faults(dead_sensor=True)) as (board, _):
        finding = said(vitals.imu(board), "imu_missing", "bad")
        assert "LSM9DS1" in finding.found and "BMI270" in finding.found and "reset button" in finding.next


def test_an_imu_that_died_since():
    with board_with() as (board, machine):
        machine.faults = Faults(dead_sensor=True)
        finding = said(vitals.imu(board), "imu_dead", "bad")
        assert "stopped giving samples" in finding.found and "reset button" in finding.next


class Frozen:
    """Says the same for ever."""

    duration = None

    def read(self, times_s):
        return np.full((len(times_s), 6), 77, np.int16)

    def label_at(self, time_s):
        return None


def test_an_imu_that_repeats_itself():
    with board_with(source=Frozen()) as (board, _):
        assert "one and the same" in said(vitals.imu(board), "imu_stuck", "bad").found


def test_a_microphone_that_hears():
    with board_with(source=Noise(-30.0)) as (board, _):
        assert "-30 dB of full scale" in said(vitals.microphone(board), "microphone", "ok").found


def test_a_virtual_board_in_silence():
    with board_with() as (board, _):
        said(vitals.microphone(board), "mic_silent", "ok")


def test_a_microphone_that_is_dead():
    with board_with(faults=Faults(dead_mic=True)) as (board, _):
        finding = said(vitals.microphone(board), "mic_dead", "bad")
        assert "without Sense" in finding.next


class Real(FakeBoard):
    """Says that it is no virtual board, and what else INFO is told to say; its microphone hears a buzz.

    ``gap``: so many samples of a stream never come. ``unheard``: so many packets that get no answer.
    """

    def __init__(self, loudness=0, gap=0, unheard=0, **info):
        super().__init__()
        self.loudness, self.gap, self.unheard, self.info = loudness, gap, unheard, info
        self.starts = None

    def receive(self, data):
        super().receive(data)
        if self.starts is not None:  # when the answer is under way
            threading.Thread(target=self.starts, daemon=True).start()
            self.starts = None

    def answer(self, frame):
        if frame.type == m.SLOTS:
            return encode(m.SLOTS | m.REPLY, frame.seq, bytes(96))
        if frame.type == m.INFO:
            lines = "".join(f"{key}={value}\n" for key, value in {**INFO, **self.info}.items())
            return encode(m.INFO | m.REPLY, frame.seq, lines.encode())
        if frame.type == m.STREAM_START and frame.payload[0] == m.ENVIRONMENT:
            values = struct.pack("<BBBBIIHhhh", m.ENVIRONMENT, 1, 3, 0, 0, 0, 0, 2100, 4000, 25000)
            self.starts = lambda: self.send(encode(m.SAMPLES, 1, values))
        elif frame.type == m.STREAM_START:
            self.starts = self._move if frame.payload[0] == m.IMU else self._buzz
        elif frame.type == m.ECHO and self.unheard:
            self.unheard -= 1
            return b""
        return super().answer(frame)

    def _move(self):
        for number in range(60):
            self.sample(4, skip=self.gap if number == 10 else 0)

    def _buzz(self):
        for start in range(0, 16000, 240):
            start += self.gap if start >= 4800 else 0
            values = (np.arange(240) % 2 * self.loudness).astype("<i2").tobytes()
            self.seq = (self.seq + 1) & 0xFF
            self.send(encode(m.AUDIO, self.seq, struct.pack("<BBHII", 1, 0, 240, start, int(start * 62.5)) + values))
            self.sent += 240


INFO = {
    "firmware": ours.shipped(), "protocol": 1, "board": "Arduino Nano 33 BLE Sense", "virtual": 0, "mic": "on",
    "sensors": "imu:LSM9DS1:119.0:aX,aY,aZ,gX,gY,gZ:8192:16.384;mic:MP34DT06:16000.0:audio:32768",
    "plan_format": FORMAT, "kinds": ",".join(map(str, KINDS.values())),
}  # fmt: skip


@contextlib.contextmanager
def real(loudness=0, **options):
    device = Real(loudness, **options)
    with contextlib.closing(Board("fake", opener=device.open, remember=False)) as board:
        yield board


@pytest.mark.parametrize(("loudness", "name", "state"), [(0, "mic_silent", "bad"), (600, "microphone", "ok")])
def test_a_real_microphone_is_never_quite_silent(loudness, name, state):
    with real(loudness) as board:
        finding = said(vitals.microphone(board), name, state)
        assert ("8,000 samples of 0" if state == "bad" else "-41 dB") in finding.found


def test_samples_that_never_came_are_told():
    with real(gap=7) as board:
        assert ", 7 samples lost" in said(vitals.imu(board), "imu_loses", "warn").found
    with real(600, gap=240) as board:
        assert ", 240 samples lost" in said(vitals.microphone(board), "mic_loses", "warn").found


def test_a_rate_that_is_not_the_one_of_the_sensor():
    with real(sensors=INFO["sensors"].replace("119.0", "104.0")) as board:
        finding = said(vitals.imu(board), "imu_rate", "warn")
    assert "measured 119.0 Hz" in finding.found and "104 Hz were expected" in finding.found


def test_packets_that_get_no_answer_and_no_damage_are_no_fault_of_the_cable():
    with real(unheard=3) as board:
        finding = said(vitals.cable(board), "slow", "warn")
    assert "177 of 180" in finding.found and "another cable" not in finding.next


def test_a_nano_without_sense_has_no_microphone():
    with real(sensors=INFO["sensors"].split(";")[0], mic="off") as board:
        assert "Sense" in said(vitals.microphone(board), "mic_missing", "warn").next
    with real(sensors=INFO["sensors"].split(";")[0], mic="") as board:
        assert "too old for sound" in said(vitals.microphone(board), "mic_missing", "warn").found


def test_the_firmware_is_compared_with_the_one_that_is_here():
    newer = ".".join(map(str, (*ours.numbers(ours.shipped())[:2], 99)))
    flash = Remedy("Flash it", lambda tell: None)
    for info, name, state, words in (
        ({}, "firmware", "ok", "as this tinykit has it"),
        ({"firmware": "0.1.9"}, "old_firmware", "warn", "without what is new"),
        ({"firmware": "0.1.9", "kinds": "1-12"}, "old_firmware", "warn", "it lacks"),
        ({"plan_format": FORMAT - 1}, "old_firmware", "bad", "can't run what this tinykit deploys"),
        ({"firmware": newer}, "new_firmware", "warn", f"newer than this tinykit, which has {ours.shipped()}"),
    ):
        with real(**info) as board:
            finding = said(vitals.firmware(board, flash), name, state)
        assert words in finding.found
        assert (finding.remedy is flash) == (name == "old_firmware")
        assert state == "ok" or "tinykit flash --port fake" in finding.next


def test_the_environment_is_read_once():
    with board_with(room={"temperature": 30.0}) as (board, _):
        finding = said(vitals.environment(board), "environment", "ok")
        assert "HTS221" in finding.found and "hPa" in finding.found
        assert float(re.search(r"([\d.]+) °C", finding.found)[1]) == pytest.approx(30, abs=0.5)
    with board_with(faults=Faults(dead_environment=True)) as (board, _):
        assert "without Sense" in said(vitals.environment(board), "environment_missing", "warn").next
    with board_with() as (board, machine):
        machine.faults = Faults(dead_environment=True)
        assert "No lesson needs them" in said(vitals.environment(board), "environment_dead", "warn").next
    with real(sensors="environment:HS300x+LPS22HB:10.0:temperature,humidity,pressure:100,100,25") as board:
        finding = said(vitals.environment(board), "environment_part", "warn")
        assert "21 °C, 40 % humidity, 1000 hPa; no APDS9960 answers" in finding.found
