"""Rows of `lease`: one has a job, and a full server still gives it away."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import redis.asyncio as redis

from dropengine.jobs.lease import Lease
from dropengine.truth.house import Claim
from dropengine.truth.store import Store

MS = 60_000


@pytest.fixture(autouse=True)
async def unclaimed(store: Store) -> None:
    """Whatever shop ran at this server before."""
    await store.house.forget_claim()


@pytest.fixture
async def full(store: Store, client: redis.Redis) -> AsyncIterator[Store]:
    """A store of a server without memory for anything new."""
    before = str((await client.config_get("maxmemory"))["maxmemory"])
    await client.config_set("maxmemory", 1)
    yield store
    await client.config_set("maxmemory", before)


async def test_it_is_leased_to_the_first_and_taken_for_the_others(store: Store) -> None:
    held = {"LEASED": True, "TAKEN": False}
    words = ["LEASED", "TAKEN", "LEASED", "TAKEN"]
    answers = [await store.house.lease("a job", who, MS) for who in "abab"]
    assert answers == [held[word] for word in words]
    assert await store.client.get(store.house.keys.lease("a job")) == b"a"


async def test_a_full_server_lets_another_go_on_when_the_holder_is_dead(
    full: Store, drop: str
) -> None:
    job, keys = f"settling of {drop}", full.house.keys
    with pytest.raises(redis.ResponseError, match="maxmemory"):
        await full.client.set("anything", "else")
    dead, heir = Lease(full, job, MS), Lease(full, job, MS)
    assert await full.client.exists(keys.claim, keys.lease(job)) == 0
    await dead.renew()
    await heir.renew()
    assert (dead.held, heir.held) == (True, False)
    await full.client.delete(keys.lease(job))
    await heir.renew()
    assert heir.held
    await heir.renew()
    assert heir.held


async def test_a_server_that_forgot_its_scripts_and_is_full_is_told_the_text(full: Store) -> None:
    await full.client.script_flush()
    assert await full.house.lease("a job for later", "me", MS)


async def test_only_a_living_run_of_the_shop_that_claims_the_server_is_leased_anything(
    store: Store,
) -> None:
    house, key = store.house, store.house.keys.claim
    asked = {
        "LEASED": (Claim("ours", "a1"), Claim("ours", "b2")),
        "NOT_OURS": (Claim("ours", "c3"), Claim("ours", "dead")),
        "ANOTHERS": (Claim(), Claim("theirs", "a1")),
    }
    later = await store.time_ms() + MS
    runs = {"run:a1": f"1:{later}", "run:b2": f"9:{later}", "run:dead": f"3:{later - 2 * MS}"}
    await store.client.hset(key, mapping={"shop": "ours", **runs})
    try:
        for word, claims in asked.items():
            for i, house.claim in enumerate(claims):
                assert await house.lease(f"{word} {i}", "me", MS) == (word == "LEASED")
                assert house.anothers == (word == "ANOTHERS")
        # Whoever had it is not asked for by others any more, and has it no longer than its time.
        house.claim = Claim("ours", "a1")
        assert await house.lease("duties", "me", MS)
        await store.client.hset(key, "shop", "theirs")
        assert not await house.lease("duties", "me", MS)
    finally:
        await house.forget_claim()
    assert await house.lease("duties", "me", MS)
