"""What is done with money that a maker has: it is taken, or he sends it back and says so.

Nobody else can send it. So what goes back is *unknown* until its maker ticked it as sent.
"""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from dropengine.payments.hands.bills import owe
from dropengine.payments.port import Failed, ProviderAnswer, Succeeded, Unknown
from dropengine.sql.schema.by_hand import BILLS, CHARGES, TICKS

NOT_SENT = Unknown("the maker did not send it back yet")


class Tick(msgspec.Struct, frozen=True):
    """What is to be sent back, or was. `reference`: of the bill that was paid. `why`: see the
    table."""

    id: str
    drop: str
    payment: str
    reference: str
    why: str
    amount: int
    currency: str
    asked_ms: int
    sent_ms: int
    by: str


def capture(sql: Connection, charge: str, amount: int, now_ms: int) -> ProviderAnswer:
    """So much of it is the shop's; the rest is to be sent back."""
    row = _charge(sql, charge)
    if row is None:
        return Failed("no_such_charge")
    if row.state == "captured":
        return Succeeded() if amount == row.taken else Failed(row.state, taken=row.taken)
    if row.state != "authorized":
        return Failed(row.state, taken=row.taken)
    if amount > row.amount:
        return Failed("too_much", final=True)
    if amount < row.amount:
        rest = row.amount - amount
        owe(sql, f"rest:{charge}", row.intent, charge, "rest", rest, now_ms)
    _turn(sql, charge, state="captured", taken=amount)
    return Succeeded()


def void(sql: Connection, charge: str, key: str, now_ms: int) -> ProviderAnswer:
    """All of it is to be sent back."""
    if (before := _asked(sql, key, charge, "void", None)) is not None:
        return before
    row = _charge(sql, charge)
    if row is None:
        return Failed("no_such_charge")
    match row.state:
        case "authorized":
            owe(sql, key, row.intent, charge, "void", row.amount, now_ms)
            _turn(sql, charge, state="leaving")
            return NOT_SENT
        case "leaving":
            return NOT_SENT
        case "voided":
            return Succeeded()
        case state:
            return Failed(state, taken=row.taken)


def refund(sql: Connection, charge: str, amount: int, key: str, now_ms: int) -> ProviderAnswer:
    """So much of what was taken is to be sent back; of what was not taken yet only the whole."""
    if (before := _asked(sql, key, charge, "refund", amount)) is not None:
        return before
    row = _charge(sql, charge)
    if row is None:
        return Failed("no_such_charge", final=True)
    if row.state in ("authorized", "leaving", "voided"):
        whole = amount == row.amount
        return void(sql, charge, key, now_ms) if whole else Failed("not_captured")
    if row.state != "captured":
        return Failed(row.state, final=True)
    waits = sa.select(sa.func.coalesce(sa.func.sum(TICKS.c.amount), 0)).where(
        TICKS.c.charge == charge, TICKS.c.why == "refund", TICKS.c.sent_ms == 0
    )
    if not 0 < amount <= row.taken - row.returned - sql.execute(waits).scalar_one():
        return Failed("too_much", final=True)
    owe(sql, key, row.intent, charge, "refund", amount, now_ms)
    return NOT_SENT


def send(sql: Connection, tick: str, by: str, now_ms: int) -> Tick | None:
    """A maker sent it back; None where nothing of this name is owed. Harmless to repeat."""
    row = sql.execute(sa.select(TICKS).where(TICKS.c.id == tick)).first()
    if row is None:
        return None
    if not row.sent_ms:
        here = TICKS.c.id == tick
        sql.execute(sa.update(TICKS).where(here).values(sent_ms=now_ms, by_whom=by))
        if row.why == "void":
            _turn(sql, row.charge, state="voided")
        if row.why == "refund":
            charge = _charge(sql, row.charge)
            assert charge is not None, "a refund is of a charge"
            returned = charge.returned + row.amount
            state = "refunded" if returned == charge.taken else charge.state
            _turn(sql, row.charge, returned=returned, state=state)
    (found,) = _ticks(sql, TICKS.c.id == tick)
    return found


def owed(sql: Connection, drop: str) -> list[Tick]:
    """What of a drop is to be sent back, the oldest first."""
    return _ticks(sql, BILLS.c.drop_id == drop, TICKS.c.sent_ms == 0)


def owing_drops(sql: Connection) -> list[str]:
    """Drops of which something is to be sent back."""
    asked = sa.select(BILLS.c.drop_id).distinct().join(TICKS, TICKS.c.intent == BILLS.c.intent)
    rows = sql.execute(asked.where(TICKS.c.sent_ms == 0).order_by(BILLS.c.drop_id))
    return [row.drop_id for row in rows]


def sent(sql: Connection, drop: str, most: int) -> list[Tick]:
    """What of a drop was sent back, the newest first."""
    found = _ticks(sql, BILLS.c.drop_id == drop, TICKS.c.sent_ms > 0)
    return sorted(found, key=lambda one: -one.sent_ms)[:most]


def _ticks(sql: Connection, *where: sa.ColumnElement[bool]) -> list[Tick]:
    asked = (
        sa.select(TICKS, BILLS.c.drop_id, BILLS.c.payment, BILLS.c.reference, BILLS.c.currency)
        .join(BILLS, BILLS.c.intent == TICKS.c.intent)
        .where(*where)
        .order_by(TICKS.c.asked_ms, TICKS.c.id)
    )
    return [
        Tick(
            row.id,
            row.drop_id,
            row.payment,
            row.reference,
            row.why,
            row.amount,
            row.currency,
            row.asked_ms,
            row.sent_ms,
            row.by_whom,
        )
        for row in sql.execute(asked)
    ]


def _asked(
    sql: Connection, key: str, charge: str, why: str, amount: int | None
) -> ProviderAnswer | None:
    """What is said to a key that came before. The whole of what was not taken may be asked for as a
    refund: it is void all the same."""
    row = sql.execute(sa.select(TICKS).where(TICKS.c.id == key)).first()
    if row is None:
        return None
    same = row.charge == charge and row.why in (why, "void") and amount in (None, row.amount)
    if not same:
        return Failed("key_reused")
    return Succeeded() if row.sent_ms else NOT_SENT


def _charge(sql: Connection, charge: str) -> Any:
    return sql.execute(sa.select(CHARGES).where(CHARGES.c.charge == charge)).first()


def _turn(sql: Connection, charge: str, **values: int | str) -> None:
    sql.execute(sa.update(CHARGES).where(CHARGES.c.charge == charge).values(values))
