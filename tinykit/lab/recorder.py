"""The recorder: 3-2-1, a take, its card; what is missing is said, what is bad is refused with the reason."""

from __future__ import annotations

import threading
import time

import numpy as np

from .. import look
from ..data import Dataset, Recording
from ..data.take import REST
from ..errors import DataError, TakeRefused
from .scope import facts_of, runs_of
from .take import POINTS, TakeCard, card_html, reason_of, spark_bytes
from .widget import FRAMES_PER_S, LabWidget, link_of, many, module, sheet, source_html

_PREVIEW_S = 4.0
_SHOWN = 60  # take cards at most


class Recorder(LabWidget):
    """Records takes into a dataset; made by ``tk.lab.recorder``.

    Attributes
    ----------
    dataset : Dataset
    takes : list of TakeCard
        Everything recorded or found, refused and discarded takes included.
    """

    _esm = module("recorder")
    _css = sheet("recorder")
    title = "Recorder"

    def __init__(self, board, dataset=None, labels=None, person="", session="", seconds=1.5, target=20, people=3):
        self.dataset = dataset if dataset is not None else Dataset(card={"name": "new takes"})
        self.session = session or time.strftime("%Y-%m-%d")
        self.target, self.people = int(target), int(people)
        self.labels = list(dict.fromkeys([*(labels or ()), *self.dataset.labels]))
        if not self.labels:
            raise DataError(
                "There is no label to record.", 'Name some: tk.lab.recorder(board, dataset, labels=["circle", "rest"]).'
            )
        self.takes: list[TakeCard] = []
        for recording in self.dataset:
            self._note(recording)
        self._label = self.labels[0]
        self._busy = threading.Lock()  # one take at a time
        self._data = threading.RLock()  # dataset and cards
        self._drop = False
        self._saved_at = ""
        self._stream = board.stream("imu", capacity_s=30.0)
        self._cursor = 0
        self._first_at = self._last_at = time.monotonic()
        self._changed = True
        channels = list(self._stream.channels)
        config = {
            "channels": channels,
            "rate_hz": float(self._stream.rate_hz),
            "preview_s": _PREVIEW_S,
            "seconds": float(seconds),
            "person": person,
            "persons": list(self.dataset.persons),
            "target": self.target,
            "people": self.people,
            "points": POINTS,
        }
        super().__init__(board, config)
        self.run()

    def start(self) -> None:
        if self._stream.closed:
            self._stream = self.board.stream("imu", capacity_s=30.0)
            self._cursor = 0
        self._first_at = self._last_at = time.monotonic()

    def stop(self) -> None:
        self._stream.close()

    def flush(self) -> None:
        if self.unseen():
            return
        fresh = self.fresh()
        stream = self._stream
        if fresh:
            self._cursor = max(0, stream.read_new(self._cursor)[1] - round(_PREVIEW_S * stream.rate_hz))
        samples, self._cursor = stream.read_new(self._cursor)
        if len(samples):
            self._last_at = time.monotonic()
            self.tell(
                "samples",
                [np.ascontiguousarray(samples.counts, np.int16).tobytes()],
                runs=runs_of(samples.index),
                fresh=fresh,
            )
        if fresh or self._changed:
            self._changed = False
            self._show()
        if self.due():
            silent = time.monotonic() - self._last_at
            link, note = link_of(self.board, time.monotonic() - self._first_at, silent)
            if link["kind"] == "ok":
                recent, _ = stream.read_new(max(0, self._cursor - round(10 * stream.rate_hz)))
                link["text"] = f"linked, {facts_of(recent).rate_hz:.1f} Hz"
            self.tell("status", link=link, note=note)

    # -- what the browser sees -------------------------------------------------------------------

    def _show(self) -> None:
        with self._data:
            mine = [t for t in self.takes if t.recording.label == self._label and not t.gone]
            shown = mine[::-1][:_SHOWN]
            gone = [t for t in self.takes if t.gone and t.recording.label == self._label]
            self.tell("labels", label=self._label, labels=self._chips(), hint=self._hint(), foot=self._foot())
            self.tell(
                "takes", [b"".join(spark_bytes(t.recording) for t in shown)], label=self._label, total=len(mine),
                takes=[self._facts(t) for t in shown], gone=[self._facts(t) for t in gone[-1:]],
            )  # fmt: skip

    def _facts(self, t: TakeCard) -> dict:
        return {
            "n": t.number,
            "person": t.recording.person,
            "seconds": t.recording.seconds,
            "state": t.state,
            "why": t.why,
        }

    def _chips(self) -> list[dict]:
        counts = {name: {} for name in self.labels}
        for t in self._kept():
            persons = counts.setdefault(t.recording.label or "", {})
            persons[t.recording.person or "?"] = persons.get(t.recording.person or "?", 0) + 1
        return [{"name": name, "persons": persons} for name, persons in counts.items() if name]

    def _kept(self) -> list[TakeCard]:
        return [t for t in self.takes if not t.gone and t.state != "refused"]

    def _hint(self) -> dict:
        """The one most useful thing to do next."""
        chips = self._chips()
        for chip in chips:
            if not chip["persons"]:
                return {"kind": "run", "text": f"there is no take of “{chip['name']}” yet."}
        fewest = min(chips, key=lambda c: sum(c["persons"].values()))
        count = sum(fewest["persons"].values())
        if count < self.target:
            return {"kind": "run", "text": f"“{fewest['name']}” has {count} of {self.target} takes."}
        for chip in chips:
            if len(chip["persons"]) == 1 and self.people > 1:
                return {"kind": "run", "text": f"only one person has recorded “{chip['name']}”. Ask a neighbour."}
        if any(len(c["persons"]) < self.people for c in chips):
            return {
                "kind": "run",
                "text": f"every label has {self.target} takes; at least {self.people} people would be better.",
            }
        return {"kind": "ok", "text": f"Every label has {self.target} takes from {self.people} people or more."}

    def _foot(self) -> dict:
        kept = self._kept()
        people = {t.recording.person for t in kept} - {""}
        flagged = sum(t.state == "flag" for t in kept)
        refused = sum(t.state == "refused" and not t.gone for t in self.takes)
        seconds = sum(t.recording.seconds for t in kept)
        facts = (
            f"{many(len(kept), 'take')} · {seconds:.1f} s · {many(len(people), 'person', 'people')} · {flagged} flagged"
        )
        if refused:
            facts += f" · {refused} refused"
        if self.dataset.path is None:
            saved = "in memory only: dataset.save('my-gestures') keeps it"
        else:
            saved = f"saved on this computer{', ' + self._saved_at if self._saved_at else ''}"
        return {"facts": facts, "saved": saved, "kept": self.dataset.path is not None}

    # -- recording -------------------------------------------------------------------------------

    def on_label(self, content, buffers) -> None:
        """Another label was chosen, or a new one made."""
        name = str(content["label"]).strip()[:40]
        if not name:
            return
        with self._data:
            if name not in self.labels:
                self.labels.append(name)
            self._label = name
        self._changed = True

    def on_record(self, content, buffers) -> None:
        """Take now; the countdown was the browser's."""
        self.work(
            "take",
            self._record,
            str(content["label"]),
            float(content["seconds"]),
            str(content.get("person", "")).strip(),
        )

    def on_cancel(self, content, buffers) -> None:
        """Throw the running take away."""
        self._drop = True

    def _record(self, label: str, seconds: float, person: str) -> None:
        if not self._busy.acquire(blocking=False):
            self.tell("taken", ok=False, text="A take is running already.")
            return
        try:
            self._drop = False
            self.tell("taking", seconds=seconds)
            self.take(label, seconds, person, wanted=lambda: not self._drop)
        except Exception:
            self.tell("taken", ok=False, text="not recorded")
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
            The board went away or fell silent.
        """
        moved = self._hand(label, person)
        try:
            recording, refusal = self.board.record(label, seconds, person, self.session), None
        except TakeRefused as error:
            recording, refusal = getattr(error, "recording", None), error
        finally:
            if moved is not None:
                self.board.source = moved
        if not wanted():
            self.tell("taken", ok=False, text="thrown away")
            return None
        with self._data:
            if refusal is None:
                card = self._keep(recording)
            elif recording is None:
                raise refusal
            else:
                card = TakeCard(self._number(), recording, "refused", reason_of(refusal))
                self.takes.append(card)
        self._changed = True
        next = refusal.next if refusal else ""
        self.tell("taken", ok=refusal is None, number=card.number, text=card.why or "good", next=next)
        return card

    def _keep(self, recording: Recording) -> TakeCard:
        recording = self.dataset.add(recording) or recording
        card = self._note(recording, new=True)
        self._saved_at = time.strftime("%H:%M")
        return card

    def _note(self, recording: Recording, new: bool = False) -> TakeCard:
        verdict = (recording.quality or {}).get("verdict", "good")
        state = "flag" if verdict != "good" else "new" if new else "good"
        lost = (recording.quality or {}).get("lost", 0)
        why = "" if verdict == "good" else f"{lost} samples lost" if verdict == "samples lost" else verdict
        card = TakeCard(self._number(), recording, state, why)
        self.takes.append(card)
        return card

    def _number(self) -> int:
        return self.takes[-1].number + 1 if self.takes else 1

    def _hand(self, label: str, person: str):
        """On a virtual board whose hand is at rest, make the movement; returns the source to go back to."""
        if not self.board.is_virtual:
            return None
        from ..board.virtual import Generator, Still

        resting = getattr(self.board, "source", None)
        if not isinstance(resting, Still) or label.lower() in REST:
            return None
        try:
            moving = Generator(label, person=person or "ada", session=self.session, first=len(self.takes))
        except DataError:  # a label of the student's own: there is no such movement to make up
            return None
        self.board.source = moving
        return resting

    # -- cards -----------------------------------------------------------------------------------

    def on_check(self, content, buffers) -> None:
        """The student looked at a new take and keeps it."""
        with self._data:
            card = self._card(content["n"])
            if card.state == "new":
                card.state = "good"
        self._changed = True

    def on_discard(self, content, buffers) -> None:
        """Take a take out of the dataset; it can be had back."""
        with self._data:
            card = self._card(content["n"])
            if card.state != "refused":
                self.dataset.remove(card.recording)
            card.gone = True
        self._changed = True

    def on_undo(self, content, buffers) -> None:
        """Put a discarded take back."""
        with self._data:
            card = self._card(content["n"])
            if card.gone and card.state != "refused":
                card.recording = self.dataset.add(card.recording) or card.recording
            card.gone = False
        self._changed = True

    def on_relabel(self, content, buffers) -> None:
        """Give a take another label."""
        label = str(content["label"])
        with self._data:
            card = self._card(content["n"])
            if card.state == "refused":
                card.recording = card.recording.with_(label=label)
            else:
                # Its id and file carry the old label, so it gets new ones; added first, so that nothing is lost.
                renamed = self.dataset.add(card.recording.with_(label=label, id=""))
                self.dataset.remove(card.recording)
                card.recording = renamed
        self._changed = True

    def _card(self, number) -> TakeCard:
        for card in self.takes:
            if card.number == int(number):
                return card
        raise DataError(f"There is no take {number}.", "Choose one that is shown.")

    # -- where nothing runs ----------------------------------------------------------------------

    def settle(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds + 5
        while (
            self._stream.read_new(0)[1] < min(seconds, _PREVIEW_S) * self._stream.rate_hz
            and time.monotonic() < deadline
        ):
            time.sleep(1 / FRAMES_PER_S)

    def snapshot(self) -> look.Html:
        rows = []
        for chip in self._chips():
            count = sum(chip["persons"].values())
            who = ", ".join(f"{name} {n}" for name, n in chip["persons"].items()) or "nobody yet"
            bar = look.Html(f'<div style="min-width:160px">{look.bar(count / self.target)}</div>')
            rows.append([chip["name"], bar, f"{count} of {self.target}", look.muted(who)])
        cards = "".join(card_html(t) for t in self._of_label()[::-1][:12])
        hint = self._hint()
        note = look.note(
            hint["kind"], "" if hint["kind"] == "run" else hint["text"], hint["text"] if hint["kind"] == "run" else ""
        )
        body = look.table(rows, ["label", "", "takes", "by"], align="llrl") + note
        body += f'<div class="tk-takes">{cards}</div>' if cards else ""
        foot = self._foot()
        return look.card(
            self.title,
            source_html(self.head),
            body,
            look.dots(foot["facts"], foot["saved"]),
            state=("none", "still picture"),
        )

    def _of_label(self) -> list[TakeCard]:
        own = [t for t in self.takes if t.recording.label == self._label and not t.gone]
        return own or [t for t in self.takes if not t.gone]


def recorder(
    board,
    dataset=None,
    labels=None,
    person: str = "",
    session: str = "",
    seconds: float = 1.5,
    target: int = 20,
    people: int = 3,
) -> Recorder:
    """Record takes: 3-2-1, move, and see at once whether the take is good.

    Good takes are in the dataset (and on disk, if it has a folder) at once; discarding can be
    undone. A bad take is refused with the reason. On a virtual board whose hand is at rest the
    hand makes the movement (synthetic).

    Parameters
    ----------
    board : Board
    dataset : Dataset, optional
        Where takes go; default a new one in memory, ``recorder.dataset``.
    labels : sequence of str, optional
        What to record; labels of the dataset are added.
    person, session : str
        Who records, and in which sitting (default today's date).
    seconds : float
        Length of a take at first.
    target, people : int
        Takes a label to aim for, and from how many people.

    Returns
    -------
    Recorder

    Raises
    ------
    DataError
        There is no label.
    """
    return Recorder(board, dataset, labels, person, session, seconds, target, people)
