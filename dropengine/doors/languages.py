"""Where a fan chooses the language of the pages: a form that works without scripts."""

from __future__ import annotations

import contextlib
import re
import time
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dropengine import refusals
from dropengine.catalogue import COOKIE, LANGUAGES
from dropengine.doors.http_answers import problem
from dropengine.doors.identity import Identity, by_name
from dropengine.errors import DatabaseAway
from dropengine.people import devices, persons
from dropengine.sql.database import Database

DOOR = "/language"
BODY_BYTES_MAX = 4_096
KEPT_S = 365 * 86_400
HERE = re.compile(r"/(?:[A-Za-z0-9._~-]+/?)*")
"""Paths of this shop alone: nothing that a browser could read as another host."""


class Deps(Protocol):
    """What this door needs of the web process."""

    @property
    def identity(self) -> Identity: ...
    @property
    def database(self) -> Database: ...


def routes(deps: Deps) -> list[Route]:
    """The door of the choice."""
    return [Route(DOOR, Choice(deps).take, methods=["POST"], max_body_size=BODY_BYTES_MAX)]


class Choice:
    """One choice a browser, for all pages of the shop; a person's is kept with him too."""

    def __init__(self, deps: Deps) -> None:
        self._identity = deps.identity
        self._database = deps.database

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
        self._identity.keep(response, COOKIE, language, KEPT_S)
        ticket = self._identity.who(by_name(request.scope["headers"]))
        if ticket is not None and ticket.session:
            await self._speaks(ticket.session, language)
        return response

    async def _speaks(self, session: str, language: str) -> None:
        """A person is written to in it as well, wherever he is signed in."""

        def chosen(sql: Connection) -> None:
            device = devices.find(sql, session, int(time.time() * 1000))
            if device is not None:
                persons.speaks(sql, device.person, language)

        # Pages speak it all the same.
        with contextlib.suppress(DatabaseAway):
            await self._database.write(chosen)


def _page_of_ours(referer: str) -> str:
    """Its path alone: wherever the address led, this leads to a page of this shop."""
    try:
        path = urlsplit(referer).path
    except ValueError:
        return "/"
    return path if HERE.fullmatch(path) else "/"
