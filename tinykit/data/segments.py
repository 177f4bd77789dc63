"""A long take of one word, said again and again, cut into its words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..errors import DataError
from . import audio, loudness
from .recording import Recording, plural

GAP_S = 0.22  # a stop consonant is silent for so long inside a word
CLICK_S = 0.07  # shorter than any word
# A threshold of its own choice lies between these, in dB above the noise floor.
LOWEST_DB, HIGHEST_DB = 7.0, 18.0
SHARE = 0.4  # of the way from the noise floor to the loudest
EDGES = 0.45  # a word begins and ends where it rises through this share of the threshold


class Span(NamedTuple):
    """Where a word is, in seconds, and how loud, in dB of full scale."""

    start_s: float
    end_s: float
    level_db: float


@dataclass(frozen=True, eq=False)
class Segments:
    """Words, or movements, found in a take; a sequence of recordings.

    Parameters
    ----------
    recordings : list of Recording
        One a word, as long as was asked for.
    spans : list of Span
        Where each was found.
    envelope : loudness.Envelope
        Level over time: the picture.
    floor_db : float64 array of shape (frames,)
        The noise floor that was found.
    threshold_db : float
        Above the floor, as given or chosen; a word must rise through it.
    what : str
        What was looked for: ``"word"``, ``"movement"``, or ``"window"``, which needs no finding.
    doubt : str
        Why the take should not be split so, in a sentence; empty if it may.
    """

    recordings: list[Recording]
    spans: list[Span]
    envelope: loudness.Envelope
    floor_db: np.ndarray
    threshold_db: float
    what: str = "word"
    doubt: str = ""

    def __len__(self) -> int:
        return len(self.recordings)

    def __iter__(self):
        return iter(self.recordings)

    def __getitem__(self, key):
        return self.recordings[key]

    def __repr__(self) -> str:
        found = f"<Segments: {plural(len(self), self.what)} of {self.envelope.times_s[-1]:.1f} s"
        if self.what == "window":
            return f"{found}>"
        ground = "noise floor" if self.what == "word" else "rest"
        doubt = f". {self.doubt}" if self.doubt else ""
        return (
            f"{found}, threshold {self.threshold_db:.1f} dB above a {ground} of "
            f"{np.median(self.floor_db):.0f} dB{doubt}>"
        )


def split_words(
    recording: Recording,
    threshold_db: float | None = None,
    *,
    seconds: float | None = 1.0,
    padding_s: float = 0.1,
    gap_s: float = GAP_S,
    shortest_s: float = CLICK_S,
    label: str | None = None,
) -> Segments:
    """Find the words in a long take, by energy.

    Parameters
    ----------
    recording : Recording
        Of sound: words with pauses of a third of a second or more.
    threshold_db : float, optional
        How far a word rises above the noise floor. Lower finds quieter words, and more noise.
        None: chosen by what the take holds.
    seconds : float, optional
        Length of each word's recording, the word in its middle; what is missing is silence.
        None: as long as the word with its padding.
    padding_s : float
        Kept before and after each word.
    gap_s : float
        Sounds nearer to each other than that are one word.
    shortest_s : float
        Anything shorter is a click.
    label : str, optional
        Of every word; None: the take's.

    Returns
    -------
    Segments
        A sequence of recordings, with the envelope and threshold to show.

    Raises
    ------
    DataError
        It is not sound.
    """
    if not recording.is_sound:
        raise DataError(
            f"Recording {recording.id} is not sound; words can't be split in it.", "Give a sound recording."
        )
    counts = recording.counts()[:, 0]
    shape = loudness.envelope(counts, recording.rate_hz)
    ground = loudness.floor(shape.db)
    above = shape.db - ground
    if threshold_db is None:
        threshold_db = float(np.clip(SHARE * np.quantile(above, 0.97), LOWEST_DB, HIGHEST_DB))
    spans = _spans(shape, above, threshold_db, gap_s, shortest_s)
    found = []
    for number, span in enumerate(spans):
        before = spans[number - 1].end_s if number else -np.inf
        after = spans[number + 1].start_s if number + 1 < len(spans) else np.inf
        found.append(_cut(recording, counts, span, (before, after), seconds, padding_s, number, label))
    return Segments(found, spans, shape, ground, threshold_db)


def _spans(shape, above, threshold_db: float, gap_s: float, shortest_s: float) -> list[Span]:
    """Stretches that rise through the threshold, out to where they fall to a part of it."""
    half = loudness.FRAME_S / 2
    pieces = []
    for first, last in runs(above > EDGES * threshold_db):
        part = above[first : last + 1]
        if part.max() >= threshold_db:
            pieces.append([shape.times_s[first] - half, shape.times_s[last] + half, first, last])
    # A frame is 25 ms long, so a click of 1 ms measures that.
    return [
        Span(float(a), float(b), float(shape.db[i : j + 1].max()))
        for a, b, i, j in joined(pieces, gap_s)
        if b - a - loudness.FRAME_S >= shortest_s
    ]


def joined(pieces: list, gap_s: float) -> list:
    """Pieces ``[start_s, end_s, first, last]``, those that are nearer to each other made one."""
    out: list[list] = []
    for piece in pieces:
        if out and piece[0] - out[-1][1] < gap_s:
            out[-1] = [out[-1][0], piece[1], out[-1][2], piece[3]]
        else:
            out.append(list(piece))
    return out


def runs(mask) -> list[tuple[int, int]]:
    """First and last index of every stretch that is true."""
    edges = np.flatnonzero(np.diff(np.r_[False, mask, False].astype(np.int8)))
    return [(int(a), int(b) - 1) for a, b in edges.reshape(-1, 2)]


def _cut(recording, counts, span: Span, neighbours, seconds, padding_s, number, label) -> Recording:
    rate = recording.rate_hz
    start, end = span.start_s - padding_s, span.end_s + padding_s
    if seconds is not None:
        middle = (span.start_s + span.end_s) / 2
        start, end = middle - seconds / 2, middle + seconds / 2
    # Not into the neighbours: half of the pause is theirs.
    low = max(start, (neighbours[0] + span.start_s) / 2, 0.0)
    high = min(end, (neighbours[1] + span.end_s) / 2, len(counts) / rate)
    a, b = round(low * rate), round(high * rate)
    piece = counts[a:b]
    if seconds is not None:
        length = round(seconds * rate)
        front = min(max(0, round((low - start) * rate)), length - len(piece)) if len(piece) < length else 0
        piece = np.pad(piece[:length], (front, max(0, length - len(piece) - front)))
    return audio.sound(
        piece,
        rate,
        label=recording.label if label is None else label,
        person=recording.person,
        session=recording.session,
        device=recording.device,
        recorded_at=recording.recorded_at,
        split=recording.split,
        word=recording.word,
        id=f"{recording.id or 'take'}-{number + 1:02d}",
        source=f"{recording.source or recording.id} from {low:.2f} s".strip(),
    )
