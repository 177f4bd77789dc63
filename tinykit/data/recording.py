"""One recording: samples of the IMU or of a microphone, what they are called, and who made them."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from dataclasses import dataclass, field, replace

import numpy as np

from ..errors import DataError
from . import units


@dataclass(frozen=True, eq=False)
class Recording:
    """One take, or one long stream, of one person.

    Parameters
    ----------
    samples : float32 array of shape (n, c)
        Acceleration in g (gravity included), angular rate in deg/s; or sound, shape (n, 1), -1 to
        just below 1. Sound is kept as int16 counts, and may be given as such, or as something
        that reads it when asked (``len()`` and ``.pcm()``, as ``audio.Stored``).
    channels : tuple of str
        Names of the c columns, out of ``units.CHANNELS``; sound's is ``units.SOUND``.
    rate_hz : float
        True sampling rate.
    label : str or None
        What is in it; None where unknown or where ``row_labels`` says it.
    row_labels : array of str of shape (n,), or None
        A label for every row of a stream in which several things happen.
    person, session : str
        Who, and in which sitting; empty where unknown.
    id : str
        Unique in its dataset.
    device : str
        What recorded it.
    recorded_at : str
        ISO 8601, or empty.
    split : str
        ``"training"``, ``"validation"`` or ``"testing"`` where the source fixed it, else empty.
    quality : dict
        What ``take_quality`` measured; empty where nothing was measured.
    sha256 : str
        Of the file that it was read from; empty where there is none.
    timestamps_ms : float64 array of shape (n,), or None
        Time of every row from the first, in ms, where the source has it. Of sound it is not kept on
        disk: its samples come evenly, at ``rate_hz``.
    source : str
        File (and rows) that it was read from.
    word : str
        What was said, or what is heard, where the label says less (``"unknown"``, ``"silence"``).

    Raises
    ------
    DataError
        Samples and channels do not fit together, or there are no samples.
    """

    samples: np.ndarray
    channels: tuple[str, ...] = units.CHANNELS
    rate_hz: float = units.RATE_HZ
    label: str | None = None
    row_labels: np.ndarray | None = None
    person: str = ""
    session: str = ""
    id: str = ""
    device: str = ""
    recorded_at: str = ""
    split: str = ""
    quality: dict = field(default_factory=dict)
    sha256: str = ""
    timestamps_ms: np.ndarray | None = None
    source: str = ""
    word: str = ""

    def __post_init__(self):
        where = f"Recording {self.id}" if self.id else "A recording"
        object.__setattr__(self, "channels", tuple(self.channels))
        if self.is_sound and self.row_labels is not None:
            raise DataError(
                f"{where} is sound with a label for every sample.",
                "Keep what happens when in a Scene, as events: Scene(recording, events).",
            )
        if self.is_sound:
            object.__setattr__(self, "_pcm", _pcm(self.samples, where))
            # From here on ``samples`` is computed: counts take half the memory of floats.
            object.__delattr__(self, "samples")
        else:
            object.__setattr__(self, "samples", self._values(where))
        if len(self) == 0:
            raise DataError(f"{where} has no samples, expected at least one.", "Record it again.")
        if not (self.rate_hz > 0 and np.isfinite(self.rate_hz)):
            raise DataError(f"{where} has a rate of {self.rate_hz} Hz.", "State its rate in Hz.")
        object.__setattr__(self, "rate_hz", float(self.rate_hz))
        for name in ("row_labels", "timestamps_ms"):
            value = getattr(self, name)
            if value is not None:
                value = np.asarray(value, np.float64 if name == "timestamps_ms" else str)
                if value.shape != (len(self),):
                    raise DataError(
                        f"{where} has {len(self)} rows and {name} of shape {value.shape}.",
                        "Give one per row.",
                    )
                object.__setattr__(self, name, value)

    def _values(self, where: str) -> np.ndarray:
        samples = np.ascontiguousarray(self.samples, np.float32)
        if samples.ndim != 2 or samples.shape[0] == 0:
            raise DataError(
                f"{where} has samples of shape {samples.shape}, expected (rows, channels), at least one row.",
                "Record it again.",
            )
        if samples.shape[1] != len(self.channels):
            raise DataError(
                f"{where} has {samples.shape[1]} columns and {len(self.channels)} channels.",
                "Give one channel name per column.",
            )
        units.counts_per_unit(self.channels)  # refuses unknown names
        if samples is self.samples and samples.flags.writeable:
            samples = samples.copy()  # the caller's array stays the caller's
        samples.setflags(write=False)
        return samples

    def __getattr__(self, name):
        if name == "samples" and "_pcm" in self.__dict__:
            return units.to_units(self.counts(), self.channels)
        raise AttributeError(f"'Recording' object has no attribute {name!r}")

    def __len__(self) -> int:
        return len(self._pcm if self.is_sound else self.samples)

    @property
    def is_sound(self) -> bool:
        """Whether it is sound, not the IMU's."""
        return self.channels == units.SOUND

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self) / self.rate_hz

    @property
    def labels(self) -> tuple[str, ...]:
        """The label, or the different row labels in the order in which they first occur."""
        if self.row_labels is not None:
            return tuple(dict.fromkeys(str(x) for x in self.row_labels if x))
        return (self.label,) if self.label else ()

    @property
    def fingerprint(self) -> str:
        """SHA-256 (64 hex digits) of the samples, their channels and rate; not of the label."""
        if "_print" not in self.__dict__:
            head = f"{','.join(self.channels)};{self.rate_hz:.6g};{len(self)};".encode()
            values = self.counts().astype("<i2", copy=False) if self.is_sound else self.samples.astype("<f4")
            object.__setattr__(self, "_print", hashlib.sha256(head + values.tobytes()).hexdigest())
        return self._print

    def counts(self) -> np.ndarray:
        """The samples as the sensor would count them: int16 of shape (n, c)."""
        if self.is_sound:
            return self._pcm if isinstance(self._pcm, np.ndarray) else _pcm(self._pcm.pcm(), f"Recording {self.id}")
        return units.to_counts(self.samples, self.channels)

    def with_(self, **changes) -> Recording:
        """A copy with some fields changed."""
        same = not changes.keys() & {"samples", "channels", "rate_hz"}
        if self.is_sound:
            changes.setdefault("samples", self._pcm)
        made = replace(self, **changes)
        if same and "_print" in self.__dict__:
            object.__setattr__(made, "_print", self._print)  # samples may be on disk: not read twice
        return made

    def to_csv(self) -> bytes:
        """The file of this recording: ``timestamp`` in ms, the channels, perhaps ``label``.

        Values are written as the shortest decimals that give the same float32 again.
        """
        if self.timestamps_ms is None:
            times = [f"{t:.3f}" for t in np.arange(len(self)) * (1000.0 / self.rate_hz)]
        else:
            times = [f"{t:.3f}" for t in self.timestamps_ms]
        columns = [times, *self.samples.T.astype(str).tolist()]
        header = ["timestamp", *self.channels]
        if self.row_labels is not None:
            columns.append(self.row_labels.tolist())
            header.append("label")
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(zip(*columns, strict=True))
        return text.getvalue().encode()

    def __repr__(self) -> str:
        what = self.label or ("/".join(self.labels) if self.row_labels is not None else "no label")
        who = f", {self.person}" if self.person else ""
        return (
            f"<Recording {self.id or '-'}: {what}{who}, {len(self)} rows, {self.seconds:.2f} s at "
            f"{self.rate_hz:g} Hz, {','.join(self.channels)}>"
        )


def _pcm(samples, where: str):
    """Sound as int16 of shape (n, 1), not writeable; something that reads it later stays as it is."""
    if hasattr(samples, "pcm"):
        return samples
    given = np.asarray(samples)
    x = given[:, None] if given.ndim == 1 else given
    if x.ndim != 2 or x.shape[1] != 1:
        raise DataError(
            f"{where} has samples of shape {x.shape}, expected (samples, 1): one microphone.",
            "Mix the channels first, or take one of them.",
        )
    if x.dtype != np.int16:
        x = units.to_counts(x, units.SOUND)
    elif given.flags.writeable or x.base is not None and x.base.flags.writeable:
        x = x.copy()  # the caller's array stays the caller's
    x.setflags(write=False)
    return x


def safe_name(text: str) -> str:
    """A text as part of a file name on any system: letters, digits, ``-`` and ``_``."""
    name = re.sub(r"[^\w-]+", "-", text.strip()).strip("-")[:60] or "none"
    # Windows keeps some names for devices, whatever follows the dot.
    return f"{name}_" if re.fullmatch(r"(?i)con|prn|aux|nul|com\d|lpt\d", name) else name


def plural(n: int, noun: str) -> str:
    """A number and its noun: "1 take", "1,200 takes"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
