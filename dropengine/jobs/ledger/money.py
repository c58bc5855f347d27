"""The money of a drop as the books know it: by provider, and as entries for a bookkeeper.

What is told is of payments that bought something; one that bought nothing goes back at its
provider, and stands among what is owed there until then.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection

from dropengine.jobs.ledger.spreadsheet import plain
from dropengine.model import GIVEN_BACK, OrderState
from dropengine.sql.schema import fees as told
from dropengine.sql.schema.ledger import ORDERS, PAYMENTS, REFUNDS, SHARES

COLUMNS = ("date", "document", "account", "debit", "credit", "currency", "text")
SALES, WAYS, OWED, DISPUTED, FEES = "sales", "ways", "owed to fans", "charged back", "fees"
"""Accounts, beside one for each provider."""


class Back(Struct, frozen=True):
    """One refund that had to be sent. sent: it was."""

    n: int
    amount: int
    way: int
    at_ms: int
    sent: bool


class Paid(Struct, frozen=True):
    """A payment that bought something, or an order of before there were payments. takes: what the
    provider collects of it. state: pending, doubtful or collected."""

    name: str
    provider: str
    amount: int
    kept: int
    way_kept: int
    takes: int
    paid_ms: int
    charged_back: int
    charged_back_ms: int
    state: str
    backs: list[Back]

    @property
    def sold(self) -> int:
        """What was the shop's at first of what is collected."""
        whole = self.kept + self.charged_back + sum(back.amount for back in self.backs)
        return min(self.takes, whole)

    @property
    def way(self) -> int:
        """What of that was for the way, as far as no dispute took it."""
        return min(self.sold, self.way_kept + sum(back.way for back in self.backs))


class Fee(Struct, frozen=True):
    """What a provider keeps for itself of one payment, also of one that bought nothing."""

    payment: str
    provider: str
    fee: int
    at_ms: int


class Sums(Struct):
    """Of one provider. authorised: what fans paid. collecting: is under way; doubtful: could not
    be collected as it was to be; collected: came. refunded: of that, unsent: and not sent yet.
    kept: the shop's now, before fees."""

    provider: str
    payments: int = 0
    authorised: int = 0
    collecting: int = 0
    doubtful: int = 0
    collected: int = 0
    refunded: int = 0
    unsent: int = 0
    charged_back: int = 0
    kept: int = 0
    fees: int = 0


class Entry(Struct, frozen=True):
    """A line of the journal: debit or credit, minor units; the other one is 0."""

    at_ms: int
    document: str
    account: str
    debit: int
    credit: int
    text: str


def paid(sql: Connection, drop: str) -> list[Paid]:
    """The oldest first."""
    bought = sa.select(SHARES.c.payment, ORDERS.c.state).join(
        ORDERS, (ORDERS.c.drop_id == SHARES.c.drop_id) & (ORDERS.c.hold == SHARES.c.hold)
    )
    states: dict[str, set[str]] = {}
    for name, state in sql.execute(bought.where(SHARES.c.drop_id == drop)):
        states.setdefault(name, set()).add(state)
    backs: dict[str, list[Back]] = {}
    asked = sa.select(REFUNDS).where(REFUNDS.c.drop_id == drop, REFUNDS.c.duty == 1)
    for row in sql.execute(asked.order_by(REFUNDS.c.n)):
        one = Back(row.n, row.amount, row.way, row.at_ms, row.sent_ms > 0)
        backs.setdefault(row.payment, []).append(one)
    of_payments = sa.select(PAYMENTS).where(PAYMENTS.c.drop_id == drop, PAYMENTS.c.paid_ms > 0)
    found = [
        Paid(
            row.payment,
            row.provider,
            row.amount,
            row.kept,
            row.way_kept,
            row.takes,
            row.paid_ms,
            row.charged_back,
            row.charged_back_ms,
            _state(states.get(row.payment, set())),
            backs.get(row.payment, []),
        )
        for row in sql.execute(of_payments)
    ]
    found += _older(sql, drop)
    return sorted(found, key=lambda one: (one.paid_ms, one.name))


def fees(sql: Connection, drop: str) -> list[Fee]:
    """As far as providers told them, the oldest first. provider: as its payment has it."""
    row = told.FEES.c
    here = (PAYMENTS.c.drop_id == row.drop_id) & (PAYMENTS.c.payment == row.payment)
    asked = (
        sa.select(
            row.payment,
            sa.func.coalesce(PAYMENTS.c.provider, row.provider),
            sa.func.sum(row.fee),
            sa.func.min(row.at_ms).label("at_ms"),
        )
        .select_from(told.FEES.outerjoin(PAYMENTS, here))
        .where(row.drop_id == drop)
        .group_by(row.payment, sa.func.coalesce(PAYMENTS.c.provider, row.provider))
        .order_by("at_ms", row.payment)
    )
    return [Fee(name, provider, int(fee), at) for name, provider, fee, at in sql.execute(asked)]


def _older(sql: Connection, drop: str) -> Iterator[Paid]:
    """Orders of before there were payments."""
    shared = sa.select(SHARES.c.hold).where(SHARES.c.drop_id == drop)
    asked = sa.select(ORDERS).where(ORDERS.c.drop_id == drop, ORDERS.c.hold.not_in(shared))
    for row in sql.execute(asked):
        gone = row.state in GIVEN_BACK
        sent = row.state == OrderState.REFUNDED
        backs = [Back(0, row.amount, 0, row.refunded_ms, sent)] if gone else []
        kept = 0 if gone else row.amount
        state = _state({row.state})
        yield Paid(row.hold, "", row.amount, kept, 0, row.amount, row.sold_ms, 0, 0, state, backs)


def _state(states: set[str]) -> str:
    if OrderState.CAPTURE_PENDING in states:
        return "pending"
    return "doubtful" if OrderState.CAPTURE_FAILED in states else "collected"


def sums(payments: Iterable[Paid], asked: Iterable[Fee] = ()) -> list[Sums]:
    """By provider."""
    found: dict[str, Sums] = {}
    for one in payments:
        of = found.setdefault(one.provider, Sums(one.provider))
        of.payments += 1
        of.authorised += one.amount
        of.collecting += one.takes if one.state == "pending" else 0
        of.doubtful += one.takes if one.state == "doubtful" else 0
        of.collected += one.takes if one.state == "collected" else 0
        of.refunded += one.takes - one.sold + sum(back.amount for back in one.backs)
        of.unsent += sum(back.amount for back in one.backs if not back.sent)
        of.charged_back += one.charged_back
        of.kept += one.kept
    for fee in asked:
        found.setdefault(fee.provider, Sums(fee.provider)).fees += fee.fee
    return [found[name] for name in sorted(found)]


def journal(payments: Iterable[Paid], asked: Iterable[Fee] = ()) -> Iterator[Entry]:
    """Every document has as much in debit as in credit."""
    for one in payments:
        provider = _account(one.provider)
        at, name = one.paid_ms, one.name
        yield Entry(at, name, provider, one.takes, 0, "paid")
        yield Entry(at, name, SALES, 0, one.sold - one.way, "paid")
        yield Entry(at, name, WAYS, 0, one.way, "paid for the way")
        over = one.takes - one.sold
        yield Entry(at, name, OWED, 0, over, "paid for what could not be had")
        yield Entry(at, f"{name}:late", OWED, over, 0, "given back: could not be had")
        yield Entry(at, f"{name}:late", provider, 0, over, "given back: could not be had")
        for back in one.backs:
            document = f"{name}:{back.n}"
            yield Entry(back.at_ms, document, SALES, back.amount - back.way, 0, "refunded")
            yield Entry(back.at_ms, document, WAYS, back.way, 0, "refunded, the way")
            yield Entry(back.at_ms, document, provider, 0, back.amount, "refunded")
        if one.charged_back:
            document, at = f"{name}:dispute", one.charged_back_ms
            yield Entry(at, document, DISPUTED, one.charged_back, 0, "a dispute was lost")
            yield Entry(at, document, provider, 0, one.charged_back, "a dispute was lost")
    for fee in asked:
        document = f"{fee.payment}:fee"
        yield Entry(fee.at_ms, document, FEES, fee.fee, 0, "for the provider's work")
        yield Entry(fee.at_ms, document, _account(fee.provider), 0, fee.fee, "kept by itself")


def _account(provider: str) -> str:
    return f"provider {provider or 'of the shop'}"


def sheet(rows: Iterable[tuple[str, str, str, str, str, str, str]]) -> str:
    """RFC 4180, every cell in quotes; no cell is a formula."""
    out = io.StringIO(newline="")
    lines = csv.writer(out, quoting=csv.QUOTE_ALL)
    lines.writerow(COLUMNS)
    for row in rows:
        lines.writerow([plain(cell) for cell in row])
    return out.getvalue()
