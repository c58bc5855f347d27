"""A drop's face, drawn from the hash of its rules: the same rules, the same picture everywhere.

Pure geometry in SVG attributes: nothing that a strict content policy would have to allow.
"""

from __future__ import annotations

import hashlib
import math

import msgspec

WIDTH = 640
HEIGHT = 400
RAYS = 72
"""Strokes around the disc. Their lengths together are the drop's fingerprint."""


class Stroke(msgspec.Struct, frozen=True):
    """One ray, from (x1, y1) to (x2, y2); `width` of its line and `opacity` 0 to 1."""

    x1: float
    y1: float
    x2: float
    y2: float
    width: float
    opacity: float


class Cover(msgspec.Struct, frozen=True):
    """Colours are CSS colours; lengths are units of a WIDTH x HEIGHT picture.

    sky, glow, disc: from the outside in. bead: the bright point on the disc's rim.
    """

    sky: str
    dusk: str
    glow: str
    disc: str
    x: float
    y: float
    radius: float
    bead_x: float
    bead_y: float
    bead: float
    rays: tuple[Stroke, ...]


def cover(text: str) -> Cover:
    """The picture of a drop. `text`: anything that stands for it for ever, best its rules' hash."""
    # 32 bytes choose the colours and the place, further ones the rays.
    seed = hashlib.sha256(text.encode()).digest()
    more = b"".join(hashlib.sha256(seed + bytes([n])).digest() for n in range(5))
    hue = seed[0] * 360 // 256
    warm = (hue + 150 + seed[1] % 60) % 360
    radius = 92 + seed[2] % 28
    x = WIDTH / 2 + (seed[3] - 128) / 128 * 90
    y = HEIGHT / 2 + (seed[4] - 128) / 128 * 28
    turn = seed[5] / 256 * math.tau
    return Cover(
        sky=f"hsl({hue} 34% 13%)",
        dusk=f"hsl({(hue + 24) % 360} 42% 27%)",
        glow=f"hsl({warm} 86% 74%)",
        disc=f"hsl({hue} 36% 8%)",
        x=round(x, 1),
        y=round(y, 1),
        radius=radius,
        bead_x=round(x + radius * math.cos(turn), 1),
        bead_y=round(y + radius * math.sin(turn), 1),
        bead=5 + seed[6] % 5,
        rays=tuple(_ray(n, more[n], more[n + RAYS], x, y, radius, turn) for n in range(RAYS)),
    )


def _ray(n: int, long: int, wide: int, x: float, y: float, radius: float, turn: float) -> Stroke:
    angle = turn + n / RAYS * math.tau
    # Longest where the light breaks through, so that the eye finds the bead.
    near = (1 + math.cos(angle - turn)) / 2
    start = radius + 5
    end = start + 8 + long / 255 * (30 + 90 * near**2)
    cos, sin = math.cos(angle), math.sin(angle)
    return Stroke(
        x1=round(x + start * cos, 1),
        y1=round(y + start * sin, 1),
        x2=round(x + end * cos, 1),
        y2=round(y + end * sin, 1),
        width=round(0.8 + wide / 255 * 1.6, 2),
        opacity=round(0.25 + 0.65 * near, 2),
    )
