"""Rows of `prove`: written where a press would be, refused where a press would be."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import redis.asyncio as redis

from dropengine.errors import Unavailable
from dropengine.truth.refused_requests import MemoryFull
from dropengine.truth.store import Store


@pytest.fixture
async def put_back(client: redis.Redis) -> AsyncIterator[redis.Redis]:
    before = str((await client.config_get("maxmemory"))["maxmemory"])
    yield client
    await client.config_set("maxmemory", before)
    await client.config_set("min-replicas-to-write", 0)
    await client.replicaof("NO", "ONE")


async def test_it_is_written_and_goes_by_itself(store: Store) -> None:
    # PROVED: anything else would not be read.
    await store.house.prove("me")
    assert await store.client.get(store.house.keys.proof) == b"me"
    assert 0 < await store.client.pttl(store.house.keys.proof) <= 60_000


async def test_a_full_server_refuses_it(store: Store, put_back: redis.Redis) -> None:
    await put_back.config_set("maxmemory", 1)
    with pytest.raises(MemoryFull):
        await store.house.prove("me")


async def test_a_server_without_its_replicas_refuses_it(
    store: Store, put_back: redis.Redis
) -> None:
    await put_back.config_set("min-replicas-to-write", 1)
    with pytest.raises(Unavailable, match="NOREPLICAS"):
        await store.house.prove("me")


async def test_a_replica_refuses_it(store: Store, put_back: redis.Redis) -> None:
    await put_back.replicaof("127.0.0.1", "1")
    with pytest.raises(Unavailable, match="READONLY"):
        await store.house.prove("me")
