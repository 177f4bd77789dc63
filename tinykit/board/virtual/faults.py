"""What goes wrong on demand: bytes, sensor, flash."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Faults:
    """Faults of a virtual board; all may be changed while it runs.

    Parameters
    ----------
    drop, corrupt : float
        Share of the bytes that are lost, or of which one bit or more is wrong, 0 to 1, in both
        directions.
    to_host, to_board : bool
        Directions in which bytes suffer.
    jitter_us : float
        The sensor takes each sample up to so many microseconds early or late.
    dead_sensor : bool
        The IMU gives no more samples; on the next boot it is not found.
    dead_environment : bool
        The environment sensors don't answer any more; on the next boot they are not found.
    dead_mic : bool
        The microphone gives no more sound, not even when it is started again.
    stop_on_overrun : bool
        The microphone stops for good, silently, when a buffer was not read before the next: what
        the Nano's does. False: only that sound is lost.
    full_flash : bool
        Every erase and write fails.
    seed : int
        The same bytes suffer in the same way, however they are grouped into writes.
    """

    drop: float = 0.0
    corrupt: float = 0.0
    to_host: bool = True
    to_board: bool = True
    jitter_us: float = 0.0
    dead_sensor: bool = False
    dead_environment: bool = False
    dead_mic: bool = False
    stop_on_overrun: bool = True
    full_flash: bool = False
    seed: int = 0
    dropped: int = field(default=0, init=False)
    corrupted: int = field(default=0, init=False)

    def __post_init__(self):
        self._streams = {d: np.random.default_rng([self.seed, d]) for d in (0, 1)}

    def on_wire(self, data: bytes, to_host: bool) -> bytes:
        """What arrives at the other end of ``data``; counts in ``dropped`` and ``corrupted``."""
        if not data or not (self.drop or self.corrupt) or not (self.to_host if to_host else self.to_board):
            return data
        draws = self._streams[int(to_host)].random((len(data), 3))
        lost = draws[:, 0] < self.drop
        wrong = ~lost & (draws[:, 1] < self.corrupt)
        values = np.frombuffer(data, np.uint8).copy()
        values[wrong] ^= (1 + draws[wrong, 2] * 255).astype(np.uint8)  # never 0: always a change
        self.dropped += int(lost.sum())
        self.corrupted += int(wrong.sum())
        return values[~lost].tobytes()
