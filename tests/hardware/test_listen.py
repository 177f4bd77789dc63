"""Live keywords: the device's windows against the front end over the whole sound at once."""

import struct
import zlib

import numpy as np
import pytest
from host_device import DeviceRefused, HostDevice, tiny_plan
from test_audio import vector
from test_live import predictions

from tinykit.features import pack_section, quantized, quantized_frames
from tinykit.pipeline import Decision, ImuFrontEnd, MelFrontEnd, Pipeline

RNG = np.random.default_rng(8)
SCALE, ZERO = 0.04, -9


def noise(n, level=3000):
    """Noise whose loudness changes, so that no two windows look alike."""
    slow = np.repeat(RNG.uniform(0, 1, n // 400 + 1), 400)[:n]
    return np.clip(RNG.normal(0, level, n) * slow, -32768, 32767).astype("<i2")


def make(window=16000, every=1600, labels=5, rule=None, name="words", **front):
    front = {"mels": 20, **front}
    n = front.get("coefficients") or front["mels"]
    front = MelFrontEnd(**front, mean=(-5.0,) * n, scale=(0.4,) * n)
    names = ("silence", "unknown", *(f"word {i}" for i in range(labels - 2)))[:labels]
    return Pipeline(name, "keyword", 16000.0, window, every, front, names, rule or Decision(1, 0.0, 0.0))


def plan(pipeline, take=None, ops=1):
    """The network takes some features of the window, the last ones unless told: a wrong row, or order, shows."""
    n, labels = int(np.prod(pipeline.input_shape)), len(pipeline.labels)
    take = n - labels if take is None else take
    return tiny_plan(pack_section(pipeline, SCALE, ZERO), n, labels, take=take, arena=16384, ops=ops)


def start(pipeline, before=(), take=None, ops=1):
    device = HostDevice(arena=16384, settle_ms=0)
    device.upload(plan(pipeline, take, ops))
    device.hear(before)
    assert device.request(0x0E) == struct.pack("<II", pipeline.hop, 16_000_000)
    return device


def expected(pipeline, sound, take=None):
    """Index of the last sample, and what the network takes, of each answer to a sound from its start."""
    front, labels = pipeline.front_end, len(pipeline.labels)
    rows, _ = pipeline.input_shape
    every = quantized_frames(sound, front, SCALE, ZERO)
    ends = range(rows, len(every) + 1, pipeline.hop // front.hop)
    flat = [every[e - rows : e].reshape(-1) for e in ends]
    take = flat[0].size - labels if take is None else take
    return [(e - 1) * front.hop + front.frame - 1 for e in ends], [f[take : take + labels].tolist() for f in flat]


@pytest.mark.parametrize("buffer", [1, 160, 256, 777, 5000])
def test_frames_are_those_of_the_whole_sound_however_it_is_cut(buffer):
    pipeline = make(window=6000 if buffer == 1 else 16000, every=320)
    sound = noise(9000 if buffer == 1 else 40_000)
    device = start(pipeline)
    device.hear(sound, buffer)
    device.poll(3)
    got = predictions(device)
    ends, answers = expected(pipeline, sound)
    # With large buffers several hops come at once: those in between are skipped, and have a number.
    if buffer < 320:
        assert [p["number"] for p in got] == list(range(len(ends)))
    assert [p["index"] for p in got] == [ends[p["number"]] for p in got]
    assert [p["raw"] for p in got] == [answers[p["number"]] for p in got]
    assert got[-1]["number"] == len(ends) - 1
    assert len({tuple(p["raw"]) for p in got}) > len(got) // 2


@pytest.mark.parametrize(
    "front",
    [
        {},
        {"coefficients": 10, "mels": 40},
        {"frame": 400, "hop": 160, "mels": 32},
        {"frame": 512, "hop": 512},
        {"frame": 1024, "hop": 320},
    ],
    ids=str,
)
@pytest.mark.parametrize("take", [0, 333, None])
def test_windows_of_every_front_end(front, take):
    pipeline = make(every=2 * front.get("hop", 320), window=12_000, **front)
    sound = noise(30_000)
    device = start(pipeline, take=take)
    device.hear(sound)
    got = predictions(device)
    ends, answers = expected(pipeline, sound, take)
    assert [p["index"] for p in got] == ends and [p["raw"] for p in got] == answers
    assert [p["number"] for p in got] == list(range(len(ends)))


def test_times_and_cycles():
    pipeline = make()
    device = start(pipeline)
    begin = device.now
    device.hear(noise(20_000))
    for i, p in enumerate(predictions(device)):
        assert abs(p["time"] - begin - p["index"] * 62.5) <= 1
        # The device looks at the end of a buffer.
        assert 0 <= p["latency"] <= 16_001
        assert p["cycles"] == 1000 + 1000 * (49 if i == 0 else 5)  # each count is 1000 here


@pytest.mark.parametrize("before", [15_839, 15_840, 16_000, 16_384, 40_000])
def test_the_first_window_comes_from_memory(before):
    pipeline = make()
    sound = noise(before + 8000)
    device = start(pipeline, sound[:before])
    device.poll()
    first = predictions(device)
    if before < 15_840:
        assert first == []
        device.hear(sound[before:])
        first = predictions(device)
        assert [p["index"] for p in first] == [15_839 + 1600 * i for i in range(len(first))]
        return
    ((number, index),) = [(p["number"], p["index"]) for p in first]
    assert number == 0 and before - 320 <= index < before
    device.hear(sound[before:])
    got = first + predictions(device)
    assert [p["index"] - index for p in got] == [1600 * i for i in range(len(got))] and len(got) >= 5
    _, answers = expected(pipeline, sound[index - 15_839 :])
    assert [p["raw"] for p in got] == answers[: len(got)]


def test_slow_networks_skip_hops_but_no_frame():
    pipeline = make(every=320)
    sound = noise(60_000)
    device = start(pipeline)
    for at in range(0, 60_000, 3000):  # the device comes to look every 190 ms
        device.hear(sound[at : at + 3000], poll=False)
        device.poll()
    got = predictions(device)
    ends, answers = expected(pipeline, sound)
    assert len(got) == 15 and got[-1]["number"] > 130
    assert [p["index"] for p in got] == [ends[p["number"]] for p in got]
    assert [p["raw"] for p in got] == [answers[p["number"]] for p in got]
    assert device.take_events(0x42) == []
    assert device.request(0x0F) == struct.pack("<I", 15)


@pytest.mark.parametrize(("more", "number"), [(639, 0), (640, 1), (1279, 1), (1280, 2)])
def test_a_hop_is_skipped_only_if_all_of_the_next_is_there(more, number):
    pipeline = make(window=4000, every=640)
    device = start(pipeline)
    device.hear(noise(4000 + more), 10_000)
    assert [(p["number"], p["index"]) for p in predictions(device)] == [(number, 3999 + 640 * number)]


def test_sound_that_comes_during_a_run_is_kept():
    """The clock goes on at each look, and with it the microphone: 60 ms within each run of the network."""
    pipeline = make(every=320)
    sound = noise(80_000)
    device = start(pipeline)
    device.request(0x05, struct.pack("<BBHI", 1, 240, 0, 0))
    state = {"busy": False}

    def during_the_run():
        # Between two looks at the clock inside the network more sound comes in.
        if state["busy"] or device.sound_index >= 79_000:
            return
        state["busy"] = True
        device.hear(sound[device.sound_index : device.sound_index + 64], 64, poll=False)
        state["busy"] = False

    device.when_looked_at = during_the_run
    while device.sound_index < 79_000:
        device.poll()
    device.when_looked_at = None
    device.poll(200)
    got = predictions(device)
    ends, answers = expected(pipeline, sound)
    assert len(got) > 20
    assert [p["raw"] for p in got] == [answers[p["number"]] for p in got]
    assert [p["index"] for p in got] == [ends[p["number"]] for p in got]
    heard = np.concatenate([np.frombuffer(f, "<i2", offset=12) for f in device.take_events(0x44)])
    assert np.array_equal(heard, sound[: len(heard)]) and len(heard) > 78_000


def test_a_device_that_falls_a_second_behind_says_so_and_starts_the_window_again():
    pipeline = make()
    device = start(pipeline, ops=6)
    first, then = noise(20_000), noise(90_000)
    device.hear(first)
    assert len(predictions(device)) == 3
    frame_key, fed = zlib.crc32(plan(pipeline, ops=6)[16:]) ^ 0x6D656C66, []

    def one_slow_run(key):  # each layer takes 0.4 s
        if key != frame_key and len(fed) < 6:
            fed.append(device.sound_index)
            device.hear(then[6400 * len(fed) :][:6400], 6400, poll=False)

    device.when_working = one_slow_run
    device.hear(then[:6400], 6400)
    assert len(fed) == 6
    device.poll()
    device.hear(then[6400 * 7 :])
    got = predictions(device)
    (text,) = device.take_events(0x42)
    lost = int(text.decode().removeprefix("live predictions came too late for ").split()[0])
    # Frames up to the slow run's window are used; of what came then, the last 16384 samples.
    ends, answers = expected(pipeline, np.concatenate([first, then]))
    slow = [p for p in got if p["index"] < fed[0] + 6400 * 6 - 16384]
    assert [p["raw"] for p in slow] == [answers[p["number"]] for p in slow] and len(slow) == 1
    assert slow[0]["index"] == ends[slow[0]["number"]]
    used = slow[-1]["index"] + 1 - (480 - 320)  # the next frame would have begun there
    begin = used + lost
    assert lost == fed[0] + 6400 * 6 - 16384 - used
    after = got[len(slow) :]
    assert after[0]["index"] == begin + 15_839
    assert [p["raw"] for p in after] == expected(pipeline, then[begin - 20_000 :])[1] and len(after) > 20


@pytest.mark.parametrize("lost", [1, 300, 1600])
def test_a_short_gap_is_bridged(lost):
    pipeline = make(every=320)
    a, b = noise(20_000), noise(20_000)
    device = start(pipeline)
    device.hear(a)
    device.pass_by(lost)
    device.hear(b)
    got = predictions(device)
    ends, answers = expected(pipeline, np.concatenate([a, b]))
    assert [p["raw"] for p in got] == answers
    assert [p["index"] for p in got] == [e + lost * (e >= 20_000) for e in ends]


@pytest.mark.parametrize("lost", [1601, 70_000])
@pytest.mark.parametrize("length", [20_000, 20_160, 20_480])
def test_a_long_gap_starts_the_window_again(lost, length):
    pipeline = make(every=320)
    a, b = noise(length), noise(20_000)
    device = start(pipeline)
    device.hear(a)
    device.pass_by(lost)
    device.hear(b)
    got = predictions(device)
    ends, answers = expected(pipeline, a)
    more_ends, more = expected(pipeline, b)
    assert [p["raw"] for p in got] == answers + more
    assert [p["index"] for p in got] == ends + [e + length + lost for e in more_ends]


def test_frames_without_overlap_notice_a_gap_between_them():
    pipeline = make(512 * 8, 512, frame=512, hop=512)
    a, b = noise(512 * 12), noise(512 * 12)
    device = start(pipeline)
    device.hear(a)
    device.pass_by(5000)
    device.hear(b)
    assert [p["raw"] for p in predictions(device)] == expected(pipeline, a)[1] + expected(pipeline, b)[1]


def test_a_keyword_pipeline_starts_the_microphone_at_once_and_at_boot():
    device = HostDevice(arena=16384, settle_ms=3500)
    device.upload(plan(make()))
    assert device.mic_starts == 1 and device.info()["mic"] == "settling"
    assert device.take_events(0x42) == [b"the microphone settles for 3.5 s"]
    again = HostDevice(device.flash, arena=16384, settle_ms=3500)
    assert again.mic_starts == 1
    again.hear(noise(56_000 + 16_000))
    again.request(0x0E)
    again.poll()
    assert [p["number"] for p in predictions(again)] == [0]
    silent = HostDevice(arena=16384, settle_ms=3500)
    silent.upload(tiny_plan(arena=64))
    assert silent.mic_starts == 0


def test_live_goes_on_with_another_pipeline_and_with_the_other_sensor():
    one, two = make(), make(window=8000, every=640, mels=30, name="two")
    device = start(one)
    sound = noise(48_000)
    device.hear(sound[:20_000])
    assert [p["raw"] for p in predictions(device)] == expected(one, sound[:20_000])[1]
    device.upload(plan(two))
    device.hear(sound[20_000:])
    got = predictions(device)
    begin = got[0]["index"] - (24 - 1) * 320 - 479
    assert got[0]["number"] == 0 and begin < 20_000 - 7500
    assert [p["raw"] for p in got] == expected(two, sound[begin:])[1][: len(got)]
    gesture = Pipeline(
        "wand", "gesture", 119.0, 20, 5, ImuFrontEnd(scale=(1e-4,) * 6), ("a", "b"), Decision(1, 0.0, 0.0)
    )
    device.upload(tiny_plan(pack_section(gesture, 0.02, 3), 120, 2, take=118, arena=8192))
    counts = RNG.integers(-9000, 9000, (20, 6)).astype(np.int16)
    device.sense(counts)
    (p,) = predictions(device)
    assert p["raw"] == quantized(counts[None], gesture.front_end, 0.02, 3).reshape(-1)[-2:].tolist()
    device.request(0x0A)
    device.hear(sound)
    assert len(predictions(device)) > 30


def test_live_needs_a_microphone():
    deaf = HostDevice(arena=16384)
    deaf.upload(plan(make()))
    with pytest.raises(DeviceRefused, match="no_sensor"):
        deaf.request(0x0E)


def write(device, data):
    for offset in range(0, len(data), 508):
        device.request(0x0B, struct.pack("<I", offset) + data[offset : offset + 508])


@pytest.mark.parametrize("mic", [True, False])
def test_run_a_window_of_sound(mic):
    """The window lies where the microphone's sound would, so that goes nowhere meanwhile."""
    pipeline = make()
    device = HostDevice(arena=16384, settle_ms=0 if mic else None)
    device.upload(plan(pipeline, take=490))
    for level in (300, 3000, 30_000):
        window = noise(16_000, level)
        write(device, window.tobytes())
        device.hear(noise(3000))
        assert struct.unpack("<III", device.request(0x0C, b"\1"))[0::2] == (1000, 5)
        q = quantized(window[None, :, None], pipeline.front_end, SCALE, ZERO).reshape(-1)
        assert device.request(0x0D, struct.pack("<IH", 0, 5)) == q[490:495].tobytes()
    x = RNG.integers(-128, 128, 980).astype(np.int8)
    write(device, x.tobytes())
    device.request(0x0C, b"\0")
    assert device.request(0x0D, struct.pack("<IH", 0, 5)) == x.tobytes()[490:495]
    with pytest.raises(DeviceRefused, match="out_of_bounds") as refused:
        device.request(0x0B, struct.pack("<I", 32_000) + b"x")
    assert refused.value.detail == 32_000


def test_after_a_written_window_live_begins_with_new_sound():
    pipeline = make()
    device = HostDevice(arena=16384, settle_ms=0)
    device.upload(plan(pipeline))
    device.hear(noise(20_000))
    write(device, noise(16_000).tobytes())
    device.hear(noise(5000))
    device.request(0x0E)
    device.poll()
    assert predictions(device) == []
    sound = noise(20_000)
    device.hear(sound)
    got = predictions(device)
    assert [p["raw"] for p in got] == expected(pipeline, sound)[1]
    assert got[0]["index"] == 25_000 + 15_839


def test_tensors_are_busy_while_sound_is_streamed():
    device = HostDevice(arena=16384, settle_ms=0)
    device.upload(plan(make()))
    device.request(0x05, struct.pack("<BBHI", 1, 240, 0, 0))
    for type_, payload in [(0x0B, b"\0\0\0\0x"), (0x0C, b"\0"), (0x0D, bytes(6)), (0x15, bytes(6))]:
        with pytest.raises(DeviceRefused, match="busy"):
            device.request(type_, payload)
    device.request(0x06, b"\1")
    device.request(0x0B, b"\0\0\0\0x")
    # A new stream takes the memory back.
    device.request(0x05, struct.pack("<BBHI", 1, 240, 0, 0))
    sent = noise(480)
    device.hear(sent)
    heard = np.concatenate([np.frombuffer(f, "<i2", offset=12) for f in device.take_events(0x44)])
    assert np.array_equal(heard, sent)
    # A gesture's window lies elsewhere.
    gesture = Pipeline("wand", "gesture", 119.0, 20, 5, ImuFrontEnd(scale=(1e-4,) * 6), ("a",))
    device.upload(tiny_plan(pack_section(gesture, 0.02, 3), 120, 1, arena=8192))
    device.request(0x0B, b"\0\0\0\0x")


def test_thresholds_of_each_label_are_in_force_and_can_be_changed():
    thresholds = (1.0, 1.0, 0.25, 0.5, 0.75)
    pipeline = make(every=320, rule=Decision(2, 0.9, 0.4, thresholds))
    device = start(pipeline)
    share = [round(t * 65535) for t in thresholds]
    head = struct.pack("<HBBH", round(0.9 * 65535), 2, 5, 400)
    assert device.request(0x10) == head + struct.pack("<5H", *share)

    def check(share):
        device.hear(noise(30_000, 20_000))
        got, seen = predictions(device), set()
        for before, p in zip(got, got[1:], strict=False):
            sums = [a + b + 256 for a, b in zip(before["raw"], p["raw"], strict=True)]
            best = sums.index(max(sums))
            sure = sums[best] * 257 >= share[best] * 2
            seen.add((best, sure))
            assert p["decision"] == (best if sure else -1)
        return seen

    assert len(check(share)) > 3
    rule = struct.pack("<HBBH5H", 5, 2, 5, 0, *([30_000] * 5))
    assert device.request(0x10, rule) == rule and device.request(0x10) == rule
    check([30_000] * 5)
    rule = struct.pack("<HBBH", 40_000, 2, 0, 0)
    assert device.request(0x10, rule) == rule and device.request(0x10) == rule
    check([40_000] * 5)
    for n in (1, 4, 6, 64):
        with pytest.raises(DeviceRefused, match="bad_argument") as refused:
            device.request(0x10, struct.pack(f"<HBBH{n}H", 0, 2, n, 0, *[0] * n))
        assert refused.value.detail == 5
    for n in (4, 6):
        with pytest.raises(DeviceRefused, match="bad_length"):
            device.request(0x10, struct.pack(f"<HBBH{n}H", 0, 2, 5, 0, *[0] * n))
    assert device.request(0x10) == rule


def test_the_examples_of_the_protocol_for_the_rule():
    device = start(make(labels=3))
    for how in ("decision", "decision, a threshold per label"):
        assert device.request(0x10, vector(how)[0]) == vector(how.replace("decision", "decision reply"))[0]
        assert device.request(0x10, vector("decision?")[0]) == vector(how.replace("decision", "decision reply"))[0]


def test_random_requests_amid_sound_never_crash_and_are_always_answered():
    rng = np.random.default_rng(10)
    device = HostDevice(arena=16384, settle_ms=20)
    plans = [plan(make()), plan(make(window=8000, every=640, mels=30)), tiny_plan(arena=64)]
    device.upload(plans[0])
    likely = {
        0x05: [struct.pack("<BBHI", s, n, 0, 0) for s in (0, 1) for n in (1, 20, 240)],
        0x06: [b"\0", b"\1"],
        0x0B: [struct.pack("<I", at) + bytes(508) for at in (0, 500, 31_000, 31_492)],
        0x0C: [b"\0", b"\1"],
        0x10: [b"", struct.pack("<HBBH5H", 9, 3, 5, 200, *range(5)), struct.pack("<HBBH", 9, 3, 0, 200)],
    }
    answers = set()
    for turn in range(900):
        type_ = int(rng.choice([1, 2, 3, 5, 5, 6, 6, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0E, 0x0F, 0x0F, 0x10, 0x12, 0x14]))
        payloads = likely.get(type_, [b"", bytes(6)])
        payload = payloads[rng.integers(len(payloads))]
        kind, _, data = device.raw_request(type_, payload)
        assert kind in (type_ | 0x80, 0xFF)
        answers.add(data[8:] if kind == 0xFF else kind)
        if rng.random() < 0.3:
            device.pass_by(int(rng.choice([0, 3, 1600, 1601, 9000])))
        device.hear(noise(int(rng.integers(1, 3000))), int(rng.choice([90, 256, 1000])))
        if turn % 90 == 89:
            for kind_ in (b"\0", b"\1"):
                device.raw_request(0x0F)
                device.raw_request(0x06, kind_)
            device.upload(plans[turn // 90 % 3])
        device.events.clear()
    assert {b"busy", b"no_pipeline", 0x85, 0x8B, 0x8C, 0x8E, 0x90} <= answers
    assert device.request(0x04, b"still here") == b"still here"
