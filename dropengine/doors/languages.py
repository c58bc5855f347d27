"""Where a fan chooses the language of the pages: a form that works without scripts."""

from __future__ import annotations

import re
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dropengine import refusals
from dropengine.catalogue import COOKIE, LANGUAGES
from dropengine.doors.http_answers import problem
from dropengine.doors.identity import Identity

DOOR = "/language"
BODY_BYTES_MAX = 4_096
KEPT_S = 365 * 86_400
HERE = re.compile(r"/(?:[A-Za-z0-9._~-]+/?)*")
"""Paths of this shop alone: nothing that a browser could read as another host."""


class Deps(Protocol):
    """What this door needs of the web process."""

    @property
    def identity(self) -> Identity: ...


def routes(deps: Deps) -> list[Route]:
    """The door of the choice."""
    return [Route(DOOR, Choice(deps).take, methods=["POST"], max_body_size=BODY_BYTES_MAX)]


class Choice:
    """One choice a browser, for all pages of the shop."""

    def __init__(self, deps: Deps) -> None:
        self._secure = deps.identity.secure

    async def take(self, request: Request) -> Response:
        """POST /language: `language`, and back to the page that it was chosen on."""
        try:
            fields = dict(parse_qsl((await request.body()).decode(), max_num_fields=8))
        except ValueError:
            return problem(None, refusals.BadMessage("send a form"))
        language = fields.get("language", "")
        if language not in LANGUAGES:
            return problem(None, refusals.BadMessage(f"language: one of {', '.join(LANGUAGES)}"))
        # See other: a reload asks for the page and chooses nothing again.
        response = RedirectResponse(_page_of_ours(request.headers.get("referer", "")), 303)
        response.headers["Cache-Control"] = "no-store"
        response.set_cookie(
            COOKIE,
            language,
            max_age=KEPT_S,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )
        return response


def _page_of_ours(referer: str) -> str:
    """Its path alone: wherever the address led, this leads to a page of this shop."""
    try:
        path = urlsplit(referer).path
    except ValueError:
        return "/"
    return path if HERE.fullmatch(path) else "/"
