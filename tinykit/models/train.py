"""Recordings to a trained pipeline."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from ..errors import DataError, ModelError
from ..features import features
from ..pipeline import Decision, Pipeline
from . import augment as changes
from . import defaults, negatives, zoo
from .backend import keras, quiet, tensorflow, versions
from .material import Material
from .predict import evaluate

KINDS = ("gesture",)
SMOOTHING = 0.05  # of the targets (Szegedy et al. 2016, arXiv:1512.00567)
LEARNING_RATE = 3e-3
# Smoothed targets and mixup make the network say 0.6 where others say 0.8.
THRESHOLD = 0.6


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
    kind : {"gesture"}
    train : Dataset
        Two labels or more, five takes of each or more.
    validation : Dataset, optional
        Recordings of other people or sessions; never the test side.
    model : str
        ``"auto"`` or one of ``tinykit.models.zoo.names()``.
    seed : int
        The same seed, data and versions give the same network.
    epochs : int, optional
        Passes over the recordings, each time changed differently. None: enough for about
        1,200 steps.
    augment : Augment, optional
    window_s, rate_hz, channels, center, magnitude : optional
        None: chosen by ``tinykit.models.defaults.choose``, whose rules are stated there.
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
        Unknown kind or model, no epochs, or a seed out of range.
    """
    if kind not in KINDS:
        raise ModelError(f"There is no kind {kind!r}; there is {', '.join(KINDS)}.", "Use kind='gesture'.")
    chosen = zoo.names()[0] if model == "auto" else model
    if chosen not in zoo.names():
        raise ModelError(
            f"There is no model {model!r}; there are auto, {', '.join(zoo.names())}.", "Choose one of these."
        )
    if epochs is not None and not epochs >= 1:
        raise ModelError(f"epochs is {epochs}, must be at least 1.", "Leave it out for enough of them.")
    if not 0 <= seed < 2**32:
        raise ModelError(f"seed is {seed}, must be from 0 to {2**32 - 1}.", "Use a small whole number.")
    defaults.check(train, window_s)
    if validation is not None:
        _check_validation(train, validation)
    settings = defaults.choose(
        train,
        window_s=window_s,
        rate_hz=rate_hz,
        channels=channels,
        center=center,
        magnitude=magnitude,
        augment=augment,
    )
    clean, still = defaults.without_still(train)
    labels = train.labels
    windows = clean.windows(settings.window, None, settings.rate_hz, settings.channels, labels)
    front_end = defaults.front_end(settings, windows.counts)
    material = Material(clean.recordings, labels, settings.rate_hz, settings.channels)
    pipeline = Pipeline(
        _short(name or train.name),
        kind,
        settings.rate_hz,
        settings.window,
        settings.hop,
        front_end,
        labels,
        Decision(threshold=THRESHOLD),
    )

    k = keras()
    k.backend.clear_session()
    k.utils.set_random_seed(seed)
    tensorflow().config.experimental.enable_op_determinism()
    rng = np.random.default_rng(seed)
    network = zoo.build(chosen, settings.window, len(front_end.features), len(labels))
    batches = _Batches(material, front_end, settings, len(labels), rng)
    epochs = int(epochs) if epochs else int(np.clip(round(defaults.STEPS / batches.steps), 20, 100))
    held = None
    if validation is not None:
        held = validation.windows(settings.window, None, settings.rate_hz, settings.channels, labels)
        held = held.select(held.labels >= 0)
    history = _fit(network, batches, epochs, held, front_end, progress)

    cost = zoo.cost(network)
    notes = (
        [
            f"{len(still)} motionless takes of {', '.join(sorted({r.label for r in still}))} were not trained on "
            f"(persons: {', '.join(sorted({r.person for r in still}))})."
        ]
        if still
        else []
    )
    pipeline = pipeline.with_(
        float_model=_to_bytes(network),
        provenance={
            "dataset": train.name,
            "fingerprint": train.fingerprint,
            "persons": list(train.persons),
            "takes": {label: sum(persons.values()) for label, persons in train.counts().items()},
            "recordings": [r.fingerprint[:12] for r in train.recordings],
            "synthetic": bool(train.card.get("synthetic", False)),
            "model": chosen,
            "weights": cost.weights,
            "macs": cost.macs,
            "seed": seed,
            "epochs": len(history["loss"]),
            "history": history,
            "notes": notes,
            "versions": versions(),
        },
    )
    if validation is not None:
        report = evaluate(pipeline, validation)
        pipeline.provenance["validation"] = {
            "accuracy": round(report.accuracy, 4),
            "n": len(report),
            "macro_f1": round(report.macro_f1, 4),
            "persons": list(validation.persons),
        }
    for note in notes if progress is True else ():
        print(f"Note: {note}", file=_screen())
    return pipeline


class _Batches:
    """Changed windows of every recording, new ones for each epoch."""

    def __init__(self, material, front_end, settings, labels, rng):
        self.material, self.front_end, self.settings, self.rng = material, front_end, settings, rng
        self.labels = labels
        self.background = negatives.background(material.names)
        drawn = len(self._draw()[1])
        # With few takes an epoch goes over them several times, so that epochs mean about the same.
        self.copies = max(1, -(-12 * defaults.BATCH // max(1, drawn)))
        self.steps = max(1, drawn * self.copies // defaults.BATCH)
        self.size = min(defaults.BATCH, drawn * self.copies)

    def _draw(self):
        how = self.settings.augment
        x, y = self.material.draw(self.rng, self.settings.window, how.stretch, how.shift)
        if self.background is not None and how.made_up:
            made = negatives.make(self.rng, x, int(how.made_up * len(x)))
            x, y = np.concatenate([x, made]), np.concatenate([y, np.full(len(made), self.background)])
        return x, y

    def epoch(self):
        """Features float32 (n, window, f) and targets (n, labels), shuffled, whole batches only."""
        drawn = [self._draw() for _ in range(self.copies)]
        x, y = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
        order = self.rng.permutation(len(x))[: self.steps * self.size]
        if len(order) < self.steps * self.size:
            order = np.resize(order, self.steps * self.size)
        x = changes.vary(self.rng, x[order], self.settings.channels, self.settings.augment)
        seen = features(x, self.front_end)
        targets = np.eye(self.labels, dtype=np.float32)[y[order]]
        if self.settings.augment.mixup:
            seen, targets = changes.mixup(self.rng, seen, targets, self.settings.augment.mixup)
        return seen.astype(np.float32), targets

    def class_weights(self) -> np.ndarray:
        """Rare labels count more: the square root of how much rarer than the most frequent."""
        count = np.bincount(self._draw()[1], minlength=self.labels)
        return np.sqrt(count.max() / np.maximum(count, 1)).astype(np.float32)


def _fit(network, batches, epochs, held, front_end, progress) -> dict:
    """Adam with a cosine schedule; the running mean of the weights is what stays."""
    k, tf = keras(), tensorflow()
    steps, size = batches.steps, batches.size
    optimizer = k.optimizers.Adam(k.optimizers.schedules.CosineDecay(LEARNING_RATE, steps * epochs, alpha=0.01))
    optimizer.build(network.trainable_variables)
    mean = k.models.clone_model(network)
    mean.set_weights(network.get_weights())
    weights = tf.constant(batches.class_weights())

    @tf.function
    def run(x, y, keep):
        total = 0.0
        for i in tf.range(steps):
            a, b = x[i * size : (i + 1) * size], y[i * size : (i + 1) * size]
            with tf.GradientTape() as tape:
                p = network(a, training=True)
                soft = b * (1 - SMOOTHING) + SMOOTHING / batches.labels
                each = -tf.reduce_sum(soft * tf.math.log(p + 1e-7), axis=1)
                weight = tf.linalg.matvec(b, weights)
                error = tf.reduce_sum(each * weight) / tf.reduce_sum(weight)
                loss = error + tf.add_n(network.losses)
            gradients = tape.gradient(loss, network.trainable_variables)
            optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
            for averaged, variable in zip(mean.variables, network.variables, strict=True):
                averaged.assign(averaged * keep + variable * (1 - keep))
            total += error
        return total / tf.cast(steps, tf.float32)

    history = {"loss": []}
    if held is not None:
        seen, truth = features(held.counts, front_end), held.labels
        history["validation_loss"] = []
        history["validation_accuracy"] = []
    best, best_weights, since = np.inf, None, 0
    patience = max(10, epochs // 3)
    with _Progress(progress, epochs) as shown:
        for epoch in range(epochs):
            x, y = batches.epoch()
            loss = run(tf.constant(x), tf.constant(y), tf.constant(min(0.99, (1 + epoch) / (10 + epoch)), tf.float32))
            history["loss"].append(round(float(loss), 4))
            text = f"loss {history['loss'][-1]:.3f}"
            if held is not None:
                p = mean(seen, training=False).numpy()
                error = float(-np.log(p[np.arange(len(p)), truth] + 1e-7).mean())
                history["validation_loss"].append(round(error, 4))
                history["validation_accuracy"].append(round(float((p.argmax(1) == truth).mean()), 4))
                text += f", validation accuracy {history['validation_accuracy'][-1]:.2f}"
                since += 1
                if error < best:
                    best, best_weights, since = error, mean.get_weights(), 0
            shown.step(epoch + 1, text)
            if since >= patience:
                break
    network.set_weights(best_weights if best_weights is not None else mean.get_weights())
    return history


def _check_validation(train, validation) -> None:
    if not len(validation):
        raise DataError("The validation dataset is empty.", "Give one with recordings, or leave it out.")
    same = {r.fingerprint for r in train.recordings} & {r.fingerprint for r in validation.recordings}
    if same:
        raise DataError(
            f"{len(same)} recordings are in training and in validation.",
            "Split the dataset: train, validation, test = dataset.split(by='person').",
        )
    if not set(validation.labels) & set(train.labels):
        raise DataError(
            f"Validation has the labels {', '.join(validation.labels)}, none of which is trained: "
            f"{', '.join(train.labels)}.",
            "Give recordings of the same gestures.",
        )


def _to_bytes(network) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.h5"
        with quiet():  # Keras calls HDF5 legacy; it is the one form that is a plain file
            network.save(path, save_format="h5", include_optimizer=False)
        return path.read_bytes()


def _short(name: str) -> str:
    while len(name.encode()) > 31:
        name = name[:-1]
    return name or "gestures"


def _screen():
    """Where progress goes: not into a program's JSON, and not into a notebook's red error stream."""
    return sys.stdout if "ipykernel" in sys.modules else sys.stderr


class _Progress:
    """A bar, a callback, or nothing."""

    def __init__(self, progress, total):
        self.call = progress if callable(progress) else None
        self.total, self.bar = total, None
        if progress and self.call is None:
            from tqdm import tqdm

            self.bar = tqdm(total=total, desc="Training", unit="epoch", file=_screen(), dynamic_ncols=True)

    def step(self, done, text):
        if self.call:
            self.call(done, self.total, text)
        if self.bar is not None:
            self.bar.set_postfix_str(text, refresh=False)
            self.bar.update(1)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.bar is not None:
            self.bar.close()
