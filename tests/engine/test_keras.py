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


def quantised(model, seed=0, count=24, ends="int8") -> bytes:
    import tensorflow as tf

    rng = np.random.default_rng(seed)
    for weight in model.trainable_weights:  # biases and norms that do something
        weight.assign(weight.numpy() + rng.normal(0, 0.05, weight.shape))
    examples = rng.normal(0, 1, (count, *model.input_shape[1:])).astype(np.float32)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([x[None]] for x in examples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    if ends:
        converter.inference_input_type = converter.inference_output_type = getattr(tf, ends)
    return converter.convert()


def by_tensorflow(network, x):
    """Answers of TensorFlow's own interpreter, where tflite-micro can't run a network."""
    import tensorflow as tf

    kinds = tf.lite.experimental.OpResolverType
    try:
        interpreter = tf.lite.Interpreter(model_content=network, experimental_op_resolver_type=kinds.BUILTIN_REF)
    except ValueError:  # the reference kernels have no TILE of this version; the others round otherwise elsewhere
        plain = kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        interpreter = tf.lite.Interpreter(model_content=network, experimental_op_resolver_type=plain)
    interpreter.allocate_tensors()
    answers = []
    for example in x:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], example[None])
        interpreter.invoke()
        answers.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
    return np.stack(answers)


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
    x = np.random.default_rng(0).integers(-128, 128, (10, *engine.plan.input_shape)).astype(np.int8)
    assert any(k.kind == "SPACE_TO_BATCH_ND" for k in read_network(network).nodes)
    assert np.array_equal(engine.run(x).ravel(), by_tensorflow(network, x).ravel())


def permuted(k):
    L = k.layers
    yield L.Permute((2, 1))
    yield L.Conv1D(4, 3, activation="relu")
    yield L.Reshape((4, 2, 2))
    yield L.Permute((3, 1, 2))
    yield L.Flatten()
    yield L.Dense(3, activation="softmax")


def padded_and_cropped(k):
    L = k.layers
    yield L.ZeroPadding1D((2, 1))
    yield L.Conv1D(8, 3, activation="relu")
    yield L.Reshape((7, 3, 8))
    yield L.ZeroPadding2D(((1, 2), (0, 3)))
    yield L.MaxPooling2D(2)
    yield L.Cropping2D(((1, 0), (0, 1)))
    yield L.Flatten()
    yield L.Dense(3)


def grown(k):
    L = k.layers
    yield L.Reshape((5, 4, 6))
    yield L.Conv2D(4, 2)
    yield L.UpSampling2D((3, 2), interpolation="nearest")
    yield L.Conv2D(3, 3, activation="relu")


@pytest.mark.parametrize("layers", [permuted, padded_and_cropped, grown])
def test_moving_layers(keras, layers):
    keras.utils.set_random_seed(4)
    shape = (20, 6)
    if layers is permuted:
        shape = (6, 6)
    model = keras.Sequential([keras.layers.Input(shape, batch_size=1), *layers(keras)])
    agree(quantised(model), np.random.default_rng(0), 20)


def gated(L, tf, y):
    value, gate = tf.split(y, 2, axis=-1)
    return value * tf.sigmoid(gate)


def cut_and_joined(L, tf, y):
    first, middle, last = tf.split(y, [4, 8, 4], axis=1)
    return L.Concatenate()(
        [L.Concatenate(axis=1)([last, first, middle])[:, ::2, 1:5], y[:, 1::2, 4:], y[:, :-9:-1, :2]]
    )


def stacked(L, tf, y):
    first, *rest = tf.unstack(y, axis=2)
    return tf.stack([rest[0], tf.nn.relu(first)], axis=1)


def u_net(L, tf, y):
    x = L.Reshape((4, 4, 8))(y)
    down = L.Conv2D(6, 3, padding="same", activation="relu")(L.MaxPooling2D(2)(x))
    return L.Conv2D(2, 1)(L.Concatenate()([x, L.UpSampling2D(2)(down)]))


def shuffled(L, tf, y):
    """As ShuffleNet mixes the channels of groups."""
    return L.Conv1D(4, 1)(L.Reshape((16, 8))(L.Permute((1, 3, 2))(L.Reshape((16, 2, 4))(y))))


def rolled(L, tf, y):
    return tf.reverse(tf.roll(y, 3, axis=1), [2])


def mirrored(L, tf, y):
    return L.Conv1D(3, 3)(tf.pad(y, [[0, 0], [2, 1], [0, 0]], "REFLECT"))


def gathered(L, tf, y):
    return L.Conv1D(3, 3)(tf.gather(y, [5, 0, 2, 2], axis=2))


def shaped_by_asking(L, tf, y):
    """SHAPE, STRIDED_SLICE and PACK remain in the file."""
    sizes = tf.shape(y)
    y = tf.reshape(y, [sizes[0], sizes[1], 4, 2])
    return tf.reshape(tf.transpose(y, [0, 2, 1, 3]), [sizes[0], 4, 2 * sizes[1]])


@pytest.mark.parametrize(
    "part", [gated, cut_and_joined, stacked, u_net, shuffled, rolled, mirrored, gathered, shaped_by_asking]
)
def test_moving_within_a_network(keras, part):
    import tensorflow as tf

    keras.utils.set_random_seed(5)
    L = keras.layers
    start = L.Input((16, 8), batch_size=None if part is shaped_by_asking else 1)
    y = part(L, tf, L.Conv1D(8, 3, padding="same")(start))
    network = quantised(keras.Model(start, L.Dense(3)(L.Flatten()(y))))
    assert part is not shaped_by_asking or "SHAPE" in {n.kind for n in read_network(network).nodes}
    agree(network, np.random.default_rng(0), 20)


def test_layers_that_only_tensorflow_runs(keras):
    """UpSampling1D joins more tensors than tflite-micro can, RepeatVector needs TILE, an argmax gives int64."""
    import tensorflow as tf

    from tinykit.engine import Runtime

    keras.utils.set_random_seed(6)
    L, rng = keras.layers, np.random.default_rng(0)
    up = [L.Input((20, 5), batch_size=1), L.Conv1D(3, 3), L.UpSampling1D(2), L.Conv1D(2, 3)]
    repeated = [L.Input((9,), batch_size=1), L.RepeatVector(5), L.Permute((2, 1))]
    start = L.Input((16, 8), batch_size=1)
    places = keras.Model(start, tf.argmax(L.Dense(5)(L.Flatten()(start)), axis=-1))
    for model in (keras.Sequential(up), keras.Sequential(repeated), places):
        network = quantised(model, ends="int8" if model is not places else None)
        engine = Runtime(network)
        shape = (10, *engine.plan.input_shape)
        x = rng.integers(-128, 128, shape).astype(np.int8) if model is not places else rng.normal(size=shape)
        x = x.astype(engine.plan.input_dtype)
        mine, theirs = engine.run(x), by_tensorflow(network, x)
        assert mine.dtype == theirs.dtype and np.array_equal(mine.reshape(theirs.shape), theirs)
        assert [step.kind for step in engine.plan.steps].count("copy") <= 1


@pytest.mark.parametrize("layer", ["GRU", "SimpleRNN"])
def test_recurrent_layers_unrolled(keras, layer):
    """The way out that a refused loop is pointed to: UNPACK, slices and gates, once a step."""
    keras.utils.set_random_seed(9)
    L = keras.layers
    cell = getattr(L, layer)(5, unroll=True)
    agree(quantised(keras.Sequential([L.Input((4, 3), batch_size=1), cell, L.Dense(2)])), np.random.default_rng(0), 20)


@pytest.mark.parametrize("ends", ["uint8", None])
def test_ends_as_the_converter_makes_them(keras, ends):
    """inference_input_type left alone: float32 in and out, which tflite-micro runs as well."""
    from golden import tflm

    from tinykit.engine import Runtime

    keras.utils.set_random_seed(7)
    model = keras.Sequential([keras.layers.Input((40, 6), batch_size=1), *cnn_1d(keras)])
    network, rng = quantised(model, ends=ends), np.random.default_rng(0)
    engine = Runtime(network)
    x = rng.normal(0, 1.5, (20, 40, 6)).astype(np.float32) if ends is None else None
    x = rng.integers(0, 256, (20, 40, 6)).astype(np.uint8) if x is None else x
    mine, theirs = engine.run(x), tflm(network, x)
    assert mine.dtype == theirs.dtype == (np.float32 if ends is None else np.uint8)
    assert np.array_equal(mine, theirs.reshape(mine.shape))


@pytest.mark.parametrize("begin, end, strides, masks", [
    ((0, 2), (1, 5), (1, 1), {"ellipsisMask": 1}),
    ((0, 0, 1), (1, 0, -1), (1, 1, 2), {"ellipsisMask": 2}),
    ((0, 0, 1, 0), (1, 0, 4, 9), (1, 1, 1, 3), {"newAxisMask": 2}),
    ((0, 5), (1, -6), (1, -2), {"beginMask": 1}),
])  # fmt: skip
def test_strided_slices_that_only_tensorflow_runs(keras, begin, end, strides, masks):
    """Ellipsis, new axes, and fewer indices than axes: tflite-micro leaves those out."""
    from builder import Net, S

    from tinykit.engine import Runtime

    rng = np.random.default_rng(8)
    net = Net(rng, (1, 6, 7))
    options, index = S.StridedSliceOptionsT(), []
    for name, value in masks.items():
        setattr(options, name, value)
    for i, (b, e, s) in enumerate(zip(begin, end, strides, strict=True)):
        marks = {name: value >> i & 1 for name, value in masks.items()}
        index.append(... if marks.get("ellipsisMask") else None if marks.get("newAxisMask") else slice(b, e, s))
    shape = np.zeros((1, 6, 7))[tuple(index)].shape
    ints = [net.ints(v) for v in (begin, end, strides)]
    net.op("STRIDED_SLICE", [net.last, *ints], net.like(shape), options)
    x = rng.integers(-128, 128, (3, 6, 7)).astype(np.int8)
    mine, theirs = Runtime(net.bytes()).run(x), by_tensorflow(net.bytes(), x)
    assert np.array_equal(mine.ravel(), theirs.ravel())
