"""The real store on a clock that tests move: rooms and batchers ask it without naming a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import redis.asyncio as redis

from dropengine import model
from dropengine.model import DropId, FanId
from dropengine.store import Row, Store, ViewReply, YouReply


class MovedStore(Store):
    """clock: ms since 1970, for every call that brings no time of its own."""

    def __init__(self, client: redis.Redis, clock: Callable[[], int]) -> None:
        super().__init__(client)
        self._clock = clock

    async def press_rows(
        self, drop: DropId, rows: Sequence[Row], *, clock_ms: int = 0
    ) -> Sequence[model.PressOutcome | model.Away]:
        return await super().press_rows(drop, rows, clock_ms=clock_ms or self._clock())

    async def view(
        self, drop: DropId, moves_at: int = 0, mail_at: int = 0, *, clock_ms: int = 0
    ) -> ViewReply | model.Frozen | model.NotFound:
        return await super().view(drop, moves_at, mail_at, clock_ms=clock_ms or self._clock())

    async def you(
        self, drop: DropId, fans: Sequence[FanId], *, clock_ms: int = 0
    ) -> YouReply | model.Frozen | model.NotFound:
        return await super().you(drop, fans, clock_ms=clock_ms or self._clock())
