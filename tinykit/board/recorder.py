"""A take: so many seconds of samples, measured, and refused when they are not good enough."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from ..data.recording import Recording
from ..data.take import take_quality
from ..errors import BoardError, TakeRefused
from .stream import Samples, Stream

# Boards differ by some tenths of a per cent, which no gesture notices; more than this is told.
_SAME_RATE = 0.01


class Take:
    """Records in the background from the moment it is made; ``recording(...)`` ends it.

    Parameters
    ----------
    board : Board
    seconds : float
        Length, by the nominal rate of the sensor.
    sensor : str
    """

    def __init__(self, board, seconds: float, sensor: str = "imu"):
        if not seconds > 0:
            raise BoardError(f"A take of {seconds:g} s is no take.", "Give a length in seconds, such as 2.")
        self.board, self.seconds = board, seconds
        self.stream: Stream = board.stream(sensor, seconds=seconds)
        self.wanted = max(1, round(seconds * self.stream.rate_hz))

    @property
    def progress(self) -> float:
        """0 to 1."""
        samples, _ = self.stream.read_new()
        if not len(samples):
            return 0.0
        return min(1.0, (int(samples.index[-1]) - int(samples.index[0]) + 1) / self.wanted)

    @property
    def done(self) -> bool:
        """Whether all its samples have had their time."""
        return self.progress >= 1.0

    def wait(self) -> Samples:
        """Wait for the take's end and return its samples.

        Raises
        ------
        BoardError
            The board or its sensor fell silent.
        """
        try:
            blocks = list(self.stream)
        finally:
            self.stream.close()
        if not blocks:
            raise BoardError("The take has no samples.", "Record it again.")
        index, time_s, counts, _ = zip(*blocks, strict=True)
        return Samples(np.concatenate(index), np.concatenate(time_s), np.concatenate(counts), self.stream.channels)

    def recording(self, label: str | None, person: str = "", session: str = "") -> Recording:
        """Wait for the end, measure and judge the take, and return it with its quality.

        Raises
        ------
        TakeRefused
            It is not good enough: samples lost, too still, clipped, the board away (the sentence
            says which). The exception's ``recording`` still holds it.
        """
        samples = self.wait()
        nominal = self.stream.rate_hz
        timestamps_ms = (samples.time_s - samples.time_s[0]) * 1000
        values = samples.values
        quality = take_quality(
            values, samples.channels, nominal, timestamps_ms=timestamps_ms, index=samples.index,
            seconds=self.seconds, label=label,
        )  # fmt: skip
        # A loss at the take's end leaves no gap of the index.
        quality = replace(quality, lost=max(quality.lost, self.wanted - len(samples)))
        same = abs(quality.rate_hz / nominal - 1) < _SAME_RATE
        recording = Recording(
            values,
            channels=samples.channels,
            rate_hz=nominal if same else quality.rate_hz,
            label=label,
            person=person,
            session=session,
            device=self.board.device_name,
            recorded_at=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            quality={**quality.to_dict(), "interruptions": self.stream.stats.interruptions},
            timestamps_ms=timestamps_ms,
            source=self.board.port,
        )
        try:
            if self.stream.stats.interruptions:
                raise TakeRefused("The take was not kept: the board was away during it.", "Record it again.")
            quality.require()
        except TakeRefused as refusal:
            refusal.recording = recording  # refused, not lost
            raise
        return recording

    def cancel(self) -> None:
        """Stop and throw away."""
        self.stream.close()
