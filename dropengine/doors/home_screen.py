"""What a home screen is told of the shop: its name and its icons. Phones of Apple call only pages
that stand there."""

from __future__ import annotations

import asyncio
import functools
import io
from typing import Final
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dropengine.doors.page_writer import PageWriter

MANIFEST: Final = "/shop.webmanifest"
ICON: Final = "/icons/{size}.png"
SIZES: Final = (180, 192, 512)
"""What phones of Apple, of others, and a screen that starts ask for."""
SMOOTH: Final = 4
"""Drawn this many times larger and made smaller: edges without steps."""
PAPER, RED, INK = "#fffefa", "#e4572e", "#17181c"
KEEP_S: Final = 86_400


def routes(writer: PageWriter) -> list[Route]:
    """Both."""

    async def manifest(request: Request) -> Response:
        """GET /shop.webmanifest."""
        words = told(urlsplit(writer.origin(request)).hostname or "")
        return Response(
            msgspec.json.encode(words),
            headers={"Cache-Control": "no-cache"},
            media_type="application/manifest+json",
        )

    async def shown(request: Request) -> Response:
        """GET /icons/{size}.png."""
        size = next((one for one in SIZES if str(one) == request.path_params["size"]), 0)
        if not size:
            return PlainTextResponse("There is no such icon.\n", 404)
        # Pillow needs a moment for the first of each size.
        png = await asyncio.to_thread(icon, size)
        headers = {"Cache-Control": f"public, max-age={KEEP_S}"}
        return Response(png, headers=headers, media_type="image/png")

    return [
        Route(MANIFEST, manifest, methods=["GET"]),
        Route(ICON, shown, methods=["GET"]),
    ]


def told(name: str) -> dict[str, object]:
    """The manifest of a shop of this name."""
    icons = [
        {"src": ICON.format(size=size), "sizes": f"{size}x{size}", "type": "image/png"}
        | {"purpose": purpose}
        for size in SIZES
        for purpose in ("any", "maskable")
    ]
    return {
        "name": name,
        "short_name": name.removeprefix("www."),
        "id": "/",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": PAPER,
        "theme_color": PAPER,
        "icons": icons,
    }


@functools.cache
def icon(size: int) -> bytes:
    """The shop's sign on paper, to the edge: whoever cuts a circle out of it cuts nothing off."""
    from PIL import Image, ImageDraw

    side = size * SMOOTH
    picture = Image.new("RGB", (side, side), PAPER)
    draw = ImageDraw.Draw(picture)
    for x, y, r, fill in ((0.5, 0.5, 0.325, RED), (0.575, 0.45, 0.25, INK)):
        draw.ellipse([(x - r) * side, (y - r) * side, (x + r) * side, (y + r) * side], fill)
    out = io.BytesIO()
    picture.resize((size, size), Image.Resampling.BOX).save(out, "PNG")
    return out.getvalue()
