"""What the networks are called that a drop counts unpaid holds and open entries by.

The name of a network is a keyed hash with a key of the drop's own, which is deleted at settling:
nobody can tell then who was meant, and no two drops call one network alike. The scripts keep the
key. Whoever asks with another one is told the drop's.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence
from typing import Final

Whence = tuple[str, str]
"""Where somebody comes from: his network, and the wider one around it."""

NAME_CHARS: Final = 13
"""Of a name: a letter that says how wide, and 72 bits."""
NEAR, AROUND = "n", "w"
NOBODY: Final = " " * (2 * NAME_CHARS)
"""Stands where somebody comes from nowhere that is counted."""
NAMES_KEPT: Final = 50_000
_HASH_BYTES = 9
_KEY_BYTES = 16


class NetworkNames:
    """Of one drop, as one worker knows them."""

    def __init__(self) -> None:
        self._key = ""
        self._names: dict[Whence, str] = {}
        self.forget()

    @property
    def key(self) -> str:
        """As the scripts keep it, in letters."""
        return self._key

    def forget(self) -> None:
        """The drop is over, and its key is deleted. Whoever asks once more makes up a new one."""
        self.know(secrets.token_urlsafe(_KEY_BYTES))

    def know(self, key: str) -> None:
        """The drop's own key is this one."""
        self._key = key
        self._names.clear()

    def of(self, networks: Sequence[Whence | None]) -> str:
        """The names of some networks as `press` reads them: each with the one around it."""
        known = self._names
        return "".join(
            [NOBODY if one is None else known.get(one) or self._of(one) for one in networks]
        )

    def _of(self, whence: Whence) -> str:
        if len(self._names) >= NAMES_KEPT:
            self._names.clear()
        near, around = whence
        names = self._names[whence] = self._name(NEAR, near) + self._name(AROUND, around)
        return names

    def _name(self, how: str, network: str) -> str:
        mac = hashlib.blake2b(
            f"{how} {network}".encode(), digest_size=_HASH_BYTES, key=self._key.encode()
        )
        return how + base64.urlsafe_b64encode(mac.digest()).decode()
