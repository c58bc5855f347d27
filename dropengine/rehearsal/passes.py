"""Tickets of simulated fans, as the shop that they come to would give them.

In a drop for those who are known a crowd is made of people: their sessions stand in no books, and
no page asks for one before its ticket is half a day old.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from dropengine.config import Settings
from dropengine.data_directory import secret, shop_id
from dropengine.doors.identity import Identity
from dropengine.manifest import Manifest
from dropengine.people import tokens
from dropengine.people.tickets import VERIFIED, Tickets, new_key


class Passes:
    """Of the shop of these settings, which has run before: its secret is there."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = Tickets(secret(settings).decode(), settings.ticket_days)
        identity = Identity(settings, self._issuer, shop_id(settings))
        self._cookies = {False: identity.cookie, True: identity.person_cookie}

    def cookie(self, drop: Manifest) -> str:
        """The name of the cookie that a ticket for this drop is kept in."""
        return self._cookies[drop.identity == VERIFIED]

    def tickets(self, drop: Manifest, count: int) -> list[str]:
        """Of so many fans whom nobody else knows, and who may act in this drop."""
        now_s = int(time.time())
        if drop.identity == VERIFIED:
            return [self._person(now_s) for _ in range(count)]
        return [self._issuer.issue(now_s)[1] for _ in range(count)]

    def signing_in(self, drops: Iterable[Manifest]) -> Callable[[], str] | None:
        """What makes a person of a guest who came to one of these drops: a cookie beside his own;
        None where nobody has to be one."""
        if all(drop.identity != VERIFIED for drop in drops):
            return None
        return self.person

    def person(self) -> str:
        """The cookie of a new one."""
        return f"{self._cookies[True]}={self._person(int(time.time()))}"

    def _person(self, now_s: int) -> str:
        return self._issuer.issue_to(new_key(), tokens.new_id(), now_s)
