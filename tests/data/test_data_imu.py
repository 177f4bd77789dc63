"""The generator's physics, against motions whose readings are known in closed form, and SciPy's rotations."""

import numpy as np
import pytest

from tinykit.data import imu, motion, units

RATE = 952.0
T = np.arange(int(2 * RATE) + 1) / RATE
G = units.STANDARD_GRAVITY
MIDDLE = slice(10, -10)


def trajectory(position=None, roll=0.0, pitch=0.0, yaw=0.0):
    position = np.zeros((len(T), 3)) if position is None else np.asarray(position, float)
    angles = [np.broadcast_to(np.asarray(a, float), T.shape) for a in (roll, pitch, yaw)]
    return imu.Trajectory(RATE, position, imu.euler(*angles))


@pytest.mark.parametrize(
    "roll, pitch, want",
    [
        (0, 0, (0, 0, 1)),
        (90, 0, (0, 1, 0)),
        (0, 90, (-1, 0, 0)),
        (180, 0, (0, 0, -1)),
        (30, 0, (0, 0.5, np.sqrt(0.75))),
        (0, -30, (0.5, 0, np.sqrt(0.75))),
    ],
)
def test_at_rest_it_reads_one_g_upwards(roll, pitch, want):
    path = trajectory(roll=np.radians(roll), pitch=np.radians(pitch), yaw=0.7)
    np.testing.assert_allclose(path.specific_force(), np.tile(want, (len(T), 1)), atol=1e-12)
    np.testing.assert_allclose(path.angular_rate(), 0, atol=1e-9)


def test_in_free_fall_it_reads_nothing():
    fall = np.zeros((len(T), 3))
    fall[:, 2] = -0.5 * G * T**2
    np.testing.assert_allclose(trajectory(fall).specific_force()[MIDDLE], 0, atol=1e-9)


def test_a_push_forward_reads_forward():
    push = np.zeros((len(T), 3))
    push[:, 0] = 0.5 * 3.0 * T**2
    np.testing.assert_allclose(trajectory(push).specific_force()[MIDDLE], [[3.0 / G, 0, 1]] * (len(T) - 20), atol=1e-9)


def test_on_a_turntable_it_reads_centripetal_acceleration():
    radius, rate = 0.25, np.radians(300)
    x, y = radius * np.cos(rate * T), radius * np.sin(rate * T)
    path = trajectory(np.column_stack([x, y, 0 * T]), yaw=rate * T)  # x of the sensor points outwards
    force, turn = path.specific_force()[MIDDLE], path.angular_rate()[MIDDLE]
    np.testing.assert_allclose(force, [[-radius * rate**2 / G, 0, 1]] * len(force), atol=1e-3)
    np.testing.assert_allclose(turn, [[0, 0, 300]] * len(turn), atol=1e-6)


@pytest.mark.parametrize("axis", range(3))
def test_turning_about_each_axis(axis):
    angles = [0.0, 0.0, 0.0]
    angles[axis] = np.radians(1500) * T  # through full turns
    want = np.zeros(3)
    want[axis] = 1500
    np.testing.assert_allclose(trajectory(None, *angles).angular_rate(), [want] * len(T), atol=1e-6)


def test_quaternions_agree_with_scipy():
    rotation = pytest.importorskip("scipy.spatial.transform", reason="SciPy is not installed.").Rotation
    random = np.random.RandomState(2)
    a, b = random.uniform(-3, 3, (2, 40, 3))
    p, q = imu.euler(*a.T), imu.euler(*b.T)
    ours, theirs = p, rotation.from_euler("ZYX", a[:, ::-1])
    np.testing.assert_allclose(np.abs((ours * theirs.as_quat()[:, [3, 0, 1, 2]]).sum(1)), 1, atol=1e-12)
    v = random.randn(40, 3)
    np.testing.assert_allclose(imu.turn(p, v), theirs.apply(v), atol=1e-12)
    both = theirs * rotation.from_euler("ZYX", b[:, ::-1])
    np.testing.assert_allclose(imu.turn(imu.multiply(p, q), v), both.apply(v), atol=1e-12)
    np.testing.assert_allclose(imu.turn(imu.conjugate(p), imu.turn(p, v)), v, atol=1e-12)


def test_integrated_gyroscope_foretells_gravity():
    """In a hand that only turns, gravity's course follows from the rates alone."""
    rotation = pytest.importorskip("scipy.spatial.transform", reason="SciPy is not installed.").Rotation
    path = trajectory(roll=0.8 * np.sin(5 * T), pitch=0.6 * np.sin(4 * T + 1), yaw=T**2)
    rates, force = np.radians(path.angular_rate()), path.specific_force()
    now, worst = rotation.from_quat(path.orientation[0, [1, 2, 3, 0]]), 0.0
    for k in range(len(T) - 1):
        now = now * rotation.from_rotvec((rates[k] + rates[k + 1]) / 2 / RATE)
        worst = max(worst, np.abs(now.inv().apply([0, 0, 1]) - force[k + 1]).max())
    assert worst < 0.005


def test_a_sensor_s_faults_have_the_size_they_are_said_to_have():
    still = trajectory()
    many = imu.Trajectory(RATE, np.zeros((80 * 952, 3)), np.tile([1.0, 0, 0, 0], (80 * 952, 1)))
    sensor = imu.Sensor(
        noise_g=0.004, noise_dps=0.15, bias_g=np.array([0.02, 0, -0.01]), bias_dps=np.array([1, 2, -3.0])
    )
    x = units.to_units(imu.measure(many, sensor, np.random.RandomState(0))[0], units.CHANNELS)
    assert (np.abs(x.mean(0) - [0.02, 0, 0.99, 1, 2, -3]) < [2e-4] * 3 + [0.01] * 3).all()
    np.testing.assert_allclose(x.std(0), [0.004] * 3 + [0.15] * 3, rtol=0.05)
    perfect, times = imu.measure(still, imu.Sensor(), np.random.RandomState(0))
    assert set(map(tuple, perfect.tolist())) == {(0, 0, 8192, 0, 0, 0)}
    np.testing.assert_allclose(np.diff(times), 1000 / 119)
    _, uneven = imu.measure(many, imu.Sensor(jitter=0.05), np.random.RandomState(0))
    # Each time is off by itself, so an interval by the square root of two as much.
    assert np.diff(uneven).std() == pytest.approx(2**0.5 * 0.05 * 1000 / 119, rel=0.05)


def test_a_sensor_saturates_at_its_range():
    hit = np.zeros((len(T), 3))
    hit[:, 0] = 0.5 * 100 * T**2  # 10 g
    counts, _ = imu.measure(trajectory(hit, roll=np.radians(4000) * T), imu.Sensor(), np.random.RandomState(0))
    assert counts[50:-50, 0].min() == 32767 and counts[50:-50, 3].min() == 32767


def test_left_hands_mirror_right_hands():
    """Mirrored across the plane ahead: y of acceleration, x and z of rotation change sign."""
    for name, move in motion.GESTURES.items():
        made = []
        for left in (False, True):
            path = motion.Path(1.5, RATE)
            person = motion.Person("x", left=left, tremor=0.0, grip=(0.1, 0.2, 0.3))
            move(path, person, np.random.RandomState(3), 0.2)
            t = motion.settle(path, person, np.random.RandomState(4), (0.1, 0.05, -0.2))
            made.append(np.hstack([t.specific_force(), t.angular_rate()]))
        np.testing.assert_allclose(made[1], made[0] * [1, -1, 1, -1, 1, -1], atol=1e-6, err_msg=name)


def test_hands_begin_and_end_at_rest():
    for name, move in motion.GESTURES.items():
        path = motion.Path(2.5, RATE)
        seconds = move(path, motion.Person("x"), np.random.RandomState(1), 0.3)
        assert 0.5 < seconds < 1.6, name
        speed = np.linalg.norm(np.gradient(path.position, 1 / RATE, axis=0), axis=1)
        assert speed[: int(0.29 * RATE)].max() < 1e-6 and speed[-int(0.3 * RATE) :].max() < 1e-6, name
        assert 0.5 < speed.max() < 5, name
