"""Rows of `revoke`: tickets that were taken back, told to all workers of a shop."""

from __future__ import annotations

import time

import pytest
import redis.asyncio as redis

from dropengine.truth import replies
from dropengine.truth.store import Store

DAY_MS = 86_400_000


@pytest.fixture(autouse=True)
async def nobody(store: Store) -> None:
    await store.client.delete(store.house.keys.revoked)


async def test_what_was_taken_back_is_read_with_its_time(store: Store) -> None:
    """The word itself: REVOKED, and since when."""
    before = int(time.time() * 1000)
    await store.house.revoke(["p.phone", "g.x"], DAY_MS)
    found = await store.house.revoked(0)
    assert found.keys() == {"p.phone", "g.x"}
    (at_ms,) = {*found.values()}
    assert before - 1 <= at_ms <= time.time() * 1000 + 1
    assert await store.house.revoked(at_ms) == found
    assert await store.house.revoked(at_ms + 1) == {}
    assert replies.Revoked(str(at_ms)).at == str(at_ms)


async def test_a_repeat_is_harmless_and_counts_from_the_last_time(store: Store) -> None:
    await store.house.revoke(["p.phone"], DAY_MS)
    await store.client.zadd(store.house.keys.revoked, {"p.phone": 1})
    await store.house.revoke(["p.phone"], DAY_MS)
    found = await store.house.revoked(0)
    assert found.keys() == {"p.phone"}
    assert found["p.phone"] > 1


async def test_what_no_ticket_can_bear_any_more_goes_a_little_each_time(store: Store) -> None:
    old = int(time.time() * 1000) - DAY_MS - 1_000
    await store.client.zadd(store.house.keys.revoked, {f"p.{n}": old for n in range(70)})
    await store.client.zadd(store.house.keys.revoked, {"p.young": old + 60_000})
    await store.house.revoke(["p.phone"], DAY_MS)
    assert len(await store.house.revoked(0)) == 8
    await store.house.revoke([], DAY_MS)
    assert (await store.house.revoked(0)).keys() == {"p.young", "p.phone"}


async def test_every_worker_hears_of_it_at_once(store: Store, client: redis.Redis) -> None:
    async with client.pubsub() as heard:
        await heard.subscribe(store.house.keys.nudge)
        await heard.get_message(timeout=5)
        await store.house.revoke(["p.phone"], DAY_MS)
        message = await heard.get_message(ignore_subscribe_messages=True, timeout=5)
    assert message is not None
    assert message["data"] == b"revoked"


async def test_two_workers_read_the_same(store: Store, client: redis.Redis) -> None:
    await store.house.revoke(["p.phone"], DAY_MS)
    assert await Store(client).house.revoked(0) == await store.house.revoked(0)
