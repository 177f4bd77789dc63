"""Random inputs for a network, and realistic ones where its input's shape tells what it listens to."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from tinykit.features import frames
from tinykit.pipeline import MelFrontEnd

RATE = 16_000
SPREAD = 40  # levels of an int8 that one standard deviation of realistic features takes


def random(shape, dtype, count: int, seed: int = 0) -> np.ndarray:
    """Over the whole range."""
    rng = np.random.default_rng(seed)
    if np.issubdtype(dtype, np.floating):
        return rng.normal(0, 1, (count, *shape)).astype(dtype)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max + 1, (count, *shape)).astype(dtype)


def realistic(shape, dtype, count: int, data: Path, name: str) -> tuple[np.ndarray, str]:
    """(count, *shape), and in words what they are. ``name``: what the network is known by."""
    sizes = tuple(n for n in shape if n != 1)
    for fits, make, words in SOURCES:
        if fits(sizes, name) and data.is_dir():
            values = make(data, sizes, count)
            if values is not None:
                return _levels(values.reshape(count, *shape), dtype), words
    return _levels(_smooth(shape, count), dtype), "smooth signals of low contrast"


def _levels(values: np.ndarray, dtype) -> np.ndarray:
    """Features as a network's input: mean in the middle, one standard deviation ``SPREAD`` of 256 levels."""
    values = (values - values.mean()) / (values.std() or 1)
    if np.issubdtype(dtype, np.floating):
        return values.astype(dtype)
    info = np.iinfo(dtype)
    unit = (info.max - info.min + 1) / 256
    middle = (info.min + info.max + 1) // 2
    return np.clip(np.round(middle + SPREAD * unit * values), info.min, info.max).astype(dtype)


def _wav(path: Path, start: int, samples: int) -> np.ndarray:
    import soundfile

    sound, rate = soundfile.read(path, dtype="int16", start=start, frames=samples, always_2d=True)
    assert rate == RATE, f"{path} has {rate} Hz"
    sound = sound[:, 0]
    return np.pad(sound, (0, samples - len(sound)))


def _clips(data: Path, count: int) -> list[Path]:
    clips = sorted((data / "speech_commands").rglob("*.wav"))
    return [clips[i] for i in np.linspace(0, len(clips) - 1, count).astype(int)] if clips else []


def _speech(data: Path, sizes, count: int):
    """One second of each of some clips: (rows, bands) log-mel, or MFCC when there are few columns."""
    rows, columns = sizes if len(sizes) == 2 else (49, sizes[0] // 49)
    front = MelFrontEnd(coefficients=columns if columns <= 20 else 0, mels=40 if columns <= 20 else columns)
    clips = _clips(data, count)
    if not clips:
        return None
    return np.stack([frames(_wav(clip, 0, RATE), front)[:rows] for clip in clips])


def _hum(data: Path, sizes, count: int):
    """Five frames of 64 ms of background noise, as in the anomaly benchmark; its 128 bands from 64 of ours."""
    noises = sorted((data / "background_noise").glob("*.wav"))
    if not noises:
        return None
    front = MelFrontEnd(frame=1024, hop=512, mels=64)
    need = front.frame + 4 * front.hop
    rows = [frames(_wav(noises[i % len(noises)], 7919 * i, need), front)[:5] for i in range(count)]
    return np.stack([np.repeat(row, 2, axis=1).ravel() for row in rows])


def _strokes(data: Path, sizes, count: int):
    """Strokes of the wand as pictures: red at the beginning, by way of green, to blue at the end."""
    side = sizes[0]
    strokes = []
    for path in sorted((data / "gestures" / "wand_digit_strokes").glob("*.json")):
        strokes += [s["strokePoints"] for s in json.loads(path.read_text(encoding="utf-8"))["strokes"][:5]]
    if len(strokes) < count:
        return None
    pictures = np.zeros((count, *sizes))
    for picture, stroke in zip(pictures, strokes[:: len(strokes) // count], strict=False):
        points = np.array([(p["y"], p["x"]) for p in stroke])
        along = np.linspace(0, 1, 12 * len(points))
        points = np.stack([np.interp(along, np.linspace(0, 1, len(points)), axis) for axis in points.T], axis=1)
        at = np.clip(((points / 0.7 + 0.5) * side).astype(int), 0, side - 1)
        colours = np.stack([np.clip(1 - 2 * along, 0, 1), 1 - np.abs(2 * along - 1), np.clip(2 * along - 1, 0, 1)], 1)
        picture[side - 1 - at[:, 0], at[:, 1]] = colours
    return pictures


def _smooth(shape, count: int) -> np.ndarray:
    """Random walks along every axis that is long enough."""
    rng = np.random.default_rng(1)
    values = rng.normal(0, 1, (count, *shape))
    for axis in range(1, values.ndim):
        if values.shape[axis] > 4:
            values = np.cumsum(values, axis=axis)
    return values


SOURCES = (
    (lambda s, name: s in ((49, 10), (490,)), _speech, "MFCC of speech clips"),
    (lambda s, name: s in ((49, 40), (1960,)), _speech, "log-mel of speech clips"),
    (lambda s, name: s == (640,), _hum, "log-mel of background noise"),
    (lambda s, name: s == (32, 32, 3) and "wand" in name, _strokes, "strokes of a wand, rasterised"),
)
