"""The one client that calls push services: it goes where strangers say, but only into the world.

A name is resolved once; every address that it leads to is judged, and the connection is made to
one that was judged, below TLS: name, SNI and certificate stay the host's. No redirect is followed,
no proxy asked, no cookie kept; how long it may take and how much is read is bounded.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping

import httpcore2
from httpcore2 import SOCKET_OPTION, AnyIOBackend, AsyncConnectionPool, AsyncNetworkStream
from msgspec import Struct

from dropengine.push.endpoint import HERE, Endpoint
from dropengine.push.public_address import is_public

CALL_S_MAX = 8.0
"""From the first question about a name to the end of the answer."""
CONNECT_S_MAX = 4.0
TRIED_MAX = 3
"""Of the addresses of a name."""
ANSWER_BYTES_MAX = 2_048
SAID_CHARS_MAX = 200
CONNECTIONS_MAX = 16
KEEP_S = 20.0

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""A name and a port -> addresses."""


class NotAllowed(Exception):
    """The name leads to where strangers may not send us."""


class NoAnswer(Exception):
    """Nobody can be reached there, or did not answer in time. The message says which."""


class Answer(Struct, frozen=True):
    """`said`: the first letters of what came with it."""

    status: int
    retry_after: str
    said: str


async def system_resolver(host: str, port: int) -> list[str]:
    """What this machine's resolver knows."""
    found = await asyncio.get_running_loop().getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
    )
    return [str(row[4][0]) for row in found]


class JudgedClient:
    """resolve: who is asked for addresses. context: whose certificates are believed. here: this
    machine may be called too, for tests."""

    def __init__(
        self,
        *,
        here: bool = False,
        resolve: Resolve = system_resolver,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._pool = AsyncConnectionPool(
            ssl_context=context or ssl.create_default_context(),
            network_backend=_Judging(resolve, here=here),
            max_connections=CONNECTIONS_MAX,
            keepalive_expiry=KEEP_S,
        )

    async def post(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes) -> Answer:
        """Raises NotAllowed and NoAnswer."""
        try:
            async with asyncio.timeout(CALL_S_MAX):
                return await self._post(endpoint, headers, body)
        except TimeoutError:
            raise NoAnswer("no answer in time") from None
        except httpcore2.TimeoutException:
            raise NoAnswer("no answer in time") from None
        except (
            httpcore2.NetworkError,
            httpcore2.ProtocolError,
            httpcore2.UnsupportedProtocol,
            ssl.SSLError,
            OSError,
        ) as fault:
            # Its words may repeat what a stranger wrote.
            raise NoAnswer(f"no answer: {type(fault).__name__}") from None

    async def close(self) -> None:
        """Let go of all connections."""
        await self._pool.aclose()

    async def _post(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes) -> Answer:
        url = httpcore2.URL(
            scheme=endpoint.scheme, host=endpoint.host, port=endpoint.port, target=endpoint.target
        )
        limits = {"connect": CONNECT_S_MAX, "read": CALL_S_MAX, "write": CALL_S_MAX}
        asked = self._pool.stream(
            "POST",
            url,
            headers=[
                ("Host", endpoint.origin.partition("://")[2]),
                ("Content-Length", str(len(body))),
                ("User-Agent", "drop-engine"),
                *headers.items(),
            ],
            content=body,
            extensions={"timeout": {**limits, "pool": CALL_S_MAX}},
        )
        async with asked as response:
            read = b""
            # What is left of a longer answer is not read: its connection is let go of.
            async for part in response.aiter_stream():
                read += part[: ANSWER_BYTES_MAX - len(read)]
                if len(read) >= ANSWER_BYTES_MAX:
                    break
        named = {name.lower(): value for name, value in response.headers}
        words = "".join(c if c.isprintable() else " " for c in read.decode(errors="replace"))
        retry_after = named.get(b"retry-after", b"").decode("latin-1")
        return Answer(response.status, retry_after, words.strip()[:SAID_CHARS_MAX])


class _Judging(AnyIOBackend):
    """Judges where each connection leads before it is made."""

    def __init__(self, resolve: Resolve, *, here: bool) -> None:
        super().__init__()
        self._resolve = resolve
        self._here = here

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        try:
            addresses = list(dict.fromkeys(await self._resolve(host, port)))
        except (OSError, UnicodeError):
            raise httpcore2.ConnectError("there is no such name") from None
        if not addresses:
            raise httpcore2.ConnectError("there is no such name")
        # One that leads inside condemns the name: who mixes them means no good.
        if not all(is_public(one) or (self._here and one == HERE) for one in addresses):
            raise NotAllowed("it leads to an address that is not public")
        return await self._connected(addresses, port, timeout, local_address, socket_options)

    async def _connected(
        self,
        addresses: list[str],
        port: int,
        timeout: float | None,
        local_address: str | None,
        socket_options: Iterable[SOCKET_OPTION] | None,
    ) -> AsyncNetworkStream:
        """By the first that answers: where there is no way for IPv6, its addresses lead nowhere."""
        refused = httpcore2.ConnectError("nobody is there")
        for address in addresses[:TRIED_MAX]:
            try:
                return await super().connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except httpcore2.ConnectError as fault:
                refused = fault
        raise refused
