import json
import random
import struct
import zlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from tinykit.board import messages as m
from tinykit.board.decision import ask_decision
from tinykit.board.frame import MAX_ENCODED, MAX_PAYLOAD, Decoder, encode
from tinykit.pipeline import Decision

VECTORS = json.loads((Path(__file__).resolve().parents[2] / "hardware" / "vectors.json").read_text(encoding="utf-8"))


def cobs_by_hand(data):
    """COBS as Cheshire and Baker (1999) describe it, written here as an oracle."""
    out = bytearray()
    *groups, last = data.split(b"\0")
    for group in groups:
        while len(group) >= 254:
            out += b"\xff" + group[:254]
            group = group[254:]
        out += bytes([len(group) + 1]) + group
    full = len(last) > 0 and len(last) % 254 == 0
    while len(last) >= 254:
        out += b"\xff" + last[:254]
        last = last[254:]
    return bytes(out) if full else bytes(out) + bytes([len(last) + 1]) + last


@pytest.mark.parametrize("size", [0, 1, 253, 254, 255, 400, MAX_PAYLOAD])
def test_frame_is_cobs_of_type_seq_payload_crc(size):
    payload = random.Random(size).randbytes(size)
    body = b"\x42\x07" + payload
    body += struct.pack("<I", zlib.crc32(body))
    assert encode(0x42, 7, payload) == b"\0" + cobs_by_hand(body) + b"\0"
    assert len(encode(0x42, 7, payload)) - 2 <= MAX_ENCODED


def test_vectors_of_the_protocol():
    for vector in VECTORS["frames"]:
        wire, frame = bytes.fromhex(vector["wire"]), (vector["type"], vector["seq"], bytes.fromhex(vector["payload"]))
        assert encode(*frame) == wire, vector["name"]
        assert Decoder().feed(wire) == [frame], vector["name"]


def test_damaged_vectors_are_dropped_and_the_next_frame_is_whole():
    after = bytes.fromhex(VECTORS["frames"][0]["wire"])
    for vector in VECTORS["damaged"]:
        decoder = Decoder()
        frames = decoder.feed(b"\0" + bytes.fromhex(vector["wire"]) + after)
        assert [frame.type for frame in frames] == [1], vector["name"]
        assert decoder.counters.damaged >= 1, vector["name"]


def payload(name):
    (vector,) = [v for v in VECTORS["frames"] if v["name"] == name]
    return bytes.fromhex(vector["payload"]), vector["fields"]


def test_slots_of_the_vectors():
    data, fields = payload("slots reply")
    slots = m.parse_slots(data)
    for i, slot in enumerate(slots):
        assert (slot.state, slot.active) == ("good", bool(fields[f"active{i}"]))
        for name in ("activation", "length", "crc"):
            assert getattr(slot, name) == fields[f"{name}{i}"]
        assert slot.name.encode().hex() == fields[f"name{i}"]
    assert [slot.letter for slot in slots] == ["A", "B"]


def test_samples_of_the_vectors():
    data, fields = payload("samples")
    samples = m.parse_samples(data)
    assert (samples.sensor, samples.flags, samples.index, samples.time_us) == (0, 0, 1000, fields["time_us"])
    assert samples.delta_us.tolist() == [0, 8403]
    assert samples.counts.ravel().tolist() == [fields[f"value{i}"] for i in range(12)]
    assert m.parse_samples(data[:-1]) is None and m.parse_samples(b"") is None


def test_audio_of_the_vectors():
    data, fields = payload("audio")
    sound = m.parse_audio(data)
    assert (sound.sensor, sound.flags, sound.index, sound.time_us) == (1, 2, 56000, fields["time_us"])
    assert sound.counts.shape == (5, 1) and sound.counts.ravel().tolist() == [fields[f"sample{i}"] for i in range(5)]


@pytest.mark.parametrize("which", ["", ", a threshold per label"])
def test_decision_of_the_vectors(which):
    (data, fields), (reply, _) = payload(f"decision{which}"), payload(f"decision reply{which}")
    each = tuple(fields[f"threshold{i}"] / 65535 for i in range(fields["n"]))
    rule = Decision(fields["smoothing"], fields["threshold"] / 65535, fields["suppression_ms"] / 1000, each)
    asked = []
    link = SimpleNamespace(request=lambda *call: (asked.append(call), reply)[1])
    assert ask_decision(link, rule) == rule and asked == [(m.DECISION, data)]
    assert ask_decision(link) == rule and asked[1] == (m.DECISION, b"")


def test_prediction_of_the_vectors():
    data, fields = payload("prediction")
    p = m.parse_prediction(data)
    assert (p.number, p.sample_index, p.time_us, p.latency_us, p.cycles) == (7, 1118, 9395000, 4012, 190000)
    assert p.decision == 1 and p.announced
    assert p.raw.tolist() == [fields[f"raw{i}"] for i in range(3)]
    assert p.smoothed.tolist() == [fields[f"smoothed{i}"] for i in range(3)]
    assert m.parse_prediction(data[:-1]) is None and m.parse_prediction(b"") is None


def test_fault_of_the_vectors():
    assert m.parse_fault(payload("fault")[0]) == (m.STATUS_SENSOR_DEAD, "the IMU gives no samples")


def test_pieces_of_any_size_give_the_same_frames():
    rng = random.Random(1)
    sent = [(rng.randrange(256), i % 256, rng.randbytes(rng.randrange(MAX_PAYLOAD + 1))) for i in range(200)]
    wire = b"".join(encode(*frame) for frame in sent)
    for step in (1, 7, 64, 100_000):
        decoder = Decoder()
        got = [frame for i in range(0, len(wire), step) for frame in decoder.feed(wire[i : i + step])]
        assert got == sent
        assert decoder.counters.frames == 200 and decoder.counters.damaged == 0


def test_every_single_byte_error_is_caught():
    payload = bytes(range(40))
    wire, after = encode(0x40, 9, payload), encode(0x41, 10, b"next")
    for position in range(1, len(wire) - 1):
        for flip in (0x01, 0x80, 0xFF, wire[position]):  # the last one makes a zero byte
            bad = bytearray(wire)
            bad[position] ^= flip
            decoder = Decoder()
            assert decoder.feed(bytes(bad) + after) == [(0x41, 10, b"next")]
            assert decoder.counters.damaged >= 1


def test_dropped_bytes_are_caught_and_the_next_frame_is_whole():
    wire, after = encode(0x40, 9, bytes(range(40))), encode(0x41, 10, b"next")
    for position in range(len(wire)):
        decoder = Decoder()
        got = decoder.feed(b"\0" + wire[:position] + wire[position + 1 :] + after)
        edge = position in (0, len(wire) - 1)  # a lost delimiter loses nothing: the neighbour has one too
        assert got == ([(0x40, 9, bytes(range(40)))] if edge else []) + [(0x41, 10, b"next")]


def test_joining_in_the_middle_is_no_damage():
    decoder = Decoder()
    wire = encode(0x40, 1, b"abcdef")
    assert decoder.feed(wire[4:] + wire) == [(0x40, 1, b"abcdef")]
    assert decoder.counters.damaged == 0 and decoder.counters.skipped_bytes == len(wire) - 5


def test_endless_noise_without_zero_takes_no_memory():
    decoder = Decoder()
    decoder.feed(b"\0")
    for _ in range(100):
        assert decoder.feed(b"\x55" * 10_000) == []
    assert len(decoder._piece) <= MAX_ENCODED + 1
    assert decoder.feed(encode(1, 2, b"ok")) == [(1, 2, b"ok")]
    assert decoder.counters.bad_length == 1


def test_random_bytes_give_no_frame():
    decoder = Decoder()
    assert decoder.feed(random.Random(3).randbytes(200_000)) == []
    assert decoder.counters.damaged > 100


def test_a_payload_too_long_is_refused():
    with pytest.raises(ValueError, match="at most 512 bytes, got 513"):
        encode(1, 1, bytes(513))
