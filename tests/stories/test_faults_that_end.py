"""Something goes wrong for a while under a fan who behaves: he buys all the same, or is told when
to come back, comes back then, and buys.

FAULTS=all tries each fault in its full length.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from dropengine.config import Settings
from tests.kit import short_folder
from tests.kit.private_server import Server
from tests.kit.server_owner import ask
from tests.kit.steady_fan import DROP, Fan, fan_of, opened
from tests.kit.two_workers import judged
from tests.kit.web_process import LONG_S

folder = short_folder.folder
ALL = os.environ.get("FAULTS") == "all"
FROZEN_S = (0.1, 0.5, 1.0, 3.0, 10.0) if ALL else (0.1, 2.0)
REPLY_MS = 2_000 if ALL else 500
"""Longer than this no reply is waited for, and what was asked is asked once more."""
STORM_S = 10.0 if ALL else 1.0
FORGET_EACH_S = 0.05


class Trouble(NamedTuple):
    """What is in trouble, and somebody who had begun before."""

    server: Server
    begun: Fan


@asynccontextmanager
async def frozen(trouble: Trouble, for_s: float) -> AsyncIterator[None]:
    """The server stands still."""
    assert trouble.server.process is not None
    trouble.server.process.send_signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(for_s)
        yield
    finally:
        trouble.server.process.send_signal(signal.SIGCONT)


@asynccontextmanager
async def forgetful(trouble: Trouble, for_s: float) -> AsyncIterator[None]:
    """The server forgets its scripts, again and again."""
    with ask(trouble.server.url) as client:
        for _ in range(int(for_s / FORGET_EACH_S)):
            client.script_flush("SYNC")
            await asyncio.sleep(FORGET_EACH_S)
    yield


async def finishes(fan: Fan, hold: str) -> None:
    """Whatever a fan does with what he has, he is not sent away."""
    told = fan.told
    for verb, what in (("extend", {"hold": hold}), ("pay", {"holds": [hold]})):
        assert (await fan.post(verb, **what)).status_code == 200
    assert (await fan.post("release", hold=hold)).status_code == 200
    assert fan.told == told


@asynccontextmanager
async def full(trouble: Trouble, for_s: float) -> AsyncIterator[None]:
    """The server has no memory left; what was begun goes on."""
    hold = await trouble.begun.held()
    with ask(trouble.server.url) as client:
        before = client.config_get("maxmemory")["maxmemory"]
        client.config_set("maxmemory", 1)
        try:
            async with asyncio.timeout(LONG_S):
                await finishes(trouble.begun, hold)
            await asyncio.sleep(for_s)
            yield
        finally:
            client.config_set("maxmemory", before)


class Fault(NamedTuple):
    what: Callable[[Trouble, float], AbstractAsyncContextManager[None]]
    for_s: float
    told: bool
    """Whether a fan who presses meanwhile is sent away. One who asks a server that stands still
    waits for two replies before he is."""


FAULTS = (
    *(Fault(frozen, for_s, told=for_s > 2.5 * REPLY_MS / 1000) for for_s in FROZEN_S),
    Fault(forgetful, STORM_S, told=False),
    Fault(full, STORM_S, told=True),
)


def on(server: Server, folder: Path) -> Settings:
    return Settings(
        local_pay=True,
        data_dir=folder,
        redis_url=server.url,
        redis_timeout_ms=REPLY_MS,
        port=0,
        web_concurrency=2,
        disk_free_mib_min=16,
        log_level="error",
        shutdown_s_max=2,
        requests_per_s_max=100_000,
    )


async def test_whatever_goes_wrong_for_a_while_a_fan_who_behaves_buys(folder: Path) -> None:
    server = Server(durable=True).start()
    try:
        async with opened(on(server, folder)) as (shop, store):
            async with fan_of(shop) as fan, fan_of(shop) as begun, asyncio.TaskGroup() as group:
                going = group.create_task(fan.goes_on())
                for fault in FAULTS:
                    await buys_through(fault, fan, Trouble(server, begun))
                going.cancel()
            await judged(store, DROP)
    finally:
        server.stop()


async def buys_through(fault: Fault, fan: Fan, trouble: Trouble) -> None:
    name = f"{fault.what.__name__} for {fault.for_s} s"
    await fan.gets_one()
    told, done = fan.told, fan.done
    async with fault.what(trouble, fault.for_s):
        pass
    since = time.monotonic()
    await asyncio.wait_for(fan.gets_one(), LONG_S)
    took_s = time.monotonic() - since
    assert (fan.told > told) == fault.told, name
    print(
        f"{name}: sent away {fan.told - told} times, had {fan.done - done} units, "
        f"one {took_s:.2f} s after its end"
    )
