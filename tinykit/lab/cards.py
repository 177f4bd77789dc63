"""The exercise card: what ``check``, ``hint`` and ``solution`` show in a notebook."""

from __future__ import annotations

from .. import look
from .check import NOT_ATTEMPTED, RIGHT, WRONG, Result, html_text


def exercise_card(result: Result) -> look.Html:
    """The card of one result."""
    exercise = result.exercise
    findings = result.findings
    shown = {"verdict": "", "text": "", "lines": ()}
    state, foot = result.state, [_html(result.foot)]
    if state == NOT_ATTEMPTED:
        shown["text"] = _html(exercise.task)
    elif state in (RIGHT, WRONG):
        if result.given and state == WRONG:
            shown["verdict"] = look.Html(f"You gave <b class='num'>{look.esc(result.given)}</b>.")
        if len(findings) > 1:
            shown["lines"] = [(f.good, _html(f.text)) for f in findings]
        else:
            shown["text"] = _html(findings[0].text)
        if state == RIGHT and exercise.further and len(findings) > 1:
            foot.insert(0, _html(exercise.further))
        elif state == RIGHT and exercise.further:
            shown["text"] = look.Html(f"{shown['text']} {look.muted(_html(exercise.further))}".strip())
        if state == WRONG:
            state = "broken" if result.misconception == "raises" else "not yet"
    elif state == "hint":
        *earlier, last = result.notes
        shown["text"] = look.Html("<br>".join(_html(text) for text in earlier))
        shown |= {"hint": _html(last), "hint_number": (len(result.notes), len(exercise.hints))}
        state = NOT_ATTEMPTED
    elif state == "solution":
        shown |= {"solution": exercise.solution, "after": _html(exercise.further)}
    return look.check_card(state, f"Exercise {exercise.id}", exercise.title, words=result.status, foot=foot, **shown)


def _html(text: str) -> look.Html:
    return look.Html(html_text(text))
