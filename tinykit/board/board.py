"""A board: what a notebook holds in its hand, real or virtual."""

from __future__ import annotations

from contextlib import contextmanager

from ..data import units
from ..errors import BoardError, DeviceError, FirmwareNeeded
from ..pipeline import Pipeline
from . import messages as m
from .deploy import Deployment
from .inference import Inference
from .info import BoardInfo, card
from .link import Link
from .live import Feed
from .log import EventLog
from .port import FLASH, open_port
from .sensor import sensors_of
from .shelf import Shelf
from .stream import Stream
from .text import PlainText, hand_over


class Board(Inference):
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
        except BaseException as error:
            self._link.close()
            if isinstance(error, DeviceError) and error.name == "unknown_request":  # what every tinykit asks for
                raise FirmwareNeeded(url, error.what, FLASH, answers=True) from None
            raise
        self.log.add("connected", f"{self.info.board} on {url}, firmware {self.info.firmware}")

    # -- what it is ----------------------------------------------------------------------------

    @property
    def port(self) -> str:
        """Its port at present; it may change when the board is plugged in again."""
        return self._link.url

    @property
    def serial_number(self) -> str | None:
        """Of its USB device: it stays when the port changes; None where there is none."""
        return self._link.serial_number

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
        """What a virtual board's hand does and its ear hears; may be set while it runs.

        A source (``tinykit.board.virtual``), or recordings, a dataset, a scene: those are played in a loop.
        """
        return getattr(self.machine, "source", None)

    @source.setter
    def source(self, source) -> None:
        if self.machine is None:
            raise BoardError("A real board's signals come from its sensor.", "Use tk.connect('virtual').")
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

    @property
    def microphone(self) -> str:
        """``"off"``, ``"settling"`` (the first 3.5 s after its start) or ``"on"``, asked now; empty: it has none."""
        return m.parse_info(self._link.request(m.INFO)).get("mic", "")

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

    def read(self, sensor: str = "environment") -> dict[str, float]:
        """Measure once, now.

        Parameters
        ----------
        sensor : str
            ``"environment"`` or ``"imu"``.

        Returns
        -------
        dict
            Channel to value: temperature in °C, humidity in %, pressure in hPa; red, green, blue and clear light in
            counts (0 to 4100), proximity from 0 (touched) to 255; acceleration in g, angular rate in deg/s.

        Raises
        ------
        BoardError
            The board has no such sensor, or it gives nothing; of sound one sample would say nothing.
        """
        if sensor == "mic":
            raise BoardError("One sample of sound says nothing.", 'Open a stream: board.stream("mic").')
        with self.stream(sensor) as stream:
            block = stream.read(1)
        values = block.counts[0] / units.counts_per_unit(block.channels)
        return dict(zip(block.channels, values.tolist(), strict=True))

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

        if sensor == "environment":
            raise BoardError(
                "Takes are recorded of the IMU and the microphone, not of the environment sensors.",
                'Read them: board.read("environment"), or board.stream("environment", seconds=60).',
            )
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

    # -- other programs ------------------------------------------------------------------------

    def text(self, sensor: str = "imu") -> PlainText:
        """Let go of the port and leave the board printing readings, one a line, for another program.

        For the Arduino Serial Plotter, Edge Impulse's data forwarder, a serial monitor: lines of
        numbers with commas, nothing else. This board is closed then; ``tk.connect()`` brings it back.

        Parameters
        ----------
        sensor : str
            As ``info.sensors`` names it. Of ``"mic"`` the loudness: RMS and peak of each 10 ms.

        Returns
        -------
        PlainText
            The port, and what a line holds; a cell shows what to do.

        Raises
        ------
        BoardError
            No such sensor; or a virtual board, which ends with its port.
        """
        if getattr(self.machine, "made_by_url", False):
            raise BoardError(
                f"{self.port} lives inside this program: no other can open it.",
                "Run `tinykit serve --text` in a terminal, and open the port that it names.",
            )
        port, left = hand_over(self, sensor)
        port.close()
        return left

    # -- listening -----------------------------------------------------------------------------

    def on(self, kind: str, callback) -> None:
        """Call ``callback(payload)`` for every event of a kind: samples, audio, prediction, log, fault.

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

    def _restore(self, rebooted: bool, away: float) -> None:
        if rebooted:  # perhaps with another firmware
            info = BoardInfo.parse(self._link.request(m.INFO))
            self._sensors |= sensors_of(info, self._link, self.log, known=self._sensors)
            self.info = self._shelf.info = info
        self._shelf.restore(rebooted)
        for sensor in self._sensors.values():
            sensor._restore(rebooted, away)
        self._feed._restore(rebooted, away)

    @contextmanager
    def lend(self):
        """Leave the port to another program, such as the Arduino IDE, while this is open; then connect again.

        Streams, live predictions and widgets go on afterwards, as they do when the cable was pulled.

        Raises
        ------
        BoardError
            It is the virtual board inside this program.
        """
        if self.machine is not None:
            raise BoardError(
                "No other program can open the virtual board of this one.",
                "Run `tinykit serve` in a terminal: that one has a port for others.",
            )
        with self._link.lend():
            yield

    def close(self) -> None:
        """Stop what runs on the board and let go of the port; safe to call twice."""
        self._stop()
        self._link.close()

    def _stop(self) -> None:
        stop = self._link.up and not self._link.closed
        self._feed._close(stop)
        for sensor in self._sensors.values():
            sensor._close(stop)

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
