"""Event streams: the messages of a socket, one way, for who cannot have one."""

from __future__ import annotations

from pathlib import Path

from tests.kit import web_process
from tests.kit.event_stream import stream
from tests.kit.private_server import Server
from tests.kit.web_process import WebProcess, settings, until

server = web_process.server
web = web_process.web


async def test_a_stream_carries_what_a_socket_carries(web: WebProcess) -> None:
    sale = await web.sale()
    ada = web.ticket()
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
