"""A sensor of a board, and the streams that read it."""

from __future__ import annotations

import struct
import threading
from contextlib import contextmanager

from ..errors import BoardError, DeviceError
from . import messages as m
from .account import Account, SoundAccount
from .log import EventLog
from .samples import Ring, SoundRing

NOUNS = {"imu": "imu sensor", "mic": "microphone", "environment": "environment sensor"}  # as a sentence says it


class Sensor:
    """One sensor of a board: starts when its first stream opens, stops when the last one closes.

    Parameters
    ----------
    link : Link
    number : int
        As in the messages (0: IMU, 1: microphone, 2: environment sensors).
    name, rate_hz, channels
        As the board's INFO states them.
    log : EventLog
        Losses while the board was away are written here.
    """

    settling = False  # whether the board throws away what it measures, because it has just been started
    _settles_s = 0.0
    _event, _parse = m.SAMPLES, staticmethod(m.parse_samples)

    def __init__(self, link, number: int, name: str, rate_hz: float, channels: tuple[str, ...], log: EventLog):
        self.link, self.number, self.name = link, number, name
        self.rate_hz, self.channels, self.log = rate_hz, channels, log
        self._streams: list = []
        self._lock = threading.RLock()  # guards the list; never held while a frame is taken
        self._running: Account | None = None
        self._tell_gap = False
        self._dead = False
        link.on(self._event, self._on_frame)
        link.on(m.FAULT, self._on_fault)

    @property
    def patience_s(self) -> float:
        """How much longer than other silence its own may last: the time to settle anew, twice."""
        return 0.0 if self._dead else 2 * self._settles_s

    @property
    def samples_a_frame(self) -> int:
        """What the board is asked for: about 30 frames a second, smooth to look at, little overhead."""
        return max(1, min(30, round(self.rate_hz / 30)))

    def ring(self, capacity: int) -> Ring:
        """A ring for its samples."""
        return Ring(capacity, self.channels)

    def account(self) -> Account:
        """An account of its frames."""
        return Account()

    def _attach(self, stream) -> None:
        with self._lock:
            self._streams = [*self._streams, stream]
            if len(self._streams) > 1:
                return
            self._running = self.account()
            try:
                self._start()
            except BaseException:
                self._streams = []
                raise

    def _start(self) -> None:
        self.link.request(m.STREAM_START, struct.pack("<BBHI", self.number, self.samples_a_frame, 0, 0))

    def _detach(self, stream) -> None:
        with self._lock:
            if stream not in self._streams:
                return
            if len(self._streams) == 1:
                self._stop(stream)
            self._streams = [other for other in self._streams if other is not stream]

    def _stop(self, stream) -> None:
        try:
            payload = self.link.request(m.STREAM_STOP, struct.pack("<B", self.number), tries=3)
        except BoardError as error:
            self.log.add("error", f"The {self.name} stream was not stopped on the board: {error}")
            return
        sent, overruns = struct.unpack_from("<II", payload)
        with stream._ring.changed:
            account, whole = stream._account, self._running
            # Frames lost before the first or after the last one that came leave no gap of the
            # index; the board's own count shows them. Only a stream that saw the whole run can tell.
            if whole is not None and not whole.interruptions and account.received == whole.received:
                missing = sent + overruns - account.received
                if missing > account.lost:
                    account.lost = missing

    def _on_frame(self, frame) -> None:
        samples = self._parse(frame.payload)
        if samples is None or samples.sensor != self.number or samples.counts.shape[1] != len(self.channels):
            return
        self._dead = False
        whole = self._running
        if whole is not None:
            before = whole.lost
            whole.accept(samples)
            if self._tell_gap:
                self._tell_gap = False
                lost = whole.lost - before
                self.log.add("lost", f"{lost} samples of {self.name} were lost while the board was away.")
        for stream in self._streams:
            stream._take(samples)

    def _on_fault(self, frame) -> None:
        if m.dead_sensor(frame.payload) == self.name:
            self._dead = True
            for stream in self._streams:
                stream._tell()

    @contextmanager
    def paused(self):
        """For what needs its memory on the board: the stream stops meanwhile, what it misses counts as lost."""
        with self._lock:
            running = bool(self._streams)
            if running:
                self.link.request(m.STREAM_STOP, struct.pack("<B", self.number))
                self.log.add("lost", f"The stream of the {NOUNS[self.name]} paused while the board did something else.")
            try:
                yield
            finally:
                if running:
                    self._start()

    def _restore(self, rebooted: bool, away: float) -> None:
        """Start again after a reconnection, and say what was lost."""
        with self._lock:
            if not self._streams:
                return
            away += self._settles_s if rebooted else 0.0  # what it throws away once more
            estimated = round(away * self.rate_hz)
            whole = [self._running] if self._running is not None else []
            for account in [*whole, *(stream._account for stream in self._streams)]:
                account.interruptions += 1
                if rebooted:
                    account.restart(estimated, away)
            if rebooted:
                self.log.add("lost", f"About {estimated} samples of {self.name} (estimated from {away:.1f} s away).")
            else:
                self._tell_gap = True
            self._start()

    def _explain_silence(self, stream) -> None:
        if stream.closed:
            raise BoardError("The stream was closed.", f"Open a new one: board.stream({self.name!r}).")
        if self._dead:
            raise DeviceError(
                "sensor_dead",
                f"The {NOUNS[self.name]} has stopped giving samples.",
                "Press the board's reset button; if it stays dead, use another board or the virtual one.",
            )
        self.link._wait_until_up(0)  # raises BoardGone when the board is away
        raise BoardError(
            f"No samples of the {NOUNS[self.name]} arrive, although the board answers.",
            "Press the board's reset button and connect again.",
        )

    def _close(self, stop: bool) -> None:
        """End all; ``stop``: ask the board too."""
        for stream in list(self._streams):
            stream.close() if stop else stream._end()
        self.link.off(self._event, self._on_frame)
        self.link.off(m.FAULT, self._on_fault)


class Microphone(Sensor):
    """The microphone. What it gives in its first seconds is no sound yet, and the board throws it away."""

    _settles_s = 3.5  # tk_hal.h, mic_settle_ms
    _event, _parse = m.AUDIO, staticmethod(m.parse_audio)
    _was_settling = _heard = False

    @property
    def samples_a_frame(self) -> int:
        """As many as fit: 67 frames a second."""
        return m.AUDIO_SAMPLES

    @property
    def settling(self) -> bool:
        """Whether it was started a moment ago, and has given nothing yet."""
        return self._was_settling and not self._heard and not self._dead

    def ring(self, capacity: int) -> Ring:
        """A ring for its samples."""
        return SoundRing(capacity, self.channels, self.rate_hz)

    def account(self) -> Account:
        """An account of its frames."""
        return SoundAccount(self.rate_hz)

    def _start(self) -> None:
        self._heard = False
        super()._start()
        self._was_settling = m.parse_info(self.link.request(m.INFO)).get("mic") == "settling"

    def _on_frame(self, frame) -> None:
        self._heard = True
        super()._on_frame(frame)


KINDS = {"imu": (m.IMU, Sensor), "mic": (m.MIC, Microphone), "environment": (m.ENVIRONMENT, Sensor)}


def sensors_of(info, link, log: EventLog, known=()) -> dict[str, Sensor]:
    """The sensors that a board's INFO names, but the known ones; those of a later firmware are left out."""
    return {
        s.name: KINDS[s.name][1](link, KINDS[s.name][0], s.name, s.rate_hz, s.channels, log)
        for s in info.sensors
        if s.name in KINDS and s.name not in known
    }
