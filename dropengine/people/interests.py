"""Of which drops a person is reminded before they open, and of which makers' new drops he is told.

Each row says of which event its person was told last: whoever tells marks it in the transaction of
the letter, and so tells nobody twice and leaves nobody out.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from dropengine.people.persons import Person
from dropengine.sql.schema.interests import INTERESTS
from dropengine.sql.schema.ledger import DROPS
from dropengine.sql.schema.persons import PERSONS

OF_PERSON_MAX: Final = 200
"""With one more, the oldest interest makes way."""


class What(StrEnum):
    """In what somebody is interested."""

    DROP = "drop"
    MAKER = "maker"


class Interest(msgspec.Struct, frozen=True):
    """One of a person. `thing`: the id of a drop or of a maker."""

    what: What
    thing: str
    since_ms: int


def begin(sql: Connection, person: str, what: What, thing: str, now_ms: int) -> None:
    """From now on he is told. Harmless to repeat: since when stays."""
    if is_on(sql, person, what, thing):
        return
    for oldest in of_person(sql, person)[: 1 - OF_PERSON_MAX]:
        end(sql, person, oldest.what, oldest.thing)
    row = {"person": person, "what": what, "thing": thing, "since_ms": now_ms}
    sql.execute(insert(INTERESTS).values(row))


def end(sql: Connection, person: str, what: What, thing: str) -> None:
    """He is not told any more. Harmless to repeat."""
    sql.execute(delete(INTERESTS).where(*_here(person, what, thing)))


def is_on(sql: Connection, person: str, what: What, thing: str) -> bool:
    """Is he told of it?"""
    asked = select(INTERESTS.c.person).where(*_here(person, what, thing))
    return sql.execute(asked).first() is not None


def of_person(sql: Connection, person: str) -> list[Interest]:
    """All of his, the oldest first."""
    order = (INTERESTS.c.since_ms, INTERESTS.c.what, INTERESTS.c.thing)
    rows = sql.execute(select(INTERESTS).where(INTERESTS.c.person == person).order_by(*order))
    return [Interest(What(row.what), row.thing, row.since_ms) for row in rows]


def count(sql: Connection, what: What, thing: str) -> int:
    """How many persons are interested."""
    here = (INTERESTS.c.what == what, INTERESTS.c.thing == thing)
    return sql.execute(select(func.count()).select_from(INTERESTS).where(*here)).scalar_one()


def untold(
    sql: Connection,
    what: What,
    thing: str,
    told: Sequence[str],
    most: int,
    *,
    before_ms: int = 2**62,
) -> list[Person]:
    """Some of those who were told of none of these events, and have been interested since
    before."""
    here = (
        INTERESTS.c.what == what,
        INTERESTS.c.thing == thing,
        INTERESTS.c.told.not_in(told),
        INTERESTS.c.since_ms < before_ms,
    )
    joined = select(PERSONS).join(INTERESTS, INTERESTS.c.person == PERSONS.c.id)
    rows = sql.execute(joined.where(*here).order_by(PERSONS.c.id).limit(most))
    return [msgspec.convert(row, Person, from_attributes=True) for row in rows]


def mark(sql: Connection, what: What, thing: str, event: str, whom: Sequence[str]) -> None:
    """These persons are told of this event."""
    here = (INTERESTS.c.what == what, INTERESTS.c.thing == thing, INTERESTS.c.person.in_(whom))
    sql.execute(update(INTERESTS).where(*here).values(told=event))


def forget_over(sql: Connection) -> None:
    """Nobody is reminded of what has ended."""
    over = select(DROPS.c.drop_id).where(DROPS.c.ended_ms > 0)
    here = (INTERESTS.c.what == What.DROP, INTERESTS.c.thing.in_(over))
    sql.execute(delete(INTERESTS).where(*here))


def _here(person: str, what: What, thing: str) -> tuple[ColumnElement[bool], ...]:
    return (
        INTERESTS.c.person == person,
        INTERESTS.c.what == what,
        INTERESTS.c.thing == thing,
    )
