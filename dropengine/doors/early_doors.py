"""The door by which a person comes into the cohorts of a drop: by his address, by what he bought or
missed, and by a code.

The page of a drop in early access asks it once for whoever is in none yet. What it finds is told to
the drop, whose screens hear of it as of everything else.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import NamedTuple, Protocol

import msgspec
from sqlalchemy import Connection
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from dropengine import errors, outcomes, refusals
from dropengine.doors.http_answers import Written, problem
from dropengine.doors.identity import Identity, by_name
from dropengine.live.hub import Hub
from dropengine.live.room import Room
from dropengine.model import FanId
from dropengine.people import cohorts, persons
from dropengine.people.cohorts import TYPED_CHARS_MAX
from dropengine.people.one_after_another import change
from dropengine.people.tickets import Ticket
from dropengine.sql.database import Database
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

AGAIN_S = 20.0
"""Who opens a page again and again is looked up so often."""
KNOWN_MAX = 20_000
EARLY = "/api/drops/{drop}/early"
BODY_BYTES_MAX = 1024


class Deps(Protocol):
    """What this door needs of the web process."""

    @property
    def store(self) -> Store: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def identity(self) -> Identity: ...
    @property
    def database(self) -> Database: ...


class Code(msgspec.Struct, frozen=True):
    """`code`: one that he was given, or ''."""

    code: str = ""


class Cohorts(msgspec.Struct, frozen=True):
    """The cohorts of the drop that he is in."""

    cohorts: list[str]


class _Found(NamedTuple):
    """entitled: to which cohorts. used: the code is another's; None: there is no such code."""

    entitled: list[str]
    used: bool | None = False


class EarlyDoor:
    """One method a door. `look_up`: of whoever opens the page of a drop."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._asked: dict[tuple[str, str], float] = {}
        """Drop and session -> when somebody was looked up last."""
        self._tasks: set[asyncio.Task[None]] = set()

    def look_up(self, room: Room | None, ticket: Ticket) -> None:
        """He opens the page of this drop: if it is early access, and he is in no cohort as far as
        is known, he is looked up, while his page waits for nothing."""
        view = None if room is None else room.view
        if room is None or view is None or not (view.early and view.early.lasts):
            return
        fan, now_s = room.fan(ticket), time.monotonic()
        here = None if fan is None else room.fans.get(fan)
        known = here is not None and here.row is not None and here.row.record.cohorts
        one = (room.drop, ticket.session)
        if fan is None or known or now_s - self._asked.get(one, -AGAIN_S) < AGAIN_S:
            return
        if len(self._asked) >= KNOWN_MAX:
            self._asked.clear()
        self._asked[one] = now_s
        task = asyncio.get_running_loop().create_task(self._quietly(room, fan, ticket))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _quietly(self, room: Room, fan: FanId, ticket: Ticket) -> None:
        try:
            await self._enroll(room, fan, ticket, "")
        except (errors.Unavailable, errors.DatabaseAway) as fault:
            # He may open the page again, or send his code.
            log.warning("%s: nobody could be looked up: %s", room.drop, fault)

    def routes(self) -> list[Route]:
        """One door."""
        return [Route(EARLY, self.come, methods=["POST"], max_body_size=BODY_BYTES_MAX)]

    async def come(self, request: Request) -> Response:
        """POST /api/drops/{drop}/early: which cohorts the person is in, now also by a code."""
        ticket = self._deps.identity.who(by_name(request.scope["headers"]))
        if ticket is None or not ticket.person:
            return problem(None, refusals.SignIn())
        try:
            said = msgspec.json.decode(await request.body() or b"{}", type=Code)
        except (ClientDisconnect, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return problem(None, refusals.BadMessage("send a code, or nothing"))
        if len(said.code) > TYPED_CHARS_MAX:
            return problem(None, refusals.NotFound())
        try:
            room = await self._deps.hub.room(request.path_params["drop"])
            fan = None if room is None else room.fan(ticket)
            if room is None or not room.manifest.cohorts:
                return problem(None, refusals.NotFound())
            if fan is None:
                return problem(None, refusals.SignIn())
            return await self._enroll(room, fan, ticket, said.code)
        except errors.Unavailable as error:
            return problem(None, refusals.Away(why=error.why))
        except errors.DatabaseAway:
            return problem(None, refusals.Away())

    async def _enroll(self, room: Room, fan: FanId, ticket: Ticket, code: str) -> Response:
        found = await self._found(room, ticket, code)
        if found is None:
            return problem(None, refusals.SignIn())
        if found.used is None:
            return problem(None, refusals.NotFound())
        if found.used:
            return problem(None, refusals.CodeUsed())
        if not found.entitled:
            return Written(msgspec.json.encode(Cohorts([])))
        told = await self._deps.store.enroll(room.drop, fan, found.entitled)
        if isinstance(told, outcomes.Enrolled):
            return Written(msgspec.json.encode(Cohorts(told.cohorts)))
        return problem(None, told)

    async def _found(self, room: Room, ticket: Ticket, code: str) -> _Found | None:
        now_ms = time.time_ns() // 1_000_000
        drop, wanted = room.drop, room.manifest.cohorts

        def looked_up(sql: Connection) -> _Found | None:
            known = persons.of_session(sql, ticket.session, now_ms)
            if known is None:
                return None
            bound = cohorts.bind(sql, drop, code, known[0], now_ms) if code else ""
            if code and not bound:
                return _Found([], None if bound is None else True)
            return _Found(cohorts.entitled(sql, drop, wanted, *known))

        if code:
            found = await change(self._deps.database, looked_up)
        else:
            found = await self._deps.database.read(looked_up)
        if found is not None and found.entitled:
            await self._deps.database.write(lambda sql: _came(sql, room, ticket, now_ms))
        return found


def _came(sql: Connection, room: Room, ticket: Ticket, now_ms: int) -> None:
    known = persons.of_session(sql, ticket.session, now_ms)
    if known is not None:
        cohorts.came(sql, room.drop, known[0], now_ms)
