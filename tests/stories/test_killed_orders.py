"""kill -9 while a part of a list has its arrivals: of the worker that gives them out, or of the
server that keeps them. Nobody loses his place, and the order is the one that the seal gives.

KILLED_ORDERS=20 orders as many lists, ORDERED_ENTRIES of them each.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dropengine import outcomes, wire
from dropengine.config import Settings
from dropengine.creator_commands import Open, Seal
from dropengine.errors import Unavailable
from dropengine.jobs.drawing import Drawing
from dropengine.log import replay
from dropengine.log.draw.sheet import findings
from dropengine.log.draw.told import sheet_of
from dropengine.log.referee import judge
from dropengine.model import DropId, FanId
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.randomness import QUICKNET
from dropengine.sql import draw_secrets
from dropengine.sql.database import Database
from dropengine.truth import connections, keys
from dropengine.truth.replies import Sealed
from dropengine.truth.store import Store
from tests.kit import short_folder
from tests.kit.manifests import in_mode, item, manifest
from tests.kit.web_process import LONG_S

folder = short_folder.folder
LISTS = int(os.environ.get("KILLED_ORDERS") or 2)
ENTRIES = int(os.environ.get("ORDERED_ENTRIES") or 2_000)
UNITS = 50
TRIES = 5
"""Lists of which one is caught in the middle: all is over in a tenth of a second."""


@pytest.fixture
async def shop(folder: Path) -> AsyncIterator[SupervisorProcess]:
    """A private, durable server and two web processes."""
    settings = Settings(
        local_pay=True,
        data_dir=folder,
        port=0,
        web_concurrency=2,
        disk_free_mib_min=16,
        maxmemory_mib=512,
        log_level="error",
        shutdown_s_max=2,
    )
    one = SupervisorProcess(settings)
    await asyncio.to_thread(one.start)
    yield one
    await asyncio.to_thread(one.stop)


@pytest.fixture
async def store(shop: SupervisorProcess) -> AsyncIterator[Store]:
    one = Store(connections.client(shop.running.redis_url))
    yield one
    await one.close()


async def sealed(store: Store, folder: Path, drop: DropId) -> None:
    """A list that nobody orders yet; what it will be ordered by is kept in this shop."""
    text = in_mode(manifest(drop, item("pin", {"pin": UNITS}), limit=1), "lobby")
    database = Database(Settings(data_dir=folder))
    chance = await database.write(
        lambda sql: draw_secrets.named(sql, text, QUICKNET, time.time_ns() // 1_000_000)
    )
    await database.close()
    await store.publish(text, by="o1", key="publish", chance=chance)
    await store.command(drop, Open(), revision=1, by="o1", key="open")
    join = wire.Join(0, "k", ["pin"])
    for first in range(0, ENTRIES, 500):
        fans = [FanId(f"f{n}") for n in range(first, min(first + 500, ENTRIES))]
        for outcome in await store.press(drop, [(fan, join) for fan in fans]):
            assert isinstance(outcome, outcomes.Joined), outcome
    await store.command(drop, Seal(), revision=2, by="o1", key="seal")


async def killed(shop: SupervisorProcess, store: Store, drop: DropId, victim: str) -> int:
    """Kill as soon as some of the arrivals are given out; how many were."""
    row, lease = keys.one(drop, "drop", store.prefix), store.house.keys.lease(Drawing.name)
    async with asyncio.timeout(LONG_S):
        while not (placed := int(await store.client.hget(row, "placed") or 0)):
            pass
    if victim == "server":
        pid = shop.running.server_pid
    else:
        pid = int((await store.client.get(lease) or b"0").partition(b".")[0])
    assert pid
    os.kill(pid, signal.SIGKILL)
    return placed


async def opened(store: Store, drop: DropId) -> None:
    """Until whoever came after it has opened the drop and called the first of the list."""
    async with asyncio.timeout(LONG_S):
        while True:
            try:
                head = await store.sealed(drop, most=1)
                assert isinstance(head, Sealed)
                if head.state == "live" and (await store.view(drop)).pools[0].held == UNITS:  # type: ignore[union-attr]
                    return
            except Unavailable:
                pass
            await asyncio.sleep(0.05)


async def caught(shop: SupervisorProcess, store: Store, folder: Path, drop: str, at: int) -> bool:
    """Kill one in a list of this name, and judge what came of it. Was it in the middle?"""
    victim, name = ("worker", "server")[at % 2], DropId(drop)
    await sealed(store, folder, name)
    placed = await killed(shop, store, name, victim)
    await opened(store, name)
    lines = [line async for line in store.log(name)]
    assert judge(lines).violations == []
    truth = await store.truth(name)
    assert truth is not None
    assert replay.difference(replay.fold_lines(lines), truth) == []
    sheet = sheet_of(lines)
    assert [one.kept for one in findings(sheet)] == [True, True, True]
    assert len(sheet.order) == ENTRIES
    print(f"the {victim} was killed when {placed} of {ENTRIES} had their arrivals")
    return placed < ENTRIES


async def test_an_order_that_is_half_given_out_outlives_who_gives_it_out(
    shop: SupervisorProcess, store: Store, folder: Path
) -> None:
    for at in range(LISTS):
        for attempt in range(TRIES):
            if await caught(shop, store, folder, f"order-{at}-{attempt}", at):
                break
        else:
            pytest.fail(f"{TRIES} lists of {ENTRIES} were ordered before anybody could look")
