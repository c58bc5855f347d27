"""Event streams: the messages of a socket, one way, for who cannot have one."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from dropengine import outcomes
from dropengine.truth import scripts
from tests.kit import web_process
from tests.kit.event_stream import stream
from tests.kit.fault_proxy import Fate, FaultProxy
from tests.kit.private_server import Server
from tests.kit.raw_socket import handshake, line
from tests.kit.web_process import LONG_S, WebProcess, settings, until

server = web_process.server
web = web_process.web


async def test_a_stream_carries_what_a_socket_carries(web: WebProcess) -> None:
    sale = await web.sale()
    ada = web.ticket(sale.drop)
    async with stream(web, sale.drop, ada[1]) as events, web.fan(sale.drop, ada) as socket:
        first = await events.until("snapshot")
        assert first["you"]["fan"] == ada[0]
        assert first.keys() == socket.heard[0].keys()
        hold = (await socket.ask("hold", pool="pin"))["hold"]
        you = await events.until("you", lambda m: m["holds"])
        assert you["holds"] == [hold]
        seen = await events.until("tick", lambda m: m["seq"] >= 3)
        assert seen["pools"] == (await socket.tick(3))["pools"]
        await sale.creator("message", text="Hello & <welcome> \\n all")
        assert (await events.until("news"))["text"] == "Hello & <welcome> \\n all"
        # Where nothing happens, a reader hears that.
        assert (await events.until("beat"))["now"] >= seen["now"]


async def test_a_stream_of_nobody_is_a_watchers(web: WebProcess) -> None:
    sale = await web.sale()
    async with stream(web, sale.drop) as events:
        assert (await events.until("snapshot"))["you"] is None


async def test_a_stream_that_is_closed_leaves_nothing_behind(web: WebProcess) -> None:
    sale = await web.sale()
    room = await web.runtime.hub.room(sale.drop)
    assert room is not None
    for _ in range(3):
        async with stream(web, sale.drop, web.ticket()[1]) as events:
            await events.until("snapshot")
            assert len(room.seats) == 1
        await until(lambda: not room.seats and not room.fans)


async def test_a_network_may_have_so_many_streams_and_no_more(
    server: Server, tmp_path: Path
) -> None:
    async with web_process.front(settings(server.url, tmp_path, sockets_per_network_max=2)) as web:
        sale = await web.sale()
        async with stream(web, sale.drop) as one, stream(web, sale.drop) as two:
            await one.until("snapshot")
            await two.until("snapshot")
            async with web.http() as http:
                answer = await http.get(f"/drops/{sale.drop}/events")
                assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
                assert (await http.get(f"/api/drops/{sale.drop}")).status_code == 200
        await until(lambda: not web.runtime.hub.rooms[sale.drop].seats)
        async with stream(web, sale.drop) as again:
            await again.until("snapshot")


def asked(web: WebProcess, drop: str, method: str = "GET", version: str = "1.1") -> bytes:
    first = f"{method} /drops/{drop}/events HTTP/{version}\r\n"
    return f"{first}host: 127.0.0.1:{web.port}\r\n\r\n".encode()


BEHIND: dict[str, Callable[[WebProcess, str], bytes]] = {
    "nothing": lambda _web, _drop: b"",
    "another request": lambda web, drop: asked(web, "x"),
    "a stream more": asked,
    "the head alone": lambda web, drop: asked(web, drop, "HEAD"),
    "half a head": lambda web, drop: asked(web, drop)[:25],
    "half a body": lambda web, _drop: (
        f"POST /api/drops/x/hold HTTP/1.1\r\nhost: 127.0.0.1:{web.port}\r\n"
        "content-length: 9\r\n\r\nab"
    ).encode(),
    "garbage": lambda _web, _drop: b"\x16\x03\x01\r\n\r\n",
    "many requests": lambda web, _drop: asked(web, "x") * 14,
    "a handshake": handshake,
}


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("behind", BEHIND)
async def test_however_a_reader_leaves_his_place_is_given_back(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture, behind: str, *, reset: bool
) -> None:
    conf = settings(server.url, tmp_path, streams_max=1, body_s_max=60, header_s_max=60)
    async with web_process.front(conf) as web:
        sale = await web.sale()
        room = await web.runtime.hub.room(sale.drop)
        assert room is not None
        state = web.server.server_state
        packet = asked(web, sale.drop) + BEHIND[behind](web, sale.drop)
        for first in (packet, asked(web, sale.drop, "HEAD") + packet):
            async with line(web.port, first) as reader:
                if behind not in ("garbage", "a handshake"):
                    # Both are refused before it begins.
                    assert b'"t":"snapshot"' in await reader.until(b'"t":"snapshot"')
                    assert len(room.seats) == 1
                if reset:
                    reader.reset()
            await until(lambda: not (room.seats or state.connections or state.tasks))
        async with stream(web, sale.drop) as events:
            await events.until("snapshot")
    assert [one for one in caplog.records if one.exc_info or one.levelname == "ERROR"] == []


async def test_more_of_him_later_changes_nothing_about_a_readers_leaving(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with web_process.front(settings(server.url, tmp_path)) as web:
        sale = await web.sale()
        room = await web.runtime.hub.room(sale.drop)
        assert room is not None
        for more in (asked(web, sale.drop), b"GET", asked(web, "x") * 3, b"x" * 1_000):
            async with line(web.port, asked(web, sale.drop)) as reader:
                await reader.until(b'"t":"snapshot"')
                await reader.send(more)
                await sale.creator("message", text="still here")
                await reader.until(b'"t":"news"')
            await until(lambda: not (room.seats or web.server.server_state.connections))
        # What nobody will answer is not read for ever.
        async with line(web.port, asked(web, sale.drop)) as reader:
            await reader.until(b'"t":"snapshot"')
            for _ in range(100):
                await reader.send(b"x" * 1_000)
            await reader.everything()
    assert caplog.text == ""


async def test_the_head_of_a_stream_has_an_end_and_what_follows_is_answered(
    web: WebProcess,
) -> None:
    sale = await web.sale()
    room = await web.runtime.hub.room(sale.drop)
    assert room is not None
    async with line(web.port, asked(web, sale.drop, "HEAD") * 2 + asked(web, "nowhere")) as reader:
        said = await reader.until(b"not_found")
        assert said.count(b"200 OK") == 2
        assert said.count(b"content-type: text/event-stream") == 2
        assert b"404" in said
        assert not room.seats
    async with line(web.port, asked(web, "nowhere", "HEAD") + asked(web, sale.drop)) as reader:
        said = await reader.until(b"snapshot")
        assert (said.count(b" 404 "), said.count(b"200 OK")) == (1, 1)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_stream_that_nobody_reads_loses_its_connection_too(
    server: Server, tmp_path: Path, version: str
) -> None:
    conf = settings(
        server.url, tmp_path, seat_behind_ms_max=300, seat_buffer_bytes_max=1_024, streams_max=1
    )
    async with web_process.front(conf) as web:
        web.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        sale = await web.sale()
        room = await web.runtime.hub.room(sale.drop)
        assert room is not None
        async with line(web.port, asked(web, sale.drop, version=version), takes=4_096):
            await until(lambda: room.seats)
            while room.seats:
                told = await sale.creator("message", text="x" * 500)
                assert isinstance(told, outcomes.Changed)
                await asyncio.sleep(0)
            # It has lost its seat; it is counted as long as it is there.
            async with line(web.port, asked(web, sale.drop)) as other:
                assert b" 429 " in await other.until(b"\r\n")
            state = web.server.server_state
            await until(lambda: not (state.connections or state.tasks))
        async with stream(web, sale.drop) as events:
            await events.until("snapshot")


async def test_a_worker_has_so_many_streams(server: Server, tmp_path: Path) -> None:
    async with (
        web_process.front(settings(server.url, tmp_path, streams_max=2)) as web,
        contextlib.AsyncExitStack() as stack,
    ):
        sale = await web.sale()
        # All at once, for a drop that is not open here yet.
        lines = [
            await stack.enter_async_context(
                line(web.port, asked(web, sale.drop), local=f"127.0.0.{n + 2}")
            )
            for n in range(5)
        ]
        async with asyncio.timeout(LONG_S):
            heads = [(await one.until(b"\r\n"))[9:12] for one in lines]
        assert sorted(heads) == [b"200", b"200", b"429", b"429", b"429"]


async def test_who_goes_before_his_drop_is_read_takes_no_place(
    server: Server, tmp_path: Path
) -> None:
    async with (
        FaultProxy(server.socket, tmp_path / "proxy.sock") as proxy,
        web_process.front(settings(proxy.url, tmp_path, streams_max=1)) as web,
    ):
        sale = await web.sale()
        proxy.plan(Fate.DELAY, holding=scripts.load()["view"].sha)
        async with line(web.port, asked(web, sale.drop)) as gone:
            await until(lambda: web.server.server_state.tasks)
            async with line(web.port, asked(web, sale.drop)) as reader:
                await until(lambda: len(web.server.server_state.tasks) == 2)
                gone.reset()
                await until(lambda: len(web.server.server_state.connections) == 1)
                await proxy.strikes(Fate.DELAY)
                proxy.go()
                assert b'"t":"snapshot"' in await reader.until(b'"t":"snapshot"')
