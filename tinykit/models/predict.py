"""Answers of the float network, and the rule by which any answers are scored."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..data.keywords import UNKNOWN
from ..errors import DataError, ModelError
from ..features import checked, features
from .backend import keras
from .fit import outputs
from .report import Report


def network(pipeline):
    """The pipeline's Keras network.

    Raises
    ------
    ModelError
        The pipeline has none.
    """
    if not pipeline.float_model:
        raise ModelError(f"Pipeline {pipeline.name} has no float network.", "Train it, or use its int8 network.")
    return _load(pipeline.float_model)


@lru_cache(maxsize=8)
def _load(data: bytes):
    k = keras()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.h5"
        path.write_bytes(data)
        return k.models.load_model(path, compile=False)


def predict(pipeline, counts) -> np.ndarray:
    """Probabilities of the float network.

    Parameters
    ----------
    pipeline : Pipeline
    counts : int16 array of shape (n, window, c)

    Returns
    -------
    float32 array of shape (n, labels)

    Raises
    ------
    DataError
        The shape is not the pipeline's.
    """
    counts = checked(counts, pipeline)
    return outputs(network(pipeline), features(counts, pipeline.front_end))


def test_windows(pipeline, dataset):
    """Windows of a dataset as a pipeline is tested on: half a window's hop, the pipeline's labels.

    A take's answer is the mean of the probabilities of its windows; a stream with row labels
    is scored window by window. To a keyword pipeline every word that it does not know is
    ``"unknown"``; else windows whose label the pipeline does not know have label -1 and count
    as wrong.

    Returns
    -------
    tinykit.data.Windows

    Raises
    ------
    DataError
        The recordings lack a channel that the pipeline takes.
    """
    missing = [c for c in pipeline.front_end.channels if c not in dataset.channels]
    if missing and dataset.recordings:
        raise DataError(
            f"Pipeline {pipeline.name} takes {','.join(pipeline.front_end.channels)}, and these recordings "
            f"have {','.join(dataset.channels)}: {','.join(missing)} is missing.",
            "Test on recordings of the same sensors, or train on the channels that these have.",
        )
    if pipeline.kind == "keyword" and UNKNOWN in pipeline.labels:
        strange = {label for label in dataset.labels if label not in pipeline.labels}
        dataset = dataset.part([r.with_(label=UNKNOWN) if r.label in strange else r for r in dataset])
    return dataset.windows(pipeline.window, None, pipeline.rate_hz, pipeline.front_end.channels, pipeline.labels)


test_windows.__test__ = False  # pytest: not a test


def evaluate(pipeline, dataset) -> Report:
    """Score the float network on a dataset; ``tinykit.evaluate`` does it with the int8 network."""
    windows = test_windows(pipeline, dataset)
    return Report.of(windows, predict(pipeline, windows.counts), f"{pipeline.name}, float32")
