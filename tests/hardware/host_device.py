"""The device core on this computer, over a tk_hal made in Python: flash that can lose power, a
serial line, an IMU and a clock that the test moves. Frames are made and read here by cobs and zlib."""

import ctypes
import random
import struct
import zlib
from collections import deque

import numpy as np
from cobs import cobs

from tinykit.engine.plan import FORMAT
from tinykit.features import load_core

PAGE = 4096
U8P, U32P = ctypes.POINTER(ctypes.c_uint8), ctypes.POINTER(ctypes.c_uint32)
C = ctypes.c_void_p
MICROS = ctypes.CFUNCTYPE(ctypes.c_uint32, C)
START = ctypes.CFUNCTYPE(None, C, ctypes.c_uint32)
SERIAL = ctypes.CFUNCTYPE(ctypes.c_size_t, C, U8P, ctypes.c_size_t)
ERASE = ctypes.CFUNCTYPE(ctypes.c_int, C, ctypes.c_uint32)
WRITE = ctypes.CFUNCTYPE(ctypes.c_int, C, ctypes.c_uint32, U32P, ctypes.c_size_t)


class Sample(ctypes.Structure):
    _fields_ = [("index", ctypes.c_uint32), ("time_us", ctypes.c_uint32), ("value", ctypes.c_int16 * 6)]


IMU = ctypes.CFUNCTYPE(ctypes.c_int, C, ctypes.POINTER(Sample))
MIC = ctypes.CFUNCTYPE(ctypes.c_size_t, C, ctypes.POINTER(ctypes.c_int16), ctypes.c_size_t, U32P, U32P)
MIC_START = ctypes.CFUNCTYPE(None, C)


TRANSFER = ctypes.CFUNCTYPE(ctypes.c_bool, C, ctypes.c_uint8, U8P, ctypes.c_size_t, U8P, ctypes.c_size_t)


class Bus(ctypes.Structure):
    """tk_i2c, field by field."""

    _fields_ = [("context", C), ("transfer", TRANSFER)]


class Hal(ctypes.Structure):
    """tk_hal, field by field."""

    _fields_ = [
        ("context", C), ("micros", MICROS), ("cycles_start", START), ("cycles_stop", MICROS),
        ("serial_read", SERIAL), ("serial_write", SERIAL), ("imu_read", IMU),
        ("imu_name", ctypes.c_char_p), ("imu_rate_mhz", ctypes.c_uint32),
        ("mic_read", MIC), ("mic_start", MIC_START), ("mic_name", ctypes.c_char_p),
        ("mic_rate_mhz", ctypes.c_uint32), ("mic_settle_ms", ctypes.c_uint32),
        ("flash_erase", ERASE), ("flash_write", WRITE), ("flash", C),
        ("slot_address", ctypes.c_uint32 * 2), ("slot_bytes", ctypes.c_uint32),
        ("free_ram", MICROS), ("code_bytes", ctypes.c_uint32), ("static_bytes", ctypes.c_uint32),
        ("board", ctypes.c_char_p), ("id", ctypes.c_char_p),
        ("is_virtual", ctypes.c_bool), ("i2c", C),
    ]  # fmt: skip


class Flash:
    """NOR flash: erase sets a page to ones, a write only clears bits; refuses to write a word twice.

    ``cut_after`` operations (one erase, or one word written) later the power is gone: the operation
    under way is torn, by ``rng`` if given, and nothing changes any more.
    """

    def __init__(self, pages=12):
        self.size = pages * PAGE
        self._block = ctypes.create_string_buffer(self.size + 16)
        self.base = -(-ctypes.addressof(self._block) // 16) * 16
        ctypes.memset(self.base, 0xFF, self.size)
        self.operations, self.cut_after, self.rng, self.broken = 0, None, None, False
        self.rewritten = 0

    def read(self, address, n):
        return ctypes.string_at(self.base + address, n)

    def _put(self, address, data):
        assert 0 <= address <= self.size - len(data)
        ctypes.memmove(self.base + address, data, len(data))

    def _powered(self):
        """True: the operation happens; False: it is torn; None: the power is gone."""
        self.operations += 1
        if self.cut_after is None or self.operations <= self.cut_after:
            return True
        return False if self.operations == self.cut_after + 1 else None

    def erase(self, address):
        assert address % PAGE == 0
        powered = self._powered()
        if powered is False and self.rng:
            # Bits go to one in any order.
            torn = bytes(b | self.rng.randrange(256) for b in self.read(address, PAGE))
            self._put(address, torn)
        elif powered:
            self._put(address, b"\xff" * PAGE)
        return 0 if powered else -16

    def write(self, address, words):
        assert address % 4 == 0
        for word in words:
            powered = self._powered()
            if powered is None or (powered is False and not self.rng):
                return -16
            old = int.from_bytes(self.read(address, 4), "little")
            self.rewritten += old != 0xFFFFFFFF
            if not powered:  # some of the bits are cleared, others not yet
                word |= self.rng.getrandbits(32)
            if self.broken:
                word |= 1
            self._put(address, (old & word).to_bytes(4, "little"))
            if not powered:
                return -16
            address += 4
        return 0

    def restore_power(self):
        self.operations, self.cut_after = 0, None


def frame(type_, seq, payload=b""):
    raw = bytes([type_, seq]) + payload
    return b"\0" + cobs.encode(raw + zlib.crc32(raw).to_bytes(4, "little")) + b"\0"


def unframe(piece):
    raw = cobs.decode(piece)
    assert zlib.crc32(raw[:-4]) == int.from_bytes(raw[-4:], "little")
    return raw[0], raw[1], raw[2:-4]


class DeviceRefused(Exception):
    def __init__(self, name, status, detail):
        super().__init__(name)
        self.name, self.status, self.detail = name, status, detail


class HostDevice:
    """A tk_device whose world is this object. ``arena`` bytes of RAM; ``imu=False``: no sensor; ``settle_ms``:
    a microphone that settles for so long (None: no microphone); ``room``: an ``Environment`` on the bus."""

    def __init__(self, flash=None, arena=4096, imu=True, core=None, slot_pages=5, settle_ms=None, room=None):
        self.core = core or load_core()
        self.core.tk_device_init.argtypes = [C, C, C, ctypes.c_size_t]
        self.core.tk_device_poll.argtypes = [C]
        self.core.tk_device_size.restype = ctypes.c_size_t
        self.flash = flash or Flash()
        self.now = 0  # microseconds
        self.to_device, self.from_device = bytearray(), bytearray()
        self.line_takes = 1 << 30  # bytes that the line takes at once
        self.samples = deque()
        self.next_index = 0
        self.sound = deque()  # [index, time in us, samples] of each buffer that waits
        self.sound_index = 0
        self.mic_runs, self.mic_starts = False, 0
        self.seq = 0
        self.events = []
        self.room = room
        self.step_us = 0  # what one look at the clock costs
        self.when_looked_at = None  # called at each look at the clock
        self.when_working = lambda key: None  # called when cycles begin to be counted
        self._keep = self._callbacks(imu)
        self._bus = Bus(None, TRANSFER(self._transfer))
        self._mic = self._mic_callbacks() if settle_ms is not None else [MIC(0), MIC_START(0)]
        self.hal = Hal(
            None, *self._keep[:6], b"LSM9DS1" if imu else None, 119000,
            *self._mic, b"MP34DT06", 16_000_000, settle_ms or 0, *self._keep[6:8], self.flash.base,
            (ctypes.c_uint32 * 2)(PAGE, PAGE * (1 + slot_pages)), slot_pages * PAGE,
            MICROS(0), 123, 45, b"Host", b"HOST-1", True, ctypes.addressof(self._bus) if room else None,
        )  # fmt: skip
        self._memory = ctypes.create_string_buffer(self.core.tk_device_size() + 16)
        self._device = -(-ctypes.addressof(self._memory) // 16) * 16
        self._arena = ctypes.create_string_buffer(arena + 16)
        start = -(-ctypes.addressof(self._arena) // 16) * 16
        self.core.tk_device_init(self._device, ctypes.addressof(self.hal), start, arena)

    def _callbacks(self, imu):
        def micros(_):
            self.now += self.step_us
            if self.when_looked_at:
                self.when_looked_at()
            return self.now % (1 << 32)

        def read(_, out, capacity):
            n = min(capacity, len(self.to_device))
            ctypes.memmove(out, bytes(self.to_device[:n]), n)
            del self.to_device[:n]
            return n

        def write(_, data, n):
            n = min(n, self.line_takes)
            self.from_device += ctypes.string_at(data, n)
            return n

        def imu_read(_, out):
            if not self.samples:
                return 0
            out[0] = self.samples.popleft()
            return 1

        return [
            MICROS(micros), START(lambda _, key: self.when_working(key)), MICROS(lambda _: 1000),
            SERIAL(read), SERIAL(write),
            IMU(imu_read) if imu else IMU(0),
            ERASE(lambda _, address: self.flash.erase(address)),
            WRITE(lambda _, address, words, n: self.flash.write(address, [words[i] for i in range(n)])),
        ]  # fmt: skip

    def _transfer(self, _, device, out, out_count, into, into_count):
        if out_count and not self.room.write(device, ctypes.string_at(out, out_count), self.now):
            return False
        data = self.room.read(device, into_count, self.now) if into_count else b""
        if data is not None:
            ctypes.memmove(into, data, len(data))
        return data is not None

    def _mic_callbacks(self):
        def read(_, out, capacity, index, time_us):
            if not self.sound:
                return 0
            at, time, samples = piece = self.sound[0]
            n = min(capacity, len(samples))
            ctypes.memmove(out, samples[:n].tobytes(), 2 * n)
            index[0], time_us[0] = at % (1 << 32), time % (1 << 32)
            piece[:] = at + n, time + n * 125 // 2, samples[n:]
            if n == len(samples):
                self.sound.popleft()
            return n

        def start(_):
            self.mic_runs, self.mic_starts = True, self.mic_starts + 1

        return [MIC(read), MIC_START(start)]

    # ---- the world ----

    def sense(self, rows, spacing_us=8403, poll=True):
        """Let the IMU take these rows of six counts, one after the other, and the device look at them."""
        for row in rows:
            self.now += spacing_us
            self.samples.append(Sample(self.next_index, self.now % (1 << 32), (ctypes.c_int16 * 6)(*map(int, row))))
            self.next_index += 1
            if poll:
                self.poll()

    def skip(self, n):
        """Let the IMU take n samples that the device never sees."""
        self.next_index += n
        self.now += n * 8403

    def hear(self, samples, buffer=256, poll=True):
        """Let the microphone take these int16 samples, a buffer at a time, and the device look at each.
        They are lost while its driver does not run."""
        samples = np.asarray(samples, "<i2")
        for at in range(0, len(samples), buffer):
            piece = samples[at : at + buffer]
            if self.mic_runs:
                self.sound.append([self.sound_index, self.now, piece])
            self.pass_by(len(piece))
            if poll:
                self.poll()

    def pass_by(self, n):
        """Let the microphone count n samples that nobody gets."""
        self._half_us = getattr(self, "_half_us", 0) + n * 125
        self.now += self._half_us // 2
        self._half_us %= 2
        self.sound_index += n

    def poll(self, times=1):
        for _ in range(times):
            self.core.tk_device_poll(self._device)

    def received(self):
        """Frames (type, seq, payload) that have arrived since the last call."""
        *whole, rest = bytes(self.from_device).split(b"\0")
        self.from_device = bytearray(rest)
        return [unframe(piece) for piece in whole if piece]

    def raw_request(self, type_, payload=b"", seq=None):
        """Send a request; return its reply as (type, seq, payload). Events are kept in ``events``."""
        if seq is None:
            self.seq = seq = (self.seq + 1) % 256
        self.to_device += frame(type_, seq, payload)
        self.poll(2)
        replies = []
        for got in self.received():
            (self.events if 0x40 <= got[0] < 0x60 else replies).append(got)
        (reply,) = replies
        assert reply[1] == seq
        return reply

    def request(self, type_, payload=b"", seq=None):
        """As ``raw_request``; returns the payload, or raises ``DeviceRefused``."""
        kind, _, data = self.raw_request(type_, payload, seq)
        if kind == 0xFF:
            status, request, pad, detail = struct.unpack_from("<hBBI", data)
            assert request == type_ and pad == 0
            raise DeviceRefused(data[8:].decode(), status, detail)
        assert kind == type_ | 0x80
        return data

    def take_events(self, type_):
        """Payloads of the events of one type so far; they are forgotten."""
        self.events += self.received()
        taken = [e[2] for e in self.events if e[0] == type_]
        self.events = [e for e in self.events if e[0] != type_]
        return taken

    # ---- whole conversations ----

    def upload(self, plan, slot=0xFF, chunk=508):
        header = struct.pack("<B3xII", slot, len(plan), zlib.crc32(plan))
        number = self.request(0x07, header)[0]
        for offset in range(0, len(plan), chunk):
            piece = plan[offset : offset + chunk]
            reply = self.request(0x08, struct.pack("<I", offset) + piece)
            assert struct.unpack("<I", reply)[0] == offset + len(piece)
        done = self.request(0x09)
        assert done == struct.pack("<B3xI", number, zlib.crc32(plan))
        return number

    def slots(self):
        """Per slot: state, active, activation, length, crc, name."""
        data = self.request(0x03)
        fields = struct.iter_unpack("<BBHIII32s", data)
        return [(f[0], f[1], f[3], f[4], f[5], f[6].split(b"\0")[0].decode()) for f in fields]

    def info(self):
        return dict(line.split("=", 1) for line in self.request(0x02).decode().splitlines())


def tiny_plan(section=b"", input_bytes=24, output_bytes=3, take=0, arena=64, filler=0, ops=1):
    """A plan whose network copies ``output_bytes`` of its input, from byte ``take`` on, as tk_plan.h
    has it, ``ops`` times over; ``filler`` bytes of constants make it longer."""
    at = 64
    section_at = at if section else 0
    at += -(-len(section) // 16) * 16
    ops_at, const_at = at, at + 96 * ops
    op = struct.pack(
        "<HH5I14H3h2b2I7i", 12, 0, take, 0, input_bytes_aligned(input_bytes), 0, 0, 1, 1, output_bytes, 1, 1,
        output_bytes, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -128, 127, const_at, 0, 0, 0, 0, 0, 0, 0, 0,
    )  # fmt: skip
    assert len(op) == 96, len(op)
    op *= ops
    loops = struct.pack("<16i", output_bytes, *[1] * 5, *[0] * 10)  # tk_op_copy.c: one run
    constants = loops + random.Random(filler).randbytes(-(-filler // 16) * 16)
    body = section.ljust(ops_at - 64, b"\0") + op + constants
    length = 64 + len(body)
    rest = struct.pack(
        "<12I", section_at, len(section), ops_at, ops, const_at, len(constants), arena, 0, input_bytes,
        input_bytes_aligned(input_bytes), output_bytes, 0,
    )  # fmt: skip
    crc = zlib.crc32(rest + body)
    return struct.pack("<4sHHII", b"TKPL", FORMAT, 0, length, crc) + rest + body


def input_bytes_aligned(n):
    return -(-n // 16) * 16


def drop_after(data, n):
    """Random damage of one byte in ``n``: changed, dropped or doubled. For link tests."""
    rng = random.Random(n)
    out = bytearray()
    for byte in data:
        chance = rng.randrange(3 * n)
        if chance == 0:
            out.append(byte ^ (1 << rng.randrange(8)))
        elif chance == 1:
            out += bytes([byte, byte])
        elif chance != 2:
            out.append(byte)
    return bytes(out)
