"""What is different where words are heard: sides of a set, noise, long recordings."""

from __future__ import annotations

from ..errors import DataError
from . import common

TUNING_S = 600.0  # of composed sound for the thresholds
LIMIT_PER_HOUR = 6.0  # one in those ten minutes


def noise_of(arguments, dataset):
    """Noise for silence and under words: given, beside the data, or the kit's own, which is synthetic."""
    from ..data import open_noise, sample

    place = arguments.noise or dataset.card.get("noise")
    if place:
        return open_noise(place)
    common.note("No noise was given and none lies beside the data: taking the kit's own, which is synthetic.")
    return sample("noise")


def train(arguments, material, shown):
    """A keyword pipeline from recordings of words: trained, quantised, its thresholds tuned.

    Parameters
    ----------
    arguments
        With ``words``, ``noise``, ``seed``, ``model``, ``epochs``.
    material : Dataset
        Without what tests.
    shown : bool

    Returns
    -------
    Pipeline
    """
    import tinykit as tk

    words = words_asked(arguments.words, material)
    noise = noise_of(arguments, material)
    training = material.select(lambda r: r.split != "validation")
    validation = material.select(split="validation")
    heard = side(noise, "training")
    options = {} if arguments.epochs is None else {"epochs": arguments.epochs}
    pipeline = tk.train(
        "keyword", training, validation if len(validation) else None, words=words, noise=heard,
        seed=arguments.seed, model=arguments.model, progress=shown, **options,
    )  # fmt: skip
    pipeline = tk.quantize(pipeline, training)
    return tuned(pipeline, validation, noise, arguments.seed)


def tuned(pipeline, validation, noise, seed: int):
    """Thresholds for a long recording, composed of the voices and the noise that validate."""
    from ..data import compose_scene
    from ..data.keywords import words_of
    from ..engine import tune

    try:
        scene = compose_scene(validation, side(noise, "validation"), TUNING_S, words_of(pipeline.labels), seed=seed)
    except DataError as error:
        common.note(f"The thresholds are not tuned, they stay at {pipeline.decision.threshold:g}: {error.what}")
        return pipeline
    return tune(pipeline, scene, LIMIT_PER_HOUR)


def side(noise, name: str):
    """The noise of one side of a split; all of it where none is marked."""
    part = noise.select(split=name)
    return part if len(part) else noise


def words_asked(text, dataset) -> tuple[str, ...]:
    """Words from a list with commas; all of the dataset's labels where none is given."""
    from ..data.keywords import words_of

    if text is None:
        return words_of(dataset.labels)
    words = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not words:
        raise DataError("--words names no word.", "Give them with commas: --words left,right,up,down,go.")
    return words


def clips(arguments, pipeline, dataset):
    """A dataset of words as the pipeline's task: its words, ``unknown`` from others, ``silence`` from noise."""
    from ..data import keywords
    from ..data.keywords import SILENCE, words_of

    if not all(r.is_sound for r in dataset):
        raise DataError(f"{arguments.data} is not sound, and {pipeline.name} hears words.", "Give recordings of words.")
    known = words_of(pipeline.labels)
    words = [label for label in known if label in dataset.labels]
    if not words:
        raise DataError(
            f"{arguments.data} has none of the words {', '.join(known)}.",
            f"It has {', '.join(dataset.labels[:12])}.",
        )
    if SILENCE in dataset.labels:
        noise = None
    else:
        noise = noise_of(arguments, dataset)
        noise = side(noise, "testing")
    every = arguments.unknown == "all"
    return keywords(dataset, words, noise, unknown_share=None if every else 1.0, seed=0)


def stream(arguments, pipeline, shown):
    """Score a pipeline on a long recording with known words, by this computer or by a board."""
    from ..data import Scene
    from ..engine import evaluate_stream

    if arguments.labels is None:
        raise DataError("--stream needs --labels.", "Give the table of words: start_s,end_s,label.")
    scene = Scene.read(arguments.stream, arguments.labels)
    foreign = sorted({e.label for e in scene.events} - set(pipeline.labels))
    if foreign:
        common.note(f"{pipeline.name} does not know {', '.join(foreign)}: they count as other words.")
    if arguments.board is None:
        return evaluate_stream(pipeline, scene)
    with common.connect(arguments.board, clock="free") as board:
        board.deploy(pipeline, progress=shown)
        heard = board.play(scene, progress=shown)
        return evaluate_stream(pipeline, (heard.answers, scene.events))


def replayed(place):
    """What a virtual board is to feel or hear: recordings of a folder, or one file of sound."""
    from pathlib import Path

    from ..data import read_audio

    return read_audio(place) if Path(place).is_file() else common.dataset(place)
