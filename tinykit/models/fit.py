"""The training loop that all kinds of pipelines share, and what is done around it."""

from __future__ import annotations

import queue
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np

from ..errors import DataError, ModelError
from .backend import keras, quiet, tensorflow, versions

SMOOTHING = 0.05  # of the targets (Szegedy et al. 2016, arXiv:1512.00567)
LEARNING_RATE = 3e-3


def check(chosen: str, known, epochs, seed: int) -> None:
    """Refuse what no kind of training takes.

    Raises
    ------
    ModelError
        No such model, no epochs, or a seed out of range.
    """
    if chosen not in known:
        raise ModelError(f"There is no model {chosen!r}; there are auto, {', '.join(known)}.", "Choose one of these.")
    if epochs is not None and not epochs >= 1:
        raise ModelError(f"epochs is {epochs}, must be at least 1.", "Leave it out for enough of them.")
    if not 0 <= seed < 2**32:
        raise ModelError(f"seed is {seed}, must be from 0 to {2**32 - 1}.", "Use a small whole number.")


def check_validation(train, validation) -> None:
    """Refuse a validation side that shares recordings with training, or none of its labels.

    Raises
    ------
    DataError
    """
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
            "Give recordings of the same labels.",
        )


def seeded(seed: int):
    """Start TensorFlow over from a seed, and return a NumPy generator of the same seed."""
    k = keras()
    k.backend.clear_session()
    k.utils.set_random_seed(seed)
    tensorflow().config.experimental.enable_op_determinism()
    return np.random.default_rng(seed)


def fit(network, batches, epochs: int, held=None, progress=True, *, rate=LEARNING_RATE, keep=None) -> dict:
    """Adam with a cosine schedule; the running mean of the weights is what stays.

    Parameters
    ----------
    network : tf_keras.Model
        Gets the weights.
    batches : object
        With ``steps`` an epoch, ``size`` of a batch, ``labels`` (their number), ``class_weights()``
        and ``epoch()`` -> features (steps * size, ...), targets (steps * size, labels). The next
        epoch is made on a thread of its own while the network learns from this one.
    epochs : int
    held : tuple of (features, int array), optional
        Validation: the weights with the smallest loss on it are kept, and training stops early.
    progress : bool or callable
    rate : float
        Learning rate at the start.
    keep : callable, optional
        Epoch -> share of itself that the running mean keeps at a step.

    Returns
    -------
    dict
        ``loss`` and, with validation, ``validation_loss`` and ``validation_accuracy``, an epoch each.
    """
    tf = tensorflow()
    run, mean = _runner(network, batches, epochs, rate)
    keep = keep or (lambda epoch: min(0.99, (1 + epoch) / (10 + epoch)))
    history = {"loss": []}
    if held is not None:
        seen, truth = held
        history["validation_loss"] = []
        history["validation_accuracy"] = []
    best, best_weights, since = np.inf, None, 0
    patience = max(10, epochs // 3)
    with _Progress(progress, epochs) as shown, _Ahead(batches.epoch, epochs) as ahead:
        for epoch in range(epochs):
            x, y = ahead.next()
            loss = run(tf.constant(x), tf.constant(y), tf.constant(keep(epoch), tf.float32))
            history["loss"].append(round(float(loss), 4))
            text = f"loss {history['loss'][-1]:.3f}"
            if held is not None:
                p = outputs(mean, seen)
                error = float(-np.log(p[np.arange(len(p)), truth] + 1e-7).mean())
                history["validation_loss"].append(round(error, 4))
                history["validation_accuracy"].append(round(float((p.argmax(1) == truth).mean()), 4))
                text += f", validation accuracy {history['validation_accuracy'][-1]:.2f}"
                since += 1
                if error < best:
                    best, best_weights, since = error, mean.get_weights(), 0
            shown.step(epoch + 1, text)
            if since >= patience:
                shown.early(f"Stopped early: validation loss was lowest in epoch {epoch + 1 - since}: its weights stay")
                break
    network.set_weights(best_weights if best_weights is not None else mean.get_weights())
    return history


def _runner(network, batches, epochs, rate):
    """A function that learns from one epoch, and the network of mean weights that it keeps up."""
    k, tf = keras(), tensorflow()
    steps, size = batches.steps, batches.size
    optimizer = k.optimizers.Adam(k.optimizers.schedules.CosineDecay(rate, steps * epochs, alpha=0.01))
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

    return run, mean


def outputs(network, x, batch: int = 512) -> np.ndarray:
    """Probabilities of a Keras network, float32 of shape (n, labels), a part at a time."""
    parts = [network(x[i : i + batch], training=False).numpy() for i in range(0, len(x), batch)]
    return np.concatenate(parts) if parts else np.zeros((0, network.output_shape[-1]), np.float32)


def to_bytes(network) -> bytes:
    """A Keras network as HDF5."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.h5"
        with quiet():  # Keras calls HDF5 legacy; it is the one form that is a plain file
            network.save(path, save_format="h5", include_optimizer=False)
        return path.read_bytes()


def origin(train, model: str, cost, seed: int, history: dict, notes) -> dict:
    """Provenance that every pipeline carries."""
    return {
        "dataset": train.name,
        "fingerprint": train.fingerprint,
        "persons": list(train.persons),
        "takes": {label: sum(persons.values()) for label, persons in train.counts().items()},
        "recordings": [r.fingerprint[:12] for r in train.recordings],
        "synthetic": bool(train.card.get("synthetic", False)),
        "model": model,
        "weights": cost.weights,
        "macs": cost.macs,
        "seed": seed,
        "epochs": len(history["loss"]),
        "history": history,
        "notes": list(notes),
        "versions": versions(),
    }


def short(name: str, otherwise: str) -> str:
    """A name that fits into a board's slot."""
    while len(name.encode()) > 31:
        name = name[:-1]
    return name or otherwise


def say(notes, progress) -> None:
    """Print notes where a bar was shown."""
    for note in notes if progress is True else ():
        print(f"Note: {note}", file=_screen())


def _screen():
    """Where progress goes: not into a program's JSON, and not into a notebook's red error stream."""
    return sys.stdout if "ipykernel" in sys.modules else sys.stderr


class _Ahead:
    """Calls a function again and again on a thread, one call ahead of who takes the results."""

    def __init__(self, make, times: int):
        self.make, self.times = make, times
        self.made: queue.Queue = queue.Queue(1)
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._work, daemon=True)

    def _work(self):
        for _ in range(self.times):
            try:
                item = (self.make(), None)
            except BaseException as error:  # raised again where the result is taken
                item = (None, error)
            while not self.stopped.is_set():
                try:
                    self.made.put(item, timeout=0.1)
                    break
                except queue.Full:
                    continue
            if self.stopped.is_set() or item[1] is not None:
                return

    def next(self):
        value, error = self.made.get()
        if error is not None:
            raise error
        return value

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.stopped.set()
        self.thread.join()


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

    def early(self, why):
        """No more steps come: without a word a bar that stands at two thirds looks broken."""
        if self.bar is not None:
            self.bar.close()
            print(why, file=_screen())

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.bar is not None:
            self.bar.close()
