"""Money and serials into the truth: sales, rescues, payments that buy nothing, refunds, duties."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dropengine import events
from dropengine.log.layouts import ASKS_AFTER_A_SALE, ASKS_AT_EVERY_END, NOTHING_OWES_NOTHING
from dropengine.log.replay.early import count
from dropengine.log.replay.holds import ask_provider, unoffer
from dropengine.log.replay.truth import Truth, stand_all
from dropengine.model import DutyRecord, HoldState, OrderRecord, OrderState

ENDINGS = {
    ("capture", OrderState.CAPTURE_PENDING): (OrderState.DONE, OrderState.CAPTURE_FAILED),
    ("refund", OrderState.REFUND_PENDING): (OrderState.REFUNDED, OrderState.REFUND_FAILED),
}
"""A duty and where its order stands -> what becomes of the order when it is done, and when not."""


def _serials(truth: Truth, item: str, serials: list[int]) -> None:
    for serial in serials:
        if truth.returned.pop(f"{item}/{serial:08d}", None) is None:
            truth.items[item].serial += 1


def _sale(truth: Truth, e: events.Sale, word: str) -> None:
    pool, fan = truth.pools[e.pool], truth.fans[e.fan]
    pool.sold += e.qty
    fan.orders.append(e.hold)
    _serials(truth, pool.item, e.serials)
    pending = e.capture == "pending"
    state = OrderState.CAPTURE_PENDING if pending else OrderState.DONE
    truth.orders[e.hold] = OrderRecord(
        e.fan, e.pool, e.qty, e.amount, e.serials, e.charge, state, e.at
    )
    if pending:
        truth.outbox[f"capture:{e.charge}"] = DutyRecord(
            "capture", e.hold, e.charge, e.amount, e.at
        )
    truth.sales[e.hold] = e.seq
    truth.charges[e.charge] = f"{word}|{e.hold}"
    stand_all(truth, e.fan)


def _judged(truth: Truth, hold: str) -> None:
    """A payment was judged after this hold's end; none will be again."""
    truth.holds[hold].began = 2


def _sold(truth: Truth, e: events.Sold) -> None:
    if e.intent != e.hold:
        _judged(truth, e.intent)
    hold, fan = truth.holds[e.hold], truth.fans[e.fan]
    truth.pools[e.pool].held -= e.qty
    unoffer(truth, hold)
    fan.holds.remove(e.hold)
    hold.state = HoldState.SOLD
    del truth.due[f"h:{e.hold}"]
    others = e.intent != e.hold and truth.schema >= ASKS_AT_EVERY_END
    asks = e.amount > 0 if truth.schema >= ASKS_AFTER_A_SALE else others
    if hold.began and asks:
        ask_provider(truth, e.hold, e.at)
    else:
        truth.outbox.pop(f"lookup:{e.hold}", None)
    _sale(truth, e, "sold")


def _rescued(truth: Truth, e: events.Rescued) -> None:
    _judged(truth, e.hold)
    truth.pools[e.pool].free -= e.qty
    truth.fans[e.fan].used += e.qty
    truth.holds[e.hold].cohort = e.cohort
    count(truth, truth.holds[e.hold], e.qty)
    _sale(truth, e, "rescued")


def owes(truth: Truth, amount: int) -> bool:
    """Is there a duty to move an amount? Older engines had one for 0 as well."""
    return amount > 0 or truth.schema < NOTHING_OWES_NOTHING


def _voided(truth: Truth, e: events.Voided) -> None:
    if e.why == "late":
        _judged(truth, e.hold)
    owed = owes(truth, e.amount)
    if owed:
        assert truth.rules is not None, "a drop is published before anybody pays"
        foreign = "" if e.currency == truth.rules.currency else e.currency
        truth.outbox[f"{e.how}:{e.charge}"] = DutyRecord(
            e.how, e.hold, e.charge, e.amount, e.at, foreign
        )
    truth.charges[e.charge] = f"{'voided' if owed else 'voided0'}|{e.hold}|{e.why}|"


def _mismatched(truth: Truth, e: events.Mismatched) -> None:
    order, owed = truth.orders.get(e.hold), owes(truth, e.amount)
    duties = [truth.outbox.pop(f"{kind}:{e.charge}", None) for kind in ("void", "refund")]
    duty = next((duty for duty in duties if duty is not None), None)
    goes_back = duty is not None
    if order is not None and order.charge == e.charge:
        goes_back = goes_back or order.state == OrderState.REFUNDED
        order.amount = e.amount
        order.state = OrderState.REFUND_PENDING if owed else OrderState.REFUNDED
        if not goes_back:
            order.state = OrderState.CAPTURE_FAILED
        truth.outbox.pop(f"capture:{e.charge}", None)
    else:
        goes_back = True
        _, _, rest = truth.charges[e.charge].partition("|")
        truth.charges[e.charge] = f"{'voided' if owed else 'voided0'}|{rest}"
    if goes_back and owed:
        truth.outbox[f"refund:{e.charge}"] = DutyRecord(
            "refund",
            e.hold,
            e.charge,
            e.amount,
            e.at if duty is None else duty.at_ms,
            "" if duty is None else duty.currency,
        )


def _refunded(truth: Truth, e: events.Refunded) -> None:
    order, pool, fan = truth.orders[e.hold], truth.pools[e.pool], truth.fans[e.fan]
    pool.sold -= e.qty
    pool.free += e.qty
    fan.used -= e.qty
    count(truth, truth.holds[e.hold], -e.qty)
    for serial in e.serials:
        truth.returned[f"{pool.item}/{serial:08d}"] = 0
    order.state, order.why = OrderState.REFUNDED, e.why
    del truth.sales[e.hold]
    truth.outbox.pop(f"capture:{e.charge}", None)
    if owes(truth, e.amount):
        order.state = OrderState.REFUND_PENDING
        truth.outbox[f"refund:{e.charge}"] = DutyRecord("refund", e.hold, e.charge, e.amount, e.at)
    stand_all(truth, e.fan)


def _discharged(truth: Truth, e: events.Discharged) -> None:
    truth.outbox.pop(e.duty, None)
    order = truth.orders.get(e.hold)
    if order is None or order.charge != e.charge:
        return
    found = ENDINGS.get((e.kind, OrderState(order.state)))
    if found is not None:
        well, badly = found
        order.state = well if e.result in ("done", "by_hand") else badly


STEPS: dict[type[events.Event], Callable[[Truth, Any], None]] = {
    events.Sold: _sold,
    events.Rescued: _rescued,
    events.Voided: _voided,
    events.Mismatched: _mismatched,
    events.Refunded: _refunded,
    events.Discharged: _discharged,
}
