"""Recurrent layers, layer normalisation and attention as students build them: tf_keras, TensorFlow's converter."""

import numpy as np
import pytest
from golden import agree
from test_keras import keras, quantised  # noqa: F401


def test_attention_with_layer_normalisation(keras):  # noqa: F811
    """One block of a transformer: attention over all steps by two heads, both sums normalised."""
    keras.utils.set_random_seed(1)
    L = keras.layers
    start = L.Input((12, 8), batch_size=1)
    x = L.Dense(8)(start)
    x = L.LayerNormalization()(x + L.MultiHeadAttention(2, 4)(x, x))
    x = L.LayerNormalization()(x + L.Dense(8)(L.Dense(16, activation="relu")(x)))
    model = keras.Model(start, L.Dense(3, activation="softmax")(L.GlobalAveragePooling1D()(x)))
    plan = agree(quantised(model), np.random.default_rng(0), 20)
    kinds = [layer.kind for layer in plan.ops]
    assert kinds.count("batch_matmul") == 2 and "squared_difference" in kinds


@pytest.mark.parametrize("name", ["LSTM", "LSTM unrolled", "GRU unrolled"])
def test_recurrent_layers(keras, name):  # noqa: F811
    """With a batch of 1 an LSTM is one operation; unrolled, all recurrent layers are plain ones."""
    keras.utils.set_random_seed(2)
    L = keras.layers
    layer, unroll = getattr(L, name.split()[0]), "unrolled" in name
    steps = 4 if unroll else 12
    model = keras.Sequential(
        [L.Input((steps, 6), batch_size=1), layer(7, unroll=unroll), L.Dense(4, activation="softmax")]
    )
    plan = agree(quantised(model), np.random.default_rng(0), 20)
    kinds = [layer.kind for layer in plan.ops]
    assert kinds.count("lstm") == (not unroll) and kinds.count("state") == 2 * (not unroll)
