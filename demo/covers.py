"""A cover for every book: marbled paper in the colour of its shelf, with nothing but the standard library."""

import struct
import zlib
from math import sin
from random import Random

WIDTH, HEIGHT = 200, 300
COLOURS = {
    "Novels": 0x7C2F2B,
    "Crime": 0x33373D,
    "Science fiction": 0x23508A,
    "Fantasy": 0x5C3A78,
    "Children": 0x97560F,
    "Stage and verse": 0x8A2C5A,
    "Ideas": 0x256357,
    "Lives": 0x5D5A20,
}


def draw(book):
    """A PNG. The same book has the same cover, whenever it is asked for."""
    chance = Random(book["title"])
    # Veins of paint from edge to edge, in eight shades, and then a comb is drawn through them.
    veins = bytes(shade for shade in chance.choices(range(8), k=2 * HEIGHT) for _ in range(chance.randint(1, 6)))
    teeth, depth, drift = chance.uniform(0.10, 0.22), chance.uniform(8, 22), chance.uniform(0.01, 0.03)
    comb = bytes(60 + round(depth * abs(sin(teeth * x)) + 30 * sin(drift * x)) for x in range(WIDTH))
    rows = [comb.translate(veins[y : y + 256]) for y in range(HEIGHT)]
    return png(rows, shades(COLOURS[book["shelf"]]))


def shades(colour):
    """Eight of a colour, from dark to light."""
    parts = colour.to_bytes(3)
    return bytes(min(255, round(part * (0.72 + 0.07 * step)) + 6 * step) for step in range(8) for part in parts)


def png(rows, palette):
    """A picture of rows of bytes, each the number of a colour in the palette."""
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 3, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = chunk(b"IHDR", header), chunk(b"PLTE", palette), chunk(b"IDAT", pixels), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
