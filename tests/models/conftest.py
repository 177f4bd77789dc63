"""Small made-up gestures: quick to train on, easy to tell apart."""

import numpy as np
import pytest

from tinykit.data import Dataset, Recording


def made_up_gestures(takes=8, persons=("ann", "bob", "cem"), seed=0, rows=40, rate_hz=40.0, channels=6):
    """A dataset of three labels: a swing along x, a swing along z, and rest."""
    rng = np.random.default_rng(seed)
    t = np.arange(rows) / rows
    recordings = []
    for person in persons:
        for label, axis in (("across", 0), ("upward", 2), ("negative", None)):
            for k in range(takes):
                x = rng.normal(size=(rows, 6)) * [0.02, 0.02, 0.02, 3, 3, 3]
                x[:, 1] += 1.0
                if axis is not None:
                    swing = np.sin(2 * np.pi * t * rng.uniform(0.9, 1.1)) * np.sin(np.pi * t)
                    x[:, axis] += swing * rng.uniform(0.7, 1.2)
                    x[:, 3 + axis] += swing * 150
                names = ("aX", "aY", "aZ", "gX", "gY", "gZ")[:channels]
                recordings.append(
                    Recording(
                        x[:, :channels],
                        names,
                        rate_hz,
                        label,
                        person=person,
                        session="1",
                        id=f"{label}-{person}-{k}",
                    )
                )
    return Dataset(recordings, {"name": "made up", "synthetic": True})


@pytest.fixture(scope="session")
def gestures():
    return made_up_gestures()


@pytest.fixture(scope="session")
def make_gestures():
    return made_up_gestures


@pytest.fixture(scope="session")
def trained(gestures):
    """A pipeline trained on ann and bob for a few epochs, and cem's takes."""
    from tinykit import models

    train, test = gestures.select(persons=("ann", "bob")), gestures.select(persons="cem")
    return models.train("gesture", train, seed=1, epochs=12, progress=False), train, test
