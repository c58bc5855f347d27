"""The picture that a link to a drop is shared with: its face, its title, what it costs. PNG.

Pure, and slow for a loop: who asks does it in a thread.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import msgspec

from dropengine.doors.cover_art import HEIGHT, WIDTH, Area, Band, Cover, Disc
from dropengine.doors.picture_words import fitted

if TYPE_CHECKING:
    from PIL import ImageDraw

SHARED_WIDTH = 1200
SHARED_HEIGHT = 630
"""What the places where links are shared ask for."""
TOP = (SHARED_WIDTH, 400)
SIDE = (420, SHARED_HEIGHT)
"""How large the face is: above the words, or beside them."""
MARGIN = 56
SMOOTH = 2
"""Drawn this many times larger and made smaller: edges without steps."""
TITLE_LINES_MAX = 2
TITLE_SIZES = (60, 52, 46, 40)
CARD_LINES_MAX = 3
CARD_TITLE_SIZES = (64, 56, 48, 42, 36)
CODE_WIDTH = 220
PAPER, INK, QUIET = "#fffefa", "#17181b", "#5d5e66"


class Poster(msgspec.Struct, frozen=True, tag=True):
    """All that a picture is made of: the same poster is the same picture. `photo`: of the thing,
    in the place of its face."""

    cover: Cover
    title: str
    about: str
    photo: bytes = b""


class Card(msgspec.Struct, frozen=True, tag=True):
    """The same with what a fan shares of himself: where he stands and when that was, in words, and
    the `link` that brings his friends."""

    cover: Cover
    title: str
    about: str
    place: str
    at: str
    invites: str
    link: str
    photo: bytes = b""


def png(poster: Poster) -> bytes:
    """The picture. Words that its letters cannot write are left away: the link has them anyway."""
    # Pillow is loaded by the first picture: most processes never draw one.
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (SHARED_WIDTH, SHARED_HEIGHT), PAPER)
    face = _photo(poster.photo, TOP) if poster.photo else _face(poster.cover, TOP)
    picture.paste(face, (0, 0))
    draw = ImageDraw.Draw(picture)
    top: float = TOP[1] + 22
    for words, weight, sizes, ink in (
        (poster.title, "Semibold", TITLE_SIZES, INK),
        (poster.about, "Regular", (36,), QUIET),
    ):
        found = fitted(words, weight, sizes, SHARED_WIDTH - 2 * MARGIN, TITLE_LINES_MAX)
        top = found.write(draw, MARGIN, SHARED_WIDTH - MARGIN, top, ink) + 10
    return _packed(picture)


def card(wanted: Card) -> bytes:
    """The picture that a fan shares: beside the face, his place and a code that cameras read."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (SHARED_WIDTH, SHARED_HEIGHT), PAPER)
    face = _photo(wanted.photo, SIDE) if wanted.photo else _face(wanted.cover, SIDE)
    picture.paste(face, (SHARED_WIDTH - SIDE[0], 0))
    code = _code(wanted.link)
    edge = (SHARED_WIDTH - SIDE[0] // 2 - code.width // 2, SHARED_HEIGHT - code.height - 40)
    picture.paste(code, edge)
    draw = ImageDraw.Draw(picture)
    left, right = MARGIN, SHARED_WIDTH - SIDE[0] - 40
    top: float = MARGIN - 6
    for words, weight, sizes, ink, lines in (
        (wanted.about, "Regular", (30,), QUIET, 1),
        (wanted.title, "Semibold", CARD_TITLE_SIZES, INK, CARD_LINES_MAX),
    ):
        found = fitted(words, weight, sizes, right - left, lines)
        top = found.write(draw, left, right, top, ink) + 14
    # From below: what it is about never moves where he stands.
    rows = [
        fitted(words, weight, sizes, right - left, 1)
        for words, weight, sizes in (
            (wanted.place, "Semibold", (84, 72, 60, 48)),
            (wanted.at, "Regular", (30,)),
            (wanted.invites, "Regular", (34, 30, 26)),
        )
    ]
    top = SHARED_HEIGHT - MARGIN + 10 - sum(row.high for row in rows)
    for row, ink in zip(rows, (INK, QUIET, INK), strict=True):
        top = row.write(draw, left, right, top, ink)
    return _packed(picture)


def _code(link: str) -> Any:
    """As a code on white, large enough for a phone that looks at a phone."""
    import segno
    from PIL import Image

    rows = [*segno.make(link, error="m", micro=False).matrix_iter(border=3)]
    cell = max(2, CODE_WIDTH // len(rows))
    small = Image.new("L", (len(rows), len(rows)))
    small.putdata([0 if dark else 255 for row in rows for dark in row])
    wide = cell * len(rows)
    return small.resize((wide, wide), Image.Resampling.NEAREST).convert("RGB")


def _packed(picture: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=False, compress_level=6)
    return out.getvalue()


def _photo(webp: bytes, size: tuple[int, int]) -> Any:
    """The middle of a picture that this shop drew itself."""
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(webp), formats=("WEBP",)) as found:
        return ImageOps.fit(found.convert("RGB"), size)


def _face(cover: Cover, size: tuple[int, int]) -> Any:
    from PIL import Image, ImageDraw

    scale = max(size[0] / WIDTH, size[1] / HEIGHT) * SMOOTH
    large = Image.new("RGB", (round(WIDTH * scale), round(HEIGHT * scale)), cover.ground)
    draw = ImageDraw.Draw(large)
    for shape in cover.shapes:
        _draw(draw, shape, scale)
    # The middle of it, as a page that is too low or too narrow shows it.
    wide, high = size[0] * SMOOTH, size[1] * SMOOTH
    left, top = (large.width - wide) // 2, (large.height - high) // 2
    part = large.crop((left, top, left + wide, top + high))
    return part.resize(size, Image.Resampling.BOX)


def _draw(draw: ImageDraw.ImageDraw, shape: Disc | Area | Band, scale: float) -> None:
    def disc(x: float, y: float, r: float, fill: str) -> None:
        draw.ellipse([x - r, y - r, x + r, y + r], fill)

    match shape:
        case Disc(x, y, r, fill):
            disc(x * scale, y * scale, r * scale, fill)
        case Area(points, fill):
            draw.polygon([(x * scale, y * scale) for x, y in points], fill)
        case Band(points, width, fill):
            line = [(x * scale, y * scale) for x, y in points]
            draw.line(line, fill, round(width * scale), joint="curve")
            for end in (line[0], line[-1]):
                disc(*end, width * scale / 2, fill)
