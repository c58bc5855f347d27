"""An address as a QR code, to stand in a page."""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup

KEPT_MAX = 256
"""Codes that are kept: one takes some 5 ms to make, and a wall loads its page now and then."""


@lru_cache(KEPT_MAX)
def qr(address: str) -> Markup:
    """An SVG: dark on light with its quiet zone, in any colour scheme, as every camera reads it."""
    # Loaded by the first wall.
    import segno

    # Never a Micro QR: most phones do not read those.
    code = segno.make(address, error="m", micro=False)
    drawn = code.svg_inline(border=4, dark="#000", light="#fff", svgclass="qr", omitsize=True)
    # Ours: all that comes from the address is the pattern.
    return Markup(drawn)  # noqa: S704
