"""A fan at place 30 closes the page, and his browser is called to his turn.

Whoever calls him dies in the middle: what comes twice takes one place on the screen.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dropengine.config import Settings
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.truth.store import Store
from tests.kit import short_folder
from tests.kit.manifests import item, manifest
from tests.kit.push_service import Message, PushService, vapid
from tests.kit.shop_fan import LONG_S, shop_fan
from tests.kit.shop_in_browser import Drop

folder = short_folder.folder
pytestmark = pytest.mark.timeout(400)


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    async with PushService().at_work() as one:
        yield one


@pytest.fixture
def settings(folder: Path, sql_settings: Settings) -> Settings:
    return Settings(
        local_pay=True,
        data_dir=folder,
        database_url=sql_settings.database_url,
        port=0,
        disk_free_mib_min=16,
        maxmemory_mib=256,
        log_level="error",
        push_here=True,
    )


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[SupervisorProcess]:
    one = SupervisorProcess(settings)
    await asyncio.to_thread(one.start)
    yield one
    await asyncio.to_thread(one.stop)


async def until(service: PushService, number: int) -> Message:
    """The call of this number, waited for."""
    async with asyncio.timeout(LONG_S):
        while len(service.came) < number:
            service.heard.clear()
            await service.heard.wait()
    return service.came[number - 1]


async def test_at_place_30_a_browser_is_called_and_a_repeat_after_a_crash_is_the_same_call(
    settings: Settings, shop: SupervisorProcess, service: PushService
) -> None:
    store = Store.connect(shop.running.redis_url, settings.redis_prefix)
    drop = Drop(store, manifest("pins", item("pin", {"pin": 1}, most=1), limit=1))
    await drop.publish()
    await drop.open()
    phone = service.browser()
    async with shop_fan(shop.running.url) as fan:
        assert (await fan.http.get(drop.path)).status_code == 200
        first = await drop.hold("first")
        crowd = {name: await drop.join(name) for name in (f"fan{n}" for n in range(29))}
        await fan.press(drop.id, "calls", **phone.asks())
        await fan.press(drop.id, "join", pools=[drop.pool])
        assert await fan.place(drop.id) == 30
        for name in [*crowd][:20]:
            await drop.leave(name, crowd[name])
        near = phone.reads((await until(service, 1)).body)
        assert near["body"] == "You are at place 10 in line. Your turn is near."
        assert (near["path"], near["tag"]) == (drop.path, f"{drop.id}.ten_before")
        for name in [*crowd][20:]:
            await drop.leave(name, crowd[name])
        # It takes the call and says nothing; so it was sent and is not marked when the sender dies.
        service.silent = True
        await drop.release("first", first)
        offer = await until(service, 2)
        pid = shop.running.ledger_pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        service.silent = False
        again = await until(service, 3)
        assert phone.reads(offer.body) == phone.reads(again.body)
        assert offer.headers["topic"] == again.headers["topic"]
        assert offer.body != again.body
        (hold,) = (await fan.you(drop.id))["holds"]
        assert phone.reads(again.body)["at"] == hold["deadline_ms"]
        for one in (offer, again):
            claims, _ = vapid(one.headers["authorization"])
            assert claims["aud"] == service.origin
            assert one.headers["urgency"] == "high"
        await fan.press(drop.id, "claim", hold=hold["id"])
        await fan.pays(drop.id, hold["id"])
        sold = phone.reads((await until(service, 4)).body)
        assert (sold["tag"], sold["at"]) == (f"{drop.id}.sold", 0)
        assert "#1" in sold["body"]
        assert len(service.came) == 4
    await store.close()
