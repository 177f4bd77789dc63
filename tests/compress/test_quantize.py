import numpy as np
import pytest

from tinykit import compress, models
from tinykit.data import Dataset, Recording
from tinykit.errors import DataError, ModelError
from tinykit.features import features


def waves(person, seed, takes=8, rows=40):
    """Two made-up gestures and rest, three axes at 40 Hz."""
    rng, t = np.random.default_rng(seed), np.arange(rows) / rows
    for label, axis in (("across", 0), ("upward", 2), ("negative", None)):
        for k in range(takes):
            x = rng.normal(size=(rows, 3)) * 0.02 + [0, 1, 0]
            if axis is not None:
                x[:, axis] += np.sin(2 * np.pi * t) * rng.uniform(0.7, 1.2)
            yield Recording(x, ("aX", "aY", "aZ"), 40.0, label, person=person, id=f"{label}-{person}-{k}")


@pytest.fixture(scope="module")
def sides():
    return Dataset([*waves("ann", 1), *waves("bob", 2)]), Dataset(waves("cem", 3))


@pytest.fixture(scope="module")
def pipeline(sides):
    return models.train("gesture", sides[0], epochs=12, progress=False)


@pytest.fixture(scope="module")
def small(pipeline, sides):
    return compress.quantize(pipeline, sides[0])


@pytest.fixture(scope="module")
def interpreter(small):
    tf = pytest.importorskip("tensorflow")
    made = tf.lite.Interpreter(model_content=small.int8_model)
    made.allocate_tensors()
    return made


def test_input_and_output_are_int8_with_a_fixed_batch(small, interpreter):
    given, answer = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    assert given["dtype"] is np.int8 and given["shape"].tolist() == [1, 40, 3]
    assert answer["dtype"] is np.int8 and answer["shape"].tolist() == [1, 3]
    assert answer["quantization"] == (1 / 256, -128)
    assert list(given["shape_signature"]) == [1, 40, 3]


def test_nothing_is_left_in_float(interpreter):
    kinds = {str(np.dtype(t["dtype"])) for t in interpreter.get_tensor_details()}
    assert kinds <= {"int8", "int32"}


def test_weights_are_scaled_per_channel_and_batch_normalisation_is_folded(interpreter):
    ops = [op["op_name"] for op in interpreter._get_ops_details()]
    assert (
        {"CONV_2D", "SOFTMAX"}
        <= set(ops)
        <= {
            "RESHAPE",
            "CONV_2D",
            "DEPTHWISE_CONV_2D",
            "MAX_POOL_2D",
            "AVERAGE_POOL_2D",
            "FULLY_CONNECTED",
            "SOFTMAX",
            "ADD",
            "MEAN",
            "DELEGATE",
        }
    )
    kernels = [
        t
        for t in interpreter.get_tensor_details()
        if len(t["shape"]) == 4 and t["shape"][0] in (16, 24, 32) and t["quantization_parameters"]["scales"].size > 1
    ]
    assert sorted(k["quantization_parameters"]["scales"].size for k in kernels) == [16, 24, 32]


@pytest.mark.parametrize("name", ["dscnn", "cnn2d", "dense"])
def test_the_other_networks_convert_too(sides, name):
    made = compress.quantize(models.train("gesture", sides[0], model=name, epochs=2, progress=False), sides[0])
    assert made.int8_model and made.provenance["model"] == name


def test_int8_answers_as_float_does(pipeline, small, sides):
    windows = models.test_windows(pipeline, sides[1])
    p = models.predict(pipeline, windows.counts)
    q = (compress.reference_answers(small, windows.counts).astype(float) + 128) / 256
    assert np.abs(p - q).max() < 0.1
    assert (p.argmax(1) == q.argmax(1)).mean() >= 0.95


def test_it_is_the_same_each_time_and_leaves_the_float_network(pipeline, small, sides):
    assert compress.quantize(pipeline, sides[0]).int8_model == small.int8_model
    assert small.float_model == pipeline.float_model and pipeline.int8_model is None


def test_the_range_of_the_input_is_that_of_the_training_windows(small, sides, interpreter):
    seen = features(compress.calibration(small, sides[0]), small.front_end)
    scale, zero = interpreter.get_input_details()[0]["quantization"]
    low, high = (-128 - zero) * scale, (127 - zero) * scale
    assert low == pytest.approx(seen.min(), abs=scale) and high == pytest.approx(seen.max(), abs=scale)


def test_calibration_has_about_as_many_windows_of_each_label(pipeline, sides):
    train, _ = sides
    lopsided = train.select(lambda r: r.label != "across" or r.person == "ann")
    counts = compress.calibration(pipeline, lopsided, n=18)
    assert counts.shape == (18, 40, 3) and counts.dtype == np.int16
    windows = lopsided.windows(40)
    labels = [windows.labels[(windows.counts == row).all(axis=(1, 2))][0] for row in counts]
    assert np.bincount(labels).tolist() == [6, 6, 6]


def test_calibration_uses_no_row_of_the_test_side(pipeline, sides):
    train, test = sides
    counts = compress.calibration(pipeline, train)
    known = {row.tobytes() for row in np.concatenate([r.counts() for r in train.recordings])}
    assert all(row.tobytes() in known for row in counts.reshape(-1, 3))
    strange = {row.tobytes() for row in np.concatenate([r.counts() for r in test.recordings])} - known
    assert not any(row.tobytes() in strange for row in counts.reshape(-1, 3))


def test_recordings_that_were_not_trained_on_are_refused(pipeline, sides):
    train, test = sides
    with pytest.raises(DataError, match="24 of 24 recordings for calibration were not trained on.*cem"):
        compress.quantize(pipeline, test)
    both = Dataset([*train.recordings, test.recordings[0]])
    with pytest.raises(DataError, match="1 of 49"):
        compress.quantize(pipeline, both)
    with pytest.raises(DataError, match="no recordings to calibrate"):
        compress.quantize(pipeline, Dataset([]))


def test_a_pipeline_without_a_network_is_refused(pipeline, sides):
    with pytest.raises(ModelError, match="no float network"):
        compress.quantize(pipeline.with_(float_model=None), sides[0])
    with pytest.raises(ModelError, match="no int8 network"):
        compress.reference_answers(pipeline, np.zeros((1, 40, 3), np.int16))
