"""What a board answers: to tensors and windows, to a dataset, to what it feels and hears."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext

import numpy as np

from ..features import probabilities_of
from ..pipeline import Decision
from . import messages as m
from .evaluate import RunTime, check_tensors, check_windows, evaluate, run_each
from .live import Listening, Live


class Inference:
    """The part of a ``Board`` that asks the pipeline on it."""

    last_run: RunTime | None = None

    def run(self, x, progress: bool = False) -> np.ndarray:
        """Answers of the network that is on the board, without its front end.

        Parameters
        ----------
        x : array of shape (n, ...)
            The first axis is the examples. Of the type that the network takes: int8, but for networks with other
            ends.

        Returns
        -------
        array of shape (n, outputs)
            Of the type that the network gives: int8, as a rule.

        Raises
        ------
        ModelError
            ``x`` is not of that type.
        DeviceError
            The board has no network, or the input has the wrong size.
        """
        ends = self._shelf.ends
        x = check_tensors(x, ends)
        with self._memory_free():
            answers, self.last_run = run_each(self._link, m.MODE_TENSOR, x, progress, "run")
        return answers.view(np.dtype(ends.gives).newbyteorder("<")).astype(ends.gives, copy=False)

    def answers(self, counts, progress: bool = False) -> np.ndarray:
        """The board's int8 answers for windows, through its own front end.

        Parameters
        ----------
        counts : int16 array of shape (n, window, channels)
            At the pipeline's rate, the pipeline's channels.

        Returns
        -------
        int8 array of shape (n, labels)
            (answer + 128) / 256 is the probability.
        """
        counts = check_windows(counts, self.pipeline)
        with self._memory_free():
            answers, self.last_run = run_each(self._link, m.MODE_WINDOW, counts, progress, "windows")
        return answers

    def inside(self, x, places, window: bool = False) -> list[bytes]:
        """Pieces of the arena while the board answers one input op by op; ``tk.parity`` shows them.

        Parameters
        ----------
        x : array
            One input of the network; or, with ``window``, int16 counts of shape (window, channels), which
            go through the board's own front end.
        places : sequence of (int, int, int)
            Op after which to look (-1: before the first), offset in the arena, bytes; ascending by op.

        Returns
        -------
        list of bytes

        Raises
        ------
        DeviceError
            The board has no network, or a place lies outside of its arena.
        BoardError
            Its firmware is too old for this.
        """
        from .inside import look_inside

        x = np.ascontiguousarray(x)
        with self._memory_free():
            data = x.astype(x.dtype.newbyteorder("<")).tobytes()
            return look_inside(self._link, m.MODE_WINDOW if window else m.MODE_TENSOR, data, places)

    def classify(self, counts) -> np.ndarray:
        """Probabilities by the board for windows of counts.

        Parameters
        ----------
        counts : int16 array of shape (n, window, channels), or one window (window, channels)

        Returns
        -------
        float32 array of shape (n, labels), or (labels,) for one window
        """
        counts = np.asarray(counts)
        one = counts.ndim == 2
        probabilities = probabilities_of(self.answers(counts[None] if one else counts)).astype(np.float32)
        return probabilities[0] if one else probabilities

    def evaluate(self, dataset, progress: bool = True):
        """The board's own answer for every window of a dataset, scored and compared with the host's.

        Returns
        -------
        Report
            Accuracy, macro F1, confusion, per person; ``extra["agreement"]`` says in how many
            windows board and host agree bit for bit (not there when another computer deployed it).

        Raises
        ------
        DeviceError
            ``no_plan``, ``no_pipeline``: the board has no pipeline.
        """
        return evaluate(self, dataset, progress)

    def live(self, seconds: float | None = None, size: int = 5000) -> Live:
        """Start live predictions.

        Parameters
        ----------
        seconds : float, optional
            Iterating ends after so many seconds.
        size : int
            How many predictions stay readable.

        Returns
        -------
        Live
            A context manager and an iterator over ``Prediction``.

        Raises
        ------
        DeviceError
            ``no_plan``: nothing is deployed; ``no_pipeline``: a bare network is.
        BoardError
            The pipeline's sensor is not on this board.
        """
        self._require_its_sensor()
        return Live(self._feed, seconds, size)

    def listen(self, seconds: float | None = None) -> Listening:
        """Listen for words: iterates those predictions that announce one.

        Parameters
        ----------
        seconds : float, optional
            Iterating ends after so many seconds.

        Returns
        -------
        Listening
            A context manager and an iterator over ``Prediction``: ``label``, ``probability`` and
            ``time`` say what was heard, how surely, and when. Silence, unknown and rest are left
            out. All predictions are in ``read_new``.

        Raises
        ------
        DeviceError, BoardError
            As ``live``.
        """
        self._require_its_sensor()
        return Listening(self._feed, seconds)

    def play(self, sound, progress: bool = True):
        """Play a sound to the virtual board, once, and return when it has been heard.

        Before it begins the microphone has settled; afterwards the board hears its old source again.

        Parameters
        ----------
        sound : Recording, Scene, or int16 array of shape (n,)
            At the pipeline's rate, at least a window long.
        progress : bool

        Returns
        -------
        Played
            ``detections`` (time, label, probability), ``answers`` for ``engine.score`` and
            ``engine.curve``, and the predictions.

        Raises
        ------
        BoardError
            The board is a real one.
        DataError
            The sound is at another rate, or too short.
        """
        from .play import play

        return play(self, sound, progress)

    def decision(self, threshold: float | None = None, smoothing: int | None = None,
                 suppression_s: float | None = None, thresholds=None) -> Decision:  # fmt: skip
        """The decision rule in force; what is given is changed, until the next deployment.

        Parameters
        ----------
        threshold : float, optional
            For all labels alike, 0 to 1.
        smoothing : int, optional
            Answers, 1 to 16.
        suppression_s : float, optional
        thresholds : dict of str to float, or one per label, optional
            ``{"left": 0.8}`` changes that label's only; an empty list makes ``threshold`` hold for all.

        Returns
        -------
        Decision
            As the board has it now.

        Raises
        ------
        ModelError
            A value is out of range, or the pipeline has no such label.
        """
        return self._shelf.decision(
            threshold=threshold, smoothing=smoothing, suppression_s=suppression_s, thresholds=thresholds
        )

    # -- inside --------------------------------------------------------------------------------

    @contextmanager
    def _memory_free(self):
        """Windows and tensors lie where live predictions do, and a second of sound where the microphone's does."""
        pipeline = self.pipeline
        hears = pipeline is not None and pipeline.sensor == "mic" and "mic" in self._sensors
        with self._feed.paused(), self._sensors["mic"].paused() if hears else nullcontext():
            yield

    def _require_its_sensor(self) -> None:
        if (pipeline := self.pipeline) is not None:
            self.info.require(pipeline.sensor)
