"""The cards of a dataset and of a split, as a notebook shows them."""

from __future__ import annotations

from statistics import median

from . import units

_MOST = 8  # persons that get a column of their own
_SIDES = ("train", "validation", "test")


def html(dataset) -> str:
    """A dataset as HTML: takes per label and person, facts, what is uneven, and what was assumed when reading."""
    from .. import look

    table = dataset.counts()
    unit = 1.0
    if dataset.is_stream:
        unit = 1.0 / dataset.rate_hz  # seconds say more than rows
    card = dataset.card
    notes = look.Html("<br>".join(look.esc(note) for note in card["notes"]))
    state = ("none", "synthetic data") if card.get("synthetic") else None
    warnings = () if (card.get("split") or {}).get("side") else uneven(dataset)
    common = {
        "about": facts(dataset), "fingerprint": dataset.fingerprint, "state": state, "foot": notes,
        "warnings": warnings,
    }  # fmt: skip
    persons = list(dataset.persons) or [""]
    if len(persons) > _MOST:
        seen = {r.split for r in dataset}
        parts = [p for p in ("training", "validation", "testing") if p in seen]
        rows = [_row(dataset, label, table[label], unit, parts) for label in dataset.labels]
        return look.crowd_card(
            card["name"], rows, len(persons), parts, unit="seconds" if dataset.is_stream else "takes", **common
        )
    counts = [[round(table[label].get(p, 0) * unit) for p in persons] for label in dataset.labels]
    few = 1 if dataset.is_stream else 3
    return look.dataset_card(card["name"], dataset.labels, persons, counts, few=few, **common)


def split_html(split) -> str:
    """A split as HTML: takes per label and person, the persons of a side together, and who is on two sides."""
    from .. import look

    sides = [(name, side) for name, side in zip(_SIDES, split, strict=True) if len(side)]
    first = sides[0][1]
    owners: dict[str, list[str]] = {}
    for name, side in sides:
        for person in side.persons:
            owners.setdefault(person, []).append(name)
    both = [f"{person} ({', '.join(names)})" for person, names in owners.items() if len(names) > 1]
    state = ("ok", "no person is in two parts") if not both else ("warn", f"{len(both)} in two parts")
    warnings = [
        f"{name} has no take of {', '.join(f'“{x}”' for x in labels)}." for name, labels in split.missing.items()
    ]
    if both:
        told = ", ".join(both[:4]) + (f" and {len(both) - 4} more" if len(both) > 4 else "")
        warnings.append(f"In two parts: {told}. What is measured there is about known persons.")
    unit = 1.0 / first.rate_hz if first.is_stream else 1.0
    tables = [(name, side, side.counts()) for name, side in sides]
    labels = list(dict.fromkeys(label for _, _, table in tables for label in table))
    about = {
        "takes": ", ".join(f"{len(side):,} {name}" for name, side in sides),
        "split": f"by {(first.card.get('split') or {}).get('by', 'hand')}",
        "signal": _signal(first),
    }
    common = {"about": about, "warnings": warnings, "state": state, "title": "Split"}
    columns = [(name, person, table) for name, side, table in tables for person in (side.persons or ("",))]
    if len(columns) <= _MOST + len(sides):
        counts = [[round(table[x].get(p, 0) * unit) if x in table else 0 for _, p, table in columns] for x in labels]
        return look.dataset_card(
            first.name, labels, [p for _, p, _ in columns], counts, [name for name, _, _ in columns], few=1, **common
        )
    rows = []
    for label in labels:
        counts = [round(sum(table.get(label, {}).values()) * unit) for _, _, table in tables]
        people = set().union(*(table.get(label, {}) for _, _, table in tables))
        rows.append((label, sum(counts), len(people), counts, ""))
    return look.crowd_card(
        first.name, rows, len(owners), [name for name, _ in sides],
        unit="seconds" if first.is_stream else "takes", **common,
    )  # fmt: skip


def scene_html(scene) -> str:
    """A long recording as HTML: its sound, and under it what is said when, one line a label."""
    from .. import look

    said: dict[str, list] = {}
    for event in sorted(scene.events, key=lambda e: e.label in ("unknown", "silence")):
        said.setdefault(event.label, []).append(event)
    counts = scene.recording.counts()[:, 0]
    sound = look.wave(counts, 48, 600, look.half_range(counts), f"waveform of {look.number(scene.seconds, 's', 0)}")
    lines = "".join(
        f'<text class="k" x="-8" y="{18 * k + 13}" text-anchor="end">{look.esc(label)}</text>'
        f'<line class="grid" x1="0" x2="100%" y1="{18 * k + 16.5}" y2="{18 * k + 16.5}"/>'
        + "".join(
            f'<rect x="{100 * e.start_s / scene.seconds:.3f}%" y="{18 * k + 4}" height="11" fill="var(--tk-fill)" '
            f'width="{max(0.15, 100 * (e.end_s - e.start_s) / scene.seconds):.3f}%"/>'
            for e in events
        )
        for k, (label, events) in enumerate(said.items())
    )
    told = ", ".join(f"{label} {_times(len(events))}" for label, events in said.items()) or "nothing is said"
    label = f"When it is said, over {look.number(scene.seconds, 's', 0)}: {told}."
    height = 18 * len(said) + 22
    ends = f'<text x="0" y="{height - 4}">0</text><text x="100%" y="{height - 4}" text-anchor="end">'
    picture = (
        f'<svg class="tk-pic" height="{height}" style="height:{height}px" role="img" aria-label="{look.esc(label)}">'
        f"{lines}{ends}{look.number(scene.seconds, 's', 0)}</text></svg>"
    )
    left = 24 + 7 * max([len(name) for name in said] + [4])
    body = f'<div class="tk-plot" style="padding:8px 12px 0 {left}px">{sound}</div>'
    made = "composed of single words" if scene.card.get("composed") else "recorded as it is"
    made += ", synthetic voices" if scene.card.get("synthetic") else ""
    foot = look.dots(look.number(scene.seconds, "s", 0), made, told)
    return look.card("Scene", scene.recording.id, body + look.drawn(picture, label, f"2px 12px 4px {left}px"), foot)


def facts(dataset) -> dict:
    """Name and value of what a card says beside the table; None where it is not known."""
    from .. import look

    card, each = dataset.card, [r.seconds for r in dataset]
    takes = look.number(len(dataset))
    if each:
        low, high = (look.number(f(each), "s", 1) for f in (min, max))
        takes += f", {low} each" if low == high else f", {low} to {high}"
    people = len(dataset.persons)
    sensor = card.get("sensor")
    return {
        "takes": takes if not dataset.is_stream else f"{takes} (the table has seconds)",
        "length": look.number(dataset.seconds / 60, "min", 1) if dataset.seconds >= 120
        else look.number(dataset.seconds, "s", 0),
        "people": f"{people} (nicknames only)" if people else "not named",
        "signal": _signal(dataset),
        "units": units.told(dataset.channels),
        "sensor": sensor and str(sensor).replace("+-", "±"),
        "licence": card.get("licence"),
        "provenance": card.get("provenance"),
        "consent": card.get("consent"),
        "part": (card.get("split") or {}).get("side"),
    }  # fmt: skip


def uneven(dataset) -> list[str]:
    """What is out of balance, in sentences: persons with few takes of a class, classes with few, one person only."""
    if dataset.is_stream or len(dataset) < 2:
        return []
    table, persons, out = dataset.counts(), dataset.persons, []
    gaps = []
    for label, counts in table.items():
        usual = median(counts.get(p, 0) for p in persons) if persons else 0
        gaps += [
            (counts.get(p, 0) / usual, p, label, counts.get(p, 0), usual)
            for p in persons if usual >= 4 and counts.get(p, 0) * 2 < usual
        ]  # fmt: skip
    if len(persons) <= _MOST:  # of a crowd nobody records everything
        for _, person, label, n, usual in sorted(gaps)[:2]:
            has = f"{n} take{'s' if n != 1 else ''}" if n else "no take"
            out.append(
                f"{person} has {has} of “{label}”, most others {usual:g}: a network will know it better from them."
            )
        if len(gaps) > 2:
            out.append(f"And {len(gaps) - 2} more such gaps: look for small numbers in the table.")
    sums = {label: sum(counts.values()) for label, counts in table.items()}
    most = max(sums, key=sums.get)
    short = [label for label, n in sums.items() if n * 2 < sums[most]]
    if short:
        names = ", ".join(f"“{label}” ({sums[label]:,})" for label in short[:3])
        more = f" and {len(short) - 3} more" if len(short) > 3 else ""
        out.append(f"Less than half as many takes as of “{most}” ({sums[most]:,}): {names}{more}.")
    if len(persons) == 1:
        out.append(f"All takes are of {persons[0]}: no test with them can say how others are understood.")
    return out


def _signal(dataset) -> str | None:
    from .. import look

    if not dataset.channels:
        return None
    rate = dataset.rate_hz
    return f"{', '.join(dataset.channels)} at {look.number(rate, 'Hz', 0 if float(rate).is_integer() else 1)}"


def _row(dataset, label: str, persons: dict, unit: float, parts) -> tuple:
    """A line of a card of many people: the label, how much of it, by how many, in which parts, one to see."""
    from .. import look

    mine = [r for r in dataset if r.label == label]
    counts = [sum(r.split == part for r in mine) for part in parts]
    sound = next((r for r in mine if r.is_sound), None)
    picture = ""
    if sound is not None:
        heard = sound.counts()[: round(2 * sound.rate_hz), 0]
        picture = look.wave(heard, 24, 80, look.half_range(heard), f"a take of {label}")
    return label, round(sum(persons.values()) * unit), len(persons), counts, picture


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n:,} times"
