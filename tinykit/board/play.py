"""A sound played to the virtual board, once, and what the board said to it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from ..engine.detection import Detection
from ..engine.streaming import StreamAnswers, fingerprint_of, sound_of
from ..errors import BoardError, DeviceError
from . import messages as m
from .live import Prediction

TAIL_S = 1.0  # of silence behind the sound: as long as a word may be announced late
_STUCK_S = 20.0  # without a prediction, on the computer's clock


@dataclass(frozen=True, eq=False)
class Played:
    """What a board said to a sound.

    Parameters
    ----------
    answers : engine.StreamAnswers
        Of windows that lie in the sound; times are those of their ends, from its beginning.
    detections : list of engine.detection.Detection
        What the board announced, also in the second of silence after the sound.
    predictions : list of Prediction
        All of them, as they came.
    phase : int
        Where in the sound the first window begins, in samples: the board was listening before. What
        ``engine.stream_answers`` says to the sound from there on are the same answers.
    seconds : float
        Length of the sound.
    wall_s : float
        How long it took here (measured).
    """

    answers: StreamAnswers
    detections: list[Detection]
    predictions: list[Prediction] = field(repr=False)
    phase: int
    seconds: float
    wall_s: float

    def __repr__(self) -> str:
        words = ", ".join(f"{d.label} at {d.time_s:.2f} s" for d in self.detections[:8]) or "nothing detected"
        more = f" and {len(self.detections) - 8} more" if len(self.detections) > 8 else ""
        return f"<Played: {self.seconds:.1f} s in {self.wall_s:.1f} s, {len(self.answers)} answers; {words}{more}>"


def play(board, sound, progress: bool) -> Played:
    """What ``Board.play`` says it does."""
    from .virtual import SoundReplay
    from .virtual.turns import lend

    machine, pipeline = board.machine, board.pipeline
    if machine is None:
        raise BoardError(
            "A real board hears the room, not a file.",
            "Play it through a loudspeaker beside the board while board.listen() runs, or use tk.connect('virtual').",
        )
    if pipeline is None:
        raise DeviceError("no_pipeline", "The board has no pipeline to listen with.", "Deploy one that hears words.")
    counts = sound_of(getattr(sound, "recording", sound), pipeline)
    seconds = len(counts) / pipeline.rate_hz
    padded = np.concatenate([counts, np.zeros(round(TAIL_S * pipeline.rate_hz), np.int16)])
    with board.live(size=round(20 * seconds * pipeline.rate_hz / pipeline.hop) + 10_000) as live:
        _settle(board)
        began = time.monotonic()
        turn = lend(machine, SoundReplay(padded, loop=False))
        try:
            _wait(board, live, len(padded) / pipeline.rate_hz, progress)
            first = machine.mic.begin
        finally:
            turn.end()
        predictions = live.read_new()[0]
    return _heard(predictions, pipeline, counts, first, time.monotonic() - began)


def _settle(board) -> None:
    """Wait until the microphone gives sound."""
    deadline = time.monotonic() + _STUCK_S
    while board.microphone != "on":
        if time.monotonic() > deadline:
            raise BoardError(
                f"The microphone did not settle in {_STUCK_S:g} s.", "Press the board's reset button, then play again."
            )
        time.sleep(0.02)


def _wait(board, live, seconds: float, progress: bool) -> None:
    """Wait until the source has come to its end and all that the board says about it is here."""
    from tqdm.auto import tqdm

    machine = board.machine
    with tqdm(total=round(seconds, 1), disable=not progress, leave=False, desc="play",
              bar_format="{desc} {bar} {n:.0f}/{total:.0f} s") as bar:  # fmt: skip
        came, at = live.received, time.monotonic()
        while not machine.finished:
            time.sleep(0.02)
            bar.update(min(seconds, machine.mic.played_s(machine.clock.now_us)) - bar.n)
            if live.received != came:
                came, at = live.received, time.monotonic()
            elif time.monotonic() - at > _STUCK_S or not board.connected:
                live._feed._explain_silence(live, _STUCK_S)
    machine.wait_until_idle()
    board._link.request(m.ECHO)  # replies queue up behind events


def _heard(predictions, pipeline, counts, first: int, wall_s: float) -> Played:
    """Predictions whose windows begin in the sound, as answers with times from its beginning."""
    front, rate = pipeline.front_end, pipeline.rate_hz
    span = (pipeline.input_shape[0] - 1) * front.hop + front.frame
    # Where in the sound a prediction's window ends: indices count from the microphone's start, modulo 2**32.
    ends = [((p.index - first + 1 + 0x80000000) & 0xFFFFFFFF) - 0x80000000 for p in predictions]
    kept = [(end, p) for end, p in zip(ends, predictions, strict=True) if end >= span]
    inside = [(end, p) for end, p in kept if end <= len(counts)]
    numbers = [p.number for _, p in inside]
    answers = StreamAnswers(
        np.array([end / rate for end, _ in inside]),
        np.array([p.raw for _, p in inside], np.int8).reshape(len(inside), len(pipeline.labels)),
        pipeline.labels,
        len(counts) / rate,
        fingerprint_of(counts),
        "the board",
        max(0, numbers[-1] - numbers[0] + 1 - len(numbers)) if numbers else 0,
    )
    detections = [Detection(end / rate, p.label, p.probability) for end, p in kept if p.detected]
    phase = kept[0][0] - span if kept else 0
    return Played(answers, detections, [p for _, p in kept], phase, len(counts) / rate, wall_s)
