"""Clients that speak: sockets and HTTP connections that press what they are told and hear answers.

Each is a fan of its own. They bind many 127.x addresses, so that limits per network stay on.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

CONNECT_AT_ONCE = 64
FANS_PER_ADDRESS = 200
HANDSHAKE_S_MAX = 20
FURTHER_TRIES = 4

_HOLD = re.compile(rb'"hold":\{"id":"([^"]+)"')
_SEQ = re.compile(rb'"seq":(\d+)')

Heard = Callable[[Any, bytes], None]


def address(number: int) -> str:
    """Where client `number` comes from."""
    block = number // FANS_PER_ADDRESS + 2
    return f"127.0.{block // 250}.{block % 250 + 1}"


def bound_socket(number: int) -> socket.socket:
    """A socket of client `number`, not connected."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setblocking(False)
    # Linux: choose the port only when connecting, so that an address has a port for each server.
    made.setsockopt(socket.IPPROTO_IP, getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24), 1)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.bind((address(number), 0))
    return made


class Presser(Protocol):
    """A client that holds and releases in turn. `hold`: what it has, or empty."""

    hold: bytes
    asked_s: float

    def press(self, key: bytes) -> None:
        """Send the next command, with a fresh key."""
        ...


class Client(WSListener):
    """One socket. `heard` is called with each text frame."""

    def __init__(self, heard: Heard, number: int) -> None:
        self.heard = heard
        self.number = number
        self.transport: WSTransport | None = None
        self.closed: int | None = None
        self.hold = b""
        self.pool = b"unit0"
        self.asked_s = 0.0
        self.bytes = 0

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, _transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            text = frame.get_payload_as_bytes()
            self.bytes += len(text)
            self.heard(self, text)
        elif frame.msg_type == WSMsgType.PING:
            assert self.transport is not None
            self.transport.send_pong(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            self.closed = int.from_bytes(frame.get_payload_as_bytes()[:2], "big") or 1005

    def on_ws_disconnected(self, _transport: WSTransport) -> None:
        self.closed = self.closed or 1006

    def say(self, text: bytes) -> None:
        """Send one text frame."""
        assert self.transport is not None
        self.transport.send(WSMsgType.TEXT, text)

    def press(self, key: bytes) -> None:
        self.asked_s = time.monotonic()
        if self.hold:
            self.say(b'{"t":"release","id":2,"key":"%b","hold":"%b"}' % (key, self.hold))
        else:
            self.say(b'{"t":"hold","id":1,"key":"%b","pool":"%b"}' % (key, self.pool))

    def leave(self) -> None:
        """Go without a word."""
        if self.transport is not None:
            self.transport.disconnect()


class HttpClient(asyncio.Protocol):
    """One kept-alive connection; a response at a time, its body goes to `heard`."""

    def __init__(self, heard: Heard, host: str, path: str, headers: str) -> None:
        self.heard = heard
        self.hold = b""
        self.asked_s = 0.0
        self.bytes = 0
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._heads = {
            verb: f"POST {path}/{verb} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
            f"Content-Type: application/json\r\n{headers}Content-Length: ".encode()
            for verb in ("hold", "release")
        }

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.bytes += len(data)
        data = self._rest + data
        head, end, body = data.partition(b"\r\n\r\n")
        at = head.lower().find(b"content-length:")
        if not end or len(body) < int(head[at + 15 :].split(b"\r\n", 1)[0]):
            self._rest = data
            return
        self._rest = b""
        self.heard(self, body if head.startswith(b"HTTP/1.1 200") else b'{"t":"refused"' + head)

    def press(self, key: bytes) -> None:
        assert self._transport is not None
        self.asked_s = time.monotonic()
        if self.hold:
            verb, body = "release", b'{"key":"%b","hold":"%b"}' % (key, self.hold)
        else:
            verb, body = "hold", b'{"key":"%b","pool":"unit0"}' % key
        self._transport.write(b"%b%d\r\n\r\n%b" % (self._heads[verb], len(body), body))

    def leave(self) -> None:
        """Go without a word."""
        if self._transport is not None:
            self._transport.abort()


async def one(host: str, path: str, heard: Heard, number: int, ticket: str | None = None) -> Client:
    """Open one socket. host: address:port."""
    headers = {"Origin": f"http://{host}", "Sec-WebSocket-Protocol": "drop.v1"}
    if ticket is not None:
        headers["Cookie"] = f"fan={ticket}"
    client = Client(heard, number)
    for attempt in range(FURTHER_TRIES + 1):
        try:
            await ws_connect(
                lambda: client,
                f"ws://{host}{path}",
                extra_headers=headers,
                socket_factory=lambda _url: bound_socket(number),
                websocket_handshake_timeout=HANDSHAKE_S_MAX,
                enable_auto_pong=False,
            )
            return client
        except OSError:
            if attempt == FURTHER_TRIES:
                raise
            await asyncio.sleep(0.05 * 2**attempt)
    raise AssertionError("not reached")


async def many(
    host: str,
    path: str,
    heard: Heard,
    count: int,
    tickets: Sequence[str] | None = None,
    first: int = 0,
) -> list[Client]:
    """Open `count` sockets, some at a time. tickets: one a socket, or none for watchers."""
    gate = asyncio.Semaphore(CONNECT_AT_ONCE)

    async def open_one(i: int) -> Client:
        async with gate:
            return await one(host, path, heard, first + i, tickets[i] if tickets else None)

    return list(await asyncio.gather(*(open_one(i) for i in range(count))))


async def many_http(
    host: str, path: str, heard: Heard, count: int, tickets: Sequence[str]
) -> list[HttpClient]:
    """Open `count` kept-alive connections. tickets: the cookie `fan` of each."""
    loop = asyncio.get_running_loop()
    gate = asyncio.Semaphore(CONNECT_AT_ONCE)
    where, _, port = host.partition(":")

    async def open_one(i: int) -> HttpClient:
        async with gate:
            made = bound_socket(i)
            await loop.sock_connect(made, (where, int(port)))
            client = HttpClient(heard, host, path, f"Cookie: fan={tickets[i]}\r\n")
            await loop.create_connection(lambda: client, sock=made)
            return client

    return list(await asyncio.gather(*(open_one(i) for i in range(count))))


class Pressing:
    """Clients that hold and release in turn, each with one command on its way.

    granted, refused: answers so far. waits_s: from asking to the answer. acks: (monotonic s, seq)
    of the answers that were noted, one in `note_every`.
    """

    def __init__(self, note_every: int = 0) -> None:
        self.granted = 0
        self.refused = 0
        self.refusals: list[bytes] = []
        self.on_their_way = 0
        self.waits_s: list[float] = []
        self.acks: list[tuple[float, int]] = []
        self.idle: list[Presser] = []
        self._note_every = note_every
        self._again = False
        self._keys = 0
        self._name = secrets.token_hex(4)
        self._quiet = asyncio.Event()

    def heard(self, client: Presser, text: bytes) -> None:
        """One message to one client."""
        if text.startswith(b'{"t":"done"'):
            now = time.monotonic()
            self.granted += 1
            self.waits_s.append(now - client.asked_s)
            if self._note_every and self.granted % self._note_every == 0:
                seq = _SEQ.search(text)
                assert seq is not None
                self.acks.append((now, int(seq[1])))
            if client.hold:
                client.hold = b""
            else:
                made = _HOLD.search(text)
                assert made is not None, text
                client.hold = made[1]
        elif text.startswith(b'{"t":"refused"'):
            self.refused += 1
            self.refusals = [*self.refusals[-4:], text]
        else:
            return
        if self._again:
            client.press(self._key())
            return
        self.idle.append(client)
        self.on_their_way -= 1
        if not self.on_their_way:
            self._quiet.set()

    def press(self, client: Presser) -> None:
        """One command of one idle client."""
        self.on_their_way += 1
        self._quiet.clear()
        client.press(self._key())

    def _key(self) -> bytes:
        """One that no client ever used."""
        self._keys += 1
        return b"%b-%d" % (self._name.encode(), self._keys)

    def start(self) -> None:
        """Everybody presses, and again at once after each answer."""
        self._again = True
        idle, self.idle = self.idle, []
        for client in idle:
            self.press(client)

    async def stop(self) -> None:
        """No new commands; wait for the answers that are still out."""
        self._again = False
        if self.on_their_way:
            async with asyncio.timeout(HANDSHAKE_S_MAX):
                await self._quiet.wait()

    async def pace(self, per_s: float, seconds: float) -> None:
        """So many commands a second, as far as there are idle clients."""
        begun = time.monotonic()
        sent = 0
        while (passed := time.monotonic() - begun) < seconds:
            for _ in range(min(int(passed * per_s) - sent, len(self.idle))):
                self.press(self.idle.pop(0))
                sent += 1
            await asyncio.sleep(0.005)
