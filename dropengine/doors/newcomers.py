"""Who gets a ticket for the asking. New ones are paced by the network they are asked from, for all
workers of a shop together; who has one is never stopped here.

The server knows a network by a name from which nobody can read an address.
"""

from __future__ import annotations

import base64
import hmac

from dropengine import refusals
from dropengine.config import Settings
from dropengine.doors.rate_limit import around, network_of
from dropengine.truth.store import Store

_PURPOSE = b"dropengine:network:"
_NAME_BYTES = 16
_US_PER_MS = 1_000


class Newcomers:
    """How many tickets one network is given: `tickets_at_once_max`, then one in each
    `ticket_each_ms`; four times that to the wider network around it. key: the shop's secret."""

    def __init__(self, store: Store, settings: Settings, key: bytes) -> None:
        self._store = store
        self._key = hmac.digest(key, _PURPOSE, "sha256")
        self._at_once = settings.tickets_at_once_max
        self._each_us = settings.ticket_each_ms * _US_PER_MS

    async def wait_ms(self, client: tuple[str, int] | None) -> int:
        """0: one more newcomer from there is let in, and was counted. Else: how long until one is.

        Raises Unavailable.
        """
        if not self._at_once:
            return 0
        here = network_of(client)
        near, wide = self._name("near", here), self._name("wide", around(here))
        outcome = await self._store.house.admit(near, wide, self._at_once, self._each_us)
        return outcome.retry_ms if isinstance(outcome, refusals.TooManyRequests) else 0

    def _name(self, how: str, network: str) -> str:
        mac = hmac.digest(self._key, f"{how} {network}".encode(), "sha256")
        return base64.urlsafe_b64encode(mac[:_NAME_BYTES]).rstrip(b"=").decode()
