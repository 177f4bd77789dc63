"""Flaws of recordings of sound, for an audit: what a listener would say of them."""

from __future__ import annotations

from . import units
from .flaws import Finding, listed
from .loudness import loudness
from .recording import plural
from .take import LIMITS, REST
from .windows import SAME_RATE

# One row a finding: kind, grade, what it says, what to do.
_TOLD = {
    "silent": (
        "bad",
        "{} no sound: all samples are equal",
        "Leave them out; check the microphone.",
    ),
    "too quiet": (
        "warn",
        "{} very quiet (loudest part below {limit:.0f} dB of full scale)",
        "Listen to them; leave them out, or record them nearer to the microphone.",
    ),
    "no word": (
        "bad",
        "in {} nothing stands out: the loudest part is less than {above:g} dB above the quietest",
        "Leave them out, or label them as noise.",
    ),
    "cut off": (
        "warn",
        "{} cut off: the first or last moment is less than {edge:g} dB below the loudest",
        "Listen to some: a network that learns halves of words hears words in halves.",
    ),
    "clipped": (
        "warn",
        "{} clipped (more than {clipped:.1%} of the samples)",
        "Where it is one person's, record them again with less gain.",
    ),
}
_VERBS = {"silent": ("has", "have"), "too quiet": ("is", "are"), "cut off": ("is", "are"), "clipped": ("is", "are")}


def faults(recordings) -> list[Finding]:
    """Recordings that are silent, too quiet, without a word, cut off or clipped, a finding each kind."""
    found: dict[str, list] = {kind: [] for kind in _TOLD}
    for r in recordings:
        for kind in _kinds(r):
            found[kind].append(r)
    limits = {"limit": LIMITS.quiet_db, "above": LIMITS.above_db, "edge": LIMITS.edge_db}
    out = []
    for kind, group in found.items():
        if group:
            grade, text, way_out = _TOLD[kind]
            how_many = f"{len(group)} of {plural(len(recordings), 'recording')}"
            if kind in _VERBS:
                how_many += f" {_VERBS[kind][len(group) > 1]}"
            told = text.format(how_many, clipped=LIMITS.clipped_sound, **limits)
            out.append(Finding(kind, grade, f"{told}: {listed(group)}", tuple(r.id for r in group), way_out))
    return out


def _kinds(r):
    counts = r.counts()
    if counts.max() == counts.min():
        if (r.label or "").lower() not in REST:
            yield "silent"
        return
    heard = loudness(counts, r.rate_hz)
    if heard.clipped > LIMITS.clipped_sound:
        yield "clipped"
    if (r.label or "").lower() in REST:
        return
    if heard.level_db < LIMITS.quiet_db:
        yield "too quiet"
    elif heard.above_db < LIMITS.above_db:
        yield "no word"
    elif heard.edge_db < LIMITS.edge_db and heard.above_db > LIMITS.edge_db + 3:
        yield "cut off"


def rates(recordings) -> list[Finding]:
    """Sound that is not at 16 kHz."""
    odd = [r for r in recordings if abs(r.rate_hz / units.SOUND_RATE_HZ - 1) > SAME_RATE]
    if not odd:
        return []
    return [
        Finding(
            "rate",
            "warn",
            f"{plural(len(odd), 'recording')} not at {units.SOUND_RATE_HZ:g} Hz: "
            + ", ".join(f"{r.id} ({r.rate_hz:g} Hz)" for r in odd[:5]),
            tuple(r.id for r in odd),
            "Resample them: audio.at_rate(...); a wrong rate sounds too high or too low.",
        )
    ]
