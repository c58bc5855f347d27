"""Which pages at Stripe belong to an intent, kept in the shop's SQL.

A page is written down, with all that is asked of Stripe for it, before Stripe is asked: who repeats
a call whose answer was lost asks for the same under the same key and finds the same page.
"""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from dropengine import errors
from dropengine.payments.port import Intent
from dropengine.sql.schema.stripe import CANCELLED, SESSIONS

KEYS_MS = 23 * 3_600_000
"""Stripe forgets keys after about a day; a call that is older is not repeated under its own."""


class Page(msgspec.Struct, frozen=True):
    """One Checkout Session of an intent. `asked`: its parameters, as JSON. `session`, `url`: ''
    until Stripe has answered."""

    intent: str
    number: int
    asked: str
    at_ms: int
    session: str
    url: str

    @property
    def key(self) -> str:
        """What makes asking for it safe to repeat."""
        return f"{self.intent}:{self.number}"

    def can_be_asked_for(self, now_ms: int) -> bool:
        return now_ms - self.at_ms < KEYS_MS


def of(sql: Connection, intent: str) -> list[Page]:
    """Every page of an intent, the first first."""
    found = sa.select(SESSIONS).where(SESSIONS.c.intent == intent).order_by(SESSIONS.c.number)
    return [
        Page(row.intent, row.number, row.asked, row.at_ms, row.session, row.url)
        for row in sql.execute(found)
    ]


def is_cancelled(sql: Connection, intent: str) -> bool:
    """May nobody pay this intent any more?"""
    found = sa.select(CANCELLED.c.intent).where(CANCELLED.c.intent == intent)
    return sql.execute(found).first() is not None


def last(sql: Connection, intent: Intent) -> tuple[Page | None, bool]:
    """The newest page of an intent, and whether the intent was cancelled.

    Raises errors.Broken when it was begun with another price.
    """
    price = (intent.amount, intent.currency)
    found = sa.select(SESSIONS.c.amount, SESSIONS.c.currency).where(SESSIONS.c.intent == intent.id)
    for row in sql.execute(found):
        known = (row.amount, row.currency)
        if known != price:
            raise errors.Broken(f"payment {intent.id}: asked for {price}, but began with {known}")
    pages = of(sql, intent.id)
    return (pages[-1] if pages else None), is_cancelled(sql, intent.id)


def add(sql: Connection, intent: Intent, after: int, asked: str, now_ms: int) -> Page:
    """The page behind number `after`, as whoever was first wrote it down."""
    values = {
        "intent": intent.id,
        "number": after + 1,
        "asked": asked,
        "amount": intent.amount,
        "currency": intent.currency,
        "at_ms": now_ms,
        "session": "",
        "url": "",
    }
    sql.execute(_insert(sql, SESSIONS).values(values).on_conflict_do_nothing())
    return of(sql, intent.id)[after]


def answered(sql: Connection, page: Page, session: str, url: str) -> bool:
    """Stripe's answer is written down. Was the intent cancelled meanwhile?"""
    here = (SESSIONS.c.intent == page.intent, SESSIONS.c.number == page.number)
    sql.execute(sa.update(SESSIONS).where(*here).values(session=session, url=url))
    return is_cancelled(sql, page.intent)


def cancel(sql: Connection, intent: str, now_ms: int) -> list[Page]:
    """From now on no page of this intent is made; those that there are."""
    row = _insert(sql, CANCELLED).values(intent=intent, at_ms=now_ms)
    sql.execute(row.on_conflict_do_nothing())
    return of(sql, intent)


def _insert(sql: Connection, table: sa.Table) -> Any:
    return (sqlite if sql.dialect.name == "sqlite" else postgresql).insert(table)
