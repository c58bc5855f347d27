"""Money and serials: sales, rescues, payments that buy nothing, refunds, duties (INV-2, 4, 6, 10).

Every charge has one outcome; every unit sold carries the lowest serial that nobody has.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop
from itertools import count
from typing import Any

from dropengine import events
from dropengine.log.layouts import (
    ASKS_AFTER_A_SALE,
    ASKS_AT_EVERY_END,
    ENDS_DUTIES_BY_HAND,
    ENTRIES_SERVABLE,
    KEEPS_REFUND_KEYS,
    NOTHING_OWES_NOTHING,
    NUMBERS_CHARGES,
    PAYS_TOGETHER,
    TELLS_CURRENCIES,
    TWO_LANES,
)
from dropengine.log.referee import early, payments, refunds
from dropengine.log.referee.books import Books, Entry, Fan, Hold, Item, Order, Owed, Payment, Pool
from dropengine.log.referee.drop import commanded_once
from dropengine.log.referee.holds import (
    ask_to_cancel,
    asked,
    attached,
    filled,
    from_free,
    leave,
    within,
)
from dropengine.log.referee.late import (
    ahead,
    buys_the_first,
    could_buy,
    first_equal,
    serve_its_entry,
)

BACK = ("refunded", "refund_failed")
"""The money of an order in one of these states moves no more."""


def _charge_once(books: Books, charge: str, outcome: str) -> None:
    """P3, P15."""
    if charge in books.charges:
        books.blame("INV-10", f"charge {charge} was {books.charges[charge]}, now it is {outcome}")
    elif books.schema >= NUMBERS_CHARGES and charge != (number := _next_number(books)):
        books.blame("INV-10", f"a charge is called {charge} where {number} is the next")
    books.charges[charge] = outcome


def _next_number(books: Books) -> str:
    """One more than there are charges, or the first after that which is the name of none: an older
    layout may have told of one that its provider called so."""
    known = len(books.charges)
    return next(name for n in count(known + 1) if (name := f"c{n}") not in books.charges)


WORTH_NOTHING = "voided, of nothing"


def owes(books: Books, amount: int) -> bool:
    """Is there a duty to move an amount? Older engines had one for 0 as well."""
    return amount > 0 or books.schema < NOTHING_OWES_NOTHING


def moved(books: Books, order: Order) -> bool:
    """The money of an order that is back, or given up, went there by a duty."""
    return order.state == "refund_failed" or owes(books, order.amount)


def give_serials(books: Books, item: Item, serials: list[int], qty: int) -> None:
    """INV-4, H10: one a unit, nobody else's, from 1..N, the lowest returned first, then the
    next new."""
    if len(serials) != qty:
        books.blame("INV-4", f"{qty} units of {item.id} carry {len(serials)} serials")
    for serial in serials:
        if serial in item.given:
            books.blame("INV-4", f"serial {serial} of {item.id} is sold twice")
        elif not 1 <= serial <= item.cap:
            books.blame("INV-4", f"serial {serial} is not one of the {item.cap} of {item.id}")
        elif item.back:
            lowest = item.back[0]
            if serial == lowest:
                heappop(item.back)
            else:
                books.blame(
                    "INV-4", f"serial {serial} of {item.id} is given while {lowest} is back"
                )
                if serial in item.back:
                    item.back.remove(serial)
                    heapify(item.back)
        elif serial != item.serial + 1:
            books.blame("INV-4", f"serial {serial} of {item.id} follows {item.serial}")
        item.serial = max(item.serial, serial)
        item.given.add(serial)


def over_limit(books: Books, card: str, qty: int) -> bool:
    """P16: would so many more by this card be more than one person may have?"""
    assert books.rules is not None
    return card != "" and books.cards.get(card, 0) + qty > books.rules.limit


def by_card(books: Books, e: events.Sale) -> None:
    """INV-6, P16."""
    assert books.rules is not None
    if e.card and not books.rules.cards:
        books.blame("INV-6", f"charge {e.charge} names a card, which nobody counts")
    if over_limit(books, e.card, e.qty):
        books.count["over_limit"] += 1
        books.blame("INV-6", f"the card of {e.charge} buys more than {books.rules.limit}")
    if e.card:
        books.cards[e.card] = books.cards.get(e.card, 0) + e.qty


def _order(books: Books, e: events.Sale, fan: Fan, pool: Pool) -> None:
    by_card(books, e)
    if e.capture not in ("pending", "done"):
        books.blame("INV-10", f"charge {e.charge} is captured {e.capture!r}")
    pending = e.capture == "pending"
    together = books.judging if e.payment else None
    if pending and not owes(books, e.amount):
        books.blame("INV-10", f"charge {e.charge} of nothing is to be captured")
    pool.sold += e.qty
    give_serials(books, pool.item, e.serials, e.qty)
    books.buy(fan, pool.item, e.qty)
    order = books.orders[e.hold] = Order(
        e.hold,
        fan,
        pool,
        e.qty,
        e.serials,
        e.amount,
        e.charge,
        "capture_pending" if pending else "done",
        e.card,
        e.payment,
    )
    books.sales.append(e.hold)
    books.count["orders"] += 1
    if together is not None:
        together.orders.append(order)
    elif pending:
        books.owe_outside("capture", e.charge, e.hold, e.charge, e.amount)
    else:
        books.captured_of[e.charge] = e.amount


def remove_filled(books: Books, fan: Fan, but: Entry | None = None) -> None:
    """L11: orders that fill the limit end the fan's other entries, `removed` follows for each. but:
    one that ends anyhow."""
    for entry in fan.line:
        if entry is not but and entry.state == "waiting" and filled(books, fan, entry.pools):
            because = "orders fill its fan's limit"
            books.owed.append(Owed(("removed",), entry.id, "INV-11", because, "limit"))


def _buys_once(books: Books, e: events.Sale, outcome: str) -> None:
    """P3, P14: a charge buys the holds of one payment, in one go."""
    judging = books.judging
    if judging is None or judging.charge != e.charge:
        _charge_once(books, e.charge, outcome)
    if books.schema >= PAYS_TOGETHER and payments.sells(books, e) is None:
        books.blame("INV-10", f"charge {e.charge} buys {e.hold} by no payment")


def paid_for(books: Books, e: events.Sale, hold: Hold) -> None:
    """INV-10: the sale is of what was held, at the price it was held for (P1, P5)."""
    if books.schema >= PAYS_TOGETHER:
        _bought_for(books, e, hold)
        return
    if (e.pool, e.qty, e.amount) != (hold.pool.id, hold.qty, hold.qty * hold.price):
        books.blame(
            "INV-10",
            f"{e.qty} of {e.pool} are sold for {e.amount}, hold {e.hold} was {hold.qty} of "
            f"{hold.pool.id} at {hold.price}",
        )
    if e.intent == e.hold:
        return
    intent = books.holds.get(e.intent)
    if (
        intent is None
        or not intent.equals(hold)
        or intent.alive
        or not intent.began
        or intent.judged
    ):
        books.blame("INV-10", f"the payment for {e.intent} cannot buy {e.hold}")
    else:
        buys_the_first(books, intent, hold)
    if intent is not None:
        intent.judged = True


def _bought_for(books: Books, e: events.Sale, hold: Hold) -> None:
    """P5 for a hold of a payment; `payments` judges its share."""
    if (e.pool, e.qty) != (hold.pool.id, hold.qty):
        books.blame("INV-10", f"{e.qty} of {e.pool} are sold, {e.hold} was {hold.qty} of another")
    intent = books.holds.get(e.intent)
    if e.intent == e.hold or intent is None:
        return
    if not intent.equals(hold) or intent.price != hold.price:
        books.blame("INV-10", f"the payment for {e.intent} cannot buy {e.hold}")
    buys_the_first(books, intent, hold)


def asks_after(books: Books, e: events.Sold) -> bool:
    """P12: what cost something may be paid once more; before, only what other money bought."""
    if books.schema >= ASKS_AFTER_A_SALE:
        return e.amount > 0
    return e.intent != e.hold and books.schema >= ASKS_AT_EVERY_END


def _sold(books: Books, e: events.Sold) -> None:
    """P1; by another's payment: P5."""
    _buys_once(books, e, "sold")
    hold = books.hold_of(e.hold, e.fan)
    if hold is None:
        return
    if not hold.alive:
        books.blame("INV-9", f"hold {e.hold} is sold after it was {hold.state}")
        return
    paid_for(books, e, hold)
    hold.state = "sold"
    hold.pool.held -= hold.qty
    if books.schema >= PAYS_TOGETHER:
        leave(books, hold)
    elif hold.began and asks_after(books, e):
        asked(books, hold)
    else:
        # Nobody has to ask any more whether it was paid.
        books.outbox.pop(f"lookup:{hold.id}", None)
    _order(books, e, hold.fan, hold.pool)
    entry = attached(hold)
    if entry is not None:
        entry.state = "selling"
        books.owed.append(Owed(("served",), entry.id, "INV-11", f"its hold {e.hold} was sold"))
    remove_filled(books, hold.fan)


def _rescued(books: Books, e: events.Rescued) -> None:
    """P5, P7, P8."""
    _buys_once(books, e, "rescued")
    hold = books.hold_of(e.hold, e.fan)
    if hold is None:
        return
    if hold.state != "expired" or not hold.began or hold.judged:
        books.blame("INV-9", f"hold {e.hold} is {hold.state} and cannot be rescued")
        return
    if e.intent != e.hold:
        books.blame("INV-10", f"the payment for {e.intent} rescues {e.hold}")
    paid_for(books, e, hold)
    hold.judged = books.schema < PAYS_TOGETHER
    equal = first_equal(books, hold)
    if equal is not None:
        books.blame("INV-10", f"hold {e.hold} is rescued beside the equal hold {equal.id}")
    first = ahead(books, hold)
    if first is not None:
        books.count["overtaken"] += 1
        books.blame("INV-11", f"hold {e.hold} is rescued while {first.id} was ready for {e.pool}")
    within(books, hold.fan, hold.pool.item, hold.qty)
    early.counts(books, hold.fan, hold.pool, hold.qty, e.cohort)
    hold.cohort = e.cohort
    hold.count(hold.qty)
    from_free(books, hold.pool, hold.qty)
    _order(books, e, hold.fan, hold.pool)
    serve_its_entry(books, hold)
    books.take(hold.fan, hold.pool.item, hold.qty)
    remove_filled(books, hold.fan)
    books.count["rescued"] += 1


def is_right(books: Books, e: events.Voided, hold: Hold) -> bool | None:
    """P2: is it what the hold costs? None where the log does not tell the currency."""
    if e.amount != hold.qty * hold.price:
        return False
    if books.schema < TELLS_CURRENCIES:
        return None
    assert books.rules is not None
    return e.currency == books.rules.currency


def _voided(books: Books, e: events.Voided) -> None:
    """P2, P4, P6."""
    _charge_once(books, e.charge, "voided")
    books.count["voided"] += 1
    if e.how == "refund":
        books.captured_of[e.charge] = e.amount
    elif e.how != "void":
        books.blame("INV-10", f"charge {e.charge} is given back by {e.how!r}")
    if owes(books, e.amount):
        books.owe_outside(e.how, e.charge, e.hold, e.charge, e.amount, e.payment)
    else:
        books.charges[e.charge] = WORTH_NOTHING
    hold = books.hold_of(e.hold, e.fan)
    if hold is None:
        return
    if e.payment:
        _buys_nothing(books, e)
        return
    second = hold.state == "sold" or hold.judged
    late = hold.state == "expired" and hold.began and books.state != "cancelled"
    right = is_right(books, e, hold)
    legal = {
        "mismatch": True,
        "second": second,
        "limit": (hold.alive or (late and not second)) and over_limit(books, e.card, hold.qty),
        "late": late and not second,
        "ended": not (hold.alive or second or late),
    }
    hold.judged = hold.judged or e.why == "late"
    if e.why != "mismatch" and right is False:
        books.blame(
            "INV-10", f"{e.amount} {e.currency} is not the price of {e.hold}: that is a mismatch"
        )
    elif e.why == "mismatch" and right:
        books.blame("INV-10", f"{e.amount} {e.currency} is what {e.hold} costs: no mismatch")
    if not legal.get(e.why, False):
        books.blame("INV-10", f"charge {e.charge} buys nothing ({e.why}), {e.hold} is {hold.state}")
    elif e.why == "late":
        if why := could_buy(books, hold):
            books.blame("INV-10", f"charge {e.charge} goes back though {why}")
        _make_good(books, e, hold)


def _make_good(books: Books, e: events.Voided, hold: Hold) -> None:
    """P6: once a drop, for the first hold that was lost."""
    hold.fan.late = hold
    served = books.schema < ENTRIES_SERVABLE or not filled(books, hold.fan, [hold.pool])
    if not hold.fan.madegood and books.state in ("live", "paused"):
        because = f"its payment {e.charge} came too late"
        if books.schema >= TWO_LANES and (standing := books.in_base(hold.fan)):
            books.owed.append(Owed(("pointed",), standing.id, "INV-11", because))
        elif served:
            books.owed.append(Owed(("joined",), e.fan, "INV-11", because))


def _buys_nothing(books: Books, e: events.Voided) -> None:
    """P2, P4, P6, P14 for a charge of a payment."""
    assert books.rules is not None
    payment = books.payment_of(e.payment, e.fan)
    if payment is None:
        return
    if e.hold != payment.holds[0].id:
        books.blame("INV-10", f"charge {e.charge} goes back for {e.hold}, not the first hold")
    second = payment.state == "paid" or payment.judged
    standing = payment.standing
    late = [hold for hold in payment.holds if payments.was_late(books, hold)]
    to_be_had = books.state != "cancelled" and not second and bool(standing or late)
    units = sum(hold.qty for hold in payment.holds)
    legal = {
        "mismatch": True,
        "second": second,
        "limit": to_be_had and over_limit(books, e.card, units),
        "late": to_be_had,
        "ended": not second and not to_be_had,
    }
    right = (e.amount, e.currency) == (payment.amount, books.rules.currency)
    if right == (e.why == "mismatch"):
        books.blame(
            "INV-10", f"{e.amount} {e.currency} for {e.payment} of {payment.amount} is {e.why}"
        )
    if not legal.get(e.why, False):
        books.blame(
            "INV-10", f"charge {e.charge} buys nothing ({e.why}), {e.payment} is {payment.state}"
        )
    elif e.why == "late":
        _nothing_to_be_had(books, e, payment, late)
    if payment.state == "open":
        payment.judged = True
        payments.close(books, payment, "ended")
        ask_to_cancel(books, payment)
    elif e.why == "late":
        payment.judged = True
    if e.why == "late" and late:
        _make_good(books, e, late[0])


def _nothing_to_be_had(books: Books, e: events.Voided, payment: Payment, late: list[Hold]) -> None:
    """P14: whatever can be had is sold; all or nothing, where all can."""
    reasons = [f"{hold.id} stands" for hold in payment.standing]
    reasons += [why for hold in late if (why := could_buy(books, hold))]
    if payment.all:
        whole = len(payment.standing) + min(len(late), 1) == len(payment.holds)
        reasons = reasons if whole and len(reasons) == len(payment.holds) else []
    if reasons:
        books.blame("INV-10", f"charge {e.charge} goes back though {reasons[0]}")


def _mismatched(books: Books, e: events.Mismatched) -> None:
    """P10: a charge is worth what was captured of it, told once: to its order, or to what goes
    back."""
    payment = books.payments.get(e.payment)
    if payment is not None and payment.charge == e.charge:
        refunds.corrected(books, e, payment)
        return
    found = books.orders.get(e.hold)
    duty = books.outbox.pop(f"void:{e.charge}", None) or books.outbox.get(f"refund:{e.charge}")
    mine = found is not None and found.charge == e.charge
    over = found is not None and mine and found.state in BACK and moved(books, found)
    nothing = books.charges.get(e.charge) == WORTH_NOTHING
    books.hold_of(e.hold, e.fan)
    stale = duty is not None and (duty.hold != e.hold or duty.amount == e.amount)
    known = e.charge in books.charges and (mine or duty or nothing)
    if over or stale or not known:
        books.blame("INV-10", f"charge {e.charge} has nothing that {e.amount} could correct")
        return
    books.captured_of[e.charge] = e.amount
    owed = owes(books, e.amount)
    goes_back = duty is not None or not mine
    if found is not None and mine:
        hold = books.holds.get(e.hold)
        if found.amount == e.amount or (hold and found.amount != hold.qty * hold.price):
            books.blame("INV-10", f"charge {e.charge} is corrected from {found.amount} once more")
        goes_back = goes_back or found.state == "refunded"
        found.amount = e.amount
        found.state = "refund_pending" if owed else "refunded"
        if not goes_back:
            found.state = "capture_failed"
        books.outbox.pop(f"capture:{e.charge}", None)
    else:
        books.charges[e.charge] = "voided" if owed else WORTH_NOTHING
    books.outbox.pop(f"refund:{e.charge}", None)
    if goes_back and owed:
        books.owe_outside("refund", e.charge, e.hold, e.charge, e.amount, e.payment)


def _ordered_back(books: Books, e: events.Refunded) -> None:
    """INV-7, INV-15: a creator refunds under a key of his own, which does one thing; a drop that is
    cancelled refunds the rest by itself."""
    if books.schema < KEEPS_REFUND_KEYS:
        return
    if e.key:
        if not e.by or e.by == "clock":
            books.blame("INV-15", f"{e.by!r} may not refund {e.hold}")
        commanded_once(books, e.by, e.key)
    elif (books.state, e.by) != ("cancelled", "creator"):
        books.blame("INV-7", f"{e.by} refunds {e.hold} of a drop that is {books.state}, by no key")
    elif e.why:
        books.blame("INV-7", f"order {e.hold} is refunded because of {e.why!r}, which nobody said")


def _refunded(books: Books, e: events.Refunded) -> None:
    """P11; under a key of its creator's own: C3."""
    found = books.orders.get(e.hold)
    if found is None or not found.stands:
        books.blame("INV-10", f"order {e.hold} is refunded a second time or was never made")
        return
    _ordered_back(books, e)
    if found.payment in books.payments:
        refunds.refunded(books, e, found)
        return
    if found.fan.id != e.fan:
        books.blame("INV-15", f"order {e.hold} is {found.fan.id}'s, not {e.fan}'s")
    if (e.pool, e.qty, e.amount, e.charge) != (
        found.pool.id,
        found.qty,
        found.amount,
        found.charge,
    ):
        books.blame("INV-10", f"order {e.hold} was {found.amount}, {e.amount} is refunded")
    if e.serials != found.serials:
        books.blame("INV-4", f"order {e.hold} had serials {found.serials}, {e.serials} come back")
    if found.card:
        books.cards[found.card] -= found.qty
    item = found.pool.item
    refunds.return_serials(item, found.serials)
    owed = owes(books, found.amount)
    found.state = "refund_pending" if owed else "refunded"
    found.pool.sold -= found.qty
    found.pool.free += found.qty
    books.holds[e.hold].count(-found.qty)
    books.buy(found.fan, item, -found.qty)
    books.take(found.fan, item, -found.qty)
    books.outbox.pop(f"capture:{found.charge}", None)
    if owed:
        books.owe_outside("refund", found.charge, e.hold, found.charge, found.amount)
    books.count["refunds"] += 1


def _discharged(books: Books, e: events.Discharged) -> None:
    """P9, P10, P12."""
    duty = books.outbox.pop(e.duty, None)
    if duty is None:
        books.blame("INV-10", f"duty {e.duty} was never given or is already done")
        return
    told = (e.kind, e.hold, e.charge, e.amount, e.payment)
    if told != (duty.kind, duty.hold, duty.charge, duty.amount, duty.payment):
        books.blame("INV-10", f"duty {e.duty} is ticked off as {e.kind} of {e.amount}")
    ended_by(books, e)
    hold = books.hold_of(e.hold, e.fan)
    asks = duty.kind == "lookup" and books.schema >= ASKS_AT_EVERY_END
    if asks and hold is not None and hold.alive:
        books.blame("INV-10", f"duty {e.duty} is ticked off while {hold.id} stands")
    payment = books.payments.get(duty.payment)
    if payment is not None:
        if payment.state == "open" and duty.kind == "cancel":
            books.blame("INV-10", f"duty {e.duty} is ticked off while {payment.id} is open")
        if payment.charge == duty.charge:
            refunds.discharged(books, e, payment, duty)
            return
    found = books.orders.get(duty.hold)
    order = found if found is not None and found.charge == duty.charge else None
    done = e.result in ("done", "by_hand")
    if duty.kind == "capture":
        if done:
            books.captured_of[duty.charge] = duty.amount
        if order is not None:
            order.state = "done" if done else "capture_failed"
    elif duty.kind == "refund":
        # A charge that was never captured holds no money to give back.
        money = books.captured_of.get(duty.charge, 0)
        ways = {
            "done": books.refunded_of,
            "by_hand": books.by_hand_of,
            "given_up": books.given_up_of,
        }
        if e.result in ways:
            ways[e.result][duty.charge] = money
        if order is not None and e.result in ways:
            order.state = "refunded" if done else "refund_failed"


def ended_by(books: Books, e: events.Discharged) -> None:
    """INV-10, INV-15: a provider does a duty or refuses a capture; else a person's word (P13)."""
    if e.result in ("by_hand", "given_up") and books.schema >= ENDS_DUTIES_BY_HAND:
        if not e.by or e.by == "clock":
            books.blame("INV-15", f"{e.by!r} may not end duty {e.duty}")
        commanded_once(books, e.by, e.key)
    elif e.result != "done" and (e.result != "failed" or e.kind != "capture"):
        books.blame("INV-10", f"duty {e.duty} ended as {e.result!r}")
    elif e.by or e.key:
        books.blame("INV-15", f"{e.by!r} ticks duty {e.duty} off, which is a worker's")


CHECKS: dict[type[events.Event], Callable[[Books, Any], None]] = {
    events.Sold: _sold,
    events.Rescued: _rescued,
    events.Voided: _voided,
    events.Mismatched: _mismatched,
    events.Refunded: _refunded,
    events.Discharged: _discharged,
}
