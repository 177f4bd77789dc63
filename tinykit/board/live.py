"""Live predictions: the board's answers as it gives them."""

from __future__ import annotations

import struct
import threading
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass

from ..data.take import REST
from ..engine import detection
from ..errors import BoardError, DeviceError
from ..features import probabilities_of
from . import messages as m
from .sensor import NOUNS

_SILENCE_S = 10.0  # after so long without a prediction, say why
_SETTLING_S = 20.0  # and for a microphone to settle: 3.5 s by the board's clock
BACKGROUND = frozenset({*detection.BACKGROUND, *REST, "negative", "noise"})  # labels that are no event


@dataclass(frozen=True)
class Prediction:
    """One answer of the board about one window.

    Parameters
    ----------
    number : int
        Running number; a gap means lost predictions.
    time : float
        The computer's clock when it arrived, seconds since 1970.
    device_time_s : float
        The board's clock at the window's last sample.
    latency_ms : float
        From the window's last sample to the answer, on the board's clock (measured there).
    cycles : int
        Processor cycles of the run; 0 where unknown, estimated on the virtual board.
    label : str or None
        The decision after smoothing and threshold; None: unsure.
    announced : bool
        Whether the decision is news (not suppressed).
    probabilities : dict of str to float
        The network's own answer for this window.
    smoothed : dict of str to float
        After the decision rule's smoothing.
    raw : tuple of int
        The network's int8 outputs.
    index : int
        The sensor's number of the window's last sample (of sound: of the last frame's).
    """

    number: int
    time: float
    device_time_s: float
    latency_ms: float
    cycles: int
    label: str | None
    announced: bool
    probabilities: dict
    smoothed: dict
    raw: tuple
    index: int = 0

    @property
    def detected(self) -> bool:
        """Whether a word or gesture is announced now: background such as silence, unknown or rest never is."""
        return self.announced and self.label is not None and self.label.lower() not in BACKGROUND

    @property
    def best(self) -> str:
        """The label with the highest smoothed probability, sure or not."""
        return max(self.smoothed, key=self.smoothed.get)

    @property
    def probability(self) -> float:
        """Smoothed probability of ``best``."""
        return self.smoothed[self.best]

    def as_dict(self) -> dict:
        """For JSON."""
        return {**self.__dict__, "raw": list(self.raw)}

    def __str__(self) -> str:
        clock = time.strftime("%H:%M:%S", time.localtime(self.time)) + f".{int(self.time * 1000) % 1000:03d}"
        mark = "*" if self.announced else " "
        return f"{clock} {mark} {self.label or 'unsure':12} {self.probability:6.1%}  {self.latency_ms:.1f} ms"


class Live:
    """Predictions from the moment it was opened; made by ``board.live``.

    A context manager, and an iterator that waits for each next prediction.

    Parameters
    ----------
    feed : Feed
    seconds : float, optional
        Iterating ends after so many seconds (of the computer's clock).
    size : int
        How many predictions are kept for ``read_new``.
    """

    def __init__(self, feed: Feed, seconds: float | None = None, size: int = 5000):
        self._feed, self.seconds = feed, seconds
        self._kept = deque(maxlen=size)
        self._changed = threading.Condition()
        self._written = self._cursor = 0
        self._lost = 0
        self._next: int | None = None
        self._closed = False
        feed._attach(self)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the pipeline that answers."""
        return self._feed.labels()

    @property
    def received(self) -> int:
        """Predictions that arrived."""
        return self._written

    @property
    def lost(self) -> int:
        """Hops without an answer here: lost on the way, or skipped by a board that is too slow for its hop."""
        return self._lost

    @property
    def settling(self) -> bool:
        """Whether it waits for a microphone that was started a moment ago; no reason for a time-out."""
        return self._feed.settling

    @property
    def closed(self) -> bool:
        """Whether it has ended."""
        return self._closed

    def read_new(self, cursor: int = 0) -> tuple[list[Prediction], int]:
        """Predictions since ``cursor``, and the next cursor; at once, from any thread."""
        with self._changed:
            fresh = min(self._written - cursor, len(self._kept))
            return list(self._kept)[len(self._kept) - fresh :], self._written

    def next(self, timeout: float = 10.0) -> Prediction:
        """The next prediction.

        Raises
        ------
        BoardError
            None arrived within ``timeout`` seconds; says why when it is known.
        """
        more = _SETTLING_S if self.settling else 0.0
        prediction = self._await(time.monotonic() + timeout + more)
        if prediction is None:
            self._feed._explain_silence(self, timeout)
        return prediction

    def _await(self, deadline: float) -> Prediction | None:
        with self._changed:
            self._changed.wait_for(
                lambda: self._written > self._cursor or self._closed, max(0.0, deadline - time.monotonic())
            )
            if self._written <= self._cursor:
                return None
            # A reader that fell behind goes on with the oldest that is left.
            self._cursor = max(self._cursor, self._written - len(self._kept))
            prediction = self._kept[len(self._kept) - (self._written - self._cursor)]
            self._cursor += 1
            return prediction

    def __iter__(self):
        if self.settling:
            self._wait_until_settled()
        end = None if self.seconds is None else time.monotonic() + self.seconds
        while not self._closed:
            deadline = time.monotonic() + _SILENCE_S
            prediction = self._await(deadline if end is None else min(deadline, end))
            if prediction is not None:
                yield prediction
            elif end is not None and time.monotonic() >= end:
                return
            elif not self._closed:
                self._feed._explain_silence(self, _SILENCE_S)
            if end is not None and time.monotonic() >= end:
                return

    def _wait_until_settled(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self.settling or self._closed, _SETTLING_S)

    def close(self) -> None:
        """End; the board stops when the last one ends. What arrived stays readable."""
        if not self._closed:
            self._feed._detach(self)
            self._end()

    def _end(self) -> None:
        self._closed = True
        with self._changed:
            self._changed.notify_all()

    def _take(self, prediction: Prediction) -> None:
        with self._changed:
            if self._next is not None:
                self._lost += max(0, prediction.number - self._next)
            self._next = prediction.number + 1
            self._kept.append(prediction)
            self._written += 1
            self._changed.notify_all()

    def __enter__(self) -> Live:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "ended" if self._closed else "running"
        return f"<Live {state}: {self.received} predictions, {self.lost} lost>"


class Listening(Live):
    """What the board detects, from the moment it was opened; made by ``board.listen``.

    As ``Live``, but iterating and ``next`` give only those predictions that announce a word or a
    gesture. ``read_new`` gives all of them.
    """

    def next(self, timeout: float | None = None) -> Prediction:
        """The next detection.

        Raises
        ------
        BoardError
            None within ``timeout`` seconds (default: wait for ever), or no predictions at all.
        """
        if self.settling:
            self._wait_until_settled()
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _SILENCE_S if end is None else end - time.monotonic()
            if left <= 0:
                raise BoardError(
                    f"Nothing was detected in {timeout:g} s.",
                    "Come nearer to the microphone, or lower a threshold: board.decision(threshold=0.5).",
                )
            prediction = self._await(time.monotonic() + min(left, _SILENCE_S))
            if prediction is None and (left >= _SILENCE_S or self.closed):
                self._feed._explain_silence(self, _SILENCE_S)
            if prediction is not None and prediction.detected:
                return prediction

    def __iter__(self):
        return (prediction for prediction in super().__iter__() if prediction.detected)


class Feed:
    """The board's predictions: starts with the first ``Live``, stops after the last.

    Parameters
    ----------
    link : Link
    pipeline : callable
        ``() -> the active pipeline, or None``.
    on_first : callable
        Called once with the arrival time of the first prediction after each start.
    """

    def __init__(self, link, pipeline, on_first=lambda at: None):
        self.link, self.pipeline, self._on_first = link, pipeline, on_first
        self._lives: list[Live] = []
        self._lock = threading.RLock()
        self._first = False
        self._names: tuple[str, ...] = ()
        self._time_us = 0
        self.hop = self.rate_hz = None
        self._sensor = "imu"
        self._was_settling = False
        self._dead: set[str] = set()  # sensors, so far as the board has told
        link.on(m.PREDICTION, self._on_prediction)
        link.on(m.FAULT, self._on_fault)

    @property
    def running(self) -> bool:
        """Whether the board was asked to predict."""
        return bool(self._lives)

    @property
    def settling(self) -> bool:
        """Whether the microphone was started a moment ago, so that nothing can be predicted yet."""
        return self._was_settling and self._first

    def labels(self) -> tuple[str, ...]:
        """Of the active pipeline; none for a bare network."""
        return pipeline.labels if (pipeline := self.pipeline()) is not None else ()

    def start(self) -> None:
        """Ask the board to predict with the active pipeline, from its next number 0 on."""
        pipeline = self.pipeline()
        self._names = tuple(self.labels())
        self._sensor = "imu" if pipeline is None else pipeline.sensor
        self._first = True
        for live in self._lives:
            live._next = None
        hop, rate_mhz = struct.unpack("<II", self.link.request(m.LIVE_START))
        self.hop, self.rate_hz = hop, rate_mhz / 1000
        if self._sensor == "mic":
            self._was_settling = m.parse_info(self.link.request(m.INFO)).get("mic") == "settling"

    @contextmanager
    def paused(self):
        """For what needs the network's memory: live predictions stop meanwhile, and go on after."""
        with self._lock:
            running = self.running
            if running:
                self.link.request(m.LIVE_STOP)
            try:
                yield
            finally:
                if running:
                    self.start()

    def _attach(self, live: Live) -> None:
        with self._lock:
            self._lives = [*self._lives, live]
            if len(self._lives) == 1:
                try:
                    self.start()
                except BaseException:
                    self._lives = []
                    raise

    def _detach(self, live: Live) -> None:
        with self._lock:
            if live not in self._lives:
                return
            if len(self._lives) == 1:
                try:
                    self.link.request(m.LIVE_STOP, tries=3)
                except BoardError as error:
                    self.link.log.add("error", f"Live predictions were not stopped on the board: {error}")
            self._lives = [other for other in self._lives if other is not live]

    def _on_fault(self, frame) -> None:
        if sensor := m.dead_sensor(frame.payload):
            self._dead.add(sensor)

    def _on_prediction(self, frame) -> None:
        p = m.parse_prediction(frame.payload)
        if p is None:
            return
        self._dead.discard(self._sensor)
        now = time.time()
        if self._first:
            self._first = False
            self._on_first(time.monotonic())
        names = self._names if len(self._names) == len(p.raw) else tuple(f"label {i}" for i in range(len(p.raw)))
        self._time_us += (p.time_us - self._time_us + 0x80000000) % 0x100000000 - 0x80000000
        prediction = Prediction(
            number=p.number,
            time=now,
            device_time_s=self._time_us / 1e6,
            latency_ms=p.latency_us / 1000,
            cycles=p.cycles,
            label=names[p.decision] if 0 <= p.decision < len(names) else None,
            announced=p.announced,
            probabilities=dict(zip(names, probabilities_of(p.raw).tolist(), strict=True)),
            smoothed=dict(zip(names, (p.smoothed / 255).tolist(), strict=True)),
            raw=tuple(p.raw.tolist()),
            index=p.sample_index,
        )
        for live in self._lives:
            live._take(prediction)

    def _restore(self, rebooted: bool, away: float) -> None:
        with self._lock:
            if self._lives:
                self.link.log.add("lost", f"Live predictions of {away:.1f} s were lost.")
                self.start()

    def _explain_silence(self, live: Live, seconds: float) -> None:
        if live.closed:
            raise BoardError("The live predictions were stopped.", "Open them again: board.live().")
        self.link._wait_until_up(0)
        if self._sensor in self._dead:
            raise DeviceError(
                "sensor_dead",
                f"The {NOUNS[self._sensor]} has stopped giving samples, so there is nothing to predict from.",
                "Press the board's reset button; if it stays dead, use another board or the virtual one.",
            )
        raise BoardError(
            f"No prediction arrived in {seconds:g} s, although the board answers.",
            "Deploy the pipeline again, or press the board's reset button.",
        )

    def _close(self, stop: bool) -> None:
        """End all; ``stop``: ask the board too."""
        for live in list(self._lives):
            live.close() if stop else live._end()
        self.link.off(m.PREDICTION, self._on_prediction)
        self.link.off(m.FAULT, self._on_fault)
