"""Whoever has the page of an old drop open is told when something happens to it after all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from dropengine import outcomes
from dropengine.config import Settings
from dropengine.jobs.ledger.archiving import Archiving
from dropengine.jobs.ledger.projector import Projector
from dropengine.sql.database import Database
from dropengine.truth import connections
from tests.kit import web_process
from tests.kit.private_server import Server
from tests.kit.sale import Sale
from tests.kit.web_process import Fan, WebProcess, front, settings, until

server = web_process.server
pytestmark = pytest.mark.usefixtures("synced")

HALF_A_YEAR_MS = 181 * 86_400_000


@pytest.fixture
async def web(
    server: Server, sql_settings: Settings, database: Database
) -> AsyncIterator[WebProcess]:
    # The ledger of the test before has its leases still.
    fresh = connections.client(server.url)
    await fresh.flushall()
    await fresh.aclose(close_connection_pool=True)
    more = {"database_url": sql_settings.database_url}
    async with front(settings(server.url, sql_settings.data_dir, **more)) as one:
        yield one


async def leave(web: WebProcess, sale: Sale, database: Database) -> None:
    store = web.runtime.store
    await sale.creator("close")
    for duty in await store.duties(sale.drop):
        await sale.end_duty(duty, "by_hand")
    await sale.settle()
    await Projector(store, database).round()
    later_ms = await store.time_ms() + HALF_A_YEAR_MS
    conf = Settings(data_dir=web.runtime.settings.data_dir)
    await Archiving(store, database, conf, now_ms=lambda: later_ms).round()
    assert await store.is_archived(sale.drop)


async def refunded(web: WebProcess, sale: Sale, order: str, fan: Fan) -> None:
    assert isinstance(await sale.refund(order), outcomes.Refunded)
    async with asyncio.timeout(web_process.LONG_S):
        await fan.until(
            "you", lambda m: [one["state"] for one in m["orders"]] == ["refund_pending"]
        )


async def test_a_fan_who_opened_its_page_from_the_archive_hears_of_his_refund(
    web: WebProcess, database: Database
) -> None:
    sale = await web.sale()
    who = web.ticket(sale.drop)
    order = await sale.bought(who[0])
    await leave(web, sale, database)
    async with web.fan(sale.drop, who) as fan:
        await refunded(web, sale, order, fan)


async def test_a_fan_who_had_its_page_open_since_before_hears_of_his_refund(
    web: WebProcess, database: Database
) -> None:
    sale = await web.sale()
    who = web.ticket(sale.drop)
    async with web.fan(sale.drop, who) as fan:
        order = await sale.bought(who[0])
        await leave(web, sale, database)
        room = web.runtime.hub.rooms[sale.drop]
        await until(lambda: room.view and room.view.mail_end == 0)
        await refunded(web, sale, order, fan)
