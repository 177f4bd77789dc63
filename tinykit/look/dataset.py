"""The dataset card: how many takes of what by whom, and in which part of a split they are."""

from __future__ import annotations

from .html import Html, bar, card, esc, facts, note, number


def dataset_card(
    name,
    labels,
    persons,
    counts,
    parts=None,
    about=None,
    warnings=(),
    fingerprint="",
    state=None,
    title="Dataset",
    few=10,
    foot="",
) -> Html:
    """Takes per class and person, grouped by the part they belong to, with the facts beside it.

    Parameters
    ----------
    name : text
    labels : sequence of str
    persons : sequence of str
        Columns; people of one part should stand together.
    counts : (labels, persons) array of int
        How many takes.
    parts : sequence of str, optional
        The part (train, validation, test) of each person.
    about : dict, optional
        Facts: length, signal, licence, provenance.
    warnings : sequence of text
        Each becomes a note under the table.
    state : (kind, text), optional
        E.g. ``("ok", "no person is in two parts")``.
    few : int
        Counts below this are marked.
    """
    counts = [[int(v) for v in row] for row in counts]
    most = max((v for row in counts for v in row), default=1) or 1
    parts = list(parts) if parts is not None else [""] * len(persons)
    starts = [j > 0 and parts[j] != parts[j - 1] for j in range(len(parts))]
    g = [" g" if s else "" for s in starts]
    top = ""
    if any(parts):
        spans, j = [], 0
        while j < len(parts):
            k = j
            while k < len(parts) and parts[k] == parts[j]:
                k += 1
            spans.append(f'<th colspan="{k - j}" scope="colgroup" class="grp{g[j]}">{esc(parts[j])}</th>')
            j = k
        top = f"<tr><td></td>{''.join(spans)}<td></td></tr>"
    names = "".join(f'<th scope="col" class="{g[j].strip()}">{esc(p)}</th>' for j, p in enumerate(persons))
    lines = []
    for i, row in enumerate(counts):
        cells = "".join(
            f'<td class="{g[j].strip()}{" low" if 0 < v < few else ""}">'
            f"{'<span class=vh>few: </span>▾ ' if 0 < v < few else ''}{v}{bar(v / most)}</td>"
            for j, v in enumerate(row)
        )
        lines.append(f'<tr><th scope="row" class="row">{esc(labels[i])}</th>{cells}<td class="g">{sum(row)}</td></tr>')
    sums = "".join(f'<td class="{g[j].strip()}">{sum(r[j] for r in counts)}</td>' for j in range(len(persons)))
    total = sum(map(sum, counts))
    grid = (
        '<div class="tk-scroll"><table class="tk-bal"><caption class="vh">Takes per class and person</caption>'
        f'<thead>{top}<tr><td></td>{names}<th scope="col" class="g">all</th></tr></thead><tbody>{"".join(lines)}'
        f'<tr class="sum"><th scope="row" class="row">all</th>{sums}<td class="g"><b>{number(total)}</b></td></tr>'
        "</tbody></table></div>"
    )
    return _beside_facts(grid, title, name, fingerprint, about, warnings, foot, state)


def crowd_card(
    name, rows, persons, parts=(), about=None, warnings=(), fingerprint="", state=None, title="Dataset", unit="takes",
    foot="",
) -> Html:  # fmt: skip
    """Takes per class where too many people took part for a column each.

    Parameters
    ----------
    name : text
    rows : sequence of (label, takes, persons, counts, picture)
        ``counts``: takes in each of ``parts``; ``picture``: an Html of one take, or empty.
    persons : int
        People in all.
    parts : sequence of str
        Such as training, validation, testing; empty where the source fixes none.
    about, warnings, fingerprint, state, foot
        As for ``dataset_card``.
    unit : str
        What is counted.
    """
    most = max((row[1] for row in rows), default=1) or 1
    pictures = any(row[4] for row in rows)
    head = "".join(f'<th scope="col" class="r">{esc(p)}</th>' for p in parts)
    lines = []
    for label, takes, people, counts, picture in rows:
        cells = "".join(f'<td class="r num">{number(n)}</td>' for n in counts)
        shown = f'<td class="pic">{picture}</td>' if pictures else ""
        lines.append(
            f'<tr><th scope="row" class="row">{esc(label)}</th>{shown}<td class="bars">{bar(takes / most)}</td>'
            f'<td class="r num">{number(takes)}</td>{cells}<td class="r num mut">{number(people)}</td></tr>'
        )
    total = sum(row[1] for row in rows)
    sums = "".join(f'<td class="r num">{number(sum(row[3][k] for row in rows))}</td>' for k in range(len(parts)))
    grid = (
        '<div class="tk-scroll"><table class="tk-grid tk-crowd">'
        '<caption class="vh">Takes and people per class</caption>'
        f'<thead><tr><td></td>{"<td></td>" if pictures else ""}<td class="bars"></td><th scope="col" class="r">'
        f'{esc(unit)}</th>{head}<th scope="col" class="r">people</th></tr></thead><tbody>{"".join(lines)}'
        f'<tr><th scope="row" class="row">all</th>{"<td></td>" if pictures else ""}<td class="bars"></td>'
        f'<td class="r num"><b>{number(total)}</b></td>{sums}<td class="r num">{number(persons)}</td></tr>'
        "</tbody></table></div>"
    )
    return _beside_facts(grid, title, name, fingerprint, about, warnings, foot, state)


def _beside_facts(grid, title, name, fingerprint, about, warnings, foot, state) -> Html:
    body = f'<div class="tk-two"><div>{grid}</div>{facts(about or {})}</div>'
    body += "".join(note("warn", w) for w in warnings)
    sub = Html(f"{esc(name)}{f' <span class=mono>{esc(fingerprint)}</span>' if fingerprint else ''}")
    return card(title, sub, body, foot, state)
