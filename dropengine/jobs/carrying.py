"""Carries places of an earlier drop over into a new one, before that opens: the list that its
manifest names, part by part, each fan found again by his person.

One worker does it for all, while it has the lease; two may do the same list, and a third may go on
where one was killed: every step may be repeated (`lua/launch/carry.lua`), and the list is the one
whose hash was published, or nothing is carried.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from dropengine.jobs.leased_drops import LeasedSteps
from dropengine.manifest import Manifest
from dropengine.model import DropId, FanId
from dropengine.people import carried_fans
from dropengine.push import subscriptions
from dropengine.sql.database import Database
from dropengine.truth.carried_list import list_for
from dropengine.truth.replies import Carried
from dropengine.truth.store import CarriedRow, Store

log = logging.getLogger(__name__)

ROWS_AT_ONCE: Final = 500
PLACES_AT_ONCE: Final = 500
"""Of the entries of one part, in all the lines that they stand in: what a script writes."""


class Carrying(LeasedSteps):
    """Begun for each drop that does not open before."""

    name = "carrying"
    does = "carry the places of the earlier drop over"

    def __init__(
        self, store: Store, database: Database, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(store, clock=clock)
        self._database = database

    async def do(self, drop: DropId) -> bool:
        """All that is left to carry. Is nothing left to do? Raises Unavailable, DatabaseAway, and
        CarriedFault where the list is not the one that was published."""
        shown = await self._store.show(drop)
        if shown is None or not shown.manifest.carried_from:
            return True
        digest, rows = await self._read(drop, shown.manifest)
        first = 1
        while True:
            part = _part(rows[first - 1 :])
            answer = await self._store.carry(drop, digest, first, len(rows), part)
            if not isinstance(answer, Carried):
                return self._refused(drop, answer)
            if answer.next > len(rows):
                return True
            # Where somebody else was faster, from where he is.
            first = answer.next

    async def _read(self, drop: DropId, manifest: Manifest) -> tuple[str, list[CarriedRow]]:
        """The list by its hash, and who its fans are here; their browsers call them here too, from
        before the first of them has a place."""
        old = DropId(manifest.carried_from)
        people = await self._database.read(lambda sql: carried_fans.known(sql, old, drop))
        listed = await list_for(self._store, manifest)
        there = [FanId(one.fan) for one in listed.entries]
        fans = await asyncio.to_thread(carried_fans.fans_in, people, old, drop, there)
        here = {pool.id for item in manifest.items for pool in item.pools}
        rows, called = [], dict[FanId, FanId]()
        for one in listed.entries:
            fan = fans.get(FanId(one.fan), FanId(""))
            rows.append(CarriedRow(one.entry, fan, one.qty, list(one.pools)))
            if fan and here.intersection(one.pools):
                called[FanId(one.fan)] = fan
        await self._database.write(lambda sql: subscriptions.carry(sql, old, drop, called))
        return listed.hash, rows

    def _refused(self, drop: DropId, answer: object) -> bool:
        """Somebody else was here, it was called off or stands still; or another list was told than
        the one that was published, and a person has to look."""
        if type(answer).__name__ == "OtherList":
            self._tell(drop, f"the server says {answer}")
        else:
            log.info("%s: nothing is carried into it now: %s", drop, answer)
        return False


def _part(rows: Sequence[CarriedRow]) -> list[CarriedRow]:
    """As many as one script carries: by themselves, and with all the lines they stand in."""
    part: list[CarriedRow] = []
    places = 0
    for row in rows[:ROWS_AT_ONCE]:
        places += len(row.pools)
        if part and places > PLACES_AT_ONCE:
            break
        part.append(row)
    return part
