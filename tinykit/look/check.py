"""The card an exercise shows after it was checked: not attempted, not yet, partly, right, solution opened."""

from __future__ import annotations

from .html import Html, dots, esc, icon, parted, style

_STATES = {  # state: (class of the card, kind, icon, default words)
    "not attempted": ("nil", "none", "none", "not attempted"),
    "not yet": ("no", "warn", "warn", "not yet"),
    "partly": ("no", "warn", "warn", "not yet"),
    "right": ("ok", "ok", "ok", "right"),
    "solution": ("", "none", "help", "solution opened"),
    "broken": ("bad", "bad", "bad", "this did not run"),
}


def check_card(
    state,
    name,
    title="",
    verdict="",
    text="",
    lines=(),
    hint="",
    hint_number=(),
    solution="",
    after="",
    words="",
    foot=(),
) -> Html:
    """The result of an exercise's check.

    Parameters
    ----------
    state : str
        "not attempted", "not yet" (wrong), "partly", "right", "solution" (it was opened), "broken"
        (the code or the board failed: the only state in red).
    name, title : text
        "Exercise 3.2", "Bytes in a window".
    verdict : text
        The value given or found, large: "You gave 2,856 bytes."
    text : text
        The likely idea behind a wrong answer and a question, or why it is right and one step further.
    lines : sequence of (bool, text)
        One line per thing checked, for "partly".
    hint : text
        An opened hint; ``hint_number`` = (this, of how many).
    solution : str
        Code of the solution, shown as it is.
    after : text
        A sentence under the solution.
    words : text
        Instead of the state's own words: "not yet, try 2".
    foot : sequence of text
        Facts: "1 hint used", "Next hint: tk.lab.hint('01.split')".

    Raises
    ------
    KeyError
        There is no such state.
    """
    kind, mark, picture, default = _STATES[state]
    if state == "partly" and not words:
        words = f"{sum(1 for ok, _ in lines if ok)} of {len(lines)} checks pass"
    words = words or default
    parts = []
    if verdict:
        parts.append(f'<p class="tk-verdict">{esc(verdict)}</p>')
    if text:
        parts.append(f"<p>{esc(text)}</p>")
    if lines:
        items = "".join(
            f'<li class="tk-{"ok" if ok else "warn"}">{icon("ok" if ok else "warn")}<span>'
            f'<span class="vh">{"passes: " if ok else "not yet: "}</span>{esc(line)}</span></li>'
            for ok, line in lines
        )
        parts.append(f'<ul class="ls">{items}</ul>')
    if hint:
        head = f"Hint {hint_number[0]} of {hint_number[1]}" if hint_number else "Hint"
        parts.append(f'<div class="hint"><b class="s">{head}</b>{parted(": ")}<span>{esc(hint)}</span></div>')
    if solution:
        end = f'<span class="s mut">{esc(after)}</span>' if after else ""
        parts.append(f'<div class="sol"><b class="s">Solution</b><pre>{esc(solution)}</pre>{end}</div>')
    below = f'<div class="tk-foot"><span class="tk-facts">{dots(*foot)}</span></div>' if foot else ""
    sub = f'<span class="mut">{esc(title)}</span>' if title else ""
    return Html(
        f'{style()}<section class="{f"tk tk-ck {kind}".strip()}" role="group" aria-label="{esc(name)}, {esc(words)}">'
        f'<div class="tk-head"><h3>{esc(name)}</h3>{sub}<span class="tk-sp"></span>{parted(": ")}'
        f'<span class="tk-st tk-{mark}">{icon(picture)}<span>{esc(words)}</span></span></div>'
        f'<div class="b">{"".join(parts)}</div>{below}</section>'
    )
