"""The line: arrivals, offers, and how an entry's fate becomes final (INV-6, 9, 11).

Every offer is held against the one rule of the line: who is called, to which pool, how many units.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dropengine import events
from dropengine.log.layouts import (
    ALWAYS_COOLS,
    ENTRIES_END_WITH_A_RESCUE,
    ENTRIES_SERVABLE,
    JOINS_PRESS,
    TWO_LANES,
)
from dropengine.log.referee.books import BASE, BOOST, Books, Entry, Fan, Hold, Owed, Pool
from dropengine.log.referee.carrying import carries
from dropengine.log.referee.drawing import enters, leaves
from dropengine.log.referee.drop import once
from dropengine.log.referee.early import may_begin
from dropengine.log.referee.holds import (
    attached,
    back,
    by_its_fan,
    deadline_is,
    filled,
    grant,
    in_pace,
    in_time,
    living,
    within,
)
from dropengine.log.referee.lapse import LAPSES_MAX, lapse
from dropengine.model import POINTS, POINTS_MAX


def _joined(books: Books, e: events.Joined) -> None:
    """L2, T12; a make-good: L15."""
    fan = books.fan(e.fan)
    books.arrivals += 1
    if e.entry != f"e{books.arrivals}":
        books.blame("INV-11", f"entry {e.entry} comes where e{books.arrivals} is the next")
    if e.n != (0 if books.state == "lobby" else books.arrivals):
        books.blame("INV-11", f"{e.entry} joins in a drop that is {books.state} as arrival {e.n}")
    pools = [books.pools[pool] for pool in e.pools if pool in books.pools]
    if len(pools) != len(e.pools) or len(set(e.pools)) != len(e.pools) or not pools:
        books.blame("INV-15", f"entry {e.entry} names pools that are not there: {e.pools}")
    if e.why == "makegood":
        place = (BOOST, POINTS_MAX) if books.schema < TWO_LANES else (BASE, 0)
        if fan.madegood or (e.lane, e.points, e.key) != (*place, ""):
            books.blame("INV-15", f"{e.fan} is made good twice, or not in the class above points")
        if books.schema >= TWO_LANES and fan.line:
            books.blame("INV-7", f"{e.fan} stands in line a second time")
        if not books.follows:
            books.blame("INV-15", f"{e.fan} is made good without a late payment")
        elif fan.late is not None and (pools, e.qty) != ([fan.late.pool], fan.late.qty):
            books.blame("INV-15", f"{e.fan} is made good for {e.qty}, not for {fan.late.id}")
        fan.madegood = True
    elif e.why == "carried":
        carries(books, fan, e, pools)
    else:
        once(books, e.fan, e.key)
        in_pace(books, fan, e.at)
        may_begin(books, fan)
        if e.why != "fan" or e.lane != BASE or e.points:
            books.blame("INV-15", f"entry {e.entry} joins lane {e.lane} with {e.points} points")
        if any(entry.lane == BASE for entry in fan.line):
            books.blame("INV-7", f"{e.fan} stands in line a second time")
        if e.qty < 1 or any(e.qty > pool.item.most for pool in pools):
            books.blame("INV-6", f"entry {e.entry} asks for {e.qty} units")
        _refused_a_unit(books, e.entry, fan, pools)
    if books.schema >= ENTRIES_SERVABLE and filled(books, fan, pools):
        books.blame("INV-11", f"entry {e.entry} joins, but the orders of {e.fan} fill his limit")
    entry = Entry(
        id=e.entry,
        fan=fan,
        n=e.n,
        qty=e.qty,
        pools=pools,
        lane=BOOST if e.lane else BASE,
        points=e.points,
        ordinal=len(books.by_ordinal),
        ready=[False] * len(pools),
    )
    entry.carried = entry.asked = e.why == "carried"
    entry.made_good = e.why == "makegood" and books.schema >= TWO_LANES
    enters(books, entry, e)
    books.by_ordinal.append(entry)
    books.entries[e.entry] = entry
    fan.line.append(entry)
    books.stand(entry)
    books.count["joined"] += 1


WHY_POINTS = frozenset({"friend", "mission", "collector", "taken_back"})


def _pointed(books: Books, e: events.Pointed) -> None:
    """G1, G2, G4; a make-good of an open entry: L15."""
    assert books.rules is not None
    entry = books.entry_of(e.entry, e.fan)
    if entry is None:
        return
    if books.schema < TWO_LANES or not entry.open or entry.lane != BASE:
        books.blame("INV-11", f"{e.entry} gets points while it is {entry.state}")
    if e.why == "makegood":
        if not books.follows or entry.fan.madegood:
            books.blame("INV-15", f"{e.fan} is made good twice, or without a late payment")
        if (e.points, e.book) != (entry.points, entry.book):
            books.blame("INV-15", f"{e.entry} is made good and has other points")
        entry.made_good = entry.fan.madegood = True
        books.stand(entry)
        return
    until = books.rules.points_until
    if e.why not in WHY_POINTS or not 0 <= e.points <= POINTS or e.book <= entry.book:
        told = f"{e.points} points by {e.book} after {entry.book}, {e.why}"
        books.blame("INV-15", f"{e.entry} has {told}")
    fixed = until == "" or (until == "seal" and books.state not in ("scheduled", "lobby"))
    if fixed and e.points > entry.points:
        books.blame("INV-11", f"{e.entry} gets points when none are given any more")
    entry.points, entry.book = e.points, e.book
    books.stand(entry)


def _refused_a_unit(books: Books, name: str, fan: Fan, pools: list[Pool]) -> None:
    """INV-11: who joins while a unit could be had gets it on a press's terms, no entry (L1)."""
    if books.schema < JOINS_PRESS or books.state != "live":
        return
    for pool in pools:
        most = min(pool.free, books.room(fan, pool.item))
        if most < 1 or not books.counts_against(pool, books.class_of(fan), most)[1]:
            continue
        if books.first_ready(pool) is None:
            books.blame("INV-11", f"entry {name} stands in line while {pool.id} could be had")
            return


def _offered(books: Books, e: events.Offered) -> None:
    """L6, L7, L16; L17."""
    assert books.rules is not None
    books.count["offers"] += 1
    pool, entry = books.pool_named(e.pool), books.entry_of(e.entry, e.fan)
    if pool is None or entry is None:
        return
    if e.key:
        called = _calls_himself(books, e, pool)
    else:
        called = books.pick()
        if not books.calls:
            books.blame("INV-11", f"{e.entry} is called at {e.at - books.lead}, in quiet hours")
    if called is None or called != (entry, pool, e.call):
        _out_of_turn(books, e, called[0] if called else None)
    qty = min(entry.qty, pool.free, books.room(entry.fan, pool.item))
    if entry.carried and pool.share is not None:
        # K5
        qty = min(qty, pool.share - pool.carried)
    _, qty = books.counts_against(pool, books.class_of(entry.fan), qty)
    if called is not None and called[:2] == (entry, pool) and e.qty != qty:
        books.blame("INV-11", f"{entry.id} is offered {e.qty} of {pool.id}, its turn gives {qty}")
    stands = entry.lane == BASE if e.call == BASE else entry.rank > 0
    if e.n != entry.n or not stands:
        books.blame("INV-11", f"{entry.id} is called as arrival {e.n} in lane {e.call}")
    within(books, entry.fan, pool.item, e.qty)
    window = books.rules.offer_ms
    if books.first is not None:
        # D8
        books.first, window = books.first + 1, books.rules.first_offer_ms
    deadline_is(books, e.deadline, e.at + window, f"offer {e.hold}")
    adds = e.call == BASE and pool.calls < books.rules.k - 1
    pool.calls = pool.calls + adds if e.call == BASE else 0
    entry.added = adds and books.schema >= TWO_LANES
    entry.state, entry.hold = "offered", e.hold
    books.stand(entry)
    called_for = Hold(e.hold, entry.fan, pool, e.qty, e.price, e.at, e.deadline, entry)
    called_for.cohort = e.cohort
    grant(books, called_for)


def _calls_himself(books: Books, e: events.Offered, pool: Pool) -> tuple[Entry, Pool, int] | None:
    """L17: a press in quiet hours, by whom this pool would call next."""
    once(books, e.fan, e.key, e.hold)
    in_pace(books, books.fan(e.fan), e.at)
    if books.calls:
        books.blame("INV-11", f"{e.fan} calls himself at {e.at - books.lead}, while the line calls")
    because = f"{e.fan} pressed for what the line would have called him for"
    books.owed.append(Owed(("claimed",), e.hold, "INV-11", because, e.key))
    named = books.named(pool) if pool.free > 0 else None
    return None if named is None else (named[0], pool, named[1])


def _out_of_turn(books: Books, e: events.Offered, rightful: Entry | None) -> None:
    books.count["overtaken"] += 1
    entry = books.entries[e.entry]
    if rightful is None:
        books.blame("INV-11", f"{e.entry} is offered {e.pool} though it is not ready for it")
    elif rightful is entry:
        books.blame("INV-11", f"{e.entry} is offered {e.pool} in lane {e.call}: not its turn there")
    else:
        books.blame(
            "INV-11",
            f"{e.entry} (arrival {entry.n}) is offered {e.pool} before {rightful.id} "
            f"(arrival {rightful.n})",
        )


def _declined(books: Books, e: events.Declined) -> None:
    hold = living(books, e.hold, e.fan, "declined")
    if hold is not None:
        books.count["released"] += 1
        come_back(books, e, hold, "released")


def _lapsed(books: Books, e: events.Lapsed) -> None:
    hold = living(books, e.hold, e.fan, "lapsed")
    if hold is not None:
        in_time(books, hold, e.at)
        books.count["offers_lapsed"] += 1
        come_back(books, e, hold, "expired")


def cooling_ms(books: Books) -> int:
    """How long an entry cools: the unit goes to the next, also where the rules say no time."""
    assert books.rules is not None
    least = 0 if books.schema < ALWAYS_COOLS else 1
    return max(books.rules.cool_ms, least)


def come_back(books: Books, e: events.Returned, hold: Hold, state: str) -> None:
    """An unclaimed offer ended: what the event says of its entry is held against L9 and L10."""
    if not hold.unclaimed:
        books.blame("INV-9", f"hold {e.hold} is no open offer")
    entry = attached(hold)
    back(books, hold, state, e.pool, e.qty)
    if entry is None or entry.id != e.entry:
        books.blame("INV-11", f"offer {e.hold} was not made to entry {e.entry}")
    else:
        again = lapse(books, entry, hold.pool)
        if e.cool:
            if not again or e.cool != e.at + cooling_ms(books):
                books.blame("INV-11", f"{entry.id} cools till {e.cool} after {entry.lapses} lapses")
            entry.state = "waiting"
            books.cool(entry, e.cool)
        elif isinstance(e, events.Declined) and not e.key:
            if books.schema < ENTRIES_END_WITH_A_RESCUE:
                books.blame("INV-11", f"nobody gave {e.hold} back")
            because = f"its offer {e.hold} went back for another payment"
            books.owed.append(Owed(("rescued",), e.fan, "INV-11", because))
        else:
            # Leaving gives the offer back first; otherwise only the second lapse is the last.
            fates = ("left",) if again else ("dormant", "left")
            if not isinstance(e, events.Declined):
                fates = ("dormant",)
                if again:
                    books.blame("INV-11", f"{entry.id} is not called again after its first lapse")
            because = f"its offer {e.hold} came back"
            books.owed.append(Owed(fates, entry.id, "INV-11", because, getattr(e, "key", "")))
    books.take(hold.fan, hold.pool.item, -hold.qty)


def _cooled(books: Books, e: events.Cooled) -> None:
    """L10, of a claimed offer."""
    entry = books.entry_of(e.entry, e.fan)
    if entry is None:
        return
    if entry.state != "returning" or entry.lapses >= LAPSES_MAX:
        books.blame("INV-11", f"{e.entry} cools after {entry.lapses} lapses while {entry.state}")
    if e.cool != e.at + cooling_ms(books):
        books.blame("INV-11", f"{e.entry} cools until {e.cool}")
    if entry.open:
        entry.state = "waiting"
        books.cool(entry, e.cool)


def final(books: Books, name: str, fan: str, n: int, fate: str, legal: tuple[str, ...]) -> None:
    """An entry's fate: legal only from the states named, and only once (L14)."""
    entry = books.entry_of(name, fan)
    if entry is None:
        return
    if entry.state not in legal:
        books.blame("INV-11", f"{name} is {fate} while it is {entry.state}")
    if n != entry.n:
        books.blame("INV-11", f"{name} is arrival {entry.n}, not {n}")
    leaves(books, entry)
    books.close_entry(entry, fate)


def _served(books: Books, e: events.Served) -> None:
    """L11."""
    final(books, e.entry, e.fan, e.n, "served", ("selling",))


def _dormant(books: Books, e: events.Dormant) -> None:
    """L9."""
    final(books, e.entry, e.fan, e.n, "dormant", ("returning",))


def _left(books: Books, e: events.Left) -> None:
    """L12."""
    by_its_fan(books, e)
    entry = books.entries.get(e.entry)
    if entry is not None and entry.state == "offered":
        hold = books.holds.get(entry.hold)
        if hold is not None and hold.unclaimed:
            books.blame("INV-9", f"{e.entry} leaves with the open offer {entry.hold}")
    final(books, e.entry, e.fan, e.n, "left", ("waiting", "offered", "returning"))


def _removed(books: Books, e: events.Removed) -> None:
    """L11; merged into another of its fan: A3."""
    entry = books.entry_of(e.entry, e.fan)
    if entry is None:
        return
    full = e.why == "limit" and filled(books, entry.fan, entry.pools)
    if not (books.follows and (full or e.why == "merged")):
        books.blame("INV-11", f"{e.entry} is removed because of {e.why!r}")
    final(books, e.entry, e.fan, e.n, "removed", ("waiting", "offered"))
    if e.why == "merged":
        # A3, G5
        stays = books.in_base(entry.fan)
        if stays is not None:
            stays.points = max(stays.points, entry.points)
            stays.book = max(stays.book, entry.book)
            stays.made_good = stays.made_good or entry.made_good
            books.stand(stays)


def _limit_freed(books: Books, e: events.LimitFreed) -> None:
    """L13."""
    entry = books.entry_of(e.entry, e.fan)
    if entry is None:
        return
    if not books.follows:
        books.blame("INV-6", f"{e.entry} is told of room that was not made just now")


CHECKS: dict[type[events.Event], Callable[[Books, Any], None]] = {
    events.Joined: _joined,
    events.Pointed: _pointed,
    events.Offered: _offered,
    events.Declined: _declined,
    events.Lapsed: _lapsed,
    events.Cooled: _cooled,
    events.Served: _served,
    events.Dormant: _dormant,
    events.Left: _left,
    events.Removed: _removed,
    events.LimitFreed: _limit_freed,
}
