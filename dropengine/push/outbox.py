"""Calls that browsers are owed: put down in the transaction of what causes them, ticked off when a
push service took them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from dropengine.model import DropId, FanId
from dropengine.push import subscriptions
from dropengine.push.subscriptions import Subscription
from dropengine.sql.schema.pushes import PUSHES

AT_ONCE = 64
FIRST_WAIT_MS = 2_000
WAIT_MS_MAX = 600_000
GIVE_UP_MS = 24 * 3_600_000
KEPT_MS = 30 * 24 * 3_600_000
"""So long after it ended it can be looked up."""
TITLE_CHARS_MAX = 120
BODY_CHARS_MAX = 300


class Kind(StrEnum):
    """What a fan is called for."""

    REMINDER = "reminder"
    OPENED = "opened"
    TEN_BEFORE = "ten_before"
    OFFER = "offer"
    HOLD_ENDS = "hold_ends"
    SOLD = "sold"
    REFUND = "refund"
    MESSAGE = "message"
    CARRIED = "carried"
    NEW_DROP = "new_drop"


class PushState(StrEnum):
    """queued -> sent | deferred | failed | gone | over, deferred -> the same.

    `FAILED`: no push service took it. `GONE`: nobody is called at that browser any more.
    `OVER`: its moment passed, and it was not sent.
    """

    QUEUED = "queued"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    GONE = "gone"
    OVER = "over"


OPEN = (PushState.QUEUED, PushState.DEFERRED)


class Call(Struct, frozen=True):
    """What one fan is to hear, on all his browsers. `id`: the same for the same cause. `about`: a
    hold or an entry, whose end ends it. `from_ms`: not before; 0 at once."""

    id: str
    kind: Kind
    about: str
    written_ms: int
    until_ms: int
    from_ms: int = 0


class Push(Struct, frozen=True):
    """A call that is due at one browser."""

    id: str
    browser: str
    drop: DropId
    kind: Kind
    title: str
    body: str
    language: str
    at_ms: int
    until_ms: int
    tries: int


class Sent(Struct, frozen=True):
    """The push service has it."""


class Later(Struct, frozen=True):
    """Not now. `wait_ms`: what was asked for, 0 for nothing."""

    said: str
    wait_ms: int = 0


class Failed(Struct, frozen=True):
    """Never, but the browser may be called for something else."""

    said: str


class Gone(Struct, frozen=True):
    """Never, and nobody is called there any more."""

    said: str


Outcome = Sent | Later | Failed | Gone


class Told(Struct, frozen=True):
    """The newest call of a fan, as he and the maker look at it."""

    kind: Kind
    at_ms: int
    state: PushState


def put(
    sql: Connection, to: Subscription, call: Call, title: str, body: str, at_ms: int = 0
) -> None:
    """A browser is owed this. The same call a second time changes nothing, at once or later.

    at_ms: the moment that the body speaks of, 0 for none.
    """
    row = {
        "id": f"{to.drop}.{call.id}.{to.browser}",
        "browser": to.browser,
        "drop_id": to.drop,
        "fan": to.fan,
        "kind": call.kind,
        "about": call.about,
        "title": title[:TITLE_CHARS_MAX],
        "body": body[:BODY_CHARS_MAX],
        "language": to.language,
        "at_ms": at_ms,
        "written_ms": call.written_ms,
        "until_ms": call.until_ms,
        "state": PushState.QUEUED,
        "next_ms": call.from_ms or call.written_ms,
    }
    # Both engines say it alike, and SQLAlchemy has it once for each.
    insert: Any = (sqlite if sql.dialect.name == "sqlite" else postgresql).insert(PUSHES)
    sql.execute(insert.values(row).on_conflict_do_nothing(index_elements=["id"]))


def due(sql: Connection, now_ms: int) -> list[Push]:
    """What is to be tried now: what was never tried first, so that no endpoint that does not answer
    keeps others waiting."""
    asked = (
        select(PUSHES)
        .where(_open(), PUSHES.c.next_ms <= now_ms)
        .order_by(PUSHES.c.state.desc(), PUSHES.c.next_ms, PUSHES.c.id)
        .limit(AT_ONCE)
    )
    return [
        Push(
            id=row.id,
            browser=row.browser,
            drop=DropId(row.drop_id),
            kind=Kind(row.kind),
            title=row.title,
            body=row.body,
            language=row.language,
            at_ms=row.at_ms,
            until_ms=row.until_ms,
            tries=row.tries,
        )
        for row in sql.execute(asked)
    ]


def note(sql: Connection, push: Push, outcome: Outcome, now_ms: int) -> None:
    """What became of a try. A call that has ended stays as it is."""
    here = (PUSHES.c.id == push.id, _open())
    row = sql.execute(select(PUSHES.c.tries, PUSHES.c.written_ms).where(*here)).first()
    if row is None:
        return
    tries = row.tries + 1
    change: dict[str, object] = {"tries": tries}
    match outcome:
        case Sent():
            change |= _ended(PushState.SENT, now_ms)
        case Failed(said):
            change |= _ended(PushState.FAILED, now_ms) | {"said": said}
        case Gone(said):
            change |= _ended(PushState.GONE, now_ms) | {"said": said}
        case Later(said, asked_ms) if now_ms - row.written_ms < GIVE_UP_MS:
            pause_ms = max(wait_ms(tries), min(asked_ms, WAIT_MS_MAX))
            change |= {"state": PushState.DEFERRED, "said": said, "next_ms": now_ms + pause_ms}
        case Later(said):
            change |= _ended(PushState.FAILED, now_ms) | {"said": said}
    sql.execute(update(PUSHES).where(*here).values(change))
    if isinstance(outcome, Gone):
        subscriptions.gone(sql, push.browser)
        end(sql, now_ms, PUSHES.c.browser == push.browser, state=PushState.GONE)


def end(
    sql: Connection, now_ms: int, *which: ColumnElement[bool], state: PushState = PushState.OVER
) -> int:
    """These calls came to nothing: those that wait are not sent. Returns how many."""
    return sql.execute(update(PUSHES).where(_open(), *which).values(_ended(state, now_ms))).rowcount


def end_about(sql: Connection, drop: DropId, about: list[str], now_ms: int) -> None:
    """What these calls were about has ended."""
    if about:
        end(sql, now_ms, PUSHES.c.drop_id == drop, PUSHES.c.about.in_(about))


def end_drop(sql: Connection, drop: DropId, now_ms: int) -> None:
    """Nothing can be taken, held or waited for any more. What was bought and what the maker says
    is still told."""
    end(sql, now_ms, PUSHES.c.drop_id == drop, PUSHES.c.about != "")


def end_late(sql: Connection, now_ms: int) -> int:
    """All that wait although their moment passed."""
    return end(sql, now_ms, PUSHES.c.until_ms > 0, PUSHES.c.until_ms <= now_ms)


def end_of_browser(sql: Connection, drop: DropId, browser: str, now_ms: int) -> None:
    """A fan is not called on a browser any more."""
    end(
        sql,
        now_ms,
        PUSHES.c.drop_id == drop,
        PUSHES.c.browser == browser,
        state=PushState.GONE,
    )


def renew(sql: Connection, drop: DropId, was: str, browser: str) -> None:
    """A browser is reached elsewhere from now on: what it is owed still goes there."""
    here = (PUSHES.c.drop_id == drop, PUSHES.c.browser == was)
    sql.execute(update(PUSHES).where(*here).values(browser=browser))


def forget_old(sql: Connection, now_ms: int) -> int:
    """Take out what ended long ago."""
    old = (PUSHES.c.ended_ms > 0, PUSHES.c.ended_ms <= now_ms - KEPT_MS)
    return sql.execute(delete(PUSHES).where(*old)).rowcount


def forget(sql: Connection, drop: DropId, fan: FanId) -> None:
    """Nothing is known of a fan's calls any more."""
    sql.execute(delete(PUSHES).where(PUSHES.c.drop_id == drop, PUSHES.c.fan == fan))


def move(sql: Connection, drop: DropId, guest: FanId, person: FanId) -> None:
    """A guest became a person: his calls are the person's."""
    here = (PUSHES.c.drop_id == drop, PUSHES.c.fan == guest)
    sql.execute(update(PUSHES).where(*here).values(fan=person))


def newest(sql: Connection, drop: DropId, fan: FanId) -> dict[str, Told]:
    """Browser -> the last call to a fan there that was due."""
    asked = (
        select(PUSHES)
        .where(PUSHES.c.drop_id == drop, PUSHES.c.fan == fan, PUSHES.c.state != PushState.QUEUED)
        .order_by(PUSHES.c.written_ms, PUSHES.c.id)
    )
    return {
        row.browser: Told(Kind(row.kind), row.ended_ms or row.written_ms, PushState(row.state))
        for row in sql.execute(asked)
    }


def counts(sql: Connection, drop: DropId | None = None) -> dict[PushState, int]:
    """How many calls there are of each state, of all drops or of one."""
    here = () if drop is None else (PUSHES.c.drop_id == drop,)
    asked = select(PUSHES.c.state, func.count()).where(*here).group_by(PUSHES.c.state)
    found = sql.execute(asked).all()
    return dict.fromkeys(PushState, 0) | {PushState(state): number for state, number in found}


def by_drop(sql: Connection, *which: ColumnElement[bool]) -> dict[DropId, dict[PushState, int]]:
    """The same of each drop with calls among these."""
    asked = (
        select(PUSHES.c.drop_id, PUSHES.c.state, func.count())
        .where(*which)
        .group_by(PUSHES.c.drop_id, PUSHES.c.state)
        .order_by(PUSHES.c.drop_id)
    )
    found: dict[DropId, dict[PushState, int]] = {}
    for drop, state, number in sql.execute(asked):
        here = found.setdefault(DropId(drop), dict.fromkeys(PushState, 0))
        here[PushState(state)] = number
    return found


def waiting(sql: Connection, now_ms: int) -> int:
    """How many are due and were not taken."""
    asked = select(func.count()).select_from(PUSHES).where(_open(), PUSHES.c.next_ms <= now_ms)
    return sql.execute(asked).scalar_one()


def wait_ms(tries: int) -> int:
    """How long after this many tries the next one comes: doubled each time, to ten minutes."""
    return min(FIRST_WAIT_MS << min(tries - 1, 10), WAIT_MS_MAX)


def _open() -> ColumnElement[bool]:
    return PUSHES.c.state.in_(OPEN)


def _ended(state: PushState, now_ms: int) -> dict[str, object]:
    return {"state": state, "ended_ms": now_ms, "title": "", "body": ""}
