"""Rows of `exchange` (EXCHANGED): what workers tell each other while somebody looks."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from dropengine.truth.store import Store

LONG_MS = 60_000


@pytest.fixture(autouse=True)
async def nobody(store: Store) -> AsyncIterator[None]:
    keys = store.house.keys
    await store.client.delete(keys.looked, keys.desks)
    yield
    await store.client.delete(keys.looked, keys.desks)


async def test_each_hears_who_looks_and_the_rows_of_the_others(store: Store) -> None:
    exchange = store.house.exchange
    first = await exchange("one", LONG_MS, ["pin"], b'{"n":1}')
    assert (first.drops, first.rows) == (["pin"], [])
    second = await exchange("two", LONG_MS, ["lamp"], b'{"n":2}')
    assert (second.drops, second.rows) == (["lamp", "pin"], ['{"n":1}'])
    third = await exchange("one", LONG_MS, ["pin"], b'{"n":3}')
    assert (third.drops, third.rows) == (["lamp", "pin"], ['{"n":2}'])


async def test_what_was_told_too_long_ago_counts_no_more_and_goes(store: Store) -> None:
    exchange, keys = store.house.exchange, store.house.keys
    await exchange("one", -1, ["pin"], b"{}")
    found = await exchange("two", LONG_MS, [], b"")
    assert (found.drops, found.rows) == ([], [])
    assert await store.client.exists(keys.looked, keys.desks) == 0


async def test_who_looks_again_is_not_forgotten_with_his_last_look(store: Store) -> None:
    exchange = store.house.exchange
    await exchange("one", -1, ["pin"], b"{}")
    await exchange("one", LONG_MS, ["pin"], b"{}")
    found = await exchange("two", LONG_MS, [], b"")
    assert (found.drops, found.rows) == (["pin"], ["{}"])


async def test_while_nobody_looks_nothing_is_written(store: Store) -> None:
    before = (await store.client.info("persistence"))["rdb_changes_since_last_save"]
    for _ in range(3):
        found = await store.house.exchange("one", LONG_MS, [], b"")
        assert (found.drops, found.rows) == ([], [])
    after = (await store.client.info("persistence"))["rdb_changes_since_last_save"]
    assert after == before
