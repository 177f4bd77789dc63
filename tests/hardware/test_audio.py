"""The microphone: started when needed, settled, streamed, started again; every sample accounted for."""

import json
import struct

import numpy as np
import pytest
from host_device import DeviceRefused, HostDevice

from tinykit import toolchain

RNG = np.random.default_rng(7)
BAD = [struct.pack("<h", -29) + b"the microphone is silent"]


def noise(n):
    return RNG.integers(-32768, 32768, n).astype("<i2")


def audio(payload):
    """An AUDIO event: (flags, index, time, samples)."""
    sensor, flags, count, index, time = struct.unpack_from("<BBHII", payload)
    assert sensor == 1 and len(payload) == 12 + 2 * count
    return flags, index, time, np.frombuffer(payload, "<i2", count, 12)


def start(device, per_frame=240, rate=0):
    return device.request(0x05, struct.pack("<BBHI", 1, per_frame, 0, rate))


def stop(device):
    return struct.unpack("<II", device.request(0x06, b"\1"))


def gathered(device):
    """(flags of each frame, indices, samples) of the AUDIO events so far."""
    got = [audio(p) for p in device.take_events(0x44)]
    indices = [index + np.arange(len(samples)) for _, index, _, samples in got]
    return [g[0] for g in got], np.concatenate(indices or [[]]), np.concatenate([g[3] for g in got] or [[]])


def test_the_sensor_is_told():
    device = HostDevice(settle_ms=0)
    assert device.info()["sensors"] == (
        "imu:LSM9DS1:119.0:aX,aY,aZ,gX,gY,gZ:8192:16.384;mic:MP34DT06:16000.0:audio:32768"
    )
    assert HostDevice(settle_ms=0, imu=False).info()["sensors"] == "mic:MP34DT06:16000.0:audio:32768"


@pytest.mark.parametrize("per_frame", [1, 100, 240])
@pytest.mark.parametrize("buffer", [7, 256, 1000])
def test_stream(per_frame, buffer):
    device = HostDevice(settle_ms=0)
    assert start(device, per_frame) == struct.pack("<I", 16_000_000)
    begin, sent = device.now, noise(4800)
    device.hear(sent, buffer)
    device.poll(50)
    got = [audio(p) for p in device.take_events(0x44)]
    assert [len(g[3]) for g in got] == [per_frame] * (4800 // per_frame)
    assert np.array_equal(np.concatenate([g[3] for g in got]), sent)
    assert [g[1] for g in got] == list(range(0, 4800, per_frame))
    assert {g[0] for g in got} == {0}
    assert all(abs(g[2] - begin - g[1] * 62.5) <= 1 for g in got)
    assert stop(device) == (4800, 0)
    device.hear(noise(1000))
    assert device.take_events(0x44) == [] and stop(device) == (4800, 0)


def test_the_microphone_starts_once_and_what_it_gives_before_it_has_settled_is_thrown_away():
    device = HostDevice(settle_ms=3500)
    device.hear(noise(1000))
    assert device.mic_starts == 0 and device.info()["mic"] == "off"
    start(device)
    assert device.take_events(0x42) == [b"the microphone settles for 3.5 s"]
    device.hear(noise(55_999))
    assert device.info()["mic"] == "settling" and device.take_events(0x44) == []
    last, sent = noise(1), noise(2400)
    device.hear(last)
    assert device.info()["mic"] == "on"
    device.hear(sent)
    flags, indices, samples = gathered(device)
    assert np.array_equal(samples, sent) and set(flags) == {0}
    assert indices[0] == 57_000  # the microphone's own count goes on all the time
    stop(device)
    start(device)
    device.hear(sent)
    _, indices, samples = gathered(device)
    assert indices[0] == 59_400 and np.array_equal(samples, sent)
    assert device.mic_starts == 1 and device.take_events(0x42) == []


def test_settling_ends_in_the_middle_of_a_buffer():
    device = HostDevice(settle_ms=10)
    start(device, 1)
    sent = noise(1000)
    device.hear(sent, 256)
    device.poll(20)
    _, indices, samples = gathered(device)
    assert indices[0] == 160 and np.array_equal(samples, sent[160:])


def test_lost_samples_begin_a_frame_and_are_flagged():
    device = HostDevice(settle_ms=0)
    start(device, 100)
    a, b = noise(130), noise(200)
    device.hear(a)
    device.pass_by(9)
    device.hear(b)
    got = [audio(p) for p in device.take_events(0x44)]
    assert [(flags, index, len(x)) for flags, index, _, x in got] == [
        (0, 0, 100), (0, 100, 30), (2, 139, 100), (0, 239, 100),
    ]  # fmt: skip
    assert np.array_equal(np.concatenate([g[3] for g in got]), np.concatenate([a, b]))
    assert all(abs(g[2] - g[1] * 62.5) <= 1 for g in got)


@pytest.mark.parametrize("gap", [0, 11])
def test_every_sample_is_sent_or_counted_when_the_host_does_not_read(gap):
    device = HostDevice(settle_ms=0)
    start(device)
    parts, taken = [noise(30_000), noise(30_000)], {}
    for part in parts:
        first = device.sound_index
        taken.update(zip(range(first, first + len(part)), part.tolist(), strict=True))
        device.line_takes = 0
        device.hear(part)
        device.line_takes = 1 << 30
        device.poll(60)
        device.pass_by(gap)
    flags, indices, samples = gathered(device)
    assert np.all(np.diff(indices) > 0)
    assert [taken[i] for i in indices] == samples.tolist()
    sent, overruns = stop(device)
    assert sent == len(samples) and sent + overruns + device_keeps(device, indices) == 60_000
    assert sent >= 2 * 16384 - 240 and flags.count(1) == 2
    assert flags.count(2) == (gap > 0)


def device_keeps(device, indices):
    """Samples at the end that do not fill a frame."""
    return 60_000 + (device.sound_index - 60_000) // 2 - 1 - indices[-1]


def test_breaks_in_quick_succession_keep_their_numbers():
    """More breaks than the ring remembers: sound from before them is given up, and counted."""
    device, rng = HostDevice(settle_ms=0), np.random.default_rng(3)
    start(device)
    device.line_takes = 0
    taken, fed = {}, 0
    for _ in range(40):
        piece = noise(int(rng.integers(1, 900)))
        taken.update(zip(range(device.sound_index, device.sound_index + len(piece)), piece.tolist(), strict=True))
        fed += len(piece)
        device.hear(piece, 300)
        device.pass_by(int(rng.integers(1, 50)))
    device.line_takes = 1 << 30
    device.poll(60)
    device.hear(noise(240))  # ends the last run
    device.poll(5)
    _, indices, samples = gathered(device)
    known = [i in taken for i in indices]
    assert [taken[i] for i in indices[known]] == samples[known].tolist()
    sent, overruns = stop(device)
    assert sent == len(samples) and overruns > 0 and sent + overruns == fed + 240
    # Of the last eight pieces nothing is missing.
    last = sorted(taken)[-sum(1 for i in indices[known]) :]
    assert indices[known].tolist()[-1000:] == last[-1000:]


def test_a_driver_that_stopped_is_started_again_and_settles_again():
    device = HostDevice(settle_ms=100)
    start(device, 240)
    device.hear(noise(1600))
    first = noise(480)
    device.hear(first)
    device.take_events(0x42)
    device.mic_runs = False  # as when a buffer was not read in time
    device.hear(noise(8000 - 256))
    assert device.mic_starts == 1
    device.hear(noise(512))
    assert device.mic_starts == 2 and device.info()["mic"] == "settling"
    assert device.take_events(0x42) == [b"the microphone had stopped; it was started again and settles for 0.1 s"]
    device.hear(noise(1600))
    then = noise(480)
    device.hear(then)
    flags, indices, samples = gathered(device)
    assert np.array_equal(samples, np.concatenate([first, then])) and set(flags[:2]) == {0} and flags[2] == 2
    assert indices[479] == 2079 and indices[480] == 2080 + 8000 + 256 + 1600
    assert device.take_events(0x43) == []


def test_a_microphone_that_stays_silent_is_told_once_and_so_is_its_return():
    device = HostDevice(settle_ms=0, imu=False)
    start(device)
    device.hear(noise(256))
    for _ in range(100):
        device.now += 50_000
        device.poll()
    assert device.take_events(0x43) == BAD
    assert [b"started again" in text for text in device.take_events(0x42)] == [True]
    assert 8 <= device.mic_starts <= 10  # about one try every half second
    device.hear(noise(256))
    assert device.take_events(0x42) == [b"the microphone is back"]
    for _ in range(100):
        device.now += 50_000
        device.poll()
    assert device.take_events(0x43) == BAD


def test_a_microphone_that_is_never_there_is_told():
    device = HostDevice(settle_ms=3500, imu=False)
    start(device)
    for _ in range(50):
        device.now += 50_000
        device.poll()
    assert device.take_events(0x43) == BAD


def test_streams_that_can_not_be():
    device = HostDevice(settle_ms=0)
    for payload, name, detail in [
        (struct.pack("<BBHI", 2, 6, 0, 0), "no_sensor", 0),
        (struct.pack("<BBHI", 1, 240, 0, 8_000_000), "bad_rate", 16_000_000),
        (struct.pack("<BBHI", 1, 0, 0, 0), "bad_argument", 240),
        (struct.pack("<BBHI", 1, 241, 0, 16_000_000), "bad_argument", 240),
    ]:
        with pytest.raises(DeviceRefused) as refused:
            device.request(0x05, payload)
        assert (refused.value.name, refused.value.detail) == (name, detail)
    assert device.mic_starts == 0
    deaf = HostDevice()
    for type_, payload in [(0x05, struct.pack("<BBHI", 1, 6, 0, 0)), (0x06, b"\1")]:
        with pytest.raises(DeviceRefused, match="no_sensor"):
            deaf.request(type_, payload)


def test_both_streams_at_once():
    device = HostDevice(settle_ms=0)
    device.request(0x05, struct.pack("<BBHI", 0, 6, 0, 0))
    start(device)
    sound, rows = noise(1920 * 5), RNG.integers(-32768, 32768, (60, 6)).astype(np.int16)
    for i in range(5):
        device.hear(sound[1920 * i : 1920 * (i + 1)])
        device.sense(rows[12 * i : 12 * (i + 1)], spacing_us=0)
    _, _, samples = gathered(device)
    assert np.array_equal(samples, sound)
    frames = device.take_events(0x40)
    values = np.concatenate([np.frombuffer(f, "<i2", f[1] * 6, 12 + 2 * f[1]).reshape(-1, 6) for f in frames])
    assert np.array_equal(values, rows)
    assert struct.unpack("<II", device.request(0x06, b"\0")) == (60, 0) and stop(device) == (9600, 0)


def test_text_mode_ends_the_stream_of_sound():
    device = HostDevice(settle_ms=0)
    start(device)
    device.request(0x11, b"\1")
    device.hear(noise(2000))
    assert device.from_device == b""
    assert device.request(0x04, b"x") == b"x"
    device.hear(noise(2000))
    assert device.take_events(0x44) == [] and stop(device) == (0, 0)


def test_the_index_may_wrap():
    device = HostDevice(settle_ms=0)
    device.sound_index = (1 << 32) - 5000
    start(device)
    sent = noise(9600)
    device.hear(sent)
    got = [audio(p) for p in device.take_events(0x44)]
    assert [g[1] for g in got] == [((1 << 32) - 5000 + 240 * i) % (1 << 32) for i in range(40)]
    assert {g[0] for g in got} == {0} and np.array_equal(np.concatenate([g[3] for g in got]), sent)


def vector(name):
    frames = json.loads((toolchain.hardware_dir() / "vectors.json").read_text(encoding="utf-8"))["frames"]
    (found,) = [v for v in frames if v["name"] == name]
    return bytes.fromhex(found["payload"]), found["fields"]


def test_the_example_of_the_protocol_is_what_the_device_sends():
    payload, fields = vector("audio")
    device = HostDevice(settle_ms=0)
    assert device.request(0x05, struct.pack("<BBHI", 1, 5, 0, 0)) == vector("stream start reply, sound")[0]
    device.sound_index = fields["index"] - 9
    device.hear(noise(5))
    device.sound_index, device.now = fields["index"], fields["time_us"]
    device.hear([fields[f"sample{i}"] for i in range(5)])
    assert device.take_events(0x44)[1:] == [payload]
    assert device.request(0x05, vector("stream start, sound")[0]) == vector("stream start reply, sound")[0]
