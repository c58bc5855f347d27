"""Every frame counts, whatever its form, and nothing follows a close frame but the end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from dropengine import wire
from tests.kit import web_process
from tests.kit.private_server import Server
from tests.kit.raw_socket import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    framed,
    handshake,
    line,
    ping,
    raw,
)
from tests.kit.web_process import LONG_S, WebProcess, settings, until

server = web_process.server
web = web_process.web

PROTOCOL_ERROR = 1002


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> object:
    """Whatever a client sends, nobody is called to look at a traceback."""
    yield
    assert caplog.text == ""


def eight(head: int, payload: bytes = b"") -> bytes:
    """A frame whose length stands in eight bytes, however short it is."""
    return framed(head, payload, size=b"\x7f" + len(payload).to_bytes(8, "big"))


STORMS: dict[str, Callable[[int], bytes]] = {
    "pings": lambda _: framed(PING, b"x"),
    "pongs": lambda _: framed(PONG),
    "long pings": lambda _: framed(PING, b"x" * 125),
    "pongs of eight": lambda _: eight(PONG),
    "pings of eight": lambda _: eight(PING, b"x"),
    "messages of eight": lambda n: eight(TEXT, b'{"t":"ping","id":%d,"c":0}' % n),
    "pieces": lambda n: framed(0x80 if n % 2 else 0x01, b"{}" * (n % 2)),
    "empty pieces": lambda n: framed(0x00 if n else 0x01),
    "pieces of eight": lambda n: eight(0x00 if n else 0x01),
    "messages": ping,
}


@pytest.mark.parametrize("first", [b"", eight(TEXT, b"{}"), eight(PING), framed(0x01, b"{")])
@pytest.mark.parametrize("what", STORMS)
async def test_every_frame_counts_in_every_form_and_nothing_follows_the_close_frame(
    web: WebProcess, what: str, first: bytes
) -> None:
    sale = await web.sale()
    burst = 2 * web.runtime.settings.messages_per_s_max
    async with raw(web, sale.drop) as client:
        room = web.runtime.hub.rooms[sale.drop]
        client.writer.write(first + b"".join(STORMS[what](n) for n in range(1_500)))
        answers = 0
        while True:
            head, payload = await client.frame()
            if head == CLOSE:
                break
            answers += head == PONG or b'"pong"' in payload or b'"refused"' in payload
        # A message within a message is refused for that.
        code = int.from_bytes(payload[:2], "big")
        assert code == wire.CloseCode.FLOOD or (first[:1] == b"\x01" and code == PROTOCOL_ERROR)
        # As many as the burst, and what a moment more has earned.
        assert answers <= burst + web.runtime.settings.messages_per_s_max
        await sale.held("somebody")
        client.writer.write(framed(PING, b"late") * 5 + ping(9) + framed(CLOSE, payload[:2]))
        async with asyncio.timeout(LONG_S):
            with suppress(ConnectionError):
                assert await client.reader.read() == b""
    await until(lambda: not room.seats)


@pytest.mark.parametrize("what", ["pings", "messages", "pongs of eight", "garbage"])
async def test_who_talks_on_after_our_close_frame_is_cut_off(web: WebProcess, what: str) -> None:
    sale = await web.sale()
    state = web.server.server_state
    async with raw(web, sale.drop) as client:
        await client.send(framed(BINARY, b"{}"))
        await client.until(CLOSE)
        storm = framed(0x83, b"x") if what == "garbage" else STORMS[what](1)
        async with asyncio.timeout(LONG_S):
            with suppress(ConnectionError):
                while state.connections:
                    await client.send(storm * 1_000)
                    await asyncio.sleep(0)
        await until(lambda: not state.connections)


@pytest.mark.parametrize("cut", range(1, 15))
async def test_a_length_in_eight_bytes_may_come_in_any_pieces(web: WebProcess, cut: int) -> None:
    sale = await web.sale()
    async with raw(web, sale.drop) as client:
        whole = eight(TEXT, b'{"t":"ping","id":1,"c":0}')
        await client.send(whole[:cut])
        await asyncio.sleep(0)
        await client.send(whole[cut:] + ping(2))
        assert [await client.pong(), await client.pong()] == [1, 2]


async def test_a_message_may_be_as_long_as_the_setting_says(server: Server, tmp_path: Path) -> None:
    async with web_process.front(settings(server.url, tmp_path, frame_bytes_max=65_536)) as web:
        sale = await web.sale()
        async with raw(web, sale.drop) as client:
            text = b'{"t":"ping","id":1,"c":0}'
            await client.send(framed(TEXT, text.ljust(65_536)))
            assert await client.pong() == 1
            await client.send(framed(TEXT, text.ljust(65_537)))
            assert await client.closed() == wire.CloseCode.TOO_BIG


BACKLOG_ENDS: dict[str, bytes] = {
    "goodbye": framed(CLOSE, b"\x03\xe8"),
    "a reserved bit": framed(0xC1, b"{}"),
    "unmasked": framed(TEXT, b"{}", mask=False),
    "binary": framed(BINARY, b"{}"),
    "too long": framed(TEXT, b"x" * 5_000),
    "fin": b"",
}


@pytest.mark.parametrize("how", BACKLOG_ENDS)
async def test_a_socket_that_ends_with_a_backlog_is_counted_until_it_is_cut_off(
    server: Server, tmp_path: Path, how: str
) -> None:
    conf = settings(
        server.url, tmp_path, messages_per_s_max=10_000, sockets_per_network_max=1, sockets_max=9
    )
    async with web_process.front(conf) as web:
        web.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        sale = await web.sale()
        room = await web.runtime.hub.room(sale.drop)
        assert room is not None
        async with line(web.port, handshake(web, sale.drop), takes=4_096) as deaf:
            await until(lambda: room.seats)
            (seat,) = room.seats
            while seat.conn.unsent() < 20_000:
                await deaf.send(ping(1) * 50)
                await asyncio.sleep(0)
            await deaf.send(BACKLOG_ENDS[how])
            if how == "fin":
                deaf.end.shutdown(socket.SHUT_WR)
            await until(lambda: not room.seats)
            async with line(web.port, handshake(web, sale.drop)) as other:
                assert b" 503 " in await other.everything()
            await until(lambda: not web.server.server_state.connections)
            async with raw(web, sale.drop) as client:
                await client.send(ping(1))
                assert await client.pong() == 1
