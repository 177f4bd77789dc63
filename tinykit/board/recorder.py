"""A take: so many seconds of samples, measured, and refused when they are not good enough."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from ..data import units
from ..data.recording import Recording
from ..data.take import LIMITS, Problem, take_quality
from ..errors import BoardError, TakeRefused
from .samples import Samples
from .stream import Stream

# Boards differ by some tenths of a per cent, which no gesture notices; more than this is told.
_SAME_RATE = 0.01
# What speaks against one word does not against a long take, which is cut into words afterwards.
_ONE_WORD_S = 3.0
_OF_WORDS = ("too quiet", "no word", "cut off")
SETTLING = "The microphone settles for 3.5 s after its start; what comes before is thrown away."


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
        self.board, self.seconds, self.sensor = board, seconds, sensor
        self.stream: Stream = board.stream(sensor, seconds=seconds, capacity_s=10.0)
        self.wanted = max(1, round(seconds * self.stream.rate_hz))
        self._blocks: list[Samples] = []
        self._finished = False

    def finish(self) -> None:
        """End it now, from any thread: what came so far is the take, and none the worse for being shorter."""
        self._finished = True
        self.stream.close()

    @property
    def progress(self) -> float:
        """0 to 1."""
        if not self.stream.written:
            return 0.0
        stats = self.stream.stats
        return min(1.0, (stats.received + stats.lost + stats.lost_estimated) / self.wanted)

    @property
    def status(self) -> str:
        """What it waits for, in a sentence for people."""
        if self.stream.settling:
            return SETTLING
        return f"Recording: {self.progress * self.seconds:.1f} of {self.seconds:g} s."

    @property
    def done(self) -> bool:
        """Whether all its samples have had their time."""
        return self.progress >= 1.0

    def wait(self, progress: bool = False) -> Samples:
        """Wait for the take's end and return its samples.

        Parameters
        ----------
        progress : bool
            Show a bar meanwhile.

        Raises
        ------
        BoardError
            The board or its sensor fell silent. What came before stays, and ``recording`` keeps it.
        """
        from tqdm.auto import tqdm

        try:
            with tqdm(total=round(self.seconds, 1), unit="s", disable=not progress, leave=False,
                      bar_format="{desc} {bar} {n:.1f}/{total:.1f} s") as bar:  # fmt: skip
                bar.set_description_str(SETTLING if self.stream.settling else "Recording")
                for block in self.stream:
                    if not self._blocks:
                        bar.set_description_str("Recording")
                    self._blocks.append(block)
                    bar.update(len(block) / self.stream.rate_hz)
        finally:
            self.stream.close()
        if not self._blocks:
            raise BoardError("The take has no samples.", "Record it again.")
        return Samples.joined(self._blocks)

    def recording(self, label: str | None, person: str = "", session: str = "", progress: bool = False) -> Recording:
        """Wait for the end, measure and judge the take, and return it with its quality.

        Raises
        ------
        TakeRefused
            It is not good enough: samples lost, too still, clipped, the board away (the sentence
            says which). The exception's ``recording`` still holds it.
        BoardError
            The board went away and stayed away, or its sensor fell silent; the exception's
            ``recording`` holds what had come, or is None.
        """
        try:
            samples = self.wait(progress)
        except BoardError as error:
            error.recording = None
            if self._blocks:
                error.recording = self._judged(Samples.joined(self._blocks), label, person, session)[0]
            raise
        if self._finished:
            stats = self.stream.stats
            self.wanted = min(self.wanted, max(len(samples), stats.received + stats.lost))
            self.seconds = self.wanted / self.stream.rate_hz
        recording, quality = self._judged(samples, label, person, session)
        try:
            if self.stream.stats.interruptions:
                raise TakeRefused("The take was not kept: the board was away during it.", "Record it again.")
            quality.require()
        except TakeRefused as refusal:
            refusal.recording = recording  # refused, not lost
            raise
        return recording

    def _judged(self, samples: Samples, label, person: str, session: str):
        """The recording, and what was measured of it."""
        sound = samples.channels == units.SOUND
        timestamps_ms, values, quality = (self._sound if sound else self._motion)(samples, label)
        nominal, stats = self.stream.rate_hz, self.stream.stats
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
            quality={**quality.to_dict(), "interruptions": stats.interruptions},
            timestamps_ms=timestamps_ms,
            source=self.board.port,
        )
        return recording, quality

    def _motion(self, samples: Samples, label):
        times, index = samples.time_s, samples.index
        timestamps_ms = (times - times[0]) * 1000
        quality = take_quality(
            samples.values, samples.channels, self.stream.rate_hz, timestamps_ms=timestamps_ms, index=index,
            seconds=self.seconds, label=label,
        )  # fmt: skip
        # A loss at the take's end leaves no gap of the index.
        quality = replace(quality, lost=max(quality.lost, self.wanted - len(samples)))
        return timestamps_ms, samples.values, quality

    def _sound(self, samples: Samples, label):
        """Sound has no times of its own: what was lost is silence, so that the rest stays where it was."""
        index = samples.index
        place = index - index[0]
        length = min(int(place[-1]) + 1, max(self.wanted, len(samples)))
        counts = np.zeros((length, 1), np.int16)
        there = place < length
        counts[place[there]] = samples.counts[there]
        quality = take_quality(counts, samples.channels, self.stream.rate_hz, seconds=self.seconds, label=label)
        rate = self.stream.stats.rate_hz
        lost = max(length, self.wanted) - int(there.sum())
        of_words = [] if label and self.seconds <= _ONE_WORD_S else [p for p in quality.problems if p.kind in _OF_WORDS]
        problems = [p for p in quality.problems if p not in of_words]
        if lost > LIMITS.lost * max(length, self.wanted):
            problems.append(
                Problem(
                    "samples lost",
                    f"{lost} of {max(length, self.wanted)} samples were lost",
                    "Check the cable, close other programs that use the port, and record it again.",
                )
            )
        rate = rate if np.isfinite(rate) else quality.rate_hz
        return None, units.to_units(counts, samples.channels), replace(
            quality, lost=lost, rate_hz=rate, problems=problems, warnings=[*quality.warnings, *of_words]
        )  # fmt: skip
