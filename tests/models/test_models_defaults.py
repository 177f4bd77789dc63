import numpy as np
import pytest

from tinykit.data import Dataset, Recording
from tinykit.errors import DataError
from tinykit.models import defaults


def takes(lengths, label="a", rate=25.0, channels=("aX", "aY", "aZ"), spread=0.3):
    rng = np.random.default_rng(len(lengths))
    return [
        Recording(rng.normal(size=(n, len(channels))) * spread, channels, rate, label, person="p", id=f"{label}{i}")
        for i, n in enumerate(lengths)
    ]


def test_the_window_holds_19_of_20_takes():
    chosen = defaults.choose(Dataset(takes(range(31, 71), "a") + takes(range(31, 71), "b")))
    assert chosen.window == 72 and chosen.rate_hz == 25 and chosen.center
    assert np.mean([n <= chosen.window for n in range(31, 71)]) >= 0.95


def test_takes_of_one_length_give_that_window():
    chosen = defaults.choose(Dataset(takes([119] * 6, rate=119.0) + takes([119] * 6, "b", rate=119.0)))
    assert (chosen.window, chosen.rate_hz) == (119, 119)


def test_long_takes_and_streams_get_two_seconds():
    long = defaults.choose(Dataset(takes([625] * 6, rate=62.5)))
    assert long.window == 125
    rows = np.array(["walk"] * 500 + ["sit"] * 500)
    stream = Dataset([Recording(np.ones((1000, 3)), ("aX", "aY", "aZ"), 100.0, row_labels=rows, person="p")])
    chosen = defaults.choose(stream)
    assert (chosen.rate_hz, chosen.window, chosen.center) == (50, 100, False)


def test_more_people_hold_the_board_in_more_ways():
    one = takes([50] * 6)
    several = [r.with_(person=f"p{i % 3}") for i, r in enumerate(one)]
    assert defaults.choose(Dataset(one)).augment.rotation_deg == 10
    assert defaults.choose(Dataset(several)).augment.rotation_deg == 25


def test_what_is_given_stays():
    chosen = defaults.choose(Dataset(takes([50] * 6)), window_s=1.0, center=False, channels=("aX",), magnitude=("a",))
    assert chosen.window == 25 and not chosen.center and chosen.channels == ("aX",)
    assert chosen.magnitude == ()  # the length of a vector needs its three axes


def test_scales_bring_both_sensors_to_one_spread():
    rng = np.random.default_rng(0)
    counts = (rng.normal(size=(40, 50, 6)) * [300, 300, 300, 4000, 4000, 4000]).astype(np.int16)
    dataset = Dataset(takes([50] * 6, channels=("aX", "aY", "aZ", "gX", "gY", "gZ")))
    end = defaults.front_end(defaults.choose(dataset), counts)
    np.testing.assert_allclose((counts * np.array(end.scale)).std((0, 1)), 1, rtol=0.05)
    assert end.scale[0] == end.scale[1] == end.scale[2] != end.scale[3]


def test_what_cannot_be_learnt_from_is_refused_by_name():
    good = takes([50] * 6, "a") + takes([50] * 6, "b")
    with pytest.raises(DataError, match="empty"):
        defaults.check(Dataset([]))
    with pytest.raises(DataError, match="one label, 'a'"):
        defaults.check(Dataset(takes([50] * 6)))
    with pytest.raises(DataError, match="'c' has 2 takes; at least 5 takes"):
        defaults.check(Dataset(good + takes([50] * 2, "c")))
    with pytest.raises(DataError, match="1 recordings have no label"):
        defaults.check(Dataset(good + takes([50], None)))
    broken = good[3].with_(samples=np.where(np.arange(150).reshape(50, 3) == 42, np.nan, good[3].samples))
    with pytest.raises(DataError, match=f"{good[3].id} has a value that is not a number in row 14"):
        defaults.check(Dataset(good[:3] + [broken] + good[4:]))
    with pytest.raises(DataError, match="gX is asked for"):
        defaults.choose(Dataset(good), channels=("aX", "gX"))


def test_motionless_takes_of_a_gesture_are_left_out_and_named():
    gesture, rest = takes([50] * 9, "wing"), takes([50] * 9, "idle", spread=0.001)
    still = takes([50] * 3, "wing", spread=0.001)
    clean, out = defaults.without_still(Dataset(gesture + still + rest))
    assert [id(r) for r in out] == [id(r) for r in still]
    assert len(clean) == 18  # rest may be still


def test_a_label_that_means_stillness_keeps_its_takes():
    dataset = Dataset(takes([50] * 9, "flat", spread=0.001) + takes([50] * 9, "wing"))
    assert defaults.without_still(dataset) == (dataset, [])
