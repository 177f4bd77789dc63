"""Sound on the real firmware: streamed, recorded, answered, heard live."""

import os
import threading
import time

import numpy as np
import pytest
from made import WORDS, Counting, babble, make_listener

from tinykit import engine, features
from tinykit.board import Board, recorder
from tinykit.board.info import BoardInfo
from tinykit.board.virtual import SoundReplay, Together
from tinykit.data import Dataset, Recording, units
from tinykit.engine.detection import detections
from tinykit.engine.streaming import stream_answers
from tinykit.errors import BoardError, DataError, DeviceError, ModelError, TakeRefused

RATE = 16000
FULL = os.environ.get("TINYKIT_FULL") == "1"


@pytest.fixture(scope="session")
def words():
    return make_listener("words", seed=1)


@pytest.fixture(scope="session")
def other():
    return make_listener("other", seed=2, hop=3200, coefficients=10, mels=32)


def opened(clock="free"):
    return Board(f"virtual://nano33ble/sound?clock={clock}&flash=memory", remember=False)


@pytest.fixture
def board():
    with opened() as board:
        yield board


def ramp(n):
    """Counts that say their own place, so that a wrong sample can't pass for a right one."""
    return ((np.arange(n) * 7919) % 65536 - 32768).astype(np.int16)


def place_of(counts, played):
    """Where in ``played`` these counts begin; None when they are nowhere in it."""
    counts = counts[:, 0]
    for start in np.flatnonzero(played[: len(played) - len(counts) + 1] == counts[0]):
        if (played[start : start + len(counts)] == counts).all():
            return start
    return None


def wait_until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


def sound_of(counts, **about):
    return Recording(units.to_units(counts[:, None], units.SOUND), units.SOUND, RATE, **about)


def said(seconds, seed, label, quiet=0.002, **about):
    """A take with something in its middle third."""
    n = round(seconds * RATE)
    t = np.arange(n) / n
    loud = np.where((t > 0.35) & (t < 0.65), 0.3, quiet)
    x = loud * np.random.default_rng(seed).standard_normal(n)
    return sound_of(units.to_counts(x.clip(-1, 1)[:, None], units.SOUND)[:, 0], label=label, **about)


# -- streams -------------------------------------------------------------------------------------


def test_a_board_says_what_its_microphone_is(board, words):
    (mic,) = [s for s in board.info.sensors if s.name == "mic"]
    assert (mic.part, mic.rate_hz, mic.channels) == ("MP34DT06", 16000.0, ("audio",))
    assert board.info.mic == "off" and "mic: MP34DT06" in board._repr_html_()
    assert board.microphone == "off"
    board.deploy(words, progress=False)
    assert board.microphone in ("settling", "on")


def test_what_is_played_is_what_is_streamed(board):
    played = ramp(65536)  # each count once
    board.source = SoundReplay(played, loop=True, gap_s=0)
    with board.stream("mic", seconds=6) as stream:
        blocks = list(stream)
    samples = blocks[0].joined(blocks)
    assert len(samples) == 6 * RATE and samples.counts.dtype == np.int16 and samples.counts.shape[1] == 1
    assert (np.diff(samples.index) == 1).all() and samples.index[0] >= 3.5 * RATE  # it settled, and that counts
    assert np.allclose(np.diff(samples.time_s), 1 / RATE, atol=3e-6)
    start = int(np.flatnonzero(played == samples.counts[0, 0])[0])
    assert (samples.counts[:, 0] == played[(start + np.arange(len(samples))) % 65536]).all()
    assert (samples.values[:, 0] == samples.counts[:, 0] / np.float32(32768)).all()
    stats = stream.stats
    assert (stats.lost, stats.duplicated, stats.interruptions) == (0, 0, 0)
    assert stats.rate_hz == pytest.approx(16000, abs=1)
    assert any("settles" in event.text for event in board.log.of("log"))


def test_sound_movement_and_predictions_at_once(board, words):
    board.deploy(words, progress=False)
    board.source = Together(Counting(), SoundReplay(babble(10), loop=True, gap_s=0))
    with board.stream("imu") as hand, board.stream("mic") as ear, board.live() as live:
        ear.read(10 * RATE, timeout=60)
        moved, heard = hand.stats, ear.stats
        answers, _ = live.read_new()
        lost = live.lost
    assert heard.lost == 0 and moved.lost == 0 and moved.received > 9 * 119
    assert Counting.wrong(hand.read_new()[0]) == 0
    assert len(answers) > 80 and lost == 0
    index = np.array([p.index for p in answers])
    assert (np.diff(index) == words.hop).all()


def test_a_stream_pauses_for_windows_and_goes_on(board, words):
    board.deploy(words, progress=False)
    board.source = SoundReplay(ramp(20 * RATE), loop=True, gap_s=0)
    x = babble(3).reshape(-1, RATE, 1)
    with board.stream("mic") as stream, board.live() as live:
        stream.read(RATE, timeout=60)
        assert (board.answers(x) == engine.answers(words, x)).all()
        before = stream.written
        wait_until(lambda: stream.written > before + RATE)
        came = live.received
        wait_until(lambda: live.received > came)
        with stream._ring.changed:  # both at one moment: more comes all the time
            samples, stats = stream.read_new()[0], stream.stats
    assert any("paused" in event.text for event in board.log.of("lost"))
    assert stats.received + stats.lost == samples.index[-1] - samples.index[0] + 1
    at = (samples.counts[:, 0].astype(np.int64) - samples.counts[0, 0]) * pow(7919, -1, 65536) % 65536
    assert (at == (samples.index - samples.index[0]) % 65536).mean() > 0.98  # but where the source begins again


@pytest.mark.parametrize("fault", ["corrupt", "drop"])
def test_noise_every_loss_is_counted_and_no_wrong_sample_accepted(board, fault):
    played = ramp(65536)
    board.source = SoundReplay(played, loop=True, gap_s=0)
    with board.stream("mic", seconds=20) as stream:
        stream.read(1, timeout=60)
        board.machine.faults.to_board = False
        setattr(board.machine.faults, fault, 0.0003)
        for _ in stream:
            pass
        setattr(board.machine.faults, fault, 0.0)
        stream.read(RATE, timeout=60)
        with stream._ring.changed:  # both at one moment: more comes all the time
            samples, stats = stream.read_new()[0], stream.stats
    assert stats.lost > 1000 and stats.duplicated == 0
    assert stats.received == len(samples) and stats.received + stats.lost == samples.index[-1] - samples.index[0] + 1
    start = int(np.flatnonzero(played == samples.counts[0, 0])[0])
    assert (samples.counts[:, 0] == played[(start + samples.index - samples.index[0]) % 65536]).all()


def test_a_dead_microphone_is_named(words):
    with opened("paced") as board:
        board.machine.faults.dead_mic = True
        with pytest.raises(DeviceError, match="microphone has stopped giving samples") as caught:
            list(board.stream("mic", seconds=1))
        assert caught.value.name == "sensor_dead"
        assert any("microphone" in event.text for event in board.log.of("fault"))


def test_boards_that_can_not_hear_say_why(words):
    lines = "firmware={}\nboard=Arduino Nano 33 BLE\nsensors=imu:LSM9DS1:119.0:aX,aY,aZ,gX,gY,gZ:8192:16.384\n{}"
    old = BoardInfo.parse(lines.format("0.1.0", "").encode())
    deaf = BoardInfo.parse(lines.format("0.2.0", "mic=off\n").encode())
    with pytest.raises(BoardError, match="firmware 0.1.0 of this board is too old for sound.*tk.flash"):
        old.require("mic")
    with pytest.raises(BoardError, match="Arduino Nano 33 BLE has no microphone"):
        deaf.require("mic")
    deaf.require("imu")
    deaf.require_sound()


# -- takes ---------------------------------------------------------------------------------------


def test_a_take_of_sound_is_measured_and_kept(board):
    played = said(2.0, 1, "left", quiet=0.1)  # good wherever in the loop a take begins: no word is cut off
    board.source = SoundReplay(played, loop=True, gap_s=0)
    take = board.record("left", 2.0, person="ada", sensor="mic", progress=False)
    assert take.samples.shape == (2 * RATE, 1) and take.channels == ("audio",) and take.rate_hz == 16000.0
    assert (take.label, take.person, take.device) == ("left", "ada", board.device_name)
    assert take.quality["verdict"] == "good" and take.quality["lost"] == take.quality["interruptions"] == 0
    assert take.quality["rate_hz"] == pytest.approx(16000, abs=1) and take.timestamps_ms is None
    assert place_of(take.counts(), np.tile(played.counts()[:, 0], 3)) is not None


def test_a_take_says_that_the_microphone_settles():
    with opened("paced") as board:
        take = recorder.Take(board, 0.5, "mic")
        assert "settles for 3.5 s" in take.status and take.progress == 0.0
        samples = take.wait()
        assert len(samples) == RATE // 2 and take.status.startswith("Recording: 0.5 of 0.5 s") and take.done


def test_a_long_take_is_whole(board):
    seconds = 600 if FULL else 30
    played = babble(100, seed=3)
    board.source = SoundReplay(played, loop=True, gap_s=0)
    take = board.record(None, seconds, sensor="mic", progress=False)
    assert take.samples.shape == (seconds * RATE, 1) and take.quality["lost"] == 0
    assert place_of(take.counts()[: 5 * RATE], np.tile(played, 2)) is not None


def test_silence_is_refused_as_a_word_and_not_lost(board):
    with pytest.raises(TakeRefused, match="not kept") as caught:
        board.record("left", 1.0, sensor="mic", progress=False)
    assert caught.value.recording.samples.shape == (RATE, 1)
    assert board.record("silence", 1.0, sensor="mic", progress=False).label == "silence"


def test_the_cable_pulled_in_a_take_loses_nothing_that_was_recorded():
    played = ramp(60 * RATE)
    with opened("paced") as board:
        board.source = SoundReplay(played)
        take = recorder.Take(board, 12.0, "mic")
        wait_until(lambda: take.progress > 0.1)
        board.machine.unplug()
        wait_until(lambda: not board.connected)
        came = take.stream.written
        board.machine.replug()
        with pytest.raises(TakeRefused, match="the board was away") as caught:
            take.recording("left")
    kept = caught.value.recording
    assert kept.quality["interruptions"] == 1 and kept.quality["lost"] > 3.5 * RATE and len(kept) == 12 * RATE
    assert came > 0.1 * 12 * RATE and place_of(kept.counts()[:came], played) is not None


def test_a_board_that_stays_away_leaves_what_it_had_sent(monkeypatch):
    from tinykit.board import stream as stream_module

    monkeypatch.setattr(stream_module, "_SILENCE_S", 0.1)
    monkeypatch.setattr(stream_module, "_AWAY_S", 0.1)
    with opened("paced") as board:
        board.source = SoundReplay(ramp(60 * RATE))
        take = recorder.Take(board, 8.0, "mic")
        wait_until(lambda: take.progress > 0.1)
        board.machine.unplug()
        with pytest.raises(BoardError, match="is gone") as caught:
            take.recording("left")
        assert len(caught.value.recording) > 0.1 * 8 * RATE
        board.machine.replug()


# -- windows -------------------------------------------------------------------------------------


def test_windows_are_answered_bit_for_bit_as_on_the_host(board, words, other):
    x = babble(30, seed=5).reshape(-1, RATE, 1)
    for pipeline in (words, other):
        board.deploy(pipeline, progress=False)
        expected = engine.answers(pipeline, x)
        assert len(np.unique(expected, axis=0)) > 25
        assert (board.answers(x) == expected).all()
        assert board.last_run.runs == 30
    board.rollback()
    assert (board.answers(x[:3]) == engine.answers(words, x[:3])).all()
    one = board.classify(x[0])
    assert one.shape == (4,) and (one == (engine.answers(words, x[:1])[0].astype(float) + 128) / 256).all()


def test_windows_are_answered_as_tflite_micro_does(board, words):
    """The golden reference: the .tflite file itself, in the reference kernels of another project."""
    runtime = pytest.importorskip("tflite_micro.python.tflite_micro.runtime")
    counts = babble(12, seed=6).reshape(-1, RATE, 1)
    board.deploy(words, progress=False)
    plan = engine.compile_plan(words)
    x = features.quantized(counts, words.front_end, plan.input_scale, plan.input_zero_point)
    golden = runtime.Interpreter.from_bytes(words.int8_model, arena_size=200_000)
    expected = []
    for example in x.reshape(len(x), 1, *plan.input_shape):
        golden.set_input(example, 0)
        golden.invoke()
        expected.append(np.array(golden.get_output(0)).ravel())
    assert (board.answers(counts) == np.stack(expected)).all()
    tensors = x.reshape(len(x), *plan.input_shape)
    assert (board.run(tensors) == np.stack(expected)).all()


def test_windows_get_through_a_noisy_line_right(board, words):
    board.deploy(words, progress=False)
    x = babble(6, seed=8).reshape(-1, RATE, 1)
    board.machine.faults.corrupt = 0.0002
    answers = board.answers(x)
    board.machine.faults.corrupt = 0.0
    assert board._link.counters.repeated > 0
    assert (answers == engine.answers(words, x)).all()


def test_evaluate_scores_the_boards_own_answers(board, words):
    takes = [said(1.0, i, WORDS[i % 4], person="ab"[i // 4 % 2], id=str(i)) for i in range(16)]
    board.deploy(words, progress=False)
    report = board.evaluate(Dataset(takes), progress=False)
    counts = np.stack([take.counts() for take in takes])
    best = engine.answers(words, counts).argmax(1)
    assert report.accuracy == pytest.approx(np.mean([WORDS[b] == t.label for b, t in zip(best, takes, strict=True)]))
    same = report.extra["agreement"]
    assert same["exact"] and same["windows"] == same["equal"] == 16


def test_wrong_windows_of_sound(board, words):
    board.deploy(words, progress=False)
    with pytest.raises(ModelError, match="windows of 16000 samples of 1 channels, got 8000 of 1"):
        board.answers(np.zeros((1, 8000, 1), np.int16))
    with pytest.raises(ModelError, match="takes 1960 values an example, x has 100"):
        board.run(np.zeros((1, 100), np.int8))


# -- live ----------------------------------------------------------------------------------------


def test_played_sound_is_answered_live_as_the_host_answers_it(board, words):
    board.deploy(words, progress=False)
    sound = babble(12, seed=9)
    played = board.play(sound_of(sound), progress=False)
    assert played.answers.skipped == 0 and len(played.answers) >= 109
    ends = np.rint(played.answers.times_s * RATE).astype(int)
    assert (np.diff(ends) == words.hop).all() and ends[0] < RATE + words.hop
    span = 48 * 320 + 480
    padded = np.r_[sound, np.zeros(RATE, np.int16)]
    windows = np.stack([padded[end - span : end - span + RATE] for end in ends])[:, :, None]
    assert (played.answers.answers == engine.answers(words, windows)).all()
    host = stream_answers(words, sound[played.phase :])
    assert played.phase == ends[0] - span and (host.answers == played.answers.answers).all()
    assert np.allclose(host.times_s + played.phase / RATE, played.answers.times_s)


def test_detections_are_those_of_the_hosts_rule(board, words):
    """From the second answer in the sound on the smoothing sees the same two answers on both sides."""
    board.deploy(words, progress=False)
    board.decision(threshold=0.3, smoothing=1, suppression_s=0.0)
    played = board.play(babble(12, seed=10), progress=False)
    rule = board.decision()
    expected = [d for d in detections(played.answers, rule) if d.time_s <= played.seconds]
    found = [d for d in played.detections if d.time_s <= played.seconds]
    assert len(expected) > 5 and [(d.time_s, d.label) for d in found] == [(d.time_s, d.label) for d in expected]
    assert [d.probability for d in found] == pytest.approx([d.probability for d in expected])
    assert {d.label for d in played.detections} <= {"left", "right"}
    assert any(p.announced and p.label in ("silence", "unknown") for p in played.predictions)
    assert "12.0 s in" in repr(played)


def test_thresholds_per_word_on_the_running_board(board, words):
    board.deploy(words, progress=False)
    before = board.decision()
    assert before.thresholds == () and before.threshold == pytest.approx(0.3, abs=1e-4)
    with board.live() as live:
        live.next(timeout=60)
        now = board.decision(thresholds={"left": 0.8})
        assert now.thresholds == pytest.approx((0.3, 0.3, 0.8, 0.3), abs=1e-4)
        assert board.decision(smoothing=3).thresholds == now.thresholds
        assert board.decision(thresholds=[0.1, 0.2, 0.4, 1.0]).thresholds == pytest.approx(
            (0.1, 0.2, 0.4, 1.0), abs=1e-4
        )
        live.next()
        board.machine.reboot()
        wait_until(lambda: board.log.of("reconnected"))
        wait_until(lambda: board.decision().thresholds == pytest.approx((0.1, 0.2, 0.4, 1.0), abs=1e-4))
    assert board.decision(threshold=0.5).thresholds == ()
    assert board.decision(threshold=0.6, thresholds={"right": 0.9}).thresholds == pytest.approx(
        (0.6, 0.6, 0.6, 0.9), abs=1e-4
    )
    assert board.decision(thresholds=()).threshold == pytest.approx(0.6, abs=1e-4)
    for wrong, why in (({"up": 0.5}, "no label 'up'"), ([0.5], "1 thresholds for 4"), ({"left": 1.5}, "0 to 1")):
        with pytest.raises(ModelError, match=why):
            board.decision(thresholds=wrong)


def test_a_threshold_of_one_silences_its_word_only(board, words):
    board.deploy(words, progress=False)
    board.decision(threshold=0.3, smoothing=1, suppression_s=0.0, thresholds={"right": 1.0})
    played = board.play(babble(12, seed=10), progress=False)
    assert {d.label for d in played.detections} == {"left"}


def test_listening_gives_words_and_leaves_the_background_out(board, words):
    board.deploy(words, progress=False)
    board.decision(threshold=0.3, smoothing=1, suppression_s=0.0)
    board.source = SoundReplay(babble(20, seed=11), loop=True, gap_s=0)
    with board.listen() as ears:
        heard = [ears.next(timeout=60) for _ in range(4)]
        for word in ears:
            heard.append(word)
            if len(heard) == 8:
                break
        everything, _ = ears.read_new()
    assert all(word.detected and word.label in ("left", "right") and word.probability >= 0.3 for word in heard)
    assert [w.number for w in heard] == [p.number for p in everything if p.detected][:8]
    assert len(everything) > 8


def test_listening_ends_after_its_time(board, words):
    board.deploy(words, progress=False)
    board.decision(threshold=1.0)
    assert list(board.listen(seconds=0.3)) == []
    with board.listen() as ears:
        with pytest.raises(BoardError, match=r"Nothing was detected in 0.2 s.*threshold"):
            ears.next(timeout=0.2)
        assert ears.received > 0


def test_what_can_not_be_played(board, words, old):
    with pytest.raises(DeviceError, match="no pipeline"):
        board.play(babble(2))
    board.deploy(old, progress=False)
    with pytest.raises(ModelError, match="listens to the imu"):
        board.play(babble(2))
    board.deploy(words, progress=False)
    with pytest.raises(DataError, match="shorter than one window"):
        board.play(babble(0.5))


def test_the_cable_pulled_while_it_listens(words):
    with opened("paced") as board:
        board.deploy(words, progress=False)
        board.source = SoundReplay(babble(20), loop=True, gap_s=0)
        with board.live() as live:
            live.next(timeout=60)
            board.machine.unplug()
            wait_until(lambda: not board.connected)
            threading.Timer(0.3, board.machine.replug).start()
            wait_until(lambda: board.log.of("reconnected"))
            came = live.received
            while live.received <= came:  # it settles anew
                live.next(timeout=10)
    assert any("Live predictions" in event.text for event in board.log.of("lost"))
