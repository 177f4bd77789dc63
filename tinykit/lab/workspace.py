"""The folder in which a student's work passes from lesson to lesson."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ..data.keywords import words_of
from ..errors import DataError, TinykitError
from ..pipeline import Pipeline

TAKES_PER_LABEL = 10  # with fewer, a test part of a fifth has one take of a label
STEPS = ("float", "int8")
KEYWORDS = ("left", "right", "up", "down", "go")


@dataclass(frozen=True)
class Subject:
    """What a line of lessons is about.

    Parameters
    ----------
    name : str
        The folder of the student's recordings, and the sample set that stands in for them.
    kind : str
        Of the pipeline.
    prefix : str
        Before the names of the files of its pipelines.
    lessons : tuple of str
        That record, train, and quantise.
    split : dict
        How the sample set is split.
    options : dict
        For training.
    """

    name: str
    kind: str
    prefix: str
    lessons: tuple[str, str, str]
    split: dict
    options: dict


SUBJECTS = {
    # The one left-handed person is among those who validate, so that lessons see a network fail
    # with a stranger before the test is opened.
    "gestures": Subject(
        "gestures", "gesture", "", ("01", "02", "03"), {"fractions": (0.5, 0.25, 0.25), "seed": 15}, {}
    ),
    "words": Subject(
        "words",
        "keyword",
        "words-",
        ("05", "06", "06"),
        {"fractions": (0.6, 0.2, 0.2), "seed": 0},
        {"words": KEYWORDS, "epochs": 40},
    ),  # fmt: skip
}


class Workspace:
    """A student's recordings and pipelines, in a folder that survives the notebook.

    Where a step was not done yet, it gives the sample project's part and says so; so every
    lesson opens cold.

    Parameters
    ----------
    folder : path
        Made when something is first kept in it.
    subject : {"gestures", "words"}

    Attributes
    ----------
    folder : Path
    subject : Subject
    """

    def __init__(self, folder, subject: str = "gestures"):
        if subject not in SUBJECTS:
            raise DataError(f"There is no workspace for {subject!r}.", f"Ask for one of {', '.join(SUBJECTS)}.")
        self.folder, self.subject = Path(folder), SUBJECTS[subject]

    # -- recordings ------------------------------------------------------------------------

    @property
    def recordings(self):
        """The student's own dataset, on disk in ``gestures/`` or ``words/``; empty at first."""
        from ..data import Dataset

        path = self._recordings
        if (path / "dataset.json").exists():
            return Dataset.load(path)
        name, lesson = self.subject.name, self.subject.lessons[0]
        card = {"name": f"my {name}", "description": f"Recorded in lesson {lesson}.", "synthetic": False}
        return Dataset([], card).save(path)

    def missing(self) -> str:
        """What the student's recordings lack to be trained on, as a sentence; empty if nothing."""
        own = self.recordings if (self._recordings / "dataset.json").exists() else ()
        if not len(own):
            return "You have no recordings of your own yet."
        counts = {label: sum(persons.values()) for label, persons in own.counts().items()}
        if len(counts) < 2:
            return "Your recordings have only 1 label, and a classifier needs at least 2."
        fewest = min(counts, key=counts.get)
        if counts[fewest] < TAKES_PER_LABEL:
            takes = f"{counts[fewest]} take{'s' * (counts[fewest] != 1)}"
            return f"You have {takes} of {fewest!r}, and {TAKES_PER_LABEL} a label are needed."
        return ""

    def dataset(self, quiet: bool = False):
        """The student's recordings if there are enough of them, else the synthetic sample set.

        Parameters
        ----------
        quiet : bool
            Do not print which of the two it is.
        """
        from ..data import sample

        missing = self.missing()
        dataset = sample(self.subject.name) if missing else self.recordings
        if not quiet and missing:
            print(f"{missing}\nThis lesson goes on with the sample set, which is synthetic.")
        elif not quiet:
            print(f"These are your own recordings, from {self._recordings}.")
            made = sum(r.device.startswith("Virtual") for r in dataset)
            if made:
                print(f"{made} of {len(dataset)} come from the virtual board: they are synthetic.")
        return dataset

    def split(self, dataset=None, quiet: bool = False):
        """Training, validation and test part; the same in every lesson, so that test takes stay unseen.

        By person if there are three or more, else by session, else by recording: then it says what
        the result cannot tell.
        """
        dataset = self.dataset(quiet=True) if dataset is None else dataset
        sessions = {(r.person, r.session) for r in dataset}
        if len(dataset.persons) >= 3:
            by, limit = "person", ""
        elif len(sessions) >= 3:
            by, limit = "session", "So the test tells about these persons on another day, not about others."
        else:
            by, limit = "recording", "So the test tells about these persons in this sitting, and no more."
        if limit and not quiet:
            persons = f"{len(dataset.persons)} persons" if len(dataset.persons) > 1 else "one person"
            print(f"With {persons} the split goes by {by}.\n{limit}")
        of_sample = by == "person" and dataset.name == self.subject.name and dataset.card.get("synthetic")
        return dataset.split(by=by, **(self.subject.split if of_sample else {}))

    @property
    def noise(self):
        """The sample noises: for silence, and to mix into words. Synthetic; each has its side of a split."""
        from ..data import sample

        return sample("noise")

    @property
    def _recordings(self) -> Path:
        return self.folder / self.subject.name

    # -- pipelines -------------------------------------------------------------------------

    def keep(self, pipeline: Pipeline, step: str | None = None) -> Path:
        """Keep a pipeline for the next lessons; its place follows from whether it is quantised."""
        step = step or ("int8" if pipeline.int8_model else "float")
        return pipeline.save(self._path(step))

    def pipeline(self, step: str = "int8", quiet: bool = False) -> Pipeline:
        """The pipeline kept last, or one that is trained now on the training part.

        Parameters
        ----------
        step : {"float", "int8"}
        quiet : bool
            Do not print where it comes from.
        """
        path = self._path(step)
        parts = self.split(quiet=True)
        train, validation, _ = parts
        if path.exists():
            try:
                found = Pipeline.load(path)
            except TinykitError as error:
                _say(quiet, f"{error.what} It is left where it is, and a new one is made.")
            else:
                if self._belongs(found, parts):
                    _say(quiet, f"This is the {step} pipeline that you kept, {found.fingerprint}.")
                    return found
                _say(quiet, "The pipeline that you kept was trained on other takes: making a new one.")
        else:
            _say(quiet, f"You have kept no {step} pipeline yet: making one, from the training part only.")
        if step == "float":
            from ..models import train as fit

            options = dict(self.subject.options)
            if self.subject.kind == "keyword":
                options["noise"] = self.noise.select(split="training")
            made = fit(self.subject.kind, train, validation, seed=0, progress=False, **options)
        else:
            from ..compress import quantize

            made = quantize(self.pipeline("float", quiet=True), train)
        self.keep(made, step)
        return made

    def _belongs(self, pipeline: Pipeline, parts) -> bool:
        """Whether a pipeline was trained on the training part as it is now, and on nothing of the others."""
        train, validation, test = parts
        if self.subject.kind == "gesture":
            return pipeline.provenance.get("fingerprint") == train.fingerprint
        words = self.subject.options["words"]
        known = set(pipeline.provenance.get("recordings", ()))
        fresh = {r.fingerprint[:12] for r in train if r.label in words} - known
        seen = {r.fingerprint[:12] for part in (validation, test) for r in part} & known
        return words_of(pipeline.labels) == words and not fresh and not seen

    def _path(self, step: str) -> Path:
        if step not in STEPS:
            raise DataError(f"There is no step {step!r} in a workspace.", f"Ask for one of {', '.join(STEPS)}.")
        return self.folder / f"{self.subject.prefix}{step}.tk"

    # -- showing it ------------------------------------------------------------------------

    def _rows(self) -> list[tuple[str, str]]:
        own = self.missing() or f"{len(self.recordings)} takes, enough to train on"
        rows = [("folder", str(self.folder)), ("recordings", own)]
        for step, lesson in zip(STEPS, self.subject.lessons[1:], strict=True):
            path = self._path(step)
            rows.append((f"{step} pipeline", path.name if path.exists() else f"not yet, lesson {lesson} makes it"))
        return rows

    def __repr__(self) -> str:
        return "Workspace\n" + "\n".join(f"  {name:<16}{value}" for name, value in self._rows())

    def _repr_html_(self) -> str:
        from .. import look

        return look.card("Workspace", "what passes from lesson to lesson", look.facts(self._rows()), pad=True)


def workspace(subject: str = "gestures", folder=None) -> Workspace:
    """The workspace: ``TINYKIT_WORKSPACE``, else ``workspace/`` in the notebook's own folder.

    Parameters
    ----------
    subject : {"gestures", "words"}
        Of the lessons 01 to 04, or of 05 to 08.
    folder : path, optional
        Another folder.
    """
    return Workspace(folder or os.environ.get("TINYKIT_WORKSPACE") or Path.cwd() / "workspace", subject)


def _say(quiet: bool, text: str) -> None:
    if not quiet:
        print(text)
