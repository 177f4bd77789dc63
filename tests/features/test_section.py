"""The pipeline section: packed in Python, read by the C core, refused when it lies."""

import ctypes
import random
import struct

import numpy as np
import pytest

from tinykit.errors import ModelError
from tinykit.features import load_core, pack_front, pack_section, unpack_section
from tinykit.pipeline import Decision, ImuFrontEnd, MelFrontEnd, Pipeline

FRONT = ImuFrontEnd(center=True, magnitude=("a", "g"), scale=(1e-4,) * 8)
GOOD = Pipeline("Zauberstab ß", "gesture", 119.0, 120, 30, FRONT, ("wing", "ring", "größer"), Decision(3, 0.7, 0.5))

MEL = MelFrontEnd(mels=20, coefficients=8, mean=(-3.0,) * 8, scale=(0.3,) * 8)
SOUND = Pipeline(
    "Wörter", "keyword", 16000.0, 16000, 1600, MEL, ("silence", "unknown", "ja"), Decision(2, 0.6, 0.7, (1.0, 0.9, 0.5))
)


def parse(section):
    return load_core().tk_pipeline_parse(
        ctypes.create_string_buffer(1024),
        ctypes.create_string_buffer(section, len(section)),
        ctypes.c_size_t(len(section)),
    )


def test_layout_is_as_documented():
    section = pack_section(GOOD, 0.02, -5)
    assert parse(section) == 0 and len(section) % 4 == 0
    magic, version, length, name, rate, window, hop = struct.unpack_from("<4sHH32sIHH", section)
    assert (magic, version, length) == (b"TKPS", 1, len(section))
    assert (name.rstrip(b"\0").decode(), rate, window, hop) == ("Zauberstab ß", 119000, 120, 30)
    assert struct.unpack_from("<BBBBBbBBHH", section, 48) == (
        0,
        6,
        8,
        3,
        7,
        -5,
        3,
        0,
        round(0.7 * 65535),
        500,
    )
    assert section[60:68] == bytes([0, 1, 2, 3, 4, 5, 255, 255])
    labels = section[68 + 8 * 8 :]
    assert labels.rstrip(b"\0") == b"\4wing\4ring\x08gr\xc3\xb6\xc3\x9fer"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"window": 0}, "window is 0 samples, the device takes 1 to 512"),
        ({"window": 513}, "window is 513"),
        ({"hop": 0}, "hop is 0"),
        ({"rate_hz": 0.5}, "rate is 0.5 Hz"),
        ({"labels": ()}, "number of labels is 0"),
        ({"labels": ("x",) * 65}, "number of labels is 65"),
        ({"labels": ("",)}, "label is ''"),
        ({"labels": ("a\0b",)}, "label is"),
        ({"labels": ("x" * 64,)}, "label is"),
        ({"name": "x" * 32}, "1 to 31 bytes"),
        ({"decision": Decision(smoothing=17)}, "smoothing is 17"),
        ({"decision": Decision(smoothing=0)}, "smoothing is 0"),
        ({"decision": Decision(threshold=1.1)}, "threshold is 1.1"),
        ({"decision": Decision(suppression_s=66)}, "suppression is 66 s"),
        ({"front_end": ImuFrontEnd(scale=(1.0,) * 5)}, "feature scales is 5"),
        ({"front_end": ImuFrontEnd(("aY", "aX"), scale=(1.0,) * 2)}, "in this order"),
        ({"front_end": ImuFrontEnd(("aX", "aX"), scale=(1.0,) * 2)}, "at most once"),
        ({"front_end": ImuFrontEnd(("mX",), scale=(1.0,))}, "mX"),
        ({"front_end": ImuFrontEnd((), scale=())}, "none"),
        ({"front_end": ImuFrontEnd(("aX", "aY"), magnitude=("a",), scale=(1.0,) * 3)}, "magnitude 'a'"),
        ({"front_end": ImuFrontEnd(magnitude=("m",), scale=(1.0,) * 7)}, "magnitude 'm'"),
        ({"front_end": ImuFrontEnd(magnitude=("g", "a"), scale=(1.0,) * 8)}, "magnitudes"),
        ({"front_end": ImuFrontEnd(magnitude=("a", "a"), scale=(1.0,) * 8)}, "magnitudes"),
    ],
)
def test_what_the_device_can_not_do_is_refused_in_words(changes, sentence):
    with pytest.raises(ModelError) as refused:
        pack_section(GOOD.with_(**changes), 0.02, 0)
    assert sentence in str(refused.value)


def test_an_output_that_is_no_softmax_is_refused():
    with pytest.raises(ModelError, match="scale 1/256"):
        pack_section(GOOD, 0.02, 0, output_scale=0.1, output_zero_point=3)


def test_limits_are_the_devices():
    front = ImuFrontEnd(scale=(1.0,) * 6)
    for pipeline in [
        GOOD.with_(window=512, hop=65535, rate_hz=4000, labels=tuple(f"label {i}" for i in range(64))),
        GOOD.with_(window=1, hop=1, rate_hz=1, labels=("x" * 63,), name="y" * 31, front_end=front),
        GOOD.with_(decision=Decision(16, 1.0, 65.535)),
        GOOD.with_(decision=Decision(1, 0.0, 0.0)),
    ]:
        assert parse(pack_section(pipeline, 1e-4, 127)) == 0


FIELDS = {
    "magic": (0, "<I", [0], -19),
    "format": (4, "<H", [0, 2], -20),
    "length": (6, "<H", [0, 4, 65535], -2),
    "name without end": (39, "<B", [65], -27),
    "rate": (40, "<I", [0, 999, 4000001], -27),
    "window": (44, "<H", [0, 513, 65535], -27),
    "hop": (46, "<H", [0], -27),
    "sensor": (48, "<B", [2, 255], -28),
    "another sensor": (48, "<B", [1], -27),
    "channels": (49, "<B", [0, 5, 7, 255], -27),
    "features": (50, "<B", [0, 7, 9, 255], -27),
    "labels": (51, "<B", [0, 2, 4, 65, 255], -27),
    "flags": (52, "<B", [8, 128], -27),
    "smoothing": (54, "<B", [0, 17], -27),
    "thresholds": (55, "<B", [1, 4, 255], -27),
    "channel": (61, "<B", [0, 2, 6, 255], -27),
    "channel after the last": (66, "<B", [0], -27),
    "multiplier": (68, "<i", [0, -1, (1 << 30) - 1, -(1 << 31)], -27),
    "shift": (72, "<i", [15, 63, -1], -27),
    "label length": (132, "<B", [0, 255], -27),
}


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_is_checked_by_the_core(field):
    section = pack_section(GOOD, 0.02, 0)
    offset, form, values, status = FIELDS[field]
    for value in values:
        bad = bytearray(section)
        struct.pack_into(form, bad, offset, value)
        assert parse(bytes(bad)) == status, value


def test_cut_or_longer_sections_are_refused():
    section = pack_section(GOOD, 0.02, 0)
    for n in range(len(section)):
        assert parse(section[:n]) == -2
    assert parse(section + b"\0\0\0\0") == -2
    for n in range(0, len(section), 4):  # a shorter length that claims to be right
        short = bytearray(section[:n])
        if n >= 8:
            struct.pack_into("<H", short, 6, n)
        assert parse(bytes(short)) in (-2, -27)


def test_random_damage_never_crashes():
    section, rng = pack_section(GOOD, 0.02, 0), random.Random(5)
    for _ in range(20_000):
        bad = bytearray(section)
        for _ in range(rng.randrange(1, 4)):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        assert parse(bytes(bad)) <= 0


def test_layout_of_sound_is_as_documented():
    section, block = pack_section(SOUND, 0.05, -5), pack_front(MEL, 0.05, -5)
    assert parse(section) == 0 and len(section) % 4 == 0
    magic, version, length, name, rate, window, hop = struct.unpack_from("<4sHH32sIHH", section)
    assert (magic, version, length) == (b"TKPS", 1, len(section))
    assert (name.rstrip(b"\0").decode(), rate, window, hop) == ("Wörter", 16_000_000, 16000, 1600)
    fields = struct.unpack_from("<BBBBBbBBHH", section, 48)
    assert fields == (1, 1, 8, 3, 0, -5, 2, 3, round(0.6 * 65535), 700)
    assert section[60:68] == bytes([0]) + b"\xff" * 7
    assert section[68 : 68 + len(block)] == block
    after = section[68 + len(block) :]
    assert struct.unpack_from("<4H", after) == (65535, round(0.9 * 65535), round(0.5 * 65535), 0)
    assert after[8:].rstrip(b"\0") == b"\7silence\7unknown\2ja"


@pytest.mark.parametrize("pipeline", [GOOD, SOUND], ids=["imu", "sound"])
@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_sections_are_read_back(pipeline, n):
    labels = ("a", "b", "größer")[: n or 3]
    steps = np.arange(n) * 9999
    rule = Decision(4, 12345 / 65535, 0.25, tuple(float(s) / 65535 for s in steps))
    pipeline = pipeline.with_(labels=labels, decision=rule)
    section = pack_section(pipeline, 0.05, -5)
    assert parse(section) == 0
    back = unpack_section(section + b"more")
    for name in ("name", "kind", "rate_hz", "window", "hop", "labels", "decision", "sensor", "input_shape"):
        assert getattr(back, name) == getattr(pipeline, name), name
    front, kept = back.front_end, pipeline.front_end
    if pipeline.sensor == "mic":
        for name in ("frame", "hop", "mels", "low_hz", "high_hz", "coefficients", "floor"):
            assert getattr(front, name) == getattr(kept, name), name
    else:
        assert (front.channels, front.center, front.magnitude) == (kept.channels, kept.center, kept.magnitude)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rate_hz": 8000.0}, "rate is 8000 Hz, the device takes 16000 Hz"),
        ({"window": 479}, "window is 479 samples, the device takes a frame (480) to 16384"),
        ({"window": 16385}, "window is 16385 samples"),
        ({"hop": 1000}, "hop is 1000 samples, the device takes a multiple of the front end's hop, 320"),
        ({"hop": 0}, "hop is 0"),
        ({"hop": 65600}, "hop is 65600"),
        ({"labels": ()}, "number of labels is 0"),
        ({"decision": Decision(thresholds=(0.5,))}, "thresholds is 1, the device takes none, or one for each of the 3"),
        ({"decision": Decision(thresholds=(0.5, 0.5, 1.5))}, "threshold of a label is 1.5"),
        ({"decision": Decision(thresholds=(0.5, float("nan"), 0.5))}, "threshold of a label is nan"),
        (
            {"front_end": MelFrontEnd(hop=80, mels=40), "hop": 80},
            "input is 7800 features, the device takes at most 6144",
        ),
    ],
)
def test_what_the_device_can_not_hear_is_refused_in_words(changes, sentence):
    with pytest.raises(ModelError) as refused:
        pack_section(SOUND.with_(**changes), 0.05, 0)
    assert sentence in str(refused.value)


def test_the_longest_section_of_sound_fits():
    labels = tuple(f"{i:02} {'x' * 60}" for i in range(64))
    big = MelFrontEnd(frame=1024, low_hz=0.0, high_hz=8000.0, mels=80, coefficients=80)
    longest = SOUND.with_(labels=labels, front_end=big, decision=Decision(thresholds=(0.5,) * 64), name="x" * 31)
    section = pack_section(longest, 0.05, 0)
    assert parse(section) == 0 and 30_000 < len(section) < 65_536
    assert unpack_section(section).labels == labels


SOUND_FIELDS = {
    "rate": (40, "<I", [0, 8_000_000, 16_000_001], -27),
    "window": (44, "<H", [0, 479, 16385, 65535], -27),
    "hop": (46, "<H", [0, 1, 1599], -27),
    "sensor": (48, "<B", [2, 255], -28),
    "another sensor": (48, "<B", [0], -27),
    "channels": (49, "<B", [0, 2, 255], -27),
    "features": (50, "<B", [0, 7, 9, 20, 255], -27),
    "labels": (51, "<B", [0, 2, 4, 65, 255], -27),
    "flags": (52, "<B", [1, 2, 4, 128], -27),
    "smoothing": (54, "<B", [0, 17], -27),
    "thresholds": (55, "<B", [1, 2, 4, 255], -27),
    "no thresholds": (55, "<B", [0], -27),
    "channel": (60, "<B", [1, 255], -27),
    "channel after the last": (61, "<B", [0, 1], -27),
}


@pytest.mark.parametrize("field", SOUND_FIELDS)
def test_every_field_of_sound_is_checked_by_the_core(field):
    section = pack_section(SOUND, 0.05, 0)
    offset, form, values, status = SOUND_FIELDS[field]
    for value in values:
        bad = bytearray(section)
        struct.pack_into(form, bad, offset, value)
        assert parse(bytes(bad)) == status, value


def test_zeros_after_thresholds_and_labels_are_checked():
    section = pack_section(SOUND, 0.05, 0)
    at = 68 + len(pack_front(MEL, 0.05, 0))
    assert section[at + 6 : at + 8] == b"\0\0" and section[-1] == 0
    for place in (at + 6, at + 7, len(section) - 1):
        bad = bytearray(section)
        bad[place] = 1
        assert parse(bytes(bad)) == -27


def test_cut_sections_of_sound_are_refused():
    section = pack_section(SOUND, 0.05, 0)
    for n in range(0, len(section), 4):
        short = bytearray(section[:n])
        if n >= 8:
            struct.pack_into("<H", short, 6, n)
        assert parse(bytes(short)) in (-2, -27)
    assert parse(section[:-1]) == parse(section + b"\0\0\0\0") == -2


@pytest.mark.parametrize("pipeline", [GOOD, SOUND], ids=["imu", "sound"])
def test_random_damage_is_refused_by_core_and_python_alike_or_understood(pipeline):
    section, rng = pack_section(pipeline, 0.05, 0), random.Random(6)
    refused = 0
    for _ in range(5000):
        bad = bytearray(section)
        for _ in range(rng.randrange(1, 4)):
            # Mostly in the header and in what follows the tables: those are few among all bytes.
            at = rng.choice([rng.randrange(92), rng.randrange(len(bad) - 40, len(bad)), rng.randrange(len(bad))])
            bad[at] = rng.choice([0, 1, 255, rng.randrange(256)])
        refused += parse(bytes(bad)) < 0
        try:
            unpack_section(bytes(bad))
        except ModelError as error:
            assert "no pipeline section" in str(error)
    assert 1000 < refused < 5000
