"""Letters that are owed: put down in the transaction of what causes them, ticked off when taken.

Whoever lets somebody be called writes a row here by `put` and is done: the ledger sends it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from dropengine.mail import letter as letters
from dropengine.mail.carriers import Away, Bounced, Carried, Deferred, Refused, Taken
from dropengine.mail.letter import Kind, Letter
from dropengine.sql.schema.mails import MAILS

AT_ONCE = 50
FIRST_WAIT_MS = 5_000
WAIT_MS_MAX = 3_600_000
GIVE_UP_MS = 2 * 24 * 3_600_000
"""So long after it was written a letter that is put off again is given up: whoever is away longer
has no use for what it says."""
KEPT_MS = 30 * 24 * 3_600_000
"""So long after it ended it can be looked up."""
PAGE_MAX = 100
PARTS = 400


class MailState(StrEnum):
    """queued -> sent | deferred | failed | bounced | over, deferred -> the same.

    `FAILED`: no server took it. `BOUNCED`: its reader cannot be reached at that address. `OVER`:
    its moment passed, and it was not sent.
    """

    QUEUED = "queued"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    BOUNCED = "bounced"
    OVER = "over"


OPEN = (MailState.QUEUED, MailState.DEFERRED)


class Row(Struct, frozen=True):
    """A letter as people look at it: everything but what it says."""

    id: str
    kind: str
    whose: str
    drop: str
    reader: str
    subject: str
    written_ms: int
    state: MailState
    said: str
    tries: int
    next_ms: int
    ended_ms: int


class Standing(Struct, frozen=True):
    """How many letters wait, and when the oldest of them was written; 0 for none."""

    waiting: int
    oldest_ms: int


def put(sql: Connection, letter: Letter) -> None:
    """Somebody is owed this. The same id a second time changes nothing, at once or later.

    Raises ValueError for an address, an id or a size that cannot be.
    """
    letters.check(letter)
    row = {
        "id": letter.id,
        "kind": letter.kind,
        "whose": letter.whose,
        "drop_id": letter.drop,
        "about": letter.about,
        "reader": letter.to,
        "sender": letter.sender,
        "subject": letter.subject,
        "words": letter.words,
        "language": letter.language,
        "unsubscribe": letter.unsubscribe,
        "urgent": int(letter.urgent),
        "written_ms": letter.written_ms,
        "until_ms": letter.until_ms,
        "state": MailState.QUEUED,
        "next_ms": max(letter.written_ms, letter.from_ms),
    }
    # Both engines say it alike, and SQLAlchemy has it once for each.
    insert: Any = (sqlite if sql.dialect.name == "sqlite" else postgresql).insert(MAILS)
    sql.execute(insert.values(row).on_conflict_do_nothing(index_elements=["id"]))


def due(sql: Connection, now_ms: int) -> list[Letter]:
    """What is to be tried now: the urgent ones first, then the longest overdue."""
    asked = (
        select(MAILS)
        .where(_open(), MAILS.c.next_ms <= now_ms)
        .order_by(MAILS.c.urgent.desc(), MAILS.c.next_ms, MAILS.c.id)
        .limit(AT_ONCE)
    )
    return [_letter(row) for row in sql.execute(asked)]


def _letter(row: Any) -> Letter:
    return Letter(
        id=row.id,
        kind=row.kind,
        to=row.reader,
        subject=row.subject,
        words=row.words,
        written_ms=row.written_ms,
        whose=row.whose,
        drop=row.drop_id,
        about=row.about,
        until_ms=row.until_ms,
        urgent=bool(row.urgent),
        sender=row.sender,
        language=row.language,
        unsubscribe=row.unsubscribe,
    )


def note(sql: Connection, mail: str, carried: Carried, now_ms: int) -> bool:
    """What became of a try. A letter that has ended stays as it is. False: whoever it is to was
    forgotten meanwhile."""
    here = MAILS.c.id == mail
    asked = select(MAILS.c.tries, MAILS.c.written_ms, MAILS.c.state).where(here)
    row = sql.execute(asked).first()
    if row is None or row.state not in OPEN:
        return row is not None
    tries = row.tries + 1
    state, said = _became(carried, now_ms - row.written_ms)
    change: dict[str, object] = {"state": state, "said": said, "tries": tries}
    change |= {"next_ms": now_ms + wait_ms(tries)} if state in OPEN else _ended(now_ms)
    sql.execute(update(MAILS).where(here, _open()).values(change))
    return True


def end(sql: Connection, now_ms: int, *which: ColumnElement[bool]) -> int:
    """The moment of these letters passed: those that wait are not sent. Returns how many."""
    change = {"state": MailState.OVER, **_ended(now_ms)}
    return sql.execute(update(MAILS).where(_open(), *which).values(change)).rowcount


def end_late(sql: Connection, now_ms: int) -> int:
    """All that wait although their moment passed."""
    return end(sql, now_ms, MAILS.c.until_ms > 0, MAILS.c.until_ms <= now_ms)


def forget(sql: Connection, *which: ColumnElement[bool]) -> list[str]:
    """Take letters out, whatever became of them; their ids, by which there may be files."""
    found = [*sql.execute(select(MAILS.c.id).where(*which)).scalars()]
    sql.execute(delete(MAILS).where(*which))
    return found


def forget_old(sql: Connection, now_ms: int) -> list[str]:
    """Take out what ended long ago."""
    return forget(sql, MAILS.c.ended_ms > 0, MAILS.c.ended_ms <= now_ms - KEPT_MS)


def forget_whose(sql: Connection, whose: str) -> list[str]:
    """Take out all letters to somebody who is forgotten."""
    return forget(sql, MAILS.c.whose == whose)


def unknown(sql: Connection, letters: Iterable[str]) -> set[str]:
    """Those that nobody is or was owed: whoever they were to is forgotten."""
    rest = sorted(letters)
    found: set[str] = set()
    for start in range(0, len(rest), PARTS):
        part = rest[start : start + PARTS]
        found |= {*sql.execute(select(MAILS.c.id).where(MAILS.c.id.in_(part))).scalars()}
    return {*rest} - found


def wait_ms(tries: int) -> int:
    """How long after this many tries the next one comes: doubled each time, at most an hour."""
    return min(FIRST_WAIT_MS << min(tries - 1, 10), WAIT_MS_MAX)


def standing(sql: Connection) -> Standing:
    """What waits."""
    asked = select(func.count(), func.min(MAILS.c.written_ms)).where(_open())
    waiting, oldest_ms = sql.execute(asked).one()
    return Standing(waiting, oldest_ms or 0)


def counts(sql: Connection, *which: ColumnElement[bool]) -> dict[MailState, int]:
    """How many of these letters there are of each state."""
    asked = select(MAILS.c.state, func.count()).where(*which).group_by(MAILS.c.state)
    found = sql.execute(asked).all()
    return dict.fromkeys(MailState, 0) | {MailState(state): number for state, number in found}


def page(
    sql: Connection, *which: ColumnElement[bool], before: tuple[int, str] | None = None
) -> Sequence[Row]:
    """The newest of these letters, at most `PAGE_MAX`. before: time and id of the last that was
    seen."""
    wanted = select(MAILS).where(*which)
    if before is not None:
        at_ms, last = before
        older = MAILS.c.written_ms < at_ms
        wanted = wanted.where(older | ((MAILS.c.written_ms == at_ms) & (MAILS.c.id < last)))
    rows = sql.execute(
        wanted.order_by(MAILS.c.written_ms.desc(), MAILS.c.id.desc()).limit(PAGE_MAX)
    )
    return [_row(row) for row in rows]


def every(sql: Connection, *which: ColumnElement[bool]) -> list[Row]:
    """All of these letters that are kept, the newest first."""
    found: list[Row] = []
    before = None
    while some := page(sql, *which, before=before):
        found += some
        before = (some[-1].written_ms, some[-1].id)
    return found


def newest(sql: Connection, whose: str) -> Row | None:
    """The last letter to somebody."""
    return next(iter(page(sql, MAILS.c.whose == whose)), None)


def by_id(sql: Connection, letter: str) -> Row | None:
    """One letter; None where it is none, or was long ago."""
    return next(iter(page(sql, MAILS.c.id == letter)), None)


def written_since(sql: Connection, whose: str, kind: Kind, since_ms: int) -> int:
    """How many letters of a kind somebody was written."""
    here = (MAILS.c.whose == whose, MAILS.c.kind == kind, MAILS.c.written_ms > since_ms)
    return sql.execute(select(func.count()).select_from(MAILS).where(*here)).scalar_one()


def _row(row: Any) -> Row:
    return Row(
        id=row.id,
        kind=row.kind,
        whose=row.whose,
        drop=row.drop_id,
        reader=row.reader,
        subject=row.subject,
        written_ms=row.written_ms,
        state=MailState(row.state),
        said=row.said,
        tries=row.tries,
        next_ms=row.next_ms,
        ended_ms=row.ended_ms,
    )


def _open() -> ColumnElement[bool]:
    return MAILS.c.state.in_(OPEN)


def _ended(now_ms: int) -> dict[str, object]:
    # What it said may let somebody in, and nobody reads it here any more.
    return {"ended_ms": now_ms, "words": ""}


def _became(carried: Carried, age_ms: int) -> tuple[MailState, str]:
    match carried:
        case Taken():
            return MailState.SENT, ""
        case Refused(said):
            return MailState.FAILED, said
        case Bounced(said):
            return MailState.BOUNCED, said
        case Deferred(said) | Away(said):
            return (MailState.FAILED if age_ms >= GIVE_UP_MS else MailState.DEFERRED), said
