"""One input through several computations of a network: who differs from whom, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass

from .html import Html, bar, card, esc, note, number, stack, table
from .ramp import images

_STRIP = (64, 6)  # most columns and rows of a layer's small picture
_PICTURE = (480, 48)  # and of a layer drawn large
_FULL_DB = 50.0  # a full bar: int8 alone gives about so much
_SEEN, _FULL_STEPS = 0.4, 8.0  # a difference of one step is seen; more is deeper, up to so many


@dataclass(frozen=True)
class ParityCell:
    """One layer in two columns.

    Parameters
    ----------
    text : str
        The difference in words.
    equal : bool
    decibels : float or None
        Of a float network against int8: drawn as a bar.
    steps : rows of float or None
        Sizes of the differences, as a picture.
    """

    text: str
    equal: bool
    decibels: float | None = None
    steps: object = None


@dataclass(frozen=True)
class ParityPicture:
    """A layer in two columns and their difference, drawn large.

    Parameters
    ----------
    title : str
        The layer's name.
    names : (str, str)
    a, b : rows of float
        What the two have; one scale for both.
    steps : rows of float
        Sizes of the differences.
    mark : (float, float)
        Where the first difference is, 0 to 1 to the right and downwards.
    bad : bool
        They should have been equal.
    """

    title: str
    names: tuple[str, str]
    a: object
    b: object
    steps: object
    mark: tuple[float, float]
    bad: bool = False


def parity(title, subtitle, layers, pairs, sentences, pictures=(), answers=None, labels=(), worst=None) -> Html:
    """The parity lens.

    Parameters
    ----------
    layers : sequence of (name, operation, shape, why)
        In running order; ``why`` says why a layer has no step of its own, or is empty.
    pairs : sequence of ((str, str), sequence of ParityCell or None)
        Neighbouring columns, with one cell a layer.
    sentences : sequence of (kind, text)
        What was found; kinds as ``note`` has them.
    pictures : sequence of ParityPicture
        Where columns part; those that should be equal first.
    answers : dict of str to sequence of float, optional
        The answers side by side.
    labels : sequence of str
        What they are answers to.
    worst : int, optional
        The layer with the largest loss.
    """
    bad = any(p.bad for p in pictures)
    exact = any(kind == "ok" for kind, _ in sentences)
    state = ("bad", "they part") if bad else ("ok", "equal where they must be") if exact else None
    said = "".join(note(kind, text) for kind, text in sentences)
    cards = [card(title, subtitle, said + _drawn(pictures[0]) if pictures else said, state=state, label="Parity lens")]
    cards.append(card("Layer by layer", _key(pairs), _grid(layers, pairs, worst)))
    cards += [card("And where others part", f"{p.names[0]} and {p.names[1]}", _drawn(p)) for p in pictures[1:]]
    if answers:
        cards.append(card("The answers", body=_answers(answers, labels)))
    return stack(*cards)


def _grid(layers, pairs, worst) -> str:
    head = "".join(f'<th scope="col">{esc(a)}<br>{esc(b)}</th>' for (a, b), _ in pairs)
    lines = []
    for i, (name, kind, shape, why) in enumerate(layers):
        cells = "".join(f'<td class="pair">{_cell(column[i], why, i == worst, name)}</td>' for _, column in pairs)
        what = f'<br><span class="xs mut">{esc(kind.lower().replace("_", " "))}</span>' if kind else ""
        size = "×".join(map(str, shape)) or "1"
        lines.append(
            f'<tr><td class="r num mut">{i or ""}</td><th scope="row" class="row">'
            f"{esc(name).replace('_', '_<wbr>')}{what}</th>"
            f'<td class="r num hide6">{esc(size)}</td>{cells}</tr>'
        )
    return (
        '<div class="tk-scroll"><table class="tk-grid tk-parity"><caption class="vh">Differences between neighbouring '
        'columns, one layer a row</caption><thead><tr><td></td><th scope="col">layer</th><th class="r hide6" '
        f'scope="col">output</th>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'
    )


def _cell(cell: ParityCell | None, why: str, worst: bool, name: str) -> str:
    if cell is None:
        return f'<span class="xs mut">{esc(why or "no counterpart")}</span>'
    if cell.decibels is not None:
        words = f"<b>{esc(cell.text)}, lost most</b>" if worst else esc(cell.text)
        return f"{bar(cell.decibels / _FULL_DB, accent=worst)}<span class='s num'>{words}</span>"
    strip = ""
    if cell.steps is not None and not cell.equal:
        strip = _image(_shares(cell.steps, _STRIP), 10, f"{name}: {cell.text}")
    return f'{strip}<span class="s num{" mut" if cell.equal else ""}">{esc(cell.text)}</span>'


def _drawn(p: ParityPicture) -> str:
    low = min(min(map(min, p.a)), min(map(min, p.b)))
    high = max(max(map(max, p.a)), max(map(max, p.b)))
    most = max(map(max, p.steps))
    scale = f"{number(low)} to {number(high)}"
    parts = []
    for name, values in zip(p.names, (p.a, p.b), strict=True):
        shares = [[(v - low) / ((high - low) or 1) for v in row] for row in _pooled(values, _PICTURE, _mean)]
        parts.append(_figure(name, scale, _image(shares, 96, f"{name}: {scale}")))
    mark = (
        f'<svg x="{100 * p.mark[0]:.2f}%" y="{96 * p.mark[1]:.1f}" overflow="visible">'
        '<circle r="6" fill="none" stroke="var(--tk-plot)" stroke-width="4"/>'
        '<circle r="6" fill="none" stroke="var(--tk-bad)" stroke-width="2"/></svg>'
    )
    words = f"up to {number(most, digits=None if float(most).is_integer() else 3)}; the ring: the first"
    parts.append(_figure("difference", words, _image(_shares(p.steps, _PICTURE), 96, f"difference, {words}", mark)))
    ways = "channels downwards, places to the right" if len(p.a) > 1 else "its values to the right"
    line = f'<div class="tk-figs-head s mut">{esc(p.title)}: {ways}</div>'
    return f'{line}<div class="tk-figs">{"".join(parts)}</div>'


def _figure(name: str, words: str, picture: str) -> str:
    return (
        f'<figure><div class="s"><b>{esc(name)}</b> <span class="mut num">{esc(words)}</span></div>{picture}</figure>'
    )


def _answers(answers: dict, labels) -> Html:
    size = min(len(v) for v in answers.values())
    rows = []
    for i in range(size):
        label = labels[i] if i < len(labels) else f"value {i}"
        rows.append([label, *(number(float(v[i]), digits=4) for v in answers.values())])
    return table(rows, ["", *answers], "l" + "r" * len(answers), "The answers of all columns")


def _key(pairs) -> str:
    both = any(c is not None and c.decibels is not None for _, column in pairs for c in column)
    words = "a strip shows where values differ, deeper is more"
    return f"{words}; dB: signal to quantisation noise, more is better" if both else words


def _shares(steps, most) -> list:
    """Differences as depths of colour: none is the ground, one step is seen."""
    rows = _pooled(steps, most, max)
    return [[min(1.0, _SEEN + (1 - _SEEN) * v / _FULL_STEPS) if v else 0.0 for v in row] for row in rows]


def _pooled(rows, most, by) -> list:
    """At most so many columns and rows: of neighbours the largest, or the mean."""
    rows = [_thinned([float(v) for v in row], most[0], by) for row in rows]
    return [
        list(column) for column in zip(*(_thinned(list(c), most[1], by) for c in zip(*rows, strict=True)), strict=True)
    ]


def _thinned(values: list, most: int, by) -> list:
    n = len(values)
    return values if n <= most else [by(values[n * k // most : n * (k + 1) // most]) for k in range(most)]


def _mean(values) -> float:
    return sum(values) / len(values)


def _image(shares, height: int, label: str, over: str = "") -> str:
    light, dark = images(shares)
    place = f'width="100%" height="{height}" preserveAspectRatio="none"'
    return (
        f'<svg class="tk-pic tk-map" height="{height}" style="height:{height}px" role="img" aria-label="{esc(label)}">'
        f'<image class="hl" {place} href="{light}"/><image class="hd" {place} href="{dark}"/>{over}</svg>'
    )
