"""The thread on which a virtual board lives: boot, emulate, stop, and boot again."""

from __future__ import annotations

import numpy as np

from ...engine.cortex import CoreFault

_BACKLOG = 2048  # a free-running board waits for a host that has so many bytes to read
_RUNS = 10_000  # each run of the core, one or two an interrupt, leaves 128 bytes in the emulator's code buffer


class Emulation:
    """What ``VirtualBoard`` does by itself; its devices and its owner use it.

    One thread runs the core. It sleeps inside ``rest`` when the firmware waits, and does what
    ``_ask`` asks of it between two runs of the core. ``condition`` guards what threads share.
    """

    # -- what the devices use -----------------------------------------------------------------

    @property
    def interrupted(self) -> bool:
        """Has the emulator thread been asked for something?"""
        return self._request is not None

    def may_advance(self, target_us: float, sleeping: bool = False) -> bool:
        """Free clock: may time pass up to ``target_us`` now?"""
        if self._held:
            return target_us <= self._until_us and len(self.line.tx) < _BACKLOG
        return sleeping or (self.line.open and len(self.line.tx) < _BACKLOG and not self.finished)

    def arm(self) -> None:
        """Have the core stopped when the microphone's next interrupt is due."""
        if self.core.interrupted or self._devices.masked:
            self.clock.alarm_us = None
        else:
            self.clock.alarm_us = 0 if self.mic.full else self.mic.next_due_us()

    def set_booted(self) -> None:
        """The firmware got as far as waiting for something, or sending."""
        if not self.booted:
            self.booted = True
            self.condition.notify_all()

    def rest(self, seconds: float | None) -> None:
        """Nothing to emulate until something happens; under the condition."""
        if not self.waiting:
            self.waiting = True
            self.condition.notify_all()
        self.condition.wait(seconds)
        self.waiting = False

    def restart_from_inside(self) -> None:
        """The firmware resets the board."""
        self.log.append("The firmware restarted the board.")
        with self.condition:
            self.dying = True
            self._request = "restart"
        self.core.stop()

    def crash(self, why: str) -> None:
        """The firmware gave up."""
        with self.condition:
            self.dying = True
            self._request = "crash"
        self.log.append(why)
        self.core.stop()

    def cut_now(self) -> None:
        """Power goes away at this very instruction; for devices, on the emulator's thread."""
        with self.condition:
            self.dying = True
            self._power = False
            self._request = "off"
        self.flash.power = False
        self.last_cut = self.core.where()
        self.core.stop()

    # -- the thread -----------------------------------------------------------------------------

    def _ask(self, request: str) -> None:
        """Have the emulator's thread do something, and wait until it did."""
        with self.condition:
            if self._state in ("off", "crashed") and request == "off":
                self._state = "off"
                return
            self._request = request
            if request in ("off", "close"):
                self.dying = True
            self.condition.notify_all()
            while self._request is not None and self._thread.is_alive():
                # An emulator that just starts may miss one; so ask until it heard.
                self.core.stop()
                self.condition.wait(0.02)

    def _live(self) -> None:
        while True:
            with self.condition:
                self.condition.wait_for(lambda: self._request == "close" or (self._power and self._state == "off"))
                if self._request == "close":
                    break
                self._boot()
            self._emulate()
        with self.condition:
            self._state = "closed"
            self._request = None
            self.condition.notify_all()

    def _boot(self) -> None:
        self.core.limit(None)
        self._cut_after = None
        for segment in self._image.segments:
            if segment.data:
                self.core.write(segment.physical, segment.data)
        self.core.reset()
        self.clock.start()
        self.imu.start()
        self.mic.start()
        self.environment.start()
        self.flash.start()
        self.line.start()
        self._devices.start()
        self.event = self.booted = self.dying = self.waiting = False
        self._until_us = 0.0
        self._request = None
        self._restarts += 1
        self._state = "running"
        self.condition.notify_all()

    def _emulate(self) -> None:
        runs = 0
        while True:
            runs += 1
            if runs % _RUNS == 0:
                self.core.uc.ctl_flush_tb()  # it would only throw them away once they fill a gigabyte
            try:
                self.core.run()
            except CoreFault as fault:
                self.log.append(str(fault))
                self._end("crashed")
                return
            except Exception as error:  # a signal source, say: the board can't go on, and says why
                self.log.append(f"{type(error).__name__}: {error}")
                self._end("crashed")
                return
            with self.condition:
                request = self._request
                self._interrupt()
                if self.core.limit_reached:
                    self.last_cut = self.core.where()
                    self.log.append(f"Power was cut after {self._cut_after} instructions, at {self.last_cut}.")
                    self._power = False
                    self._end("off")
                    return
                if request == "limit":
                    self.core.limit(self._cut_after)
                    self._request = None
                    self.condition.notify_all()
                elif request == "close":
                    self.flash.tear(self._rng())
                    return
                elif request is not None:
                    self._end("crashed" if request == "crash" else "off")
                    return

    def _interrupt(self) -> None:
        """The core was stopped: end an interrupt that is done, begin one that is due."""
        core, mic = self.core, self.mic
        core.resume()
        mic.update(self.clock.now_us)
        if mic.full and not core.interrupted and not self._devices.masked:
            if not mic.handler:
                self._devices.hand_over()
            elif core.can_be_interrupted:
                if self._devices.hand_over():
                    core.interrupt(mic.handler)
            else:
                core.alarm(core.cycles + 1)  # after the next block, then
                return
        self.arm()

    def _end(self, state: str) -> None:
        with self.condition:
            try:
                self.flash.tear(self._rng())
            except OSError as error:
                self.log.append(f"The flash file can't be written: {error}.")
            self._state = state
            if self._request != "close":
                self._request = None
            self.condition.notify_all()

    def _rng(self):
        return np.random.default_rng([self.faults.seed, 3, self.core.stepped, self.flash.erases])

    def _settled(self) -> bool:
        if self._state == "running":
            return self.booted and not self.dying
        return self._state in ("crashed", "closed")

    def _wake(self) -> None:
        self.event = True
        self._devices.line_changed()
        self.condition.notify_all()
