"""A board: what a notebook holds in its hand, real or virtual."""

from __future__ import annotations

import math
import os
import struct
import threading
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import BoardError, DeviceError, ModelError, PortBusy
from ..pipeline import Decision, Pipeline
from . import messages as m
from .deploy import Deployment, Versions, plan_of, upload
from .evaluate import agreement, run_each
from .link import Link
from .live import Feed, Live
from .log import EventLog
from .port import VIRTUAL_URL, Port, open_port, ports
from .stream import Sensor, Stream


@dataclass(frozen=True)
class SensorInfo:
    """A sensor as the board states it: ``name`` ("imu"), ``part``, ``rate_hz``, ``channels``."""

    name: str
    part: str
    rate_hz: float
    channels: tuple[str, ...]


@dataclass(frozen=True)
class BoardInfo:
    """What a board says of itself; sizes in bytes.

    ``free_ram`` is what nothing uses, ``arena`` what networks may use, ``slot_bytes`` the largest
    plan that a slot holds.
    """

    board: str
    firmware: str
    protocol: int
    virtual: bool
    id: str
    sensors: tuple[SensorInfo, ...]
    free_ram: int
    arena: int
    slot_bytes: int

    @classmethod
    def parse(cls, payload: bytes) -> "BoardInfo":
        """From the reply to INFO."""
        lines = m.parse_info(payload)
        sensors = []
        for text in filter(None, lines.get("sensors", "").split(";")):
            name, part, rate, channels = text.split(":")[:4]
            sensors.append(SensorInfo(name, part, float(rate), tuple(channels.split(","))))
        number = {key: int(lines.get(key) or 0) for key in ("protocol", "virtual", "free_ram", "arena", "slot_bytes")}
        return cls(
            lines.get("board", "unknown"), lines.get("firmware", "unknown"), number["protocol"],
            bool(number["virtual"]), lines.get("id", ""), tuple(sensors), number["free_ram"],
            number["arena"], number["slot_bytes"],
        )  # fmt: skip


def connect(port: str | Port | None = None, source=None) -> "Board":
    """Connect to a board: a USB Nano if there is one, else the virtual board.

    Parameters
    ----------
    port : str or Port, optional
        As ``tk.ports()`` lists them; ``"virtual"`` for the virtual board. Default: the
        environment variable ``TINYKIT_PORT``, else what is plugged in, else the virtual board.
    source : Dataset, Recording or signal source, optional
        What a virtual board's hand does (``tinykit.board.virtual``).

    Returns
    -------
    Board
        Use it in ``with``, or ``close()`` it, so that others can have the port. A board that this
        program has open already is given again. If another notebook has the virtual board, a
        further one is made, with slots of its own.

    Raises
    ------
    PortBusy
        Another program holds the port.
    BoardError
        No such port, several Nanos to choose from, no tinykit firmware on it; says what to do.
    """
    url = port.address if isinstance(port, Port) else port or os.environ.get("TINYKIT_PORT") or _choose()
    if url == "virtual":
        url = VIRTUAL_URL
    if source is not None and not url.startswith("virtual://"):
        raise BoardError(
            f"{url} is a real board: its signals come from its sensor.",
            "Leave source out, or use tk.connect('virtual', source=...).",
        )
    with _OPENING:
        board = _OPEN.get(url)
        if board is None or board.closed:
            board = _OPEN[url] = _virtual() if url == VIRTUAL_URL else Board(url)
    if source is not None:
        try:
            board.source = source
        except BaseException:
            board.close()
            raise
    return board


# A cell that connects is often run twice: the second time it gets the board that is open.
_OPEN: dict[str, "Board"] = {}
_OPENING = threading.Lock()


def _virtual() -> "Board":
    """The virtual board; if another notebook has it, a further one with slots of its own."""
    for number in range(1, 9):
        try:
            return Board(VIRTUAL_URL if number == 1 else f"{VIRTUAL_URL}/nano33ble-{number}")
        except PortBusy:
            continue
    return Board(f"{VIRTUAL_URL}/nano33ble-9")


def _choose() -> str:
    found = ports()
    nanos = [port for port in found if port.kind == "nano33ble"]
    if len(nanos) > 1:
        raise BoardError(
            f"{len(nanos)} boards are plugged in: {', '.join(port.address for port in nanos)}.",
            f"Choose one: tk.connect({nanos[0].address!r}).",
        )
    if nanos:
        return nanos[0].address
    for port in found:
        if port.kind in ("bootloader", "micropython"):
            raise BoardError(
                f"{port.address} is an {port.what}: the TinyKit firmware does not run on it.",
                "Flash hardware/TinyKit/examples/Board, or go on without it: tk.connect('virtual').",
            )
    return VIRTUAL_URL


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
            self._versions = Versions(self._memory() if remember else None)
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
            for event in (m.SAMPLES, m.PREDICTION, m.LOG, m.FAULT):
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
        if self.active is None:
            return None
        crc = self.active.crc
        known = self._versions.pipeline(crc)
        if known is None and crc not in self._described:
            self._described[crc] = self._read_section()
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
        if dataset is not None:
            recording = dataset.add(recording) or recording
        return recording

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
        name = whole.name if whole else getattr(plan, "name", "network")
        fingerprint = whole.fingerprint if whole else f"{crc:08x}"
        with self._deploying:
            repeated = self._link.counters.repeated
            with tqdm(total=len(data), unit="B", unit_scale=True, desc=f"deploy {name}", disable=progress is not True,
                      leave=False) as bar:  # fmt: skip
                tell = progress if callable(progress) else lambda done, total: bar.update(done - bar.n)
                slot = upload(self._link, data, on_progress=lambda done: tell(done, len(data)))
            if not any(s.state == "good" for s in self._slots):
                self._versions.forget()
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
        x = np.asarray(x)
        if x.dtype != np.int8 or x.ndim < 2:
            raise ModelError(
                f"board.run takes int8 of shape (n, ...), got {x.dtype} of shape {x.shape}.",
                "Quantise the input: tinykit.features.quantized, or one example as x[None].",
            )
        if not len(x):
            raise ModelError("There are no examples in x.", "Give at least one.")
        size, takes = x[0].size, self._input_size()
        if takes is not None and size != takes:
            raise ModelError(
                f"The board's network takes {takes} values an example, x has {size} (shape {x.shape[1:]}).",
                "Give the network's own input shape.",
            )
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
        counts = np.asarray(counts)
        if counts.dtype != np.int16 or counts.ndim != 3 or not len(counts):
            raise ModelError(
                f"Windows are int16 counts of shape (n, window, channels), got {counts.dtype} of shape {counts.shape}.",
                "Make them with dataset.windows(...).counts.",
            )
        pipeline = self.pipeline
        if pipeline is not None:
            shape = (pipeline.window, len(pipeline.front_end.channels))
            if counts.shape[1:] != shape:
                raise ModelError(
                    f"The board's pipeline takes windows of {shape[0]} samples of {shape[1]} channels, "
                    f"got {counts.shape[1]} of {counts.shape[2]}.",
                    f"Cut them so: dataset.windows({shape[0]}, channels={pipeline.front_end.channels}).",
                )
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
        probabilities = (self.answers(counts[None] if one else counts).astype(np.float32) + 128) / 256
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
        from ..engine import answers
        from ..models import Report, test_windows

        pipeline = self.pipeline
        if pipeline is None:
            name = "no_plan" if self.active is None else "no_pipeline"
            raise DeviceError(name, "The board has no pipeline to evaluate.", "Deploy one: board.deploy(pipeline).")
        windows = test_windows(pipeline, dataset)
        own = self.answers(windows.counts, progress)
        extra = {}
        if pipeline.int8_model:
            extra["agreement"] = agreement(own, answers(pipeline, windows.counts)).as_dict()
        return Report.of(windows, own, f"{pipeline.name} on {self.info.board}", **extra)

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
        now = self._ask_decision()
        if threshold is None and smoothing is None and suppression_s is None:
            return now
        self._decision = Decision(
            now.smoothing if smoothing is None else int(smoothing),
            now.threshold if threshold is None else float(threshold),
            now.suppression_s if suppression_s is None else float(suppression_s),
        )
        return self._ask_decision(self._decision)

    # -- listening -----------------------------------------------------------------------------

    def on(self, kind: str, callback) -> None:
        """Call ``callback(payload)`` for every event of a kind: samples, prediction, log, fault.

        It runs on the reader thread, so it must be quick and must not ask the board; pulling with
        ``Stream.read_new`` and ``Live.read_new`` is the better way where it will do.
        """
        if kind not in _KINDS.values():
            raise ValueError(f"There is no event {kind!r}; there are {', '.join(_KINDS.values())}.")
        self._listeners.setdefault(kind, []).append(callback)

    def off(self, kind: str, callback) -> None:
        """Undo ``on``."""
        if callback in self._listeners.get(kind, []):
            self._listeners[kind].remove(callback)

    # -- inside --------------------------------------------------------------------------------

    def _on_event(self, frame) -> None:
        if frame.type == m.LOG:
            self.log.add("log", frame.payload.decode("utf-8", "replace"))
        elif frame.type == m.FAULT:
            status, text = m.parse_fault(frame.payload)
            self.log.add("fault", f"{text} (status {status})")
        for callback in list(self._listeners.get(_KINDS[frame.type], ())):
            callback(_PARSE[frame.type](frame.payload))

    def _on_first_prediction(self, at: float) -> None:
        done = self.last_deployment
        if done is not None and done.first_prediction_s is None:
            done.first_prediction_s = at - done.began

    def _restore(self, rebooted: bool, away: float) -> None:
        self._slots = self.slots
        if rebooted and self._decision is not None:
            self._ask_decision(self._decision)
        for sensor in self._sensors.values():
            sensor._restore(rebooted, away)
        self._feed._restore(rebooted, away)

    def _ask_decision(self, new: Decision | None = None) -> Decision:
        payload = b""
        if new is not None:
            if not 0 <= new.threshold <= 1 or not 1 <= new.smoothing <= 16 or not 0 <= new.suppression_s <= 65.5:
                raise ModelError(
                    f"The decision rule takes threshold 0 to 1, smoothing 1 to 16 and suppression 0 to 65.5 s, "
                    f"got {new.threshold}, {new.smoothing}, {new.suppression_s}.",
                    "Give values in these ranges.",
                )
            payload = struct.pack("<HBBH", round(new.threshold * 65535), new.smoothing, 0, round(new.suppression_s * 1000))
        threshold, smoothing, _, suppression = struct.unpack("<HBBH", self._link.request(m.DECISION, payload))
        return Decision(smoothing, threshold / 65535, suppression / 1000)

    def _input_size(self) -> int | None:
        """Values in an input of the network on the board; None: unknown, or there is none."""
        if self.active is None:
            return None
        pipeline = self.pipeline
        if pipeline is not None:
            return pipeline.window * len(pipeline.front_end.features)
        return self._input_bytes.get(self.active.crc)

    def _live_labels(self) -> tuple[str, ...]:
        pipeline = self.pipeline
        return pipeline.labels if pipeline is not None else ()

    def _read_section(self) -> Pipeline | None:
        from ..features import unpack_section

        section = b""
        try:
            while piece := self._link.request(m.SECTION_READ, struct.pack("<IH", len(section), 512)):
                section += piece
        except DeviceError as error:
            if error.name not in ("no_pipeline", "no_plan"):
                raise
            return None
        return unpack_section(section)

    def _memory(self) -> Path | None:
        if not self.info.id:
            return None
        from ..toolchain import cache_dir

        name = "".join(c if c.isalnum() else "-" for c in self.info.id)
        return cache_dir() / "boards" / name

    def close(self) -> None:
        """Stop what runs on the board and let go of the port; safe to call twice."""
        if self._link.up and not self._link.closed:
            self._feed._close()
            for sensor in self._sensors.values():
                sensor._close()
        self._link.close()

    def __enter__(self) -> "Board":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def __repr__(self) -> str:
        runs = f"runs {self.active.name} (slot {self.active.letter})" if self.active else "no pipeline"
        state = "" if self.connected else ", away"
        return f"<Board {self.info.board} on {self.port}: firmware {self.info.firmware}, {runs}{state}>"

    def _repr_html_(self) -> str:
        from .. import look

        imu = "; ".join(f"{s.name}: {s.part}, {s.rate_hz:g} Hz" for s in self.info.sensors) or "none"
        rows = []
        for slot in self._slots:
            entry = self._versions.entry(slot.crc) or {}
            version = f"v{entry['version']}" if entry else ""
            what = "active" if slot.active else slot.state
            size = look.kilobytes(slot.length) if slot.length else ""
            rows.append([slot.letter, what, slot.name, version, size])
        facts = {
            "Port": look.mono(self.port),
            "Firmware": self.info.firmware,
            "Sensors": imu,
            "Arena": look.kilobytes(self.info.arena),
            "Slot": look.kilobytes(self.info.slot_bytes),
        }
        body = look.facts(facts) + look.table(rows, ["Slot", "State", "Pipeline", "Version", "Size"])
        state = ("ok", "connected") if self.connected else ("warn", "away")
        kind = look.tag("virtual board") if self.is_virtual else ""
        return look.card(self.info.board, kind, body, state=state)


_KINDS = {m.SAMPLES: "samples", m.PREDICTION: "prediction", m.LOG: "log", m.FAULT: "fault"}
_PARSE = {
    m.SAMPLES: m.parse_samples,
    m.PREDICTION: m.parse_prediction,
    m.LOG: lambda payload: payload.decode("utf-8", "replace"),
    m.FAULT: m.parse_fault,
}
