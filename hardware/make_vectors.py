"""Write vectors.json: examples of the link, byte by byte, for both ends to be tested against.

Uses neither the C core nor tinykit: COBS from the ``cobs`` package, CRC-32 from zlib, layouts packed
here from PROTOCOL.md. Run it again after a change there: ``python hardware/make_vectors.py``.
"""

import json
import struct
import zlib
from pathlib import Path

from cobs import cobs


def wire(type_, seq, payload):
    raw = bytes([type_, seq]) + payload
    return b"\0" + cobs.encode(raw + zlib.crc32(raw).to_bytes(4, "little")) + b"\0"


def messages():
    """Name, type, sequence number, layout of the payload, its fields by name."""
    yield "hello", 0x01, 0, "<H", {"version": 1}
    yield "hello reply", 0x81, 0, "<HI", {"version": 1, "uptime_ms": 123456}
    yield "info", 0x02, 1, "<", {}
    yield "info reply", 0x82, 1, "<30s", {"text": b"firmware=0.1.0\nprotocol=1\nx=\xc3\xa9"}
    yield "slots", 0x03, 2, "<", {}
    slot = "BBHIII32s"
    yield "slots reply", 0x83, 2, "<" + slot * 2, {
        "state0": 1, "active0": 0, "pad0": 0, "activation0": 3, "length0": 20480, "crc0": 0xDEADBEEF,
        "name0": b"wand-1", "state1": 1, "active1": 1, "pad1": 0, "activation1": 4, "length1": 16384,
        "crc1": 0x01020304, "name1": b"wand-2",
    }  # fmt: skip
    yield "echo, empty", 0x04, 3, "<", {}
    yield "echo, zeros", 0x04, 4, "<4s", {"bytes": b"\0\0\0\0"}
    yield "echo, longest", 0x04, 255, "<512s", {"bytes": bytes(i * 7 % 256 for i in range(512))}
    yield "echo, no zero for 254 bytes", 0x04, 5, "<252s", {"bytes": bytes([1 + i % 255 for i in range(252)])}
    yield "stream start", 0x05, 6, "<BBHI", {"sensor": 0, "samples": 6, "pad": 0, "rate_mhz": 0}
    yield "stream start reply", 0x85, 6, "<I", {"rate_mhz": 119000}
    yield "stream start, sound", 0x05, 6, "<BBHI", {"sensor": 1, "samples": 240, "pad": 0, "rate_mhz": 16000000}
    yield "stream start reply, sound", 0x85, 6, "<I", {"rate_mhz": 16000000}
    yield "stream stop", 0x06, 7, "<B", {"sensor": 0}
    yield "stream stop reply", 0x86, 7, "<II", {"sent": 7140, "overruns": 0}
    yield "upload begin", 0x07, 8, "<B3xII", {"slot": 255, "length": 16384, "crc": 0x01020304}
    yield "upload begin reply", 0x87, 8, "<BBH", {"slot": 1, "pad": 0, "chunk": 508}
    yield "upload data", 0x08, 9, "<I8s", {"offset": 508, "bytes": b"\x01\0\x02\0\x03\0\x04\0"}
    yield "upload data reply", 0x88, 9, "<I", {"next": 516}
    yield "upload end", 0x09, 10, "<", {}
    yield "upload end reply", 0x89, 10, "<B3xI", {"slot": 1, "crc": 0x01020304}
    yield "rollback", 0x0A, 11, "<", {}
    yield "rollback reply", 0x8A, 11, "<B", {"slot": 0}
    yield "tensor write", 0x0B, 12, "<I4s", {"offset": 0, "bytes": bytes([0x80, 0xFF, 0, 0x7F])}
    yield "tensor write reply", 0x8B, 12, "<I", {"next": 4}
    yield "run", 0x0C, 13, "<B", {"mode": 0}
    yield "run reply", 0x8C, 13, "<III", {"cycles": 1500000, "microseconds": 23437, "bytes": 4}
    yield "tensor read", 0x0D, 14, "<IH", {"offset": 0, "n": 4}
    yield "tensor read reply", 0x8D, 14, "<4s", {"bytes": bytes([0x80, 0xFF, 0, 0x7F])}
    yield "live start", 0x0E, 15, "<", {}
    yield "live start reply", 0x8E, 15, "<II", {"hop": 30, "rate_mhz": 119000}
    yield "live stop", 0x0F, 16, "<", {}
    yield "live stop reply", 0x8F, 16, "<I", {"sent": 42}
    yield "decision?", 0x10, 17, "<", {}
    rule = {"threshold": 45874, "smoothing": 3, "n": 0, "suppression_ms": 500}
    yield "decision", 0x10, 17, "<HBBH", rule
    yield "decision reply", 0x90, 17, "<HBBH", rule
    rule = {**rule, "n": 3, "threshold0": 65535, "threshold1": 39321, "threshold2": 256}
    yield "decision, a threshold per label", 0x10, 17, "<HBBH3H", rule
    yield "decision reply, a threshold per label", 0x90, 17, "<HBBH3H", rule
    yield "text", 0x11, 18, "<B", {"on": 1}
    yield "time", 0x12, 19, "<", {}
    yield "time reply", 0x92, 19, "<Q", {"microseconds": 0x123456789ABCDEF0}
    yield "erase", 0x13, 20, "<B", {"slot": 0}
    yield "erase reply", 0x93, 20, "<B", {"slot": 0}
    yield "section read", 0x14, 21, "<IH", {"offset": 0, "n": 512}
    yield "run one op", 0x0C, 23, "<BBHH", {"mode": 0, "pad": 0, "first": 3, "count": 1}
    yield "arena read", 0x15, 24, "<IH", {"offset": 1024, "n": 4}
    yield "arena read reply", 0x95, 24, "<4s", {"bytes": bytes([0x80, 0xFF, 0, 0x7F])}
    yield "error reply", 0xFF, 22, "<hBBI10s", {
        "status": -5, "request": 8, "pad": 0, "detail": 508, "name": b"bad_offset",
    }  # fmt: skip
    yield "samples", 0x40, 200, "<BBBBII2H12h", {
        "sensor": 0, "count": 2, "channels": 6, "flags": 0, "index": 1000, "time_us": 8403361,
        "delta0": 0, "delta1": 8403, **{f"value{i}": v for i, v in enumerate(
            [0, 1, 8192, -1, 16, -32768, 32767, -2, 8191, 255, 256, -256])},
    }  # fmt: skip
    yield "stream start, environment", 0x05, 6, "<BBHI", {"sensor": 2, "samples": 1, "pad": 0, "rate_mhz": 0}
    yield "samples, environment", 0x40, 205, "<BBBBIIH8h", {
        "sensor": 2, "count": 1, "channels": 8, "flags": 0, "index": 31, "time_us": 5100000, "delta0": 0,
        "temperature": -725, "humidity": 4502, "pressure": 25331, "red": 310, "green": 290, "blue": 240,
        "clear": 800, "proximity": 255,
    }  # fmt: skip
    yield "prediction", 0x41, 201, "<IIIIIbBBB3b3B", {
        "number": 7, "index": 1118, "time_us": 9395000, "latency_us": 4012, "cycles": 190000,
        "decision": 1, "flags": 1, "n": 3, "pad": 0, "raw0": -128, "raw1": 120, "raw2": -120,
        "smoothed0": 2, "smoothed1": 245, "smoothed2": 8,
    }  # fmt: skip
    yield "log", 0x42, 202, "<15s", {"text": b"the IMU is back"}
    yield "fault", 0x43, 203, "<h24s", {"status": -29, "text": b"the IMU gives no samples"}
    yield "audio", 0x44, 204, "<BBHII5h", {
        "sensor": 1, "flags": 2, "count": 5, "index": 56000, "time_us": 4000062,
        **{f"sample{i}": v for i, v in enumerate([0, -1, 32767, -32768, 256])},
    }  # fmt: skip


def damaged():
    """What a reader must not take for a frame, and why."""
    good = wire(0x04, 3, b"abc")
    yield "one bit of the payload flipped", good[:4] + bytes([good[4] ^ 1]) + good[5:]
    yield "last byte of the checksum lost", good[:-2] + good[-1:]
    yield "one byte too many", good[:-1] + b"\x01\0"
    yield "two frames run together", good[:-1] + good[1:]
    yield "a group that runs past the end", b"\0\x09abc\0"
    yield "shorter than any frame", b"\0" + cobs.encode(b"\x04\x03abc") + b"\0"
    yield "longer than any frame", wire(0x04, 3, bytes(513))
    yield "plain text", b"\0Hello, Arduino!\r\n\0"


def show(value):
    return value.hex() if isinstance(value, bytes) else value


def main():
    frames = []
    for name, type_, seq, layout, fields in messages():
        payload = struct.pack(layout, *fields.values())
        frames.append({
            "name": name, "type": type_, "seq": seq, "layout": layout,
            "fields": {key: show(value) for key, value in fields.items()},
            "payload": payload.hex(), "wire": wire(type_, seq, payload).hex(),
        })  # fmt: skip
    bad = [{"name": name, "wire": data.hex()} for name, data in damaged()]
    text = json.dumps({"format": 1, "frames": frames, "damaged": bad}, indent=1)
    Path(__file__).with_name("vectors.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
