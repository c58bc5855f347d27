"""The marks of badges: a medal whose form and colours are drawn from its drop's id, and on it a
sign of what it was given for. The same drop, the same medal, for as long as anybody keeps it.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Callable, Mapping
from functools import lru_cache

from markupsafe import Markup

from dropengine.doors.cover_art import tones

SIDE = 96
MIDDLE = SIDE // 2
KEPT_MAX = 512


@lru_cache(KEPT_MAX)
def mark(drop: str, kind: str) -> Markup:
    """An SVG. kind: one of SIGNS."""
    dice = random.Random(hashlib.sha256(f"badge {drop}".encode()).digest())
    ground, _, bright, deep, _ = _colours(drop)
    parts = [
        dice.choice(FORMS)(dice, bright),
        f'<circle cx="{MIDDLE}" cy="{MIDDLE}" r="33" fill="{ground}"/>',
        _rim(dice, bright),
        SIGNS[kind](deep, bright),
    ]
    # Ours: nothing of it comes from anybody but the id, and of that only the dice.
    return Markup(  # noqa: S704
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIDE}" height="{SIDE}" '
        f'viewBox="0 0 {SIDE} {SIDE}">{"".join(parts)}</svg>'
    )


def _colours(drop: str) -> list[str]:
    """The drop's own: a light ground for the sign, whichever the face of the drop has."""
    ground, *rest = tones(drop)
    by_light = sorted([ground, *rest], key=_light)
    return [by_light[-1], by_light[3], by_light[2], by_light[0], by_light[1]]


def _light(colour: str) -> float:
    red, green, blue = bytes.fromhex(colour[1:])
    return 0.3 * red + 0.59 * green + 0.11 * blue


def _ring(points: list[tuple[float, float]], fill: str) -> str:
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    edge = f'stroke="{fill}" stroke-linejoin="round" stroke-width="4"'
    return f'<polygon points="{line}" fill="{fill}" {edge}/>'


def _around(count: int, r: float, turn: float = 0.0) -> list[tuple[float, float]]:
    angles = (turn + n / count * math.tau for n in range(count))
    return [(MIDDLE + r * math.cos(a), MIDDLE + r * math.sin(a)) for a in angles]


def _corners(dice: random.Random, fill: str) -> str:
    return _ring(_around(dice.randint(6, 10), 44, -math.tau / 4), fill)


def _rays(dice: random.Random, fill: str) -> str:
    count = dice.randint(9, 16)
    outer, inner = _around(count, 45), _around(count, 38, math.pi / count)
    return _ring([point for pair in zip(outer, inner, strict=True) for point in pair], fill)


def _scallops(dice: random.Random, fill: str) -> str:
    count = dice.randint(8, 13)
    r = 34 * math.pi / count + 2
    discs = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" fill="{fill}"/>'
        for x, y in _around(count, 46 - r)
    )
    return f'<circle cx="{MIDDLE}" cy="{MIDDLE}" r="37" fill="{fill}"/>{"".join(discs)}'


def _disc(_: random.Random, fill: str) -> str:
    return f'<circle cx="{MIDDLE}" cy="{MIDDLE}" r="46" fill="{fill}"/>'


FORMS: tuple[Callable[[random.Random, str], str], ...] = (_corners, _rays, _scallops, _disc)


def _rim(dice: random.Random, fill: str) -> str:
    """Pearls, or lines, around the sign."""
    count = dice.choice((16, 20, 24, 28))
    if dice.random() < 0.5:
        return "".join(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.6" fill="{fill}"/>'
            for x, y in _around(count, 28.5)
        )
    lines = zip(_around(count, 27), _around(count, 30.5), strict=True)
    path = "".join(f"M{a:.1f} {b:.1f}L{c:.1f} {d:.1f}" for (a, b), (c, d) in lines)
    return f'<path d="{path}" stroke="{fill}" stroke-width="1.6" stroke-linecap="round"/>'


def _path(path: str, colour: str) -> str:
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="5" '
        'stroke-linecap="round" stroke-linejoin="round"/>'
    )


def _first_friend(deep: str, bright: str) -> str:
    return (
        f'<circle cx="40" cy="48" r="12" fill="{deep}"/>'
        f'<circle cx="57" cy="48" r="12" fill="{bright}" fill-opacity="0.85"/>'
    )


def _five_friends(deep: str, bright: str) -> str:
    friends = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.4" fill="{bright}"/>'
        for x, y in _around(5, 15.5, -math.tau / 4)
    )
    return f'{friends}<circle cx="{MIDDLE}" cy="{MIDDLE}" r="7" fill="{deep}"/>'


def _mission(deep: str, bright: str) -> str:
    return _path("M38 66V31", deep) + (
        f'<path d="M40 31c7-5 12 4 20-1v17c-8 5-13-4-20 1z" fill="{bright}"/>'
    )


def _served_by_boost(deep: str, bright: str) -> str:
    return _path("M34 61l14-13 14 13", bright) + _path("M34 47l14-13 14 13", deep)


def _waited(deep: str, bright: str) -> str:
    return (
        f'<path d="M37 33h22l-11 15z" fill="{bright}"/><path d="M37 63h22l-11-15z" fill="{deep}"/>'
        + _path("M35 33h26M35 63h26", deep)
    )


def _collector(deep: str, bright: str) -> str:
    return (
        f'<path d="M48 30l17 9-17 9-17-9z" fill="{bright}"/>'
        + _path("M33 49l15 8 15-8", deep)
        + _path("M33 58l15 8 15-8", deep)
    )


SIGNS: Mapping[str, Callable[[str, str], str]] = {
    "first_friend": _first_friend,
    "five_friends": _five_friends,
    "mission": _mission,
    "served_by_boost": _served_by_boost,
    "waited": _waited,
    "collector": _collector,
}
"""What a badge is given for, and the sign of it."""
