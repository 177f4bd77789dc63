"""Networks for words: rows of log-mel (or MFCC) in, a probability a label out.

Only layers that the engine has. Plain convolutions cost about 1.5 cycles a MAC on the board and
depthwise ones about 3, so a network of few MACs is not always the quicker one; ``tinykit.cost``
estimates the cycles of a compiled pipeline.

==========  ==================================================================  =======  =========
name        what it is                                                          weights       MACs
==========  ==================================================================  =======  =========
res_time    two convolutions over time and frequency, then residual blocks over   38,707  1,390,308
              time alone: many channels, short rows. The default.
res2d       a residual network of 3 x 3 convolutions, time by frequency          34,303  2,651,792
ds_cnn      DS-CNN S (Zhang et al. 2017, arXiv:1711.07128), depthwise separable   22,279  2,656,448
tiny_conv   one convolution and a dense layer: what micro_speech began with      28,655    348,000
==========  ==================================================================  =======  =========

For one second (49 rows of 40 log-mel bands; ``ds_cnn`` 10 MFCC, as published) and 7 labels. The
numbers are computed by ``cost``, and a test holds this table to them.
"""

from __future__ import annotations

import math

from ..errors import ModelError
from ..pipeline import MelFrontEnd
from .backend import keras
from .noises import RATE_HZ
from .zoo import Layers, cost, multiplying, of_name

__all__ = ["build", "cost", "cycles", "front_end", "hop", "names"]

DROPOUT, DECAY = 0.3, 1e-4
CYCLES_A_SECOND = 64e6
LOAD = 0.7  # of the time between two answers, so that the board keeps up with the rest
FRONT_CYCLES = 45_000  # a frame, from above


def build(name: str, rows: int, features: int, labels: int):
    """A Keras network, not trained.

    Parameters
    ----------
    name : str
        One of ``names()``.
    rows, features, labels : int
        Input (rows, features), output: that many probabilities.

    Returns
    -------
    tf_keras.Model

    Raises
    ------
    ModelError
        No such network, or a window too short for it.
    """
    network = of_name(name, _ZOO)
    if rows < 16 or features < 8:
        raise ModelError(
            f"The window gives {rows} rows of {features} features, a network needs at least 16 rows of 8.",
            "Use longer windows, a shorter hop, or more bands.",
        )
    k = keras()
    inputs = k.Input((rows, features), name="window")
    made = Layers(k, DECAY)
    return made.answering(inputs, network(made, inputs), labels, DROPOUT, name)


def names() -> tuple[str, ...]:
    """The networks there are; the first is the default."""
    return tuple(_ZOO)


def front_end(name: str) -> MelFrontEnd:
    """The front end that a network was made for, mean and scale not measured yet."""
    return MelFrontEnd(coefficients=10) if name == "ds_cnn" else MelFrontEnd()


def hop(network, front_end: MelFrontEnd, seconds: float) -> int:
    """Samples from one answer to the next: about ``seconds``, or as long as the board needs.

    Parameters
    ----------
    network : tf_keras.Model
    front_end : MelFrontEnd
    seconds : float

    Returns
    -------
    int
        A multiple of the front end's hop.
    """
    frame_s = front_end.hop / RATE_HZ
    free = CYCLES_A_SECOND * LOAD - FRONT_CYCLES / frame_s
    needed = cycles(network) / free
    return front_end.hop * max(1, round(seconds / frame_s), math.ceil(needed / frame_s))


def cycles(network) -> float:
    """A rough guess of the cycles of one answer, from MACs alone: ``tinykit.cost`` counts them."""
    return sum(_CYCLES_A_MAC[kind] * macs for kind, _, macs in multiplying(network))


def _picture(made, x):
    return made.layers.Reshape((*x.shape[1:], 1))(x)


def _res_time(made, x, stem=(16, 24), filters=44, size=5, blocks=3):
    """Two convolutions over time and frequency, then the bands become channels of residual blocks over time."""
    x = made.conv(_picture(made, x), stem[0], (5, 5), strides=(2, 4))
    x = made.conv(x, stem[1], (3, 3), strides=(1, 2))
    x = made.conv(x, filters, (1, x.shape[2]), padding="valid")
    for _ in range(blocks):
        x = _shortcut(made, x, made.conv(x, filters, (size, 1), relu=False))
    return _mean(made, x)


def _res2d(made, x):
    x = made.conv(_picture(made, x), 16, (5, 5), strides=(2, 2))
    x = made.conv(x, 24, (3, 3), strides=(1, 2))
    x = made.conv(x, 32, (3, 3), strides=(2, 2))
    x = _shortcut(made, x, made.conv(x, 32, (3, 3), relu=False))
    return _mean(made, made.conv(x, 48, (3, 3), strides=(1, 2)))


def _ds_cnn(made, x):
    x = made.conv(_picture(made, x), 64, (10, 4), strides=(2, 2))
    for _ in range(4):
        x = made.conv(made.depthwise(x, (3, 3)), 64, (1, 1))
    return _mean(made, x)


def _tiny_conv(made, x):
    return made.layers.Flatten()(made.conv(_picture(made, x), 8, (10, 8), strides=(2, 2)))


def _shortcut(made, x, change):
    return made.layers.ReLU()(made.layers.Add()([change, x]))


def _mean(made, x):
    return made.layers.GlobalAveragePooling2D()(x)


_CYCLES_A_MAC = {"Conv2D": 1.5, "DepthwiseConv2D": 3.5, "Dense": 1.7}
_ZOO = {"res_time": _res_time, "res2d": _res2d, "ds_cnn": _ds_cnn, "tiny_conv": _tiny_conv}
