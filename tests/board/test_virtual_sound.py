"""What the virtual microphone is given to hear."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest
import serial
from probe_board import HEARD, Probe, command

from tinykit.board.virtual import Generator, Noise, PushSource, Replay, SoundReplay, Still, Together, as_source
from tinykit.board.virtual.machine import VirtualBoard
from tinykit.data import audio
from tinykit.data.recording import Recording
from tinykit.errors import DataError

RATE = 16_000


def counts(n, seed=0):
    return np.random.default_rng(seed).integers(-32768, 32768, n).astype(np.int16)


def heard(source, n, first=0, blocks=(256,)):
    """The first n samples, in blocks of these sizes."""
    parts, i = [], 0
    while first < n:
        size = min(blocks[i % len(blocks)], n - first)
        parts.append(source.sound(first, size))
        first, i = first + size, i + 1
    return np.concatenate(parts)


def test_recordings_are_heard_exactly_with_gaps_between():
    a, b = counts(1000, 1), counts(777, 2)
    source = Replay([audio.sound(a, label="a"), audio.sound(b, label="b")], gap_s=0.01)
    assert isinstance(source, SoundReplay)
    expected = np.concatenate([a, np.zeros(160, np.int16), b, np.zeros(500, np.int16)])
    assert np.array_equal(heard(source, len(expected)), expected)
    assert source.duration == pytest.approx((1000 + 160 + 777) / RATE)
    labels = [source.label_at(t / RATE) for t in (0, 999, 1000, 1160, 1936, 1937)]
    assert labels == ["a", "a", None, "b", "b", None]


def test_loops_begin_again_after_the_gap():
    a = counts(1000)
    source = SoundReplay(a, loop=True, gap_s=0.01)
    turn = np.concatenate([a, np.zeros(160, np.int16)])
    assert np.array_equal(heard(source, 5 * 1160, blocks=(256, 1, 4000)), np.tile(turn, 5))
    assert source.duration is None
    assert source.sound(-100, 200)[:100].tolist() == [0] * 100


def test_other_rates_become_16_khz():
    t = np.arange(8000) / 8000
    slow = Recording(np.sin(2 * np.pi * 300 * t)[:, None] * 0.5, ("audio",), 8000.0)
    source = Replay(slow)
    assert source.duration == 1.0
    sound = heard(source, RATE) / 32768
    expected = 0.5 * np.sin(2 * np.pi * 300 * np.arange(RATE) / RATE)
    assert np.abs(sound - expected)[500:-500].max() < 0.01


def test_a_scene_is_labelled_by_its_events():
    event = SimpleNamespace(start_s=0.5, end_s=1.0, label="go")
    scene = SimpleNamespace(recording=audio.sound(counts(2 * RATE)), events=[event])
    source = as_source(scene)
    assert [source.label_at(t) for t in (0.0, 0.5, 0.99, 1.0)] == [None, "go", "go", None]
    assert np.array_equal(source.sound(100, 50), counts(2 * RATE)[100:150])


def test_what_can_be_a_source():
    sound, moving = audio.sound(counts(100)), Recording(np.zeros((10, 6), np.float32))
    for thing in (counts(100), sound, [sound], SimpleNamespace(recordings=[sound])):
        assert isinstance(as_source(thing), SoundReplay) and as_source(thing).loop
    for thing in (moving, [moving], SimpleNamespace(recordings=[moving])):
        assert type(as_source(thing)) is Replay
    for source in (Still(), Noise(), PushSource()):
        assert as_source(source) is source
    with pytest.raises(DataError, match="no signal source"):
        as_source(3)
    with pytest.raises(DataError, match="no recording"):
        as_source([])
    with pytest.raises(DataError, match="is no sound"):
        Replay([sound, moving])


def test_noise_is_as_loud_as_told_and_the_same_in_any_blocks():
    source = Noise(-30, seed=3)
    sound = heard(source, 4 * RATE)
    assert 20 * np.log10(audio.rms(sound)) == pytest.approx(-30, abs=0.1)
    assert np.array_equal(sound, heard(Noise(-30, seed=3), 4 * RATE, blocks=(1, 5000, 77)))
    assert not np.array_equal(sound, heard(Noise(-30, seed=4), 4 * RATE))


def test_push_gives_what_was_fed_and_counts_the_holes():
    source, x = PushSource(lead_s=0.02), counts(3200)
    assert source.sound(0, 256).tolist() == [0] * 256 and source.starved == 0  # nobody has spoken yet
    source.feed(x[:300])
    assert not source.sound(256, 256).any() and source.starved == 256  # 20 ms have not come together
    source.feed(x[300:1000])
    assert np.array_equal(heard(source, 512 + 768, first=512), x[:768])
    last = source.sound(1280, 256)
    assert np.array_equal(last[:232], x[768:1000]) and not last[232:].any()
    assert source.starved == 256 + 24 and source.dropped == 0
    source.feed(x[1000:1100])
    assert not source.sound(1536, 256).any()  # waits for its lead again
    source.feed(x[1100:1500])
    assert np.array_equal(source.sound(1792, 256), x[1000:1256])


def test_push_drops_the_oldest_and_what_nobody_listened_to():
    source, x = PushSource(lead_s=0.02, most_s=0.1), counts(4000)
    for piece in x.reshape(-1, 400):
        source.feed(piece)
    # Over 1600 samples, it falls back to 320.
    assert source.dropped + source.waiting_s * RATE == 4000 and source.waiting_s <= 0.1
    begin = source.dropped
    assert np.array_equal(source.sound(0, 100), x[begin : begin + 100])
    assert np.array_equal(source.sound(200, 100), x[begin + 200 : begin + 300])
    assert source.dropped == begin + 100


def test_push_takes_floats_and_other_rates():
    source = PushSource(lead_s=0)
    source.feed(np.array([0.5, -1.0, 0.25], np.float32))
    assert source.sound(0, 3).tolist() == [16384, -32768, 8192]
    source = PushSource(lead_s=0, most_s=5)
    t = np.arange(48_000) / 48_000
    for piece in np.array_split(0.5 * np.sin(2 * np.pi * 300 * t), 37):
        source.feed(piece, 48_000)
    sound = source.sound(0, 15_000) / 16384
    spectrum = np.abs(np.fft.rfft(sound[1000:] * np.hanning(14_000)))
    assert np.argmax(spectrum) * RATE / 14_000 == pytest.approx(300, abs=2)
    assert np.abs(sound[2000:]).max() == pytest.approx(1.0, abs=0.01)


def test_push_from_another_thread_reaches_the_board():
    source, x = PushSource(lead_s=0.05, most_s=60), counts(20 * RATE) // 2 * 2 + 1  # never 0
    with Probe(source=source) as probe:
        probe.number("k", RATE)
        probe.number("d", 4000)
        pieces = iter(x.reshape(-1, 320))
        feeder = threading.Thread(target=lambda: [source.feed(piece) for piece in pieces])
        with probe.board.hold():  # else the board may have heard all its silence before the feeder's first piece
            for _ in range(4):
                source.feed(next(pieces))
            probe.port.write(command("A") + command("a", 1200))
        feeder.start()
        sound = np.frombuffer(probe.port.read(4 + 1200 * HEARD.itemsize)[4:], HEARD)["sample"].reshape(-1)
        feeder.join()
    sound = sound[np.flatnonzero(sound)]
    first = np.flatnonzero(x == sound[0])
    assert any(np.array_equal(sound, x[i : i + len(sound)]) for i in first)
    assert len(sound) + source.starved >= 100 * 256


def test_hand_and_ear_together():
    moving, loud = Generator("punch"), SoundReplay(np.full(RATE, 1000, np.int16))
    source = Together(moving, loud)
    assert source.duration == 1.0
    with Probe(source=source) as probe:
        times = np.arange(400) / 119.0
        assert np.array_equal(source.read(times), moving.read(times))
        probe.number("k", RATE)
        assert probe.board.doing in (None, "punch", "rest")
    with Probe(source=Noise(-20)) as probe:  # only for the ear: the board lies still
        z = probe.samples(50)["value"][:, 2]
        assert z == pytest.approx(np.full(50, 8192), abs=300)
        assert not probe.board.imu.moves


def test_doing_is_what_is_heard():
    words = [audio.sound(np.full(RATE // 2, 1000, np.int16), label=word) for word in ("yes", "no")]
    with Probe() as probe:
        probe.number("k", RATE)
        probe.number("d", 3600)
        with probe.board.hold():
            probe.board.source = Replay(words, gap_s=0, loop=True)
            seen = []
            for _ in range(8):
                probe.board.advance(0.25)
                seen.append(probe.board.doing)
        assert set(seen) == {"yes", "no"}
        assert sum(a != b for a, b in zip(seen, seen[1:], strict=False)) in (3, 4)


def test_sound_files_by_address(tmp_path):
    (tmp_path / "word.wav").write_bytes(audio.to_wav(audio.sound(counts(RATE), label="word")))
    port = serial.serial_for_url(f"virtual://nano33ble/heard?source={tmp_path / 'word.wav'}&clock=free")
    try:
        board = VirtualBoard.get("heard")
        assert isinstance(board.source, SoundReplay) and board.source.loop
        assert np.array_equal(board.source.sound(0, RATE), counts(RATE))
    finally:
        port.close()
        VirtualBoard.get("heard").close()
