"""Sound: files of any rate in, one channel of int16 at 16 kHz inside, WAV out."""

from __future__ import annotations

import hashlib
import io
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import DataError
from . import units
from .recording import Recording

RATE_HZ = units.SOUND_RATE_HZ
SUFFIXES = {".wav", ".flac", ".ogg"}


@dataclass(frozen=True)
class Stored:
    """Sound that stays in its file until it is asked for, where a set is larger than memory.

    Parameters
    ----------
    path : Path
    frames : int
        Samples at 16 kHz.
    """

    path: Path
    frames: int

    def __len__(self) -> int:
        return self.frames

    def pcm(self) -> np.ndarray:
        """The samples: int16 of shape (n,).

        Raises
        ------
        DataError
            The file has gone, or changed its length.
        """
        counts = load(self.path).counts
        if len(counts) != self.frames:
            raise DataError(
                f"{self.path} has {len(counts)} samples; it had {self.frames} when it was opened.", "Open it again."
            )
        return counts


def sound(samples, rate_hz: float = RATE_HZ, **about) -> Recording:
    """A recording of sound from an array.

    Parameters
    ----------
    samples : array of shape (n,) or (n, 1)
        int16 counts, or floats of full scale (-1 to 1), rounded to counts.
    rate_hz : float
    **about
        Fields of ``Recording``: ``label``, ``person``, ...
    """
    return Recording(samples, units.SOUND, rate_hz, **about)


def read_audio(path, **about) -> Recording:
    """A sound file as a recording at 16 kHz.

    Several channels become their mean; another rate is resampled with soxr (very high quality).
    A mono 16-bit file at 16 kHz is taken as it is, sample by sample.

    Parameters
    ----------
    path : path
        WAV, FLAC or OGG.
    **about
        Fields of ``Recording``; by default ``id`` and ``source`` are the file's name.

    Raises
    ------
    DataError
        There is no such file, it is no sound file, or it is empty.
    """
    path = Path(path)
    loaded = load(path)
    return sound(loaded.counts, RATE_HZ, **{"id": path.stem, "source": path.name, "sha256": loaded.sha256, **about})


class Loaded(NamedTuple):
    """What was in a file: counts at 16 kHz, and its hash, rate and channels as found."""

    counts: np.ndarray
    sha256: str
    rate_hz: float
    channels: int


def load(path: Path) -> Loaded:
    """The sound of a file at 16 kHz; see ``read_audio``."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.", "Check the name.") from None
    return decode(data, path)


def decode(data: bytes, path, to_hz: float | None = RATE_HZ) -> Loaded:
    """The sound in the bytes of a file at a rate (None: its own); ``path`` is what an error calls it."""
    found = _plain(data)
    if found is None or found[1] != (to_hz or found[1]):
        found = _converted(data, path, to_hz)
    counts, rate, channels = found
    if not len(counts):
        raise DataError(f"{path} has no samples.", "Record it again.")
    counts.setflags(write=False)
    return Loaded(counts, hashlib.sha256(data).hexdigest(), float(rate), channels)


def _plain(data: bytes):
    """Counts, rate, 1 of a WAV of one channel of 16 bits; None if it is anything else.

    The common case, some ten times as fast as a general reader: sets have 100,000 such files.
    """
    layout = _layout(data, len(data))
    if layout is None:
        return None
    start, size, rate = layout
    return np.frombuffer(data, "<i2", size // 2, start), rate, 1


def _layout(head: bytes, length: int) -> tuple[int, int, int] | None:
    """Where a WAV's samples start, their bytes, and its rate; None unless one whole channel of 16 bits."""
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    at, rate = 12, 0
    while at + 8 <= len(head):
        name, size = struct.unpack_from("<4sI", head, at)
        if name == b"fmt " and at + 24 <= len(head):
            kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", head, at + 8)
            if (kind, channels, bits) != (1, 1, 16):
                return None
        elif name == b"data":
            return (at + 8, size, rate) if rate and at + 8 + size <= length else None
        at += 8 + size + size % 2
    return None


def _converted(data: bytes, path, to_hz: float | None):
    """Counts of any sound file at a rate, and its own rate and channels."""
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(data)) as opened:
            rate, channels = opened.samplerate, opened.channels
            plain = rate == (to_hz or rate) and channels == 1 and opened.subtype == "PCM_16"
            x = opened.read(dtype="int16" if plain else "float64", always_2d=True)
    except soundfile.SoundFileError as error:
        raise DataError(
            f"{path} is not a sound file that can be read ({str(error).splitlines()[0].split(': ', 1)[-1]}).",
            "Give WAV, FLAC or OGG; convert anything else first.",
        ) from None
    return (x[:, 0] if plain or not len(x) else at_rate(x.mean(axis=1), rate, to_hz or rate)), rate, channels


def stored(path: Path) -> Stored | None:
    """A file to be read later; None if it is no plain WAV at 16 kHz, and has to be converted."""
    try:
        with open(path, "rb") as file:
            layout = _layout(file.read(4096), os.fstat(file.fileno()).st_size)
    except OSError:
        return None
    return Stored(path, layout[1] // 2) if layout and layout[2] == RATE_HZ and layout[1] > 1 else None


def at_rate(samples, rate_hz: float, to_hz: float = RATE_HZ) -> np.ndarray:
    """Sound at another rate, as int16 of shape (m,).

    Parameters
    ----------
    samples : array of shape (n,)
        int16 counts, or floats of full scale.
    rate_hz, to_hz : float
    """
    x = np.asarray(samples)
    if rate_hz != to_hz:
        import soxr

        x = x / units.COUNTS_FULL_SCALE if x.dtype == np.int16 else x.astype(np.float64)
        x = soxr.resample(x, rate_hz, to_hz, "VHQ")
    return x if x.dtype == np.int16 else units.to_counts(x[:, None], units.SOUND)[:, 0]


def to_wav(recording: Recording, note: str = "") -> bytes:
    """A recording of sound as a WAV file, 16 bit, one channel; perhaps with a comment in it."""
    return _encoded(recording, "WAV", note)


def note_in(path) -> str:
    """The comment in a sound file; empty if there is none."""
    import soundfile

    with soundfile.SoundFile(path) as opened:
        return opened.comment


def to_flac(recording: Recording) -> bytes:
    """A recording of sound as a FLAC file, 16 bit, one channel: lossless, about half as large."""
    return _encoded(recording, "FLAC")


def _encoded(recording: Recording, kind: str, note: str = "") -> bytes:
    import soundfile

    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", round(recording.rate_hz), 1, "PCM_16", format=kind) as opened:
        if note:
            opened.comment = note
        opened.write(recording.counts())
    return file.getvalue()


def rms(samples) -> float:
    """Root mean square, of full scale; 0 for nothing.

    Parameters
    ----------
    samples : array
        int16 counts, or floats of full scale.
    """
    x = np.asarray(samples)
    scale = units.COUNTS_FULL_SCALE if x.dtype == np.int16 else 1.0
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64)))) / scale if x.size else 0.0


def fit(samples, length: int, how: str = "centre") -> np.ndarray:
    """Sound cut or filled with silence to a length.

    Parameters
    ----------
    samples : array of shape (n,)
    length : int
        Samples wanted.
    how : {"centre", "pad"}
        ``"centre"``: the middle is kept, or silence added evenly at both ends. ``"pad"``: the
        beginning is kept, or silence added at the end.

    Returns
    -------
    array of shape (length,), of the same type
    """
    if how not in ("centre", "pad"):
        raise DataError(f"There is no fit {how!r}.", "Choose 'centre' or 'pad'.")
    x = np.asarray(samples)
    n = len(x)
    if n >= length:
        first = (n - length) // 2 if how == "centre" else 0
        return x[first : first + length]
    before = (length - n) // 2 if how == "centre" else 0
    return np.pad(x, [(before, length - n - before)] + [(0, 0)] * (x.ndim - 1))
