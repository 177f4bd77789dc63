"""How a board is that answers: firmware, cable, sensors. Each question is asked of the board itself."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np

from ..engine.plan import FORMAT
from ..engine.step import KINDS
from ..errors import BoardError, BoardGone
from . import firmware as ours
from . import messages as m
from .finding import Finding, Remedy

_PACKETS, _PACKET = 180, 500  # 90 kB each way
_SOUND_S = 6.0  # to wait for half a second of it
_REVISIONS = {"LSM9DS1": "Rev1", "BMI270": "Rev2"}  # the IMU is all that tells them apart
_ENVIRONMENT = (("HTS221", "HS300x"), ("LPS22HB",), ("APDS9960",))  # either of the first: Rev1, Rev2
_RESET = "Press the board's reset button and run this again"
_ELSE = "use another board, or the virtual one: tk.connect('virtual')"


def vitals(board, flash: Remedy | None = None) -> Iterator[Finding]:
    """All of them, one after the other.

    Parameters
    ----------
    board : Board
        It may be in use: streams and live predictions go on.
    flash : Remedy, optional
        How its firmware could be written anew.

    Raises
    ------
    BoardError
        The board went away, or stopped answering.
    """
    yield firmware(board, flash)
    yield cable(board)
    yield imu(board)
    yield microphone(board)
    if not ours.is_old(board.info.firmware):  # one that knows none was told of already
        yield environment(board)


def firmware(board, flash: Remedy | None = None) -> Finding:
    """Whether it is the one that comes with this tinykit."""
    info, wanted = board.info, ours.shipped()
    here = f"TinyKit {info.firmware}"
    run = f"`tinykit flash --port {board.port}`"
    lacks = [name for name, number in KINDS.items() if number not in info.kinds]
    if ours.is_old(info.firmware) or info.plan_format < FORMAT:
        useless = info.plan_format < FORMAT
        why = (
            "it can't run what this tinykit deploys" if useless
            else f"it lacks {len(lacks)} kinds of layer" if lacks else "it works, without what is new"
        )  # fmt: skip
        return Finding(
            "firmware", "bad" if useless else "warn", f"{here} is old: this tinykit has {wanted}; {why}",
            f"Run {run}; what is deployed on the board should stay.", "old_firmware", board.port, remedy=flash,
        )  # fmt: skip
    if ours.numbers(info.firmware) > ours.numbers(wanted):
        return Finding(
            "firmware", "warn", f"{here} is newer than this tinykit, which has {wanted}",
            f"Update tinykit; or go back to its firmware: {run}.", "new_firmware", board.port,
        )  # fmt: skip
    return Finding("firmware", "ok", f"{here}, as this tinykit has it", name="firmware", port=board.port)


def cable(board) -> Finding:
    """Whether what is sent comes back, packet for packet; what is lost is repeated, so it costs time only."""
    link = board._link
    sent = [os.urandom(_PACKET) for _ in range(_PACKETS)]
    before = _damaged(link)
    # Long to wait for a reply: a busy computer is not a bad cable. What is lost shows at once by the next reply.
    back = link.burst([(m.ECHO, packet) for packet in sent], timeout=2.0)
    link._wait_until_up(0)  # raises BoardGone
    lost = sum(got != packet for got, packet in zip(back, sent, strict=True))
    torn = _damaged(link) - before
    found = f"{_PACKETS - lost} of {_PACKETS} packets of {_PACKET} bytes came back whole"
    if not lost and not torn:
        return Finding("cable", "ok", found, name="cable", port=board.port)
    if not torn:
        return Finding(
            "cable", "warn", f"{found}; the others did not come in time, and nothing was damaged",
            "Close what keeps this computer busy, take a hub out of the way, and run this again.", "slow", board.port,
        )  # fmt: skip
    return Finding(
        "cable", "bad" if lost > _PACKETS // 10 else "warn", f"{found}; {torn} arrived damaged",
        "Use another cable, short and made for data, and a port of the computer itself instead of a hub. What is "
        "lost is sent again, so answers stay right; streams show it as lost samples.", "packet_loss", board.port,
    )  # fmt: skip


def _damaged(link) -> int:
    """Frames that did not arrive whole so far, at either end."""
    there = int(m.parse_info(link.request(m.INFO)).get("frames_damaged") or 0)
    return there + link.decoder.damaged


def imu(board) -> Finding:
    """Which IMU there is, hence which revision, and a second of it."""
    sensor = next((s for s in board.info.sensors if s.name == "imu"), None)
    if sensor is None:
        return Finding(
            "IMU", "bad", "no IMU answers, neither that of Rev1 (LSM9DS1) nor that of Rev2 (BMI270)",
            f"{_RESET}: it looks for both when it starts. If it stays so the sensor is broken: {_ELSE}.",
            "imu_missing", board.port,
        )  # fmt: skip
    what = f"{sensor.part}, so this is a {_REVISIONS.get(sensor.part, 'new revision')}"
    try:
        with board.stream("imu") as stream:
            samples = stream.read(round(sensor.rate_hz))
        stats = stream.stats
    except BoardGone:
        raise
    except BoardError as error:
        return Finding("IMU", "bad", f"{what}; {_clause(error)}", f"{_RESET}. {error.next}", "imu_dead", board.port)
    if not np.ptp(samples.counts, axis=0).any():
        return Finding(
            "IMU", "bad", f"{what}; a second of it is one and the same reading, again and again",
            f"{_RESET}, moving the board meanwhile. If it stays so the sensor is broken: {_ELSE}.",
            "imu_stuck", board.port,
        )  # fmt: skip
    found = f"{what}; measured {stats.rate_hz:.1f} Hz over {stats.seconds:.1f} s, {stats.lost} samples lost"
    if stats.lost:
        return Finding(
            "IMU", "warn", found, "Close what keeps this computer busy, and look at the cable's row.", "imu_loses",
            board.port,
        )  # fmt: skip
    if abs(stats.rate_hz / sensor.rate_hz - 1) > 0.05:
        return Finding(
            "IMU", "warn", f"{found}; {sensor.rate_hz:g} Hz were expected",
            f"{_RESET}. Recordings state the measured rate, so that nothing is wrong with them.", "imu_rate",
            board.port,
        )  # fmt: skip
    if sensor.part != "LSM9DS1":
        # Not an error: but every older tutorial's sketch, made for Rev1, fails here.
        found += (
            ". Pipelines that were trained at 119 Hz are resampled on the board; sketches of others need the library "
            "Arduino_BMI270_BMM150 here, in place of Arduino_LSM9DS1"
        )
    return Finding("IMU", "ok", found, name="imu_rev2" if sensor.part == "BMI270" else "imu", port=board.port)


def microphone(board) -> Finding:
    """Half a second of sound; it takes four, since the microphone settles when it is started."""
    info = board.info
    if not any(s.name == "mic" for s in info.sensors):
        if not info.mic:
            try:
                info.require_sound()
            except BoardError as error:
                return Finding("microphone", "warn", _clause(error), error.next, "mic_missing", board.port)
        return Finding(
            "microphone", "warn", f"this {info.board} has none that answers",
            f"Lessons on sound need a Nano 33 BLE Sense: {_ELSE}.", "mic_missing", board.port,
        )  # fmt: skip
    try:
        with board.stream("mic") as stream:
            samples = stream.read(8000, timeout=_SOUND_S)  # settling not included
        stats = stream.stats
    except BoardGone:
        raise
    except BoardError as error:
        return Finding(
            "microphone", "bad", _clause(error),
            f"{_RESET}. If it stays so the microphone is broken, or this is a Nano 33 BLE without Sense: {_ELSE}.",
            "mic_dead", board.port,
        )  # fmt: skip
    counts = samples.counts[:, 0].astype(np.float64)
    if np.ptp(counts) < 2:
        if info.virtual:
            return Finding(
                "microphone", "ok", "silence, as a virtual board hears it whose source makes no sound",
                name="mic_silent", port=board.port,
            )  # fmt: skip
        return Finding(
            "microphone", "bad", f"half a second of it is silence: {len(counts):,} samples of {counts[0]:g}",
            f"{_RESET}, speaking meanwhile. If it stays so the microphone is broken: {_ELSE}.",
            "mic_silent", board.port,
        )  # fmt: skip
    level = 20 * np.log10(max(counts.std(), 1e-9) / 32768)
    found = f"it hears: {level:.0f} dB of full scale over half a second, {stats.lost} samples lost"
    if stats.lost:
        return Finding(
            "microphone", "warn", found, "Close what keeps this computer busy, and look at the cable's row.",
            "mic_loses", board.port,
        )  # fmt: skip
    return Finding("microphone", "ok", found, name="microphone", port=board.port)


def environment(board) -> Finding:
    """Temperature, humidity, pressure, light: one reading. No lesson needs them."""
    sensor = next((s for s in board.info.sensors if s.name == "environment"), None)
    if sensor is None:
        return Finding(
            "environment", "warn", "no environment sensor answers",
            f"No lesson needs them. {_RESET}; a Nano 33 BLE without Sense has none.", "environment_missing", board.port,
        )  # fmt: skip
    try:
        values = board.read("environment")
    except BoardGone:
        raise
    except BoardError as error:
        return Finding(
            "environment", "warn", _clause(error), f"No lesson needs them. {_RESET}.", "environment_dead", board.port
        )
    units = {"temperature": "°C", "humidity": "% humidity", "pressure": "hPa"}
    read = (f"{values[name]:.4g} {unit}" for name, unit in units.items() if name in values)
    found = f"{sensor.part}: {', '.join(read)}"
    missing = [" or ".join(parts) for parts in _ENVIRONMENT if not any(part in sensor.part for part in parts)]
    if missing:
        return Finding(
            "environment", "warn", f"{found}; no {', no '.join(missing)} answers",
            f"No lesson needs them. {_RESET}.", "environment_part", board.port,
        )  # fmt: skip
    return Finding("environment", "ok", found, name="environment", port=board.port)


def _clause(error: BoardError) -> str:
    """What an error says, within a sentence."""
    return error.what[0].lower() + error.what[1:].rstrip(".")
