"""Recordings of words to a trained keyword pipeline."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from ..data import units
from ..data.keywords import BACKGROUND, SILENCE, UNKNOWN, keywords, words_of
from ..data.noise import open_noise
from ..errors import DataError, ModelError
from ..features import features
from ..pipeline import Decision, MelFrontEnd, Pipeline
from . import fit, noises, sound, zoo_keyword
from .augment import mixup
from .backend import keras
from .noises import RATE_HZ
from .sound import SoundAugment

BATCH = 64
WINDOW = RATE_HZ  # samples: one second
ANSWER_S = 0.16  # from one answer to the next: three in half a second, and little work for a chip or its emulator
FEWEST = 5  # recordings of a word
FEWEST_PERSONS = 3
OTHERS = 4.0  # at most so many recordings of other words, times those of a word
CLIPS = 4000  # at most in an epoch
STEPS = 12000
RATE = 6e-3  # of learning, at the start
DECISION = Decision(smoothing=3, threshold=0.7, suppression_s=1.0)


def train(train, validation, *, model, seed, epochs, augment, name, progress, words, noise, minutes, front_end):
    """A keyword pipeline; see ``tinykit.train``."""
    started = time.perf_counter()
    chosen = zoo_keyword.names()[0] if model == "auto" else model
    fit.check(chosen, zoo_keyword.names(), epochs, seed)
    if minutes is not None and not minutes > 0:
        raise ModelError(f"minutes is {minutes}, must be more than 0.", "Leave it out for the full schedule.")
    if validation is not None:
        fit.check_validation(train, validation)
    how = augment or SoundAugment()
    recorded = recorded_noise(train, noise, "training" if validation is not None else None)
    side = task(train, words, recorded, seed)
    enough(side)
    labels = (*BACKGROUND, *side.card["words"])
    clips = side.windows(WINDOW, None, RATE_HZ, units.SOUND, labels)
    front_end = front_end or zoo_keyword.front_end(chosen)
    if front_end.coefficients:  # these changes are of bands
        how = replace(how, warp_mel=0.0, colour=0.0, gap_mel=0)

    rng = fit.seeded(seed)
    speech = clips.counts[clips.labels > 0, :, 0]
    seconds = float(np.clip(len(clips) / 100, 4, noises.SECONDS))  # as many pieces as a set can use
    bank = noises.bank(rng, [r.samples[:, 0] for r in recorded], speech, seconds=seconds)
    some = slice(None, None, max(1, len(clips) // 1500))
    heard, _ = sound.draw(rng, clips.counts[some, :, 0], clips.labels[some], bank, how, 0, RATE_HZ)
    front_end = measured(front_end, heard)
    network = zoo_keyword.build(chosen, front_end.rows(WINDOW), len(front_end.features), len(labels))
    said = [r.word or r.label for r in side]
    batches = Batches(clips, bank, front_end, how, labels, rng, np.array([said[i] for i in clips.takes]))
    epochs = int(epochs) if epochs else int(np.clip(round(STEPS / batches.steps), 20, 200))
    if minutes is not None:
        each = pace(network, batches)
        epochs = int(np.clip((60 * minutes + started - time.perf_counter()) / each, 1, epochs))
    held = None
    if validation is not None:
        some = [w for w in side.card["words"] if w in validation.labels]
        seen = task(validation, some, recorded_noise(validation, None, "validation"), seed)
        seen = seen.windows(WINDOW, None, RATE_HZ, units.SOUND, labels)
        seen = seen.select(seen.labels >= 0)
        held = features(seen.counts, front_end), seen.labels
    history = fit.fit(network, batches, epochs, held, progress, rate=RATE, keep=batches.keep)
    cost = zoo_keyword.cost(network)
    return Pipeline(
        fit.short(name or train.name, "words"),
        "keyword",
        float(RATE_HZ),
        WINDOW,
        zoo_keyword.hop(network, front_end, ANSWER_S),
        front_end,
        labels,
        DECISION,
        float_model=fit.to_bytes(network),
        provenance={
            **fit.origin(side, chosen, cost, seed, history, notes(side)),
            "noise": sorted({r.word or r.id for r in recorded}),
        },
    )


def recorded_noise(dataset, noise=None, side: str | None = None) -> list:
    """Recordings of noise that training may hear.

    Parameters
    ----------
    dataset : Dataset
    noise : Dataset, path or None
        All of it is heard. None: what the dataset's card names, but for the testing side.
    side : str or None
        Of the card's noise, this side only; None: all but ``"testing"``.
    """
    if noise is not None:
        return list(noise if hasattr(noise, "recordings") else open_noise(noise))
    if dataset.card.get("noise") is None:
        return []
    side = side or (dataset.card.get("split") or {}).get("side")
    return [r for r in open_noise(dataset.card["noise"]) if r.split == side or (side is None and r.split != "testing")]


def task(dataset, words, noise, seed: int):
    """The dataset with keyword labels: as it is if it has them, else every other word is unknown.

    Parameters
    ----------
    dataset : Dataset
    words : sequence of str or None
        None: the card's, or all labels but the background's.
    noise : list of Recording
        Cut for silence, unless the dataset has some.
    seed : int

    Raises
    ------
    DataError
        It is not sound, is empty, or has none of the words.
    """
    if not len(dataset):
        raise DataError("The dataset is empty.", "Record some words, or open another folder.")
    if tuple(dataset.channels) != units.SOUND:
        raise DataError(
            f"{dataset.name} is not sound: its channels are {','.join(dataset.channels)}.",
            "Open recordings of words, or train a gesture.",
        )
    if words is None:
        words = dataset.card.get("words") or words_of(dataset.labels)
    silent = noise and SILENCE not in dataset.labels
    return keywords(
        dataset,
        words,
        dataset.part(noise) if silent else None,
        unknown_share=OTHERS,
        silence_share=1.0 if silent else 0,
        seed=seed,
    )


def enough(side) -> None:
    """Refuse a word of which there are too few recordings to train.

    Raises
    ------
    DataError
    """
    for word in side.card["words"]:
        n = sum(r.label == word for r in side)
        if n < FEWEST:
            raise DataError(
                f"Word {word!r} has {n} recordings; at least {FEWEST} are needed to train.",
                f"Record more of {word!r}, or leave it out.",
            )


def measured(front_end: MelFrontEnd, counts) -> MelFrontEnd:
    """The front end with mean and scale such that what training hears has mean 0 and about unit spread.

    Log-mel bands share one scale, so that they keep their proportions; MFCC have one each.

    Parameters
    ----------
    front_end : MelFrontEnd
    counts : int16 array of shape (n, length)
        Of the training side.
    """
    seen = features(counts[..., None], replace(front_end, mean=(), scale=())).astype(np.float64)
    spread = seen.std(axis=(0, 1))
    if not front_end.coefficients:
        spread = np.full_like(spread, np.sqrt(np.mean(spread**2)))
    mean, scale = seen.mean(axis=(0, 1)), 1 / np.maximum(spread, 1e-3)
    return replace(front_end, mean=_digits(mean), scale=_digits(scale))


def half_noisy(rng, counts) -> np.ndarray:
    """Windows int16 (n, length, 1), every second one changed as in training, and made-up silence."""
    bank = noises.bank(rng, (), counts[..., 0], each=2, seconds=4.0)
    changed, _ = sound.draw(rng, counts[1::2, :, 0], np.zeros(len(counts) // 2, int), bank, SoundAugment(), 0, RATE_HZ)
    return np.concatenate([counts[::2], changed[..., None]])


def _digits(values) -> tuple[float, ...]:
    return tuple(float(f"{v:.5g}") for v in values)


def pace(network, batches) -> float:
    """Seconds that an epoch takes on this computer, measured on a copy of the network."""
    stamps = []
    fit.fit(keras().models.clone_model(network), batches, 3, None, lambda *_: stamps.append(time.perf_counter()))
    return (stamps[-1] - stamps[0]) / 2  # the first holds TensorFlow's preparation


def notes(side) -> list[str]:
    """What a person should know about the material."""
    said = []
    if UNKNOWN not in side.labels:
        said.append("There are no other words to tell the words from: anything said may be taken for one of them.")
    few = [w for w in side.card["words"] if len(side.select(labels=w).persons) < FEWEST_PERSONS]
    if few:
        said.append(f"Few people said {', '.join(few)}: expect other voices to be recognised less often.")
    return said


def even(said) -> np.ndarray:
    """Chances of clips by what is said in them: a word comes as often as the square root of its number."""
    _, which, number = np.unique(said, return_inverse=True, return_counts=True)
    chance = number[which] ** -0.5
    return chance / chance.sum()


class Batches:
    """Clips of an epoch, changed each time, and made-up silence.

    Every clip of a word and of silence comes once an epoch. Of other words there are as many, but drawn
    so that a rare one is heard more often than its share: by the square root of its number.
    """

    def __init__(self, clips, bank, front_end, how, labels, rng, said=None):
        self.counts, self.truth = clips.counts[..., 0], clips.labels
        self.other = np.flatnonzero(clips.labels == labels.index(UNKNOWN))
        self.chance = even(said[self.other]) if said is not None and len(self.other) else None
        self.bank, self.front_end, self.how, self.rng = bank, front_end, how, rng
        self.names, self.labels = labels, len(labels)
        self.words = np.flatnonzero(clips.labels >= len(BACKGROUND))
        several = len(np.unique(clips.labels[self.words])) > 1
        self.clips = n = min(CLIPS, len(self.truth))
        self.spliced = int(how.spliced * n) if several else 0
        drawn = n + self.spliced + int(how.silence * (n + self.spliced))
        self.copies = max(1, -(-10 * BATCH // drawn))  # few clips: several times an epoch
        self.size = min(BATCH, drawn * self.copies)
        self.steps = drawn * self.copies // self.size

    def _draw(self):
        some = np.arange(len(self.truth))
        if self.chance is not None:
            some[self.other] = self.rng.choice(self.other, len(self.other), p=self.chance)
        if self.clips < len(some):
            some = self.rng.permutation(some)[: self.clips]
        counts, truth = self.counts[some], self.truth[some]
        if self.spliced:
            made = sound.splice(self.rng, self.counts[self.words], self.truth[self.words], self.spliced)
            counts = np.concatenate([counts, made])
            truth = np.concatenate([truth, np.full(self.spliced, self.names.index(UNKNOWN))])
        return sound.draw(self.rng, counts, truth, self.bank, self.how, self.names.index(SILENCE), RATE_HZ)

    def epoch(self):
        """Features float32 (steps * size, rows, features) and targets, shuffled."""
        drawn = [self._draw() for _ in range(self.copies)]
        x, y = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
        order = self.rng.permutation(len(x))[: self.steps * self.size]
        seen = features(x[order][..., None], self.front_end)
        seen = sound.vary(self.rng, seen, self.how, self.front_end.scale)
        targets = np.eye(self.labels, dtype=np.float32)[y[order]]
        if self.how.mixup:
            seen, targets = mixup(self.rng, seen, targets, self.how.mixup)
        return seen, targets

    def keep(self, epoch: int) -> float:
        """Share of itself that the running mean of the weights keeps at a step."""
        done = epoch * self.steps
        return min(0.995, (1 + done) / (10 + done))

    def class_weights(self) -> np.ndarray:
        """Rare labels count a little more: the fourth root of how much rarer than the mean."""
        count = np.bincount(self.truth, minlength=self.labels).astype(float)
        scale = len(self.truth) / self.clips
        count[self.names.index(UNKNOWN)] += self.spliced * scale
        count[self.names.index(SILENCE)] += self.how.silence * (len(self.truth) + self.spliced * scale)
        seen = count > 0
        weights = np.ones(self.labels, np.float32)
        weights[seen] = (count[seen].mean() / count[seen]) ** 0.25
        return weights
