"""Whose page this is: a guest's, or a person's whose ticket is renewed while his session lasts.

A person's ticket says who he is in a drop without a look into SQL, and so it lives for a day. By an
old one his session is asked for the next. Where SQL is away, what is good stays good.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from sqlalchemy import Connection

from dropengine.doors.identity import Identity
from dropengine.errors import DatabaseAway, Unavailable
from dropengine.people import devices, persons
from dropengine.people.persons import Person, Was
from dropengine.people.tickets import PERSON_S, Ticket, Tickets
from dropengine.sql.database import Database

HALF_S: Final = PERSON_S // 2
"""From this age on a page brings another."""
WAIT_S: Final = 0.25
"""A page whose ticket is good waits no longer for another."""
NOTED_EACH_S: Final = 60.0
USED_MAX: Final = 20_000
"""Sessions whose use waits to be noted."""


class Come(NamedTuple):
    """Who comes as a person. ticket: his, or None. text: another one for his browser, or ''. over:
    his session has ended. away: nobody can tell now."""

    ticket: Ticket | None = None
    text: str = ""
    over: bool = False
    away: bool = False


NOBODY: Final = Come()


class Renewing:
    """Also a job: it notes when sessions were used, many at a time."""

    name = "sessions"
    every_s = NOTED_EACH_S

    def __init__(
        self,
        database: Database,
        identity: Identity,
        tickets: Tickets,
        *,
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._identity = identity
        self._tickets = tickets
        self._clock_s = clock_s
        self._used: dict[str, int] = {}

    async def come(self, cookies: Mapping[str, str]) -> Come:
        """Who opens a page, by what his browser brings along."""
        brought = cookies.get(self._identity.person_cookie)
        if brought is None:
            return NOBODY
        now_s = int(self._clock_s())
        found = self._tickets.signed(brought, now_s)
        if found is None or not found.person or self._identity.took_back(found):
            return Come(over=True)
        age_s = now_s - found.issued_s
        if age_s < HALF_S:
            return Come(found)
        return await self._renewed(found, now_s, good=age_s <= PERSON_S)

    async def holder(self, cookies: Mapping[str, str]) -> Ticket | None:
        """Whose page it is: a person's, else the guest's of the browser. Raises Unavailable where
        nobody can tell."""
        found = await self.come(cookies)
        if found.away:
            raise Unavailable("session")
        return found.ticket or self._identity.guest(cookies)

    async def renew(self, cookies: Mapping[str, str]) -> Come:
        """Another ticket for a page that stays open."""
        found = await self.come(cookies)
        if found.ticket is None or found.text:
            return found
        return await self._renewed(found.ticket, int(self._clock_s()), good=True)

    def used(self, session: str) -> None:
        """Somebody is there with this session."""
        if len(self._used) < USED_MAX:
            self._used[session] = int(self._clock_s() * 1000)

    async def round(self) -> None:
        """Raises DatabaseAway: what was not noted is noted later."""
        used, self._used = self._used, {}
        if not used:
            return
        try:
            await self._database.write(lambda sql: devices.seen(sql, used))
        except DatabaseAway:
            self._used = {**used, **self._used}
            raise

    async def _renewed(self, old: Ticket, now_s: int, *, good: bool) -> Come:
        def session(sql: Connection) -> tuple[Person, Was] | None:
            return persons.of_session(sql, old.session, now_s * 1000)

        try:
            asked = self._database.read(session)
            found = await (asyncio.wait_for(asked, WAIT_S) if good else asked)
        except (DatabaseAway, TimeoutError):
            return Come(old) if good else Come(away=True)
        if found is None:
            return Come(over=True)
        self.used(old.session)
        person, was = found
        text = self._tickets.issue_to(person.key, old.session, now_s, was, address=person.address)
        return Come(self._tickets.read(text, now_s), text)
