"""Requests to the server with as little as can be between them and its socket.

The client library opens each connection, with all that an address may ask for (TLS, password,
database), and hands it over: what it does for each request costs more than the requests of a tick.
What it calls private is used in `Connection.__init__` alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import hiredis
import redis.asyncio as redis
from redis.backoff import NoBackoff
from redis.retry import Retry

SOCKET_TIMEOUT_S = 2.0

_MORE = object()
"""Stands for a reply that has not come whole."""


class Connection(asyncio.Protocol):
    """One connection, one request at a time on it."""

    def __init__(self, opened: redis.Connection) -> None:
        # The stream's objects stay as long as the connection: at their end they would close it.
        self._stream = cast("asyncio.StreamWriter", opened._writer)
        opened._reader = opened._writer = None
        self._timeout_s = opened.socket_timeout
        self._transport = cast("asyncio.Transport", self._stream.transport)
        self._transport.set_protocol(self)
        self._reader = hiredis.Reader(notEnoughData=_MORE)
        self._reply: asyncio.Future[Any] | None = None

    @property
    def open(self) -> bool:
        return not self._transport.is_closing()

    async def ask(self, words: tuple[Any, ...]) -> Any:
        """The reply to a request; a refusal is returned as `hiredis.ReplyError`.

        Raises OSError when no reply comes. After any exception the connection must be ended: a
        reply may still be on its way.
        """
        raw = hiredis.pack_command(words)
        if not self.open:
            raise ConnectionError("the connection was lost as soon as it was made")
        loop = asyncio.get_running_loop()
        reply = self._reply = loop.create_future()
        late = loop.call_later(self._timeout_s, self._late) if self._timeout_s else None
        self._transport.write(raw)
        try:
            return await reply
        finally:
            self._reply = None
            if late is not None:
                late.cancel()

    def end(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            reply = self._reader.gets()
        except hiredis.ProtocolError as error:
            self._fail(ConnectionError(f"what came is no reply: {error}"))
            self.end()
            return
        if reply is _MORE:
            return
        if self._reply is None or self._reply.done() or self._reader.has_data():
            # More than was asked for: the next request would take it for its reply.
            self._fail(ConnectionError("more came than one reply"))
            self.end()
            return
        self._reply.set_result(reply)

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(ConnectionError(f"the connection was lost: {error or 'closed by the server'}"))

    def _late(self) -> None:
        self._fail(TimeoutError(f"no whole reply came for {self._timeout_s:g} s"))

    def _fail(self, error: OSError) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(error)


class Connections(redis.BlockingConnectionPool):
    """The client library's pool, with a way past the library: `ask`.

    Its connections are others than the library's, again at most `max_connections`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._timeout_s: float | None = self.connection_kwargs.get("socket_timeout")
        self._free = asyncio.Semaphore(self.max_connections)
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self.on_connect: list[Callable[[], None]] = []
        """Called whenever a connection was made: the server behind it may be another one."""
        self._closed = 0
        """How often: a connection that is being made belongs to the time before."""

    async def ask(self, *words: bytes | str | int | float) -> Any:
        """The reply to one request, sent once; a refusal is returned as `hiredis.ReplyError`.

        Raises OSError or RedisError when it is unknown what became of the request: after one
        timeout at most, whatever there was to wait for.
        """
        if self._idle and not self._free.locked():
            # Only the reply is waited for, which has a timeout of its own.
            return await self._ask(words)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._ask(words)
        except TimeoutError as error:
            why = str(error) or f"no whole reply came for {self._timeout_s:g} s"
            raise TimeoutError(why) from error

    async def _ask(self, words: tuple[bytes | str | int | float, ...]) -> Any:
        async with self._free:
            connection = await self._one()
            try:
                reply = await connection.ask(words)
            except BaseException:
                self._all.discard(connection)
                connection.end()
                raise
            self._idle.append(connection)
        return reply

    async def _one(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.open:
                return connection
            self._all.discard(connection)
        closed = self._closed
        opened = self.make_connection()  # type: ignore[no-untyped-call]
        try:
            await opened.connect()
            # Whatever came after the handshake, its end too, is not told to the next owner.
            if await opened.can_read():
                raise ConnectionError("the server said more than was asked, or closed")
            if closed != self._closed:
                raise ConnectionError("it was closed here meanwhile")
        except BaseException:
            await opened.disconnect(nowait=True)
            raise
        connection = Connection(opened)
        self._all.add(connection)
        for call in self.on_connect:
            call()
        return connection

    async def disconnect(self, inuse_connections: bool = True) -> None:
        """End every connection, or with `inuse_connections` false only those without a request."""
        self._closed += 1
        for connection in list(self._all if inuse_connections else self._idle):
            connection.end()
        await super().disconnect(inuse_connections)


def client(
    url: str, *, timeout_s: float | None = SOCKET_TIMEOUT_S, connections: int = 4
) -> redis.Redis:
    """A client that never repeats by itself: repeating is the scripts' art, not the library's."""
    pool = Connections.from_url(
        url,
        max_connections=connections,
        timeout=timeout_s,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s or SOCKET_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )
    # Whatever the address says: with 3 some replies have other shapes.
    pool.connection_kwargs["protocol"] = 2
    return redis.Redis(connection_pool=pool)
