"""A drop commits to one secret, whoever asks and however often."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from dropengine.config import Settings
from dropengine.log.draw import commitment_of
from dropengine.randomness import LATE_MS, QUICKNET, CommitReveal
from dropengine.sql import draw_secrets
from dropengine.sql.database import Database
from tests.kit.manifests import in_mode, item, manifest
from tests.kit.own_beacon import OwnBeacon

NOW_MS = 1_790_000_000_000
SLOW = msgspec.structs.replace(QUICKNET, period_s=30)
"""A chain that takes its time."""
FIRST = SLOW.first_from(NOW_MS + LATE_MS)


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


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({}, ""),
        ({"beacon_round": 0}, ""),
        ({"beacon_round": FIRST - 1}, f"beacon_round: must be {FIRST} or later: it is to come"),
        ({"opens_ms": 0, "beacon_round": 1}, ""),
    ],
)
def test_a_round_comes_after_the_seal_by_the_clock_of_its_chain(
    changed: dict[str, int], why: str
) -> None:
    text = in_mode(manifest("pin", item("pin", {"pin": 1})), "lobby")
    planned = {"opens_ms": NOW_MS, "beacon_round": FIRST} | changed
    found = draw_secrets.fault_in_chance(msgspec.structs.replace(text, **planned), SLOW)
    assert found.startswith(why)
    assert bool(found) == bool(why)


def test_a_chain_whose_key_is_no_key_orders_nothing() -> None:
    text = in_mode(manifest("pin", item("pin", {"pin": 1})), "lobby")
    text = msgspec.structs.replace(text, beacon_round=FIRST)
    found = draw_secrets.fault_in_chance(text, OwnBeacon(secret=0).chain)
    assert found == "beacon_round: the public key of tests is no point of the curve"
