"""What is kept of people, on both engines: links once, secrets as hashes, owners never none."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from dropengine.config import Settings
from dropengine.people import (
    accounts,
    api_keys,
    audit_trail,
    known_changes,
    links,
    makers,
    passkeys,
    sessions,
)
from dropengine.people.known_changes import Answered
from dropengine.people.links import LIFE_MS, Kind
from dropengine.people.makers import Maker
from dropengine.people.one_after_another import change
from dropengine.people.roles import May, Role, Scope
from dropengine.sql.database import Database
from dropengine.sql.schema import METADATA

NOW = 1_700_000_000_000
HERE = sessions.Place("127.0.0.1", "a browser")


def people(sql: Connection) -> Maker:
    """Ada owns a maker, Ben runs it."""
    for name in ("ada", "ben"):
        assert accounts.make(sql, name, name, "", NOW)
    maker = makers.new("lamps", "Lamp makers", "#112233", NOW)
    assert makers.make(sql, maker)
    makers.join(sql, maker.id, "ada", Role.OWNER, NOW)
    makers.join(sql, maker.id, "ben", Role.OPERATOR, NOW + 1)
    return maker


async def test_a_link_is_spent_once_and_only_in_its_time(database: Database) -> None:
    def made(sql: Connection) -> tuple[str, str]:
        link, secret = links.make(sql, Kind.FIRST, NOW)
        return link.id, secret

    link, secret = await database.write(made)
    assert await database.read(lambda sql: links.find(sql, secret, NOW)) is not None
    late = NOW + LIFE_MS[Kind.FIRST]
    assert await database.read(lambda sql: links.find(sql, secret, late)) is None
    assert await database.read(lambda sql: links.find(sql, secret + "x", NOW)) is None
    spent = await asyncio.gather(
        *(change(database, lambda sql: links.spend(sql, link, NOW)) for _ in range(5))
    )
    assert sorted(spent) == [False] * 4 + [True]
    assert await database.read(lambda sql: links.find(sql, secret, NOW)) is None


async def test_two_owners_cannot_put_each_other_out(
    sql_settings: Settings, database: Database
) -> None:
    def two(sql: Connection) -> str:
        maker = people(sql)
        makers.join(sql, maker.id, "ben", Role.OWNER, NOW)
        return maker.id

    maker = await database.write(two)

    def put_out(whom: str) -> None:
        def work(sql: Connection) -> None:
            if not makers.is_last_owner(sql, maker, whom):
                makers.leave(sql, maker, whom)

        works.append(work)

    works: list[object] = []
    put_out("ada")
    put_out("ben")
    other = Database(sql_settings)
    await asyncio.gather(
        *(change(one, work) for one, work in zip((database, other), works, strict=True))  # type: ignore[arg-type]
    )
    await other.close()
    left = await database.read(lambda sql: makers.members(sql, maker))
    assert [one.role for one in left] == [Role.OWNER]


async def test_no_secret_stands_in_the_database(
    sql_settings: Settings, database: Database, tmp_path: Path
) -> None:
    def secrets(sql: Connection) -> list[str]:
        maker = people(sql)
        return [
            links.make(sql, Kind.INVITE, NOW, maker=maker.id, role=Role.VIEWER)[1],
            sessions.begin(sql, "ada", HERE, "password", NOW)[1],
            api_keys.make(sql, maker.id, "till", Scope.RUN, "ada", NOW)[1],
            passkeys.expect(sql, b"challenge", passkeys.SIGN_IN, "", NOW) or "",
        ]

    found = await database.write(secrets)
    kept = await database.read(
        lambda sql: repr([sql.execute(sa.select(table)).all() for table in METADATA.sorted_tables])
    )
    assert "lamps" in kept
    for secret in found:
        assert len(secret) > 40
        assert secret not in kept


async def test_a_session_lives_as_long_as_it_is_used(database: Database) -> None:
    def begun(sql: Connection) -> str:
        people(sql)
        return sessions.begin(sql, "ada", HERE, "password", NOW)[1]

    secret = await database.write(begun)
    last = NOW + sessions.LIFE_MS
    found = await database.read(lambda sql: sessions.find(sql, secret, last))
    assert found is not None
    assert await database.read(lambda sql: sessions.find(sql, secret, last + 1)) is None
    await database.write(lambda sql: sessions.seen(sql, found.id, last))
    assert await database.read(lambda sql: sessions.find(sql, secret, last + 1)) is not None


async def test_nobody_ends_the_session_of_another(database: Database) -> None:
    def tried(sql: Connection) -> tuple[bool, bool]:
        people(sql)
        session, _ = sessions.begin(sql, "ada", HERE, "password", NOW)
        return sessions.end(sql, "ben", session), sessions.end(sql, "ada", session)

    assert await database.write(tried) == (False, True)


async def test_an_account_has_so_many_sessions_and_the_newest_stay(database: Database) -> None:
    def many(sql: Connection) -> list[int]:
        people(sql)
        for i in range(sessions.PER_ACCOUNT_MAX + 3):
            sessions.begin(sql, "ada", HERE, "password", NOW + i)
        return [one.since_ms - NOW for one in sessions.of_account(sql, "ada", NOW)]

    assert await database.write(many) == list(range(sessions.PER_ACCOUNT_MAX + 2, 2, -1))


async def test_a_challenge_is_for_one_use_one_purpose_one_browser_and_minutes(
    database: Database,
) -> None:
    def asked(sql: Connection) -> str:
        return passkeys.expect(sql, b"sign this", passkeys.SIGN_IN, "", NOW) or ""

    def taken(secret: str, purpose: str = passkeys.SIGN_IN, at: int = NOW) -> object:
        return database.write(lambda sql: passkeys.take(sql, secret, purpose, at))

    secret = await database.write(asked)
    assert await taken("another browser's") is None  # type: ignore[misc]
    found = await taken(secret)  # type: ignore[misc]
    assert found == passkeys.Challenge(b"sign this", "")
    assert await taken(secret) is None  # type: ignore[misc]
    secret = await database.write(asked)
    assert await taken(secret, "register") is None  # type: ignore[misc]
    assert await taken(secret) is None  # type: ignore[misc]
    secret = await database.write(asked)
    assert await taken(secret, at=NOW + passkeys.LIFE_MS) is None  # type: ignore[misc]


async def test_a_name_is_one_accounts_whatever_its_letters(database: Database) -> None:
    def tried(sql: Connection) -> list[bool]:
        return [
            accounts.make(sql, f"id {name}", name, "", NOW)
            for name in ("ada", "ADA", "Ada", "ben", "clock", "Disk", "durability")
        ]

    assert await database.write(tried) == [True, False, False, True, False, False, False]


async def test_a_drop_without_a_row_is_the_first_makers(database: Database) -> None:
    def owned(sql: Connection) -> list[object]:
        before = makers.whose(sql, "pin")
        first = people(sql)
        second = makers.new("pots", "Potters", "#000000", NOW + 5)
        makers.make(sql, second)
        return [
            before,
            makers.whose(sql, "pin") == first.id,
            makers.own(sql, "pots-mug", second.id, NOW),
            makers.own(sql, "pots-mug", second.id, NOW),
            makers.own(sql, "pots-mug", first.id, NOW),
            makers.owners_of(sql, ["pin", "pots-mug"]) == {"pin": first.id, "pots-mug": second.id},
        ]

    assert await database.write(owned) == [None, True, True, True, False, True]


async def test_a_key_and_a_role_stand_on_the_same_steps(database: Database) -> None:
    assert [role.may for role in Role] == [scope.may for scope in Scope] == list(May)

    def found(sql: Connection) -> list[object]:
        maker = people(sql)
        key, secret = api_keys.make(sql, maker.id, "till", Scope.RUN, "ada", NOW)
        return [
            secret.startswith("dropkey_run_"),
            api_keys.find(sql, secret) == key,
            api_keys.find(sql, secret + "x"),
            api_keys.find(sql, key.id),
            api_keys.revoke(sql, "another maker", key.id),
            api_keys.revoke(sql, maker.id, key.id),
            api_keys.find(sql, secret),
        ]

    assert await database.write(found) == [True, True, None, None, False, True, None]


async def test_an_answer_is_kept_for_a_day_for_its_asker_alone(database: Database) -> None:
    answered = Answered(known_changes.asked(b"secret", "join", b"{}"), 200, b"done")

    def kept(sql: Connection) -> list[object]:
        known_changes.keep(sql, "ada", "k1", answered, NOW)
        return [
            known_changes.find(sql, who, key, NOW + later)
            for who, key, later in (
                ("ada", "k1", 0),
                ("ben", "k1", 0),
                ("ada", "k2", 0),
                ("ada", "k1", known_changes.KEPT_MS),
            )
        ]

    assert await database.write(kept) == [answered, None, None, None]


async def test_the_trail_is_read_page_by_page_and_per_maker(database: Database) -> None:
    def written(sql: Connection) -> list[int]:
        for i in range(audit_trail.PAGE_MAX + 20):
            row = audit_trail.AuditRow(
                id=audit_trail.new_id(NOW + i),
                at_ms=NOW + i,
                maker="lamps" if i % 2 else "pots",
                account="ada",
                api_key="",
                by="ada",
                network="127.0.0.1",
                what="pause",
                of="pin",
                why="lunch",
                outcome="",
            )
            audit_trail.write(sql, row)
            audit_trail.conclude(sql, row.id, audit_trail.DONE)
        first = audit_trail.page(sql, "lamps")
        rest = audit_trail.page(sql, "lamps", first[9].id)
        assert {one.outcome for one in first} == {audit_trail.DONE}
        return [first[0].at_ms - NOW, len(first), rest[0].at_ms - NOW, len(rest)]

    assert await database.write(written) == [119, 60, 99, 50]


@pytest.mark.parametrize("at", [0, 5])
async def test_a_network_is_remembered_and_the_oldest_forgotten(
    database: Database, at: int
) -> None:
    def learned(sql: Connection) -> list[bool]:
        people(sql)
        for i in range(accounts.NETWORKS_MAX + at):
            accounts.learn_network(sql, "ada", f"network {i}", NOW + i)
            accounts.learn_network(sql, "ada", f"network {i}", NOW + i)
        return [accounts.knows_network(sql, "ada", f"network {i}") for i in range(5)]

    assert await database.write(learned) == [at == 0] * 5
