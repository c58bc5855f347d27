"""What is given back of orders: units to the line or kept back, money by duties, disputes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dropengine import events
from dropengine.log.layouts import NOTHING_OWES_NOTHING
from dropengine.log.replay.early import count
from dropengine.log.replay.truth import Truth, stand_all
from dropengine.model import GIVEN_BACK, DutyRecord, OrderRecord, OrderState


def owes(truth: Truth, amount: int) -> bool:
    """Is there a duty to move an amount? Older engines had one for 0 as well."""
    return amount > 0 or truth.schema < NOTHING_OWES_NOTHING


def orders_of(truth: Truth, payment: str) -> list[OrderRecord]:
    """What a payment bought and was not given back, the oldest first. Of one that had ended before
    its guest became a person the record still names the guest."""
    fan = truth.payments[payment].fan
    mine = truth.fans[truth.fans[fan].person or fan].orders
    orders = [truth.orders[name] for name in mine]
    return [one for one in orders if one.payment == payment and one.state not in GIVEN_BACK]


def _refunded(truth: Truth, e: events.Refunded) -> None:
    order, part = truth.orders[e.hold], e.amount - e.way
    whole = e.qty == order.qty
    _give_units_back(truth, e, order)
    order.why = e.why
    order.amount = part if whole else order.amount - part
    if e.payment:
        pending = _pay_back(truth, e, e.amount, e.way)
    else:
        truth.outbox.pop(f"capture:{e.charge}", None)
        pending = owes(truth, e.amount)
        if pending:
            duty = DutyRecord("refund", e.hold, e.charge, e.amount, e.at)
            truth.outbox[f"refund:{e.charge}"] = duty
    if whole:
        order.state = OrderState.REFUND_PENDING if pending else OrderState.REFUNDED
    stand_all(truth, e.fan)


def _give_units_back(truth: Truth, e: events.Refunded, order: OrderRecord) -> None:
    pool = truth.pools[e.pool]
    pool.sold -= e.qty
    if e.back == "line":
        pool.free += e.qty
        _return(truth, pool.item, e.serials)
    else:
        pool.withheld += e.qty
        pool.away += e.qty
        order.away = [*order.away, *e.serials]
    truth.fans[e.fan].used -= e.qty
    count(truth, truth.holds[e.hold], -e.qty)
    if e.qty < order.qty:
        order.qty -= e.qty
        order.serials = [one for one in order.serials if one not in e.serials]
    else:
        del truth.sales[e.hold]


def _return(truth: Truth, item: str, serials: list[int]) -> None:
    truth.returned |= {f"{item}/{serial:08d}": 0 for serial in serials}


def _pay_back(truth: Truth, e: events.Refunded | events.Reduced, amount: int, way: int) -> bool:
    """So much less of a payment is the shop's. Is there money that a duty gives back?"""
    payment = truth.payments[e.payment]
    payment.backs = e.n
    payment.kept -= amount
    payment.way_kept -= way
    if amount == 0:
        return False
    capture = truth.outbox.get(f"capture:{e.payment}")
    if capture is None:
        truth.outbox[f"refund:{e.payment}:{e.n}"] = DutyRecord(
            "refund", e.hold, payment.charge, amount, e.at, payment=e.payment
        )
        return True
    # What was not taken yet is not taken.
    said, _, _ = truth.charges[payment.charge].rpartition("|")
    truth.charges[payment.charge] = f"{said}|{payment.kept}"
    if payment.kept:
        capture.amount = payment.kept
    else:
        del truth.outbox[f"capture:{e.payment}"]
        truth.outbox[f"void:{payment.charge}"] = DutyRecord(
            "void", payment.holds[0], payment.charge, payment.amount, e.at, payment=e.payment
        )
    return False


def _reduced(truth: Truth, e: events.Reduced) -> None:
    order = truth.orders[e.hold]
    order.amount -= e.amount
    order.why = e.why
    _pay_back(truth, e, e.amount, 0)


def _came_back(truth: Truth, e: events.CameBack) -> None:
    pool, order = truth.pools[e.pool], truth.orders[e.hold]
    pool.withheld -= e.qty
    pool.away -= e.qty
    pool.free += e.qty
    _return(truth, pool.item, e.serials)
    order.away = [one for one in order.away if one not in e.serials]


def _charged_back(truth: Truth, e: events.ChargedBack) -> None:
    payment = truth.payments[e.payment]
    for order in orders_of(truth, e.payment):
        order.amount, order.state = 0, OrderState.CHARGED_BACK
    payment.kept = payment.way_kept = 0
    truth.outbox.pop(f"capture:{e.payment}", None)


STEPS: dict[type[events.Event], Callable[[Truth, Any], None]] = {
    events.Refunded: _refunded,
    events.Reduced: _reduced,
    events.CameBack: _came_back,
    events.ChargedBack: _charged_back,
}
