"""A take once more: sound and movement for the page, and movement for a virtual board to feel."""

from __future__ import annotations

import threading

import numpy as np

from ..data import Recording
from ..data.pose import orientation

_UNIT = 32767  # of a quaternion, in the page's int16


class Replaying:
    """What a recorder does to play a take; for ``Recorder``."""

    _halted: threading.Event | None = None
    _replay: threading.Thread | None = None

    def play(self, recording: Recording, key: str, which) -> None:
        """Send a take, ``which`` of takes (``key`` "n") or of the long take's parts ("word"), to be played.

        Sound goes as counts. Motion goes as counts, and with the board's pose for each row, which is
        an estimate; a virtual board that is not busy with a take feels the same meanwhile.
        """
        if recording.is_sound:
            counts = np.ascontiguousarray(recording.counts()[:, 0], "<i2")
            self.tell("heard", [counts.tobytes()], rate=recording.rate_hz, **{key: which})
            return
        felt = self._feels(recording)
        pose = np.rint(orientation(recording) * _UNIT).astype("<i2")
        counts = np.ascontiguousarray(recording.counts(), "<i2")
        turned = any(c[0] == "g" for c in recording.channels)
        self.tell("motion", [counts.tobytes(), pose.tobytes()], rate=recording.rate_hz, felt=felt, turned=turned,
                  channels=list(recording.channels), label=recording.label, **{key: which})  # fmt: skip

    def on_halt(self, content, buffers) -> None:
        """The page plays no longer."""
        self.halt()

    def halt(self) -> None:
        """End a replay on the virtual board; when this returns, its source is back."""
        if self._replay is not None:
            self._halted.set()
            self._replay.join(5.0)

    def _feels(self, recording: Recording) -> bool:
        """Have a virtual board feel it; False where there is none, or a take is running."""
        machine = getattr(self.board, "machine", None)
        if machine is None or self.takes_now:
            return False
        self.halt()
        halted = self._halted = threading.Event()
        self._replay = self.work("replay", self._feel, machine, recording, halted)
        return True

    def _feel(self, machine, recording: Recording, halted: threading.Event) -> None:
        from ..board.virtual import Replay
        from ..board.virtual.turns import lend

        turn = lend(machine, Replay(recording))
        try:
            halted.wait(recording.seconds)
        finally:
            turn.end()
