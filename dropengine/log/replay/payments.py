"""Payments into the truth: begun for several holds, given up, asked about, ended, given more time.

Up to layout 7 every hold was paid for alone, and what was owed named the hold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dropengine import events
from dropengine.log.replay.early import count
from dropengine.log.replay.lapse import uncall
from dropengine.log.replay.truth import Truth, stand_all
from dropengine.model import (
    STANDING,
    DutyRecord,
    EntryState,
    HoldRecord,
    HoldState,
    PaymentRecord,
    PaymentState,
)

BY_HAND = ("by_hand", "cash")


def standing_in(truth: Truth, name: str) -> list[tuple[str, HoldRecord]]:
    """The holds of a payment that stand and are in it, not in a later one."""
    holds = [(hold, truth.holds[hold]) for hold in truth.payments[name].holds]
    return [row for row in holds if row[1].state in STANDING and row[1].payment == name]


def ask_to_cancel(truth: Truth, name: str, at_ms: int) -> None:
    """Its provider is to let nobody pay it any more, and to say what was paid."""
    payment = truth.payments[name]
    truth.outbox[f"cancel:{name}"] = DutyRecord(
        "cancel", payment.holds[0], "", payment.amount, at_ms, payment=name
    )


def close(truth: Truth, name: str, state: PaymentState) -> None:
    """An open payment is over: where it bought nothing its holds are their fan's to pay anew."""
    payment, rules = truth.payments[name], truth.rules
    assert rules is not None
    for hold_id, hold in standing_in(truth, name):
        if payment.provider in BY_HAND:
            truth.pools[hold.pool].hand -= hold.qty
        if state == PaymentState.ENDED:
            hold.state, hold.looked = HoldState.ACTIVE, 0
            if payment.provider in BY_HAND:
                most_ms = hold.start_ms + 2 * rules.hold_ms + rules.pay_ms
                hold.deadline_ms = min(hold.deadline_ms, most_ms)
            truth.due[f"h:{hold_id}"] = hold.deadline_ms
    payment.state = state


def leave(truth: Truth, hold: HoldRecord, at_ms: int) -> None:
    """A hold ended, or was sold by another payment: its own, if it is open, is for one less."""
    payment = truth.payments.get(hold.payment)
    if payment is None or payment.state != PaymentState.OPEN:
        return
    if payment.provider in BY_HAND:
        truth.pools[hold.pool].hand -= hold.qty
    if not standing_in(truth, hold.payment):
        payment.state = PaymentState.ENDED
        ask_to_cancel(truth, hold.payment, at_ms)


def deadline_told(truth: Truth, hold: HoldRecord, deadline_ms: int) -> None:
    """A hold is paid for until then: its payment until the first of such times."""
    payment = truth.payments.get(hold.payment)
    if payment is not None:
        payment.deadline_ms = min(payment.deadline_ms or deadline_ms, deadline_ms)


def extended(truth: Truth, hold: HoldRecord) -> None:
    """A hold of an open payment has more time."""
    payment = truth.payments.get(hold.payment)
    if payment is not None and payment.state == PaymentState.OPEN:
        rows = standing_in(truth, hold.payment)
        payment.deadline_ms = min(one.deadline_ms for _, one in rows)


def _begun(truth: Truth, e: events.PaymentBegun) -> None:
    assert truth.rules is not None
    payment = truth.payments[e.payment] = PaymentRecord(
        fan=e.fan,
        holds=list(e.holds),
        way=e.way,
        amount=e.amount,
        currency=truth.rules.currency,
        all=e.all,
        provider=e.provider,
        state=PaymentState.OPEN,
        at_ms=e.at,
        deadline_ms=0,
        looked=0,
        leaving=0,
        more=0,
        judged=0,
        charge="",
        kept=0,
        way_kept=0,
        backs=0,
    )
    for name in e.holds:
        hold = truth.holds[name]
        hold.payment = e.payment
        if e.provider in BY_HAND:
            truth.pools[hold.pool].hand += hold.qty
    if not e.key:
        _adopt(truth, e, payment)


def _adopt(truth: Truth, e: events.PaymentBegun, payment: PaymentRecord) -> None:
    """What was begun before there were payments goes on as one."""
    (name,) = e.holds
    hold = truth.holds[name]
    payment.deadline_ms, payment.looked = hold.deadline_ms, hold.looked
    if hold.state in STANDING:
        hold.began, hold.state = 1, HoldState.PAYING
    else:
        payment.state = PaymentState.ENDED
    if truth.outbox.pop(f"lookup:{name}", None) is not None:
        ask_to_cancel(truth, e.payment, e.at)


def _unpaying(truth: Truth, e: events.Unpaying) -> None:
    truth.payments[e.payment].leaving = 1
    ask_to_cancel(truth, e.payment, e.at)


def _asked(truth: Truth, e: events.Asked) -> None:
    truth.payments[e.payment].looked = e.deadline
    for name, hold in standing_in(truth, e.payment):
        hold.looked = truth.due[f"h:{name}"] = e.deadline
    ask_to_cancel(truth, e.payment, e.at)


def _unpaid(truth: Truth, e: events.Unpaid) -> None:
    close(truth, e.payment, PaymentState.ENDED)
    truth.outbox.pop(f"cancel:{e.payment}", None)


def _more_time(truth: Truth, e: events.MoreTime) -> None:
    payment = truth.payments[e.payment]
    payment.deadline_ms, payment.more = e.deadline, 1
    for name, hold in standing_in(truth, e.payment):
        hold.deadline_ms = truth.due[f"h:{name}"] = e.deadline


def _swapped(truth: Truth, e: events.Swapped) -> None:
    hold = truth.holds[e.hold]
    was, now = truth.pools[e.pool], truth.pools[e.to]
    was.held -= e.qty
    was.free += e.qty
    count(truth, hold, -e.qty)
    entry = truth.entries.get(hold.entry)
    if entry is not None and entry.state == EntryState.OFFERED and entry.hold == e.hold:
        uncall(was, entry)
    now.held += e.qty
    now.free -= e.qty
    hold.pool, hold.cohort = e.to, e.cohort
    count(truth, hold, e.qty)
    stand_all(truth, e.fan)


STEPS: dict[type[events.Event], Callable[[Truth, Any], None]] = {
    events.PaymentBegun: _begun,
    events.Unpaying: _unpaying,
    events.Asked: _asked,
    events.Unpaid: _unpaid,
    events.MoreTime: _more_time,
    events.Swapped: _swapped,
}
