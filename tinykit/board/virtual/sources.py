"""Signal sources for the hand: what the virtual board's IMU feels; for the ear, see ``sound``.

Such a source has ``duration`` (seconds, None: endless), ``read(times_s) -> int16 (n, 6)`` in the
sensor's counts (aX aY aZ gX gY gZ) at rising times from its own beginning, and
``label_at(time_s)``: what is being done then, or None.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import lru_cache

import numpy as np

from ...data import imu, synthetic, units
from ...errors import DataError

_CHANNELS = units.CHANNELS


class Still:
    """A board that lies on the table: gravity on one axis, the sensor's noise.

    Parameters
    ----------
    seed : int
    noise_g, noise_dps : float
        Standard deviations; the defaults are what an LSM9DS1 shows.
    """

    duration = None

    def __init__(self, seed: int = 0, noise_g: float = imu.NOISE_G, noise_dps: float = imu.NOISE_DPS):
        self._seed = seed
        self._noise = np.array([noise_g] * 3 + [noise_dps] * 3)

    def read(self, times_s) -> np.ndarray:
        times_s = np.asarray(times_s, np.float64)
        # The same moment has the same noise, in whatever blocks it is asked for.
        samples = _normal(self._seed, np.rint(times_s * 1e6).astype(np.uint64)) * self._noise
        samples[:, 2] += 1.0
        return units.to_counts(samples, _CHANNELS)

    def label_at(self, time_s: float):
        return "rest"

    def __repr__(self):
        return "Still()"


class Replay:
    """Recordings, one after the other, as the sensor would have felt them, or heard them.

    Of recordings of sound it is a ``sound.SoundReplay``. Of the IMU's, values between two rows are
    interpolated, so any rate will do; channels that were not recorded are 0. Counts saturate at the
    LSM9DS1's +-4 g and +-2000 degrees per second.

    Parameters
    ----------
    recordings : Recording, Dataset, or sequence of Recording
    loop : bool
        Begin again at the end. Else the last row stays, and a free-running board stands still.
    gap_s : float
        From the last row of one to the first of the next, evenly.
    row_by_row : bool
        Take each row for one sample of the sensor, whatever rate was recorded: exact, for tests.

    Raises
    ------
    DataError
        There is nothing to play.
    """

    def __new__(cls, recordings=(), *_, **__):
        if cls is Replay and _is_sound(recordings):
            from .sound import SoundReplay as cls
        return super().__new__(cls)

    def __init__(self, recordings, loop: bool = False, gap_s: float = 0.25, row_by_row: bool = False):
        recordings = [recordings] if hasattr(recordings, "samples") else list(recordings)
        if not recordings:
            raise DataError("There is no recording to replay.", "Choose a dataset with recordings in it.")
        times, rows, self._spans = [], [], []
        start = 0.0
        for recording in recordings:
            rate = units.RATE_HZ if row_by_row else recording.rate_hz
            at = start + np.arange(len(recording.samples)) / rate
            full = np.zeros((len(at), 6))
            for i, channel in enumerate(recording.channels):
                full[:, _CHANNELS.index(channel)] = recording.samples[:, i]
            times.append(at)
            rows.append(full)
            self._spans.append((start, at[-1] + 1 / rate, recording))  # a row lasts until the next
            start = at[-1] + (1 / rate if row_by_row else max(gap_s, 1 / rate))
        self.loop = loop
        self._period = start
        self._times = np.concatenate(times + ([[start]] if loop else []))
        self._rows = np.concatenate(rows + ([rows[0][:1]] if loop else []))
        self.duration = None if loop else float(self._times[-1])

    def read(self, times_s) -> np.ndarray:
        times_s = np.asarray(times_s, np.float64)
        if self.loop:
            times_s = times_s % self._period
        # A time that means a row must give that row, not its neighbour's last bit.
        samples = np.column_stack([np.interp(times_s, self._times, column) for column in self._rows.T])
        return units.to_counts(np.round(samples, 7), _CHANNELS)

    def label_at(self, time_s: float):
        if self.loop:
            time_s = time_s % self._period
        for start, end, recording in self._spans:
            if start <= time_s < end:
                if recording.row_labels is not None:
                    row = int((time_s - start) / (end - start) * len(recording.samples) + 1e-6)
                    return str(recording.row_labels[min(row, len(recording.samples) - 1)])
                return recording.label
        return None

    def __repr__(self):
        return f"Replay({len(self._spans)} recordings, {self._period:.1f} s{', loop' if self.loop else ''})"


class Generator:
    """Made-up movements of a made-up person, without end: synthetic.

    Parameters
    ----------
    labels : sequence of str
        What is done in turn: ``synthetic.LABELS`` or keys of ``motion.OTHER``.
    person, session : str
        Who, and in which sitting. The default session is in no sample dataset.
    pause_s : float
        Rest between two movements.
    first : int
        Number of the first take: another number, other takes.

    Raises
    ------
    DataError
        There is no such movement.
    """

    duration = None

    def __init__(self, labels=synthetic.LABELS, person: str = "ada", session: str = "live",
                 pause_s: float = 1.0, first: int = 0):  # fmt: skip
        self.labels = (labels,) if isinstance(labels, str) else tuple(labels)
        self.person, self.session, self.pause_s, self.first = person, session, pause_s, first
        # The schedule is the board's; offsets, noise and misalignment are the person's sensor's.
        self._sensor = replace(synthetic.sensor(person, session), rate_hz=units.RATE_HZ, jitter=0.0)
        self._take = lru_cache(maxsize=8)(self._make)
        self._rows = len(self._take(0))
        self._turn = self._rows + max(1, round(pause_s * units.RATE_HZ))

    def read(self, times_s) -> np.ndarray:
        at = np.asarray(times_s, np.float64) * units.RATE_HZ
        counts = np.empty((len(at), 6), np.int16)
        turns = np.floor(at / self._turn + 1e-9).astype(int)
        for turn in np.unique(turns):
            here = turns == turn
            rows = self._with_pause(int(turn))
            grid = np.arange(len(rows))
            local = np.round(at[here] - turn * self._turn, 6)
            values = np.column_stack([np.interp(local, grid, column) for column in rows.T])
            counts[here] = np.round(values)
        return counts

    def label_at(self, time_s: float):
        turn, row = divmod(time_s * units.RATE_HZ, self._turn)
        return self.labels[int(turn) % len(self.labels)] if row < self._rows else "rest"

    def _with_pause(self, turn: int) -> np.ndarray:
        """One take and the rest after it, up to and with the first row of the next."""
        take, after = self._take(turn), self._take(turn + 1)
        rest = self._turn - self._rows
        share = (np.arange(1, rest + 1) / (rest + 1))[:, None]
        random = _random("pause", self.person, self.session, turn + self.first)
        spread = [self._sensor.noise_g] * 3 + [self._sensor.noise_dps] * 3
        noise = random.randn(rest, 6) * (units.counts_per_unit(_CHANNELS) * spread)
        between = take[-8:].mean(axis=0) * (1 - share) + after[:8].mean(axis=0) * share + noise
        return np.vstack([take, between, after[:1]]).clip(-32768, 32767)

    def _make(self, turn: int) -> np.ndarray:
        label, number = self.labels[turn % len(self.labels)], self.first + turn
        path = synthetic.trajectory(label, self.person, self.session, number)
        return imu.measure(path, self._sensor, _random(label, self.person, self.session, number))[0]

    def __repr__(self):
        return f"Generator({', '.join(self.labels)}; {self.person})"


def _is_sound(recordings) -> bool:
    if isinstance(recordings, np.ndarray) or hasattr(recordings, "events"):
        return True
    first = recordings if hasattr(recordings, "samples") else next(iter(recordings), None)
    return first is not None and tuple(first.channels) == units.SOUND


def _random(*names) -> np.random.RandomState:
    digest = hashlib.sha256("/".join(map(str, ("virtual", *names))).encode()).digest()
    return np.random.RandomState(np.frombuffer(digest, "<u4"))


def _normal(seed: int, moments: np.ndarray) -> np.ndarray:
    """Six normal numbers for each moment: float64 (n, 6).

    Mixed as SplitMix64 does (Steele, Lea and Flood, 2014), and made normal as Box and Muller do.
    """
    with np.errstate(over="ignore"):
        x = (moments[:, None] * np.uint64(6) + np.arange(6, dtype=np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        x += np.uint64(seed % 2**32) * np.uint64(0xD1B54A32D192ED03)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
        x ^= x >> np.uint64(31)
    radius, turn = (x >> np.uint64(32)) + np.uint64(1), x & np.uint64(0xFFFFFFFF)
    return np.sqrt(-2 * np.log(radius / 2.0**32)) * np.cos(2 * np.pi / 2.0**32 * turn)
