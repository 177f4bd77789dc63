"""The int8 network's answers on this computer: bit for bit those of the board."""

from __future__ import annotations

import numpy as np

from ..errors import ModelError
from .plan import compile_plan
from .runtime import Runtime

_KEPT = 16
_runtimes: dict[str, Runtime] = {}


def runtime_of(pipeline) -> Runtime:
    """The pipeline's plan on this computer's engine; the last few are kept."""
    key = pipeline.fingerprint
    runtime = _runtimes.pop(key, None) or Runtime(compile_plan(pipeline))
    _runtimes[key] = runtime
    while len(_runtimes) > _KEPT:
        _runtimes.pop(next(iter(_runtimes)), None)
    return runtime


def answers(pipeline, counts) -> np.ndarray:
    """What the board answers to windows of IMU counts.

    Parameters
    ----------
    pipeline : Pipeline
        With an int8 network.
    counts : int16 array of shape (n, window, c)
        The front end's channels, at the pipeline's rate.

    Returns
    -------
    int8 array of shape (n, labels)
        A probability is ``(answer + 128) / 256``.

    Raises
    ------
    DataError
        The shape is not the pipeline's.
    ModelError
        There is no int8 network, or one that the engine can't run.
    """
    from ..features import checked, quantized

    counts = checked(counts, pipeline)
    runtime = runtime_of(pipeline)
    plan = runtime.plan
    x = quantized(counts, pipeline.front_end, plan.input_scale, plan.input_zero_point)
    return runtime.run(x).reshape(len(counts), len(pipeline.labels))


def probabilities(pipeline, counts) -> np.ndarray:
    """``answers`` as float64 probabilities, shape (n, labels)."""
    from ..features import probabilities_of

    return probabilities_of(answers(pipeline, counts))


def evaluate(pipeline, dataset):
    """Score a pipeline on a dataset, by the answers that the board would give.

    A take's answer is the mean over its windows, half a window apart; a stream with a label per
    row is scored window by window. A pipeline without an int8 network is scored by its float one.

    Parameters
    ----------
    pipeline : Pipeline
    dataset : Dataset
        None of its recordings should have been trained on.

    Returns
    -------
    tinykit.models.Report
    """
    from .. import models

    if not pipeline.int8_model:
        if not pipeline.float_model:
            raise ModelError(f"Pipeline {pipeline.name} has no network.", "Train it first: tk.train(...).")
        return models.evaluate(pipeline, dataset)
    windows = models.test_windows(pipeline, dataset)
    return models.Report.of(windows, probabilities(pipeline, windows.counts), f"{pipeline.name}, int8")
