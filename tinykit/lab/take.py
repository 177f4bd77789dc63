"""The card of a take: what the recorder knows and shows of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import look
from ..data import Recording
from ..errors import TinykitError

POINTS = 90  # of a take's picture
GAP = -32768  # stands in a picture where nothing arrived


@dataclass
class TakeCard:
    """One take as the recorder shows it.

    ``state``: ``"new"`` (not looked at), ``"good"``, ``"flag"`` (kept, with a warning), ``"refused"``
    (not in the dataset); ``why`` in words; ``gone``: discarded, and can be had back.
    """

    number: int
    recording: Recording
    state: str
    why: str = ""
    gone: bool = False


def card_html(t: TakeCard) -> str:
    """The card as it stands, for a still picture."""
    kind, words = {"flag": ("warn", t.why), "refused": ("warn", f"refused: {t.why}"), "new": ("run", "new")}.get(
        t.state, ("ok", "good")
    )
    name = f"take {t.number}, {words}"
    columns = [i for i, c in enumerate(t.recording.channels) if c[0] == "a"]
    if t.recording.is_sound:
        picture = look.wave(t.recording.counts()[:, 0], label=name)
    else:
        gaps = [(row + 1,) for row in _holes(t.recording)]
        picture = look.spark(t.recording.samples[:, columns], gaps=gaps, label=name) if columns else ""
    return (
        f'<div style="border:1px solid var(--tk-line);border-radius:4px;padding:4px 8px;min-width:0" '
        f'class="s"><b>{t.number}</b> '
        f"{look.esc(t.recording.label)}, {look.esc(t.recording.person)}{picture}{look.state(kind, words)}</div>"
    )


def reason_of(refusal: TinykitError) -> str:
    """Why a take was refused, in a few words for its card."""
    text = refusal.what.removeprefix("The take was not kept: ").rstrip(".")
    return text[:1].lower() + text[1:]


def gaps_of(recording: Recording) -> list[list[float]]:
    """Where samples of the IMU are missing: shares of the take's length, ``[[from, to], ...]``."""
    times = recording.timestamps_ms
    return [[float((times[row] - times[0]) / (times[-1] - times[0])) for row in (k, k + 1)] for k in _holes(recording)]


def _holes(recording: Recording) -> list[int]:
    """Rows after which samples are missing."""
    times = recording.timestamps_ms
    if times is None or len(times) < 3 or times[-1] <= times[0]:
        return []
    steps = np.diff(times)
    return np.flatnonzero(steps > 1.5 * np.median(steps)).tolist()


def spark_bytes(recording: Recording, points: int = POINTS) -> bytes:
    """A take's picture, int16 (points, columns): three columns, acceleration at so many moments in thousandths
    of g, ``GAP`` where samples were lost; of sound two, the lowest and highest count of each of so many parts."""
    if recording.is_sound:
        counts = recording.counts()[:, 0]
        counts = np.repeat(counts, -(-points // len(counts)))  # at least one a part
        edges = np.linspace(0, len(counts), points + 1).astype(int)[:-1]
        ends = [np.minimum.reduceat(counts, edges), np.maximum.reduceat(counts, edges)]
        return np.column_stack(ends).astype("<i2").tobytes()
    columns = [i for i, c in enumerate(recording.channels) if c[0] == "a"][:3]
    at, n = np.linspace(0, 1, points), len(recording)
    times = recording.timestamps_ms
    even = times is None or n < 2 or times[-1] <= times[0]
    grid = np.linspace(0, 1, n) if even else (times - times[0]) / (times[-1] - times[0])
    out = np.zeros((points, 3))
    for k, c in enumerate(columns):
        out[:, k] = np.interp(at, grid, recording.samples[:, c])
    out = np.clip(np.rint(np.nan_to_num(out) * 1000), GAP + 1, 32767)
    for start, end in gaps_of(recording):
        out[(at > start) & (at < end)] = GAP
    return out.astype("<i2").tobytes()
