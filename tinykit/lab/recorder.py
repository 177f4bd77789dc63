"""The recorder: 3-2-1, a take, its card; what is missing is said, what is bad is refused with the reason."""

from __future__ import annotations

import threading
import time
import zlib

import numpy as np

from .. import look
from ..board import Board
from ..board.recorder import Take
from ..data import Dataset, Recording
from ..errors import BoardError, BoardGone, DataError, TinykitError
from .actor import acting
from .audioscope import SETTLES_S, WANTED_DBFS
from .browser import BrowserSound
from .cutter import Cut, Cutting
from .ledger import Ledger
from .replay import Replaying
from .scope import facts_of
from .take import POINTS, TakeCard, card_html, reason_of, spark_bytes
from .tap import Tap
from .widget import LabWidget, link_of, many, module, sheet, source_html

_PREVIEW_S = 4.0
_SHOWN = 60  # take cards at first, and so many more when asked
_THUMBS, _THUMB_POINTS = 12, 40  # small pictures a label, where all labels are shown
_SEEDS = 10**6  # of takes that are acted on a virtual board
_SHORTEST_S = 2.0  # of a long take that broke off: worth cutting


class Recorder(Cutting, Replaying, LabWidget):
    """Records takes into a dataset; made by ``tk.lab.recorder``.

    Attributes
    ----------
    ledger : Ledger
        Labels, takes, what is missing.
    cut : Cut or None
        A long take that is being cut into words or movements.
    takes_now : bool
        Whether a take is running.
    """

    _esm = module("recorder", "glide", "sound", "capture", "cutter", "cards", "replay")
    _css = sheet("recorder", "sound")
    title = "Recorder"

    def __init__(self, board, dataset=None, labels=None, person="", session="", seconds=None, target=20, people=3,
                 sensor="imu"):  # fmt: skip
        dataset = dataset if dataset is not None else Dataset(card={"name": "new takes"})
        self.session = session or time.strftime("%Y-%m-%d")
        self.ledger = Ledger(dataset, labels, target, people)
        self.sensor = sensor
        self.seconds = float(seconds if seconds is not None else 1.0 if sensor == "mic" else 1.5)
        self._busy = threading.Lock()  # one take at a time
        self._drop = False  # the running take was cancelled
        self._shown = _SHOWN
        self._acted = zlib.crc32(" ".join(r.id for r in dataset).encode()) % _SEEDS if len(dataset) else 0
        self._taking: Take | None = None
        self.takes_now = False
        self._tap = Tap(board, sensor, 30.0)
        config = {
            "channels": list(self._tap.stream.channels),
            "rate_hz": float(self._tap.stream.rate_hz),
            "preview_s": _PREVIEW_S,
            "seconds": self.seconds,
            "person": person,
            "persons": list(dataset.persons),
            "target": self.ledger.target,
            "people": self.ledger.people,
            "points": POINTS,
            "thumb": _THUMB_POINTS,
            "sound": sensor == "mic",
            "browser": isinstance(board, BrowserSound),
            "wanted": list(WANTED_DBFS),
        }
        super().__init__(board, config)
        self.run()

    @property
    def dataset(self) -> Dataset:
        """Where the takes are."""
        return self.ledger.dataset

    @property
    def takes(self) -> list[TakeCard]:
        """Everything recorded or found, refused and discarded takes included."""
        return self.ledger.takes

    def start(self) -> None:
        self._tap.open()

    def stop(self) -> None:
        self.halt()
        self._tap.close()

    def flush(self) -> None:
        if self.unseen():
            return
        free = self.ledger.lock.acquire(blocking=False)  # a change of many takes is being written: another frame
        try:
            self._flush(free)
        finally:
            if free:
                self.ledger.lock.release()

    def _flush(self, free: bool) -> None:
        if free:
            self.ledger.look()
        fresh = self.fresh(free)
        samples = self._tap.news(_PREVIEW_S if fresh else None)
        if len(samples) and not self.config["browser"]:  # the page has its own sound already
            buffers, runs = self._tap.message(samples)
            self.tell("samples", buffers, fresh=fresh, **runs)
        if free and (fresh or self.ledger.changed):
            self.ledger.changed = False
            self._show()
            self._show_cut()
        if self.due():
            link, note = self._link()
            self.tell("status", link=link, note=note, page=getattr(self.board, "page", 0))

    def _link(self):
        tap = self._tap
        if tap.settling:
            return {"kind": "run", "picture": "run", "text": f"the microphone settles, {SETTLES_S:g} s"}, None
        link, note = link_of(self.board, time.monotonic() - tap.first_at, tap.silent_s)
        if link["kind"] == "ok" and not self.config["browser"]:
            rate = tap.stream.stats.rate_hz if self.sensor == "mic" else facts_of(tap.latest(10)).rate_hz
            link["text"] = f"linked, {look.number(rate, 'Hz', 0 if rate > 1000 else 1)}"
        return link, note

    # -- what the browser sees -------------------------------------------------------------------

    def _show(self) -> None:
        ledger = self.ledger
        with ledger.lock:
            mine = ledger.shown()
            shown = mine[: self._shown]
            self.tell("labels", label=ledger.label, labels=ledger.counts(), hint=ledger.hint(), foot=ledger.foot())
            self.tell(
                "takes", [b"".join(spark_bytes(t.recording) for t in shown)], label=ledger.label, total=len(mine),
                takes=[_facts(t) for t in shown], undo=ledger.undoable(),
                flagged=sum(t.state in ("flag", "refused") for t in mine), new=sum(t.state == "new" for t in mine),
            )  # fmt: skip
            rows = ledger.rows(_THUMBS)
            self.tell(
                "rows", [b"".join(spark_bytes(t.recording, _THUMB_POINTS) for _, cards in rows for t in cards)],
                rows=[[name, [[t.number, t.state] for t in cards]] for name, cards in rows],
            )  # fmt: skip

    # -- recording -------------------------------------------------------------------------------

    def on_label(self, content, buffers) -> None:
        """Another label was chosen, or a new one made."""
        self.ledger.choose(str(content["label"]))
        self._shown = _SHOWN

    def on_more(self, content, buffers) -> None:
        """Show more of the label's takes."""
        self._shown += _SHOWN
        self.ledger.changed = True

    def on_record(self, content, buffers) -> None:
        """Take now; the countdown was the browser's."""
        if not self._busy.acquire(blocking=False):
            self.tell("taken", ok=False, text="A take is running already.")
            return
        self._drop = False  # here, so that a cancel that comes before the take's thread is heard
        self.work("take", self._record, str(content["label"]), float(content["seconds"]),
                  str(content.get("person", "")).strip(), bool(content.get("long")))  # fmt: skip

    def on_cancel(self, content, buffers) -> None:
        """Throw the running take away."""
        self._drop = True
        self._finish()

    def on_enough(self, content, buffers) -> None:
        """End a long take now, and keep it."""
        self._finish()

    def _finish(self) -> None:
        taking = self._taking
        if taking is not None:
            taking.finish()

    def _record(self, label: str, seconds: float, person: str, long: bool) -> None:
        try:
            self.tell("taking", seconds=seconds)
            (self.long_take if long else self.take)(label, seconds, person, wanted=lambda: not self._drop)
        except Exception:
            self.tell("taken", ok=False, stop=True, text="not recorded")
            raise
        finally:
            self._busy.release()

    def take(self, label: str, seconds: float, person: str = "", wanted=lambda: True) -> TakeCard | None:
        """Record one take now, as the button does, without the countdown.

        Returns
        -------
        TakeCard or None
            ``state`` "refused" if it was not good enough, with the reason; None if it was not
            ``wanted`` any more at its end.

        Raises
        ------
        BoardError
            The board went away, or fell silent, before the first sample came; what came otherwise is
            on a refused card.
        """
        recording, refusal = self._taken(label, seconds, person, wanted)
        if not wanted():
            self.tell("taken", ok=False, text="thrown away")
            return None
        if recording is None:
            raise refusal
        card, refusal = self._kept(recording, refusal)
        self.tell("taken", ok=refusal is None, number=card.number, text=card.why or "good",
                  next=refusal.next if refusal else "", stop=isinstance(refusal, BoardError),
                  gone=isinstance(refusal, BoardGone))  # fmt: skip
        return card

    def _kept(self, recording: Recording, refusal: TinykitError | None) -> tuple[TakeCard, TinykitError | None]:
        """The card of a take, kept or refused; a good one that can't be written is refused and not lost."""
        if refusal is None:
            try:
                return self.ledger.keep(recording), None
            except TinykitError as error:
                refusal = error
            except OSError as error:
                what = f"It could not be written: {error.strerror or error}."
                refusal = DataError(what, "make room on the disk, then press “Keep anyway” on its card.")
        why = self._broke_off(recording, refusal) if isinstance(refusal, BoardError) else ""
        return self.ledger.refuse(recording, refusal, why), refusal

    @staticmethod
    def _broke_off(recording: Recording, refusal: BoardError) -> str:
        what = "the board went away" if isinstance(refusal, BoardGone) else reason_of(refusal)
        return f"{what} after {recording.seconds:.1f} s"

    def long_take(self, label: str, seconds: float, person: str = "", wanted=lambda: True) -> Cut | None:
        """Record a long take of one word or movement again and again, to be cut: ``cut`` holds it.

        Lost samples speak against the parts in which they are, not against all of it; and if the board
        goes away in the middle, what came before is cut.

        Raises
        ------
        BoardError, TakeRefused
            As for ``take``, where hardly anything came.
        """
        recording, refusal = self._taken(label, seconds, person, wanted, long=True)
        if not wanted():
            self.tell("taken", ok=False, text="thrown away")
            return None
        if recording is None or refusal is not None and recording.seconds < min(_SHORTEST_S, seconds):
            raise refusal
        cut = self._cut_now(recording, self._broken(recording, refusal))
        text = f"{many(len(cut.parts), cut.noun)} found"
        self.tell("taken", ok=True, number=0, text=text, stop=isinstance(refusal, BoardError))
        return cut

    @staticmethod
    def _broken(recording: Recording, refusal: TinykitError | None) -> str:
        """What happened to a long take, in a sentence."""
        if isinstance(refusal, BoardError):
            what = Recorder._broke_off(recording, refusal)
            return f"{what[:1].upper()}{what[1:]}; this is what came before."
        if recording.quality.get("interruptions"):
            return "The board was away for a while; nothing is cut out of that gap."
        lost = recording.quality.get("lost", 0)
        return f"{many(lost, 'sample')} lost; parts with a gap in them are flagged or refused." if lost else ""

    def _taken(self, label: str, seconds: float, person: str, wanted, long: bool = False):
        """The recording, and why it should not be kept; of the two one may be None."""
        self.takes_now = True  # from here on nothing is replayed
        self.halt()
        number, self._acted = self._acted, self._acted + 1  # never one again, whatever was discarded
        with acting(self.board, self.sensor, label, person, self.session, number, long):
            try:
                if not long and not isinstance(self.board, Board):
                    return self.board.record(
                        label, seconds, person, self.session, sensor=self.sensor, progress=False
                    ), None
                self._taking = Take(self.board, seconds, self.sensor)
                if not wanted():  # cancelled while its stream was opened
                    self._taking.finish()
                return self._taking.recording(label, person, self.session), None
            except TinykitError as error:
                return getattr(error, "recording", None), error
            finally:
                self._taking, self.takes_now = None, False

    # -- the browser's microphone ----------------------------------------------------------------

    def on_mic(self, content, buffers) -> None:
        """The page's microphone was started, stopped or refused."""
        self.board.heard(content)
        self._tap.last_at, self._status_at = time.monotonic(), 0.0

    def on_sound(self, content, buffers) -> None:
        """A block of the page's sound: int16, little endian."""
        self.board.feed(int(content["index"]), np.frombuffer(buffers[0], "<i2"))

    # -- cards -----------------------------------------------------------------------------------

    def on_check(self, content, buffers) -> None:
        """The student looked at a new take and keeps it, or keeps a refused one all the same."""
        self.ledger.check(content["n"])

    def on_discard(self, content, buffers) -> None:
        """Take a take out of the dataset; it can be had back."""
        self.ledger.discard(content["n"])

    def on_undo(self, content, buffers) -> None:
        """Undo the last change."""
        self._say(self.ledger.undo)

    def on_relabel(self, content, buffers) -> None:
        """Give a take another label."""
        self.ledger.relabel(content["n"], str(content["label"]))

    def on_rename(self, content, buffers) -> None:
        """Call a label otherwise."""
        self._say(self.ledger.rename, str(content["label"]), str(content["new"]))

    def on_remove(self, content, buffers) -> None:
        """Take a label out, with its takes; both can be had back."""
        self._say(self.ledger.remove, str(content["label"]))

    def _say(self, call, *args) -> None:
        """Do it; what is refused is said, and is no error."""
        try:
            call(*args)
        except TinykitError as refusal:
            self.tell("told", state="warn", text=refusal.what, next=refusal.next)

    def on_hear(self, content, buffers) -> None:
        """A take, or a part of the long take, to be played in the page."""
        if "word" in content:
            recording, key = self.cut.parts[int(content["word"])], "word"
        else:
            recording, key = self.ledger.card(content["n"]).recording, "n"
        self.play(recording, key, content[key])

    # -- where nothing runs ----------------------------------------------------------------------

    def settle(self, seconds: float) -> None:
        self._tap.wait(min(seconds, _PREVIEW_S), seconds + 5)

    def snapshot(self) -> look.Html:
        rows = []
        for chip in self.ledger.counts():
            count = sum(chip["persons"].values())
            who = ", ".join(f"{name} {n}" for name, n in chip["persons"].items()) or "nobody yet"
            bar = look.Html(f'<div style="min-width:160px">{look.bar(count / self.ledger.target)}</div>')
            rows.append([chip["name"], bar, f"{count} of {self.ledger.target}", look.muted(who)])
        shown = self.ledger.shown() or [t for t in self.takes if not t.gone][::-1]
        cards = "".join(card_html(t) for t in shown[:12])
        hint = self.ledger.hint()
        note = look.note(
            hint["kind"], "" if hint["kind"] == "run" else hint["text"], hint["text"] if hint["kind"] == "run" else ""
        )
        body = look.table(rows, ["label", "", "takes", "by"], align="llrl") + note
        body += f'<div class="tk-takes">{cards}</div>' if cards else ""
        foot = self.ledger.foot()
        return look.card(
            self.title,
            source_html(self.head),
            body,
            look.dots(foot["facts"], foot["saved"]),
            state=("none", "still picture"),
        )


def _facts(t: TakeCard) -> dict:
    return {
        "n": t.number,
        "person": t.recording.person,
        "seconds": t.recording.seconds,
        "state": t.state,
        "why": t.why,
    }


def recorder(
    board,
    dataset=None,
    labels=None,
    person: str = "",
    session: str = "",
    seconds: float | None = None,
    target: int = 20,
    people: int = 3,
    sensor: str = "",
) -> Recorder:
    """Record takes: 3-2-1, move or speak, and see at once whether the take is good.

    Good takes are in the dataset (and on disk, if it has a folder) at once. A bad one is refused with
    the reason, a copy of another take is flagged, and both can be kept all the same; every change can be
    undone. A take can be heard, or seen, once more; a virtual board then feels its movement. A long take
    is split by itself: sound where somebody pauses between words, motion where the hand rests between
    movements, and motion without a rest into windows. What came before a board went away stays on a
    card, or is cut. Everything works by keyboard (Space, Esc, 1 to 8, arrows, P, K, L, Delete, U).

    On a virtual board whose hand is at rest the hand makes the movement, and where it hears nothing a
    synthesiser says the word.

    Parameters
    ----------
    board : Board or BrowserSound
    dataset : Dataset, optional
        Where takes go; default a new one in memory, ``recorder.dataset``.
    labels : sequence of str, optional
        What to record; labels of the dataset are added.
    person, session : str
        Who records, and in which sitting (default today's date).
    seconds : float, optional
        Length of a take at first; default 1.5 s, of sound 1 s.
    target, people : int
        Takes a label to aim for, and from how many people.
    sensor : str, optional
        ``"imu"`` or ``"mic"``; default what the dataset holds, else the IMU.

    Returns
    -------
    Recorder

    Raises
    ------
    DataError
        There is no label.
    """
    if not sensor:
        heard = dataset is not None and len(dataset) and dataset[0].is_sound
        sensor = "mic" if heard or isinstance(board, BrowserSound) else "imu"
    return Recorder(board, dataset, labels, person, session, seconds, target, people, sensor)
