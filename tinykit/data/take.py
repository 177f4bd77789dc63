"""Is this take good enough to keep? What is measured of every take, and why one is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..errors import TakeRefused
from . import units
from .loudness import loudness

# Labels of which stillness, or silence, is the point.
REST = {
    "rest",
    "resting",
    "idle",
    "still",
    "nothing",
    "none",
    "background",
    "seated",
    "sitting",
    "standing",
    "lying",
    "silence",
    "noise",
}


@dataclass(frozen=True)
class Limits:
    """What a take must keep to.

    Parameters
    ----------
    rate : float
        Largest relative error of the true rate.
    jitter : float
        Largest standard deviation of the sample interval, as a share of the interval.
    lost : float
        Largest share of samples that the sensor took and that did not arrive.
    clipped : float
        Largest share of rows in which a channel is at the end of its range; half of it is
        already worth a warning.
    still_g, still_dps : float
        A take that moves less than both (standard deviation, all axes together) is too still.
    shortest_s : float
        Shortest take in seconds, where no length was asked for.
    length : float
        Smallest share of the length that was asked for.
    quiet_db : float
        Sound whose loudest tenth of a second is below it is too quiet; 10 dB above, it is
        already worth a warning.
    above_db : float
        Sound that rises less above its own quietest parts holds no word.
    edge_db : float
        A word is cut off if the first or last frame is not so far below its loudest part.
    clipped_sound : float
        Largest share of clipped samples; a tenth of it is already worth a warning.
    """

    rate: float = 0.05
    jitter: float = 0.25
    lost: float = 0.01
    clipped: float = 0.25
    still_g: float = 0.02
    still_dps: float = 3.0
    shortest_s: float = 0.2
    length: float = 0.95
    quiet_db: float = -54.0
    above_db: float = 6.0
    edge_db: float = 12.0
    clipped_sound: float = 0.02


LIMITS = Limits()


class Problem(NamedTuple):
    """One thing that is wrong: ``kind`` in two words, ``text`` with the numbers, ``next`` what to do."""

    kind: str
    text: str
    next: str


@dataclass(frozen=True)
class Quality:
    """What was measured of a take.

    Parameters
    ----------
    seconds : float
        From the first to the last sample, plus one interval.
    rate_hz : float
        True rate, from device timestamps where there are any, else as told.
    jitter_ms : float
        Standard deviation of the time from one sample to the next; 0 without timestamps.
    lost : int
        Samples that the sensor took and that did not arrive.
    clipped : float
        Share of rows in which a channel is at the end of its range.
    motion_g, motion_dps : float
        Standard deviation, all axes together; NaN where there are no such axes.
    problems : list of Problem
        Reasons to refuse it.
    warnings : list of Problem
        Worth knowing, not worth refusing.
    level_db, peak : float
        Of sound: level of the loudest tenth of a second in dB of full scale, largest sample of
        full scale; else NaN.
    """

    seconds: float
    rate_hz: float
    jitter_ms: float
    lost: int
    clipped: float
    motion_g: float
    motion_dps: float
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    level_db: float = float("nan")
    peak: float = float("nan")

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against keeping it."""
        return not self.problems

    @property
    def verdict(self) -> str:
        """ "good", or the kind of the first problem or warning."""
        return (self.problems + self.warnings or [Problem("good", "", "")])[0].kind

    def require(self) -> Quality:
        """Itself, if it is good enough.

        Raises
        ------
        TakeRefused
            With the reasons.
        """
        if self.problems:
            raise TakeRefused(
                "The take was not kept: " + "; ".join(p.text for p in self.problems) + ".",
                " ".join(dict.fromkeys(p.next for p in self.problems)),
            )
        return self

    def to_dict(self) -> dict:
        """As kept with the recording: plain numbers and the kinds of warnings."""
        numbers = {
            "rate_hz": self.rate_hz,
            "jitter_ms": self.jitter_ms,
            "lost": self.lost,
            "clipped": self.clipped,
            "motion_g": self.motion_g,
            "motion_dps": self.motion_dps,
            "level_db": self.level_db,
            "peak": self.peak,
        }
        kept = {name: round(float(value), 4) for name, value in numbers.items() if np.isfinite(value)}
        kept["lost"] = int(self.lost)
        return {**kept, "verdict": self.verdict}


def take_quality(
    samples,
    channels=units.CHANNELS,
    rate_hz: float = units.RATE_HZ,
    *,
    timestamps_ms=None,
    index=None,
    seconds: float | None = None,
    label: str | None = None,
    limits: Limits = LIMITS,
) -> Quality:
    """Measure a take and judge it.

    Parameters
    ----------
    samples : array of shape (n, c)
        In g and deg/s; sound in full scale, or as int16 counts.
    channels : sequence of str
    rate_hz : float
        The rate that it should have.
    timestamps_ms : array of shape (n,), optional
        The device's time of every sample.
    index : int array of shape (n,), optional
        The sensor's running number of every sample; a gap is a loss.
    seconds : float, optional
        Length that was asked for.
    label : str, optional
        A label out of ``REST`` may be still, and need not hold a word.
    limits : Limits

    Returns
    -------
    Quality
        ``.ok``, ``.problems``; ``.require()`` raises ``TakeRefused``.
    """
    sound = tuple(channels) == units.SOUND
    x = np.asarray(samples) if sound else np.asarray(samples, np.float64)
    n = len(x)
    problems: list[Problem] = []
    warnings: list[Problem] = []
    steps = np.diff(np.asarray(index, np.int64)) if index is not None and n > 1 else np.ones(max(n - 1, 0), int)
    lost = int(np.maximum(steps - 1, 0).sum())
    true_rate, jitter_ms = float(rate_hz), 0.0
    if timestamps_ms is not None and n > 1:
        times = np.diff(np.asarray(timestamps_ms, np.float64))
        if index is None:
            usual = float(np.median(times))
            lost = int(np.maximum(np.rint(times / usual) - 1, 0).sum()) if usual > 0 else 0
            steps = np.maximum(np.rint(times / usual), 1) if usual > 0 else steps
        span = float(times.sum())
        true_rate = float(steps.sum() * 1000.0 / span) if span > 0 else 0.0
        jitter_ms = float(np.std(times / steps))
    length = (steps.sum() + 1) / true_rate if true_rate and n else 0.0

    if not n or length < limits.shortest_s or (seconds and length < limits.length * seconds):
        asked = f"{seconds:.2f} s asked for" if seconds else f"at least {limits.shortest_s:g} s needed"
        problems.append(Problem("too short", f"it is {length:.2f} s long, {asked}", "Record it again."))
    if n and not np.isfinite(x).all():
        row = int(np.flatnonzero(~np.isfinite(x).all(axis=1))[0])
        problems.append(Problem("not a number", f"row {row} has a value that is not a number", "Record it again."))
        x = np.nan_to_num(x)
    if abs(true_rate / rate_hz - 1) > limits.rate:
        problems.append(
            Problem(
                "wrong rate",
                f"its true rate is {true_rate:.1f} Hz, expected {rate_hz:g} Hz",
                "Close programs that keep the computer busy, or check the sensor's setting.",
            )
        )
    if jitter_ms * rate_hz / 1000 > limits.jitter:
        problems.append(
            Problem(
                "uneven",
                f"its samples come unevenly (jitter {jitter_ms:.1f} ms of {1000 / rate_hz:.1f} ms)",
                "Record it again; check the sensor's setting.",
            )
        )
    if lost:
        what = Problem(
            "samples lost",
            f"{lost} of {n + lost} samples were lost",
            "Check the cable, close other programs that use the port, and record it again.",
        )
        (problems if lost > limits.lost * (n + lost) else warnings).append(what)
    if sound:
        heard = _listen(x, rate_hz, label, limits, problems, warnings)
        measured = (float(length), true_rate, jitter_ms, lost, heard.clipped, np.nan, np.nan)
        return Quality(*measured, problems, warnings, heard.level_db, heard.peak)
    motion_g, motion_dps = motion(x, channels)
    clipped = clipped_share(x, channels) if n else 0.0
    if clipped > limits.clipped / 2:
        what = Problem(
            "clipped",
            f"{clipped:.0%} of its rows are at the end of the sensor's range "
            f"({units.RANGE_G:g} g, {units.RANGE_DPS:g} deg/s)",
            "Move less hard.",
        )
        (problems if clipped > limits.clipped else warnings).append(what)
    still = not (motion_g > limits.still_g or motion_dps > limits.still_dps)
    if n and still and (label or "").lower() not in REST:
        moved = f"{motion_g:.3f} g" if np.isfinite(motion_g) else f"{motion_dps:.1f} deg/s"
        problems.append(
            Problem(
                "too still",
                f"nothing moves in it (standard deviation {moved})",
                "Begin to move after the count; check that it is this board that you move.",
            )
        )
    dead = dead_channels(x, channels)
    if dead:
        problems.append(Problem("dead axis", f"{', '.join(dead)} never changes", "Check the sensor; reset the board."))
    return Quality(float(length), true_rate, jitter_ms, lost, float(clipped), motion_g, motion_dps, problems, warnings)


def _listen(samples, rate_hz: float, label: str | None, limits: Limits, problems: list, warnings: list):
    """Judge sound by its loudness; returns that."""
    counts = samples if samples.dtype == np.int16 else units.to_counts(samples.reshape(-1, 1), units.SOUND)
    heard = loudness(counts, rate_hz)
    if heard.clipped > limits.clipped_sound / 10:
        what = Problem(
            "clipped", f"{heard.clipped:.1%} of its samples are clipped", "Speak less loud, or further away."
        )
        (problems if heard.clipped > limits.clipped_sound else warnings).append(what)
    if not len(counts) or (label or "").lower() in REST:
        return heard
    if counts.max() == counts.min():
        problems.append(Problem("silent", "nothing is heard in it: all samples are equal", "Check the microphone."))
    elif heard.level_db < limits.quiet_db + 10:
        what = Problem(
            "too quiet",
            f"its loudest part has {heard.level_db:.0f} dB of full scale, expected {limits.quiet_db + 10:g} dB or more",
            "Speak louder, or nearer to the microphone.",
        )
        (problems if heard.level_db < limits.quiet_db else warnings).append(what)
    elif heard.above_db < limits.above_db:
        problems.append(
            Problem(
                "no word",
                f"nothing stands out of its noise: the loudest part is {heard.above_db:.0f} dB above the quietest",
                "Speak after the count, in a quieter place.",
            )
        )
    elif heard.edge_db < limits.edge_db and heard.above_db > limits.edge_db + 3:
        problems.append(
            Problem(
                "cut off",
                f"its first or last moment is only {max(heard.edge_db, 0):.0f} dB below its loudest: the word is cut",
                "Speak in the middle of the time.",
            )
        )
    return heard


def motion(samples, channels) -> tuple[float, float]:
    """Standard deviation of acceleration (g) and angular rate (deg/s), axes added as squares.

    NaN where there are no such channels.
    """
    x = np.asarray(samples, np.float64)

    def spread(names):
        columns = [i for i, c in enumerate(channels) if c in names]
        return float(np.sqrt(x[:, columns].var(axis=0).sum())) if columns and len(x) else float("nan")

    return spread(units.ACCELERATION), spread(units.ANGULAR_RATE)


def clipped_share(samples, channels) -> float:
    """Share of rows in which a channel reaches the end of the LSM9DS1's range (within 2 counts)."""
    x = np.abs(np.asarray(samples, np.float64) * units.counts_per_unit(channels))
    return float((x >= 32765.5).any(axis=1).mean()) if len(x) else 0.0


def dead_channels(samples, channels, shortest: int = 10) -> list[str]:
    """Channels that have one and the same value in all rows (of at least ``shortest``)."""
    x = np.asarray(samples)
    return [c for i, c in enumerate(channels) if len(x) >= shortest and (x[:, i] == x[0, i]).all()]
