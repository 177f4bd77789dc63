"""Synthetic gestures: made-up people move a simulated board. For lessons and tests.

Everything follows from names and numbers by a hash, and the random numbers come from NumPy's
frozen legacy generator: the same take is the same on every machine, but for rounding.
"""

from __future__ import annotations

import hashlib

import numpy as np

from ..errors import DataError
from . import imu, motion, units
from .dataset import Dataset
from .recording import Recording
from .take import take_quality

LABELS = ("circle", "flex", "negative", "punch", "wing")
PERSONS = ("ada", "ben", "cleo", "dan", "eva", "finn", "gia", "hal")
SECONDS = 1.5
_DESCRIPTION = (
    "Synthetic: made-up people move a simulated board. Good for learning the tools; what is measured on it "
    "says nothing about real hands."
)
_DECIMALS = 3  # as Arduino's sketch prints them
_LEFT = {"dan"}  # one in eight; among people it is one in ten


def person(name: str) -> motion.Person:
    """A made-up person: the same name always moves in the same way."""
    r = _random("person", name)
    return motion.Person(
        name=name,
        speed=r.uniform(0.7, 1.3),
        size=r.uniform(0.7, 1.25),
        left=name in _LEFT if name in PERSONS else r.uniform() < 0.1,
        grip=tuple(np.radians(r.uniform(-32, 32, 3))),
        arm=r.uniform(0.26, 0.34),
        tremor=r.uniform(0.6, 1.6),
        follow=r.uniform(0.3, 1.6),
        start=r.uniform(-1.2, 1.2),
        slant=tuple(np.radians([20.0, 20.0, 25.0]) * r.randn(3)),
    )


def sensor(name: str, session: str) -> imu.Sensor:
    """The sensor that a person has in a session; its offsets drift from session to session."""
    made = imu.Sensor.typical(_random("sensor", name))
    r = _random("sensor", name, session)
    return imu.Sensor(
        made.rate_hz,
        made.noise_g,
        made.noise_dps,
        made.bias_g + 0.006 * r.randn(3),
        made.bias_dps + 0.4 * r.randn(3),
        made.mix_a,
        made.mix_g,
        made.jitter,
    )


def trajectory(label: str, who: str, session: str = "1", number: int = 0, seconds: float = SECONDS) -> imu.Trajectory:
    """The movement of one take.

    Parameters
    ----------
    label : str
        One of ``LABELS``, or what kind of negative: a key of ``motion.OTHER``.
    who, session : str
    number : int
        Another number, another take.
    seconds : float

    Raises
    ------
    DataError
        There is no such label.
    """
    if label not in LABELS and label not in motion.OTHER:
        raise DataError(
            f"There is no synthetic movement {label!r}.",
            f"Choose one of {', '.join((*LABELS, *motion.OTHER))}.",
        )
    p = person(who)
    sitting = _random("session", who, session)
    pose = np.radians([10.0, 10.0, 14.0]) * sitting.randn(3)
    r = _random("take", label, who, session, number)
    pose = pose + np.radians([7.0, 8.0, 10.0]) * r.randn(3)
    path = motion.Path(seconds, units.RATE_HZ * imu.OVERSAMPLING)
    if label in motion.GESTURES:
        move = motion.GESTURES[label]
    else:
        kinds = sorted(motion.OTHER)
        shift = int(_random("kinds", who).randint(len(kinds)))
        move = motion.OTHER[label if label in kinds else kinds[(number + shift) % len(kinds)]]
    # How long it takes is drawn on a copy, so that a slow take starts early enough to fit.
    state = r.get_state()
    length = move(motion.Path(seconds, units.RATE_HZ), p, r, 0.1)
    r.set_state(state)
    latest = max(0.06, seconds - length - 0.05)
    move(path, p, r, _random("begin", label, who, session, number).uniform(0.05, min(latest, 0.35)))
    return motion.settle(path, p, r, pose)


def take(label: str, who: str, session: str = "1", number: int = 0, seconds: float = SECONDS) -> Recording:
    """One synthetic recording, labelled; see ``trajectory``."""
    made = sensor(who, session)
    counts, times = imu.measure(
        trajectory(label, who, session, number, seconds), made, _random("noise", label, who, session, number)
    )
    samples = np.round(units.to_units(counts, units.CHANNELS), _DECIMALS)
    kept = label if label in LABELS else "negative"
    quality = take_quality(samples, rate_hz=units.RATE_HZ, timestamps_ms=times, label="rest")
    return Recording(
        samples,
        rate_hz=quality.rate_hz,
        timestamps_ms=np.round(times, 2),
        quality=quality.to_dict(),
        label=kept,
        person=who,
        session=session,
        id=f"{who}-{session}-{label.replace(' ', '-')}-{number:02d}",
        device="generator",
        source=f"synthetic.take({label!r}, {who!r}, {session!r}, {number})",
    )


def stream(labels, who: str = "ada", session: str = "1", number: int = 0, seconds: float = SECONDS) -> Recording:
    """Several takes in one go, with a label per row: what a board would feel while it is worn.

    Parameters
    ----------
    labels : sequence of str
        What happens, one after the other; each for ``seconds``.
    """
    parts = [take(label, who, session, number + i, seconds) for i, label in enumerate(labels)]
    joined = [parts[0].samples]
    for part in parts[1:]:
        joined.append(_joined(joined[-1][-1], part.samples))
    rows = np.concatenate([np.full(len(part), part.label) for part in parts])
    return Recording(
        np.concatenate(joined),
        rate_hz=parts[0].rate_hz,
        row_labels=rows,
        person=who,
        session=session,
        id=f"{who}-{session}-stream-{number:02d}",
        device="generator",
        source="synthetic.stream",
    )


def gestures(persons=PERSONS, labels=LABELS, sessions=("1", "2"), takes: int = 4) -> Dataset:
    """A synthetic dataset.

    Parameters
    ----------
    persons, labels, sessions : sequences of str
    takes : int
        Per label, person and session.
    """
    recordings = [
        take(label, who, session, s * takes + number)
        for who in persons
        for s, session in enumerate(sessions)
        for label in labels
        for number in range(takes)
    ]
    return Dataset(
        recordings,
        {
            "name": "gestures",
            "synthetic": True,
            "sensor": "simulated LSM9DS1, 119 Hz, ±4 g, ±2,000 deg/s",
            "description": _DESCRIPTION,
            "licence": "MIT",
            "consent": "not needed: nobody was recorded",
            "provenance": "made by tinykit.data.synthetic",
        },
    )


def _joined(before: np.ndarray, samples: np.ndarray, rows: int = 12) -> np.ndarray:
    """A take that comes out of the row before it in a tenth of a second, without a jump."""
    share = np.clip(np.arange(1, len(samples) + 1) / rows, 0, 1)[:, None]
    return (before * (1 - share) + samples * share).astype(np.float32)


def _random(*names) -> np.random.RandomState:
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    return np.random.RandomState(np.frombuffer(digest, "<u4"))
