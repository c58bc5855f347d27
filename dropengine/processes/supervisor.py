"""The processes of a shop: one supervisor that owns the embedded server and n web processes.

Each web process has a listening socket of its own (SO_REUSEPORT), so that long-lived sockets spread
over all of them. Whatever dies is started again; when the supervisor itself dies, all the others
end with it, and the next start finds the place tidy.
"""

import asyncio
import contextlib
import errno
import logging
import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from dropengine import config
from dropengine.config import Settings
from dropengine.errors import PortTaken, WorkersFailed
from dropengine.processes import parent_death, worker
from dropengine.processes.embedded_server import EmbeddedServer, Patience, ServerState
from dropengine.processes.worker import Assignment, Status
from dropengine.truth import server_check

log = logging.getLogger(__name__)

FACTORY = "dropengine.app:build"
"""Called with the settings in each web process; returns the ASGI application."""
PROTOCOL = "dropengine.live.socket_protocol:LiveProtocol"

# Processes of a killed predecessor let go of the port within this.
PORT_S_MAX = 1.0
# A process that was told to stop, and has not, is killed this long after its time is over.
GRACE_S = 2.0


class Running(Struct, frozen=True, kw_only=True):
    """Where a shop can be reached, and the processes that it is made of."""

    url: str
    """What it listens on, like `http://127.0.0.1:8000`."""
    port: int
    redis_url: str
    server: server_check.ServerFacts
    supervisor_pid: int
    server_pid: int | None
    """None when the server of the truth is not ours."""
    worker_pids: tuple[int, ...]


def run(
    settings: Settings,
    ready: Callable[[Running], None] | None = None,
    *,
    with_parent: bool = False,
    factory: str = FACTORY,
    protocol: str = PROTOCOL,
) -> int:
    """Serve until SIGINT, SIGTERM or SIGHUP; the exit code. Call it in the main thread.

    ready: called once, when people can come in. with_parent: stop also when standard input, a pipe
    from whoever started us, ends. Raises DropEngineError when nobody can come in.
    """
    worker.log_to_stderr(settings, "supervisor")
    told = False

    def tell(running: Running) -> None:
        nonlocal told
        if not told:
            told = True
            (ready or _say)(running)

    asyncio.run(serve(Crew(settings, tell, factory, protocol), with_parent=with_parent))
    return 0


async def serve(crew: "Crew", *, with_parent: bool) -> None:
    """Run a crew to its end. Raises DropEngineError."""
    loop = asyncio.get_running_loop()

    def parent_ended() -> None:
        # The loop may be over already, and with it what there was to stop.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(crew.stop)

    if with_parent:
        parent_death.when_pipe_ends(parent_ended)
    await crew.serve()


def _say(running: Running) -> None:
    found = running.server
    promise = "every sale on disk" if found.durable else "may lose about a second of sales"
    count = len(running.worker_pids)
    print(
        f"Serving on {running.url} with {count} web process{'es' if count > 1 else ''} and "
        f"{found.name.capitalize()} {found.version} ({promise}). Ctrl-C stops it.",
        flush=True,
    )


def raise_file_limit() -> int:
    """Raise the soft limit of open files to the hard one; returns what holds now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS says "no limit" and then refuses it.
    for wanted in (hard, 65_536, 10_240):
        if wanted == soft:
            break
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            break
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def listen(host: str, port: int, count: int) -> list[socket.socket]:
    """`count` sockets on one address, not yet listening. Port 0 takes a free one.

    Raises PortTaken when something else has it, or when the address is not this machine's.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        address = (address[0], _free(family, address), *address[2:])
        return [_bound(family, address, shared=True) for _ in range(count)]
    except OSError as fault:
        raise PortTaken(host, port, fault.strerror or str(fault)) from fault


def _free(family: int, address: Sequence[Any]) -> int:
    """The port of an address that nobody listens on.

    Sharing is a property of both sides: a socket that does not share finds every other one, even
    those that would have let us in.
    """
    deadline = time.monotonic() + PORT_S_MAX
    while True:
        try:
            with _bound(family, address, shared=False) as probe:
                return int(probe.getsockname()[1])
        except OSError as fault:
            if fault.errno != errno.EADDRINUSE or time.monotonic() >= deadline:
                raise
            time.sleep(0.02)


def _bound(family: int, address: Sequence[Any], *, shared: bool) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind(tuple(address))
    except BaseException:
        one.close()
        raise
    return one


class _Worker:
    """One web process, started again as often as it dies."""

    def __init__(
        self, number: int, order: Assignment, listening: socket.socket, changed: Callable[[], None]
    ) -> None:
        self.up = False
        self._number = number
        self._order = order
        self._listening = listening
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._stop_asked = asyncio.Event()

    @property
    def pid(self) -> int:
        """The process that runs now, or ran last."""
        return self._process.pid if self._process else 0

    async def keep(self) -> None:
        """Run it until `stop`. Raises WorkersFailed when it does not come up any more."""
        patience = Patience()
        # What does not come up on the first try is a mistake in the making of the application.
        ever_up = False
        while not self._stop_asked.is_set():
            begun_s = time.monotonic()
            came_up, code = await self._live()
            if self._stop_asked.is_set():
                return
            ever_up = ever_up or came_up
            wait_s = patience.after(came_up=came_up, lived_s=time.monotonic() - begun_s)
            if wait_s is None or not ever_up:
                raise WorkersFailed(
                    f"Web process {self._number} does not come up: what it says is above."
                )
            log.warning(
                "Web process %d (pid %d) ended with %d and is started again.",
                self._number,
                self.pid,
                code,
            )
            await asyncio.sleep(wait_s)

    async def _live(self) -> tuple[bool, int]:
        """One life, from start to end. Returns whether it came up, and how it ended."""
        # The supervisor keeps the socket: who comes while the process is away waits, unrefused.
        self._process = process = await asyncio.create_subprocess_exec(
            *worker.command("worker", f"web-{self._number}"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[self._listening.fileno()],
            # Ctrl-C must reach the supervisor alone: it stops the web first, then the server.
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(msgspec.json.encode(self._order) + b"\n")
        came_up = False
        while line := await process.stdout.readline():
            word = msgspec.json.decode(line, type=Status)
            if word.fault is not None:
                if not came_up:
                    raise worker.named(word)
                log.error("Web process %d: %s", self._number, word.fault)
                continue
            came_up = self.up = True
            self._changed()
        self.up = False
        code = await process.wait()
        process.stdin.close()
        return came_up, code

    async def stop(self, grace_s: float, at_once: asyncio.Event) -> None:
        """Ask it to close its sockets and end; kill it when it does not, or when told to."""
        self._stop_asked.set()
        self._listening.close()
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        ended = asyncio.ensure_future(process.wait())
        hurry = asyncio.ensure_future(at_once.wait())
        await asyncio.wait((ended, hurry), timeout=grace_s, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        if not ended.done():
            log.warning("Web process %d did not end in time and is killed.", self._number)
            process.kill()
        await ended


class Crew:
    """The supervisor's own loop. `tell` hears where the shop is, at first and at each change."""

    def __init__(
        self, settings: Settings, tell: Callable[[Running], None], factory: str, protocol: str
    ) -> None:
        self._settings = settings
        self._tell = tell
        self._factory = factory
        self._protocol = protocol
        self._embedded = EmbeddedServer(settings) if settings.redis_url is None else None
        self._workers: list[_Worker] = []
        self._running: Running | None = None
        self._stop = asyncio.Event()
        self._at_once = asyncio.Event()

    def stop(self) -> None:
        """Begin to stop; asked twice, stop at once."""
        if self._stop.is_set():
            self._at_once.set()
        self._stop.set()

    async def serve(self) -> None:
        """Everything from the first socket to the last. Raises DropEngineError."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.stop)
        raise_file_limit()
        url = self._settings.redis_url
        try:
            if self._embedded is not None:
                url = await self._rise(self._embedded)
            if url is not None:
                self._open(url)
                await self._keep()
        finally:
            grace_s = self._settings.shutdown_s_max + GRACE_S
            await asyncio.gather(*(one.stop(grace_s, self._at_once) for one in self._workers))
            if self._embedded is not None:
                self._embedded.stop()

    async def _rise(self, embedded: EmbeddedServer) -> str | None:
        """Bring the embedded server up; None when told to stop before it had."""
        rising = asyncio.create_task(embedded.rise())
        told = asyncio.create_task(self._stop.wait())
        await asyncio.wait({rising, told}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if rising.done():
            return rising.result()
        embedded.stop()
        await asyncio.gather(rising, return_exceptions=True)
        return None

    def _open(self, url: str) -> None:
        """Check the server, bind the sockets, and describe the work."""
        settings = self._settings
        client = server_check.client(url, settings.redis_timeout_ms)
        try:
            facts = server_check.check_server(client, settings.accept_weaker)
        finally:
            client.close()
        if not facts.durable:
            log.warning("The server may lose about a second of sales: this was accepted.")
        # Made once and here, so that the web processes do not race for it.
        config.secret(settings)
        sockets = listen(settings.host, settings.port, settings.web_concurrency)
        port = int(sockets[0].getsockname()[1])
        known = msgspec.structs.replace(settings, redis_url=url, port=port)
        self._running = Running(
            url=config.public_url(msgspec.structs.replace(known, public_url=None)),
            port=port,
            redis_url=url,
            server=facts,
            supervisor_pid=os.getpid(),
            server_pid=None,
            worker_pids=(),
        )
        raw = msgspec.Raw(config.to_json(known))
        for number, one in enumerate(sockets, 1):
            order = Assignment(
                settings=raw,
                parent=os.getpid(),
                factory=self._factory,
                protocol=self._protocol,
                listen_fd=one.fileno(),
                worker=number,
            )
            self._workers.append(_Worker(number, order, one, self._changed))

    async def _keep(self) -> None:
        """Keep everything alive until told to stop, or until something cannot be kept."""
        tasks = [asyncio.create_task(one.keep()) for one in self._workers]
        if self._embedded is not None:
            tasks.append(asyncio.create_task(self._embedded.watch(self._on_server)))
        told = asyncio.create_task(self._stop.wait())
        await asyncio.wait({*tasks, told}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        ended = [one for one in tasks if one.done()]
        for one in tasks:
            # Starting again is over; the processes themselves end in their own time.
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for one in ended:
            one.result()

    def _on_server(self, state: ServerState, sentence: str) -> None:
        log.log(logging.INFO if state is ServerState.UP else logging.ERROR, "%s", sentence)
        if state is ServerState.UP:
            self._changed()

    def _changed(self) -> None:
        if self._running is not None and all(one.up for one in self._workers):
            now = msgspec.structs.replace(
                self._running,
                server_pid=self._embedded.pid if self._embedded else None,
                worker_pids=tuple(one.pid for one in self._workers),
            )
            self._tell(now)
