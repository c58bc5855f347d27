"""Who is in the cohorts of a drop: lists of addresses, codes, and what was bought or missed."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Connection

from dropengine.manifest import Cohort
from dropengine.model import DropId
from dropengine.people import addresses, cohorts, makers, persons
from dropengine.people.addresses import AddressNames
from dropengine.people.cohorts import CodesGone, Counts, Taken
from dropengine.people.one_after_another import change
from dropengine.people.persons import Person
from dropengine.sql.database import Database
from dropengine.sql.schema.ledger import DROPS, ENTRIES, ORDERS
from tests.kit import databases
from tests.people.test_draw_losses_in_sql import MIA, NOA, NOW, put

postgres = databases.postgres
sql_settings = databases.sql_settings
database = databases.database

DROP = DropId("new-pin")
NAMES = AddressNames(b"a secret of some length")


def cohort(name: str, *, listed: bool = False, codes: bool = False, **drops: str) -> Cohort:
    named = {way: tuple(drops.get(way, "").split()) for way in ("bought", "missed")}
    return Cohort(id=name, title=name, most=(1,), listed=listed, codes=codes, **named)


def person(sql: Connection, address: str) -> Person:
    read = addresses.read(address)
    assert read is not None
    return persons.make(sql, NAMES.of(read), address, NOW)


def entitled(sql: Connection, who: Person, *wanted: Cohort) -> list[str]:
    return cohorts.entitled(sql, DROP, wanted, who, {})


async def test_a_list_is_read_as_people_paste_it_and_means_mailboxes(database: Database) -> None:
    text = "Ana@x.org, b.en@gmail.com;  <cy@x.org>\n\nnobody\nana@X.org\tdi@x.org"
    # What else stands beside an address is no mistake, what should have been one is.
    text += '\n"Müller, Ana" <ana@x.org>, Di <di@x.org>\n7;"Cy";"cy@x.org"\nana@x.org,@'
    text += "\nana@x.org  cy@x.org\u00a0di@x.org\nAna <ana@x.org> Di <di@x.org>"
    wrong = ["nobody", "@"]
    for form in ("utf-8-sig", "latin-1", "utf-16"):
        assert cohorts.lines(cohorts.as_text(text.encode(form)) or "") == cohorts.lines(text)
    assert cohorts.as_text(b"PK\x03\x04\0\xff") is None

    def lived(sql: Connection) -> None:
        typed = cohorts.lines(text)
        assert cohorts.put(sql, NAMES, DROP, "club", typed, NOW) == Taken(4, 0, wrong)
        assert cohorts.put(sql, NAMES, DROP, "club", typed, NOW) == Taken(0, 4, wrong)
        ben, eve = person(sql, "ben+pins@googlemail.com"), person(sql, "eve@x.org")
        club = cohort("club", listed=True)
        assert (entitled(sql, ben, club), entitled(sql, eve, club)) == (["club"], [])
        # Only where the manifest says that there is a list.
        assert entitled(sql, ben, cohort("club", codes=True)) == []
        cohorts.came(sql, DROP, ben, NOW + 5)
        cohorts.came(sql, DROP, ben, NOW + 9)
        assert cohorts.counts(sql, DROP) == {"club": Counts(listed=4, came=1)}
        assert [row for row in cohorts.listed(sql, DROP, "club") if row.came_ms] == [
            ("b.en@gmail.com", NOW + 5)
        ]
        assert cohorts.strike(sql, DROP, "club") == 4
        assert entitled(sql, ben, club) == []

    await database.write(lived)


async def test_what_a_list_has_no_room_for_is_no_wrong_address(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cohorts, "ADDRESSES_MAX", 2)
    typed = ["ana@x.org", "nobody", "ben@x.org", "cy@x.org"]
    taken = await database.write(lambda sql: cohorts.put(sql, NAMES, DROP, "club", typed, NOW))
    assert taken == Taken(2, 0, ["nobody"], 1)


async def test_a_code_is_one_persons_whoever_comes_at_once(database: Database) -> None:
    def made(sql: Connection) -> tuple[str, list[Person]]:
        (code,) = cohorts.make_codes(sql, DROP, "club", 1, NOW)
        return code, [person(sql, f"{name}@x.org") for name in ("ana", "ben", "cy", "di")]

    code, people = await database.write(made)

    async def says(who: Person, typed: str) -> str | None:
        return await change(database, lambda sql: cohorts.bind(sql, DROP, typed, who, NOW + 5))

    spelled = f" {cohorts.spelled(code).lower()} "
    said = await asyncio.gather(*(says(who, spelled) for who in people))
    assert sorted(map(str, said)) == ["", "", "", "club"]
    winner = people[said.index("club")]
    # Again is harmless, also for the others; of no such drop or code there is none.
    assert await says(winner, code) == "club"
    assert await says(people[said.index("")], code) == ""
    assert await says(winner, "AAAAA-AAAAA") is None

    def judged(sql: Connection) -> None:
        club = cohort("club", codes=True)
        assert [entitled(sql, who, club) for who in people].count(["club"]) == 1
        assert cohorts.counts(sql, DROP) == {"club": Counts(codes=1, used=1)}
        # What leaked is struck, alone or with all; what somebody used is his.
        leaked, *_ = cohorts.make_codes(sql, DROP, "club", 3, NOW)
        assert cohorts.strike_codes(sql, DROP, "club", cohorts.spelled(leaked)) == CodesGone(1, 0)
        assert cohorts.bind(sql, DROP, leaked, people[0], NOW) is None
        assert cohorts.strike_codes(sql, DROP, "club", code) == CodesGone(0, 1)
        assert cohorts.strike_codes(sql, DROP, "gang") == CodesGone(0, 0)
        assert cohorts.strike_codes(sql, DROP, "club") == CodesGone(2, 1)
        assert cohorts.counts(sql, DROP) == {"club": Counts(codes=1, used=1)}
        # Who erases himself leaves nothing, and his code stays used.
        cohorts.put(sql, NAMES, DROP, "club", [winner.address], NOW)
        cohorts.erase(sql, winner)
        assert entitled(sql, winner, cohort("club", codes=True, listed=True)) == []
        assert cohorts.counts(sql, DROP) == {"club": Counts(codes=1, used=1)}

    await database.write(judged)


async def test_what_was_bought_or_missed_lets_in_at_the_same_maker_alone(
    database: Database,
) -> None:
    def earlier(sql: Connection, drop: str, *, over: bool = True) -> None:
        put(sql, DROPS, drop_id=drop, ended_ms=NOW if over else 0)
        makers.own(sql, drop, (NOA if drop == "noas" else MIA).id, NOW)

    def lived(sql: Connection) -> None:
        for maker in (MIA, NOA):
            makers.make(sql, maker)
        makers.own(sql, DROP, MIA.id, NOW)
        ana, ben, cy = (person(sql, f"{name}@x.org") for name in ("ana", "ben", "cy"))
        for drop in ("mia-old", "noas"):
            earlier(sql, drop)
        earlier(sql, "open", over=False)
        for who, drop, state in (
            *((ana, "mia-old", "done"), (ana, "noas", "done"), (ben, "mia-old", "refunded")),
            (cy, "open", "done"),
        ):
            fan = who.fan(DropId(drop), {})
            put(sql, ORDERS, drop_id=drop, hold=f"h-{who.address}", fan=fan, state=state)
        for who, drop in ((ana, "mia-old"), (ben, "mia-old"), (ben, "noas"), (ben, "open")):
            fan = who.fan(DropId(drop), {})
            put(sql, ENTRIES, drop_id=drop, entry=f"e-{who.address}", fan=fan)
        wanted = (
            # As the maker calls it, before whose id the shop put her short name.
            *(cohort("bought", bought="old"), cohort("missed", missed="old")),
            *(cohort("others", bought="noas", missed="noas"), cohort("still", missed="open")),
            cohort("goes-on", bought="open"),
        )
        assert entitled(sql, ana, *wanted) == ["bought"]
        assert entitled(sql, ben, *wanted) == ["missed"]
        assert entitled(sql, cy, *wanted) == ["goes-on"]

    await database.write(lived)


async def test_lists_and_codes_are_gone_when_their_drop_is_over(database: Database) -> None:
    def lived(sql: Connection) -> None:
        cohorts.put(sql, NAMES, DROP, "club", ["ana@x.org"], NOW)
        cohorts.make_codes(sql, DROP, "club", 3, NOW)
        put(sql, DROPS, drop_id=DROP)
        assert not cohorts.any_over(sql)
        sql.execute(DROPS.update().values(ended_ms=NOW))
        assert cohorts.any_over(sql)
        cohorts.forget_over(sql)
        assert cohorts.counts(sql, DROP) == {}

    await database.write(lived)
