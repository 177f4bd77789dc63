"""Takes: each fault alone, planted in a good take, is found and nothing else is."""

import numpy as np
import pytest

from tinykit.data import synthetic, take_quality
from tinykit.errors import TakeRefused

GOOD = synthetic.take("flex", "ben", "1", 0)
X = GOOD.samples.astype(float)
T = np.arange(len(X)) * 1000 / 119.0
INDEX = np.arange(len(X))


def test_a_good_take_is_good():
    q = take_quality(X, timestamps_ms=T, index=INDEX, seconds=1.5, label="flex").require()
    assert q.verdict == "good" and q.lost == 0 and q.rate_hz == pytest.approx(119) and q.jitter_ms < 1e-6
    assert q.seconds == pytest.approx(len(X) / 119)
    assert q.motion_g == pytest.approx(np.sqrt(X[:, :3].var(0).sum())) and q.to_dict()["verdict"] == "good"


def faults():
    keep = np.ones(len(X), bool)
    keep[60:66] = False
    clipped = X.copy()
    clipped[:60, 0] = 4.0
    nan = X.copy()
    nan[7, 2] = np.nan
    stuck = X.copy()
    stuck[:, 4] = 1.25
    still = np.random.RandomState(0).normal([0, 0, 1, 0, 0, 0], [0.004] * 3 + [0.15] * 3, X.shape)
    uneven = T + np.where(INDEX % 2, 4.0, 0.0)
    return {
        "samples lost": (X[keep], {"timestamps_ms": T[keep], "index": INDEX[keep]}, "6 of"),
        "samples lost ": (X[keep], {"timestamps_ms": T[keep]}, "6 of"),
        "too short": (X[:70], {"timestamps_ms": T[:70], "seconds": 1.5}, "0.59 s long, 1.50 s asked for"),
        "too short ": (X[:10], {}, "0.08 s"),
        "wrong rate": (X, {"timestamps_ms": T * 1.19}, "100.0 Hz, expected 119 Hz"),
        "uneven": (X, {"timestamps_ms": uneven}, "jitter 4.0 ms"),
        "clipped": (clipped, {}, "end of the sensor's range"),
        "not a number": (nan, {}, "row 7"),
        "dead axis": (stuck, {}, "gY never changes"),
        "too still": (still, {"label": "flex"}, "nothing moves"),
    }


@pytest.mark.parametrize("kind", faults())
def test_a_fault_is_named_and_the_take_refused(kind):
    samples, more, said = faults()[kind]
    q = take_quality(samples, **more)
    assert [p.kind for p in q.problems] == [kind.strip()]
    with pytest.raises(TakeRefused, match=said) as error:
        q.require()
    assert error.value.next


def test_stillness_may_be_meant():
    still, _, _ = faults()["too still"]
    assert take_quality(still, label="rest").ok and take_quality(still, label="Idle").ok


def test_a_few_lost_samples_are_told_not_refused():
    keep = np.ones(len(X), bool)
    keep[80] = False
    q = take_quality(X[keep], timestamps_ms=T[keep], index=INDEX[keep])
    assert q.ok and q.lost == 1 and q.verdict == "samples lost"


def test_acceleration_only_and_nothing_at_all():
    assert take_quality(X[:, :3], ("aX", "aY", "aZ")).ok
    assert not take_quality(np.empty((0, 6))).ok
