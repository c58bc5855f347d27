"""A proxy in front of the server's socket that loses, doubles, delays and cuts single requests.

It reads whole requests and whole replies, so that a fault strikes exactly the request it was
planned for. Nothing in it waits for a time: what is delayed goes on when the test says so.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from enum import Enum, auto
from pathlib import Path
from typing import Self

SUBSCRIBING = (b"SUBSCRIBE", b"PSUBSCRIBE", b"SSUBSCRIBE")
LINE_MAX = 64 * 1024 * 1024
AGGREGATES = b"*~>"
BULKS = b"$=!"


class Fate(Enum):
    """What happens to one request."""

    PASS = auto()
    DELAY = auto()
    """Reaches the server only after `FaultProxy.go()`."""
    DELAY_REPLY = auto()
    """Is carried out; its reply comes only after `FaultProxy.go()`."""
    HANG = auto()
    """Is carried out; its reply never comes and the connection stays open."""
    BLACK_HOLE = auto()
    """Never reaches the server; no reply; the connection stays open."""
    RESET = auto()
    """The connection is cut before the server saw the request."""
    DROP_REPLY = auto()
    """Is carried out; the connection is cut before the reply."""
    TWICE = auto()
    """Reaches the server twice; the client sees the second reply."""


class FaultProxy:
    """Use as `async with FaultProxy(server.socket, folder / "proxy.sock") as proxy`."""

    def __init__(self, upstream: Path, socket: Path) -> None:
        self.upstream = upstream
        self.socket = socket
        self.seen: Counter[str] = Counter()
        """Requests that came in, by command."""
        self.accepted = 0
        """Connections that came in."""
        self.struck: Counter[Fate] = Counter()
        self.answered: Counter[Fate] = Counter()
        """Replies that came from the server to requests that met a fate."""
        self._plans: list[tuple[bytes, bytes, Fate]] = []
        self._gate = asyncio.Event()
        self._strike = asyncio.Condition()
        self._talks: set[asyncio.Task[None]] = set()
        self._subscribers: set[Subscriber] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def plan(
        self, fate: Fate, *, command: str = "EVALSHA", holding: str = "", times: int = 1
    ) -> None:
        """The next `times` requests with this command meet `fate`, after the plans made before.

        holding: only requests with this text in them, like a script's SHA: beside the command that
        a test means, timers ask for views and settle.
        """
        self._plans += [(command.upper().encode(), holding.encode(), fate)] * times

    @property
    def planned(self) -> int:
        """How many planned faults have not struck yet."""
        return len(self._plans)

    def forget(self) -> None:
        """No fault is planned any more, and what is delayed goes on."""
        self._plans.clear()
        self.go()

    def go(self) -> None:
        """Let everything go on that is delayed now."""
        self._gate.set()
        self._gate = asyncio.Event()

    async def strikes(self, fate: Fate, times: int = 1) -> None:
        """Wait until so many requests have met `fate`."""
        async with self._strike:
            await self._strike.wait_for(lambda: self.struck[fate] >= times)

    async def answers(self, fate: Fate, times: int) -> None:
        """Wait until the server has answered so many requests that met `fate`, whoever hears it."""
        async with self._strike:
            await self._strike.wait_for(lambda: self.answered[fate] >= times)

    async def _count(self, what: Counter[Fate], fate: Fate) -> None:
        what[fate] += 1
        async with self._strike:
            self._strike.notify_all()

    def silence(self, *, pongs: bool = False) -> int:
        """Subscribers that are here now hear nothing more, or at most the answers to their pings;
        their connections stay open. How many there are."""
        for one in self._subscribers:
            one.hears = "pongs" if pongs else ""
        return len(self._subscribers)

    async def cut(self) -> None:
        """Cut every open connection."""
        for talk in list(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(
            self._accept, str(self.socket), limit=LINE_MAX
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self.cut()
        await self._server.wait_closed()
        self.socket.unlink(missing_ok=True)

    async def _accept(self, fan: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        self.accepted += 1
        try:
            there, back = await asyncio.open_unix_connection(str(self.upstream), limit=LINE_MAX)
        except (OSError, asyncio.CancelledError):
            out.transport.abort()
            self._talks.discard(task)
            return
        try:
            await self._talk(fan, out, there, back)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            # A cut is what this proxy is for; both sides see it below.
            pass
        finally:
            out.transport.abort()
            back.transport.abort()
            self._talks.discard(task)

    async def _talk(
        self,
        fan: asyncio.StreamReader,
        out: asyncio.StreamWriter,
        server: asyncio.StreamReader,
        back: asyncio.StreamWriter,
    ) -> None:
        while True:
            request = await read_value(fan)
            command = command_of(request)
            self.seen[command.decode()] += 1
            fate = self._fate(command, request)
            await self._count(self.struck, fate)
            match fate:
                case Fate.RESET:
                    return
                case Fate.BLACK_HOLE:
                    await asyncio.Future()
                case Fate.DELAY:
                    await self._gate.wait()
                case Fate.TWICE:
                    back.write(self.sent(command, request))
                    await read_value(server)
                case _:
                    pass
            back.write(self.sent(command, request))
            if command in SUBSCRIBING:
                await self._pour(fan, out, server, back)
                return
            reply = await read_value(server)
            await self._count(self.answered, fate)
            match fate:
                case Fate.DROP_REPLY:
                    return
                case Fate.HANG:
                    await asyncio.Future()
                case Fate.DELAY_REPLY:
                    await self._gate.wait()
                case _:
                    pass
            out.write(self.heard(command, reply))
            await out.drain()

    def sent(self, _command: bytes, request: bytes) -> bytes:
        """What reaches the server in the place of a request."""
        return request

    def heard(self, _command: bytes, reply: bytes) -> bytes:
        """What comes back in the place of a reply."""
        return reply

    async def _pour(
        self,
        fan: asyncio.StreamReader,
        out: asyncio.StreamWriter,
        server: asyncio.StreamReader,
        back: asyncio.StreamWriter,
    ) -> None:
        """A subscriber's replies answer no request: pass bytes both ways until one side goes."""
        subscriber = Subscriber()
        self._subscribers.add(subscriber)
        ways = [
            asyncio.create_task(pour(fan, back)),
            asyncio.create_task(subscriber.pour(server, out)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._subscribers.discard(subscriber)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    def _fate(self, command: bytes, request: bytes) -> Fate:
        for i, (wanted, holding, fate) in enumerate(self._plans):
            if wanted == command and holding in request:
                del self._plans[i]
                return fate
        return Fate.PASS


class Subscriber:
    """What comes to one subscriber: `all`, only `pongs`, or nothing."""

    def __init__(self) -> None:
        self.hears = "all"

    async def pour(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while True:
            value = await read_value(source)
            pong = command_of(value) == b"PONG"
            if self.hears == "all" or (self.hears == "pongs" and pong):
                sink.write(value)
                await sink.drain()


async def pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while block := await source.read(65536):
        sink.write(block)
        await sink.drain()
    raise ConnectionResetError("the other side went")


async def read_value(stream: asyncio.StreamReader) -> bytes:
    """One whole RESP value (2 or 3), as its bytes."""
    head = await stream.readuntil(b"\r\n")
    kind, size = head[:1], head[1:-2]
    if kind in BULKS and size != b"-1":
        return head + await stream.readexactly(int(size) + 2)
    if kind == b"%" or kind in AGGREGATES:
        parts = [head]
        for _ in range(max(int(size), 0) * (2 if kind == b"%" else 1)):
            parts += [await read_value(stream)]
        return b"".join(parts)
    return head


def command_of(request: bytes) -> bytes:
    """The upper-cased first word of a request in array form."""
    _count, _size, word, _rest = request.split(b"\r\n", 3)
    return word.upper()
