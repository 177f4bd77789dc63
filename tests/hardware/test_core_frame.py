"""tk_crc, tk_cobs, tk_frame against zlib, the cobs package and hardware/vectors.json."""

import ctypes
import json
import random
import runpy
import struct
import zlib
from pathlib import Path

import pytest
from cobs import cobs
from host_device import drop_after, frame

from tinykit import toolchain
from tinykit.features import load_core

HARDWARE = Path(toolchain.hardware_dir())
VECTORS = json.loads((HARDWARE / "vectors.json").read_text(encoding="utf-8"))
SIZES = [*range(0, 20), 252, 253, 254, 255, 256, 506, 507, 508, 509, 510, 600]


class Frame(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_uint8),
        ("seq", ctypes.c_uint8),
        ("length", ctypes.c_uint16),
        ("payload", ctypes.POINTER(ctypes.c_uint8)),
    ]


class Decoder:
    """tk_decoder over a block of bytes."""

    def __init__(self):
        self.core = load_core()
        self.core.tk_decoder_push.restype = ctypes.c_bool
        self.state = ctypes.create_string_buffer(1024)
        self.core.tk_decoder_init(self.state)

    def push(self, data):
        frames, frame_ = [], Frame()
        for byte in data:
            if self.core.tk_decoder_push(self.state, ctypes.c_uint8(byte), ctypes.byref(frame_)):
                payload = ctypes.string_at(frame_.payload, frame_.length)
                frames.append((frame_.type, frame_.seq, payload))
        return frames


def encode(type_, seq, payload, capacity=523):
    core = load_core()
    raw, out = ctypes.create_string_buffer(518), ctypes.create_string_buffer(capacity)
    n = ctypes.c_size_t()
    status = core.tk_frame_encode(
        ctypes.c_uint8(type_), ctypes.c_uint8(seq), payload, ctypes.c_size_t(len(payload)), raw, out,
        ctypes.c_size_t(capacity), ctypes.byref(n),
    )  # fmt: skip
    return status, out.raw[: n.value]


def test_crc_is_zlibs_and_goes_on():
    core, rng = load_core(), random.Random(0)
    core.tk_crc32.restype = ctypes.c_uint32
    for n in SIZES:
        a, b = rng.randbytes(n), rng.randbytes(n // 2)
        first = core.tk_crc32(0, a, ctypes.c_size_t(len(a)))
        assert first == zlib.crc32(a)
        assert core.tk_crc32(ctypes.c_uint32(first), b, ctypes.c_size_t(len(b))) == zlib.crc32(a + b)


@pytest.mark.parametrize("alphabet", [b"\0\1", b"\7", bytes(range(256)), b"\0"])
def test_cobs_agrees_with_the_package(alphabet):
    core, rng = load_core(), random.Random(1)
    n = ctypes.c_size_t()
    for size in SIZES:
        data = bytes(rng.choice(alphabet) for _ in range(size))
        out = ctypes.create_string_buffer(700)
        assert core.tk_cobs_encode(data, ctypes.c_size_t(size), out, ctypes.c_size_t(700), ctypes.byref(n)) == 0
        coded = out.raw[: n.value]
        assert coded == cobs.encode(data)
        assert core.tk_cobs_decode(out, n, ctypes.byref(n)) == 0
        assert out.raw[: n.value] == data
        room = ctypes.c_size_t(len(coded) - 1)
        assert core.tk_cobs_encode(data, ctypes.c_size_t(size), out, room, ctypes.byref(n)) == -32


def test_cobs_decoder_agrees_with_the_package_on_noise():
    core, rng = load_core(), random.Random(2)
    n = ctypes.c_size_t()
    for _ in range(3000):
        data = bytes(rng.choice([0, 1, 2, 3, 5, 255, rng.randrange(256)]) for _ in range(rng.randrange(1, 12)))
        out = ctypes.create_string_buffer(data, len(data))
        status = core.tk_cobs_decode(out, ctypes.c_size_t(len(data)), ctypes.byref(n))
        try:
            expected = cobs.decode(data)
        except cobs.DecodeError:
            assert status == -33
        else:
            assert (status, out.raw[: n.value]) == (0, expected)


@pytest.mark.parametrize("vector", VECTORS["frames"], ids=lambda v: v["name"])
def test_vectors(vector):
    payload, wire = bytes.fromhex(vector["payload"]), bytes.fromhex(vector["wire"])
    assert encode(vector["type"], vector["seq"], payload) == (0, wire)
    assert Decoder().push(wire) == [(vector["type"], vector["seq"], payload)]
    fields = struct.unpack(vector["layout"], payload)
    expected = [bytes.fromhex(v) if isinstance(v, str) else v for v in vector["fields"].values()]
    got = [f.rstrip(b"\0") if isinstance(f, bytes) else f for f in fields]
    assert got == [e.rstrip(b"\0") if isinstance(e, bytes) else e for e in expected]


@pytest.mark.parametrize("vector", VECTORS["damaged"], ids=lambda v: v["name"])
def test_damaged_vectors_are_dropped_and_the_next_frame_is_not(vector):
    decoder = Decoder()
    assert decoder.push(bytes.fromhex(vector["wire"])) == []
    assert decoder.push(frame(4, 9, b"next")) == [(4, 9, b"next")]


def test_vectors_are_what_the_script_makes(tmp_path):
    script = tmp_path / "make_vectors.py"
    script.write_bytes((HARDWARE / "make_vectors.py").read_bytes())
    runpy.run_path(str(script), run_name="__main__")
    assert json.loads((tmp_path / "vectors.json").read_text(encoding="utf-8")) == VECTORS


def test_limits():
    assert encode(1, 1, bytes(513))[0] == -2
    status, wire = encode(1, 1, b"\1" * 512)
    assert status == 0 and len(wire) == 523
    assert encode(1, 1, b"\1" * 512, capacity=522)[0] == -32
    assert encode(1, 1, b"", capacity=1)[0] == -32


def test_an_endless_run_without_zero_does_no_harm():
    decoder = Decoder()
    assert decoder.push(b"\x01" * 100_000) == []
    assert decoder.push(frame(7, 7, b"x" * 512)) == [(7, 7, b"x" * 512)]


def test_one_percent_of_bytes_damaged_lets_no_wrong_frame_through():
    rng = random.Random(3)
    sent = [(rng.randrange(1, 64), i % 256, rng.randbytes(rng.choice([0, 1, 8, 40, 100, 250]))) for i in range(4000)]
    wire = drop_after(b"".join(frame(*f) for f in sent), 100)
    got = Decoder().push(wire)
    # In order, each a frame that was sent: what got through is a subsequence.
    rest = iter(sent)
    assert all(f in rest for f in got)
    assert len(got) > 500
    spared = sum(1 for f in sent if len(f[2]) == 0)
    assert len([f for f in got if not f[2]]) > 0.7 * spared  # 10 bytes: nine in ten survive


def test_noise_is_no_frame():
    rng = random.Random(4)
    assert Decoder().push(rng.randbytes(200_000)) == []


def test_status_names_are_complete_and_different():
    core = load_core()
    header = (HARDWARE / "TinyKit" / "src" / "tk_status.h").read_text(encoding="utf-8")
    names = [core.tk_status_name(-i).decode() for i in range(header.count("    X(TK_"))]
    assert names[0] == "ok" and "unknown" not in names and len(set(names)) == len(names)
    assert core.tk_status_name(-len(names)) == b"unknown"
    protocol = (HARDWARE / "PROTOCOL.md").read_text(encoding="utf-8")
    assert [n for n in names[1:] if n not in protocol] == []
