"""The pipeline section of a plan: all that the device must know besides the network."""

from __future__ import annotations

import math
import struct
from fractions import Fraction

import numpy as np

from ..errors import ModelError
from ..pipeline import IMU_CHANNELS, Decision, ImuFrontEnd, Pipeline

# As in hardware/TinyKit/src/tk_pipeline.h, which has the layout in words.
_HEADER = struct.Struct("<4sHH32sIHHBBBBBbBBHH8s")
_MAGIC, _FORMAT = b"TKPS", 1
_CENTER, _LENGTH = 1, {"a": 2, "g": 4}
MAX_WINDOW, MAX_LABELS, MAX_SMOOTHING = 512, 64, 16
RATES_HZ = (1.0, 4000.0)


def pack_section(
    pipeline: Pipeline,
    input_scale: float,
    input_zero_point: int,
    output_scale: float = 1 / 256,
    output_zero_point: int = -128,
) -> bytes:
    """Pack what the device must know of a pipeline besides its network.

    Parameters
    ----------
    pipeline : Pipeline
        Its networks are not looked at.
    input_scale, input_zero_point : float, int
        Quantisation of the network's int8 input.
    output_scale, output_zero_point : float, int
        Quantisation of its output; an int8 softmax has 1/256 and -128, and the device reads no other.

    Returns
    -------
    bytes
        The section, a multiple of 4 bytes long; ``tk_pipeline_parse`` in the C core accepts it.

    Raises
    ------
    ModelError
        Something does not fit the device: the sentence says what, its limits, and what was got.
    """
    front = pipeline.front_end
    _check_front_end(front)
    if output_scale != 1 / 256 or output_zero_point != -128:
        raise ModelError(
            f"The network's output has scale {output_scale:g} and zero point {output_zero_point}, "
            f"the device reads probabilities with scale 1/256 and zero point -128.",
            "End the network with a softmax, and quantise it with tk.quantize.",
        )
    _need(-128 <= input_zero_point <= 127, "input zero point", input_zero_point, "-128 to 127")
    _need(RATES_HZ[0] <= pipeline.rate_hz <= RATES_HZ[1], "rate", f"{pipeline.rate_hz:g} Hz", "1 to 4000 Hz")
    _need(1 <= pipeline.window <= MAX_WINDOW, "window", f"{pipeline.window} samples", f"1 to {MAX_WINDOW}")
    _need(1 <= pipeline.hop <= 0xFFFF, "hop", f"{pipeline.hop} samples", "1 to 65535")
    name = _text(pipeline.name, 31, "name")
    labels = [_text(label, 63, "label") for label in pipeline.labels]
    _need(1 <= len(labels) <= MAX_LABELS, "number of labels", len(labels), f"1 to {MAX_LABELS}")
    rule = pipeline.decision
    _need(1 <= rule.smoothing <= MAX_SMOOTHING, "smoothing", rule.smoothing, f"1 to {MAX_SMOOTHING} answers")
    _need(0 <= rule.threshold <= 1, "threshold", rule.threshold, "0 to 1")
    _need(0 <= rule.suppression_s <= 65.535, "suppression", f"{rule.suppression_s} s", "0 to 65.535 s")
    scales = front.scale
    _need(len(scales) == len(front.features), "number of feature scales", len(scales), str(len(front.features)))
    body = b"".join(struct.pack("<ii", *fixed_point(scale, input_scale)) for scale in scales)
    body += b"".join(bytes([len(label)]) + label for label in labels)
    body += b"\0" * (-len(body) % 4)
    flags = _CENTER * front.center + sum(_LENGTH[m] for m in front.magnitude)
    channels = bytes(IMU_CHANNELS.index(c) for c in front.channels)
    return (
        _HEADER.pack(
            _MAGIC, _FORMAT, _HEADER.size + len(body), name, round(pipeline.rate_hz * 1000),
            pipeline.window, pipeline.hop, 0, len(channels), len(front.features), len(labels),
            flags, input_zero_point, rule.smoothing, 0, round(rule.threshold * 65535),
            round(rule.suppression_s * 1000), channels.ljust(8, b"\xff"),
        )
        + body
    )  # fmt: skip


def unpack_section(section: bytes) -> Pipeline:
    """What a section says of its pipeline: all but the networks and the feature scales.

    Raises
    ------
    ModelError
        It is no pipeline section, or one of another format.
    """
    try:
        (magic, version, length, name, rate_mhz, window, hop, _, channels, features, labels, flags, _, smoothing, _,
         threshold, suppression_ms, order) = _HEADER.unpack_from(section)  # fmt: skip
        if magic != _MAGIC or version != _FORMAT or length > len(section):
            raise ValueError
        at = _HEADER.size + 8 * features
        texts = []
        for _ in range(labels):
            texts.append(section[at + 1 : at + 1 + section[at]].decode())
            at += 1 + section[at]
        front = ImuFrontEnd(
            tuple(IMU_CHANNELS[c] for c in order[:channels]),
            bool(flags & _CENTER),
            tuple(m for m in "ag" if flags & _LENGTH[m]),
        )
        name = name.rstrip(b"\0").decode()
    except (ValueError, IndexError, struct.error):
        raise ModelError("These bytes are no pipeline section of this tinykit.", "Deploy the pipeline again.") from None
    rule = Decision(smoothing, threshold / 65535, suppression_ms / 1000)
    return Pipeline(name, "gesture", rate_mhz / 1000, window, hop, front, tuple(texts), rule)


def fixed_point(scale: float, input_scale: float) -> tuple[int, int]:
    """``scale / input_scale`` as (multiplier, shift): multiplier / 2**shift, multiplier of 31 bits.

    Raises
    ------
    ModelError
        A scale is not a positive number, or the ratio is out of the device's range.
    """
    if not all(math.isfinite(s) and s > 0 for s in (scale, input_scale)):
        raise ModelError(
            f"Scales must be positive numbers, got {scale:g} for a feature and {input_scale:g} for the input.",
            "Train again: a channel that never changes has no scale.",
        )
    ratio = Fraction(scale) / Fraction(input_scale)  # exact, so the same on every machine
    shift = 30 - (ratio.numerator.bit_length() - ratio.denominator.bit_length())
    multiplier = round(ratio * Fraction(2) ** shift)
    while multiplier >= 1 << 31:
        shift -= 1
        multiplier = round(ratio * Fraction(2) ** shift)
    while multiplier < 1 << 30:
        shift += 1
        multiplier = round(ratio * Fraction(2) ** shift)
    if not 16 <= shift <= 62:
        raise ModelError(
            f"A feature scale of {scale:g} with an input scale of {input_scale:g} is out of the device's range.",
            "Scale features to about one standard deviation, and quantise again.",
        )
    return multiplier, shift


def _check_front_end(front: ImuFrontEnd) -> None:
    order = [IMU_CHANNELS.index(c) for c in front.channels if c in IMU_CHANNELS]
    if not front.channels or len(order) != len(front.channels) or order != sorted(set(order)):
        raise ModelError(
            f"The front end's channels are {', '.join(front.channels) or 'none'}; the device has "
            f"{', '.join(IMU_CHANNELS)}, each at most once and in this order.",
            "Build the front end with those names.",
        )
    for m in front.magnitude:
        needed = [m + axis for axis in "XYZ"]
        if m not in _LENGTH or not set(needed) <= set(front.channels):
            raise ModelError(
                f"The magnitude {m!r} can't be computed from {', '.join(front.channels)}.",
                'Magnitudes are "a" and "g", and need all three channels of their sensor.',
            )
    if list(front.magnitude) != sorted(set(front.magnitude)):
        raise ModelError(f"The magnitudes are {front.magnitude}.", 'Give "a" before "g", each once.')


def _text(text: str, most: int, what: str) -> bytes:
    data = text.encode()
    _need(1 <= len(data) <= most and b"\0" not in data, what, repr(text), f"1 to {most} bytes of UTF-8")
    return data


def _need(fits: bool, what: str, got, limits: str) -> None:
    if not fits:
        raise ModelError(f"The pipeline's {what} is {got}, the device takes {limits}.", "Change it and try again.")


def probabilities_of(answers) -> np.ndarray:
    """A network's int8 answers as float64 probabilities of the same shape, in steps of 1/256.

    Scale and zero point are those that ``pack_section`` holds every network to.
    """
    return (np.asarray(answers).astype(np.float64) + 128) / 256
