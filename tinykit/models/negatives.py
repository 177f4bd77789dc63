"""Made-up movements that are no gesture, for a background class of which there is never enough."""

from __future__ import annotations

import numpy as np

BACKGROUND = frozenset(
    "background idle negative no_gesture none noise nothing other rest still unknown _background _unknown".split()
)


def background(labels) -> int | None:
    """Place of the background class among the labels (by its name), or None."""
    for i, name in enumerate(labels):
        if name.strip().lower().replace(" ", "_").replace("-", "_") in BACKGROUND:
            return i
    return None


def splice(rng, a, b) -> np.ndarray:
    """The inner part of one window, followed by a part of another."""
    n = len(a)
    cut = int(rng.integers(n // 4, 3 * n // 4 + 1))
    first = np.roll(a, -int(rng.integers(n // 3 + 1)), axis=0)[:cut]
    second = b[int(rng.integers(n // 2 + 1)) :]
    return _fill(np.concatenate([first, second]), n)


def shuffle(rng, a) -> np.ndarray:
    """A window cut into three to five pieces, put together in another order, some reversed."""
    n = len(a)
    pieces = int(rng.integers(3, 6))
    cuts = np.sort(rng.choice(np.arange(1, n), pieces - 1, replace=False))
    order = rng.permutation(pieces)
    parts = np.split(a, cuts)
    return np.concatenate([parts[i][::-1] if rng.random() < 0.3 else parts[i] for i in order])


def wander(rng, a) -> np.ndarray:
    """Smoothed noise about the window's mean, of about its size."""
    n, c = a.shape
    width = int(rng.integers(3, max(4, n // 5)))
    kernel = np.hanning(width + 2)
    noise = rng.normal(size=(n + 2 * width, c))
    noise = np.stack([np.convolve(noise[:, k], kernel, "same") for k in range(c)], axis=1)[width : width + n]
    noise /= noise.std(axis=0) + 1e-9
    return a.mean(axis=0) + noise * a.std(axis=0) * rng.uniform(0.2, 1.5)


def fragment(rng, a) -> np.ndarray:
    """A short part of a gesture, still before and after; or the whole, nearly still."""
    n = len(a)
    if rng.random() < 0.5:
        return a.mean(axis=0) + (a - a.mean(axis=0)) * rng.uniform(0, 0.2)
    length = int(rng.integers(max(2, n // 8), max(3, n // 3)))
    start = int(rng.integers(0, n - length + 1))
    at = np.clip(np.arange(n), start, start + length - 1)
    return a[at]


def make(rng, x, n: int) -> np.ndarray:
    """n made-up windows out of real ones.

    Parameters
    ----------
    rng : numpy.random.Generator
    x : float array of shape (m, window, c)
        Counts; windows of any class, at least 8 samples long.

    Returns
    -------
    float32 array of shape (n, window, c)
    """
    made = np.empty((n, *x.shape[1:]), np.float32)
    for i, kind in enumerate(rng.integers(4, size=n)):
        a, b = x[rng.integers(len(x), size=2)]
        if kind == 0:
            made[i] = splice(rng, a, b)
        else:
            made[i] = (shuffle, wander, fragment)[kind - 1](rng, a)
    return made


def _fill(x, n: int) -> np.ndarray:
    return np.concatenate([x, np.repeat(x[-1:], max(0, n - len(x)), axis=0)])[:n]
