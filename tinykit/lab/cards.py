"""The exercise card: what ``check``, ``hint`` and ``solution`` show in a notebook."""

from __future__ import annotations

from ..look import html as look
from .check import NOT_ATTEMPTED, RIGHT, WRONG, Result, html_text

_KIND = {RIGHT: "ok", WRONG: "warn", NOT_ATTEMPTED: "none", "hint": "none", "solution": "none"}
_PICTURE = {"hint": "bulb", "solution": "help"}
_STYLE = """<style>
.tk.tk-ck{border-left:3px solid var(--tk-edge)}
.tk.tk-ck-ok{border-left-color:var(--tk-ok)}.tk.tk-ck-warn{border-left-color:var(--tk-warn)}
.tk.tk-ck-none{border-left-style:dashed}
.tk-ck .tk-head{border-bottom:0;padding-bottom:0}
.tk-ck-b{padding:10px 12px;display:grid;gap:8px}
.tk-ck-b .v{font-size:var(--tk-fs-l)}
.tk-ck-b ul{display:grid;gap:4px;list-style:none}
.tk-ck-b li{display:grid;grid-template-columns:16px 1fr;gap:8px}
.tk-ck-b .hint{border-top:1px dashed var(--tk-edge);padding-top:8px;display:grid;gap:2px}
.tk-ck-b .sol{background:var(--tk-well);border-radius:var(--tk-r);padding:8px 10px}
.tk-ck-b pre{margin:4px 0;background:transparent;color:inherit;white-space:pre-wrap;
font-family:var(--jp-code-font-family,monospace);font-size:var(--tk-fs-s);line-height:1.4}
</style>"""


def exercise_card(result: Result) -> look.Html:
    """The card of one result."""
    exercise = result.exercise
    kind = _KIND[result.state]
    body = [f"<div class='tk-ck-b'>{''.join(_body(result))}</div>"]
    card = look.card(
        f"Exercise {exercise.id}",
        exercise.title,
        body="".join(body),
        foot=look.Html(html_text(result.foot)),
        state=look.state(kind, result.status, _PICTURE.get(result.state)),
        label=f"Exercise {exercise.id}, {result.status}",
        classes=f"tk-ck tk-ck-{kind}",
    )
    return look.Html(_STYLE + card)


def _body(result: Result):
    exercise = result.exercise
    if result.state == NOT_ATTEMPTED:
        yield f"<p>{html_text(exercise.task)}</p>"
    if result.given and result.state == WRONG:
        yield f'<p class="v">You gave <b class="num">{look.esc(result.given)}</b>.</p>'
    if len(result.findings) > 1:
        rows = (
            f'<li class="tk-{"ok" if f.good else "warn"}">{look.icon("ok" if f.good else "warn")}'
            f"<span>{html_text(f.text)}</span></li>"
            for f in result.findings
        )
        yield f"<ul>{''.join(rows)}</ul>"
    elif result.findings:
        yield f"<p>{html_text(result.findings[0].text)}</p>"
    if result.state == RIGHT and exercise.further:
        yield f'<p class="mut">{html_text(exercise.further)}</p>'
    for note in result._notes:
        head, _, text = note.partition(": ")
        yield f'<div class="hint"><b class="s">{look.esc(head)}</b><span>{html_text(text)}</span></div>'
    if result.solution_shown:
        more = f'<span class="s mut">{html_text(exercise.further)}</span>' if exercise.further else ""
        code = look.esc(exercise.solution)
        yield f'<div class="sol"><b class="s">Solution</b><pre>{code}</pre>{more}</div>'
