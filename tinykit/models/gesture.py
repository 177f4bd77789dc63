"""Recordings of movements to a trained gesture pipeline."""

from __future__ import annotations

import numpy as np

from ..features import features
from ..pipeline import Decision, Pipeline
from . import augment as changes
from . import defaults, fit, negatives, zoo
from .material import Material

# Smoothed targets and mixup make the network say 0.6 where others say 0.8.
THRESHOLD = 0.6


def train(train, validation, *, model, seed, epochs, name, progress, **choices) -> Pipeline:
    """A gesture pipeline; see ``tinykit.train``. ``choices`` go to ``defaults.choose``."""
    chosen = zoo.names()[0] if model == "auto" else model
    fit.check(chosen, zoo.names(), epochs, seed)
    defaults.check(train, choices.get("window_s"))
    if validation is not None:
        fit.check_validation(train, validation)
    settings = defaults.choose(train, **choices)
    clean, still = defaults.without_still(train)
    labels = train.labels
    windows = clean.windows(settings.window, None, settings.rate_hz, settings.channels, labels)
    front_end = defaults.front_end(settings, windows.counts)
    material = Material(clean.recordings, labels, settings.rate_hz, settings.channels)
    pipeline = Pipeline(
        fit.short(name or train.name, "gestures"),
        "gesture",
        settings.rate_hz,
        settings.window,
        settings.hop,
        front_end,
        labels,
        Decision(threshold=THRESHOLD),
    )
    rng = fit.seeded(seed)
    network = zoo.build(chosen, settings.window, len(front_end.features), len(labels))
    batches = Batches(material, front_end, settings, len(labels), rng)
    epochs = int(epochs) if epochs else int(np.clip(round(defaults.STEPS / batches.steps), 20, 100))
    held = None
    if validation is not None:
        side = validation.windows(settings.window, None, settings.rate_hz, settings.channels, labels)
        side = side.select(side.labels >= 0)
        held = features(side.counts, front_end), side.labels
    history = fit.fit(network, batches, epochs, held, progress)
    notes = (
        [
            f"{len(still)} motionless takes of {', '.join(sorted({r.label for r in still}))} were not trained on "
            f"(persons: {', '.join(sorted({r.person for r in still}))})."
        ]
        if still
        else []
    )
    return pipeline.with_(
        float_model=fit.to_bytes(network),
        provenance=fit.origin(train, chosen, zoo.cost(network), seed, history, notes),
    )


class Batches:
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
