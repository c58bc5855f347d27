"""Persons and guests in a list that chance orders, and among those who bought."""

from __future__ import annotations

from sqlalchemy import Connection

from dropengine.jobs.ledger.report import report
from dropengine.model import DropId
from dropengine.people import persons
from dropengine.people.entrants import entrants
from dropengine.people.persons import Trace
from dropengine.sql.database import Database
from dropengine.sql.schema.ledger import CURSORS, DROPS, ENTRIES, ORDERS
from tests.kit import databases
from tests.people.test_draw_losses_in_sql import NOW, put

postgres = databases.postgres
sql_settings = databases.sql_settings
database = databases.database

PIN = DropId("pin")


def entered(sql: Connection, entry: str, fan: str, **said: object) -> None:
    row = {"fan": fan, "why": "fan", "joined_ms": NOW}
    put(sql, ENTRIES, drop_id=PIN, entry=entry, **(row | said))


async def test_persons_are_told_from_guests_also_once_they_erased_themselves(
    database: Database,
) -> None:
    def lived(sql: Connection) -> list[tuple[int, int]]:
        put(sql, DROPS, drop_id=PIN, state="lobby")
        ana = persons.make(sql, "n1", "ana@x.org", NOW)
        ben = persons.make(sql, "n2", "ben@x.org", NOW)
        for place, fan in enumerate((ana.fan(PIN, {}), ben.fan(PIN, {}), "guest", "gone"), 1):
            entered(sql, f"e{place}", fan, **({"fate": "left"} if fan == "gone" else {}))
        entered(sql, "e0", "before", why="carried", n=1)
        found = [entrants(sql, PIN)]
        persons.erase(sql, ben, [Trace(PIN, ben.fan(PIN, {}))], NOW)
        found.append(entrants(sql, PIN))
        # Whoever joins after the opening has no part in the list.
        sql.execute(DROPS.update().values(opened_ms=NOW + 1))
        entered(sql, "e9", "late", joined_ms=NOW + 2, n=9)
        found.append(entrants(sql, PIN))
        return found

    assert await database.write(lived) == [(2, 1)] * 3


async def test_the_report_tells_how_many_units_went_to_persons_and_to_guests(
    database: Database,
) -> None:
    def lived(sql: Connection) -> object:
        put(sql, DROPS, drop_id=PIN, state="live")
        put(sql, CURSORS, drop_id=PIN, seq=9)
        ana = persons.make(sql, "n1", "ana@x.org", NOW)
        put(sql, ORDERS, drop_id=PIN, hold="h1", fan=ana.fan(PIN, {}), qty=2)
        put(sql, ORDERS, drop_id=PIN, hold="h2", fan="guest", qty=1)
        put(sql, ORDERS, drop_id=PIN, hold="h3", fan="guest", qty=5, refunded_ms=NOW)
        found = report(sql, PIN)
        assert found is not None
        return next(one.values for one in found.figures if one.name == "units_by_standing")

    assert await database.write(lived) == {"": 3, "persons": 2, "guests": 1}
