"""A mail that is owed is tried until somebody took it or refused it for good."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import pytest
from sqlalchemy import Connection, select

from dropengine.config import Settings
from dropengine.mail import outbox
from dropengine.mail.carriers import Away, Bounced, Carried, Deferred, Refused, Taken
from dropengine.mail.letter import Kind, Letter
from dropengine.mail.outbox import (
    FIRST_WAIT_MS,
    GIVE_UP_MS,
    KEPT_MS,
    WAIT_MS_MAX,
    MailState,
    Row,
    wait_ms,
)
from dropengine.sql.database import Database
from dropengine.sql.migrate import migrate
from dropengine.sql.schema.mails import MAILS

LETTER = Letter(
    id="m1",
    kind=Kind.SIGN_IN,
    to="ana@example.org",
    subject="Paused",
    words="Look.",
    written_ms=1_000,
    whose="person:p1",
    drop="pins",
    until_ms=10**16,
    urgent=True,
    sender="Pins & Co",
    language="de",
    unsubscribe="https://pins.example/mail/off/abc",
)


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
    assert await after(database) == {MailState.QUEUED: 1}
    assert await after(database) == {MailState.QUEUED: 1}
    assert await due(database, 999) == []
    assert await due(database, 1_000) == [LETTER]


async def test_what_was_taken_is_never_tried_again(database: Database) -> None:
    assert await after(database, Taken(), Deferred("late")) == {MailState.SENT: 1}
    assert await due(database, 10**15) == []


async def test_what_was_refused_is_never_tried_again(database: Database) -> None:
    assert await after(database, Refused("550 No"), Taken()) == {MailState.FAILED: 1}
    assert await due(database, 10**15) == []


async def test_who_cannot_be_reached_is_told_apart_from_what_no_server_wants(
    database: Database,
) -> None:
    assert await after(database, Bounced("550 No such person")) == {MailState.BOUNCED: 1}
    [row] = await rows(database)
    assert (row.reader, row.said, row.whose) == (LETTER.to, "550 No such person", LETTER.whose)


async def test_what_was_put_off_is_tried_later_and_not_for_ever(database: Database) -> None:
    assert await after(database, Deferred("450 Busy")) == {MailState.DEFERRED: 1}
    assert await due(database, 1_000 + FIRST_WAIT_MS - 1) == []
    assert await due(database, 1_000 + FIRST_WAIT_MS) == [LETTER]
    assert await after(database, Away("no connection")) == {MailState.DEFERRED: 1}
    late = 1_000 + GIVE_UP_MS
    await database.write(lambda sql: outbox.note(sql, "m1", Deferred("450 Busy"), late))
    assert await after(database) == {MailState.FAILED: 1}


async def test_what_a_letter_said_is_gone_when_it_has_ended(database: Database) -> None:
    ends: tuple[Carried, ...] = (Taken(), Refused("550 No"), Bounced("550 No"))
    for number, carried in enumerate(ends):
        one = msgspec.structs.replace(LETTER, id=f"m{number}", words="secret-link")

        def work(sql: Connection, one: Letter = one, carried: Carried = carried) -> None:
            outbox.put(sql, one)
            outbox.note(sql, one.id, carried, 2_000)

        await database.write(work)
    kept = await database.read(lambda sql: sql.execute(select(MAILS)).all())
    assert len(kept) == 3
    assert "secret-link" not in repr(kept)


async def test_what_passed_its_moment_is_over(database: Database) -> None:
    def work(sql: Connection) -> list[int]:
        for number, until in enumerate((0, 5_000, 5_001)):
            outbox.put(sql, msgspec.structs.replace(LETTER, id=f"m{number}", until_ms=until))
        return [outbox.end_late(sql, 5_000), outbox.end_late(sql, 5_000)]

    assert await database.write(work) == [1, 0]
    assert {row.id: row.state for row in await rows(database)} == {
        "m0": MailState.QUEUED,
        "m1": MailState.OVER,
        "m2": MailState.QUEUED,
    }


async def test_urgent_letters_go_first_then_the_longest_overdue(database: Database) -> None:
    def work(sql: Connection) -> None:
        for name, urgent, written in (("a", False, 1), ("b", True, 3), ("c", True, 2)):
            one = msgspec.structs.replace(LETTER, id=name, urgent=urgent, written_ms=written)
            outbox.put(sql, one)

    await database.write(work)
    assert [one.id for one in await due(database, 9)] == ["c", "b", "a"]


async def test_two_that_owe_the_same_at_once_owe_it_once(sql_settings: Settings) -> None:
    migrate(sql_settings)
    both = [Database(sql_settings) for _ in range(2)]
    await asyncio.gather(
        *(one.write(lambda sql: outbox.put(sql, LETTER)) for one in both for _ in range(5))
    )
    assert len(await rows(both[0])) == 1
    for one in both:
        await one.close()


async def test_nobody_is_owed_what_no_mail_can_be_made_of(database: Database) -> None:
    hostile = "ana@example.org\r\nBcc: thief@example.net"
    with pytest.raises(ValueError, match="expected an address"):
        await database.write(
            lambda sql: outbox.put(sql, msgspec.structs.replace(LETTER, to=hostile))
        )
    assert await rows(database) == []


async def test_who_is_forgotten_leaves_no_letter(database: Database) -> None:
    def work(sql: Connection) -> list[str]:
        outbox.put(sql, LETTER)
        outbox.put(sql, msgspec.structs.replace(LETTER, id="m2", whose="person:p2"))
        return outbox.forget_whose(sql, "person:p1")

    assert await database.write(work) == ["m1"]
    assert [row.id for row in await rows(database)] == ["m2"]


async def test_what_ended_long_ago_is_forgotten_and_what_waits_never(database: Database) -> None:
    def work(sql: Connection) -> list[list[str]]:
        outbox.put(sql, LETTER)
        outbox.put(sql, msgspec.structs.replace(LETTER, id="m2"))
        outbox.note(sql, "m1", Taken(), 2_000)
        return [outbox.forget_old(sql, 2_000 + KEPT_MS - late) for late in (1, 0)]

    assert await database.write(work) == [[], ["m1"]]
    assert [row.id for row in await rows(database)] == ["m2"]


async def test_pages_follow_each_other_without_a_gap(database: Database) -> None:
    def work(sql: Connection) -> None:
        for number in range(outbox.PAGE_MAX + 7):
            one = msgspec.structs.replace(LETTER, id=f"m{number}", written_ms=number // 3)
            outbox.put(sql, one)

    await database.write(work)
    first = await rows(database)
    last = first[-1]
    rest = await database.read(lambda sql: outbox.page(sql, before=(last.written_ms, last.id)))
    assert (len(first), len(rest)) == (outbox.PAGE_MAX, 7)
    assert len({row.id for row in (*first, *rest)}) == outbox.PAGE_MAX + 7


async def rows(database: Database) -> Sequence[Row]:
    return await database.read(outbox.page)


def test_waits_grow_to_an_hour() -> None:
    waits = [wait_ms(tries) for tries in range(1, 40)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (FIRST_WAIT_MS, WAIT_MS_MAX)
