"""What a recorder has and what is still missing: takes by label and person, kept, flagged, refused, discarded."""

from __future__ import annotations

import threading
import time

from ..data import Dataset, Recording
from ..errors import DataError, TakeRefused
from .take import TakeCard, reason_of
from .widget import many


class Ledger:
    """The takes of a dataset with their cards; every method may be called from any thread.

    Parameters
    ----------
    dataset : Dataset
    labels : sequence of str or None
        What to record; labels of the dataset are added.
    target, people : int
        Takes a label to aim for, and from how many people.

    Attributes
    ----------
    takes : list of TakeCard
        Everything recorded or found, refused and discarded takes included.
    label : str
        The chosen one.

    Raises
    ------
    DataError
        There is no label.
    """

    def __init__(self, dataset: Dataset, labels, target: int, people: int):
        self.dataset, self.target, self.people = dataset, int(target), int(people)
        self.labels = list(dict.fromkeys([*(labels or ()), *dataset.labels]))
        if not self.labels:
            raise DataError(
                "There is no label to record.", 'Name some: tk.lab.recorder(board, dataset, labels=["circle", "rest"]).'
            )
        self.takes: list[TakeCard] = []
        self.label = self.labels[0]
        self.lock = threading.RLock()
        self.changed = True
        self._saved_at = ""
        for recording in dataset:
            self._note(recording)

    # -- what is there ---------------------------------------------------------------------------

    def counts(self) -> list[dict]:
        """Takes of each label by person."""
        counts = {name: {} for name in self.labels}
        for t in self._kept():
            persons = counts.setdefault(t.recording.label or "", {})
            persons[t.recording.person or "?"] = persons.get(t.recording.person or "?", 0) + 1
        return [{"name": name, "persons": persons} for name, persons in counts.items() if name]

    def shown(self) -> list[TakeCard]:
        """Cards of the chosen label, the latest first."""
        return [t for t in self.takes if t.recording.label == self.label and not t.gone][::-1]

    def gone(self) -> list[TakeCard]:
        """Discarded takes of the chosen label."""
        return [t for t in self.takes if t.gone and t.recording.label == self.label]

    def card(self, number) -> TakeCard:
        """The card of that number."""
        for card in self.takes:
            if card.number == int(number):
                return card
        raise DataError(f"There is no take {number}.", "Choose one that is shown.")

    def hint(self) -> dict:
        """The one most useful thing to do next."""
        chips = self.counts()
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

    def foot(self) -> dict:
        """What there is in all, and where it is kept."""
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
            saved = "in memory only: dataset.save('my-takes') keeps it"
        else:
            saved = f"saved on this computer{', ' + self._saved_at if self._saved_at else ''}"
        return {"facts": facts, "saved": saved, "kept": self.dataset.path is not None}

    def _kept(self) -> list[TakeCard]:
        return [t for t in self.takes if not t.gone and t.state != "refused"]

    # -- what changes it -------------------------------------------------------------------------

    def choose(self, name: str) -> None:
        """Another label, perhaps a new one."""
        name = name.strip()[:40]
        if not name:
            return
        with self.lock:
            if name not in self.labels:
                self.labels.append(name)
            self.label, self.changed = name, True

    def keep(self, recording: Recording) -> TakeCard:
        """Add a take to the dataset."""
        with self.lock:
            recording = self.dataset.add(recording) or recording
            self._saved_at = time.strftime("%H:%M")
            return self._note(recording, new=True)

    def refuse(self, recording: Recording, refusal: TakeRefused) -> TakeCard:
        """Show a take that is not good enough; it stays out of the dataset."""
        with self.lock:
            card = TakeCard(self._number(), recording, "refused", reason_of(refusal))
            self.takes.append(card)
            self.changed = True
            return card

    def check(self, number) -> None:
        """A new take was looked at and stays."""
        with self.lock:
            card = self.card(number)
            if card.state == "new":
                card.state = "good"
            self.changed = True

    def discard(self, number) -> None:
        """Take a take out of the dataset; it can be had back."""
        with self.lock:
            card = self.card(number)
            if card.state != "refused":
                self.dataset.remove(card.recording)
            card.gone = self.changed = True

    def undo(self, number) -> None:
        """Put a discarded take back."""
        with self.lock:
            card = self.card(number)
            if card.gone and card.state != "refused":
                card.recording = self.dataset.add(card.recording) or card.recording
            card.gone, self.changed = False, True

    def relabel(self, number, label: str) -> None:
        """Give a take another label."""
        with self.lock:
            card = self.card(number)
            if card.state == "refused":
                card.recording = card.recording.with_(label=label)
            else:
                # Its id and file carry the old label, so it gets new ones; added first, so that nothing is lost.
                renamed = self.dataset.add(card.recording.with_(label=label, id=""))
                self.dataset.remove(card.recording)
                card.recording = renamed
            self.changed = True

    def _note(self, recording: Recording, new: bool = False) -> TakeCard:
        verdict = (recording.quality or {}).get("verdict", "good")
        state = "flag" if verdict != "good" else "new" if new else "good"
        lost = (recording.quality or {}).get("lost", 0)
        why = "" if verdict == "good" else f"{lost} samples lost" if verdict == "samples lost" else verdict
        card = TakeCard(self._number(), recording, state, why)
        self.takes.append(card)
        self.changed = True
        return card

    def _number(self) -> int:
        return self.takes[-1].number + 1 if self.takes else 1
