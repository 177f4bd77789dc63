"""Your own word: on a backbone of random weights and tones for words, so that nothing has to be downloaded or long."""

import json
from pathlib import Path

import numpy as np
import pytest

import tinykit as tk
from tinykit import errors
from tinykit.data import Dataset, sound
from tinykit.models import backbone, word
from tinykit.models.keyword import measured
from tinykit.pipeline import MelFrontEnd

RATE = 16000
SHIPPED = Path(__file__).resolve().parents[2] / "data" / "backbone"


def glide(rng, low, high, seconds=0.5):
    """A gliding tone with an overtone and a little noise, in a second of near silence."""
    n = int(seconds * rng.uniform(0.85, 1.15) * RATE)
    pitch = np.exp(np.linspace(np.log(low), np.log(high), n)) * rng.uniform(0.9, 1.1)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    tone = (np.sin(phase) + 0.5 * np.sin(2 * phase)) * np.hanning(n) ** 0.3
    x = rng.normal(size=RATE) * 8
    at = rng.integers(0, RATE - n)
    x[at : at + n] += 4000 * tone
    return np.clip(x, -32768, 32767).astype(np.int16)


def takes_of(low, high, n, label="peep", seed=0, persons=4):
    rng = np.random.default_rng(seed)
    return [sound(glide(rng, low, high), label=label, person=f"p{i % persons}", id=f"{label}-{i}") for i in range(n)]


@pytest.fixture(scope="module")
def base():
    """A backbone that learnt nothing: random convolutions tell tones well enough."""
    from tinykit.models import keras

    k = keras()
    k.utils.set_random_seed(1)
    rng = np.random.default_rng(1)
    others = [glide(rng, high, high * rng.uniform(0.1, 1.2)) for high in rng.uniform(600, 3000, 250)]
    others += [(rng.normal(size=RATE) * 10 ** rng.uniform(0.5, 3)).astype(np.int16) for _ in range(50)]
    front_end = measured(MelFrontEnd(), np.stack(others))
    made = backbone.Backbone(backbone.network(49, 40), front_end, card={"kept_out": ["peep"]})
    stock = made.embed(np.stack(others))
    return backbone.Backbone(made.network, front_end, stock, np.array(["glide"] * 250 + ["noise"] * 50), made.card)


@pytest.fixture
def quick(monkeypatch, base):
    monkeypatch.setattr(word, "load", lambda: base)
    monkeypatch.setattr(word, "COPIES", 12)
    monkeypatch.setattr(word, "PIECES", 4)
    monkeypatch.setattr(word, "QUIET", 40)


@pytest.fixture(scope="module")
def learnt(base):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word, "load", lambda: base)
        for name, value in (("COPIES", 12), ("PIECES", 4), ("QUIET", 40)):
            patch.setattr(word, name, value)
        patch.setattr(word, "HEADS", 1)
        takes = takes_of(500, 2500, 12)
        return takes, word.train_word(takes, seed=3, progress=False)


def test_a_new_word_is_told_from_other_sounds(learnt):
    from tinykit.models import predict

    _, pipeline = learnt
    assert pipeline.kind == "keyword" and pipeline.labels == ("silence", "unknown", "peep")
    rng = np.random.default_rng(9)
    right = np.stack([glide(rng, 500, 2500) for _ in range(20)])
    wrong = np.stack([glide(rng, 2500, 500) for _ in range(20)])
    found, false = (predict(pipeline, x)[:, 2] for x in (right, wrong))
    assert np.mean(found[:, None] > false[None]) > 0.9, "area under the ROC curve"
    assert np.mean(false >= pipeline.decision.threshold) <= 0.1 < np.mean(found >= pipeline.decision.threshold)


def test_what_was_heard_is_written_down(learnt):
    takes, pipeline = learnt
    said = pipeline.provenance
    assert said["takes"] == {"peep": 12} and said["persons"] == ["p0", "p1", "p2", "p3"] and said["seed"] == 3
    assert said["recordings"] == [r.fingerprint[:12] for r in takes]
    assert said["word"]["left_out"] == 12 and 0 <= said["word"]["found"] <= 12
    assert said["word"]["false"] <= 0.01 * said["word"]["stock"] and said["notes"] == []


def test_it_can_be_quantised_with_its_takes(learnt):
    from tinykit.engine import answers
    from tinykit.models import predict

    takes, pipeline = learnt
    small = tk.quantize(pipeline, Dataset(takes))
    rng = np.random.default_rng(4)
    sounds = np.stack([glide(rng, *pair) for pair in [(500, 2500), (2500, 500), (900, 1000)] for _ in range(6)])
    exact, device = predict(pipeline, sounds), (answers(small, sounds) + 128.0) / 256
    assert np.abs(exact - device).mean() < 0.05


def test_the_same_seed_gives_the_same_network(quick):
    takes = takes_of(500, 2500, 6)
    one, two, other = (word.train_word(takes, seed=s, progress=False) for s in (1, 1, 2))
    assert one.fingerprint == two.fingerprint != other.fingerprint
    assert "Only 6 takes" in one.provenance["notes"][0]


def test_negatives_are_learnt_from(quick):
    """A sound that is taken for the word, given as a negative, is so less."""
    from tinykit.models import predict

    takes = takes_of(500, 2500, 8)
    near = takes_of(550, 2000, 6, label="unknown", seed=5)
    plain = word.train_word(takes, progress=False)
    told = word.train_word(takes, negatives=Dataset(near), progress=False)
    x = np.stack([r.counts()[:, 0] for r in takes_of(550, 2000, 12, seed=6)])
    assert predict(told, x)[:, 2].mean() < predict(plain, x)[:, 2].mean()


def test_progress_is_told(quick):
    told = []
    word.train_word(takes_of(500, 2500, 5, persons=1), progress=lambda *x: told.append(x))
    assert [t[0] for t in told] == [1, 2, 3, 4] and "takes found" in told[-1][2]


@pytest.mark.parametrize(
    "takes, name, words",
    [
        (takes_of(500, 900, 4), None, "There are 4 takes"),
        (takes_of(500, 900, 3) + takes_of(500, 900, 3, "other"), None, "must be of one word"),
        (takes_of(500, 900, 6, label="unknown"), None, "can't be the word's name"),
        ([sound(np.zeros(RATE, np.int16), label="x") for _ in range(6)], None, "Nothing is heard"),
    ],
)
def test_takes_that_can_teach_nothing_are_refused(quick, takes, name, words):
    with pytest.raises(errors.DataError, match=words):
        word.train_word(takes, name=name)


def test_the_word_is_cut_out_of_its_take():
    rng = np.random.default_rng(0)
    for _ in range(5):
        x = rng.normal(size=RATE) * 8
        x[5000:11000] += 3000 * np.sin(np.arange(6000) * 0.3)
        x[200:240] += 300 * rng.normal(size=40)
        cut = word.word_in(sound(x.astype(np.int16), label="a"))
        assert 6000 <= len(cut) <= 8800 and np.abs(cut[1000:6000]).mean() > 1000


def test_parts_of_a_word_are_not_the_word():
    clip = np.arange(1000, dtype=np.int16)
    made = word.not_the_word(np.random.default_rng(0), clip, 8)
    for i, piece in enumerate(made):
        assert not (len(piece) == 1000 and np.array_equal(piece, clip))
        assert len(piece) <= 560 if i % 4 < 2 else sorted(piece) == sorted(clip)


def test_backbone_is_saved_and_loaded(tmp_path, base):
    backbone.save(base, tmp_path)
    again = backbone.load(tmp_path)
    x = np.stack([glide(np.random.default_rng(3), 600, 1500)])
    assert again.embed(x) == pytest.approx(base.embed(x), rel=0.02, abs=0.02)
    assert np.abs(again.stock - base.stock).max() <= base.stock.max() / 255
    assert list(again.stock_words) == list(base.stock_words) and again.card == base.card
    with pytest.raises(errors.ModelError, match="no whole backbone"):
        backbone.load(tmp_path / "nowhere")


def test_shipped_backbone_is_small_and_heard_no_word_that_is_kept_out():
    made = backbone.load()
    assert (SHIPPED / "weights.npz").stat().st_size < 300_000 and (SHIPPED / "stock.npz").stat().st_size < 300_000
    card = json.loads((SHIPPED / "card.json").read_text(encoding="utf-8"))
    kept_out = set(card["kept_out"])
    assert {"happy", "cat", "house", "marvin", "sheila", "zero"} <= kept_out
    assert not kept_out & (set(card["words"].split()) | set(made.stock_words.tolist()))
    always = {"happy", "cat", "house", "marvin", "sheila", "zero"}
    assert not always & set((SHIPPED / "words.txt").read_text(encoding="utf-8").split())
    assert made.stock.shape == (len(made.stock_words), backbone.SIZE) and len(made.stock) > 1000
    x = np.random.default_rng(0).normal(size=(3, RATE)).astype(np.int16)
    assert made.embed(x).shape == (3, backbone.SIZE) and made.embed(x).min() >= 0


@pytest.mark.slow
def test_a_real_word_that_the_backbone_never_heard(shared_data):
    """A smoke test on real speech; benchmarks/own_word.py has the figures."""
    from tinykit.data import compose_scene, open_dataset, open_noise
    from tinykit.engine import evaluate_stream

    everything = open_dataset(shared_data / "speech_commands")
    mine = [r for r in everything if r.label == "cat"]
    takes = Dataset([r for r in mine if r.split == "training"][:20])
    rest = [r for r in everything if r.split == "testing" and r.person not in takes.persons]
    pipeline = tk.quantize(word.train_word(takes, progress=False), takes)
    scene = compose_scene(rest, open_noise(shared_data), 120, ["cat"], 0, 20.0)
    score = evaluate_stream(pipeline, scene).score
    assert score.said == 20 and score.recall > 0.6 and score.false_alarms <= 5
