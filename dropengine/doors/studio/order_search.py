"""Orders of a drop as the books know them: found by number, serial, time and state; the history of
one; all of them as rows of a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection

from dropengine import events
from dropengine.jobs.ledger import books
from dropengine.model import GIVEN_BACK, OrderState
from dropengine.order_number import number_of, order_of
from dropengine.people import answers, operators
from dropengine.people.answers import Told
from dropengine.people.order_notes import Care, of_orders
from dropengine.sql.schema.ledger import HOLDS, ORDERS, REFUNDS, SHARES, UNITS
from dropengine.sql.schema.orders import HANDOVERS

PAGE_MAX = 50
ASKED_CHARS_MAX = 60
SHOWN = ("all", "kept", "refunded", "to hand over", "handed over", "charged back")
"""Which orders are shown."""


class Wanted(Struct, frozen=True):
    """asked: what was typed: a number, or a serial. since_ms, until_ms: of the sale, 0 for open.
    shown: one of `SHOWN`. after: so many are passed over."""

    asked: str = ""
    since_ms: int = 0
    until_ms: int = 0
    shown: str = "all"
    after: int = 0


class Bought(Struct, frozen=True):
    """One order. `serials`: while it is not refunded. `told`: what its fan said, which not every
    reader may have. `payment`: which bought it, '' before there were any. `given_back`: of its
    share until now, in parts or as a whole."""

    hold: str
    fan: str
    pool: str
    item: str
    qty: int
    amount: int
    state: str
    sold_ms: int
    refunded_ms: int
    refunded_by: str
    refunded_why: str
    serials: list[int]
    care: Care
    told: Told
    payment: str = ""
    given_back: int = 0

    @property
    def number(self) -> str:
        return number_of(self.hold)

    @property
    def kept(self) -> bool:
        return self.state not in GIVEN_BACK


class Found(Struct, frozen=True):
    """`total`: how many there are in all; `after`: where the next page goes on, 0: there is
    none."""

    rows: list[Bought]
    total: int
    after: int


def search(sql: Connection, drop: str, wanted: Wanted) -> Found:
    """The newest first."""
    asked = sa.select(ORDERS).where(ORDERS.c.drop_id == drop, *_where(drop, wanted))
    total = sql.execute(sa.select(sa.func.count()).select_from(asked.subquery())).scalar_one()
    asked = asked.order_by(ORDERS.c.sold_ms.desc(), ORDERS.c.hold.desc())
    page = sql.execute(asked.offset(wanted.after).limit(PAGE_MAX)).all()
    after = wanted.after + len(page)
    rows = [*_bought(sql, drop, page)]
    return Found(rows, total, after if after < total else 0)


def some(sql: Connection, drop: str, holds: list[str]) -> list[Bought]:
    """These orders, the newest first; what is none is left out."""
    asked = sa.select(ORDERS).where(ORDERS.c.drop_id == drop, ORDERS.c.hold.in_(holds))
    page = sql.execute(asked.order_by(ORDERS.c.sold_ms.desc(), ORDERS.c.hold.desc())).all()
    return [*_bought(sql, drop, page)]


def every(sql: Connection, drop: str) -> list[Bought]:
    """All of a drop, the oldest first."""
    asked = sa.select(ORDERS).where(ORDERS.c.drop_id == drop)
    page = sql.execute(asked.order_by(ORDERS.c.sold_ms, ORDERS.c.hold)).all()
    return [*_bought(sql, drop, page, whole=True)]


def history(sql: Connection, drop: str, hold: str) -> list[events.AnyEvent]:
    """What happened to an order, its hold, the place in the line that it came from and the payment
    that bought it, in order."""
    place = sa.select(HOLDS.c.entry).where(HOLDS.c.drop_id == drop, HOLDS.c.hold == hold)
    bought = sa.select(SHARES.c.payment).where(SHARES.c.drop_id == drop, SHARES.c.hold == hold)
    entry, payment = sql.execute(place).scalar() or "", sql.execute(bought).scalar() or ""
    own = [_mark(name, value) for name, value in _names(hold, entry) if value]
    paid = _mark("payment", payment)
    found: list[events.AnyEvent] = []
    for line in books.lines(sql, drop):
        if any(mark in line for mark in own):
            found.append(events.parse(line))
        elif payment and paid in line:
            event = events.parse(line)
            # What speaks of another hold of the payment is of that one's order.
            if not hasattr(event, "hold"):
                found.append(event)
    return found


def _mark(name: str, value: str) -> bytes:
    return f'"{name}":"{value}"'.encode()


def _names(hold: str, entry: str) -> Iterator[tuple[str, str]]:
    yield "hold", hold
    yield "intent", hold
    yield "entry", entry


def _where(drop: str, wanted: Wanted) -> Iterator[Any]:
    asked = wanted.asked.strip()
    serial = asked.removeprefix("No.").strip().removeprefix("#")
    if serial.isdecimal() and len(serial) < 10:
        unit = (UNITS.c.drop_id == drop, UNITS.c.serial == int(serial), UNITS.c.hold != "")
        yield ORDERS.c.hold.in_(sa.select(UNITS.c.hold).where(*unit))
    elif asked:
        yield ORDERS.c.hold == order_of(asked)
    if wanted.since_ms:
        yield ORDERS.c.sold_ms >= wanted.since_ms
    if wanted.until_ms:
        yield ORDERS.c.sold_ms <= wanted.until_ms
    back = ORDERS.c.state.in_(GIVEN_BACK)
    handed = sa.exists().where(HANDOVERS.c.drop_id == drop, HANDOVERS.c.hold == ORDERS.c.hold)
    match wanted.shown:
        case "kept":
            yield ~back
        case "refunded":
            yield back
        case "charged back":
            yield ORDERS.c.state == OrderState.CHARGED_BACK
        case "handed over":
            yield handed
        case "to hand over":
            yield ~back & ~handed


def _bought(sql: Connection, drop: str, page: Any, *, whole: bool = False) -> Iterator[Bought]:
    holds = [row.hold for row in page]

    def here(table: sa.Table) -> Iterator[Any]:
        yield table.c.drop_id == drop
        if not whole:
            yield table.c.hold.in_(holds)

    owned = sa.select(UNITS.c.hold, UNITS.c.serial).where(*here(UNITS))
    serials: dict[str, list[int]] = {}
    for hold, serial in sql.execute(owned.order_by(UNITS.c.serial)):
        serials.setdefault(hold, []).append(serial)
    cares: Mapping[str, Care] = of_orders(sql, drop, None if whole else holds)
    told = answers.of_orders(sql, drop, None if whole else holds)
    called = operators.names(sql)
    payments = {
        row.hold: row.payment for row in sql.execute(sa.select(SHARES).where(*here(SHARES)))
    }
    parts: dict[str, int] = {}
    for row in sql.execute(sa.select(REFUNDS).where(*here(REFUNDS))):
        parts[row.hold] = parts.get(row.hold, 0) + row.amount - row.way
    for row in page:
        yield Bought(
            row.hold,
            row.fan,
            row.pool,
            row.item,
            row.qty,
            row.amount,
            row.state,
            row.sold_ms,
            row.refunded_ms,
            called.get(row.refunded_by, row.refunded_by),
            row.refunded_why,
            serials.get(row.hold, []),
            cares.get(row.hold, Care()),
            told.get(row.hold, Told()),
            payments.get(row.hold, ""),
            parts.get(row.hold, 0 if payments.get(row.hold) or not row.refunded_ms else row.amount),
        )
