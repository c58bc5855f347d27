"""The private server: a Valkey that belongs to one data directory and to one parent.

Durable means on disk before the answer (`appendfsync always`). Whenever it dies it is started
again, and nothing that it acknowledged is lost.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Callable
from enum import StrEnum
from types import TracebackType
from typing import Self
from urllib.parse import quote

from dropengine.config import Settings
from dropengine.data_directory import data_dir
from dropengine.errors import ConfigError, DiskFull, DropEngineError, ServerFailed
from dropengine.processes import disk_room, parent_death
from dropengine.processes.data_lock import DataLock
from dropengine.processes.disk_room import DiskRoom
from dropengine.processes.embedded_process import EmbeddedProcess
from dropengine.processes.restart_patience import Patience
from dropengine.processes.server_directory import ServerDirectory

log = logging.getLogger(__name__)

DISK_POLL_S = 1.0

DIED = "The embedded server died and is started again."


class ServerState(StrEnum):
    """Where the private server stands; told to whoever watches it."""

    UP = "up"
    RESTARTING = "restarting"
    DISK_FULL = "disk_full"


Tell = Callable[[ServerState, str], None]
"""Hears each change with a sentence."""


class EmbeddedServer:
    """One private server in `data_dir/server`, started by `start`, kept alive by `watch`.

    Start it from the main thread: Linux ends a child when the *thread* that made it ends.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._directory = ServerDirectory(settings.data_dir)
        self._lock = DataLock(settings.data_dir, self._directory)
        self._room = DiskRoom(settings, self._directory.path)
        self._process = EmbeddedProcess(settings, self._directory)
        self._stop_asked = threading.Event()

    @property
    def url(self) -> str:
        """Where clients find it: `unix://` and the path of its socket."""
        return "unix://" + quote(os.fspath(self._directory.socket))

    @property
    def pid(self) -> int | None:
        """The server's process, None while there is none."""
        note = parent_death.noted(self._directory.note)
        return note[0] if note and parent_death.alive(*note) else None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> str:
        """Bring the server up and return its URL; the log of earlier runs is read first.

        Raises AlreadyRunning, DiskFull, ServerFailed, or ConfigError for a directory that cannot
        be used.
        """
        try:
            self._begin()
            self._await_ready()
        except BaseException:
            self.stop()
            raise
        return self.url

    async def rise(self) -> str:
        """`start` for an event loop: while the log is read, others run and may call `stop`."""
        try:
            self._begin()
            await asyncio.to_thread(self._await_ready)
        except BaseException:
            self.stop()
            raise
        return self.url

    def stop(self) -> None:
        """End the server and let go of the directory. Harmless when it does not run."""
        self._stop_asked.set()
        self._process.reap(tell=True)
        if self._lock.handle >= 0:
            self._directory.tidy()
            self._lock.let_go()

    async def watch(self, on_state: Tell | None = None) -> None:
        """Start the server again whenever it dies, until `stop` or cancellation.

        on_state: told each change with a sentence. A full disk is waited for, not fought; whatever
        else keeps it from coming up is told each time, and it is tried again for ever: people may
        mend it meanwhile.
        """
        tell = on_state or (lambda _state, _sentence: None)
        patience = Patience()
        words = DIED
        while True:
            await self._process.ended()
            if self._stop_asked.is_set():
                return
            came_up, lived_s = self._process.reap(tell=False)
            wait_s = patience.after(came_up=came_up, lived_s=lived_s)
            tell(ServerState.RESTARTING, words)
            await asyncio.sleep(wait_s)
            words = await self._again(tell) or DIED
            if self._stop_asked.is_set():
                return

    async def _again(self, tell: Tell) -> str | None:
        """One more start; why it did not come up. What died is left for `watch` to find."""
        while True:
            await self._until_room(tell)
            if self._stop_asked.is_set():
                return None
            try:
                self._lock.stop_orphans()
                self._process.begin(self._lock.handle)
                await asyncio.to_thread(self._await_ready)
            except DiskFull:
                self._process.reap(tell=True)
                continue
            except (ServerFailed, OSError) as fault:
                return str(fault)
            tell(ServerState.UP, "The embedded server is up again; nothing sold is lost.")
            return None

    async def _until_room(self, tell: Tell) -> None:
        if self._room.enough():
            return
        tell(ServerState.DISK_FULL, str(self._room.full()))
        while not self._stop_asked.is_set() and not self._room.enough():  # noqa: ASYNC110 -- a disk tells nobody
            await asyncio.sleep(DISK_POLL_S)

    def _begin(self) -> None:
        assert not self._process.begun, "started already"
        self._stop_asked.clear()
        try:
            self._make_directory()
            self._lock.take()
        except OSError as fault:
            if disk_room.is_full(fault):
                raise self._room.full() from fault
            raise
        if not self._room.enough():
            raise self._room.full()
        self._process.begin(self._lock.handle)

    def _make_directory(self) -> None:
        try:
            data_dir(self._settings)
            self._directory.make()
        except OSError as fault:
            if disk_room.is_full(fault):
                raise
            where = self._directory.path
            raise ConfigError([f"data_dir: {where}: {fault.strerror}"]) from fault

    def _await_ready(self) -> None:
        if not self._process.await_ready():
            raise self._failed()

    def _failed(self) -> DropEngineError:
        if not self._room.enough():
            return self._room.full()
        return ServerFailed(self._process.last_words())
