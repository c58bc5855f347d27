"""What somebody has: his orders, holds and places, in every drop of the shop.

No public log ties them together, and nobody's list has them: each drop is asked who he is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Connection, Table, select, tuple_

from dropengine import refusals, wire
from dropengine.asked import Asks
from dropengine.errors import ManifestError, NewerSchema, Unavailable
from dropengine.live import views
from dropengine.manifest import MINOR_DIGITS
from dropengine.model import GIVEN_BACK, DropId, FanId, PaymentRecord
from dropengine.people import answers
from dropengine.people.answers import Told
from dropengine.people.persons import Trace
from dropengine.people.tickets import Ticket
from dropengine.sql.database import Database
from dropengine.sql.schema.ledger import ARRIVALS, DROPS, OF_FANS, ORDERS
from dropengine.truth.replies import Shown
from dropengine.truth.store import Store

MISSED_MOST: Final = 12
"""Of drops that came to nothing the last ones are told."""
NEWEST: Final = 60
"""So many drops are asked whatever the books say, which may be behind."""
PAIRS_AT_ONCE: Final = 400
OVER: Final = frozenset({"settled", "cancelled"})

T = TypeVar("T")


class Payment(msgspec.Struct, frozen=True):
    """One payment as the drop has it. `kept`: what of it is the shop's now."""

    id: str
    holds: list[str]
    way: str
    amount: int
    kept: int
    currency: str
    provider: str
    state: str
    begun_ms: int


class Mine(msgspec.Struct, frozen=True):
    """One drop. `holds`: those that stand still. `entries`: places whose fate is open.
    `payments`: the open ones too."""

    drop: DropId
    fan: FanId
    identity: str
    title: str
    maker: str
    state: str
    zone: str
    currency: str
    minor_digits: int
    items: dict[str, str]
    """Pool -> what it is called."""
    orders: list[wire.OrderView]
    holds: list[wire.HoldView]
    entries: list[wire.EntryView]
    payments: list[Payment]
    asks: Asks | None

    @property
    def things(self) -> list[tuple[str, str]]:
        """Drop and hold of what he may have said something of."""
        ids = [*(one.id for one in self.orders), *(one.id for one in self.holds)]
        return [(self.drop, one) for one in ids]

    @property
    def trace(self) -> Trace:
        """Who he is there."""
        return Trace(self.drop, self.fan)

    @property
    def empty(self) -> bool:
        """Is there nothing of him?"""
        return not (self.orders or self.holds or self.entries)


class MyDrops:
    """Reads. Every method raises Unavailable and DatabaseAway."""

    def __init__(self, store: Store, database: Database) -> None:
        self._store = store
        self._database = database

    async def of(self, ticket: Ticket) -> list[Mine]:
        """Where the holder of a ticket has something, the newest drop first."""
        every = await self._store.every_drop()
        known = await self._database.read(lambda sql: _known(sql, ticket))
        asked = [drop for place, drop in enumerate(every) if place < NEWEST or drop in known]
        found = [await self._in(drop, ticket) for drop in asked]
        return [one for one in found if one is not None and not one.empty]

    async def titles(self, drops: Iterable[DropId]) -> dict[DropId, str]:
        """What these are called, where that is known."""
        found = {drop: await self._shown(drop) for drop in drops}
        return {drop: one.manifest.title for drop, one in found.items() if one is not None}

    async def missed(self, ticket: Ticket) -> dict[DropId, str]:
        """Drops that are over, in which he took part and has nothing: what they are called, the
        last one first."""
        return await self.titles(await self._database.read(lambda sql: _missed(sql, ticket)))

    async def missing(self, mine: Sequence[Mine]) -> dict[tuple[DropId, str], int]:
        """Drop and order -> how much must be said of it and is not, where anything is missing."""
        asking = [one for one in mine if one.asks is not None]

        def asked(sql: Connection) -> dict[tuple[DropId, str], int]:
            found = {}
            for one in asking:
                told = answers.of_orders(sql, one.drop, [order.id for order in one.orders])
                for order in one.orders:
                    if one.asks is not None and order.state not in GIVEN_BACK:
                        said = told.get(order.id, Told()).answers
                        found[one.drop, order.id] = len(one.asks.missing(order.qty, said))
            return {order: count for order, count in found.items() if count}

        return await self._database.read(asked) if asking else {}

    async def _in(self, drop: DropId, ticket: Ticket) -> Mine | None:
        shown = await self._shown(drop)
        fan = None if shown is None else ticket.fan(drop, shown.manifest.identity)
        if shown is None or fan is None:
            return None
        reply = await self._store.you(drop, [fan])
        if isinstance(reply, refusals.Frozen):
            raise Unavailable(str(drop))
        if isinstance(reply, refusals.NotFound):
            return None
        row = reply.rows[0]
        holds = {one: views.hold_view(one, hold, "") for one, hold in row.holds}
        you = views.you(row, reply.seq, shown.manifest.k, holds)
        return _mine(shown, fan, you, [_payment(name, one) for name, one in row.payments])

    async def _shown(self, drop: DropId) -> Shown | None:
        try:
            return await self._store.show(drop)
        except (NewerSchema, ManifestError):
            return None


def _payment(name: str, one: PaymentRecord) -> Payment:
    return Payment(
        name,
        one.holds,
        one.way,
        one.amount,
        one.kept,
        one.currency,
        one.provider,
        one.state,
        one.at_ms,
    )


def _mine(shown: Shown, fan: FanId, you: wire.You, payments: list[Payment]) -> Mine:
    m = shown.manifest
    return Mine(
        drop=DropId(m.id),
        fan=fan,
        identity=m.identity,
        title=m.title,
        maker=m.maker,
        state=shown.state,
        zone=m.zone,
        currency=m.currency,
        minor_digits=MINOR_DIGITS[m.currency],
        items={
            pool.id: f"{item.title} · {pool.node}" if len(item.pools) > 1 else item.title
            for item in m.items
            for pool in item.pools
        },
        orders=[*reversed(you.orders)],
        holds=you.holds,
        entries=you.entries,
        payments=payments,
        asks=m.asks,
    )


def _known(sql: Connection, ticket: Ticket) -> set[DropId]:
    """Drops in which the books have an order of his, or have seen him come."""
    drops = [DropId(drop) for drop in sql.execute(select(DROPS.c.drop_id)).scalars()]
    pairs = [(drop, fan) for drop in drops for fan in ticket.any_fan(drop)]
    found: set[DropId] = set()
    for some in _in_parts(pairs, PAIRS_AT_ONCE):
        for table in (ORDERS, ARRIVALS):
            found |= {DropId(drop) for drop in sql.execute(_where(table, some)).scalars()}
    return found


def _missed(sql: Connection, ticket: Ticket) -> list[DropId]:
    over = select(DROPS.c.drop_id).where(DROPS.c.ended_ms > 0).order_by(DROPS.c.ended_ms.desc())
    drops = [DropId(drop) for drop in sql.execute(over).scalars()]
    found: list[DropId] = []
    for some in _in_parts(drops, PAIRS_AT_ONCE):
        pairs = [(drop, fan) for drop in some for fan in ticket.any_fan(drop)]
        took_part = set(sql.execute(_where(OF_FANS, pairs)).scalars())
        kept = ORDERS.c.state.not_in([*GIVEN_BACK])
        took_part -= set(sql.execute(_where(ORDERS, pairs).where(kept)).scalars())
        found += [drop for drop in some if drop in took_part]
        if len(found) >= MISSED_MOST:
            break
    return found[:MISSED_MOST]


def _where(table: Table, pairs: Sequence[tuple[DropId, FanId]]) -> Any:
    here = tuple_(table.c.drop_id, table.c.fan).in_(pairs)
    return select(table.c.drop_id).where(here).distinct()


def _in_parts(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
