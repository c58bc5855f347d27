"""What has gone is kept by nothing: the memory of a crowd that left is there for the next."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from websockets.protocol import Protocol as Framing

from dropengine.live.queued_frames import QueueConn
from dropengine.live.seat import Seat
from dropengine.live.socket_protocol import LiveProtocol
from tests.kit import web_process
from tests.kit.private_server import Server
from tests.kit.raw_socket import line
from tests.kit.sale import Sale
from tests.kit.ways_to_leave import WAYS, Shop
from tests.kit.web_process import LONG_S, WebProcess, settings

server = web_process.server

KINDS = (HttpToolsProtocol, LiveProtocol, Framing, RequestResponseCycle, QueueConn, Seat)
SHORT: dict[str, Any] = {
    **dict.fromkeys(("header_s_max", "body_s_max", "answer_s_max", "keep_alive_s"), 1),
    **dict.fromkeys(("ping_s", "pong_s_max"), 1),
    "seat_behind_ms_max": 500,
    "seat_buffer_bytes_max": 4_096,
}


@pytest.fixture(autouse=True)
def no_collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """It comes rarely, and not before memory was taken."""
    monkeypatch.setattr(LiveProtocol, "close_timeout", 1.0)
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def kept() -> Counter[str]:
    kinds = (type(one) for one in gc.get_objects())
    return Counter(kind.__name__ for kind in kinds if issubclass(kind, KINDS))


async def gone(web: WebProcess, sale: Sale) -> None:
    """So much is told meanwhile that who does not read falls behind."""
    async with asyncio.timeout(LONG_S):
        while web.server.server_state.connections or web.server.server_state.tasks:
            await sale.creator("message", text="\u00e9" * 500)


async def test_who_has_gone_waits_for_no_collector(server: Server, tmp_path: Path) -> None:
    async with web_process.front(settings(server.url, tmp_path, **SHORT)) as web:
        sale = await web.sale()
        assert await web.runtime.hub.room(sale.drop) is not None
        shop = Shop(web.port, sale.drop)
        before = kept()
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as crowd:
            for way in WAYS.values():
                takes = None if way.reads else 4_096
                one = await stack.enter_async_context(line(web.port, takes=takes))
                crowd.create_task(way.go(shop, one))
            await gone(web, sale)
        assert kept() - before == Counter()
