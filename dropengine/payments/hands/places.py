"""The one payment by hand that a person has open at a maker, and who let one lapse.

A person is another fan in each drop; here he is known by his mailbox, so that he stays one person
also when he erases himself and comes back.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from dropengine.model import DropId, FanId
from dropengine.people import makers
from dropengine.people.tickets import pseudonym
from dropengine.sql.schema.by_hand import BARS, PLACES
from dropengine.sql.schema.persons import ERASED, PERSONS

BARRED_MS: Final = 90 * 24 * 3_600_000
"""Who let one lapse pays otherwise for so long."""


class Place(msgspec.Struct, frozen=True):
    """`person`: by his mailbox. `payment`: '' while the script is asked."""

    person: str
    maker: str
    drop: DropId
    fan: FanId
    key: str
    payment: str
    at_ms: int


def person_of(sql: Connection, drop: DropId, fan: FanId) -> str:
    """Who a fan is. One whom nobody knows is a person of his own."""
    here = (ERASED.c.drop_id == drop, ERASED.c.fan == fan)
    erased: str | None = sql.execute(sa.select(ERASED.c.normal).where(*here)).scalar()
    if erased is not None:
        return erased
    # Nobody's list has it: it is made of their keys.
    for row in sql.execute(sa.select(PERSONS.c.key, PERSONS.c.normal)):
        if pseudonym(row.key, drop) == fan:
            return str(row.normal)
    return f"{drop}:{fan}"


def take(sql: Connection, drop: DropId, fan: FanId, key: str, now_ms: int) -> Place | int | None:
    """His place at the maker of this drop is this command's; else whose it is, or until when he is
    barred."""
    person, maker = person_of(sql, drop, fan), makers.whose(sql, drop) or ""
    until: int | None = sql.execute(
        sa.select(BARS.c.until_ms).where(BARS.c.person == person)
    ).scalar()
    if until is not None and until > now_ms:
        return until
    row = Place(person, maker, drop, fan, key, "", now_ms)
    made: Any = (sqlite if sql.dialect.name == "sqlite" else postgresql).insert(PLACES)
    sql.execute(made.values(_values(row)).on_conflict_do_nothing())
    (found,) = _places(sql, PLACES.c.person == person, PLACES.c.maker == maker)
    mine = (found.drop, found.fan, found.key) == (drop, fan, key)
    return None if mine else found


def began(sql: Connection, drop: DropId, fan: FanId, key: str, payment: str) -> None:
    """The place of this command is that payment's."""
    sql.execute(sa.update(PLACES).where(*_of(drop, fan, key)).values(payment=payment))


def free(sql: Connection, drop: DropId, fan: FanId, key: str) -> None:
    """The place of this command is free again."""
    sql.execute(sa.delete(PLACES).where(*_of(drop, fan, key)))


def every(sql: Connection) -> list[Place]:
    """All that are taken, the oldest first."""
    return _places(sql)


def bar(sql: Connection, person: str, until_ms: int) -> None:
    """He let one lapse. A longer bar stays."""
    made: Any = (sqlite if sql.dialect.name == "sqlite" else postgresql).insert(BARS)
    longer = made.on_conflict_do_update(
        index_elements=[BARS.c.person],
        set_={"until_ms": made.excluded.until_ms},
        where=BARS.c.until_ms < made.excluded.until_ms,
    )
    sql.execute(longer, {"person": person, "until_ms": until_ms})


def lift_bars(sql: Connection, now_ms: int) -> None:
    """What is over is forgotten."""
    sql.execute(sa.delete(BARS).where(BARS.c.until_ms <= now_ms))


def _of(drop: DropId, fan: FanId, key: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (PLACES.c.drop_id == drop, PLACES.c.fan == fan, PLACES.c.key == key)


def _values(place: Place) -> dict[str, object]:
    values = msgspec.structs.asdict(place)
    return {"drop_id" if name == "drop" else name: value for name, value in values.items()}


def _places(sql: Connection, *where: sa.ColumnElement[bool]) -> list[Place]:
    asked = sa.select(PLACES).where(*where).order_by(PLACES.c.at_ms, PLACES.c.person)
    return [
        Place(
            row.person,
            row.maker,
            DropId(row.drop_id),
            FanId(row.fan),
            row.key,
            row.payment,
            row.at_ms,
        )
        for row in sql.execute(asked)
    ]
