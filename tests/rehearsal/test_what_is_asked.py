"""Where a drop asks what its orders have to know, the simulated crowd says it before it pays."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from dropengine.asked import Asks
from dropengine.manifest import Manifest
from dropengine.people import answers
from dropengine.rehearsal.clone import clone
from dropengine.rehearsal.fans import Crowd
from dropengine.rehearsal.fans.plans import Ending
from tests.kit import web_process
from tests.kit.laid_tables import lay
from tests.kit.manifests import item, manifest
from tests.kit.private_server import Server
from tests.kit.web_process import front, settings
from tests.rehearsal.test_fans import PLAN

server = web_process.server

ASKS = Asks(
    name="required",
    address="required",
    phone="optional",
    note="required",
    note_label="Name to engrave",
    note_chars=6,
)


async def test_a_crowd_says_what_a_drop_asks_and_buys(server: Server, tmp_path: Path) -> None:
    conf = settings(server.url, tmp_path)
    lay(conf)
    async with front(conf) as web:
        sale = await web.sale(item("pin", {"pin": 9}, most=3), limit=3, asks=ASKS)
        crowd = Crowd(web.url, seed=7)
        plan = msgspec.structs.replace(PLAN, ending=Ending.PAY, qty=2)
        fans = [crowd.enter(sale.drop, plan) for _ in range(3)]
        crowd.opened.set()
        async with asyncio.timeout(60):
            for fan in fans:
                await fan.browser.until(lambda fan=fan: bool(fan.browser.orders))  # type: ignore[misc]
        orders = {order for fan in fans for order in fan.browser.orders}
        doubts = [fan.screen.faults for fan in fans]
        await crowd.close()
        told = await web.runtime.database.read(lambda sql: answers.of_orders(sql, sale.drop))
    assert len(orders) == 3
    assert not any(doubts)
    assert [ASKS.missing(2, told[order].answers) for order in orders] == [[]] * 3
    assert len({one.answers[0, "name"] for one in told.values()}) == 3


def test_the_rehearsal_of_a_drop_asks_what_the_drop_asks() -> None:
    own: Manifest = msgspec.structs.replace(manifest("pins"), asks=ASKS)
    assert clone(own, 1).manifest.asks == ASKS
