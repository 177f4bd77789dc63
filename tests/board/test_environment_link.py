"""The environment sensors over the whole road: registers, firmware, link, board."""

import time

import numpy as np
import pytest

from tinykit.board import Board
from tinykit.board.info import BoardInfo
from tinykit.board.virtual import Room, RoomReplay
from tinykit.board.virtual.environment import ROOM, as_room
from tinykit.data import units
from tinykit.errors import BoardError, DeviceError

CHANNELS = tuple(ROOM)


def wait_until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def opened(sensor="LSM9DS1", clock="free"):
    return Board(f"virtual://nano33ble/room-{sensor}?clock={clock}&flash=memory&sensor={sensor}", remember=False)


@pytest.fixture(params=["LSM9DS1", "BMI270"])
def board(request):
    with opened(request.param) as board:
        yield board


def test_one_reading_in_its_units(board):
    wanted = {"temperature": 31.5, "humidity": 20.0, "pressure": 850.0, "red": 5.0, "green": 6.0, "blue": 7.0,
              "clear": 20.0, "proximity": 17.0}  # fmt: skip
    board.machine.room = Room(0, **wanted)
    got = board.read("environment")
    assert tuple(got) == CHANNELS and all(type(value) is float for value in got.values())
    for name, value in wanted.items():
        assert got[name] == pytest.approx(value, abs=1.5 / units.ENVIRONMENT[name][0] - 1e-9), name
    still = board.read("imu")
    assert list(still) == ["aX", "aY", "aZ", "gX", "gY", "gZ"] and still["aZ"] == pytest.approx(1, abs=0.1)
    with pytest.raises(BoardError, match="One sample of sound"):
        board.read("mic")


def test_the_boards_words_and_the_hosts_scales_are_the_same(board):
    (sensor,) = (s for s in board.info.sensors if s.name == "environment")
    climate = "HTS221" if board.info.sensors[0].part == "LSM9DS1" else "HS300x"
    assert (sensor.part, sensor.rate_hz) == (f"{climate}+LPS22HB+APDS9960", 10.0)
    assert sensor.channels == CHANNELS == tuple(units.ENVIRONMENT)
    assert f"environment: {climate}+LPS22HB+APDS9960, 10 Hz" in str(board.info).replace("\n" + " " * 10, " ")


def test_beside_the_other_streams_none_loses_a_sample(board):
    with board.stream("imu") as imu, board.stream("mic") as mic, board.stream("environment", seconds=6) as slow:
        blocks = list(slow)
        index = np.concatenate([block.index for block in blocks])
        assert len(index) == 60 and (np.diff(index) == 1).all()
        assert slow.stats.rate_hz == pytest.approx(10, rel=0.02)
    for stream in (imu, mic, slow):
        assert stream.stats.lost == stream.stats.duplicated == 0 and stream.stats.received > 0


def test_a_recorded_room_is_played_again():
    with opened() as board:
        steps = []
        board.machine.room = room = _Steps()
        with board.stream("environment", seconds=3) as stream:
            samples = [block for block in stream]
        seen = np.concatenate([b.values[:, CHANNELS.index("clear")] for b in samples])
        assert set(np.diff(seen)) <= {0, 1, 2} and room.asked and seen[-1] > seen[0]
        board.machine.room = samples[0].joined(samples)
        assert isinstance(board.machine.room, RoomReplay)
        with board.stream("environment", seconds=6) as stream:
            steps = np.concatenate([b.values[:, CHANNELS.index("clear")] for b in stream])
        assert set(steps) <= set(seen) and (np.diff(steps) < 0).any()  # and round again


class _Steps:
    """A room that gets brighter by one count a tenth of a second."""

    asked = False

    def read(self, time_s):
        self.asked = True
        return {**ROOM, "clear": float(int(time_s * 10) % 4000)}


def test_dead_sensors_are_named_and_come_back():
    with opened() as board, board.stream("environment") as stream:
        stream.read(5)
        board.machine.faults.dead_environment = True
        with pytest.raises(DeviceError, match="environment sensor has stopped"):
            for _ in range(100):
                stream.read(1, timeout=20)
        assert any("environment" in entry.text for entry in board.log if entry.kind == "fault")
        board.machine.faults.dead_environment = False
        before = stream.written
        wait_until(lambda: stream.written > before)
        assert any("environment sensors are back" in entry.text for entry in board.log)


def test_a_reboot_switches_them_on_again_and_the_loss_is_told():
    with opened() as board, board.stream("environment") as stream:
        stream.read(5)
        board.machine.reboot()
        wait_until(lambda: stream.stats.interruptions == 1)
        before = stream.written
        wait_until(lambda: stream.written > before + 5)
        assert stream.stats.lost_estimated >= 0 and any("environment" in entry.text for entry in board.log)


INFO = "firmware={}\nprotocol=1\nboard=Nano\nsensors=imu:LSM9DS1:119.0:aX,aY,aZ,gX,gY,gZ:8192:16.384\n"


def test_without_them_it_says_whether_the_firmware_or_the_board_is_why():
    with pytest.raises(BoardError, match="0.2.0 of this board knows no environment") as old:
        BoardInfo.parse(INFO.format("0.2.0").encode()).require("environment")
    with pytest.raises(BoardError, match="None of the environment sensors"):
        BoardInfo.parse(INFO.format("0.3.0").encode()).require("environment")
    assert "lash" in old.value.next
    with opened() as board, pytest.raises(BoardError, match="not of the environment sensors") as take:
        board.record(None, sensor="environment")
    assert "board.read" in take.value.next


def test_a_room_has_only_what_sensors_measure():
    with pytest.raises(BoardError, match="no channel 'smell'"):
        as_room({"smell": 1.0})
    assert as_room({"humidity": 99.0}).values["humidity"] == 99.0 and as_room(None).values == ROOM
    noisy = Room(seed=1)
    assert noisy.read(1.5) == noisy.read(1.5) != noisy.read(1.6)
