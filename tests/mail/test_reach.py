"""Whether letters reach somebody is told by the last one that ended."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from dropengine.mail import outbox, reach
from dropengine.mail.carriers import Bounced, Carried, Deferred, Refused, Taken
from dropengine.mail.letter import Letter
from dropengine.mail.reach import Unreached
from dropengine.sql.database import Database
from tests.mail.test_outbox import LETTER

WHOSE = ("person:p1", "mailbox:n1")
NOBODY_THERE = Unreached("ana@example.org", "550 Nobody is there", 2_000)


async def ended(database: Database, name: str, carried: Carried, at_ms: int, whose: str) -> None:
    letter: Letter = msgspec.structs.replace(LETTER, id=name, whose=whose)

    def work(sql: Connection) -> None:
        outbox.put(sql, letter)
        outbox.note(sql, name, carried, at_ms)

    await database.write(work)


async def found(database: Database, mended_ms: int = 0) -> Unreached | None:
    return await database.read(lambda sql: reach.unreached(sql, WHOSE, mended_ms))


async def test_a_bounce_is_told_until_a_later_letter_goes_through(database: Database) -> None:
    assert await found(database) is None
    await ended(database, "m1", Bounced("550 Nobody is there"), 2_000, WHOSE[0])
    assert await found(database) == NOBODY_THERE
    await ended(database, "m2", Deferred("451 Later"), 3_000, WHOSE[0])
    assert await found(database) == NOBODY_THERE
    # Of another kind, but to the same reader.
    await ended(database, "m3", Taken(), 4_000, WHOSE[1])
    assert await found(database) is None
    await ended(database, "m4", Refused("554 No"), 5_000, WHOSE[1])
    assert await found(database) == Unreached("ana@example.org", "554 No", 5_000)


async def test_who_says_that_it_is_mended_is_told_of_the_next_one_alone(database: Database) -> None:
    await ended(database, "m1", Bounced("550 Nobody is there"), 2_000, WHOSE[0])
    assert await found(database, 1_999) == NOBODY_THERE
    assert await found(database, 2_000) is None
    await ended(database, "m2", Bounced("552 Full"), 3_000, WHOSE[0])
    assert await found(database, 2_000) == Unreached("ana@example.org", "552 Full", 3_000)


async def test_letters_to_others_say_nothing_of_him(database: Database) -> None:
    await ended(database, "m1", Bounced("550"), 2_000, "person:p10")
    assert await found(database) is None
