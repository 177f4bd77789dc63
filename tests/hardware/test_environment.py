"""The environment sensors: the core's drivers against devices made of registers, and against Arduino's libraries."""

import ctypes
import struct

import numpy as np
import pytest
import real_arduino
from host_device import DeviceRefused, HostDevice

from tinykit import toolchain
from tinykit.board.virtual.environment import Environment, Room
from tinykit.board.virtual.faults import Faults
from tinykit.data import units

SRC = toolchain.hardware_dir() / "TinyKit" / "src"
START, STOP, SENSOR = 0x05, 0x06, 2
REVISIONS = ["LSM9DS1", "BMI270"]


def device_in(room, revision="LSM9DS1", faults=None, **more):
    return HostDevice(room=Environment(revision, room, faults or Faults()), **more)


def start(device):
    return device.request(START, struct.pack("<BBHI", SENSOR, 1, 0, 0))


def let_pass(device, seconds, step_us=20_000):
    for _ in range(round(seconds * 1e6 / step_us)):
        device.now += step_us
        device.poll()


def samples(device):
    """Index, time, flags and values in units of each SAMPLES event so far."""
    rows = []
    for event in device.take_events(0x40):
        sensor, count, channels, flags, index, time_us, delta = struct.unpack_from("<BBBBIIH", event)
        assert (sensor, count, delta) == (SENSOR, 1, 0)
        counts = struct.unpack_from(f"<{channels}h", event, 14)
        rows.append((index, time_us, flags, counts))
    return rows


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_sample_every_tenth_of_a_second_in_the_units_that_info_states(revision):
    room = Room(0, temperature=-12.34, humidity=67.89, pressure=987.6, red=1, green=2, blue=3, clear=4, proximity=7)
    device = device_in(room, revision)
    name, part, rate, channels, scales = device.info()["sensors"].split(";")[-1].split(":")
    assert (name, rate) == ("environment", "10.0")
    assert part.split("+") == ["HTS221" if revision == "LSM9DS1" else "HS300x", "LPS22HB", "APDS9960"]
    assert {c: float(s) for c, s in zip(channels.split(","), scales.split(","), strict=True)} == {
        c: counts for c, (counts, _) in units.ENVIRONMENT.items()
    }
    assert struct.unpack("<I", start(device)) == (10_000,)
    let_pass(device, 3)
    rows = samples(device)
    assert len(rows) >= 29 and [r[0] for r in rows] == list(range(rows[0][0], rows[0][0] + len(rows)))
    assert all(r[2] == 0 for r in rows) and set(np.diff([r[1] for r in rows])) == {100_000}
    values = units.to_units([r[3] for r in rows], channels.split(","))
    wanted = [room.values[c] for c in channels.split(",")]
    steps = [0.02, 0.02, 0.04, 0, 0, 0, 0, 0]  # of the sensor's and of ours
    assert (np.abs(values - wanted) <= np.array(steps) + 1e-6).all()


def test_they_are_off_but_while_streamed():
    device = device_in(Room())
    registers = device.room.devices
    powered = lambda: [registers[0x5F].register[0x20], registers[0x5C].register[0x10], registers[0x39].register[0x80]]  # noqa: E731
    assert powered() == [0, 0, 0]
    start(device)
    assert all(powered())
    let_pass(device, 1)
    sent, overruns = struct.unpack("<II", device.request(STOP, bytes([SENSOR])))
    assert powered() == [0, 0, 0] and (sent, overruns) == (len(samples(device)), 0) and sent >= 9
    let_pass(device, 1)
    assert samples(device) == []


def test_every_sample_is_accounted_for():
    device = device_in(Room())
    start(device)
    let_pass(device, 1)
    before = samples(device)[-1][0]
    device.now += 560_000  # it was busy: five tenths of a second without a look
    let_pass(device, 0.5)
    first = samples(device)[0]
    assert first[0] > before + 1 and first[2] == 2  # a jump of the index, and it says so
    device.line_takes = 0
    let_pass(device, 20)  # nobody reads: link and memory are full
    device.line_takes = 1 << 30
    let_pass(device, 2)
    rows = samples(device)
    late = next(i for i, r in enumerate(rows) if r[2] == 1)
    lost = rows[late][0] - rows[late - 1][0] - 1
    sent, overruns = struct.unpack("<II", device.request(STOP, bytes([SENSOR])))
    assert lost == overruns > 0


@pytest.mark.parametrize("revision", REVISIONS)
def test_late_turns_lose_only_what_they_slept_through(revision):
    """As erasing flash does: the next slot comes sooner than an HS300x has measured again."""
    device = device_in(Room(0), revision)
    start(device)
    let_pass(device, 1)
    for _ in range(60):
        for step in (85_000, *[5_000] * 9):
            device.now += step
            device.poll()
    rows = samples(device)
    assert len(rows) == rows[-1][0] - rows[0][0] + 1


def test_dead_sensors_are_told_once_and_come_back():
    faults = Faults()
    device = device_in(Room(), faults=faults)
    start(device)
    let_pass(device, 1)
    samples(device)
    faults.dead_environment = True
    let_pass(device, 5)
    (fault,) = (event for event in device.take_events(0x43) if b"IMU" not in event)
    assert fault == struct.pack("<h", -29) + b"the environment sensors give no samples" and samples(device) == []
    device.room.start()  # their power went, too: they must be told anew what to do
    faults.dead_environment = False
    let_pass(device, 1)
    assert b"the environment sensors are back" in device.take_events(0x42) and len(samples(device)) >= 7


@pytest.mark.parametrize("gone, parts, channels", [
    ((0x5F, 0x44), "LPS22HB+APDS9960", 6), ((0x5C,), "HTS221+APDS9960", 7), ((0x39,), "HTS221+LPS22HB", 3),
    ((0x5F, 0x5C), "APDS9960", 5),
])  # fmt: skip
def test_the_others_do_without_one_that_is_missing(gone, parts, channels):
    room = Environment("LSM9DS1", Room(0), Faults())
    for address in gone:
        room.devices.pop(address, None)
    device = HostDevice(room=room)
    told = device.info()["sensors"].split(";")[-1].split(":")
    assert told[1] == parts and len(told[3].split(",")) == len(told[4].split(",")) == channels
    start(device)
    let_pass(device, 1)
    rows = samples(device)
    wanted = [round(units.ENVIRONMENT[c][0] * room.source.values[c]) for c in told[3].split(",")]
    assert len(rows[0][3]) == channels and np.abs(np.array(rows[0][3]) - wanted).max() <= 2


def test_a_board_without_any_has_no_such_sensor():
    for device in (HostDevice(), device_in(Room(), faults=Faults(dead_environment=True))):
        assert "environment" not in device.info()["sensors"]
        with pytest.raises(DeviceRefused, match="no_sensor"):
            start(device)


class Noise(Environment):
    """Devices that have their names right, and say anything else."""

    seed = 0

    def read(self, device, count, now_us):
        rng = np.random.default_rng([device, count, now_us // 1000, self.seed])
        names = {(0x5F, 0x0F): 0xBC, (0x5C, 0x0F): 0xB1, (0x39, 0x92): 0xAB}
        name = names.get((device, getattr(self.devices.get(device), "_at", None)))
        return bytes([name]) if name and count == 1 else rng.bytes(count)


@pytest.mark.parametrize("revision", REVISIONS)
def test_whatever_the_registers_hold_the_device_goes_on(revision):
    received = 0
    for seed in range(40):
        room = Noise(revision, Room(), Faults())
        room.seed = seed
        device = HostDevice(room=room)
        assert "environment" in device.info()["sensors"]
        start(device)
        let_pass(device, 3, 100_000)
        for row in samples(device):
            received += 1
            assert len(row[3]) >= 6 and row[3][-6] > 0 and 0 <= row[3][-1] <= 255
    assert received > 20


def test_a_rate_or_a_frame_that_they_can_not_give_is_refused():
    device = device_in(Room())
    for samples_a_frame, rate, name, detail in ((2, 0, "bad_argument", 1), (1, 119000, "bad_rate", 10_000)):
        with pytest.raises(DeviceRefused, match=name) as caught:
            device.request(START, struct.pack("<BBHI", SENSOR, samples_a_frame, 0, rate))
        assert caught.value.detail == detail
    device.request(START, struct.pack("<BBHI", SENSOR, 1, 0, 10_000))


def test_info_is_whole_with_all_sensors_and_the_largest_numbers():
    device = device_in(Room(), "LSM9DS1", settle_ms=0)
    device.hal.board = b"Arduino Nano 33 BLE Sense"
    device.hal.id = b"0123456789ABCDEF"
    device.hal.code_bytes = device.hal.static_bytes = 2**20
    device.to_device += b"\0x\0" * 5000  # damaged frames, to be counted
    device.poll(2000)
    assert int(device.info()["frames_damaged"]) >= 5000 and len(device.request(0x02)) < 500


# ---- Arduino's own libraries as the oracle ----

SKETCH = """
#include <Arduino.h>
#include <Wire.h>
TwoWire Wire, Wire1;
void operator delete(void *) noexcept {} /* its class has a virtual destructor; there is no C++ library here */
void operator delete(void *, size_t) noexcept {}
extern "C" bool (*on_transfer)(void *, uint8_t, const uint8_t *, size_t, uint8_t *, size_t) = nullptr;
extern "C" void set_transfer(decltype(on_transfer) f) { on_transfer = f; }
#if CLIMATE == 1
#include "Arduino_HTS221.h"
#define SENSOR HTS
#elif CLIMATE == 2
#include "Arduino_HS300x.h"
#define SENSOR HS300x
#elif CLIMATE == 3
#include "Arduino_LPS22HB.h"
#else
#include "Arduino_APDS9960.h"
#endif
#if CLIMATE < 3
extern "C" int test_begin() { return SENSOR.begin(); }
extern "C" void test_measure(float *out) { out[0] = SENSOR.readTemperature(); out[1] = SENSOR.readHumidity(); }
#elif CLIMATE == 3
extern "C" int test_begin() { int found = BARO.begin(); BARO.setOutputRate(RATE_25_HZ); return found; }
extern "C" void test_measure(float *out) { out[0] = BARO.readPressure(MILLIBAR); }
#else
extern "C" int test_begin() { return APDS.begin(); }
extern "C" void test_measure(float *out)
{
    int r, g, b, c;
    for (int i = 0; i < 100 && !APDS.colorAvailable(); i++) delay(5);
    APDS.readColor(r, g, b, c);
    for (int i = 0; i < 100 && !APDS.proximityAvailable(); i++) delay(5);
    out[4] = (float)APDS.readProximity();
    out[0] = (float)r; out[1] = (float)g; out[2] = (float)b; out[3] = (float)c;
}
#endif
"""
HEADERS = {
    "Arduino.h": """#pragma once
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#define INPUT 0
#define LOW 0
extern "C" void delay(unsigned long ms);
inline void yield() { delay(1); }
inline void pinMode(int, int) {}
inline int digitalRead(int) { return 1; }
""",
    "Wire.h": """#pragma once
#include <Arduino.h>
extern "C" bool (*on_transfer)(void *, uint8_t, const uint8_t *, size_t, uint8_t *, size_t);
struct TwoWire {
    uint8_t device = 0, out[32], in[255];
    size_t count = 0, first = 0, last = 0;
    void begin() {}
    void end() {}
    void beginTransmission(uint8_t d) { device = d; count = 0; }
    size_t write(uint8_t b) { out[count++] = b; return 1; }
    uint8_t endTransmission(bool = true) { return on_transfer(nullptr, device, out, count, nullptr, 0) ? 0 : 2; }
    size_t requestFrom(uint8_t d, size_t n)
    {
        first = last = 0;
        if (on_transfer(nullptr, d, nullptr, 0, in, n)) last = n;
        return last;
    }
    int available() { return (int)(last - first); }
    int read() { return first < last ? in[first++] : -1; }
};
extern TwoWire Wire, Wire1;
""",
}
CHANNELS = {1: ["temperature", "humidity"], 2: ["temperature", "humidity"], 3: ["pressure"],
            4: ["red", "green", "blue", "clear", "proximity"]}  # fmt: skip


@pytest.mark.parametrize("climate, library", [(1, "HTS221"), (2, "HS300x"), (3, "LPS22HB"), (4, "APDS9960")])
def test_arduinos_own_library_reads_the_same_off_the_same_registers(climate, library, tmp_path):
    source = real_arduino.folder_of(f"arduino-libraries+Arduino_{library}") / "src"
    for name, text in HEADERS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "oracle.cpp").write_text(
        SKETCH + 'extern "C" void (*on_wait)(unsigned long) = nullptr;\n'
        'extern "C" void set_wait(decltype(on_wait) f) { on_wait = f; }\n'
        "void delay(unsigned long ms) { on_wait(ms); }\n",
        encoding="utf-8",
    )
    flags = [f"-DCLIMATE={climate}", "-w", "-DARDUINO_ARDUINO_NANO33BLE", "-DPIN_INT_APDS=-1"]
    path = toolchain.host_library(
        [tmp_path / "oracle.cpp", *sorted(source.glob("*.cpp"))], [tmp_path, source], "oracle", flags
    )
    oracle = ctypes.CDLL(str(path))
    rng = np.random.default_rng(climate)
    for _ in range(30):
        room = Room(0, temperature=rng.uniform(-20, 60), humidity=rng.uniform(5, 95), pressure=rng.uniform(300, 1200),
                    red=rng.integers(4000), green=rng.integers(4000), blue=rng.integers(4000),
                    clear=rng.integers(4000), proximity=rng.integers(256))  # fmt: skip
        device = device_in(room, "BMI270" if climate == 2 else "LSM9DS1")
        start(device)
        let_pass(device, 0.5)
        channels = device.info()["sensors"].split(";")[-1].split(":")[3].split(",")
        ours = dict(zip(channels, units.to_units(samples(device)[-1][3], channels).tolist(), strict=True))
        device.request(STOP, bytes([SENSOR]))
        calls = [TRANSFER(device._transfer), WAIT(lambda ms, d=device: setattr(d, "now", d.now + 1000 * ms))]
        oracle.set_transfer(calls[0])
        oracle.set_wait(calls[1])
        assert oracle.test_begin()
        device.now += 100_000
        out = (ctypes.c_float * 5)()
        oracle.test_measure(out)
        for name, value in zip(CHANNELS[climate], out, strict=False):
            if library == "HS300x" and name == "humidity":
                value *= 100 / 16383 / 0.006163516  # version 1.0.0 is 1 % above the data sheet's 100 / 16383
            assert ours[name] == pytest.approx(value, abs=0.51 / units.ENVIRONMENT[name][0] + 1e-3), name


TRANSFER = ctypes.CFUNCTYPE(
    ctypes.c_bool, ctypes.c_void_p, ctypes.c_uint8, ctypes.POINTER(ctypes.c_uint8), ctypes.c_size_t,
    ctypes.POINTER(ctypes.c_uint8), ctypes.c_size_t,
)  # fmt: skip
WAIT = ctypes.CFUNCTYPE(None, ctypes.c_ulong)
