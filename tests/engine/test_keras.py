"""Networks as students build them: tf_keras, TensorFlow's converter, then both engines."""

import os

import numpy as np
import pytest
from golden import agree

from tinykit.engine.tflite import read_network


@pytest.fixture(scope="module")
def keras():
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    return pytest.importorskip("tf_keras", reason="Needs tf_keras (pip install tinykit[lab]).")


def quantised(model, seed=0, count=24) -> bytes:
    import tensorflow as tf

    rng = np.random.default_rng(seed)
    for weight in model.trainable_weights:  # biases and norms that do something
        weight.assign(weight.numpy() + rng.normal(0, 0.05, weight.shape))
    examples = rng.normal(0, 1, (count, *model.input_shape[1:])).astype(np.float32)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([x[None]] for x in examples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def cnn_1d(k):
    L = k.layers
    return [
        L.Conv1D(8, 5, strides=2, activation="relu"),
        L.BatchNormalization(),
        L.MaxPooling1D(2),
        L.Conv1D(12, 3, padding="same", activation="relu"),
        L.SeparableConv1D(16, 3, padding="same"),
        L.ReLU(),
        L.GlobalAveragePooling1D(),
        L.Dropout(0.2),
        L.Dense(4, activation="softmax"),
    ]


def cnn_1d_flat(k):
    L = k.layers
    return [
        L.Conv1D(6, 4, padding="causal", activation="relu6"),
        L.AveragePooling1D(3),
        L.Conv1D(6, 3, dilation_rate=2, activation="relu"),
        L.Conv1D(6, 3, dilation_rate=3, padding="same", activation="relu"),
        L.Conv1D(5, 2, dilation_rate=2, padding="causal"),
        L.Flatten(),
        L.Dense(10, activation="relu"),
        L.Dense(3, activation="softmax"),
    ]


def cnn_1d_max(k):
    L = k.layers
    return [
        L.Conv1D(9, 3),
        L.BatchNormalization(),
        L.LeakyReLU(0.1),
        L.GlobalMaxPooling1D(),
        L.Dense(8, activation="tanh"),
        L.Dense(1, activation="sigmoid"),
    ]


def cnn_2d(k):
    L = k.layers
    return [
        L.Reshape((40, 6, 1)),
        L.Conv2D(8, (5, 3), strides=(2, 1), padding="same", activation="relu"),
        L.DepthwiseConv2D((3, 3), padding="same", depth_multiplier=2),
        L.BatchNormalization(),
        L.ReLU(6.0),
        L.Conv2D(12, 1, activation="relu"),
        L.ZeroPadding2D(((0, 1), (0, 1))),
        L.DepthwiseConv2D(3, strides=2, activation="relu"),
        L.Conv2D(8, 3, dilation_rate=(2, 1), padding="same", activation="relu"),
        L.MaxPooling2D((2, 2)),
        L.Flatten(),
        L.Dense(5, activation="softmax"),
    ]


@pytest.mark.parametrize("layers", [cnn_1d, cnn_1d_flat, cnn_1d_max, cnn_2d])
def test_sequential(keras, layers):
    keras.utils.set_random_seed(1)
    # A batch of 1, so that the converter fuses dilation; see the test below for the other form.
    model = keras.Sequential([keras.layers.Input((40, 6), batch_size=1), *layers(keras)])
    agree(quantised(model), np.random.default_rng(0), 30)


def test_residual_and_branches(keras):
    """ResNet-like: additions, a strided shortcut, joined branches, a pool before the answer."""
    keras.utils.set_random_seed(2)
    L = keras.layers
    x = start = L.Input((16, 16, 3))
    x = L.Conv2D(8, 3, padding="same", activation="relu")(x)
    y = L.Conv2D(8, 3, padding="same", activation="relu")(x)
    y = L.BatchNormalization()(L.Conv2D(8, 3, padding="same")(y))
    x = L.ReLU()(L.Add()([x, y]))
    y = L.Conv2D(16, 3, strides=2, padding="same", activation="relu")(x)
    y = L.Conv2D(16, 3, padding="same")(y)
    x = L.ReLU()(L.Add()([L.Conv2D(16, 1, strides=2, padding="same")(x), y]))
    x = L.Concatenate()([L.Conv2D(4, 1, activation="relu")(x), L.MaxPooling2D(3, 1, padding="same")(x)])
    x = L.Flatten()(L.AveragePooling2D(8)(x))
    model = keras.Model(start, L.Dense(10, activation="softmax")(x))
    agree(quantised(model), np.random.default_rng(0), 20)


@pytest.mark.parametrize("dimensions", [1, 2])
def test_dilation_in_three_operations(keras, dimensions):
    """SPACE_TO_BATCH_ND, convolution, BATCH_TO_SPACE_ND, as the converter writes dilation when the batch is open.

    The file then states shapes for a batch of 1 throughout, which leads tflite-micro astray; so
    TensorFlow's own reference kernels are the oracle here.
    """
    import tensorflow as tf

    from tinykit.engine import Runtime

    keras.utils.set_random_seed(3)
    L = keras.layers
    if dimensions == 1:
        layers = [
            L.Input((23, 5)),
            L.Conv1D(6, 3, dilation_rate=2, activation="relu"),
            L.Conv1D(7, 3, dilation_rate=3, padding="same"),
            L.Conv1D(4, 2, dilation_rate=4, padding="causal", activation="relu"),
        ]
    else:
        layers = [
            L.Input((11, 9, 3)),
            L.Conv2D(6, 3, dilation_rate=(2, 1), padding="same", activation="relu"),
            L.Conv2D(4, (2, 3), dilation_rate=(1, 2)),
        ]
    network = quantised(keras.Sequential(layers))
    engine = Runtime(network)
    reference = tf.lite.Interpreter(
        model_content=network, experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF
    )
    reference.allocate_tensors()
    x = np.random.default_rng(0).integers(-128, 128, (10, *engine.plan.input_shape)).astype(np.int8)
    answers = []
    for example in x:
        reference.set_tensor(reference.get_input_details()[0]["index"], example[None])
        reference.invoke()
        answers.append(reference.get_tensor(reference.get_output_details()[0]["index"]))
    assert any(k.kind == "SPACE_TO_BATCH_ND" for k in read_network(network).nodes)
    assert np.array_equal(engine.run(x).ravel(), np.stack(answers).ravel())
