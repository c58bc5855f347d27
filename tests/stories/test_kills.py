"""kill -9 of the server again and again in a crowd that never stops: whatever anybody was told is
there.

KILLS=50 KILLS_FANS=2000 kills as often among as many.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from pathlib import Path

import pytest

from dropengine import events, wire
from dropengine.config import Settings
from dropengine.creator_commands import Open
from dropengine.model import DropId
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.rehearsal.history import Recorder
from dropengine.rehearsal.practice_shop import for_crowd
from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.kit import short_folder
from tests.kit.manifests import item, manifest
from tests.kit.two_workers import Patron, crowd, judged
from tests.kit.web_process import LONG_S

folder = short_folder.folder
KILLS = int(os.environ.get("KILLS") or 5)
FANS = int(os.environ.get("KILLS_FANS") or 24)
SEED = int(os.environ.get("KILLS_SEED") or 7)
DROP = DropId("killed")
PATIENCE_S = LONG_S * max(1, KILLS // 5)
"""Who pays waits until the provider comes again with its webhook, later after each refusal."""
BUYS = 2
"""Units that a buyer buys before he goes home."""

_keys = count(1)


@pytest.fixture
async def shop(folder: Path) -> AsyncIterator[SupervisorProcess]:
    """A whole shop: a private, durable server and two web processes."""
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
    one = SupervisorProcess(for_crowd(settings, FANS))
    await asyncio.to_thread(one.start)
    yield one
    await asyncio.to_thread(one.stop)


@pytest.fixture
async def store(shop: SupervisorProcess) -> AsyncIterator[Store]:
    one = Store(connections.client(shop.running.redis_url))
    yield one
    await one.close()


class Crowd:
    """Everybody does one thing again and again until it is over; answers are counted."""

    def __init__(self, fans: list[Patron]) -> None:
        self.fans = fans
        self.over = False
        self.answers = 0
        self._wanted = 0
        self._reached = asyncio.Event()

    def answered(self, answer: wire.Done | wire.Refused) -> wire.Done | wire.Refused:
        self.answers += 1
        if self.answers >= self._wanted:
            self._reached.set()
        return answer

    async def more(self, answers: int) -> None:
        """Until the crowd got so many answers more."""
        self._wanted = self.answers + answers
        self._reached.clear()
        await asyncio.wait_for(self._reached.wait(), LONG_S)

    async def press(self, fan: Patron) -> None:
        """Take a unit and give it back."""
        answer = self.answered(await fan.hold())
        if isinstance(answer, wire.Done) and answer.hold is not None:
            self.answered(await fan.release(answer.hold.id))

    async def wait(self, fan: Patron) -> None:
        """Stand in the line for what others have, and leave it."""
        number = next(_keys)
        answer = self.answered(await fan.done(wire.Join(number, f"join-{number}", ["lamp"])))
        assert isinstance(answer, wire.Done), answer
        number = next(_keys)
        leave = wire.Leave(number, f"leave-{number}", answer.entry)
        self.answered(await fan.done(leave))

    async def buy(self, fan: Patron) -> None:
        answer = self.answered(await fan.hold())
        if isinstance(answer, wire.Done) and answer.hold is not None:
            await fan.buys(answer.hold.id)

    async def go_on(self, act: Callable[[Patron], Awaitable[None]], fan: Patron) -> None:
        done = 0
        while not self.over and (act != self.buy or done < BUYS):
            await act(fan)
            done += 1


async def opened(store: Store) -> None:
    pins = item("pin", {"pin": FANS * BUYS})
    sold = manifest(DROP, pins, item("lamp", {"lamp": 1}), limit=BUYS, pace=0)
    await store.publish(sold, by="o1", key="publish")
    await store.command(DROP, Open(), revision=1, by="o1", key="open")


async def killed(shop: SupervisorProcess) -> None:
    """kill -9 of the server; returns when another one runs in its place."""
    dead = shop.running.server_pid
    assert dead is not None
    os.kill(dead, signal.SIGKILL)
    await asyncio.to_thread(shop.until, lambda now: now.server_pid not in (None, dead), LONG_S)


async def kills(shop: SupervisorProcess, people: Crowd) -> None:
    """Each after so many answers as the dice say."""
    dice = random.Random(SEED)
    for _ in range(KILLS):
        await people.more(dice.randint(1, 2 * FANS))
        await killed(shop)
    # And everybody who wants to can go on.
    await people.more(FANS)


async def test_whatever_anybody_was_told_is_there_after_every_kill(
    shop: SupervisorProcess, store: Store
) -> None:
    await opened(store)
    history = Recorder()
    async with crowd([shop.running.url], DROP, FANS + 1, history) as (first, *fans):
        for fan in fans:
            fan.patience_s = PATIENCE_S
        await first.held("lamp")
        people = Crowd(fans)
        await asyncio.gather(*(fan.arrive() for fan in fans))
        acts = (people.press, people.wait, people.buy)
        going = [
            asyncio.create_task(people.go_on(acts[i % len(acts)], fan))
            for i, fan in enumerate(fans)
        ]
        await kills(shop, people)
        people.over = True
        await asyncio.gather(*going)
        verdict, log = await judged(store, DROP, history)
    told = {type(event) for event in log}
    assert {events.Held, events.Released, events.Joined, events.Left, events.Sold} <= told
    print(f"{KILLS} kills, {FANS} fans, {people.answers} answers, {verdict.sold} units sold")
