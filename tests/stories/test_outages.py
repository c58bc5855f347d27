"""The server is away, and meanwhile a web process dies, hangs or is just being started: afterwards
the whole shop is there.

OUTAGES=all tries every cell; a few of them are tried always.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from dropengine.creator_commands import Open
from dropengine.model import DropId
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.rehearsal.history import Recorder
from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.kit.manifests import item, manifest
from tests.kit.outages import away, lose_worker, shop_on
from tests.kit.private_server import Server
from tests.kit.two_workers import crowd, judged
from tests.kit.web_process import LONG_S

SERVER, WORKER = ("gone", "frozen", "slow"), ("killed", "hung", "started")
EVERY = [(how, lost, count) for how in SERVER for lost in WORKER for count in (1, 2)]
FEW = [
    ("gone", "killed", 1),
    ("frozen", "killed", 2),
    ("frozen", "hung", 1),
]
CELLS = EVERY if os.environ.get("OUTAGES") == "all" else FEW
FANS = 8


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    one = Server(durable=True).start()
    yield one
    one.stop()


@pytest.fixture
async def store(server: Server) -> AsyncIterator[Store]:
    one = Store(connections.client(server.url))
    yield one
    await one.close()


async def opened(store: Store) -> DropId:
    drop = DropId("outage")
    await store.publish(manifest(drop, item("pin", {"pin": 100}), limit=4), by="o1", key="publish")
    await store.command(drop, Open(), revision=1, by="o1", key="open")
    return drop


async def says_away(shop: SupervisorProcess, drop: DropId) -> None:
    """Whichever web process is asked, it answers, and what it answers is not `sold out`."""
    async with httpx2.AsyncClient(trust_env=False, timeout=LONG_S) as browser:
        for _ in range(4):
            answer = await browser.get(f"{shop.running.url}/api/drops/{drop}")
            assert answer.status_code == 503
            assert answer.json()["code"] == "away"
            # The next one goes to another process, perhaps.
            assert (await browser.get(f"{shop.running.url}/healthz")).status_code == 200


@pytest.mark.parametrize(("how", "lost", "count"), CELLS)
async def test_a_shop_is_whole_again_after(
    server: Server, store: Store, how: str, lost: str, count: int
) -> None:
    drop = await opened(store)
    with tempfile.TemporaryDirectory(prefix="drop-") as folder:
        shop = shop_on(server, Path(folder), count)
        try:
            await asyncio.to_thread(shop.start)
            history = Recorder()
            async with crowd([shop.running.url], drop, FANS, history) as fans:
                await asyncio.gather(*(fan.held() for fan in fans))
                async with away(server, how):
                    await lose_worker(shop, lost)
                    if how != "slow":
                        await says_away(shop, drop)
                since = time.monotonic()
                await asyncio.gather(*(fan.held() for fan in fans))
                print(f"{how} x {lost} x {count}: held {time.monotonic() - since:.2f} s after")
                await judged(store, drop, history)
            running = shop.running
            assert len(set(running.worker_pids)) == count
        finally:
            await asyncio.to_thread(shop.stop)
