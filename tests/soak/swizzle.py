"""Faults that overlap: some begin, one after the other, and end in any order.

The name and the way are FoundationDB's (Will Wilson, Testing Distributed Systems with Deterministic
Simulation, 2014): stop a random part of what there is, each at its own moment, and let it go on in
another order. That finds more than any fault alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from random import Random
from typing import Final

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from tests.kit.fault_proxy import Fate
from tests.kit.private_server import Server
from tests.soak.leaping_proxy import LeapingProxy

LEAPS_MS: Final = (-7_200_000, -60_000, 60_000, 7_200_000)
ROOM_BYTES: Final = 4096
"""Until the disk is full."""
CONTROL_S: Final = 1
MEMORY: Final = "512mb"


class Place:
    """What faults strike: one server, the proxy before it."""

    def __init__(self, server: Server, proxy: LeapingProxy, dice: Random) -> None:
        self.server = server
        self.proxy = proxy
        self.dice = dice

    @asynccontextmanager
    async def control(self) -> AsyncIterator[redis.Redis]:
        """Whoever runs the server, past the proxy; a server that is gone cannot be told."""
        one = redis.Redis(
            unix_socket_path=str(self.server.socket),
            socket_timeout=CONTROL_S,
            # Asked once: nobody may make a fault longer by asking a server that stands still.
            retry=Retry(NoBackoff(), 0),
        )
        with contextlib.suppress(RedisError, OSError):
            yield one
        await one.aclose(close_connection_pool=True)

    async def start_again(self) -> None:
        await asyncio.to_thread(self.server.kill)
        await asyncio.to_thread(self.server.start)


@asynccontextmanager
async def kill(place: Place) -> AsyncIterator[None]:
    await asyncio.to_thread(place.server.kill)
    yield
    await asyncio.to_thread(place.server.start)


@asynccontextmanager
async def stop(place: Place) -> AsyncIterator[None]:
    process = place.server.process
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    yield
    process.send_signal(signal.SIGCONT)


@asynccontextmanager
async def full_disk(place: Place) -> AsyncIterator[None]:
    """The files of the server cannot grow: it ends in the middle of a write, as under `always` a
    server does that cannot write. It is started again when there is room."""
    process = place.server.process
    assert process is not None
    files = [one.stat().st_size for one in place.server.folder.rglob("*") if one.is_file()]
    full = max(files, default=0) + ROOM_BYTES
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (full, full))
    yield
    await place.start_again()


@asynccontextmanager
async def full_memory(place: Place) -> AsyncIterator[None]:
    async with place.control() as control:
        await control.config_set("maxmemory", "1")
    yield
    async with place.control() as control:
        await control.config_set("maxmemory", MEMORY)


@asynccontextmanager
async def delay(place: Place) -> AsyncIterator[None]:
    fates = (Fate.DELAY, Fate.DELAY_REPLY)
    for _ in range(place.dice.randint(1, 6)):
        place.proxy.plan(place.dice.choice(fates))
    yield
    place.proxy.go()


@asynccontextmanager
async def lost_words(place: Place) -> AsyncIterator[None]:
    """Replies are dropped, requests come twice, get lost, or never end."""
    fates = (Fate.DROP_REPLY, Fate.DROP_REPLY, Fate.TWICE, Fate.RESET, Fate.BLACK_HOLE)
    for _ in range(place.dice.randint(1, 8)):
        place.proxy.plan(place.dice.choice(fates))
    yield


@asynccontextmanager
async def script_flush(place: Place) -> AsyncIterator[None]:
    await forget_scripts(place)
    yield
    await forget_scripts(place)


async def forget_scripts(place: Place) -> None:
    async with place.control() as control:
        await control.script_flush()


@asynccontextmanager
async def client_kill(place: Place) -> AsyncIterator[None]:
    """First those who ask, at its end those who listen."""
    await hang_up(place, "normal")
    yield
    await hang_up(place, "pubsub")


async def hang_up(place: Place, kind: str) -> None:
    async with place.control() as control:
        await control.client_kill_filter(_type=kind, skipme=True)


@asynccontextmanager
async def clock_leap(place: Place) -> AsyncIterator[None]:
    place.proxy.leap_ms = place.dice.choice(LEAPS_MS)
    yield
    place.proxy.leap_ms = 0


Fault = Callable[[Place], AbstractAsyncContextManager[None]]
AT_ONE_TIME: Final[tuple[dict[str, Fault], ...]] = (
    {"kill": kill, "stop": stop, "full disk": full_disk, "full memory": full_memory},
    {"delay": delay, "lost words": lost_words},
    {"script flush": script_flush, "client kill": client_kill},
    {"clock leap": clock_leap},
)
"""Of each group one at a time: a process cannot be killed twice at once."""
FAULTS: Final = {name: fault for group in AT_ONE_TIME for name, fault in group.items()}


async def swizzle(place: Place, met: Counter[str]) -> None:
    """Once: one to all groups, each begins and ends after a breath, in orders that have nothing to
    do with each other."""
    dice = place.dice
    groups = dice.sample(AT_ONE_TIME, dice.randint(1, len(AT_ONE_TIME)))
    names = [dice.choice(list(group)) for group in groups]
    # A night that breaks, even by a fault that cannot end, leaves nothing stopped behind.
    async with contextlib.AsyncExitStack() as ends:
        begun = []
        try:
            for group, name in zip(groups, names, strict=True):
                fault = group[name](place)
                await fault.__aenter__()
                begun.append(fault)
                met[name] += 1
                await breath(dice)
        finally:
            dice.shuffle(begun)
            for fault in begun:
                ends.push_async_callback(breath, dice)
                ends.push_async_callback(fault.__aexit__, None, None, None)
    if place.server.process is None or place.server.process.poll() is not None:
        await place.start_again()


async def breath(dice: Random) -> None:
    await asyncio.sleep(dice.uniform(0.02, 0.6))


def kill_a_worker(pids: tuple[int, ...], dice: Random) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(dice.choice(pids), signal.SIGKILL)
