"""The card of a take: what the recorder knows and shows of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import look
from ..data import Recording
from ..errors import TakeRefused

POINTS = 90  # of a take's picture


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
        picture = look.spark(t.recording.samples[:, columns], label=name) if columns else ""
    return (
        f'<div style="border:1px solid var(--tk-line);border-radius:4px;padding:4px 8px;min-width:0" '
        f'class="s"><b>{t.number}</b> '
        f"{look.esc(t.recording.label)}, {look.esc(t.recording.person)}{picture}{look.state(kind, words)}</div>"
    )


def reason_of(refusal: TakeRefused) -> str:
    """Why a take was refused, in a few words for its card."""
    text = refusal.what.removeprefix("The take was not kept: ").rstrip(".")
    return text[:1].lower() + text[1:]


def spark_bytes(recording: Recording) -> bytes:
    """A take's picture, int16 (points, columns): three columns, acceleration at ``POINTS`` moments in
    thousandths of g; of sound two, the lowest and highest count of each of ``POINTS`` parts."""
    if recording.is_sound:
        counts = recording.counts()[:, 0]
        counts = np.repeat(counts, -(-POINTS // len(counts)))  # at least one a part
        edges = np.linspace(0, len(counts), POINTS + 1).astype(int)[:-1]
        ends = [np.minimum.reduceat(counts, edges), np.maximum.reduceat(counts, edges)]
        return np.column_stack(ends).astype("<i2").tobytes()
    columns = [i for i, c in enumerate(recording.channels) if c[0] == "a"][:3]
    at = np.linspace(0, len(recording) - 1, POINTS)
    grid = np.arange(len(recording))
    out = np.zeros((POINTS, 3))
    for k, c in enumerate(columns):
        out[:, k] = np.interp(at, grid, recording.samples[:, c])
    return np.clip(np.rint(np.nan_to_num(out) * 1000), -32768, 32767).astype("<i2").tobytes()
