"""SQL for a web process: everything that is asked runs in one thread, one transaction at a time.

The loop never waits for a disk. Whoever asks hears within `ANSWER_S` that it is done, or that SQL
is away; so nothing piles up behind a server that hangs.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import Connection

from dropengine.config import Settings
from dropengine.sql import engine
from dropengine.sql.migrate import fitting, revision

T = TypeVar("T")
Work = Callable[[Connection], T]
"""Runs in the thread of the database, within one transaction; it is undone when this raises."""

ANSWER_S = 10.0
CLOSE_S = 1.0
WAITING_MAX = 256
"""Transactions that wait for the thread; with one more SQL counts as away."""


class Database:
    """One connection and its thread. Nothing is opened before the first transaction."""

    def __init__(self, settings: Settings) -> None:
        self._engine = engine.connect(settings)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sql")
        self._asked: list[Future[Any]] = []
        self._fits = False

    async def read(self, work: Work[T]) -> T:
        """What `work` finds in one unchanging state. Raises DatabaseAway."""
        return await self._done(work, writes=False)

    async def write(self, work: Work[T]) -> T:
        """What `work` says when all it wrote is on disk.

        Raises DatabaseAway: then it is *unknown* whether that happened; what is asked again must be
        harmless to repeat.
        """
        return await self._done(work, writes=True)

    async def wipe(self) -> bool:
        """Nothing of what was deleted stays in the files; False where somebody who reads holds some
        of it back: then it is asked again. Raises DatabaseAway."""
        return await self._asked_of(functools.partial(engine.wipe, self._engine))

    async def close(self) -> None:
        """Let go of the connection. What waits is given up, what runs comes to its end."""
        for one in self._asked:
            one.cancel()
        ended = self._thread.submit(self._engine.dispose)
        self._thread.shutdown(wait=False)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.wrap_future(ended), CLOSE_S)

    async def _done(self, work: Work[T], *, writes: bool) -> T:
        return await self._asked_of(functools.partial(self._transaction, work, writes=writes))

    async def _asked_of(self, work: Callable[[], T]) -> T:
        self._asked = [one for one in self._asked if not one.done()]
        if len(self._asked) >= WAITING_MAX:
            raise engine.away(self._engine, "too much waits for it.")
        asked = self._thread.submit(work)
        self._asked.append(asked)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(asked), ANSWER_S)
        except TimeoutError:
            raise engine.away(self._engine, f"no answer within {ANSWER_S:g} s.") from None

    def _transaction(self, work: Work[T], *, writes: bool) -> T:
        with engine.transaction(self._engine, writes=writes) as connection:
            if not self._fits:
                fitting(revision(connection))
                self._fits = True
            return work(connection)
