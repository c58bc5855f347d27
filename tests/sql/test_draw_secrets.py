"""A drop commits to one secret, whoever asks and however often."""

from __future__ import annotations

import asyncio

from dropengine.config import Settings
from dropengine.log.draw import commitment_of
from dropengine.randomness import CommitReveal
from dropengine.sql import draw_secrets
from dropengine.sql.database import Database

NOW_MS = 1_790_000_000_000


async def commit(database: Database, drop: str) -> CommitReveal:
    return await database.write(lambda sql: draw_secrets.commit(sql, drop, NOW_MS))


async def test_a_drop_commits_to_the_secret_that_is_kept(database: Database) -> None:
    assert await database.read(lambda sql: draw_secrets.of(sql, "pin")) is None
    told = await commit(database, "pin")
    kept = await database.read(lambda sql: draw_secrets.of(sql, "pin"))
    assert kept is not None
    assert len(kept) == 32
    assert told == CommitReveal(commitment_of(kept))


async def test_asked_again_it_is_the_same_and_another_drop_has_another(database: Database) -> None:
    told = await commit(database, "pin")
    assert await commit(database, "pin") == told
    assert await commit(database, "lamp") != told


async def test_of_two_who_ask_at_once_both_hear_the_same(
    sql_settings: Settings, database: Database
) -> None:
    other = Database(sql_settings)
    told = await asyncio.gather(*(commit(one, "pin") for one in (database, other) * 4))
    assert len(set(told)) == 1
    await other.close()
