"""Networks for windows of an IMU, small enough for 10 to 60 recordings a class and for the board.

Time runs down the first axis of an image one pixel wide, so that every layer is one that the
engine has: Conv2D, DepthwiseConv2D, pooling, Add, Dense and Softmax. Batch normalisation is
folded into the convolutions when the network is quantised, and dropout is gone.

==========  ==============================================================  =======  =======
name        what it is                                                      weights     MACs
==========  ==============================================================  =======  =======
cnn         three convolutions of 16, 24, 32, pooled to a few cells in        6,716  173,440
            time: knows what happens, and roughly when. The default.
cnn-large   the same with 24, 32, 48 and 64                                  28,692  490,880
dscnn       depthwise separable, with shortcuts: fewer MACs                   4,956   97,040
cnn2d       the window as a picture, time by features: 5 x 3 convolutions     8,332  605,280
dense       two dense layers on the flattened window: needs many takes        8,308    8,256
==========  ==============================================================  =======  =======

For a window of 80 samples, 3 features and 4 labels. The numbers are computed by ``cost``, and a
test holds this table to them.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ModelError
from .backend import keras

CELLS = 4  # at least so many cells in time that the last convolution is averaged into


@dataclass(frozen=True)
class Cost:
    """What a network costs before it is quantised.

    Parameters
    ----------
    weights : int
        Numbers that the board must keep, after batch normalisation is folded.
    macs : int
        Multiply-accumulates for one answer.
    """

    weights: int
    macs: int


def build(name: str, window: int, features: int, labels: int, dropout: float = 0.3, decay: float = 1e-4):
    """A Keras network, not trained.

    Parameters
    ----------
    name : str
        One of ``names()``.
    window, features, labels : int
        Input (window, features), output: that many probabilities.
    dropout : float
        Share dropped before the last layer.
    decay : float
        L2 penalty of the weights.

    Returns
    -------
    tf_keras.Model

    Raises
    ------
    ModelError
        No such network, or a window too short for it.
    """
    network = of_name(name, _ZOO)
    if window < 8:
        raise ModelError(
            f"The window is {window} samples, a network needs at least 8.",
            "Use longer windows or a higher rate.",
        )
    k = keras()
    inputs = k.Input((window, features), name="window")
    made = Layers(k, decay)
    return made.answering(inputs, network(made, inputs, window, features), labels, dropout, name)


def names() -> tuple[str, ...]:
    """The networks there are; the first is the default."""
    return tuple(_ZOO)


def cost(model) -> Cost:
    """Weights and MACs of a Keras network of this module, computed from its layers."""
    layers = list(multiplying(model))
    return Cost(sum(weights for _, weights, _ in layers), sum(macs for _, _, macs in layers))


def of_name(name: str, networks: dict):
    """One of ``networks``; an error names them all."""
    if name not in networks:
        raise ModelError(f"There is no network {name!r}; there are {', '.join(networks)}.", "Choose one of these.")
    return networks[name]


def multiplying(model):
    """(kind, weights, MACs) of each layer that has any; biases are weights too."""
    for layer in model.layers:
        kind = type(layer).__name__
        if kind in ("Conv2D", "DepthwiseConv2D", "Dense"):
            kernel = int(layer.get_weights()[0].size)
            places = 1 if kind == "Dense" else layer.output_shape[1] * layer.output_shape[2]
            yield kind, kernel + layer.output_shape[-1], places * kernel


class Layers:
    """The building blocks."""

    def __init__(self, k, decay):
        self.model = k.Model
        self.layers = k.layers
        self.decay = k.regularizers.l2(decay)

    def norm(self, x):
        # The usual 0.99 forgets too slowly for the few hundred steps that training takes here.
        return self.layers.BatchNormalization(momentum=0.9)(x)

    def conv(self, x, filters, size, relu=True, strides=1, padding="same"):
        x = self.layers.Conv2D(filters, size, strides, padding, use_bias=False, kernel_regularizer=self.decay)(x)
        x = self.norm(x)
        return self.layers.ReLU()(x) if relu else x

    def depthwise(self, x, size):
        x = self.layers.DepthwiseConv2D(size, padding="same", use_bias=False)(x)
        return self.layers.ReLU()(self.norm(x))

    def halve(self, x, width=1):
        return self.layers.MaxPool2D((2, width))(x)

    def cells(self, x):
        """Mean over each of a few stretches of time, side by side."""
        steps, width = x.shape[1], x.shape[2]
        if steps >= CELLS:
            x = self.layers.AveragePooling2D((steps // CELLS, width))(x)
        return self.layers.Flatten()(x)

    def answering(self, inputs, x, labels, dropout, name):
        """The whole network: a probability a label, from what its layers made of the inputs."""
        x = self.layers.Dropout(dropout)(x)
        dense = self.layers.Dense(labels, activation="softmax", kernel_regularizer=self.decay, name="answer")
        return self.model(inputs, dense(x), name=name.replace("-", "_"))


def _column(made, x, window, features):
    return made.layers.Reshape((window, 1, features))(x)


def _cnn(filters):
    def network(made, x, window, features):
        x = _column(made, x, window, features)
        for number in filters:
            x = made.conv(x, number, (5, 1))
            if x.shape[1] >= 2 * CELLS:
                x = made.halve(x)
        return made.cells(x)

    return network


def _dscnn(made, x, window, features):
    x = made.halve(made.conv(_column(made, x, window, features), 24, (5, 1)))
    for filters in (24, 40, 40):
        before = x
        x = made.depthwise(x, (5, 1))
        x = made.conv(x, filters, (1, 1), relu=False)
        if filters == before.shape[-1]:
            x = made.layers.Add()([x, before])
        x = made.layers.ReLU()(x)
        if x.shape[1] >= 2 * CELLS:
            x = made.halve(x)
    return made.cells(x)


def _cnn2d(made, x, window, features):
    x = made.layers.Reshape((window, features, 1))(x)
    for filters in (8, 16, 24):
        x = made.conv(x, filters, (5, min(3, features)))
        if x.shape[1] >= 2 * CELLS:
            x = made.halve(x)
    return made.cells(x)


def _dense(made, x, window, features):
    x = made.layers.Flatten()(x)
    for units in (32, 16):
        x = made.layers.Dense(units, activation="relu", kernel_regularizer=made.decay)(x)
    return x


_ZOO = {
    "cnn": _cnn((16, 24, 32)),
    "cnn-large": _cnn((24, 32, 48, 64)),
    "dscnn": _dscnn,
    "cnn2d": _cnn2d,
    "dense": _dense,
}
