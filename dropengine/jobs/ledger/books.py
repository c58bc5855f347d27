"""The books in SQL: entering a stretch of a log, reading the log back, making what is derived anew.

A stretch goes in as a whole or not at all: the texts, what they mean, and the drop's cursor are one
transaction, and the cursor moves only from where the stretch begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.dialects.sqlite import pysqlite

from dropengine import events
from dropengine.jobs.ledger.derive import (
    AGAIN,
    OF_PAYMENTS,
    SALES,
    Known,
    Order,
    Payment,
    derive,
    reasons,
)
from dropengine.jobs.ledger.sheet import Sheet, key_names, other_names
from dropengine.log.why import Course
from dropengine.sql import charge_ids
from dropengine.sql.schema.ledger import (
    COURSES,
    CURSORS,
    DERIVED,
    DROPS,
    ORDERS,
    PAYMENTS,
    ROWS,
    SHARES,
    UNITS,
)

STRETCH = 2_000
"""Events that are entered, or made anew, at once."""
IN_MOST = 500
"""Names in one question; SQLite bounds them."""

DIALECTS = {
    "sqlite": pysqlite.dialect(paramstyle="qmark"),
    "postgresql": psycopg.dialect(paramstyle="format"),  # type: ignore[no-untyped-call]
}
"""With values by their order, not by their names."""

OVERWRITTEN = (UNITS, COURSES)
"""A unit that came back is sold again, and a drop's course goes on; everything else is new once."""

_rules = msgspec.json.Decoder(events.Rules)
_course = msgspec.msgpack.Decoder(Course)


class NotNext(Exception):
    """Somebody else has entered these events meanwhile, or some before them are missing."""


def cursors(connection: Connection) -> dict[str, int]:
    """Drop -> the last event that is in the books."""
    return {row.drop_id: row.seq for row in connection.execute(sa.select(CURSORS))}


def enter(
    connection: Connection,
    drop: str,
    after: int,
    lines: Sequence[bytes],
    ids: Mapping[str, str] | None = None,
) -> int:
    """Enter the events that follow `after`; the new cursor. Raises NotNext, and writes nothing.

    ids: what the provider calls the charges that they tell of.
    """
    stretch = [events.parse(line) for line in lines]
    for seq, event in enumerate(stretch, after + 1):
        if event.seq != seq:
            raise NotNext(f"{drop}: event {event.seq} came where {seq} is next")
    _move(connection, drop, after, after + len(lines))
    rows = [(drop, seq, line) for seq, line in enumerate(lines, after + 1)]
    connection.exec_driver_sql(_new_rows(connection.dialect.name, ROWS), rows)
    _write(connection, derive(drop, stretch, _known(connection, drop, stretch, after)))
    charge_ids.copy(connection, drop, ids or {})
    return after + len(lines)


def lines(connection: Connection, drop: str, after: int = 0) -> Iterator[bytes]:
    """The texts of a drop's events with seq > after, as they are in the books."""
    asked = (
        sa.select(ROWS.c.line)
        .where(ROWS.c.drop_id == drop, ROWS.c.seq > after)
        .order_by(ROWS.c.seq)
        .execution_options(yield_per=STRETCH)
    )
    yield from connection.execute(asked).scalars()


def rebuild(connection: Connection, drop: str) -> int:
    """Make all that is derived of a drop anew from its texts; how many there were."""
    # Nothing is entered meanwhile: whoever enters moves the cursor first.
    connection.execute(
        sa.select(CURSORS.c.seq).where(CURSORS.c.drop_id == drop).with_for_update()
    ).one_or_none()
    for table in DERIVED:
        connection.execute(sa.delete(table).where(table.c.drop_id == drop))
    count = 0
    while found := _page(connection, drop, count):
        stretch = [events.parse(line) for line in found]
        _write(connection, derive(drop, stretch, _known(connection, drop, stretch, count)))
        count += len(found)
    return count


def unread(connection: Connection) -> list[str]:
    """Drops of whose texts what tells fans why they got none was not made yet, or not to the
    end: their books are older than that."""
    asked = sa.select(CURSORS.c.drop_id).outerjoin(COURSES, COURSES.c.drop_id == CURSORS.c.drop_id)
    older = sa.or_(COURSES.c.seq.is_(None), COURSES.c.seq < CURSORS.c.seq)
    return list(connection.execute(asked.where(older, CURSORS.c.seq > 0)).scalars())


def read_on(connection: Connection, drop: str) -> bool:
    """Make the next of it, a stretch; is there more?"""
    course = _course_of(connection, drop) or Course()
    found = _page(connection, drop, course.seq)
    if found:
        _write(connection, reasons(drop, [events.parse(line) for line in found], course))
    return len(found) == STRETCH


def _course_of(connection: Connection, drop: str) -> Course | None:
    asked = sa.select(COURSES.c.course).where(COURSES.c.drop_id == drop)
    found = connection.execute(asked).scalar()
    return None if found is None else _course.decode(found)


def _page(connection: Connection, drop: str, after: int) -> Sequence[bytes]:
    asked = sa.select(ROWS.c.line).where(ROWS.c.drop_id == drop, ROWS.c.seq > after)
    return connection.execute(asked.order_by(ROWS.c.seq).limit(STRETCH)).scalars().all()


def _move(connection: Connection, drop: str, after: int, to: int) -> None:
    if after == 0:
        first = _insert(connection.dialect.name, CURSORS).on_conflict_do_nothing()
        connection.execute(first, {"drop_id": drop, "seq": 0})
    moved = connection.execute(
        sa.update(CURSORS).where(CURSORS.c.drop_id == drop, CURSORS.c.seq == after).values(seq=to)
    )
    if moved.rowcount != 1:
        raise NotNext(f"{drop}: its books do not end at {after}")


def _known(
    connection: Connection, drop: str, stretch: Iterable[events.AnyEvent], after: int
) -> Known:
    """What was entered before, up to the event `after`, that these events lean on."""
    course = _course_of(connection, drop) if after else Course()
    known = Known(course=course if course is not None and course.seq == after else None)
    asked = sa.select(DROPS.c.layout, DROPS.c.rules).where(DROPS.c.drop_id == drop)
    row = connection.execute(asked).one_or_none()
    if row is not None:
        known.layout = row.layout
        known.learn(_rules.decode(row.rules))
    paid = sorted({e.payment for e in stretch if isinstance(e, OF_PAYMENTS) and e.payment})
    for some in _some(paid):
        one = PAYMENTS.c
        row_of = sa.select(one.payment, one.charge, one.kept, one.way_kept, one.takes)
        found = connection.execute(row_of.where(one.drop_id == drop, one.payment.in_(some)))
        for payment, *stands in found:
            known.payments[payment] = Payment(*stands)
        _read_orders(connection, drop, known, SHARES.c.payment.in_(some))
    for some in _some(sorted(_asked_again(stretch))):
        _read_orders(connection, drop, known, ORDERS.c.hold.in_(some))
    return known


def _some(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(names), IN_MOST):
        yield names[first : first + IN_MOST]


def _read_orders(
    connection: Connection, drop: str, known: Known, which: sa.ColumnElement[bool]
) -> None:
    one, share = ORDERS.c, SHARES.c
    joined = ORDERS.outerjoin(SHARES, sa.and_(share.drop_id == one.drop_id, share.hold == one.hold))
    asked = sa.select(
        one.hold,
        one.charge,
        one.state,
        one.item,
        one.qty,
        one.amount,
        sa.func.coalesce(share.payment, ""),
        sa.func.coalesce(share.sold_seq, 0),
        sa.func.coalesce(share.owed, 0),
    )
    for hold, *order in connection.execute(
        asked.select_from(joined).where(one.drop_id == drop, which)
    ):
        known.orders[hold] = Order(*order)


def _asked_again(stretch: Iterable[events.AnyEvent]) -> set[str]:
    """Holds whose order is spoken of, and was made before these events."""
    made, again = set[str](), set[str]()
    for event in stretch:
        if isinstance(event, SALES):
            made.add(event.hold)
        elif isinstance(event, AGAIN) and event.hold not in made:
            again.add(event.hold)
    return again


def _write(connection: Connection, sheet: Sheet) -> None:
    # As SQLAlchemy has built the statement, and past it: what it does for each value costs as much
    # as SQLite does.
    engine = connection.dialect.name
    for table, rows in sheet.new():
        connection.exec_driver_sql(_new_rows(engine, table), rows)
    for table, columns, rows in sheet.changes():
        connection.exec_driver_sql(_changed_rows(engine, table, columns), rows)
    for hold, fan in sheet.handed.items():
        mine = sa.update(UNITS).where(UNITS.c.drop_id == sheet.drop, UNITS.c.hold == hold)
        connection.execute(mine.values(fan=fan))


@cache
def _new_rows(engine: str, table: Table) -> str:
    """Takes the columns of a row, in the table's order."""
    insert = _insert(engine, table)
    if table in OVERWRITTEN:
        keys = key_names(table)
        new = {name: insert.excluded[name] for name in other_names(table)}
        insert = insert.on_conflict_do_update(index_elements=keys, set_=new)
    return _text(engine, insert, table.c.keys())


@cache
def _changed_rows(engine: str, table: Table, columns: tuple[str, ...]) -> str:
    """Takes new values of these columns, in the table's order, then the row's key."""
    keys = [f"of_{name}" for name in key_names(table)]
    update = sa.update(table).where(
        *(table.c[name] == bindparam(f"of_{name}") for name in key_names(table))
    )
    new: dict[str, Any] = {name: bindparam(name) for name in columns}
    return _text(engine, update.values(new), [*columns, *keys])


def _text(engine: str, statement: sa.Insert | sa.Update, order: Sequence[str]) -> str:
    """What the driver is told, with the values in this order."""
    built = statement.compile(dialect=DIALECTS[engine])
    assert built.positiontup == [*order], f"{built.positiontup} for {order}"
    return str(built)


def _insert(engine: str, table: Table) -> Any:
    """What both engines say alike and SQLAlchemy has once for each."""
    return (sqlite if engine == "sqlite" else postgresql).insert(table)
