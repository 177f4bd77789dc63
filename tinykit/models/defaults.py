"""Settings for training, chosen from the sensor, the rate, and how long and how many the takes are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from ..pipeline import ImuFrontEnd
from . import negatives
from .augment import Augment, triples

STREAM_WINDOW_S = 2.0
LONGEST_GESTURE_S = 4.0
GESTURE_HZ, STREAM_HZ = 119.0, 50.0
FEWEST_TAKES = 5
SEVERAL = 3  # people
STILL_G, STILL_DPS = 0.03, 6.0
BATCH = 32
STEPS = 1200


@dataclass(frozen=True)
class Settings:
    """What ``train`` needs to know beside the recordings.

    Parameters
    ----------
    rate_hz : float
        Rate of the pipeline.
    window, hop : int
        Samples.
    channels : tuple of str
    center : bool
        See ``ImuFrontEnd``.
    magnitude : tuple of str
    augment : Augment
    """

    rate_hz: float
    window: int
    hop: int
    channels: tuple[str, ...]
    center: bool
    magnitude: tuple[str, ...]
    augment: Augment


def choose(dataset, *, window_s=None, rate_hz=None, channels=None, center=None, magnitude=(), augment=None) -> Settings:
    """Settings for a dataset; whatever is given stays as given.

    The rules:

    - rate: the recordings' own, but at most 119 Hz for gestures and 50 Hz for streams.
    - window: long enough for 95 % of the takes, and a multiple of 8 samples unless all takes
      have one length. Takes longer than 4 s are activities that go on: 2 s, as for streams.
    - centre: a gesture is a movement, so gravity's steady part is taken away; in a stream of
      postures and activities gravity says what is going on, so it stays.
    - rotation: 25 degrees for gestures of three people or more, who hold the board each in
      their way; 10 degrees for fewer, and for streams, because of the postures.

    Parameters
    ----------
    dataset : Dataset
    window_s, rate_hz : float, optional
    channels : sequence of str, optional
    center : bool, optional
    magnitude : sequence of "a", "g"
    augment : Augment, optional

    Returns
    -------
    Settings
    """
    rate = float(rate_hz) if rate_hz else _rate(dataset)
    seconds = np.array([r.seconds for r in dataset.recordings])
    ongoing = dataset.is_stream or np.percentile(seconds, 95) > LONGEST_GESTURE_S
    if window_s:
        window = round(window_s * rate)
    elif ongoing:
        window = round(STREAM_WINDOW_S * rate)
    else:
        rows = np.maximum(1, np.rint(seconds * rate))
        longest = int(np.percentile(rows, 95, method="higher"))
        window = longest if rows.min() == rows.max() else 8 * int(np.ceil(longest / 8))
    channels = tuple(channels or dataset.channels)
    missing = [c for c in channels if c not in dataset.channels]
    if missing:
        raise DataError(
            f"The recordings have channels {','.join(dataset.channels)}; {','.join(missing)} is asked for.",
            "Ask for channels that the recordings have.",
        )
    if augment is None:
        if dataset.is_stream:
            augment = Augment(rotation_deg=10.0, mixup=0.0, made_up=0.0)
        else:
            augment = Augment(rotation_deg=25.0 if len(dataset.persons) >= SEVERAL else 10.0)
    if not triples(channels):
        magnitude = ()
    return Settings(
        rate,
        max(8, window),
        max(1, round(rate / 4)),
        channels,
        not dataset.is_stream if center is None else bool(center),
        tuple(magnitude),
        augment,
    )


def _rate(dataset) -> float:
    return min(dataset.rate_hz, STREAM_HZ if dataset.is_stream else GESTURE_HZ)


def front_end(settings: Settings, counts) -> ImuFrontEnd:
    """The front end with its scales: one a sensor, so that its axes keep their proportions.

    Parameters
    ----------
    settings : Settings
    counts : int16 array of shape (n, window, c)
        Training windows.
    """
    x = counts.astype(np.float64)
    if settings.center:
        x = x - x.mean(axis=1, keepdims=True)
    spread = {}
    for sensor in "ag":
        columns = [i for i, c in enumerate(settings.channels) if c[0] == sensor]
        if columns:
            spread[sensor] = max(1.0, float(np.sqrt(x[..., columns].var(axis=(0, 1)).mean())))
    scale = [1 / spread[c[0]] for c in settings.channels] + [1 / spread[m] for m in settings.magnitude]
    return ImuFrontEnd(settings.channels, settings.center, settings.magnitude, tuple(float(f"{s:.4g}") for s in scale))


def check(dataset, window_s: float | None = None) -> None:
    """Refuse what nothing can be learnt from, and say what is missing.

    Raises
    ------
    DataError
        Empty, one label, too few takes of a label, no label at all, or values that are no numbers.
    """
    if not len(dataset):
        raise DataError("The training dataset is empty.", "Record some takes, or open another folder.")
    bare = [r for r in dataset.recordings if not r.labels]
    if bare:
        raise DataError(
            f"{len(bare)} recordings have no label, the first is {bare[0].id or bare[0].source}.",
            "Label them, or leave them out: dataset.select(lambda r: r.label).",
        )
    if len(dataset.labels) < 2:
        raise DataError(
            f"There is one label, {dataset.labels[0]!r}; a classifier needs at least two.",
            "Record a second gesture, or some takes of 'negative': anything else.",
        )
    for r in dataset.recordings:
        if not np.isfinite(r.samples).all():
            row = int(np.flatnonzero(~np.isfinite(r.samples).all(axis=1))[0])
            raise DataError(
                f"Recording {r.id or r.source} has a value that is not a number in row {row}.",
                "Leave the recording out (tk.audit shows which), or record it again.",
            )
    unit = window_s or STREAM_WINDOW_S
    for label in dataset.labels:
        if dataset.is_stream:
            rows = sum(int((r.row_labels == label).sum()) / r.rate_hz for r in dataset.recordings)
            few, have = rows / unit < FEWEST_TAKES, f"{rows:.1f} s"
            want = f"{FEWEST_TAKES * unit:g} s"
        else:
            takes = [r for r in dataset.recordings if r.label == label]
            n = sum(max(1, int(r.seconds / unit)) for r in takes)
            few, have, want = n < FEWEST_TAKES, f"{len(takes)} takes", f"{FEWEST_TAKES} takes"
        if few:
            raise DataError(
                f"Label {label!r} has {have}; at least {want} are needed to train.",
                f"Record more of {label!r}, or leave the label out.",
            )


def still(recording) -> bool:
    """Whether nothing moves in a recording: its spread stays under what a resting hand gives."""
    spread = recording.samples.std(axis=0)
    limits = [STILL_G if c[0] == "a" else STILL_DPS for c in recording.channels]
    return bool((spread < limits).all())


def without_still(dataset):
    """A dataset without motionless takes of gestures, and the recordings that were left out.

    A gesture label on a hand at rest teaches that rest is that gesture. Takes of a background
    class may be still. If most takes of a label are still, the label means that, and all stay.
    """
    if dataset.is_stream:
        return dataset, []
    out = []
    for label in dataset.labels:
        if negatives.background([label]) is not None:
            continue
        takes = [r for r in dataset.recordings if r.label == label]
        found = [r for r in takes if still(r)]
        if len(found) * 2 < len(takes):
            out += found
    gone = {id(r) for r in out}
    return (dataset.select(lambda r: id(r) not in gone), out) if out else (dataset, [])
