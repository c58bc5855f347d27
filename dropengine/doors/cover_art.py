"""A drop's own face, drawn from its id and from the colours that its items are named by: the same
drop, the same picture everywhere, and no two alike.

Pure geometry of three flat shapes, so that a page (SVG) and a picture to share (PNG) draw the same.
"""

from __future__ import annotations

import colorsys
import hashlib
import math
import random
import re
from collections.abc import Callable, Iterable, Sequence

import msgspec

WIDTH = 640
HEIGHT = 400
COLOURS_MAX = 3
"""Of its items' colours, how many a face wears: the first named ones."""

NAMED = {
    "amber": "#e39b25",
    "beige": "#d8c7a3",
    "black": "#1d1d21",
    "blue": "#2d62b8",
    "brass": "#b98b35",
    "bronze": "#95602f",
    "brown": "#704a31",
    "coral": "#ee6f57",
    "copper": "#b8643a",
    "cream": "#f1e6cb",
    "gold": "#d6a530",
    "gray": "#85878c",
    "green": "#2e7d4f",
    "grey": "#85878c",
    "indigo": "#3b3c8f",
    "ivory": "#f0ead8",
    "lavender": "#a897cf",
    "lilac": "#b79ad0",
    "mint": "#8fd0b2",
    "moss": "#6c7a3b",
    "mustard": "#cf9c2c",
    "navy": "#1f2f57",
    "ochre": "#c4862f",
    "olive": "#7b7d38",
    "orange": "#e4702a",
    "peach": "#f3b48f",
    "pink": "#e58aa5",
    "plum": "#6d3359",
    "purple": "#6f429c",
    "red": "#c7352f",
    "rose": "#d8708a",
    "rust": "#a8492a",
    "sage": "#94a888",
    "sand": "#d9bf94",
    "silver": "#bcc0c6",
    "slate": "#55626f",
    "teal": "#1f7f80",
    "terracotta": "#c3623f",
    "turquoise": "#35b0aa",
    "violet": "#7a4fb3",
    "white": "#f6f4ee",
    "yellow": "#eec33a",
}
"""Colours as makers name them in the titles of items."""

Point = tuple[int, int]


class Disc(msgspec.Struct, frozen=True, tag=True):
    x: int
    y: int
    r: int
    fill: str


class Area(msgspec.Struct, frozen=True, tag=True):
    points: tuple[Point, ...]
    fill: str


class Band(msgspec.Struct, frozen=True, tag=True):
    """A line of some width, its ends and corners round."""

    points: tuple[Point, ...]
    width: int
    fill: str


Shape = Disc | Area | Band


class Cover(msgspec.Struct, frozen=True):
    """Lengths are units of a WIDTH x HEIGHT picture, colours `#rrggbb`. Shapes may reach beyond the
    frame; later ones lie on earlier ones."""

    ground: str
    shapes: tuple[Shape, ...]


def cover(drop: str, titles: Iterable[str] = ()) -> Cover:
    """The face of a drop. titles: of its items, where their colours are looked for."""
    dice = random.Random(hashlib.sha256(drop.encode()).digest())
    motif = dice.choice(MOTIFS)
    ground, *tones = _palette(dice, colours(titles))
    return Cover(ground, tuple(motif(dice, tones)))


def tones(drop: str) -> list[str]:
    """The ground of a drop's face and five tones for it, whatever its items are called."""
    dice = random.Random(hashlib.sha256(drop.encode()).digest())
    dice.choice(MOTIFS)
    return _palette(dice, ())


def colours(titles: Iterable[str]) -> list[str]:
    """The colours that are named in these titles, each once, at most COLOURS_MAX."""
    words = (word for title in titles for word in re.findall(r"[a-z]+", title.lower()))
    return [*dict.fromkeys(NAMED[word] for word in words if word in NAMED)][:COLOURS_MAX]


def _palette(dice: random.Random, named: Sequence[str]) -> list[str]:
    """A ground and five tones for it; the named colours come first among them."""
    hue, turn = dice.random(), dice.choice((0.08, 0.33, 0.45, 0.55))
    dark = dice.random() < 0.5
    ground = _hsl(hue, 0.3, 0.14) if dark else _hsl(hue, 0.36, 0.89)
    steps = (0.62, 0.46, 0.74, 0.34, 0.55) if dark else (0.52, 0.36, 0.66, 0.26, 0.45)
    made = [
        _hsl(hue + turn * (n % 3 > 0) + 0.035 * n, 0.5 if n < 2 else 0.36, light)
        for n, light in enumerate(steps)
    ]
    return [ground, *[*named, *made][:5]]


def _hsl(hue: float, saturation: float, lightness: float) -> str:
    parts = colorsys.hls_to_rgb(hue % 1, lightness, saturation)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


def _hills(dice: random.Random, tones: Sequence[str]) -> Iterable[Shape]:
    """Ridges, one before the other, and what stands above them."""
    yield Disc(dice.randint(110, 530), dice.randint(90, 170), dice.randint(44, 84), tones[0])
    for n, tone in enumerate((tones[2], tones[4], tones[1], tones[3])):
        base, high = 180 + 52 * n, dice.randint(18, 46)
        long, shift = dice.uniform(150, 320), dice.uniform(0, math.tau)
        ridge = [
            (x, round(base + high * math.sin(x / long * math.tau / 2 + shift)))
            for x in range(0, WIDTH + 1, 32)
        ]
        yield Area((*ridge, (WIDTH, HEIGHT), (0, HEIGHT)), tone)


def _tiles(dice: random.Random, tones: Sequence[str]) -> Iterable[Shape]:
    """Quarter discs, each turned as the dice fall."""
    side = 80
    for row in range(HEIGHT // side):
        for column in range(WIDTH // side):
            x, y, kind = column * side, row * side, dice.randrange(6)
            tone = dice.choice(tones)
            if kind < 4:
                corner = (x + side * (kind % 2), y + side * (kind // 2))
                yield Area(_quarter(corner, kind, side), tone)
            elif kind == 4:
                yield Disc(x + side // 2, y + side // 2, side // 3, tone)


def _quarter(corner: Point, kind: int, side: int) -> tuple[Point, ...]:
    begin = (0.0, 0.25, 0.75, 0.5)[kind] * math.tau
    arc = [begin + n / 28 * math.tau for n in range(8)]
    x, y = corner
    return (corner, *((round(x + side * math.cos(a)), round(y + side * math.sin(a))) for a in arc))


def _rings(dice: random.Random, tones: Sequence[str]) -> Iterable[Shape]:
    """Discs in one another, around two middles."""
    for x, y, wide in (
        (dice.randint(60, 250), dice.randint(40, 360), 270),
        (dice.randint(390, 580), dice.randint(40, 360), 210),
    ):
        first = dice.randrange(5)
        for n in range(6):
            yield Disc(x, y, wide - n * wide // 6 - dice.randint(0, 9), tones[(first + n) % 5])


def _weave(dice: random.Random, tones: Sequence[str]) -> Iterable[Shape]:
    """Broad bands that lean, and thin ones across them."""
    lean = dice.choice((-1, 1)) * dice.randint(90, 260)
    x = -280
    while x < WIDTH + 280:
        wide = dice.randint(26, 74)
        yield Band(((x, -40), (x + lean, HEIGHT + 40)), wide, dice.choice(tones))
        x += wide + dice.randint(10, 34)
    for _ in range(3):
        y = dice.randint(60, HEIGHT - 60)
        yield Band(((-20, y), (WIDTH + 20, y - lean // 3)), dice.randint(6, 14), tones[0])


def _petals(dice: random.Random, tones: Sequence[str]) -> Iterable[Shape]:
    """Flowers of one kind, in three sizes."""
    leaves, plump = dice.randint(5, 11), dice.uniform(0.35, 0.8)
    for x, y, wide in (
        (dice.randint(120, 240), dice.randint(120, 280), 190),
        (dice.randint(410, 540), dice.randint(60, 200), 130),
        (dice.randint(360, 600), dice.randint(270, 370), 84),
    ):
        turn, tone = dice.uniform(0, math.tau), dice.randrange(4)
        for leaf in range(leaves):
            angle = turn + leaf / leaves * math.tau
            yield Area(_leaf(x, y, wide, angle, plump * math.pi / leaves), tones[tone])
        yield Disc(x, y, wide // 4, tones[tone + 1])


def _leaf(x: int, y: int, long: int, angle: float, half: float) -> tuple[Point, ...]:
    way = (
        (0.0, 0.0),
        (0.45, -half),
        (0.8, -half * 0.8),
        (1.0, 0.0),
        (0.8, half * 0.8),
        (0.45, half),
    )
    return tuple(
        (
            round(x + long * far * math.cos(angle + side)),
            round(y + long * far * math.sin(angle + side)),
        )
        for far, side in way
    )


def _facets(dice: random.Random, tones: Sequence[str]) -> Iterable[Shape]:
    """A net that was shaken, its meshes cut in two."""
    columns, rows = 7, 4
    net = {
        (c, r): (
            round((c - 0.5) * WIDTH / (columns - 1)) + dice.randint(-34, 34),
            round((r - 0.25) * HEIGHT / (rows - 1.5)) + dice.randint(-30, 30),
        )
        for c in range(columns + 1)
        for r in range(rows + 1)
    }
    for c in range(columns):
        for r in range(rows):
            a, b, d, e = net[c, r], net[c + 1, r], net[c, r + 1], net[c + 1, r + 1]
            halves = ((a, b, d), (b, e, d)) if dice.random() < 0.5 else ((a, b, e), (a, e, d))
            for half in halves:
                yield Area(half, dice.choice(tones))


def _waves(dice: random.Random, tones: Sequence[str]) -> Iterable[Shape]:
    """Lines that follow one another, as of a comb in wet clay."""
    wide = dice.randint(12, 22)
    long, high, shift = dice.uniform(120, 300), dice.randint(16, 48), dice.uniform(0, math.tau)
    drift = dice.uniform(-0.3, 0.3)
    for n in range(-2, HEIGHT // (2 * wide) + 3):
        line = tuple(
            (x, round(2 * wide * n + high * math.sin(x / long * math.pi + shift + drift * n)))
            for x in range(-24, WIDTH + 25, 24)
        )
        yield Band(line, wide, tones[n % 5 if dice.random() < 0.4 else n % 2])


def _stones(dice: random.Random, tones: Sequence[str]) -> Iterable[Shape]:
    """Smooth stones, laid on one another until they stand."""
    y, wide = HEIGHT + 10, dice.randint(190, 230)
    middle = dice.randint(250, 390)
    for n in range(5):
        high = dice.randint(34, 58)
        middle += dice.randint(-26, 26)
        yield Area(_stone(dice, middle, y - high, wide, high), tones[n % 5])
        y -= 2 * high - 8
        wide = round(wide * dice.uniform(0.68, 0.86))


def _stone(dice: random.Random, x: int, y: int, wide: int, high: int) -> tuple[Point, ...]:
    slant = dice.uniform(-0.12, 0.12)
    return tuple(
        (
            round(x + wide * _round(math.cos(angle))),
            round(y + high * _round(math.sin(angle)) + wide * slant * math.cos(angle) * 0.5),
        )
        for angle in (n / 28 * math.tau for n in range(28))
    )


def _round(part: float) -> float:
    """Between a circle and a box."""
    return math.copysign(abs(part) ** 0.75, part)


MOTIFS: Sequence[Callable[[random.Random, Sequence[str]], Iterable[Shape]]] = (
    _hills,
    _tiles,
    _rings,
    _weave,
    _petals,
    _facets,
    _waves,
    _stones,
)
