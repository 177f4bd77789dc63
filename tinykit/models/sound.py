"""Words as another speaker, another room or another microphone might have given them.

Speed, place in the window, noise and loudness are changed in the waveform, before the front end:
what the network then sees comes out of the same code as on the device. Pitch, tempo, the colour of
a microphone and SpecAugment's gaps are changed in the log-mel features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..data import units
from .noises import piece

QUIETEST, LOUDEST = -4.2, -0.7  # of silence: log10 of the root mean square of full scale
HALF = 0.5  # of the clips keep their speed


@dataclass(frozen=True)
class SoundAugment:
    """How far sound is changed in training.

    Parameters
    ----------
    shift_s : float
        Largest shift in the window, in seconds.
    speed : float
        Standard deviation of the logarithm of the speed of half of the clips; pitch goes with it.
    noisy : float
        Share of the clips that get noise.
    snr_db : (float, float)
        Lowest and highest signal to noise ratio, by root mean squares of the whole clip.
    gain_db : float
        A clip is turned down by up to this and up by up to half of it.
    silence : float
        Made-up clips of silence (noise at any loudness), as a share of the others.
    spliced : float
        Made-up other words, as a share of the clips: the first half of a word and the second half of
        another, so that a word is known by the whole of it.
    warp_mel, warp_time : float
        Standard deviation of the logarithm of a stretch of the mel axis (another vocal tract,
        Jaitly and Hinton 2013) and of the time axis (another tempo, the same pitch).
    colour : float
        Standard deviation of a smooth curve over the bands, in nepers of energy: another microphone.
    gap_time, gap_mel : int
        Longest gap in frames and in bands (SpecAugment, Park et al. 2019, arXiv:1904.08779).
    mixup : float
        Parameter of the Beta distribution of mixup; 0: none.
    """

    shift_s: float = 0.1
    speed: float = 0.08
    noisy: float = 0.8
    snr_db: tuple[float, float] = (-5.0, 20.0)
    gain_db: float = 12.0
    silence: float = 0.15
    spliced: float = 0.12
    warp_mel: float = 0.05
    warp_time: float = 0.08
    colour: float = 0.5
    gap_time: int = 10
    gap_mel: int = 6
    mixup: float = 0.0

    @classmethod
    def none(cls) -> SoundAugment:
        """No change at all."""
        return cls(0, 0, 0, (0, 0), 0, 0, 0, 0, 0, 0, 0, 0, 0)


def moved(clip, rate: float, shift: float) -> np.ndarray:
    """A clip at another speed and place, by straight lines between samples; silence comes in at the edges.

    Parameters
    ----------
    clip : int16 array of shape (length,)
    rate : float
        Above 1: quicker, and higher.
    shift : float
        Samples; above 0: later.

    Returns
    -------
    float32 array of shape (length,)
        Of full scale.
    """
    length = len(clip)
    if rate == 1.0:
        out, shift = np.zeros(length, np.float32), round(shift)
        out[max(0, shift) : length + min(0, shift)] = clip[max(0, -shift) : length - max(0, shift)]
    else:
        middle = (length - 1) / 2
        place = np.arange(length, dtype=np.float64)
        out = np.interp((place - middle) * rate + (middle - shift * rate), place, clip, 0.0, 0.0).astype(np.float32)
    out /= 32768
    return out


def splice(rng, counts, labels, n: int) -> np.ndarray:
    """The first half of a word and the second half of another one, by the energy of each.

    Parameters
    ----------
    rng : numpy.random.Generator
    counts : int16 array of shape (m, length)
        Clips of two words or more.
    labels : int array of shape (m,)
    n : int

    Returns
    -------
    int16 array of shape (n, length)
    """
    length = counts.shape[1]
    out = np.zeros((n, length), np.int16)
    for i in range(n):
        one = rng.integers(len(labels))
        other = rng.choice(np.flatnonzero(labels != labels[one]))
        cut, start = (_reached(counts[k], rng.uniform(0.4, 0.6)) for k in (one, other))
        rest = min(length - cut, length - start)
        out[i, :cut] = counts[one, :cut]
        out[i, cut : cut + rest] = counts[other, start : start + rest]
    return out


def _reached(clip, share: float) -> int:
    """Sample at which so much of a clip's energy has passed."""
    energy = np.cumsum(clip.astype(np.float64) ** 2)
    return int(np.searchsorted(energy, energy[-1] * share))


def draw(rng, counts, labels, noises, how: SoundAugment, silence: int, rate_hz: float):
    """Every clip once, changed, and made-up silence.

    Parameters
    ----------
    rng : numpy.random.Generator
    counts : int16 array of shape (n, length)
    labels : int array of shape (n,)
    noises : list of float32 arrays
        As ``noises.bank`` makes them; empty: no noise, no silence.
    how : SoundAugment
    silence : int
        Label of silence.
    rate_hz : float

    Returns
    -------
    counts : int16 array of shape (m, length)
    labels : int array of shape (m,)
    """
    n, length = counts.shape
    more = int(how.silence * n) if noises else 0
    rates = np.exp(np.clip(rng.normal(size=n) * how.speed, -0.28, 0.28))
    rates[rng.random(n) < HALF] = 1.0
    shifts = rng.uniform(-1, 1, size=n) * how.shift_s * rate_hz
    noisy = (rng.random(n) < how.noisy) & bool(noises)
    under = 10 ** (-rng.uniform(*how.snr_db, size=n) / 20)
    gains = 10 ** (rng.uniform(-how.gain_db, how.gain_db / 2, size=n) / 20)
    out = np.empty((n + more, length), np.int16)
    for i in range(n):  # one at a time: a clip stays in the cache, a thousand do not
        x = moved(counts[i], rates[i], shifts[i])
        if noisy[i]:
            x += piece(rng, noises, length) * np.float32(under[i] * (np.sqrt(x @ x / length) + 1e-5))
        out[i] = as_counts(x * np.float32(gains[i]))
    for i, level in enumerate(10 ** rng.uniform(QUIETEST, LOUDEST, size=more)):
        out[n + i] = as_counts(piece(rng, noises, length) * np.float32(level))
    return out, np.concatenate([labels, np.full(more, silence)])


def as_counts(x) -> np.ndarray:
    """Sound of full scale, float of any shape, as int16."""
    return np.clip(np.rint(x * units.COUNTS_FULL_SCALE), -32768, 32767).astype(np.int16)


def vary(rng, seen, how: SoundAugment, scale) -> np.ndarray:
    """Features of another vocal tract, tempo and microphone, with gaps.

    Parameters
    ----------
    rng : numpy.random.Generator
    seen : float32 array of shape (n, rows, bands)
        Log-mel, as the network sees it. Of MFCC only the time axis and the gaps in time make sense.
    how : SoundAugment
    scale : array of shape (bands,)
        The front end's: network units a neper.
    """
    n, rows, bands = seen.shape
    if how.warp_mel:
        at = np.arange(bands) * np.exp(rng.normal(size=(n, 1)) * how.warp_mel) + 0.3 * rng.normal(size=(n, 1))
        seen = _at(seen.transpose(0, 2, 1), at).transpose(0, 2, 1)
    if how.warp_time:
        at = (np.arange(rows) - rows / 2) * np.exp(rng.normal(size=(n, 1)) * how.warp_time) + rows / 2
        seen = _at(seen, at)
    if how.colour:
        x = np.linspace(-1, 1, bands)
        shapes = np.stack([x, np.cos(np.pi * x), np.sin(np.pi * x), np.cos(2 * np.pi * x)])
        curves = rng.normal(size=(n, 4)) * how.colour @ shapes * np.asarray(scale)
        seen = seen + curves[:, None].astype(np.float32)
    return gaps(rng, np.ascontiguousarray(seen, np.float32), how.gap_time, how.gap_mel)


def gaps(rng, seen, longest_time: int, longest_mel: int) -> np.ndarray:
    """One gap of frames and one of bands in each, at the mean of the training data: zero."""
    n, rows, bands = seen.shape
    keep = _gap(rng, n, rows, longest_time)[:, :, None] & _gap(rng, n, bands, longest_mel)[:, None, :]
    return seen * keep


def _gap(rng, n, size, longest):
    length = rng.integers(0, min(longest, size) + 1, size=n)[:, None]
    first = np.floor(rng.random((n, 1)) * (size - length + 1))
    at = np.arange(size)
    return (at < first) | (at >= first + length)


def _at(x, at) -> np.ndarray:
    """Rows of x (n, rows, k) at fractional places (n, rows); the edges repeat."""
    at = np.clip(at, 0, x.shape[1] - 1)
    left = np.minimum(np.floor(at).astype(int), x.shape[1] - 2)
    part = (at - left)[..., None].astype(np.float32)
    row = np.arange(len(x))[:, None]
    return x[row, left] * (1 - part) + x[row, left + 1] * part
