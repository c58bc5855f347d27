"""What a guest began becomes the person's who signs in at his browser: in each drop by one script,
and only where both together keep every limit.

A guest who has nothing left of his own is over: his ticket would answer as the person from now on,
so nobody may show it any more.
"""

from __future__ import annotations

import time
from typing import Final, NamedTuple

from sqlalchemy import Connection

from dropengine import outcomes, refusals
from dropengine.doors.persons.my_drops import Mine, MyDrops
from dropengine.doors.persons.one_visit import BY_ANYBODY, OneVisit
from dropengine.doors.persons.signing_in import SigningIn
from dropengine.model import DropId, FanId
from dropengine.people import answers, becoming
from dropengine.people.one_after_another import change
from dropengine.people.tickets import Ticket
from dropengine.push import followers, of_person
from dropengine.sql.database import Database
from dropengine.truth.store import Store

DONE: Final = (outcomes.Adopted, outcomes.NothingBegun)
STAYS: Final = (refusals.Closed, refusals.NotFound)
"""A drop that left the server, or is none any more: what a guest had there stays as it is."""


class Apart(NamedTuple):
    """What could not become the person's. why: the name of a sentence."""

    mine: Mine
    why: str


class BringingTogether:
    """Every method raises Unavailable and DatabaseAway: it is asked again, which is harmless."""

    def __init__(
        self,
        store: Store,
        database: Database,
        drops: MyDrops,
        signing_in: SigningIn,
        visits: OneVisit,
    ) -> None:
        self._store = store
        self._database = database
        self._drops = drops
        self._signing_in = signing_in
        self._visits = visits

    async def bring(self, guest: Ticket, person: Ticket) -> list[Apart]:
        """Whatever the guest has is the person's now, but for what is answered."""
        apart: list[Apart] = []
        for mine in await self._drops.of(guest):
            why = await self._in(mine, person)
            if why:
                apart.append(Apart(mine, why))
        if not apart:
            names = answers.whose_key(guest.key), answers.whose_key(person.key)
            now_ms = int(time.time() * 1000)

            def kept(sql: Connection) -> None:
                answers.adopt(sql, *names)
                # Also where he did nothing yet but asked to be called.
                guests, his = (followers.whose(sql, one, now_ms) for one in (guest, person))
                followers.move(sql, guests, his)

                def his_own(drop: DropId) -> FanId | None:
                    return person.fan(drop, BY_ANYBODY)

                of_person.move(sql, guest.any_fan, his_own)
                becoming.everywhere(sql, guest.any_fan, his_own, person.domain)

            await change(self._database, kept)
            self._visits.became(guest, person)
            await self._signing_in.take_back(guest)
        return apart

    async def _in(self, mine: Mine, person: Ticket) -> str:
        fan = person.fan(mine.drop, mine.identity)
        assert fan is not None, "a person may act everywhere"
        if fan == mine.fan:
            return ""
        outcome = await self._store.adopt(mine.drop, mine.fan, fan)
        if isinstance(outcome, (*DONE, *STAYS)):
            return ""
        if isinstance(outcome, refusals.NotAdoptable):
            return f"not_adoptable.{outcome.why}"
        return f"refused.{outcome.code}"
