"""How often letters may be asked for, and codes be tried, for all workers of a shop together.

Letters are counted by the network that asks and by the address that is asked for, codes by the
address: from browsers that never signed in as its owner together, so that a flood of letters and
guesses opens nothing. It locks none out that did sign in: those have counts of their own. The link
in a letter is no guess, and nor is the first code that the browser which asked for it says.
"""

from __future__ import annotations

from typing import Final

from dropengine.config import Settings
from dropengine.doors.paced_tries import PacedTries
from dropengine.doors.rate_limit import around, network_of
from dropengine.people.device_cookies import Device
from dropengine.truth.store import Store

LETTERS_AT_ONCE: Final = 5
"""To one address, asked from one network; four times that from everywhere."""
LETTER_EACH_MS: Final = 60_000
CODES_AT_ONCE: Final = 10
CODE_EACH_MS: Final = 600_000

Client = tuple[str, int] | None


class PersonLimit:
    """key: the shop's secret. Every method raises Unavailable; what it answers is 0, or how long to
    wait, ms."""

    def __init__(self, store: Store, settings: Settings, key: bytes) -> None:
        self._tries = PacedTries(store, settings, key, "letters")
        self._at_once = settings.letters_at_once_max
        self._each_ms = settings.letter_each_ms

    async def of_network(self, client: Client, what: str) -> int:
        """A letter, or a challenge, is asked for from a network."""
        here, name = network_of(client), self._tries.name
        near, wide = name(f"{what} near", here), name(f"{what} wide", around(here))
        return await self._tries.admit(near, wide, self._at_once, self._each_ms)

    async def of_address(self, client: Client, normal: str, device: Device | None) -> int:
        """A letter is asked for, whether anybody is known by the address or not. device: as for
        `of_code`."""
        name = self._tries.name
        if device is not None:
            near, wide = name("letter to", device.nonce), name("letters to", device.account)
        else:
            near, wide = name("letter", f"{normal} {network_of(client)}"), name("letters", normal)
        return await self._tries.admit(near, wide, LETTERS_AT_ONCE, LETTER_EACH_MS)

    async def of_code(self, client: Client, normal: str, device: Device | None) -> int:
        """A code is tried. device: the browser's, where it signed in as this person before."""
        name = self._tries.name
        if device is not None:
            near, wide = name("device", device.nonce), name("devices", device.account)
        else:
            near, wide = name("code", f"{normal} {network_of(client)}"), name("codes", normal)
        return await self._tries.admit(near, wide, CODES_AT_ONCE, CODE_EACH_MS)
