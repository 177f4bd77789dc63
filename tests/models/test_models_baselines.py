import numpy as np
import pytest

from tinykit import models
from tinykit.models.baselines import Baselines, sound_summary, summary


def test_summary_features_of_a_known_signal():
    t = np.arange(64) / 64
    x = np.stack([np.full(64, 3.0), np.sin(2 * np.pi * 2 * t), np.cos(2 * np.pi * 2 * t)], axis=1)[None]
    found = summary(x)
    assert found.shape[0] == 1 and np.isfinite(found).all()
    np.testing.assert_allclose(found[0, :6], [3, 0, 0, 0, np.sqrt(0.5), np.sqrt(0.5)], atol=1e-9)


def test_sound_is_summed_up_wherever_in_the_clip_it_is():
    rng = np.random.default_rng(0)
    word = np.zeros(16000)
    word[6400:9600] = 8000 * rng.normal(size=3200)
    early, late, other = np.roll(word, -4800), np.roll(word, 4800), np.roll(word[::-1] * 0.1, 320)
    x = sound_summary(np.stack([word, early, late, other]).astype(np.int16)[..., None])
    assert x.shape == (4, 13 * 18) and np.isfinite(x).all()
    far = np.abs(x[0] - x[3]).mean()
    assert np.abs(x[0] - x[1]).mean() < 0.2 * far and np.abs(x[0] - x[2]).mean() < 0.2 * far


def test_simple_methods_learn_what_is_easy(gestures):
    train, test = gestures.select(persons=("ann", "bob")), gestures.select(persons="cem")
    found = models.baselines(train, test)
    assert set(found.reports) == {"logistic regression", "random forest"}
    assert all(r.accuracy > 0.9 and len(r) == len(test) for r in found.reports.values())
    again = models.baselines(train, test)
    assert found.as_dict() == again.as_dict()
    assert "logistic regression" in repr(found) and "random forest" in found._repr_html_()


def test_the_test_side_does_not_reach_the_training(gestures):
    """With the test side's labels turned around, the answers stay the same."""
    train, test = gestures.select(persons="ann"), gestures.select(persons="cem")
    turned = test.part([r.with_(label={"across": "upward", "upward": "across"}.get(r.label, r.label)) for r in test])
    a, b = models.baselines(train, test), models.baselines(train, turned)
    for name in a.reports:
        np.testing.assert_array_equal(a[name].predicted, b[name].predicted)


@pytest.mark.parametrize(
    "right, words",
    [
        (9, "beats the b by 1 take of 10"),
        (8, "does not beat the b: both 0.800"),
        (6, "does not beat the b: 0.600 against 0.800, 2 takes fewer"),
    ],
)
def test_the_verdict_says_so_when_the_network_does_not_win(right, words):
    def report(n):
        return models.Report(("x", "y"), np.zeros(10, int), np.array([0] * n + [1] * (10 - n)))

    assert words in Baselines({"a": report(5), "b": report(8)}).verdict(report(right))
