import sys

import numpy as np
import pytest

from tinykit import models
from tinykit.errors import DataError, ModelError
from tinykit.models.material import Material
from tinykit.pipeline import Pipeline


def test_keras_is_the_second_and_quiet(capfd):
    k = models.keras()
    assert k.__name__ == "tf_keras" and k.__version__.startswith("2.")
    assert capfd.readouterr().err == ""


def test_it_learns_what_is_easy_on_a_person_it_has_not_seen(trained):
    pipeline, train, test = trained
    report = models.evaluate(pipeline, test)
    assert report.accuracy > 0.85  # by chance: 0.33
    assert report.per_person.keys() == {"cem"}


def test_the_pipeline_says_where_it_came_from(trained):
    pipeline, train, _ = trained
    facts = pipeline.provenance
    assert pipeline.labels == ("across", "negative", "upward")
    assert facts["fingerprint"] == train.fingerprint and facts["persons"] == ["ann", "bob"]
    assert len(facts["recordings"]) == len(train) and len(facts["history"]["loss"]) == 12
    assert facts["history"]["loss"][-1] < facts["history"]["loss"][0]


def test_the_same_seed_gives_the_same_network_and_another_seed_another(trained, tmp_path):
    pipeline, train, _ = trained
    again = models.train("gesture", train, seed=1, epochs=12, progress=False)
    assert again.fingerprint == pipeline.fingerprint
    assert again.save(tmp_path / "a.tk").read_bytes() == pipeline.save(tmp_path / "b.tk").read_bytes()
    other = models.train("gesture", train, seed=2, epochs=12, progress=False)
    assert other.fingerprint != pipeline.fingerprint


def test_it_saves_and_answers_the_same_after_loading(trained, tmp_path):
    pipeline, _, test = trained
    counts = models.test_windows(pipeline, test).counts
    loaded = Pipeline.load(pipeline.save(tmp_path / "p.tk"))
    np.testing.assert_array_equal(models.predict(loaded, counts), models.predict(pipeline, counts))


def test_validation_is_watched_and_stops_training(gestures):
    train, validation = gestures.select(persons="ann"), gestures.select(persons="bob")
    seen = []
    pipeline = models.train("gesture", train, validation, epochs=8, progress=lambda *what: seen.append(what))
    history = pipeline.provenance["history"]
    assert [done for done, _, _ in seen] == list(range(1, len(history["loss"]) + 1)) and seen[0][1] == 8
    assert len(history["validation_loss"]) == len(history["loss"])
    assert pipeline.provenance["validation"]["persons"] == ["bob"]
    kept = models.evaluate(pipeline, validation)
    assert kept.accuracy == pytest.approx(pipeline.provenance["validation"]["accuracy"], abs=1e-4)


def test_the_best_weights_are_kept(gestures):
    train, validation = gestures.select(persons="ann"), gestures.select(persons="bob")
    pipeline = models.train("gesture", train, validation, epochs=6, progress=False)
    windows = models.test_windows(pipeline, validation)
    p = models.predict(pipeline, windows.counts)
    error = -np.log(p[np.arange(len(p)), windows.labels] + 1e-7).mean()
    assert error == pytest.approx(min(pipeline.provenance["history"]["validation_loss"]), abs=2e-3)


def test_a_recording_on_two_sides_is_refused(gestures):
    with pytest.raises(DataError, match="72 recordings are in training and in validation"):
        models.train("gesture", gestures, gestures, progress=False)


def test_what_cannot_be_trained_is_refused(gestures):
    with pytest.raises(ModelError, match="no kind 'sound'"):
        models.train("sound", gestures)
    with pytest.raises(ModelError, match="no model 'resnet'"):
        models.train("gesture", gestures, model="resnet")
    with pytest.raises(DataError, match="one label"):
        models.train("gesture", gestures.select(labels="across"))
    with pytest.raises(DataError, match="empty"):
        models.train("gesture", gestures.select(persons="nobody"))
    with pytest.raises(DataError, match="validation dataset is empty"):
        models.train("gesture", gestures, gestures.select(persons="nobody"))


def test_windows_of_another_shape_are_refused(trained):
    pipeline, _, test = trained
    counts = models.test_windows(pipeline, test).counts
    with pytest.raises(DataError, match=r"expected \(n, 40, 6\)"):
        models.predict(pipeline, counts[..., :3])
    with pytest.raises(DataError, match=r"expected \(n, 40, 6\)"):
        models.predict(pipeline, counts[:, :30])


def test_a_dataset_without_the_pipeline_s_axes_is_refused(trained, make_gestures):
    with pytest.raises(DataError, match="gX,gY,gZ is missing"):
        models.evaluate(trained[0], make_gestures(channels=3))


def test_labels_that_the_pipeline_does_not_know_count_as_wrong(trained):
    pipeline, _, test = trained
    renamed = test.part([r.with_(label="circle") if r.label == "across" else r for r in test.recordings])
    report = models.evaluate(pipeline, renamed)
    assert report.accuracy <= 2 / 3 and (report.truth == -1).sum() == 8


def test_drawing_in_the_middle_at_true_speed_gives_the_data_room_s_windows(gestures):
    material = Material(gestures.recordings, gestures.labels, 40.0, gestures.channels)
    x, y = material.draw(np.random.default_rng(0), 40)
    windows = gestures.windows(40, None, 40.0)
    np.testing.assert_allclose(x, windows.counts, atol=1e-2)
    np.testing.assert_array_equal(y, windows.labels)


def test_a_stream_s_window_has_its_majority_label():
    from tinykit.data import Dataset, Recording

    rows = np.array(["walk"] * 300 + ["sit"] * 200)
    samples = np.repeat((rows == "sit").astype(float)[:, None], 3, axis=1)  # the signal is the label
    stream = Dataset([Recording(samples, ("aX", "aY", "aZ"), 50.0, row_labels=rows, person="p")])
    x, y = Material(stream.recordings, stream.labels, 50.0, stream.channels).draw(np.random.default_rng(1), 100)
    share = (x[..., 0] > 4000).mean(axis=1)  # of "sit"
    clear = np.abs(share - 0.5) > 0.02
    assert clear.sum() >= 8 and set(y) == {0, 1}
    np.testing.assert_array_equal(y[clear] == stream.labels.index("sit"), share[clear] > 0.5)


def test_importing_the_room_does_not_load_tensorflow():
    import subprocess

    code = "import sys, tinykit.models, tinykit.compress; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0
