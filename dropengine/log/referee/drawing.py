"""A list that chance orders (INV-11, 12, 15): who stands in it, when it is sealed, and whether each
arrival is the one that the order gives, which is computed here anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dropengine import events
from dropengine.errors import DrawFault
from dropengine.log import draw
from dropengine.log.draw.sealed import NONCE_HEX
from dropengine.log.referee.books import Books, Entry
from dropengine.log.referee.drop import signed
from dropengine.randomness import CommitReveal


def enters(books: Books, entry: Entry, e: events.Joined) -> None:
    """D2: in a lobby an entry has no arrival yet, and stands in the list."""
    assert books.rules is not None
    if books.state != "lobby":
        if e.tickets or e.nonce:
            books.blame("INV-11", f"{e.entry} joins with {e.tickets} tickets and no list is open")
        return
    if not 1 <= e.tickets <= books.rules.tickets_most or not NONCE_HEX.fullmatch(e.nonce):
        most = books.rules.tickets_most
        books.blame("INV-11", f"{e.entry} enters with {e.tickets} of {most} tickets, {e.nonce!r}")
    entry.tickets, entry.nonce = e.tickets, e.nonce
    books.listed[entry.id] = entry


def leaves(books: Books, entry: Entry) -> None:
    """D3: before the seal it is struck off."""
    if books.state == "lobby":
        books.listed.pop(entry.id, None)


def _lobby_opened(books: Books, e: events.LobbyOpened) -> None:
    """D1."""
    signed(books, e, clock=True)
    assert books.rules is not None
    rules, now = books.rules, e.at - books.lead
    if rules.randomness is None:
        books.blame("INV-15", f"a list opens, and arrivals are those of {rules.mode}")
    if books.to_carry:
        books.blame("INV-11", "a list opens while places are to be carried over")
    begins = rules.opens_ms - (rules.window_ms if rules.mode == "lobby" else 0)
    if e.by == "clock" and (e.key or not (rules.opens_ms and begins <= now)):
        books.blame("INV-15", f"the clock opened the list at {now}, the rules say {begins}")
    planned = begins + rules.window_ms if rules.opens_ms else 0
    seals = planned if planned > now else now + rules.window_ms
    if e.seals != seals + books.lead:
        books.blame("INV-15", f"the list is to be sealed at {e.seals}, by the rules at {seals}")
    books.seals_ms = e.seals - books.lead
    books.state = "lobby"


def _sealed(books: Books, e: events.Sealed) -> None:
    """D3."""
    signed(books, e, clock=True)
    now = e.at - books.lead
    if e.by == "clock" and (e.key or now < books.seals_ms):
        books.blame("INV-15", f"the clock sealed the list at {now}, not at {books.seals_ms}")
    if e.entries != len(books.listed):
        books.blame("INV-11", f"{e.entries} entries are sealed, {len(books.listed)} stand there")
    books.sealed_ms, books.state, books.placed = now, "ordering", books.carried
    try:
        books.sealed = draw.Sealed(
            draw.Entry(entry.id, entry.tickets, bytes.fromhex(entry.nonce))
            for entry in books.listed.values()
        )
    except (DrawFault, ValueError) as fault:
        books.blame("INV-11", f"the list cannot be ordered: {fault}")


def _rooted(books: Books, e: events.Rooted) -> None:
    """D4."""
    if books.root:
        books.blame("INV-11", "the root of the list is told twice")
    if books.sealed is not None and e.root != books.sealed.root.hex():
        books.blame("INV-11", f"the root of the list is {books.sealed.root.hex()}, not {e.root}")
    books.root = e.root


def _revealed(books: Books, e: events.Revealed) -> None:
    """D5."""
    assert books.rules is not None
    source = books.rules.randomness
    told, books.revealed = books.revealed, True
    if told or not books.root:
        books.blame("INV-11", "it is revealed twice, or before the root of the list is told")
    if source is None or books.sealed is None:
        return
    try:
        revealed = bytes.fromhex(e.value)
        chance = draw.chance_of(source, books.sealed.root, revealed, sealed_ms=books.sealed_ms)
    except (DrawFault, ValueError) as fault:
        what = "secret" if isinstance(source, CommitReveal) else "round"
        books.blame("INV-11", f"the {what} that was revealed proves nothing: {fault}")
        return
    books.right_order = draw.order(books.sealed, chance)


def _ordered(books: Books, e: events.Ordered) -> None:
    """D6, G6."""
    if e.n != books.placed + 1:
        books.blame("INV-11", f"arrival {e.n} is given out after arrival {books.placed}")
    first = e.n - 1 - books.carried
    right = books.right_order[first : first + len(e.ids)] if first >= 0 else []
    for n, (name, rightful) in enumerate(zip(e.ids, right, strict=False), e.n):
        if name != rightful:
            books.blame("INV-11", f"arrival {n} is given to {name}, by the seal it is {rightful}'s")
            break
    if len(right) != len(e.ids):
        books.blame("INV-11", f"{len(e.ids)} arrivals from {e.n} on are not in the order")
    for n, name in enumerate(e.ids, e.n):
        entry = books.entries.get(name)
        if entry is None or entry.id not in books.listed or entry.n:
            books.blame("INV-11", f"{name} gets arrival {n} and is not in the list, or had one")
            continue
        entry.n = n
        books.stand(entry)
    books.placed = max(books.placed, e.n + len(e.ids) - 1)


def _allotted(books: Books, e: events.Allotted) -> None:
    """D8."""
    if books.first is None or e.offers != books.first:
        books.blame("INV-11", f"the first round had {books.first} offers, not {e.offers}")
    called = books.pick()
    if called is not None:
        books.blame("INV-11", f"the first round ends while {called[0].id} is ready")
    books.first = None


CHECKS: dict[type[events.Event], Callable[[Books, Any], None]] = {
    events.LobbyOpened: _lobby_opened,
    events.Sealed: _sealed,
    events.Rooted: _rooted,
    events.Revealed: _revealed,
    events.Ordered: _ordered,
    events.Allotted: _allotted,
}
