"""One click ends letters of a kind (RFC 8058): the address of it proves itself, without a session.

It names a person by an id that proves nothing else, and a kind, under the shop's secret.
"""

from __future__ import annotations

import base64
import hmac
import re
from typing import NamedTuple

from sqlalchemy import Connection

from dropengine.people import wishes
from dropengine.people.wishes import Way, Wish

PAGE = "/mail/off/"
_PURPOSE = b"dropengine:no more letters:"
_MAC_BYTES = 16
_TOKEN = re.compile(r"([0-9a-f]{1,64})(?:\.([a-z_]{1,16}))?\.([A-Za-z0-9_-]{22})")


class Ending(NamedTuple):
    """Whose letters an address ends, and of which kind; `wish` None: of all that he can end, as
    addresses of older letters do."""

    person: str
    wish: Wish | None

    @property
    def kinds(self) -> frozenset[tuple[Wish, Way]]:
        which = Wish if self.wish is None else (self.wish,)
        return frozenset((wish, Way.MAIL) for wish in which)


def token(secret: bytes, person: str, wish: Wish | None) -> str:
    """What stands in the address that a person's letters of a kind carry."""
    named = person if wish is None else f"{person}.{wish}"
    return f"{named}.{_mac(secret, named)}"


def ending(secret: bytes, text: str) -> Ending | None:
    """What this ends; None for what we did not write."""
    found = _TOKEN.fullmatch(text)
    if found is None:
        return None
    person, kind, mac = found.groups()
    named = person if kind is None else f"{person}.{kind}"
    if not hmac.compare_digest(_mac(secret, named), mac) or kind not in (None, *Wish):
        return None
    return Ending(person, None if kind is None else Wish(kind))


def comes(sql: Connection, ends: Ending) -> bool:
    """Do any of these letters still come?"""
    return not ends.kinds <= wishes.unwished(sql, ends.person)


def wish(sql: Connection, ends: Ending, *, letters: bool) -> None:
    """From now on they come, or do not. Harmless to repeat, and for who is forgotten."""
    before = wishes.unwished(sql, ends.person)
    wishes.choose(sql, ends.person, before - ends.kinds if letters else before | ends.kinds)


def _mac(secret: bytes, named: str) -> str:
    mac = hmac.digest(secret, _PURPOSE + named.encode(), "sha256")[:_MAC_BYTES]
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
