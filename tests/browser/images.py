"""Images for tests."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode

Colour = tuple[int, int, int]


def png(size: int, top: Colour, bottom: Colour) -> bytes:
    """A square with a gradient from one colour to the other."""
    rows = [[above + (below - above) * y // size for above, below in zip(top, bottom, strict=True)] for y in range(size)]
    pixels = b"".join(b"\0" + bytes(row) * size for row in rows)
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(pixels)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )


def address_of(colour: Colour) -> str:
    """A data URL of an image."""
    return f"data:image/png;base64,{b64encode(png(64, (255, 255, 255), colour)).decode()}"
