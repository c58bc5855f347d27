"""Pictures of makers: what somebody sends is drawn anew, small and without all that hides in files.

Kept by the hash of what was drawn, so an address never shows another picture.
"""

from __future__ import annotations

import hashlib
import io

from PIL import Image, ImageOps
from sqlalchemy import Connection, insert, select

from dropengine.sql.schema.people import MAKER_PICTURES

FORMATS = ("PNG", "JPEG", "WEBP")
SENT_BYTES_MAX = 45_000
"""As a file; a page makes a large one smaller before it sends it."""
SENT_PIXELS_MAX = 16_000_000
SIDE_MAX = 512

_WRONG = (
    OSError,
    ValueError,
    SyntaxError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""What the library raises at files that are none, or are made to burst."""


def drawn(sent: bytes) -> bytes | None:
    """A file as a PNG of at most `SIDE_MAX` a side; None when it is no picture."""
    try:
        with Image.open(io.BytesIO(sent), formats=FORMATS) as picture:
            if picture.width * picture.height > SENT_PIXELS_MAX:
                return None
            plain = ImageOps.exif_transpose(picture).convert("RGBA")
            plain.thumbnail((SIDE_MAX, SIDE_MAX))
    except _WRONG:
        return None
    out = io.BytesIO()
    plain.save(out, "PNG", optimize=True)
    return out.getvalue()


def keep(sql: Connection, png: bytes) -> str:
    """Keep a picture; its name. The same one is kept once."""
    name = hashlib.sha256(png).hexdigest()
    if find(sql, name) is None:
        sql.execute(insert(MAKER_PICTURES).values(sha256=name, png=png))
    return name


def find(sql: Connection, name: str) -> bytes | None:
    """The picture of a name."""
    found: bytes | None = sql.execute(
        select(MAKER_PICTURES.c.png).where(MAKER_PICTURES.c.sha256 == name)
    ).scalar()
    return found
