"""Rows of `lease`: one has a job, and a full server still gives it away."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import redis.asyncio as redis

from dropengine.jobs.lease import Lease
from dropengine.truth.store import Store

MS = 60_000


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


async def test_a_full_server_lets_another_go_on_when_the_holder_is_dead(full: Store) -> None:
    with pytest.raises(redis.ResponseError, match="maxmemory"):
        await full.client.set("anything", "else")
    dead, heir = Lease(full, "settling of the dead", MS), Lease(full, "settling of the dead", MS)
    await dead.renew()
    await heir.renew()
    assert (dead.held, heir.held) == (True, False)
    await full.client.delete(full.house.keys.lease("settling of the dead"))
    await heir.renew()
    assert heir.held
    await heir.renew()
    assert heir.held


async def test_a_server_that_forgot_its_scripts_and_is_full_is_told_the_text(full: Store) -> None:
    await full.client.script_flush()
    assert await full.house.lease("a job for later", "me", MS)
