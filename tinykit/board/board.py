"""A board: what a notebook holds in its hand, real or virtual."""

from __future__ import annotations

import math
import threading
import time
import zlib

import numpy as np

from ..errors import BoardError
from ..features import probabilities_of
from ..pipeline import Decision, Pipeline
from . import messages as m
from .deploy import Deployment, Versions, memory_of, plan_of, read_section, upload
from .evaluate import check_tensors, check_windows, evaluate, run_each
from .info import BoardInfo, card
from .link import Link
from .live import Feed, Live, ask_decision
from .log import EventLog
from .port import open_port
from .stream import Sensor, Stream


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
            self._versions = Versions(memory_of(self.info.id) if remember else None)
            self._sensors = {
                s.name: Sensor(self._link, number, s.name, s.rate_hz, s.channels, self.log)
                for number, s in enumerate(self.info.sensors)
            }
            self._feed = Feed(self._link, self._live_labels, self._on_first_prediction)
            self._listeners: dict[str, list] = {}
            self._deploying = threading.Lock()
            self._decision: Decision | None = None
            self._described: dict[int, Pipeline | None] = {}
            self._input_bytes: dict[int, int] = {}  # of plans deployed in this session
            self.last_deployment: Deployment | None = None
            self._slots: list[m.Slot] = self.slots
            if all(slot.state == "empty" for slot in self._slots):
                self._versions.forget()
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
        self._slots = m.parse_slots(self._link.request(m.SLOTS))
        return self._slots

    @property
    def active(self) -> m.Slot | None:
        """The slot that it answers with, as last heard; None when it has no pipeline."""
        return next((slot for slot in self._slots if slot.active and slot.state == "good"), None)

    @property
    def pipeline(self) -> Pipeline | None:
        """The pipeline that it runs; None when it has none, or a bare network.

        Deployed by another computer: as the board itself describes it, without the networks.
        """
        if (active := self.active) is None:
            return None
        crc = active.crc
        known = self._versions.pipeline(crc)
        if known is None and crc not in self._described:
            self._described[crc] = read_section(self._link)
        return known or self._described[crc]

    @property
    def versions(self) -> list[dict]:
        """What was deployed to it from here: version, name, fingerprint, deployed_at, and in which slot it is."""
        where = {slot.crc: slot.letter for slot in self._slots if slot.state == "good"}
        active = self.active.crc if self.active else None
        return [{**e, "slot": where.get(e["crc"]), "active": e["crc"] == active} for e in self._versions]

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
        if sensor not in self._sensors:
            there = ", ".join(self._sensors) or "none"
            raise BoardError(f"This board has no sensor {sensor!r}; it has: {there}.", "Use one that it has.")
        return Stream(self._sensors[sensor], seconds, capacity_s)

    def record(self, label: str | None, seconds: float = 2.0, person: str = "", session: str = "", dataset=None):
        """Record one take, judge it, and add it to a dataset if one is given.

        Returns
        -------
        Recording
            With its true rate, jitter and lost samples in ``quality``.

        Raises
        ------
        TakeRefused
            The take is not good enough; the sentence says why, ``error.recording`` holds it.
        """
        from .recorder import Take

        recording = Take(self, seconds).recording(label, person, session)
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
        from tqdm.auto import tqdm

        began = time.monotonic()
        plan = plan_of(pipeline).check_fit(self.info.slot_bytes, self.info.arena)
        data = bytes(plan.bytes)
        crc = zlib.crc32(data)
        whole = pipeline if isinstance(pipeline, Pipeline) else None
        name, fingerprint = plan.name, whole.fingerprint if whole else f"{crc:08x}"
        with self._deploying:
            repeated = self._link.counters.repeated
            with tqdm(total=len(data), unit="B", unit_scale=True, desc=f"deploy {name}", disable=progress is not True,
                      leave=False) as bar:  # fmt: skip
                tell = progress if callable(progress) else lambda done, total: bar.update(done - bar.n)
                slot = upload(self._link, data, on_progress=lambda done: tell(done, len(data)))
            self._input_bytes[crc] = math.prod(plan.input_shape)
            version = self._versions.add(crc, name, fingerprint, whole)
            self._decision = None
            self._slots = self.slots
            done = Deployment(
                version, name, fingerprint, "AB"[slot], len(data), plan.arena_bytes, time.monotonic() - began,
                repeated=self._link.counters.repeated - repeated, began=began,
            )  # fmt: skip
            self.last_deployment = done
            if self._feed.running:
                self._feed.start()
        self.log.add("deployed", f"v{version} {name} {fingerprint} in slot {done.slot}")
        return done

    def rollback(self) -> m.Slot:
        """Go back to the pipeline in the other slot; returns that slot.

        Raises
        ------
        DeviceError
            ``slot_empty`` or ``slot_damaged``: there is nothing to go back to.
        """
        with self._deploying:
            self._link.request(m.ROLLBACK, timeout=2.0)
            self._slots = self.slots
            self._decision = None
            if self._feed.running:
                self._feed.start()
        self.log.add("deployed", f"rolled back to {self.active.name} in slot {self.active.letter}")
        return self.active

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
        x = check_tensors(x, self._input_size())
        with self._feed.paused():
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
        with self._feed.paused():
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
        """
        return Live(self._feed, seconds)

    def decision(self, threshold: float | None = None, smoothing: int | None = None,
                 suppression_s: float | None = None) -> Decision:  # fmt: skip
        """The decision rule in force; what is given is changed, until the next deployment or restart.

        Returns
        -------
        Decision
        """
        now = ask_decision(self._link)
        if threshold is None and smoothing is None and suppression_s is None:
            return now
        self._decision = Decision(
            now.smoothing if smoothing is None else int(smoothing),
            now.threshold if threshold is None else float(threshold),
            now.suppression_s if suppression_s is None else float(suppression_s),
        )
        return ask_decision(self._link, self._decision)

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

    def _on_first_prediction(self, at: float) -> None:
        done = self.last_deployment
        if done is not None and done.first_prediction_s is None:
            done.first_prediction_s = at - done.began

    def _restore(self, rebooted: bool, away: float) -> None:
        self._slots = self.slots
        if rebooted and self._decision is not None:
            ask_decision(self._link, self._decision)
        for sensor in self._sensors.values():
            sensor._restore(rebooted, away)
        self._feed._restore(rebooted, away)

    def _input_size(self) -> int | None:
        """Values in an input of the network on the board; None: unknown, or there is none."""
        if (pipeline := self.pipeline) is not None:
            return pipeline.window * len(pipeline.front_end.features)
        return self._input_bytes.get(self.active.crc) if self.active else None

    def _live_labels(self) -> tuple[str, ...]:
        return pipeline.labels if (pipeline := self.pipeline) is not None else ()

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
        return card(self.info, self.port, self.connected, self._slots, self._versions)
