"""Whatever bytes come, cut anywhere, and whatever happens meanwhile: four things stay true.

A place is counted while its connection lives; `seq` never falls; nothing follows a close frame; the
memory of a connection is bounded.
"""

from __future__ import annotations

import asyncio
import gc
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

from dropengine.doors.connection_limits import PIPELINED_MAX
from dropengine.doors.rate_limit import OpenLimit
from dropengine.errors import Unavailable
from dropengine.live.seat import BACKLOG_BYTES_MAX
from dropengine.live.socket_handshake import STRAY_BYTES_MAX
from dropengine.payments.port import Intent
from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.kit import web_process
from tests.kit.fault_proxy import Fate, FaultProxy
from tests.kit.manifests import item, manifest
from tests.kit.private_server import Server
from tests.kit.raw_socket import BINARY, CLOSE, PING, PONG, TEXT, Line, framed, line, ping
from tests.kit.sale import Sale
from tests.kit.seeds import seeds
from tests.kit.ways_to_leave import Shop
from tests.kit.web_process import WebProcess, settings

server = web_process.server

VISITORS, STEPS = 14, 60
SHORT: dict[str, Any] = {
    **dict.fromkeys(("header_s_max", "body_s_max", "answer_s_max", "keep_alive_s"), 1),
    **dict.fromkeys(("ping_s", "pong_s_max", "shutdown_s_max"), 1),
    "seat_behind_ms_max": 500,
    "redis_timeout_ms": 300,
}
READ_AT_ONCE = 1 << 18
"""The most that a loop hands over in one block."""


class Provider:
    """Whoever begins a payment waits while it is silent."""

    def __init__(self, payments: Any) -> None:
        self._begin = payments.begin
        self.speaks = asyncio.Event()
        self.speaks.set()
        payments.begin = self.begin

    async def begin(self, intent: Intent) -> str:
        await self.speaks.wait()
        page: str = await self._begin(intent)
        return page


def words(dice: Random, shop: Shop) -> bytes:
    """Something to say where a request is expected."""
    chunked = shop.presses("transfer-encoding: chunked\r\n")
    return dice.choice(
        [
            shop.page(),
            shop.page() * 3,
            shop.asks("/healthz") * dice.randrange(1, 40),
            shop.stream(),
            shop.stream("HEAD"),
            shop.stream() + shop.socket(),
            shop.presses("content-length: 20\r\n") + b'{"pool":"pin","x":1}',
            shop.presses("content-length: 9\r\n") + b"half",
            chunked + b"5\r\nhello\r\n0\r\nt: x\r\n\r\n",
            chunked + b"0\r\n" + b"t: x\r\n" * dice.randrange(5_000),
            shop.socket("content-length: 1\r\n"),
            shop.socket("cookie: " + "a" * 9_000 + "\r\n"),
            dice.randbytes(dice.randrange(200)),
            *[shop.socket()] * 10,
        ]
    )


def command(dice: Random) -> bytes:
    """What a fan says; he guesses what is his."""
    hold = f"h{dice.randrange(1, 12)}"
    commands: list[dict[str, object]] = [
        {"t": "hold", "pool": "pin"},
        {"t": "pay", "holds": [hold]},
        {"t": "release", "hold": hold},
        {"t": "join", "pools": ["pin"]},
    ]
    said = dice.choice(commands)
    key = f"key-{dice.randrange(99):08}"
    return framed(TEXT, json.dumps(said | {"id": 1, "key": key}).encode())


def frames(dice: Random) -> bytes:
    """Something to say where a frame is expected."""
    eight = b"\x7f" + bytes(7)
    if dice.random() < 0.4:
        return command(dice)
    return dice.choice(
        [
            ping(dice.randrange(99), dice.choice([0, 0, 200])),
            ping(1) * dice.randrange(60),
            framed(PING, b"x" * dice.randrange(126)) * dice.randrange(60),
            framed(PONG, b"", size=eight + b"\0") * dice.randrange(200),
            framed(PING, b"x", size=eight + b"\1") * dice.randrange(60),
            framed(0x01, b'{"t"') + framed(PING) + framed(0x80, b":1}"),
            framed(0x01) + framed(0x00) * dice.randrange(60),
            framed(TEXT, b"x" * dice.choice([10, 4_096, 5_000])),
            framed(BINARY, b"x"),
            framed(TEXT, b"{}", mask=False),
            framed(CLOSE, b"\x03\xe8"),
            dice.randbytes(dice.randrange(40)),
        ]
    )


class Visitor:
    """A connection that says anything, reads or does not, and goes at any time."""

    def __init__(self, dice: Random, shop: Shop, one: Line, ticket: str) -> None:
        self.dice = dice
        self.heard = bytearray()
        self._one = one
        fan = dice.random() < 0.3
        self._unsaid = shop.socket(f"cookie: fan={ticket}\r\n") if fan else words(dice, shop)
        self._reads = dice.random() < 0.8
        self._socket = fan or self._unsaid == shop.socket()
        self._gone = False

    async def step(self) -> None:
        if self._gone:
            return
        if self._reads:
            self._hear()
        if not self._unsaid and self._socket:
            self._unsaid = frames(self.dice)
        cut = self.dice.choice([1, 2, 5, 30, 1_000, 100_000])
        try:
            sent = self._one.end.send(self._unsaid[:cut])
        except OSError:
            sent = 0
        self._unsaid = self._unsaid[sent:]
        if self.dice.random() < 0.03:
            self._gone = True
            if self._reads:
                self._hear()
            self.dice.choice([self._one.reset, self._one.end.close])()

    def _hear(self) -> None:
        try:
            while block := self._one.end.recv(1 << 16):
                self.heard += block
        except OSError:
            pass

    def leave(self) -> None:
        if not self._gone:
            self._hear()

    def told(self) -> Iterator[tuple[int, bytes]]:
        """The frames that came, if it was let in."""
        head, _, rest = bytes(self.heard).partition(b"\r\n\r\n")
        while head.startswith(b"HTTP/1.1 101") and len(rest) >= 2:
            size, at = rest[1], 2
            if size >= 126:
                at += 2 if size == 126 else 8
                size = int.from_bytes(rest[2:at], "big")
            if len(rest) < at + size:
                return
            yield rest[0], rest[at : at + size]
            rest = rest[at + size :]

    def streamed(self) -> list[bytes]:
        """What came of an event stream."""
        stream = b"text/event-stream" in self.heard
        return re.findall(rb"data: (\{.*\})\n\n", self.heard) if stream else []

    def check(self) -> None:
        """`seq` never fell, and nothing followed a close frame."""
        seq, closed = 0, False
        for text in self.streamed():
            said = json.loads(text)
            if said["t"] in ("snapshot", "tick"):
                assert said["seq"] >= seq
                seq = said["seq"]
        for opcode, payload in self.told():
            assert not closed, (opcode, payload)
            closed = opcode == CLOSE
            if opcode == TEXT:
                said = json.loads(payload)
                if said["t"] in ("snapshot", "tick"):
                    assert said["seq"] >= seq
                    seq = said["seq"]


class Watch:
    """The counts of one web process, held against its connections."""

    def __init__(self, web: WebProcess, known: set[int]) -> None:
        self.web = web
        self.limits = [
            one
            for one in gc.get_objects()
            if issubclass(type(one), OpenLimit) and id(one) not in known
        ]
        assert len(self.limits) == 3

    def check(self) -> None:
        kind: Any = self.web.config.http_protocol_class
        there: list[Any] = list(self.web.server.server_state.connections)
        counted = len(kind.heads) + sum(limit.open for limit in self.limits)
        # Who was refused is about to go, and has nothing that keeps him.
        alive = [
            one
            for one in there
            if not one.transport.is_closing() or one.transport.get_write_buffer_size()
        ]
        assert len(alive) <= counted <= len(there)
        for one in there:
            assert one.transport.get_write_buffer_size() <= 2 * BACKLOG_BYTES_MAX
            if hasattr(one, "pipeline"):
                assert len(one.pipeline) <= PIPELINED_MAX
                assert len(one.headers or ()) * 4 <= READ_AT_ONCE
            else:
                assert len(one._rest) <= STRAY_BYTES_MAX + READ_AT_ONCE


async def happen(dice: Random, sale: Sale, proxy: FaultProxy, provider: Provider, n: int) -> None:
    """Something else, besides bytes."""
    chance = dice.random()
    if chance < 0.1:
        # The server is slow, says nothing, or is gone for a moment.
        proxy.plan(dice.choice([Fate.DELAY_REPLY, Fate.HANG, Fate.RESET, Fate.DROP_REPLY]))
    elif chance < 0.15:
        await proxy.cut()
    elif chance < 0.2:
        provider.speaks.clear()
    elif chance < 0.3:
        proxy.go()
        provider.speaks.set()
    elif chance < 0.6:
        await sale.held(f"fan-{n}")
    elif chance < 0.7:
        await sale.creator("message", text="x" * 400)


@pytest.mark.parametrize("seed", seeds(6))
async def test_four_things_stay_true_whatever_comes(
    server: Server, tmp_path: Path, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    dice = Random(seed)
    known = {id(one) for one in gc.get_objects() if issubclass(type(one), OpenLimit)}
    limits = {"heads_max": 5, "http_per_network_max": 6, "sockets_per_network_max": 6}
    more = limits if dice.random() < 0.5 else {}
    # The drop itself is changed past the proxy.
    store = Store(connections.client(server.url))
    sale = Sale(store, f"anything-{seed}", now=0)
    await sale.publish(manifest(sale.drop, item("pin", {"pin": 500})))
    await sale.creator("open")
    try:
        async with (
            FaultProxy(server.socket, tmp_path / "proxy.sock") as proxy,
            web_process.front(settings(proxy.url, tmp_path, **SHORT | more)) as web,
        ):
            watch = Watch(web, known)
            provider = Provider(web.runtime.payments.of(""))
            shop = Shop(web.port, sale.drop)
            # Where the server is away from the beginning there is no room for anybody.
            seated = False
            if dice.random() < 0.7:
                with suppress(Unavailable):
                    seated = await web.runtime.hub.room(sale.drop) is not None
            people: list[tuple[Visitor, Any]] = []
            everybody: list[Visitor] = []
            for n in range(STEPS):
                if len(people) < VISITORS or dice.random() < 0.2:
                    entering = line(web.port, local=f"127.0.0.{dice.randrange(2, 5)}")
                    visitor = Visitor(dice, shop, await entering.__aenter__(), web.ticket()[1])
                    people.append((visitor, entering))
                    everybody.append(visitor)
                for visitor, _ in people:
                    await visitor.step()
                    watch.check()
                await asyncio.sleep(dice.choice([0, 0, 0.01]))
                await happen(dice, sale, proxy, provider, n)
                watch.check()
            if dice.random() < 0.5:
                stopping = asyncio.create_task(web.stop())
                while not stopping.done():
                    for visitor, _ in people:
                        await visitor.step()
                    watch.check()
                    await asyncio.sleep(0.01)
                await stopping
            for visitor, entering in people:
                visitor.leave()
                await entering.__aexit__(None, None, None)
                visitor.check()
            await web_process.until(lambda: not web.server.server_state.connections)
            watch.check()
            assert [limit.open for limit in watch.limits] == [0, 0, 0]
            # Some of them were let in, and heard something.
            assert not seated or any(any(visitor.told()) for visitor in everybody)
    finally:
        await store.close()
    assert [one for one in caplog.records if one.exc_info] == []
