"""tk_device on this computer: requests, streams, a slow line, damaged bytes, noise."""

import random
import struct

import numpy as np
import pytest
from host_device import DeviceRefused, HostDevice, drop_after, frame, tiny_plan

from tinykit.engine.plan import FORMAT
from tinykit.engine.step import KINDS
from tinykit.features import load_core, pack_section, quantized
from tinykit.pipeline import ImuFrontEnd, Pipeline

RNG = np.random.default_rng(5)
FRONT = ImuFrontEnd(center=True, scale=(1e-4,) * 6)
PIPELINE = Pipeline("wand", "gesture", 119.0, 20, 5, FRONT, ("a", "b", "c"))
SCALE, ZERO = 0.02, 3


def rows(n):
    return RNG.integers(-32768, 32768, (n, 6)).astype(np.int16)


def plan(pipeline=PIPELINE, **how):
    section = pack_section(pipeline, SCALE, ZERO)
    return tiny_plan(section, pipeline.window * 6, len(pipeline.labels), **{"arena": 8192, **how})


def samples(payload):
    """A SAMPLES event: (flags, indices, times, values)."""
    sensor, count, channels, flags, index, time = struct.unpack_from("<BBBBII", payload)
    assert (sensor, channels) == (0, 6) and len(payload) == 12 + 14 * count
    delta = np.frombuffer(payload, "<u2", count, 12).astype(np.int64)
    values = np.frombuffer(payload, "<i2", count * 6, 12 + 2 * count).reshape(count, 6)
    assert delta[0] == 0
    return flags, list(range(index, index + count)), (time + np.cumsum(delta)).tolist(), values


def ranges(numbers):
    """1, 2, 3, 5 -> "1-3,5"."""
    numbers, text = sorted(numbers), []
    while numbers:
        run = [n for i, n in enumerate(numbers) if n == numbers[0] + i]
        text.append(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}")
        numbers = numbers[len(run) :]
    return ",".join(text)


def test_hello_info_time_echo():
    device = HostDevice(arena=4096)
    device.now = 5_000_123
    assert device.request(0x01, b"\1\0") == struct.pack("<HI", 1, 5000)
    assert device.info() == {
        "firmware": "0.3.0", "protocol": "1", "board": "Host", "virtual": "1", "id": "HOST-1",
        "sensors": "imu:LSM9DS1:119.0:aX,aY,aZ,gX,gY,gZ:8192:16.384", "flash": "123", "ram": "45", "free_ram": "0",
        "arena": "4096", "slot_bytes": str(4 * 4096), "plan_format": str(FORMAT), "kinds": ranges(KINDS.values()),
        "active": "none", "live": "0", "mic": "off",
        "frames_damaged": "0",
    }  # fmt: skip
    assert struct.unpack("<Q", device.request(0x12))[0] == device.now
    for payload in (b"", b"\0" * 512, bytes(range(256)) * 2):
        assert device.request(0x04, payload) == payload
    with pytest.raises(DeviceRefused) as refused:
        device.request(0x01, b"\2\0")
    assert (refused.value.name, refused.value.detail) == ("bad_version", 1)


def test_the_clock_goes_on_when_32_bits_are_full():
    device = HostDevice()
    for turn in range(3):
        device.now = (turn << 32) + 7
        assert struct.unpack("<Q", device.request(0x12))[0] == device.now
        device.now += 1 << 31
        device.poll()


REQUESTS = [*range(0x01, 0x16)]
LENGTHS = {0x01: {2}, 0x04: set(range(513)), 0x05: {8}, 0x06: {1}, 0x07: {12}, 0x08: set(range(5, 513)),
           0x0B: set(range(5, 513)), 0x0C: {1, 6}, 0x0D: {6}, 0x10: {0, 6}, 0x11: {1, 2}, 0x13: {1}, 0x14: {6},
           0x15: {6}}  # fmt: skip


@pytest.mark.parametrize("type_", REQUESTS)
def test_every_length_but_the_right_one_is_refused(type_):
    device = HostDevice()
    for n in [0, 1, 2, 4, 5, 6, 7, 8, 9, 11, 12, 13, 512]:
        if n in LENGTHS.get(type_, {0}):
            continue
        with pytest.raises(DeviceRefused, match="bad_length"):
            device.request(type_, bytes(n))


def test_unknown_requests_are_refused():
    device = HostDevice()
    for type_ in [0x00, *range(0x16, 0x40), 0x40, 0x7F, 0x80, 0xFE]:
        kind, _, data = device.raw_request(type_)
        assert kind == 0xFF and data[8:] == b"unknown_request" and data[2] == type_


@pytest.mark.parametrize("per_frame", [1, 6, 35])
def test_stream(per_frame):
    device = HostDevice()
    device.sense(rows(10))  # before the stream: not sent
    assert device.request(0x05, struct.pack("<BBHI", 0, per_frame, 0, 0)) == struct.pack("<I", 119000)
    sent, start = rows(210), device.now
    device.sense(sent)
    got = [samples(p) for p in device.take_events(0x40)]
    assert [len(g[1]) for g in got] == [per_frame] * (210 // per_frame)
    assert sum((g[1] for g in got), []) == list(range(10, 220))
    assert np.array_equal(np.concatenate([g[3] for g in got]), sent)
    assert sum((g[2] for g in got), []) == [start + 8403 * (i + 1) for i in range(210)]
    assert {g[0] for g in got} == {0}
    assert device.request(0x06, b"\0") == struct.pack("<II", 210, 0)
    device.sense(rows(40))
    assert device.take_events(0x40) == []
    assert device.request(0x06, b"\0") == struct.pack("<II", 210, 0)


def test_a_gap_of_the_sensor_begins_a_frame_and_is_flagged():
    device = HostDevice()
    device.request(0x05, struct.pack("<BBHI", 0, 6, 0, 0))
    device.sense(rows(4))
    device.skip(3)
    device.sense(rows(8))
    got = [samples(p) for p in device.take_events(0x40)]
    assert [(g[0], g[1]) for g in got] == [(0, [0, 1, 2, 3]), (2, [7, 8, 9, 10, 11, 12])]


def test_samples_far_apart_begin_a_frame():
    device = HostDevice()
    device.request(0x05, struct.pack("<BBHI", 0, 4, 0, 0))
    device.sense(rows(6), spacing_us=65535)
    device.sense(rows(2), spacing_us=65536)
    assert [len(samples(p)[1]) for p in device.take_events(0x40)] == [4, 2, 1]


def test_streams_that_can_not_be():
    device = HostDevice()
    for payload, name, detail in [
        (struct.pack("<BBHI", 1, 6, 0, 0), "no_sensor", 0),
        (struct.pack("<BBHI", 0, 6, 0, 50000), "bad_rate", 119000),
        (struct.pack("<BBHI", 0, 0, 0, 0), "bad_argument", 35),
        (struct.pack("<BBHI", 0, 36, 0, 119000), "bad_argument", 35),
    ]:
        with pytest.raises(DeviceRefused) as refused:
            device.request(0x05, payload)
        assert (refused.value.name, refused.value.detail) == (name, detail)
    blind = HostDevice(imu=False)
    assert blind.info()["sensors"] == ""
    for type_, payload in [(0x05, struct.pack("<BBHI", 0, 6, 0, 0)), (0x06, b"\0"), (0x11, b"\1")]:
        with pytest.raises(DeviceRefused, match="no_sensor"):
            blind.request(type_, payload)
    blind.now = 10_000_000
    blind.poll()
    assert blind.received() == []


def test_a_host_that_does_not_read_loses_only_what_memory_can_not_hold():
    device = HostDevice()
    device.request(0x05, struct.pack("<BBHI", 0, 6, 0, 0))
    device.line_takes = 0
    sent = rows(1500)
    device.sense(sent)
    device.line_takes = 1 << 30
    device.poll(30)
    got = [samples(p) for p in device.take_events(0x40)]
    indices = sum((g[1] for g in got), [])
    assert len(set(indices)) == len(indices) and indices == sorted(indices)
    assert np.array_equal(np.concatenate([g[3] for g in got]), sent[indices])
    assert sum(g[0] == 1 for g in got) == 1
    received, lost = struct.unpack("<II", device.request(0x06, b"\0"))
    assert received == len(indices) and 1500 - 6 < received + lost <= 1500 and received >= 512
    # Nothing was lost on the way: the events are numbered without a gap.


def test_event_numbers_count_up():
    device = HostDevice()
    device.request(0x05, struct.pack("<BBHI", 0, 1, 0, 0))
    device.sense(rows(600))
    assert [seq for _, seq, _ in device.received()] == [i % 256 for i in range(600)]


def test_no_reply_is_lost_when_the_line_is_slow():
    device = HostDevice()
    device.line_takes = 1
    for i in range(200):
        device.to_device += frame(0x04, i, bytes([i]) * 400)
    for _ in range(200 * 410):
        device.poll()
    got = device.received()
    assert got == [(0x84, i, bytes([i]) * 400) for i in range(200)]


def test_a_stream_that_fills_the_line_leaves_room_for_replies():
    device = HostDevice()
    device.request(0x05, struct.pack("<BBHI", 0, 1, 0, 0))
    device.line_takes = 10  # a poll, where the samples of one poll need 100
    for _ in range(200):
        device.sense(rows(3), poll=False)
        device.poll()
    device.to_device += frame(0x04, 9, b"x" * 512)
    for _ in range(2000):
        device.sense(rows(3), poll=False)
        device.poll()
    replies = [f for f in device.received() if f[0] == 0x84]
    assert replies == [(0x84, 9, b"x" * 512)]


def test_a_dead_sensor_is_told_once_and_so_is_its_return():
    device = HostDevice()
    device.sense(rows(5))
    for _ in range(30):
        device.now += 100_000
        device.poll()
    assert device.take_events(0x43) == [struct.pack("<h", -29) + b"the IMU gives no samples"]
    device.sense(rows(1))
    assert device.take_events(0x42) == [b"the IMU is back"]


def test_run_a_tensor():
    device = HostDevice(arena=8192)
    device.upload(plan(take=7))
    x = RNG.integers(-128, 128, 120).astype(np.int8)
    for offset in (0, 100):
        piece = x.tobytes()[offset : offset + 100]
        assert struct.unpack("<I", device.request(0x0B, struct.pack("<I", offset) + piece))[0] == offset + len(piece)
    cycles, _, n = struct.unpack("<III", device.request(0x0C, b"\0"))
    assert (cycles, n) == (1000, 3)
    assert device.request(0x0D, struct.pack("<IH", 0, 3)) == x.tobytes()[7:10]
    assert device.request(0x0D, struct.pack("<IH", 1, 1)) == x.tobytes()[8:9]


def test_run_a_window():
    device = HostDevice(arena=8192)
    device.upload(plan(take=60))
    for window in RNG.integers(-32768, 32768, (20, 20, 6)).astype(np.int16):
        device.request(0x0B, struct.pack("<I", 0) + window.tobytes())
        device.request(0x0C, b"\1")
        expected = quantized(window[None], FRONT, SCALE, ZERO).reshape(-1)[60:63]
        assert device.request(0x0D, struct.pack("<IH", 0, 3)) == expected.tobytes()


def test_a_window_written_behind_the_tensor_touches_nothing_else():
    device = HostDevice(arena=8192)
    device.upload(plan(take=7))
    device.request(0x0B, struct.pack("<I", 0) + bytes(range(120)))
    device.request(0x0C, b"\0")
    assert device.request(0x0D, struct.pack("<IH", 0, 3)) == bytes([7, 8, 9])  # lies right behind the input
    device.request(0x0B, struct.pack("<I", 100) + b"\x55" * 140)
    assert device.request(0x0D, struct.pack("<IH", 0, 3)) == bytes([7, 8, 9])


def test_tensors_out_of_bounds_or_without_a_plan():
    device = HostDevice(arena=8192)
    for type_, payload in [
        (0x0B, b"\0\0\0\0x"),
        (0x0C, b"\0"),
        (0x0D, bytes(6)),
        (0x14, bytes(6)),
        (0x15, bytes(6)),
        (0x10, b""),
    ]:
        with pytest.raises(DeviceRefused, match="no_plan"):
            device.request(type_, payload)
    device.upload(plan())
    for type_, payload, name in [
        (0x0B, struct.pack("<I", 240) + b"x", "out_of_bounds"),
        (0x0B, struct.pack("<I", 0xFFFFFFFF) + b"xx", "out_of_bounds"),
        (0x0D, struct.pack("<IH", 0, 4), "out_of_bounds"),
        (0x0D, struct.pack("<IH", 0xFFFFFFFF, 3), "out_of_bounds"),
        (0x0D, struct.pack("<IH", 0, 513), "out_of_bounds"),
        (0x0C, b"\2", "bad_argument"),
    ]:
        with pytest.raises(DeviceRefused, match=name):
            device.request(type_, payload)


def test_a_bare_network_runs_but_is_no_pipeline():
    device = HostDevice(arena=8192)
    device.upload(tiny_plan(take=5))
    device.request(0x0B, struct.pack("<I", 0) + bytes(range(24)))
    device.request(0x0C, b"\0")
    assert device.request(0x0D, struct.pack("<IH", 0, 3)) == bytes([5, 6, 7])
    for type_, payload in [(0x0C, b"\1"), (0x0E, b""), (0x10, b""), (0x14, bytes(6))]:
        with pytest.raises(DeviceRefused, match="no_pipeline"):
            device.request(type_, payload)


def test_run_repeated_with_the_same_number_is_done_once():
    device = HostDevice(arena=8192)
    device.upload(tiny_plan(take=5))
    device.request(0x0B, struct.pack("<I", 0) + bytes(24))
    first = device.request(0x0C, b"\0", seq=9)
    # Had it run again the output would be back; the arena is the network's.
    device.step_us = 3
    assert device.request(0x0C, b"\0", seq=9) == first
    assert device.request(0x0C, b"\0", seq=10) != first  # takes time now, so it was run


def test_ops_one_by_one_and_what_lies_in_the_arena():
    device = HostDevice(arena=8192)
    device.upload(plan(take=7, ops=3))
    arena = lambda at, n: device.request(0x15, struct.pack("<IH", at, n))  # noqa: E731
    run = lambda first, count, mode=0: struct.unpack(  # noqa: E731
        "<III", device.request(0x0C, struct.pack("<BBHH", mode, 0, first, count))
    )
    device.request(0x0B, struct.pack("<I", 0) + bytes(range(120)))
    assert run(0, 3) == (3000, 0, 3) and arena(128, 3) == bytes([7, 8, 9])
    device.request(0x0B, struct.pack("<I", 0) + bytes(range(100, 220)))
    assert run(0, 0) == (0, 0, 3)  # nothing was computed
    assert arena(0, 120) == bytes(range(100, 220)) and arena(128, 3) == bytes([7, 8, 9])
    assert run(1, 1) == (1000, 0, 3) and arena(128, 3) == bytes([107, 108, 109])
    assert run(3, 0) == (0, 0, 3)
    window = RNG.integers(-32768, 32768, (20, 6)).astype(np.int16)
    device.request(0x0B, struct.pack("<I", 0) + window.tobytes())
    run(0, 0, mode=1)
    assert arena(0, 120) == quantized(window[None], FRONT, SCALE, ZERO).tobytes()
    assert arena(8191, 1) and arena(8192, 0) == b""
    for first, count in [(0, 4), (4, 0), (3, 1), (65535, 65535)]:
        with pytest.raises(DeviceRefused, match="bad_argument") as refused:
            run(first, count)
        assert refused.value.detail == 3
    for at, n in [(8192, 1), (8000, 193), (0xFFFFFFFF, 2), (0, 513)]:
        with pytest.raises(DeviceRefused, match="out_of_bounds") as refused:
            arena(at, n)
        assert refused.value.detail == 8192
    for length in (0, 2, 3, 4, 5, 7):
        with pytest.raises(DeviceRefused, match="bad_length"):
            device.request(0x0C, bytes(length))


def test_section_read():
    device = HostDevice(arena=8192)
    long = PIPELINE.with_(labels=("x" * 63, "y" * 63, "z" * 63))
    section = pack_section(long, SCALE, ZERO)
    device.upload(plan(long))
    assert device.request(0x14, struct.pack("<IH", 0, 512)) == section
    assert device.request(0x14, struct.pack("<IH", 40, 4)) == section[40:44]
    assert device.request(0x14, struct.pack("<IH", len(section), 4)) == b""
    with pytest.raises(DeviceRefused, match="out_of_bounds"):
        device.request(0x14, struct.pack("<IH", len(section) + 1, 4))


def test_damaged_bytes_make_no_wrong_answer():
    """1 % of the bytes damaged on the way to the device: it answers what was sent, or not at all."""
    device, rng = HostDevice(), random.Random(8)
    sent = {}
    for i in range(600):
        payload = rng.randbytes(rng.choice([0, 5, 30, 120]))
        sent.setdefault((i % 256, payload), 0)
        device.to_device += drop_after(frame(0x04, i % 256, payload), 100 + i % 7)
        device.poll()
    replies = device.received()
    assert len(replies) > 200
    for kind, seq, payload in replies:
        assert kind == 0x84 and (seq, payload) in sent
    assert int(device.info()["frames_damaged"]) > 50


def test_random_requests_never_crash_and_are_always_answered():
    rng, device = random.Random(9), HostDevice(arena=8192)
    device.upload(plan())
    for _ in range(4000):
        type_ = rng.choice([t for t in REQUESTS if t != 0x11])
        n = rng.choice([*LENGTHS.get(type_, {0}), rng.randrange(513)])
        payload = bytes(rng.choice([0, 0, 1, 255, rng.randrange(256)]) for _ in range(n))
        kind, _, _ = device.raw_request(type_, payload)
        assert kind in (type_ | 0x80, 0xFF)
        device.sense(rows(1))
    assert device.request(0x04, b"still here") == b"still here"


def test_device_fits_its_ram():
    assert load_core().tk_device_size() <= 64 * 1024
