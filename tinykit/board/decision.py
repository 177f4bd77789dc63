"""The decision rule of the pipeline that a board runs: asked, changed, set."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from ..errors import ModelError
from ..pipeline import Decision
from . import messages as m

_HEAD = struct.Struct("<HBBH")  # threshold, smoothing, how many thresholds follow, suppression in ms


def ask_decision(link, new: Decision | None = None) -> Decision:
    """The decision rule in force on the board, after setting ``new`` if that is given.

    Raises
    ------
    ModelError
        A value is out of the board's range.
    """
    payload = b""
    if new is not None:
        thresholds = (new.threshold, *new.thresholds)
        if (
            not all(0 <= t <= 1 for t in thresholds)
            or not 1 <= new.smoothing <= 16
            or not 0 <= new.suppression_s <= 65.5
        ):
            raise ModelError(
                f"The decision rule takes thresholds 0 to 1, smoothing 1 to 16 and suppression 0 to 65.5 s, "
                f"got {', '.join(f'{t:g}' for t in thresholds)}; {new.smoothing}; {new.suppression_s:g}.",
                "Give values in these ranges.",
            )
        first, *rest = (round(t * 65535) for t in thresholds)
        payload = _HEAD.pack(first, new.smoothing, len(rest), round(new.suppression_s * 1000))
        payload += struct.pack(f"<{len(rest)}H", *rest)
    reply = link.request(m.DECISION, payload)
    threshold, smoothing, n, suppression = _HEAD.unpack_from(reply)
    rest = struct.unpack_from(f"<{n}H", reply, _HEAD.size)
    return Decision(smoothing, threshold / 65535, suppression / 1000, tuple(t / 65535 for t in rest))


def changed(now: Decision, labels, threshold=None, smoothing=None, suppression_s=None, thresholds=None) -> Decision:
    """A rule with some fields changed.

    Parameters
    ----------
    now : Decision
    labels : tuple of str
        Of the pipeline; thresholds of labels are in their order.
    threshold : float, optional
        For all labels alike: those of single labels go, except what ``thresholds`` says.
    smoothing, suppression_s : int, float, optional
    thresholds : dict of str to float, or one per label, optional
        A dict changes the labels that it names.

    Raises
    ------
    ModelError
        A label that the pipeline does not have, or not one threshold per label.
    """
    common = now.threshold if threshold is None else float(threshold)
    each = list(now.thresholds) if threshold is None else []
    if isinstance(thresholds, Mapping):
        each = each or [common] * len(labels)
        for label, value in thresholds.items():
            if label not in labels:
                raise ModelError(
                    f"The pipeline has no label {label!r}; it has {', '.join(labels) or 'none that is known here'}.",
                    "Give thresholds for labels that it has.",
                )
            each[labels.index(label)] = float(value)
    elif thresholds is not None:
        each = [float(value) for value in thresholds]
        if len(each) not in (0, len(labels)):
            raise ModelError(
                f"There are {len(each)} thresholds for {len(labels)} labels.",
                'Give one per label, or a dict such as {"left": 0.8}.',
            )
    return Decision(
        now.smoothing if smoothing is None else int(smoothing),
        common,
        now.suppression_s if suppression_s is None else float(suppression_s),
        tuple(each),
    )
