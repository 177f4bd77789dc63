import numpy as np
import pytest

from tinykit.models import augment as a
from tinykit.pipeline import IMU_CHANNELS


@pytest.fixture()
def rng():
    return np.random.default_rng(3)


def test_rotations_are_rotations(rng):
    m = a.rotations(rng, 200, 40)
    np.testing.assert_allclose(m @ m.transpose(0, 2, 1), np.broadcast_to(np.eye(3), m.shape), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(m), 1, atol=1e-12)


def test_rotation_angles_have_the_spread_that_was_asked_for(rng):
    m = a.rotations(rng, 20000, 25)
    angle = np.degrees(np.arccos(np.clip((np.trace(m, axis1=1, axis2=2) - 1) / 2, -1, 1)))
    assert abs(np.sqrt((angle**2).mean()) - 25) < 0.6  # sd of the mean square is about 0.25


def test_rotations_against_scipy(rng):
    scipy = pytest.importorskip("scipy.spatial.transform")
    state = np.random.default_rng(11)
    axis = state.normal(size=(5, 3))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    angle = np.radians(state.normal(size=5) * 30)
    expected = scipy.Rotation.from_rotvec(axis * angle[:, None]).as_matrix()
    np.testing.assert_allclose(a.rotations(np.random.default_rng(11), 5, 30), expected, atol=1e-12)


def test_rotation_keeps_gravity_s_length_and_turns_both_sensors_alike(rng):
    x = rng.normal(size=(10, 20, 6)).astype(np.float32) * 1000
    x[..., 3:] = x[..., :3] * 0.1
    y = a.rotate(x, a.rotations(rng, 10, 60), IMU_CHANNELS)
    np.testing.assert_allclose(np.linalg.norm(y[..., :3], axis=2), np.linalg.norm(x[..., :3], axis=2), rtol=1e-4)
    np.testing.assert_allclose(y[..., 3:], y[..., :3] * 0.1, rtol=1e-3, atol=0.05)
    assert np.abs(y - x).max() > 100


def test_an_incomplete_triple_is_not_turned(rng):
    x = rng.normal(size=(4, 9, 4)).astype(np.float32)
    y = a.rotate(x, a.rotations(rng, 4, 60), ("aX", "gX", "gY", "gZ"))
    np.testing.assert_array_equal(y[..., 0], x[..., 0])
    assert np.abs(y[..., 1:] - x[..., 1:]).max() > 0.1


def test_size_of_movement_leaves_the_mean(rng):
    x = rng.normal(size=(6, 30, 3)) + 8192
    y = a.scale_movement(x, np.full(6, 1.7))
    np.testing.assert_allclose(y.mean(1), x.mean(1), rtol=1e-6)
    np.testing.assert_allclose(y.std(1), 1.7 * x.std(1), rtol=1e-4)


def test_no_change_gives_the_same_counts(rng):
    x = rng.integers(-32768, 32767, size=(5, 16, 6)).astype(np.int16)
    np.testing.assert_array_equal(a.vary(rng, x.astype(np.float32), IMU_CHANNELS, a.Augment.none()), x)


def test_counts_stay_within_the_sensor_s_range(rng):
    x = np.full((3, 8, 3), 32000.0)
    y = a.vary(rng, x, ("aX", "aY", "aZ"), a.Augment(rotation_deg=80, noise_g=1))
    assert y.dtype == np.int16
    assert y.max() == 32767


def test_noise_has_its_size_in_units(rng):
    x = np.zeros((50, 100, 6), np.float32)
    y = a.vary(rng, x, IMU_CHANNELS, a.Augment(0, 0, 0, 0, noise_g=0.01, noise_dps=2, mixup=0, made_up=0))
    sd = y.reshape(-1, 6).std(0)
    np.testing.assert_allclose(sd[:3], 81.92, rtol=0.05)
    np.testing.assert_allclose(sd[3:], 32.77, rtol=0.05)


def test_mixup_keeps_targets_a_distribution_and_the_larger_part(rng):
    x = rng.normal(size=(40, 8, 3)).astype(np.float32)
    t = np.eye(4, dtype=np.float32)[rng.integers(4, size=40)]
    mixed, targets = a.mixup(rng, x, t, 0.3)
    np.testing.assert_allclose(targets.sum(1), 1, rtol=1e-5)
    assert (targets[t == 1] >= 0.5).all()
    assert mixed.shape == x.shape and not np.array_equal(mixed, x)
