"""The private server: a Valkey that belongs to one data directory and to one parent.

Durable means on disk before the answer (`appendfsync always`). One server per directory, because
two on one log start happily and diverge: the locked file descriptor is handed to the server, so the
lock lives exactly as long as it does.
"""

import asyncio
import contextlib
import errno
import fcntl
import hashlib
import json
import logging
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

from dropengine.config import Settings, data_dir
from dropengine.errors import AlreadyRunning, ConfigError, DiskFull, DropEngineError, ServerFailed
from dropengine.jobs.disk_watch import disk_free_mib
from dropengine.processes import embedded_options, parent_death

log = logging.getLogger(__name__)

# macOS allows 104 bytes for the path of a unix socket with its closing zero, Linux 108.
SOCKET_PATH_BYTES_MAX = 103

# A server that was told to stop writes its log down and goes; longer than this it is killed.
STOP_S_MAX = 5.0

# Orphans are stopped, and processes that are dying let go of the lock, within this.
LOCK_S_MAX = 5.0

# A killed owner seems alive until the system has taken it apart.
DYING_S_MAX = 0.5

# From here on a start deserves a word.
SLOW_S = 0.2

LOG_BYTES_MAX = 1 << 20
PROBE_BYTES = 1 << 20
DISK_POLL_S = 1.0


class ServerState(StrEnum):
    """Where the private server stands; told to whoever watches it."""

    UP = "up"
    RESTARTING = "restarting"
    DISK_FULL = "disk_full"


class Patience:
    """When to start a dead child again, and when to give up.

    A child that came up and died is always started again, later each time while it dies young. One
    that does not even come up is tried a few times: what is wrong will not mend itself.
    """

    def __init__(
        self,
        *,
        tries_max: int = 5,
        first_s: float = 0.05,
        most_s: float = 2.0,
        settled_s: float = 10,
    ) -> None:
        self._tries_max = tries_max
        self._first_s = first_s
        self._most_s = most_s
        self._settled_s = settled_s
        self._young_deaths = 0
        self._stillborn = 0

    def after(self, *, came_up: bool, lived_s: float) -> float | None:
        """Seconds to wait before the next start; None when it is time to give up."""
        if came_up:
            self._stillborn = 0
            if lived_s >= self._settled_s:
                self._young_deaths = 0
        else:
            self._stillborn += 1
            if self._stillborn >= self._tries_max:
                return None
        wait_s = min(self._most_s, self._first_s * 2.0 ** min(self._young_deaths, 16))
        self._young_deaths += 1
        return wait_s


class EmbeddedServer:
    """One private server in `data_dir/server`, started by `start`, kept alive by `watch`.

    Start it from the main thread: Linux ends a child when the *thread* that made it ends.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._dir = settings.data_dir.absolute() / "server"
        self._socket_path = _socket_path(self._dir)
        self._lock_fd = -1
        self._guard: subprocess.Popen[bytes] | None = None
        self._up_since_s: float | None = None
        self._log_from = 0
        self._stop_asked = threading.Event()
        self._watched: IO[bytes] | None = None

    @property
    def url(self) -> str:
        """Where clients find it: `unix://` and the path of its socket."""
        return "unix://" + quote(os.fspath(self._socket_path))

    @property
    def pid(self) -> int | None:
        """The server's process, None while there is none."""
        note = parent_death.noted(self._dir / "server.json")
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

    def _begin(self) -> None:
        assert self._guard is None, "started already"
        self._stop_asked.clear()
        self._prepare()
        self._lock()
        self._need_disk()
        self._spawn()

    def stop(self) -> None:
        """End the server and let go of the directory. Harmless when it does not run."""
        self._stop_asked.set()
        self._reap(tell=True)
        if self._lock_fd >= 0:
            if self._socket_path.parent != self._dir:
                with contextlib.suppress(OSError):
                    self._socket_path.parent.rmdir()
            os.close(self._lock_fd)
            self._lock_fd = -1

    async def watch(self, on_state: Callable[[ServerState, str], None] | None = None) -> None:
        """Start the server again whenever it dies, until `stop` or cancellation.

        on_state: told each change with a sentence. A full disk is waited for, not fought. Raises
        ServerFailed when the server does not come up any more.
        """
        tell = on_state or (lambda _state, _sentence: None)
        patience = Patience()
        while True:
            await self._ended()
            if self._stop_asked.is_set():
                return
            came_up, lived_s = self._reap(tell=False)
            wait_s = patience.after(came_up=came_up, lived_s=lived_s)
            if wait_s is None:
                raise ServerFailed(self._last_words())
            tell(ServerState.RESTARTING, "The embedded server died and is started again.")
            await asyncio.sleep(wait_s)
            await self._again(tell)
            if self._stop_asked.is_set():
                return

    async def _again(self, tell: Callable[[ServerState, str], None]) -> None:
        """One more start. A server that dies at once is left for `watch` to find."""
        while True:
            await self._until_disk(tell)
            if self._stop_asked.is_set():
                return
            self._stop_orphans(parent_death.noted(self._dir / "lock"))
            self._spawn()
            try:
                await asyncio.to_thread(self._await_ready)
            except DiskFull:
                self._reap(tell=True)
                continue
            except ServerFailed as fault:
                log.warning("%s", fault)
            else:
                tell(ServerState.UP, "The embedded server is up again; nothing sold is lost.")
            return

    # The directory.

    def _prepare(self) -> None:
        try:
            data_dir(self._settings)
            _private(self._dir)
            if self._socket_path.parent != self._dir:
                _private(self._socket_path.parent)
        except OSError as fault:
            if fault.errno in (errno.ENOSPC, errno.EDQUOT):
                raise self._disk_full() from fault
            raise ConfigError([f"data_dir: {self._dir}: {fault.strerror}"]) from fault

    def _lock(self) -> None:
        path = self._dir / "lock"
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._win(handle, path)
            # Without this note a second start would take our server for an orphan.
            parent_death.write_in_place(path, os.getpid(), parent_death.started(os.getpid()) or "")
        except OSError as fault:
            os.close(handle)
            if fault.errno in (errno.ENOSPC, errno.EDQUOT):
                raise self._disk_full() from fault
            raise
        except BaseException:
            os.close(handle)
            raise
        self._lock_fd = handle

    def _win(self, handle: int, path: Path) -> None:
        """Lock the directory, stopping a server that its owner left behind."""
        begun = time.monotonic()
        while True:
            # Read before the try: an owner notes itself before it starts anything, so what still
            # names a dead owner after the try failed is a lock that an orphan holds.
            owner = parent_death.noted(path)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                pass
            now = time.monotonic()
            if owner and parent_death.alive(*owner):
                if now >= begun + DYING_S_MAX:
                    raise AlreadyRunning(os.fspath(self._settings.data_dir), owner[0])
            elif now >= begun + LOCK_S_MAX:
                raise AlreadyRunning(os.fspath(self._settings.data_dir), None)
            elif owner:
                self._stop_orphans(owner)
            time.sleep(0.01)

    def _stop_orphans(self, owner: tuple[int, str] | None) -> None:
        """Kill servers that a dead owner left here: the noted one, and who holds the lock.

        A kill is safe at any moment: what was acknowledged is on disk. Stops looking as soon as
        the directory has another owner.
        """
        lock = self._dir / "lock"
        left = [note] if (note := parent_death.noted(self._dir / "server.json")) else []
        left += [(pid, parent_death.started(pid) or "") for pid in _lock_holders(lock)]
        for pid, mark in left:
            if parent_death.alive(pid, mark) and parent_death.noted(lock) == owner:
                log.warning("Stopping process %d, a server left behind in %s.", pid, self._dir)
                _kill(pid, mark)

    # The process.

    def _spawn(self) -> None:
        assert threading.current_thread() is threading.main_thread(), "start from the main thread"
        server_log = self._dir / "server.log"
        with contextlib.suppress(FileNotFoundError):
            if server_log.stat().st_size > LOG_BYTES_MAX:
                server_log.replace(server_log.with_suffix(".log.old"))
        self._log_from = server_log.stat().st_size if server_log.exists() else 0
        order = {
            "argv": [os.fspath(embedded_options.binary()), "-"],
            "config": embedded_options.config(self._settings.maxmemory_mib, self._socket_path),
            "environment": embedded_options.environment(embedded_options.allocator()),
            "log": os.fspath(server_log),
            "note": os.fspath(self._dir / "server.json"),
            "lock_fd": self._lock_fd,
            "parent": os.getpid(),
            "stop_s": STOP_S_MAX,
        }
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", os.fspath(parent_death.__file__)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=self._dir,
            pass_fds=[self._lock_fd],
            # Ctrl-C in a terminal must reach the parent alone: it stops the sockets first.
            start_new_session=True,
        )
        self._up_since_s = None
        assert self._guard.stdin is not None
        assert self._guard.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._guard.stdin.write(json.dumps(order).encode() + b"\n")
            self._guard.stdin.flush()
        self._guard.stdout.readline()

    def _await_ready(self) -> None:
        """Wait until the server answers. Reading a long log takes long; silence does not."""
        process = self._guard
        assert process is not None
        begun = time.monotonic()
        reading = False
        while True:
            answer = _ask(self._socket_path)
            slow = time.monotonic() - begun > SLOW_S
            if slow and answer.startswith(b"-LOADING") and not reading:
                reading = True
                log.info("The embedded server reads its log of sales; a long one takes a while.")
            if answer == b"+PONG":
                self._up_since_s = time.monotonic()
                return
            if process.poll() is not None:
                raise self._failed()
            if time.monotonic() - begun > self._settings.server_load_s_max:
                raise ServerFailed(
                    f"The embedded server did not come up in {self._settings.server_load_s_max} s: "
                    f"read {self._dir / 'server.log'}, or allow more with server_load_s_max."
                )
            time.sleep(0.005)

    async def _ended(self) -> None:
        """Return when the guard, and so the server, has ended."""
        process = self._guard
        if process is None:
            return
        pipe = self._watched = process.stdout
        assert pipe is not None
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        # Its last word and the end of its pipe both mean that the server is gone.
        loop.add_reader(pipe, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(pipe)
            self._watched = None
            if process is not self._guard:
                pipe.close()

    def _reap(self, *, tell: bool) -> tuple[bool, float]:
        """Collect the guard. Returns whether the server had come up, and for how many seconds."""
        if self._guard is None:
            return False, 0.0
        process, self._guard = self._guard, None
        assert process.stdin is not None
        assert process.stdout is not None
        if tell:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        try:
            process.wait(STOP_S_MAX + 2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        if process.stdout is not self._watched:
            process.stdout.close()
        if self._up_since_s is None:
            return False, 0.0
        return True, time.monotonic() - self._up_since_s

    # What may be wrong.

    def _need_disk(self) -> None:
        if not self._disk_has_room():
            raise self._disk_full()

    def _disk_has_room(self) -> bool:
        """Whether a sale can be written down: by the numbers, and by writing."""
        if disk_free_mib(self._dir) < self._settings.disk_free_mib_min:
            return False
        try:
            with tempfile.TemporaryFile(dir=self._dir) as probe:
                probe.write(bytes(PROBE_BYTES))
                probe.flush()
                os.fsync(probe.fileno())
        except OSError as fault:
            if fault.errno in (errno.ENOSPC, errno.EDQUOT):
                return False
            raise
        return True

    def _disk_full(self) -> DiskFull:
        directory = self._settings.data_dir
        needed = self._settings.disk_free_mib_min
        return DiskFull(os.fspath(directory), disk_free_mib(directory), needed)

    async def _until_disk(self, tell: Callable[[ServerState, str], None]) -> None:
        if self._disk_has_room():
            return
        tell(ServerState.DISK_FULL, str(self._disk_full()))
        while not self._stop_asked.is_set() and not self._disk_has_room():  # noqa: ASYNC110 -- a disk tells nobody
            await asyncio.sleep(DISK_POLL_S)

    def _failed(self) -> DropEngineError:
        if not self._disk_has_room():
            return self._disk_full()
        return ServerFailed(self._last_words())

    def _last_words(self) -> str:
        path = self._dir / "server.log"
        with contextlib.suppress(OSError), path.open("rb") as file:
            file.seek(self._log_from)
            text = file.read(LOG_BYTES_MAX).decode(errors="replace")
            if "Bad file format reading the append only file" in text:
                return (
                    f"The log of sales in {self._dir / 'appendonlydir'} is damaged, and nothing "
                    f"was changed: keep a copy of that directory, then restore a backup."
                )
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            if lines:
                last = lines[-1].partition(" # ")[2] or lines[-1]
                return f"The embedded server did not come up; its last words in {path}: {last}"
        return f"The embedded server did not come up and left no word in {path}."


def _private(path: Path) -> Path:
    """Make a directory that only its owner can enter."""
    path.mkdir(mode=0o700, exist_ok=True)
    # A link in a directory that others can write to could lead anywhere.
    if path.is_symlink() or path.stat().st_uid != os.geteuid():
        raise PermissionError(errno.EACCES, f"{path} is not a directory of this user")
    if stat.S_IMODE(path.stat().st_mode) != 0o700:
        path.chmod(0o700)
    return path


def _socket_path(directory: Path) -> Path:
    """In the server's directory, or, where that is too long, in a short one of the same user's.

    Always the same for the same directory, so that whoever knows one finds the other.
    """
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    path = directory / "server.sock"
    for root in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 -- made private, checked
        if len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX:
            break
        path = root / f"dropengine-{os.geteuid()}-{digest}" / "s"
    return path


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


def _ask(path: Path) -> bytes:
    """What the server answers to PING, without the line's end; empty when nobody answers."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:
        line.settimeout(0.2)
        line.connect(os.fspath(path))
        line.sendall(b"PING\r\n")
        return line.recv(64).partition(b"\r\n")[0]
    return b""
