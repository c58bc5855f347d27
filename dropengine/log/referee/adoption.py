"""A guest becomes a person: what he had is the person's, and both together keep every limit
(INV-6, 7, 11, 15).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dropengine import events
from dropengine.log.layouts import ADOPTS
from dropengine.log.referee.books import BASE, Books, Entry, Fan, Hold, Owed
from dropengine.log.referee.money import remove_filled

GUESTS_MAX = 3


def _age(hold: Hold) -> tuple[int, str]:
    """Holds are numbered: h9 is older than h10."""
    return len(hold.id), hold.id


def _may(books: Books, e: events.Adopted, guest: Fan | None, person: Fan) -> None:
    """A2: a guest who did something, once, by somebody who is nobody's guest."""
    if books.schema < ADOPTS:
        books.blame("INV-15", f"{e.guest} is adopted in layout {books.schema}")
    if guest is None:
        books.blame("INV-15", f"{e.guest} is adopted, who never did anything")
    elif guest is person:
        books.blame("INV-15", f"{e.guest} adopts himself")
    elif guest.guests:
        books.blame("INV-15", f"{e.guest} is adopted, who is a person himself")
    if e.fan in books.adopted:
        books.blame("INV-15", f"{e.guest} is adopted by {e.fan}, who is a guest of another")
    if len(person.guests) >= GUESTS_MAX:
        books.blame("INV-15", f"{e.fan} adopts a guest more than {GUESTS_MAX}")


def _fits(books: Books, guest: Fan, person: Fan) -> None:
    """INV-6: together they keep the drop's limit and each item's (A1)."""
    assert books.rules is not None
    both = person.used + guest.used
    over = [f"{both} units"] if both > books.rules.limit else []
    for item in books.items.values():
        units = person.used_of.get(item.id, 0) + guest.used_of.get(item.id, 0)
        if item.limit and units > item.limit:
            over.append(f"{units} of {item.id}")
    if over:
        books.count["over_limit"] += 1
        books.blame("INV-6", f"{person.id} has {', '.join(over)} together with {guest.id}")


def _all_of(books: Books, e: events.Adopted, guest: Fan) -> None:
    """INV-15: the event names what the guest has, all of it and each thing once (A1)."""
    had = {
        "holds": [hold.id for hold in guest.holds if hold.alive],
        "orders": [hold.id for hold in guest.holds if hold.id in books.orders],
        "entries": [entry.id for entry in guest.line],
    }
    named = {"holds": e.holds, "orders": e.orders, "entries": e.entries}
    for kind, names in had.items():
        if sorted(names) != sorted(named[kind]):
            books.blame("INV-15", f"{e.guest} had {kind} {names}, {e.fan} gets {named[kind]}")


def _take_over(books: Books, guest: Fan, person: Fan) -> None:
    """A1: all that the one has becomes the other's; nothing is lost, nothing is there twice."""
    for hold in guest.holds:
        hold.fan = person
        order = books.orders.get(hold.id)
        if order is not None:
            order.fan = person
    for entry in guest.line:
        entry.fan = person
    person.holds = sorted(person.holds + guest.holds, key=_age)
    person.line = sorted(person.line + guest.line, key=lambda entry: entry.ordinal)
    person.used += guest.used
    person.bought += guest.bought
    for mine, others in (
        (person.used_of, guest.used_of),
        (person.bought_of, guest.bought_of),
    ):
        for item, units in others.items():
            mine[item] = mine.get(item, 0) + units
    # A5
    person.madegood = person.madegood or guest.madegood
    person.cohorts |= guest.cohorts
    person.begun_till = max(person.begun_till, guest.begun_till)
    books.fans[guest.id] = Fan(guest.id)


def _merge(books: Books, person: Fan) -> Entry | None:
    """INV-11: of two places in the base lanes the later arrival ends, and an offer that it had is
    taken before (A3). Which ends."""
    base = [entry for entry in person.line if entry.lane == BASE]
    # Whoever has no arrival yet comes behind whoever has one.
    base.sort(key=lambda entry: (not entry.n, entry.n, entry.ordinal))
    if len(base) < 2:
        return None
    gone = base[-1]
    hold = books.holds.get(gone.hold)
    if gone.state == "offered" and hold is not None and hold.alive and hold.unclaimed:
        because = f"the place of its entry {gone.id} ends"
        books.owed.append(Owed(("claimed",), hold.id, "INV-11", because))
    because = f"{person.id} stands in line before as {base[0].id}"
    books.owed.append(Owed(("removed",), gone.id, "INV-11", because, "merged"))
    return gone


def _adopted(books: Books, e: events.Adopted) -> None:
    guest, person = books.fans.get(e.guest), books.fan(e.fan)
    _may(books, e, guest, person)
    if guest is None or guest is person:
        return
    books.adopted[e.guest] = e.fan
    person.guests.append(e.guest)
    _fits(books, guest, person)
    _all_of(books, e, guest)
    _take_over(books, guest, person)
    for entry in person.line:
        books.stand(entry)
    remove_filled(books, person, but=_merge(books, person))


def nobody_else(books: Books, e: Any) -> None:
    """INV-15: a guest who was adopted does nothing under his own name any more (A4)."""
    fan = getattr(e, "fan", "")
    if fan in books.adopted or getattr(e, "guest", "") in books.adopted:
        books.blame("INV-15", f"an event of {fan} comes after {fan} or its guest was adopted")


def recount(books: Books) -> None:
    """INV-6: count what each person has who adopted a guest again, from holds and orders, and hold
    it against the limits (A1, H3); the guest has nothing."""
    if not books.adopted:
        return
    had: dict[str, dict[str, int]] = {}
    holds = [(hold.fan.id, hold.pool.item.id, hold.qty) for hold in books.alive()]
    orders = [(o.fan.id, o.pool.item.id, o.qty) for o in books.orders.values() if o.stands]
    for fan, item, qty in holds + orders:
        units = had.setdefault(fan, {})
        units[item] = units.get(item, 0) + qty
    for guest, person in books.adopted.items():
        if guest in had:
            books.blame("INV-15", f"{guest} has {had[guest]}, and is a guest whom {person} adopted")
    for person in dict.fromkeys(books.adopted.values()):
        units = had.get(person, {})
        for item, qty in units.items():
            if 0 < books.items[item].limit < qty:
                books.blame("INV-6", f"{person} has {qty} of {item}, beyond its limit")
        if books.rules is not None and sum(units.values()) > books.rules.limit:
            books.blame("INV-6", f"{person} has {sum(units.values())} units, beyond the limit")


CHECKS: dict[type[events.Event], Callable[[Books, Any], None]] = {events.Adopted: _adopted}
