"""Money and serials into the truth: sales, rescues, payments that buy nothing, refunds, duties."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dropengine import events
from dropengine.log.layouts import (
    ASKS_AFTER_A_SALE,
    ASKS_AT_EVERY_END,
    PAYS_TOGETHER,
)
from dropengine.log.replay.early import count
from dropengine.log.replay.holds import ask_provider, unoffer
from dropengine.log.replay.payments import ask_to_cancel, close, leave
from dropengine.log.replay.refunds import orders_of, owes
from dropengine.log.replay.truth import Truth, stand_all
from dropengine.model import (
    GIVEN_BACK,
    DutyRecord,
    HoldState,
    OrderRecord,
    OrderState,
    PaymentState,
)

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
        e.fan, e.pool, e.qty, e.amount, e.serials, e.charge, state, e.at, payment=e.payment
    )
    truth.sales[e.hold] = e.seq
    if e.payment:
        stand_all(truth, e.fan)
        return
    if pending:
        truth.outbox[f"capture:{e.charge}"] = DutyRecord(
            "capture", e.hold, e.charge, e.amount, e.at
        )
    truth.charges[e.charge] = f"{word}|{e.hold}"
    stand_all(truth, e.fan)


def _judged(truth: Truth, hold: str) -> None:
    """A payment was judged after this hold's end; none will be again. Payments say it themselves
    since there are some."""
    if truth.schema < PAYS_TOGETHER:
        truth.holds[hold].began = 2


def _buys(truth: Truth, e: events.Sale) -> None:
    """An open payment is paid from the first thing on that a charge of it buys."""
    payment = truth.payments.get(e.payment)
    if payment is not None and payment.state == PaymentState.OPEN:
        close(truth, e.payment, PaymentState.PAID)
        payment.judged = 1


def _sold(truth: Truth, e: events.Sold) -> None:
    _buys(truth, e)
    if e.intent != e.hold:
        _judged(truth, e.intent)
    hold, fan = truth.holds[e.hold], truth.fans[e.fan]
    truth.pools[e.pool].held -= e.qty
    unoffer(truth, hold)
    fan.holds.remove(e.hold)
    hold.state = HoldState.SOLD
    del truth.due[f"h:{e.hold}"]
    if truth.schema >= PAYS_TOGETHER:
        leave(truth, hold, e.at)
        _sale(truth, e, "sold")
        return
    others = e.intent != e.hold and truth.schema >= ASKS_AT_EVERY_END
    asks = e.amount > 0 if truth.schema >= ASKS_AFTER_A_SALE else others
    if hold.began and asks:
        ask_provider(truth, e.hold, e.at)
    else:
        truth.outbox.pop(f"lookup:{e.hold}", None)
    _sale(truth, e, "sold")


def _rescued(truth: Truth, e: events.Rescued) -> None:
    _buys(truth, e)
    _judged(truth, e.hold)
    truth.pools[e.pool].free -= e.qty
    truth.fans[e.fan].used += e.qty
    truth.holds[e.hold].cohort = e.cohort
    count(truth, truth.holds[e.hold], e.qty)
    _sale(truth, e, "rescued")


def _paid(truth: Truth, e: events.Paid) -> None:
    payment = truth.payments[e.payment]
    payment.state, payment.charge = PaymentState.PAID, e.charge
    payment.kept, payment.way_kept = e.kept, e.way
    # Judged in time it was with the first thing that it bought.
    payment.judged = payment.judged or 2
    first, taken = payment.holds[0], e.kept
    match e.capture:
        case "pending":
            duty, kind, amount = f"capture:{e.payment}", "capture", e.kept
        case "void":
            duty, kind, amount = f"void:{e.charge}", "void", e.amount
        case _:
            duty, kind, amount = f"refund:{e.payment}:late", "refund", e.amount - e.kept
            taken = e.amount
    if amount:
        truth.outbox[duty] = DutyRecord(kind, first, e.charge, amount, e.at, payment=e.payment)
    if e.amount:
        ask_to_cancel(truth, e.payment, e.at)
    bought = [one for one in truth.fans[e.fan].orders if truth.orders[one].charge == e.charge]
    truth.charges[e.charge] = f"paid|{e.payment}|{','.join(bought)}|{taken}"


def _voided(truth: Truth, e: events.Voided) -> None:
    if e.why == "late":
        _judged(truth, e.hold)
    if e.payment:
        _buys_nothing(truth, e)
    owed = owes(truth, e.amount)
    if owed:
        assert truth.rules is not None, "a drop is published before anybody pays"
        foreign = "" if e.currency == truth.rules.currency else e.currency
        truth.outbox[f"{e.how}:{e.charge}"] = DutyRecord(
            e.how, e.hold, e.charge, e.amount, e.at, foreign, e.payment
        )
    of = e.payment or e.hold
    truth.charges[e.charge] = f"{'voided' if owed else 'voided0'}|{of}|{e.why}|"


def _buys_nothing(truth: Truth, e: events.Voided) -> None:
    """An open payment has ended with that, and its fan may pay anew; of one that was over only the
    first is looked at."""
    payment = truth.payments[e.payment]
    if payment.state == PaymentState.OPEN:
        payment.judged = 1
        close(truth, e.payment, PaymentState.ENDED)
        ask_to_cancel(truth, e.payment, e.at)
    elif e.why == "late":
        payment.judged = 2


def _mismatched(truth: Truth, e: events.Mismatched) -> None:
    if truth.charges[e.charge].startswith("paid|"):
        _corrected(truth, e)
        return
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
            e.payment,
        )


def _corrected(truth: Truth, e: events.Mismatched) -> None:
    """Another amount was captured than was asked for: shares are cut from the last to the first,
    then the way, then what is owed back; what is over goes to the first, or back."""
    payment = truth.payments[e.payment]
    _, _, bought, asked = truth.charges[e.charge].split("|")
    orders = [truth.orders[name] for name in bought.split(",") if name]
    over = (*GIVEN_BACK, OrderState.CHARGED_BACK)
    rows = [order for order in orders if order.state not in over]
    more = e.amount - int(asked)
    truth.outbox.pop(f"capture:{e.payment}", None)
    truth.outbox.pop(f"void:{e.charge}", None)
    if more > 0 and rows:
        rows[0].amount += more
        payment.kept += more
    elif more > 0:
        owed = f"refund:{e.payment}:late"
        duty = truth.outbox.get(owed)
        was, at_ms = (0, e.at) if duty is None else (duty.amount, duty.at_ms)
        truth.outbox[owed] = DutyRecord(
            "refund", e.hold, e.charge, was + more, at_ms, payment=e.payment
        )
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
        _owe_less(truth, e.payment, less - cut)
    for order in rows:
        order.state = OrderState.CAPTURE_FAILED
    truth.charges[e.charge] = f"paid|{e.payment}|{bought}|"


def _owe_less(truth: Truth, name: str, less: int) -> None:
    numbers = [*map(str, range(truth.payments[name].backs, 0, -1))]
    for number in ["late", *numbers]:
        duty = truth.outbox.get(f"refund:{name}:{number}")
        if duty is None or less == 0:
            continue
        cut = min(less, duty.amount)
        duty.amount -= cut
        less -= cut
        order = truth.orders.get(duty.hold)
        if order is not None and order.state == OrderState.REFUND_PENDING:
            order.amount = max(0, order.amount - cut)
            if not duty.amount:
                order.state = OrderState.REFUNDED
        if not duty.amount:
            del truth.outbox[f"refund:{name}:{number}"]


def _discharged(truth: Truth, e: events.Discharged) -> None:
    truth.outbox.pop(e.duty, None)
    for order in _ending_with(truth, e):
        found = ENDINGS.get((e.kind, OrderState(order.state)))
        if found is not None:
            well, badly = found
            order.state = well if e.result in ("done", "by_hand") else badly


def _ending_with(truth: Truth, e: events.Discharged) -> list[OrderRecord]:
    """The orders whose money moved, or not, by this duty."""
    if e.payment and e.kind == "capture":
        return orders_of(truth, e.payment)
    order = truth.orders.get(e.hold)
    if order is None or order.charge != e.charge:
        return []
    if e.payment:
        numbers = range(1, truth.payments[e.payment].backs + 1)
        others = [truth.outbox.get(f"refund:{e.payment}:{number}") for number in numbers]
        goes_on = any(other is not None and other.hold == e.hold for other in others)
        if goes_on or e.duty == f"refund:{e.payment}:late":
            return []
    return [order]


STEPS: dict[type[events.Event], Callable[[Truth, Any], None]] = {
    events.Sold: _sold,
    events.Rescued: _rescued,
    events.Voided: _voided,
    events.Mismatched: _mismatched,
    events.Paid: _paid,
    events.Discharged: _discharged,
}
