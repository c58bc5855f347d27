"""How a sale went, out of the books: the figures of its log, and those that were only counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection

from dropengine import events
from dropengine.jobs.counting import REFUSED, WATCHERS
from dropengine.jobs.ledger import books
from dropengine.log.figures import Figure, figures
from dropengine.log.figures.figure import COUNTED, Number, ratio
from dropengine.model import DropId
from dropengine.people.entrants import persons_in
from dropengine.sql.schema.ledger import ADOPTIONS, ARRIVALS, CURSORS, ORDERS
from dropengine.sql.schema.ledger import COUNTED as COUNTS

UNNAMED = "(none)"
"""The channel of those who came without one."""
CHANNELS_MAX = 50


class Report(Struct, frozen=True):
    """seq: the last event of the log that it knows."""

    drop: str
    seq: int
    figures: Sequence[Figure]


def report(connection: Connection, drop: str) -> Report | None:
    """One moment of the books; None of a drop that they do not know."""
    seq = connection.execute(sa.select(CURSORS.c.seq).where(CURSORS.c.drop_id == drop)).scalar()
    if seq is None:
        return None
    log = (events.parse(line) for line in books.lines(connection, drop))
    return Report(drop, seq, [*figures(log), *_counted(connection, drop)])


def _counted(connection: Connection, drop: str) -> Iterator[Figure]:
    yield Figure(
        "refused",
        "answers",
        COUNTED,
        "Commands of fans that were refused, by code, also where one fan asked again and again.",
        _sums(connection, drop),
    )
    yield Figure(
        "watchers_most",
        "screens",
        COUNTED,
        "The most screens that were open at once, in the minute in which they were most.",
        {"": _most(connection, drop)},
    )
    yield Figure(
        "units_by_standing",
        "units",
        COUNTED,
        "Units of orders that were not refunded, by whether their fan is a person of the shop, who "
        "has confirmed an address, or a guest. Who erased himself since counts as a guest.",
        _standing(connection, drop),
    )
    came, bought = _channels(connection, drop)
    yield Figure(
        "arrivals",
        "fans",
        COUNTED,
        "Passes with which the drop's page was opened, by the channel that brought them the first "
        "time (?via=).",
        {"": sum(came.values()), **came},
    )
    yield Figure(
        "conversion",
        "ratio",
        COUNTED,
        "Of these arrivals those who bought, refunded later or not.",
        {"": ratio(sum(bought.values()), sum(came.values()))}
        | {name: ratio(bought.get(name, 0), count) for name, count in came.items()},
    )


def _standing(connection: Connection, drop: str) -> dict[str, Number]:
    asked = (
        sa.select(ORDERS.c.fan, sa.func.sum(ORDERS.c.qty))
        .where(ORDERS.c.drop_id == drop, ORDERS.c.refunded_ms == 0)
        .group_by(ORDERS.c.fan)
    )
    bought = {fan: int(qty) for fan, qty in connection.execute(asked)}
    known = persons_in(connection, DropId(drop)) if bought else set()
    persons = sum(qty for fan, qty in bought.items() if fan in known)
    units = sum(bought.values())
    parts: dict[str, Number] = {"persons": persons, "guests": units - persons}
    return {"": units, **{name: part for name, part in parts.items() if part}}


def _sums(connection: Connection, drop: str) -> dict[str, Number]:
    asked = (
        sa.select(COUNTS.c.name, sa.func.sum(COUNTS.c.count))
        .where(COUNTS.c.drop_id == drop, COUNTS.c.what == REFUSED)
        .group_by(COUNTS.c.name)
        .order_by(COUNTS.c.name)
    )
    return {name: int(count) for name, count in connection.execute(asked)}


def _most(connection: Connection, drop: str) -> int:
    """The workers of a minute together."""
    minutes = (
        sa.select(sa.func.sum(COUNTS.c.count).label("all"))
        .where(COUNTS.c.drop_id == drop, COUNTS.c.what == WATCHERS)
        .group_by(COUNTS.c.minute_ms)
        .subquery()
    )
    return int(connection.execute(sa.select(sa.func.max(minutes.c.all))).scalar() or 0)


def _channels(connection: Connection, drop: str) -> tuple[dict[str, int], dict[str, int]]:
    """Channel -> who came by it, and who of them bought. The largest channels."""
    # Who came as a guest and signed in has his orders as the person.
    became = sa.select(ADOPTIONS.c.person).where(
        ADOPTIONS.c.drop_id == drop, ADOPTIONS.c.guest == ARRIVALS.c.fan
    )
    his = sa.or_(ORDERS.c.fan == ARRIVALS.c.fan, ORDERS.c.fan == became.scalar_subquery())
    bought = sa.exists().where(ORDERS.c.drop_id == drop, his)
    count = sa.func.count()
    asked = (
        sa.select(ARRIVALS.c.via, count, sa.func.sum(sa.case((bought, 1), else_=0)))
        .where(ARRIVALS.c.drop_id == drop)
        .group_by(ARRIVALS.c.via)
        .order_by(count.desc(), ARRIVALS.c.via)
        .limit(CHANNELS_MAX)
    )
    rows = [(via or UNNAMED, int(n), int(b)) for via, n, b in connection.execute(asked)]
    return {via: n for via, n, _ in rows}, {via: b for via, _, b in rows}
