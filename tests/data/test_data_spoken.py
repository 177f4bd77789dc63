"""The spoken sample sets: what is committed is what the script makes, and says that it is synthetic."""

import hashlib
import importlib.util
import json
import shutil
from collections import Counter

import numpy as np
import pytest

from tinykit.data import audit, check_leakage, keywords, open_noise, sample, split_words, store
from tinykit.data.audio import rms
from tinykit.toolchain import data_dir

WORDS = ("left", "right", "up", "down", "go")


@pytest.fixture(scope="module")
def spoken():
    return sample("words")


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("make_words", data_dir() / "make_words.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["words", "noise"])
def test_the_card_is_true(name):
    folder = data_dir() / name
    card = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    assert card["synthetic"] is True and "ynthetic" in card["description"]
    assert card["espeak_ng"].startswith("espeak-ng 1.") and "GPL" in card["provenance"] and card["voices"]
    dataset = sample(name)
    assert dataset.fingerprint == card["fingerprint"] and len(dataset) == card["recordings"] and dataset.path is None
    assert "synthetic" in dataset.describe() and "synthetic" in repr(dataset)
    for row in store._read_index(folder):
        assert hashlib.sha256((folder / row["file"]).read_bytes()).hexdigest() == row["sha256"], row["file"]
    assert len(list((folder / "recordings").iterdir())) == len(dataset)


def test_the_sets_are_small_enough_to_ship():
    folders = [data_dir() / name for name in ("words", "noise")]
    assert sum(p.stat().st_size for folder in folders for p in folder.rglob("*") if p.is_file()) < 10e6


def test_who_says_what(spoken):
    assert len(spoken.persons) == 28 and len(spoken.labels) == 20 and spoken.rate_hz == 16000
    n = Counter(r.label for r in spoken)
    assert {w for w in n if n[w] == 56} == {*WORDS, "marvin"} and set(n.values()) == {28, 56}
    assert {len(r) for r in spoken} == {16000} and len({r.fingerprint for r in spoken}) == len(spoken)
    levels = [20 * np.log10(rms(r.counts())) for r in spoken]
    assert max(levels) - min(levels) > 15, "some are loud, some soft"


def test_every_clip_holds_one_word_and_nothing_is_wrong(spoken):
    some = spoken.part(spoken.recordings[::3])
    assert not [f for f in audit(some).findings if f.kind != "few takes"]
    assert check_leakage(*spoken.split(by="person")).clean
    found = [split_words(r) for r in some]
    assert all(len(words) == 1 for words in found)
    middles = [(words.spans[0].start_s + words.spans[0].end_s) / 2 for words in found]
    assert 0.03 < np.std(middles) < 0.2, "not all at the same place"


def test_a_lesson_opens_offline(spoken):
    noise = open_noise(spoken.card["noise"])
    assert noise.fingerprint == sample("noise").fingerprint and len(noise.split(by="given").test) == 2
    split = spoken.split(by="person")
    assert not split.missing
    heard = []
    for side in split:
        task = keywords(side, WORDS)
        assert task.labels == ("silence", "unknown", *WORDS) and task.card["synthetic"]
        assert min(sum(people.values()) for people in task.counts().values()) >= 8
        heard.append({r.word for r in task.select(labels="silence")})
    assert not heard[0] & heard[2] and not heard[0] & heard[1] and not heard[1] & heard[2]


def test_leaving_people_out_is_neither_trivial_nor_hopeless(spoken):
    """Nearest centroid on log spectra: a plain oracle of how hard the set is."""

    def look(r):
        x = r.samples[:, 0]
        frames = np.lib.stride_tricks.sliding_window_view(x, 512)[::320] * np.hanning(512)
        bands = np.square(np.abs(np.fft.rfft(frames)))[:, 1:257].reshape(len(frames), 16, 16).sum(2)
        bands = np.log(bands + 1e-4)
        middle = int(np.average(np.arange(len(bands)), weights=np.exp(bands).sum(1)))
        bands = np.pad(bands, ((20, 20), (0, 0)), mode="edge")[middle : middle + 40 : 4]
        return (bands - bands.mean(0)).ravel()

    train, _, test = spoken.select(labels=WORDS).split(by="person")
    x, y = np.array([look(r) for r in train]), np.array([r.label for r in train])
    centres = np.array([x[y == w].mean(0) for w in WORDS])
    right = [WORDS[int(np.argmin(((centres - look(r)) ** 2).sum(1)))] == r.label for r in test]
    assert 0.4 < np.mean(right) < 0.95


def test_the_script_makes_them_again(spoken, script):
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed here.")
    made = {r.word: r for r in script.noise()} if script.version() == spoken.card["espeak_ng"] else {}
    if not made:
        pytest.skip(f"The set was made with {spoken.card['espeak_ng']}, here is {script.version()}.")
    for r in sample("noise"):
        assert np.abs(made[r.word].counts().astype(int) - r.counts()).max() <= 1 and made[r.word].split == r.split
    for r in spoken.recordings[::91]:
        word, _, take = r.id.split("-")
        again = script.Person(r.source.split()[-1]).say(word, int(take) - 1)
        # Rounding may differ by a count where another libm rounds differently.
        assert np.abs(again.astype(int) - r.counts()[:, 0]).max() <= 1, r.id


def test_the_noises_differ_and_some_only_train():
    noise = sample("noise")
    spectra = []
    for r in noise:
        power = np.square(np.abs(np.fft.rfft(r.samples[:, 0])))
        spectra.append(np.log(np.add.reduceat(power, np.geomspace(100, 60000, 20).astype(int)) / power.sum() + 1e-9))
    apart = [np.abs(a - b).mean() for i, a in enumerate(spectra) for b in spectra[:i]]
    assert min(apart) > 0.2
    assert noise["brown"].split == "training" and {r.split for r in noise} == {"training", "validation", "testing"}
