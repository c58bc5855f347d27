"""Persons, their devices and what is left of them, on both engines."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from dropengine.jobs.ledger.forgetting import Forgetting
from dropengine.model import DropId, FanId
from dropengine.people import addresses, devices, passkeys, persons, sign_ins
from dropengine.people.addresses import Address
from dropengine.people.passkeys import Passkey
from dropengine.people.persons import Person, Trace
from dropengine.sql.database import Database
from dropengine.sql.schema.ledger import DROPS
from dropengine.sql.schema.persons import DEVICES, ERASED, PERSON_PASSKEYS, PERSONS, SIGN_INS
from tests.kit import databases

postgres = databases.postgres
sql_settings = databases.sql_settings
database = databases.database

NOW = 1_800_000_000_000
PIN, LAMP = DropId("pin"), DropId("lamp")


def count(sql: Connection, table: sa.Table) -> int:
    return sql.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


async def test_a_mailbox_is_one_person_however_often_he_comes(database: Database) -> None:
    def made(sql: Connection) -> list[Person]:
        return [persons.make(sql, "n1", one, NOW) for one in ("ana@x.org", "ANA@x.org")]

    one, again = await database.write(made)
    assert one == again
    assert one.address == "ana@x.org"
    assert one.fan(PIN, {}) != one.fan(LAMP, {})
    other = await database.write(lambda sql: persons.make(sql, "n2", "ben@x.org", NOW))
    assert other.key != one.key
    assert other.fan(PIN, {}) != one.fan(PIN, {})


async def test_the_tables_let_no_mailbox_be_two(database: Database) -> None:
    await database.write(lambda sql: persons.make(sql, "n1", "ana@x.org", NOW))

    def twice(sql: Connection) -> None:
        row = {"id": "x", "key": b"k" * 16, "normal": "n1", "address": "a", "created_ms": 1}
        sql.execute(sa.insert(PERSONS).values(row))

    with pytest.raises(sa.exc.IntegrityError):
        await database.write(twice)


async def test_with_a_person_goes_all_that_is_his_but_the_traces(database: Database) -> None:
    def lived(sql: Connection) -> Person:
        ana, ben = persons.make(sql, "n1", "ana@x.org", NOW), persons.make(sql, "n2", "b@x", NOW)
        for one in (ana, ben):
            devices.begin(sql, one.id, "a browser", "code", NOW)
            key = Passkey(f"key-{one.id}", one.id, "phone", b"public", 0, NOW, 0)
            assert passkeys.keep(sql, key, passkeys.PERSONS)
            assert not passkeys.keep(sql, key, passkeys.PERSONS)
            sign_ins.ask(sql, "browser", one.normal, Address(one.address, ""), "/you", NOW)
        persons.erase(sql, ana, [Trace(PIN, FanId("f1"))], NOW)
        return ben

    ben = await database.write(lived)

    def left(sql: Connection) -> tuple[list[int], list[Trace], list[str]]:
        tables = (PERSONS, DEVICES, PERSON_PASSKEYS, SIGN_INS, ERASED)
        owners = [one.account for one in passkeys.of_account(sql, ben.id, passkeys.PERSONS)]
        return [count(sql, table) for table in tables], persons.traces(sql, "n1"), owners

    counts, traces, owners = await database.read(left)
    assert counts == [1] * 5
    assert traces == [Trace(PIN, FanId("f1"))]
    assert owners == [ben.id]


async def test_a_trace_goes_when_its_drop_is_over_and_no_other(database: Database) -> None:
    def lived(sql: Connection) -> None:
        ana = persons.make(sql, "n1", "ana@x.org", NOW)
        persons.erase(sql, ana, [Trace(PIN, FanId("f1")), Trace(LAMP, FanId("f2"))], NOW)
        for drop in (PIN, LAMP):
            texts = ("state", "hash", "currency", "mode", "rules", "published_by")
            numbers = ("layout", "practice", "published_ms", "opened_ms", "ended_ms", "last_ms")
            row: dict[str, object] = {"drop_id": drop, **dict.fromkeys(texts, "")}
            sql.execute(sa.insert(DROPS).values(row | dict.fromkeys(numbers, 0)))

    await database.write(lived)
    job = Forgetting(database)

    async def kept() -> list[str]:
        await job.round()
        return sorted(one.drop for one in await database.read(lambda s: persons.traces(s, "n1")))

    assert await kept() == ["lamp", "pin"]

    def over(sql: Connection) -> None:
        sql.execute(sa.update(DROPS).where(DROPS.c.drop_id == PIN).values(ended_ms=NOW))

    await database.write(over)
    assert await kept() == ["lamp"]
    await database.write(lambda sql: persons.forget(sql, "n1", LAMP))
    assert await kept() == []


async def test_devices_are_listed_by_use_and_the_oldest_make_room(database: Database) -> None:
    def lived(sql: Connection) -> tuple[list[str], list[str], Person]:
        ana = persons.make(sql, "n1", "ana@x.org", NOW)
        most = devices.PER_PERSON_MAX
        made = [devices.begin(sql, ana.id, "b", "code", NOW + n).id for n in range(most + 2)]
        return made, devices.crowd_out(sql, ana.id, NOW + 100), ana

    made, over, ana = await database.write(lived)
    assert sorted(over) == sorted(made[:2])
    await database.write(lambda sql: devices.seen(sql, {made[2]: NOW + 900, made[3]: NOW - 5}))
    known = await database.read(lambda sql: devices.of_person(sql, ana.id))
    assert known[0].id == made[2]
    assert known[-1].id == made[3]
    found = await database.read(lambda sql: persons.of_session(sql, made[2], NOW))
    assert found == (ana, {})
    late = NOW + devices.LIFE_MS + 1_000
    assert await database.read(lambda sql: devices.find(sql, made[2], late)) is None
    assert await database.read(lambda sql: persons.of_session(sql, made[2], late)) is None
    assert await database.write(lambda sql: devices.end(sql, ana.id, made[2]))
    assert not await database.write(lambda sql: devices.end(sql, ana.id, made[2]))
    assert not await database.write(lambda sql: devices.end(sql, "somebody", made[4]))


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0", "Firefox, Linux"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36", "Chrome, Android"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Windows"),
        ("curl/8.0", ""),
        ("", ""),
    ],
)
def test_a_device_has_a_name_that_its_owner_knows(agent: str, name: str) -> None:
    assert devices.called(agent) == name


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ana@Example.org", "ana@example.ORG", True),
        ("a.n.a@gmail.com", "ana+pins@googlemail.com", True),
        ("ana+x@outlook.com", "ana@outlook.com", True),
        ("a.na@outlook.com", "ana@outlook.com", False),
        ("ana@me.com", "ANA+x@icloud.com", True),
        ("a_n-a@pm.me", "ana@proton.me", True),
        ("ana+x@example.org", "ana@example.org", False),
        ("a.na@example.org", "ana@example.org", False),
        ("ana@münchen.de", "ana@xn--mnchen-3ya.de", True),
        ("ana@gmail.com", "ben@gmail.com", False),
    ],
)
def test_two_spellings_are_one_mailbox_where_its_provider_says_so(
    one: str, other: str, same: bool
) -> None:
    names = addresses.AddressNames(b"a secret of thirty-two characters")
    found = [addresses.read(text) for text in (one, other)]
    named = [names.of(address) for address in found if address is not None]
    assert len(named) == 2
    assert (named[0] == named[1]) == same
    assert "ana" not in named[0]
    others = addresses.AddressNames(b"another secret of thirty-two chars")
    assert found[0] is not None
    assert others.of(found[0]) != named[0]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ana@gmial.com", "ana@gmail.com"),
        ("ana@gmail.con", "ana@gmail.com"),
        ("Ana.B@gamil.com", "Ana.B@gmail.com"),
        ("ana@hotmial.con", "ana@hotmail.com"),
        ("ana@outlok.com", "ana@outlook.com"),
        ("ana@yaho.com", "ana@yahoo.com"),
        ("ana@gmail.com", None),
        ("ana@mail.com", None),
        ("ana@gmx.de", None),
        ("ana@web.de", None),
        ("ana@taller-umbra.es", None),
        ("ana@hey.org", None),
        ("ana@example.org", None),
    ],
)
def test_a_slip_in_a_well_known_domain_is_seen(typed: str, meant: str | None) -> None:
    address = addresses.read(typed)
    assert address is not None
    assert addresses.meant(address) == meant
