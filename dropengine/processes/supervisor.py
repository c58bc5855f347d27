"""The processes of a shop: one supervisor that owns the embedded server and n web processes.

Each web process has a listening socket of its own (SO_REUSEPORT), so that long-lived sockets spread
over all of them. Whatever dies is started again; when the supervisor itself dies, all the others
end with it, and the next start finds the place tidy.
"""

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
from msgspec import Struct

from dropengine import config
from dropengine.config import Settings
from dropengine.data_directory import data_dir, secret, shop_id
from dropengine.processes import first_link, parent_death, parent_pipe, shared_page
from dropengine.processes.embedded_server import EmbeddedServer, ServerState
from dropengine.processes.hung_processes import look_after
from dropengine.processes.kept_ledger import KeptLedger
from dropengine.processes.kept_web_process import KeptWebProcess
from dropengine.processes.listening_sockets import listen
from dropengine.processes.open_file_limit import raise_file_limit, want_of_files
from dropengine.processes.parent_pipe import Assignment
from dropengine.processes.server_claim import ServerClaim
from dropengine.processes.shared_page import SharedPage
from dropengine.processes.siblings import NotedTable
from dropengine.processes.sql_claim import SqlClaim
from dropengine.processes.sql_layout import SqlLayout
from dropengine.truth import server_check

log = logging.getLogger(__name__)

FACTORY = "dropengine.app:build"
"""Called with the settings in each web process; returns the ASGI application."""
PROTOCOL = "dropengine.live.socket_protocol:LiveProtocol"

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
    ledger_pid: int | None = None
    """None before it was started, which is when people can come in."""


def run(
    settings: Settings,
    ready: Callable[[Running], None] | None = None,
    *,
    with_parent: bool = False,
    take_over: bool = False,
    factory: str = FACTORY,
    protocol: str = PROTOCOL,
) -> int:
    """Serve until SIGINT, SIGTERM or SIGHUP; the exit code. Call it in the main thread.

    ready: called once, when people can come in. with_parent: stop also when standard input, a pipe
    from whoever started us, ends. take_over: see `ServerClaim`. Raises DropEngineError when nobody
    can come in.
    """
    parent_pipe.log_to_stderr(settings, "supervisor")
    told = False

    def tell(running: Running) -> None:
        nonlocal told
        if not told:
            told = True
            if ready is not None:
                ready(running)
                return
            _say(running)

    if want := want_of_files(settings, raise_file_limit()):
        log.warning("%s", want)
    one = Supervisor(settings, tell, factory, protocol, take_over=take_over, invites=ready is None)
    asyncio.run(serve(one, with_parent=with_parent))
    return 0


async def serve(one: "Supervisor", *, with_parent: bool) -> None:
    """Run a supervisor to its end. Raises DropEngineError."""
    loop = asyncio.get_running_loop()

    def parent_ended() -> None:
        # The loop may be over already, and with it what there was to stop.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(one.stop)

    if with_parent:
        parent_death.when_pipe_ends(parent_ended)
    await one.serve()


def _say(running: Running) -> None:
    found = running.server
    promise = "every sale on disk" if found.durable else found.promise
    count = len(running.worker_pids)
    print(
        f"Serving on {running.url} with {count} web process{'es' if count > 1 else ''} and "
        f"{found.name.capitalize()} {found.version} ({promise}). Ctrl-C stops it.",
        flush=True,
    )


class Supervisor:
    """The supervisor's own loop. `tell` hears where the shop is, at first and at each change.

    take_over: see `ServerClaim`. invites: print a link where nobody has an account yet.
    """

    def __init__(
        self,
        settings: Settings,
        tell: Callable[[Running], None],
        factory: str,
        protocol: str,
        *,
        take_over: bool = False,
        invites: bool = False,
    ) -> None:
        self._settings = settings
        self._invites = invites
        self._tell = tell
        self._factory = factory
        self._protocol = protocol
        self._embedded = EmbeddedServer(settings) if settings.redis_url is None else None
        self._claim = ServerClaim(settings, own=self._embedded is not None, take_over=take_over)
        self._layout = SqlLayout(settings)
        self._sql_claim = SqlClaim(settings, self._claim.note, take_over=take_over)
        self._workers: list[KeptWebProcess] = []
        self._ledger: KeptLedger | None = None
        self._running: Running | None = None
        self._address = ""
        self._opened = asyncio.Event()
        """Set when somebody could come in."""
        self._pages: tuple[SharedPage, ...] = ()
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
                facts = self._check(url)
                self._claim.open()
                # A port that is another's ends it here, before the server is anybody's.
                self._open(url, facts)
                if await self._claimed(self._lay(url)):
                    await self._keep()
        finally:
            grace_s = self._settings.shutdown_s_max + GRACE_S
            await asyncio.gather(*(one.stop(grace_s, self._at_once) for one in self._workers))
            if self._ledger is not None:
                await self._ledger.stop(GRACE_S)
            await self._sql_claim.end(opened=self._opened.is_set())
            await self._claim.end(opened=self._opened.is_set())
            if self._embedded is not None:
                self._embedded.stop()
            for page in self._pages:
                page.close()

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

    async def _lay(self, url: str) -> None:
        """Claim the server, and the database once its tables are there. Raises ServerTaken."""
        await self._claim.lay(url, self._address)
        # A server's claim runs out while a database's is waited for.
        keeping = asyncio.create_task(self._claim.keep())
        try:
            await self._layout.bring()
            await self._sql_claim.lay(self._address, there=self._layout.done.is_set())
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def _claimed(self, claiming: Coroutine[Any, Any, None]) -> bool:
        """Claim what we work with; False when told to stop before it was. Raises ServerTaken."""
        laying = asyncio.create_task(claiming)
        told = asyncio.create_task(self._stop.wait())
        await asyncio.wait({laying, told}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if laying.done():
            laying.result()
            return True
        laying.cancel()
        await asyncio.gather(laying, return_exceptions=True)
        return False

    def _check(self, url: str) -> server_check.ServerFacts:
        """What the server says of itself. Raises a sentence when it cannot be sold from."""
        settings = self._settings
        client = server_check.client(url, settings.redis_timeout_ms)
        try:
            facts = server_check.check_server(client, settings.accept_weaker, settings.redis_prefix)
        finally:
            client.close()
        if not facts.durable:
            log.warning("What the server promises: %s. This was accepted.", facts.promise)
        # Made once and here, so that the web processes do not race for them.
        data_dir(settings)
        secret(settings)
        shop_id(settings)
        return facts

    def _open(self, url: str, facts: server_check.ServerFacts) -> None:
        """Bind the sockets, and describe the work."""
        settings = self._settings
        sockets = listen(settings.host, settings.port, settings.web_concurrency)
        port = int(sockets[0].getsockname()[1])
        known = msgspec.structs.replace(settings, redis_url=url, port=port)
        self._address = config.public_url(known)
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
        # The first is the supervisor's own, the last the ledger's.
        self._pages = tuple(SharedPage(shared_page.make()) for _ in range(1 + len(sockets) + 1))
        self._ledger = KeptLedger(
            Assignment(settings=raw, parent=os.getpid(), page_fds=(self._pages[-1].handle,)),
            self._pages[-1],
            self._changed,
        )
        for number, one in enumerate(sockets, 1):
            assignment = Assignment(
                settings=raw,
                parent=os.getpid(),
                factory=self._factory,
                protocol=self._protocol,
                listen_fd=one.fileno(),
                worker=number,
                page_fds=tuple(page.handle for page in self._pages),
            )
            kept = KeptWebProcess(number, assignment, one, self._pages, self._changed)
            self._workers.append(kept)

    async def _keep(self) -> None:
        """Keep everything alive until told to stop, or until the shop cannot come up."""
        tasks = [asyncio.create_task(one.keep()) for one in self._workers]
        tasks.append(asyncio.create_task(look_after(self._workers, self._note_table)))
        tasks.append(asyncio.create_task(self._claim.keep()))
        tasks.append(asyncio.create_task(self._sql_claim.keep()))
        tasks.append(asyncio.create_task(self._layout.keep()))
        if self._ledger is not None:
            tasks.append(asyncio.create_task(self._ledger.keep()))
        if self._invites:
            tasks.append(asyncio.create_task(self._invite()))
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

    async def _invite(self) -> None:
        """Print a link for the first account as soon as there is a shop, and SQL to keep it."""
        await self._opened.wait()
        await self._layout.done.wait()
        words = await asyncio.to_thread(first_link.invitation, self._settings, self._address)
        if words:
            print(words, flush=True)
        await asyncio.Event().wait()

    def _on_server(self, state: ServerState, sentence: str) -> None:
        log.log(logging.INFO if state is ServerState.UP else logging.ERROR, "%s", sentence)
        if state is ServerState.UP:
            self._changed()

    def _note_table(self) -> None:
        """What every web process may read of all of them."""
        rows = [one.row for one in self._workers]
        table = NotedTable(os.getpid(), time.monotonic(), rows)
        self._pages[0].write(msgspec.json.encode(table))

    def _changed(self) -> None:
        self._note_table()
        if any(one.up for one in self._workers):
            self._opened.set()
        if self._running is not None and all(one.up for one in self._workers):
            now = msgspec.structs.replace(
                self._running,
                server_pid=self._embedded.pid if self._embedded else None,
                worker_pids=tuple(one.pid for one in self._workers),
                ledger_pid=self._ledger.pid if self._ledger else None,
            )
            self._tell(now)
            if self._ledger is not None:
                self._ledger.shop_open.set()
