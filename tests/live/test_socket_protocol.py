"""Bytes of a socket: what we use of uvicorn's class is there, and no byte makes it stumble."""

from __future__ import annotations

import asyncio
import inspect
import os
import socket
import stat
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from random import Random

import msgspec
import pytest
import uvloop
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame as WireFrame
from websockets.frames import Opcode

from dropengine import wire
from dropengine.live.keepalive import Keeper
from dropengine.live.seat import Frame
from dropengine.live.socket_protocol import LiveProtocol
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
    ping,
    raw,
)
from tests.kit.web_process import LONG_S, WebProcess, settings, until

server = web_process.server
web = web_process.web

PROTOCOL_ERROR, BAD_DATA, INTERNAL_ERROR = 1002, 1007, 1011


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("data_received", ["data"]),
        ("pause_writing", []),
        ("resume_writing", []),
        ("connection_lost", ["exc"]),
        ("shutdown", []),
        ("handle_connect", ["event"]),
        ("handle_pong", ["event"]),
        ("start_keepalive", []),
        ("stop_keepalive", []),
        ("keepalive_timeout", []),
        ("handle_close", ["event"]),
        ("send_receive_event_to_app", []),
        ("send_500_response", []),
        ("run_asgi", []),
        ("receive", []),
        ("send", ["message"]),
    ],
)
def test_the_methods_that_are_overridden_and_called_are_there(
    method: str, arguments: list[str]
) -> None:
    found = inspect.signature(getattr(WebSocketsSansIOProtocol, method)).parameters
    assert list(found) == ["self", *arguments]


async def test_the_state_that_is_read_and_written_is_there(web: WebProcess) -> None:
    bare = WebSocketsSansIOProtocol(web.config, web.server.server_state, {})
    for name, kind in {
        "frames": list,
        "curr_msg_data_type": str,
        "close_sent": bool,
        "close_timeout": float,
        "handshake_complete": bool,
        "read_paused": bool,
        "queue": asyncio.Queue,
    }.items():
        assert isinstance(getattr(bare, name), kind), name
    for name in ("close_timer", "transport", "conn", "loop", "config", "logger", "app"):
        assert hasattr(bare, name), name
    for name in ("send_close", "data_to_send", "receive_data"):
        assert callable(getattr(bare.conn, name)), name
    # What `take` deletes is what the parent sets in the handshake, and nothing it reads later.
    text = inspect.getsource(WebSocketsSansIOProtocol)
    for name in ("scope", "request", "response"):
        assert f"self.{name}" in text


async def test_the_short_way_leaves_out_only_what_the_long_one_needs(web: WebProcess) -> None:
    sale = await web.sale()
    there = web.server.server_state.connections
    # The first one opens the room.
    async with web.watcher(sale.drop):
        before = set(there)
        async with web.watcher(sale.drop):
            (short,) = there - before
        assert isinstance(short, LiveProtocol)
        long = WebSocketsSansIOProtocol(web.config, web.server.server_state, {})
        left_out = {name for name in vars(long) if not hasattr(short, name)}
    # The application's task and its scope: there is none.
    assert left_out == {
        *("app", "asgi_version", "root_path", "default_headers", "tasks"),
        *("server", "scheme"),
    }


async def test_a_socket_is_told_lost_before_its_file_may_be_somebody_elses(
    server: Server, tmp_path: Path
) -> None:
    """Ticks are written past the transport that closes it."""
    files: list[tuple[int, bool]] = []

    class Watched(LiveProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            assert self.sock is not None
            self.number = self.sock.fileno()

        def connection_lost(self, exc: Exception | None) -> None:
            files.append((self.number, stat.S_ISSOCK(os.fstat(self.number).st_mode)))
            super().connection_lost(exc)
            assert self.sock is not None
            assert self.sock.fileno() == -1

    async with web_process.front(settings(server.url, tmp_path), protocol=Watched) as web:
        sale = await web.sale()
        # The one goes with a word, the other without.
        async with web.watcher(sale.drop) as one, web.watcher(sale.drop) as other:
            room = web.runtime.hub.rooms[sale.drop]
            numbers = {seat.sock.fileno() for seat in room.seats if seat.sock is not None}
            other.socket.transport.abort()
            await one.socket.close()
            await until(lambda: len(files) == 2)
        assert {fd for fd, _ in files} == numbers
        assert all(open_still for _, open_still in files)
        assert not room.seats


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
def test_a_frame_is_framed_as_the_library_frames_it(size: int) -> None:
    text = b"x" * size
    assert Frame(text).raw == WireFrame(Opcode.TEXT, text).serialize(mask=False)


def test_an_answer_made_of_ready_parts_reads_as_the_encoder_writes_it() -> None:
    view = wire.HoldView("h1", 'k"1', "unit", 2, 900, "press", "active", 5, 6, True, False, False)
    hold = msgspec.Raw(wire.encode(view))
    assert wire.done(7, 12, hold) == wire.encode(wire.Done(7, 12, hold=view))
    both = wire.You(12, "ada", 2, [view], [], [], view)
    assert wire.encode(msgspec.structs.replace(both, holds=[hold], ended=hold)) == wire.encode(both)


def test_two_frames_may_travel_in_one_write() -> None:
    one, two = Frame(b"one"), Frame(b"two")
    both = Frame(b"one", two)
    assert both.raw == one.raw + two.raw
    assert (one.then, both.then) == (None, two)


@pytest.fixture(scope="module")
async def fast(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[WebProcess]:
    """Any number of messages."""
    conf = settings(server.url, tmp_path_factory.mktemp("fast"), messages_per_s_max=10_000)
    async with web_process.front(conf) as one:
        yield one


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> object:
    """Whatever a client sends, nobody is called to look at a traceback."""
    yield
    assert caplog.text == ""


@pytest.mark.parametrize("seed", range(20))
async def test_frames_are_read_however_the_bytes_are_cut(fast: WebProcess, seed: int) -> None:
    dice = Random(seed)
    sale = await fast.sale()
    stream, wanted = b"", []
    for number in range(60):
        what = dice.random()
        if what < 0.6:
            padding = dice.choice([0, 0, 80, 105, 106, 107, 1_000, 4_000])
            stream += ping(number, padding)
        elif what < 0.8:
            text = b'{"t":"ping","id":%d,"c":0}' % number
            at = dice.randrange(len(text) + 1)
            stream += framed(0x01, text[:at])
            if dice.random() < 0.5:
                # A control frame may stand between the pieces of a message.
                stream += framed(PING, b"between")
            stream += framed(0x80, text[at:])
        else:
            stream += framed(PING, b"p" * dice.randrange(126)) + ping(number)
        wanted.append(number)
    async with raw(fast, sale.drop) as client:
        at = 0
        while at < len(stream):
            size = dice.choice([1, 2, 3, 5, 6, 7, 8, 100, 5_000])
            await client.send(stream[at : at + size])
            at += size
            # Let what was sent arrive by itself as often as not.
            await asyncio.sleep(0)
        assert [await client.pong() for _ in wanted] == wanted


async def test_one_byte_at_a_time_is_a_message_too(fast: WebProcess) -> None:
    sale = await fast.sale()
    async with raw(fast, sale.drop) as client:
        for byte in ping(1) + framed(PING, b"x") + ping(2, 200):
            await client.send(bytes([byte]))
            await asyncio.sleep(0)
        assert [await client.pong(), await client.pong()] == [1, 2]


async def test_a_thousand_small_frames_in_one_block_are_read_in_order(fast: WebProcess) -> None:
    sale = await fast.sale()
    async with raw(fast, sale.drop) as client:
        await client.send(b"".join(ping(n) for n in range(1_000)))
        assert [await client.pong() for _ in range(1_000)] == list(range(1_000))


async def test_a_ping_is_answered_with_its_payload(web: WebProcess) -> None:
    sale = await web.sale()
    async with raw(web, sale.drop) as client:
        for payload in (b"", b"hello", b"\xff" * 125):
            await client.send(framed(PING, payload))
            assert await client.until(PONG) == payload
        await client.send(framed(PONG, b"nobody asked") + ping(5))
        assert await client.pong() == 5


@pytest.fixture(scope="module")
async def pinging(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[WebProcess]:
    """A ping a second, and a second to answer it."""
    conf = settings(server.url, tmp_path_factory.mktemp("pinging"), ping_s=1, pong_s_max=1)
    async with web_process.front(conf) as one:
        yield one


async def test_a_socket_that_answers_its_pings_stays_and_a_silent_one_is_closed(
    pinging: WebProcess,
) -> None:
    sale = await pinging.sale()
    async with raw(pinging, sale.drop) as answers, raw(pinging, sale.drop) as silent:
        asked = await silent.until(PING)
        # An answer to something else is none, and one that nobody asked for keeps nobody.
        await silent.send(framed(PONG) + framed(PONG, b"x" + asked))
        for _ in range(3):
            await answers.send(framed(PONG, await answers.until(PING)) * 2)
        assert await silent.closed() == INTERNAL_ERROR
        await answers.send(ping(1))
        assert await answers.pong() == 1
        assert len(pinging.runtime.hub.rooms[sale.drop].seats) == 1
    await until(lambda: not pinging.runtime.hub.seats)


async def test_a_pong_between_the_parts_of_a_message_is_one(pinging: WebProcess) -> None:
    sale = await pinging.sale()
    async with raw(pinging, sale.drop) as client:
        for _ in range(3):
            asked = await client.until(PING)
            await client.send(framed(0x01, b'{"t":"ping",') + framed(PONG, asked))
            await client.send(framed(0x80, b'"id":7,"c":0}'))
            assert await client.pong() == 7


async def test_nobody_is_asked_again_who_has_gone() -> None:
    keeper = Keeper(0.05, 0.05)

    class One:
        def __init__(self) -> None:
            self.pings = self.silences = 0

        def ping(self) -> None:
            self.pings += 1

        def silent(self) -> None:
            self.silences += 1

    stays, goes, goes_asked, _ = ones = [One(), One(), One(), One()]
    for one in ones:
        keeper.keep(one)
    keeper.forget(goes)
    await until(lambda: bool(goes_asked.pings))
    keeper.forget(goes_asked)
    keeper.heard(goes_asked)
    for count in range(1, 4):
        await until(lambda count=count: stays.pings == count)  # type: ignore[misc]
        keeper.heard(stays)
        keeper.heard(stays)
    assert [(one.pings, one.silences) for one in ones] == [(3, 0), (0, 0), (1, 0), (1, 1)]


@pytest.mark.parametrize(
    ("what", "data", "code"),
    [
        ("unmasked", framed(TEXT, b"{}", mask=False), PROTOCOL_ERROR),
        ("unmasked and empty", b"\x81\x00\x00\x00\x00\x00", PROTOCOL_ERROR),
        ("compressed", framed(0xC1, b"{}"), PROTOCOL_ERROR),
        ("second reserved bit", framed(0xA1, b"{}"), PROTOCOL_ERROR),
        ("third reserved bit", framed(0x91, b"{}"), PROTOCOL_ERROR),
        ("unknown opcode", framed(0x83, b"{}"), PROTOCOL_ERROR),
        ("unknown control opcode", framed(0x8B, b"{}"), PROTOCOL_ERROR),
        ("a piece of nothing", framed(0x80, b"{}"), PROTOCOL_ERROR),
        ("a message within a message", framed(0x01, b"{") + framed(TEXT, b"{}"), PROTOCOL_ERROR),
        ("a ping in pieces", framed(0x09, b"x"), PROTOCOL_ERROR),
        ("a long ping", framed(PING, b"x" * 126), PROTOCOL_ERROR),
        ("half a close code", framed(CLOSE, b"\x03"), PROTOCOL_ERROR),
        ("a close code of nobody", framed(CLOSE, b"\x03\xe7"), PROTOCOL_ERROR),
        ("a close reason that is no text", framed(CLOSE, b"\x03\xe8\xff"), BAD_DATA),
        ("too long by one", framed(TEXT, b"x" * 4_097), wire.CloseCode.TOO_BIG),
        (
            "far too long",
            framed(TEXT, size=b"\x7f" + b"\x7f" + b"\xff" * 7),
            wire.CloseCode.TOO_BIG,
        ),
        ("binary", framed(BINARY, b"{}"), wire.CloseCode.BAD_MESSAGE),
        ("binary in pieces", framed(0x02, b"{") + framed(0x80, b"}"), wire.CloseCode.BAD_MESSAGE),
    ],
)
async def test_what_breaks_the_protocol_is_closed_with_its_code(
    web: WebProcess, what: str, data: bytes, code: int
) -> None:
    sale = await web.sale()
    async with raw(web, sale.drop) as client:
        await client.send(ping(1) + data)
        assert await client.pong() == 1
        if code == wire.CloseCode.BAD_MESSAGE:
            # An ordinary close: the server waits for the other side.
            payload = await client.until(CLOSE)
            assert payload[:2] == struct.pack("!H", code)
            await sale.held("somebody")
            await client.send(ping(2) + framed(CLOSE, payload[:2]))
            assert await client.reader.read() == b""
        else:
            assert await client.closed() == code
    await until(lambda: not web.runtime.hub.rooms[sale.drop].seats)


async def test_a_length_that_could_be_shorter_is_a_length(web: WebProcess) -> None:
    sale = await web.sale()
    async with raw(web, sale.drop) as client:
        text = b'{"t":"ping","id":1,"c":0}'
        await client.send(framed(TEXT, text, size=b"\x7e" + len(text).to_bytes(2, "big")))
        assert await client.pong() == 1


async def test_an_empty_message_is_refused_like_any_other(web: WebProcess) -> None:
    sale = await web.sale()
    async with raw(web, sale.drop) as client:
        await client.send(framed(TEXT))
        await client.until(TEXT, lambda text: b'"bad_message"' in text)


async def test_a_goodbye_is_answered_and_what_follows_it_is_nobodys(web: WebProcess) -> None:
    sale = await web.sale()
    async with raw(web, sale.drop) as client:
        await client.send(ping(1) + framed(CLOSE, b"\x03\xe8") + ping(2))
        assert await client.pong() == 1
        assert await client.closed() == 1000
    await until(lambda: not web.runtime.hub.rooms[sale.drop].seats)


async def test_a_socket_that_is_cut_leaves_nothing_behind(web: WebProcess) -> None:
    sale = await web.sale()
    room = await web.runtime.hub.room(sale.drop)
    assert room is not None
    for rest in (b"", ping(1)[:7], framed(0x01, b"half")):
        async with raw(web, sale.drop) as client:
            await client.send(rest)
            await client.until(TEXT)
            assert len(room.seats) == 1
        await until(lambda: not room.seats)


async def test_a_client_that_speaks_before_it_is_let_in_harms_only_itself(
    web: WebProcess,
) -> None:
    """It must wait for the handshake (RFC 6455, 4.1); whatever becomes of its bytes, no more."""
    sale = await web.sale()
    for early in (ping(1), ping(1)[:9], ping(1) + ping(2)[:3], b"\xff" * 20):
        async with raw(web, sale.drop, early) as client:
            await client.send(ping(3) + framed(CLOSE, b"\x03\xe8"))
            async with asyncio.timeout(LONG_S):
                with suppress(ConnectionError):
                    while await client.reader.read(65_536):
                        pass
    await until(lambda: not web.runtime.hub.rooms[sale.drop].seats)
    async with web.watcher(sale.drop) as watcher:
        assert watcher.heard[0]["t"] == "snapshot"


@pytest.mark.parametrize("seed", range(40))
async def test_noise_never_makes_it_stumble(web: WebProcess, seed: int) -> None:
    dice = Random(seed)
    sale = await web.sale()
    noise = dice.randbytes(dice.randrange(1, 300))
    if seed % 2:
        # Broken a little only: valid frames with one bit flipped somewhere.
        whole = bytearray(ping(1) + framed(0x01, b'{"t"') + framed(0x80, b":1}") + ping(2, 150))
        at = dice.randrange(len(whole))
        whole[at] ^= 1 << dice.randrange(8)
        noise = bytes(whole)
    async with raw(web, sale.drop) as client:
        await client.send(noise)
        client.writer.write_eof()
        async with asyncio.timeout(LONG_S):
            with suppress(ConnectionError):
                while await client.reader.read(65_536):
                    pass
    await until(lambda: not web.runtime.hub.rooms[sale.drop].seats)


@pytest.mark.parametrize("left", [0, 1])
async def test_who_leaves_before_he_is_let_in_costs_no_traceback(
    web: WebProcess, left: int
) -> None:
    """The drop is not open here yet, so letting him in takes a moment."""
    sale = await web.sale()
    _, writer = await asyncio.open_connection("127.0.0.1", web.port)
    writer.write(handshake(web, sale.drop))
    await writer.drain()
    tasks = web.server.server_state.tasks
    if left:
        await until(lambda: tasks)
    writer.transport.abort()
    await until(lambda: not tasks)
    room = web.runtime.hub.rooms.get(sale.drop)
    assert room is None or not room.seats


async def test_one_who_leaves_without_reading_does_not_stop_the_others_from_being_told(
    server: Server, tmp_path: Path
) -> None:
    """His goodbye came, our answer is stuck behind his backlog, and now the server stops."""
    conf = settings(server.url, tmp_path, messages_per_s_max=10_000)
    async with web_process.front(conf, timeout_graceful_shutdown=1) as web:
        web.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        sale = await web.sale()
        room = await web.runtime.hub.room(sale.drop)
        assert room is not None
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        deaf.connect(("127.0.0.1", web.port))
        deaf.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(deaf, handshake(web, sale.drop))
        await until(lambda: room.seats)
        (seat,) = room.seats
        while not seat.wants_tick:
            await loop.sock_sendall(deaf, ping(1) * 50)
            await asyncio.sleep(0)
        await loop.sock_sendall(deaf, framed(CLOSE, b"\x03\xe8"))
        await until(lambda: not room.seats)
        async with web.fan(sale.drop) as fan:
            stopping = asyncio.create_task(web.stop())
            assert await fan.closed() == wire.CloseCode.RESTART
            deaf.close()
            await stopping


def test_nothing_written_to_a_socket_that_is_gone_raises_on_uvloop(
    server: Server, tmp_path: Path
) -> None:
    async def play() -> None:
        async with web_process.front(settings(server.url, tmp_path)) as web:
            sale = await web.sale()
            room = await web.runtime.hub.room(sale.drop)
            assert room is not None
            async with web.watcher(sale.drop) as watcher, web.fan(sale.drop) as fan:
                (seat, _) = room.seats
                conn = seat.conn
                assert isinstance(conn, LiveProtocol)
                watcher.socket.transport.abort()
                conn.transport.abort()
                # It is still in its place, and everybody is told something.
                assert seat in room.seats
                conn.push(Frame(b"{}"))
                conn.end(1000, "")
                seat.push(Frame(b"{}"))
                done = await fan.ask("hold", pool="pin")
                await fan.tick(done["seq"])
                await until(lambda: seat not in room.seats)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(play())


def test_a_whole_talk_on_uvloop(server: Server, tmp_path: Path) -> None:
    async def play() -> None:
        async with web_process.front(settings(server.url, tmp_path)) as web:
            sale = await web.sale()
            async with web.fan(sale.drop) as fan:
                hold = (await fan.ask("hold", pool="pin"))["hold"]["id"]
                await fan.ask("pay", holds=[hold])
                await fan.ask("release", hold=hold)
                await fan.shows("you", lambda m: m["ended"] and not m["holds"])
                stopping = asyncio.create_task(web.stop())
                assert await fan.closed() == wire.CloseCode.RESTART
                await stopping

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(play())
