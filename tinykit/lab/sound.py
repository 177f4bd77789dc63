"""Sound in a lesson: what the network sees of it, and a player to hear it with."""

from __future__ import annotations

import numpy as np

from .. import look
from ..errors import DataError
from ..pipeline import MelFrontEnd

_MOST_CLIPS = 12
_DB = 10 / np.log(10)  # natural logarithm of an energy to decibels


def features(recordings, front_end=None, title="", limits=None, subtitle="", foot="", state="") -> look.Html:
    """Show what the network sees: the waveform, and its features under it on the same time axis.

    Parameters
    ----------
    recordings : Recording, Dataset or sequence of Recording
        Sound; several stand side by side, on one scale of colour (at most 12).
    front_end : MelFrontEnd or Pipeline, optional
        Default: log-mel, 40 bands, 30 ms frames every 20 ms.
    title : str, optional
    limits : (float, float), optional
        Values at the ends of the ramp; default from the clips shown.
    subtitle, foot, state : str, optional
        What stands beside the title, after the facts, and at the right.

    Returns
    -------
    Html
        Log-mel energies are shown in decibels. With the front end's ``mean`` and ``scale`` set, and
        for MFCC, the very numbers that enter the network are shown.

    Raises
    ------
    DataError
        There is no sound in it.
    """
    front = getattr(front_end, "front_end", front_end) or MelFrontEnd()
    clips = _sounds(recordings)
    raw = not (front.coefficients or front.mean or front.scale)
    shown = []
    for clip in clips[:_MOST_CLIPS]:
        values = _frames(clip, front) * (_DB if raw else 1.0)
        shown.append(look.Heard(clip.counts()[:, 0], clip.rate_hz, values, front.frame, front.hop, _title(clip)))
    if limits is None:
        everything = np.concatenate([c.values.ravel() for c in shown])
        limits = tuple(float(v) for v in np.quantile(everything, [0.02, 0.999])) if len(everything) else (0.0, 1.0)
    kind = f"{front.coefficients} MFCC" if front.coefficients else f"{front.mels} mel bands"
    rate = clips[0].rate_hz
    facts = look.dots(
        kind, f"one column = {look.number(1000 * front.hop / rate, 'ms', 0)}",
        f"frame {look.number(1000 * front.frame / rate, 'ms', 0)}",
        f"{len(clips) - _MOST_CLIPS} more not shown" if len(clips) > _MOST_CLIPS else "",
    )  # fmt: skip
    rows, columns = shown[0].values.shape
    numbers = f"{rows} × {columns} numbers from {look.number(len(clips[0]))} samples"
    sub = subtitle or (numbers if len(clips) == 1 else "")
    facts = look.dots(facts, foot)
    unit = "dB" if raw else "(as the network gets it)" if front.scale else ""
    return look.features(shown, _ticks(front), limits, unit, title or "What the network sees", sub, facts, state)


def play(recordings, title: str = "", seconds: float = 10.0) -> look.Html:
    """Show the waveform of recordings, each with a player; the sound travels in the page.

    Parameters
    ----------
    recordings : Recording, Dataset or sequence of Recording
        Sound, at most 12.
    title : str, optional
    seconds : float
        At most so much of each goes into the page.

    Returns
    -------
    Html

    Raises
    ------
    DataError
        There is no sound in it.
    """
    clips = _sounds(recordings)
    cells = []
    # One for all: what is louder looks louder.
    scale = max(look.half_range(clip.counts()[:, 0]) for clip in clips[:_MOST_CLIPS])
    for clip in clips[:_MOST_CLIPS]:
        counts = clip.counts()[:, 0]
        name = _title(clip)
        player = look.player(counts, clip.rate_hz, f"{name}, {clip.seconds:.1f} seconds", seconds)
        facts = f"{look.number(clip.seconds, 's', 2)}, drawn ±{scale:g} of full scale"
        head = f'<div class="s"><b>{look.esc(name)}</b> <span class="mut">{facts}</span></div>'
        picture = look.wave(counts, limit=scale, label=f"waveform of {name}")
        cells.append(f'<div class="cell" style="padding:0">{head}{picture}{player}</div>')
    one = " one" if len(cells) == 1 else ""
    more = f"{len(clips) - _MOST_CLIPS} more not shown" if len(clips) > _MOST_CLIPS else ""
    body = f'<div class="tk-clips{one}">{"".join(cells)}</div>'
    return look.card(title or ("Sound" if one else f"{len(clips)} sounds"), "", body, more)


def _sounds(recordings) -> list:
    found = [recordings] if hasattr(recordings, "samples") else list(recordings)
    deaf = [r for r in found if r.channels != ("audio",)]
    if deaf or not found:
        what = f"{deaf[0].id or 'It'} has channels {', '.join(deaf[0].channels)}" if deaf else "There is no recording"
        raise DataError(f"{what}, expected sound (channel audio).", "Give recordings of a microphone.")
    return found


def _title(clip) -> str:
    return ", ".join(x for x in (clip.label, clip.person) if x) or clip.id or "sound"


def _frames(clip, front) -> np.ndarray:
    from ..features import frames

    return np.asarray(frames(clip.counts()[:, 0], front), np.float64)


def _ticks(front) -> list:
    """Places on the feature axis, 0 to 1, in words: frequencies, or the number of the coefficient."""
    if front.coefficients:
        n = front.coefficients
        return [((k + 0.5) / n, str(k)) for k in range(0, n, max(1, round(n / 5)))]
    low, high = _mel(front.low_hz), _mel(front.high_hz)
    # Band k is centred at step k + 1 of mels + 1 (HTK); its row is k + 0.5 of mels.
    step = (high - low) / (front.mels + 1)
    out = []
    for hz, words in ((250, "250 Hz"), (1000, "1 kHz"), (2000, "2 kHz"), (4000, "4 kHz")):
        at = ((_mel(hz) - low) / step - 0.5) / front.mels
        if 0.02 < at < 0.98:
            out.append((at, words))
    return out


def _mel(hz: float) -> float:
    return 2595.0 * np.log10(1.0 + hz / 700.0)  # the HTK Book 3.4, eq. 5.13
