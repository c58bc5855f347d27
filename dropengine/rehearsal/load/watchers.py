"""Watchers by the thousand: they look at the live channel and press nothing."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from dropengine.rehearsal.fans.client_socket import ClientSocket, dial

AT_ONCE: Final = 64
OPEN_S: Final = 10.0
BACKOFF_S_MAX: Final = 30.0
LAG_EVERY: Final = 500
"""One in so many screens tells how old what it shows is, at each tick."""
LAGS_MAX: Final = 20_000
MOMENT: Final = re.compile(rb'^\{"t":"tick","seq":\d+,"now":(\d+)')


class Swarm:
    """All of them, in one loop. lag_every: one screen in so many tells how old its ticks are.

    frames, bytes: what came. lags_ms: by the clocks of both sides, the first `LAGS_MAX` since
    somebody emptied it. why: what kept watchers away or ended a socket, counted.
    """

    def __init__(self, host: str, drop: str, *, lag_every: int = LAG_EVERY) -> None:
        self._host = host.rstrip("/")
        self._url = f"{self._host.replace('http', 'ws', 1)}/drops/{drop}/live"
        self._doors = asyncio.Semaphore(AT_ONCE)
        self._lag_every = lag_every
        self._open: set[int] = set()
        self._screens: list[asyncio.Task[None]] = []
        self.frames = 0
        self.bytes = 0
        self.lags_ms: list[float] = []
        self.why: Counter[str] = Counter()

    @property
    def open(self) -> int:
        """Screens that are connected now."""
        return len(self._open)

    async def resize(self, count: int) -> None:
        """So many screens from now on; those that are too many leave."""
        while len(self._screens) < count:
            self._screens.append(asyncio.create_task(self._watch(len(self._screens))))
        leaving, self._screens = self._screens[count:], self._screens[:count]
        for screen in leaving:
            screen.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)

    async def close(self) -> None:
        """Everybody leaves."""
        await self.resize(0)

    def hearing(self, number: int) -> Callable[[bytes], None]:
        """What a screen does with a frame."""
        return self._lag if number % self._lag_every == 0 else self._count

    async def _watch(self, number: int) -> None:
        """One screen, which comes back when its connection is lost."""
        attempt = 0
        while True:
            try:
                await self._look(number)
                attempt = 0
            except OSError as fault:
                self.why[str(fault) or type(fault).__name__] += 1
            await asyncio.sleep(random.uniform(0, min(BACKOFF_S_MAX, 2.0**attempt)))
            attempt += 1

    async def _look(self, number: int) -> None:
        gone: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def lost(code: int) -> None:
            self._open.discard(number)
            if not gone.done():
                gone.set_result(code)

        async with self._doors:
            socket: ClientSocket = await dial(
                self._url,
                origin=self._host,
                cookie="",
                hear=self.hearing(number),
                lost=lost,
                within_s=OPEN_S,
            )
        try:
            if socket.open:
                self._open.add(number)
            self.why[f"closed with {await gone}"] += 1
        finally:
            socket.cut()

    def _count(self, frame: bytes) -> None:
        self.frames += 1
        self.bytes += len(frame)

    def _lag(self, frame: bytes) -> None:
        self._count(frame)
        told = MOMENT.match(frame)
        if told is not None and len(self.lags_ms) < LAGS_MAX:
            self.lags_ms.append(max(0.0, time.time() * 1000 - int(told[1])))
