"""Where a browser asks to be called of a maker's new drops, and ends it: a guest's too, who has a
ticket from any drop's page."""

from __future__ import annotations

import time
from typing import Any, Protocol

import msgspec
from msgspec import Struct
from sqlalchemy import Connection
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from dropengine import errors, refusals
from dropengine.catalogue import LANGUAGES
from dropengine.config import Settings
from dropengine.doors.http_answers import problem
from dropengine.doors.identity import Identity, by_name
from dropengine.doors.push_doors import BODY_BYTES_MAX, Asked, Ending
from dropengine.people import makers
from dropengine.people.makers import Maker
from dropengine.push import endpoint, followers, sealed
from dropengine.push.followers import Follower
from dropengine.push.shop_key import ShopKey
from dropengine.push.subscriptions import browser_of
from dropengine.sql.database import Database

CALLS = "/api/makers/{maker}/calls"


class Following(Struct, frozen=True):
    """Is this browser called? `key`: what a browser subscribes for."""

    key: str
    on: bool


class Deps(Protocol):
    """What these doors need of the web process."""

    @property
    def identity(self) -> Identity: ...
    @property
    def database(self) -> Database: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def push_key(self) -> ShopKey: ...


def routes(deps: Deps) -> list[Route]:
    """The doors of a maker's calls."""
    doors = FollowDoors(deps)
    return [
        Route(CALLS, doors.show, methods=["GET"]),
        Route(CALLS, doors.begin, methods=["POST"], max_body_size=BODY_BYTES_MAX),
        Route(f"{CALLS}/end", doors.end, methods=["POST"], max_body_size=BODY_BYTES_MAX),
    ]


class FollowDoors:
    """One method a door."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    async def show(self, request: Request) -> Response:
        """GET /api/makers/{maker}/calls: is the browser `id` called?"""
        browser = request.query_params.get("id", "")[:64]
        return await self._answered(request, browser, lambda _sql, _maker: None, writes=False)

    async def begin(self, request: Request) -> Response:
        """POST /api/makers/{maker}/calls: call this browser from now on."""
        try:
            asked = msgspec.json.decode(await request.body(), type=Asked)
            settings = self._deps.settings
            endpoint.parse(asked.endpoint, settings.push_services, here=settings.push_here)
            sealed.check_keys(asked.p256dh, asked.auth)
        except (msgspec.MsgspecError, ValueError, ClientDisconnect, RecursionError) as error:
            return problem(None, refusals.BadMessage(str(error)))
        ticket = self._deps.identity.who(by_name(request.scope["headers"]))
        if ticket is None:
            return problem(None, refusals.SignIn())
        now_ms = time.time_ns() // 1_000_000

        def keep(sql: Connection, maker: Maker) -> None:
            one = Follower(
                maker=maker.id,
                person=followers.whose(sql, ticket, now_ms),
                endpoint=asked.endpoint,
                p256dh=asked.p256dh,
                auth=asked.auth,
                language=asked.language if asked.language in LANGUAGES else "en",
                since_ms=now_ms,
            )
            followers.keep(sql, one)

        return await self._answered(request, browser_of(asked.endpoint), keep)

    async def end(self, request: Request) -> Response:
        """POST /api/makers/{maker}/calls/end: do not call it any more."""
        try:
            ending = msgspec.json.decode(await request.body(), type=Ending)
        except (msgspec.MsgspecError, ValueError, ClientDisconnect, RecursionError) as error:
            return problem(None, refusals.BadMessage(str(error)))
        browser = ending.id or browser_of(ending.endpoint)
        return await self._answered(
            request, browser, lambda sql, maker: followers.end(sql, maker.id, browser)
        )

    async def _answered(
        self, request: Request, browser: str, work: Any, *, writes: bool = True
    ) -> Response:
        """Do this, and tell whether the browser is called then."""
        short = request.path_params["maker"][:64]

        def done(sql: Connection) -> bool | None:
            maker = makers.by_short(sql, short)
            if maker is None:
                return None
            work(sql, maker)
            return followers.find(sql, maker.id, browser) is not None

        database = self._deps.database
        try:
            on = await (database.write(done) if writes else database.read(done))
        except errors.DatabaseAway as error:
            return problem(None, refusals.Away(why=str(error)))
        if on is None:
            return problem(None, refusals.NotFound())
        return Response(
            msgspec.json.encode(Following(self._deps.push_key.public, on)),
            headers={"Cache-Control": "no-store"},
            media_type="application/json",
        )
