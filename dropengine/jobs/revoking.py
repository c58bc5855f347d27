"""Hears which tickets were taken back, and ends the sockets that were opened with one.

The word of it comes at once, by the subscription of the nudges; and because words get lost, it is
read again every few seconds what was taken back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from typing import Final

from dropengine.errors import Unavailable
from dropengine.live.hub import Hub
from dropengine.people.revoked import Revoked
from dropengine.people.tickets import PERSON_S, SKEW_S, of_guest
from dropengine.truth.house import House
from dropengine.wire import CloseCode

log = logging.getLogger(__name__)

EVERY_S: Final = 10.0
BEHIND_MS: Final = 60_000
"""What came so long before the last that was read is read once more: clocks of servers that take
over from one another differ."""


class Revoking:
    """guest_s: how long a guest's ticket lasts."""

    name = "sign-outs"
    every_s = EVERY_S

    def __init__(self, house: House, hub: Hub, revoked: Revoked, guest_s: int) -> None:
        self._house = house
        self._hub = hub
        self._revoked = revoked
        self._guest_ms = guest_s * 1000
        self._read_ms = 0
        self._looking: asyncio.Task[None] | None = None

    async def round(self) -> None:
        """Raises Unavailable: what is known still counts."""
        now_ms = time.time_ns() // 1_000_000
        self._revoked.forget(now_ms)
        found = await self._house.revoked(max(0, self._read_ms - BEHIND_MS))
        self._read_ms = max([self._read_ms, *found.values()])
        till = {name: at_ms + self._life_ms(name) for name, at_ms in found.items()}
        self._end(self._revoked.learn(till, now_ms))

    def look(self) -> None:
        """Somebody says that there is something new."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        try:
            await self.round()
        except Unavailable as error:
            log.info("sign-outs are read a little later: %s", error)

    def _life_ms(self, name: str) -> int:
        return (self._guest_ms if of_guest(name) else PERSON_S * 1000) + SKEW_S * 1000

    def _end(self, names: Iterable[str]) -> None:
        over = frozenset(names)
        if not over:
            return
        for room in self._hub.rooms.values():
            for seat in [seat for seat in room.seats if seat.by in over]:
                if of_guest(seat.by):
                    # His browser has another ticket by now: he comes back as the person he is.
                    seat.end(CloseCode.RESTART, "")
                else:
                    seat.end(CloseCode.BAD_TICKET, "signed out")
