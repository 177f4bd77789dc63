"""A long sound through a pipeline, as the device does it: frames once, an answer every hop."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ..errors import DataError, ModelError
from .evaluation import runtime_of
from .runtime import Runtime

_CHUNK = 256  # windows at once: 1 MB of them


@dataclass(frozen=True, eq=False)
class StreamAnswers:
    """A network's answers to a long recording, by this computer or by a board.

    Parameters
    ----------
    times_s : float64 array of shape (n,)
        End of each answer's window, from the recording's first sample.
    answers : int8 array of shape (n, labels)
        A probability is ``(answer + 128) / 256``.
    labels : tuple of str
    seconds : float
        Length of the recording.
    fingerprint : str
        Of the recording's samples: whether two are the same is asked when thresholds are tuned.
    source : str
        Who answered.
    skipped : int
        Hops without an answer: a board that is too slow for its hop, or answers lost on the way.
    """

    times_s: np.ndarray
    answers: np.ndarray
    labels: tuple[str, ...]
    seconds: float
    fingerprint: str = ""
    source: str = "this computer"
    skipped: int = 0

    def __post_init__(self):
        times, answers = np.asarray(self.times_s, np.float64), np.ascontiguousarray(self.answers, np.int8)
        if times.ndim != 1 or answers.shape != (len(times), len(self.labels)):
            raise DataError(
                f"{len(self.labels)} labels, times of shape {times.shape} and answers of shape {answers.shape} do not "
                "fit together.",
                "Give one time and one row of answers per window.",
            )
        if np.any(np.diff(times) < 0):
            raise DataError("The answers are not in the order of their times.", "Sort them.")
        object.__setattr__(self, "times_s", times)
        object.__setattr__(self, "answers", answers)
        object.__setattr__(self, "labels", tuple(self.labels))
        object.__setattr__(self, "seconds", float(self.seconds))

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def probabilities(self) -> np.ndarray:
        """``answers`` as float64 probabilities, shape (n, labels)."""
        from ..features import probabilities_of

        return probabilities_of(self.answers)

    @classmethod
    def of_predictions(cls, predictions, pipeline, start_s: float, sound) -> StreamAnswers:
        """Answers that a board gave while a sound was played to it.

        Parameters
        ----------
        predictions : iterable of tinykit.board.Prediction
            As ``board.live()`` gave them.
        pipeline : Pipeline
            The one that the board ran.
        start_s : float
            The board's clock at the sound's first sample; what was answered before it is left out.
        sound : Recording or int16 array
            What was played.
        """
        counts = sound_of(sound, pipeline)
        seconds = len(counts) / pipeline.rate_hz
        kept = [p for p in predictions if 0 < p.device_time_s - start_s <= seconds + 1e-6]
        numbers = [p.number for p in kept]
        return cls(
            np.array([p.device_time_s - start_s for p in kept]),
            np.array([p.raw for p in kept], np.int8).reshape(len(kept), len(pipeline.labels)),
            pipeline.labels,
            seconds,
            fingerprint_of(counts),
            "the board",
            max(0, numbers[-1] - numbers[0] + 1 - len(numbers)) if numbers else 0,
        )

    def __repr__(self) -> str:
        skipped = f", {self.skipped} hops skipped" if self.skipped else ""
        return f"<StreamAnswers: {len(self)} answers to {self.seconds:.1f} s by {self.source}{skipped}>"


def stream_answers(pipeline, sound) -> StreamAnswers:
    """What the board answers to a long sound, bit for bit.

    Every frame is computed once and kept; the network sees the last ``rows`` frames as soon as there
    are so many, and then once every ``pipeline.hop`` samples.

    Parameters
    ----------
    pipeline : Pipeline
        One that hears, with an int8 network.
    sound : Recording, or int16 array of shape (n,) or (n, 1)
        At the pipeline's rate.

    Returns
    -------
    StreamAnswers

    Raises
    ------
    DataError
        The sound is shorter than a window, not int16, or at another rate.
    ModelError
        The pipeline does not hear, or has no int8 network.
    """
    from ..features import quantized_frames

    counts = sound_of(sound, pipeline)
    plan = runtime_of(pipeline).plan
    front, rows = pipeline.front_end, pipeline.input_shape[0]
    frames = quantized_frames(counts, front, plan.input_scale, plan.input_zero_point)
    ends = np.arange(rows, len(frames) + 1, pipeline.hop // front.hop)
    answers = _run(pipeline, frames, ends, rows)
    times = ((ends - 1) * front.hop + front.frame) / pipeline.rate_hz
    return StreamAnswers(times, answers, pipeline.labels, len(counts) / pipeline.rate_hz, fingerprint_of(counts))


def _run(pipeline, frames, ends, rows) -> np.ndarray:
    """The network over windows of frames, on as many processors as there are."""
    first = runtime_of(pipeline)
    chunks = [ends[i : i + _CHUNK] for i in range(0, len(ends), _CHUNK)]
    hands = min(os.cpu_count() or 1, 4, len(chunks))
    engines = [first, *(Runtime(first.plan) for _ in range(hands - 1))]  # each has an arena of its own

    def work(hand):
        made = []
        for chunk in chunks[hand::hands]:
            windows = np.stack([frames[end - rows : end] for end in chunk])
            made.append(engines[hand].run(windows).reshape(len(chunk), len(pipeline.labels)))
        return made

    with ThreadPoolExecutor(hands) as pool:
        parts = list(pool.map(work, range(hands)))
    return np.concatenate([parts[i % hands][i // hands] for i in range(len(chunks))])


def sound_of(sound, pipeline) -> np.ndarray:
    """A recording's or an array's samples as int16 of shape (n,), checked against the pipeline."""
    if pipeline.sensor != "mic":
        raise ModelError(
            f"Pipeline {pipeline.name} listens to the {pipeline.sensor}, not to sound.", "Give a keyword pipeline."
        )
    if hasattr(sound, "counts") and hasattr(sound, "channels"):
        if tuple(sound.channels) != ("audio",) or abs(sound.rate_hz / pipeline.rate_hz - 1) > 1e-3:
            raise DataError(
                f"The recording has {','.join(sound.channels)} at {sound.rate_hz:g} Hz, the pipeline hears audio at "
                f"{pipeline.rate_hz:g} Hz.",
                "Read it with tk.data.read_audio, which resamples.",
            )
        sound = sound.counts()
    counts = np.asarray(sound)
    if counts.ndim == 2 and counts.shape[1] == 1:
        counts = counts[:, 0]
    if counts.ndim != 1 or counts.dtype != np.int16:
        raise DataError(
            f"A sound must be int16 of shape (samples,), got {counts.dtype} of shape {counts.shape}.",
            "Give a Recording, or recording.counts().",
        )
    if len(counts) < pipeline.window:
        raise DataError(
            f"The sound is {len(counts)} samples long, shorter than one window of {pipeline.window}.",
            "Give a longer one, or pad it.",
        )
    return counts


def fingerprint_of(counts: np.ndarray) -> str:
    """First 12 hex digits of SHA-256 over a sound's int16 samples."""
    return hashlib.sha256(np.ascontiguousarray(counts, "<i2").tobytes()).hexdigest()[:12]
