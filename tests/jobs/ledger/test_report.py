"""The report of a sale out of its books: figures of the log, and what was counted."""

from __future__ import annotations

import functools

import sqlalchemy as sa

from dropengine import events
from dropengine.jobs.ledger import books
from dropengine.jobs.ledger.report import UNNAMED, report
from dropengine.log.figures import figures
from dropengine.sql.database import Database
from dropengine.sql.schema.ledger import ARRIVALS, COUNTED
from tests.kit.books_of import texts_of
from tests.kit.played_logs import play

LOG = play(5)
"""Somebody buys in it."""


async def put(database: Database, table: sa.Table, *rows: dict[str, object]) -> None:
    await database.write(lambda connection: connection.execute(sa.insert(table), rows).close())


def counted(minute: int, worker: str, what: str, name: str, count: int) -> dict[str, object]:
    where = {"drop_id": "pin", "minute_ms": minute, "worker": worker}
    return where | {"what": what, "name": name, "count": count}


async def enter(database: Database) -> None:
    await database.write(functools.partial(books.enter, drop="pin", after=0, lines=texts_of(LOG)))


async def test_the_report_tells_the_figures_of_the_log_that_is_in_the_books(
    database: Database,
) -> None:
    await enter(database)
    found = await database.read(lambda connection: report(connection, "pin"))
    assert found is not None
    assert found.seq == len(LOG)
    assert [one for one in found.figures if one.stands_on == "log"] == figures(LOG)


async def test_what_was_counted_by_several_workers_is_told_together(database: Database) -> None:
    await enter(database)
    await put(
        database,
        COUNTED,
        counted(0, "a", "watchers", "", 30),
        counted(0, "b", "watchers", "", 12),
        counted(60_000, "a", "watchers", "", 41),
        counted(0, "a", "refused", "sold_out", 5),
        counted(60_000, "b", "refused", "sold_out", 2),
        counted(0, "b", "refused", "all_held", 1),
    )
    (buyer, *_) = [event.fan for event in LOG if isinstance(event, events.Sale)]
    came = [("letter", buyer), ("letter", "x"), ("letter", "y"), ("", "z")]
    await put(
        database,
        ARRIVALS,
        *({"drop_id": "pin", "fan": fan, "via": via, "at_ms": 0} for via, fan in came),
    )
    found = await database.read(lambda connection: report(connection, "pin"))
    assert found is not None
    told = {one.name: dict(one.values) for one in found.figures if one.stands_on == "counted"}
    assert told == {
        # Nobody's order stands in these books.
        "units_by_standing": {"": 0},
        "refused": {"all_held": 1, "sold_out": 7},
        "watchers_most": {"": 42},
        "arrivals": {"": 4, "letter": 3, UNNAMED: 1},
        "conversion": {"": 0.25, "letter": 0.3333, UNNAMED: 0.0},
    }


async def test_a_drop_that_the_books_do_not_know_has_no_report(database: Database) -> None:
    assert await database.read(lambda connection: report(connection, "pin")) is None


async def test_a_sale_of_which_nothing_was_counted_has_a_report(database: Database) -> None:
    await enter(database)
    found = await database.read(lambda connection: report(connection, "pin"))
    assert found is not None
    told = {one.name: dict(one.values) for one in found.figures if one.stands_on == "counted"}
    assert told["conversion"] == {"": None}
    assert told["watchers_most"] == {"": 0}
