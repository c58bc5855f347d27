"""How often somebody may try to sign in, for all workers of a shop together.

Counted are the tries from a network, those at a name from each network, and those at it from all
networks and browsers that never signed in to it. A browser that did has a count of its own: whoever
guesses elsewhere, however often, does not lock the account's owner out.
"""

from __future__ import annotations

from dropengine.config import Settings
from dropengine.doors.paced_tries import PacedTries
from dropengine.doors.rate_limit import around, network_of
from dropengine.people.device_cookies import Device
from dropengine.truth.store import Store

NETWORKS_FACTOR = 4
"""Several people sit behind one address: it may try so many times as often as one of them."""

Client = tuple[str, int] | None


class SignInLimit:
    """`sign_ins_at_once_max` tries, then one in each `sign_in_each_ms`. key: the shop's secret.

    Every method of a try raises Unavailable; behind too many others it is told to come back.
    """

    def __init__(self, store: Store, settings: Settings, key: bytes) -> None:
        self._tries = PacedTries(store, settings, key, "sign-in")
        self._name = self._tries.name
        self._at_once = settings.sign_ins_at_once_max
        self._each_ms = settings.sign_in_each_ms

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
        return await self._tries.admit(near, wide, self._at_once * factor, self._each_ms / factor)
