"""Sound on its way: frames, ring, account, settling; against a device of a few lines."""

import threading
import tracemalloc

import numpy as np
import pytest
from fake_port import corrupt, drop, settle, wait_until

from tinykit.board import messages as m
from tinykit.board.account import SoundAccount
from tinykit.board.samples import Ring, Samples, SoundRing
from tinykit.board.sensor import Microphone
from tinykit.board.stream import Stream
from tinykit.errors import BoardError, DeviceError


@pytest.fixture
def mic(link):
    mic = Microphone(link, 1, "mic", 16000.0, ("audio",), link.log)
    link.on_restore(mic._restore)
    return mic


def right(samples):
    """Whether every sample of ``FakeBoard.hear`` is at its place."""
    return (samples.counts[:, 0] == samples.index.astype(np.int16)).all()


# -- frames --------------------------------------------------------------------------------------


def test_a_frame_of_sound_by_hand():
    payload = bytes.fromhex("01 02 0300 10000000 20000000 0100 ffff 0080".replace(" ", ""))
    frame = m.parse_audio(payload)
    assert (frame.sensor, frame.flags, frame.index, frame.time_us) == (1, 2, 16, 32)
    assert frame.counts.dtype == np.int16 and frame.counts.tolist() == [[1], [-1], [-32768]]
    assert (
        m.parse_audio(payload[:-1]) is None and m.parse_audio(payload + b"\0\0") is None and m.parse_audio(b"") is None
    )


def test_the_longest_frame_fits_the_link():
    from tinykit.board.frame import MAX_PAYLOAD

    assert 12 + 2 * m.AUDIO_SAMPLES <= MAX_PAYLOAD


# -- the ring ------------------------------------------------------------------------------------


def test_a_ring_of_sound_says_the_same_as_one_that_keeps_everything():
    """The oracle: the IMU's ring, which has an index and a time for every sample."""
    rng = np.random.default_rng(2)
    sound, all_of_it = SoundRing(1000, ("audio",), 16000.0), Ring(1000, ("audio",))
    index, time_us, cursor = 5, 1_000_000, 0
    for _ in range(400):
        index += int(rng.choice([0, 0, 0, 7, 480]))  # a gap now and then
        time_us += int(rng.integers(0, 5000))
        n = int(rng.integers(1, 241))
        counts = rng.integers(-32768, 32768, (n, 1)).astype(np.int16)
        sound.write(index, time_us, counts)
        all_of_it.write(np.arange(index, index + n), time_us + np.arange(n) * 62.5, counts)
        index += n
        if rng.random() < 0.3:
            limit = int(rng.integers(0, 700)) if rng.random() < 0.5 else None
            (a, next_a), (b, next_b) = sound.read_new(cursor, limit), all_of_it.read_new(cursor, limit)
            assert next_a == next_b and len(a) == len(b)
            assert (a.index == b.index).all() and (a.counts == b.counts).all()
            assert np.allclose(a.time_s, b.time_s, atol=2e-6)
            cursor = next_a
    assert sound.written > 10 * sound.capacity
    empty, _ = sound.read_new(sound.written)
    assert len(empty) == len(empty.index) == len(empty.time_s) == 0


def test_a_frame_longer_than_the_ring_leaves_its_end():
    ring = SoundRing(100, ("audio",), 16000.0)
    ring.write(0, 0, np.arange(240, dtype=np.int16)[:, None])
    block, _ = ring.read_new()
    assert block.index.tolist() == list(range(140, 240)) == block.counts[:, 0].tolist()
    assert block.time_s[0] == pytest.approx(140 / 16000)


def test_two_minutes_of_sound_take_two_bytes_a_sample():
    n, frame = 120 * 16000, np.zeros((240, 1), np.int16)
    tracemalloc.start()
    ring = SoundRing(n, ("audio",), 16000.0)
    for k in range(3 * n // 240):
        ring.write(240 * k, 15000 * k, frame)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 2.8 * n  # the samples, and what Python needs for a few numbers a frame


def test_parts_and_joins_of_blocks():
    ring = SoundRing(1000, ("audio",), 16000.0)
    for k in range(4):
        ring.write(300 * k, 15000 * k, np.full((240, 1), k, np.int16))
    whole, _ = ring.read_new()
    joined = Samples.joined([whole[:100], whole[100:101], whole[101:]])
    for a, b in ((joined.index, whole.index), (joined.time_s, whole.time_s), (joined.counts, whole.counts)):
        assert (a == b).all()
    assert (whole[230:250].index == np.r_[230:240, 300:310]).all()
    assert whole.values.dtype == np.float32 and whole.values.max() == np.float32(3 / 32768)


# -- the account ---------------------------------------------------------------------------------


def frames(account, *places, n=240):
    for index, time_us in places:
        account.accept(m.AudioFrame(1, 0, index & 0xFFFFFFFF, time_us & 0xFFFFFFFF, np.zeros((n, 1), np.int16)))
    return account.stats()


def test_gaps_and_repeats_are_counted_by_index_and_the_rate_by_the_clock():
    account = SoundAccount(16000.0)
    stats = frames(account, (0, 0), (240, 15030), (240, 15030), (960, 60120))
    assert (stats.received, stats.lost, stats.duplicated) == (720, 480, 240)
    assert stats.rate_hz == pytest.approx(960 / 0.06012) and stats.jitter_ms == 0
    assert stats.seconds == pytest.approx(0.06012 + 239 / 16000)


def test_jitter_is_how_unevenly_frames_of_any_size_begin():
    account, rng = SoundAccount(16000.0), np.random.default_rng(0)
    late, index = rng.normal(scale=800, size=400), 0
    for k in range(400):
        n = 240 + 80 * (k % 3)
        if k % 50 != 49:  # what follows a gap says nothing of the time between neighbours
            stats = frames(account, (index, 100_000 + round(index * 62.5 + late[k])), n=n)
        index += n
    assert stats.lost > 0 and stats.jitter_ms == pytest.approx(0.8 * 2**0.5, rel=0.1)


def test_index_and_clock_run_over_32_bits():
    account = SoundAccount(16000.0)
    step = (240, 15000)
    places = [(2**32 - 500 + k * step[0], 2**32 - 20000 + k * step[1]) for k in range(8)]
    stats = frames(account, *places)
    assert (stats.received, stats.lost, stats.duplicated) == (8 * 240, 0, 0)
    assert stats.rate_hz == pytest.approx(16000)


def test_after_a_restart_the_index_goes_on():
    account = SoundAccount(16000.0)
    frames(account, (1000, 10**6))
    account.restart(1600, 0.1)
    first, time_us, counts = account.accept(m.AudioFrame(1, 0, 56000, 77, np.zeros((240, 1), np.int16)))
    assert first == 1240 + 1600 and time_us == 10**6 + 15000 + 100_000 and len(counts) == 240
    stats = account.stats()
    assert (stats.received, stats.lost, stats.lost_estimated) == (480, 0, 1600)


# -- the stream ----------------------------------------------------------------------------------


def test_every_sample_once(board, mic):
    with Stream(mic) as stream:
        for n in (240, 1, 239, 240, 17):
            board.hear(n)
        samples = stream.read(737)
        assert samples.index.tolist() == list(range(737)) and right(samples)
        assert samples.channels == ("audio",) and samples.counts.shape == (737, 1)
        assert (stream.stats.received, stream.stats.lost) == (737, 0)
        assert stream.stats.rate_hz == pytest.approx(16000, rel=1e-3)
    start = next(frame for frame in board.requests if frame.type == m.STREAM_START)
    assert start.payload == bytes((1, 240, 0, 0, 0, 0, 0, 0))


def test_frames_of_the_other_sensor_are_not_its_own(board, mic):
    with Stream(mic) as stream:
        board.sample(4)
        board.hear(10)
        assert len(stream.read(10)) == 10


@pytest.mark.parametrize("tamper", [corrupt(0.001), drop(0.0005)], ids=["corrupt", "drop"])
def test_noise_every_loss_is_counted_and_no_wrong_sample_accepted(board, link, mic, tamper):
    with Stream(mic) as stream:
        board.hear()
        stream.read(1)
        board.tamper = tamper
        for _ in range(2000):
            board.hear()
        board.tamper = lambda data: data
        board.hear()
        wait_until(lambda: board._out == b"")
        settle(link)
        samples, _ = stream.read_new()
        stats = stream.stats
    assert right(samples) and (np.diff(samples.index) > 0).all()
    assert stats.lost > 10_000 and stats.received == len(samples) and stats.duplicated == 0
    assert stats.received + stats.lost == board.index


def test_a_loss_at_the_end_shows_in_the_boards_count(board, link, mic):
    with Stream(mic) as stream:
        board.hear()
        stream.read(240)
        board.hear(deliver=False)
    assert (stream.stats.received, stream.stats.lost) == (240, 240)


def test_a_microphone_that_settles_is_waited_for(board, mic, monkeypatch):
    from tinykit.board import stream as stream_module

    monkeypatch.setattr(stream_module, "_SILENCE_S", 0.05)
    board.mic = "settling"
    with Stream(mic) as stream:
        assert stream.settling
        threading.Timer(0.5, board.hear).start()
        assert len(next(iter(stream))) == 240  # longer than any silence that would be an error
        assert not stream.settling
        with pytest.raises(BoardError, match="No samples of the microphone arrive"):
            stream.read(240, timeout=0.05)


def test_a_microphone_that_is_started_anew_in_the_middle_is_waited_for(board, mic, monkeypatch):
    """The board starts it again when its driver has stopped: half a second, and 3.5 s to settle."""
    from tinykit.board import stream as stream_module

    monkeypatch.setattr(stream_module, "_SILENCE_S", 0.05)
    with Stream(mic) as stream:
        board.hear()
        blocks = iter(stream)
        next(blocks)
        threading.Timer(0.5, lambda: board.hear(skip=64000)).start()
        assert len(next(blocks)) == 240 and stream.stats.lost == 64000


def test_a_silent_microphone_is_named(board, link, mic):
    import struct

    from tinykit.board.frame import encode

    with Stream(mic) as stream:
        board.send(encode(m.FAULT, 1, struct.pack("<h", -29) + b"the microphone is silent"))
        settle(link)
        with pytest.raises(DeviceError, match="The microphone has stopped giving samples") as caught:
            stream.read(1, timeout=0.05)
        assert caught.value.name == "sensor_dead"
        board.hear()
        assert len(stream.read(240)) == 240


def test_unplugged_and_back_with_what_was_lost(board, link, mic):
    with Stream(mic) as stream:
        board.hear()
        stream.read(240)
        board.unplug()
        wait_until(lambda: not link.up)
        board.replug(rebooted=True)
        wait_until(lambda: link.log.of("reconnected") and board.streaming)
        settle(link)
        board.hear()
        block = stream.read(240)
        stats = stream.stats
    away = int(block.index[0]) - 240
    assert away == stats.lost_estimated > 3.5 * 16000  # it settles anew, and that is no sound either
    assert (stats.interruptions, stats.received, stats.duplicated) == (1, 480, 0)
    assert "samples of mic (estimated" in link.log.of("lost")[0].text


def test_several_readers_and_a_ring_that_is_large_enough(board, mic):
    with Stream(mic, capacity_s=0.05) as short, Stream(mic, seconds=1.0, capacity_s=0.05) as whole:
        for _ in range(100):
            board.hear()
        blocks = Samples.joined(whole)
        assert len(blocks) == 16000 and right(blocks)
        wait_until(lambda: short.written == 24000)
        last, _ = short.read_new()
        assert len(last) == short.written - 8000 == 16000 and right(last)
