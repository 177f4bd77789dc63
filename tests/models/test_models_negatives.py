import numpy as np
import pytest

from tinykit.models import negatives


@pytest.fixture()
def windows():
    return np.random.default_rng(0).normal(size=(12, 40, 3)).astype(np.float32) * 500 + [0, 8192, 0]


def test_the_background_class_is_found_by_name():
    assert negatives.background(["ring", "No gesture", "wing"]) == 1
    assert negatives.background(["NEGATIVE", "wing"]) == 0
    assert negatives.background(["ring", "wing"]) is None


@pytest.mark.parametrize("window", [8, 9, 40, 119])
def test_made_up_windows_have_the_shape_and_are_finite(window):
    x = np.random.default_rng(1).normal(size=(5, window, 6)).astype(np.float32)
    made = negatives.make(np.random.default_rng(2), x, 60)
    assert made.shape == (60, window, 6) and np.isfinite(made).all()


def test_a_splice_is_made_of_rows_of_both(windows):
    a, b = windows[0], windows[1]
    made = negatives.splice(np.random.default_rng(5), a, b)
    of_a = [(row == a).all(axis=1).any() for row in made]
    of_b = [(row == b).all(axis=1).any() for row in made]
    assert any(of_a) and any(of_b) and all(x or y for x, y in zip(of_a, of_b, strict=True))


def test_shuffling_keeps_the_rows_but_not_their_order(windows):
    made = negatives.shuffle(np.random.default_rng(6), windows[0])
    np.testing.assert_array_equal(np.sort(made, axis=0), np.sort(windows[0], axis=0))
    assert not np.array_equal(made, windows[0])


def test_wandering_and_fragments_keep_gravity_s_place(windows):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        assert abs(negatives.wander(rng, windows[0])[:, 1].mean() - 8192) < 1500
        assert np.abs(negatives.fragment(rng, windows[0])[:, 1] - 8192).max() < 2500


def test_the_same_generator_makes_the_same(windows):
    made = [negatives.make(np.random.default_rng(7), windows, 20) for _ in range(2)]
    np.testing.assert_array_equal(*made)
