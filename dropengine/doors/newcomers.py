"""Who gets a ticket for the asking. New ones are paced by the network they are asked from, for all
workers of a shop together; who has one is never stopped here.

The server knows a network by a name from which nobody can read an address.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
from typing import NamedTuple

from dropengine.config import Settings
from dropengine.doors.rate_limit import around, network_of
from dropengine.truth.store import Store

_PURPOSE = b"dropengine:network:"
_NAME_BYTES = 16
_US_PER_MS = 1_000


EACH_MAX = 256
"""Newcomers in one question."""


class _Asked(NamedTuple):
    networks: tuple[str, str]
    wait_ms: asyncio.Future[int]


class Newcomers:
    """How many tickets one network is given: `tickets_at_once_max`, then one in each
    `ticket_each_ms`; four times that to the wider network around it. key: the shop's secret."""

    def __init__(self, store: Store, settings: Settings, key: bytes) -> None:
        self._store = store
        self._key = hmac.digest(key, _PURPOSE, "sha256")
        self._at_once = settings.tickets_at_once_max
        self._each_us = settings.ticket_each_ms * _US_PER_MS
        self._waiting: list[_Asked] = []
        self._asking: asyncio.Task[None] | None = None

    async def wait_ms(self, client: tuple[str, int] | None) -> int:
        """0: one more newcomer from there is let in, and was counted. Else: how long until one is.

        Raises Unavailable.
        """
        if not self._at_once:
            return 0
        here = network_of(client)
        near, wide = self._name("near", here), self._name("wide", around(here))
        loop = asyncio.get_running_loop()
        asked = _Asked((near, wide), loop.create_future())
        self._waiting.append(asked)
        if self._asking is None:
            self._asking = loop.create_task(self._ask())
        return await asked.wait_ms

    async def _ask(self) -> None:
        """One question is on its way; whoever comes meanwhile is in the next. So a crowd takes one
        of the server's connections, and presses have the others."""
        try:
            while self._waiting:
                some, self._waiting = self._waiting[:EACH_MAX], self._waiting[EACH_MAX:]
                await self._answer(some)
        finally:
            self._asking = None

    async def _answer(self, some: list[_Asked]) -> None:
        networks = [asked.networks for asked in some]
        try:
            waits = await self._store.house.admit(networks, self._at_once, self._each_us)
        except Exception as fault:  # noqa: BLE001 - each who asked is told
            for asked in some:
                if not asked.wait_ms.done():
                    asked.wait_ms.set_exception(fault)
            return
        for asked, wait in zip(some, waits, strict=True):
            if not asked.wait_ms.done():
                asked.wait_ms.set_result(wait)

    def _name(self, how: str, network: str) -> str:
        mac = hmac.digest(self._key, f"{how} {network}".encode(), "sha256")
        return base64.urlsafe_b64encode(mac[:_NAME_BYTES]).rstrip(b"=").decode()
