"""The shop that a crowd is let loose on: a supervisor of its own, which can be killed on purpose.

It is a real shop in every part; only the limits per network are wider, because simulated people all
come from one address, which real ones never do.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import time
from collections.abc import Coroutine
from typing import Any, Literal, TypeVar

import msgspec
import uvloop

from dropengine import outcomes
from dropengine.config import Settings, chain_of
from dropengine.errors import DropEngineError
from dropengine.manifest import Manifest
from dropengine.processes.open_file_limit import raise_file_limit
from dropengine.processes.supervisor import FACTORY, Running
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.sql import draw_secrets
from dropengine.sql.database import Database
from dropengine.sql.log_rows import LogRowsOf
from dropengine.truth.store import Store

FILES_BESIDE = 200
"""Open files of a crowd's process that are no sockets of fans."""

Victim = Literal["worker", "server", "supervisor"]
T = TypeVar("T")


class Interrupted(DropEngineError):
    """Somebody ended us, with Ctrl-C or a signal; what was begun has been put away."""

    exit_code = 130


def play(work: Coroutine[Any, Any, T]) -> T:
    """Run something to its end, or to a signal's: then raises Interrupted after it tidied up."""

    async def interruptible() -> T:
        # By hand: a shell that starts us in the background leaves SIGINT switched off.
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, task.cancel)
        try:
            return await work
        except asyncio.CancelledError:
            raise Interrupted("interrupted") from None

    return uvloop.run(interruptible())


class PracticeShop:
    """One shop from its start to its end, over as many lives of its supervisor as it takes.

    factory: what its web processes run; another one only to see that a broken shop is found out.
    """

    def __init__(self, settings: Settings, *, factory: str = FACTORY) -> None:
        self.settings = settings
        self._factory = factory
        self._supervisor = SupervisorProcess(settings, factory=factory)

    @property
    def running(self) -> Running:
        """Where it is and which processes it has now."""
        return self._supervisor.running

    @property
    def url(self) -> str:
        """The origin of its doors."""
        return self.running.url

    def store(self) -> Store:
        """Its truth, as it runs now."""
        store = Store.connect(self.running.redis_url, self.settings.redis_prefix)
        store.in_the_books = LogRowsOf(self.settings).texts
        return store

    async def publish(self, store: Store, drop: Manifest, by: str) -> None:
        """Put a drop up; what its list will be ordered by is on disk before. Raises
        DropEngineError."""
        database = Database(self.settings)
        try:
            now_ms = int(time.time() * 1000)
            chance = await database.write(
                lambda sql: draw_secrets.named(sql, drop, chain_of(self.settings), now_ms)
            )
        finally:
            await database.close()
        outcome = await store.publish(drop, by=by, key=secrets.token_hex(8), chance=chance)
        if not isinstance(outcome, outcomes.Changed):
            raise DropEngineError(f"{drop.id} cannot be published: {outcome}")

    async def start(self) -> None:
        """Open it. Raises DropEngineError with the sentence of whatever failed."""
        running = await asyncio.to_thread(self._supervisor.start)
        # A later life must be found where this one was.
        self.settings = msgspec.structs.replace(self.settings, port=running.port)

    async def stop(self) -> None:
        """Close it and wait for its end. Harmless when it does not run."""
        await asyncio.to_thread(self._supervisor.stop)

    async def again(self) -> None:
        """Start it again after its supervisor has ended."""
        await self.stop()
        self._supervisor = SupervisorProcess(self.settings, factory=self._factory)
        await self.start()

    def ended(self) -> bool:
        """Whether the supervisor has ended by itself."""
        try:
            self._supervisor.wait(0)
        except TimeoutError:
            return False
        return True

    async def kill(self, victim: Victim, worker: int = 0) -> int:
        """End one of its processes as a crash would, and return its number. worker: the process of
        the one that is meant, where it matters.

        Worker and server are the supervisor's to start again; a supervisor is started again here.
        """
        running = self.running
        match victim:
            case "supervisor":
                await asyncio.to_thread(self._supervisor.kill)
                await self.again()
                return running.supervisor_pid
            case "server":
                pid = running.server_pid
            case "worker":
                pid = worker if worker in running.worker_pids else running.worker_pids[0]
        if pid is None:
            raise DropEngineError("The server of the truth is not ours to kill.")
        os.kill(pid, signal.SIGKILL)
        return pid


def for_crowd(settings: Settings, fans: int) -> Settings:
    """The same settings for `fans` people who come from one address.

    Raises DropEngineError when this process may not open as many files.
    """
    needed, allowed = fans + FILES_BESIDE, raise_file_limit()
    if needed > allowed:
        raise DropEngineError(
            f"{fans} fans need {needed} open files, and this process may have {allowed}: "
            f"raise the limit (ulimit -n), or take fewer fans."
        )
    connections = 2 * fans + FILES_BESIDE
    return msgspec.structs.replace(
        settings,
        # Whoever plays pays with play money, also where the drop is not called a practice.
        local_pay=True,
        sockets_max=max(settings.sockets_max, connections),
        sockets_per_network_max=max(settings.sockets_per_network_max, connections),
        http_max=max(settings.http_max, connections),
        http_per_network_max=max(settings.http_per_network_max, connections),
        tickets_at_once_max=max(settings.tickets_at_once_max, connections),
        requests_per_s_max=max(settings.requests_per_s_max, 10 * fans + FILES_BESIDE),
    )
