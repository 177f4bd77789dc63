"""Windows and resampling, against a plain loop and against integrals known in closed form."""

import numpy as np
import pytest

from tinykit.data import Dataset, Recording, units
from tinykit.data.windows import resample
from tinykit.errors import DataError

A = units.ACCELERATION


def test_resampling_up_is_linear_interpolation():
    random = np.random.RandomState(0)
    x = random.randn(50, 3)
    got = resample(x, 25.0, 119.0)
    times = np.arange(len(got)) / 119.0
    want = np.column_stack([np.interp(times, np.arange(50) / 25.0, c) for c in x.T])
    np.testing.assert_allclose(got, want, atol=1e-12)
    assert times[-1] <= 49 / 25.0 < times[-1] + 1 / 119


def test_resampling_down_averages_over_the_output_period():
    # Mean of a parabola's linear interpolation, by brute force on a fine grid.
    x = (np.linspace(-1, 1, 200) ** 2)[:, None] * [1.0, -3.0]
    got = resample(x, 119.0, 30.0)
    fine = np.linspace(0, 199, 199 * 1000 + 1)
    values = np.interp(fine, np.arange(200), x[:, 0])
    for k in range(1, len(got) - 1):
        middle, half = k * 119 / 30, 0.5 * 119 / 30
        inside = (fine >= middle - half) & (fine <= middle + half)
        assert got[k, 0] == pytest.approx(values[inside].mean(), abs=1e-4)
        assert got[k, 1] == pytest.approx(-3 * got[k, 0])


def test_resampling_down_takes_out_what_would_alias():
    t = np.arange(1190) / 119
    tone = np.sin(2 * np.pi * 25 * t)[:, None]  # exactly the new rate: would alias to a constant
    assert np.abs(resample(tone, 119.0, 25.0)[2:-2]).max() < 0.05
    slow = np.sin(2 * np.pi * 1 * t)[:, None]
    down = resample(slow, 119.0, 25.0)
    want = np.sin(2 * np.pi * np.arange(len(down)) / 25)
    assert np.abs(down[1:-1, 0] - want[1:-1]).max() < 0.01


def test_nearly_equal_rates_are_equal():
    x = np.random.RandomState(0).randn(99, 3)
    np.testing.assert_array_equal(resample(x, 118.1, 119.0), x)
    assert len(resample(x, 104.0, 119.0)) != 99


def take(n, rate=50.0, label="a", **more):
    x = np.column_stack([np.arange(n), np.arange(n) * 0.5, np.ones(n)]) / 100
    return Recording(x, A, rate, label=label, id=f"{label}{n}", **more)


def test_short_takes_are_padded_by_their_edges_and_centred():
    windows = Dataset([take(7)]).windows(12, rate_hz=50)
    counts = take(7).counts()
    want = np.vstack([counts[[0]]] * 2 + [counts] + [counts[[-1]]] * 3)
    np.testing.assert_array_equal(windows.counts[0], want)
    assert windows.starts.tolist() == [-2]


def test_long_takes_give_windows_that_reach_the_last_row():
    windows = Dataset([take(33), take(20, label="b")]).windows(10, 8, rate_hz=50)
    assert windows.starts.tolist() == [0, 8, 16, 23, 0, 8, 10]
    assert windows.takes.tolist() == [0] * 4 + [1] * 3 and windows.labels.tolist() == [0] * 4 + [1] * 3
    for start, take_number, x in zip(windows.starts, windows.takes, windows.counts, strict=True):
        np.testing.assert_array_equal(x, [take(33), take(20)][take_number].counts()[start : start + 10])


def test_streams_have_whole_hops_and_the_majority_label():
    words = np.array(["x"] * 24 + ["y"] * 16)
    stream = take(40, label=None).with_(row_labels=words)
    windows = Dataset([stream]).windows(10, 9, rate_hz=50)
    assert windows.starts.tolist() == [0, 9, 18, 27] and not windows.per_take
    assert [windows.names[i] for i in windows.labels] == ["x", "x", "x", "y"]
    tie = Dataset([take(20, label=None).with_(row_labels=np.array(["x"] * 10 + ["y"] * 10))]).windows(20)
    assert [tie.names[i] for i in tie.labels] == ["y"]  # what happens now


def test_row_labels_follow_resampling():
    words = np.array(["x"] * 100 + ["y"] * 100)
    stream = take(200, 100.0, label=None).with_(row_labels=words)
    windows = Dataset([stream]).windows(25, 25, rate_hz=25)
    assert [windows.names[i] for i in windows.labels] == ["x", "y"]


def test_labels_keep_the_order_asked_for_and_strangers_are_minus_one():
    windows = Dataset([take(9, label="a"), take(9, label="b")]).windows(9, labels=("c", "b"))
    assert windows.labels.tolist() == [-1, 1] and windows.names == ("c", "b")


def test_answers_of_a_take_are_the_mean_of_its_windows():
    windows = Dataset([take(20), take(10, label="b"), take(30)]).windows(10, 10)
    p = np.random.RandomState(0).rand(len(windows), 2)
    mean, labels, _ = windows.answers(p)
    for i in range(3):
        np.testing.assert_allclose(mean[i], p[windows.takes == i].mean(axis=0))
    assert labels.tolist() == [0, 1, 0]
    with pytest.raises(DataError):
        windows.answers(p[:-1])


def test_what_cannot_be_cut_is_refused():
    with pytest.raises(DataError, match="gX"):
        Dataset([take(9)]).windows(5, channels=("aX", "gX"))
    with pytest.raises(DataError, match="at least 1"):
        Dataset([take(9)]).windows(0)
    samples = take(9).samples.copy()
    samples[4, 1] = np.nan
    with pytest.raises(DataError, match="row 4"):
        Dataset([take(9).with_(samples=samples)]).windows(5)
