"""Places that are carried over from an earlier drop (INV-11): they come before the opening, in the
order of that drop's list, each once, and are called only when they are confirmed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from dropengine import events
from dropengine.log.referee.books import BASE, Books, Fan, Pool

ENTRY = re.compile(r"e([1-9][0-9]*)")


def carries(books: Books, fan: Fan, e: events.Joined, pools: list[Pool]) -> None:
    """K3."""
    if not books.to_carry or books.state != "scheduled":
        books.blame("INV-11", f"{e.entry} is carried over, and nothing is to be")
    if (e.lane, e.points, e.key) != (BASE, 0, "") or not ENTRY.fullmatch(e.of):
        books.blame("INV-15", f"{e.entry} is carried over from {e.of!r} into lane {e.lane}")
    if e.of in books.carried_from or fan.line:
        books.blame("INV-7", f"{e.of} of {e.fan} is carried over a second time")
    books.carried_from.add(e.of)
    if e.qty < 1 or any(e.qty > pool.item.most for pool in pools):
        books.blame("INV-6", f"entry {e.entry} is carried over for {e.qty} units")


def _carried(books: Books, e: events.Carried) -> None:
    """K3."""
    if not books.to_carry:
        books.blame("INV-11", "places are carried over, and none are to be")
    if books.carry_of not in (None, e.of):
        books.blame("INV-11", f"the list has {e.of} entries, and had {books.carry_of}")
    if e.first != books.carry_looked + 1 or not min(e.first, e.of) <= e.last <= e.of:
        books.blame("INV-11", f"{e.first} to {e.last} follow {books.carry_looked} of {e.of}")
    new = e.n - books.carried
    if e.n != books.arrivals or not 0 <= new <= e.last - e.first + 1:
        books.blame("INV-11", f"{e.n} have a place after {books.carried}, {books.arrivals} joined")
    books.carry_looked, books.carry_of, books.carried = e.last, e.of, e.n


def _confirmed(books: Books, e: events.Confirmed) -> None:
    """K4."""
    entry = books.entry_of(e.entry, e.fan)
    if entry is None:
        return
    if not entry.asked or not entry.open:
        books.blame("INV-11", f"{e.entry} is confirmed, and nobody asked")
    entry.asked = False
    books.stand(entry)


CHECKS: dict[type[events.Event], Callable[[Books, Any], None]] = {
    events.Carried: _carried,
    events.Confirmed: _confirmed,
}
