"""The one subscription of a worker: whatever becomes of it, nudges come again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from dropengine.live.room import Room
from tests.kit import web_process
from tests.kit.fault_proxy import Fate, FaultProxy
from tests.kit.manifests import item
from tests.kit.private_server import Server
from tests.kit.sale import Sale
from tests.kit.web_process import LONG_S, WebProcess, settings, until

server = web_process.server
SELDOM_MS, OFTEN_MS = 10_000, 100
"""How often a room looks by itself."""


@pytest.fixture
async def far(server: Server, tmp_path: Path) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(server.socket, tmp_path / "proxy.sock") as one:
        yield one


@pytest.fixture
async def web(
    far: FaultProxy, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[WebProcess]:
    """A web process that hears of its server through the proxy."""
    conf = settings(far.url, tmp_path, view_ms=getattr(request, "param", OFTEN_MS))
    async with web_process.front(conf) as one:
        yield one


async def watched(web: WebProcess, sale: Sale) -> Room:
    room = await web.runtime.hub.room(sale.drop)
    assert room is not None
    return room


async def told(sale: Sale, room: Room) -> None:
    """Until a nudge tells the room of a sale that goes on; a look of its own is not enough."""
    before, count = room.nudged, 0
    async with asyncio.timeout(LONG_S):
        while room.nudged == before:
            count += 1
            await sale.hold(f"{before}-{count}")
            await until(shows(room, before, (await sale.log())[-1].seq))


def shows(room: Room, before: int, seq: int) -> Callable[[], object]:
    return lambda: room.nudged > before or (room.view is not None and room.view.seq >= seq)


async def sale_of_many(web: WebProcess) -> Sale:
    return await web.sale(item("pin", {"pin": 100_000}))


@pytest.mark.parametrize(
    ("web", "pongs"),
    [(SELDOM_MS, False), (OFTEN_MS, False), (OFTEN_MS, True)],
    indirect=["web"],
)
async def test_a_subscription_that_brings_nothing_more_is_made_anew(
    web: WebProcess, far: FaultProxy, pongs: bool
) -> None:
    """It is cut where nobody tells; or it answers to pings, and its news are lost."""
    sale = await sale_of_many(web)
    async with web.watcher(sale.drop):
        room = await watched(web, sale)
        await told(sale, room)
        assert far.silence(pongs=pongs) == 1
        subscribed = far.seen["SUBSCRIBE"]
        await told(sale, room)
        assert far.seen["SUBSCRIBE"] > subscribed


@pytest.mark.parametrize("fate", [Fate.BLACK_HOLE, Fate.HANG, Fate.RESET, Fate.DROP_REPLY])
async def test_a_subscription_that_is_not_answered_is_tried_again(
    web: WebProcess, far: FaultProxy, fate: Fate
) -> None:
    sale = await sale_of_many(web)
    async with web.watcher(sale.drop):
        room = await watched(web, sale)
        await told(sale, room)
        far.plan(fate, command="SUBSCRIBE")
        await sale.store.client.client_kill_filter(_type="pubsub")
        await told(sale, room)
        assert far.planned == 0


async def test_a_quiet_subscription_is_left_alone(web: WebProcess, far: FaultProxy) -> None:
    """Nothing happens for longer than a silence may last: the answers to pings are enough."""
    sale = await sale_of_many(web)
    async with web.watcher(sale.drop):
        room = await watched(web, sale)
        await told(sale, room)
        subscribed, heard = far.seen["SUBSCRIBE"], web.runtime.hub._nudges._heard
        await until(lambda: web.runtime.hub._nudges._heard >= heard + 3)
        assert far.seen["SUBSCRIBE"] == subscribed
