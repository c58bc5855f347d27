"""A guest who signs in came once: what was counted of him at a drop's page is the person's.

Workers write whom they saw once a minute, so it waits until all of them have.
"""

from __future__ import annotations

import functools
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, delete, select, tuple_, update

from dropengine.model import DropId, FanId
from dropengine.people.tickets import Ticket
from dropengine.sql.database import Database
from dropengine.sql.schema.ledger import ARRIVALS, DROPS

BY_ANYBODY: Final = "guest"
"""Under whatever rule, a person is the same one in a drop."""
WAIT_S: Final = 150.0
"""Two minutes of counting, and a while."""
WAITING_MAX: Final = 10_000
"""Beyond it some who signed in were counted twice."""
PAIRS_AT_ONCE: Final = 400


class OneVisit:
    """A job of every web process. clock: monotonic, s."""

    name = "one-visit"
    every_s = 30.0

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._waiting: deque[tuple[float, Ticket, Ticket]] = deque(maxlen=WAITING_MAX)

    def became(self, guest: Ticket, person: Ticket) -> None:
        """This guest is this person from now on."""
        self._waiting.append((self._clock(), guest, person))

    async def round(self) -> None:
        """Raises DatabaseAway: then it waits for the next round."""
        while self._waiting and self._waiting[0][0] <= self._clock() - WAIT_S:
            _, guest, person = self._waiting[0]
            await self._database.write(functools.partial(_one, guest=guest, person=person))
            self._waiting.popleft()


def _one(sql: Connection, guest: Ticket, person: Ticket) -> None:
    drops = [DropId(drop) for drop in sql.execute(select(DROPS.c.drop_id)).scalars()]
    pairs = [(drop, fan) for drop in drops for fan in guest.any_fan(drop)]
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        here = tuple_(ARRIVALS.c.drop_id, ARRIVALS.c.fan).in_(pairs[start : start + PAIRS_AT_ONCE])
        for row in sql.execute(select(ARRIVALS).where(here)).all():
            to = person.fan(DropId(row.drop_id), BY_ANYBODY)
            assert to is not None, "a person may act everywhere"
            _merge(sql, DropId(row.drop_id), FanId(row.fan), to)


def _merge(sql: Connection, drop: DropId, guest: FanId, person: FanId) -> None:
    """The first of both visits stays, with the channel that brought him."""
    if guest == person:
        return
    here = ARRIVALS.c.drop_id == drop
    both = select(ARRIVALS).where(here, ARRIVALS.c.fan.in_([guest, person]))
    first = sql.execute(both.order_by(ARRIVALS.c.at_ms, ARRIVALS.c.fan)).first()
    assert first is not None, "the guest came"
    last = guest if first.fan == person else person
    sql.execute(delete(ARRIVALS).where(here, ARRIVALS.c.fan == last))
    sql.execute(update(ARRIVALS).where(here, ARRIVALS.c.fan == first.fan).values(fan=person))
