"""A board of a few lines for the widgets: what they touch of ``tinykit.board.Board``, in real time.

The real board's behaviour is tested elsewhere; this one can be told to lose samples, to go away, to
refuse a take or a deployment, at a moment that a test chooses.
"""

import threading
import time
from types import SimpleNamespace

import numpy as np

from tinykit.board import messages as m
from tinykit.board.account import StreamStats
from tinykit.board.decision import changed
from tinykit.board.live import Prediction
from tinykit.board.log import EventLog
from tinykit.board.recorder import Take
from tinykit.board.sensor import Microphone
from tinykit.board.stream import Ring, Stream
from tinykit.data import Recording
from tinykit.errors import BoardGone, DeviceError, TakeRefused
from tinykit.pipeline import Decision

CHANNELS = ("aX", "aY", "aZ", "gX", "gY", "gZ")
RATE = 119.0


def hand(t):
    """Counts of a hand that draws a circle every three seconds; t in seconds, shape (n,)."""
    t = np.asarray(t, float)
    u = t % 3.0
    e = np.where(u < 1.2, np.sin(np.pi * np.clip(u / 1.2, 0, 1)), 0.0)
    noise = np.random.default_rng(7).normal(size=(len(t), 6)) * [0.01, 0.01, 0.01, 1.5, 1.5, 1.5]
    a = np.stack([e * np.cos(6 * u), e * np.sin(6 * u), 1 + 0.3 * e * np.sin(12 * u)], 1)
    g = np.stack([90 * e * np.sin(6 * u), -110 * e * np.cos(6 * u), 200 * e * np.cos(3 * u)], 1)
    values = np.concatenate([a, g], 1) + noise
    return np.clip(np.rint(values * np.array([8192.0] * 3 + [16.384] * 3)), -32768, 32767).astype(np.int16)


class FakeStream:
    stats = StreamStats()

    def __init__(self, board):
        self.channels, self.rate_hz, self.closed = CHANNELS, RATE, False
        self._ring = Ring(int(RATE * 120), CHANNELS)
        self._board = board

    @property
    def written(self):
        return self._ring.written

    def read_new(self, cursor=0, limit=None):
        return self._ring.read_new(cursor, limit)

    def time_of(self, device_time_s):
        return device_time_s + self._board.began_anew_s

    def close(self):
        self.closed = True
        if self in self._board.streams:
            self._board.streams.remove(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class FakeLive:
    def __init__(self, board):
        self.labels, self.closed, self.lost = board.labels, False, 0
        self._kept, self._board = [], board

    def read_new(self, cursor=0):
        kept = self._kept
        return kept[cursor:], len(kept)

    def close(self):
        self.closed = True
        if self in self._board.lives:
            self._board.lives.remove(self)


class FakeBoard:
    """Samples at 119 Hz and a prediction every 30 samples, on a daemon thread."""

    def __init__(self, virtual=True, labels=("circle", "wing", "punch", "flex", "rest")):
        self.info = SimpleNamespace(board="Nano 33 BLE Sense", id="fake", slot_bytes=0x50000, arena=131072)
        self.port, self.is_virtual, self.connected = "virtual://nano33ble" if virtual else "/dev/ttyACM0", virtual, True
        self.device_name, self.log = "fake", EventLog()
        self.labels, self.streams, self.lives = tuple(labels), [], []
        self.pipeline = SimpleNamespace(
            name="gestures", labels=self.labels, window=119, hop=30, rate_hz=RATE, fingerprint="91e4c70d0a1b"
        )
        self.rule = Decision()
        self.index, self.skip, self.refuse, self.break_deploy = 0, 0, None, None
        self.slots = [
            SimpleNamespace(
                index=0,
                letter="A",
                state="good",
                active=True,
                activation=7,
                length=9728,
                crc=0x3F9C21AB,
                name="gestures",
            ),
            SimpleNamespace(index=1, letter="B", state="empty", active=False, activation=0, length=0, crc=0, name=""),
        ]
        self.versions = [
            {
                "version": 7,
                "crc": 0x3F9C21AB,
                "name": "gestures",
                "fingerprint": "3f9c21ab0000",
                "deployed_at": "2026-11-20T14:02:00+0000",
                "slot": "A",
                "active": True,
            }
        ]
        self._numbers = 0
        self.began_anew_s = 0.0  # when it last began anew, on the clock of its first life
        self.switches_late = False
        self.page_s = 0.03  # what a part of a deployment takes
        self._ended, self._lock = threading.Event(), threading.Lock()
        threading.Thread(target=self._run, daemon=True).start()

    @property
    def active(self):
        return next((s for s in self.slots if s.active), None)

    def unplug(self):
        self.connected = False
        self.log.add("gone", "unplugged")

    def replug(self, anew=False):
        with self._lock:  # not in the middle of a message
            if anew:  # its clock and its answers begin at 0
                self.began_anew_s, self._numbers = (self.index - 1) / RATE, 0
            self.connected = True
        self.log.add("reconnected", "back")

    def close(self):
        self._ended.set()

    def stream(self, sensor="imu", seconds=None, capacity_s=120.0):
        if not self.connected:
            raise BoardGone("The board on fake is gone.", "Plug it in again.")
        stream = FakeStream(self)
        self.streams = [*self.streams, stream]
        return stream

    def live(self, seconds=None):
        live = FakeLive(self)
        self.lives = [*self.lives, live]
        return live

    def decision(self, threshold=None, smoothing=None, suppression_s=None, thresholds=None):
        if not self.connected:
            raise BoardGone("The board on fake is gone.", "Plug it in again.")
        self.rule = changed(self.rule, self.labels, threshold, smoothing, suppression_s, thresholds)
        return self.rule

    def record(self, label, seconds=2.0, person="", session="", dataset=None, sensor="imu", progress=None):
        start = self.index
        n = round(seconds * RATE)
        while self.index < start + n:
            time.sleep(0.02)
        recording = Recording(
            hand(np.arange(start, start + n) / RATE) / np.float32([8192] * 3 + [16.384] * 3),
            label=label,
            person=person,
            session=session,
            recorded_at="2026-11-20T14:02:00+0000",
        )
        if self.refuse:
            error = TakeRefused(self.refuse, "Record it again.")
            error.recording = recording
            raise error
        return dataset.add(recording) if dataset is not None else recording

    def deploy(self, pipeline, progress=True):
        total = 9840
        for done in range(0, total + 1, 480):
            time.sleep(self.page_s)
            if callable(progress):
                progress(done, total)
            if not self.connected:
                if self.switches_late and done > total - 480:
                    break  # it has taken in all, and nobody hears that
                raise BoardGone("The board on fake is gone.", "Plug it in again.")
            if self.break_deploy and done > total / 2:
                raise DeviceError(
                    "bad_crc", self.break_deploy, "send again. If it fails a second time, use another USB cable."
                )
        a, b = self.slots
        new, old = (b, a) if a.active else (a, b)
        new.state, new.active, new.length, new.crc, new.name = "good", True, total, 0x91E4C70D, pipeline.name
        old.active = False
        if not self.connected:
            raise BoardGone("The board on fake is gone.", "Plug it in again.")
        self.versions = [v | {"active": False} for v in self.versions] + [
            {
                "version": 8,
                "crc": new.crc,
                "name": pipeline.name,
                "fingerprint": pipeline.fingerprint,
                "deployed_at": "2026-11-20T14:20:00+0000",
                "slot": new.letter,
                "active": True,
            }
        ]
        return SimpleNamespace(
            version=8,
            slot=new.letter,
            seconds=0.8,
            plan_bytes=total,
            arena_bytes=6656,
            name=pipeline.name,
            fingerprint=pipeline.fingerprint,
            first_prediction_s=None,
            repeated=0,
        )

    def rollback(self):
        for slot in self.slots:
            slot.active = not slot.active
        for v in self.versions:
            v["active"] = not v["active"]
        return self.active

    def _run(self):
        began, sent, history = time.monotonic(), 0, []
        while not self._ended.wait(1 / 30):
            due = int((time.monotonic() - began) * RATE)
            with self._lock:
                self._send(due - sent, history)
            sent = due

    def _send(self, n, history):
        """The next n samples, and the answers that are due with them."""
        if self.skip:
            self.index += self.skip
            self.skip = 0
        if n <= 0 or not self.connected:
            return
        index = np.arange(self.index, self.index + n)
        self.index += n
        for stream in self.streams:
            stream._ring.write(index, np.rint(index * 1e6 / RATE).astype(np.int64), hand(index / RATE))
        for i in index[index % 30 == 0]:
            history.append(self._scores(i / RATE))
            smoothed = np.mean(history[-self.rule.smoothing :], axis=0)
            best = int(smoothed.argmax())
            label = self.labels[best] if smoothed[best] >= self.rule.threshold else None
            names = self.labels
            p = Prediction(
                self._numbers,
                time.time(),
                i / RATE - self.began_anew_s,
                7.2,
                460800,
                label,
                False,
                dict(zip(names, history[-1].tolist(), strict=True)),
                dict(zip(names, smoothed.tolist(), strict=True)),
                (),
            )
            self._numbers += 1
            for live in self.lives:
                live._kept.append(p)

    def _scores(self, t):
        s = np.full(len(self.labels), 0.02)
        turn = int(t / 3) % (len(self.labels) - 1)
        s[turn if t % 3 < 1.4 else -1] = 0.9
        if turn == 2 and t % 3 < 1.4:
            s[turn] = 0.5
            s[turn - 1] = 0.4
        return s / s.sum()


WORDS = ("silence", "unknown", "left", "go")
HZ = 16000


def speech(index):
    """int16 of somebody who says two words in turn, every second and a half; index: sample numbers, shape (n,)."""
    t = np.asarray(index) / HZ
    u = t % 1.5
    loud = np.where(u < 0.4, np.sin(np.pi * np.clip(u / 0.4, 0, 1)), 0.0)
    tone = np.where((t // 1.5) % 2 == 0, 320.0, 740.0)
    noise = (np.asarray(index) * 2654435761 % 65536 / 32768 - 1) * 20
    return np.rint(9000 * loud * np.sin(2 * np.pi * tone * t) + noise).astype(np.int16)


class EarBoard(FakeBoard):
    """The same with a microphone: 16 kHz in frames of 240, an answer every 100 ms, each word announced once."""

    def __init__(self, settles_s=0.0):
        self.settling_until = time.monotonic() + settles_s
        self._base, self._anew = 0, False  # the sample at which its clock last began
        super().__init__(labels=WORDS)
        self.pipeline = SimpleNamespace(
            name="words", labels=WORDS, window=HZ, hop=1600, rate_hz=float(HZ), fingerprint="ab12", sensor="mic"
        )
        self.rule = Decision(2, 0.6, 0.5)
        self.source = None

    def stream(self, sensor="imu", seconds=None, capacity_s=120.0):
        if sensor == "imu":
            return super().stream(sensor, seconds, capacity_s)
        stream = Stream(self.ear, seconds, capacity_s)
        self.streams = [*self.streams, stream]
        return stream

    def record(self, label, seconds=1.0, person="", session="", dataset=None, sensor="imu", progress=None):
        if sensor == "imu":
            return super().record(label, seconds, person, session, dataset)
        take = Take(self, seconds, "mic").recording(label, person, session)
        return dataset.add(take) if dataset is not None else take

    def _run(self):
        self.ear = FakeEar(self)
        began = time.monotonic()
        while not self._ended.wait(1 / 60):
            due = int((time.monotonic() - began) * HZ)
            while self.index + 240 <= due:
                if self.skip:
                    self.index += self.skip
                    self.skip = 0
                first, self.index = self.index, self.index + 240
                if not self.connected or time.monotonic() < self.settling_until:
                    continue
                if self._anew:
                    self._begin_anew(first)
                own = first - self._base
                frame = m.AudioFrame(
                    m.MIC, 0, own, round(own * 1e6 / HZ) & 0xFFFFFFFF, speech(np.arange(first, self.index))[:, None]
                )
                self.ear._on_frame(SimpleNamespace(payload=frame))
                if first // 1600 != self.index // 1600:
                    self._answer(self.index // 1600 * 1600 - 1)

    def replug(self, anew=False):
        self._anew = anew
        super().replug()

    def _begin_anew(self, first):
        self._anew, self._base, self._numbers = False, first, 0
        self.began_anew_s = first / HZ
        for account in [self.ear._running, *(stream._account for stream in self.ear._streams)]:
            lost = first - account._next
            account.restart(lost, lost / HZ)

    def _answer(self, last):
        u, word = last / HZ % 1.5, 2 + int(last / HZ // 1.5) % 2
        sure = 0.9 if 0.4 <= u < 0.8 else 0.05
        p = dict.fromkeys(WORDS, 0.02) | {WORDS[word]: sure, "silence": 0.94 - sure}
        best = max(p, key=p.get)
        label = best if p[best] >= self.rule.threshold_of(WORDS.index(best)) else None
        announced = label == WORDS[word] and u < 0.51
        made = Prediction(
            self._numbers, time.time(), last / HZ - self.began_anew_s, 9.0, 500000, label, announced, p, p, (),
            index=last - self._base,
        )  # fmt: skip
        self._numbers += 1
        for live in self.lives:
            live._kept.append(made)


class FakeEar(Microphone):
    """The board's microphone without a link: frames are given to it."""

    _parse = staticmethod(lambda frame: frame)

    def __init__(self, board):
        nobody = SimpleNamespace(up=True, on=lambda *_: None, off=lambda *_: None)
        super().__init__(nobody, m.MIC, "mic", float(HZ), ("audio",), board.log)
        self.board = board

    @property
    def settling(self):
        return time.monotonic() < self.board.settling_until

    def _start(self):
        pass

    def _stop(self, stream):
        self.board.streams = [s for s in self.board.streams if s is not stream]
