"""With how many tickets a fan enters the list of a draw.

It is asked of SQL before his join is given to the scripts; a draw that knows only one ticket, and
every other mode, goes past it.
"""

from __future__ import annotations

from typing import Protocol

from dropengine import refusals, wire
from dropengine.errors import DatabaseAway
from dropengine.log.draw import tickets_of
from dropengine.model import DropId, FanId
from dropengine.people.tickets import session_of
from dropengine.truth.command_rows import Row, join_row


class Losses(Protocol):
    """See `people/earlier_draws`."""

    async def losses(self, drop: DropId, session: str) -> int: ...


class Weighing:
    """Of one draw. most: the tickets of one entry."""

    def __init__(self, earlier: Losses, drop: DropId, most: int) -> None:
        self._earlier = earlier
        self._drop = drop
        self._most = most

    async def row(self, fan: FanId, join: wire.Join, by: str) -> Row | refusals.Away:
        """The join as the scripts read it. by: the name of the ticket that it came with. While SQL
        is away nobody enters with fewer tickets than are his: he is told to ask again."""
        session = session_of(by)
        try:
            losses = await self._earlier.losses(self._drop, session) if session else 0
        except DatabaseAway:
            return refusals.Away()
        return join_row(fan, join, tickets_of(losses, self._most))
