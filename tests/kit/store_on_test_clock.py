"""The real store on a clock that tests move: rooms and batchers ask it without naming a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import redis.asyncio as redis

from dropengine import outcomes, refusals
from dropengine.model import DropId, FanId
from dropengine.truth.command_rows import Row
from dropengine.truth.replies import ViewReply, YouReply
from dropengine.truth.store import Store


class StoreOnTestClock(Store):
    """clock: ms since 1970, for every call that brings no time of its own."""

    def __init__(self, client: redis.Redis, clock: Callable[[], int]) -> None:
        super().__init__(client)
        self._clock = clock

    async def press_rows(
        self, drop: DropId, rows: Sequence[Row], *, clock_ms: int = 0
    ) -> Sequence[outcomes.PressOutcome | refusals.Away]:
        return await super().press_rows(drop, rows, clock_ms=clock_ms or self._clock())

    async def view(
        self, drop: DropId, moves_at: int = 0, mail_at: int = 0, *, clock_ms: int = 0
    ) -> ViewReply | refusals.Frozen | refusals.NotFound:
        return await super().view(drop, moves_at, mail_at, clock_ms=clock_ms or self._clock())

    async def you(
        self, drop: DropId, fans: Sequence[FanId], *, clock_ms: int = 0
    ) -> YouReply | refusals.Frozen | refusals.NotFound:
        return await super().you(drop, fans, clock_ms=clock_ms or self._clock())
