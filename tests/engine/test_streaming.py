"""Answers to a long sound: those of the single windows, in the places where the device gives them."""

from types import SimpleNamespace

import numpy as np
import pytest

from tinykit import errors
from tinykit.engine import evaluation, streaming
from tinykit.pipeline import ImuFrontEnd, MelFrontEnd, Pipeline

LABELS = ("silence", "unknown", "yes", "no")


@pytest.fixture(scope="module")
def pipeline():
    """A keyword pipeline whose network was not trained, so that it says something about any sound."""
    from tinykit.compress.quantize import _convert
    from tinykit.models import keras

    k = keras()
    k.utils.set_random_seed(3)
    front = MelFrontEnd(mean=(-6.0,) * 40, scale=(0.4,) * 40)
    x = inputs = k.Input((49, 40))
    x = k.layers.Reshape((49, 40, 1))(x)
    x = k.layers.Conv2D(4, (7, 9), strides=(4, 4), activation="relu", kernel_initializer="glorot_normal")(x)
    x = k.layers.Dense(4, activation="softmax")(k.layers.Flatten()(x))
    seen = np.random.default_rng(0).normal(size=(20, 49, 40)).astype(np.float32)
    data = _convert(k.Model(inputs, x), seen)
    return Pipeline("yes-no", "keyword", 16000.0, 16000, 1600, front, LABELS, int8_model=data)


@pytest.fixture(scope="module")
def sound():
    rng = np.random.default_rng(1)
    loud = np.repeat(10 ** rng.uniform(1, 4, 8 * 20), 800)[: 8 * 16000 - 123]
    return np.clip(rng.normal(size=len(loud)) * loud, -32768, 32767).astype(np.int16)


def test_answers_are_those_of_the_windows_one_by_one(pipeline, sound):
    got = streaming.stream_answers(pipeline, sound)
    starts = np.arange(0, len(sound) - 15840 + 1, 1600)
    padded = np.concatenate([sound, np.zeros(16000, np.int16)])  # the last frame ends before the window does
    windows = np.stack([padded[a : a + 16000] for a in starts])
    assert np.array_equal(got.answers, evaluation.answers(pipeline, windows))
    assert got.times_s == pytest.approx((starts + 48 * 320 + 480) / 16000)
    assert len(np.unique(got.answers, axis=0)) > 20
    assert got.seconds == len(sound) / 16000 and got.labels == LABELS


def test_a_recording_and_its_samples_give_the_same(pipeline, sound):
    from tinykit.data import sound as recording_of

    one = streaming.stream_answers(pipeline, recording_of(sound))
    two = streaming.stream_answers(pipeline, sound[:, None])
    assert np.array_equal(one.answers, two.answers) and one.fingerprint == two.fingerprint
    assert streaming.stream_answers(pipeline, sound[1:]).fingerprint != one.fingerprint


def test_many_chunks_are_joined_in_order(pipeline, sound, monkeypatch):
    whole = streaming.stream_answers(pipeline, sound)
    monkeypatch.setattr(streaming, "_CHUNK", 7)
    assert np.array_equal(streaming.stream_answers(pipeline, sound).answers, whole.answers)


def test_predictions_of_a_board_become_the_same_value(pipeline, sound):
    host = streaming.stream_answers(pipeline, sound)
    said = [
        SimpleNamespace(number=10 + i, device_time_s=7.5 + t, raw=tuple(int(v) for v in a))
        for i, (t, a) in enumerate(zip(host.times_s, host.answers, strict=True))
    ]
    early = SimpleNamespace(number=9, device_time_s=7.4, raw=(0, 0, 0, 0))
    board = streaming.StreamAnswers.of_predictions([early, *said], pipeline, 7.5, sound)
    assert np.array_equal(board.answers, host.answers) and board.times_s == pytest.approx(host.times_s)
    assert board.skipped == 0 and board.fingerprint == host.fingerprint
    assert streaming.StreamAnswers.of_predictions(said[:3] + said[5:], pipeline, 7.5, sound).skipped == 2
    assert len(streaming.StreamAnswers.of_predictions([], pipeline, 0, sound)) == 0


@pytest.mark.parametrize(
    "bad, words",
    [
        (np.zeros(100, np.int16), "shorter than one window"),
        (np.zeros(20000, np.float32), "must be int16"),
        (np.zeros((20000, 2), np.int16), "must be int16"),
    ],
)
def test_sounds_that_are_none_are_refused(pipeline, bad, words):
    with pytest.raises(errors.DataError, match=words):
        streaming.stream_answers(pipeline, bad)


def test_other_pipelines_and_rates_are_refused(pipeline, sound):
    from tinykit.data import sound as recording_of

    with pytest.raises(errors.DataError, match="8000 Hz"):
        streaming.stream_answers(pipeline, recording_of(sound, 8000))
    with pytest.raises(errors.ModelError, match="not to sound"):
        streaming.stream_answers(pipeline.with_(front_end=ImuFrontEnd()), sound)
    with pytest.raises(errors.DataError, match="order of their times"):
        streaming.StreamAnswers([2.0, 1.0], np.zeros((2, 4), np.int8), LABELS, 3)
