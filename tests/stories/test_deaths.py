"""kill -9 in the middle of a burst: who was told that he has it, has it, and the rest can still
buy."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dropengine import events, wire
from dropengine.config import Settings
from dropengine.creator_commands import Open
from dropengine.model import DropId
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.rehearsal.history import Recorder
from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.kit.manifests import item, manifest
from tests.kit.two_workers import Patron, crowd, judged
from tests.kit.web_process import LONG_S

FANS, UNITS, EACH = 36, 40, 2
KILL_AFTER = 15
"""Answers that the crowd has got when it happens: in the middle of the burst."""


@pytest.fixture
async def shop() -> AsyncIterator[SupervisorProcess]:
    """A whole shop: a private, durable server and two web processes."""
    with tempfile.TemporaryDirectory(prefix="drop-") as folder:
        one = SupervisorProcess(
            Settings(
                local_pay=True,
                data_dir=Path(folder),
                port=0,
                web_concurrency=2,
                disk_free_mib_min=16,
                maxmemory_mib=64,
                log_level="error",
                requests_per_s_max=100_000,
            )
        )
        await asyncio.to_thread(one.start)
        yield one
        await asyncio.to_thread(one.stop)


@pytest.fixture
async def store(shop: SupervisorProcess) -> AsyncIterator[Store]:
    one = Store(connections.client(shop.running.redis_url))
    yield one
    await one.close()


async def opened(store: Store, name: str) -> DropId:
    drop = DropId(name)
    sold = manifest(drop, item("pin", {"pin": UNITS}), limit=EACH)
    await store.publish(sold, by="o1", key="publish")
    await store.command(drop, Open(), revision=1, by="o1", key="open")
    return drop


class Burst:
    """Everybody takes a unit, some give it back and take it again; somebody is killed meanwhile."""

    def __init__(self, fans: list[Patron]) -> None:
        self.fans = fans
        self.answers = 0
        self.middle = asyncio.Event()

    async def run(self, pid: int) -> list[str]:
        """Kill `pid` with -9 in the middle; the holds that somebody has in the end.

        Everybody has a socket before: who dials while the server is away is told 503 and dials
        again, which is another promise.
        """
        await asyncio.gather(*(fan.arrive() for fan in self.fans))
        acting = [asyncio.create_task(self.act(i, fan)) for i, fan in enumerate(self.fans)]
        await asyncio.wait_for(self.middle.wait(), LONG_S)
        os.kill(pid, signal.SIGKILL)
        return [hold for hold in await asyncio.gather(*acting) if hold]

    async def act(self, i: int, fan: Patron) -> str:
        hold = await self.granted(fan)
        if i % 3 == 0:
            await fan.release(hold)
            self.answered()
            hold = await self.granted(fan)
        if i % 3 == 1:
            await fan.buys(hold)
        return hold

    async def granted(self, fan: Patron) -> str:
        hold = await fan.held()
        self.answered()
        return hold

    def answered(self) -> None:
        self.answers += 1
        if self.answers == KILL_AFTER:
            self.middle.set()


async def quiet(store: Store, drop: DropId) -> None:
    """Until every payment is captured; the workers may still be coming back."""
    async with asyncio.timeout(LONG_S):
        while await store.duties(drop):  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.05)


async def told_the_truth(store: Store, drop: DropId, fans: list[Patron], holds: list[str]) -> None:
    """What the crowd has in its hands is what the server has."""
    await quiet(store, drop)
    verdict, log = await judged(store, drop, fans[0].history)
    assert len(set(holds)) == len(holds) == FANS
    sold = {event.hold for event in log if isinstance(event, events.Sold)}
    assert sold == set(holds[1::3])
    assert (verdict.sold, verdict.held) == (len(sold), FANS - len(sold))
    assert verdict.outbox == 0
    assert verdict.captured == len(sold) * 2400


async def test_a_worker_that_dies_in_a_burst_takes_nobodys_unit_with_it(
    shop: SupervisorProcess, store: Store
) -> None:
    drop = await opened(store, "worker-dies")
    dead = shop.running.worker_pids[0]
    async with crowd([shop.running.url], drop, FANS, Recorder()) as fans:
        holds = await Burst(fans).run(dead)
        await told_the_truth(store, drop, fans, holds)
        # Half of the crowd, more or less, sat at the dead one and came back.
        assert any(fan.dialled > 1 for fan in fans)
        assert any(fan.dialled == 1 for fan in fans)
    running = await asyncio.to_thread(
        shop.until, lambda r: dead not in r.worker_pids and len(r.worker_pids) == 2, LONG_S
    )
    assert running.server_pid == shop.running.server_pid


async def test_a_server_that_dies_in_a_burst_lost_nothing_that_anybody_was_told(
    shop: SupervisorProcess, store: Store
) -> None:
    drop = await opened(store, "server-dies")
    dead = shop.running.server_pid
    workers = shop.running.worker_pids
    assert dead is not None
    async with crowd([shop.running.url], drop, FANS, Recorder()) as fans:
        holds = await Burst(fans).run(dead)
        await told_the_truth(store, drop, fans, holds)
        # Nobody's socket was cut: the workers said `away` and waited for the server.
        assert all(fan.dialled == 1 for fan in fans)
        answer = await fans[0].hold(qty=EACH)
        assert isinstance(answer, wire.Refused)
        assert answer.code == "limit_reached"
    running = await asyncio.to_thread(shop.until, lambda r: r.server_pid != dead, LONG_S)
    assert running.worker_pids == workers
