"""tk_slots: whatever happens to the power, the board has the old plan or the new one, whole."""

import os
import random
import struct
import zlib

import pytest
from host_device import PAGE, DeviceRefused, Flash, HostDevice, frame, tiny_plan

from tinykit.features import pack_section
from tinykit.pipeline import ImuFrontEnd, Pipeline

FULL = os.environ.get("TINYKIT_FULL") == "1"


def plan(name="wand", filler=0, **changes):
    front = ImuFrontEnd(scale=(1.0,) * 6)
    pipeline = Pipeline(name, "gesture", 119.0, 4, 2, front, ("a", "b", "c")).with_(**changes)
    return tiny_plan(pack_section(pipeline, 64.0, 0), filler=filler)


def active_plan(flash):
    """The active plan after a boot, read from flash by the header's own words, or None."""
    device = HostDevice(flash)
    for i, (state, active, _, length, crc, _) in enumerate(device.slots()):
        if active:
            assert state == 1
            data = flash.read(PAGE * (1 + 5 * i) + PAGE, length)
            assert zlib.crc32(data) == crc
            return data
    return None


def test_first_deploy_second_deploy_and_back():
    device = HostDevice()
    assert device.info()["active"] == "none"
    one, two, three = (plan(n, filler=f) for n, f in (("one", 100), ("two", 9000), ("three", 4000)))
    assert device.upload(one) == 0
    assert device.upload(two) == 1
    assert [s[:3] + s[5:] for s in device.slots()] == [(1, 0, 1, "one"), (1, 1, 2, "two")]
    assert device.request(0x0A) == b"\0"
    assert active_plan(device.flash) == one
    device = HostDevice(device.flash)
    assert device.info()["active"] == "0"
    assert device.upload(three) == 1
    assert [s[5] for s in device.slots()] == ["one", "three"]
    assert active_plan(device.flash) == three
    assert device.flash.rewritten == 0


def test_header_layout_is_as_documented():
    device = HostDevice()
    one = plan("one")
    device.upload(one)
    header = device.flash.read(PAGE, 72)
    magic, version, length, crc, name, own = struct.unpack_from("<4sIII32sI", header)
    assert (magic, version, length, crc) == (b"TKSL", 1, len(one), zlib.crc32(one))
    assert name == b"one".ljust(32, b"\0") and own == zlib.crc32(header[:48])
    assert header[52:64] == b"\xff" * 12
    assert struct.unpack("<II", header[64:]) == (1, 0xFFFFFFFE)
    assert device.flash.read(2 * PAGE, len(one)) == one


def deploy(device, data):
    """A deploy that goes on whatever the device says, as a host would not: the power is gone."""
    try:
        device.upload(data)
    except (DeviceRefused, AssertionError):
        pass


def cut_everywhere(prepare, act, acceptable, torn):
    """Cut the power after each flash operation of ``act`` (of a quarter of them, see FULL); check what boots."""
    device = HostDevice()
    prepare(device)
    image = device.flash.read(0, device.flash.size)
    device.flash.restore_power()
    act(device)
    total = device.flash.operations
    seen = set()
    for cut in range(total + 1):
        if not FULL and 20 < cut < total - 40 and cut % 4:
            continue  # words of the plan, one like the other
        flash = Flash()
        flash._put(0, image)
        device = HostDevice(flash)
        flash.restore_power()
        flash.cut_after, flash.rng = cut, random.Random(cut) if torn else None
        act(device)
        flash.restore_power()
        booted = active_plan(flash)
        assert booted in acceptable, f"cut after {cut} of {total}"
        seen.add(acceptable.index(booted))
        # And it can still be written.
        flash.rng = None
        after = HostDevice(flash)
        after.upload(acceptable[-1])
        assert active_plan(flash) == acceptable[-1]
    return total, seen


@pytest.mark.parametrize("torn", [False, True], ids=["clean", "torn"])
def test_power_cut_at_every_flash_operation_of_a_deploy(torn):
    one, two, three = (plan(n, filler=f) for n, f in (("one", 64), ("two", 96), ("three", 4100)))

    def prepare(device):
        device.upload(one)
        device.upload(two)

    total, seen = cut_everywhere(prepare, lambda d: deploy(d, three), [two, three], torn)
    assert total > len(three) // 4 and seen == {0, 1}


@pytest.mark.parametrize("torn", [False, True], ids=["clean", "torn"])
def test_power_cut_during_the_first_deploy(torn):
    one = plan("one")
    _, seen = cut_everywhere(lambda d: None, lambda d: deploy(d, one), [None, one], torn)
    assert seen == {0, 1}


def test_power_cut_during_rollback():
    one, two = plan("one"), plan("two", filler=300)

    def prepare(device):
        device.upload(one)
        device.upload(two)

    def back(device):
        try:
            device.request(0x0A)
        except DeviceRefused:
            pass

    for torn in (False, True):
        total, seen = cut_everywhere(prepare, back, [two, one], torn)
        assert total == 2 and seen == {0, 1}


def test_a_rotten_active_slot_gives_way_to_the_other():
    device = HostDevice()
    one, two = plan("one"), plan("two")
    device.upload(one)
    device.upload(two)
    address = PAGE * 7 + 40  # slot B's plan
    device.flash._put(address, bytes([device.flash.read(address, 1)[0] ^ 4]))
    device = HostDevice(device.flash)
    assert [s[:2] for s in device.slots()] == [(1, 1), (2, 0)]
    with pytest.raises(DeviceRefused, match="slot_damaged"):
        device.request(0x0A)
    device.upload(two, slot=1)
    assert active_plan(device.flash) == two


def test_rollbacks_until_the_records_are_full():
    device = HostDevice()
    device.upload(plan("one"))
    device.upload(plan("two"))
    for expected in [0, 1] * 503:
        assert device.request(0x0A)[0] == expected
    with pytest.raises(DeviceRefused, match="flash_failed"):
        device.request(0x0A)
    assert active_plan(device.flash) == plan("two")
    device.upload(plan("three"))
    assert active_plan(device.flash) == plan("three")


@pytest.mark.parametrize(
    ("payload", "name", "detail"),
    [
        (struct.pack("<B3xII", 0xFF, 0, 0), "bad_length", None),
        (struct.pack("<B3xII", 0xFF, 4 * PAGE + 4, 0), "too_large", 4 * PAGE),
        (struct.pack("<B3xII", 0xFF, 0xFFFFFFFF, 0), "too_large", 4 * PAGE),
        (struct.pack("<B3xII", 2, 100, 0), "bad_slot", None),
        (struct.pack("<B3xII", 0, 100, 0), "slot_active", None),
        (b"\xff\0\0\0", "bad_length", None),
    ],
)
def test_uploads_that_are_refused_at_once(payload, name, detail):
    device = HostDevice()
    device.upload(plan("one"))
    before = device.flash.read(0, device.flash.size)
    with pytest.raises(DeviceRefused) as refused:
        device.request(0x07, payload)
    assert refused.value.name == name and detail in (None, refused.value.detail)
    assert device.flash.read(0, device.flash.size) == before


def test_upload_out_of_order_repeated_and_cut_short():
    device = HostDevice()
    data = plan("one", filler=5000)
    with pytest.raises(DeviceRefused, match="no_upload"):
        device.request(0x08, struct.pack("<I", 0) + data[:100])
    with pytest.raises(DeviceRefused, match="no_upload"):
        device.request(0x09)
    device.request(0x07, struct.pack("<B3xII", 0xFF, len(data), zlib.crc32(data)))

    def send(offset, piece):
        return struct.unpack("<I", device.request(0x08, struct.pack("<I", offset) + piece))[0]

    assert send(0, data[:100]) == 100
    assert send(0, data[:100]) == 100  # its reply was lost
    with pytest.raises(DeviceRefused) as refused:
        send(104, data[104:200])
    assert (refused.value.name, refused.value.detail) == ("bad_offset", 100)
    with pytest.raises(DeviceRefused, match="bad_offset"):
        send(0, b"other" * 20)
    with pytest.raises(DeviceRefused, match="bad_length"):
        send(100, data[100:203])  # not a multiple of 4, not the end
    with pytest.raises(DeviceRefused, match="bad_length"):
        send(100, b"")
    with pytest.raises(DeviceRefused, match="bad_length"):
        send(len(data) - 4, b"12345678")
    with pytest.raises(DeviceRefused) as refused:
        device.request(0x09)
    assert (refused.value.name, refused.value.detail) == ("bad_offset", 100)
    # That gave the upload up; from the start, and END twice.
    assert device.upload(data) == 0
    assert device.request(0x09) == struct.pack("<B3xI", 0, zlib.crc32(data))
    assert send(0, data[:100]) == len(data)


def test_a_plan_that_fails_its_checks_leaves_the_old_one():
    device = HostDevice(arena=4096)
    old = plan("old")
    device.upload(old)
    wrong_crc = bytearray(plan("new"))
    wrong_crc[80] ^= 1
    section = pack_section(Pipeline("x", "gesture", 119.0, 4, 2, ImuFrontEnd(scale=(1.0,) * 6), ("a", "b")), 1.0, 0)
    slow = pack_section(Pipeline("x", "gesture", 1.0, 4, 2, ImuFrontEnd(scale=(1.0,) * 6), ("a", "b", "c")), 1.0, 0)
    for data, name, detail in [
        (bytes(wrong_crc), "bad_crc", None),
        (b"x" * 200, "bad_magic", None),
        (tiny_plan(arena=8192), "arena_too_small", 8192),
        (tiny_plan(section), "bad_shape", None),
        (tiny_plan(slow), "bad_rate", 119000),
        (tiny_plan(b"TKPS" + bytes(100)), "bad_format", None),
    ]:
        with pytest.raises(DeviceRefused) as refused:
            device.upload(data)
        assert refused.value.name == name and detail in (None, refused.value.detail)
        assert active_plan(device.flash) == old
        assert device.info()["active"] == "0"
        assert device.slots()[1][0] == 0


def test_flash_that_does_not_take_the_bits():
    device = HostDevice()
    device.flash.broken = True
    with pytest.raises(DeviceRefused, match="flash_failed"):
        device.upload(plan("one"))
    device.flash.broken = False
    assert device.upload(plan("one")) == 0


def test_erase():
    device = HostDevice()
    device.upload(plan("one"))
    device.upload(plan("two"))
    assert device.request(0x13, b"\1") == b"\1"
    assert device.request(0x13, b"\1") == b"\1"
    assert active_plan(device.flash) == plan("one")
    device.request(0x13, b"\0")
    assert active_plan(device.flash) is None and device.info()["active"] == "none"
    with pytest.raises(DeviceRefused, match="no_plan"):
        device.request(0x0A)
    with pytest.raises(DeviceRefused, match="bad_slot"):
        device.request(0x13, b"\2")


def test_rollback_repeated_with_the_same_number_is_done_once():
    device = HostDevice()
    device.upload(plan("one"))
    with pytest.raises(DeviceRefused, match="slot_empty"):
        device.request(0x0A)
    device.upload(plan("two"))
    device.to_device += frame(0x0A, 77) * 3
    device.poll(3)
    assert device.received() == [(0x8A, 77, b"\0")] * 3
    assert device.request(0x0A)[0] == 1
