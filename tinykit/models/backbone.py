"""The backbone: a network that has heard many words, and turns a second of sound into 96 numbers.

It is shipped in ``data/backbone`` (how it was made and what it heard: ``card.json`` there and
``Backbone.card``). A new word is learnt by a small head on top of it from a few takes: see
``tinykit.models.word``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..errors import ModelError
from ..features import features
from ..pipeline import MelFrontEnd
from ..toolchain import data_dir
from .backend import keras
from .zoo import Layers

WINDOW = 16000
SIZE = 96  # numbers of an embedding
STEM, WIDTH, BLOCKS, KERNEL = (24, 32), 64, 4, 5
_BATCH = 256


def network(rows: int, bands: int):
    """The embedding network, not trained: log-mel (rows, bands) to ``SIZE`` numbers from 0 up.

    Two convolutions over time and frequency; then the bands become channels of residual blocks over
    time, and the mean over time is the embedding. No layer but those that the engine has.

    Parameters
    ----------
    rows, bands : int

    Returns
    -------
    tf_keras.Model
    """
    k = keras()
    made = Layers(k, 1e-5)
    inputs = k.Input((rows, bands), name="window")
    x = k.layers.Reshape((rows, bands, 1))(inputs)
    x = made.conv(x, STEM[0], (5, 5), strides=(2, 2))
    x = made.conv(x, STEM[1], (3, 3), strides=(1, 2))
    x = made.conv(x, WIDTH, (1, x.shape[2]), padding="valid")
    for _ in range(BLOCKS):
        x = k.layers.ReLU()(k.layers.Add()([made.conv(x, WIDTH, (KERNEL, 1), relu=False), x]))
    x = made.conv(x, SIZE, (1, 1))
    x = k.layers.GlobalAveragePooling2D(name="embedding")(x)
    return k.Model(inputs, x, name="backbone")


@dataclass(frozen=True, eq=False)
class Backbone:
    """A trained embedding network with its front end.

    Parameters
    ----------
    network : tf_keras.Model
    front_end : MelFrontEnd
    stock : float32 array of shape (n, SIZE)
        Embeddings of windows without the word to be learnt, whatever it is: other words, parts of
        words, noise.
    stock_words : array of str of shape (n,)
        What is heard in each; ``"noise"`` where nobody speaks.
    card : dict
        Words heard, words kept out, sources, licence, metrics.
    """

    network: object
    front_end: MelFrontEnd
    stock: np.ndarray = field(default_factory=lambda: np.zeros((0, SIZE), np.float32))
    stock_words: np.ndarray = field(default_factory=lambda: np.zeros(0, str))
    card: dict = field(default_factory=dict)

    def embed(self, counts) -> np.ndarray:
        """Embeddings of windows.

        Parameters
        ----------
        counts : int16 array of shape (n, WINDOW) or (n, WINDOW, 1)

        Returns
        -------
        float32 array of shape (n, SIZE)
        """
        return self.embed_features(features(counts, self.front_end))

    def embed_features(self, seen) -> np.ndarray:
        """The same from the front end's features, float32 (n, rows, bands)."""
        parts = [self.network(seen[i : i + _BATCH], training=False).numpy() for i in range(0, len(seen), _BATCH)]
        return np.concatenate(parts) if parts else np.zeros((0, SIZE), np.float32)

    def __repr__(self) -> str:
        heard = len(self.card.get("words", "").split())
        return f"<Backbone: {self.network.count_params():,} weights, heard {heard} words>"


def save(backbone: Backbone, folder) -> None:
    """Write ``weights.npz`` (16-bit floats), ``stock.npz`` (8 bits a number) and ``card.json``."""
    folder = Path(folder)
    front = backbone.front_end
    np.savez_compressed(
        folder / "weights.npz",
        mean=np.array(front.mean, np.float32),
        scale=np.array(front.scale, np.float32),
        **{f"w{i:03d}": w.astype(np.float16) for i, w in enumerate(backbone.network.get_weights())},
    )
    top = np.maximum(backbone.stock.max(axis=0), 1e-6) if len(backbone.stock) else np.ones(SIZE)
    np.savez_compressed(
        folder / "stock.npz",
        values=np.round(backbone.stock / top * 255).clip(0, 255).astype(np.uint8),
        top=top.astype(np.float32),
        words=np.asarray(backbone.stock_words, "U24"),
    )
    text = json.dumps(backbone.card, indent=1, ensure_ascii=False)
    (folder / "card.json").write_text(text + "\n", encoding="utf-8")


def load(folder=None) -> Backbone:
    """The shipped backbone, or one that ``save`` wrote.

    Raises
    ------
    ModelError
        It is not there, or damaged.
    """
    return _load(str(folder or data_dir() / "backbone"))


@lru_cache(maxsize=4)
def _load(folder: str) -> Backbone:
    path = Path(folder)
    try:
        card = json.loads((path / "card.json").read_text(encoding="utf-8"))
        with np.load(path / "weights.npz") as file:
            arrays = [file[name].astype(np.float32) for name in sorted(file.files) if name.startswith("w")]
            front_end = MelFrontEnd(mean=_floats(file["mean"]), scale=_floats(file["scale"]))
        with np.load(path / "stock.npz") as file:
            stock = file["values"].astype(np.float32) * (file["top"] / 255)
            words = file["words"]
        made = network(front_end.rows(WINDOW), len(front_end.features))
        made.set_weights(arrays)
    except (OSError, KeyError, ValueError) as error:
        raise ModelError(
            f"There is no whole backbone in {path} ({error}).",
            "Install tinykit again, or make one: data/backbone/make.py.",
        ) from None
    made.trainable = False
    return Backbone(made, front_end, stock, words, card)


def _floats(values) -> tuple[float, ...]:
    return tuple(float(f"{v:.6g}") for v in values)
