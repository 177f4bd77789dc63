"""The device's time: it passes by cycles while the core works, and by waiting while it idles.

*Paced*: waiting takes as long as on the wall. The device never runs ahead of the wall for long,
and when the computer was too busy to emulate, it catches up: its samples stay on schedule.
*Free*: waiting takes no time at all.
"""

from __future__ import annotations

import time

from .bus import CYCLES_PER_US


class Clock:
    """Microseconds since power-on.

    Parameters
    ----------
    core : Cortex
        Its cycle counter is the working part of the time.
    bus : Bus
        Is told the time, so that it answers for the clock's registers.
    paced : bool
    speed : float
        Paced: device seconds in a second on the wall.
    """

    # Replies to a busy host may come sooner than from a real board: so much of a lead is waited
    # for, the rest is forgiven. A computer that slept is caught up with only so far.
    LEAD_US = 250_000
    LAG_US = 1_000_000

    def __init__(self, core, bus, paced: bool, speed: float = 1.0):
        self._core, self._bus, self.paced, self.speed = core, bus, paced, speed
        self.slipped_us = 0.0
        self.start()

    def start(self) -> None:
        """Power-on: time zero."""
        self._cycles = self._bus.cycles_from = self._core.cycles
        self._idle_us = self._bus.idle_us = 0
        self._epoch = time.perf_counter()
        self.alarm_us = None

    @property
    def alarm_us(self) -> float | None:
        """Device time at which the core is stopped; None: it is not."""
        return self._alarm_us

    @alarm_us.setter
    def alarm_us(self, us: float | None) -> None:
        self._alarm_us = us
        self._arm()

    def _arm(self) -> None:
        us = self._alarm_us
        if us is not None:
            us = self._cycles + max(0, int(us) - self._idle_us) * CYCLES_PER_US
        self._core.alarm(us)

    @property
    def now_us(self) -> int:
        """Device time."""
        return self._idle_us + (self._core.cycles - self._cycles) // CYCLES_PER_US

    def advance_to(self, us: float) -> int:
        """Let the device's time pass up to ``us`` (never back); returns where it is then."""
        now, until = self.now_us, int(us)
        if until <= now:
            return now
        self.pass_us(until - now)
        return until

    def pass_us(self, us: float) -> None:
        """Let so much time pass while the core is halted."""
        self._idle_us += int(us)
        self._bus.idle_us = self._idle_us
        if self._alarm_us is not None:
            self._arm()

    def wall_us(self) -> float:
        """Where a paced device may be by now; small debts in either direction are kept."""
        wall = (time.perf_counter() - self._epoch) * 1e6 * self.speed
        now = self.now_us
        slip = min(0.0, now + self.LAG_US - wall) + max(0.0, now - self.LEAD_US - wall)
        if slip:
            self._epoch -= slip / (1e6 * self.speed)
            self.slipped_us += slip
            wall += slip
        return wall

    def wall_seconds(self, us: float) -> float:
        """Seconds on the wall that ``us`` of device time take."""
        return us / (1e6 * self.speed)
