"""By whose clocks somebody reads times: pages tell it in a cookie, and it is believed only where
there is such a zone."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from dropengine.manifest import zones

COOKIE: Final = "zone"
"""Written by scripts of the pages, as their browser says it: `Europe/Berlin`."""


def told(request: Request) -> str:
    """The zone that a browser tells, or ''."""
    return zones.listed(request.cookies.get(COOKIE, ""))
