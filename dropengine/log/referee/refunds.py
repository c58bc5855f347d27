"""What is given back of paid orders: units and money, and what a dispute takes (INV-4, 7, 10)."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappush
from typing import Any

from dropengine import events
from dropengine.log.referee.books import Books, Item, Order, Payment
from dropengine.log.referee.drop import commanded_once
from dropengine.log.referee.records import Duty


def return_serials(item: Item, serials: list[int]) -> None:
    """They are the next to be given."""
    for serial in serials:
        item.given.discard(serial)
        if serial not in item.back:
            heappush(item.back, serial)


def order_of(books: Books, e: Any) -> Order | None:
    """The fan's order that a refund is of, and its payment."""
    order = books.orders.get(e.hold)
    if order is None:
        books.blame("INV-10", f"order {e.hold} was never made")
        return None
    if order.fan.id != e.fan:
        books.blame("INV-15", f"order {e.hold} is {order.fan.id}'s, not {e.fan}'s")
    return order


def pay_back(
    books: Books, e: events.Refunded | events.Reduced, payment: Payment, amount: int, way: int
) -> bool:
    """P18: each refund of a payment has the next number, and lowers what is still to be captured.
    Is there money that a duty gives back?"""
    if e.n != payment.backs + 1:
        books.blame("INV-10", f"refund {e.n} of {payment.id} follows {payment.backs}")
    payment.backs = e.n
    payment.kept -= amount
    payment.way_kept -= way
    if payment.kept < 0 or payment.way_kept < 0:
        books.blame("INV-10", f"{payment.id} gives {amount} back, more than is kept of it")
    if amount <= 0:
        return False
    capture = books.outbox.get(f"capture:{payment.id}")
    if capture is None:
        name = f"{payment.id}:{e.n}"
        books.owe_outside("refund", name, e.hold, payment.charge, amount, payment.id)
        return True
    payment.asked = payment.kept
    if payment.kept:
        capture.amount = payment.kept
    else:
        del books.outbox[f"capture:{payment.id}"]
        first, charge = payment.holds[0].id, payment.charge
        books.owe_outside("void", charge, first, charge, payment.amount, payment.id)
    return False


def refunded(books: Books, e: events.Refunded, order: Order) -> None:
    """P18, P19: units of an order of a payment, each with its serial, and what they cost."""
    payment = books.payments[order.payment]
    if (e.payment, e.pool, e.charge) != (order.payment, order.pool.id, order.charge):
        books.blame("INV-10", f"order {e.hold} of {order.payment} is refunded as {e.payment}'s")
    whole = e.qty == order.qty
    if not 1 <= e.qty <= order.qty or len(e.serials) != e.qty:
        books.blame("INV-1", f"{e.qty} of the {order.qty} of order {e.hold} are refunded")
    if not {*e.serials} <= {*order.serials} or len({*e.serials}) != len(e.serials):
        books.blame("INV-4", f"order {e.hold} has serials {order.serials}, {e.serials} come back")
    if e.back not in ("line", "withheld"):
        books.blame("INV-1", f"units of order {e.hold} go to {e.back!r}")
    part = e.amount - e.way
    if not 0 <= part <= order.amount or (not e.key and part != order.amount):
        books.blame("INV-10", f"order {e.hold} is worth {order.amount}, {part} go back")
    order.amount = part if whole else order.amount - part
    _units_back(books, e, order)
    if whole:
        order.state = "refunded"
    else:
        order.qty -= e.qty
        order.serials = [one for one in order.serials if one not in e.serials]
    _way_back(books, e, payment)
    if pay_back(books, e, payment, e.amount, e.way) and whole:
        order.state = "refund_pending"


def _way_back(books: Books, e: events.Refunded, payment: Payment) -> None:
    """P18: what the way cost goes back with the last unit of the payment."""
    left = any(one.stands for one in books.orders.values() if one.payment == payment.id)
    expected = 0 if left else payment.way_kept
    if e.way != expected:
        books.blame("INV-10", f"{e.way} of the way of {payment.id} go back, not {expected}")


def _units_back(books: Books, e: events.Refunded, order: Order) -> None:
    pool = order.pool
    pool.sold -= e.qty
    if e.back == "withheld":
        pool.withheld += e.qty
        pool.away += e.qty
        order.away += e.serials
    else:
        pool.free += e.qty
        return_serials(pool.item, e.serials)
    if order.card:
        books.cards[order.card] -= e.qty
    books.holds[e.hold].count(-e.qty)
    books.buy(order.fan, pool.item, -e.qty)
    books.take(order.fan, pool.item, -e.qty)
    books.count["refunds"] += 1


def _reduced(books: Books, e: events.Reduced) -> None:
    """P20."""
    commanded_once(books, e.by, e.key)
    order = order_of(books, e)
    payment = books.payments.get(e.payment)
    if order is None or payment is None:
        return
    if order.payment != e.payment or not order.stands or not 0 <= e.amount <= order.amount:
        books.blame(
            "INV-10", f"{e.amount} of order {e.hold} go back, it is {order.state}: {order.amount}"
        )
    order.amount -= e.amount
    pay_back(books, e, payment, e.amount, 0)


def _came_back(books: Books, e: events.CameBack) -> None:
    """P19: only what is away comes back."""
    commanded_once(books, e.by, e.key)
    order = order_of(books, e)
    if order is None:
        return
    pool = order.pool
    away = {*e.serials} <= {*order.away} and len({*e.serials}) == len(e.serials) == e.qty
    if not away or e.pool != pool.id:
        books.blame("INV-4", f"{e.serials} of order {e.hold} come back, {order.away} are away")
    order.away = [one for one in order.away if one not in e.serials]
    pool.withheld -= e.qty
    pool.away -= e.qty
    pool.free += e.qty
    return_serials(pool.item, e.serials)


def _charged_back(books: Books, e: events.ChargedBack) -> None:
    """P21: its orders that stand are worth nothing, their units stay sold."""
    commanded_once(books, e.by, e.key)
    payment = books.payment_of(e.payment, e.fan)
    if payment is None:
        return
    if payment.state != "paid" or e.amount < 0:
        books.blame("INV-10", f"{e.amount} of {e.payment} are charged back, it is {payment.state}")
    for hold in payment.fan.holds:
        order = books.orders.get(hold.id)
        if order is not None and order.payment == e.payment and order.stands:
            order.amount, order.state = 0, "charged_back"
    if payment.charge in books.captured_of:
        before = books.charged_back_of.get(payment.charge, 0)
        books.charged_back_of[payment.charge] = before + payment.kept
    payment.kept = payment.way_kept = 0
    books.outbox.pop(f"capture:{e.payment}", None)


def corrected(books: Books, e: events.Mismatched, payment: Payment) -> None:
    """P10: once, where another amount was captured than was asked for. Shares are cut from the
    last to the first, then the way, then what is owed back; what is over goes to the first, or
    back."""
    if payment.asked < 0 or e.amount == payment.asked:
        books.blame("INV-10", f"charge {e.charge} has nothing that {e.amount} could correct")
        return
    orders = [one for one in books.orders.values() if one.charge == e.charge]
    rows = [one for one in orders if one.stands and one.state != "charged_back"]
    more, payment.asked = e.amount - payment.asked, -1
    books.captured_of[e.charge] = e.amount
    books.outbox.pop(f"capture:{payment.id}", None)
    books.outbox.pop(f"void:{e.charge}", None)
    if more > 0 and rows:
        rows[0].amount += more
        payment.kept += more
    elif more > 0:
        duty = books.outbox.get(f"refund:{payment.id}:late")
        owed = more + (duty.amount if duty is not None else 0)
        books.owe_outside("refund", f"{payment.id}:late", e.hold, e.charge, owed, payment.id)
    else:
        less = -more
        for order in reversed(rows):
            cut = min(less, order.amount)
            order.amount -= cut
            payment.kept -= cut
            less -= cut
        cut = min(less, payment.way_kept)
        payment.way_kept -= cut
        payment.kept -= cut
        short = _owe_less(books, payment, less - cut)
        books.short_of[e.charge] = short
    for order in rows:
        order.state = "capture_failed"


def _owe_less(books: Books, payment: Payment, less: int) -> int:
    """Cut from what is owed back. What is left over went back before."""
    for number in ["late", *map(str, range(payment.backs, 0, -1))]:
        duty = books.outbox.get(f"refund:{payment.id}:{number}")
        if duty is None or less == 0:
            continue
        cut = min(less, duty.amount)
        duty.amount -= cut
        less -= cut
        order = books.orders.get(duty.hold)
        if order is not None and order.state == "refund_pending":
            order.amount = max(0, order.amount - cut)
            if not duty.amount:
                order.state = "refunded"
        if not duty.amount:
            del books.outbox[f"refund:{payment.id}:{number}"]
    return less


def discharged(books: Books, e: events.Discharged, payment: Payment, duty: Duty) -> None:
    """P9, P15, P18: a duty about the charge that a payment was paid by."""
    done = e.result in ("done", "by_hand")
    if duty.kind == "capture":
        if done:
            books.captured_of[duty.charge] = duty.amount
        for order in books.orders.values():
            if order.payment == payment.id and order.state == "capture_pending":
                order.state = "done" if done else "capture_failed"
    elif duty.kind == "refund":
        ways = {
            "done": books.refunded_of,
            "by_hand": books.by_hand_of,
            "given_up": books.given_up_of,
        }
        way = ways.get(e.result)
        # A charge that was never captured holds no money to give back.
        if way is not None and duty.charge in books.captured_of:
            way[duty.charge] = way.get(duty.charge, 0) + duty.amount
        order_of_it = books.orders.get(duty.hold)
        numbers = range(1, payment.backs + 1)
        others = [books.outbox.get(f"refund:{payment.id}:{number}") for number in numbers]
        goes_on = any(other is not None and other.hold == duty.hold for other in others)
        late = e.duty == f"refund:{payment.id}:late"
        if order_of_it is None or goes_on or late or order_of_it.state != "refund_pending":
            return
        order_of_it.state = "refunded" if done else "refund_failed"


CHECKS: dict[type[events.Event], Callable[[Books, Any], None]] = {
    events.Reduced: _reduced,
    events.CameBack: _came_back,
    events.ChargedBack: _charged_back,
}
