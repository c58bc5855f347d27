"""Mails that are owed: put down in the transaction of what causes them, ticked off when taken."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Connection, func, insert, select, update

from dropengine.mail.carriers import Carried, Deferred, Refused, Taken
from dropengine.mail.letter import Letter
from dropengine.sql.schema.mails import MAILS

AT_ONCE = 50
FIRST_WAIT_MS = 30_000
WAIT_MS_MAX = 3_600_000
TRIES_MAX = 60
"""About two days: whoever is away longer has no use for what the mail says."""


class MailState(StrEnum):
    """waiting -> sent | deferred | failed, deferred -> sent | deferred | failed."""

    WAITING = "waiting"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"


OPEN = (MailState.WAITING, MailState.DEFERRED)


def put(sql: Connection, letter: Letter) -> None:
    """Somebody is owed this. The same id a second time changes nothing."""
    if sql.execute(select(MAILS.c.id).where(MAILS.c.id == letter.id)).first():
        return
    row = {
        "id": letter.id,
        "reader": letter.to,
        "subject": letter.subject,
        "words": letter.words,
        "written_ms": letter.written_ms,
        "state": MailState.WAITING,
        "said": "",
        "tries": 0,
        "next_ms": letter.written_ms,
    }
    sql.execute(insert(MAILS).values(row))


def due(sql: Connection, now_ms: int) -> list[Letter]:
    """What is to be tried now, the longest overdue first."""
    asked = (
        select(MAILS)
        .where(MAILS.c.state.in_(OPEN), MAILS.c.next_ms <= now_ms)
        .order_by(MAILS.c.next_ms, MAILS.c.id)
        .limit(AT_ONCE)
    )
    return [
        Letter(row.id, row.reader, row.subject, row.words, row.written_ms)
        for row in sql.execute(asked)
    ]


def note(sql: Connection, mail: str, carried: Carried, now_ms: int) -> None:
    """What became of a try. A mail that is sent or failed stays so."""
    here = (MAILS.c.id == mail, MAILS.c.state.in_(OPEN))
    row = sql.execute(select(MAILS.c.tries).where(*here)).first()
    if row is None:
        return
    tries = row.tries + 1
    state, said = _became(carried, tries)
    change = {"state": state, "said": said, "tries": tries, "next_ms": now_ms + wait_ms(tries)}
    sql.execute(update(MAILS).where(*here).values(change))


def wait_ms(tries: int) -> int:
    """How long after this many tries the next one comes: doubled each time, at most an hour."""
    return min(FIRST_WAIT_MS << min(tries - 1, 10), WAIT_MS_MAX)


def counts(sql: Connection) -> dict[MailState, int]:
    """How many mails there are of each state."""
    found = sql.execute(select(MAILS.c.state, func.count()).group_by(MAILS.c.state)).all()
    return dict.fromkeys(MailState, 0) | {MailState(state): number for state, number in found}


def _became(carried: Carried, tries: int) -> tuple[MailState, str]:
    match carried:
        case Taken():
            return MailState.SENT, ""
        case Refused(said):
            return MailState.FAILED, said
        case Deferred(said):
            return (MailState.FAILED if tries >= TRIES_MAX else MailState.DEFERRED), said
