"""Payments of several holds: begun, given up, asked about, ended, judged (INV-7, 9, 10, 15).

A hold is in at most one open payment. What a charge buys is told hold by hold, closed by `paid`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dropengine import events
from dropengine.log.layouts import PAYS_TOGETHER
from dropengine.log.referee import early
from dropengine.log.referee.books import Books, Hold, Judgement, Owed, Payment, Pool
from dropengine.log.referee.drop import commanded_once, once
from dropengine.log.referee.holds import (
    ask_to_cancel,
    attached,
    by_its_fan,
    deadline_is,
    from_free,
    in_pace,
    living,
    within,
)
from dropengine.log.referee.late import could_buy


def way_of(books: Books, way: str) -> events.PublishedWay | None:
    """The way of the drop that is called so."""
    assert books.rules is not None
    return next((one for one in books.rules.ways if one.id == way), None)


def share_of(books: Books, payment: Payment, hold: Hold) -> int:
    """P13: what the units of a hold cost by the way of its payment."""
    way = way_of(books, payment.way)
    return hold.qty * max(0, hold.price - (way.off if way is not None else 0))


def was_late(books: Books, hold: Hold) -> bool:
    """May its payment still buy it, though it has ended?"""
    late = hold.state == "expired" and hold.began and not hold.judged
    return late and hold.id not in books.orders


def close(books: Books, payment: Payment, state: str) -> None:
    """It is open no more: where it bought nothing its holds are their fan's to pay anew."""
    assert books.rules is not None
    rules = books.rules
    for hold in payment.standing:
        if payment.by_hand:
            hold.pool.hand -= hold.qty
        if state == "ended":
            hold.state, hold.looked = "active", False
            deadline, hold.own = hold.own or hold.deadline, 0
            if payment.by_hand:
                deadline = min(deadline, hold.start + 2 * rules.hold_ms + rules.pay_ms)
            books.set_deadline(hold, deadline)
    payment.state = state


def opened(books: Books, e: Any, what: str) -> Payment | None:
    """The fan's payment if it is open; INV-10 when it is not."""
    payment = books.payment_of(e.payment, e.fan)
    if payment is not None and payment.state != "open":
        books.blame("INV-10", f"payment {e.payment} is {what} after it was {payment.state}")
        return None
    return payment


def _begun(books: Books, e: events.PaymentBegun) -> None:
    """P12, P13; with key '' what was begun before there were payments goes on as one."""
    assert books.rules is not None
    if books.schema < PAYS_TOGETHER:
        books.blame("INV-15", f"payment {e.payment} is begun in a drop of layout {books.schema}")
    expected = f"p{len(books.payments) + 1}"
    if e.payment != expected:
        books.blame("INV-10", f"payment {e.payment} is begun where {expected} is the next")
    holds = [hold for name in e.holds if (hold := books.hold_of(name, e.fan)) is not None]
    if not holds or len(holds) != len(e.holds) or len({*e.holds}) != len(e.holds):
        books.blame("INV-10", f"payment {e.payment} is for {e.holds}")
        if not holds or e.payment in books.payments:
            return
    payment = Payment(e.payment, holds, e.way, e.amount, bool(e.all), e.provider)
    right = sum(share_of(books, payment, hold) for hold in holds)
    way = way_of(books, e.way)
    right += way.amount if way is not None else 0
    if e.amount != right:
        books.blame("INV-10", f"payment {e.payment} is of {e.amount}, what it is for costs {right}")
    if e.key:
        _by_its_fan(books, e, payment)
    else:
        _adopt(books, e, payment)
    books.payments[e.payment] = payment


def _by_its_fan(books: Books, e: events.PaymentBegun, payment: Payment) -> None:
    for hold in payment.holds:
        other = books.payments.get(hold.payment)
        if not hold.alive:
            books.blame("INV-9", f"hold {hold.id} is to be paid after it was {hold.state}")
        if hold.unclaimed:
            books.blame("INV-9", f"hold {hold.id} is to be paid before it was claimed")
        if other is not None and other.state == "open":
            books.blame("INV-10", f"hold {hold.id} is in {other.id}, which is open")
        hold.payment = e.payment
        because = f"payment {e.payment} is begun for it"
        books.owed.append(Owed(("paying",), hold.id, "INV-10", because, e.key))
    _goes(books, e, payment)
    if payment.by_hand:
        _has_room(books, payment)


def _goes(books: Books, e: events.PaymentBegun, payment: Payment) -> None:
    """P13: the way is one of the drop's, and leads to where its units are."""
    assert books.rules is not None
    way = way_of(books, e.way)
    if way is None:
        if e.way or books.rules.ways:
            books.blame("INV-15", f"payment {e.payment} goes by the way {e.way!r}, which is none")
        return
    for hold in payment.holds:
        _, _, node = hold.pool.id.partition("@")
        if way.nodes and node and node not in way.nodes:
            books.blame("INV-15", f"{hold.pool.id} is at {node}, where {e.way} does not lead")


def _has_room(books: Books, payment: Payment) -> None:
    """P22, P23: by hand only where the drop says so, and at most its share of a pool."""
    assert books.rules is not None
    rules = books.rules
    if not rules.hand_ms:
        books.blame("INV-15", f"payment {payment.id} is by hand, which this drop does not take")
    for hold in payment.holds:
        pool = hold.pool
        pool.hand += hold.qty
        most = max(1, pool.cap * rules.hand_share // 100)
        if pool.hand > most:
            books.blame(
                "INV-6", f"{pool.hand} of {pool.id} are being paid by hand, {most} at most may be"
            )


def _adopt(books: Books, e: events.PaymentBegun, payment: Payment) -> None:
    hold = payment.holds[0]
    fresh = not hold.payment and hold.id not in books.orders and not hold.judged
    if not fresh or len(payment.holds) != 1 or e.provider or e.way or e.all:
        books.blame("INV-10", f"payment {e.payment} of nobody's command is none of before")
    hold.payment, payment.looked = e.payment, hold.looked
    payment.until = hold.own or hold.deadline
    if hold.alive:
        hold.state, hold.began = "paying", True
    else:
        payment.state = "ended"
    if books.outbox.pop(f"lookup:{hold.id}", None) is not None:
        ask_to_cancel(books, payment)


def _unpaying(books: Books, e: events.Unpaying) -> None:
    """P17."""
    by_its_fan(books, e)
    payment = opened(books, e, "given up")
    if payment is None:
        return
    if payment.leaving:
        books.blame("INV-10", f"payment {e.payment} is given up twice")
    payment.leaving = True
    ask_to_cancel(books, payment)


def _asked(books: Books, e: events.Asked) -> None:
    """P16: once, at the first deadline of its holds, for as long as the rules say."""
    assert books.rules is not None
    payment = opened(books, e, "asked about")
    if payment is None:
        return
    standing = payment.standing
    if payment.looked or not any(hold.deadline <= e.at for hold in standing):
        books.blame("INV-9", f"payment {e.payment} is not a silent one at its deadline")
    deadline_is(books, e.deadline, e.at + max(books.rules.lookup_ms, 1), f"payment {e.payment}")
    payment.looked = True
    for hold in standing:
        hold.own, hold.looked = hold.own or hold.deadline, True
        books.set_deadline(hold, e.deadline)
    ask_to_cancel(books, payment)


def _unpaid(books: Books, e: events.Unpaid) -> None:
    """P16, P17: nobody paid; what is past its own deadline expires at once."""
    payment = opened(books, e, "cancelled")
    if payment is None:
        return
    standing = payment.standing
    close(books, payment, "ended")
    books.outbox.pop(f"cancel:{e.payment}", None)
    books.unpaid |= {hold.id for hold in standing if hold.deadline <= e.at}


def _more_time(books: Books, e: events.MoreTime) -> None:
    """P24."""
    assert books.rules is not None
    commanded_once(books, e.by, e.key)
    payment = opened(books, e, "given more time")
    if payment is None:
        return
    if not payment.by_hand or payment.more or payment.looked:
        books.blame("INV-9", f"payment {e.payment} is given more time twice, late or not by hand")
    deadline_is(books, e.deadline, payment.until + books.rules.hand_ms, f"payment {e.payment}")
    payment.more, payment.until = True, e.deadline
    for hold in payment.standing:
        books.set_deadline(hold, e.deadline)


def _swapped(books: Books, e: events.Swapped) -> None:
    """H13: a press for the new pool with what it gives up, at the same price and deadline."""
    once(books, e.fan, e.key, e.hold)
    hold = living(books, e.hold, e.fan, "swapped")
    to = books.pool_named(e.to)
    if hold is None or to is None:
        return
    was, fan = hold.pool, hold.fan
    in_pace(books, fan, e.at)
    early.may_begin(books, fan)
    if hold.unclaimed or hold.state != "active":
        books.blame("INV-9", f"hold {e.hold} is swapped while it is {hold.state} or unclaimed")
    if (e.pool, e.qty) != (was.id, hold.qty) or to is was:
        books.blame("INV-1", f"{e.qty} of {e.pool} become {e.to}, hold {e.hold} has {hold.qty}")
    if to.item.price != hold.price:
        books.blame("INV-10", f"{e.to} costs {to.item.price}, hold {e.hold} {hold.price}")
    ahead = books.first_ready(to) if to.ready else None
    if ahead is not None:
        books.count["overtaken"] += 1
        books.blame("INV-11", f"{e.hold} is swapped to {to.id} while {ahead.id} was ready")
    if hold.qty > to.item.most:
        books.blame("INV-6", f"a swap of {hold.qty} is above {to.item.most} of {to.item.id}")
    _give_up(hold, was)
    _take_up(books, hold, to, e.cohort)


def _give_up(hold: Hold, was: Pool) -> None:
    hold.count(-hold.qty)
    was.held -= hold.qty
    was.free += hold.qty
    entry = attached(hold)
    if entry is not None and entry.added:
        was.calls -= 1
        entry.added = False


def _take_up(books: Books, hold: Hold, to: Pool, cohort: str) -> None:
    fan, item, qty = hold.fan, hold.pool.item, hold.qty
    # As if what he gives up were back.
    fan.used -= qty
    fan.used_of[item.id] = fan.used_of.get(item.id, 0) - qty
    within(books, fan, to.item, qty)
    fan.used_of[item.id] += qty
    hold.pool, hold.cohort = to, cohort
    early.counts(books, fan, to, qty, cohort)
    hold.count(qty)
    from_free(books, to, qty)
    to.held += qty
    # Both at once: he is told of room for the one item alone.
    fan.used += 2 * qty
    fan.used_of[to.item.id] = fan.used_of.get(to.item.id, 0) + qty
    books.take(fan, item, -qty)


def begin_judgement(books: Books, e: events.Sale) -> Judgement | None:
    """The judgement that a sale belongs to: the one at hand, or a new one."""
    if books.judging is not None and books.judging.charge == e.charge:
        return books.judging
    conclude(books)
    payment = books.payment_of(e.payment, e.fan)
    if payment is None:
        return None
    if payment.state == "paid" or payment.judged:
        books.blame("INV-10", f"charge {e.charge} buys by {payment.id}, which was judged before")
    judging = Judgement(e.charge, payment, payment.standing)
    if payment.state == "open":
        close(books, payment, "paid")
    payment.judged = True
    books.judging = judging
    return judging


def sells(books: Books, e: events.Sale) -> Judgement | None:
    """P13, P14: the holds of a payment are judged in their order, each at its share."""
    judging = begin_judgement(books, e)
    if judging is None:
        return None
    payment = judging.payment
    if e.payment != payment.id:
        books.blame("INV-10", f"charge {e.charge} of {payment.id} buys for {e.payment}")
    names = [hold.id for hold in payment.holds]
    if e.intent not in names[judging.at :]:
        books.blame("INV-10", f"{payment.id} buys {e.intent} out of its order, or not its own")
        return judging
    place = names.index(e.intent)
    passed(books, judging, place)
    judging.at = place + 1
    intent = payment.holds[place]
    stood = intent in judging.standing
    if stood != (intent.id == e.hold and isinstance(e, events.Sold)):
        books.blame("INV-10", f"{payment.id} buys {e.hold} for {intent.id}, which was otherwise")
    if not stood and not was_late(books, intent):
        books.blame("INV-9", f"hold {intent.id} is {intent.state} and cannot be bought late")
    share = share_of(books, payment, intent)
    if e.amount != share:
        books.blame("INV-10", f"{e.hold} is sold for {e.amount}, its share is {share}")
    return judging


def passed(books: Books, judging: Judgement, till: int) -> None:
    """P14: a hold that stood is sold, a late one if it can be had."""
    for hold in judging.payment.holds[judging.at : till]:
        if hold in judging.standing:
            books.blame("INV-10", f"{judging.payment.id} was paid, and its {hold.id} is not sold")
        elif was_late(books, hold) and not judging.gave_back and (why := could_buy(books, hold)):
            books.blame("INV-10", f"{judging.payment.id} does not buy {hold.id} though {why}")


def still_told(books: Books, e: events.Event) -> None:
    """INV-10: whatever a charge buys is told in one go, closed by `paid`."""
    told = (
        events.Sale
        | events.Paid
        | events.Served
        | events.Removed
        | events.Declined
        | events.Dormant
        | events.Cooled
        | events.LimitFreed
    )
    if not isinstance(e, told):
        conclude(books)


def conclude(books: Books) -> None:
    """A charge told what it buys, and `paid` does not follow."""
    if books.judging is not None:
        books.blame("INV-10", f"what {books.judging.charge} buys is not closed by paid")
        books.judging = None


def _paid(books: Books, e: events.Paid) -> None:
    """P14, P15."""
    judging, books.judging = books.judging, None
    payment = books.payment_of(e.payment, e.fan)
    if payment is None:
        return
    if judging is None or judging.charge != e.charge or judging.payment is not payment:
        books.blame("INV-10", f"charge {e.charge} of {e.payment} bought nothing and is closed")
        return
    passed(books, judging, len(payment.holds))
    if payment.all and len(judging.orders) != len(payment.holds):
        books.blame("INV-10", f"{e.payment} was for all or nothing, and buys a part")
    way = way_of(books, payment.way)
    fee = way.amount if way is not None else 0
    kept = sum(order.amount for order in judging.orders) + fee
    if (e.amount, e.kept, e.way) != (payment.amount, kept, fee):
        books.blame(
            "INV-10",
            f"{e.payment} keeps {e.kept} ({e.way} for its way) of {e.amount}: "
            f"{kept} ({fee}) of {payment.amount} are the shop's",
        )
    payment.charge, payment.kept, payment.way_kept = e.charge, e.kept, e.way
    _owe(books, e, payment, judging)


def _owe(books: Books, e: events.Paid, payment: Payment, judging: Judgement) -> None:
    """P15: what is kept is captured once; what is not goes back once."""
    taken = e.capture == "done"
    if e.capture not in ("done", "pending", "void") or (e.capture == "void") != (
        not taken and e.kept == 0
    ):
        books.blame("INV-10", f"charge {e.charge} is captured {e.capture!r}, {e.kept} are kept")
    for order in judging.orders:
        if (order.state == "capture_pending") != (not taken and order.amount > 0):
            books.blame("INV-10", f"order {order.hold} is {order.state}, {e.charge} {e.capture}")
    first, name = payment.holds[0].id, payment.id
    payment.asked = e.amount if taken else e.kept
    if taken:
        books.captured_of[e.charge] = e.amount
        if e.amount > e.kept:
            books.owe_outside("refund", f"{name}:late", first, e.charge, e.amount - e.kept, name)
    elif e.kept:
        books.owe_outside("capture", name, first, e.charge, e.kept, name)
    elif e.amount:
        books.owe_outside("void", e.charge, first, e.charge, e.amount, name)
    if e.amount:
        ask_to_cancel(books, payment)


CHECKS: dict[type[events.Event], Callable[[Books, Any], None]] = {
    events.PaymentBegun: _begun,
    events.Unpaying: _unpaying,
    events.Asked: _asked,
    events.Unpaid: _unpaid,
    events.MoreTime: _more_time,
    events.Swapped: _swapped,
    events.Paid: _paid,
}
