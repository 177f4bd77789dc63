"""Made-up noises to train under: a class of students has five files of noise, a room has any.

Each function gives float32 of n samples at ``RATE_HZ`` with a root mean square of 1. They only
train networks: what a network is worth in noise is tested with recorded noise it never heard.
"""

from __future__ import annotations

import numpy as np

from ..data import audio

SECONDS = 20
RATE_HZ = int(audio.RATE_HZ)


def coloured(rng, n: int, slope: float) -> np.ndarray:
    """Noise whose power falls as frequency to the power of ``slope``: 0 white, 1 pink, 2 brown."""
    f = np.fft.rfftfreq(n, 1 / RATE_HZ)
    spectrum = np.fft.rfft(rng.normal(size=n)) * np.maximum(f, 30.0) ** (-slope / 2)
    return _unit(np.fft.irfft(spectrum, n))


def hum(rng, n: int) -> np.ndarray:
    """Mains and motors: harmonics of a low tone, swelling slowly, over a little noise."""
    t = np.arange(n) / RATE_HZ
    tone = rng.choice([50.0, 60.0, 100.0, 120.0]) * rng.integers(1, 4) * rng.uniform(0.95, 1.05)
    wander = 0.3 * np.sin(2 * np.pi * rng.uniform(0.2, 3.0) * t)
    fall = rng.uniform(0.3, 1.2)
    x = np.zeros(n)
    for k in range(1, min(24, int(0.48 * RATE_HZ / tone)) + 1):
        x += rng.exponential() * k**-fall * np.sin(2 * np.pi * k * tone * t + rng.uniform(0, 2 * np.pi) + wander)
    x *= 1 + 0.5 * np.sin(2 * np.pi * rng.uniform(0.3, 8.0) * t)
    return _unit(_unit(x) + 0.3 * coloured(rng, n, rng.uniform(0, 1.5)))


def clatter(rng, n: int) -> np.ndarray:
    """Dishes, keys, doors: struck things that ring and die away."""
    x = np.zeros(n + RATE_HZ // 2)
    for _ in range(int(n / RATE_HZ * rng.uniform(1, 9))):
        length = int(rng.uniform(0.01, 0.25) * RATE_HZ)
        t = np.arange(length) / RATE_HZ
        tones = rng.uniform(200, 7000, size=(rng.integers(1, 7), 1))
        ring = (rng.normal(size=tones.shape) * np.sin(2 * np.pi * tones * t)).sum(axis=0)
        ring += rng.normal(size=length) * rng.uniform(0, 2)
        first = rng.integers(n)
        x[first : first + length] += ring * np.exp(-t * rng.uniform(15, 150)) * rng.exponential()
    return _unit(_unit(x[:n]) + rng.uniform(0.03, 0.3) * coloured(rng, n, 1.0))


def machine(rng, n: int) -> np.ndarray:
    """Turning things: bands of noise that come and go in a rhythm."""
    f = np.fft.rfftfreq(n, 1 / RATE_HZ)
    bands = np.full(len(f), 0.05)
    for _ in range(rng.integers(1, 5)):
        middle, width = rng.uniform(np.log(100), np.log(6000)), rng.uniform(0.05, 0.6)
        bands += rng.exponential() * np.exp(-0.5 * ((np.log(f + 1) - middle) / width) ** 2)
    x = np.fft.irfft(np.fft.rfft(coloured(rng, n, rng.uniform(0, 2))) * bands, n)
    turn = np.sin(2 * np.pi * rng.uniform(0.5, 15.0) * np.arange(n) / RATE_HZ + rng.uniform(0, 2 * np.pi))
    return _unit(x * (rng.uniform(0.05, 0.8) + np.maximum(0, turn) ** rng.uniform(0.3, 6.0)))


def cries(rng, n: int) -> np.ndarray:
    """Animals, sirens, children: gliding voices with two resonances, and pauses."""
    x, first = np.zeros(n), 0
    while n - first >= RATE_HZ // 20:
        length = min(int(rng.uniform(0.2, 1.2) * RATE_HZ), n - first)
        t = np.arange(length) / length
        bend = rng.normal(size=3)
        glide = bend[0] * (t - 0.5) + bend[1] * np.sin(np.pi * t) + 0.3 * bend[2] * np.sin(2 * np.pi * t)
        tone = np.exp(rng.uniform(np.log(120), np.log(1200)) + 0.35 * glide)
        phase = 2 * np.pi * np.cumsum(tone) / RATE_HZ
        formants = rng.uniform(500, 3500, size=2) + 400 * rng.normal(size=2) * t[:, None]
        voice = np.zeros(length)
        for k in range(1, 20):
            here = k * tone
            level = 0.1 + np.exp(-0.5 * ((here[:, None] - formants) / 450) ** 2).sum(axis=1)
            voice += (here < 0.47 * RATE_HZ) * np.sin(k * phase) * k**-0.7 * level
        x[first : first + length] += voice * np.sqrt(np.sin(np.pi * t)) * rng.exponential()
        first += int(length + rng.exponential() * 0.3 * RATE_HZ)
    return _unit(_unit(x) + rng.uniform(0.05, 0.3) * coloured(rng, n, 1.0))


def babble(rng, n: int, speech) -> np.ndarray:
    """One to five voices at once, out of clips that are played backwards: speech without words.

    Parameters
    ----------
    rng : numpy.random.Generator
    n : int
    speech : int16 array of shape (m, length)
        Clips of the training side.
    """
    length = speech.shape[1]
    x = np.zeros(n)
    for _ in range(rng.integers(1, 6)):
        clips = speech[rng.integers(len(speech), size=-(-n // length))][:, ::-1].astype(np.float64)
        clips /= clips.std(axis=1, keepdims=True) + 1.0
        x += np.roll(clips.ravel(), rng.integers(length))[:n] * rng.uniform(0.3, 1.0)
    return _unit(x)


def bank(rng, recorded, speech, each: int = 8, seconds: float = SECONDS) -> list[np.ndarray]:
    """Noises to draw pieces from: recorded ones as often as made-up ones of any kind.

    Parameters
    ----------
    rng : numpy.random.Generator
    recorded : sequence of float arrays
        Recordings of noise; may be empty.
    speech : int16 array of shape (m, length)
        Clips of the training side, for ``babble``.
    each : int
        Made-up noises of a kind.
    seconds : float
        Length of each.

    Returns
    -------
    list of float32 arrays
        Root mean square 1. A recording that counts for several is there several times.
    """
    n = round(seconds * RATE_HZ)
    made = [coloured(rng, n, rng.uniform(-0.5, 2.2)) for _ in range(each)]
    made += [kind(rng, n) for kind in (hum, clatter, machine, cries) for _ in range(each)]
    if len(speech):
        made += [babble(rng, n, speech) for _ in range(2 * each)]
    recorded = [_unit(x) for x in recorded if len(x) and np.any(x)]
    share = -(-2 * each // len(recorded)) if recorded else 0
    return [*made, *(x for x in recorded for _ in range(share))]


def piece(rng, noises, length: int) -> np.ndarray:
    """A piece of one of the noises, float32 (length,), of root mean square 1 unless it is nearly silent."""
    noise = noises[rng.integers(len(noises))]
    if len(noise) < length:
        noise = np.resize(noise, length)
    first = rng.integers(len(noise) - length + 1)
    found = noise[first : first + length]
    # A pause in a noise stays quieter than the noise, but is heard.
    return found / (np.sqrt(found @ found / np.float32(length)) + np.float32(0.1))


def pieces(rng, noises, n: int, length: int) -> np.ndarray:
    """n such pieces, float32 (n, length)."""
    return np.stack([piece(rng, noises, length) for _ in range(n)]) if n else np.zeros((0, length), np.float32)


def _unit(x) -> np.ndarray:
    x = np.asarray(x, np.float32)
    return x / (np.sqrt(np.mean(x * x)) + 1e-9)
