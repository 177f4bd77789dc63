"""Live predictions: the device's windows against windows cut in numpy."""

import struct

import numpy as np
import pytest
from host_device import DeviceRefused, HostDevice, tiny_plan

from tinykit.features import pack_section, quantized, resample
from tinykit.pipeline import IMU_CHANNELS, Decision, ImuFrontEnd, Pipeline

RNG = np.random.default_rng(6)
SCALE, ZERO = 0.02, 3


def make(window=20, hop=5, rate=119.0, channels=IMU_CHANNELS, magnitude=("a",), rule=None, labels=3, name="wand"):
    front = ImuFrontEnd(channels, True, magnitude, (1e-4,) * (len(channels) + len(magnitude)))
    names = tuple(f"label {i}" for i in range(labels))
    return Pipeline(name, "gesture", rate, window, hop, front, names, rule or Decision(1, 0.0, 0.0))


def plan(pipeline, filler=0):
    """The network takes the last features of the window: any wrong row or order shows."""
    section = pack_section(pipeline, SCALE, ZERO)
    n = pipeline.window * len(pipeline.front_end.features)
    labels = len(pipeline.labels)
    return tiny_plan(section, n, labels, take=n - labels, arena=16384, filler=filler)


def answer(pipeline, window):
    columns = [IMU_CHANNELS.index(c) for c in pipeline.front_end.channels]
    q = quantized(np.ascontiguousarray(window[None][:, :, columns]), pipeline.front_end, SCALE, ZERO)
    return q.reshape(-1)[-len(pipeline.labels) :].tolist()


def rows(n):
    return RNG.integers(-32768, 32768, (n, 6)).astype(np.int16)


def predictions(device):
    """Dicts with the fields of each PREDICTION so far."""
    out = []
    for payload in device.take_events(0x41):
        names = ("number", "index", "time", "latency", "cycles", "decision", "flags", "n", "pad")
        p = dict(zip(names, struct.unpack_from("<5IbBBB", payload), strict=True))
        assert len(payload) == 24 + 2 * p["n"] and p["pad"] == 0
        p["raw"] = list(struct.unpack_from(f"<{p['n']}b", payload, 24))
        p["smoothed"] = list(payload[24 + p["n"] :])
        out.append(p)
    return out


def start(pipeline, before=()):
    device = HostDevice(arena=16384)
    device.upload(plan(pipeline))
    device.sense(before)
    assert device.request(0x0E) == struct.pack("<II", pipeline.hop, round(pipeline.rate_hz * 1000))
    return device


@pytest.mark.parametrize("channels", [IMU_CHANNELS, ("aX", "aY", "aZ"), ("aX", "aY", "aZ", "gY")])
def test_windows_are_cut_every_hop(channels):
    pipeline = make(channels=channels)
    data = rows(400)
    device = start(pipeline)
    device.sense(data)
    got = predictions(device)
    ends = list(range(19, 400, 5))
    assert [p["index"] for p in got] == ends
    assert [p["number"] for p in got] == list(range(len(ends)))
    assert [p["raw"] for p in got] == [answer(pipeline, data[e - 19 : e + 1]) for e in ends]
    assert {(p["cycles"], p["latency"]) for p in got} == {(1000, 0)}
    assert device.request(0x0F) == struct.pack("<I", len(ends))
    device.sense(rows(50))
    assert predictions(device) == []


@pytest.mark.parametrize("before", [19, 20, 23, 400, 512, 700])
def test_the_first_window_comes_from_memory(before):
    pipeline = make()
    data = rows(before + 50)
    device = start(pipeline, data[:before])
    device.poll()
    first = predictions(device)
    if before < 20:
        assert first == []
        device.sense(data[before : before + 1])
        first = predictions(device)
        before += 1
    assert [(p["number"], p["index"]) for p in first] == [(0, before - 1)]
    assert first[0]["raw"] == answer(pipeline, data[before - 20 : before])
    device.sense(data[before:])
    assert [p["index"] for p in predictions(device)] == list(range(before + 4, len(data), 5))


@pytest.mark.parametrize("rate", [50.0, 62.5, 200.0, 25.0])
def test_windows_at_another_rate(rate):
    pipeline = make(window=30, hop=7, rate=rate)
    data = rows(600)
    device = start(pipeline)
    device.sense(data)
    got = predictions(device)
    resampled = resample(data, 119.0, rate)
    made = [len(resample(data[:n], 119.0, rate)) for n in range(601)]
    assert len(got) == (len(resampled) - 30) // 7 + 1
    for i, p in enumerate(got):
        # The answer is due with the sample that completes the hop; that one may complete a row or two more.
        n = p["index"] + 1
        assert made[n - 1] < 30 + 7 * i <= made[n]
        assert p["raw"] == answer(pipeline, resampled[made[n] - 30 : made[n]])


def test_slow_networks_skip_hops_and_say_so():
    pipeline = make()
    device = start(pipeline, rows(20))
    device.poll()
    predictions(device)
    data = rows(203)
    # The device comes to look only every 29 samples.
    for at in range(0, 203, 29):
        device.sense(data[at : at + 29], poll=False)
        device.poll()
    got = predictions(device)
    assert [p["index"] - 20 for p in got] == [29 * (i + 1) - 1 - (29 * (i + 1)) % 5 for i in range(7)]
    assert [p["number"] for p in got] == [(p["index"] - 19) // 5 for p in got]
    assert all(p["raw"] == answer(pipeline, data[p["index"] - 39 : p["index"] - 19]) for p in got)
    assert device.request(0x0F) == struct.pack("<I", 8)


def test_a_short_gap_is_filled_a_long_one_starts_the_window_again():
    pipeline = make()
    a, b, c = rows(40), rows(40), rows(60)
    device = start(pipeline)
    device.sense(a)
    predictions(device)
    device.skip(8)
    device.sense(b)
    whole = np.concatenate([a, np.repeat(a[-1:], 8, 0), b])
    got = predictions(device)
    assert len(got) > 5
    # The gap is filled within one look, so answers go on at the hop that follows.
    for p in got:
        assert p["raw"] == answer(pipeline, whole[p["index"] - 19 : p["index"] + 1])
    device.skip(12)
    device.sense(c)
    got = predictions(device)
    assert got[0]["index"] == 100 + 19
    assert all(p["raw"] == answer(pipeline, c[p["index"] - 119 : p["index"] - 99]) for p in got)


def test_stream_and_live_at_once():
    pipeline = make()
    device = start(pipeline)
    device.request(0x05, struct.pack("<BBHI", 0, 6, 0, 0))
    data = rows(120)
    device.sense(data)
    assert len(predictions(device)) == 21
    frames = device.take_events(0x40)
    values = np.concatenate([np.frombuffer(f, "<i2", f[1] * 6, 12 + 2 * f[1]).reshape(-1, 6) for f in frames])
    assert np.array_equal(values, data)


def test_upload_while_live_keeps_the_old_one_until_the_end():
    old, new = make(name="old"), make(window=10, hop=3, name="new", magnitude=())
    device = start(old)
    data = rows(3000)
    at = 0

    def feel(n):
        nonlocal at
        device.sense(data[at : at + n])
        at += n

    feel(30)
    blob = plan(new, filler=2000)
    device.request(0x07, struct.pack("<B3xII", 0xFF, len(blob), __import__("zlib").crc32(blob)))
    for offset in range(0, len(blob), 200):
        device.request(0x08, struct.pack("<I", offset) + blob[offset : offset + 200])
        feel(7)
    got = predictions(device)
    assert [p["index"] for p in got] == list(range(19, at, 5))
    assert all(p["raw"] == answer(old, data[p["index"] - 19 : p["index"] + 1]) for p in got)
    device.request(0x09)
    device.poll()
    (first,) = predictions(device)
    assert (first["number"], first["index"]) == (0, at - 1)
    assert first["raw"] == answer(new, data[at - 10 : at])
    feel(9)
    assert [p["index"] for p in predictions(device)] == [at - 7, at - 4, at - 1]
    # Back, and the old one answers at once.
    device.request(0x0A)
    device.poll()
    (first,) = predictions(device)
    assert first["raw"] == answer(old, data[at - 20 : at])


def test_live_stops_with_a_word_when_the_new_plan_is_a_bare_network():
    device = start(make())
    device.upload(tiny_plan(arena=64))
    assert device.info()["live"] == "0"
    assert [b"live predictions stopped" in text for text in device.take_events(0x42)] == [True]


def test_live_needs_a_pipeline_and_a_sensor():
    device = HostDevice(arena=16384)
    with pytest.raises(DeviceRefused, match="no_plan"):
        device.request(0x0E)
    blind = HostDevice(arena=16384, imu=False)
    blind.upload(plan(make()))
    with pytest.raises(DeviceRefused, match="no_sensor"):
        blind.request(0x0E)


def test_tensors_are_busy_while_live():
    device = start(make())
    for type_, payload in [(0x0B, b"\0\0\0\0x"), (0x0C, b"\0"), (0x0D, bytes(6)), (0x15, bytes(6))]:
        with pytest.raises(DeviceRefused, match="busy"):
            device.request(type_, payload)
    device.request(0x0F)
    device.request(0x0B, b"\0\0\0\0x")


def test_decision_rule_can_be_changed_while_running():
    pipeline = make(rule=Decision(3, 0.5, 0.4))
    device = start(pipeline)
    assert device.request(0x10) == struct.pack("<HBBH", round(0.5 * 65535), 3, 0, 400)
    rule = struct.pack("<HBBH", 60000, 2, 0, 100)
    assert device.request(0x10, rule) == rule
    assert device.request(0x10) == rule
    for smoothing in (0, 17):
        with pytest.raises(DeviceRefused, match="bad_argument"):
            device.request(0x10, struct.pack("<HBBH", 0, smoothing, 0, 0))
    device.sense(rows(200))
    got = predictions(device)
    for before, p in zip(got, got[1:], strict=False):
        mean = [(a + b + 256 + 1) // 2 for a, b in zip(before["raw"], p["raw"], strict=True)]
        assert p["smoothed"] == mean
        best = max(range(3), key=lambda i: (before["raw"][i] + p["raw"][i], -i))
        sure = (before["raw"][best] + p["raw"][best] + 256) * 257 >= 60000 * 2
        assert p["decision"] == (best if sure else -1)
    # A new activation brings the pipeline's own rule back.
    device.upload(plan(pipeline))
    assert device.request(0x10) == struct.pack("<HBBH", round(0.5 * 65535), 3, 0, 400)


def test_latency_counts_from_the_windows_last_sample():
    pipeline = make()
    device = start(pipeline, rows(19))
    device.sense(rows(1), poll=False)
    device.now += 4321
    device.poll()
    (p,) = predictions(device)
    assert p["latency"] == 4321 and p["time"] == device.now - 4321


def test_clock_wrap_does_not_disturb_suppression():
    pipeline = make(rule=Decision(1, 0.0, 60.0), labels=1)
    device = HostDevice(arena=16384)
    device.upload(plan(pipeline))
    device.now = (1 << 32) - 40 * 8403
    device.poll()
    device.request(0x0E)
    device.sense(rows(80))
    got = predictions(device)
    assert [p["flags"] for p in got] == [1] + [0] * (len(got) - 1)


def test_longest_window_and_most_labels():
    pipeline = make(window=512, hop=100, labels=64, magnitude=("a", "g"))
    device = start(pipeline, rows(600))
    device.poll()
    (p,) = predictions(device)
    assert p["n"] == 64
