"""Pipelines with untrained networks: the board must compute them right, whatever they say."""

import numpy as np

from tinykit.pipeline import Decision, ImuFrontEnd, MelFrontEnd, Pipeline

LABELS = ("flex", "punch", "rest")
WORDS = ("silence", "unknown", "left", "right")


def make_pipeline(name, seed, window=60, hop=15, filters=8, rate_hz=119.0, **front):
    """A small convolutional network with random weights, quantised on random windows."""
    front_end = ImuFrontEnd(**front)
    n = len(front_end.features)
    front_end = ImuFrontEnd(**{**front, "scale": (1 / 4000,) * n})
    network = _network(seed, window, n, filters, len(LABELS))
    return Pipeline(name, "gesture", rate_hz, window, hop, front_end, LABELS, Decision(2, 0.4, 0.2), None, network)


def make_listener(name, seed, hop=1600, filters=6, **front):
    """The same for words."""
    front_end = MelFrontEnd(**front)
    n = len(front_end.features)
    front_end = MelFrontEnd(**{**front, "mean": (-6.0,) * n, "scale": (0.3,) * n})
    network = _network(seed, front_end.rows(16000), n, filters, len(WORDS), spread=0.5)
    return Pipeline(name, "keyword", 16000.0, 16000, hop, front_end, WORDS, Decision(2, 0.3, 0.5), None, network)


def _network(seed, rows, n, filters, labels, spread=0.05):
    from tinykit import models

    keras = models.keras()
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    normal = keras.initializers.RandomNormal(stddev=spread)
    network = keras.Sequential(
        [
            keras.Input((rows, n, 1), batch_size=1),
            keras.layers.Conv2D(filters, (5, n), strides=(2, 1), activation="relu"),
            keras.layers.Conv2D(filters, (5, 1), strides=(2, 1), activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(labels, activation="softmax", kernel_initializer=normal),
        ]
    )
    rng = np.random.default_rng(seed)
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [rng.normal(size=(1, rows, n, 1)).astype(np.float32)] for _ in range(20)
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def babble(seconds, seed=0):
    """Sound in which something else happens every tenth of a second: int16 of shape (n,)."""
    rng = np.random.default_rng(seed)
    n = round(seconds * 16000)
    t = np.arange(n) / 16000
    part = (t * 10).astype(int)
    parts = part.max() + 1
    tone = np.sin(2 * np.pi * np.cumsum(rng.uniform(100, 6000, parts)[part]) / 16000)
    level = 10 ** rng.uniform(-3, -0.3, parts)[part]
    return np.rint(32767 * np.clip(level * (0.7 * tone + 0.3 * rng.standard_normal(n)), -1, 1)).astype(np.int16)


class Counting:
    """A signal source whose samples say their own number, so that a wrong one can't pass for a right one."""

    duration = None

    def read(self, times_s):
        """Counts (n, 6) made of each sample's number from the source's beginning."""
        number = np.rint(np.asarray(times_s) * 119).astype(np.int64)
        low, high = number & 0x7FFF, number >> 15
        return np.stack([low, high, low ^ 0x7FFF, low, high, -low], 1).astype(np.int16)

    def label_at(self, time_s):
        """Nothing is done."""

    @staticmethod
    def wrong(samples):
        """How many samples are not what their place in the stream says."""
        c = samples.counts.astype(np.int64)
        number = c[:, 0] + (c[:, 1] << 15)
        good = number - number[0] == samples.index - samples.index[0]
        good &= (c[:, 2] == c[:, 0] ^ 0x7FFF) & (c[:, 3] == c[:, 0]) & (c[:, 4] == c[:, 1]) & (c[:, 5] == -c[:, 0])
        return int((~good).sum())


def moving_windows(n):
    """Windows of a hand that moves: int16 counts (n, 60, 6)."""
    rng = np.random.default_rng(7)
    walk = rng.normal(0, 900, (n, 60, 6)).cumsum(1) + np.array([0, 0, 8192, 0, 0, 0])
    return np.clip(walk, -32768, 32767).round().astype(np.int16)
