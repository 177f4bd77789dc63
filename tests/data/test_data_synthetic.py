"""The sample set: what is committed is what the script makes, and it is neither trivial nor hopeless."""

import json
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from tinykit.data import check_leakage, sample, synthetic, take_quality, units
from tinykit.data.ranges import rest_length
from tinykit.errors import DataError
from tinykit.toolchain import data_dir


@pytest.fixture(scope="module")
def gestures():
    return sample("gestures")


def test_the_committed_set_is_what_the_readme_says(gestures):
    assert len(gestures) == 320 and gestures.labels == synthetic.LABELS and gestures.persons == synthetic.PERSONS
    assert set(Counter(r.label for r in gestures).values()) == {64}
    assert set(Counter(r.person for r in gestures).values()) == {40}
    assert {len(r) for r in gestures} <= {177, 178, 179, 180, 181} and gestures.rate_hz == 119
    folder = data_dir() / "gestures"
    assert sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) < 5e6
    card = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    assert card["synthetic"] is True and "ynthetic" in card["description"] and gestures.path is None


def test_the_script_makes_it_again(gestures):
    for r in gestures[::37]:
        again = synthetic.take(r.label, r.person, r.session, int(r.id.rsplit("-", 1)[1]))
        assert again.samples.shape == r.samples.shape
        # Rounding may differ by a count where another libm rounds a sine differently.
        assert np.abs(again.samples[:, :3] - r.samples[:, :3]).max() < 0.0013
        assert np.abs(again.samples[:, 3:] - r.samples[:, 3:]).max() < 0.065
        assert np.abs(again.timestamps_ms - r.timestamps_ms).max() < 0.011
    assert not any("changed" in note for note in gestures.card["notes"])


def test_the_same_in_another_process():
    code = "from tinykit.data import synthetic as s; print(s.take('wing', 'eva', '2', 7).fingerprint)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == synthetic.take("wing", "eva", "2", 7).fingerprint


def test_every_take_is_fit_to_keep_and_gravity_is_one_g(gestures):
    for r in gestures:
        assert take_quality(r.samples, timestamps_ms=r.timestamps_ms, label="rest").ok, r.id
    for person in gestures.persons:
        assert rest_length(list(gestures.select(persons=person))) == pytest.approx(1.0, abs=0.06)


def test_people_and_sessions_differ_and_takes_do_not_repeat(gestures):
    by_person = gestures.split(by="person")
    assert check_leakage(*by_person).clean
    assert check_leakage(*gestures.split(by="recording")).clean
    assert len({r.fingerprint for r in gestures}) == 320
    speeds = [synthetic.person(p).speed for p in gestures.persons]
    assert max(speeds) / min(speeds) > 1.2 and sum(synthetic.person(p).left for p in gestures.persons) == 1


def test_leaving_one_person_out_is_neither_trivial_nor_hopeless(gestures):
    """Nearest centroid on means, spreads and extremes: a plain oracle of how hard the set is."""
    x = np.array([np.r_[r.samples.mean(0), r.samples.std(0), r.samples.min(0), r.samples.max(0)] for r in gestures])
    x = (x - x.mean(0)) / x.std(0)
    label = np.array([r.label for r in gestures])
    person = np.array([r.person for r in gestures])
    right = 0
    for who in gestures.persons:
        train = person != who
        centres = np.array([x[train & (label == k)].mean(0) for k in gestures.labels])
        guess = np.argmin(((x[~train][:, None] - centres) ** 2).sum(-1), axis=1)
        right += (np.array(gestures.labels)[guess] == label[~train]).sum()
    assert 0.6 < right / len(x) < 0.9


def test_a_stream_has_no_jumps_and_says_what_happens_when():
    stream = synthetic.stream(["rest", "punch", "walk", "circle"], "ben")
    assert set(stream.row_labels) == {"negative", "punch", "circle"} and len(stream) > 3.9 * 178
    ends = np.flatnonzero(stream.row_labels[1:] != stream.row_labels[:-1])
    steps = np.abs(np.diff(stream.samples[:, :3], axis=0)).max(axis=1)
    assert steps[ends].max() < 0.25
    assert stream.channels == units.CHANNELS


def test_what_is_not_there():
    with pytest.raises(DataError, match="no synthetic movement"):
        synthetic.take("somersault", "ada")
    with pytest.raises(DataError, match="no sample"):
        sample("weather")
