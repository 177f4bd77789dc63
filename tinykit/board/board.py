"""A board: what a notebook holds in its hand, real or virtual."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext

import numpy as np

from ..errors import BoardError
from ..features import probabilities_of
from ..pipeline import Decision, Pipeline
from . import messages as m
from .deploy import Deployment
from .evaluate import check_tensors, check_windows, evaluate, run_each
from .info import BoardInfo, card
from .link import Link
from .live import Feed, Listening, Live
from .log import EventLog
from .port import open_port
from .sensor import sensors_of
from .shelf import Shelf
from .stream import Stream


class Board:
    """A board behind a port; everything on it may be called from any thread.

    Parameters
    ----------
    url : str
        Port name or pyserial URL.
    opener : callable, optional
        ``url -> pyserial port``, for tests.
    remember : bool
        Keep what is deployed in the user's cache folder, so that the next session knows its labels.
    """

    def __init__(self, url: str, opener=open_port, remember: bool = True):
        self.log = EventLog()
        self._link = Link(url, self.log, opener)
        try:
            self.info = BoardInfo.parse(self._link.request(m.INFO))
            self._link.loses_power = self.info.virtual
            self._shelf = Shelf(self._link, self.info, self.log, remember)
            self._sensors = sensors_of(self.info, self._link, self.log)
            self._feed = Feed(self._link, lambda: self._shelf.pipeline, self._shelf.on_prediction)
            self._listeners: dict[str, list] = {}
            for event in m.EVENTS:
                self._link.on(event, self._on_event)
            self._link.on_restore(self._restore)
        except BaseException:
            self._link.close()
            raise
        self.log.add("connected", f"{self.info.board} on {url}, firmware {self.info.firmware}")

    # -- what it is ----------------------------------------------------------------------------

    @property
    def port(self) -> str:
        """Its port at present; it may change when the board is plugged in again."""
        return self._link.url

    @property
    def is_virtual(self) -> bool:
        """Whether the firmware runs on the emulated board."""
        return self.info.virtual

    @property
    def connected(self) -> bool:
        """Whether its port is open at present."""
        return self._link.up

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._link.closed

    @property
    def device_name(self) -> str:
        """For recordings: which board it was."""
        return f"{self.info.board} {self.info.id}".strip()

    @property
    def machine(self):
        """The virtual board itself (signal source, faults, power); None for a real one."""
        return getattr(self._link.port, "machine", None)

    @property
    def source(self):
        """What a virtual board's hand does; may be set while it runs."""
        return getattr(self.machine, "source", None)

    @source.setter
    def source(self, source) -> None:
        if self.machine is None:
            raise BoardError("A real board's signals come from its sensor.", "Use tk.connect('virtual').")
        if not hasattr(source, "read"):  # recordings, or a dataset of them
            from .virtual import Replay

            source = Replay(getattr(source, "recordings", source), loop=True)
        self.machine.source = source

    @property
    def slots(self) -> list[m.Slot]:
        """Its two slots, asked now."""
        return self._shelf.ask()

    @property
    def active(self) -> m.Slot | None:
        """The slot that it answers with, as last heard; None when it has no pipeline."""
        return self._shelf.active

    @property
    def pipeline(self) -> Pipeline | None:
        """The pipeline that it runs; None when it has none, or a bare network.

        Deployed by another computer: as the board itself describes it, without the networks.
        """
        return self._shelf.pipeline

    @property
    def versions(self) -> list[dict]:
        """What was deployed to it from here: version, name, fingerprint, deployed_at, and in which slot it is."""
        return self._shelf.list()

    @property
    def last_deployment(self) -> Deployment | None:
        """What the last ``deploy`` of this session did."""
        return self._shelf.last_deployment

    # -- sensors -------------------------------------------------------------------------------

    def stream(self, sensor: str = "imu", seconds: float | None = None, capacity_s: float = 120.0) -> Stream:
        """Open a stream of samples.

        Parameters
        ----------
        sensor : str
            As ``info.sensors`` names it.
        seconds : float, optional
            Iterating ends after so many seconds of the board's clock.
        capacity_s : float
            How many seconds of samples stay readable.

        Returns
        -------
        Stream
            A context manager and an iterator over ``Samples``.

        Raises
        ------
        BoardError
            The board has no such sensor.
        """
        self.info.require(sensor)
        return Stream(self._sensors[sensor], seconds, capacity_s)

    def record(self, label: str | None, seconds: float = 2.0, person: str = "", session: str = "", dataset=None,
               sensor: str = "imu", progress: bool | None = None):  # fmt: skip
        """Record one take, judge it, and add it to a dataset if one is given.

        Parameters
        ----------
        label : str or None
        seconds : float
            By the sensor's nominal rate; minutes are no problem.
        person, session : str
        dataset : Dataset, optional
        sensor : str
            ``"imu"`` or ``"mic"``. A microphone that was just started settles first (3.5 s).
        progress : bool, optional
            Show a bar. Default: for sound, and from 10 s on.

        Returns
        -------
        Recording
            With its true rate, jitter and lost samples in ``quality``.

        Raises
        ------
        TakeRefused
            The take is not good enough; the sentence says why, ``error.recording`` holds it.
        BoardError
            The board has no such sensor; or it went away, and ``error.recording`` holds what came before.
        """
        from .recorder import Take

        show = (sensor == "mic" or seconds >= 10) if progress is None else progress
        recording = Take(self, seconds, sensor).recording(label, person, session, show)
        return recording if dataset is None else dataset.add(recording)

    # -- pipelines -----------------------------------------------------------------------------

    def deploy(self, pipeline, progress: bool = True) -> Deployment:
        """Send a pipeline into the free slot and switch over.

        Parameters
        ----------
        pipeline : Pipeline or engine.Plan
            A pipeline with an int8 network; a bare network's plan (``engine.compile_network``) can
            be run but gives no live predictions.
        progress : bool or callable
            Show a progress bar, or call this with (bytes sent, bytes in all).

        Returns
        -------
        Deployment
            Slot, version, bytes, seconds.

        Raises
        ------
        DoesNotFit
            The slot or the arena is too small; nothing was sent.
        ModelError
            There is no int8 network in it.
        DeviceError, BoardGone, LinkError
            The board keeps the pipeline that it had.
        """
        return self._shelf.deploy(pipeline, progress, self._feed)

    def rollback(self) -> m.Slot:
        """Go back to the pipeline in the other slot; returns that slot.

        Raises
        ------
        DeviceError
            ``slot_empty`` or ``slot_damaged``: there is nothing to go back to.
        """
        return self._shelf.rollback(self._feed)

    def run(self, x, progress: bool = False) -> np.ndarray:
        """Answers of the network that is on the board, without its front end.

        Parameters
        ----------
        x : int8 array of shape (n, ...)
            The first axis is the examples.

        Returns
        -------
        int8 array of shape (n, outputs)

        Raises
        ------
        ModelError
            ``x`` is not int8.
        DeviceError
            The board has no network, or the input has the wrong size.
        """
        x = check_tensors(x, self._shelf.input_size)
        with self._memory_free():
            answers, self.last_run = run_each(self._link, m.MODE_TENSOR, x, progress, "run")
        return answers

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

    def live(self, seconds: float | None = None) -> Live:
        """Start live predictions.

        Parameters
        ----------
        seconds : float, optional
            Iterating ends after so many seconds.

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
        return Live(self._feed, seconds)

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

    # -- listening -----------------------------------------------------------------------------

    def on(self, kind: str, callback) -> None:
        """Call ``callback(payload)`` for every event of a kind: samples, prediction, log, fault.

        It runs on the reader thread, so it must be quick and must not ask the board; pulling with
        ``Stream.read_new`` and ``Live.read_new`` is the better way where it will do.
        """
        kinds = [name for name, _ in m.EVENTS.values()]
        if kind not in kinds:
            raise ValueError(f"There is no event {kind!r}; there are {', '.join(kinds)}.")
        self._listeners.setdefault(kind, []).append(callback)

    def off(self, kind: str, callback) -> None:
        """Undo ``on``."""
        if callback in self._listeners.get(kind, []):
            self._listeners[kind].remove(callback)

    # -- inside --------------------------------------------------------------------------------

    def _on_event(self, frame) -> None:
        kind, parse = m.EVENTS[frame.type]
        if kind == "log":
            self.log.add("log", parse(frame.payload))
        elif kind == "fault":
            status, text = parse(frame.payload)
            self.log.add("fault", f"{text} (status {status})")
        for callback in list(self._listeners.get(kind, ())):
            callback(parse(frame.payload))

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

    def _restore(self, rebooted: bool, away: float) -> None:
        self._shelf.restore(rebooted)
        for sensor in self._sensors.values():
            sensor._restore(rebooted, away)
        self._feed._restore(rebooted, away)

    def close(self) -> None:
        """Stop what runs on the board and let go of the port; safe to call twice."""
        stop = self._link.up and not self._link.closed
        self._feed._close(stop)
        for sensor in self._sensors.values():
            sensor._close(stop)
        self._link.close()

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def __repr__(self) -> str:
        runs = f"runs {self.active.name} (slot {self.active.letter})" if self.active else "no pipeline"
        state = "" if self.connected else ", away"
        return f"<Board {self.info.board} on {self.port}: firmware {self.info.firmware}, {runs}{state}>"

    def _repr_html_(self) -> str:
        return card(self.info, self.port, self.connected, self._shelf.slots, self._shelf.versions)
