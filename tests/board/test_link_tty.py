"""The same link over the operating system's own serial ports: pseudo-terminals stand in for USB."""

import os
import select
import threading
import time

import pytest
from fake_port import FakeBoard, wait_until

from tinykit.board import link as link_module
from tinykit.board import messages as m
from tinykit.board.link import Link
from tinykit.board.stream import Sensor, Stream

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Pseudo-terminals are POSIX.")


class Cable:
    """Plugs a fake board into a new pseudo-terminal, and pulls it out."""

    def __init__(self, board):
        self.board = board
        self.plug()

    def plug(self):
        self.board.plugged = True
        self.master, self.slave = os.openpty()
        self.name = os.ttyname(self.slave)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.carry, daemon=True)
        self.thread.start()

    def carry(self):
        while not self.stop.is_set():
            ready, _, _ = select.select([self.master], [], [], 0.005)
            if ready:
                self.board.receive(os.read(self.master, 4096))
            with self.board._changed:
                data = bytes(self.board._out)
                self.board._out.clear()
            if data:
                os.write(self.master, data)

    def pull(self):
        self.stop.set()
        self.thread.join()
        self.board.unplug()
        os.close(self.slave)
        os.close(self.master)


def test_the_board_comes_back_under_another_name(monkeypatch):
    """As Windows and Linux do it: after an unplug /dev/ttyACM0 may be /dev/ttyACM1."""
    board = FakeBoard()
    cable = Cable(board)
    here = {"ABC": cable.name}
    monkeypatch.setattr(link_module, "usb_serial_number", lambda address: "ABC")
    monkeypatch.setattr(link_module, "find_port", here.get)
    link = Link(cable.name)
    sensor = Sensor(link, 0, "imu", 119.0, ("aX", "aY", "aZ", "gX", "gY", "gZ"), link.log)
    link.on_restore(sensor._restore)
    try:
        assert link.request(m.ECHO, bytes(range(256))) == bytes(range(256))
        with Stream(sensor) as stream:
            for _ in range(20):
                board.sample(4)
            assert stream.read(80).index.tolist() == list(range(80))
            time.sleep(0.5)  # in its first moments, a board that went on and one that began again look alike
            first = cable.name
            here.clear()
            cable.pull()
            wait_until(lambda: not link.up)
            blocker = os.openpty()  # takes the old name
            board.index += 10
            cable.plug()
            assert cable.name != first
            here["ABC"] = cable.name
            wait_until(lambda: [request.type for request in board.requests].count(m.STREAM_START) == 2)
            board.sample(4)
            stream.read(4)
            assert (stream.stats.received, stream.stats.lost) == (84, 10)
            assert link.url == cable.name
            [os.close(end) for end in blocker]
    finally:
        link.close()
        cable.pull()
    assert "10 samples of imu were lost" in link.log.of("lost")[0].text
