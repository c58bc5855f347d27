"""What a text that strangers read may be made of: one rule for manifests and creators' commands.

The scripts decide by the very same ranges, which they are given when they are loaded
(`truth/command_checks`), so a text means the same to a version of Python and to Lua, which knows
nothing of Unicode.
"""

from __future__ import annotations

from msgspec import Meta

Ranges = tuple[tuple[int, int], ...]
"""Code points, both ends included, in rising order."""

LINE_FEED = 0x0A
CONTROLS: Ranges = ((0x00, 0x1F), (0x7F, 0x9F), (0x2028, 0x2029))
"""They move a cursor, ring a bell, begin a line."""
TURNING: Ranges = (
    (0x061C, 0x061C),
    (0x200E, 0x200F),
    (0x202A, 0x202E),
    (0x2066, 0x2069),
)
"""Marks that turn the direction of what follows them, in the sentences of others too."""
BLANK: Ranges = (
    (0x20, 0x20),
    (0xA0, 0xA0),
    (0xAD, 0xAD),
    (0x034F, 0x034F),
    (0x115F, 0x1160),
    (0x1680, 0x1680),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x2000, 0x200D),
    (0x202F, 0x202F),
    (0x205F, 0x2065),
    (0x206A, 0x206F),
    (0x2800, 0x2800),
    (0x3000, 0x3000),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0x13430, 0x1343F),
    (0x1BCA0, 0x1BCA3),
    (0x1D159, 0x1D159),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
"""What leaves no ink: spaces, fillers, joiners, selectors, tags. They may stand in a text, but a
text of nothing else shows nothing."""
SURROGATES: Ranges = ((0xD800, 0xDFFF),)
"""How Python keeps bytes of a command line that are no UTF-8."""

NOT_UTF8 = "must be UTF-8 text"
NOTHING = "must show something"
NEW_LINE = "must not contain a new line"
TURNS = "must not contain an invisible mark that turns the direction of text"
CONTROL = "must not contain a control character"


def line(most: int, least: int = 1) -> Meta:
    """The bounds of a field that holds one line of text, in characters."""
    return Meta(min_length=least, max_length=most, extra={"line": True})


def among(code: int, ranges: Ranges) -> bool:
    """Is this code point in one of them?"""
    return any(first <= code <= last for first, last in ranges)


def shows(text: str) -> bool:
    """Does it leave ink anywhere?"""
    return any(not among(ord(character), BLANK + CONTROLS + TURNING) for character in text)


def not_utf8(text: str) -> str:
    """Why a text cannot be sent, as the end of a sentence, or ''."""
    return NOT_UTF8 if any(among(ord(one), SURROGATES) for one in text) else ""


def unfit(text: str, *, paragraphs: bool = False) -> str:
    """Why a text must not reach strangers, as the end of a sentence, or ''. paragraphs: lines may
    end in it."""
    if why := not_utf8(text):
        return why
    for code in map(ord, text):
        if code == LINE_FEED:
            if not paragraphs:
                return f"{NEW_LINE} (U+000A)"
        elif among(code, TURNING):
            return f"{TURNS} (U+{code:04X})"
        elif among(code, CONTROLS):
            return f"{CONTROL} (U+{code:04X})"
    return NOTHING if text and not shows(text) else ""
