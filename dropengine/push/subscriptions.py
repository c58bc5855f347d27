"""Which browsers a fan is called on in a drop. One browser is one fan's there: whoever subscribes
it last."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from dropengine.model import DropId, FanId
from dropengine.sql.schema.interests import MAKER_BROWSERS
from dropengine.sql.schema.ledger import CURSORS, DROPS
from dropengine.sql.schema.pushes import CALLED, SUBSCRIPTIONS

OVER_MS = 30 * 24 * 3_600_000
"""So long after a drop ended its fans may still hear of a refund."""
OF_FAN_MAX = 5
"""With one more, the browser that a fan subscribed first is called no more."""


class Subscription(Struct, frozen=True):
    """One browser of one fan in one drop. `agent`: what it calls itself."""

    drop: DropId
    fan: FanId
    endpoint: str
    p256dh: str
    auth: str
    language: str
    quiet: bool
    since_ms: int
    agent: str = ""

    @property
    def browser(self) -> str:
        return browser_of(self.endpoint)


class Renewed(Struct, frozen=True):
    """What a browser says when its push service gave it another address."""

    endpoint: str
    p256dh: str
    auth: str


def browser_of(endpoint: str) -> str:
    """What stands for an endpoint wherever it need not be called."""
    return hashlib.sha256(endpoint.encode()).hexdigest()[:32]


def keep(sql: Connection, one: Subscription) -> None:
    """From now on this browser is this fan's in the drop. The same once more changes what it says
    of itself, not since when."""
    if not sql.execute(_anybody(one.drop)).first():
        _begin(sql, one.drop)
    row = {
        "browser": one.browser,
        "drop_id": one.drop,
        "fan": one.fan,
        "endpoint": one.endpoint,
        "p256dh": one.p256dh,
        "auth": one.auth,
        "language": one.language,
        "quiet": int(one.quiet),
        "since_ms": one.since_ms,
        "agent": one.agent,
    }
    had = sql.execute(
        select(SUBSCRIPTIONS.c.fan, SUBSCRIPTIONS.c.since_ms).where(*_row(one.drop, one.browser))
    ).first()
    if had is not None and had.fan == one.fan:
        row["since_ms"] = had.since_ms
    # Both engines say it alike, and SQLAlchemy has it once for each.
    upsert: Any = (sqlite if sql.dialect.name == "sqlite" else postgresql).insert(SUBSCRIPTIONS)
    keys = ("browser", "drop_id")
    changed = {name: value for name, value in row.items() if name not in keys}
    sql.execute(upsert.values(row).on_conflict_do_update(index_elements=list(keys), set_=changed))
    for oldest in of_fan(sql, one.drop, one.fan)[:-OF_FAN_MAX]:
        end(sql, one.drop, one.fan, oldest.browser)


def _anybody(drop: DropId) -> Select[tuple[str]]:
    return select(SUBSCRIPTIONS.c.browser).where(SUBSCRIPTIONS.c.drop_id == drop).limit(1)


def _begin(sql: Connection, drop: DropId) -> None:
    """Where the books end now, those begin whom the drop calls: nobody is told of what was
    before."""
    asked = select(CURSORS.c.seq).where(CURSORS.c.drop_id == drop)
    seq = sql.execute(asked).scalar() or 0
    sql.execute(delete(CALLED).where(CALLED.c.drop_id == drop))
    sql.execute(insert(CALLED).values(drop_id=drop, seq=seq))


def of_fan(sql: Connection, drop: DropId, fan: FanId) -> list[Subscription]:
    """A fan's browsers, the one that was subscribed first before all others."""
    here = (SUBSCRIPTIONS.c.drop_id == drop, SUBSCRIPTIONS.c.fan == fan)
    order = (SUBSCRIPTIONS.c.since_ms, SUBSCRIPTIONS.c.browser)
    rows = sql.execute(select(SUBSCRIPTIONS).where(*here).order_by(*order))
    return [_subscription(row) for row in rows]


def of_drop(sql: Connection, drop: DropId) -> dict[FanId, list[Subscription]]:
    """Everybody who is called in a drop."""
    found: dict[FanId, list[Subscription]] = {}
    for row in sql.execute(select(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.drop_id == drop)):
        found.setdefault(FanId(row.fan), []).append(_subscription(row))
    return found


def untold(
    sql: Connection, drop: DropId, told: Sequence[str], before_ms: int, most: int
) -> list[Subscription]:
    """Some of those that were told of none of these events, and have been there since before."""
    here = (
        SUBSCRIPTIONS.c.drop_id == drop,
        SUBSCRIPTIONS.c.told.not_in(told),
        SUBSCRIPTIONS.c.since_ms < before_ms,
    )
    asked = select(SUBSCRIPTIONS).where(*here).order_by(SUBSCRIPTIONS.c.browser).limit(most)
    return [_subscription(row) for row in sql.execute(asked)]


def mark(sql: Connection, drop: DropId, event: str, browsers: Sequence[str]) -> None:
    """These were told of an event that everybody is called for."""
    here = (SUBSCRIPTIONS.c.drop_id == drop, SUBSCRIPTIONS.c.browser.in_(browsers))
    sql.execute(update(SUBSCRIPTIONS).where(*here).values(told=event))


def count(sql: Connection, drop: DropId) -> int:
    """How many browsers are called in a drop."""
    asked = select(func.count()).select_from(SUBSCRIPTIONS)
    return sql.execute(asked.where(SUBSCRIPTIONS.c.drop_id == drop)).scalar_one()


def drops(sql: Connection) -> list[DropId]:
    """Drops in which anybody is called."""
    found = sql.execute(select(SUBSCRIPTIONS.c.drop_id).distinct()).scalars()
    return [DropId(drop) for drop in found]


def counts(sql: Connection, *which: ColumnElement[bool]) -> dict[DropId, int]:
    """How many browsers are called in each drop."""
    asked = select(SUBSCRIPTIONS.c.drop_id, func.count()).where(*which)
    found = sql.execute(asked.group_by(SUBSCRIPTIONS.c.drop_id)).all()
    return {DropId(drop): number for drop, number in found}


def by_browser(sql: Connection, drop: DropId, browser: str) -> Subscription | None:
    """Whose a browser is in a drop; None where it is nobody's."""
    row = sql.execute(select(SUBSCRIPTIONS).where(*_row(drop, browser))).first()
    return None if row is None else _subscription(row)


def end(sql: Connection, drop: DropId, fan: FanId, browser: str) -> bool:
    """The fan is not called there any more; was he?"""
    here = (*_row(drop, browser), SUBSCRIPTIONS.c.fan == fan)
    return sql.execute(delete(SUBSCRIPTIONS).where(*here)).rowcount > 0


def renew(
    sql: Connection, browser: str, fans_in: Callable[[DropId], Sequence[FanId]], fresh: Renewed
) -> list[DropId]:
    """The push service gave a browser another address: wherever it calls this person, it calls him
    there. In which drops."""
    rows = sql.execute(select(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.browser == browser)).all()
    found = []
    for had in map(_subscription, rows):
        if had.fan not in fans_in(had.drop):
            continue
        end(sql, had.drop, had.fan, browser)
        keep(sql, replace(had, endpoint=fresh.endpoint, p256dh=fresh.p256dh, auth=fresh.auth))
        found.append(had.drop)
    return found


def gone(sql: Connection, browser: str) -> None:
    """The push service knows that browser no more: nobody is called on it."""
    for table in (SUBSCRIPTIONS, MAKER_BROWSERS):
        sql.execute(delete(table).where(table.c.browser == browser))


def move(sql: Connection, drop: DropId, guest: FanId, person: FanId) -> None:
    """A guest became a person: his browsers are the person's."""
    here = (SUBSCRIPTIONS.c.drop_id == drop, SUBSCRIPTIONS.c.fan == guest)
    sql.execute(update(SUBSCRIPTIONS).where(*here).values(fan=person))


def carry(sql: Connection, old: DropId, new: DropId, fans: Mapping[FanId, FanId]) -> None:
    """Whoever was called in the old drop, and has a place in the new one, is called there too. A
    browser that calls somebody there already goes on with that. fans: old -> new."""
    for fan, browsers in of_drop(sql, old).items():
        for one in browsers if fan in fans else ():
            if by_browser(sql, new, one.browser) is None:
                keep(sql, replace(one, drop=new, fan=fans[fan]))


def forget(sql: Connection, drop: DropId, fan: FanId) -> None:
    """Nothing is known of a fan's browsers any more."""
    here = (SUBSCRIPTIONS.c.drop_id == drop, SUBSCRIPTIONS.c.fan == fan)
    sql.execute(delete(SUBSCRIPTIONS).where(*here))


def forget_over(sql: Connection, now_ms: int) -> None:
    """Nobody is called any more in drops that ended long ago."""
    ended = (DROPS.c.ended_ms > 0, DROPS.c.ended_ms <= now_ms - OVER_MS)
    over = select(DROPS.c.drop_id).where(*ended).scalar_subquery()
    for table in (SUBSCRIPTIONS, CALLED):
        sql.execute(delete(table).where(table.c.drop_id.in_(over)))


def _row(drop: DropId, browser: str) -> tuple[Any, Any]:
    return (SUBSCRIPTIONS.c.browser == browser, SUBSCRIPTIONS.c.drop_id == drop)


def _subscription(row: Any) -> Subscription:
    return Subscription(
        drop=DropId(row.drop_id),
        fan=FanId(row.fan),
        endpoint=row.endpoint,
        p256dh=row.p256dh,
        auth=row.auth,
        language=row.language,
        quiet=bool(row.quiet),
        since_ms=row.since_ms,
        agent=row.agent,
    )
