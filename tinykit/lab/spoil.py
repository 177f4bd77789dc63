"""A small set of takes with three bad ones in it, to practise an audit on."""

from __future__ import annotations

import numpy as np

from ..data import Dataset, sample

# Which of its takes are bad, and how.
SPOILED = {"motionless": "take-07", "clipped": "take-15", "original": "take-04", "duplicate": "take-22"}
_TAKES = 24


def spoiled() -> Dataset:
    """Takes of two persons of the sample set, one motionless, one clipped, one there twice.

    Returns
    -------
    Dataset
        24 synthetic takes, ``take-01`` to ``take-24``; the same at every call.
    """
    whole = sample("gestures")
    persons = whole.persons[:2]
    by_label = [[r for r in whole if r.label == label and r.person in persons] for label in whole.labels]
    mixed = [takes[i] for i in range(max(map(len, by_label))) for takes in by_label if i < len(takes)]
    takes = [r.with_(id=f"take-{n:02d}", quality={}) for n, r in enumerate(mixed[:_TAKES], 1)]
    place = {r.id: n for n, r in enumerate(takes)}

    still = place[SPOILED["motionless"]]
    takes[still] = takes[still].with_(samples=_lying_still(takes[still]))
    loud = place[SPOILED["clipped"]]
    takes[loud] = takes[loud].with_(samples=_clipped(takes[loud]))
    first, second = place[SPOILED["original"]], place[SPOILED["duplicate"]]
    takes[second] = takes[first].with_(id=SPOILED["duplicate"])
    card = {**whole.card, "name": "spoiled", "description": "Synthetic takes, three of them bad on purpose."}
    return Dataset(takes, card)


def _lying_still(recording) -> np.ndarray:
    """Noise of a sensor on a table, gravity along Z."""
    noise = np.random.default_rng(7).normal(0, 1, recording.samples.shape)
    samples = noise * [0.004 if c[0] == "a" else 0.15 for c in recording.channels]
    samples[:, recording.channels.index("aZ")] += 1
    return samples.astype(np.float32)


def _clipped(recording) -> np.ndarray:
    """The same movement, so much harder that a fifth of it is beyond the sensor's 4 g."""
    samples = recording.samples.copy()
    columns = [i for i, c in enumerate(recording.channels) if c[0] == "a"]
    most = np.abs(samples[:, columns]).max(axis=1)
    samples[:, columns] *= 4.0 / np.quantile(most, 0.8)
    limit = 32767 / 8192
    samples[:, columns] = np.clip(samples[:, columns], -4.0, limit)
    return samples
