"""Your own word: a small head on the shipped backbone, learnt from 10 to 30 takes.

The backbone (``tinykit.models.backbone``) has heard a thousand words and hears yours too; what is
learnt here is which of its 96 numbers tell your word from everything else. The takes are heard at
many places of the window, speeds and loudnesses and in noise; against them stand the backbone's
stock of other words, noise, and pieces of the takes themselves that are not the word: halves, and
the word backwards.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np

from ..data import Dataset, units
from ..data.audio import RATE_HZ
from ..data.keywords import SILENCE, UNKNOWN
from ..data.segments import split_words
from ..errors import DataError, ModelError
from ..features import features
from ..pipeline import Decision, Pipeline
from . import fit, noises, sound, zoo_keyword
from .backbone import WINDOW, Backbone, load
from .backend import keras, versions
from .keyword import recorded_noise

FEWEST, ENOUGH = 5, 10
COPIES, PIECES, QUIET = 60, 12, 300  # windows of each take, of what is not the word in it, of noise
HOW = sound.SoundAugment(warp_mel=0.06, warp_time=0.08, colour=0.4, gap_time=4, gap_mel=3)
SNR_DB = (3.0, 30.0)
HEADS, HIDDEN, DECAY, ROUNDS = 5, 64, 0.5, 20
FOLDS = 5
# Of the stock's windows (each a second of people who never pause) so many may be taken for the word.
FALSE_SHARE = 1 / 600
OPERATE = 0.6  # the threshold; the head is shifted so that it is where the takes and the stock put it
HOP = 3200


@dataclass(frozen=True, eq=False)
class Heard:
    """Embeddings to learn from.

    Parameters
    ----------
    x : float32 array of shape (n, SIZE)
    y : int array of shape (n,)
        0 silence, 1 unknown, 2 the word.
    group : int array of shape (n,)
        Which take it comes from; -1: from none.
    """

    x: np.ndarray
    y: np.ndarray
    group: np.ndarray


@dataclass(frozen=True, eq=False)
class Head:
    """Two dense layers to logits of silence, unknown and the word; several small ones side by side."""

    inner: tuple[np.ndarray, np.ndarray]
    outer: tuple[np.ndarray, np.ndarray]

    def margin(self, x) -> np.ndarray:
        """How far the word's logit is above the others' together: its log odds."""
        z = np.maximum(x @ self.inner[0] + self.inner[1], 0) @ self.outer[0] + self.outer[1]
        return z[:, 2] - np.logaddexp(z[:, 0], z[:, 1])

    def shifted(self, margin: float) -> Head:
        """The same head, so that what had this margin gets the probability ``OPERATE``."""
        bias = self.outer[1].copy()
        bias[2] += math.log(OPERATE / (1 - OPERATE)) - margin
        return Head(self.inner, (self.outer[0], bias))


def train_word(takes, negatives=None, *, name=None, noise=None, seed=0, progress=True) -> Pipeline:
    """A pipeline for one word of your own, from a few takes of it.

    Parameters
    ----------
    takes : Dataset or list of Recording
        10 to 30 takes of the word, of one person or several; each with the word once. All labels
        must be the same.
    negatives : Dataset or list of Recording, optional
        Sounds that must not be taken for it: false alarms that were harvested, words that sound
        alike, the takes' own room. Each second of them is heard in twelve ways.
    name : str, optional
        The word; default the takes' label.
    noise : Dataset or path, optional
        Recordings of noise to hear the takes in; made-up noise is used too.
    seed : int
    progress : bool or callable
        True: notes are printed. A callable is called with (steps done, steps, text).

    Returns
    -------
    Pipeline
        Kind ``"keyword"``, labels silence, unknown and the word, with ``float_model``;
        ``tinykit.quantize(pipeline, takes)`` makes the int8 network. ``provenance["word"]`` has
        what was found when takes were left out in turn.

    Raises
    ------
    DataError
        Fewer than five takes, more than one label, no sound, or takes in which nothing is heard.
    """
    recordings, word = _checked(takes, name)
    if not 0 <= seed < 2**32:
        raise ModelError(f"seed is {seed}, must be from 0 to {2**32 - 1}.", "Use a small whole number.")
    base = load()
    tell = progress if callable(progress) else lambda *_: None
    rng = np.random.default_rng(seed)
    clips = [word_in(r) for r in recordings]
    material = Dataset(recordings, {"name": word})
    bank = noises.bank(rng, _noise(material, noise), np.zeros((0, WINDOW), np.int16), each=3, seconds=8)
    tell(1, 4, "listening to the takes")
    heard = listen(base, rng, clips, bank, word, negatives)
    tell(2, 4, "leaving takes out in turn")
    groups = _groups(recordings)
    margins, false = left_out(heard, groups, seed)
    threshold = choose(margins, false)
    tell(3, 4, "learning from all takes")
    head = learn(heard, seed, HEADS).shifted(threshold)
    network = joined(base, head)
    cost = zoo_keyword.cost(network)
    found = int(sum(m >= threshold for m in margins))
    notes = []
    if len(recordings) < ENOUGH:
        notes.append(f"Only {len(recordings)} takes: {ENOUGH} or more make a surer word.")
    if len(groups) < 3:
        notes.append("Takes of one or two people: other voices may go unheard.")
    pipeline = Pipeline(
        fit.short(word, "word"),
        "keyword",
        float(RATE_HZ),
        WINDOW,
        HOP,
        base.front_end,
        (SILENCE, UNKNOWN, word),
        Decision(smoothing=2, threshold=OPERATE, suppression_s=1.0),
        float_model=fit.to_bytes(network),
        provenance={
            "dataset": getattr(takes, "name", "takes"),
            "fingerprint": material.fingerprint,
            "persons": list(material.persons),
            "takes": {word: len(recordings)},
            "recordings": [r.fingerprint[:12] for r in recordings],
            "synthetic": bool(getattr(takes, "card", {}).get("synthetic", False)),
            "model": "backbone",
            "weights": cost.weights,
            "macs": cost.macs,
            "seed": seed,
            "notes": notes,
            "backbone": {k: base.card.get(k) for k in ("kept_out", "licence")},
            "word": {"left_out": len(margins), "found": found, "stock": len(false),
                     "false": int((false >= threshold).sum())},
            "versions": versions(),
        },
    )  # fmt: skip
    tell(4, 4, f"{found} of {len(margins)} takes found when left out")
    fit.say(notes, progress)
    return pipeline


def _checked(takes, name):
    recordings = list(takes)
    labels = {r.label for r in recordings}
    if len(recordings) < FEWEST:
        raise DataError(
            f"There are {len(recordings)} takes; at least {FEWEST} are needed, {ENOUGH} to 30 are better.",
            "Record more of the word.",
        )
    if len(labels) > 1:
        raise DataError(
            f"The takes are labelled {', '.join(sorted(map(str, labels)))}; they must be of one word.",
            "Give takes of one word; everything else goes into negatives.",
        )
    word = name or labels.pop()
    if not word or word in (SILENCE, UNKNOWN):
        raise DataError(f"{word!r} can't be the word's name.", "Give one: tk.train_word(takes, name='hello').")
    other = [r for r in recordings if tuple(r.channels) != units.SOUND]
    if other:
        raise DataError(f"Take {other[0].id} is not sound.", "Give recordings of the microphone.")
    return recordings, word


def _noise(material, noise):
    return [r.samples[:, 0] for r in recorded_noise(material, noise)] if noise is not None else []


def _groups(recordings) -> list[list[int]]:
    """Takes that are left out together: a person's where there are three people or more, else a fifth of all."""
    persons = sorted({r.person for r in recordings})
    if len(persons) >= 3:
        parts = [[i for i, r in enumerate(recordings) if r.person == p] for p in persons]
        parts.sort(key=len, reverse=True)
        groups = [[] for _ in range(min(FOLDS, len(parts)))]
        for part in parts:
            min(groups, key=len).extend(part)
        return groups
    return [list(range(k, len(recordings), FOLDS)) for k in range(FOLDS)]


def word_in(recording) -> np.ndarray:
    """The word in a take, int16, at most a second: its loudest stretch with a little around it.

    Raises
    ------
    DataError
        Nothing stands out in the take.
    """
    counts = recording.counts()[:, 0]
    spans = split_words(recording, seconds=None).spans
    if not spans:
        if np.ptp(counts.astype(int)) < 64:
            raise DataError(f"Nothing is heard in take {recording.id}.", "Leave it out, or record it again.")
        return counts[:WINDOW]
    best = max(spans, key=lambda s: s.level_db)
    first = max(0, int((best.start_s - 0.04) * RATE_HZ))
    return counts[first : min(len(counts), int((best.end_s + 0.06) * RATE_HZ))][:WINDOW]


def listen(base: Backbone, rng, clips, bank, word: str, negatives=None) -> Heard:
    """Embeddings of the takes as they may be heard, of what is not the word, and of noise.

    Parameters
    ----------
    base : Backbone
    rng : numpy.random.Generator
    clips : list of int16 arrays
        The word, as ``word_in`` gives it.
    bank : list of float32 arrays
        Noises.
    word : str
        Left out of the stock, if the backbone should know it.
    negatives : iterable of Recording, optional
    """
    parts = []

    def add(windows, label, take, change=True):
        seen = features(windows[..., None], base.front_end)
        if change:
            seen = sound.vary(rng, seen, HOW, base.front_end.scale)
        parts.append((base.embed_features(seen), label, take))

    for k, clip in enumerate(clips):
        add(in_noise(rng, placed(rng, [clip], COPIES), bank), 2, k)
        add(in_noise(rng, placed(rng, not_the_word(rng, clip, PIECES), PIECES), bank), 1, k)
    loud = 10 ** rng.uniform(sound.QUIETEST, sound.LOUDEST, size=(QUIET, 1))
    add(sound.as_counts(noises.pieces(rng, bank, QUIET, WINDOW) * loud), 0, -1, False)
    for r in negatives or ():
        for clip in np.array_split(r.counts()[:, 0], max(1, round(len(r) / WINDOW))):
            add(in_noise(rng, placed(rng, [clip[:WINDOW]], PIECES), bank), 1, -1)
    parts.append((base.stock[base.stock_words != word], 1, -1))
    x, y, group = zip(*((e, [label] * len(e), [take] * len(e)) for e, label, take in parts), strict=True)
    return Heard(np.concatenate(x), np.concatenate(y), np.concatenate(group))


def placed(rng, clips, n: int) -> np.ndarray:
    """Clips at another speed somewhere in a window, whole: float32 (n, WINDOW) of full scale."""
    out = np.zeros((n, WINDOW), np.float32)
    for i in range(n):
        clip = clips[i % len(clips)].astype(np.float32) / units.COUNTS_FULL_SCALE
        speed = math.exp(float(np.clip(rng.normal() * HOW.speed, -0.25, 0.25)))
        length = max(2, min(WINDOW, int(len(clip) / speed)))
        at = int(rng.integers(0, WINDOW - length + 1))
        out[i, at : at + length] = np.interp(np.linspace(0, len(clip) - 1, length), np.arange(len(clip)), clip)
    return out


def not_the_word(rng, clip, n: int) -> list[np.ndarray]:
    """What has the same voice and sounds, and is not the word: a part of it, backwards, its halves swapped."""
    made = []
    for i in range(n):
        share = rng.uniform(0.2, 0.55)
        cut = int(len(clip) * (share if i % 4 != 1 else 1 - share))
        pieces = (clip[:cut], clip[cut:], clip[::-1], np.concatenate([clip[cut:], clip[:cut]]))
        made.append(pieces[i % 4])
    return made


def in_noise(rng, x, bank) -> np.ndarray:
    """Clips at any loudness, in noise: int16 (n, WINDOW)."""
    n = len(x)
    x = x * (0.03 / (_rms(x) + 1e-5) * 10 ** (rng.uniform(-18, 10, size=(n, 1)) / 20))
    level = _rms(x) * 10 ** (-rng.uniform(*SNR_DB, size=(n, 1)) / 20)
    return sound.as_counts(x + noises.pieces(rng, bank, n, WINDOW) * level)


def _rms(x):
    return np.sqrt(np.mean(np.square(x), axis=1, keepdims=True))


def learn(heard: Heard, seed: int, heads: int) -> Head:
    """The mean of a few small networks, each begun elsewhere: fewer surprises than one of them alone has."""
    from sklearn.neural_network import MLPClassifier

    mean, spread = heard.x.mean(axis=0), heard.x.std(axis=0)
    spread = spread + 0.1 * spread.mean()  # what hardly ever varies is not blown up
    x = (heard.x - mean) / spread
    inner, outer = [], []
    for k in range(heads):
        model = MLPClassifier(
            (HIDDEN,), alpha=DECAY, batch_size=64, learning_rate_init=2e-3, max_iter=ROUNDS, random_state=seed + k
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it stops after ROUNDS, as it should
            model.fit(x, heard.y)
        weights = model.coefs_[0] / spread[:, None]
        inner.append((weights, model.intercepts_[0] - mean @ weights))
        outer.append((model.coefs_[1] / heads, model.intercepts_[1] / heads))
    return Head(
        tuple(np.concatenate(part, axis=-1) for part in zip(*inner, strict=True)),
        (np.concatenate([w for w, _ in outer]), sum(b for _, b in outer)),
    )


def left_out(heard: Heard, groups, seed: int):
    """Margins of takes and of the stock by heads that did not learn from them.

    Returns
    -------
    margins : float array, one per take
        The median over the take's windows.
    false : float array of shape (stock,)
    """
    margins, false = {}, []
    own = heard.y == 2
    rest = np.flatnonzero((heard.y == 1) & (heard.group < 0))
    part = np.arange(len(rest)) % len(groups)
    for k, group in enumerate(groups):
        keep = ~np.isin(heard.group, group)
        keep[rest[part == k]] = False
        head = learn(Heard(heard.x[keep], heard.y[keep], heard.group[keep]), seed, 1)
        for take in group:
            margins[take] = float(np.median(head.margin(heard.x[own & (heard.group == take)])))
        false.append(head.margin(heard.x[rest[part == k]]))
    return np.array([margins[k] for k in sorted(margins)]), np.concatenate(false)


def choose(margins, false) -> float:
    """The margin at which ``FALSE_SHARE`` of the stock would be taken for the word.

    Where the takes lie far above that, half of what is between goes to safety from false alarms.
    """
    bound = float(np.quantile(false, 1 - FALSE_SHARE))
    weak = float(np.quantile(margins, 0.05))
    return bound if weak <= bound else bound + 0.5 * (weak - bound)


def joined(base: Backbone, head: Head):
    """Backbone and head as one Keras network."""
    k = keras()
    hidden = k.layers.Dense(head.inner[0].shape[1], activation="relu", name="head")
    answer = k.layers.Dense(3, activation="softmax", name="answer")
    network = k.Model(base.network.input, answer(hidden(base.network.output)), name="word")
    hidden.set_weights([w.astype(np.float32) for w in head.inner])
    answer.set_weights([w.astype(np.float32) for w in head.outer])
    return network
