"""Frames on a byte stream: COBS, type, sequence number, CRC-32 (hardware/PROTOCOL.md, section Frame)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import NamedTuple

from cobs import cobs

MAX_PAYLOAD = 512
_OVERHEAD = 2 + 4  # type and sequence number before the payload, CRC-32 after it
# COBS adds one byte for every 254 begun. Longer than this between two zeros is no frame.
MAX_ENCODED = MAX_PAYLOAD + _OVERHEAD + (MAX_PAYLOAD + _OVERHEAD) // 254 + 1


class Frame(NamedTuple):
    """One message: its type, its sequence number (0 to 255) and up to 512 bytes of payload."""

    type: int
    seq: int
    payload: bytes


def encode(type: int, seq: int, payload: bytes = b"") -> bytes:
    """The bytes that go on the wire for one frame, zero bytes at both ends included.

    Parameters
    ----------
    type, seq : int
        0 to 255 each.
    payload : bytes
        At most ``MAX_PAYLOAD`` bytes.

    Raises
    ------
    ValueError
        The payload is too long for a frame.
    """
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"A frame carries at most {MAX_PAYLOAD} bytes, got {len(payload)}.")
    body = bytes((type, seq)) + bytes(payload)
    return b"\0" + cobs.encode(body + struct.pack("<I", zlib.crc32(body))) + b"\0"


@dataclass
class Counters:
    """What a decoder has seen.

    ``damaged`` counts the pieces between two zero bytes that were no frame; noise on a zero byte
    splits or joins frames, so lost messages are counted by their sequence numbers, not by this.
    """

    bytes: int = 0
    frames: int = 0
    bad_crc: int = 0
    bad_cobs: int = 0
    bad_length: int = 0
    skipped_bytes: int = 0

    @property
    def damaged(self) -> int:
        """Pieces that were no frame, for any reason."""
        return self.bad_crc + self.bad_cobs + self.bad_length


class Decoder:
    """Bytes in, whole frames out, in pieces of any size.

    A damaged frame is dropped and counted in ``counters``; the next zero byte starts anew.
    """

    def __init__(self):
        self.counters = Counters()
        self.resync()

    def resync(self) -> None:
        """Forget a half-read frame: what comes before the next zero byte is skipped, not counted as damage."""
        self._piece = bytearray()
        self._synced = False

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes from the port; return the frames that they complete."""
        frames = []
        self.counters.bytes += len(data)
        *ended, rest = bytes(data).split(b"\0")
        for part in ended:
            self._take(part)
            if not self._synced:
                self.counters.skipped_bytes += len(self._piece)
            elif self._piece and (frame := self._decode()):
                frames.append(frame)
            self._synced = True
            self._piece.clear()
        self._take(rest)
        return frames

    def _take(self, part: bytes) -> None:
        # One byte over the limit is kept as the mark of "too long"; more would only fill memory.
        room = MAX_ENCODED + 1 - len(self._piece)
        self._piece += part[:room]
        self.counters.skipped_bytes += max(0, len(part) - max(room, 0))

    def _decode(self) -> Frame | None:
        count = self.counters
        if len(self._piece) > MAX_ENCODED:
            count.bad_length += 1
            return None
        try:
            body = cobs.decode(bytes(self._piece))
        except cobs.DecodeError:
            count.bad_cobs += 1
            return None
        if not _OVERHEAD <= len(body) <= MAX_PAYLOAD + _OVERHEAD:
            count.bad_length += 1
            return None
        if zlib.crc32(body[:-4]) != int.from_bytes(body[-4:], "little"):
            count.bad_crc += 1
            return None
        count.frames += 1
        return Frame(body[0], body[1], body[2:-4])
