"""Where a fan lets a browser be called, looks at what it was told, and ends it; and the script that
does the calling there when no page is open."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping
from typing import Annotated, Any, Protocol

import msgspec
from msgspec import Meta, Struct
from sqlalchemy import Connection
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dropengine import errors, refusals
from dropengine.catalogue import LANGUAGES
from dropengine.config import Settings
from dropengine.doors.http_answers import problem
from dropengine.doors.identity import Identity, by_name
from dropengine.doors.persons import renewing as persons_renewing
from dropengine.doors.static_files import File
from dropengine.live.hub import Hub
from dropengine.model import DropId, FanId
from dropengine.people.devices import BROWSER_CHARS_MAX
from dropengine.push import endpoint, followers, outbox, sealed, subscriptions
from dropengine.push.outbox import Told
from dropengine.push.shop_key import ShopKey
from dropengine.push.subscriptions import Renewed, Subscription
from dropengine.sql.database import Database

CALLS = "/api/drops/{drop}/calls"
RENEW = "/api/calls/renew"
WORKER = "/calls.js"
"""At the root: a worker speaks for the addresses below its own."""
BUILT = "calls-worker.js"
BODY_BYTES_MAX = 4_096
WORKERS_POLICY = "default-src 'none'; connect-src 'self'"


class Asked(Struct, frozen=True, forbid_unknown_fields=True):
    """What a browser's own subscription says, and how it is to be called. `quiet`: without a
    sound."""

    endpoint: Annotated[str, Meta(max_length=endpoint.CHARS_MAX)]
    p256dh: Annotated[str, Meta(max_length=100)]
    auth: Annotated[str, Meta(max_length=30)]
    language: str = "en"
    quiet: bool = False


class Ending(Struct, frozen=True, forbid_unknown_fields=True):
    """A browser that is not to be called any more, by its endpoint or by its `id` in the list."""

    endpoint: Annotated[str, Meta(max_length=endpoint.CHARS_MAX)] = ""
    id: Annotated[str, Meta(max_length=64)] = ""


class Renewing(Struct, frozen=True, forbid_unknown_fields=True):
    """A browser whose push service gave it another address. `id`: that of the one before."""

    id: Annotated[str, Meta(max_length=64)]
    endpoint: Annotated[str, Meta(max_length=endpoint.CHARS_MAX)]
    p256dh: Annotated[str, Meta(max_length=100)]
    auth: Annotated[str, Meta(max_length=30)]


class CalledBrowser(Struct, frozen=True):
    """One that is called. `id`: the hash of its endpoint, which it knows itself by. `told`: the
    newest call."""

    id: str
    since_ms: int
    quiet: bool
    language: str
    told: Told | None


class Calls(Struct, frozen=True):
    """How a fan is called in a drop. `key`: what a browser subscribes for."""

    key: str
    browsers: list[CalledBrowser]


class Deps(Protocol):
    """What these doors need of the web process."""

    @property
    def hub(self) -> Hub: ...
    @property
    def identity(self) -> Identity: ...
    @property
    def renewing(self) -> persons_renewing.Renewing: ...
    @property
    def database(self) -> Database: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def push_key(self) -> ShopKey: ...


def routes(deps: Deps, files: Mapping[str, File]) -> list[Route]:
    """The doors of a drop's calls, and the worker's script."""
    doors = PushDoors(deps, files)
    return [
        Route(CALLS, doors.show, methods=["GET"]),
        Route(CALLS, doors.begin, methods=["POST"], max_body_size=BODY_BYTES_MAX),
        Route(f"{CALLS}/end", doors.end, methods=["POST"], max_body_size=BODY_BYTES_MAX),
        Route(RENEW, doors.renew, methods=["POST"], max_body_size=BODY_BYTES_MAX),
        Route(WORKER, doors.worker, methods=["GET"]),
    ]


class PushDoors:
    """One method a door."""

    def __init__(self, deps: Deps, files: Mapping[str, File]) -> None:
        self._deps = deps
        self._files = files

    async def show(self, request: Request) -> Response:
        """GET /api/drops/{drop}/calls: which browsers of the fan are called, and what came of
        it."""
        who = await self._who(request)
        if isinstance(who, Response):
            return who
        return await self._answered(who, lambda _: None, writes=False)

    async def begin(self, request: Request) -> Response:
        """POST /api/drops/{drop}/calls: call the fan on this browser from now on; asked once more,
        it says how."""
        who = await self._who(request)
        if isinstance(who, Response):
            return who
        drop, fan = who
        try:
            asked = msgspec.json.decode(await request.body(), type=Asked)
            self._judge(asked)
        except (msgspec.MsgspecError, ValueError, ClientDisconnect, RecursionError) as error:
            return problem(None, refusals.BadMessage(str(error)))
        one = Subscription(
            drop=drop,
            fan=fan,
            endpoint=asked.endpoint,
            p256dh=asked.p256dh,
            auth=asked.auth,
            language=asked.language if asked.language in LANGUAGES else "en",
            quiet=asked.quiet,
            since_ms=time.time_ns() // 1_000_000,
            agent=request.headers.get("user-agent", "")[:BROWSER_CHARS_MAX],
        )
        return await self._answered(who, functools.partial(subscriptions.keep, one=one))

    async def end(self, request: Request) -> Response:
        """POST /api/drops/{drop}/calls/end: do not call the fan there any more."""
        who = await self._who(request)
        if isinstance(who, Response):
            return who
        drop, fan = who
        try:
            ending = msgspec.json.decode(await request.body(), type=Ending)
        except (msgspec.MsgspecError, ValueError, ClientDisconnect, RecursionError) as error:
            return problem(None, refusals.BadMessage(str(error)))
        browser = ending.id or subscriptions.browser_of(ending.endpoint)
        now_ms = time.time_ns() // 1_000_000

        def work(sql: Connection) -> None:
            if subscriptions.end(sql, drop, fan, browser):
                outbox.end_of_browser(sql, drop, browser, now_ms)

        return await self._answered(who, work)

    def _judge(self, asked: Asked | Renewing) -> None:
        """Raises ValueError for what cannot be called, or not by this shop."""
        settings = self._deps.settings
        endpoint.parse(asked.endpoint, settings.push_services, here=settings.push_here)
        sealed.check_keys(asked.p256dh, asked.auth)

    async def renew(self, request: Request) -> Response:
        """POST /api/calls/renew: the push service gave this browser another address; there goes on
        whatever called this fan, in drops and of makers. Sent by the worker: no page may be open
        for weeks."""
        come = await self._deps.renewing.come(request.cookies)
        ticket = come.ticket or self._deps.identity.who(by_name(request.scope["headers"]))
        if ticket is None:
            return problem(None, refusals.Away() if come.away else refusals.SignIn())
        try:
            asked = msgspec.json.decode(await request.body(), type=Renewing)
            self._judge(asked)
        except (msgspec.MsgspecError, ValueError, ClientDisconnect, RecursionError) as error:
            return problem(None, refusals.BadMessage(str(error)))
        fresh = Renewed(asked.endpoint, asked.p256dh, asked.auth)
        browser = subscriptions.browser_of(asked.endpoint)

        now_ms = time.time_ns() // 1_000_000

        def moved(sql: Connection) -> bool:
            mine = followers.whose(sql, ticket, now_ms)
            makers = followers.renew(sql, asked.id, mine, fresh)
            drops = subscriptions.renew(sql, asked.id, ticket.any_fan, fresh)
            for drop in drops:
                outbox.renew(sql, drop, asked.id, browser)
            return bool(makers or drops)

        try:
            known = await self._deps.database.write(moved)
        except errors.DatabaseAway as error:
            return problem(None, refusals.Away(why=str(error)))
        if not known:
            return problem(None, refusals.NotFound())
        response = Response(status_code=204, headers={"Cache-Control": "no-store"})
        if come.text:
            self._deps.identity.hand_out_person(come.text, response)
        return response

    async def worker(self, _: Request) -> Response:
        """GET /calls.js: the script that shows calls while no page is open."""
        file = self._files.get(BUILT)
        if file is None:
            return PlainTextResponse("There is no such file.\n", 404)
        headers = {
            "Cache-Control": "no-cache",
            "Content-Security-Policy": WORKERS_POLICY,
            "ETag": f'"{file.version}"',
        }
        return Response(file.plain, headers=headers, media_type=file.kind)

    async def _who(self, request: Request) -> tuple[DropId, FanId] | Response:
        """Who asks, in which drop; else the answer that says why not."""
        ticket = self._deps.identity.who(by_name(request.scope["headers"]))
        if ticket is None:
            return problem(None, refusals.SignIn())
        try:
            room = await self._deps.hub.room(request.path_params["drop"])
        except errors.Unavailable as error:
            return problem(None, refusals.Away(why=error.why))
        if room is None:
            return problem(None, refusals.NotFound())
        fan = room.fan(ticket)
        if fan is None:
            return problem(None, refusals.SignIn())
        return room.drop, fan

    async def _answered(
        self, who: tuple[DropId, FanId], work: Any, *, writes: bool = True
    ) -> Response:
        """Do this, and tell how the fan is called then."""

        def done(sql: Connection) -> list[CalledBrowser]:
            work(sql)
            return _browsers(sql, *who)

        database = self._deps.database
        try:
            found = await (database.write(done) if writes else database.read(done))
        except errors.DatabaseAway as error:
            return problem(None, refusals.Away(why=str(error)))
        return Response(
            msgspec.json.encode(Calls(self._deps.push_key.public, found)),
            headers={"Cache-Control": "no-store"},
            media_type="application/json",
        )


def _browsers(sql: Connection, drop: DropId, fan: FanId) -> list[CalledBrowser]:
    told = outbox.newest(sql, drop, fan)
    return [
        CalledBrowser(one.browser, one.since_ms, one.quiet, one.language, told.get(one.browser))
        for one in subscriptions.of_fan(sql, drop, fan)
    ]
