"""Datasets that come with the project."""

from __future__ import annotations

from ..errors import DataError
from ..toolchain import data_dir
from .dataset import Dataset
from .store import CARD


def sample(name: str = "gestures") -> Dataset:
    """A dataset that the project ships, so that every lesson opens offline.

    Parameters
    ----------
    name : str
        ``"gestures"``: made-up people move a simulated board, five labels. ``"words"``: spoken by a
        synthesiser in 28 voices, keywords and others. ``"noise"``: to go with them. All synthetic.

    Raises
    ------
    DataError
        There is no such sample.
    """
    folder = data_dir()
    names = sorted(p.parent.name for p in folder.glob(f"*/{CARD}"))
    if name not in names:
        raise DataError(
            f"There is no sample {name!r}; there is {', '.join(names) or 'none'}.",
            "Choose one of these." if names else "Run python data/make_gestures.py.",
        )
    dataset = Dataset.load(folder / name)
    if (folder / "noise" / CARD).is_file() and name == "words":
        dataset.card["noise"] = str(folder / "noise")
    dataset.path = None  # so that nobody's takes end up among the samples
    return dataset
