"""One ramp of colour for shares and energies: more is further from the ground, in both themes."""

from __future__ import annotations

import base64
import struct
import zlib

# The ramp of tk.css (--tk-ramp), light and dark.
RAMPS = (
    ("#ffffff", "#d5e3f3", "#8fb4dd", "#4273b5", "#14315f"),
    ("#111111", "#1b3350", "#3a6a9c", "#8db9d6", "#f4f1de"),
)
_LEVELS = 64


def ramp(stops, t: float) -> tuple[int, int, int]:
    """Red, green, blue (0 to 255) at ``t`` from 0 to 1 along the stops."""
    t = min(1.0, max(0.0, t)) * (len(stops) - 1)
    i = min(len(stops) - 2, int(t))
    a, b = ([int(stops[k][p : p + 2], 16) for p in (1, 3, 5)] for k in (i, i + 1))
    return tuple(round(x + (y - x) * (t - i)) for x, y in zip(a, b, strict=True))


def images(shares) -> tuple[str, str]:
    """A matrix as two PNG files (data URIs), for light and for dark ground.

    Parameters
    ----------
    shares : sequence of rows of float
        0 to 1, first row on top; values outside are the ends of the ramp.
    """
    rows = [bytes(round(min(1.0, max(0.0, v)) * (_LEVELS - 1)) for v in row) for row in shares]
    return tuple(_png(rows, stops) for stops in RAMPS)


def _png(rows: list[bytes], stops) -> str:
    # PNG 1.2, colour type 3: one byte a pixel and a palette; each row has filter type 0 before it.
    palette = bytes(v for k in range(_LEVELS) for v in ramp(stops, k / (_LEVELS - 1)))
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 3, 0, 0, 0)),
        (b"PLTE", palette),
        (b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows), 9)),
        (b"IEND", b""),
    )
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )
    return "data:image/png;base64," + base64.b64encode(data).decode()
