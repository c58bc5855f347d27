"""What one script can have written, and what stands in one moment (INV-9, 11, 15).

A script settles what is due, serves the line, then decides, and serves the line once more. Only
fans' commands come in batches: the line is served when all of one is decided.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dropengine import events
from dropengine.log.referee.books import Books, Hold

GOING_ON = frozenset({"live", "paused", "closing"})
BATCH_MAX = 256
"""Fans' commands in one script (T5)."""
AT_ONCE = 64
"""Things that one script settles, and offers that it makes (T4): whoever needs more goes on in
the next one, perhaps a moment later."""


def nothing_is_due(books: Books) -> None:
    """INV-9, INV-15: a script settles all that is due before it does anything else (T2, T3)."""
    if books.cooling:
        books.thaw(books.at)
    if books.state not in GOING_ON:
        return
    late = books.overdue(books.at)
    if late is not None:
        books.blame(
            "INV-9", f"hold {late.id} is alive at {books.at}, its deadline was {late.deadline}"
        )
        # Said once: the deadline that nobody kept does not spoil every later line.
        books.set_deadline(late, books.at + 1)
    if books.closes_at <= books.at and books.state != "closing":
        books.blame("INV-15", f"the drop goes on at {books.at}, it closes at {books.closes_at}")
        books.closes_ms = 0
    if books.turns_at <= books.at and books.state != "closing":
        books.blame(
            "INV-15", f"the hours of the line turned at {books.turns_at}, and nothing tells it"
        )
        books.plan_calls()


def is_over(books: Books) -> bool:
    """Is nothing held any more in a drop that closes?"""
    return books.state == "closing" and not any(pool.held for pool in books.pools.values())


def all_is_settled(books: Books) -> None:
    """INV-15: whoever decides finds a closing drop settled, a cancelled one unwound (T10, T11)."""
    if is_over(books):
        books.blame("INV-15", "nothing is held and the closing drop is not settled")
    elif books.state == "cancelled" and (books.first_due() or books.first_sale()):
        books.blame("INV-15", "the cancelled drop still holds or has orders")


def left_free(books: Books) -> str:
    """Who should have been called by now, in words; '' when nobody can be, as in quiet hours."""
    called = books.pick() if books.state == "live" and books.in_demand and books.calls else None
    if called is None:
        return ""
    return f"{called[1].free} of {called[1].id} lie free while {called[0].id} is ready"


def end_moment(books: Books) -> None:
    """Time moves on, or the log ends: what was due at that moment is settled, and the line is
    served (L5), unless one script could not do all of it (T4)."""
    if books.settled_now < AT_ONCE:
        nothing_is_due(books)
        if books.offered_now < AT_ONCE and books.in_demand:
            free = left_free(books)
            if free:
                books.blame("INV-11", f"{free}, and time goes on")
    books.settled_now = books.offered_now = books.batch = 0
    books.unpaid.clear()


def first_round_is_over(books: Books) -> None:
    """INV-11: nothing is decided before the line was called for all that was free at the opening
    (D8)."""
    if books.first is not None and books.state == "live" and books.calls:
        books.blame("INV-11", "something is decided before the first round is over")
        books.first = None


def decide_alone(books: Books, _e: events.Event) -> None:
    """One command, one script: of a creator, a provider, or about a duty."""
    books.batch = 0
    first_round_is_over(books)
    nothing_is_due(books)
    all_is_settled(books)
    if books.in_demand:
        free = left_free(books)
        if free:
            books.blame("INV-11", free)


def decide_in_batch(books: Books, e: Any) -> None:
    """A fan's command: the next of its batch, or the first of one (T5)."""
    command = (e.fan, e.key)
    if books.batch and command == books.command:
        # `pay` for an offer that was not claimed writes two events.
        return
    books.command = command
    first_round_is_over(books)
    nothing_is_due(books)
    free = left_free(books) if books.in_demand else ""
    if (free or is_over(books)) and 0 < books.batch < BATCH_MAX:
        # Somebody before it in the same batch gave it back: that is for the end of the batch.
        books.batch += 1
        return
    if free:
        books.blame("INV-11", free)
    if books.state == "closing":
        all_is_settled(books)
    books.batch = 1


def call(books: Books, _e: events.Event) -> None:
    """The line is served when nothing is due any more; a batch is over then."""
    books.batch = 0
    books.offered_now += 1
    nothing_is_due(books)


def end_round(books: Books, _e: events.Event) -> None:
    """Said by the script that found nobody else to call."""
    books.batch = 0
    nothing_is_due(books)


def settle(books: Books, hold: Hold | None) -> None:
    """Something whose time has come: the earliest first, of one time the smaller name (T3)."""
    books.batch = 0
    books.settled_now += 1
    first = books.overdue(books.at)
    if hold is None or first is None:
        return
    if first is not hold:
        books.blame("INV-9", f"{hold.id} is settled before {first.id}, which was due before it")
    if books.closes_at <= hold.deadline and books.state in ("live", "paused"):
        books.blame("INV-15", f"{hold.id} is settled before the drop closes at {books.closes_at}")
        books.closes_ms = 0
    if books.turns_at < hold.deadline and books.state in ("live", "paused"):
        books.blame("INV-15", f"{hold.id} is settled before the hours turn at {books.turns_at}")
        books.plan_calls()


def settle_hold(books: Books, e: events.Expired | events.Lapsed | events.Extended) -> None:
    """A deadline of a hold or an offer."""
    hold = books.holds.get(e.hold)
    # What cools till then is ready before this hold ends, what cools longer is not.
    books.thaw(min(books.at, hold.deadline) if hold is not None else books.at)
    settle(books, hold)


def close(books: Books, _e: events.Event) -> None:
    """By the drop's own time, in its turn among what is due (T3, T8)."""
    books.batch = 0
    books.settled_now += 1
    first = books.overdue(books.at)
    if first is not None and first.deadline < books.closes_at:
        books.blame("INV-9", f"the drop closes before {first.id}, which was due before it")


def widen(books: Books, _e: events.Event) -> None:
    """It is opened to all, in its turn among what is due (T3, E5)."""
    assert books.rules is not None
    books.batch = 0
    books.settled_now += 1
    first, planned = books.overdue(books.at), books.rules.public_ms + books.lead
    if first is not None and first.deadline < planned:
        books.blame("INV-9", f"it is opened to all before {first.id}, which was due before it")


def turn(books: Books, _e: events.Event) -> None:
    """The hours of the line begin or end, in their turn among what is due (T3, L16)."""
    books.batch = 0
    books.settled_now += 1
    first = books.overdue(books.at)
    if first is not None and first.deadline < books.turns_at:
        books.blame("INV-9", f"the hours turn before {first.id}, which was due before it")


def unwind(books: Books, e: events.Released | events.Refunded) -> None:
    """T11: a cancelled drop ends its holds, the earliest deadline first, then refunds its
    orders."""
    books.batch = 0
    if books.state != "cancelled":
        books.blame("INV-15", f"{e.hold} ends by a creator in a drop that is {books.state}")
        return
    first = books.first_due()
    expected = first.id if first is not None else books.first_sale()
    if e.hold != expected:
        books.blame("INV-9", f"{e.hold} of a cancelled drop ends before {expected or 'nothing'}")


def begin(books: Books, _e: events.Event) -> None:
    """A script begins; nothing is decided yet. What was due is settled if another one did so at
    this moment."""
    books.batch = 0
    if 0 < books.settled_now < AT_ONCE:
        nothing_is_due(books)


def go_on_after_freeze(books: Books, _e: events.Event) -> None:
    """What the scripts of before did not do, or could not, is done after it."""
    books.batch = 0
    books.settled_now = AT_ONCE


def finish(books: Books, _e: events.Event) -> None:
    """Settled: the last thing when all that is due is settled (T10)."""
    books.batch = 0
    nothing_is_due(books)


def ask(books: Books, e: events.Asked) -> None:
    """A payment is silent at the first deadline of its holds."""
    payment = books.payments.get(e.payment)
    standing = payment.standing if payment is not None else []
    first = min(standing, key=lambda hold: (hold.deadline, hold.id), default=None)
    books.thaw(min(books.at, first.deadline) if first is not None else books.at)
    settle(books, first)


def goes_on_selling(books: Books, e: Any) -> bool:
    """Does a charge go on to say what it buys?"""
    judging = books.judging
    if judging is None:
        return False
    if isinstance(e, events.Declined):
        judging.gave_back = True
        return True
    return isinstance(e, events.Sale | events.Paid) and e.charge == judging.charge


def nothing(_books: Books, _e: events.Event) -> None:
    """What only ever follows from another event; its own check says whether it does."""


Place = Callable[[Books, Any], None]


def place_of(books: Books, e: Any) -> Place:
    """Where in a script an event stands that nothing before it asked for."""
    kind = type(e)
    if goes_on_selling(books, e):
        return nothing
    found = PLACES.get(kind)
    if found is not None:
        return found
    match e:
        case events.Extended():
            return decide_in_batch if e.why == "fan" else settle_hold
        case events.Offered():
            # In quiet hours it is a fan's press.
            return decide_in_batch if e.key else call
        case events.Released():
            return unwind if e.by == "creator" else decide_in_batch
        case events.Refunded():
            return decide_alone if e.key else unwind
        case events.Expired() if e.hold in books.unpaid:
            return nothing
        case events.PaymentBegun():
            # One of before there were payments is told by whatever touches it.
            return decide_in_batch if e.key else nothing
        case events.Expired():
            hold = books.holds.get(e.hold)
            asked = hold is not None and hold.looked and hold.deadline > e.at
            return decide_alone if asked else settle_hold
        case events.LobbyOpened() | events.Sealed():
            return begin if e.by == "clock" else decide_alone
        case events.Widened():
            return widen if e.by == "clock" else decide_alone
        case events.Opened() | events.Closed():
            by_clock = e.by == "clock"
            return decide_alone if not by_clock else close if kind is events.Closed else begin
        case events.Cancelled():
            return go_on_after_freeze if e.froze else decide_alone
        case events.Realigned():
            return begin if e.why == "outage" else decide_alone
    raise AssertionError(f"{kind.__name__} stands nowhere in a script")


PLACES: dict[type[events.Event], Place] = {
    events.Published: begin,
    events.Lifted: begin,
    events.Frozen: begin,
    events.Thawed: go_on_after_freeze,
    events.Rooted: decide_alone,
    events.Revealed: decide_alone,
    events.Ordered: decide_alone,
    events.Carried: decide_alone,
    events.Confirmed: decide_in_batch,
    events.Pointed: decide_alone,
    events.Allotted: end_round,
    events.Settled: finish,
    events.Calling: turn,
    events.Quiet: turn,
    events.Lapsed: settle_hold,
    events.Held: decide_in_batch,
    events.Claimed: decide_in_batch,
    events.Paying: decide_in_batch,
    events.Joined: decide_in_batch,
    events.Declined: decide_in_batch,
    events.Left: decide_in_batch,
    events.Paused: decide_alone,
    events.Resumed: decide_alone,
    events.Added: decide_alone,
    events.Withdrawn: decide_alone,
    events.Exempted: decide_alone,
    events.Restricted: decide_alone,
    events.Message: decide_alone,
    events.Rescheduled: decide_alone,
    events.Corrected: decide_alone,
    events.Sold: decide_alone,
    events.Rescued: decide_alone,
    events.Voided: decide_alone,
    events.Mismatched: decide_alone,
    events.Discharged: decide_alone,
    events.Paid: decide_alone,
    events.Unpaying: decide_in_batch,
    events.Swapped: decide_in_batch,
    events.Asked: ask,
    events.Unpaid: decide_alone,
    events.MoreTime: decide_alone,
    events.Reduced: decide_alone,
    events.CameBack: decide_alone,
    events.ChargedBack: decide_alone,
    events.Adopted: decide_alone,
    events.Enrolled: decide_alone,
    events.Cooled: nothing,
    events.Served: nothing,
    events.Dormant: nothing,
    events.Removed: nothing,
    events.LimitFreed: nothing,
}
