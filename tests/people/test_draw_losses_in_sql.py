"""Who went away empty in earlier draws of a maker, and who did not."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from dropengine.model import DropId
from dropengine.people import draw_losses, makers, persons
from dropengine.people.makers import Maker
from dropengine.people.persons import Person
from dropengine.sql.database import Database
from dropengine.sql.schema.ledger import DROPS, ENTRIES, HOLDS
from tests.kit import databases

postgres = databases.postgres
sql_settings = databases.sql_settings
database = databases.database

NOW = 1_800_000_000_000
OPENED = NOW + 1_000
MIA = makers.new("mia", "Mia", "#112233", NOW)
NOA = makers.new("noa", "Noa", "#445566", NOW + 1)


def put(sql: Connection, table: sa.Table, **said: Any) -> None:
    """A row; what is not said is nothing."""
    empty = {column.name: "" if isinstance(column.type, sa.Text) else 0 for column in table.columns}
    sql.execute(sa.insert(table).values(empty | said))


def draw(sql: Connection, drop: str, maker: Maker = MIA, **said: Any) -> None:
    """A drop that was drawn, and is over unless something else is said."""
    right = {"mode": "draw", "state": "settled", "opened_ms": OPENED, "ended_ms": NOW + 9_000}
    put(sql, DROPS, drop_id=drop, **(right | said))
    makers.own(sql, drop, maker.id, NOW)


def stood(sql: Connection, person: Person, drop: str, entry: str = "e1", **said: Any) -> None:
    right = {"fan": person.fan(DropId(drop), {}), "joined_ms": NOW}
    put(sql, ENTRIES, drop_id=drop, entry=entry, **(right | said))


def held(sql: Connection, person: Person, drop: str) -> None:
    put(sql, HOLDS, drop_id=drop, hold="h1", fan=person.fan(DropId(drop), {}), ended="lapsed")


def people(sql: Connection) -> tuple[Person, Person]:
    for maker in (MIA, NOA):
        makers.make(sql, maker)
    return persons.make(sql, "n1", "ana@x.org", NOW), persons.make(sql, "n2", "ben@x.org", NOW)


async def test_each_draw_in_which_somebody_got_nothing_is_a_loss(database: Database) -> None:
    def lived(sql: Connection) -> list[int]:
        ana, ben = people(sql)
        for drop in ("one", "two", "three"):
            draw(sql, drop)
            stood(sql, ana, drop)
        stood(sql, ben, "two", entry="e2")
        held(sql, ana, "three")
        return [draw_losses.losses(sql, MIA.id, person, {}) for person in (ana, ben)]

    assert await database.write(lived) == [2, 1]


@pytest.mark.parametrize(
    "said",
    [
        {"mode": "lobby"},
        {"state": "cancelled"},
        {"state": "closing"},
        {"practice": 1},
        {"maker": NOA},
    ],
    ids=lambda said: next(iter(said)),
)
async def test_what_is_no_settled_draw_of_this_maker_is_no_loss(
    database: Database, said: dict[str, Any]
) -> None:
    def lived(sql: Connection) -> int:
        ana, _ = people(sql)
        draw(sql, "one", **said)
        stood(sql, ana, "one")
        return draw_losses.losses(sql, MIA.id, ana, {})

    assert await database.write(lived) == 0


@pytest.mark.parametrize(
    ("said", "count"),
    [
        ({"joined_ms": OPENED}, 0),
        ({"ended_ms": OPENED - 1, "fate": "left"}, 0),
        ({"ended_ms": OPENED, "fate": "left"}, 1),
    ],
)
async def test_only_who_stood_in_the_sealed_list_lost(
    database: Database, said: dict[str, Any], count: int
) -> None:
    def lived(sql: Connection) -> int:
        ana, _ = people(sql)
        draw(sql, "one")
        stood(sql, ana, "one", **said)
        return draw_losses.losses(sql, MIA.id, ana, {})

    assert await database.write(lived) == count


async def test_two_entries_of_one_draw_are_one_loss(database: Database) -> None:
    def lived(sql: Connection) -> int:
        ana, _ = people(sql)
        draw(sql, "one")
        stood(sql, ana, "one", "e1", ended_ms=OPENED, fate="left")
        stood(sql, ana, "one", "e2")
        return draw_losses.losses(sql, MIA.id, ana, {})

    assert await database.write(lived) == 1


async def test_any_number_of_draws_is_counted(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draw_losses, "AT_ONCE", 3)

    def lived(sql: Connection) -> int:
        ana, _ = people(sql)
        for number in range(8):
            draw(sql, f"d{number}")
            stood(sql, ana, f"d{number}")
        return draw_losses.losses(sql, MIA.id, ana, {})

    assert await database.write(lived) == 8


async def test_who_stood_nowhere_lost_nothing(database: Database) -> None:
    def lived(sql: Connection) -> int:
        ana, _ = people(sql)
        return draw_losses.losses(sql, MIA.id, ana, {})

    assert await database.write(lived) == 0
