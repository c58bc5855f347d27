"""The facts of a sale that its figures are made of, gathered in one pass over the log.

Times are those of the drop: what an outage or a freeze took from it is not in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct, field

from dropengine import events

MADE_GOOD = "makegood"


class Hold(Struct):
    """A hold or, with an entry, an offer: to which arrival, and of which lane (0 base, 1 boost).
    ended: how it came back, '' while it did not."""

    pool: str
    qty: int
    at_ms: int
    offer: bool
    entry: str = ""
    n: int = 0
    lane: int = 0
    cohort: str = ""
    claimed: bool = False
    bought: bool = False
    ended: str = ""


class Order(Struct):
    """What a fan paid for a hold, and may have got back."""

    fan: str
    pool: str
    qty: int
    amount: int
    charge: str
    at_ms: int
    refunded: bool = False


class Place(Struct):
    """One fan's standing in the line. why: as it was joined. listed: chance gave its arrival out.
    left: he gave it up himself, or stands there by another. madegood: it stands above all
    points."""

    fan: str
    pools: list[str]
    qty: int
    why: str = "fan"
    listed: bool = False
    served: bool = False
    left: bool = False
    madegood: bool = False


class Tally(Struct):
    """stock: pool -> its free and held units; offered: pool -> its units that are not withheld."""

    seq: int = 0
    drop: str = ""
    currency: str = ""
    opened_ms: int = 0
    sold_out_ms: int = 0
    game: bool = False
    """Something gives points."""
    prices: dict[str, int] = field(default_factory=dict)
    stock: dict[str, int] = field(default_factory=dict)
    offered: dict[str, int] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    seen_ms: dict[str, int] = field(default_factory=dict)
    """Fan -> his first sign: a hold, or a place in the line."""
    became: dict[str, str] = field(default_factory=dict)
    """Guest -> the person whose all that he did is."""


def tally(log: Iterable[events.AnyEvent]) -> Tally:
    """Fold a log. Its events come in order, from the first."""
    found = Tally()
    for event in log:
        found.seq = event.seq
        step = _STEPS.get(type(event))
        if step is not None:
            step(found, event)
            if found.opened_ms and not found.sold_out_ms and not any(found.stock.values()):
                found.sold_out_ms = event.at
    for order in found.orders.values():
        order.fan = found.became.get(order.fan, order.fan)
    for place in found.places.values():
        place.fan = found.became.get(place.fan, place.fan)
    return found


def _published(t: Tally, e: events.Published) -> None:
    t.drop, t.currency = e.rules.id, e.rules.currency
    t.game = e.rules.points_until != ""
    prices = {item.id: item.price for item in e.rules.items}
    for pool in e.rules.pools:
        t.prices[pool.id] = prices[pool.item]
        t.stock[pool.id] = t.offered[pool.id] = pool.cap - pool.withheld


def _opened(t: Tally, e: events.Opened) -> None:
    t.opened_ms = e.at


def _added(t: Tally, e: events.Added) -> None:
    t.stock[e.pool] += e.qty
    t.offered[e.pool] += e.qty


def _withdrawn(t: Tally, e: events.Withdrawn) -> None:
    t.stock[e.pool] -= e.qty
    t.offered[e.pool] -= e.qty


def _held(t: Tally, e: events.Held) -> None:
    t.holds[e.hold] = Hold(e.pool, e.qty, e.at, offer=False, cohort=e.cohort)
    t.seen_ms.setdefault(e.fan, e.at)


def _offered(t: Tally, e: events.Offered) -> None:
    t.holds[e.hold] = Hold(
        e.pool, e.qty, e.at, offer=True, entry=e.entry, n=e.n, lane=e.call, cohort=e.cohort
    )


def _claimed(t: Tally, e: events.Claimed) -> None:
    t.holds[e.hold].claimed = True


def _ended(how: str) -> Callable[[Tally, Any], None]:
    def step(t: Tally, e: Any) -> None:
        t.holds[e.hold].ended = how

    return step


def _released(t: Tally, e: events.Released) -> None:
    t.holds[e.hold].ended = "cancelled" if e.by == "creator" else "released"


def _sold(t: Tally, e: events.Sale) -> None:
    t.stock[e.pool] -= e.qty
    t.holds[e.hold].bought = True
    if isinstance(e, events.Rescued):
        t.holds[e.hold].cohort = e.cohort
    t.orders[e.hold] = Order(e.fan, e.pool, e.qty, e.amount, e.charge, e.at)


def _mismatched(t: Tally, e: events.Mismatched) -> None:
    order = t.orders.get(e.hold)
    if order is not None and order.charge == e.charge:
        order.amount = e.amount


def _refunded(t: Tally, e: events.Refunded) -> None:
    order = t.orders[e.hold]
    if e.back == "line":
        t.stock[e.pool] += e.qty
    if e.qty < order.qty:
        order.qty -= e.qty
        order.amount -= e.amount - e.way
    else:
        order.refunded = True


def _reduced(t: Tally, e: events.Reduced) -> None:
    t.orders[e.hold].amount -= e.amount


def _came_back(t: Tally, e: events.CameBack) -> None:
    t.stock[e.pool] += e.qty


def _swapped(t: Tally, e: events.Swapped) -> None:
    t.holds[e.hold].pool, t.holds[e.hold].cohort = e.to, e.cohort


def _joined(t: Tally, e: events.Joined) -> None:
    t.places[e.entry] = Place(e.fan, e.pools, e.qty, e.why, madegood=e.why == MADE_GOOD)
    t.seen_ms.setdefault(e.fan, e.at)


def _pointed(t: Tally, e: events.Pointed) -> None:
    if e.why == MADE_GOOD:
        t.places[e.entry].madegood = True


def _ordered(t: Tally, e: events.Ordered) -> None:
    for entry in e.ids:
        t.places[entry].listed = True


def _served(t: Tally, e: events.Served) -> None:
    t.places[e.entry].served = True


def _left(t: Tally, e: events.Left) -> None:
    t.places[e.entry].left = True


def _removed(t: Tally, e: events.Removed) -> None:
    t.places[e.entry].left = e.why == "merged"


def _adopted(t: Tally, e: events.Adopted) -> None:
    t.became[e.guest] = e.fan
    first = t.seen_ms.pop(e.guest, None)
    if first is not None:
        t.seen_ms[e.fan] = min(first, t.seen_ms.get(e.fan, first))


_STEPS: dict[type[events.Event], Callable[[Tally, Any], None]] = {
    events.Published: _published,
    events.Opened: _opened,
    events.Added: _added,
    events.Withdrawn: _withdrawn,
    events.Held: _held,
    events.Offered: _offered,
    events.Claimed: _claimed,
    events.Released: _released,
    events.Expired: _ended("expired"),
    events.Declined: _ended("declined"),
    events.Lapsed: _ended("lapsed"),
    events.Sold: _sold,
    events.Rescued: _sold,
    events.Mismatched: _mismatched,
    events.Refunded: _refunded,
    events.Reduced: _reduced,
    events.CameBack: _came_back,
    events.Swapped: _swapped,
    events.Joined: _joined,
    events.Pointed: _pointed,
    events.Ordered: _ordered,
    events.Served: _served,
    events.Left: _left,
    events.Removed: _removed,
    events.Adopted: _adopted,
}
