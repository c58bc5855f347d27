"""One server per data directory: two on one log start happily and diverge.

The locked file is handed to the server as well, so the lock lives exactly as long as it does. What
a dead owner left behind is stopped, if it is provably ours.
"""

import contextlib
import fcntl
import logging
import os
import signal
import time
from pathlib import Path

from dropengine.errors import AlreadyRunning
from dropengine.processes import parent_death
from dropengine.processes.server_directory import ServerDirectory

log = logging.getLogger(__name__)

# Orphans are stopped, and processes that are dying let go of the lock, within this.
LOCK_S_MAX = 5.0

# A killed owner seems alive until the system has taken it apart.
DYING_S_MAX = 0.5


class DataLock:
    """The lock on one directory: ours from `take` to `let_go`."""

    def __init__(self, data_dir: Path, directory: ServerDirectory) -> None:
        self._data_dir = data_dir
        self._directory = directory
        self.handle = -1
        """The locked file, for the server to keep open; -1 while the lock is not ours."""

    def take(self) -> None:
        """Raises AlreadyRunning when another owner lives, OSError when it cannot be written."""
        path = self._directory.lock
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._win(handle)
            # Without this note a second start would take our server for an orphan.
            parent_death.write_in_place(path, os.getpid(), parent_death.started(os.getpid()) or "")
        except BaseException:
            os.close(handle)
            raise
        self.handle = handle

    def let_go(self) -> None:
        """Close our side: a server that lives on keeps the lock."""
        os.close(self.handle)
        self.handle = -1

    def _win(self, handle: int) -> None:
        """Lock the directory, stopping a server that its owner left behind."""
        begun = time.monotonic()
        while True:
            # Read before the try: an owner notes itself before it starts anything, so what still
            # names a dead owner after the try failed is a lock that an orphan holds.
            owner = parent_death.noted(self._directory.lock)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                pass
            now = time.monotonic()
            if owner and parent_death.alive(*owner):
                if now >= begun + DYING_S_MAX:
                    raise AlreadyRunning(os.fspath(self._data_dir), owner[0])
            elif now >= begun + LOCK_S_MAX:
                raise AlreadyRunning(os.fspath(self._data_dir), None)
            elif owner:
                self._stop_orphans(owner)
            time.sleep(0.01)

    def stop_orphans(self) -> None:
        """Kill servers of ours that outlived their guard: the next one needs their place."""
        self._stop_orphans(parent_death.noted(self._directory.lock))

    def _stop_orphans(self, owner: tuple[int, str] | None) -> None:
        """Kill servers that this owner left here: the noted one, and who holds the lock.

        A kill is safe at any moment: what was acknowledged is on disk. Stops looking as soon as
        the directory has another owner.
        """
        lock = self._directory.lock
        left = [note] if (note := parent_death.noted(self._directory.note)) else []
        left += [(pid, parent_death.started(pid) or "") for pid in _lock_holders(lock)]
        for pid, mark in left:
            if parent_death.alive(pid, mark) and parent_death.noted(lock) == owner:
                where = self._directory.path
                log.warning("Stopping process %d, a server left behind in %s.", pid, where)
                _kill(pid, mark)


def _lock_holders(lock: Path) -> list[int]:
    """Processes of the server's program that keep the lock file open. Linux alone can tell."""
    held = lock.stat()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if not (process / "exe").readlink().name.startswith("valkey-server"):
                continue
            for handle in (process / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if os.path.samestat(handle.stat(), held):
                        found.append(int(process.name))
                        break
    return found


def _kill(pid: int, mark: str) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        while parent_death.alive(pid, mark):
            time.sleep(0.005)
