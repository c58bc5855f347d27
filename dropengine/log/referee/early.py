"""Early access (INV-6, 7, 15): who is in which cohort, what counts against its ceiling, and when
the drop is open to all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dropengine import events
from dropengine.log.referee.books import Books, Fan, Pool
from dropengine.log.referee.drop import signed


def may_begin(books: Books, fan: Fan) -> None:
    """E2: before the drop is open to all only who is in a cohort begins something."""
    if books.early and not books.class_of(fan):
        books.blame("INV-6", f"{fan.id} begins something in early access and is in no cohort")


def counts(books: Books, fan: Fan, pool: Pool, qty: int, cohort: str) -> None:
    """E3: units that are given count against the first cohort with room for them."""
    if cohort and cohort not in pool.ceilings:
        books.blame("INV-15", f"units count against {cohort}, which is no cohort of the drop")
    rightful, most = books.counts_against(pool, books.class_of(fan), qty)
    if most < qty:
        books.blame("INV-6", f"{fan.id} gets {qty} of {pool.id}, his cohorts let him take {most}")
    elif cohort != rightful:
        against = f"{qty} of {pool.id} count against {cohort or 'no cohort'}"
        books.blame("INV-6", f"{against}, by the rules against {rightful or 'none'}")


def recount(books: Books) -> None:
    """E4: count what counts against each cohort again, from holds and orders."""
    if not books.cohorts:
        return
    counted = {pool.id: dict.fromkeys(pool.counted, 0) for pool in books.pools.values()}
    for hold in books.holds.values():
        order = books.orders.get(hold.id)
        if hold.cohort and (hold.alive or (order is not None and order.stands)):
            counts = counted[hold.pool.id]
            counts[hold.cohort] = counts.get(hold.cohort, 0) + hold.qty
    for pool in books.pools.values():
        if counted[pool.id] != pool.counted:
            books.blame("INV-6", f"{pool.counted} of {pool.id} count, that is {counted[pool.id]}")


def _enrolled(books: Books, e: events.Enrolled) -> None:
    """E1."""
    fan = books.fan(e.fan)
    known = [cohort for cohort in books.cohorts if cohort in e.cohorts]
    if not e.cohorts or known != e.cohorts or set(known) & fan.cohorts:
        books.blame("INV-15", f"{e.fan} is enrolled in {e.cohorts}, not one of them is new to him")
    if not books.early:
        books.blame("INV-15", f"{e.fan} is enrolled in a drop that is open to all")
    fan.cohorts |= set(known)
    for entry in fan.line:
        books.stand(entry)


def _widened(books: Books, e: events.Widened) -> None:
    """E5."""
    signed(books, e, clock=True)
    assert books.rules is not None
    now, planned = e.at - books.lead, books.rules.public_ms
    if not books.early:
        books.blame("INV-15", "the drop is opened to all a second time, or has no cohorts")
    if e.by == "clock" and (e.key or not 0 < planned <= now):
        books.blame("INV-15", f"the clock opened it to all at {now}, the rules say {planned}")
    books.early = False


CHECKS: dict[type[events.Event], Callable[[Books, Any], None]] = {
    events.Enrolled: _enrolled,
    events.Widened: _widened,
}
