"""A virtual board with the probe sketch, and what to say to it."""

import itertools
import struct
from pathlib import Path

import numpy as np
import serial

from tinykit.board.virtual import VirtualBoard, board_image

SKETCH = Path(__file__).parent / "probe" / "Probe.ino"
_NUMBERS = itertools.count()
SAMPLE = np.dtype([("index", "<u4"), ("time_us", "<u4"), ("value", "<i2", 6)])

HEARD = np.dtype([("index", "<u4"), ("time_us", "<u4"), ("sample", "<i2", 256)])


def probe_image():
    return board_image(SKETCH, sources=[])


def command(letter, *numbers):
    return letter.encode() + struct.pack(f"<{len(numbers)}I", *numbers)


class Probe:
    """A board and its open port."""

    def __init__(self, **options):
        self.name = f"probe-{next(_NUMBERS)}"
        options.setdefault("clock", "free")
        self.board = VirtualBoard(self.name, image=probe_image(), **options)
        self.port = None
        self.open()

    def open(self):
        if self.port is not None:
            self.port.close()
        self.port = serial.serial_for_url(f"virtual://nano33ble/{self.name}", timeout=30)
        return self.port

    def ask(self, letter, *numbers, size=4, data=b""):
        self.port.write(command(letter, *numbers) + data)
        answer = self.port.read(size)
        assert len(answer) == size, (letter, answer, self.board.log)
        return answer

    def number(self, letter, *numbers, data=b""):
        return struct.unpack("<I", self.ask(letter, *numbers, data=data))[0]

    def samples(self, n):
        return np.frombuffer(self.ask("s", n, size=20 * n), SAMPLE)

    def heard(self, n, *before):
        """The next n buffers of the microphone.

        Between two writes a free board's time goes on, and the probe keeps 96 buffers only. So ``before``
        are commands, each answered by four bytes, that go out in the same write.
        """
        self.port.write(b"".join(before) + command("a", n))
        size = 4 * len(before) + HEARD.itemsize * n
        answer = self.port.read(size)
        assert len(answer) == size, (before, len(answer), self.board.log)
        return np.frombuffer(answer[4 * len(before) :], HEARD)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.port.close()
        self.board.close()
