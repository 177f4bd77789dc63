"""Pipelines with untrained networks: the board must compute them right, whatever they say."""

import numpy as np

from tinykit.pipeline import Decision, ImuFrontEnd, Pipeline

LABELS = ("flex", "punch", "rest")


def make_pipeline(name, seed, window=60, hop=15, filters=8, rate_hz=119.0, **front):
    """A small convolutional network with random weights, quantised on random windows."""
    from tinykit import models

    keras = models.keras()
    import tensorflow as tf

    front_end = ImuFrontEnd(**front)
    n = len(front_end.features)
    front_end = ImuFrontEnd(**{**front, "scale": (1 / 4000,) * n})
    keras.utils.set_random_seed(seed)
    network = keras.Sequential(
        [
            keras.Input((window, n, 1), batch_size=1),
            keras.layers.Conv2D(filters, (5, n), strides=(2, 1), activation="relu"),
            keras.layers.Conv2D(filters, (5, 1), strides=(2, 1), activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(len(LABELS), activation="softmax", kernel_initializer="random_normal"),
        ]
    )
    rng = np.random.default_rng(seed)
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [rng.normal(size=(1, window, n, 1)).astype(np.float32)] for _ in range(20)
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return Pipeline(
        name, "gesture", rate_hz, window, hop, front_end, LABELS, Decision(2, 0.4, 0.2), None, converter.convert()
    )


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
