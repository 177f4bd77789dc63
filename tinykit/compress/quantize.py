"""A float network to full int8: weights, activations, input and output.

Post-training quantisation as in Jacob et al. 2018 (arXiv:1712.05877) by TensorFlow's own
converter: one scale a channel for weights, one a tensor for activations. The ranges of the
activations come from windows of the training side only; of sound, half of them changed and made
noisy as in training.
"""

from __future__ import annotations

import numpy as np

from ..data.keywords import words_of
from ..errors import DataError, ModelError
from ..features import features, quantized
from ..models import keyword
from ..models.backend import quiet, tensorflow
from ..models.predict import network

WINDOWS = 300


def calibration(pipeline, train, n: int = WINDOWS, seed: int = 0) -> np.ndarray:
    """Windows from which the converter learns the ranges: about as many of each label.

    Parameters
    ----------
    pipeline : Pipeline
    train : Dataset
        Recordings that the pipeline was trained on, all or some of them.
    n : int
        At most so many windows.
    seed : int

    Returns
    -------
    int16 array of shape (m, window, c)

    Raises
    ------
    DataError
        Nothing is there, or a recording is not one that the pipeline was trained on.
    """
    if not len(train):
        raise DataError("There are no recordings to calibrate with.", "Give the training side of the split.")
    if pipeline.kind == "keyword":
        words = [w for w in words_of(pipeline.labels) if w in train.labels]
        train = keyword.task(train, words, (), seed)
    known = set(pipeline.provenance.get("recordings", ()))
    if known:
        strange = [r for r in train.recordings if r.fingerprint[:12] not in known]
        if strange:
            raise DataError(
                f"{len(strange)} of {len(train)} recordings for calibration were not trained on, the first is "
                f"{strange[0].id or strange[0].source}.",
                "Give the training side: tk.quantize(pipeline, train). Test data must not shape the network.",
            )
    windows = train.windows(pipeline.window, None, pipeline.rate_hz, pipeline.front_end.channels, pipeline.labels)
    rng = np.random.default_rng(seed)
    share = -(-n // len(pipeline.labels))
    rows = []
    for label in range(len(pipeline.labels)):
        mine = np.flatnonzero(windows.labels == label)
        rows.append(rng.permutation(mine)[:share])
    rows = np.sort(np.concatenate(rows))
    if not len(rows):
        raise DataError(
            "No window for calibration has a label of the pipeline.", "Give the training side of the split."
        )
    counts = windows.counts[rows if len(rows) <= n else np.sort(rng.permutation(rows)[:n])]
    return keyword.half_noisy(rng, counts) if pipeline.kind == "keyword" else counts


def quantize(pipeline, train, *, windows: int = WINDOWS, seed: int = 0):
    """The pipeline with a full int8 network.

    Parameters
    ----------
    pipeline : Pipeline
        With a float network.
    train : Dataset
        What it was trained on; calibration uses nothing else, and refuses anything else.
    windows : int
        At most so many windows for calibration.
    seed : int
        Which windows.

    Returns
    -------
    Pipeline
        A copy with ``int8_model``: a .tflite with one input of (1, window, features) int8
        and one output of (1, labels) int8 (scale 1/256, zero point -128).

    Raises
    ------
    DataError
        No recordings, or recordings that were not trained on.
    ModelError
        The pipeline has no float network, or the converter cannot quantise it.
    """
    model = network(pipeline)
    seen = features(calibration(pipeline, train, windows, seed), pipeline.front_end)
    data = _convert(model, seen)
    _check(data)
    facts = {"windows": len(seen), "recordings": "training side", "bytes": len(data)}
    return pipeline.with_(int8_model=data, provenance={**pipeline.provenance, "quantized": facts})


def convert_untrained(model, seed: int = 0) -> tuple[bytes, str]:
    """A Keras model as full int8, its ranges from random values: good for its cost, not for its answers.

    Parameters
    ----------
    model : Keras model
        With one input of fixed size.
    seed : int

    Returns
    -------
    data : bytes
        A .tflite.
    name : str
        The model's.

    Raises
    ------
    ModelError
        Its input is open, there are several, or the converter cannot quantise it.
    """
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple) or len(shape) < 2 or None in shape[1:]:
        raise ModelError(
            f"The input of {model.name} has shape {shape}, expected one input of a fixed size.",
            "Give it one: keras.Input((60, 6)).",
        )
    seen = np.random.default_rng(seed).normal(0, 1, (16, *shape[1:])).astype(np.float32)
    return _convert(model, seen), model.name


def _convert(model, seen) -> bytes:
    tf = tensorflow()
    # A fixed batch of one: with an open batch, Reshape would compute its shape at run time.
    call = tf.function(lambda x: model(x, training=False)).get_concrete_function(
        tf.TensorSpec((1, *seen.shape[1:]), tf.float32, name="window")
    )
    converter = tf.lite.TFLiteConverter.from_concrete_functions([call], model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([row[None]] for row in seen)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    try:
        with quiet():
            return converter.convert()
    except Exception as error:  # the converter raises many kinds, all with a long trace of its own
        raise ModelError(
            f"The network cannot be quantised: {str(error).splitlines()[0]}.",
            "Use a network of tinykit.models.zoo.",
        ) from error


def _check(data: bytes) -> None:
    """The network takes int8 and gives int8."""
    with quiet():
        interpreter = tensorflow().lite.Interpreter(model_content=data)
    for side in (*interpreter.get_input_details(), *interpreter.get_output_details()):
        if side["dtype"] is not np.int8:
            raise ModelError(
                f"The converter left {side['name']} as {np.dtype(side['dtype'])}, expected int8.",
                "Use a network of tinykit.models.zoo.",
            )


def reference_answers(pipeline, counts) -> np.ndarray:
    """Answers of the int8 network by TensorFlow's own reference kernels, on the device's features.

    The engine's answers (``tinykit.engine.answers``) are what a board gives; these are here
    to compare with, and differ from them by a step or two in fully connected layers.

    Parameters
    ----------
    pipeline : Pipeline
        With an int8 network.
    counts : int16 array of shape (n, window, c)

    Returns
    -------
    int8 array of shape (n, labels)
    """
    if not pipeline.int8_model:
        raise ModelError(f"Pipeline {pipeline.name} has no int8 network.", "Make one: tk.quantize(pipeline, train).")
    lite = tensorflow().lite
    with quiet():
        interpreter = lite.Interpreter(
            model_content=pipeline.int8_model,
            experimental_op_resolver_type=lite.experimental.OpResolverType.BUILTIN_REF,
        )
        interpreter.allocate_tensors()
    given, answer = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero = given["quantization"]
    made = np.empty((len(counts), len(pipeline.labels)), np.int8)
    for i, row in enumerate(quantized(counts, pipeline.front_end, scale, zero)):
        interpreter.set_tensor(given["index"], row.reshape(given["shape"]))
        interpreter.invoke()
        made[i] = interpreter.get_tensor(answer["index"]).ravel()
    return made
