"""The pipeline section of a plan: all that the device must know besides the network."""

from __future__ import annotations

import math
import struct
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from ..errors import ModelError
from ..pipeline import IMU_CHANNELS, Decision, ImuFrontEnd, Pipeline
from .mel import pack_front, unpack_front

# As in hardware/TinyKit/src/tk_pipeline.h, which has the layout in words.
_HEADER = struct.Struct("<4sHH32sIHHBBBBBbBBHH8s")
_MAGIC, _FORMAT = b"TKPS", 1
_CENTER, _LENGTH = 1, {"a": 2, "g": 4}
MAX_WINDOW, MAX_LABELS, MAX_SMOOTHING = 512, 64, 16
RATES_HZ = (1.0, 4000.0)
_IMU, _MIC = 0, 1
SOUND_RATE_HZ, MAX_SOUND_WINDOW, MAX_SOUND_INPUT = 16000.0, 16384, 6144
MAX_SECTION = 0xFFFF


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
    if output_scale != 1 / 256 or output_zero_point != -128:
        raise ModelError(
            f"The network's output has scale {output_scale:g} and zero point {output_zero_point}, "
            f"the device reads probabilities with scale 1/256 and zero point -128.",
            "End the network with a softmax, and quantise it with tk.quantize.",
        )
    _need(-128 <= input_zero_point <= 127, "input zero point", input_zero_point, "-128 to 127")
    _need(1 <= pipeline.hop <= 0xFFFF, "hop", f"{pipeline.hop} samples", "1 to 65535")
    name = _text(pipeline.name, 31, "name")
    labels = [_text(label, 63, "label") for label in pipeline.labels]
    _need(1 <= len(labels) <= MAX_LABELS, "number of labels", len(labels), f"1 to {MAX_LABELS}")
    sound = pipeline.sensor == "mic"
    front = _sound(pipeline, input_scale, input_zero_point) if sound else _imu(pipeline, input_scale)
    threshold, smoothing, suppression_ms, thresholds = _rule(pipeline.decision, len(labels))
    body = front.tables
    body += _padded(struct.pack(f"<{len(thresholds)}H", *thresholds))
    body += _padded(b"".join(bytes([len(label)]) + label for label in labels))
    length = _HEADER.size + len(body)
    _need(length <= MAX_SECTION, "section", f"{length} bytes", f"{MAX_SECTION}: fewer labels, mels or coefficients")
    return (
        _HEADER.pack(
            _MAGIC, _FORMAT, length, name, round(pipeline.rate_hz * 1000), pipeline.window, pipeline.hop,
            _MIC if sound else _IMU, len(front.channels), len(pipeline.front_end.features), len(labels),
            front.flags, input_zero_point, smoothing, len(thresholds), threshold, suppression_ms,
            front.channels.ljust(8, b"\xff"),
        )
        + body
    )  # fmt: skip


class _Front(NamedTuple):
    """The part of a section that depends on the sensor."""

    channels: bytes
    flags: int
    tables: bytes


def _imu(pipeline: Pipeline, input_scale: float) -> _Front:
    front = pipeline.front_end
    _check_front_end(front)
    _need(RATES_HZ[0] <= pipeline.rate_hz <= RATES_HZ[1], "rate", f"{pipeline.rate_hz:g} Hz", "1 to 4000 Hz")
    _need(1 <= pipeline.window <= MAX_WINDOW, "window", f"{pipeline.window} samples", f"1 to {MAX_WINDOW}")
    scales = front.scale
    _need(len(scales) == len(front.features), "number of feature scales", len(scales), str(len(front.features)))
    tables = b"".join(struct.pack("<ii", *fixed_point(scale, input_scale)) for scale in scales)
    flags = _CENTER * front.center + sum(_LENGTH[m] for m in front.magnitude)
    return _Front(bytes(IMU_CHANNELS.index(c) for c in front.channels), flags, tables)


def _sound(pipeline: Pipeline, input_scale: float, input_zero_point: int) -> _Front:
    front, window, hop = pipeline.front_end, pipeline.window, pipeline.hop
    tables = pack_front(front, input_scale, input_zero_point)  # which checks the front end
    _need(pipeline.rate_hz == SOUND_RATE_HZ, "rate", f"{pipeline.rate_hz:g} Hz", "16000 Hz for sound")
    limits = f"a frame ({front.frame}) to {MAX_SOUND_WINDOW}"
    _need(front.frame <= window <= MAX_SOUND_WINDOW, "window", f"{window} samples", limits)
    _need(hop % front.hop == 0, "hop", f"{hop} samples", f"a multiple of the front end's hop, {front.hop}")
    size = math.prod(pipeline.input_shape)
    _need(size <= MAX_SOUND_INPUT, "input", f"{size} features", f"at most {MAX_SOUND_INPUT}")
    return _Front(b"\0", 0, tables)


def _rule(rule: Decision, labels: int) -> tuple[int, int, int, list[int]]:
    """Threshold, smoothing, suppression and thresholds as the device has them."""
    _need(1 <= rule.smoothing <= MAX_SMOOTHING, "smoothing", rule.smoothing, f"1 to {MAX_SMOOTHING} answers")
    _need(0 <= rule.threshold <= 1, "threshold", rule.threshold, "0 to 1")
    _need(0 <= rule.suppression_s <= 65.535, "suppression", f"{rule.suppression_s} s", "0 to 65.535 s")
    n = len(rule.thresholds)
    _need(n in (0, labels), "number of thresholds", n, f"none, or one for each of the {labels} labels")
    for threshold in rule.thresholds:
        _need(0 <= threshold <= 1, "threshold of a label", threshold, "0 to 1")
    share = [round(t * 65535) for t in rule.thresholds]
    return round(rule.threshold * 65535), rule.smoothing, round(rule.suppression_s * 1000), share


def unpack_section(section: bytes) -> Pipeline:
    """What a section says of its pipeline: all but the networks and the features' means and scales.

    Raises
    ------
    ModelError
        It is no pipeline section, or one of another format.
    """
    try:
        (magic, version, length, name, rate_mhz, window, hop, sensor, channels, features, labels, flags, _, smoothing,
         count, threshold, suppression_ms, order) = _HEADER.unpack_from(section)  # fmt: skip
        if magic != _MAGIC or version != _FORMAT or length > len(section) or sensor not in (_IMU, _MIC):
            raise ValueError
        section, at = section[:length], _HEADER.size
        if sensor == _MIC:
            front, used = unpack_front(section[at:])
        else:
            front, used = _imu_front(order[:channels], flags), 8 * features
        thresholds = struct.unpack_from(f"<{count}H", section, at + used)
        at += used + 2 * count + -2 * count % 4
        texts = []
        for _ in range(labels):
            text = section[at + 1 : at + 1 + section[at]]
            if len(text) < section[at]:
                raise ValueError
            texts.append(text.decode())
            at += 1 + len(text)
        name = name.rstrip(b"\0").decode()
    except (ValueError, IndexError, struct.error, ModelError):
        raise ModelError("These bytes are no pipeline section of this tinykit.", "Deploy the pipeline again.") from None
    rule = Decision(smoothing, threshold / 65535, suppression_ms / 1000, tuple(t / 65535 for t in thresholds))
    kind = "keyword" if sensor == _MIC else "gesture"
    return Pipeline(name, kind, rate_mhz / 1000, window, hop, front, tuple(texts), rule)


def _imu_front(order: bytes, flags: int) -> ImuFrontEnd:
    magnitude = tuple(m for m in "ag" if flags & _LENGTH[m])
    return ImuFrontEnd(tuple(IMU_CHANNELS[c] for c in order), bool(flags & _CENTER), magnitude)


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


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def _need(fits: bool, what: str, got, limits: str) -> None:
    if not fits:
        raise ModelError(f"The pipeline's {what} is {got}, the device takes {limits}.", "Change it and try again.")


def probabilities_of(answers) -> np.ndarray:
    """A network's int8 answers as float64 probabilities of the same shape, in steps of 1/256.

    Scale and zero point are those that ``pack_section`` holds every network to.
    """
    return (np.asarray(answers).astype(np.float64) + 128) / 256
