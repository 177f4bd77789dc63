import numpy as np
import pytest

from tinykit import compress, engine, models
from tinykit.data import Dataset, Recording, keywords
from tinykit.errors import DataError, ModelError
from tinykit.features import features
from tinykit.models import keyword, zoo_keyword
from tinykit.models.sound import SoundAugment
from tinykit.pipeline import MelFrontEnd, Pipeline

RATE = 16000
WORDS = ("rise", "fall")


def said(word, person, seed):
    """Half a second of a gliding tone in a second of faint noise: up, down or level."""
    rng = np.random.default_rng(seed)
    n = RATE // 2
    t = np.arange(n) / n
    start, end = {"rise": (400, 2400), "fall": (2400, 400), "level": (1000, 1000)}[word]
    voice = 1.0 + 0.2 * rng.normal()
    phase = 2 * np.pi * np.cumsum(voice * (start + (end - start) * t)) / RATE
    x = rng.normal(size=RATE) * 0.002
    first = RATE // 4 + rng.integers(-800, 800)
    x[first : first + n] += 0.3 * rng.uniform(0.5, 1.5) * np.sin(phase) * np.sin(np.pi * t)
    return Recording(x[:, None], ("audio",), RATE, word, person=person, id=f"{word}-{person}-{seed}")


def people(*names, takes=6):
    return [
        said(word, name, 1000 * i + 10 * k + j)
        for i, name in enumerate(names)
        for j, word in enumerate((*WORDS, "level"))
        for k in range(takes)
    ]


@pytest.fixture(scope="module")
def sides():
    whole = Dataset(people("ann", "bob", "cem", "dan"), {"name": "glides", "synthetic": True})
    return whole.select(persons=("ann", "bob", "cem")), whole.select(persons="dan")


@pytest.fixture(scope="module")
def pipeline(sides):
    return models.train("keyword", sides[0], words=WORDS, model="tiny_conv", epochs=8, seed=1, progress=False)


@pytest.fixture(scope="module")
def small(pipeline, sides):
    return compress.quantize(pipeline, sides[0])


def test_it_learns_what_is_easy_of_a_person_it_has_not_heard(pipeline, sides):
    assert pipeline.kind == "keyword" and pipeline.labels == ("silence", "unknown", *WORDS)
    assert pipeline.input_shape == (49, 40) and pipeline.sensor == "mic"
    report = models.evaluate(pipeline, keywords(sides[1], WORDS))
    assert report.accuracy > 0.8  # by chance: 0.33


def test_every_word_that_it_does_not_know_is_unknown_in_a_test(pipeline, sides):
    raw, ready = models.evaluate(pipeline, sides[1]), models.evaluate(pipeline, keywords(sides[1], WORDS))
    np.testing.assert_array_equal(raw.truth, ready.truth)
    assert raw.accuracy == ready.accuracy and set(raw.truth) == {1, 2, 3}


def test_int8_answers_on_this_computer_nearly_as_well(pipeline, small, sides):
    test = keywords(sides[1], WORDS)
    counts = models.test_windows(small, test).counts
    both = models.predict(pipeline, counts).argmax(1), engine.answers(small, counts).argmax(1)
    assert (both[0] == both[1]).mean() > 0.9
    assert engine.evaluate(small, test).accuracy > 0.75
    assert small.provenance["quantized"]["recordings"] == "training side"


def test_the_pipeline_says_where_it_came_from(pipeline, sides):
    facts = pipeline.provenance
    assert facts["persons"] == ["ann", "bob", "cem"] and facts["synthetic"] is True and facts["noise"] == []
    assert facts["takes"] == {"unknown": 18, "rise": 18, "fall": 18} and len(facts["recordings"]) == len(sides[0])
    assert facts["model"] == "tiny_conv" and len(facts["history"]["loss"]) == 8 and facts["seed"] == 1


def test_the_same_seed_gives_the_same_network_and_another_seed_another(pipeline, sides):
    again = models.train("keyword", sides[0], words=WORDS, model="tiny_conv", epochs=8, seed=1, progress=False)
    other = models.train("keyword", sides[0], words=WORDS, model="tiny_conv", epochs=8, seed=2, progress=False)
    assert again.fingerprint == pipeline.fingerprint != other.fingerprint


def test_a_dataset_that_has_keyword_labels_is_taken_as_it_is(pipeline, sides):
    ready = keywords(sides[0], WORDS, unknown_share=None)
    again = models.train("keyword", ready, model="tiny_conv", epochs=8, seed=1, progress=False)
    assert again.fingerprint == pipeline.fingerprint


def test_it_saves_and_answers_the_same_after_loading(small, sides, tmp_path):
    loaded = Pipeline.load(small.save(tmp_path / "p.tk"))
    counts = models.test_windows(small, sides[1]).counts
    assert loaded.front_end == small.front_end and loaded.fingerprint == small.fingerprint
    np.testing.assert_array_equal(engine.answers(loaded, counts), engine.answers(small, counts))


def test_mean_and_scale_are_those_of_what_training_hears(sides):
    counts = np.stack([r.counts()[:, 0] for r in sides[0]])
    for front_end in (MelFrontEnd(), MelFrontEnd(coefficients=10)):
        seen = features(counts[..., None], keyword.measured(front_end, counts))
        np.testing.assert_allclose(seen.mean(axis=(0, 1)), 0, atol=2e-3)
        assert seen.std() == pytest.approx(1, abs=0.02)


def test_validation_is_watched(sides):
    seen = []
    made = models.train(
        "keyword",
        sides[0],
        sides[1],
        words=WORDS,
        model="tiny_conv",
        epochs=3,
        progress=lambda *what: seen.append(what),
    )
    assert [done for done, _, _ in seen] == [1, 2, 3] and "validation accuracy" in seen[0][2]
    assert (
        made.provenance["validation"]["persons"] == ["dan"] and len(made.provenance["history"]["validation_loss"]) == 3
    )


def test_a_side_may_lack_a_word(pipeline, sides):
    fewer = [side.select(lambda r: r.label != "rise") for side in sides]
    assert compress.quantize(pipeline, fewer[0]).int8_model
    made = models.train("keyword", sides[0], fewer[1], words=WORDS, model="tiny_conv", epochs=1, progress=False)
    assert made.provenance["validation"]["n"] == 12


def test_minutes_shorten_the_schedule(sides):
    made = models.train("keyword", sides[0], words=WORDS, model="tiny_conv", epochs=500, minutes=0.02, progress=False)
    assert len(made.provenance["history"]["loss"]) < 100


def noise_folder(path):
    import soundfile

    path.mkdir()
    for i, name in enumerate(("fan", "street", "rain", "kitchen", "bells")):
        soundfile.write(path / f"{name}.wav", 0.1 * np.random.default_rng(i).normal(size=3 * RATE), RATE)
    return path


def test_noise_of_the_testing_side_is_not_heard_in_training(sides, tmp_path):
    from tinykit.data.noise import open_noise

    folder = noise_folder(tmp_path / "background_noise")
    side = {r.word: r.split for r in open_noise(folder)}
    whole = Dataset(sides[0].recordings, {"name": "glides", "noise": str(folder)})
    heard = {r.word for r in keyword.recorded_noise(whole)}
    assert heard == {word for word, where in side.items() if where != "testing"} and len(heard) == 4
    assert {r.word for r in keyword.recorded_noise(whole, side="training")} == {
        word for word, where in side.items() if where == "training"
    }
    assert len(keyword.recorded_noise(whole, folder)) == 5  # given by hand: all of it
    assert {
        r.word for r in keyword.task(whole, WORDS, keyword.recorded_noise(whole), 0) if r.label == "silence"
    } <= heard


def test_calibration_refuses_recordings_that_were_not_trained_on(pipeline, sides):
    with pytest.raises(DataError, match="were not trained on"):
        compress.quantize(pipeline, sides[1])


def test_calibration_hears_noise_and_silence(pipeline, sides):
    counts = compress.quantize.__globals__["calibration"](pipeline, sides[0], 60)
    clean = models.test_windows(pipeline, sides[0]).counts
    known = {x.tobytes() for x in clean}
    same = sum(x.tobytes() in known for x in counts)
    assert len(counts) > 40 and 0.3 < same / len(counts) < 0.7


@pytest.mark.parametrize(
    "change, words",
    [
        (dict(words=("rise", "shout")), "no recordings of 'shout'"),
        (dict(model="resnet"), "no model 'resnet'.*res_time"),
        (dict(minutes=0), "minutes is 0"),
        (dict(window_s=2.0), "window_s is a setting of kind 'gesture'"),
    ],
)
def test_what_cannot_be_is_refused(sides, change, words):
    with pytest.raises((DataError, ModelError), match=words):
        models.train("keyword", sides[0], epochs=1, progress=False, **{"words": WORDS, **change})


def test_too_few_recordings_of_a_word_are_refused(sides):
    few = sides[0].part([r for r in sides[0] if r.label != "rise"] + [r for r in sides[0] if r.label == "rise"][:3])
    with pytest.raises(DataError, match="'rise' has 3 recordings; at least 5"):
        models.train("keyword", few, words=WORDS, progress=False)


def test_movements_are_no_words():
    takes = [Recording(np.zeros((40, 6)), label="a", id=str(i)) for i in range(6)]
    with pytest.raises(DataError, match="is not sound"):
        models.train("keyword", Dataset(takes), progress=False)


def test_without_other_words_a_note_says_what_follows(sides):
    only = sides[0].select(labels=WORDS)
    made = models.train("keyword", only, model="tiny_conv", epochs=1, progress=False)
    assert made.labels == ("silence", "unknown", "fall", "rise")
    assert any("no other words" in note for note in made.provenance["notes"])


def test_an_epoch_is_fresh_and_whole(sides):
    side = keyword.task(sides[0], WORDS, [], 0)
    labels = ("silence", "unknown", *WORDS)
    clips = side.windows(RATE, None, RATE, ("audio",), labels)
    front_end = MelFrontEnd(scale=(1.0,) * 40, mean=(0.0,) * 40)
    bank = [np.random.default_rng(0).normal(size=2 * RATE).astype(np.float32)]
    batches = keyword.Batches(clips, bank, front_end, SoundAugment(spliced=0.0), labels, np.random.default_rng(0))
    (x, y), (x2, _) = batches.epoch(), batches.epoch()
    assert len(x) == len(y) == batches.steps * batches.size and x.shape[1:] == (49, 40)
    assert not np.array_equal(x, x2) and (y.sum(1) == 1).all()
    share = y.mean(0)
    assert share[0] == pytest.approx(0.15 / 1.15, abs=0.03) and share[2] == pytest.approx(share[3], abs=0.03)


def test_rare_words_are_heard_more_often_than_their_share():
    said = np.array(["bed"] * 16 + ["dog"] * 4 + ["off"])
    chance = keyword.even(said)
    totals = [chance[said == word].sum() for word in ("bed", "dog", "off")]
    np.testing.assert_allclose(totals, np.array([4, 2, 1]) / 7)


def test_simple_methods_are_scored_on_the_same_clips(sides):
    found = models.baselines(sides[0], keywords(sides[1], WORDS), words=WORDS)
    assert all(len(r) == len(keywords(sides[1], WORDS)) and r.accuracy > 0.6 for r in found.reports.values())
    assert found["random forest"].labels == ("silence", "unknown", *WORDS)


def test_the_hop_leaves_time_for_the_network():
    front_end = MelFrontEnd()
    quick, slow = (zoo_keyword.build(name, 49, width, 7) for name, width in (("tiny_conv", 40), ("ds_cnn", 10)))
    assert zoo_keyword.hop(quick, front_end, 0.1) == 1600
    assert zoo_keyword.hop(slow, front_end, 0.1) > 1600
    assert zoo_keyword.hop(slow, front_end, 0.1) % front_end.hop == 0
