"""The browser's microphone as the virtual board's ear, or as a recorder that needs no board."""

from __future__ import annotations

import time

import numpy as np

from .. import look
from ..errors import BoardError
from .audioscope import WANTED_DBFS
from .browser import RATE_HZ, BrowserSound
from .widget import LabWidget, module, sheet, source_html, span

_SECONDS = 4.0


class HearsPage:
    """What a widget does with the sound of the page's microphone: it goes into ``sound``, a BrowserSound."""

    def hear(self) -> None:
        """To be called by the constructor."""
        self.sound = BrowserSound()
        self._last_at = time.monotonic()

    def deaf(self) -> None:
        """The microphone was stopped, or there is none."""

    def on_mic(self, content, buffers) -> None:
        """The page's microphone was started, stopped or refused."""
        self.sound.heard(content)
        self._last_at, self._status_at = time.monotonic(), 0.0
        if self.sound.state != "on":
            self.deaf()

    def on_sound(self, content, buffers) -> None:
        """A block of sound: int16, little endian."""
        self._last_at = time.monotonic()
        self.sound.feed(int(content["index"]), np.frombuffer(buffers[0], "<i2"))


class Microphone(HearsPage, LabWidget):
    """Sound from the page into a virtual board; made by ``tk.lab.microphone``.

    Attributes
    ----------
    sound : BrowserSound
        What arrived; ``sound.stream("mic")`` reads it.
    """

    _esm = module("microphone", "glide", "sound", "spectrogram", "capture")
    _css = sheet("sound")
    title = "Microphone"

    def __init__(self, board=None):
        self.hear()
        self.fed = board
        self._turn = self._ear = None
        self._stream = self.sound.stream("mic", capacity_s=10.0)
        if board is not None:
            if board.machine is None:
                raise BoardError(
                    "A real board hears with its own microphone; the browser's can't be put into it.",
                    'Use tk.connect("virtual"), or record with tk.lab.microphone(dataset=...).',
                )
            self.sound.sink = self._feed
        config = {"wanted": list(WANTED_DBFS), "rate_hz": RATE_HZ, "seconds": _SECONDS, "feeds": board is not None}
        super().__init__(self.sound, config)
        self.run()

    def start(self) -> None:
        """Nothing is opened here: the page opens its microphone when it is told to."""

    def stop(self) -> None:
        """The page closed; the board's own signal comes back."""
        self.deaf()

    def flush(self) -> None:
        if self.unseen():
            return
        self.fresh()
        if self.due(0.5):
            link, note = self.sound.link(time.monotonic() - self._last_at)
            heard, ear = self.sound, self._ear
            holes = ear.starved if ear is not None else 0
            self.tell(
                "status", link=link, note=note, received=heard.received, lost=heard.lost, page=heard.page, holes=holes
            )

    def _feed(self, counts: np.ndarray) -> None:
        from ..board.virtual import PushSource, Together
        from ..board.virtual.turns import lend

        ear = self._ear
        if ear is None:
            ear = self._ear = PushSource()
            moving = lambda hand: callable(getattr(hand, "read", None))  # noqa: E731
            self._turn = lend(self.fed.machine, lambda hand: Together(hand, ear) if moving(hand) else ear)
        ear.feed(counts)

    def deaf(self) -> None:
        if self._turn is not None:
            self._turn.end()
        self._turn = self._ear = None

    def snapshot(self) -> look.Html:
        samples, _ = self._stream.read_new()
        if not len(samples):
            body = look.note("none", "No sound yet.", "run this cell and press “Start the microphone”.")
            return look.card(self.title, source_html(self.head), body)
        counts = samples.counts[-round(_SECONDS * RATE_HZ) :, 0]
        facts = (
            f"{self.sound.lost:,} lost of {self.sound.lost + self.sound.received:,}, {span(self.sound.end / RATE_HZ)}"
        )
        body = f'<div class="tk-body">{look.wave(counts, 74, label="waveform of the last seconds")}</div>'
        return look.card(self.title, source_html(self.head), body, facts, state=("none", "still picture"))


def microphone(board=None, dataset=None, label: str = "", labels=None, **options):
    """Hear with the browser's microphone: the one of the computer that you sit at, on a hub as well.

    With a virtual board, what is said becomes its signal as long as the microphone is on. With a
    dataset (or a label), takes are recorded and no board is needed.

    Parameters
    ----------
    board : Board, optional
        A virtual one.
    dataset : Dataset, optional
        Where takes go; without one, in ``.dataset`` of the recorder.
    label : str, optional
        What to record.
    labels : sequence of str, optional
        Several of them.
    **options
        Of ``tk.lab.recorder``: person, session, seconds, target, people.

    Returns
    -------
    Microphone or Recorder

    Raises
    ------
    BoardError
        The board is a real one.
    """
    if board is not None or not (dataset is not None or label or labels):
        return Microphone(board)
    from .recorder import recorder

    names = [*([label] if label else []), *(labels or ())]
    return recorder(BrowserSound(), dataset, names or None, sensor="mic", **options)
