"""The image of the virtual board: the same sketch, built once, and it answers."""

import re
import struct
import zlib

import pytest
import serial
from cobs import cobs
from probe_board import SKETCH, probe_image

from tinykit import toolchain
from tinykit.board.virtual import VirtualBoard, board_image
from tinykit.board.virtual.registers import registers
from tinykit.engine.elf import read_elf
from tinykit.engine.plan import ARENA_BYTES, SLOT_BYTES
from tinykit.errors import BuildError
from tinykit.toolchain import hardware_dir


def test_image_is_built_once(monkeypatch):
    first, probe = board_image(), probe_image()

    def compiled(*arguments):
        raise AssertionError("it was built already")

    monkeypatch.setattr(toolchain, "_zig", compiled)
    assert board_image() == first and probe_image() == probe
    assert probe != first


def test_image_lies_where_the_real_one_does():
    image = read_elf(board_image())
    flash = [s for s in image.segments if s.data]
    assert min(s.physical for s in flash) == 0x10000
    assert max(s.physical + len(s.data) for s in flash) <= 0x50000
    ram = image.symbols["tkv_bss_end"]
    assert 0x2000_0000 < ram <= 0x2004_0000 - 32 * 1024


def test_broken_sketch_says_where(tmp_path):
    broken = tmp_path / "Broken.ino"
    text = SKETCH.read_text(encoding="utf-8").replace("void loop() {", "void loop() { nonsense;")
    broken.write_text(text, encoding="utf-8")
    with pytest.raises(BuildError, match=r"Broken\.ino:\d+:\d+: error: .*nonsense"):
        board_image(broken, sources=[])


def test_every_register_is_documented_and_served():
    names = registers()
    readme = (hardware_dir() / "virtual" / "README.md").read_text(encoding="utf-8")
    missing = [name for name in names if not re.search(rf"`{name}`", readme)]
    assert missing == []
    offsets = [v for k, v in names.items() if k not in ("BASE", "RESET_KEY") and not k.startswith("FLASH_")]
    assert len(offsets) == len(set(offsets))
    with VirtualBoard("served", clock="free", image=probe_image()) as board:
        assert set(offsets) <= board._devices.served


def ask(name, type, payload=b""):
    """One request and its reply, without the host's own code: frames by hand (hardware/PROTOCOL.md)."""
    body = bytes([type, 7]) + payload
    with serial.serial_for_url(f"virtual://nano33ble/{name}", timeout=10) as port:
        port.write(b"\0" + cobs.encode(body + struct.pack("<I", zlib.crc32(body))) + b"\0")
        data = b""
        while not data.strip(b"\0") or not data.endswith(b"\0"):
            got = port.read(1)
            assert got, VirtualBoard.get(name).log
            data += got
    reply = cobs.decode(data.strip(b"\0"))
    assert reply[:2] == bytes([type | 0x80, 7])
    assert zlib.crc32(reply[:-4]) == struct.unpack("<I", reply[-4:])[0]
    return reply[2:-4]


def test_the_real_sketch_says_hello():
    with VirtualBoard("hello", clock="free"):
        assert struct.unpack_from("<H", ask("hello", 0x01, struct.pack("<H", 1)))[0] == 1


@pytest.mark.parametrize(("sensor", "rate"), [("LSM9DS1", "119.0"), ("BMI270", "99.8")])
def test_the_real_sketch_finds_the_imu_of_either_revision(sensor, rate):
    with VirtualBoard("revision", clock="free", sensor=sensor) as board:
        info = ask("revision", 0x02).decode()
        imu, mic = f"imu:{sensor}:{rate}:aX,aY,aZ,gX,gY,gZ:8192:16.384", "mic:MP34DT06:16000.0:audio:32768"
        climate = "HTS221" if sensor == "LSM9DS1" else "HS300x"
        assert f"sensors={imu};{mic};environment:{climate}+LPS22HB+APDS9960:10.0:temperature," in info
        assert f"id=VIRTUAL-{board.serial_number:08X}" in info


def test_the_compiler_knows_how_much_room_the_sketch_gives():
    with VirtualBoard("room", clock="free"):
        info = ask("room", 0x02).decode().splitlines()
    assert f"arena={ARENA_BYTES}" in info and f"slot_bytes={SLOT_BYTES}" in info
