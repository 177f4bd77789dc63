"""The environment sensors of the virtual board, register by register, and the room that they are in.

After the makers' data sheets: ST DocID026333 (HTS221) and DocID027083 (LPS22HB), Renesas HS300x, Broadcom
AV02-4191EN (APDS9960). What they measure is made when it is read: none of their filters is imitated.
"""

from __future__ import annotations

import numpy as np

from ...errors import BoardError

# What a room measures, and the noise of each sensor (standard deviation): degrees Celsius, per cent, hPa,
# counts of light, and of proximity (255: nothing near).
ROOM = {"temperature": 21.5, "humidity": 45.0, "pressure": 1013.25,
        "red": 310.0, "green": 290.0, "blue": 240.0, "clear": 800.0, "proximity": 255.0}  # fmt: skip
_NOISE = {"temperature": 0.02, "humidity": 0.1, "pressure": 0.02,
          "red": 1.0, "green": 1.0, "blue": 1.0, "clear": 2.0, "proximity": 0.0}  # fmt: skip


class Room:
    """A room in which nothing changes but by the sensors' noise.

    Parameters
    ----------
    noise : float
        Times what the sensors show; 0: none.
    seed : int
    **values : float
        Other than ``ROOM``.

    Raises
    ------
    BoardError
        There is no such channel.
    """

    def __init__(self, noise: float = 1.0, seed: int = 0, **values: float):
        unknown = sorted(set(values) - set(ROOM))
        if unknown:
            raise BoardError(
                f"The environment sensors have no channel {unknown[0]!r}.", f"They have {', '.join(ROOM)}."
            )
        self.values, self.noise, self.seed = {**ROOM, **values}, noise, seed

    def read(self, time_s: float) -> dict[str, float]:
        """Its values at a moment; the same moment has the same noise."""
        if not self.noise:
            return dict(self.values)
        random = np.random.default_rng([self.seed, 5, round(time_s * 1e3)]).standard_normal(len(ROOM))
        return {name: self.values[name] + self.noise * _NOISE[name] * r for name, r in zip(ROOM, random, strict=True)}

    def __repr__(self):
        changed = ", ".join(f"{name}={value:g}" for name, value in self.values.items() if value != ROOM[name])
        return f"Room({changed})"


class RoomReplay:
    """What a board's environment sensors measured, again and again.

    Parameters
    ----------
    samples : Samples
        As ``board.stream("environment")`` gives them; channels that it lacks are those of ``ROOM``.
    """

    def __init__(self, samples):
        self._times = np.asarray(samples.time_s) - samples.time_s[0]
        self._columns = dict(zip(samples.channels, np.asarray(samples.values, np.float64).T, strict=True))
        self.period = float(self._times[-1] + (self._times[-1] / max(1, len(self._times) - 1) or 1))

    def read(self, time_s: float) -> dict[str, float]:
        """Its values at a moment: those of the latest row."""
        row = int(np.searchsorted(self._times, time_s % self.period + 1e-9, side="right")) - 1
        return {**ROOM, **{name: float(column[row]) for name, column in self._columns.items()}}

    def __repr__(self):
        return f"RoomReplay({len(self._times)} rows, {self.period:.1f} s)"


def as_room(source):
    """A source for the environment sensors: one with ``read``, a dict of constants, or samples of such a stream.

    None is ``Room()``.
    """
    if source is None or isinstance(source, dict):
        return Room(**(source or {}))
    return RoomReplay(source) if hasattr(source, "counts") else source


class Environment:
    """The bus with the sensors of a revision of the board.

    Parameters
    ----------
    imu : str
        ``"LSM9DS1"``: those of Rev1; ``"BMI270"``: of Rev2.
    source : object
        ``read(time_s) -> dict`` of the channels of ``ROOM``, in their units.
    faults : Faults
    """

    def __init__(self, imu: str, source, faults):
        self.source, self.faults = source, faults
        self._climate = Hts221 if imu == "LSM9DS1" else Hs300x
        self.start()

    def start(self) -> None:
        """Power-on."""
        made = (self._climate(), Lps22hb(), Apds9960())
        self.devices = {device.ADDRESS: device for device in made}

    def write(self, device: int, data: bytes, now_us: int) -> bool:
        """Bytes come in; False: nobody has that address."""
        found = None if self.faults.dead_environment else self.devices.get(device)
        if found is not None:
            found.write(data, now_us)
        return found is not None

    def read(self, device: int, count: int, now_us: int) -> bytes | None:
        """Bytes go out; None: nobody has that address."""
        found = None if self.faults.dead_environment else self.devices.get(device)
        return None if found is None else found.read(count, now_us, self.source.read(now_us / 1e6))


class _Registers:
    """A device with a file of registers: the first byte written is an address, the next ones go there.

    ``_MORE`` is what an address carries when the following ones are to be read as well (0: they always are).
    """

    ADDRESS = _MORE = 0

    def __init__(self):
        self.register = bytearray(256)
        self._at, self._on_us = 0, None

    def write(self, data: bytes, now_us: int) -> None:
        self._at, self._step = data[0] & ~self._MORE, not self._MORE or bool(data[0] & self._MORE)
        for i, value in enumerate(data[1:]):
            self.register[self._at + i] = value
        was, is_on = self._on_us is not None, bool(self._is_on())
        if is_on != was or not is_on:
            self._on_us = now_us if is_on else None

    def read(self, count: int, now_us: int, values: dict) -> bytes:
        if self._on_us is not None and now_us - self._on_us >= self._PERIOD_US:
            self._measure(values)
        at = self._at
        return bytes(self.register[at + (i if self._step else 0)] for i in range(count))

    def _put(self, at: int, value: float, low: int, high: int, size: int = 2) -> None:
        number = min(max(round(value), low), high)
        self.register[at : at + size] = number.to_bytes(size, "little", signed=low < 0)


class Hts221(_Registers):
    """Temperature and humidity of Rev1."""

    ADDRESS, _MORE, _PERIOD_US = 0x5F, 0x80, 80_000
    # One sensor's points: half per cent and eighths of a degree at what output.
    _H = ((60, -400), (150, -11000))
    _T = ((160, 30), (320, 960))

    def __init__(self):
        super().__init__()
        r = self.register
        r[0x0F] = 0xBC
        (h0, h0_out), (h1, h1_out) = self._H
        (t0, t0_out), (t1, t1_out) = self._T
        r[0x30:0x34] = bytes([h0, h1, t0 & 0xFF, t1 & 0xFF])
        r[0x35] = t0 >> 8 | (t1 >> 8) << 2
        for at, value in ((0x36, h0_out), (0x3A, h1_out), (0x3C, t0_out), (0x3E, t1_out)):
            self._put(at, value, -32768, 32767)

    def read(self, count: int, now_us: int, values: dict) -> bytes:
        if self.register[0x21] & 0x01 and self.register[0x20] & 0x80:  # one measurement, asked for
            self._measure(values)
            self.register[0x21] &= 0xFE
        return super().read(count, now_us, values)

    def _is_on(self):
        return self.register[0x20] & 0x83 == 0x83

    def _measure(self, values):
        for at, value, ((a, out_a), (b, out_b)) in (
            (0x28, 2 * values["humidity"], self._H),
            (0x2A, 8 * values["temperature"], self._T),
        ):
            self._put(at, out_a + (value - a) * (out_b - out_a) / (b - a), -32768, 32767)
        self.register[0x27] = 0x03


class Lps22hb(_Registers):
    """Air pressure."""

    ADDRESS, _PERIOD_US = 0x5C, 40_000

    def __init__(self):
        super().__init__()
        self.register[0x0F], self.register[0x11] = 0xB1, 0x10

    def _is_on(self):
        return bool(self.register[0x10] & 0x70)

    def _measure(self, values):
        self._put(0x28, values["pressure"] * 4096, 0, 0x7FFFFF, 3)
        self._put(0x2B, values["temperature"] * 100, -32768, 32767)
        self.register[0x27] = 0x03


class Apds9960(_Registers):
    """Colour and proximity."""

    ADDRESS, _PERIOD_US = 0x39, 20_000

    def __init__(self):
        super().__init__()
        self.register[0x92] = 0xAB

    def _is_on(self):
        return self.register[0x80] & 0x01 and self.register[0x80] & 0x06

    def _measure(self, values):
        enabled = self.register[0x80]
        if enabled & 0x02:
            most = min(1025 * (256 - self.register[0x81]), 65535)
            for at, name in ((0x94, "clear"), (0x96, "red"), (0x98, "green"), (0x9A, "blue")):
                self._put(at, values[name], 0, most)
        if enabled & 0x04:
            self._put(0x9C, 255 - values["proximity"], 0, 255, 1)
        self.register[0x93] = (enabled & 0x06) >> 1


class Hs300x:
    """Temperature and humidity of Rev2: measures when it is asked."""

    ADDRESS, _PERIOD_US = 0x44, 35_000

    def __init__(self):
        self._asked_us, self._bytes = None, bytes(4)

    def write(self, data: bytes, now_us: int) -> None:
        self._asked_us = now_us

    def read(self, count: int, now_us: int, values: dict) -> bytes:
        stale = True
        if self._asked_us is not None and now_us - self._asked_us >= self._PERIOD_US:
            h = min(max(round(values["humidity"] / 100 * 16383), 0), 16383)
            t = min(max(round((values["temperature"] + 40) / 165 * 16383), 0), 16383)
            self._bytes = h.to_bytes(2, "big") + (t << 2).to_bytes(2, "big")
            self._asked_us, stale = None, False
        return bytes([self._bytes[0] | 0x40 * stale, *self._bytes[1:]])[:count]
