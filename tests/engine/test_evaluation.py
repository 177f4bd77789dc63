"""Evaluating and comparing pipelines: the answers behind the numbers are the reference's."""

import io

import numpy as np
import pytest
from builder import Net
from golden import tflm

import tinykit as tk
from tinykit.engine import answers
from tinykit.engine import compare as compare_pipelines
from tinykit.errors import DataError, ModelError
from tinykit.features import quantized
from tinykit.pipeline import ImuFrontEnd, Pipeline

WINDOW, RATE = 40, 59.5
FRONT = ImuFrontEnd(center=True, magnitude=("a",), scale=(1e-4,) * 7)


@pytest.fixture(scope="module")
def dataset():
    whole = tk.sample("gestures")
    return whole.select(lambda r: r.person == whole.persons[0])


def pipeline(dataset, **changes) -> Pipeline:
    net = Net(np.random.default_rng(4), (1, WINDOW, 7), 0.05, 0).reshape((1, 1, WINDOW, 7))
    net.conv(8, (1, 5), (1, 2), activation="RELU").reduce("MEAN", (1, 2))
    network = net.dense(len(dataset.labels), scale=0.03, zero=0).softmax().bytes()
    fields = dict(name="t", kind="gesture", rate_hz=RATE, window=WINDOW, hop=10, front_end=FRONT,
                  labels=tuple(dataset.labels), int8_model=network)  # fmt: skip
    return Pipeline(**{**fields, **changes})


def test_evaluate_scores_the_references_answers(dataset):
    p = pipeline(dataset)
    windows = dataset.windows(WINDOW, None, RATE, FRONT.channels, p.labels)
    x = quantized(windows.counts, FRONT, float(np.float32(0.05)), 0)  # as the file keeps it
    theirs = tflm(p.int8_model, x).reshape(len(x), -1)
    assert np.array_equal(answers(p, windows.counts), theirs)
    report = tk.evaluate(p, dataset)
    right = 0
    for take in np.unique(windows.takes):  # by hand: mean of a take's windows
        mine = windows.takes == take
        right += int(theirs[mine].astype(float).mean(axis=0).argmax() == windows.labels[mine][0])
    assert report.right == right and len(report) == len(dataset)


def test_answers_wants_the_pipelines_windows(dataset):
    with pytest.raises(DataError, match=r"\(n, 40, 6\)"):
        answers(pipeline(dataset), np.zeros((2, 30, 6), np.int16))


def test_a_changed_front_end_changes_the_answers(dataset):
    """No answer comes out of a cache that belongs to another pipeline."""
    p = pipeline(dataset)
    counts = dataset.windows(WINDOW, None, RATE, FRONT.channels, p.labels).counts[:40]
    other = p.with_(front_end=ImuFrontEnd(center=False, magnitude=("a",), scale=(1e-4,) * 7))
    assert not np.array_equal(answers(p, counts), answers(other, counts))


def test_no_network(dataset):
    with pytest.raises(ModelError, match="no network"):
        tk.evaluate(pipeline(dataset, int8_model=None), dataset)


def test_compare(dataset):
    keras = pytest.importorskip("tf_keras", reason="Needs tf_keras (pip install tinykit[lab]).")
    h5py = pytest.importorskip("h5py")
    from test_keras import quantised

    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((WINDOW, 7)),
            layers.Conv1D(6, 5, activation="relu"),
            layers.GlobalAveragePooling1D(),
            layers.Dense(len(dataset.labels), activation="softmax"),
        ]
    )
    buffer = io.BytesIO()
    small = quantised(model)
    with h5py.File(buffer, "w") as file:
        model.save(file)
    before = pipeline(dataset, int8_model=None, float_model=buffer.getvalue())
    after = pipeline(dataset, int8_model=small)
    found = compare_pipelines(before, after, on=dataset)
    assert found.float_bytes == 4 * (6 * (7 * 5 + 1) + len(dataset.labels) * 7)
    assert found.after.right == tk.evaluate(after, dataset).right
    assert found.before.right == tk.evaluate(before, dataset).right
    assert found.agreement == np.mean(found.before.predicted == found.after.predicted)
    assert found.loss == found.before.accuracy - found.after.accuracy
    assert "estimated" in repr(found) and "float32" in found._repr_html_()
    with pytest.raises(DataError, match="different window"):
        compare_pipelines(before.with_(window=41), after, on=dataset)
    with pytest.raises(ModelError, match="no int8 one"):
        compare_pipelines(before, before, on=dataset)


def test_a_difference_is_judged_take_by_take():
    """The sign test over takes that only one of two networks has right; checked against scipy where there is one."""
    from tinykit.engine.comparison import Comparison, _by_chance
    from tinykit.models import Report

    def told(after):
        before = Report(("a", "b"), [0] * 30, [0] * 25 + [1] * 5)
        return Comparison(before, Report(("a", "b"), [0] * 30, after), 0.0, 0, None)._difference()

    assert told([0] * 25 + [1] * 5) == "the same takes right"
    assert told([1] + [0] * 25 + [1] * 4) == "as many takes right"
    assert told([0] * 24 + [1] * 6) == "1 take of 30 fewer right: too small a difference to tell apart"
    assert told([0] * 15 + [1] * 15) == "10 takes of 30 fewer right"
    assert _by_chance(5, 0) == 2 / 32 and _by_chance(0, 6) == 2 / 64 and _by_chance(3, 3) == 1.0
    stats = pytest.importorskip("scipy.stats")
    for lost, won in ((1, 0), (7, 2), (12, 3), (40, 22)):
        assert _by_chance(lost, won) == pytest.approx(stats.binomtest(lost, lost + won).pvalue)
