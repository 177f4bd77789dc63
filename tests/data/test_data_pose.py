"""The estimated pose beside the true one of a simulated board."""

import numpy as np
import pytest

from tinykit.data import Recording, imu, synthetic
from tinykit.data.pose import orientation


def up_in_sensor(q):
    """Which way is up, in the board's own frame."""
    return imu.turn(imu.conjugate(q), np.tile([0.0, 0.0, 1.0], (len(q), 1)))


def angle(a, b):
    return np.degrees(np.arccos(np.clip((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1), -1, 1)))


@pytest.mark.parametrize("label", ["circle", "flex", "punch", "wing", "turn over"])
@pytest.mark.parametrize("person", ["ada", "dan"])
def test_tilt_is_near_the_truth_during_a_gesture(label, person):
    path = synthetic.trajectory(label, person, "1", 3)
    sensor = imu.Sensor(noise_g=imu.NOISE_G, noise_dps=imu.NOISE_DPS, bias_dps=np.array([1.0, -0.8, 0.5]))
    counts, times = imu.measure(path, sensor, np.random.RandomState(1))
    samples = counts / np.float32([8192] * 3 + [16.384] * 3)
    found = orientation(Recording(samples, rate_hz=119.0, timestamps_ms=times))
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(len(found)), abs=1e-5)
    grid = np.arange(len(path.orientation)) / path.rate_hz
    at = np.searchsorted(grid, times / 1000).clip(0, len(grid) - 1)
    off = angle(up_in_sensor(found), up_in_sensor(path.orientation[at]))
    assert np.median(off) < 12 and off.max() < 25, (np.median(off), off.max())


def test_a_turn_is_followed_and_a_quiet_board_stays():
    samples = np.zeros((238, 6), np.float32)
    samples[:, 2] = 1.0
    samples[59:178, 5] = 90.0  # a second at 90 degrees per second, about the vertical
    q = orientation(Recording(samples, rate_hz=119.0))
    ahead = imu.turn(q.astype(float), np.tile([1.0, 0.0, 0.0], (238, 1)))
    assert ahead[0] == pytest.approx([1, 0, 0], abs=1e-6) and ahead[-1] == pytest.approx([0, 1, 0], abs=1e-3)


@pytest.mark.parametrize("down", [[0, 0, 1], [0, 0, -1], [1, 0, 0], [0, -1, 0]])
def test_acceleration_alone_gives_the_tilt(down):
    samples = np.tile(np.float32(down), (60, 1))
    q = orientation(Recording(samples, channels=("aX", "aY", "aZ"), rate_hz=25.0))
    assert up_in_sensor(q.astype(float))[-1] == pytest.approx(down, abs=1e-5)


def test_nothing_to_go_by_leaves_it_level():
    q = orientation(Recording(np.zeros((5, 3), np.float32), channels=("gX", "gY", "gZ"), rate_hz=50.0))
    assert (q == np.float32([1, 0, 0, 0])).all()
