"""The server's clock as the shop lives with it: marks that tell an outage, what screens read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dropengine.log import replay
from dropengine.log.referee import judge
from dropengine.truth import keys
from dropengine.truth.store import Store
from tests.kit import web_process
from tests.kit.manifests import EXTEND_MS, HOLD_MS, manifest
from tests.kit.private_server import Server
from tests.kit.sale import Sale
from tests.kit.web_process import WebProcess, front, settings

server = web_process.server

LEAP_MS = 7_200_000


@pytest.fixture
async def web(server: Server, tmp_path: Path) -> AsyncIterator[WebProcess]:
    async with front(settings(server.url, tmp_path)) as one:
        yield one


async def real(store: Store, drop: str) -> Sale:
    """A live drop as a shop sells it: by the server's clock alone."""
    sale = Sale(store, drop, now=0)
    await store.publish(manifest(drop), by="o1", key="publish")
    sale.revision = 1
    await sale.creator("open")
    return sale


async def mark(sale: Sale) -> int:
    """When a script of the drop last left one, by the server's clock."""
    return int(await sale.store.client.hget(keys.one(sale.drop, "wake"), "ran") or 0)


async def away(sale: Sale, ms: int) -> None:
    """As if the last script had run so long ago: the server knows no other clock."""
    now = await sale.store.time_ms()
    await sale.store.client.hset(keys.one(sale.drop, "wake"), "ran", now - ms)


async def check(sale: Sale) -> None:
    lines = [line async for line in sale.store.log(sale.drop)]
    assert judge(lines).violations == []
    assert replay.difference(replay.fold_lines(lines), await sale.truth()) == []


async def test_every_script_leaves_a_mark_and_renews_one_that_is_old(store: Store) -> None:
    sale = await real(store, "marked")
    first = await mark(sale)
    assert first > 0
    await sale.settle()
    assert await mark(sale) == first, "not with every call"
    for ask in (sale.settle, lambda: sale.you("ana"), lambda: sale.hold("ana")):
        await away(sale, 5_000)
        await ask()
        assert await mark(sale) >= first
    assert "realigned" not in await sale.words()


async def test_screens_are_told_when_the_time_goes_on_again(web: WebProcess) -> None:
    """The clock leapt ahead and was put right: until then time stands still, and a cart seems to
    last for hours."""
    sale = await web.sale()
    async with web.fan(sale.drop) as ana:
        sale.now = await sale.store.time_ms() + LEAP_MS
        await sale.creator("message", text="What time is it?")
        sale.now = 0
        done = await ana.ask("hold", pool="pin")
        assert done["hold"]["deadline_ms"] > await sale.store.time_ms() + LEAP_MS
        await sale.creator("realign")
        you = await ana.shows(
            "you", lambda m: m["holds"][0]["deadline_ms"] < done["hold"]["deadline_ms"]
        )
        left = you["holds"][0]["deadline_ms"] - await sale.store.time_ms()
        assert 0 < left <= HOLD_MS
        extended = await ana.ask("extend", hold=done["hold"]["id"])
        later = extended["hold"]["deadline_ms"] - you["holds"][0]["deadline_ms"]
        assert later == EXTEND_MS
        await ana.socket.send('{"t":"ping","id":9,"c":1}')
        pong = await ana.until("pong", lambda m: m["id"] == 9)
        assert abs(pong["s"] - await sale.store.time_ms()) < LEAP_MS // 2
    await check(sale)
