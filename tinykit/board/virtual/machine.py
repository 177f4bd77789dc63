"""The virtual board: an emulated core with its devices, on a thread of its own."""

from __future__ import annotations

import atexit
import functools
import threading
import zlib
from contextlib import contextmanager

from ...engine.cortex import Cortex
from ...errors import BoardError, BoardGone, PortBusy
from .clock import Clock
from .devices import Devices
from .emulation import Emulation
from .environment import Environment, as_room
from .faults import Faults
from .flash import FlashController, FlashFile
from .image import board_image
from .imu import KINDS, Imu
from .line import Line
from .mic import Mic
from .sound import as_source
from .sources import Still

_BOARDS: dict[str, VirtualBoard] = {}
_BOARDS_LOCK = threading.Lock()


def _by_hand(method):
    """One thing at a time is done to a board from outside, and to its end."""

    @functools.wraps(method)
    def one_at_a_time(self, *args, **kwargs):
        with self._hand:
            return method(self, *args, **kwargs)

    return one_at_a_time


class VirtualBoard(Emulation):
    """A Nano 33 BLE Sense that is emulated, plugged in and switched on.

    Open its port with ``serial.serial_for_url("virtual://nano33ble/NAME")``; its methods are what
    a hand does to a real board.

    Parameters
    ----------
    name : str
        One board of a name in a process.
    flash : path or None
        File that keeps the slots. None: they are empty at the beginning and lost at the end.
    clock : str
        ``"paced"``: time as on the wall. ``"free"``: waiting takes no time; time stands still
        while no program has the port open, while the host has bytes to read, and when a source
        that does not loop has come to its end.
    speed : float
        Paced: device seconds in a second.
    source : signal source, optional
        See ``sources``. Default: ``Still()``.
    faults : Faults, optional
    sensor : str
        ``"LSM9DS1"`` (119 Hz; Rev1 of the board) or ``"BMI270"`` (99.8 Hz; Rev2).
    room : dict or object, optional
        What the environment sensors measure: constants by channel, samples of such a stream, or anything
        with ``read(time_s) -> dict`` (see ``environment``). Default: ``Room()``.
    image : path, optional
        ELF image. Default: ``board_image()``.

    Attributes
    ----------
    core : Cortex
    log : list of str
        What happened to it: crashes, cuts, restarts.
    led : int
        Bits: built-in, red, green, blue.
    last_cut : str
        Where the last power cut hit.

    Raises
    ------
    PortBusy
        There is a board of that name, or another process has the flash file.
    BoardError
        An argument is not one of those above.
    """

    def __init__(self, name: str = "nano33ble", *, flash=None, clock: str = "paced", speed: float = 1.0,
                 source=None, faults: Faults | None = None, sensor: str = "LSM9DS1", room=None,
                 image=None):  # fmt: skip
        if clock not in ("paced", "free") or sensor not in KINDS or not speed > 0:
            raise BoardError(
                f"A virtual board can't have clock={clock!r}, speed={speed!r}, sensor={sensor!r}.",
                f"Choose clock paced or free, a speed above 0, sensor {' or '.join(KINDS)}.",
            )
        self.name = name
        self.serial_number = zlib.crc32(name.encode())
        self._faults = faults or Faults()
        self.condition = threading.Condition()
        self._hand = threading.RLock()
        self.log: list[str] = []
        self.led = 0
        self.last_cut = ""
        self.settings: tuple = ()  # the URL's, when a URL made this board
        self.made_by_url = False  # then whoever opened the URL switches it off with the port

        # Shared with the devices, under the condition.
        self.line = Line(self._faults, self._wake, self.condition.notify_all)
        self.event = self.booted = self.waiting = self.dying = False
        self._request: str | None = None
        self._state = "off"
        self._plugged = self._power = True
        self._restarts = 0
        self._cut_after: int | None = None
        self._held, self._until_us = False, 0.0

        with _BOARDS_LOCK:
            if name in _BOARDS:
                raise PortBusy(f"There is a virtual board {name!r} already.",
                               "Use VirtualBoard.get(name), close it, or choose another name.")  # fmt: skip
            _BOARDS[name] = self
        try:
            self._devices = Devices(self)
            self.core = Cortex()
            self._devices.connect(self.core)
            self._image = self.core.load(image or board_image(), physical=True)
            self.clock = Clock(self.core, self._devices.bus, clock == "paced", speed)
            source = Still() if source is None else as_source(source)
            self.imu = Imu(sensor, source, self._faults)
            self.mic = Mic(source, self._faults)
            self.environment = Environment(sensor, as_room(room), self._faults)
            self.flash = FlashController(self.core, _flash_file(flash), self._faults, self.clock)
            # Exit handlers run last in, first out: unicorn's own, which frees the core, must come
            # after ours, so ours is registered (again) once there is a core.
            atexit.unregister(_close_all)
            atexit.register(_close_all)
        except BaseException:
            _BOARDS.pop(name, None)
            raise
        self._thread = threading.Thread(target=self._live, name=f"virtual board {name}", daemon=True)
        self._thread.start()

    @classmethod
    def get(cls, name: str = "nano33ble") -> VirtualBoard:
        """The board of a name.

        Raises
        ------
        BoardGone
            There is none.
        """
        board = _BOARDS.get(name)
        if board is None:
            raise BoardGone(f"There is no virtual board {name!r} in this process.",
                            f"Open virtual://nano33ble/{name} first.")  # fmt: skip
        return board

    # -- what a hand does -----------------------------------------------------------------------

    @property
    def source(self):
        """The signal source; setting it plays it from its beginning. See ``as_source``."""
        return self.imu.source

    @source.setter
    def source(self, source) -> None:
        source = as_source(source)
        with self.condition:
            self.imu.attach(source)
            self.mic.attach(source, self.clock.now_us)
            self.condition.notify_all()

    @property
    def doing(self):
        """Label of what the source plays at this moment, or None."""
        heard = hasattr(self.source, "sound") and self.mic.on
        return self.source.label_at(self.mic.played_s(self.clock.now_us) if heard else self.imu.played_s)

    @property
    def room(self):
        """What the environment sensors measure; may be set while it runs. See ``environment.as_room``."""
        return self.environment.source

    @room.setter
    def room(self, room) -> None:
        self.environment.source = as_room(room)

    @property
    def faults(self) -> Faults:
        """What goes wrong; may be changed or replaced at any time."""
        return self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        with self.condition:
            self._faults = self.line.faults = self.imu.faults = self.mic.faults = self.flash.faults = faults
            self.environment.faults = faults

    @_by_hand
    def power_off(self) -> None:
        """Take power away: RAM is lost, flash stays; an open port is dead."""
        with self.condition:
            self._power = False
        self._ask("off")

    @_by_hand
    def power_on(self) -> None:
        """Give power and wait until the firmware runs.

        Raises
        ------
        BoardError
            The board is unplugged or closed.
        """
        with self.condition:
            if not self._plugged or self._state == "closed":
                raise BoardError(
                    f"The virtual board {self.name!r} is {'closed' if self._plugged else 'unplugged'}.",
                    "Make a new one." if self._plugged else "Call replug() first.",
                )
            self._power = True
            self.condition.notify_all()
            self.condition.wait_for(self._settled, 10)

    @_by_hand
    def reboot(self) -> None:
        """Press the reset button: as if power went and came back."""
        self.power_off()
        self.power_on()

    @_by_hand
    def unplug(self) -> None:
        """Pull the cable: no power, and the port is gone."""
        with self.condition:
            self._plugged = False
        self.power_off()

    @_by_hand
    def replug(self) -> None:
        """Put the cable back."""
        with self.condition:
            self._plugged = True
        self.power_on()

    @_by_hand
    def power_cut(self, after_instructions: int = 0) -> None:
        """Take power away after exactly so many more instructions; flash work in progress is torn.

        Returns at once; ``wait_for_cut`` waits for it, ``power_on`` boots again. Until then the
        board runs slower. Instructions that IT skips do not count.
        """
        with self.condition:
            if self._state != "running":
                raise BoardError(f"The virtual board {self.name!r} is not running.", "Call power_on() first.")
            self._cut_after = after_instructions
        self._ask("limit")

    def wait_for_cut(self, timeout: float | None = None) -> bool:
        """Wait until power is away. False: the time was up before."""
        with self.condition:
            return self.condition.wait_for(lambda: self._state != "running", timeout)

    @contextmanager
    def hold(self):
        """Free clock: time stands still inside the block, but for ``advance``. For exact tests."""
        if self.clock.paced:
            raise BoardError("A paced board's time can't be held.", "Make it with clock='free'.")
        with self.condition:
            self._held, self._until_us = True, self.clock.now_us
        try:
            yield self
        finally:
            with self.condition:
                self._held = False
                self.condition.notify_all()

    def advance(self, seconds: float) -> None:
        """Inside ``hold``: let so much device time pass, and wait until it has.

        The host must read meanwhile, from another thread, if the firmware sends much.
        """
        with self.condition:
            self._until_us += seconds * 1e6
            self.waiting = False
            self.condition.notify_all()
            self.condition.wait_for(lambda: self.waiting or self._state != "running")

    def wait_until_idle(self, timeout: float | None = 10) -> bool:
        """Wait until the firmware waits for something to happen. False: the time was up before."""
        with self.condition:
            return self.condition.wait_for(lambda: self.waiting or self._state != "running", timeout)

    @_by_hand
    def close(self) -> None:
        """Switch off for good and give the name and the flash file free."""
        with self.condition:
            if self._state == "closed":
                return
            self._power = False
        self._ask("close")
        self._thread.join(10)
        self.flash.file.close()
        with _BOARDS_LOCK:
            if _BOARDS.get(self.name) is self:
                del _BOARDS[self.name]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # -- what can be seen -----------------------------------------------------------------------

    @property
    def state(self) -> str:
        """``"running"``, ``"off"``, ``"crashed"`` or ``"closed"``."""
        return self._state

    @property
    def plugged(self) -> bool:
        return self._plugged

    @property
    def power_cycles(self) -> int:
        """How often it was switched on, or started anew."""
        return self._restarts

    @property
    def seconds(self) -> float:
        """Device time since power-on."""
        return self.clock.now_us / 1e6

    @property
    def instructions(self) -> int:
        """Instructions executed since the board was made."""
        return self.core.instructions

    @property
    def finished(self) -> bool:
        """Has a source that does not loop come to its end? Sound ends only for a microphone that is on."""
        source = self.imu.source
        if not hasattr(source, "sound"):
            return self.imu.finished
        if self.imu.moves and not self.mic.on:
            return self.imu.finished
        heard = self.mic.on and source.duration is not None
        return heard and self.mic.played_s(0) >= source.duration

    def __repr__(self):
        return f"<VirtualBoard {self.name}: {self._state}, {self.seconds:.3f} s, {self.imu.source!r}>"

    # -- the port's side (protocol_virtual) -------------------------------------------------------

    def plug_in(self, port) -> int:
        """A program opens the port; returns a number that is valid until power goes.

        Raises
        ------
        BoardGone
            Unplugged, or without power.
        PortBusy
            Another program has it.
        """
        with self.condition:
            off = not self._power or not self._plugged
            if not off and self._state in ("off", "running"):
                self.condition.wait_for(self._settled, 10)
            if off or self._state != "running":
                why = f"{self._state} ({self.log[-1]})" if self._state == "crashed" else "off"
                raise BoardGone(f"could not open port: the virtual board {self.name!r} is "
                                f"{why if self._plugged else 'unplugged'}")  # fmt: skip
            if self.line.port is not None:
                raise PortBusy(f"could not open port: the virtual board {self.name!r} is busy")
            self.line.plug_in(port)
            return self._restarts

    def alive(self, number: int) -> bool:
        """Is the power that a port was opened under still there?"""
        return self._state == "running" and self._restarts == number and not self.dying


def _flash_file(path) -> FlashFile:
    try:
        return FlashFile(path)
    except BlockingIOError:
        raise PortBusy(f"The virtual board's flash {path} is in use by another program (another notebook?).",
                       "Shut that one down, or give this board another flash file.") from None  # fmt: skip


def _close_all() -> None:
    for board in list(_BOARDS.values()):
        board.close()
