"""The real firmware on the emulated core, over the same link as a real board."""

import threading
import time
import zlib
from dataclasses import replace

import numpy as np
import pytest
import serial
from made import LABELS, Counting

import tinykit as tk
from tinykit import engine, features
from tinykit.board import Board
from tinykit.board import messages as m
from tinykit.board.frame import encode
from tinykit.board.virtual import VirtualBoard
from tinykit.data import Dataset, Recording
from tinykit.data.windows import cut
from tinykit.errors import BoardError, DeviceError, DoesNotFit, ModelError


@pytest.fixture
def board(tmp_path, monkeypatch):
    url = f"virtual://nano33ble?clock=free&flash={(tmp_path / 'flash.bin').as_posix()}"
    with Board(url, remember=False) as board:
        yield board


def test_it_says_what_it_is(board):
    info = board.info
    assert info.virtual and board.is_virtual and info.protocol == 1
    assert [(s.name, s.rate_hz) for s in info.sensors] == [("imu", 119.0), ("mic", 16000.0), ("environment", 10.0)]
    assert info.sensors[0].channels == ("aX", "aY", "aZ", "gX", "gY", "gZ")
    assert info.arena >= 100_000 and info.slot_bytes == 0x50000 - 4096 and info.free_ram > 0
    assert [slot.state for slot in board.slots] == ["empty", "empty"]
    assert board.active is None and board.pipeline is None
    assert "no pipeline" in repr(board) and "virtual board" in board._repr_html_()


def test_a_minute_of_samples_none_lost_none_repeated(board):
    with board.stream("imu", seconds=60) as stream:
        blocks = list(stream)
    index = np.concatenate([b.index for b in blocks])
    times = np.concatenate([b.time_s for b in blocks])
    assert len(index) == 60 * 119 and (np.diff(index) == 1).all()
    assert times[-1] - times[0] == pytest.approx((60 * 119 - 1) / 119, abs=0.01)
    stats = stream.stats
    assert (stats.lost, stats.duplicated, stats.interruptions) == (0, 0, 0)
    assert stats.rate_hz == pytest.approx(119, abs=0.05)


def test_deploy_run_and_roll_back(board, old, new, windows):
    first = board.deploy(old, progress=False)
    assert (first.version, first.name, first.fingerprint) == (1, "old", old.fingerprint)
    assert board.active.name == "old" and board.active.crc == zlib.crc32(bytes(engine.compile_plan(old).bytes))
    assert (board.answers(windows) == engine.answers(old, windows)).all()

    second = board.deploy(new, progress=False)
    assert second.version == 2 and second.slot != first.slot and board.pipeline is new
    assert (board.answers(windows) == engine.answers(new, windows)).all()

    assert board.rollback().name == "old" and board.pipeline is old
    assert (board.answers(windows) == engine.answers(old, windows)).all()
    assert [(v["version"], v["active"]) for v in board.versions] == [(1, True), (2, False)]
    assert [slot.state for slot in board.slots] == ["good", "good"]


@pytest.mark.parametrize("name", ["har_smartwatch", "nano33_gestures", "nano33_spells"])
def test_windows_of_real_recordings_are_answered_as_tflite_micro_does(board, new, shared_data, name):
    """The golden reference: the .tflite file itself, in the reference kernels of another project."""
    runtime = pytest.importorskip("tflite_micro.python.tflite_micro.runtime")
    recordings = tk.open_dataset(shared_data / "gestures" / name).recordings
    some = Dataset(recordings[:: max(1, len(recordings) // 40)])
    counts = some.windows(new.window, None, new.rate_hz, new.front_end.channels).counts[::4][:120]
    board.deploy(new, progress=False)
    plan = engine.compile_plan(new)
    x = features.quantized(counts, new.front_end, plan.input_scale, plan.input_zero_point)
    golden = runtime.Interpreter.from_bytes(new.int8_model, arena_size=100_000)
    expected = []
    for example in x.reshape(len(x), 1, *plan.input_shape):
        golden.set_input(example, 0)
        golden.invoke()
        expected.append(np.array(golden.get_output(0)).ravel())
    assert len(expected) > 20
    assert (board.answers(counts) == np.stack(expected)).all()


def test_the_network_alone_takes_tensors(board, old):
    plan = engine.compile_plan(old)
    x = np.random.default_rng(3).integers(-128, 128, (10, 60, 6, 1), np.int8)
    board.deploy(old, progress=False)
    assert (board.run(x) == engine.Runtime(plan).run(x)).all()
    assert board.last_run.runs == 10


def test_a_bare_network_runs_and_says_it_has_no_front_end(board, old):
    board.deploy(engine.compile_network(old.int8_model, "bare"), progress=False)
    x = np.zeros((1, 60, 6, 1), np.int8)
    assert board.run(x).shape == (1, 3)
    with pytest.raises(DeviceError) as caught:
        board.live()
    assert caught.value.name == "no_pipeline"


def test_live_predictions_are_the_hosts_answers(board, old):
    done = board.deploy(old, progress=False)
    with board.live() as live:
        predictions = [live.next() for _ in range(30)]
    assert [p.number for p in predictions] == list(range(predictions[0].number, predictions[0].number + 30))
    assert live.lost == 0
    assert set(predictions[0].probabilities) == set(LABELS)
    assert all(p.label in (*LABELS, None) for p in predictions)
    assert all(p.latency_ms > 0 for p in predictions)
    assert (np.diff([p.device_time_s for p in predictions]) > 0).all()
    assert done.first_prediction_s > 0
    assert "ms" in str(predictions[0]) and predictions[0].as_dict()["raw"]


def test_live_windows_are_the_streamed_samples(board, old):
    """What the board says about a window is what the host says about the same samples."""
    board.deploy(old, progress=False)
    with board.stream("imu") as stream:
        stream.read(120)
        with board.live() as live:
            frames = []
            board.on("prediction", frames.append)
            while len(frames) < 10:
                live.next()
            board.off("prediction", frames.append)
        stream.read(119)
    samples, _ = stream.read_new()
    checked = 0
    for frame in frames:
        last = int(np.searchsorted(samples.index, frame.sample_index))
        if last >= 59 and last < len(samples) and samples.index[last] == frame.sample_index:
            window = samples.counts[last - 59 : last + 1]
            assert (engine.answers(old, window[None])[0] == frame.raw).all()
            checked += 1
    assert checked >= 5


def test_deploying_while_live_goes_on_with_the_new_one(board, old, new):
    board.deploy(old, progress=False)
    with board.live() as live:
        live.next()
        board.deploy(new, progress=False)
        assert live.next().raw
        assert board.active.name == "new"


def test_the_decision_rule_can_be_changed(board, old):
    board.deploy(old, progress=False)
    before = board.decision()
    assert before.threshold == pytest.approx(0.4, abs=1e-4)
    assert (before.smoothing, before.suppression_s) == (2, 0.2)
    now = board.decision(threshold=0.9, smoothing=4)
    assert now.threshold == pytest.approx(0.9, abs=1e-4) and now.smoothing == 4 and now.suppression_s == 0.2
    with pytest.raises(ModelError, match="thresholds 0 to 1"):
        board.decision(threshold=1.5)


def test_evaluate_scores_the_boards_own_answers(board, new):
    """The oracle: means over takes of what the host's engine answers, scored by hand."""
    rng = np.random.default_rng(5)
    takes = [
        Recording(rng.normal(0, 0.05, (90 + 7 * i, 6)).cumsum(0), label=LABELS[i % 3], person="ab"[i % 2], id=str(i))
        for i in range(12)
    ]
    board.deploy(new, progress=False)
    report = board.evaluate(Dataset(takes), progress=False)
    right = 0
    for take in takes:
        counts, _ = cut(take, new.window, new.window // 2, new.rate_hz, new.front_end.channels)
        mean = engine.answers(new, counts).astype(float).mean(0)
        right += LABELS[int(mean.argmax())] == take.label
    assert report.accuracy == pytest.approx(right / 12)
    assert report.unit == "take" and set(report.per_person) == {"a", "b"}
    same = report.extra["agreement"]
    assert same["exact"] and same["windows"] == same["equal"] > 12 and same["largest_difference"] == 0


def test_evaluating_goes_on_beside_live_predictions(board, old, windows):
    board.deploy(old, progress=False)
    with board.live() as live:
        live.next()
        assert (board.answers(windows[:3]) == engine.answers(old, windows[:3])).all()
        fresh = live.read_new()[1]
        while live.read_new()[1] < fresh + 3:
            live.next()


# -- what goes wrong ---------------------------------------------------------------------------


def test_nothing_deployed(board, windows):
    for what in (board.live, lambda: board.answers(windows[:1]), lambda: board.run(np.zeros((1, 5), np.int8))):
        with pytest.raises(DeviceError) as caught:
            what()
        assert caught.value.name == "no_plan" and "board.deploy" in caught.value.next


def test_nothing_to_roll_back_to(board, old):
    board.deploy(old, progress=False)
    with pytest.raises(DeviceError) as caught:
        board.rollback()
    assert caught.value.name == "slot_empty"
    assert board.active.name == "old"


def test_a_plan_too_large_is_refused_before_it_is_sent(board, old):
    plan = engine.compile_plan(old)
    requests = board._link.counters.requests
    slot, arena = board.info.slot_bytes, board.info.arena
    with pytest.raises(DoesNotFit, match=f"{slot:,}: 1 too many"):
        board.deploy(replace(plan, bytes=bytes(slot + 1)))
    with pytest.raises(DoesNotFit, match=f"{arena + 9:,} bytes of RAM.* has {arena:,}: 9 too many"):
        board.deploy(replace(plan, arena_bytes=arena + 9))
    assert board._link.counters.requests == requests


@pytest.mark.parametrize("damage", ["nonsense", "bit"])
def test_a_plan_that_the_board_can_not_read_leaves_the_old_one(board, old, new, windows, damage):
    board.deploy(old, progress=False)
    plan = engine.compile_plan(new)
    data = bytearray(plan.bytes)
    if damage == "bit":
        data[len(data) // 2] ^= 1
    with pytest.raises(DeviceError) as caught:
        board.deploy(replace(plan, bytes=bytes(data) if damage == "bit" else bytes(2000)), progress=False)
    assert caught.value.name == ("bad_crc" if damage == "bit" else "bad_magic")
    assert board.active.name == "old" and [slot.state for slot in board.slots] == ["good", "empty"]
    assert (board.answers(windows[:3]) == engine.answers(old, windows[:3])).all()


def test_a_float_pipeline_is_refused(board, old):
    with pytest.raises(ModelError, match="no int8 network.*tk.quantize"):
        board.deploy(old.with_(int8_model=None))
    with pytest.raises(ModelError, match="takes a pipeline, got str"):
        board.deploy("model.tflite")


def test_wrong_inputs(board, old, windows):
    board.deploy(old, progress=False)
    with pytest.raises(ModelError, match="takes int8"):
        board.run(np.zeros((1, 60, 6, 1), np.float32))
    with pytest.raises(ModelError, match="int16 counts"):
        board.answers(windows.astype(np.float32))
    with pytest.raises(ModelError, match="windows of 60 samples of 6 channels, got 50 of 6"):
        board.answers(windows[:, :50])
    with pytest.raises(ModelError, match="takes 360 values an example, x has 300"):
        board.run(np.zeros((1, 50, 6, 1), np.int8))
    with pytest.raises(BoardError, match="no sensor 'microphone'; it has: imu"):
        board.stream("microphone")


def test_close_leaves_no_thread(tmp_path):
    before = set(threading.enumerate())
    board = Board(f"virtual://nano33ble?clock=paced&flash={(tmp_path / 'f.bin').as_posix()}", remember=False)
    stream = board.stream("imu")
    stream.read(10)
    board.close()
    assert stream.closed
    deadline = time.monotonic() + 5
    while set(threading.enumerate()) - before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not set(threading.enumerate()) - before
    with pytest.raises(BoardError, match="closed"):
        _ = board.slots


def test_text_mode_for_the_serial_plotter_and_connecting_ends_it():
    """Comma-separated readings, numbers only, one reading a line; then a tinykit host as if nothing had been."""
    with VirtualBoard("plotter", clock="free", source=Counting()):
        url = "virtual://nano33ble/plotter"
        with serial.serial_for_url(url, timeout=5) as port:
            port.write(encode(m.TEXT, 1, b"\1"))
            lines = [port.readline() for _ in range(52)][2:]
        values = np.array([[float(value) for value in line.decode("ascii").split(",")] for line in lines])
        assert all(line.endswith(b"\r\n") for line in lines) and values.shape == (50, 6)
        low = np.rint(values[:, 0] * 8192)
        assert (np.diff(low) == 1).all()
        assert np.allclose(values[:, 3], low / 16.384, atol=0.006) and np.allclose(values[:, 5], -values[:, 3])
        with Board(url, remember=False) as board, board.stream("imu") as stream:
            assert np.diff(stream.read(50).index).tolist() == [1] * 49
