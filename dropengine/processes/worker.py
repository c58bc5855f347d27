"""One web process: one application, one loop, one listening socket.

Also the line between it and its parent: one order on standard input, then silence until the pipe
ends; a few words back on standard output.
"""

import contextlib
import gc
import importlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import uvicorn
from msgspec import Struct

from dropengine import config
from dropengine.config import Settings
from dropengine.doors.http_connection import limited_http
from dropengine.errors import DropEngineError, WorkersFailed
from dropengine.processes import parent_death

# Connections that the kernel keeps while the process is busy or being started again.
BACKLOG = 4096
ACCEPTS_A_TURN = 16
"""The loop accepts one connection of each listening file in a turn. In the rush a turn is long: the
same socket is given to it under so many numbers."""

# A third of what a socket costs to open is the cyclic collector walking the sockets that live.
GC_THRESHOLDS = (200_000, 50, 100)

# What it ends with when its supervisor has gone. Nobody reads it.
ORPHANED = 70

# The package may be imported from where it stands, without being installed: its folder goes last,
# and -P keeps whatever lies in the working directory out.
_BOOT = "import sys; sys.path.append(sys.argv[1]); from dropengine.processes import {0}; {0}.main()"


class Assignment(Struct, frozen=True, kw_only=True):
    """What a parent writes on a child's standard input, in one line."""

    settings: msgspec.Raw
    parent: int
    factory: str
    protocol: str
    listen_fd: int = -1
    worker: int = 0


class Status(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a child answers on its standard output, a line each."""

    ready: bool = False
    fault: str | None = None
    exit_code: int = 1


def command(entry: str, title: str) -> list[str]:
    """The command line of a child that runs `main` of a module; `title` is for those who list."""
    house = Path(__file__).parent.parent.parent
    return [sys.executable, "-P", "-c", _BOOT.format(entry), os.fspath(house), title]


def named(word: Status) -> WorkersFailed:
    """The fault of a child, with its own sentence and its own exit code."""
    fault = WorkersFailed(word.fault)
    fault.exit_code = word.exit_code
    return fault


class ParentPipe:
    """The pipe to the parent. Whatever else is printed goes to standard error instead."""

    def __init__(self) -> None:
        self._pipe = os.dup(1)
        os.dup2(2, 1)

    def say(self, word: Status) -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(self._pipe, msgspec.json.encode(word) + b"\n")


def or_report(voice: ParentPipe, work: Callable[[], None]) -> None:
    """Do the work; a fault goes to the parent as a sentence and an exit code."""
    try:
        work()
    except DropEngineError as fault:
        voice.say(Status(fault=str(fault), exit_code=fault.exit_code))
        sys.exit(fault.exit_code)


def log_to_stderr(settings: Settings, who: str) -> None:
    """One line per event on standard error, with the time and the process."""
    logging.basicConfig(
        format=f"%(asctime)s %(levelname)s {who}: %(message)s", level=logging.WARNING
    )
    logging.getLogger("dropengine").setLevel(settings.log_level.upper())


def main() -> None:
    """A web process: one application, one loop, one socket, until it is told to stop."""
    order = msgspec.json.decode(parent_death.read_line(), type=Assignment)
    settings = config.from_json(bytes(order.settings))
    parent_death.signal_at_parents_end(order.parent, signal.SIGKILL)
    # Without a supervisor there is no server either: fans come back to whoever starts next.
    parent_death.when_pipe_ends(lambda: os._exit(ORPHANED))
    voice = ParentPipe()
    log_to_stderr(settings, f"web {order.worker}")
    gc.set_threshold(*GC_THRESHOLDS)

    def serve() -> None:
        module, _, name = order.factory.partition(":")
        application = getattr(importlib.import_module(module), name)(settings)
        listening = socket.socket(fileno=order.listen_fd)
        one = _Web(uvicorn_config(application, settings, order.protocol), voice)
        one.run(sockets=[listening, *(listening.dup() for _ in range(1, ACCEPTS_A_TURN))])

    or_report(voice, serve)


def uvicorn_config(application: object, settings: Settings, protocol: str) -> uvicorn.Config:
    """How one web process speaks: small frames, no compression, nothing open for ever."""
    assert callable(application)
    return uvicorn.Config(
        application,
        loop="uvloop",
        http=limited_http(settings),
        ws=protocol,
        ws_max_size=settings.frame_bytes_max,
        ws_per_message_deflate=False,
        ws_ping_interval=settings.ping_s,
        ws_ping_timeout=settings.pong_s_max,
        lifespan="on",
        workers=1,
        backlog=BACKLOG,
        log_config=None,
        # At INFO each socket would cost a line.
        log_level="debug" if settings.log_level == "debug" else "warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.forwarded_allow_ips),
        forwarded_allow_ips=list(settings.forwarded_allow_ips),
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=settings.shutdown_s_max,
    )


class _Web(uvicorn.Server):
    """uvicorn's server, which tells its parent when people can come in."""

    def __init__(self, settings: uvicorn.Config, voice: ParentPipe) -> None:
        super().__init__(settings)
        self._voice = voice

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            # What lives since the start lives to the end: the collector need not look at it.
            gc.collect()
            gc.freeze()
            self._voice.say(Status(ready=True))
