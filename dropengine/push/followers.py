"""Browsers that are called of the new drops of a maker: a guest's too, who is known there by
nothing but his browser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from dropengine.model import DropId, FanId
from dropengine.people import devices
from dropengine.people.tickets import Ticket
from dropengine.push.subscriptions import Renewed, Subscription, browser_of
from dropengine.sql.schema.interests import MAKER_BROWSERS

OF_PERSON_MAX = 5
"""With one more, the browser that somebody subscribed first is called no more."""


class Follower(Struct, frozen=True):
    """One browser at one maker. `person`: who was signed in there; of a guest, `guest:` and his
    ticket's name."""

    maker: str
    person: str
    endpoint: str
    p256dh: str
    auth: str
    language: str
    since_ms: int

    @property
    def browser(self) -> str:
        return browser_of(self.endpoint)

    def within(self, drop: DropId) -> Subscription:
        """As a call of a drop reaches it."""
        nobody = FanId("")
        return Subscription(
            drop, nobody, self.endpoint, self.p256dh, self.auth, self.language, False, self.since_ms
        )


def whose(sql: Connection, ticket: Ticket, now_ms: int) -> str:
    """Under which name the browsers of whoever has this ticket are counted: a person's, or a
    guest's."""
    known = devices.find(sql, ticket.session, now_ms) if ticket.person else None
    return f"guest:{ticket.name}" if known is None else known.person


def keep(sql: Connection, one: Follower) -> None:
    """From now on this browser is called. The same once more changes whose it is and how it is
    reached, not since when."""
    row = {
        "browser": one.browser,
        "maker": one.maker,
        "person": one.person,
        "endpoint": one.endpoint,
        "p256dh": one.p256dh,
        "auth": one.auth,
        "language": one.language,
        "since_ms": one.since_ms,
    }
    # Both engines say it alike, and SQLAlchemy has it once for each.
    upsert: Any = (sqlite if sql.dialect.name == "sqlite" else postgresql).insert(MAKER_BROWSERS)
    changed = {name: row[name] for name in ("person", "endpoint", "p256dh", "auth", "language")}
    keys = ["browser", "maker"]
    sql.execute(upsert.values(row).on_conflict_do_update(index_elements=keys, set_=changed))
    mine = [other for other in of_person(sql, one.person) if other.maker == one.maker]
    for oldest in mine[:-OF_PERSON_MAX]:
        end(sql, one.maker, oldest.browser)


def renew(sql: Connection, browser: str, person: str, fresh: Renewed) -> list[str]:
    """The push service gave his browser another address: whoever called it there calls it here.
    The makers."""
    here = (MAKER_BROWSERS.c.browser == browser, MAKER_BROWSERS.c.person == person)
    rows = sql.execute(select(MAKER_BROWSERS).where(*here)).all()
    for row in rows:
        # It may have been told of already, by the page that was open.
        end(sql, row.maker, browser_of(fresh.endpoint))
    moved = {
        "browser": browser_of(fresh.endpoint),
        "endpoint": fresh.endpoint,
        "p256dh": fresh.p256dh,
        "auth": fresh.auth,
    }
    sql.execute(update(MAKER_BROWSERS).where(*here).values(moved))
    return [row.maker for row in rows]


def move(sql: Connection, guest: str, person: str) -> None:
    """A guest became a person: his browsers are the person's."""
    here = MAKER_BROWSERS.c.person == guest
    sql.execute(update(MAKER_BROWSERS).where(here).values(person=person))


def end(sql: Connection, maker: str, browser: str) -> None:
    """It is not called any more. Harmless to repeat."""
    here = (MAKER_BROWSERS.c.maker == maker, MAKER_BROWSERS.c.browser == browser)
    sql.execute(delete(MAKER_BROWSERS).where(*here))


def end_of_person(sql: Connection, person: str, maker: str) -> None:
    """None of his browsers is called of this maker any more."""
    here = (MAKER_BROWSERS.c.person == person, MAKER_BROWSERS.c.maker == maker)
    sql.execute(delete(MAKER_BROWSERS).where(*here))


def forget(sql: Connection, person: str) -> None:
    """Nothing is known of his browsers any more."""
    sql.execute(delete(MAKER_BROWSERS).where(MAKER_BROWSERS.c.person == person))


def find(sql: Connection, maker: str, browser: str) -> Follower | None:
    """A browser that is called, or None."""
    here = (MAKER_BROWSERS.c.maker == maker, MAKER_BROWSERS.c.browser == browser)
    row = sql.execute(select(MAKER_BROWSERS).where(*here)).first()
    return None if row is None else _follower(row)


def of_person(sql: Connection, person: str) -> list[Follower]:
    """His browsers, maker by maker."""
    order = (MAKER_BROWSERS.c.maker, MAKER_BROWSERS.c.since_ms, MAKER_BROWSERS.c.browser)
    asked = select(MAKER_BROWSERS).where(MAKER_BROWSERS.c.person == person).order_by(*order)
    return [_follower(row) for row in sql.execute(asked)]


def count(sql: Connection, maker: str) -> int:
    """How many browsers are called of a maker's new drops."""
    asked = select(func.count()).select_from(MAKER_BROWSERS)
    return sql.execute(asked.where(MAKER_BROWSERS.c.maker == maker)).scalar_one()


def untold(sql: Connection, maker: str, drop: DropId, before_ms: int, most: int) -> list[Follower]:
    """Some of those that were not called of this drop, and have been there since before."""
    here = (
        MAKER_BROWSERS.c.maker == maker,
        MAKER_BROWSERS.c.told != drop,
        MAKER_BROWSERS.c.since_ms < before_ms,
    )
    asked = select(MAKER_BROWSERS).where(*here).order_by(MAKER_BROWSERS.c.browser).limit(most)
    return [_follower(row) for row in sql.execute(asked)]


def mark(sql: Connection, maker: str, drop: DropId, browsers: Sequence[str]) -> None:
    """These are called of this drop."""
    here = (MAKER_BROWSERS.c.maker == maker, MAKER_BROWSERS.c.browser.in_(browsers))
    sql.execute(update(MAKER_BROWSERS).where(*here).values(told=drop))


def _follower(row: Any) -> Follower:
    return Follower(
        maker=row.maker,
        person=row.person,
        endpoint=row.endpoint,
        p256dh=row.p256dh,
        auth=row.auth,
        language=row.language,
        since_ms=row.since_ms,
    )
