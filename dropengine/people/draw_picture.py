"""A photo drawn anew, in three widths, without anything else that the file held. A program of its
own: it reads a file from whom it does not know, within bounds of memory and time.

What it is sent, and what it answers, passes through pipes:
`python -m dropengine.people.draw_picture`.
"""

from __future__ import annotations

import contextlib
import io
import resource
import struct
import sys
import warnings
from typing import Final

import msgspec

WIDTHS: Final = (1600, 960, 480)
"""From the largest: what a page of this shop shows on a desk, a phone, in a list."""
HEIGHT_MAX: Final = 2_400
SENT_BYTES_MAX: Final = 8_000_000
PIXELS_MAX: Final = 24_000_000
JPEG_PIXELS_MAX: Final = 64_000_000
"""JPEGs are made smaller while they are read."""
SIDE_MIN: Final = 64
FORMATS: Final = ("JPEG", "PNG", "WEBP")
MEMORY_BYTES_MAX: Final = 1 << 30
CPU_S_MAX: Final = 12
QUALITY: Final = 82

EMPTY: Final = "This file is empty: not one byte of a picture came. Choose it once more."
HEAVY: Final = "This file is too large: a picture may have 8 MB. Send it smaller."
NO_PICTURE: Final = "This is no picture that can be shown. Send a JPEG, a PNG or a WebP."
HEIC: Final = "HEIC cannot be shown by every browser. Send it as a JPEG: a phone can be told to."
DRAWING: Final = "SVG is a program, not a photo. Send a JPEG, a PNG or a WebP."
MOVES: Final = "This picture moves. Send one that stands still."
VAST: Final = "This picture has too many pixels. Send it smaller."
SMALL: Final = f"This picture is too small: {SIDE_MIN} pixels a side at least."
CUT: Final = "This picture did not come whole. Send it again."


_WRONG = (OSError, ValueError, SyntaxError, TypeError, EOFError, KeyError, struct.error)
"""What the library raises at files that are none. Whatever else it raises ends this program."""


class Drawn(msgspec.Struct, frozen=True, tag=True):
    """`files`: width -> WebP, of those widths that the picture has. `width`, `height`: of the
    largest."""

    width: int
    height: int
    files: dict[int, bytes]


class Refused(msgspec.Struct, frozen=True, tag=True):
    """Why not, as a sentence for who sent it."""

    why: str


_ANSWER: msgspec.msgpack.Decoder[Drawn | Refused] = msgspec.msgpack.Decoder(Drawn | Refused)


def answer_of(told: bytes) -> Drawn | Refused:
    """What the program said."""
    return _ANSWER.decode(told)


def drawn(sent: bytes) -> Drawn | Refused:
    """A file from a stranger, drawn anew."""
    from PIL import Image, ImageOps

    if why := _told_by_its_beginning(sent):
        return Refused(why)
    # Its own bound only warns, or stops what is read small; ours is looked at before anything is.
    Image.MAX_IMAGE_PIXELS = None
    with warnings.catch_warnings():
        # Of words that a camera wrote wrongly beside a good picture.
        warnings.simplefilter("ignore")
        try:
            picture = Image.open(io.BytesIO(sent), formats=FORMATS)
        except _WRONG:
            return Refused(NO_PICTURE)
        jpeg = picture.format in ("JPEG", "MPO")
        # A phone's JPEG may hold a second, smaller one, and stands still all the same.
        if not jpeg and getattr(picture, "n_frames", 1) > 1:
            return Refused(MOVES)
        if picture.width * picture.height > (JPEG_PIXELS_MAX if jpeg else PIXELS_MAX):
            return Refused(VAST)
        if min(picture.size) < SIDE_MIN:
            return Refused(SMALL)
        try:
            picture.draft("RGB", (WIDTHS[0], WIDTHS[0]))
            upright = ImageOps.exif_transpose(picture).convert("RGBA")
        except _WRONG:
            # It began like a picture, and is none further on.
            return Refused(CUT)
    # What shines through is paper.
    largest = Image.new("RGB", upright.size, "#fffefa")
    largest.paste(upright, mask=upright.getchannel("A"))
    largest.thumbnail((WIDTHS[0], HEIGHT_MAX), Image.Resampling.LANCZOS)
    files = {}
    for width in (largest.width, *(one for one in WIDTHS if one < largest.width)):
        high = max(1, round(largest.height * width / largest.width))
        small = largest.resize((width, high), Image.Resampling.LANCZOS)
        # New pixels: nothing that the file said beside them goes along.
        plain = Image.new("RGB", small.size)
        plain.paste(small)
        out = io.BytesIO()
        plain.save(out, "WEBP", quality=QUALITY, method=4)
        files[width] = out.getvalue()
    return Drawn(largest.width, largest.height, files)


def _told_by_its_beginning(sent: bytes) -> str:
    head = sent[:512].lstrip().lower()
    if not sent:
        return EMPTY
    if len(sent) > SENT_BYTES_MAX:
        return HEAVY
    if sent[4:8] == b"ftyp":
        return HEIC
    if head.startswith(b"gif8"):
        return MOVES
    if b"<svg" in head or head.startswith(b"<?xml"):
        return DRAWING
    return ""


def main() -> None:
    """From standard input to standard output."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES_MAX),
        (resource.RLIMIT_CPU, CPU_S_MAX),
    ):
        # Not every system lets a process bound its own memory.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))
    answer = drawn(sys.stdin.buffer.read(SENT_BYTES_MAX + 1))
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))


if __name__ == "__main__":
    main()
