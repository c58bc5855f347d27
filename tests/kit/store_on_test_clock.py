"""The real store on a clock that tests move: rooms and jobs ask it without naming a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import redis.asyncio as redis

from dropengine.truth.scripts import Script
from dropengine.truth.store import Store


class StoreOnTestClock(Store):
    """clock: ms since 1970, for every call that brings no time of its own. loaded: other scripts
    than those of the package."""

    def __init__(
        self,
        client: redis.Redis,
        clock: Callable[[], int],
        loaded: dict[str, Script] | None = None,
    ) -> None:
        super().__init__(client, loaded)
        self._clock = clock

    async def _run(
        self,
        verb: str,
        drop: str,
        args: Sequence[bytes | str | int],
        decoder: msgspec.msgpack.Decoder[Any],
    ) -> Any:
        clock_ms, *more = args
        return await super()._run(verb, drop, (clock_ms or self._clock(), *more), decoder)
