"""A drop leaves a shop that goes on, and neither its fans nor its maker notice."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from dropengine import outcomes, refusals
from dropengine.config import Settings
from dropengine.model import DropId, FanId
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.sql.archive import Archive, OpenedForEach
from dropengine.truth import archive as truth_archive
from dropengine.truth import connections
from dropengine.truth.copies import Copies
from dropengine.truth.house import House
from dropengine.truth.store import Store
from tests.kit import short_folder
from tests.kit.manifests import item, manifest
from tests.kit.sale import Sale
from tests.stories.test_backup import command, elsewhere

folder = short_folder.folder
pytestmark = pytest.mark.usefixtures("synced")
LONG_S = 60
MOVES = re.compile(rb'"now":\d+|\d\d:\d\d:\d\d UTC')
"""The clock."""


@pytest.fixture
def settings(folder: Path, sql_settings: Settings) -> Settings:
    return Settings(
        local_pay=True,
        data_dir=folder / "shop",
        database_url=sql_settings.database_url,
        port=0,
        disk_free_mib_min=16,
        maxmemory_mib=256,
        log_level="error",
        archive_s=2,
    )


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[SupervisorProcess]:
    one = SupervisorProcess(settings)
    await asyncio.to_thread(one.start)
    yield one
    await asyncio.to_thread(one.stop)


@pytest.fixture
async def store(shop: SupervisorProcess, settings: Settings) -> AsyncIterator[Store]:
    one = Store(connections.client(shop.running.redis_url))
    one.archive = Archive(OpenedForEach(settings))
    yield one
    await one.close()


@pytest.fixture
async def fan(shop: SupervisorProcess) -> AsyncIterator[httpx2.AsyncClient]:
    base = shop.running.url
    async with httpx2.AsyncClient(base_url=base, headers={"origin": base}) as one:
        yield one


async def pages(fan: httpx2.AsyncClient, order: str) -> dict[str, tuple[int, bytes]]:
    """What a fan and a stranger are shown of the drop."""
    found = {}
    for path in (
        *("/", "/drops/pin", "/drops/pin/wall", f"/drops/pin/orders/{order}"),
        *("/drops/pin/face.svg", "/drops/pin/share.png", "/drops/pin/opens.ics"),
        *("/api/drops", "/api/drops/pin", "/api/drops/pin/you"),
    ):
        answer = await fan.get(path)
        found[path] = answer.status_code, MOVES.sub(b"", answer.content)
    return found


async def until_archived(store: Store, sale: Sale) -> None:
    async with asyncio.timeout(LONG_S):
        while not await store.is_archived(sale.drop):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


async def over(store: Store, fan: httpx2.AsyncClient) -> tuple[Sale, str]:
    """A drop in which this fan bought, closed and settled; his order."""
    sale = Sale(store, "pin", now=0)
    drop = manifest("pin", item("pin", {"pin": 3}), limit=2)
    published = await store.publish(drop, by="o1", key="publish")
    assert isinstance(published, outcomes.Changed)
    sale.revision = published.revision
    await sale.creator("open")
    await fan.get("/drops/pin")
    me = FanId((await fan.get("/api/drops/pin/you")).json()["fan"])
    order = await sale.bought(me)
    await sale.creator("close")
    for duty in await store.duties(sale.drop):
        # Money that never was is not captured either.
        await sale.end_duty(duty, "by_hand")
    await sale.settle()
    return sale, order


async def test_what_leaves_is_shown_as_before_and_a_refund_finds_it(
    store: Store, fan: httpx2.AsyncClient
) -> None:
    sale, order = await over(store, fan)
    before = await pages(fan, order)
    # It has opened: its calendar has nothing to tell.
    assert [path for path, (status, _) in before.items() if status != 200] == [
        "/drops/pin/opens.ics"
    ]
    log = [line async for line in store.log(sale.drop)]
    await until_archived(store, sale)
    assert await pages(fan, order) == before
    told = (await fan.get("/api/drops/pin/why")).json()
    assert (told["code"], told["over"]) == ("bought", True)
    pressed = await fan.post(
        "/api/drops/pin/hold", json={"pool": "pin"}, headers={"Idempotency-Key": "late"}
    )
    assert (pressed.status_code, pressed.json()["code"]) == (409, "closed")
    assert [line async for line in store.log(sale.drop)] == log
    assert isinstance(await sale.refund(order, why="a scratch"), outcomes.Refunded)
    shown = msgspec.json.decode((await fan.get("/api/drops/pin/you")).content)
    assert [one["state"] for one in shown["orders"]] == ["refund_pending"]
    assert (await fan.get(f"/drops/pin/orders/{order}")).status_code == 200


async def test_a_log_is_whole_where_a_bring_back_ended_in_the_middle(
    store: Store, fan: httpx2.AsyncClient
) -> None:
    sale, order = await over(store, fan)
    whole = [line async for line in store.log(sale.drop)]
    reader = store.log(sale.drop)
    begun = [await anext(reader)]
    await until_archived(store, sale)
    # A reader who had a page before it left goes on with the books.
    assert begun + [line async for line in reader] == whole
    await store.copies._put(sale.drop, "log", "stream", ["1", "e", whole[0]])
    assert [line async for line in store.log(sale.drop)] == whole
    assert await store.stretch(sale.drop, 0, len(whole)) == whole
    assert await store.newest(sale.drop, 2) == whole[-2:]
    assert isinstance(await sale.refund(order), outcomes.Refunded)


class Slow(Store):
    """Asks where a drop is when another worker has just brought it back."""

    other: Store

    async def left(self, drop: DropId) -> truth_archive.Archive | None:
        if archive := await self.other.left(drop):
            await archive.bring_back(self.other.house, self.other.copies, drop)
        return await super().left(drop)


async def test_a_refund_finds_what_another_worker_brought_back_meanwhile(
    store: Store, fan: httpx2.AsyncClient
) -> None:
    sale, order = await over(store, fan)
    await until_archived(store, sale)
    slow = Slow(store.client)
    slow.archive, slow.other = store.archive, store
    assert isinstance(await slow.refund(sale.drop, order, by="o1", key="slow"), outcomes.Refunded)


class Overtaken(Copies):
    """The archiving of this moment finds the drop in the index, and not yet here."""

    house: House

    async def bring_back(self, drop: DropId, *rest: Any, **named: Any) -> bool:
        await self.house.list_archived(drop, await self.house.listed_ms(drop))
        return await super().bring_back(drop, *rest, **named)


async def test_what_is_owed_of_a_drop_that_came_back_is_found(
    store: Store, fan: httpx2.AsyncClient
) -> None:
    sale, order = await over(store, fan)
    await until_archived(store, sale)
    overtaken = Overtaken(store._once, store._ask, None)
    overtaken.house = store.house
    store.copies = overtaken
    assert isinstance(await sale.refund(order), outcomes.Refunded)
    assert sale.drop in await store.drops()
    assert sale.drop not in await store.house.archived()


async def test_what_left_is_in_a_backup_and_its_id_stays_taken_after_a_restore(
    shop: SupervisorProcess, store: Store, fan: httpx2.AsyncClient, settings: Settings, folder: Path
) -> None:
    sale, order = await over(store, fan)
    before = await pages(fan, order)
    await until_archived(store, sale)
    code, said = await command(settings, "backup", folder / "copy")
    assert code == 0, said
    await asyncio.to_thread(shop.stop)
    new = elsewhere(settings)
    seen = settings.database_url is not None
    gone = [] if seen else ["--shop", shop.running.url]
    code, said = await command(new, "restore", folder / "copy", *gone)
    assert code == 0, said
    with SupervisorProcess(new) as one:
        there = Store(connections.client(one.running.redis_url))
        there.archive = Archive(OpenedForEach(new))
        assert await there.is_archived(sale.drop)
        base = one.running.url
        async with httpx2.AsyncClient(base_url=base, headers={"origin": base}) as again:
            again.cookies.update(fan.cookies)
            after = await pages(again, order)
            assert [status for status, _ in after.values()] == [
                status for status, _ in before.values()
            ]
            # What else differs is where the shop is now.
            assert after["/api/drops/pin/you"] == before["/api/drops/pin/you"]
        taken = await there.publish(
            manifest("pin", item("pin", {"pin": 3})), by="o1", key="publish-again"
        )
        assert isinstance(taken, refusals.Exists)
        moved = Sale(there, "pin", now=0)
        assert isinstance(await moved.refund(order, key="there"), outcomes.Refunded)
        await there.close()
