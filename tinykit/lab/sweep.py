"""Every threshold at once: what each would find, and how often it would be wrong."""

from __future__ import annotations

import numpy as np

from ..models.negatives import background


def sweep(pipeline, dataset, thresholds=None) -> list[dict]:
    """Hits and false alarms of a pipeline over a range of thresholds.

    A take's answer is the mean over its windows, by the very answers that the board gives. It is a
    hit when the best label is right and reaches the threshold, and a false alarm when another
    gesture or word does. A label that means "nothing" (negative, rest, silence, unknown ...) is never a
    hit, and saying it is never an alarm.

    Parameters
    ----------
    pipeline : Pipeline
        With an int8 network.
    dataset : Dataset
        The validation part: a threshold fitted to the test would flatter it.
    thresholds : sequence of float, optional
        Default 0.30, 0.35 ... 0.95.

    Returns
    -------
    list of dict
        ``threshold``, ``hits``, ``false_alarms``: one row a threshold, takes counted.
    """
    from ..engine import answers
    from ..engine.detection import BACKGROUND
    from ..models import test_windows

    thresholds = np.arange(0.3, 0.951, 0.05) if thresholds is None else thresholds
    windows = test_windows(pipeline, dataset)
    # As the board's decision reads them (PROTOCOL.md, PREDICTION): 255 is certain.
    p, truth, _ = windows.answers((answers(pipeline, windows.counts).astype(float) + 128) / 255)
    rest = background(pipeline.labels)
    nothing = np.array([i == rest or name in BACKGROUND for i, name in enumerate(pipeline.labels)])
    best, most = p.argmax(axis=1), p.max(axis=1)
    hit = (best == truth) & ~nothing[best]
    alarm = (best != truth) & ~nothing[best]
    return [
        {
            "threshold": round(float(t), 2),
            "hits": int((hit & (most >= t)).sum()),
            "false_alarms": int((alarm & (most >= t)).sum()),
        }
        for t in thresholds
    ]
