"""What the networks are called that a drop counts unpaid holds and open entries by.

The name of a network is a keyed hash with a key of the drop's own, which is deleted at settling:
nobody can tell then who was meant, and no two drops call one network alike. The scripts keep the
key. Whoever asks with another one is told the drop's.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

Whence = tuple[str, ...]
"""Where somebody comes from: his network, the wider one around it, and of a person whose address is
at no public provider a word for its domain."""

NAME_CHARS: Final = 8
"""Of the name of a wider network: a letter that says so, and 42 bits. That of a network is one of
as many, with the one around it behind."""
NEAR, AROUND, DOMAIN = "n", "w", "d"
TIMES_AROUND: Final = 4
"""What the wider one may have, of what a network may."""
NAMES_KEPT: Final = 50_000
_HASH_BYTES = 6
_KEY_BYTES = 16

_ONE_AND_COUNT = re.compile(rf"({NEAR}.{{{2 * NAME_CHARS - 1}}})([0-9]+)")
_pack = msgspec.msgpack.Encoder().encode
WITH_DOMAIN = 3
"""Parts of a `Whence` that tells a mail domain."""
_NOBODY = (_pack(""),) * 2


def around(network: str) -> str:
    """The name of the wider network around one."""
    return network[NAME_CHARS:]


def counts_in(row: str) -> dict[str, int]:
    """What is kept of a wider network: each network in it -> how much it counts."""
    return {name: int(count) for name, count in _ONE_AND_COUNT.findall(row)}


def row_of(counts: Mapping[str, int]) -> str:
    """The same the other way round."""
    return "".join(f"{name}{count}" for name, count in counts.items())


def new_key() -> str:
    """By chance, in letters."""
    return secrets.token_urlsafe(_KEY_BYTES)


def card_name(key: str, card: str) -> str:
    """What a drop calls a card, as its scripts do (`lua/money/card_of`)."""
    digest = hashlib.sha1(f"{key}|{card}".encode(), usedforsecurity=False)
    return f"k{digest.hexdigest()[:15]}"


class NetworkNames:
    """Of one drop, as one worker knows them. networks, domains: does the drop count them?"""

    def __init__(self, *, networks: bool = True, domains: bool = False) -> None:
        self._networks = networks
        self._domains = domains
        self._key = ""
        self._names: dict[Whence, tuple[bytes, bytes]] = {}
        self.forget()

    @property
    def key(self) -> str:
        """As the scripts keep it, in letters."""
        return self._key

    def forget(self) -> None:
        """The drop is over, and its key is deleted. Whoever asks once more makes up a new one."""
        self.know(new_key())

    def know(self, key: str) -> None:
        """The drop's own key is this one."""
        self._key = key
        self._names.clear()

    def packed(self, networks: Sequence[Whence | None]) -> bytes:
        """The names of some networks as `press` reads them: of the wider ones around them, and then
        their own; None for nowhere that is counted."""
        known = self._names
        names = [
            _NOBODY if one is None else known.get(one) or self._packed(one) for one in networks
        ]
        return b"".join([wide for _, wide in names] + [near for near, _ in names])

    def domains(self, networks: Sequence[Whence | None]) -> bytes:
        """The names of the domains of their persons; nothing where nobody has one that counts."""
        if not self._domains or all(one is None or len(one) < WITH_DOMAIN for one in networks):
            return b""
        return b"".join(_pack("" if one is None else self.domain(one)) for one in networks)

    def domain(self, whence: Whence) -> str:
        """The name of a person's mail domain; '' of who has none that counts."""
        return self._name(DOMAIN, whence[2]) if len(whence) >= WITH_DOMAIN else ""

    def of(self, whence: Whence) -> tuple[str, str]:
        """The name of a network, and of the wider one around it."""
        near, about = whence[:2]
        wide = self._name(AROUND, about)
        return self._name(NEAR, near) + wide, wide

    def _packed(self, whence: Whence) -> tuple[bytes, bytes]:
        if len(self._names) >= NAMES_KEPT:
            self._names.clear()
        near, wide = self.of(whence) if self._networks else ("", "")
        names = self._names[whence] = (_pack(near), _pack(wide))
        return names

    def _name(self, how: str, network: str) -> str:
        mac = hashlib.blake2b(
            f"{how} {network}".encode(), digest_size=_HASH_BYTES, key=self._key.encode()
        )
        return how + base64.urlsafe_b64encode(mac.digest()).decode()[: NAME_CHARS - 1]
