"""The picture that a link to a drop is shared with: its face, its title, what it costs. PNG.

Pure, and slow for a loop: who asks does it in a thread.
"""

from __future__ import annotations

import io
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import msgspec

from dropengine.doors.cover_art import HEIGHT, WIDTH, Area, Band, Cover, Disc

if TYPE_CHECKING:
    from PIL import ImageDraw, ImageFont

SHARED_WIDTH = 1200
SHARED_HEIGHT = 630
"""What the places where links are shared ask for."""
FACE_HEIGHT = 400
MARGIN = 56
SMOOTH = 2
"""Drawn this many times larger and made smaller: edges without steps."""
TITLE_LINES_MAX = 2
PAPER, INK, QUIET = "#fffefa", "#17181b", "#5d5e66"


class Poster(msgspec.Struct, frozen=True):
    """All that a picture is made of: the same poster is the same picture. `photo`: of the thing,
    in the place of its face."""

    cover: Cover
    title: str
    about: str
    photo: bytes = b""


def png(poster: Poster) -> bytes:
    """The picture. Words that its letters cannot write are left away: the link has them anyway."""
    # Pillow is loaded by the first picture: most processes never draw one.
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (SHARED_WIDTH, SHARED_HEIGHT), PAPER)
    face = _photo(poster.photo) if poster.photo else _face(poster.cover)
    picture.paste(face, (0, 0))
    draw = ImageDraw.Draw(picture)
    top = FACE_HEIGHT + 22
    for words, weight, size, ink in (
        (poster.title, "Semibold", 60, INK),
        (poster.about, "Regular", 36, QUIET),
    ):
        font = _font(weight, size)
        written = words.strip() and _writes(words, font)
        lines = _lines(words, font) if written else []
        for line in lines:
            draw.text((MARGIN, top), line, ink, font=font)
            top += round(size * 1.15)
        top += 10
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=False, compress_level=6)
    return out.getvalue()


def _photo(webp: bytes) -> Any:
    """The middle of a picture that this shop drew itself."""
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(webp), formats=("WEBP",)) as found:
        return ImageOps.fit(found.convert("RGB"), (SHARED_WIDTH, FACE_HEIGHT))


def _face(cover: Cover) -> Any:
    from PIL import Image, ImageDraw

    scale = SHARED_WIDTH * SMOOTH / WIDTH
    large = Image.new("RGB", (round(WIDTH * scale), round(HEIGHT * scale)), cover.ground)
    draw = ImageDraw.Draw(large)
    for shape in cover.shapes:
        _draw(draw, shape, scale)
    # The middle of it, as a page that is too low shows it.
    high = FACE_HEIGHT * SMOOTH
    top = (large.height - high) // 2
    part = large.crop((0, top, large.width, top + high))
    return part.resize((SHARED_WIDTH, FACE_HEIGHT), Image.Resampling.BOX)


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


def _font(weight: str, size: int) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    # Pillow's own has the letters of ASCII: no é, no €.
    file = files("font_source_sans_pro") / "files" / f"SourceSansPro-{weight}.otf"
    return ImageFont.truetype(io.BytesIO(file.read_bytes()), size)


def _writes(words: str, font: ImageFont.FreeTypeFont) -> bool:
    """Has the font each of these letters? One that it has not looks like one that nobody has."""
    none = bytes(font.getmask("\U0010ffff"))
    return all(bytes(font.getmask(letter)) != none for letter in {*words} if not letter.isspace())


def _lines(words: str, font: ImageFont.FreeTypeFont) -> list[str]:
    """At most TITLE_LINES_MAX lines that fit beside the margins."""
    most = SHARED_WIDTH - 2 * MARGIN
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if font.getlength(longer) <= most or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    shown = lines[:TITLE_LINES_MAX]
    cut = len(lines) > len(shown)
    while shown[-1] and font.getlength(shown[-1] + "…" * cut) > most:
        shown[-1], cut = shown[-1][:-1], True
    return [*shown[:-1], shown[-1].rstrip() + "…" * cut]
