"""Lines of text in place of frames, on this computer: what begins them, what ends them, what they hold."""

import struct

import numpy as np
import pytest
from host_device import DeviceRefused, HostDevice, frame

RNG = np.random.default_rng(0)


def rows(n):
    return RNG.integers(-32768, 32768, (n, 6))


def test_text_mode():
    device = HostDevice()
    table = [[0, 8192, -8192, 0, 16384, -16384], [1, -1, 32767, -32768, 1, -1]]
    device.to_device += frame(0x11, 5, b"\1")
    device.poll()
    device.sense(table)
    reply, lines = bytes(device.from_device)[1:].split(b"\0", 1)
    device.from_device.clear()
    assert reply and lines == (
        b"0.0000,1.0000,-1.0000,0.00,1000.00,-1000.00\r\n0.0001,-0.0001,3.9999,-2000.00,0.06,-0.06\r\n"
    )
    device.to_device += b"noise without zero"
    device.poll()
    device.sense(rows(1))
    assert device.from_device.count(b",") == 5
    device.from_device.clear()
    assert device.request(0x04, b"back") == b"back"
    device.sense(rows(3))
    assert device.from_device == b""


def test_text_is_rounded_to_the_nearest():
    device = HostDevice()
    device.to_device += b"text\r"
    device.poll()
    table = rows(200)
    device.sense(table)
    lines = bytes(device.from_device).decode().splitlines()
    assert len(lines) == 200
    for line, row in zip(lines, table, strict=True):
        exact = [*(row[:3] / 8192), *(row[3:] / 16.384)]
        for text, value, unit in zip(line.split(","), exact, [1e-4] * 3 + [1e-2] * 3, strict=True):
            assert abs(float(text) - value) <= unit / 2 + 1e-9


def lines(device):
    said = bytes(device.from_device).decode()
    device.from_device.clear()
    return said.splitlines()


def type_in(device, text):
    device.to_device += text
    device.poll()


@pytest.mark.parametrize("word", [b"text\r", b"text\n", b"text\r\n", b"text imu\r\n", b"AT+STARTDATAFWD\r\n"])
def test_words_that_begin_it(word):
    device = HostDevice()
    type_in(device, word)
    device.sense(rows(3))
    assert [line.count(",") for line in lines(device)] == [5] * 3


@pytest.mark.parametrize("word", [b"stop\r", b"AT+STOPDATAFWD\r\n", b"\0"])
def test_what_ends_it(word):
    device = HostDevice()
    type_in(device, b"text\r")
    device.sense(rows(1))
    assert len(lines(device)) == 1
    type_in(device, word)
    device.sense(rows(3))
    assert device.from_device == b"" and device.request(0x04, b"here") == b"here"


@pytest.mark.parametrize(
    "typed",
    [b"Text\r", b"texts\r", b" text\r", b"text", b"te\0xt\r", b"text environment please, and now\r", b"text mic\r",
     b"text environment\r", b"stop\r", b"\x08text\r", b"AT+STARTDATAFW\r", b"a line that is far too long for text\r"],
)  # fmt: skip
def test_what_is_no_word_or_names_no_sensor_that_there_is(typed):
    device = HostDevice()
    type_in(device, typed)
    device.sense(rows(3))
    assert device.from_device == b""


def test_a_word_is_found_after_one_that_was_mistyped_and_after_frames():
    device = HostDevice()
    type_in(device, b"tex\r\nwhat now?\r\n" + b"x" * 2000 + b"\ntext\r\n")
    device.sense(rows(2))
    assert len(lines(device)) == 2
    assert device.request(0x04, b"back") == b"back"
    type_in(device, b"text\r\n")
    device.sense(rows(2))
    assert len(lines(device)) == 2


def test_no_frame_is_taken_for_a_word():
    """Whatever is uploaded, echoed or written may hold a line `text`."""
    device = HostDevice()
    for seq in range(256):  # the two whose type is a carriage return or a line feed, as they are
        assert device.raw_request(0x0A, b"", seq)[0] == 0xFF
        for offset in (0, 10, 0x0D0A, 0x747865):
            assert device.raw_request(0x0D, struct.pack("<IH", offset, 0x0D74), seq)[0] == 0xFF
    for type_ in set(range(1, 0x20)) - {0x0A, 0x0D}:
        for payload in (b"\ntext\n", b"\r\ntext\r\n" * 40, b"abc\nAT+STARTDATAFWD\n"):
            for seq in (1, 10, 13, ord("t")):
                device.to_device += frame(type_, seq, payload)
                device.poll(2)
                device.sense(rows(1))
                replies = [got for got in device.received() if got[0] >= 0x80]
                assert [got[1] for got in replies] == [seq], (type_, payload, seq)


def test_a_sensor_that_there_is_not_is_refused_and_nothing_changes():
    device = HostDevice()
    for payload, name in ((b"\1\1", "no_sensor"), (b"\1\2", "no_sensor"), (b"\1\3", "no_sensor"),
                          (b"\0", "bad_argument"), (b"\2\0", "bad_argument"), (b"", "bad_length"),
                          (b"\1\0\0", "bad_length")):  # fmt: skip
        with pytest.raises(DeviceRefused) as caught:
            device.request(0x11, payload)
        assert caught.value.name == name, payload
    blind = HostDevice(imu=False)
    with pytest.raises(DeviceRefused, match="no_sensor"):
        blind.request(0x11, b"\1")
    type_in(blind, b"text\r")
    assert blind.request(0x04, b"here") == b"here"


def test_loudness_is_a_line_each_ten_milliseconds():
    device = HostDevice(settle_ms=100)
    assert device.request(0x11, b"\1\1") == b""
    assert device.from_device == b"" and device.mic_starts == 1
    device.hear(np.zeros(1600))  # settles
    sound = RNG.integers(-32768, 32768, 160 * 9 + 40)
    sound[:320] = np.repeat([0, -32768], 160)
    device.hear(sound)
    said = [[float(value) for value in line.split(",")] for line in lines(device)]
    parts = sound[: 160 * 9].reshape(9, 160).astype(np.float64) / 32768
    assert len(said) == 9 and said[:2] == [[0, 0], [1, 1]]
    assert np.allclose(said, np.stack([np.sqrt((parts**2).mean(1)), np.abs(parts).max(1)], 1), atol=1.1e-4)
    type_in(device, b"text imu\r")  # another sensor in its place
    device.hear(sound)
    assert device.from_device == b""
    device.sense(rows(2))
    assert [line.count(",") for line in lines(device)] == [5, 5]


def test_a_sensor_that_dies_is_told_in_a_line_that_begins_with_err():
    """Which is what Edge Impulse's data forwarder takes for an error; all else is numbers."""
    device = HostDevice()
    type_in(device, b"text\r")
    device.sense(rows(2))
    assert len(lines(device)) == 2
    for _ in range(30):
        device.now += 100_000
        device.poll()
    assert lines(device) == ["ERR: the IMU gives no samples"]
    device.sense(rows(2))
    assert len(lines(device)) == 2  # that it is back shows


def test_streams_and_answers_are_silent_meanwhile():
    device = HostDevice(settle_ms=0)
    for sensor in (0, 1):
        device.request(0x05, struct.pack("<BBHI", sensor, 4, 0, 0))
    device.request(0x11, b"\1")
    device.hear(np.zeros(1600))
    device.sense(rows(5))
    assert [line.count(",") for line in lines(device)] == [5] * 5
    device.to_device += b"\0"
    device.sense(rows(9))
    device.hear(np.zeros(1600))
    assert device.from_device == b""
