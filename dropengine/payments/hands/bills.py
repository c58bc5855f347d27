"""What is to be paid by hand, what of it was received, and its end by cancelling."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from dropengine import errors
from dropengine.model import DropId
from dropengine.payments.hands import references
from dropengine.payments.port import Charged, Intent, Kept
from dropengine.sql.schema.by_hand import BILLS, CANCELLED, CHARGES, ENTRIES, TICKS

STANDING = ("authorized", "captured", "leaving")
"""Charges whose money is at the maker's."""


class Bill(msgspec.Struct, frozen=True):
    """received: so much was entered. cancelled_ms: nobody may pay it since then, or 0. paid: its
    charge, while its money is at the maker's. closed: it was paid, and all of it went back."""

    intent: Intent
    reference: str
    received: int
    cancelled_ms: int
    paid: Charged | None
    closed: bool

    @property
    def missing(self) -> int:
        """What is to come still."""
        over = self.paid is not None or self.closed or self.cancelled_ms
        return 0 if over else max(0, self.intent.amount - self.received)

    @property
    def open(self) -> bool:
        """May it be paid?"""
        return self.paid is None and not self.closed and not self.cancelled_ms


class Entered(msgspec.Struct, frozen=True):
    """What came of a sum: the bill with it, and what of it has to go back. known: it was entered
    under this key before."""

    bill: Bill
    over: int
    known: bool


def begin(sql: Connection, intent: Intent, now_ms: int) -> None:
    """Write down what is to be paid. Raises errors.Broken when it had another price before."""
    price, terms = (intent.amount, intent.currency), msgspec.json.encode(intent).decode()
    row = sql.execute(sa.select(BILLS).where(BILLS.c.intent == intent.id)).first()
    if row is None:
        values = {
            "intent": intent.id,
            "drop_id": intent.drop,
            "payment": intent.payment,
            "terms": terms,
            "amount": intent.amount,
            "currency": intent.currency,
            "reference": references.new(),
            "begun_ms": now_ms,
        }
        sql.execute(sa.insert(BILLS).values(values))
        return
    known = (row.amount, row.currency)
    if known != price:
        raise errors.Broken(f"payment {intent.id}: asked for {price}, but began with {known}")
    sql.execute(sa.update(BILLS).where(BILLS.c.intent == intent.id).values(terms=terms))


def find(sql: Connection, intent: str) -> Bill | None:
    """One bill; None where nobody began it."""
    return next(iter(_bills(sql, BILLS.c.intent == intent)), None)


def by_reference(sql: Connection, reference: str) -> Bill | None:
    """The one that a payer named."""
    return next(iter(_bills(sql, BILLS.c.reference == reference)), None)


def of_drop(sql: Connection, drop: str) -> list[Bill]:
    """All of a drop, the oldest first."""
    return _bills(sql, BILLS.c.drop_id == drop)


def of_payment(sql: Connection, drop: str, payment: str) -> list[Bill]:
    """Those of one payment: of each life of the drop one."""
    return _bills(sql, BILLS.c.drop_id == drop, BILLS.c.payment == payment)


def later(sql: Connection, drop: str, payment: str, deadline_ms: int) -> None:
    """There is more time for this payment: its page tells it."""
    for bill in of_payment(sql, drop, payment):
        terms = msgspec.structs.replace(bill.intent, deadline_ms=deadline_ms)
        here = BILLS.c.intent == bill.intent.id
        said = msgspec.json.encode(terms).decode()
        sql.execute(sa.update(BILLS).where(here).values(terms=said))


def open_drops(sql: Connection) -> list[DropId]:
    """Drops in which something may be paid still."""
    asked = (
        sa.select(BILLS.c.drop_id)
        .distinct()
        .where(BILLS.c.intent.not_in(sa.select(CANCELLED.c.intent)))
        .where(BILLS.c.intent.not_in(sa.select(CHARGES.c.intent)))
    )
    return [DropId(row.drop_id) for row in sql.execute(asked.order_by(BILLS.c.drop_id))]


def _bills(sql: Connection, *where: sa.ColumnElement[bool]) -> list[Bill]:
    received = (
        sa.select(ENTRIES.c.intent, sa.func.sum(ENTRIES.c.amount).label("received"))
        .group_by(ENTRIES.c.intent)
        .subquery()
    )
    asked = (
        sa.select(
            BILLS.c.terms,
            BILLS.c.reference,
            sa.func.coalesce(received.c.received, 0).label("received"),
            sa.func.coalesce(CANCELLED.c.at_ms, 0).label("cancelled_ms"),
            CHARGES,
        )
        .outerjoin(received, received.c.intent == BILLS.c.intent)
        .outerjoin(CANCELLED, CANCELLED.c.intent == BILLS.c.intent)
        .outerjoin(CHARGES, CHARGES.c.intent == BILLS.c.intent)
        .where(*where)
        .order_by(BILLS.c.begun_ms, BILLS.c.intent)
    )
    return [
        Bill(
            msgspec.json.decode(row.terms, type=Intent),
            row.reference,
            int(row.received),
            int(row.cancelled_ms),
            _charged(row) if row.state in STANDING else None,
            row.state is not None and row.state not in STANDING,
        )
        for row in sql.execute(asked)
    ]


def receive(
    sql: Connection, intent: str, amount: int, key: str, by: str, now_ms: int
) -> Entered | None:
    """A maker found this sum on his account, or in his hand; None where nobody began the bill.

    What is enough pays it. What is more goes back, and so does what comes after its end: cancelling
    said that nobody pays it any more.
    """
    bill = find(sql, intent)
    if bill is None:
        return None
    known = sql.execute(sa.select(ENTRIES.c.key).where(ENTRIES.c.key == key)).first() is not None
    if known:
        return Entered(bill, 0, known=True)
    row = {"key": key, "intent": intent, "amount": amount, "at_ms": now_ms, "by_whom": by}
    sql.execute(sa.insert(ENTRIES).values(row))
    over = amount
    if bill.open:
        over = max(0, bill.received + amount - bill.intent.amount)
        if bill.received + amount >= bill.intent.amount:
            _pay(sql, bill, now_ms)
    if over:
        charge = charge_of(bill.reference) if bill.paid or not bill.cancelled_ms else ""
        why = "late" if bill.cancelled_ms and not bill.paid else "over"
        owe(sql, f"{why}:{key}", intent, charge, why, over, now_ms)
    found = find(sql, intent)
    assert found is not None, "it was there before"
    return Entered(found, over, known=False)


def _pay(sql: Connection, bill: Bill, now_ms: int) -> None:
    nth = sql.execute(sa.select(sa.func.coalesce(sa.func.max(CHARGES.c.nth), 0))).scalar_one()
    row = {
        "charge": charge_of(bill.reference),
        "intent": bill.intent.id,
        "nth": nth + 1,
        "amount": bill.intent.amount,
        "currency": bill.intent.currency,
        "at_ms": now_ms,
        "state": "authorized",
        "taken": 0,
        "returned": 0,
    }
    sql.execute(sa.insert(CHARGES).values(row))


def charge_of(reference: str) -> str:
    """How the charge of a bill is called: a bill is paid once."""
    return f"hand-{reference}"


def cancel(sql: Connection, intent: str, now_ms: int) -> Charged | None:
    """Nobody may pay it from now on; what was paid. A part that came goes back."""
    made: Any = (sqlite if sql.dialect.name == "sqlite" else postgresql).insert(CANCELLED)
    sql.execute(made.values(intent=intent, at_ms=now_ms).on_conflict_do_nothing())
    bill = find(sql, intent)
    if bill is None:
        return None
    if bill.paid is None and not bill.closed and bill.received:
        late = sa.select(sa.func.coalesce(sa.func.sum(TICKS.c.amount), 0))
        back = sql.execute(late.where(TICKS.c.intent == intent, TICKS.c.why == "late")).scalar_one()
        if bill.received > back:
            owe(sql, f"short:{intent}", intent, "", "short", bill.received - back, now_ms)
    return bill.paid


def kept(sql: Connection, since_ms: int) -> list[Kept]:
    """Every charge since then whose money is at the maker's."""
    asked = (
        sa.select(BILLS.c.drop_id, BILLS.c.payment, CHARGES)
        .join(BILLS, BILLS.c.intent == CHARGES.c.intent)
        .where(CHARGES.c.at_ms >= since_ms, CHARGES.c.state.in_(STANDING))
        .order_by(CHARGES.c.nth)
    )
    return [
        Kept(row.intent, DropId(row.drop_id), row.payment, _charged(row))
        for row in sql.execute(asked)
    ]


def owe(
    sql: Connection, key: str, intent: str, charge: str, why: str, amount: int, now_ms: int
) -> None:
    """A maker has to send this back, and tick it; once under each key."""
    made: Any = (sqlite if sql.dialect.name == "sqlite" else postgresql).insert(TICKS)
    row = {
        "id": key,
        "intent": intent,
        "charge": charge,
        "why": why,
        "amount": amount,
        "asked_ms": now_ms,
        "sent_ms": 0,
        "by_whom": "",
    }
    sql.execute(made.values(row).on_conflict_do_nothing())


def _charged(row: Any) -> Charged:
    return Charged(
        row.charge,
        row.amount,
        row.currency,
        row.state == "captured",
        taken=row.taken,
        returned=row.returned,
    )
