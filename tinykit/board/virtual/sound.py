"""Signal sources for the ear: what the virtual board's microphone hears.

Such a source has ``duration`` (seconds, None: endless), ``sound(first, count) -> int16 (count,)`` at
16 kHz from its own sample ``first`` (zeros before its beginning and after its end), asked in rising
order, and ``label_at(time_s)``. A source may also have what ``sources`` describes for the hand.
"""

from __future__ import annotations

import bisect
import threading
from functools import lru_cache

import numpy as np

from ...data import audio, units
from ...data.recording import Recording
from ...errors import DataError
from .sources import Replay

RATE_HZ = int(units.SOUND_RATE_HZ)
_BLOCK = 4096


class SoundReplay(Replay):
    """Recordings of sound, one after the other. ``Replay`` of recordings of sound makes one.

    Sound at 16 kHz is heard exactly; any other rate is resampled.

    Parameters
    ----------
    recordings : Recording, Dataset, sequence of Recording, array of int16 or float, or Scene
        An array is sound at 16 kHz, shape (n,) or (n, 1). A scene is a recording with events
        (``start_s``, ``end_s``, ``label``), which then are the labels.
    loop : bool
        Begin again at the end. Else silence follows, and a free-running board stands still.
    gap_s : float
        Silence from one recording to the next, and before the first again.

    Raises
    ------
    DataError
        There is nothing to play.
    """

    read = None  # the board itself lies still

    def __init__(self, recordings, loop: bool = False, gap_s: float = 0.25):
        self._events = list(getattr(recordings, "events", ()))
        recordings = getattr(recordings, "recording", recordings)
        if isinstance(recordings, np.ndarray):
            recordings = audio.sound(recordings)
        recordings = [recordings] if hasattr(recordings, "samples") else list(recordings)
        if not recordings:
            raise DataError("There is no recording to replay.", "Choose a dataset with recordings in it.")
        self._recordings, self._starts, self._ends = recordings, [], []
        start, gap = 0, round(gap_s * RATE_HZ)
        for recording in recordings:
            if recording.channels != units.SOUND:
                raise DataError(
                    f"Recording {recording.id or '(no name)'} is no sound: its channels are "
                    f"{', '.join(recording.channels)}.",
                    "Replay sound and movements apart, or at once with Together(...).",
                )
            self._starts.append(start)
            self._ends.append(start + _length(recording))
            start = self._ends[-1] + gap
        self.loop = loop
        self._period = start
        self.duration = None if loop else self._ends[-1] / RATE_HZ
        # Long sets stay in their files: a few recordings are in memory at a time.
        self._counts = lru_cache(maxsize=4)(self._load)

    def sound(self, first: int, count: int) -> np.ndarray:
        out = np.zeros(count, np.int16)
        done = max(0, -first)
        while done < count:
            at = first + done
            turn = 0
            if self.loop:
                turn, at = divmod(at, self._period)
            i = bisect.bisect_right(self._ends, at)
            if i == len(self._ends):  # behind the last one
                if not self.loop:
                    break
                done += self._period - at
                continue
            done += max(0, self._starts[i] - at)
            at = max(at, self._starts[i])
            n = min(count - done, self._ends[i] - at)
            if n > 0:
                begin = at - self._starts[i]
                out[done : done + n] = self._counts(i)[begin : begin + n]
                done += n
        return out

    def label_at(self, time_s: float):
        if self.loop:
            time_s = time_s % (self._period / RATE_HZ)
        if self._events:
            return next((e.label for e in self._events if e.start_s <= time_s < e.end_s), None)
        i = bisect.bisect_right(self._starts, time_s * RATE_HZ + 1e-6) - 1
        return self._recordings[i].label if i >= 0 and time_s * RATE_HZ < self._ends[i] else None

    def _load(self, i: int) -> np.ndarray:
        recording = self._recordings[i]
        counts = np.asarray(recording.counts(), np.int16).reshape(-1)
        if recording.rate_hz != RATE_HZ:
            counts = audio.fit(audio.at_rate(counts, recording.rate_hz), _length(recording), "pad")
        return counts

    def __repr__(self):
        seconds = self._period / RATE_HZ
        return f"SoundReplay({len(self._recordings)} recordings, {seconds:.1f} s{', loop' if self.loop else ''})"


def _length(recording) -> int:
    return len(recording) if recording.rate_hz == RATE_HZ else round(len(recording) * RATE_HZ / recording.rate_hz)


class Noise:
    """White noise without end.

    Parameters
    ----------
    level_db : float
        RMS, in decibels of full scale.
    seed : int
        The same moment has the same noise.
    """

    read = None
    duration = None

    def __init__(self, level_db: float = -50.0, seed: int = 0):
        self.level_db, self.seed = level_db, seed
        self._block = lru_cache(maxsize=4)(self._make)

    def sound(self, first: int, count: int) -> np.ndarray:
        numbers = range(first // _BLOCK, (first + count - 1) // _BLOCK + 1)
        blocks = np.concatenate([self._block(n) for n in numbers] or [np.empty(0, np.int16)])
        return blocks[first % _BLOCK :][:count]

    def label_at(self, time_s: float):
        return "silence"

    def _make(self, number: int) -> np.ndarray:
        random = np.random.default_rng([self.seed, number % 2**32])
        values = random.standard_normal(_BLOCK) * 10 ** (self.level_db / 20) * units.COUNTS_FULL_SCALE
        return np.clip(np.rint(values), -32768, 32767).astype(np.int16)

    def __repr__(self):
        return f"Noise({self.level_db:g} dB)"


class PushSource:
    """Sound that somebody feeds while it is heard: a browser's microphone.

    When nothing is there the board hears silence, and goes on hearing it until ``lead_s`` of sound
    has come together, so that a late piece makes one hole and not many.

    Parameters
    ----------
    lead_s : float
        Sound that is kept ahead; heard so much later.
    most_s : float
        Sound that may wait. What comes beyond makes the oldest go, down to ``lead_s``.

    Attributes
    ----------
    starved : int
        Samples of silence that were heard because nothing was there, after the first feed.
    dropped : int
        Samples that were fed and never heard.
    """

    read = None
    duration = None

    def __init__(self, lead_s: float = 0.1, most_s: float = 1.0):
        self.lead, self.most = round(lead_s * RATE_HZ), max(round(most_s * RATE_HZ), 1)
        self.starved = self.dropped = 0
        self._lock = threading.Lock()
        self._ring: list[np.ndarray] = []
        self._waiting = 0
        self._begun = self._flowing = False
        self._next: int | None = None
        self._stream, self._stream_hz = None, 0.0

    def feed(self, samples, rate_hz: float = RATE_HZ) -> None:
        """Give the next piece; from any thread.

        Parameters
        ----------
        samples : array of shape (n,)
            int16 counts, or floats of full scale.
        rate_hz : float
            Another rate than 16 kHz is resampled, across the pieces.
        """
        x = np.asarray(samples).reshape(-1)
        if x.dtype != np.int16:
            x = units.to_counts(x[:, None], units.SOUND)[:, 0]
        with self._lock:
            if rate_hz != RATE_HZ:
                x = self._resampled(x, rate_hz)
            if len(x):
                self._begun = True
                self._ring.append(np.array(x, np.int16))
                self._waiting += len(x)
                if self._waiting > self.most:
                    self.dropped += len(self._take(self._waiting - min(self.lead, self.most)))

    @property
    def waiting_s(self) -> float:
        """Sound that was fed and not heard yet, in seconds."""
        return self._waiting / RATE_HZ

    def sound(self, first: int, count: int) -> np.ndarray:
        out = np.zeros(count, np.int16)
        with self._lock:
            if self._next is not None and first > self._next and self._flowing:  # nobody listened
                self.dropped += len(self._take(first - self._next))
            self._next = first + count
            if self._waiting >= max(self.lead, 1):
                self._flowing = True
            if self._flowing:
                heard = self._take(count)
                out[: len(heard)] = heard
                self._flowing = len(heard) == count
                count -= len(heard)
            else:
                heard = ()
            if self._begun and not self._flowing:
                self.starved += count
        return out

    def label_at(self, time_s: float):
        return None

    def _take(self, count: int) -> np.ndarray:
        """The oldest samples, at most so many."""
        taken = []
        while count > 0 and self._ring:
            piece = self._ring[0]
            taken.append(piece[:count])
            if len(piece) > count:
                self._ring[0] = piece[count:]
            else:
                self._ring.pop(0)
            count -= len(taken[-1])
        self._waiting -= sum(map(len, taken))
        return np.concatenate(taken) if taken else np.empty(0, np.int16)

    def _resampled(self, x: np.ndarray, rate_hz: float) -> np.ndarray:
        import soxr

        if rate_hz != self._stream_hz:
            self._stream, self._stream_hz = soxr.ResampleStream(rate_hz, RATE_HZ, 1, dtype="int16"), rate_hz
        return self._stream.resample_chunk(x)

    def __repr__(self):
        return f"PushSource({self.waiting_s:.2f} s wait)"


class Together:
    """One source for the hand and one for the ear.

    Parameters
    ----------
    motion, sound : signal source
        The label is the sound's, or where it has none the movement's. The duration is the shorter.
    """

    def __init__(self, motion, sound):
        self.parts = motion, sound
        self.read, self.sound = motion.read, sound.sound
        if hasattr(motion, "block"):
            self.block = motion.block
        self.duration = min((s.duration for s in self.parts if s.duration is not None), default=None)

    def label_at(self, time_s: float):
        motion, sound = self.parts
        return sound.label_at(time_s) or motion.label_at(time_s)

    def __repr__(self):
        return f"Together({self.parts[0]!r}, {self.parts[1]!r})"


def as_source(thing):
    """A signal source from a source, recordings, a dataset of them, a scene, or an array of sound.

    What is not a source yet is played in a loop.

    Raises
    ------
    DataError
        It is none of these.
    """
    if callable(getattr(thing, "read", None)) or callable(getattr(thing, "sound", None)):
        return thing
    scene = hasattr(thing, "events") and isinstance(getattr(thing, "recording", None), Recording)
    if scene or isinstance(thing, np.ndarray):
        return SoundReplay(thing, loop=True)
    recordings = getattr(thing, "recordings", thing)
    if isinstance(recordings, Recording) or isinstance(recordings, (list, tuple)):
        return Replay(recordings, loop=True)
    raise DataError(
        f"{type(thing).__name__} is no signal source.",
        "Give recordings, a dataset, a scene, an array of sound at 16 kHz, or a source of tinykit.board.virtual.",
    )
