"""What the server says of itself reaches rooms, numbers and the log; memory has a budget."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import redis.asyncio as redis

from dropengine import outcomes, refusals
from dropengine.jobs.server_watch import ServerWatch
from dropengine.truth.server_check import ServerFacts, read_facts
from dropengine.truth.store import Store
from tests.conftest import MakeSale
from tests.kit import web_process
from tests.kit.private_server import Server
from tests.kit.web_process import settings, until


def nobody(_: ServerFacts) -> None:
    """Nobody asks."""


@pytest.fixture
async def facts(client: redis.Redis) -> ServerFacts:
    return await read_facts(client)


def at(facts: ServerFacts, percent: float) -> ServerFacts:
    return msgspec.structs.replace(
        facts, used_memory_bytes=int(percent * 10_000), maxmemory_bytes=1_000_000
    )


@pytest.mark.parametrize(
    ("percent", "alarm"),
    [(0, 0), (59.9, 0), (60, 60), (79.9, 60), (80, 80), (89.9, 80), (90, 90), (104, 90)],
)
async def test_memory_raises_an_alarm_at_each_share_of_its_budget(
    store: Store, facts: ServerFacts, percent: float, alarm: int
) -> None:
    watch = ServerWatch(store, nobody)
    watch.hear(at(facts, percent))
    assert watch.alarm_percent == alarm
    assert store.nearly_full == (alarm == 90)


async def test_a_server_without_a_limit_has_no_alarm(store: Store, facts: ServerFacts) -> None:
    watch = ServerWatch(store, nobody)
    watch.hear(msgspec.structs.replace(facts, used_memory_bytes=10**12, maxmemory_bytes=0))
    assert (watch.alarm_percent, store.nearly_full) == (0, False)


async def test_each_alarm_is_told_once_and_so_is_its_end(
    store: Store, facts: ServerFacts, caplog: pytest.LogCaptureFixture
) -> None:
    watch = ServerWatch(store, nobody)
    with caplog.at_level(logging.INFO):
        for percent in (10, 61, 62, 85, 95, 95, 70, 10, 10):
            watch.hear(at(facts, percent))
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert [level for level, _ in told] == ["ERROR"] * 3 + ["WARNING"] * 2
    for (_, text), share in zip(told, ("61 %", "85 %", "95 %", "70 %", "10 %"), strict=True):
        assert share in text
    assert "only what was begun goes on now" in told[2][1]


async def test_nearly_full_only_what_was_begun_goes_on(
    store: Store, facts: ServerFacts, make_sale: MakeSale
) -> None:
    sale = await make_sale()
    paid, given = await sale.held("ana"), await sale.held("bo")
    await sale.held("ed")
    entry = await sale.joined("cy", qty=2)
    watch = ServerWatch(store, nobody)
    watch.hear(at(facts, 91))
    log = len(await sale.log())
    assert await sale.hold("di") == refusals.Away()
    assert await sale.join("di") == refusals.Away()
    assert len(await sale.log()) == log
    assert isinstance(await sale.extend("ana", paid), outcomes.Extended)
    assert isinstance(await sale.pay("ana", paid), outcomes.Paying)
    assert isinstance(await sale.succeeded(paid), outcomes.Paid)
    assert isinstance(await sale.release("bo", given), outcomes.Released)
    assert isinstance(await sale.leave("cy", entry), outcomes.Left)
    watch.hear(at(facts, 89))
    assert isinstance(await sale.hold("di"), outcomes.Held)


@pytest.fixture
async def limited(client: redis.Redis) -> AsyncIterator[redis.Redis]:
    before = str((await client.config_get("maxmemory"))["maxmemory"])
    yield client
    await client.config_set("maxmemory", before)


async def test_the_servers_own_numbers_are_read(store: Store, limited: redis.Redis) -> None:
    watch = ServerWatch(store, nobody)
    await limited.config_set("maxmemory", 1_000_000_000)
    await watch.round()
    assert watch.max_bytes == 1_000_000_000
    assert 0 < watch.used_bytes < 600_000_000
    await limited.config_set("maxmemory", watch.used_bytes * 100 // 95)
    await watch.round()
    assert store.nearly_full


async def test_a_server_that_starts_again_is_followed_by_every_room(tmp_path: Path) -> None:
    truth = Server(tmp_path / "truth", durable=True).start()
    async with web_process.front(settings(truth.url, tmp_path)) as web:
        sale = await web.sale()
        hub = web.runtime.hub
        async with web.watcher(sale.drop) as seated:
            before = seated.heard[0]["drop"]
            assert before["durable"] is True
            truth.kill()
            truth.start()
            await until(lambda: hub.epoch != before["epoch"])
            async with web.watcher(sale.drop) as newcomer:
                assert newcomer.heard[0]["drop"]["epoch"] == hub.epoch
            # Its promise changes under those who sit here, too.
            await web.runtime.store.client.config_set("appendfsync", "everysec")
            told = await seated.until("snapshot", lambda m: m["drop"]["durable"] is False)
            assert told["drop"]["epoch"] == hub.epoch
            await web.runtime.store.client.config_set("appendfsync", "always")
            await seated.until("snapshot", lambda m: m["drop"]["durable"] is True)
    truth.stop()
