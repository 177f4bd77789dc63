"""The tables of a mel front end, as the device reads them."""

from __future__ import annotations

import struct

import numpy as np

from ..errors import ModelError
from ..pipeline import MelFrontEnd

# As in hardware/TinyKit/src/tk_mel.h, which has the layout in words.
_HEADER = struct.Struct("<HHHBBfffHH")
RATE_HZ = 16000.0
FRAMES, MAX_BANDS, FLOORS = (130, 1024), 80, (1e-20, 1.0)
_MAX_FACTOR = 1e9


def points(frame: int) -> int:
    """Points of the FFT of a frame: the next power of two, at least 256."""
    return max(256, 1 << (frame - 1).bit_length())


def window(frame: int) -> np.ndarray:
    """Periodic Hann window, float64 (frame,)."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / frame)


def weights(front_end: MelFrontEnd) -> np.ndarray:
    """Triangles of the mel bands: float64, shape (bins, mels), bins = points / 2 + 1.

    On the scale of HTK, 2595 log10(1 + f/700), the edges and middles of the bands lie evenly, and
    each triangle has straight sides (as in HTK and tf.signal; librosa's sides are straight in
    hertz). Not normalised: every triangle's top is 1.

    References
    ----------
    S. Young et al., The HTK Book (version 3.4), section 5.6.
    """
    front = front_end
    hertz = np.arange(points(front.frame) // 2 + 1) * RATE_HZ / points(front.frame)
    edges = np.linspace(_mel(front.low_hz), _mel(front.high_hz), front.mels + 2)
    rising = (_mel(hertz)[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - _mel(hertz)[:, None]) / (edges[2:] - edges[1:-1])
    return np.maximum(0.0, np.minimum(rising, falling))


def dct(front_end: MelFrontEnd) -> np.ndarray:
    """Orthonormal DCT-II of the bands: float64, shape (coefficients, mels)."""
    n, k = front_end.mels, np.arange(front_end.coefficients)[:, None]
    table = np.sqrt(2 / n) * np.cos(np.pi * k * (np.arange(n) + 0.5) / n)
    table[:1] /= np.sqrt(2)
    return table


def pack_front(front_end: MelFrontEnd, input_scale: float, input_zero_point: int) -> bytes:
    """Pack the tables of a mel front end for the device.

    Parameters
    ----------
    front_end : MelFrontEnd
    input_scale, input_zero_point : float, int
        Quantisation of the network's int8 input.

    Returns
    -------
    bytes
        The block of a pipeline section, a multiple of 4 bytes long; ``tk_mel_parse`` in the C core
        accepts it.

    Raises
    ------
    ModelError
        Something does not fit the device: the sentence says what, its limits, and what was got.
    """
    _check(front_end)
    front, n = front_end, len(front_end.features)
    table = weights(front).astype(np.float32)
    table[[0, -1]] = 0  # 0 Hz and half the rate: on the very edge of a triangle, rounding aside
    spans, values = [], []
    for band, column in enumerate(table.T):
        used = np.flatnonzero(column)
        if not len(used):
            raise ModelError(
                f"Mel band {band} of {front.mels} lies between two bins of the FFT and would always be silent.",
                "Use fewer mels, a longer frame, or a wider range of frequencies.",
            )
        spans += [used[0], len(used)]
        values.append(column[used[0] : used[-1] + 1])
    if not (np.isfinite(input_scale) and input_scale > 0 and -128 <= input_zero_point <= 127):
        raise ModelError(
            f"The network's input has scale {input_scale:g} and zero point {input_zero_point}; expected a positive "
            "scale and -128 to 127.",
            "Quantise the network with tk.quantize.",
        )
    scale = np.asarray(front.scale or (1.0,) * n, np.float64)
    mean = np.asarray(front.mean or (0.0,) * n, np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        gain = scale / input_scale
        offset = input_zero_point - mean * gain
    if not ((np.abs(gain) <= _MAX_FACTOR).all() and (np.abs(offset) <= _MAX_FACTOR).all()):  # NaN neither
        raise ModelError(
            f"The front end's mean and scale with an input scale of {input_scale:g} are out of the device's range.",
            "Scale features to about one standard deviation, and quantise again.",
        )
    values = np.concatenate(values)
    return b"".join(
        (
            _HEADER.pack(front.frame, front.hop, points(front.frame), front.mels, front.coefficients,
                         front.floor, front.low_hz, front.high_hz, len(values), 0),
            (window(front.frame) / 65536).astype("<f4").tobytes(),
            np.asarray(spans, "<u2").tobytes(),
            *(v.astype("<f4").tobytes() for v in (values, dct(front), gain, offset)),
        )
    )  # fmt: skip


def unpack_front(block: bytes) -> tuple[MelFrontEnd, int]:
    """What a block says of its front end, all but mean and scale, and how many bytes it has.

    Raises
    ------
    ModelError
        It is no such block.
    """
    try:
        frame, hop, n, mels, coefficients, floor, low, high, count, _ = _HEADER.unpack_from(block)
        front = MelFrontEnd(frame, hop, mels, _short(low), _short(high), coefficients, _short(floor))
        _check(front)
        used = _HEADER.size + 4 * (frame + mels + count + coefficients * mels + 2 * len(front.features))
        if n != points(frame) or used > len(block):
            raise ValueError
    except (ValueError, struct.error, ModelError):
        raise ModelError("These bytes are no mel front end of this tinykit.", "Deploy the pipeline again.") from None
    return front, used


def _short(value: float) -> float:
    """The shortest decimal of a float32: 0.0001 for what 1e-4 became on its way."""
    return float(str(np.float32(value)))


def _mel(hertz):
    return 2595.0 * np.log10(1.0 + np.asarray(hertz, np.float64) / 700.0)


def _check(front: MelFrontEnd) -> None:
    n, half = len(front.features), RATE_HZ / 2
    for fits, what, got, limits in (
        (FRAMES[0] <= front.frame <= FRAMES[1] and front.frame % 2 == 0, "frame", f"{front.frame} samples",
         f"an even number from {FRAMES[0]} to {FRAMES[1]}"),
        (1 <= front.hop <= front.frame, "hop", f"{front.hop} samples", f"1 to the frame's {front.frame}"),
        (1 <= front.mels <= MAX_BANDS, "number of mels", front.mels, f"1 to {MAX_BANDS}"),
        (0 <= front.coefficients <= front.mels, "number of coefficients", front.coefficients,
         f"0 (log-mel) to the number of mels, {front.mels}"),
        (0 <= front.low_hz < front.high_hz <= half, "range of frequencies",
         f"{front.low_hz:g} to {front.high_hz:g} Hz", f"0 to {half:g} Hz, the lower edge first"),
        (FLOORS[0] <= front.floor <= FLOORS[1], "floor", front.floor, f"{FLOORS[0]:g} to {FLOORS[1]:g}"),
        (len(front.mean) in (0, n), "number of means", len(front.mean), f"{n}, one a feature, or none"),
        (len(front.scale) in (0, n), "number of scales", len(front.scale), f"{n}, one a feature, or none"),
    ):  # fmt: skip
        if not fits:
            raise ModelError(f"The front end's {what} is {got}, the device takes {limits}.", "Change it and try again.")
