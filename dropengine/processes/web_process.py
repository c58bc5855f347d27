"""One web process: one application, one loop, one listening socket."""

import asyncio
import gc
import importlib
import logging
import os
import signal
import socket

import msgspec
import uvicorn

from dropengine import config
from dropengine.config import Settings
from dropengine.doors.http_answers import GUARDS
from dropengine.doors.http_connection import limited_http
from dropengine.doors.process_table import HEARS, NUMBERS, SIBLINGS
from dropengine.processes import parent_death, parent_pipe
from dropengine.processes.listening_sockets import BACKLOG
from dropengine.processes.parent_pipe import Assignment, ParentPipe, Status
from dropengine.processes.shared_page import SharedPage
from dropengine.processes.siblings import SharedPages

ACCEPTS_A_TURN = 16
"""The loop accepts one connection of each listening file in a turn. In the rush a turn is long: the
same socket is given to it under so many numbers."""

log = logging.getLogger(__name__)

LIFE_S = 1.0
"""A process tells its parent so often that its loop turns."""

# A third of what a socket costs to open is the cyclic collector walking the sockets that live.
GC_THRESHOLDS = (200_000, 50, 100)

# What it ends with when its supervisor has gone. Nobody reads it.
ORPHANED = 70


def main() -> None:
    """A web process: one application, one loop, one socket, until it is told to stop."""
    assignment = msgspec.json.decode(parent_death.read_line(), type=Assignment)
    settings = config.from_json(bytes(assignment.settings))
    parent_death.signal_at_parents_end(assignment.parent, signal.SIGKILL)
    # Without a supervisor there is no server either: fans come back to whoever starts next.
    parent_death.when_pipe_ends(lambda: os._exit(ORPHANED))
    pipe = ParentPipe()
    parent_pipe.log_to_stderr(settings, f"web {assignment.worker}")
    gc.set_threshold(*GC_THRESHOLDS)

    def serve() -> None:
        module, _, name = assignment.factory.partition(":")
        application = getattr(importlib.import_module(module), name)(settings)
        listening = socket.socket(fileno=assignment.listen_fd)
        pages = SharedPages([*map(SharedPage, assignment.page_fds)], assignment.worker)
        one = _Web(uvicorn_config(application, settings, assignment.protocol), pipe, pages)
        one.run(sockets=[listening, *(listening.dup() for _ in range(1, ACCEPTS_A_TURN))])

    parent_pipe.or_report(pipe, serve)


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
        headers=[*GUARDS],
        proxy_headers=bool(settings.forwarded_allow_ips),
        forwarded_allow_ips=list(settings.forwarded_allow_ips),
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=settings.shutdown_s_max,
    )


class _Web(uvicorn.Server):
    """uvicorn's server, which tells its parent when people can come in, and from then on that its
    loop turns."""

    def __init__(self, settings: uvicorn.Config, pipe: ParentPipe, pages: SharedPages) -> None:
        super().__init__(settings)
        self._pipe = pipe
        self._pages = pages
        self._life: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.lifespan.state[SIBLINGS] = self._pages
            if HEARS in self.lifespan.state:
                self.lifespan.state[HEARS](self._pages)
            # What lives since the start lives to the end: the collector need not look at it.
            gc.collect()
            gc.freeze()
            self._pipe.say(Status(ready=True))
            # It goes on while requests come to their end: ended with the loop.
            self._life = asyncio.get_running_loop().create_task(self._tell_life())

    async def _tell_life(self) -> None:
        while True:
            await asyncio.sleep(LIFE_S)
            self._pipe.say_alive()
            try:
                self._pages.note(self.lifespan.state[NUMBERS]())
            except KeyError:
                # An application without numbers.
                continue
            except Exception:
                # A process whose numbers cannot be read lives all the same.
                log.exception("the numbers of this process cannot be told")
