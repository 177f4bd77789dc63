"""The signal pad: what the virtual board feels and hears is done here, by hand, device or microphone."""

from __future__ import annotations

import time
from itertools import islice

import numpy as np

from .. import look
from ..data import synthetic, units
from ..errors import BoardError
from .audioscope import WANTED_DBFS
from .browser import RATE_HZ
from .microphone import HearsPage
from .widget import LabWidget, link_of, many, module, sheet, source_html

TABS = ("draw", "device", "speak", "replay")
PAD_M = 0.40  # of the hand's way from the pad's bottom to its top
_SHOWN_S = 4.0
_TAKES = 40  # of a label, to choose from


class Pad(HearsPage, LabWidget):
    """What the board feels and hears is done in the page; made by ``tk.lab.pad``.

    Attributes
    ----------
    motion : PushMotion
        The hand; ``pad.motion.draw(times, points)`` does in a cell what the pointer does in the page.
    sound : BrowserSound
        What the page's microphone gave.
    """

    _esm = module("pad", "sound", "capture", "strokes", "device")
    _css = sheet("sound", "pad")
    title = "Signal pad"

    def __init__(self, board, dataset=None, show: str = "draw"):
        from ..board.virtual import PushMotion

        if board.machine is None:
            raise BoardError(
                "A real board feels its own sensor; a pad can't move it.",
                'Move the board itself, or use the pad with tk.connect("virtual").',
            )
        if show not in TABS:
            raise BoardError(f"The signal pad has no tab {show!r}.", f"Choose one of {', '.join(TABS)}.")
        self.hear()
        self.sound.sink = self._hear
        self._takes, self._about = _takes_of(dataset)
        self.motion = PushMotion()
        self._turn = self._ear = self._fed = None
        self._cursor = 0
        self._rate_hz = float(board.machine.imu.rate_hz)
        self._shown = round(_SHOWN_S * self._rate_hz)
        self._page_ms = 0.0  # how far the page's hand has come
        config = {
            "show": show,
            "pad_m": PAD_M,
            "lead_s": self.motion.lead_s,
            "rate_hz": self._rate_hz,
            "per_unit": [float(v) for v in units.counts_per_unit(units.CHANNELS)],
            "seconds": _SHOWN_S,
            "wanted": list(WANTED_DBFS),
            "sound_hz": RATE_HZ,
            "about": self._about,
            "takes": [[label, [name for name, _ in takes]] for label, takes in self._takes.items()],
        }
        super().__init__(board, config)
        self.run()

    # -- the board's source ------------------------------------------------------------------------

    def stop(self) -> None:
        """What the board felt before the pad comes back."""
        self.let_go()

    def take(self):
        """The board feels and hears the pad from now on; done by the first touch.

        Returns
        -------
        Ear
            With which it hears.
        """
        from ..board.virtual import PushMotion, Together
        from ..board.virtual.hand import Ear
        from ..board.virtual.turns import lend

        ear = self._ear
        if ear is None or not self.held:
            self._end()
            self.motion, ear, self._fed = PushMotion(), Ear(), None
            self._turn = lend(self.board.machine, Together(self.motion, ear))
            self._ear = ear
            self._again, self._status_at = True, 0.0
        return ear

    def let_go(self) -> None:
        """The board feels and hears again what it did before."""
        self._end()
        self.motion.let_go()
        self._ear = self._fed = None
        self._status_at = 0.0

    def _end(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.end()

    def close(self) -> None:
        if self._guard is not None:
            self.let_go()
        super().close()

    @property
    def held(self) -> bool:
        """Whether the board feels the pad."""
        turn = self._turn
        return turn is not None and turn.on

    # -- what comes from the page ------------------------------------------------------------------

    def on_stroke(self, content, buffers) -> None:
        """A piece of a stroke: times in ms, metres to the right and up."""
        times, points = np.array(content["t"], float), np.array(content["p"], float)
        self._page_ms = float(times[-1])
        if content["first"]:
            self.take()
        self.motion.draw(times / 1000, points, content["plane"], content["first"], content["last"])

    def on_felt(self, content, buffers) -> None:
        """What the page's own motion sensors felt: times in ms, rows in g and deg/s, in the board's axes."""
        times, rows = np.array(content["t"], float), np.array(content["v"], float)
        self._page_ms = float(times[-1])
        if content["first"]:
            self.take()
        self.motion.feel(times / 1000, rows, content["first"], content["last"])

    def on_replay(self, content, buffers) -> None:
        """A take of the dataset is to be felt or heard once."""
        from ..board.virtual import PushSource

        recording = self._takes[content["label"]][int(content["take"])][1]()
        ear = self.take()
        if recording.is_sound:
            self._fed = None
            heard = PushSource(0.02, recording.seconds + 1.0)
            heard.feed(recording.counts()[:, 0], recording.rate_hz)
            ear.source = heard
        else:
            rows = np.zeros((len(recording), len(units.CHANNELS)))
            rows[:, [units.CHANNELS.index(c) for c in recording.channels]] = recording.samples
            self.motion.feel(np.arange(len(rows)) / recording.rate_hz, rows, label=recording.label)

    def on_halt(self, content, buffers) -> None:
        """Lie still, be silent."""
        ear = self.take()
        self.motion.let_go()
        ear.source = self._fed = None

    def on_give(self, content, buffers) -> None:
        """Let the board go."""
        self.let_go()

    def deaf(self) -> None:
        ear, fed, self._fed = self._ear, self._fed, None
        if ear is not None and fed is not None and ear.source is fed:
            ear.source = None

    def _hear(self, counts: np.ndarray) -> None:
        from ..board.virtual import PushSource

        fed = self._fed
        if fed is None:
            ear = self.take()
            fed = self._fed = ear.source = PushSource()
        fed.feed(counts)

    # -- what goes to the page ---------------------------------------------------------------------

    def flush(self) -> None:
        if self.unseen():
            return
        motion, fresh = self.motion, self.fresh()
        counts, end = motion.news(0, self._shown) if fresh else motion.news(self._cursor)
        if len(counts) or fresh:
            self._cursor = end
            runs = [[0, end - len(counts)]] if len(counts) else []
            self.tell("felt", [counts.tobytes()], fresh=fresh, runs=runs, page_ms=self._page_ms)
        if self.due(0.3):
            self.tell("status", **self._status())

    def _status(self) -> dict:
        link, note = link_of(self.board, 0.0)
        if link["kind"] == "ok":
            link, note = self._does()
        ear = self._fed
        return {
            "link": link, "note": note, "held": self.held, "page_ms": self._page_ms,
            "held_s": self.motion.starved_s, "dropped": self.motion.dropped,
            "page": self.sound.page, "lost": self.sound.lost, "received": self.sound.received,
            "holes": ear.starved if ear is not None else 0,
        }  # fmt: skip

    def _does(self):
        """What the board feels at this moment, in words; and a note."""
        if not self.held:
            return {"kind": "none", "picture": "virt", "text": "the board feels its own signal"}, None
        if self.sound.state == "on":
            return self.sound.link(time.monotonic() - self._last_at)
        ear = self._ear  # letting go takes it away, from another thread
        heard = ear.source if ear is not None else None
        if heard is not None and heard.waiting_s > 0:
            return {"kind": "run", "picture": "run", "text": "the board hears the recording"}, None
        if self.motion.moving:
            return {"kind": "run", "picture": "run", "text": "the board is moved"}, None
        return {"kind": "none", "picture": "virt", "text": "the board lies still"}, None

    def snapshot(self) -> look.Html:
        counts, _ = self.motion.news(0, self._shown)
        if len(counts) < 2:
            body = look.note("none", "Nothing was drawn yet.", "run this cell and draw a gesture on the pad.")
        else:
            body = look.traces(
                units.to_units(counts, units.CHANNELS), self._rate_hz, units.CHANNELS, [], limits=(3.0, 500.0)
            )
        return look.card(self.title, source_html(self.head), body, self._about, state=("none", "still picture"))


def _takes_of(dataset) -> tuple[dict, str]:
    """What can be replayed: label -> [(name, a function that gives the recording)]; and where it is from."""
    if dataset is None:
        made = {}
        for label in synthetic.LABELS:
            made[label] = [
                (f"{who}, take {n + 1}", lambda label=label, who=who, n=n: synthetic.take(label, who, "1", n))
                for who in synthetic.PERSONS
                for n in range(3)
            ]
        return made, "gestures of made-up people; pad(board, dataset=...) offers your own takes"
    takes: dict[str, list] = {}
    recordings = [dataset] if hasattr(dataset, "samples") else list(dataset)
    for recording in islice(recordings, 20_000):
        mine = takes.setdefault(recording.label or "no label", [])
        if len(mine) < _TAKES:
            name = f"{len(mine) + 1}, {recording.person or 'somebody'}, {recording.seconds:.1f} s"
            mine.append((name, lambda recording=recording: recording))
    shown = sum(map(len, takes.values()))
    which = f"{shown} of {len(recordings):,} takes" if shown < len(recordings) else many(shown, "take")
    return takes, f"{which} of {getattr(dataset, 'name', 'the recordings')}"


def pad(board, dataset=None, show: str = "draw") -> Pad:
    """Do what the virtual board feels and hears: draw it, move this device, speak, or replay a take.

    The first touch takes the board: from then on it lies still and hears nothing but what is done here.
    "Let go", ``pad.close()`` or the end of the page give it back to what it felt before.

    What is drawn is simulated: from the pointer's path follow the acceleration, gravity included, and
    the rotation of a hand that goes this way; a quarter of the pad's height is 10 cm. The board feels
    it 0.3 s after the pointer. When a running cell makes messages late, the hand waits, and the rest of
    the movement comes later; the widget says how long it waited.

    Parameters
    ----------
    board : Board
        A virtual one.
    dataset : Dataset, Recording or sequence of Recording, optional
        Takes to replay, movements or sound. Default: gestures of made-up people.
    show : str
        What is shown first: ``"draw"``, ``"device"`` (the motion sensors of the phone, tablet or laptop
        that shows the page), ``"speak"`` or ``"replay"``.

    Returns
    -------
    Pad
        A widget.

    Raises
    ------
    BoardError
        The board is a real one; there is no such tab.
    """
    return Pad(board, dataset, show)
