"""Watches whether the server still writes to disk before it answers.

Its settings may change while it runs, and after a restart it may come back with others.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from dropengine.catalogue import ENGLISH
from dropengine.config import Settings
from dropengine.jobs.emergency_pause import EmergencyPause
from dropengine.truth.server_check import ServerFacts, read_facts
from dropengine.truth.store import Store

READ_S = 3.0


class DurabilityWatch:
    """A server that may lose what it acknowledged pauses every live drop, unless that was accepted;
    one that throws records away, in any case.

    Read at every connect, and every few seconds. heard: told what the server says each time. clock:
    monotonic, s.
    """

    name = "the durability watch"
    every_s = 0.0

    def __init__(
        self,
        store: Store,
        settings: Settings,
        heard: Callable[[ServerFacts], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        why = ENGLISH("stopped.durability")
        self._pause = EmergencyPause(store, "durability", why, clock)
        self._store = store
        self._accepted = settings.accept_weaker
        self._heard = heard
        self._connected = asyncio.Event()
        store.client.connection_pool.on_connect.append(self._connected.set)

    async def round(self) -> None:
        """Until something may have changed, then a look. Raises Unavailable."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READ_S):
                await self._connected.wait()
        self._connected.clear()
        await self.look()

    async def look(self) -> None:
        """Read it now. Raises Unavailable."""
        facts = await read_facts(self._store.client)
        self._heard(facts)
        if facts.durable or (self._accepted and not facts.evicts):
            await self._pause.end()
        else:
            await self._pause.begin(at_once=True)
