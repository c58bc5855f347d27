"""A whole web process of a test: the real application behind real sockets, in the test's own loop.

Test modules take the fixtures they need by name: `server = web_process.server`, `web =
web_process.web`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
import uvicorn
import websockets.asyncio.client as sockets
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from dropengine import outcomes
from dropengine.app import Runtime, build
from dropengine.asked import Asks
from dropengine.config import Settings
from dropengine.doors.live_socket import SUBPROTOCOL
from dropengine.manifest import Item
from dropengine.model import DropId, FanId
from dropengine.people.tickets import pseudonym
from dropengine.processes.supervisor import PROTOCOL
from dropengine.processes.web_process import uvicorn_config
from tests.kit.manifests import manifest
from tests.kit.private_server import Server
from tests.kit.sale import Sale

SECRET = "a secret of thirty-two characters"
LONG_S = 20
"""Longer than anything here takes; a promise that is not kept ends with a sentence, not a hang."""

Message = dict[str, Any]

_keys = count(1)
_drops = count(1)


async def until(happened: Callable[[], object]) -> None:
    """Let this loop go on until something is so that nobody tells of."""
    async with asyncio.timeout(LONG_S):
        while not happened():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0)


def key() -> str:
    """An idempotency key that nobody has used."""
    return f"key-{next(_keys)}"


@pytest.fixture(scope="module")
def server(server_kind: str) -> Iterator[Server]:
    """A server of this module alone: a web process settles every drop that it finds."""
    one = Server(kind=server_kind).start()
    yield one
    one.stop()


def settings(url: str, folder: Path, **more: Any) -> Settings:
    """Settings of a test: fast ticks, a server that may forget."""
    given: dict[str, Any] = {"tick_ms": 20, "settle_ms": 20, "view_ms": 200}
    # A test is one network in a hurry.
    given |= {"requests_per_s_max": 100_000} | more
    given = {"local_pay": True, **given}
    return Settings(
        redis_url=url, data_dir=folder, secret_key=SECRET, accept_weaker=True, port=0, **given
    )


class Fan:
    """Somebody with a socket. What is heard and not asked for is kept in `heard`."""

    def __init__(self, socket: sockets.ClientConnection, fan: FanId | None) -> None:
        self.socket = socket
        self.id = fan
        self.heard: list[Message] = []
        self._ids = count(1)

    async def hear(self) -> Message:
        """The next message, whatever it is."""
        async with asyncio.timeout(LONG_S):
            message: Message = json.loads(await self.socket.recv())
        self.heard.append(message)
        return message

    async def until(self, t: str, when: Callable[[Message], object] = lambda _: True) -> Message:
        """Listen until a message of this kind comes."""
        while True:
            message = await self.hear()
            if message["t"] == t and when(message):
                return message

    async def shows(self, t: str, when: Callable[[Message], object]) -> Message:
        """The newest state of this kind, listened for until it is so."""
        last = next((m for m in reversed(self.heard) if m["t"] == t), None)
        return last if last is not None and when(last) else await self.until(t, when)

    async def tick(self, seq: int) -> Message:
        """The newest tick, once it is not older than `seq`."""
        return await self.shows("tick", lambda m: m["seq"] >= seq)

    async def say(self, t: str, **fields: Any) -> int:
        """Send a command under a fresh key; its id."""
        number = next(self._ids)
        await self.raw(json.dumps({"t": t, "id": number, "key": key(), **fields}))
        return number

    async def raw(self, frame: str | bytes) -> None:
        await self.socket.send(frame)

    async def ask(self, t: str, **fields: Any) -> Message:
        """A command and its answer, done or refused."""
        number = await self.say(t, **fields)
        while True:
            message = await self.hear()
            if message["t"] in ("done", "refused") and message["id"] == number:
                return message

    async def closed(self) -> int:
        """Listen to the end; the close code."""
        async with asyncio.timeout(LONG_S):
            with contextlib.suppress(ConnectionClosed):
                while True:
                    self.heard.append(json.loads(await self.socket.recv()))
        code = self.socket.close_code
        assert code is not None
        return code


class WebProcess:
    """One web process: `web` has its objects, `url` is its origin."""

    def __init__(self, conf: Settings, protocol: str | type = PROTOCOL, **more: Any) -> None:
        # Bound at once: whoever is told the port, like the provider, must know the true one.
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", conf.port))
        self.port = int(self.listener.getsockname()[1])
        conf = msgspec.structs.replace(conf, port=self.port)
        self.app = build(conf)
        self.runtime: Runtime = self.app.state.runtime
        self.config: uvicorn.Config = uvicorn_config(self.app, conf, "none")
        # A class or its name, as uvicorn takes both.
        self.config.ws = protocol
        for name, value in more.items():
            setattr(self.config, name, value)
        self.server = uvicorn.Server(self.config)
        self.stopped = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        # Started and stopped by hand: its own loop takes over signals and ends late.
        self.config.load()
        self.server.lifespan = self.config.lifespan_class(self.config)
        await self.server.startup([self.listener])
        # Its loop would add the time of day, of which no two answers must be alike.
        self.server.server_state.default_headers = self.config.encoded_headers
        assert self.server.started

    async def stop(self) -> None:
        """As a process that was told to stop does it."""
        if not self.stopped:
            self.stopped = True
            await self.server.shutdown([self.listener])

    def ticket(self, drop: str = "") -> tuple[FanId, str]:
        """A guest's, and who he is in a drop."""
        made, text = self.runtime.tickets.issue(int(time.time()))
        return pseudonym(made.key, DropId(drop)), text

    def http(
        self, ticket: str | None = None, headers: Mapping[str, str] | None = None, **more: Any
    ) -> httpx2.AsyncClient:
        """A browser's requests; the ticket is in its cookie."""
        cookie = {"cookie": f"fan={ticket}"} if ticket else {}
        headers = {"origin": self.url, **cookie, **(headers or {})}
        return httpx2.AsyncClient(
            base_url=self.url, headers=headers, trust_env=False, timeout=LONG_S, **more
        )

    async def dial(
        self,
        drop: str,
        ticket: str | None = None,
        *,
        origin: str | None = "",
        host: str | None = None,
        headers: dict[str, str] | None = None,
        subprotocol: str | None = SUBPROTOCOL,
        **more: Any,
    ) -> sockets.ClientConnection:
        """A bare socket. origin: '' stands for this server's own, None for none. subprotocol: the
        one that is offered, or several with commas."""
        given = dict(headers or {}) | ({"Cookie": f"fan={ticket}"} if ticket else {})
        if "sock" not in more:
            more |= {"host": "127.0.0.1", "port": self.port}
        return await sockets.connect(
            f"ws://{host or f'127.0.0.1:{self.port}'}/drops/{drop}/live",
            origin=None if origin is None else Origin(origin or self.url),
            additional_headers=given,
            subprotocols=[*map(Subprotocol, subprotocol.split(","))] if subprotocol else None,
            compression=None,
            proxy=None,
            ping_interval=None,
            close_timeout=1,
            **more,
        )

    @contextlib.asynccontextmanager
    async def fan(
        self, drop: str, who: tuple[FanId, str] | None = None, **more: Any
    ) -> AsyncIterator[Fan]:
        """Somebody with a ticket in his cookie, seated: the snapshot is `heard[0]`."""
        fan, ticket = who or self.ticket(drop)
        async with await self.dial(drop, ticket, **more) as one:
            person = Fan(one, fan)
            await person.until("snapshot")
            yield person

    @contextlib.asynccontextmanager
    async def watcher(self, drop: str, **more: Any) -> AsyncIterator[Fan]:
        async with await self.dial(drop, **more) as one:
            person = Fan(one, None)
            await person.until("snapshot")
            yield person

    async def sale(
        self,
        *items: Item,
        opened: bool = True,
        title: str = "Test drop",
        maker: str = "Tests",
        zone: str = "UTC",
        language: str = "",
        asks: Asks | None = None,
        **rules: Any,
    ) -> Sale:
        """A drop of its own in real time: this process reads it by the server's clock."""
        sale = Sale(self.runtime.store, f"front-{next(_drops)}", now=0)
        told = msgspec.structs.replace(
            manifest(sale.drop, *items, **rules),
            title=title,
            maker=maker,
            zone=zone,
            language=language,
            asks=asks,
        )
        outcome = await sale.publish(told)
        assert isinstance(outcome, outcomes.Changed), outcome
        if opened:
            await sale.creator("open")
        return sale


@contextlib.asynccontextmanager
async def front(conf: Settings, **more: Any) -> AsyncIterator[WebProcess]:
    """A web process, from its start to its end."""
    one = WebProcess(conf, **more)
    await one.start()
    try:
        yield one
    finally:
        await one.stop()


@pytest.fixture(scope="module")
async def web(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[WebProcess]:
    """A web process with the settings of tests; every test has drops of its own."""
    async with front(settings(server.url, tmp_path_factory.mktemp("web"))) as one:
        yield one
