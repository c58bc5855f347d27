"""Words in a picture: lines in the letters of any script that a face here has, from either side.

Pillow draws a text in one face; a title may need several, and its parts stand in the order in which
people read them (Unicode's annex 9, as far as titles go).
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from itertools import groupby, product
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from PIL import ImageDraw, ImageFont

SCRIPTS = (
    *("ARABIC", "ARMENIAN", "BENGALI", "DEVANAGARI", "ETHIOPIC", "GEORGIAN", "GUJARATI"),
    *("GURMUKHI", "HEBREW", "KANNADA", "KHMER", "LAO", "MALAYALAM", "MYANMAR", "ORIYA"),
    *("SINHALA", "TAMIL", "TELUGU", "THAI"),
)
"""Scripts with a face of their own: Unicode's name of each letter begins with its script's."""
UNSHAPED = frozenset({"ARMENIAN", "ETHIOPIC", "GEORGIAN", "HEBREW", "LAO", "THAI"})
"""Of these, whose letters stand beside each other as they are."""
LATIN = "SourceSansPro"
SYMBOLS = ("NotoSans", "NotoSansSymbols", "NotoEmoji")
"""Faces for all other letters and signs, in this order."""
WEIGHTS = {"Regular": 400, "Semibold": 600}
JOINS = frozenset("\u200d\ufe0e\ufe0f\u20e3")
"""What belongs to the letter before it, like that which makes one picture of two."""


class Part(msgspec.Struct, frozen=True):
    """Letters of one face that are read in one direction."""

    text: str
    face: str
    rightwards: bool


class Pen(msgspec.Struct, frozen=True):
    """Writes at one weight and size."""

    weight: str
    size: int

    def can(self, words: str) -> bool:
        """Has some face each of these letters?"""
        return all(face for _, face in _faces(words))

    def length(self, line: str) -> float:
        found = parts(line, leftwards=False)
        return sum(
            _font(part.face, self.weight, self.size).getlength(_given(part), direction=_way(part))
            for part in found
        )

    def write(
        self, draw: ImageDraw.ImageDraw, found: Sequence[Part], left: float, low: float, ink: str
    ) -> None:
        """One line, the left end of its ground line there."""
        for part in found:
            font = _font(part.face, self.weight, self.size)
            words, way = _given(part), _way(part)
            draw.text((left, low), words, ink, font=font, anchor="ls", direction=way)
            left += font.getlength(words, direction=way)

    def lines(
        self, words: str, most: float, lines_max: int, *, breaks: bool = False
    ) -> tuple[list[str], bool]:
        """At most so many lines of this length, and whether all of it stands there. breaks: a word
        that is longer than a line goes on in the next."""
        lines = [""]
        for word in words.split():
            if breaks and self.length(word) > most:
                rest = word
                while rest:
                    piece = self._begin(rest, most)
                    lines, rest = [*lines, piece], rest[len(piece) :]
                lines = [line for line in lines if line]
                continue
            longer = f"{lines[-1]} {word}".lstrip()
            if self.length(longer) <= most or not lines[-1]:
                lines[-1] = longer
            else:
                lines.append(word)
        shown = lines[:lines_max]
        cut = len(lines) > len(shown)
        while shown[-1] and self.length(shown[-1] + "…" * cut) > most:
            shown[-1], cut = _shorter(shown[-1]), True
        return [*shown[:-1], shown[-1].rstrip() + "…" * cut], not cut

    def _begin(self, word: str, most: float) -> str:
        """As much of it as a line holds, one letter at least."""
        letters = _letters(word)
        end = 1
        while end < len(letters) and self.length("".join(letters[: end + 1])) <= most:
            end += 1
        return "".join(letters[:end])


class Fitted(msgspec.Struct, frozen=True):
    pen: Pen
    lines: tuple[str, ...]
    from_right: bool

    @property
    def high(self) -> float:
        return self.pen.size * 1.15 * len(self.lines)

    def write(
        self, draw: ImageDraw.ImageDraw, left: float, right: float, top: float, ink: str
    ) -> float:
        """Between these sides, from the one where its readers begin; answers where it ends."""
        high = self.pen.size * 1.15
        for line in self.lines:
            at = right - self.pen.length(line) if self.from_right else left
            found = parts(line, leftwards=self.from_right)
            self.pen.write(draw, found, at, top + self.pen.size * 0.98, ink)
            top += high
        return top


def fitted(words: str, weight: str, sizes: Sequence[int], most: float, lines_max: int) -> Fitted:
    """In the largest of these sizes in which all of it stands, with whole words where they fit; cut
    only in the smallest."""
    for breaks, size in product((False, True), sizes):
        pen = Pen(weight, size)
        writes = pen.can(words)
        lines, whole = pen.lines(words, most, lines_max, breaks=breaks) if writes else ([], True)
        if whole:
            break
    return Fitted(pen, tuple(line for line in lines if line), from_right(words))


def from_right(words: str) -> bool:
    """Do its readers begin at the right?"""
    ways = (unicodedata.bidirectional(letter) for letter in words)
    return next((way in ("R", "AL") for way in ways if way in ("L", "R", "AL")), False)


def parts(line: str, *, leftwards: bool) -> list[Part]:
    """The parts of a line from left to right. leftwards: the text that it is of begins right."""
    base = "R" if leftwards else "L"
    keys = [*zip(_levels(line, base), (face for _, face in _faces(line)), strict=True)]
    rows = []
    for (level, face), group in groupby(zip(keys, line, strict=True), key=lambda one: one[0]):
        text = "".join(letter for _, letter in group)
        rows.append((level, Part(text, face, level % 2 == 0)))
    for height in range(max((level for level, _ in rows), default=0), 0, -1):
        rows = _turned(rows, height)
    return [part for _, part in rows]


def _turned(rows: Sequence[tuple[int, Part]], height: int) -> list[tuple[int, Part]]:
    """Whatever stands together and so high, the other way round."""
    groups = [(turns, [*group]) for turns, group in groupby(rows, lambda one: one[0] >= height)]
    return [one for turns, group in groups for one in (group[::-1] if turns else group)]


def _levels(line: str, base: str) -> list[int]:
    """Of each letter: even ones are read rightwards, odd ones leftwards, higher ones inside."""
    ways: list[str] = []
    strong = base
    for letter in line:
        way = unicodedata.bidirectional(letter)
        if letter in JOINS or way == "NSM":
            ways.append(ways[-1] if ways else "")
            continue
        strong = {"L": "L", "R": "R", "AL": "R"}.get(way, strong)
        number = {"L": "L", "R": "N"}[strong] if way in ("EN", "AN") else ""
        ways.append(strong if way in ("L", "R", "AL") else number)
    return [_level(way or _between(ways, n, base), base) for n, way in enumerate(ways)]


def _between(ways: Sequence[str], n: int, base: str) -> str:
    """What has no direction has that of both its sides, else that of the line."""
    before = next((way for way in reversed(ways[:n]) if way), base).replace("N", "R")
    after = next((way for way in ways[n:] if way), base).replace("N", "R")
    return before if before == after else base


def _level(way: str, base: str) -> int:
    if base == "L":
        return {"L": 0, "R": 1, "N": 2}[way]
    return {"L": 2, "R": 1, "N": 2}[way]


def _faces(words: str) -> list[tuple[str, str]]:
    """Each letter and the face that writes it; '' for none."""
    found: list[tuple[str, str]] = []
    for letter in words:
        before = found[-1][1] if found else ""
        kept = before and (letter in JOINS or unicodedata.bidirectional(letter) == "NSM")
        found.append((letter, before if kept else _face(letter)))
    return found


def _letters(word: str) -> list[str]:
    """Each with what belongs to it."""
    found: list[str] = []
    for letter in word:
        joined = letter in JOINS or unicodedata.category(letter) in ("Mn", "Mc")
        if found and (joined or found[-1].endswith("\u200d")):
            found[-1] += letter
        else:
            found.append(letter)
    return found


def _shorter(line: str) -> str:
    """Without its last letter, and what would be left of it."""
    line = line[:-1]
    while line and line[-1] in JOINS:
        line = line[:-1]
    return line


@lru_cache(4096)
def _face(letter: str) -> str:
    script = re.split("[ -]", unicodedata.name(letter, ""), maxsplit=1)[0]
    if script in SCRIPTS:
        face = f"NotoSans{script.title()}"
        return face if (script in UNSHAPED or _shapes()) and _has(face, letter) else ""
    if letter.isspace():
        return LATIN
    return next((face for face in (LATIN, *SYMBOLS) if _has(face, letter)), "")


def _has(face: str, letter: str) -> bool:
    """One that a face has not looks like one that nobody has."""
    font = _font(face, "Regular", 24, shapes=False)
    return bytes(font.getmask(letter)) != bytes(font.getmask("\U0010ffff"))


@lru_cache(1)
def _shapes() -> bool:
    """Whether letters can be joined here: Pillow asks the system's FriBidi for that."""
    from PIL import features

    return bool(features.check_feature("raqm"))


def _way(part: Part) -> str | None:
    return ("ltr" if part.rightwards else "rtl") if _shapes() else None


def _given(part: Part) -> str:
    """As the drawing wants it: unjoined letters from left to right where nobody turns them."""
    return part.text if part.rightwards or _shapes() else part.text[::-1]


@lru_cache(64)
def _font(face: str, weight: str, size: int, *, shapes: bool = True) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    engine = None if shapes else ImageFont.Layout.BASIC
    if face == LATIN:
        # Pillow's own has the letters of ASCII: no é, no €.
        file = files("font_source_sans_pro") / "files" / f"{face}-{weight}.otf"
        return ImageFont.truetype(io.BytesIO(file.read_bytes()), size, layout_engine=engine)
    file = files("manimgx_fonts") / f"{face}[wght].ttf"
    font = ImageFont.truetype(io.BytesIO(file.read_bytes()), size, layout_engine=engine)
    font.set_variation_by_axes([WEIGHTS[weight]])
    return font
