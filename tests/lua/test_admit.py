"""Rows of `admit`: new tickets of a network, of all workers together."""

from __future__ import annotations

from itertools import count

import pytest
import redis.asyncio as redis

from dropengine.truth.store import Store

HOUR_US = 3_600_000_000
_networks = count(1)


@pytest.fixture
def near() -> str:
    return f"near-{next(_networks)}"


@pytest.fixture
def wide() -> str:
    return f"wide-{next(_networks)}"


async def test_so_many_are_admitted_at_once_and_then_it_is_too_many(
    store: Store, near: str, wide: str
) -> None:
    for _ in range(3):
        assert await store.house.admit([(near, wide)], 3, HOUR_US) == [0]
    (wait_ms,) = await store.house.admit([(near, wide)], 3, HOUR_US)
    assert 3_000_000 < wait_ms <= 3_600_000


async def test_time_gives_one_in_each_interval_back(store: Store, near: str, wide: str) -> None:
    for _ in range(2):
        await store.house.admit([(near, wide)], 2, HOUR_US)
    name = store.house.keys.tickets(near)
    # An hour later, seen from what is stored.
    await store.client.set(name, int(await store.client.get(name)) - HOUR_US)
    assert await store.house.admit([(near, wide)], 2, HOUR_US) == [0]
    assert (await store.house.admit([(near, wide)], 2, HOUR_US)) > [0]


async def test_the_network_around_admits_four_times_as_many(store: Store, wide: str) -> None:
    for i in range(8):
        assert await store.house.admit([(f"{wide}-{i}", wide)], 2, HOUR_US) == [0]
    assert (await store.house.admit([(f"{wide}-9", wide)], 2, HOUR_US)) > [0]
    other = f"{wide}-elsewhere"
    assert await store.house.admit([(other, other)], 2, HOUR_US) == [0]


async def test_whoever_is_not_admitted_uses_nothing_up(store: Store, near: str, wide: str) -> None:
    await store.house.admit([(near, wide)], 1, HOUR_US)
    names = [store.house.keys.tickets(near), store.house.keys.tickets(wide)]
    before = await store.client.mget(names)
    for _ in range(5):
        assert (await store.house.admit([(near, wide)], 1, HOUR_US)) > [0]
    assert await store.client.mget(names) == before


async def test_what_is_kept_runs_out_by_itself(store: Store, near: str, wide: str) -> None:
    await store.house.admit([(near, wide)], 300, 1_000_000)
    assert 0 < await store.client.pttl(store.house.keys.tickets(near)) <= 1_000
    assert 0 < await store.client.pttl(store.house.keys.tickets(wide)) <= 250


async def test_nobody_asked_is_nobody_admitted(store: Store) -> None:
    """The word itself: ADMITTED, and for each a time."""
    assert await store.house.admit([], 1, HOUR_US) == []


async def test_who_comes_at_once_is_counted_one_by_one(store: Store, near: str, wide: str) -> None:
    crowd = [(near, wide)] * 5 + [(f"{near}-other", wide)]
    waits = await store.house.admit(crowd, 3, HOUR_US)
    assert [wait == 0 for wait in waits] == [True, True, True, False, False, True]


async def test_two_workers_admit_together_no_more_than_one(
    store: Store, client: redis.Redis, near: str, wide: str
) -> None:
    workers = [store, Store(client)]
    answers = [await workers[i % 2].house.admit([(near, wide)], 5, HOUR_US) for i in range(20)]
    assert [answer == [0] for answer in answers] == [True] * 5 + [False] * 15
