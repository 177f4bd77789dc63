"""Still pictures of sound, and a player: what is heard, what the network sees of it, on one time axis."""

from __future__ import annotations

import base64
import math
import struct
import sys
from array import array
from dataclasses import dataclass

from .html import Html, card, drawn, esc, number
from .ramp import images

_WAVE, _HEAT, _GAP = 56, 120, 8  # heights in a picture, px
_MOST_COLUMNS = 1200  # of a heat map: no screen shows more


@dataclass(frozen=True)
class Heard:
    """One clip of a ``features`` picture.

    Parameters
    ----------
    samples : (n,) array
        int16, or float of full scale (-1 to 1).
    rate_hz : float
    values : (rows, features) array of float
        What the front end makes of it, one row a hop.
    frame, hop : int
        Samples in a frame and from one frame to the next.
    title : str
    """

    samples: object
    rate_hz: float
    values: object
    frame: int
    hop: int
    title: str = ""


def wav(samples, rate_hz: float = 16000.0) -> bytes:
    """A mono 16-bit WAV file (RIFF WAVE, PCM).

    Parameters
    ----------
    samples : (n,) array
        int16, or float of full scale (-1 to 1; beyond that it is clipped).
    rate_hz : float
    """
    data = _bytes(samples)
    rate = round(rate_hz)
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16,
                       b"data", len(data))  # fmt: skip
    return head + data


def player(samples, rate_hz: float = 16000.0, label: str = "sound", seconds: float = 10.0) -> Html:
    """An audio player with the sound inside the page, so that it plays where nothing runs.

    Parameters
    ----------
    samples : (n,) array
        int16, or float of full scale.
    label : str
        What is heard, for assistive technology.
    seconds : float
        At most so much goes into the page (44 kB of text a second at 16 kHz); the rest is left out, and said.
    """
    most = round(seconds * rate_hz)
    cut = ""
    if len(samples) > most:
        whole = number(len(samples) / rate_hz, "s", 1)
        cut = f'<span class="s mut">the first {number(seconds, "s")} of {whole}</span>'
    data = base64.b64encode(wav(samples[:most], rate_hz)).decode()
    return Html(
        f'<span class="tk-play"><audio controls preload="metadata" aria-label="{esc(label)}" '
        f'src="data:audio/wav;base64,{data}"></audio>{cut}</span>'
    )


def envelope(samples, columns: int) -> list[tuple[float, float]]:
    """Lowest and highest value in each of ``columns`` equal parts (fewer if there are fewer samples); full scale 1."""
    x = _floats(samples)
    n = max(1, min(int(columns), len(x)))
    parts = [x[len(x) * k // n : len(x) * (k + 1) // n] for k in range(n)]
    return [(min(part), max(part)) for part in parts if part] or [(0.0, 0.0)]


def half_range(samples) -> float:
    """The smallest of a few round half ranges that holds the whole sound, in full scales."""
    low, high = envelope(samples, 1)[0]
    return next((s for s in (0.05, 0.1, 0.25, 0.5) if max(-low, high) <= s), 1.0)


def wave(samples, height: int = 52, columns: int = 240, limit: float = 1.0, label: str = "") -> Html:
    """A small picture of a sound's waveform: its envelope, neutral; clipped parts have a warning's edge.

    Parameters
    ----------
    samples : (n,) array
        int16, or float of full scale.
    limit : float
        Half range of the picture.
    """
    return Html(
        f'<svg class="tk-pic" style="height:{height}px" height="{height}" role="img" '
        f'aria-label="{esc(label or "waveform of the take")}">{_wave(samples, 0, height, columns, limit)}</svg>'
    )


def _wave(samples, y: float, height: float, columns: int, limit: float) -> str:
    parts = envelope(samples, columns)
    n = len(parts)
    up, down, clipped = [], [], []
    for i, (low, high) in enumerate(parts):
        top, bottom = (height / 2 - min(1.0, max(-1.0, v / limit)) * (height / 2 - 1) for v in (high, low))
        thin = max(0.0, 1.0 - (bottom - top)) / 2  # silence is a line, not nothing
        up.append(f"L{i} {top - thin:.1f}L{i + 1} {top - thin:.1f}")
        down.append(f"L{i + 1} {bottom + thin:.1f}L{i} {bottom + thin:.1f}")
        for at, full in ((0, high > 0.999), (height - 3, low < -0.999)):
            if full:
                clipped.append(f'<rect x="{i}" width="1" y="{at}" height="3" fill="var(--tk-warn)"/>')
    outline = "".join(up + down[::-1])[1:]
    return (
        f'<svg y="{y}" width="100%" height="{height}" viewBox="0 0 {n} {height}" preserveAspectRatio="none">'
        f'<line class="zero" vector-effect="non-scaling-stroke" x1="0" x2="{n}" y1="{height / 2}" y2="{height / 2}"/>'
        f'<path d="M{outline}Z" fill="var(--tk-fill)"/>{"".join(clipped)}</svg>'
    )


def features(clips, ticks, limits, unit: str, title="What the network sees", subtitle="", foot="", state="") -> Html:
    """Clips side by side: waveform above, features under it, aligned in time; one scale for all.

    Parameters
    ----------
    clips : sequence of Heard
    ticks : sequence of (float, str)
        Where on the feature axis (0 lowest, 1 highest) what stands.
    limits : (float, float)
        Values at the two ends of the ramp.
    unit : str
        Of the values, printed at the ramp.
    foot : HTML
    """
    scale = max(half_range(clip.samples) for clip in clips)  # one for all: what is louder looks louder
    cells = "".join(_clip(clip, scale, ticks, limits, single=len(clips) == 1) for clip in clips)
    low, high = limits
    bar = _image([[k / 63 for k in range(64)]], "0", "100%", 10)
    ramp = (
        f'<span class="tk-scale num">{number(low, digits=_digits(low, high))}<svg class="tk-pic" height="10" '
        f'role="img" aria-label="scale of colour">{bar}</svg>{number(high, unit, _digits(low, high))}</span>'
    )
    body = f'<div class="tk-plot tk-clips{" one" if len(clips) == 1 else ""}">{cells}</div>'
    return card(title, subtitle, body, f"{ramp}{' · ' if foot else ''}{foot}", ("none", state) if state else None)


def _clip(clip: Heard, scale: float, ticks, limits, single: bool) -> str:
    n = max(1, len(clip.samples))
    wave_height, heat_height = (_WAVE, _HEAT) if single else (44, 100)
    y = wave_height + _GAP
    values = [[float(v) for v in row] for row in clip.values]
    low, high = limits
    parts = [_wave(clip.samples, 0, wave_height, 300, scale)]
    parts.append(f'<text x="-7" y="10" text-anchor="end">+{scale:g}</text>')
    parts.append(f'<text x="-7" y="{wave_height}" text-anchor="end">{number(-scale, digits=_places(scale))}</text>')
    if len(values):
        # A column is as wide as a hop and stands in the middle of its frame.
        left = (clip.frame - clip.hop) / 2 / n
        shares = [[(v - low) / ((high - low) or 1.0) for v in row] for row in _thinned(values)]
        shares = list(zip(*shares, strict=True))[::-1]  # low features at the bottom
        x, w = f"{100 * left:.3f}%", f"{100 * len(values) * clip.hop / n:.3f}%"
        parts.append(_image(shares, x, w, heat_height, y))
    for at, words in ticks:
        parts.append(f'<text x="-7" y="{y + heat_height * (1 - at) + 4:.1f}" text-anchor="end">{esc(words)}</text>')
    seconds = n / clip.rate_hz
    step = next(s for s in (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1e9) if seconds / s <= (10 if single else 2.01))
    bottom = y + heat_height
    for k in range(int(seconds / step + 1e-6) + 1):
        at = 100 * k * step / seconds
        anchor = "start" if k == 0 else "end" if at > 94 else "middle"
        text = number(k * step, "s", 0 if step >= 1 else 2 if step == 0.25 else 1) if k else "0"
        parts.append(f'<line class="grid" x1="{at:.2f}%" x2="{at:.2f}%" y1="{bottom}" y2="{bottom + 3}"/>')
        parts.append(f'<text x="{at:.2f}%" y="{bottom + 15}" text-anchor="{anchor}">{text}</text>')
    height = bottom + 20
    label = f"{clip.title or 'sound'}: waveform, and {len(values)} columns of features under it"
    head = f'<div class="s"><b>{esc(clip.title)}</b></div>' if clip.title else ""
    picture = (
        f'<svg class="tk-pic" height="{height}" style="height:{height}px" role="img" aria-label="{esc(label)}">'
        f"{''.join(parts)}</svg>"
    )
    return f'<div class="cell">{head}{drawn(picture, label, ground="")}</div>'


def _image(shares, x: str, width: str, height: float, y: float = 0) -> str:
    light, dark = images(shares)
    place = f'x="{x}" y="{y}" width="{width}" height="{height}" preserveAspectRatio="none"'
    return f'<image class="hl" {place} href="{light}"/><image class="hd" {place} href="{dark}"/>'


def _thinned(rows: list) -> list:
    """At most so many rows: of neighbours the largest values, so that a short sound is not lost."""
    n = len(rows)
    if n <= _MOST_COLUMNS:
        return rows
    parts = (rows[n * k // _MOST_COLUMNS : n * (k + 1) // _MOST_COLUMNS] for k in range(_MOST_COLUMNS))
    return [[max(column) for column in zip(*part, strict=True)] for part in parts]


def _floats(samples) -> list[float]:
    """Samples of full scale, int16 or not."""
    if _is_int16(samples):
        return [v / 32768 for v in samples.tolist()]
    return [0.0 if math.isnan(v) else v for v in map(float, samples)]


def _bytes(samples) -> bytes:
    """Samples as int16, little endian."""
    if not _is_int16(samples):
        samples = [max(-32768, min(32767, round(v * 32768))) for v in _floats(samples)]
    counts = array("h", (int(v) for v in samples))
    if sys.byteorder == "big":
        counts.byteswap()
    return counts.tobytes()


def _is_int16(samples) -> bool:
    return str(getattr(samples, "dtype", "")) == "int16"


def _digits(low: float, high: float) -> int:
    return 0 if high - low >= 10 else 1


def _places(value: float) -> int:
    return len(f"{value:g}".partition(".")[2])
