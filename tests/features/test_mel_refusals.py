"""What is no mel front end is refused, in words by the host and by a status in the core; hostile bytes do no harm."""

import ctypes
import os
import shutil
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sounds import FRONTS, named

from tinykit.errors import DataError, ModelError
from tinykit.features import features, frames, load_core, pack_front, quantized, quantized_frames, unpack_front
from tinykit.pipeline import MelFrontEnd
from tinykit.toolchain import hardware_dir

SOURCE = hardware_dir() / "TinyKit" / "src"
SANITIZE = ["-O1", "-g", "-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all"]
CLIP = np.zeros((1, 16000, 1), np.int16)


def parse(block, length=None):
    """Status of ``tk_mel_parse``, and how many bytes it used."""
    front, used = ctypes.create_string_buffer(256), ctypes.c_size_t()
    data = np.frombuffer(bytes(block) or b"\0", np.uint8).copy()
    core = load_core()
    core.tk_mel_parse.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]
    return core.tk_mel_parse(
        front, data.ctypes.data, len(block) if length is None else length, ctypes.byref(used)
    ), used.value


def damaged(at, data):
    block = bytearray(pack_front(MelFrontEnd(coefficients=10), 0.05, 3))
    block[at : at + len(data)] = data
    return block


def f32(value):
    return struct.pack("<f", value)


def u16(value):
    return struct.pack("<H", value)


@pytest.mark.parametrize("front", FRONTS, ids=named)
def test_what_is_packed_is_accepted_and_comes_back(front):
    block = pack_front(front, 0.05, 3)
    assert parse(block) == (0, len(block)) and len(block) % 4 == 0
    assert parse(block + bytes(64)) == (0, len(block))  # more follows in a section
    assert unpack_front(block + b"more") == (front, len(block))


SPANS, WEIGHTS = 24 + 4 * 480, 24 + 4 * 480 + 4 * 40


@pytest.mark.parametrize(
    "block",
    [
        damaged(0, u16(482)), damaged(0, u16(481)), damaged(0, u16(128)), damaged(0, u16(1026)), damaged(0, u16(0)),
        damaged(2, u16(0)), damaged(2, u16(481)), damaged(2, u16(65535)), damaged(4, u16(256)), damaged(4, u16(1024)),
        damaged(6, b"\0"), damaged(6, b"\x29"), damaged(6, b"\xff"), damaged(7, b"\x29"), damaged(7, b"\xff"),
        damaged(8, f32(0)), damaged(8, f32(-1e-4)), damaged(8, f32(1e-30)), damaged(8, f32(2)), damaged(8, f32(np.nan)),
        damaged(12, f32(-1)), damaged(12, f32(7600)), damaged(16, f32(8001)), damaged(16, f32(np.inf)),
        damaged(20, u16(0)), damaged(20, u16(65535)), damaged(22, u16(1)),
        damaged(24, f32(np.nan)), damaged(24 + 4 * 479, f32(-1e-9)), damaged(24, f32(1.6e-5)),
        damaged(SPANS, u16(0)), damaged(SPANS, u16(255)), damaged(SPANS + 2, u16(0)), damaged(SPANS + 2, u16(65535)),
        damaged(SPANS + 4 * 39, u16(250)), damaged(SPANS + 4 * 39 + 2, u16(100)),
        damaged(WEIGHTS, f32(-0.1)), damaged(WEIGHTS, f32(1.1)), damaged(WEIGHTS, f32(np.inf)),
        damaged(-4, f32(np.nan)), damaged(-4, f32(-np.inf)), damaged(-80, f32(2e9)), damaged(-84, f32(1.5)),
        damaged(-84, f32(np.nan)),
    ],
)  # fmt: skip
def test_a_contradiction_is_refused(block):
    # A wrong count either contradicts the rest or asks for more bytes than there are.
    assert parse(block)[0] in (-2, -27)


def test_a_block_at_an_odd_address_is_refused():
    block = pack_front(MelFrontEnd(), 0.05, 3)
    data = np.frombuffer(b"\0\0" + block, np.uint8).copy()
    front, used = ctypes.create_string_buffer(256), ctypes.c_size_t()
    assert load_core().tk_mel_parse(front, ctypes.c_void_p(data.ctypes.data + 2), len(block), ctypes.byref(used)) == -23


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory):
    """fuzz_mel.c with the front end, built by the system's compiler with its sanitizers."""
    compiler = shutil.which("gcc") or shutil.which("clang")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("The sanitizers are tried with the system's gcc or clang, on Linux only.")
    target = tmp_path_factory.mktemp("fuzz") / "fuzz_mel"
    sources = [Path(__file__).parent / "fuzz_mel.c", *(SOURCE / f"tk_{n}.c" for n in ("mel", "fft"))]
    command = [compiler, "-std=c99", "-Wall", "-Wextra", "-Werror", *SANITIZE, f"-I{SOURCE}", *map(str, sources)]
    done = subprocess.run([*command, "-o", str(target), "-lm"], capture_output=True, text=True)
    if done.returncode and ("cannot find" in done.stderr or "sanitizer" in done.stderr.lower()):
        pytest.skip("The system's compiler has no sanitizers.")
    assert done.returncode == 0, done.stderr
    return target


@pytest.mark.parametrize("front", FRONTS[:4], ids=named)
def test_fuzz(front, fuzzer, tmp_path):
    tries = 200_000 if os.environ.get("TINYKIT_FULL") else 5_000
    path = tmp_path / "block"
    path.write_bytes(pack_front(front, 0.05, 3))
    done = subprocess.run([fuzzer, path, str(tries), "1"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    accepted, refused = map(int, done.stdout.split())
    assert accepted > tries // 50 and refused > tries // 10  # both kinds were met


def test_truncation(fuzzer, tmp_path):
    path = tmp_path / "block"
    path.write_bytes(pack_front(FRONTS[1], 0.05, 3))
    done = subprocess.run([fuzzer, path, "cut"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout) == len(path.read_bytes())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"frame": 481}, "frame is 481 samples, the device takes an even number from 130 to 1024"),
        ({"frame": 1026}, "frame is 1026"),
        ({"hop": 481}, "hop is 481 samples, the device takes 1 to the frame's 480"),
        ({"hop": 0}, "hop is 0"),
        ({"mels": 81}, "number of mels is 81"),
        ({"coefficients": 41}, "number of coefficients is 41"),
        ({"low_hz": 7600.0}, "range of frequencies is 7600 to 7600 Hz"),
        ({"high_hz": 8001.0}, "range of frequencies is 60 to 8001 Hz, the device takes 0 to 8000 Hz"),
        ({"floor": 0.0}, "floor is 0"),
        ({"floor": float("nan")}, "floor is nan"),
        ({"mean": (1.0,)}, "number of means is 1"),
        ({"scale": (1.0,) * 39}, "number of scales is 39"),
        ({"mels": 80, "frame": 256, "hop": 100}, "Mel band . of 80 lies between two bins"),
    ],
)
def test_impossible_front_ends_are_refused_in_words(changes, words):
    with pytest.raises(ModelError, match=words):
        features(CLIP, replace(MelFrontEnd(), **changes))


@pytest.mark.parametrize("scale", [(1e9,) * 40, (float("nan"),) * 40, (float("inf"),) * 40])
def test_scales_out_of_range_are_refused(scale):
    with pytest.raises(ModelError, match="out of the device's range"):
        quantized(CLIP, replace(MelFrontEnd(), scale=scale), 0.05, 0)


@pytest.mark.parametrize(("scale", "zero"), [(0.0, 0), (-1.0, 0), (float("nan"), 0), (0.05, 200)])
def test_impossible_quantisation_is_refused(scale, zero):
    with pytest.raises(ModelError, match="input"):
        quantized(CLIP, MelFrontEnd(), scale, zero)


@pytest.mark.parametrize(
    "counts",
    [np.zeros((2, 16000)), np.zeros((2, 16000, 2), np.int16), np.zeros(16000, np.int16), np.zeros((2, 3), np.int32)],
)
def test_wrong_arrays_are_refused(counts):
    with pytest.raises(DataError, match=r"int16 sound of shape \(n, samples, 1\)"):
        features(counts, MelFrontEnd())


def test_one_sound_is_one_sound():
    for function in (frames, lambda s, f: quantized_frames(s, f, 0.05, 0)):
        with pytest.raises(DataError, match=r"shape \(samples,\)"):
            function(np.zeros((3, 16000), np.int16), MelFrontEnd())


@pytest.mark.parametrize("block", [b"", b"\0" * 24, b"\xff" * 5000, pack_front(MelFrontEnd(), 0.05, 3)[:-4]])
def test_what_is_no_block_does_not_unpack(block):
    with pytest.raises(ModelError, match="no mel front end"):
        unpack_front(block)
