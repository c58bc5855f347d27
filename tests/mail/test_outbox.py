"""A mail that is owed is tried until somebody took it or refused it for good."""

from __future__ import annotations

from sqlalchemy import Connection

from dropengine.mail import outbox
from dropengine.mail.carriers import Carried, Deferred, Refused, Taken
from dropengine.mail.letter import Letter
from dropengine.mail.outbox import FIRST_WAIT_MS, TRIES_MAX, WAIT_MS_MAX, MailState, wait_ms
from dropengine.sql.database import Database

LETTER = Letter("m1", "ana@example.org", "Paused", "Look.", 1_000)


async def after(database: Database, *tries: Carried) -> dict[MailState, int]:
    """How many of each state there are when these were the answers, one a try."""

    def work(sql: Connection) -> dict[MailState, int]:
        outbox.put(sql, LETTER)
        for carried in tries:
            outbox.note(sql, LETTER.id, carried, 1_000)
        return {state: number for state, number in outbox.counts(sql).items() if number}

    return await database.write(work)


async def due(database: Database, now_ms: int) -> list[Letter]:
    return await database.read(lambda sql: outbox.due(sql, now_ms))


async def test_a_letter_is_owed_once_and_comes_back_as_it_was(database: Database) -> None:
    assert await after(database) == {MailState.WAITING: 1}
    assert await after(database) == {MailState.WAITING: 1}
    assert await due(database, 999) == []
    assert await due(database, 1_000) == [LETTER]


async def test_what_was_taken_is_never_tried_again(database: Database) -> None:
    assert await after(database, Taken(), Deferred("late")) == {MailState.SENT: 1}
    assert await due(database, 10**15) == []


async def test_what_was_refused_is_never_tried_again(database: Database) -> None:
    assert await after(database, Refused("550 No"), Taken()) == {MailState.FAILED: 1}
    assert await due(database, 10**15) == []


async def test_what_was_put_off_is_tried_later_and_not_for_ever(database: Database) -> None:
    assert await after(database, Deferred("450 Busy")) == {MailState.DEFERRED: 1}
    assert await due(database, 1_000 + FIRST_WAIT_MS - 1) == []
    assert await due(database, 1_000 + FIRST_WAIT_MS) == [LETTER]
    rest = [Deferred("450 Busy")] * (TRIES_MAX - 1)
    assert await after(database, *rest) == {MailState.FAILED: 1}


def test_waits_grow_to_an_hour() -> None:
    waits = [wait_ms(tries) for tries in range(1, TRIES_MAX)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (FIRST_WAIT_MS, WAIT_MS_MAX)
