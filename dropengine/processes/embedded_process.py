"""The embedded server's process: begun, awaited, collected.

A guard stands between it and us (see `parent_death`), because it cannot read the pipe whose end
tells every child that its parent is gone.
"""

import asyncio
import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

from dropengine.config import Settings
from dropengine.errors import ServerFailed
from dropengine.processes import embedded_options, parent_death
from dropengine.processes.server_directory import ServerDirectory

log = logging.getLogger(__name__)

# A server that was told to stop writes its log down and goes; longer than this it is killed.
STOP_S_MAX = 5.0

# From here on a start deserves a word.
SLOW_S = 0.2

LOG_BYTES_MAX = 1 << 20


class EmbeddedProcess:
    """One life after the other, each from `begin` to `reap`.

    Begin it from the main thread: Linux ends a child when the *thread* that made it ends.
    """

    def __init__(self, settings: Settings, directory: ServerDirectory) -> None:
        self._settings = settings
        self._directory = directory
        self._guard: subprocess.Popen[bytes] | None = None
        self._up_since_s: float | None = None
        self._log_from = 0
        self._watched: IO[bytes] | None = None

    @property
    def begun(self) -> bool:
        """Whether there is one that was not collected yet."""
        return self._guard is not None

    def begin(self, lock: int) -> None:
        """lock: the locked file that it keeps open. Raises ServerFailed."""
        assert threading.current_thread() is threading.main_thread(), "start from the main thread"
        assert self._guard is None, "started already"
        self._log_from = self._room_in_log()
        assignment = self._assignment(lock)
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", os.fspath(parent_death.__file__)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=self._directory.path,
            pass_fds=[lock],
            # Ctrl-C in a terminal must reach the parent alone: it stops the sockets first.
            start_new_session=True,
        )
        self._up_since_s = None
        assert self._guard.stdin is not None
        assert self._guard.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._guard.stdin.write(json.dumps(assignment).encode() + b"\n")
            self._guard.stdin.flush()
        self._guard.stdout.readline()

    def _room_in_log(self) -> int:
        """Put a log that grew long aside; where the next life's words will begin."""
        path = self._directory.log
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_size > LOG_BYTES_MAX:
                path.replace(path.with_suffix(".log.old"))
        return path.stat().st_size if path.exists() else 0

    def _assignment(self, lock: int) -> dict[str, object]:
        """What the guard is told; see `parent_death.main`."""
        where, settings = self._directory, self._settings
        return {
            "argv": [os.fspath(embedded_options.binary()), "-"],
            "config": embedded_options.config(settings.maxmemory_mib, where.socket),
            "environment": embedded_options.environment(embedded_options.allocator()),
            "log": os.fspath(where.log),
            "note": os.fspath(where.note),
            "lock_fd": lock,
            "parent": os.getpid(),
            "stop_s": STOP_S_MAX,
        }

    def await_ready(self) -> bool:
        """Wait until the server answers; False when it ended before.

        Reading a long log takes long; silence does not. Raises ServerFailed when it takes too long.
        """
        process = self._guard
        assert process is not None
        begun = time.monotonic()
        reading = False
        while True:
            answer = _ask(self._directory.socket)
            slow = time.monotonic() - begun > SLOW_S
            if slow and answer.startswith(b"-LOADING") and not reading:
                reading = True
                log.info("The embedded server reads its log of sales; a long one takes a while.")
            if answer == b"+PONG":
                self._up_since_s = time.monotonic()
                return True
            if process.poll() is not None:
                return False
            if time.monotonic() - begun > self._settings.server_load_s_max:
                raise ServerFailed(
                    f"The embedded server did not come up in {self._settings.server_load_s_max} s: "
                    f"read {self._directory.log}, or allow more with server_load_s_max."
                )
            time.sleep(0.005)

    async def ended(self) -> None:
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

    def reap(self, *, tell: bool) -> tuple[bool, float]:
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

    def last_words(self) -> str:
        """A sentence about why it did not come up."""
        path = self._directory.log
        with contextlib.suppress(OSError), path.open("rb") as file:
            file.seek(self._log_from)
            text = file.read(LOG_BYTES_MAX).decode(errors="replace")
            if "Bad file format reading the append only file" in text:
                return (
                    f"The log of sales in {self._directory.path / 'appendonlydir'} is damaged, and "
                    f"nothing was changed: keep a copy of that directory, then restore a backup."
                )
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            if lines:
                last = lines[-1].partition(" # ")[2] or lines[-1]
                return f"The embedded server did not come up; its last words in {path}: {last}"
        return f"The embedded server did not come up and left no word in {path}."


def _ask(path: Path) -> bytes:
    """What the server answers to PING, without the line's end; empty when nobody answers."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:
        line.settimeout(0.2)
        line.connect(os.fspath(path))
        line.sendall(b"PING\r\n")
        return line.recv(64).partition(b"\r\n")[0]
    return b""
