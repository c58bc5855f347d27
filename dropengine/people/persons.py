"""Persons: fans who confirmed an address. One for each mailbox, however it is spelled."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, Select, delete, insert, select, update

from dropengine.model import DropId, FanId
from dropengine.people import devices, tokens
from dropengine.people.tickets import new_key, pseudonym
from dropengine.sql.schema.ledger import DROPS
from dropengine.sql.schema.persons import ERASED, PERSONS, SIGN_INS


class Person(msgspec.Struct, frozen=True):
    """`key`: what his ids in drops are made of. `normal`: the name of his mailbox. `language`: what
    he is written to in, `zone`: whose clocks he reads, '' where that is not known. `mended_ms`:
    when he said that letters reach him again, 0 for never."""

    id: str
    key: bytes
    normal: str
    address: str
    created_ms: int
    language: str = ""
    zone: str = ""
    mended_ms: int = 0

    def fan(self, drop: DropId, was: Was) -> FanId:
        """Who he is in a drop."""
        return was.get(drop) or pseudonym(self.key, drop)


Was = dict[DropId, FanId]
"""Who somebody was."""


class Trace(msgspec.Struct, frozen=True):
    """Who somebody who erased himself was in a drop that is not over."""

    drop: DropId
    fan: FanId


def by_id(sql: Connection, person: str) -> Person | None:
    """Whoever has this id."""
    return _person(sql.execute(select(PERSONS).where(PERSONS.c.id == person)).first())


def by_mailbox(sql: Connection, normal: str) -> Person | None:
    """Whose mailbox this is."""
    return _person(sql.execute(select(PERSONS).where(PERSONS.c.normal == normal)).first())


def make(sql: Connection, normal: str, address: str, now_ms: int) -> Person:
    """Whose mailbox this is: a new person where nobody is known by it. Within one transaction that
    nobody else changes people in."""
    known = by_mailbox(sql, normal)
    if known is not None:
        return known
    person = Person(tokens.new_id(), new_key(), normal, address, now_ms)
    sql.execute(insert(PERSONS).values(msgspec.structs.asdict(person)))
    return person


def speaks(sql: Connection, person: str, language: str) -> None:
    """What he is written to in from now on."""
    sql.execute(update(PERSONS).where(PERSONS.c.id == person).values(language=language))


def lives(sql: Connection, person: str, zone: str) -> None:
    """By whose clocks he is told times from now on."""
    sql.execute(update(PERSONS).where(PERSONS.c.id == person).values(zone=zone))


def mended(sql: Connection, person: str, now_ms: int) -> None:
    """He says that letters reach him again."""
    sql.execute(update(PERSONS).where(PERSONS.c.id == person).values(mended_ms=now_ms))


def erase(sql: Connection, person: Person, traces: Iterable[Trace], now_ms: int) -> None:
    """Nothing is left of him but who he was in these drops; devices and passkeys go along."""
    sql.execute(delete(SIGN_INS).where(SIGN_INS.c.normal == person.normal))
    sql.execute(delete(PERSONS).where(PERSONS.c.id == person.id))
    for trace in traces:
        forget(sql, person.normal, trace.drop)
        row = {
            "normal": person.normal,
            "drop_id": trace.drop,
            "fan": trace.fan,
            "at_ms": now_ms,
        }
        sql.execute(insert(ERASED).values(row))


def traces(sql: Connection, normal: str) -> list[Trace]:
    """Who the owner of a mailbox was, before he erased himself, in drops that are not over."""
    asked = select(ERASED.c.drop_id, ERASED.c.fan).where(ERASED.c.normal == normal)
    rows = sql.execute(asked.order_by(ERASED.c.at_ms.desc(), ERASED.c.drop_id))
    return [Trace(DropId(row.drop_id), FanId(row.fan)) for row in rows]


def of_session(sql: Connection, device: str, now_ms: int) -> tuple[Person, Was] | None:
    """What the tickets of a session are made of; None when it is over."""
    known = devices.find(sql, device, now_ms)
    person = by_id(sql, known.person) if known is not None else None
    return None if person is None else (person, was(sql, person))


def was(sql: Connection, person: Person) -> Was:
    """Drops that are not over in which he goes on as who he was before he erased himself."""
    return {trace.drop: trace.fan for trace in traces(sql, person.normal)}


def forget(sql: Connection, normal: str, drop: DropId) -> None:
    """A trace is needed no more."""
    sql.execute(delete(ERASED).where(ERASED.c.normal == normal, ERASED.c.drop_id == drop))


def any_over(sql: Connection) -> bool:
    """Is there a trace of a drop that is over?"""
    return (
        sql.execute(select(ERASED.c.fan).where(ERASED.c.drop_id.in_(_over())).limit(1)).first()
        is not None
    )


def forget_over(sql: Connection) -> None:
    """Traces of drops that are over are needed no more."""
    sql.execute(delete(ERASED).where(ERASED.c.drop_id.in_(_over())))


def _over() -> Select[tuple[str]]:
    return select(DROPS.c.drop_id).where(DROPS.c.ended_ms > 0)


def _person(row: object) -> Person | None:
    return None if row is None else msgspec.convert(row, Person, from_attributes=True)
