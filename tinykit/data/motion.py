"""How hands move: trajectories of gestures and of what is no gesture, for the generator.

Reaching movements follow the minimum-jerk course (Flash and Hogan 1985). All sizes are
metres, seconds, radians; a person scales, mirrors and tilts them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import imu


@dataclass(frozen=True)
class Person:
    """How somebody moves; made up.

    Parameters
    ----------
    name : str
    speed, size : float
        1 is usual.
    left : bool
        Left-handed: movements are mirrored.
    grip : tuple of float
        Roll, pitch, yaw of the board in the hand.
    arm : float
        Elbow to board.
    tremor : float
        Size of the hand's own unrest, 1 is usual.
    follow : float
        How much the wrist turns along with a drawn figure, 1 is usual.
    start : float
        Where on the circle a circle begins; 0 is the top.
    slant : tuple of float
        Roll, pitch, yaw of the plane in which figures are drawn.
    """

    name: str
    speed: float = 1.0
    size: float = 1.0
    left: bool = False
    grip: tuple[float, float, float] = (0.0, 0.0, 0.0)
    arm: float = 0.30
    tremor: float = 1.0
    follow: float = 1.0
    start: float = 0.0
    slant: tuple[float, float, float] = (0.0, 0.0, 0.0)


class Path:
    """A trajectory under construction: offsets in metres and angles in radians, on a grid.

    Parameters
    ----------
    seconds, rate_hz : float
    """

    def __init__(self, seconds: float, rate_hz: float):
        self.rate_hz = rate_hz
        self.t = np.arange(round(seconds * rate_hz) + 1) / rate_hz
        self.position = np.zeros((len(self.t), 3))
        self.roll, self.pitch, self.yaw = np.zeros((3, len(self.t)))

    def reach(self, begin: float, seconds: float) -> np.ndarray:
        """0 before, 1 after, minimum-jerk between: shape (n,)."""
        s = np.clip((self.t - begin) / seconds, 0.0, 1.0)
        return s**3 * (10 - 15 * s + 6 * s**2)

    def there_and_back(self, begin: float, out: float, back: float, hold: float = 0.0) -> np.ndarray:
        """0, then 1 after ``out`` s, then 0 again ``back`` s later."""
        return self.reach(begin, out) - self.reach(begin + out + hold, back)


def _draw(path: Path, p: Person, r, x=0.0, y=0.0, z=0.0) -> None:
    """Add a course in the person's own plane, which is never quite the same."""
    course = np.column_stack(np.broadcast_arrays(x, y, z, path.t)[:3])
    plane = imu.euler(*(np.array(p.slant) + np.radians(8) * r.randn(3)))
    path.position += imu.turn(np.repeat(plane, len(course), axis=0), course)


def circle(path: Path, p: Person, r, begin: float) -> float:
    """A circle drawn in the upright plane across, once round."""
    seconds = r.uniform(0.9, 1.15) / p.speed
    radius = 0.12 * p.size * r.uniform(0.75, 1.25)
    turn = 2 * np.pi * path.reach(begin, seconds) * r.uniform(0.94, 1.06)
    start = p.start + r.uniform(-0.4, 0.4)
    squash = r.uniform(0.8, 1.15)
    y = -radius * (np.sin(start + turn) - np.sin(start))
    z = squash * radius * (np.cos(start + turn) - np.cos(start))
    _draw(path, p, r, y=y, z=z)
    path.yaw += -0.30 * p.follow * (np.sin(start + turn) - np.sin(start))
    path.pitch += -0.25 * p.follow * (np.cos(start + turn) - np.cos(start))
    return seconds


def flex(path: Path, p: Person, r, begin: float) -> float:
    """The forearm bends up about the elbow and comes back."""
    out, back = r.uniform(0.36, 0.48) / p.speed, r.uniform(0.42, 0.6) / p.speed
    angle = np.radians(95) * min(p.size, 1.25) * r.uniform(0.85, 1.12)
    course = path.there_and_back(begin, out, back, r.uniform(0.0, 0.08))
    bend = -angle * course
    path.pitch += bend
    path.roll += r.uniform(-0.3, 0.5) * course
    path.position[:, 0] += p.arm * (np.cos(bend) - 1)
    path.position[:, 2] += -p.arm * np.sin(bend)
    return out + back


def punch(path: Path, p: Person, r, begin: float) -> float:
    """Straight forward, stopped hard, and back; the fist turns inwards on the way."""
    out, back = r.uniform(0.26, 0.34) / p.speed, r.uniform(0.42, 0.6) / p.speed
    reach = 0.30 * p.size * r.uniform(0.85, 1.12)
    s = np.clip((path.t - begin) / out, 0.0, 1.0)
    hit = s**2.6 * (10 - 15 * s + 6 * s**2) / (1 + 0.15 * np.sin(np.pi * s))  # later and harder than a reach
    course = hit - path.reach(begin + out + 0.02, back)
    _draw(path, p, r, x=reach * course, z=reach * r.uniform(-0.05, 0.25) * course)
    path.roll += -np.radians(r.uniform(25, 80)) * course
    path.pitch += r.uniform(-0.2, 0.1) * course
    return out + back


def wing(path: Path, p: Person, r, begin: float) -> float:
    """A W in the upright plane across: down, up, down, up, moving sideways."""
    stroke = r.uniform(0.25, 0.32) / p.speed
    height, width = 0.14 * p.size * r.uniform(0.75, 1.25), 0.07 * p.size * r.uniform(0.6, 1.4)
    at, y, z = begin, 0.0, 0.0
    for number, down in enumerate((1, -1, 1, -1)):
        seconds = stroke * r.uniform(0.9, 1.12)
        course = path.reach(at, seconds)
        deep = height * (0.85 if number in (1, 2) else 1.0) * r.uniform(0.93, 1.07)
        z = z - down * deep * course
        y = y - width * course
        path.pitch += 0.28 * p.follow * down * course
        at += 0.9 * seconds  # strokes run into each other
    _draw(path, p, r, y=y, z=z)
    path.yaw += -0.5 * p.follow * path.reach(begin, at - begin)
    return at - begin


def _rest(path, p, r, begin):
    path.roll += r.uniform(-0.2, 0.2) * path.reach(begin, 0.8)
    return 0.5


def _walk(path, p, r, begin):
    steps = r.uniform(1.6, 2.1) * p.speed
    phase = r.uniform(0, 2 * np.pi)
    swing = np.sin(np.pi * steps * path.t + phase)
    path.position[:, 2] += 0.018 * p.size * np.sin(2 * np.pi * steps * path.t)
    path.position[:, 0] += 0.06 * p.size * swing
    path.position[:, 2] += 0.004 * np.sin(4 * np.pi * steps * path.t + 0.7)
    path.pitch += -0.35 * swing + r.uniform(0.2, 1.2)
    return 1.0


def _pick_up(path, p, r, begin):
    seconds = r.uniform(0.6, 0.9) / p.speed
    course = path.reach(begin, seconds)
    path.position[:, 2] += r.uniform(0.15, 0.35) * course
    path.position[:, 0] -= r.uniform(0.0, 0.2) * course
    path.pitch += r.uniform(-0.7, 0.4) * course
    path.roll += r.uniform(-0.9, 0.9) * course
    return seconds


def _put_down(path, p, r, begin):
    seconds = r.uniform(0.5, 0.8) / p.speed
    course = path.reach(begin, seconds)
    path.position[:, 2] -= r.uniform(0.15, 0.3) * course
    knock = np.clip(path.t - begin - seconds, 0, None)
    path.position[:, 2] += 0.0008 * np.exp(-knock / 0.03) * np.sin(2 * np.pi * 22 * knock)
    path.pitch += r.uniform(-0.4, 0.6) * (1 - course)
    return seconds


def _turn_over(path, p, r, begin):
    seconds = r.uniform(0.4, 0.8) / p.speed
    path.roll += r.choice([-1, 1]) * r.uniform(1.2, 2.8) * path.there_and_back(begin, seconds, 0.6, r.uniform(0, 0.3))
    return seconds + 0.5


def _shake(path, p, r, begin):
    inside = path.there_and_back(begin, 0.2, 0.25, r.uniform(0.2, 0.6))
    wave = np.sin(2 * np.pi * r.uniform(3.0, 5.0) * path.t)
    direction = r.randn(3)
    path.position += 0.02 * p.size * (inside * wave)[:, None] * direction / np.linalg.norm(direction)
    path.yaw += 0.3 * inside * wave
    return 1.0


def _stroke(path, p, r, begin):
    seconds = r.uniform(0.3, 0.5) / p.speed
    direction = r.randn(3)
    course = path.reach(begin, seconds)
    path.position += r.uniform(0.12, 0.28) * p.size * course[:, None] * direction / np.linalg.norm(direction)
    path.pitch += r.uniform(-0.5, 0.5) * course
    return seconds


def _half(path, p, r, begin):
    """A gesture begun and given up."""
    whole = Path(path.t[-1], path.rate_hz)
    seconds = GESTURES[sorted(GESTURES)[r.randint(len(GESTURES))]](whole, p, r, begin)
    stop = begin + seconds * r.uniform(0.25, 0.55)
    # Time runs slower and stands still at 'stop': the same way, only not to its end.
    t = np.where(path.t < begin, path.t, begin + (stop - begin) * np.tanh((path.t - begin) / (stop - begin)))
    for axis in range(3):
        path.position[:, axis] += np.interp(t, whole.t, whole.position[:, axis])
    for angle in ("roll", "pitch", "yaw"):
        setattr(path, angle, getattr(path, angle) + np.interp(t, whole.t, getattr(whole, angle)))
    return seconds


def _arc(path, p, r, begin):
    """Half a circle or less, as when wiping something."""
    seconds = r.uniform(0.45, 0.8) / p.speed
    turn = r.choice([-1, 1]) * r.uniform(1.6, 3.4) * path.reach(begin, seconds)
    start, radius = r.uniform(0, 2 * np.pi), r.uniform(0.1, 0.2) * p.size
    path.position[:, 1] += radius * (np.sin(start + turn) - np.sin(start))
    path.position[:, 2] += radius * (np.cos(start + turn) - np.cos(start))
    path.pitch += -0.25 * p.follow * (np.cos(start + turn) - np.cos(start))
    return seconds


def _tick(path, p, r, begin):
    """Down and up again, as one ticks a box: half of a W."""
    first, second = r.uniform(0.2, 0.3, 2) / p.speed
    down, up = path.reach(begin, first), path.reach(begin + 0.9 * first, second)
    height, width = r.uniform(0.1, 0.18) * p.size, r.uniform(0.04, 0.1) * p.size
    path.position[:, 2] += height * (-down + r.uniform(0.8, 1.4) * up)
    path.position[:, 1] -= width * (down + up)
    path.pitch += 0.28 * p.follow * (down - up)
    return first + second


def _wander(path, p, r, begin):
    for hz in (0.4, 0.7, 1.1, 1.6):
        wave = np.sin(2 * np.pi * hz * path.t + r.uniform(0, 2 * np.pi))
        path.position += 0.035 / hz * wave[:, None] * r.randn(3) * p.size
        path.roll, path.pitch, path.yaw = (
            angle + 0.12 / hz * wave * r.randn() for angle in (path.roll, path.pitch, path.yaw)
        )
    return 1.0


GESTURES = {"circle": circle, "flex": flex, "punch": punch, "wing": wing}
OTHER = {
    "rest": _rest,
    "walk": _walk,
    "pick up": _pick_up,
    "put down": _put_down,
    "turn over": _turn_over,
    "shake": _shake,
    "stroke": _stroke,
    "half": _half,
    "wander": _wander,
    "arc": _arc,
    "tick": _tick,
}


def settle(path: Path, p: Person, r, pose=(0.0, 0.0, 0.0)) -> imu.Trajectory:
    """Add the hand's unrest, mirror for the left hand, tilt, and put the board into the hand.

    Parameters
    ----------
    path : Path
    p : Person
    r : numpy.random.RandomState
    pose : roll, pitch, yaw with which the hand is held in this take
    """
    t = path.t
    for hz in (1.3, 2.9, 6.1, 9.4):
        wave = np.sin(2 * np.pi * hz * t[:, None] + r.uniform(0, 2 * np.pi, 6)) * r.randn(6)
        path.position += p.tremor * 0.0012 / hz**1.5 * wave[:, :3] * 3
        path.roll, path.pitch, path.yaw = (
            angle + p.tremor * 0.02 / hz * wave[:, 3 + i] for i, angle in enumerate((path.roll, path.pitch, path.yaw))
        )
    mirror = -1.0 if p.left else 1.0
    position = path.position * [1.0, mirror, 1.0]
    # The whole movement is turned with the body; gravity is not.
    body = imu.euler(0.0, 0.0, mirror * pose[2])
    hand = imu.euler(mirror * (path.roll + pose[0]), path.pitch + pose[1], mirror * path.yaw)
    orientation = imu.multiply(body, imu.multiply(hand, imu.euler(mirror * p.grip[0], p.grip[1], mirror * p.grip[2])))
    return imu.Trajectory(path.rate_hz, imu.turn(np.repeat(body, len(t), axis=0), position), orientation)
