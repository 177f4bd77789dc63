"""Recordings to a trained pipeline."""

from __future__ import annotations

from ..errors import ModelError
from ..pipeline import Pipeline
from . import fit, gesture, keyword
from .predict import evaluate

_OWN = {  # what only one kind takes
    "gesture": ("window_s", "rate_hz", "channels", "center", "magnitude"),
    "keyword": ("words", "noise", "minutes", "front_end"),
}
_TRAIN = {"gesture": gesture.train, "keyword": keyword.train}
KINDS = tuple(_TRAIN)


def train(
    kind,
    train,
    validation=None,
    *,
    model="auto",
    seed=0,
    epochs=None,
    augment=None,
    window_s=None,
    rate_hz=None,
    channels=None,
    center=None,
    magnitude=(),
    words=None,
    noise=None,
    minutes=None,
    front_end=None,
    name=None,
    progress=True,
) -> Pipeline:
    """Train a network on recordings.

    Without ``validation``, training runs its full schedule and keeps the running mean of the
    weights: every person's takes are learnt from, nothing is chosen by a test. With
    ``validation``, the weights with the smallest validation loss are kept, and training stops
    early when it no longer falls.

    Parameters
    ----------
    kind : {"gesture", "keyword"}
    train : Dataset
        Two labels or more, five takes of each or more.
    validation : Dataset, optional
        Recordings of other people or sessions; never the test side.
    model : str
        ``"auto"`` or one of ``tinykit.models.zoo.names()``; for words of
        ``tinykit.models.zoo_keyword.names()``.
    seed : int
        The same seed, data and versions give the same network.
    epochs : int, optional
        Passes over the recordings, each time changed differently. None: enough, from experience.
    augment : Augment or SoundAugment, optional
    window_s, rate_hz, channels, center, magnitude : optional
        Of gestures. None: chosen by ``tinykit.models.defaults.choose``, whose rules are stated there.
    words : sequence of str, optional
        The words to spot; everything else in ``train`` becomes ``"unknown"``. None: all labels but
        ``silence`` and ``unknown``.
    noise : Dataset or path, optional
        Background noise, mixed under the words and cut for ``"silence"``, beside noises that the
        kit makes. None: what the dataset's card names, without the files of the testing side.
    minutes : float, optional
        About so long at most, measured on this computer; the schedule is shortened to fit.
    front_end : MelFrontEnd, optional
        Mean and scale are measured on the training side. None: 40 log-mel bands.
    name : str, optional
        Of the pipeline; default the dataset's.
    progress : bool or callable
        True: a bar. A callable is called with (epochs done, epochs, text).

    Returns
    -------
    Pipeline
        With ``float_model``; ``tinykit.quantize`` makes the int8 network.

    Raises
    ------
    DataError
        Empty dataset, one label, too few takes, values that are no numbers, or a validation
        side that shares a recording with the training side or has other labels.
    ModelError
        Unknown kind or model, no epochs, a seed out of range, or a setting of another kind.
    """
    if kind not in KINDS:
        raise ModelError(f"There is no kind {kind!r}; there are {', '.join(KINDS)}.", "Use one of these.")
    own = {
        "window_s": window_s,
        "rate_hz": rate_hz,
        "channels": channels,
        "center": center,
        "magnitude": tuple(magnitude),
        "words": words,
        "noise": noise,
        "minutes": minutes,
        "front_end": front_end,
    }
    for other in KINDS:
        foreign = [key for key in _OWN[other] if other != kind and own[key] not in (None, ())]
        if foreign:
            raise ModelError(f"{foreign[0]} is a setting of kind {other!r}, not of {kind!r}.", "Leave it out.")
    pipeline = _TRAIN[kind](
        train,
        validation,
        model=model,
        seed=seed,
        epochs=epochs,
        augment=augment,
        name=name,
        progress=progress,
        **{key: own[key] for key in _OWN[kind]},
    )
    if validation is not None:
        report = evaluate(pipeline, validation)
        pipeline.provenance["validation"] = {
            "accuracy": round(report.accuracy, 4),
            "n": len(report),
            "macro_f1": round(report.macro_f1, 4),
            "persons": list(validation.persons),
        }
    fit.say(pipeline.provenance["notes"], progress)
    return pipeline
