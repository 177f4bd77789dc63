"""The messages of the link, both ways (hardware/PROTOCOL.md states each field)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

PROTOCOL_VERSION = 1

HELLO, INFO, SLOTS, ECHO = 0x01, 0x02, 0x03, 0x04
STREAM_START, STREAM_STOP = 0x05, 0x06
UPLOAD_BEGIN, UPLOAD_DATA, UPLOAD_END, ROLLBACK = 0x07, 0x08, 0x09, 0x0A
TENSOR_WRITE, RUN, TENSOR_READ = 0x0B, 0x0C, 0x0D
LIVE_START, LIVE_STOP, DECISION = 0x0E, 0x0F, 0x10
TEXT, TIME, ERASE, SECTION_READ, ARENA_READ = 0x11, 0x12, 0x13, 0x14, 0x15
REPLY = 0x80  # a reply's type is its request's with this bit
ERROR = 0xFF
SAMPLES, PREDICTION, LOG, FAULT, AUDIO = 0x40, 0x41, 0x42, 0x43, 0x44
FIRST_EVENT, LAST_EVENT = 0x40, 0x5F

NAMES = {
    HELLO: "hello", INFO: "info", SLOTS: "slots", ECHO: "echo", STREAM_START: "stream start",
    STREAM_STOP: "stream stop", UPLOAD_BEGIN: "upload begin", UPLOAD_DATA: "upload data",
    UPLOAD_END: "upload end", ROLLBACK: "rollback", TENSOR_WRITE: "tensor write", RUN: "run",
    TENSOR_READ: "tensor read", LIVE_START: "live start", LIVE_STOP: "live stop",
    DECISION: "decision", TEXT: "text", TIME: "time", ERASE: "erase",
    SECTION_READ: "section read", ARENA_READ: "arena read",
}  # fmt: skip

IMU, MIC, ENVIRONMENT = 0, 1, 2
AUDIO_SAMPLES = 240  # most in an AUDIO event
INACTIVE_SLOT = 0xFF
MODE_TENSOR, MODE_WINDOW = 0, 1
STATUS_SENSOR_DEAD = -29  # tk_status.h
SLOT_STATES = ("empty", "good", "damaged")


@dataclass(frozen=True)
class Slot:
    """One of the board's two places for a pipeline.

    Parameters
    ----------
    index : int
        0 or 1; people say A or B (``letter``).
    state : str
        ``"empty"``, ``"good"`` or ``"damaged"``.
    active : bool
        Whether the board answers with this one.
    activation : int
        Sequence number of its last activation; higher is later.
    length, crc : int
        Bytes of the plan in it and their CRC-32.
    name : str
        Name of the pipeline, at most 31 bytes of UTF-8.
    """

    index: int
    state: str
    active: bool
    activation: int
    length: int
    crc: int
    name: str

    @property
    def letter(self) -> str:
        """``"A"`` or ``"B"``."""
        return "AB"[self.index]


def parse_slots(payload: bytes) -> list[Slot]:
    """The reply to SLOTS."""
    record = struct.Struct("<BBHIII32s")
    slots = []
    for index, fields in enumerate(record.iter_unpack(payload)):
        state, active, _, activation, length, crc, name = fields
        word = SLOT_STATES[state] if state < len(SLOT_STATES) else "damaged"
        text = name.split(b"\0")[0].decode("utf-8", "replace")
        slots.append(Slot(index, word, bool(active), activation, length, crc, text))
    return slots


class SampleFrame(NamedTuple):
    """A SAMPLES event: ``counts`` int16 (n, channels), times in the device's microseconds (mod 2**32)."""

    sensor: int
    flags: int
    index: int
    time_us: int
    delta_us: np.ndarray
    counts: np.ndarray


def parse_samples(payload: bytes) -> SampleFrame | None:
    """A SAMPLES event, or None when its length contradicts its header."""
    if len(payload) < 12:
        return None
    sensor, count, channels, flags, index, time_us = struct.unpack_from("<BBBBII", payload)
    if not count or not channels or len(payload) != 12 + 2 * count * (1 + channels):
        return None
    delta = np.frombuffer(payload, "<u2", count, 12).astype(np.int64)
    counts = np.frombuffer(payload, "<i2", count * channels, 12 + 2 * count).reshape(count, channels)
    return SampleFrame(sensor, flags, index, time_us, delta, counts)


class AudioFrame(NamedTuple):
    """An AUDIO event: ``counts`` int16 (n, 1), evenly spaced from the first one's time (mod 2**32) on."""

    sensor: int
    flags: int
    index: int
    time_us: int
    counts: np.ndarray


def parse_audio(payload: bytes) -> AudioFrame | None:
    """An AUDIO event, or None when its length contradicts its header."""
    if len(payload) < 12:
        return None
    sensor, flags, count, index, time_us = struct.unpack_from("<BBHII", payload)
    if not count or len(payload) != 12 + 2 * count:
        return None
    return AudioFrame(sensor, flags, index, time_us, np.frombuffer(payload, "<i2", count, 12).reshape(count, 1))


class PredictionFrame(NamedTuple):
    """A PREDICTION event as sent; ``raw`` int8 (n,), ``smoothed`` uint8 (n,) of 255."""

    number: int
    sample_index: int
    time_us: int
    latency_us: int
    cycles: int
    decision: int
    announced: bool
    raw: np.ndarray
    smoothed: np.ndarray


def parse_prediction(payload: bytes) -> PredictionFrame | None:
    """A PREDICTION event, or None when its length contradicts its header."""
    if len(payload) < 24:
        return None
    number, index, time_us, latency, cycles, decision, flags, n, _ = struct.unpack_from("<5IbBBB", payload)
    if len(payload) != 24 + 2 * n:
        return None
    raw = np.frombuffer(payload, np.int8, n, 24)
    smoothed = np.frombuffer(payload, np.uint8, n, 24 + n)
    return PredictionFrame(number, index, time_us, latency, cycles, decision, bool(flags & 1), raw, smoothed)


def parse_info(payload: bytes) -> dict[str, str]:
    """The reply to INFO: its ``key=value`` lines."""
    lines = payload.decode("utf-8", "replace").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def parse_fault(payload: bytes) -> tuple[int, str]:
    """A FAULT event: the status' number (tk_status.h) and a text."""
    status = struct.unpack_from("<h", payload)[0] if len(payload) >= 2 else 0
    return status, payload[2:].decode("utf-8", "replace")


def dead_sensor(payload: bytes) -> str:
    """Which sensor a FAULT event calls dead: ``"imu"``, ``"mic"``, ``"environment"``, or empty."""
    status, text = parse_fault(payload)
    if status != STATUS_SENSOR_DEAD:
        return ""
    return "mic" if "microphone" in text else "environment" if "environment" in text else "imu"


# Event -> (name for people, what makes a value of its payload).
EVENTS = {
    SAMPLES: ("samples", parse_samples),
    PREDICTION: ("prediction", parse_prediction),
    LOG: ("log", lambda payload: payload.decode("utf-8", "replace")),
    FAULT: ("fault", parse_fault),
    AUDIO: ("audio", parse_audio),
}
