"""An upload, a double tap or a pulled cable while a notebook works: the port comes back under another name."""

import threading

import numpy as np
import pytest
from fake_port import wait_until
from usb import needs_pty, settled

import tinykit as tk
from tinykit import engine
from tinykit.board.recorder import Take
from tinykit.board.virtual import Faults
from tinykit.errors import TakeRefused

pytestmark = needs_pty
LONG = 120


def upload(plugged):
    """As arduino-cli does it on a port that a notebook holds open: after a double tap."""
    names = [plugged.address]
    plugged.double_tap()
    names.append(plugged.address)
    plugged.flash()
    names.append(plugged.address)
    assert len(set(names)) == 3
    return names[-1]


def back(board, port, times=1):
    wait_until(lambda: len(board.log.of("reconnected")) == times, LONG)
    assert board.connected and board.port == port
    assert f"back on {port}" in board.log.of("reconnected")[-1].text


def test_stream_and_live_go_on_after_an_upload_and_say_what_was_lost(usb, old, windows):
    plugged = settled(usb.plug())
    with tk.connect() as board:
        board.deploy(old, progress=False)
        with board.stream("imu") as stream, board.live() as live:
            stream.read(30, timeout=LONG)
            assert live.next(LONG).number == 0
            for times in (1, 2):
                back(board, upload(plugged), times)
                wait_until(lambda times=times: len(board.log.of("lost")) == 2 * times, LONG)
                received, predictions = stream.stats.received, live.received
                wait_until(lambda received=received: stream.stats.received > received + 30, LONG)
                wait_until(lambda predictions=predictions: live.received > predictions, LONG)
            stats, samples = stream.stats, stream.read_new()[0]
        assert stats.interruptions == 2 and stats.duplicated == 0 and stats.lost_estimated > 0
        assert len(samples) == stats.received and (np.diff(samples.index) >= 1).all()
        assert "imu (estimated" in board.log.of("lost")[0].text
        # Slots lie behind the sketch: what was deployed runs on.
        assert board.active.name == "old"
        assert (board.answers(windows[:3]) == engine.answers(old, windows[:3])).all()


def test_a_take_during_an_upload_is_refused_and_kept_and_the_next_is_good(usb):
    plugged = settled(usb.plug())
    with tk.connect() as board:
        take = Take(board, 3.0)
        wait_until(lambda: take.progress > 0.05, LONG)
        port = upload(plugged)
        with pytest.raises(TakeRefused, match="the board was away during it") as caught:
            take.recording("rest")
        assert len(caught.value.recording.samples) > 10
        assert caught.value.recording.quality["interruptions"] == 1
        back(board, port)
        assert board.record("rest", 1.0).samples.shape == (119, 6)


def test_a_request_waits_for_the_board_that_is_being_flashed(usb):
    plugged = settled(usb.plug())
    with tk.connect() as board:
        plugged.double_tap()
        wait_until(lambda: not board.connected, LONG)
        answers = []
        asking = threading.Thread(target=lambda: answers.append(board.slots))
        asking.start()
        plugged.flash()
        asking.join(LONG)
        assert [slot.state for slot in answers[0]] == ["empty", "empty"]
        assert board.port == plugged.address


def test_a_board_with_another_serial_number_is_not_taken_for_it(usb):
    plugged = settled(usb.plug())
    with tk.connect() as board:
        plugged.unplug()
        wait_until(lambda: not board.connected, LONG)
        other = usb.plug("fake")
        plugged.replug()
        back(board, plugged.address)
        assert other.fake.requests == []


def test_connecting_again_gives_the_board_that_has_another_port_now(usb):
    """As the cell does that is run once more after an upload."""
    plugged = settled(usb.plug())
    link = usb.folder / "usb-Arduino_Nano_33_BLE-if00"  # as in /dev/serial/by-id
    with tk.connect() as board:
        back(board, upload(plugged))
        link.symlink_to(plugged.address)
        assert tk.connect() is tk.connect(plugged.address) is tk.connect(str(link)) is board


def test_a_board_that_comes_back_with_more_sensors_has_them(usb):
    """Another firmware, or a sensor that did not answer at the first start."""
    plugged = settled(usb.plug(faults=Faults(dead_sensor=True)))
    with tk.connect() as board:
        assert "imu" not in [sensor.name for sensor in board.info.sensors]
        plugged.machine.faults = Faults()
        back(board, upload(plugged))
        wait_until(lambda: "imu" in [sensor.name for sensor in board.info.sensors], LONG)
        with board.stream("imu") as stream:
            assert len(stream.read(10, timeout=LONG)) == 10


def test_the_recorder_of_a_notebook_goes_on_after_an_upload(usb):
    plugged = settled(usb.plug())
    with tk.connect() as board:
        recorder = tk.lab.recorder(board, labels=["rest"], person="Ana", session="1")
        try:
            recorder.take("rest", 0.5, "Ana")
            back(board, upload(plugged))
            wait_until(lambda: board.log.of("lost"), LONG)
            recorder.take("rest", 0.5, "Ana")
            assert not recorder.errors
            assert [len(take.samples) for take in recorder.dataset] == [60, 60]
            assert [take.quality["interruptions"] for take in recorder.dataset] == [0, 0]
        finally:
            recorder.close()
