"""What each event means for the books. Pure: the same log gives the same rows, however it is cut
into stretches.

What an event does not tell itself, and a stretch before it may have, stands in `Known`: which item
a pool sells, the drop's layout, and where the orders stand that the stretch speaks of again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec import Struct

from dropengine import events
from dropengine.jobs.ledger.sheet import Sheet
from dropengine.log.layouts import NOTHING_OWES_NOTHING
from dropengine.log.replay.money import ENDINGS
from dropengine.log.why import Course, about
from dropengine.model import DropState, OrderState, Origin
from dropengine.sql.schema.ledger import (
    ADOPTIONS,
    COURSES,
    DROPS,
    ENTRIES,
    HOLDS,
    OF_FANS,
    ORDERS,
    PAYMENTS,
    REFUNDS,
    SHARES,
    UNITS,
)

AGAIN = (
    events.Mismatched,
    events.Refunded,
    events.Reduced,
    events.Discharged,
)
"""Events that speak of an order which may have been made long before."""
OF_PAYMENTS = (
    events.Paid,
    events.Mismatched,
    events.Refunded,
    events.Reduced,
    events.ChargedBack,
    events.Discharged,
)
"""Events that speak of a payment with all that it bought."""
ENDED = (
    OrderState.REFUND_PENDING,
    OrderState.REFUNDED,
    OrderState.REFUND_FAILED,
    OrderState.CHARGED_BACK,
)
"""Orders that no mismatch and no lost dispute changes any more."""
SALES = (events.Sold, events.Rescued)
"""Events that make one."""


class Order(Struct):
    """Where an order stands. owed: refunds of it that nobody has sent yet."""

    charge: str
    state: str
    item: str
    qty: int = 0
    amount: int = 0
    payment: str = ""
    sold_seq: int = 0
    owed: int = 0


class Payment(Struct):
    """Where a payment stands, by the columns of its row."""

    charge: str = ""
    kept: int = 0
    way_kept: int = 0
    takes: int = 0


class Known(Struct):
    """What the stretches before told. orders: by their holds. rules: the newest.
    course: what the drop did as a whole; None where the books are from before that was kept."""

    layout: int = 0
    rules: events.Rules | None = None
    items: dict[str, str] = {}
    orders: dict[str, Order] = {}
    payments: dict[str, Payment] = {}
    course: Course | None = None

    def learn(self, rules: events.Rules) -> None:
        self.rules = rules
        self.items = {pool.id: pool.item for pool in rules.pools}

    def bought(self, payment: str) -> list[tuple[str, Order]]:
        """The orders of a payment, in the order they were sold in."""
        found = [row for row in self.orders.items() if row[1].payment == payment]
        return sorted(found, key=lambda row: row[1].sold_seq)

    def owes(self, amount: int) -> bool:
        return amount > 0 or self.layout < NOTHING_OWES_NOTHING


def derive(drop: str, stretch: Iterable[events.AnyEvent], known: Known) -> Sheet:
    """What the next events of a log change. `known` learns from them."""
    sheet, last_ms = Sheet(drop), 0
    course = known.course
    for event in stretch:
        last_ms = event.at
        step = STEPS.get(type(event))
        if step is not None:
            step(sheet, known, event)
        if course is not None:
            _reasons(sheet, course, event)
    sheet.change(DROPS, last_ms=last_ms)
    if course is not None:
        _keep(sheet, course)
    return sheet


def reasons(drop: str, stretch: Iterable[events.AnyEvent], course: Course) -> Sheet:
    """The same of what tells fans why they got none, and of nothing else. `course` goes on."""
    sheet = Sheet(drop)
    for event in stretch:
        _reasons(sheet, course, event)
    _keep(sheet, course)
    return sheet


def _reasons(sheet: Sheet, course: Course, event: events.AnyEvent) -> None:
    beside = course.take(event)
    for fan in about(event):
        sheet.put(OF_FANS, fan, event.seq, beside=beside)


def _keep(sheet: Sheet, course: Course) -> None:
    sheet.put(COURSES, seq=course.seq, course=msgspec.msgpack.encode(course))


def _published(sheet: Sheet, known: Known, e: events.Published) -> None:
    known.layout = e.schema
    known.learn(e.rules)
    sheet.put(
        DROPS,
        state=DropState.SCHEDULED,
        layout=e.schema,
        hash=e.hash,
        currency=e.rules.currency,
        mode=e.rules.mode,
        practice=e.rules.practice,
        rules=_text(e.rules),
        published_by=e.by,
        published_ms=e.at,
        opened_ms=0,
        ended_ms=0,
        last_ms=e.at,
    )


def _text(rules: events.Rules) -> str:
    return msgspec.json.encode(rules).decode()


def _rescheduled(sheet: Sheet, known: Known, e: events.Rescheduled) -> None:
    assert known.rules is not None, "a drop is published before anything else happens to it"
    times = {"opens_ms": e.opens_ms, "closes_ms": e.closes_ms}
    known.learn(msgspec.structs.replace(known.rules, **times))
    sheet.change(DROPS, rules=_text(known.rules))


def _corrected(sheet: Sheet, _: Known, e: events.Corrected) -> None:
    sheet.change(DROPS, hash=e.hash)


def _lifted(sheet: Sheet, known: Known, e: events.Lifted) -> None:
    known.layout = e.schema
    sheet.change(DROPS, layout=e.schema)


def _opened(sheet: Sheet, _: Known, e: events.Opened) -> None:
    sheet.change(DROPS, state=DropState.LIVE, opened_ms=e.at)


def _ended(state: DropState) -> Callable[[Sheet, Known, events.Event], None]:
    return lambda sheet, _, e: sheet.change(DROPS, state=state, ended_ms=e.at)


def _becomes(state: DropState) -> Callable[[Sheet, Known, events.Event], None]:
    return lambda sheet, _, __: sheet.change(DROPS, state=state)


def _thawed(sheet: Sheet, _: Known, e: events.Thawed) -> None:
    sheet.change(DROPS, state=e.state)


def _hold(sheet: Sheet, e: events.Held | events.Offered, origin: Origin, entry: str) -> None:
    sheet.put(
        HOLDS,
        e.hold,
        fan=e.fan,
        pool=e.pool,
        qty=e.qty,
        price=e.price,
        origin=origin,
        entry=entry,
        began_ms=e.at,
        claimed_ms=0,
        paying_ms=0,
        ended_ms=0,
        ended="",
    )


def _held(sheet: Sheet, _: Known, e: events.Held) -> None:
    _hold(sheet, e, Origin.PRESS, "")


def _offered(sheet: Sheet, _: Known, e: events.Offered) -> None:
    _hold(sheet, e, Origin.LINE, e.entry)
    sheet.change(ENTRIES, e.entry, offered_ms=e.at)


def _claimed(sheet: Sheet, _: Known, e: events.Claimed) -> None:
    sheet.change(HOLDS, e.hold, claimed_ms=e.at)


def _paying(sheet: Sheet, _: Known, e: events.Paying) -> None:
    sheet.change(HOLDS, e.hold, paying_ms=e.at)


def _came_back(how: str) -> Callable[[Sheet, Known, Any], None]:
    return lambda sheet, _, e: sheet.change(HOLDS, e.hold, ended=how, ended_ms=e.at)


def _released(sheet: Sheet, _: Known, e: events.Released) -> None:
    how = "cancelled" if e.by == "creator" else "released"
    sheet.change(HOLDS, e.hold, ended=how, ended_ms=e.at)


def _sold(sheet: Sheet, known: Known, e: events.Sold) -> None:
    sheet.change(HOLDS, e.hold, ended="sold", ended_ms=e.at)
    _order(sheet, known, e)


def _rescued(sheet: Sheet, known: Known, e: events.Rescued) -> None:
    sheet.change(HOLDS, e.hold, ended="rescued")
    _order(sheet, known, e)


def _order(sheet: Sheet, known: Known, e: events.Sale) -> None:
    item = known.items[e.pool]
    state = OrderState.CAPTURE_PENDING if e.capture == "pending" else OrderState.DONE
    known.orders[e.hold] = Order(e.charge, state, item, e.qty, e.amount, e.payment, e.seq)
    if e.payment:
        sheet.put(SHARES, e.hold, payment=e.payment, sold_seq=e.seq, owed=0)
    sheet.put(
        ORDERS,
        e.hold,
        fan=e.fan,
        pool=e.pool,
        item=item,
        qty=e.qty,
        amount=e.amount,
        charge=e.charge,
        state=state,
        sold_ms=e.at,
        refunded_ms=0,
        refunded_by="",
        refunded_why="",
    )
    for serial in e.serials:
        sheet.put(UNITS, item, serial, hold=e.hold, fan=e.fan, since_ms=e.at)


def _stands(sheet: Sheet, known: Known, hold: str, state: OrderState, **more: Any) -> None:
    order = known.orders[hold]
    order.state = state
    order.amount, order.qty = more.get("amount", order.amount), more.get("qty", order.qty)
    sheet.change(ORDERS, hold, state=state, **more)


def _payment_begun(sheet: Sheet, known: Known, e: events.PaymentBegun) -> None:
    known.payments[e.payment] = Payment()
    sheet.put(
        PAYMENTS,
        e.payment,
        fan=e.fan,
        way=e.way,
        provider=e.provider,
        asked=e.amount,
        begun_ms=e.at,
        charge="",
        amount=0,
        kept=0,
        way_kept=0,
        takes=0,
        paid_ms=0,
        charged_back=0,
        charged_back_ms=0,
    )


def _paid(sheet: Sheet, known: Known, e: events.Paid) -> None:
    takes = e.amount if e.capture == "done" else e.kept
    known.payments[e.payment] = Payment(e.charge, e.kept, e.way, takes)
    row = {"charge": e.charge, "amount": e.amount, "paid_ms": e.at}
    sheet.change(PAYMENTS, e.payment, kept=e.kept, way_kept=e.way, takes=takes, **row)


def _keeps(sheet: Sheet, known: Known, payment: str) -> None:
    one = known.payments[payment]
    row = {"kept": one.kept, "way_kept": one.way_kept, "takes": one.takes}
    sheet.change(PAYMENTS, payment, **row)


def _mismatched(sheet: Sheet, known: Known, e: events.Mismatched) -> None:
    if e.payment:
        _mismatched_together(sheet, known, e)
        return
    order = known.orders.get(e.hold)
    if order is None or order.charge != e.charge:
        return
    becomes = OrderState.CAPTURE_FAILED
    if order.state in (OrderState.REFUND_PENDING, OrderState.REFUNDED):
        owes = known.owes(e.amount)
        becomes = OrderState.REFUND_PENDING if owes else OrderState.REFUNDED
    _stands(sheet, known, e.hold, becomes, amount=e.amount)


def _mismatched_together(sheet: Sheet, known: Known, e: events.Mismatched) -> None:
    """Shares are cut from the last order to the first; what is over goes to the first."""
    payment = known.payments.get(e.payment)
    if payment is None or payment.charge != e.charge:
        return
    rows = [(hold, one) for hold, one in known.bought(e.payment) if one.state not in ENDED]
    change, payment.takes = e.amount - payment.takes, e.amount
    shares = {hold: one.amount for hold, one in rows}
    if change > 0 and rows:
        shares[rows[0][0]] += change
        payment.kept += change
    for hold, one in reversed(rows if change < 0 else []):
        cut = min(one.amount, -change)
        shares[hold] -= cut
        payment.kept -= cut
        change += cut
    if change < 0:
        cut = min(payment.way_kept, -change)
        payment.way_kept -= cut
        payment.kept -= cut
    for hold, share in shares.items():
        _stands(sheet, known, hold, OrderState.CAPTURE_FAILED, amount=share)
    _keeps(sheet, known, e.payment)


def _refunded(sheet: Sheet, known: Known, e: events.Refunded) -> None:
    order = known.orders[e.hold]
    back = {"refunded_ms": e.at, "refunded_by": e.by, "refunded_why": e.why}
    for serial in e.serials:
        sheet.put(UNITS, order.item, serial, hold="", fan="", since_ms=e.at)
    if not e.payment:
        state = OrderState.REFUND_PENDING if known.owes(e.amount) else OrderState.REFUNDED
        _stands(sheet, known, e.hold, state, **back)
        return
    share, last = e.amount - e.way, e.qty >= order.qty
    duty = _goes_back(sheet, known, e, e.way, e.qty, e.back)
    if last:
        state = OrderState.REFUND_PENDING if duty else OrderState.REFUNDED
        _stands(sheet, known, e.hold, state, amount=share, **back)
        return
    left = {"qty": order.qty - e.qty, "amount": order.amount - share}
    _stands(sheet, known, e.hold, OrderState(order.state), **left)


def _reduced(sheet: Sheet, known: Known, e: events.Reduced) -> None:
    order = known.orders[e.hold]
    _goes_back(sheet, known, e, 0, 0, "")
    amount = order.amount - e.amount
    _stands(sheet, known, e.hold, OrderState(order.state), amount=amount)


def _goes_back(
    sheet: Sheet,
    known: Known,
    e: events.Refunded | events.Reduced,
    way: int,
    qty: int,
    back: str,
) -> bool:
    """A refund of a payment; does it have to be sent?"""
    order, payment = known.orders[e.hold], known.payments[e.payment]
    captures = order.state == OrderState.CAPTURE_PENDING
    duty = e.amount > 0 and not captures
    payment.kept -= e.amount
    payment.way_kept -= way
    if captures:
        payment.takes = payment.kept
    _keeps(sheet, known, e.payment)
    order.owed += duty
    sheet.change(SHARES, e.hold, owed=order.owed)
    sheet.put(
        REFUNDS,
        e.payment,
        e.n,
        hold=e.hold,
        amount=e.amount,
        way=way,
        qty=qty,
        back=back,
        at_ms=e.at,
        by_whom=e.by,
        why=e.why,
        duty=int(duty),
        sent_ms=0,
    )
    return duty


def _charged_back(sheet: Sheet, known: Known, e: events.ChargedBack) -> None:
    for hold, order in known.bought(e.payment):
        if order.state not in ENDED:
            _stands(sheet, known, hold, OrderState.CHARGED_BACK, amount=0)
    payment = known.payments.setdefault(e.payment, Payment())
    payment.kept = payment.way_kept = 0
    _keeps(sheet, known, e.payment)
    sheet.change(PAYMENTS, e.payment, charged_back=e.amount, charged_back_ms=e.at)


def _swapped(sheet: Sheet, _: Known, e: events.Swapped) -> None:
    sheet.change(HOLDS, e.hold, pool=e.to)


def _discharged(sheet: Sheet, known: Known, e: events.Discharged) -> None:
    well = e.result in ("done", "by_hand")
    kind, _, rest = e.duty.partition(":")
    if e.payment and kind == "capture":
        for hold, bought in known.bought(e.payment):
            _ends(sheet, known, hold, bought, kind, well)
        return
    order = known.orders.get(e.hold)
    if order is None or order.charge != e.charge:
        return
    if e.payment:
        n = rest.rpartition(":")[2]
        if kind != "refund" or not n.isdecimal():
            return
        order.owed = max(0, order.owed - 1)
        sheet.change(SHARES, e.hold, owed=order.owed)
        if well:
            sheet.change(REFUNDS, e.payment, int(n), sent_ms=e.at)
        if order.owed:
            return
    _ends(sheet, known, e.hold, order, e.kind, well)


def _ends(sheet: Sheet, known: Known, hold: str, order: Order, kind: str, well: bool) -> None:
    found = ENDINGS.get((kind, OrderState(order.state)))
    if found is not None:
        _stands(sheet, known, hold, found[0] if well else found[1])


def _joined(sheet: Sheet, _: Known, e: events.Joined) -> None:
    sheet.put(
        ENTRIES,
        e.entry,
        fan=e.fan,
        n=e.n,
        qty=e.qty,
        pools=",".join(e.pools),
        why=e.why,
        joined_ms=e.at,
        offered_ms=0,
        ended_ms=0,
        fate="",
    )


def _ordered(sheet: Sheet, _: Known, e: events.Ordered) -> None:
    for n, entry in enumerate(e.ids, e.n):
        sheet.change(ENTRIES, entry, n=n)


def _fate(how: str) -> Callable[[Sheet, Known, Any], None]:
    return lambda sheet, _, e: sheet.change(ENTRIES, e.entry, fate=how, ended_ms=e.at)


def _adopted(sheet: Sheet, _: Known, e: events.Adopted) -> None:
    sheet.put(ADOPTIONS, e.guest, person=e.fan, at_ms=e.at)
    for table, names in ((HOLDS, e.holds), (ORDERS, e.orders), (ENTRIES, e.entries)):
        for name in names:
            sheet.change(table, name, fan=e.fan)
    sheet.handed.update(dict.fromkeys(e.orders, e.fan))


STEPS: dict[type[events.Event], Callable[[Sheet, Known, Any], None]] = {
    events.Published: _published,
    events.Lifted: _lifted,
    events.LobbyOpened: _becomes(DropState.LOBBY),
    events.Sealed: _becomes(DropState.ORDERING),
    events.Ordered: _ordered,
    events.Opened: _opened,
    events.Paused: _becomes(DropState.PAUSED),
    events.Resumed: _becomes(DropState.LIVE),
    events.Thawed: _thawed,
    events.Frozen: _becomes(DropState.FROZEN),
    events.Rescheduled: _rescheduled,
    events.Corrected: _corrected,
    events.Closed: _becomes(DropState.CLOSING),
    events.Cancelled: _ended(DropState.CANCELLED),
    events.Settled: _ended(DropState.SETTLED),
    events.Held: _held,
    events.Offered: _offered,
    events.Claimed: _claimed,
    events.Paying: _paying,
    events.Released: _released,
    events.Expired: _came_back("expired"),
    events.Declined: _came_back("declined"),
    events.Lapsed: _came_back("lapsed"),
    events.Sold: _sold,
    events.Rescued: _rescued,
    events.Mismatched: _mismatched,
    events.PaymentBegun: _payment_begun,
    events.Paid: _paid,
    events.Swapped: _swapped,
    events.Reduced: _reduced,
    events.ChargedBack: _charged_back,
    events.Refunded: _refunded,
    events.Discharged: _discharged,
    events.Joined: _joined,
    events.Served: _fate("served"),
    events.Dormant: _fate("dormant"),
    events.Left: _fate("left"),
    events.Removed: _fate("removed"),
    events.Adopted: _adopted,
}
"""Event -> what it does to the sheet. What is missing here changes no row."""
