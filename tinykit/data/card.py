"""The card of a dataset, as a notebook shows it."""

from __future__ import annotations


def html(dataset) -> str:
    """The dataset as HTML, by the look's ``dataset_card``."""
    from html import escape

    return f"<pre>{escape(dataset.describe())}</pre>"
