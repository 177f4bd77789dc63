"""A dataset: recordings with one set of channels and one rate, and a card that says what they are."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..look import shown
from . import split as _split
from . import store, units
from .recording import Recording, plural, safe_name
from .windows import SAME_RATE, Windows, make_windows

# Rates of one sensor differ by a few percent from unit to unit; more than this is another rate.
RATE_TOLERANCE = 0.05
# A widget's thread may add a take while a cell does, to one dataset or to two of the same folder.
_CHANGING = threading.RLock()


class Dataset:
    """Recordings of one kind.

    Parameters
    ----------
    recordings : iterable of Recording
        All with the same channels, rates within 5 % of each other.
    card : dict, optional
        ``name``, ``description``, ``sensor``, ``licence``, ``provenance``, ``consent``,
        ``synthetic``, ``notes`` (list of str: what was assumed or done when reading).
    path : path, optional
        Folder that it lives in; ``add`` then writes there at once.

    Raises
    ------
    DataError
        Channels or rates are mixed.
    """

    def __init__(self, recordings=(), card: dict | None = None, path=None):
        self.recordings: list[Recording] = list(recordings)
        self.card = {"name": "dataset", **(card or {})}
        self.card["notes"] = list(self.card.get("notes", ()))
        self.path = Path(path) if path is not None else None
        _one_kind(self.recordings)

    # -- what is in it ---------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Short name, from the card."""
        return self.card["name"]

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels, as the card orders them, else sorted; the order of a network's outputs."""
        found = {x for r in self.recordings for x in r.labels}
        first = [x for x in self.card.get("labels", ()) if x in found]
        return (*first, *sorted(found.difference(first)))

    @property
    def persons(self) -> tuple[str, ...]:
        """All persons, sorted; without recordings of unknown persons."""
        return tuple(sorted({r.person for r in self.recordings} - {""}))

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels of every recording."""
        return self.recordings[0].channels if self.recordings else tuple(self.card.get("channels", ()))

    @property
    def rate_hz(self) -> float:
        """Median rate of the recordings; the board's nominal 119 Hz where it is within 2 % of it."""
        if not self.recordings:
            return float(self.card.get("rate_hz", units.RATE_HZ))
        rate = float(np.median([r.rate_hz for r in self.recordings]))
        return units.RATE_HZ if abs(rate / units.RATE_HZ - 1) <= SAME_RATE else rate

    @property
    def seconds(self) -> float:
        """Length of all recordings together."""
        return float(sum(r.seconds for r in self.recordings))

    @property
    def is_stream(self) -> bool:
        """Whether the recordings have a label per row."""
        return bool(self.recordings) and self.recordings[0].row_labels is not None

    @property
    def fingerprint(self) -> str:
        """First 12 hex digits of SHA-256 over samples, labels and persons, in any order."""
        lines = []
        for r in self.recordings:
            rows = hashlib.sha256("\n".join(r.row_labels).encode()).hexdigest() if r.row_labels is not None else ""
            lines.append("\t".join([r.fingerprint, r.label or "", rows, r.person, r.session]))
        return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:12]

    def __len__(self) -> int:
        return len(self.recordings)

    def __iter__(self):
        return iter(self.recordings)

    def __getitem__(self, key):
        """A recording by its place or its id."""
        if isinstance(key, str):
            for r in self.recordings:
                if r.id == key:
                    return r
            raise DataError(f"There is no recording {key!r} in {self.name}.", "List them: [r.id for r in dataset].")
        return self.recordings[key]

    def counts(self) -> dict[str, dict[str, int]]:
        """Recordings per label and person: ``{label: {person: n}}`` (streams: rows)."""
        table: dict[str, dict[str, int]] = {label: {} for label in self.labels}
        for r in self.recordings:
            found = Counter(r.row_labels.tolist()) if r.row_labels is not None else {r.label or "": 1}
            for label, n in found.items():
                if label:
                    table[label][r.person] = table[label].get(r.person, 0) + n
        return table

    # -- parts of it -----------------------------------------------------------------------

    def part(self, recordings, **card) -> Dataset:
        """Some of its recordings as a dataset that lives in memory only."""
        return Dataset(recordings, {**self.card, **card, "notes": list(self.card["notes"])})

    def select(self, where=None, *, labels=None, persons=None, sessions=None, split=None) -> Dataset:
        """The recordings that meet every condition given.

        Parameters
        ----------
        where : callable, optional
            Recording -> bool.
        labels, persons, sessions, split : str or collection of str, optional
        """

        def among(value, wanted):
            return wanted is None or value in ((wanted,) if isinstance(wanted, str) else tuple(wanted))

        return self.part(
            [
                r
                for r in self.recordings
                if among(r.label, labels)
                and among(r.person, persons)
                and among(r.session, sessions)
                and among(r.split, split)
                and (where is None or where(r))
            ]
        )

    def split(self, by: str = "person", fractions=(0.6, 0.2, 0.2), seed: int = 0):
        """Training, validation and test side.

        Parameters
        ----------
        by : {"person", "session", "recording", "blocks", "given"}
            What is kept together. ``"blocks"``: per label and person, the first recordings
            train and the last test. ``"given"``: as the source marked them.
        fractions : three floats
            Training, validation, test; of persons, sessions or recordings. They sum to 1.
        seed : int
            Another seed, another split.

        Returns
        -------
        Split
            A tuple ``(train, validation, test)`` of datasets.

        Raises
        ------
        DataError
            There are too few persons or sessions, or none is named.
        """
        return _split.split(self, by, fractions, seed)

    def folds(self, by: str = "person", k: int | None = None, seed: int = 0):
        """Folds of a cross-validation, as a list of ``Fold(train, test)``.

        Parameters
        ----------
        by : {"person", "session", "recording", "blocks"}
        k : int, optional
            Number of folds. None: one person or session at a time (5 for the others).
        """
        return _split.folds(self, by, k, seed)

    def windows(
        self, window: int, hop: int | None = None, rate_hz: float | None = None, channels=None, labels=None
    ) -> Windows:
        """Cut all recordings into windows of int16 counts.

        A take shorter than the window is padded, centred: the IMU's by repeating its edge rows,
        sound with silence. Of a longer one several windows are taken, the last ending at its last row. Streams
        with row labels give windows at whole hops with the majority label.

        Parameters
        ----------
        window : int
            Samples, at ``rate_hz``.
        hop : int, optional
            Samples; None: half a window.
        rate_hz : float, optional
            Resampled to this; None: the dataset's rate.
        channels, labels : sequence of str, optional
            None: the dataset's own. Give the pipeline's labels to keep their order.

        Returns
        -------
        Windows
        """
        if not self.recordings:
            raise DataError(f"Dataset {self.name} is empty, so there are no windows.", "Record or open some first.")
        return make_windows(
            self.recordings,
            window,
            hop,
            rate_hz or self.rate_hz,
            tuple(channels or self.channels),
            tuple(labels or self.labels),
        )

    # -- keeping it ------------------------------------------------------------------------

    def add(self, recording: Recording) -> Recording:
        """Add a recording; on disk at once, whole or not at all, if the dataset has a folder.

        Returns
        -------
        Recording
            As kept: with an id of its own and, on disk, the SHA-256 of its file.
        """
        with _CHANGING:
            recording = self._named(recording)
            _one_kind([*self.recordings[:1], recording], known=self.recordings)
            if self.path is not None:
                with store.told(self.path):
                    recording = store.append(self.path, recording)
            self.recordings.append(recording)
        return recording

    def _named(self, recording: Recording) -> Recording:
        """The recording with an id that none here has."""
        taken = {r.id for r in self.recordings}
        if recording.id and recording.id not in taken:
            return recording
        stem = (
            recording.id
            or "-".join(safe_name(x) for x in (recording.label, recording.person, recording.session) if x)
            or "take"
        )
        number = 1
        while f"{stem}-{number:03d}" in taken:
            number += 1
        return recording.with_(id=f"{stem}-{number:03d}")

    def remove(self, recording) -> Recording:
        """Take a recording (or id) out; on disk its file moves to ``removed/``, never deleted."""
        with _CHANGING:
            recording = self[recording] if isinstance(recording, str) else recording
            if self.path is not None:
                with store.told(self.path):
                    store.remove(self.path, recording)
            self.recordings = [r for r in self.recordings if r.id != recording.id]
        return recording

    def save(self, path=None) -> Dataset:
        """Write the dataset as a folder; the folder appears whole or not at all.

        Parameters
        ----------
        path : path, optional
            A new or empty folder; None: its own folder (card and index are written again).

        Returns
        -------
        Dataset
            The one on disk.

        Raises
        ------
        DataError
            The folder holds something else already.
        """
        path = Path(path) if path is not None else self.path
        if path is None:
            raise DataError("The dataset has no folder yet.", "Say where: dataset.save('my-gestures').")
        with store.told(path):
            store.write(self, path)
        return Dataset.load(path)

    @classmethod
    def load(cls, path) -> Dataset:
        """Read what ``save`` wrote; an empty one too (``open_dataset`` refuses that)."""
        recordings, card = store.read(Path(path))
        return cls(recordings, card, path)

    # -- showing it ------------------------------------------------------------------------

    def describe(self) -> str:
        """What is in it, in a few lines of text."""
        unit = "row" if self.is_stream else "recording"
        people = plural(len(self.persons), "person")
        lines = [
            f"{self.name}: {plural(len(self), 'recording')} ({self.seconds:.0f} s), "
            + f"{plural(len(self.labels), 'label')}, {people}",
            f"{','.join(self.channels)} at {self.rate_hz:g} Hz, {units.told(self.channels)}",
        ]
        if self.card.get("synthetic"):
            lines.append("synthetic: made by a generator, not recorded from people")
        for label, persons in self.counts().items():
            lines.append(f"  {label}: {plural(sum(persons.values()), unit)} of {plural(len(persons), 'person')}")
        lines += [f"note: {note}" for note in self.card["notes"]]
        return "\n".join(lines)

    def __repr__(self) -> str:
        made = "synthetic, " if self.card.get("synthetic") else ""
        signal = f"{','.join(self.channels)} at {self.rate_hz:g} Hz"
        return (
            f"<Dataset {self.name} {self.fingerprint}: {made}{plural(len(self), 'recording')}, "
            f"{plural(len(self.labels), 'label')}, {plural(len(self.persons), 'person')}, {signal}>"
        )

    def _repr_html_(self) -> str:
        from . import card

        return card.html(self)

    _repr_pretty_ = shown


def _one_kind(recordings, known=()) -> None:
    """Refuse mixed channels and mixed rates, naming two recordings that differ."""
    if len(recordings) < 2:
        return
    first = recordings[0]
    for r in recordings:
        if r.channels != first.channels:
            raise DataError(
                f"Channels are mixed: {first.id or 'one recording'} has {','.join(first.channels)}, "
                f"{r.id or 'another'} has {','.join(r.channels)}.",
                "Open one kind at a time, or keep the common channels only.",
            )
        if (r.row_labels is None) != (first.row_labels is None):
            raise DataError(
                f"{first.id or 'One recording'} and {r.id or 'another'} differ in kind: one has a label "
                "per row, the other one label for all.",
                "Open one kind at a time.",
            )
    rates = np.array([r.rate_hz for r in (*known, *recordings)])
    middle = float(np.median(rates))
    far = int(np.argmax(np.abs(rates / middle - 1)))
    if abs(rates[far] / middle - 1) > RATE_TOLERANCE:
        odd = (*known, *recordings)[far]
        raise DataError(
            f"Rates are mixed: {odd.id or 'one recording'} has {odd.rate_hz:g} Hz, the others {middle:g} Hz.",
            "Open one kind at a time, or state the rate if it is wrong.",
        )
