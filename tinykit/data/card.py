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
    card = dataset.card
    rate = look.number(dataset.rate_hz, "Hz", 0 if dataset.rate_hz >= 1000 else 1)
    about = {
        "recordings": look.number(len(dataset)),
        "length": look.number(dataset.seconds, "s", 0),
        "signal": f"{', '.join(dataset.channels)} at {rate}",
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
    common = {"about": about, "fingerprint": dataset.fingerprint, "state": state, "foot": notes}
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
