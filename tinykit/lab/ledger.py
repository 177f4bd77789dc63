"""What a recorder has and what is still missing: takes by label and person, kept, flagged, refused, discarded."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from ..data import Dataset, Recording
from ..data.likeness import Likeness
from ..errors import DataError, TinykitError
from ..models.defaults import FEWEST_TAKES
from .take import TakeCard, reason_of
from .widget import many


class Act(NamedTuple):
    """Something that can be undone: what was done, in a sentence, and what undoes it."""

    text: str
    undo: Callable[[], None]


class _Overtaken(DataError):
    """What was done can't be undone any more: something else happened to it meanwhile."""


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
        self._likeness = Likeness()
        self._acts: list[Act] = []
        self._seen: tuple = ()
        for recording in dataset:
            self._likeness.note(self._note(recording).number, recording)
        self._see()

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

    def rows(self, most: int) -> list[tuple[str, list[TakeCard]]]:
        """Every label with its latest kept takes, at most so many, the latest first."""
        kept = self._kept()
        return [(name, [t for t in kept if t.recording.label == name][: -most - 1 : -1]) for name in self.labels]

    def card(self, number) -> TakeCard:
        """The card of that number."""
        for card in self.takes:
            if card.number == int(number):
                return card
        raise DataError(f"There is no take {number}.", "Choose one that is shown.")

    def hint(self) -> dict:
        """The one most useful thing to do next."""
        chips = [(c["name"], sum(c["persons"].values()), list(c["persons"])) for c in self.counts()]
        for name, count, _ in chips:
            if not count:
                return _next(f"there is no take of “{name}” yet.")
        chips.sort(key=lambda chip: chip[0] != self.label)  # first what is at hand
        for name, _, _ in chips:
            if self._likeness.alike(name):
                return _next(f"the takes of “{name}” are all alike. Vary speed, size and grip, as people do.")
        for name, count, people in chips:
            if len(people) == 1 and people != ["?"] and self.people > 1 and 2 * count >= self.target:
                return _next(f"only {people[0]} has recorded “{name}”. Ask a neighbour.")
        name, count, _ = min(chips, key=lambda chip: chip[1])
        if count < self.target:
            short = FEWEST_TAKES - count
            begins = f" Training can begin with {FEWEST_TAKES}: {short} more." if short > 0 else ""
            return _next(f"“{name}” has {count} of {self.target} takes.{begins}")
        if len(chips) < 2:
            return _next("a network needs something to tell apart: add a second label, “rest” perhaps.")
        for name, _, people in chips:
            if len(people) < self.people:
                named = len(people) - people.count("?")
                if not named:
                    return _next(f"“{name}” has enough takes, but nobody is named: write a nickname under Who.")
                others = "" if named == len(people) else " and somebody who is not named"
                return _next(f"“{name}” has enough takes, but from {many(named, 'person', 'people')}{others}; "
                             f"{self.people} would be better.")  # fmt: skip
        text = f"Every label has {self.target} takes from {self.people} people or more: on to training."
        return {"kind": "ok", "text": text}

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

    def undoable(self) -> str:
        """What ``undo`` would undo, in a sentence; empty if there is nothing."""
        return self._acts[-1].text if self._acts else ""

    def _kept(self) -> list[TakeCard]:
        return [t for t in self.takes if not t.gone and t.state != "refused"]

    # -- takes that come -------------------------------------------------------------------------

    def keep(self, recording: Recording) -> TakeCard:
        """Add a take to the dataset; one that was there already is flagged."""
        with self.lock:
            number = self._number()
            twin = self._likeness.add(number, recording)
            if twin is not None:
                recording = recording.with_(quality={**(recording.quality or {}), "verdict": "duplicate"})
            try:
                recording = self.dataset.add(recording) or recording
            except BaseException:
                self._likeness.remove(number)
                raise
            self._saved_at = time.strftime("%H:%M")
            card = self._note(recording, new=True)
            if twin is not None:
                card.why = f"same as take {twin.key}"
            self._see()
            return card

    def refuse(self, recording: Recording, refusal: TinykitError, why: str = "") -> TakeCard:
        """Show a take that is not good enough, with the refusal's reason or ``why``; it stays out of the dataset."""
        with self.lock:
            card = TakeCard(self._number(), recording, "refused", why or reason_of(refusal))
            self.takes.append(card)
            self.changed = True
            return card

    def look(self) -> None:
        """Notice what somebody else, a cell perhaps, added to the dataset or took out of it."""
        with self.lock:
            takes, count = self._seen
            if takes is self.dataset.recordings and count == len(takes):
                return
            there = {r.id: r for r in list(self.dataset)}
            shown = {t.recording.id for t in self._kept()}
            self.takes = [t for t in self.takes if t.gone or t.state == "refused" or t.recording.id in there]
            for name, recording in there.items():
                if name not in shown:
                    self._likeness.note(self._note(recording, new=True).number, recording)
            self.labels += [name for name in self.dataset.labels if name not in self.labels]
            self.changed = True
            self._see()

    # -- what the student changes ----------------------------------------------------------------

    def choose(self, name: str) -> None:
        """Another label, perhaps a new one."""
        name = name.strip()[:40]
        if not name:
            return
        with self.lock:
            if name not in self.labels:
                self.labels.append(name)
            self.label, self.changed = name, True

    def check(self, number) -> None:
        """A new take was looked at and stays; a refused one is kept all the same, flagged."""
        with self.lock:
            card = self.card(number)
            if card.gone:
                return
            if card.state == "new":
                card.state = "good"
            elif card.state == "refused":
                card.recording = self.dataset.add(card.recording) or card.recording
                card.state = "flag"
                self._did(f"Take {card.number} kept although {card.why}.", lambda: self._refuse_again(card))
            self.changed = True

    def discard(self, number) -> None:
        """Take a take out of the dataset; it can be had back."""
        with self.lock:
            card = self.card(number)
            if card.gone:
                return
            self._take_out(card)
            who = ", ".join(filter(None, [card.recording.person, card.why and f"“{card.why}”"]))
            self._did(f"Take {card.number}{f' ({who})' if who else ''} discarded.", lambda: self._put_back(card))

    def relabel(self, number, label: str) -> None:
        """Give a take another label."""
        with self.lock:
            card = self.card(number)
            before = card.recording.label
            if not label or label == before:
                return
            self._rename(card, label)
            self._did(f"Take {card.number} is “{label}” now, no longer “{before}”.", lambda: self._rename(card, before))

    def rename(self, name: str, new: str) -> None:
        """Call a label otherwise; its takes go with it.

        Raises
        ------
        DataError
            There is a label of the new name.
        """
        new = new.strip()[:40]
        with self.lock:
            if not new or new == name or name not in self.labels:
                return
            if new in self.labels:
                raise DataError(f"There is a label “{new}” already.", "Choose another name, or relabel single takes.")
            self._rename_all(name, new)

            def back():
                if any(t.recording.label == name and not t.gone for t in self.takes):
                    raise _Overtaken(f"“{name}” was made anew meanwhile and has takes: “{new}” keeps its name.",
                                     f"Rename that “{name}” first, then “{new}”, by hand.")  # fmt: skip
                self._rename_all(new, name)

            self._did(f"“{name}” is called “{new}” now.", back)

    def remove(self, name: str) -> None:
        """Take a label out, with all its takes; both can be had back.

        Raises
        ------
        DataError
            It is the only one.
        """
        with self.lock:
            if name not in self.labels:
                return
            if len(self.labels) == 1:
                raise DataError(f"“{name}” is the only label.", "Add another one first, or rename this one.")
            place, cards = self.labels.index(name), [t for t in self.takes if t.recording.label == name and not t.gone]
            for card in cards:
                self._take_out(card)
            self.labels.remove(name)
            self.label = self.labels[min(place, len(self.labels) - 1)]

            def back():
                if name not in self.labels:  # else it was made anew
                    self.labels.insert(place, name)
                for card in cards:
                    self._put_back(card)
                self.label = name

            self._did(f"“{name}” and its {many(len(cards), 'take')} removed.", back)

    def undo(self) -> None:
        """Undo the last change that was not undone yet; one that fails can be tried again.

        Raises
        ------
        DataError
            Something else happened meanwhile to what was changed: this change stays.
        """
        with self.lock:
            self.look()
            if not self._acts:
                return
            act = self._acts[-1]
            try:
                act.undo()
            except _Overtaken:
                self._acts.remove(act)
                raise
            else:
                self._acts.remove(act)
            finally:
                self._see()
                self.changed = True

    def did(self, text: str, undo: Callable[[], None]) -> None:
        """Note what somebody else did with takes, so that ``undo`` undoes it."""
        with self.lock:
            self._did(text, undo)

    # -- one card --------------------------------------------------------------------------------

    def _did(self, text: str, undo: Callable[[], None]) -> None:
        self._acts.append(Act(text, undo))
        self._see()
        self.changed = True

    def _take_out(self, card: TakeCard) -> None:
        if card.state != "refused":
            self.dataset.remove(card.recording)
            self._likeness.remove(card.number)
        card.gone = True

    def _put_back(self, card: TakeCard) -> None:
        if card.state != "refused":
            card.recording = self.dataset.add(card.recording) or card.recording
            self._likeness.note(card.number, card.recording)
        card.gone = False
        self.label = card.recording.label or self.label

    def _there(self, card: TakeCard) -> None:
        if not any(t is card for t in self.takes):
            raise _Overtaken(f"Take {card.number} is no longer in the dataset.", "Nothing is left to undo there.")

    def _refuse_again(self, card: TakeCard) -> None:
        self._there(card)
        self.dataset.remove(card.recording)
        card.state = "refused"

    def _rename(self, card: TakeCard, label: str) -> None:
        self._there(card)
        renamed = card.recording.with_(label=label)
        if card.state != "refused" and not card.gone:
            # Its id and file carry the old label, so it gets new ones; added first, so that nothing is lost.
            renamed = self.dataset.add(renamed.with_(id="")) or renamed
            self.dataset.remove(card.recording)
            self._likeness.remove(card.number)
            self._likeness.note(card.number, renamed)
        card.recording = renamed
        if label not in self.labels:
            self.labels.append(label)

    def _rename_all(self, name: str, new: str) -> None:
        for card in self.takes:
            if card.recording.label == name:
                self._rename(card, new)
        self.labels = [label for label in self.labels if label != new]
        self.labels[self.labels.index(name)] = new
        if self.label == name:
            self.label = new

    def _note(self, recording: Recording, new: bool = False) -> TakeCard:
        verdict = (recording.quality or {}).get("verdict", "good")
        state = "flag" if verdict != "good" else "new" if new else "good"
        lost = (recording.quality or {}).get("lost", 0)
        why = "" if verdict == "good" else f"{lost} samples lost" if verdict == "samples lost" else verdict
        card = TakeCard(self._number(), recording, state, why)
        self.takes.append(card)
        if recording.label and recording.label not in self.labels:
            self.labels.append(recording.label)
        self.changed = True
        return card

    def _number(self) -> int:
        return max((t.number for t in self.takes), default=0) + 1

    def _see(self) -> None:
        # ``add`` makes the list longer, ``remove`` another list; its id alone would soon be another list's.
        self._seen = self.dataset.recordings, len(self.dataset.recordings)


def _next(text: str) -> dict:
    return {"kind": "run", "text": text}
