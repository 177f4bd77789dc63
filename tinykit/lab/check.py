"""Checked exercises: ``check(id, answer)``, graded hints, and a solution.

Three outcomes: right, not attempted, wrong. A wrong answer is compared with what a
misconception would give, so that the reply can name the idea behind it and not only the error.
The exercises themselves are in ``tinykit.lab.lessons``, one module a lesson.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from importlib import import_module

from ..errors import TinykitError

RIGHT, WRONG, NOT_ATTEMPTED = "right", "wrong", "not attempted"
LESSONS = ("start", "collect", "train", "quantise", "deploy", "sound", "keywords", "stream", "wake_word", "real")


@dataclass(frozen=True)
class Finding:
    """One thing that a check looked at.

    Parameters
    ----------
    good : bool
    text : str
        What was found, in a sentence or two.
    misconception : str
        Name of the idea behind a wrong answer; empty where it is right or unknown.
    """

    good: bool
    text: str
    misconception: str = ""


@dataclass(frozen=True)
class Exercise:
    """One exercise: how to judge an answer, what to say, and how to help.

    Parameters
    ----------
    id : str
        Lesson and word, such as ``"01.split"``.
    title : str
        A few words for the head of the card.
    task : str
        What to do when nothing was attempted yet.
    judge : callable
        Takes the answer; returns a `Finding` or a list of them. An answer is right when all are good.
    hints : tuple of str
        From a nudge to nearly the solution.
    solution : str
        Code that, in place of the exercise's lines above the check, makes the check pass.
    further : str
        One step further, shown once the answer is right or the solution open.
    """

    id: str
    title: str
    task: str
    judge: Callable
    hints: tuple[str, ...]
    solution: str
    further: str = ""


@dataclass
class _History:
    tries: int = 0
    hints: int = 0
    opened_after: int | None = None
    solved: bool = False


@dataclass(frozen=True)
class Result:
    """What a check, a hint or a solution shows.

    Attributes
    ----------
    state : str
        ``"right"``, ``"wrong"`` or ``"not attempted"``; ``"hint"`` and ``"solution"`` for help.
    misconception : str
        Name of the first idea found behind a wrong answer, or empty.
    text : str
        The reply as plain text.
    """

    exercise: Exercise
    state: str
    findings: tuple[Finding, ...] = ()
    given: str = ""
    tries: int = 0
    hints_shown: int = 0
    solution_shown: bool = False
    opened_after: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        return self.state == RIGHT

    @property
    def misconception(self) -> str:
        return next((f.misconception for f in self.findings if f.misconception), "")

    @property
    def status(self) -> str:
        """The state in the words of the card."""
        if self.state == RIGHT:
            return "right" if self.tries <= 1 else f"right, on try {self.tries}"
        if self.misconception == "raises":
            return "this did not run"
        if self.state == WRONG:
            if len(self.findings) > 1:
                good = sum(f.good for f in self.findings)
                return f"{good} of {len(self.findings)} checks pass"
            return f"not yet, try {self.tries}"
        if self.state == "solution":
            return "solution opened " + (f"after try {self.tries}" if self.tries else "before a try")
        if self.state == "hint":
            return f"hint {self.hints_shown} of {len(self.exercise.hints)}"
        return NOT_ATTEMPTED

    @property
    def text(self) -> str:
        lines = []
        if self.given and self.state == WRONG:
            lines.append(f"You gave {self.given}.")
        if self.state == NOT_ATTEMPTED:
            lines.append(self.exercise.task)
        several = len(self.findings) > 1
        for finding in self.findings:
            mark = ("[ok] " if finding.good else "[not yet] ") if several else ""
            lines.append(mark + finding.text)
        if self.state == RIGHT and self.exercise.further:
            lines.append(self.exercise.further)
        lines += [f"Hint {n}: {text}" for n, text in enumerate(self.notes, 1)]
        if self.solution_shown:
            lines.append(self.exercise.solution)
            if self.exercise.further:
                lines.append(self.exercise.further)
        return "\n".join(lines)

    @property
    def foot(self) -> str:
        """What help is left, as the call to type."""
        exercise, total = self.exercise, len(self.exercise.hints)
        if self.state == RIGHT:
            used = "no hint" if not self.hints_shown else f"{self.hints_shown} of {total} hints"
            opened = "opened" if self.opened_after is not None else "not opened"
            return f"{used} used, solution {opened}"
        if self.solution_shown:
            return "type it in, run it, and check it: reading is not yet doing"
        if self.hints_shown < total:
            help_ = f'tk.lab.hint("{exercise.id}") shows hint {self.hints_shown + 1} of {total}'
        else:
            help_ = "all hints shown"
        if self.tries:
            help_ += f' · tk.lab.solution("{exercise.id}") shows the solution'
        elif self.state == NOT_ATTEMPTED:
            help_ += " · the solution is best opened after one try"
        return help_

    def __repr__(self) -> str:
        return f"Exercise {self.exercise.id} ({self.exercise.title}): {self.status}\n{self.text}"

    def _repr_html_(self) -> str:
        from .cards import exercise_card

        return exercise_card(self)


_exercises: dict[str, Exercise] = {}
_history: dict[str, _History] = {}


def register(exercise: Exercise) -> Exercise:
    """Add an exercise; called by the lessons' modules."""
    if exercise.id in _exercises:
        raise ValueError(f"exercise {exercise.id} is there twice")
    _exercises[exercise.id] = exercise
    return exercise


def exercises() -> dict[str, Exercise]:
    """All exercises by id, in the order of the lessons."""
    for lesson in LESSONS:
        import_module(f"{__package__}.lessons.{lesson}")
    return dict(_exercises)


def check(id: str, answer=...) -> Result:
    """Check an answer to an exercise.

    Parameters
    ----------
    id : str
        The exercise, such as ``"01.split"``.
    answer : object
        What the exercise asks for. ``...`` (as the cell comes), or something that still
        contains it, counts as not attempted.

    Returns
    -------
    Result
        Shown as a card; ``.state`` is ``"right"``, ``"wrong"`` or ``"not attempted"``.

    Raises
    ------
    TinykitError
        There is no exercise of that id.
    """
    exercise, past = _find(id)
    if is_placeholder(answer):
        return _result(exercise, NOT_ATTEMPTED)
    try:
        findings = exercise.judge(answer)
    except NotAttempted:
        return _result(exercise, NOT_ATTEMPTED)
    findings = tuple(findings) if isinstance(findings, (list, tuple)) else (findings,)
    right = all(f.good for f in findings)
    if not past.solved:
        past.tries += 1
    past.solved = past.solved or right
    return _result(exercise, RIGHT if right else WRONG, findings, given=describe(answer))


def hint(id: str) -> Result:
    """Show the next hint of an exercise: the first call the first, and so on; the last one stays."""
    exercise, past = _find(id)
    past.hints = min(past.hints + 1, len(exercise.hints))
    return _result(exercise, "hint", notes=exercise.hints[: past.hints])


def solution(id: str) -> Result:
    """Show the solution of an exercise, as code that makes the check pass."""
    exercise, past = _find(id)
    if past.opened_after is None:
        past.opened_after = past.tries
    return _result(exercise, "solution", solution_shown=True)


def forget(id: str | None = None) -> None:
    """Forget the tries and hints of one exercise, or of all."""
    if id is None:
        _history.clear()
    else:
        _history.pop(_find(id)[0].id, None)


class NotAttempted(Exception):
    """Raised by a judge that meets a placeholder inside an answer."""


def is_placeholder(answer) -> bool:
    """Whether an answer is the ``...`` that the cell came with, or still holds one."""
    if answer is ... or answer is None:
        return True
    if isinstance(answer, (list, tuple, set, frozenset)):
        return any(is_placeholder(a) for a in answer)
    if isinstance(answer, dict):
        return any(is_placeholder(a) for a in answer.values())
    return False


def describe(answer) -> str:
    """An answer in a few words, for "You gave ..."; empty where that would not help."""
    if isinstance(answer, bool) or callable(answer):
        return ""
    if isinstance(answer, str):
        return repr(answer[:60])
    try:
        number = float(answer)
    except (TypeError, ValueError):
        text = repr(answer)
        return text if len(text) <= 60 else ""
    return f"{number:,.6g}".replace("-", "\N{MINUS SIGN}") if abs(number) < 1e6 else f"{number:,.0f}"


def _find(id: str) -> tuple[Exercise, _History]:
    known = exercises()
    if id not in known:
        near = difflib.get_close_matches(str(id), known, n=1, cutoff=0.3)
        raise TinykitError(
            f"There is no exercise {id!r}.",
            f"Did you mean {near[0]!r}?" if near else f"The ids are {', '.join(known)}.",
        )
    return known[id], _history.setdefault(id, _History())


def _result(exercise, state, findings=(), *, given="", notes=(), solution_shown=False) -> Result:
    past = _history[exercise.id]
    return Result(
        exercise, state, tuple(findings), given, past.tries, past.hints, solution_shown,
        past.opened_after, tuple(notes),
    )  # fmt: skip


def html_text(text: str) -> str:
    """Plain text for a card: escaped, ``code`` in backticks set as code."""
    parts = escape(text, quote=False).split("`")
    return "".join(f'<span class="mono">{p}</span>' if n % 2 else p for n, p in enumerate(parts))
