"""A server that may lose what it acknowledged sells nothing, unless that was accepted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import redis.asyncio as redis

from dropengine import events, outcomes
from dropengine.config import Settings
from dropengine.errors import Unavailable
from dropengine.jobs.durability_watch import DurabilityWatch
from dropengine.jobs.emergency_pause import WELL_S
from dropengine.truth import connections
from dropengine.truth.server_check import ServerFacts
from dropengine.truth.store import Store
from tests.kit.jobs_at_work import at_work, conf, real
from tests.kit.private_server import Server
from tests.kit.sale import Sale
from tests.kit.web_process import until


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that keeps what it acknowledges, until it is told otherwise."""
    one = Server(durable=True).start()
    yield one
    one.stop()


@pytest.fixture(autouse=True)
async def alone(client: redis.Redis) -> AsyncIterator[None]:
    """Each test begins with no drop, and leaves a durable server."""
    await client.flushall()
    yield
    await client.config_set("appendonly", "yes")
    await client.config_set("appendfsync", "always")


class Watched:
    """A watch in the test's own time; `told` is what the rest of the process heard of it."""

    def __init__(self, store: Store, settings: Settings | None = None) -> None:
        self.now = 0.0
        self.told: list[bool] = []
        settings = settings or conf()

        def heard(facts: ServerFacts) -> None:
            self.told.append(facts.durable)

        self.watch = DurabilityWatch(store, settings, heard, lambda: self.now)

    async def looks(self, for_s: float = 0.0) -> None:
        end = self.now + for_s
        await self.watch.look()
        while self.now < end:
            self.now += 1.0
            await self.watch.look()


async def steps(sale: Sale) -> list[tuple[str, str]]:
    log = [event for event in await sale.log() if isinstance(event, events.ByCreator)]
    return [(type(event).__name__.lower(), event.by) for event in log[1:]]


PAUSED, RESUMED = ("paused", "durability"), ("resumed", "durability")
WEAKER = [("appendfsync", "everysec"), ("appendfsync", "no"), ("appendonly", "no")]


@pytest.mark.parametrize(("setting", "value"), WEAKER)
async def test_sales_pause_while_what_is_acknowledged_may_be_lost(
    store: Store, setting: str, value: str
) -> None:
    sale, watched = await real(store), Watched(store)
    await watched.looks()
    assert (await steps(sale), watched.told) == ([], [True])
    await store.client.config_set(setting, value)
    await watched.looks(3)
    assert await steps(sale) == [PAUSED]
    assert watched.told[1:] == [False] * 4
    await store.client.config_set("appendonly", "yes")
    await store.client.config_set("appendfsync", "always")
    await watched.looks(WELL_S - 1)
    assert await steps(sale) == [PAUSED]
    await watched.looks(1)
    assert await steps(sale) == [PAUSED, RESUMED]
    assert watched.told[-1]


async def test_who_accepted_it_goes_on_selling_and_is_told(store: Store) -> None:
    sale = await real(store)
    watched = Watched(store, conf(accept_weaker=True))
    await store.client.config_set("appendfsync", "everysec")
    await watched.looks(3)
    assert await steps(sale) == []
    assert set(watched.told) == {False}


async def test_a_second_loss_does_not_wait_for_the_minute(store: Store) -> None:
    sale, watched = await real(store), Watched(store)
    for policy in ("everysec", "always", "no"):
        await store.client.config_set("appendfsync", policy)
        await watched.looks(WELL_S)
    assert await steps(sale) == [PAUSED, RESUMED, PAUSED]


async def test_a_creator_who_pauses_meanwhile_keeps_it_paused(store: Store) -> None:
    sale, watched = await real(store), Watched(store)
    await store.client.config_set("appendfsync", "everysec")
    await watched.looks()
    sale.revision += 1
    assert isinstance(await sale.creator("pause"), outcomes.Changed)
    await store.client.config_set("appendfsync", "always")
    await watched.looks(3 * WELL_S)
    assert await steps(sale) == [PAUSED, ("paused", "o1")]


async def test_a_new_connection_is_looked_at_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What answers there may be another server than a moment ago."""
    monkeypatch.setattr("dropengine.jobs.durability_watch.READ_S", 3_600)
    await store.time_ms()
    watched = Watched(store)
    async with at_work(watched.watch):
        await asyncio.sleep(0)
        assert watched.told == []
        await store.client.connection_pool.disconnect()
        await store.time_ms()
        await until(lambda: watched.told)


async def test_a_server_that_is_away_pauses_and_tells_nothing(store: Store) -> None:
    sale = await real(store)
    async with connections.client("unix:///nowhere/at/all.sock") as nowhere:
        watched = Watched(Store(nowhere))
        with pytest.raises(Unavailable):
            await watched.looks()
    assert (await steps(sale), watched.told) == ([], [])
