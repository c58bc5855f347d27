"""A creator's door: made of its row in the table, and nobody passes it otherwise.

It asks who comes and whether he may, whether a page of ours sent him, whether the request can be
read. What is behind it hears of none who may not.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from sqlalchemy import Connection
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from dropengine import creator_commands, refusals
from dropengine.creator_commands import Bound
from dropengine.doors.access import STUDIO, TABLE, Row, Who
from dropengine.doors.identity import Identity, by_name
from dropengine.doors.rate_limit import network_of
from dropengine.doors.studio.entering import Caller, Entered, enter, identify, stale
from dropengine.doors.studio.studio_answers import refused, sql_away, stale_proof, unfit
from dropengine.doors.studio.studio_cookies import StudioCookies
from dropengine.doors.studio.studio_messages import fault_in_texts
from dropengine.errors import DatabaseAway, NewerSchema, Unavailable
from dropengine.model import ID_CHARS_MAX
from dropengine.people import api_keys, sessions
from dropengine.people.makers import Maker
from dropengine.sql.database import Database

KEY = Bound("id", 1, ID_CHARS_MAX)
JSON = "application/json"
T = TypeVar("T", bound=msgspec.Struct)


class Unfit(ValueError):
    """A body that is not what the door reads."""


class Call:
    """One request that was let in."""

    def __init__(
        self, request: Request, row: Row, body: bytes, entered: Entered | None, now_ms: int
    ) -> None:
        self.request = request
        self.row = row
        self.raw = body
        self.now_ms = now_ms
        self._entered = entered
        self.key = request.headers.get("idempotency-key", "")
        self.network = network_of(request.scope.get("client"))

    @property
    def caller(self) -> Caller:
        assert self._entered is not None, "a door for anybody asks nobody who he is"
        return self._entered.caller

    @property
    def maker(self) -> Maker:
        """Of the address."""
        assert self._entered is not None
        assert self._entered.maker is not None, "the address names no maker"
        return self._entered.maker

    def named(self, part: str) -> str:
        """A part of the address."""
        value: str = self.request.path_params[part]
        return value

    def read(self, kind: type[T]) -> T:
        """The body. Raises Unfit."""
        try:
            found = msgspec.json.decode(self.raw or b"{}", type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
            raise Unfit(str(fault)) from None
        except RecursionError:
            raise Unfit("nested too deep") from None
        if why := fault_in_texts(found):
            raise Unfit(why)
        return found


Behind = Callable[[Call], Awaitable[Response]]


class Doors:
    """Makes the routes of the studio. Each row of the table is asked for once. proof_s_max: so old
    may a person's proof be at a door that wants a fresh one."""

    def __init__(
        self, database: Database, identity: Identity, cookies: StudioCookies, proof_s_max: int
    ) -> None:
        self._database = database
        self._identity = identity
        self._cookies = cookies
        self._proof_s_max = proof_s_max

    def route(self, method: str, path: str, behind: Behind) -> Route:
        """The route of one row."""
        row = TABLE[method, STUDIO + path]

        async def door(request: Request) -> Response:
            try:
                return await self._pass(request, row, behind)
            except Unfit as fault:
                return unfit(str(fault))
            except DatabaseAway:
                return sql_away()
            except NewerSchema as fault:
                return refused(refusals.Away(why=fault.why))
            except Unavailable:
                return refused(refusals.Away())

        return Route(row.path, door, methods=[method])

    async def _pass(self, request: Request, row: Row, behind: Behind) -> Response:
        if (wrong := _forged(request)) is not None:
            return wrong
        try:
            body = await request.body()
        except ClientDisconnect:
            return unfit("the body did not come whole")
        now_ms = int(time.time() * 1000)
        entered = None
        if row.who is not Who.ANYBODY:
            found = await self._enter(request, row, now_ms)
            if isinstance(found, refusals.Refusal):
                return refused(found)
            entered = found
            if stale(row, found.caller, now_ms, self._proof_s_max):
                return stale_proof(self._proof_s_max)
        if (wrong := _unreadable(request, row, body)) is not None:
            return wrong
        return await behind(Call(request, row, body, entered, now_ms))

    async def _enter(self, request: Request, row: Row, now_ms: int) -> Entered | refusals.Refusal:
        named: dict[str, str] = request.path_params
        bearer = self._identity.bearer(by_name(request.scope["headers"]))
        brought = self._cookies.read(request.cookies, self._cookies.session)

        def asked(sql: Connection) -> Entered | refusals.Refusal:
            caller = identify(sql, bearer, brought, now_ms)
            return enter(sql, row, named, caller)

        found = await self._database.read(asked)
        if isinstance(found, Entered):
            await self._seen(found.caller, now_ms)
        return found

    async def _seen(self, caller: Caller, now_ms: int) -> None:
        """A session or key was used; noted now and then."""
        session, key = caller.session, caller.api_key
        if session is not None and now_ms - session.seen_ms >= sessions.SEEN_EACH_MS:
            await self._database.write(lambda sql: sessions.seen(sql, session.id, now_ms))
        if key is not None and now_ms - key.used_ms >= api_keys.USED_EACH_MS:
            await self._database.write(lambda sql: api_keys.used(sql, key.id, now_ms))


def _forged(request: Request) -> Response | None:
    """A browser says which page sent it; a page of others can make it send anything but JSON, or
    ask before. What shows a bearer is no browser."""
    if request.method in ("GET", "HEAD"):
        return None
    site = request.headers.get("sec-fetch-site", "same-origin")
    if site != "same-origin":
        return refused(refusals.NotEligible(), title="This was sent by a page that is not ours.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    empty = request.method == "DELETE" and not kind
    return None if kind == JSON or empty else unfit("send it as application/json", 415)


def _unreadable(request: Request, row: Row, body: bytes) -> Response | None:
    if request.method == "DELETE" and body and "content-type" not in request.headers:
        return unfit("send it as application/json", 415)
    if row.keyed:
        key = request.headers.get("idempotency-key")
        if key is None:
            return unfit(
                "the header Idempotency-Key is missing: a change that is repeated under "
                "it happens once"
            )
        if why := creator_commands.unfit(key, KEY):
            return unfit(f"the header Idempotency-Key {why}")
    return None
