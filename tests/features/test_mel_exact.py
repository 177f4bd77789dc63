"""The mel front end has the same bits everywhere: one frame or many at a time, this computer or the board."""

import ctypes
import os
import struct

import numpy as np
import pytest
from sounds import FRONTS, made_up, named, probe, spoken

from tinykit import toolchain
from tinykit.engine.cortex import Cortex
from tinykit.features import features, frames, pack_front, quantized, quantized_frames
from tinykit.features.sound import clip_features
from tinykit.pipeline import MelFrontEnd

SCALE, ZERO = 0.04, -5
ENTRIES = ["probe_frames", "probe_ln", "probe_quantized"]
BLOCK, RING, OUT = 0x2000_4000, 0x2001_4000, 0x2002_0000  # in the emulated core's RAM


@pytest.fixture(scope="module")
def core():
    core = Cortex()
    core.load(probe(ENTRIES))
    return core


def scaled(front):
    n = len(front.features)
    return MelFrontEnd(front.frame, front.hop, front.mels, front.low_hz, front.high_hz, front.coefficients, front.floor,
                       tuple(np.linspace(-6, 1, n)), tuple(np.linspace(0.9, 0.3, n)))  # fmt: skip


def on_core(core, front, sound):
    """Features and network input of one sound, as the board computes them: float bits and int8."""
    block, rows, n = pack_front(front, SCALE, ZERO), front.rows(len(sound)), len(front.features)
    core.write(BLOCK, block)
    core.write(RING, sound.astype("<i2").tobytes())
    small = OUT + 4 * rows * n
    assert core.call("probe_frames", BLOCK, len(block), RING, len(sound), 0, rows, OUT, small) == 0
    return (np.frombuffer(core.read(OUT, 4 * rows * n), "<f4").reshape(rows, n),
            np.frombuffer(core.read(small, rows * n), "i1").reshape(rows, n))  # fmt: skip


def raw(front):
    return MelFrontEnd(front.frame, front.hop, front.mels, front.low_hz, front.high_hz, front.coefficients, front.floor)


def same_bits(a, b):
    return a.shape == b.shape and np.array_equal(a.view(np.uint32), b.view(np.uint32))


@pytest.mark.parametrize("front", FRONTS, ids=named)
def test_board_and_host_agree_on_made_up_sounds(core, front):
    front = scaled(front)
    sounds = made_up(7000)
    ours, small = features(sounds, raw(front)), quantized(sounds, front, SCALE, ZERO)
    for sound, row, q in zip(sounds, ours, small, strict=True):
        theirs, theirs_small = on_core(core, front, sound)
        assert same_bits(row, theirs) and np.array_equal(q, theirs_small)
    assert len(np.unique(small)) > 20


@pytest.mark.parametrize("front", FRONTS[:2], ids=named)
def test_board_and_host_agree_at_every_value_of_real_clips(core, front, shared_data):
    clips = spoken(shared_data, 1000 if os.environ.get("TINYKIT_FULL") else 60)
    front = scaled(front)
    ours, small = features(clips, raw(front)), quantized(clips, front, SCALE, ZERO)
    for clip, row, q in zip(clips, ours, small, strict=True):
        theirs, theirs_small = on_core(core, front, clip)
        assert same_bits(row, theirs) and np.array_equal(q, theirs_small)


@pytest.mark.parametrize("front", FRONTS, ids=named)
def test_a_ring_gives_what_the_whole_gives(core, front):
    """Frame by frame out of a ring, as the device hears it, on both machines; some frames lie across its end."""
    sound, size = made_up(9000)[3], 4096
    expected = frames(sound, front)
    block, n, library = pack_front(front, SCALE, ZERO), len(front.features), probe()
    core.write(BLOCK, block)
    bytes_ = np.frombuffer(block, np.uint8).copy()
    ring, start, written, across = np.zeros(size, np.int16), 1000, 0, 0
    for k, row in enumerate(expected):
        while written < k * front.hop + front.frame:  # no earlier than the frame needs it
            ring[(start + written) % size] = sound[written]
            written += 1
        at = (start + k * front.hop) % size
        across += at + front.frame > size
        out, small = np.empty(n, np.float32), np.empty(n, np.int8)
        pointers = [ctypes.c_void_p(v.ctypes.data) for v in (bytes_, ring, out, small)]
        assert library.probe_frames(pointers[0], len(block), pointers[1], size, at, 1, *pointers[2:]) == 0
        assert same_bits(out, row)
        core.write(RING, ring.astype("<i2").tobytes())
        assert core.call("probe_frames", BLOCK, len(block), RING, size, at, 1, OUT, OUT + 4 * n) == 0
        assert same_bits(np.frombuffer(core.read(OUT, 4 * n), "<f4"), row)
    assert across


@pytest.mark.parametrize("front", FRONTS[:4], ids=named)
def test_threads_pieces_and_layout_change_nothing(front):
    rng = np.random.default_rng(3)
    sound = rng.integers(-9000, 9000, 16000 * 61 + 123).astype(np.int16)
    whole = frames(sound, front, threads=1)
    assert len(whole) == front.rows(len(sound)) > 2000
    assert same_bits(whole, frames(sound[:, None], front, threads=3))
    q = quantized_frames(sound, scaled(front), SCALE, ZERO)
    assert np.array_equal(q, quantized_frames(sound, scaled(front), SCALE, ZERO, threads=1))
    clips = sound[: 61 * 16000].reshape(61, 16000)
    one_by_one = np.array([frames(clip, front) for clip in clips])
    for threads in (1, 2, 5):
        assert same_bits(clip_features(clips, front, threads), one_by_one)
    assert same_bits(features(clips[:, :, None], front), one_by_one)
    assert same_bits(features(clips[::2, ::-1], front), features(clips[::2, ::-1].copy(), front))
    assert features(clips[:0], front).shape == (0, *one_by_one.shape[1:])
    assert features(clips[:, : front.frame - 1], front).shape == (61, 0, len(front.features))


@pytest.mark.parametrize("lanes", [1, 4, 8])
def test_any_number_of_frames_at_a_time_gives_the_same_bits(lanes):
    """One by one as on a processor without vectors; by four (SSE2, NEON); by eight as AVX2 does, on any processor."""
    source = toolchain.hardware_dir() / "TinyKit" / "src"
    sources = [source / f"tk_{name}.c" for name in ("batch_mel", "batch_avx2", "mel", "fft")]
    flags = ["-DTK_HAS_AVX2_CODE=0", f"-DLANES={lanes}"]
    library = ctypes.CDLL(str(toolchain.host_library(sources, [source], f"lanes{lanes}", flags)))
    work = np.empty(1 << 17, np.uint8)
    for front in FRONTS:
        block, clips = np.frombuffer(pack_front(front, SCALE, ZERO), np.uint8).copy(), made_up(7001)
        out = np.empty((len(clips), front.rows(7001), len(front.features)), np.float32)
        for n in (len(clips), 1):  # the last lanes have no frame of their own
            out[:] = 0
            block_at, clips_at, work_at, out_at = (ctypes.c_void_p(v.ctypes.data) for v in (block, clips, work, out))
            sizes = ctypes.c_size_t(n), ctypes.c_size_t(7001)
            assert library.tk_batch_mel(block_at, ctypes.c_size_t(len(block)), clips_at, *sizes, work_at, out_at) == 0
            assert same_bits(out[:n], np.array([frames(clip, front) for clip in clips[:n]])) and not out[n:].any()


def test_mean_and_scale_are_applied_as_documented():
    front = scaled(FRONTS[0])
    clips = made_up()
    y = features(clips, raw(front))
    expected = (y - np.float32(front.mean)) * np.float32(front.scale)
    assert same_bits(features(clips, front), expected)
    wanted = ZERO + (y.astype(np.float64) - front.mean) * front.scale / SCALE
    assert np.abs(np.clip(wanted, -128, 127) - quantized(clips, front, SCALE, ZERO)).max() < 0.5001


def test_quantising_rounds_half_away_and_saturates(core):
    library = probe()
    halves = np.arange(-131, 131, 0.5, dtype=np.float32)
    tiny = np.float32(2.0**-24)
    odd = [0.0, -0.0, 1e30, -1e30, 3e9, -3e9, 0.5 - tiny, -0.5 + tiny, 1e-40]
    x = np.concatenate([halves, *(np.nextafter(halves, np.float32(v)) for v in (-999, 999)), odd]).astype(np.float32)
    one, zero, out = np.ones(1, np.float32), np.zeros(1, np.float32), np.empty(len(x), np.int8)
    pointers = [ctypes.c_void_p(v.ctypes.data) for v in (one, zero, x, out)]
    library.probe_quantized(*pointers[:3], len(x), pointers[3])
    exact = x.astype(np.float64)  # a float32 plus a half is exact in float64
    away = np.where(exact < 0, -np.floor(-exact + 0.5), np.floor(exact + 0.5))
    assert np.array_equal(out, np.clip(away, -128, 127))
    core.write(BLOCK, struct.pack("<ff", 1, 0) + x.tobytes())
    core.call("probe_quantized", BLOCK, BLOCK + 4, BLOCK + 8, len(x), OUT)
    assert np.array_equal(np.frombuffer(core.read(OUT, len(x)), "i1"), out)


@pytest.mark.parametrize("front", FRONTS, ids=named)
def test_subnormals_do_not_matter(front):
    """Other libraries switch them off for the thread that loads them; the floor hides every one of them."""
    library, sounds, n = probe(), made_up(7000), len(front.features)
    sounds = np.concatenate([sounds, np.eye(4, 7000, 1, np.int16), -np.eye(4, 7000, 7 * front.hop, np.int16)])
    block, rows = np.frombuffer(pack_front(front, SCALE, ZERO), np.uint8).copy(), front.rows(7000)
    expected, small = features(sounds, front), np.empty((rows, n), np.int8)
    for sound, row in zip(sounds, expected, strict=True):
        out = np.empty((rows, n), np.float32)
        pointers = [ctypes.c_void_p(v.ctypes.data) for v in (block, sound, out, small)]
        if not library.probe_flush(1):
            pytest.skip("How to switch subnormals off is not known for this processor.")
        try:
            assert library.probe_frames(pointers[0], len(block), pointers[1], 7000, 0, rows, *pointers[2:]) == 0
        finally:
            library.probe_flush(0)
        assert same_bits(out, row)


def test_logarithms_agree(core):
    rng = np.random.default_rng(5)
    x = np.exp2(rng.uniform(-120, 120, 20000)).astype(np.float32)
    y = np.empty_like(x)
    probe().probe_ln(ctypes.c_void_p(x.ctypes.data), len(x), ctypes.c_void_p(y.ctypes.data))
    core.write(RING, x.tobytes())
    core.call("probe_ln", RING, len(x), OUT + 0x8000)
    assert same_bits(np.frombuffer(core.read(OUT + 0x8000, y.nbytes), "<f4"), y)
