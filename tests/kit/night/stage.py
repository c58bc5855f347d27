"""Where nights are played: a durable server of their own, a proxy before it, a way past the proxy.

Nights come one after the other on a stage, each on an empty server.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import redis.asyncio as redis

from dropengine.truth import connections
from dropengine.truth.scripts import Script
from dropengine.truth.store import Store
from tests.kit.fault_proxy import Fate, FaultProxy
from tests.kit.private_server import Server

T = TypeVar("T")
Question = Callable[[], Awaitable[T]]

LONG_S = 60
"""Longer than anything here takes, however busy the machine is."""


class Stage:
    """store: through the proxy. control: past it, for whoever runs the server."""

    def __init__(self, server: Server, proxy: FaultProxy, loaded: Mapping[str, Script]) -> None:
        self.server = server
        self.proxy = proxy
        # No question is given up because a machine is slow: what is lost, the proxy loses.
        self.client = connections.client(proxy.url, timeout_s=LONG_S)
        self.store = Store(self.client, dict(loaded) or None)
        self.control = redis.Redis(unix_socket_path=str(server.socket), socket_timeout=LONG_S)
        self.late = 0
        """Requests that their senders gave up and that are still on their way."""

    async def clear(self) -> None:
        """An empty server, new connections and no script known to it, as on the first night."""
        await self.cut()
        await self.control.flushall()
        await self.control.script_flush()

    async def sent(self, question: Question[T], fate: Fate) -> asyncio.Task[T]:
        """The question is on its way, and its request has met its fate."""
        before = self.proxy.struck[fate]
        if fate is not Fate.PASS:
            self.proxy.plan(fate)
        task = asyncio.ensure_future(question())
        async with asyncio.timeout(LONG_S):
            await self.proxy.strikes(fate, before + 1)
        return task

    async def give_up(self, task: asyncio.Task[T]) -> None:
        task.cancel()
        await asyncio.wait({task})

    async def arrive(self) -> int:
        """What is on its way arrives at last; how many requests."""
        arriving, self.late = self.late, 0
        wanted = self.proxy.answered[Fate.DELAY] + arriving
        self.proxy.go()
        async with asyncio.timeout(LONG_S):
            await self.proxy.answers(Fate.DELAY, wanted)
        return arriving

    async def cut(self) -> None:
        """Every connection through the proxy breaks, and what was on its way is lost."""
        self.late = 0
        await self.proxy.cut()

    async def die(self) -> None:
        """kill -9, and up again with what is on its disk."""
        await asyncio.to_thread(self.server.kill)
        await self.cut()
        await self.control.connection_pool.disconnect()
        await asyncio.to_thread(self.server.start)

    def freeze(self) -> None:
        assert self.server.process is not None
        self.server.process.send_signal(signal.SIGSTOP)

    async def thaw(self) -> None:
        """Returns when all is done that had come before."""
        assert self.server.process is not None
        self.server.process.send_signal(signal.SIGCONT)
        await self.control.ping()

    async def close(self) -> None:
        await self.client.aclose(close_connection_pool=True)
        await self.control.aclose(close_connection_pool=True)


@contextlib.asynccontextmanager
async def stage(loaded: Mapping[str, Script] | None = None) -> AsyncIterator[Stage]:
    """loaded: mutilated scripts, where nights must find what is missing."""
    with TemporaryDirectory(prefix="night-") as folder:
        server = Server(Path(folder), durable=True).start()
        try:
            async with FaultProxy(server.socket, Path(folder) / "proxy.sock") as proxy:
                one = Stage(server, proxy, loaded or {})
                try:
                    yield one
                finally:
                    await one.close()
        finally:
            server.stop()
