"""What goes wrong between a real firmware and its host: noise, cables, power, sensors, flash."""

import os
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from made import Counting

import tinykit as tk
from tinykit import engine
from tinykit.board import Board
from tinykit.board import shelf as shelf_module
from tinykit.board.versions import Versions
from tinykit.board.virtual import Faults, Replay, VirtualBoard
from tinykit.data import Recording
from tinykit.errors import BoardGone, DeviceError, PortBusy, TakeRefused

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

FULL = os.environ.get("TINYKIT_FULL") == "1"


def opened(clock, **options):
    more = "".join(f"&{name}={value}" for name, value in options.items())
    return Board(f"virtual://nano33ble/faults?clock={clock}&flash=memory{more}", remember=False)


@pytest.fixture
def board():
    with opened("paced") as board:
        yield board


def wait_until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


@pytest.mark.parametrize("fault", ["corrupt", "drop"])
def test_noise_every_loss_is_counted_and_no_wrong_sample_accepted(fault):
    seconds = 60 if FULL else 20
    machine = VirtualBoard("counting", clock="free", source=Counting(), faults=Faults(seed=4))
    with machine, Board("virtual://nano33ble/counting", remember=False) as board:
        with board.stream("imu", seconds=seconds, capacity_s=100) as stream:
            stream.read(1)
            board.machine.faults.to_board = False
            setattr(board.machine.faults, fault, 0.01)
            for _ in stream:
                pass
            setattr(board.machine.faults, fault, 0.0)
            stream.read(60)
        samples, _ = stream.read_new()
        stats = stream.stats
        assert getattr(board.machine.faults, {"corrupt": "corrupted", "drop": "dropped"}[fault]) > 100
    assert Counting.wrong(samples) == 0
    span = int(samples.index[-1] - samples.index[0]) + 1
    assert stats.lost > 50 and stats.duplicated == 0
    assert stats.received == len(samples) == len(np.unique(samples.index))
    assert stats.received + stats.lost == span


def test_a_deploy_gets_through_a_noisy_line(board, old, windows):
    board.machine.faults.corrupt = 0.002
    done = board.deploy(old, progress=False)
    board.machine.faults.corrupt = 0.0
    assert done.repeated > 0
    assert (board.answers(windows[:5]) == engine.answers(old, windows[:5])).all()


def test_unplug_and_replug_restores_stream_and_live_and_says_what_was_lost(board, old):
    board.deploy(old, progress=False)
    board.decision(threshold=0.9)
    with board.stream("imu") as stream, board.live() as live:
        stream.read(30)
        live.next()
        board.machine.unplug()
        wait_until(lambda: not board.connected)
        with pytest.raises(BoardGone, match="is gone"):
            board._link.request(4, timeout=0.1, tries=2)
        board.machine.replug()
        wait_until(lambda: board.log.of("reconnected"))
        received = stream.stats.received
        wait_until(lambda: stream.stats.received > received + 60)
        while live.read_new(0)[0]:  # the first answers after the cut are from a fresh history
            if live.next().number == 0:
                break
        stats = stream.stats
    assert stats.interruptions == 1 and stats.lost_estimated > 0 and stats.duplicated == 0
    assert "imu (estimated" in board.log.of("lost")[0].text
    assert "Live predictions" in board.log.of("lost")[1].text
    assert board.active.name == "old"
    assert board.decision().threshold == pytest.approx(0.9, abs=1e-4)


def test_the_cable_pulled_during_a_deploy_and_put_back(board, old, new, windows):
    """The upload begins anew by itself when the board is back in time."""
    board.deploy(old, progress=False)
    pulled = threading.Event()

    def progress(done, total):
        if done > total // 2 and not pulled.is_set():
            pulled.set()
            board.machine.unplug()
            board.machine.replug()

    board.deploy(new, progress=progress)
    assert pulled.is_set() and board.active.name == "new"
    assert (board.answers(windows[:5]) == engine.answers(new, windows[:5])).all()


def test_the_cable_pulled_during_a_deploy_leaves_the_old_pipeline(board, old, new, windows, monkeypatch):
    monkeypatch.setattr(type(board._link), "TIMEOUT_S", 0.1)
    board.deploy(old, progress=False)
    with pytest.raises(BoardGone):
        board.deploy(new, progress=lambda done, total: board.machine.unplug() if done > total // 2 else None)
    board.machine.replug()
    wait_until(lambda: board.log.of("reconnected"))
    assert board.slots[0].state == "good" and board.active.name == "old"
    assert (board.answers(windows[:5]) == engine.answers(old, windows[:5])).all()


def test_power_lost_between_two_parts_of_a_window_gives_no_wrong_answer(board, new, windows):
    board.deploy(new, progress=False)
    expected = engine.answers(new, windows)
    answers = []
    asking = threading.Thread(target=lambda: answers.append(board.answers(windows)))
    asking.start()
    cuts = 0
    while asking.is_alive() and cuts < 5:
        time.sleep(0.05)
        board.machine.reboot()
        cuts += 1
    asking.join(60)
    assert cuts and board._link.counters.reconnects >= 1
    assert (answers[0] == expected).all()


def test_a_full_flash_leaves_the_old_pipeline(board, old, new):
    board.deploy(old, progress=False)
    board.machine.faults.full_flash = True
    with pytest.raises(DeviceError, match="flash_failed.*kept its old pipeline"):
        board.deploy(new, progress=False)
    board.machine.faults.full_flash = False
    assert [slot.name for slot in board.slots if slot.active] == ["old"]


def test_a_dead_sensor_is_named(old):
    with opened("paced") as board:
        board.deploy(old, progress=False)
        board.machine.faults.dead_sensor = True
        wait_until(lambda: board.log.of("fault"))
        with pytest.raises(DeviceError, match="stopped giving samples") as caught:
            list(board.stream("imu", seconds=1))
        assert caught.value.name == "sensor_dead"
        board.machine.faults.dead_sensor = False
        with board.stream("imu") as stream:
            assert len(stream.read(10)) == 10
        assert any("back" in event.text for event in board.log.of("log"))


def test_a_busy_virtual_board():
    with opened("free"):
        with pytest.raises(PortBusy, match="Another program holds"):
            opened("free")


def test_connecting_twice_gives_the_same_board(tmp_path, monkeypatch):
    monkeypatch.setattr(shelf_module, "memory_of", lambda board_id: tmp_path)
    url = "virtual://nano33ble/twice?clock=free&flash=memory"
    with tk.connect(url) as board:
        assert tk.connect(url) is board
    with tk.connect(url) as other:
        assert other is not board and not other.closed


def test_a_board_that_somebody_made_outlives_its_port():
    with VirtualBoard("kept", clock="free") as machine:
        with Board("virtual://nano33ble/kept", remember=False) as board:
            assert board.machine is machine
        assert machine.state == "running"


def test_versions_are_remembered_by_the_next_session(tmp_path, monkeypatch, old, new):
    monkeypatch.setattr(shelf_module, "memory_of", lambda board_id: tmp_path / "memory")
    url = f"virtual://nano33ble/memory?clock=free&flash={(tmp_path / 'f.bin').as_posix()}"
    with Board(url) as board:
        board.deploy(old, progress=False)
        board.deploy(new, progress=False)
    with Board(url) as board:
        assert [(v["version"], v["name"], v["active"]) for v in board.versions] == [(1, "old", False), (2, "new", True)]
        assert board.pipeline.fingerprint == new.fingerprint
        assert board.rollback().name == "old" and board.pipeline.fingerprint == old.fingerprint
    with Board(url, remember=False) as board:  # another computer: the board says it itself
        assert board.versions == []
        assert board.pipeline.labels == old.labels and board.pipeline.name == "old"
        assert board.pipeline.front_end.channels == old.front_end.channels
        with board.live() as live:
            assert live.next().best in old.labels


# -- takes -------------------------------------------------------------------------------------


def hand(seconds, still=False):
    rng = np.random.default_rng(1)
    t = np.arange(round(seconds * 119)) / 119
    move = 0 if still else 1
    x = np.stack([move * np.sin(9 * t), move * np.cos(7 * t), 1 + 0 * t, *[move * 90 * np.sin(5 * t)] * 3], 1)
    return Recording((x + rng.normal(0, 0.002, x.shape)).astype(np.float32), label="circle", id="hand")


def test_a_take_is_recorded_measured_and_kept(tmp_path):
    with opened("free") as board:
        board.machine.source = Replay(hand(30), loop=True, gap_s=0.0, row_by_row=True)
        wait_until(lambda: board.machine.imu.played_s > 0.5)  # what the sensor held before is not of this source
        take = board.record("circle", 2.0, person="ada", session="s1")
    assert take.samples.shape == (238, 6) and take.label == "circle" and take.person == "ada"
    assert take.rate_hz == 119.0 and take.quality["rate_hz"] == pytest.approx(119, abs=0.05)
    assert take.quality["lost"] == 0 and take.quality["jitter_ms"] < 0.01 and take.quality["verdict"] == "good"
    played = np.concatenate([hand(30).counts()] * 2)  # the take may run over the end of the loop
    taken = take.counts()
    start = [i for i in range(len(played) - 238) if (played[i] == taken[0]).all()]
    assert any((played[i : i + 238] == taken).all() for i in start)


def test_a_still_take_is_refused_and_not_lost():
    with opened("free") as board:
        with pytest.raises(TakeRefused, match="nothing moves in it") as caught:
            board.record("circle", 1.0)
        assert caught.value.recording.samples.shape == (119, 6)
        assert board.record("rest", 1.0).label == "rest"


def test_a_take_with_lost_samples_is_refused():
    with opened("free") as board:
        board.machine.source = Replay(hand(30), loop=True)
        board.machine.faults.to_board = False
        board.machine.faults.corrupt = 0.01
        with pytest.raises(TakeRefused, match="samples were lost") as caught:
            board.record("circle", 2.0)
        board.machine.faults.corrupt = 0.0
    assert caught.value.recording.quality["lost"] > 10


@pytest.mark.parametrize("jitter_us, verdict", [(1500, "good"), (4000, "uneven")])
def test_a_jittery_sensor_is_measured(jitter_us, verdict):
    with opened("free", jitter_us=jitter_us) as board:
        board.machine.source = Replay(hand(30), loop=True)
        try:
            take = board.record("circle", 2.0)
        except TakeRefused as refusal:
            take = refusal.recording
    # Each sample is early or late evenly within +-jitter; an interval has two of them.
    assert take.quality["jitter_ms"] == pytest.approx(jitter_us / 1000 * (2 / 3) ** 0.5, rel=0.15)
    assert take.quality["verdict"] == verdict


# -- power -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_power_cut_anywhere_in_a_deploy_boots_old_or_new_whole(old, new, windows):
    from power_cut import Bench

    bench = Bench(old.with_(name="older"), old, new, windows[:4])
    try:
        outcomes = bench.run(200 if FULL else 20)
        torn = bench.run_torn()
    finally:
        bench.close()
    assert len(torn) > 10 and "old" in {o.runs for o in torn}
    assert [o for o in torn if o.runs not in ("old", "new") or not (o.whole and o.again)] == []
    assert [o for o in outcomes if o.runs not in ("old", "new") or not (o.whole and o.again)] == []
    assert {o.runs for o in outcomes} == {"old", "new"}


def test_a_plan_that_is_deployed_again_has_the_date_of_now(tmp_path):
    (tmp_path / "versions.json").write_text(
        '[{"version": 1, "crc": 6, "name": "old", "fingerprint": "06", "deployed_at": "2020-01-01T10:00:00+0000"}]'
    )
    assert Versions(tmp_path).add(6, "old", "06", None) == 1
    (entry,) = Versions(tmp_path)  # as the next session reads it
    assert entry["deployed_at"] > "2021" and entry["classes"] == 0
