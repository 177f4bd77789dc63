"""The card of a dataset, as a notebook shows it."""

from __future__ import annotations

from . import units

_MOST = 8  # persons that get a column of their own


def html(dataset) -> str:
    """A dataset as HTML: takes per label and person, facts, and what was assumed when reading."""
    from .. import look

    table = dataset.counts()
    unit = 1.0
    if dataset.is_stream:
        unit = 1.0 / dataset.rate_hz  # seconds say more than rows
    persons = list(dataset.persons) or [""]
    shown = persons if len(persons) <= _MOST else [*persons[: _MOST - 1], f"{len(persons) - _MOST + 1} more"]
    counts = []
    for label in dataset.labels:
        row = [round(table[label].get(p, 0) * unit) for p in persons]
        counts.append(row if len(persons) <= _MOST else [*row[: _MOST - 1], sum(row[_MOST - 1 :])])
    card = dataset.card
    about = {
        "recordings": look.number(len(dataset)),
        "length": look.number(dataset.seconds, "s", 0),
        "signal": f"{', '.join(dataset.channels)} at {look.number(dataset.rate_hz, 'Hz', 1)}",
        "units": units.told(dataset.channels),
        "sensor": card.get("sensor"),
        "licence": card.get("licence"),
        "provenance": card.get("provenance"),
        "consent": card.get("consent"),
        "part": (card.get("split") or {}).get("side"),
    }
    if dataset.is_stream:
        about["table"] = "seconds"
    notes = look.Html("<br>".join(look.esc(note) for note in card["notes"]))
    state = ("none", "synthetic data") if card.get("synthetic") else None
    return look.dataset_card(
        card["name"],
        dataset.labels,
        shown,
        counts,
        about=about,
        fingerprint=dataset.fingerprint,
        state=state,
        foot=notes,
        few=1 if dataset.is_stream else 3,
    )
