"""A payment that came after its hold had ended: what it buys, who stands ahead (INV-10, 11).

Each rule is judged by the layout in force: engines before layout 3 took the first equal hold, never
an offer, and let anybody who was ready stand ahead.
"""

from __future__ import annotations

from dropengine.log.layouts import ENTRIES_END_WITH_A_RESCUE, EQUALS_ARE_RANKED, PAYS_TOGETHER
from dropengine.log.referee.books import BASE, BOOST, Books, Entry, Hold, Owed, Pool


def rank(hold: Hold) -> int:
    """A hold that nobody began to pay goes first, then an offer, then one that is being paid."""
    if hold.state == "paying":
        return 2
    return 1 if hold.unclaimed else 0


def first_equal(books: Books, hold: Hold) -> Hold | None:
    """P5: the one of its fan's holds that a late payment for `hold` buys; None without an equal."""
    if books.schema < EQUALS_ARE_RANKED:
        return None
    equals = [one for one in hold.fan.holds if one.alive and one.equals(hold)]
    if books.schema >= PAYS_TOGETHER:
        # What stands in the same payment is bought for itself.
        equals = [
            one
            for one in equals
            if one.price == hold.price and (not hold.payment or one.payment != hold.payment)
        ]
    return min(equals, key=rank, default=None)


def buys_the_first(books: Books, intent: Hold, hold: Hold) -> None:
    """INV-10: of equal holds the payment for another buys the first by rank."""
    if books.schema < EQUALS_ARE_RANKED:
        if hold.unclaimed:
            books.blame("INV-10", f"the payment for {intent.id} buys the unclaimed offer {hold.id}")
        return
    first = first_equal(books, intent)
    if first is not None and rank(first) < rank(hold):
        books.blame("INV-10", f"the payment for {intent.id} buys {hold.id} before {first.id}")


def ahead(books: Books, hold: Hold) -> Entry | None:
    """P7: who stands ahead of a rescue of this hold in the line of its pool."""
    pool = hold.pool
    if books.schema < ENTRIES_END_WITH_A_RESCUE:
        return books.first_ready(pool) if pool.ready else None
    if books.state == "closing":
        return None
    assert books.rules is not None
    own = hold.entry if hold.entry is not None and hold.entry.open else None
    base, boost = (_first_of_others(books, pool, lane, hold) for lane in (BASE, BOOST))
    if own is None:
        return base or boost
    in_base = [one for one in (base, own if own.lane == BASE else None) if one is not None]
    in_boost = [one for one in (boost, own if own.rank else None) if one is not None]
    if in_boost and (not in_base or books.boost_is_next(pool)):
        called = min(in_boost, key=lambda one: (-one.rank, one.n))
    else:
        called = min(in_base, key=lambda one: one.n)
    return None if called is own else called


def _first_of_others(books: Books, pool: Pool, lane: int, hold: Hold) -> Entry | None:
    """The first of a lane that may be called and is not the payer's own."""
    called = books.classes_in(pool)
    for one in sorted(one for each in called for one in pool.lanes[each][lane]):
        entry = books.by_ordinal[one[2]]
        ready = books.stands_as(one, lane) and books.line_of(entry) in called
        if ready and entry.fan is not hold.fan:
            return entry
    return None


def could_buy(books: Books, hold: Hold) -> str:
    """P6: why a late payment for this hold may not go back; '' when nothing is left for it."""
    equal = first_equal(books, hold)
    if equal is not None:
        return f"{equal.id} is an equal hold of its fan"
    pool = hold.pool
    free, room = pool.free, books.room(hold.fan, pool.item)
    offer = offer_of_its_entry(books, hold)
    if offer is not None:
        # It goes back for the rescue, and counts as if it were back.
        back = offer.qty if offer.pool is pool else 0
        free += back
        room = _room_without(books, hold, offer)
        offer.count(-back)
    _, most = books.counts_against(pool, books.class_of(hold.fan), hold.qty)
    if offer is not None:
        offer.count(back)
    spare = books.state in ("live", "paused", "closing") and min(free, room, most) >= hold.qty
    if spare and ahead(books, hold) is None:
        return f"{free} of {hold.pool.id} are free"
    return ""


def _room_without(books: Books, hold: Hold, offer: Hold) -> int:
    """What its fan may still take, if he had not the offer."""
    assert books.rules is not None
    fan, item = hold.fan, hold.pool.item
    room = books.rules.limit - fan.used + offer.qty
    if item.limit:
        back = offer.qty if offer.pool.item is item else 0
        room = min(room, item.limit - fan.used_of.get(item.id, 0) + back)
    return room


def offer_of_its_entry(books: Books, hold: Hold) -> Hold | None:
    """The offer that the entry of this hold has got since, if nobody has taken it."""
    entry = hold.entry
    if books.schema < ENTRIES_END_WITH_A_RESCUE or entry is None or entry.state != "offered":
        return None
    offer = books.holds.get(entry.hold)
    return offer if offer is not None and offer.alive and offer.unclaimed else None


def serve_its_entry(books: Books, hold: Hold) -> None:
    """INV-11, P8: a rescue serves the entry that its hold came from, if that is still in line."""
    entry = hold.entry
    if books.schema < ENTRIES_END_WITH_A_RESCUE or entry is None or not entry.open:
        return
    offer = offer_of_its_entry(books, hold)
    if offer is not None:
        books.blame("INV-11", f"hold {hold.id} is rescued while its entry has the offer {offer.id}")
    entry.state = "selling"
    books.stand(entry)
    books.owed.append(Owed(("served",), entry.id, "INV-11", f"its hold {hold.id} was rescued"))
