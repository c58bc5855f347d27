"""Keeps the jobs of one worker going: a fault is logged and the next round comes all the same.

Any number of workers may run the same jobs, because each is harmless to repeat.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from dropengine.errors import DatabaseAway, Unavailable

log = logging.getLogger(__name__)

RESTART_S = 0.5
CANCEL_AGAIN_S = 0.1


class Job(Protocol):
    """Something to do again and again, `every_s` after the last time."""

    @property
    def name(self) -> str: ...
    @property
    def every_s(self) -> float: ...
    async def round(self) -> None:
        """May raise whatever it meets; nothing is kept that another worker would miss."""


class JobRunner:
    """The tasks of one worker, and when each job last came round."""

    def __init__(self) -> None:
        self.round_at: dict[str, float] = {}
        """Job -> monotonic time at which its last round without a fault ended."""
        self._began = time.monotonic()
        self._tasks: list[asyncio.Task[None]] = []

    def age_s(self, job: str) -> float:
        """Seconds since the last round of a job that met no fault; before its first, since there
        were jobs at all: one that never comes round grows old as well."""
        return time.monotonic() - self.round_at.get(job, self._began)

    def repeat(self, job: Job) -> None:
        """Let a job come round until `close`."""
        self.keep(functools.partial(self._go_round, job), job.name)

    def keep(self, work: Callable[[], Awaitable[None]], name: str) -> None:
        """Start what goes on for ever, again whenever it ends, until `close`."""
        self._tasks.append(asyncio.get_running_loop().create_task(_kept(work, name), name=name))

    async def close(self) -> None:
        """End them all. Harmless when nothing was begun."""
        await ended(*self._tasks)

    async def _go_round(self, job: Job) -> None:
        while True:
            try:
                await job.round()
                self.round_at[job.name] = time.monotonic()
            except (Unavailable, DatabaseAway) as error:
                log.info("%s waits: %s", job.name, error)
            except Exception:
                log.exception("%s failed, the next round comes", job.name)
            await asyncio.sleep(job.every_s)


async def _kept(work: Callable[[], Awaitable[None]], name: str) -> None:
    """Run a task for ever: one that dies silently would leave holds that never end."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("%s died and is started again", name)
        await asyncio.sleep(RESTART_S)


async def ended(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks until they have ended.

    Up to Python 3.11 `asyncio.wait_for`, which the server's client uses, may swallow one. Whoever
    is cancelled while he waits here still waits, and is cancelled then.
    """
    interrupted = False
    while alive := [task for task in tasks if not task.done()]:
        for task in alive:
            task.cancel()
        try:
            await asyncio.wait(alive, timeout=CANCEL_AGAIN_S)
        except asyncio.CancelledError:
            interrupted = True
    if interrupted:
        raise asyncio.CancelledError
