"""How much one network may ask for: requests a second, sockets and streams at once, arrivals.

How many messages one socket may send is counted where they are read, in `live/talk.py`.
"""

from __future__ import annotations

import ipaddress
import time
from collections import Counter
from functools import lru_cache

from dropengine.config import Settings
from dropengine.people.tickets import Ticket
from dropengine.truth.networks import Whence

NETWORKS_MAX = 100_000
COUNTED = "dropengine.counted"
"""In the scope of a request that was taken from its network's rate before it came to the gate."""


@lru_cache(maxsize=4096)
def network(host: str) -> str:
    """What a limit per network counts: an IPv4 address, or an IPv6 /64."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return host


def around(where: str) -> str:
    """The wider network around one of `network`'s: an IPv4 /24, or an IPv6 /48."""
    try:
        address = ipaddress.ip_address(where)
    except ValueError:
        return where
    length = 48 if isinstance(address, ipaddress.IPv6Address) else 24
    return str(ipaddress.ip_network((address, length), strict=False))


def network_of(client: tuple[str, int] | None) -> str:
    """The network of a caller; all whose address is not known are one."""
    return network(client[0]) if client else ""


@lru_cache(maxsize=4096)
def _whence(where: str) -> Whence:
    return where, around(where)


def whence_of(client: tuple[str, int] | None, ticket: Ticket | None = None) -> Whence:
    """The network of a caller, the wider one around it, and the mail domain of a person."""
    place = _whence(network_of(client))
    return place if ticket is None else ticket.whence(place)


class RequestRate:
    """How many requests a network may send: one bucket each, `requests_per_s_max`, after a burst
    of ten seconds' worth."""

    def __init__(self, settings: Settings) -> None:
        self._rate = settings.requests_per_s_max
        self._seen: dict[str, tuple[float, float]] = {}

    def too_many(self, client: tuple[str, int] | None) -> bool:
        """One more request from there; is it beyond the rate? Then it is not counted."""
        where = network_of(client)
        now, burst = time.monotonic(), 10.0 * self._rate
        if len(self._seen) > NETWORKS_MAX:
            self._seen.clear()
        budget, at = self._seen.get(where, (burst, now))
        budget = min(burst, budget + (now - at) * self._rate)
        self._seen[where] = (budget - 1 if budget >= 1 else budget, now)
        return budget < 1


class OpenLimit:
    """How many connections of a kind may be open, in all and from one network."""

    full_text = "every place is taken"
    crowd_text = "too many connections from one network"

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._networks: Counter[str] = Counter()
        self.open = 0

    def crowded(self, where: str) -> bool:
        """Does one network have as many as one may have?"""
        return self._networks[where] >= self._most_of_one

    def enter(self, where: str) -> str | None:
        """Count one more from there, which `leave` ends; or say why it is not let in."""
        refusal = self._refusal(where)
        if refusal is None:
            self.open += 1
            self._networks[where] += 1
        return refusal

    def _refusal(self, where: str) -> str | None:
        if self.open >= self._most:
            return self.full_text
        return self.crowd_text if self.crowded(where) else None

    def leave(self, where: str) -> None:
        """One from there is gone."""
        self.open -= 1
        self._networks[where] -= 1
        if self._networks[where] <= 0:
            del self._networks[where]


class SocketLimit(OpenLimit):
    """The same for sockets, and how many may come in a second."""

    full_text = "every seat is taken"
    crowd_text = "too many sockets from one network"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.sockets_max, settings.sockets_per_network_max)
        self._rate = settings.handshakes_per_s_max
        self._arrivals = 0.0
        self._arrived_at = 0.0

    def _refusal(self, where: str) -> str | None:
        now = time.monotonic()
        self._arrivals = max(0.0, self._arrivals - (now - self._arrived_at) * self._rate)
        self._arrived_at = now
        refusal = super()._refusal(where)
        if refusal is None and self._arrivals >= self._rate:
            refusal = "too many arrivals at once"
        if refusal is None:
            self._arrivals += 1
        return refusal
