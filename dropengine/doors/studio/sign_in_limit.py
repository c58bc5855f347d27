"""How often somebody may try to sign in, for all workers of a shop together.

Counted are the tries from a network, those at a name from each network, and those at it from all
networks and browsers that never signed in to it. A browser that did has a count of its own: whoever
guesses elsewhere, however often, does not lock the account's owner out. The server of the truth
keeps names that tell neither addresses nor accounts.
"""

from __future__ import annotations

import asyncio
import hmac
from typing import Final

from dropengine.config import Settings
from dropengine.doors.rate_limit import around, network_of
from dropengine.people.device_cookies import Device
from dropengine.truth.store import Store

_US_PER_MS = 1_000
NETWORKS_FACTOR = 4
"""Several people sit behind one address: it may try so many times as often as one of them."""

AT_ONCE: Final = 1
"""So many tries of one process are counted at a time: the few connections to the server are for
presses first, which would wait behind every try of a flood."""

BUSY_MS: Final = 2_000
"""Whoever waited in vain to be counted comes back after this."""

Client = tuple[str, int] | None


class SignInLimit:
    """`sign_ins_at_once_max` tries, then one in each `sign_in_each_ms`. key: the shop's secret.

    Every method of a try raises Unavailable; behind too many others it is told to come back.
    """

    def __init__(self, store: Store, settings: Settings, key: bytes) -> None:
        self._store = store
        self._key = hmac.digest(key, b"dropengine:sign-in", "sha256")
        self._at_once = settings.sign_ins_at_once_max
        self._each_us = settings.sign_in_each_ms * _US_PER_MS
        self._timeout_s = settings.redis_timeout_ms / 1000
        self._counting = asyncio.Semaphore(AT_ONCE)

    def network(self, client: Client) -> str:
        """A network by a name that nobody can read an address from."""
        return self._name("known", network_of(client))

    async def of_device(self, device: Device) -> int:
        """A try of a browser that signed in to the account before: 0, or how long to wait, ms."""
        mine, whole = self._name("device", device.nonce), self._name("devices", device.account)
        return await self._admit(mine, whole, 1)

    async def of_network(self, client: Client, what: str = "sign-in") -> int:
        """A try from a network. what: at which kind of door."""
        here = network_of(client)
        near, wide = self._name(f"{what} near", here), self._name(f"{what} wide", around(here))
        return await self._admit(near, wide, NETWORKS_FACTOR)

    async def of_stranger(self, client: Client, name: str) -> int:
        """A try at an account, or at a name that has none, from where it never signed in."""
        return await self._admit(self._at(client, name), self._name("strangers", name), 1)

    async def of_neighbour(self, client: Client, name: str) -> int:
        """A try at an account from a network that it signed in from. Counted there as a stranger's
        is, so that whoever sits there too cannot tell it from a name that has no account; but not
        among the strangers' of the whole world."""
        at = self._at(client, name)
        return await self._admit(at, f"{at}:neighbours", 1)

    def _at(self, client: Client, name: str) -> str:
        return self._name("stranger", f"{name} {network_of(client)}")

    async def _admit(self, near: str, wide: str, factor: int) -> int:
        at_once, each_us = self._at_once * factor, self._each_us // factor
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._counting.acquire()
        except TimeoutError:
            return BUSY_MS
        try:
            (wait_ms,) = await self._store.house.admit([(near, wide)], at_once, each_us)
        finally:
            self._counting.release()
        return wait_ms

    def _name(self, what: str, of: str) -> str:
        return "sign-in:" + hmac.digest(self._key, f"{what} {of}".encode(), "sha256").hex()[:32]
