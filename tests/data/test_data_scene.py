"""Long recordings with events: composed at stated levels, the same for the same seed, read and written."""

import numpy as np
import pytest

from tinykit.data import Dataset, Event, Scene, compose_scene, open_dataset, open_noise, read_events, sample, sound
from tinykit.data.audio import rms
from tinykit.errors import DataError

WORDS = ("left", "right", "up", "down", "go")
RATE = 16000


@pytest.fixture(scope="module")
def spoken():
    return sample("words").split(by="person").test


@pytest.fixture(scope="module")
def noise():
    return sample("noise").select(split="testing")


@pytest.fixture(scope="module")
def scene(spoken, noise):
    return compose_scene(spoken, noise, 120, WORDS, seed=1)


def test_as_many_words_as_were_asked_for(scene):
    assert scene.seconds == 120 and len(scene.recording) == 120 * RATE
    labels = [e.label for e in scene.events]
    assert len(scene.words) == 20 and labels.count("unknown") == 30 and {e.label for e in scene.words} == set(WORDS)
    assert {labels.count(w) for w in WORDS} == {4}, "each word as often as any other"
    assert {e.word for e in scene.events if e.label == "unknown"} & {"marvin", "tree", "happy"}
    starts = [e.start_s for e in scene.events]
    assert starts == sorted(starts) and max(e.end_s for e in scene.events) <= 120
    gaps = [b.start_s - a.end_s for a, b in zip(scene.events, scene.events[1:], strict=False)]
    assert min(gaps) > 0.05 and "synthetic" in repr(scene) and scene.card["composed"]


def test_the_same_seed_the_same_scene(scene, spoken, noise):
    again = compose_scene(spoken, noise, 120, WORDS, seed=1)
    assert again.recording.fingerprint == scene.recording.fingerprint and again.events == scene.events
    other = compose_scene(spoken, noise, 120, WORDS, seed=2)
    assert other.recording.fingerprint != scene.recording.fingerprint and other.events != scene.events


def test_words_are_where_the_events_say():
    """With next to no noise, what is not in an event is silent, and every event is a word."""
    clips = Dataset([sound(burst(i), label=w, id=f"{w}{i}") for i in range(5) for w in ("a", "b")])
    room = [sound(np.random.RandomState(0).randn(RATE * 3) * 0.1, label="noise", id="n")]
    made = compose_scene(clips, room, 60, ("a",), seed=5, snr_db=60.0, words_per_minute=12, others_per_minute=12)
    x = made.recording.samples[:, 0]
    inside = np.zeros(len(x), bool)
    for e in made.events:
        a, b = round(e.start_s * RATE), round(e.end_s * RATE)
        assert -34 < 20 * np.log10(rms(x[a:b])) < -19
        assert abs(e.end_s - e.start_s - 0.4) < 0.08
        inside[max(0, a - 800) : b + 800] = True
    assert 20 * np.log10(rms(x[~inside])) < -75
    assert {(e.label, e.word) for e in made.events} == {("a", ""), ("unknown", "b")}


def burst(seed):
    random = np.random.RandomState(seed)
    x = np.zeros(RATE)
    x[5000:11400] = 0.2 * np.sin(np.pi * np.arange(6400) / 6400) ** 0.3 * random.randn(6400)
    return x


@pytest.mark.parametrize("snr", [0.0, 20.0])
def test_noise_has_the_level_that_is_stated(snr, spoken, noise):
    made = compose_scene(spoken, noise, 60, WORDS, snr_db=snr, words_per_minute=3, others_per_minute=0)
    x = made.recording.samples[:, 0].copy()
    for e in made.events:
        x[max(0, round((e.start_s - 0.6) * RATE)) : round((e.end_s + 0.6) * RATE)] = np.nan
    assert 20 * np.log10(rms(x[~np.isnan(x)])) == pytest.approx(-26 - snr, abs=1.5)
    assert {stretch["snr_db"] for stretch in made.card["noises"]} == {snr}


def test_the_level_changes_from_stretch_to_stretch(scene, noise):
    told = scene.card["noises"]
    assert len(told) > 4 and len({s["snr_db"] for s in told}) == len(told)
    assert all(5 <= s["snr_db"] <= 20 for s in told) and {s["noise"] for s in told} <= {r.word for r in noise}
    assert told[0]["from_s"] == 0 and all(a["from_s"] < b["from_s"] for a, b in zip(told, told[1:], strict=False))


def test_what_is_saved_comes_back(scene, tmp_path):
    wav, table = scene.save(tmp_path / "ten minutes.wav")
    assert table == tmp_path / "ten minutes.csv"
    again = Scene.read(wav)
    assert again.recording.fingerprint == scene.recording.fingerprint and again.events == scene.events
    assert again.card["composed"] and again.card["seed"] == 1 and again.card["synthetic"]
    first = table.read_text(encoding="utf-8").splitlines()
    assert first[0] == "start_s,end_s,label,word" and len(first) == 51
    assert open_dataset(wav)[0].fingerprint == scene.recording.fingerprint


def test_tables_of_others(tmp_path):
    table = tmp_path / "a.csv"
    table.write_text("label,start_s,end_s,who\nup,2.5,3.0,ann\n\nleft,0.5,1,bo\n", encoding="utf-8")
    assert read_events(table) == (Event(0.5, 1.0, "left"), Event(2.5, 3.0, "up"))
    table.write_text("0.5\t1.0\tleft\n\\\t100\t2000\n2.5\t3.0\tgo on\n", encoding="utf-8")
    assert read_events(table) == (Event(0.5, 1.0, "left"), Event(2.5, 3.0, "go on"))
    for text, what in (
        ("start,end,label\n", "lacks start_s, end_s"),
        ("", "it is empty"),
        ("start_s,end_s,label\n1,2,up\n3,2,up\n", "line 3"),
        ("start_s,end_s,label\n1,x,up\n", "line 2"),
        ("start_s,end_s,label\n1,2\n", "line 2"),
        ("start_s,end_s,label\n-1,2,up\n", "line 2"),
        ("start_s,end_s,label\n1,nan,up\n", "line 2"),
    ):
        table.write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match=what):
            read_events(table)
    with pytest.raises(DataError, match="cannot be read"):
        read_events(tmp_path / "none.csv")


def test_what_makes_no_scene(spoken, noise, small):
    with pytest.raises(DataError, match="no clips of 'jump'"):
        compose_scene(spoken, noise, 60, ("left", "jump"))
    with pytest.raises(DataError, match="no noise"):
        compose_scene(spoken, [], 60, WORDS)
    with pytest.raises(DataError, match="don't fit"):
        compose_scene(spoken, noise, 60, WORDS, words_per_minute=60)
    with pytest.raises(DataError, match="can't be made"):
        compose_scene(spoken, noise, 0, WORDS)
    with pytest.raises(DataError, match="not in a recording of 1 s"):
        Scene(sound(np.zeros(RATE)), [(0.5, 1.5, "left")])
    with pytest.raises(DataError, match="not sound"):
        Scene(small[0], [])
    assert len(compose_scene(spoken.select(labels=WORDS), noise, 60, WORDS).events) == 10, "without other words"


def test_a_scene_of_real_words(shared_data):
    test = open_dataset(shared_data / "speech_commands", words=(*WORDS, "cat", "bed"), limit=60).split(by="person").test
    noise = open_noise(shared_data / "background_noise")
    made = compose_scene(test, noise.select(split="testing"), 90, WORDS, seed=7)
    assert len(made.words) == 15 and not made.card["synthetic"]
    assert set(made.card["clips"]) <= {r.id for r in test} and np.abs(made.recording.samples).max() < 1
