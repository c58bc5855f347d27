"""Judge an exported log alone: every invariant that a table of events can show, event by event.

Nothing but the table of events is used: not the scripts, not the stored state. A line that cannot
be read is a violation like any other, never a fault of the referee.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterable, Iterator

import msgspec

from dropengine import events
from dropengine.log.referee import (
    adoption,
    carrying,
    drawing,
    drop,
    early,
    holds,
    line,
    money,
    payments,
    refunds,
)
from dropengine.log.referee.books import Books
from dropengine.log.referee.moments import GOING_ON, end_moment, place_of
from dropengine.log.referee.report import Verdict

_AFTER_OPENING = frozenset({"live", "paused", "closing", "settled", "cancelled"})
_IN_LIST = frozenset({"lobby", "ordering"})
_BEFORE_CLOSING = frozenset({"scheduled", "live", "paused"}) | _IN_LIST
_LIVE = frozenset({"live"})

_PHASES: dict[type[events.Event], frozenset[str]] = {
    events.Published: frozenset({"draft"}),
    events.Lifted: _BEFORE_CLOSING | {"closing", "settled", "cancelled", "frozen"},
    events.LobbyOpened: frozenset({"scheduled"}),
    events.Sealed: frozenset({"lobby"}),
    events.Rooted: frozenset({"ordering"}),
    events.Revealed: frozenset({"ordering"}),
    events.Ordered: frozenset({"ordering"}),
    events.Carried: frozenset({"scheduled"}),
    events.Confirmed: _BEFORE_CLOSING,
    events.Opened: frozenset({"scheduled", "ordering"}),
    events.Allotted: _LIVE,
    events.Widened: frozenset({"live", "paused"}),
    events.Enrolled: _BEFORE_CLOSING,
    events.Paused: frozenset({"live", "paused"}),
    events.Resumed: frozenset({"paused"}),
    events.Realigned: _BEFORE_CLOSING | {"closing"},
    # A change that was written by half, or a restore, freezes without an event.
    events.Thawed: _BEFORE_CLOSING | {"closing", "settled", "cancelled", "frozen"},
    events.Added: _BEFORE_CLOSING,
    events.Withdrawn: _BEFORE_CLOSING,
    events.Exempted: _BEFORE_CLOSING | {"closing"},
    events.Restricted: _BEFORE_CLOSING | {"closing"},
    events.Message: _BEFORE_CLOSING | {"closing"},
    events.Rescheduled: _BEFORE_CLOSING,
    events.Corrected: _BEFORE_CLOSING | {"closing", "settled"},
    events.Closed: frozenset({"live", "paused"}),
    events.Cancelled: _BEFORE_CLOSING | {"closing", "frozen"},
    events.Settled: frozenset({"closing"}),
    events.Calling: frozenset({"live", "paused"}),
    events.Quiet: frozenset({"live", "paused"}),
    events.Frozen: _BEFORE_CLOSING | {"closing"},
    events.Held: _LIVE,
    events.Claimed: GOING_ON,
    events.Extended: GOING_ON,
    events.Paying: GOING_ON,
    events.Released: GOING_ON | {"cancelled"},
    events.Expired: GOING_ON,
    events.Sold: GOING_ON,
    events.Rescued: GOING_ON,
    events.Voided: _AFTER_OPENING,
    events.Mismatched: _AFTER_OPENING,
    events.Paid: GOING_ON,
    events.PaymentBegun: _AFTER_OPENING,
    events.Unpaying: GOING_ON,
    events.Asked: GOING_ON,
    events.Unpaid: GOING_ON,
    events.MoreTime: GOING_ON,
    events.Swapped: _LIVE,
    events.Reduced: _AFTER_OPENING,
    events.CameBack: _AFTER_OPENING,
    events.ChargedBack: _AFTER_OPENING,
    events.Refunded: _AFTER_OPENING,
    events.Discharged: _AFTER_OPENING,
    events.Joined: frozenset({"scheduled", "lobby", "live", "paused"}),
    events.Pointed: frozenset({"scheduled", "live", "paused"}) | _IN_LIST,
    events.Offered: _LIVE,
    events.Declined: GOING_ON,
    events.Lapsed: GOING_ON,
    events.Cooled: GOING_ON,
    events.Served: GOING_ON,
    events.Dormant: GOING_ON,
    events.Left: GOING_ON | _IN_LIST | {"scheduled", "settled"},
    events.Removed: GOING_ON | _IN_LIST | {"scheduled", "settled", "cancelled"},
    events.Adopted: _AFTER_OPENING | _IN_LIST | {"scheduled"},
    events.LimitFreed: _AFTER_OPENING,
}
"""Each event: the stored states of a drop that it may happen in (INV-15, T9)."""

_CHECKS = drop.CHECKS | drawing.CHECKS | holds.CHECKS | money.CHECKS | line.CHECKS | adoption.CHECKS
_CHECKS |= early.CHECKS | carrying.CHECKS | payments.CHECKS | refunds.CHECKS


def debts(books: Books, e: events.AnyEvent) -> None:
    """Events that follow from another come right after it, in their order; but whoever leaves says
    so when all that follows from his giving back is said."""
    name = type(e).__name__.lower()
    match e:
        case events.Joined() | events.Rescued():
            who: str | None = e.fan
        case events.Claimed() | events.Paying():
            who = e.hold
        case _:
            who = getattr(e, "entry", None)
    for place, owed in enumerate(books.owed):
        if name in owed.kinds and who == owed.who:
            if isinstance(e, events.Left) and (len(books.owed) > 1 or owed.key != e.key):
                break
            if isinstance(e, events.Removed) and owed.key != e.why:
                break
            if isinstance(e, events.Claimed | events.Paying) and owed.key != e.key:
                break
            for before in books.owed[:place]:
                before.kinds = ("left",)
            del books.owed[place]
            books.follows = True
            return
        if "left" not in owed.kinds:
            break
    complain(books)


def complain(books: Books) -> None:
    """What should have followed did not."""
    for owed in books.owed:
        books.blame(
            owed.inv, f"{' or '.join(owed.kinds)} of {owed.who} does not follow: {owed.because}"
        )
    books.owed.clear()


def sequence(books: Books, e: events.AnyEvent) -> None:
    """INV-5: 1, 2, 3 ... and time never falls (T1, T12)."""
    expected = books.seq + 1
    books.seq = e.seq
    if e.seq != expected:
        books.count["log_gaps"] += 1
        books.blame("INV-5", f"seq {e.seq} stands where {expected} belongs")
    if e.at < books.at:
        books.blame("INV-5", f"time falls from {books.at} to {e.at}")
    if e.at > books.at:
        if books.owed:
            complain(books)
        end_moment(books)
        books.at = e.at


def somebodys(books: Books, e: events.AnyEvent) -> None:
    """What is about a fan names one, and what has a hash tells it."""
    for name in ("fan", "hash"):
        if getattr(e, name, None) == "":
            books.blame("INV-15", f"{type(e).__name__.lower()} with an empty {name}")


def take(books: Books, e: events.AnyEvent) -> None:
    """One event more."""
    sequence(books, e)
    kind = type(e)
    if books.rules is None and kind is not events.Published:
        books.blame("INV-15", f"{kind.__name__.lower()} before anything was published")
        return
    somebodys(books, e)
    books.follows = False
    if books.owed:
        debts(books, e)
    if books.adopted:
        adoption.nobody_else(books, e)
    if books.judging is not None:
        payments.still_told(books, e)
    if not books.follows:
        place_of(books, e)(books, e)
    if books.state not in _PHASES[kind]:
        books.blame("INV-15", f"{kind.__name__.lower()} in a drop that is {books.state}")
    _CHECKS[kind](books, e)


def recount(books: Books) -> None:
    """INV-1, INV-2: count every pool again (H9) from holds and orders, compare with its
    counters."""
    held = dict.fromkeys(books.pools, 0)
    sold = dict.fromkeys(books.pools, 0)
    for hold in books.alive():
        held[hold.pool.id] += hold.qty
    for order in books.orders.values():
        if order.stands:
            sold[order.pool.id] += order.qty
    for pool in books.pools.values():
        if (held[pool.id], sold[pool.id]) != (pool.held, pool.sold) or not pool.conserves():
            books.blame(
                "INV-1",
                f"{pool.id}: free {pool.free} + held {held[pool.id]} + sold {sold[pool.id]} + "
                f"withheld {pool.withheld} is not its cap {pool.cap}",
            )
        over = held[pool.id] + sold[pool.id] - pool.cap
        if over > 0:
            books.count["oversold"] = max(books.count["oversold"], over)
            books.blame("INV-2", f"{pool.id} is oversold by {over}")


def kept(books: Books) -> int:
    """What the standing orders, and the ways of payments that have one, are worth; a capture that
    failed brought nothing, or less."""
    alone = sum(
        books.captured_of.get(order.charge, 0) if order.state == "capture_failed" else order.amount
        for order in books.orders.values()
        if order.stands and not order.payment
    )
    together = (one.kept for one in books.payments.values() if one.charge in books.captured_of)
    return alone + sum(together)


def conclude(books: Books, *, closed: bool) -> None:
    """What must hold at the end of a log (P14); `closed`: and of a run that was played to its
    end."""
    complain(books)
    payments.conclude(books)
    end_moment(books)
    recount(books)
    adoption.recount(books)
    early.recount(books)
    balance = sum(books.captured_of.values()) - sum(books.refunded_of.values())
    balance += sum(books.short_of.values()) - sum(books.charged_back_of.values())
    by_hand, given_up = sum(books.by_hand_of.values()), sum(books.given_up_of.values())
    if not books.outbox and balance - by_hand != kept(books) + given_up:
        books.blame(
            "INV-10",
            f"{balance} was kept, {by_hand} of it given back by hand, for orders worth "
            f"{kept(books)} and {given_up} that was given up",
        )
    if not closed:
        return
    if books.state not in ("settled", "cancelled"):
        books.blame("INV-9", f"the run ended in a drop that is {books.state}")
    for hold in books.alive():
        books.blame("INV-9", f"hold {hold.id} never ended")
    for duty in books.outbox:
        books.blame("INV-10", f"duty {duty} was never done")
    if books.state == "cancelled":
        for order in books.orders.values():
            if order.stands and order.state != "charged_back":
                books.blame("INV-10", f"order {order.hold} of a cancelled drop was never refunded")


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """No garbage collection meanwhile: books only grow, and walking a million records again and
    again takes two thirds of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def judge(lines: Iterable[bytes], *, closed: bool = False) -> Verdict:
    """Judge an exported log, one event's JSON text per line.

    closed: the run was played to its end, so nothing may be held, owed or undone any more. Without
    it any beginning of an honest log is honest that ends where a script ended.
    """
    books = Books()
    with uncollected():
        first_ms = read(books, lines)
        lines_read, books.line = books.line, 0
        conclude(books, closed=closed)
    return verdict(books, lines_read, first_ms)


def read(books: Books, lines: Iterable[bytes]) -> int:
    """Every line into the books; the time of the first event."""
    decode = msgspec.json.Decoder(events.AnyEvent).decode
    first_ms = 0
    for number, text in enumerate(lines, 1):
        books.line = number
        try:
            event: events.AnyEvent = decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            books.seq += 1
            known = isinstance(error, msgspec.ValidationError)
            why = "nested too deep" if isinstance(error, RecursionError) else str(error)
            books.blame("INV-15" if known else "INV-5", f"the line is no event: {why}")
            continue
        take(books, event)
        first_ms = first_ms or event.at
    if not books.line:
        books.blame("INV-5", "the log is empty")
    return first_ms


def verdict(books: Books, lines: int, first_ms: int) -> Verdict:
    """The books in numbers."""
    pools, count = books.pools.values(), books.count
    captured, refunded = sum(books.captured_of.values()), sum(books.refunded_of.values())
    return Verdict(
        drop=books.rules.id if books.rules else "",
        state=books.state,
        currency=books.rules.currency if books.rules else "",
        events=lines,
        last_seq=books.seq,
        first_ms=first_ms,
        last_ms=books.at,
        cap=sum(pool.cap for pool in pools),
        sold=sum(pool.sold for pool in pools),
        held=sum(pool.held for pool in pools),
        free=sum(pool.free for pool in pools),
        oversold=count["oversold"],
        distinct_serials=sum(len(item.given) for item in books.items.values()),
        fans=len(books.fans) - len(books.adopted),
        holds=count["holds"],
        expired=count["expired"],
        released=count["released"],
        offers=count["offers"],
        offers_claimed=count["offers_claimed"],
        offers_lapsed=count["offers_lapsed"],
        joined=count["joined"],
        orders=count["orders"],
        rescued=count["rescued"],
        voided=count["voided"],
        refunds=count["refunds"],
        over_limit=count["over_limit"],
        overtaken=count["overtaken"],
        log_gaps=count["log_gaps"],
        late_ms_max=count["late_ms_max"],
        outbox=len(books.outbox),
        captured=captured,
        refunded=refunded,
        captured_minus_refunded=captured - refunded,
        by_hand=sum(books.by_hand_of.values()),
        given_up=sum(books.given_up_of.values()),
        orders_total=kept(books),
        violations_total=count["violations"],
        violations=books.violations,
    )
