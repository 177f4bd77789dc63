"""A long recording in which it is known what is said when: heard, or composed of single words and noise."""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import DataError
from ..files import write_whole
from ..look import shown
from . import audio, units
from .keywords import BACKGROUND, SILENCE, UNKNOWN
from .noise import LABEL as NOISE
from .recording import Recording
from .segments import split_words

_NOTED = ("composed", "seed", "snr_db", "synthetic")
COLUMNS = ("start_s", "end_s", "label")
LEVEL_DB, SPREAD_DB = -26.0, 6.0  # of a word's RMS, of full scale; and how far it varies, at most
PEAK = 0.7  # of a word, at most, so that one that is all peaks does not turn the scene down
FADE_S = 0.02  # of a clip at both ends, so that nothing clicks
JOIN_S = 0.5  # one noise goes over into the next


class Event(NamedTuple):
    """Something that is said.

    Parameters
    ----------
    start_s, end_s : float
        From the start of the recording.
    label : str
        A keyword, or ``"unknown"``.
    word : str
        What was said, where the label says less; may be empty.
    """

    start_s: float
    end_s: float
    label: str
    word: str = ""


@dataclass(frozen=True, eq=False)
class Scene:
    """A long recording and what is said in it, as events, not as a label for every sample.

    Parameters
    ----------
    recording : Recording
        Of sound.
    events : sequence of Event
        Kept in the order of their start.
    card : dict
        ``composed``: whether it was put together of single words; then of what, and how.

    Raises
    ------
    DataError
        It is not sound, or an event lies outside it.
    """

    recording: Recording
    events: tuple[Event, ...]
    card: dict = field(default_factory=dict)

    def __post_init__(self):
        if not self.recording.is_sound:
            raise DataError(f"Recording {self.recording.id} is not sound.", "Give a recording of sound.")
        events = tuple(sorted(Event(*e) for e in self.events))
        for e in events:
            if not 0 <= e.start_s <= e.end_s <= self.seconds + 0.05:
                raise DataError(
                    f"{e.label!r} from {e.start_s:g} to {e.end_s:g} s is not in a recording of {self.seconds:g} s.",
                    "Check the table of events.",
                )
        object.__setattr__(self, "events", events)

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.recording.seconds

    @property
    def words(self) -> tuple[Event, ...]:
        """The events that are to be detected: not ``unknown``, not ``silence``."""
        return tuple(e for e in self.events if e.label not in BACKGROUND)

    def save(self, wav, csv=None) -> tuple[Path, Path]:
        """Write the sound and, beside it, its events; that it was composed is noted in the file.

        Parameters
        ----------
        wav, csv : path
            None: the same name with ``.csv``.
        """
        wav = Path(wav)
        table = wav.with_suffix(".csv") if csv is None else Path(csv)
        note = json.dumps({k: self.card[k] for k in _NOTED if k in self.card}) if self.card.get("composed") else ""
        return write_whole(wav, audio.to_wav(self.recording, note)), write_events(table, self.events)

    @classmethod
    def read(cls, wav, csv=None, **about) -> Scene:
        """Read what ``save`` wrote, or any long recording and its table of events; see ``read_events``."""
        wav = Path(wav)
        recording = audio.read_audio(wav, **about)
        try:
            card = json.loads(audio.note_in(wav))
        except ValueError:
            card = {}
        events = read_events(wav.with_suffix(".csv") if csv is None else csv)
        return cls(recording, events, card if isinstance(card, dict) else {})

    def __repr__(self) -> str:
        said = Counter(e.label for e in self.events)
        told = ", ".join(f"{n} {label}" for label, n in sorted(said.items())) or "nothing is said"
        made = "composed" if self.card.get("composed") else "recorded"
        made += ", synthetic" if self.card.get("synthetic") else ""
        return f"<Scene {self.recording.id or '-'}: {made}, {self.seconds:.0f} s; {told}>"

    def _repr_html_(self) -> str:
        from . import card

        return card.scene_html(self)

    _repr_pretty_ = shown


def write_events(path, events) -> Path:
    """Write events as CSV: ``start_s,end_s,label`` and, where there are any, ``word``."""
    events = [Event(*e) for e in events]
    width = 4 if any(e.word for e in events) else 3
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, "word"][:width])
    writer.writerows([[f"{e.start_s:.3f}", f"{e.end_s:.3f}", e.label, e.word][:width] for e in events])
    return write_whole(path, text.getvalue().encode())


def read_events(path) -> tuple[Event, ...]:
    """Events from a table.

    Parameters
    ----------
    path : path
        CSV with the columns ``start_s``, ``end_s``, ``label``; or labels as Audacity exports them
        (start, end, label, separated by tabs, no header).

    Returns
    -------
    tuple of Event
        By their start.

    Raises
    ------
    DataError
        A column is missing, or a line is no event (it is named).
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read ({error}).", "Give a CSV with start_s,end_s,label.") from None
    lines = text.splitlines()
    tabs = bool(lines) and "\t" in lines[0] and "start_s" not in lines[0]
    rows = list(csv.reader(io.StringIO(text), delimiter="\t" if tabs else ","))
    header = list(COLUMNS) if tabs else [name.strip().lower() for name in (rows[0] if rows else [])]
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise DataError(
            f"{path} lacks {', '.join(missing)} among its columns ({','.join(header) or 'it is empty'}).",
            "Give a CSV whose first line is start_s,end_s,label.",
        )
    events = []
    for number, row in enumerate(rows if tabs else rows[1:], 1 if tabs else 2):
        if not any(cell.strip() for cell in row) or (tabs and row[0].startswith("\\")):
            continue  # Audacity writes the frequencies of a label in a line of their own
        cells = dict(zip(header, (cell.strip() for cell in row), strict=False))
        try:
            start, end = float(cells["start_s"]), float(cells["end_s"])
            if not cells["label"] or not (math.isfinite(end) and 0 <= start <= end):
                raise ValueError
        except (KeyError, ValueError):
            raise DataError(
                f"{path}, line {number}: {','.join(row)!r} is not an event: start and end in seconds, then a label.",
                "Correct the line.",
            ) from None
        events.append(Event(start, end, cells["label"], cells.get("word", "")))
    return tuple(sorted(events))


def compose_scene(
    clips,
    noise,
    seconds: float,
    words,
    seed: int = 0,
    snr_db=(5.0, 20.0),
    *,
    words_per_minute: float = 10.0,
    others_per_minute: float = 15.0,
    stretch_s: float = 20.0,
) -> Scene:
    """Put a long recording together: words at known times, other words between them, noise under all.

    Its words are single ones, spoken for a data set: fluent speech is harder. The signal to noise
    ratio is that of a word's usual level (-26 dB of full scale; single words vary by 6 dB) to the
    noise of its stretch.

    Parameters
    ----------
    clips : Dataset or sequence of Recording
        Of sound, labelled. Give people and words that neither training nor tuning heard.
    noise : Dataset or sequence of Recording
    seconds : float
    words : sequence of str
        Labels of ``clips`` that are to be detected. All other labels are others, said between
        them and marked ``"unknown"``.
    seed : int
        The same seed, the same scene.
    snr_db : float, or (float, float)
        Or drawn anew from that range for every stretch.
    words_per_minute, others_per_minute : float
        On average; at least a second lies between one word's start and the next one's.
    stretch_s : float
        How long one noise at one level lasts, on average.

    Returns
    -------
    Scene

    Raises
    ------
    DataError
        There are no such clips, no noise, or not so much time.
    """
    words = (words,) if isinstance(words, str) else tuple(words)
    usable, noises = _usable(clips), list(noise)
    groups = [[r for r in usable if r.label in words], [r for r in usable if r.label not in words]]
    missing = [w for w in words if w not in {r.label for r in groups[0]}]
    if missing or not words:
        raise DataError(
            f"There are no clips of {', '.join(map(repr, missing)) or 'any word'}.", "Give clips of every word."
        )
    if not noises:
        raise DataError("There is no noise to compose a scene with.", "Give open_noise(...), of the test side.")
    if not (seconds > 0 and words_per_minute >= 0 and others_per_minute >= 0):
        raise DataError(f"A scene of {seconds:g} s, or fewer than no words, can't be made.", "Give positive numbers.")
    if not groups[1]:
        others_per_minute = 0.0
    counts = [round(words_per_minute * seconds / 60), round(others_per_minute * seconds / 60)]
    if sum(counts) * 1.2 > seconds:
        raise DataError(
            f"{sum(counts)} words don't fit into {seconds:g} s, a second and more for each.", "Ask for fewer a minute."
        )
    rng = np.random.RandomState([seed & 0xFFFFFFFF, 0x5CE7E])
    ratios = (snr_db, snr_db) if np.isscalar(snr_db) else tuple(snr_db)
    x, used = _background(noises, round(seconds * audio.RATE_HZ), ratios, stretch_s, rng)
    kinds = rng.permutation(np.repeat([0, 1], counts))
    decks = [_deck(group, rng, evenly=k == 0) for k, group in enumerate(groups)]
    starts = _starts(len(kinds), seconds, rng)
    events, said = [], []
    for at, kind in zip(starts, kinds, strict=True):
        r = next(decks[kind])
        events.append(_say(x, r, at, UNKNOWN if kind else r.label, rng))
        said.append(r.id)
    peak = float(np.abs(x).max())
    x /= max(1.0, peak * (1 + 1 / units.COUNTS_FULL_SCALE))
    card = {
        "composed": True,
        "seed": seed,
        "snr_db": list(map(float, ratios)),
        "noises": used,
        "clips": said,
        "synthetic": any(getattr(part, "card", {}).get("synthetic") for part in (clips, noise)),
    }
    return Scene(audio.sound(x, id=f"scene-{seed}", device="composed", source="compose_scene"), events, card)


def _usable(clips) -> list[Recording]:
    return [r for r in clips if r.is_sound and r.label and r.label not in (SILENCE, NOISE)]


def _deck(group: list[Recording], rng, evenly: bool):
    """Clips for ever, shuffled anew when all were played; of words, each as often as any other."""
    while True:
        order = [group[i] for i in rng.permutation(len(group))]
        if not evenly:
            yield from order
            continue
        by_word: dict[str, list[Recording]] = {}
        for r in order:
            by_word.setdefault(r.label, []).append(r)
        for k in range(max(map(len, by_word.values()))):
            for word in sorted(by_word, key=lambda _: rng.rand()):
                yield by_word[word][k % len(by_word[word])]


def _starts(number: int, seconds: float, rng) -> np.ndarray:
    """When clips start: at random, with 1.1 s from one to the next, and room for the last."""
    free = seconds - 1.2 * number
    return np.sort(rng.uniform(0, free, number)) + 1.1 * np.arange(number) + 0.05


def _background(noises, length: int, ratios, stretch_s: float, rng) -> tuple[np.ndarray, list]:
    """Noise of changing kind and level: each stretch comes out of the one before in half a second."""
    rate = audio.RATE_HZ
    join = round(JOIN_S * rate)
    x, used, at = np.zeros(length), [], 0
    while at < length:
        r = noises[rng.randint(len(noises))]
        n = round(stretch_s * rng.uniform(0.5, 1.5) * rate) + join
        counts = audio.at_rate(r.counts()[:, 0], r.rate_hz)
        piece = np.take(counts, rng.randint(len(counts)) + np.arange(n), mode="wrap") / units.COUNTS_FULL_SCALE
        snr = rng.uniform(*ratios) if ratios[0] != ratios[1] else float(ratios[0])
        piece *= 10 ** ((LEVEL_DB - snr) / 20) / max(audio.rms(piece), 1e-9)
        if at:
            piece[:join] *= np.sqrt(np.arange(join) / join)
        piece[-join:] *= np.sqrt(1 - np.arange(join) / join)
        x[at : at + n] += piece[: length - at]
        used.append({"from_s": round(at / rate, 3), "noise": r.word or r.id, "snr_db": round(snr, 2)})
        at += n - join
    return x, used


def _say(x: np.ndarray, r: Recording, at_s: float, label: str, rng) -> Event:
    """Add a clip, at its level, and tell where in it the word lies."""
    rate = audio.RATE_HZ
    y = audio.at_rate(r.counts()[:, 0], r.rate_hz)[: round(1.1 * rate)] / units.COUNTS_FULL_SCALE
    start = round(at_s * rate)
    y = y[: len(x) - start]
    spans = split_words(audio.sound(y), seconds=None).spans
    first, last = (spans[0].start_s, spans[-1].end_s) if spans else (0.0, len(y) / rate)
    first, last = max(first, 0.0), min(last, len(y) / rate)
    word = y[round(first * rate) : round(last * rate)]
    fade = min(round(FADE_S * rate), len(y) // 2)
    y[:fade] *= np.arange(fade) / fade
    y[len(y) - fade :] *= np.arange(fade)[::-1] / fade
    level = LEVEL_DB + rng.uniform(-SPREAD_DB, SPREAD_DB)
    gain = min(10 ** (level / 20) / max(audio.rms(word), 1e-9), PEAK / max(float(np.abs(y).max()), 1e-9))
    x[start : start + len(y)] += y * gain
    spoken = r.word or r.label
    return Event(round(float(at_s + first), 3), round(float(at_s + last), 3), label, spoken if spoken != label else "")
