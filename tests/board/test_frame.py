import json
import os
import random
import struct
import zlib

import pytest

from tinykit.board.frame import MAX_ENCODED, MAX_PAYLOAD, Decoder, encode


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


def test_vectors_of_the_protocol(vectors):
    for vector in vectors:
        wire = bytes.fromhex(vector["wire"])
        assert encode(vector["type"], vector["seq"], bytes.fromhex(vector["payload"])) == wire, vector["name"]
        (frame,) = Decoder().feed(wire)
        assert frame == (vector["type"], vector["seq"], bytes.fromhex(vector["payload"]))


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


@pytest.fixture
def vectors():
    from pathlib import Path

    path = Path(__file__).resolve().parents[2] / "hardware" / "vectors.json"
    if not path.exists() and not os.environ.get("CI"):
        pytest.skip(f"No {path} yet.")
    return json.loads(path.read_text())["frames"]
