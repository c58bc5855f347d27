"""Payments that are under way, and those that a person ends; and a studio whose server is gone."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import msgspec

from dropengine.doors.studio.duty_pages import ANOTHER, BACK, NO_MONEY, TOLD
from dropengine.jobs import duties, reconciling
from dropengine.jobs.reconciling import Amiss
from dropengine.order_number import number_of
from dropengine.payments.reconciliation import Then
from tests.doors.studio.test_night import told
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.private_server import Server
from tests.kit.studio import NOBODY_WAITS, Studio, opened
from tests.kit.web_process import LONG_S, key, settings, until

server = web_process.server
studio = studio_kit.studio


async def test_what_the_provider_does_not_do_is_ended_by_a_person(studio: Studio) -> None:
    sale = await studio.web.sale()
    hold = await sale.held("a")
    await sale.pay("a", hold)
    # The provider knows nothing of this charge, so it never does what is owed.
    await sale.succeeded(hold, "charge-9", captured=True)
    await sale.store.refund(sale.drop, hold, by="o1", key=key())
    path = f"/studio/drops/{sale.drop}/payments"
    async with studio.person("ben") as ben, studio.person("cyd") as cyd:
        page = await cyd.http.get(path)
        assert "Send the money of order" in told(page)
        assert "Done by hand" not in page.text
        page = await ben.http.get(path)
        (duty,) = {*re.findall(r'name="id" value="(refund:[^"]+)"', page.text)}
        for wrong in ({}, {"as": "somehow"}, {"as": "by_hand", "why": "x" * 501}):
            answer = await ben.http.post(path, data={"key": key(), "id": duty, **wrong})
            assert answer.status_code == 400
        data = {"key": key(), "id": duty, "as": "by_hand", "why": "at the counter"}
        answer = await ben.http.post(path, data=data)
        assert (answer.status_code, answer.headers["location"]) == (303, path)
        assert duty not in (await ben.http.get(path)).text
        answer = await ben.http.post(path, data=data | {"key": key(), "id": "refund:none"})
        assert answer.status_code == 404


async def test_what_the_shop_ceased_to_try_has_a_button_to_try_it_again(studio: Studio) -> None:
    sale = await studio.web.sale()
    hold = await sale.held("a")
    await sale.pay("a", hold)
    await sale.succeeded("p1", "charge-9", captured=True)
    await sale.store.refund(sale.drop, hold, by="o1", key=key())
    path = f"/studio/drops/{sale.drop}/payments"

    async def tries() -> int:
        rows = {one.id: one.tries for one in await duties.shown(sale.store, sale.drop)}
        return rows.get("refund:p1:1", 0)

    async with asyncio.timeout(LONG_S):
        while await tries() == 0:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.1)
    async with studio.person("ben") as ben, studio.person("cyd") as cyd:
        page = await ben.http.get(path)
        assert "The shop has ceased to try, after 1 time: the provider refuses it" in told(page)
        assert "Try again" in told(page)
        assert "Try again" not in told(await cyd.http.get(path))
        data = {"key": key(), "id": "refund:p1:1"}
        assert (await cyd.http.post(f"{path}/again", data=data)).status_code == 403
        none = {"key": key(), "id": "refund:p7:1"}
        assert (await ben.http.post(f"{path}/again", data=none)).status_code == 409
        answer = await ben.http.post(f"{path}/again", data=data)
        assert (answer.status_code, answer.headers["location"]) == (303, path)
        async with asyncio.timeout(LONG_S):
            while await tries() < 2:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.1)


async def test_what_the_provider_says_otherwise_stands_there_with_what_to_do(
    studio: Studio,
) -> None:
    sale = await studio.web.sale()
    hold = await sale.bought("a")
    rows = [
        Amiss(hold, "is an order, done", "", "", 0, 1_000),
        Amiss("p1", f"is open, not paid: {Then.TOLD}", "local", "ch<b>", 2400, 1_000),
        Amiss("p2", f"knows no such payment: {Then.BACK}", "local", "ch3", 2400, 1_000),
        Amiss("p3", "it went back", "local", "ch4", 2400, 1_000),
    ]
    await sale.store.house.show(reconciling.SHOWN, sale.drop, msgspec.msgpack.encode(rows))
    async with studio.person("cyd") as cyd:
        page = await cyd.http.get(f"/studio/drops/{sale.drop}/payments")
        for sentence in (NO_MONEY, TOLD, BACK, ANOTHER):
            assert sentence in told(page)
        assert f"Order {number_of(hold)}" in told(page)
        assert "local keeps €24.00" in told(page)
        assert "ch<b>" not in page.text


async def test_where_the_server_is_gone_the_studio_says_so_and_what_to_do(tmp_path: Path) -> None:
    server = Server().start()
    async with (
        opened(settings(server.url, tmp_path, **NOBODY_WAITS)) as studio,
        studio.person("ben") as ben,
    ):
        sale = await studio.web.sale()
        server.stop()
        trial = studio.web.runtime.trial
        await until(lambda: trial.verdict().server == "away")
        for path in (f"/studio/drops/{sale.drop}/night", f"/studio/drops/{sale.drop}/orders"):
            page = await ben.http.get(path)
            assert page.status_code == 503
            assert "Nothing is lost" in told(page)
            assert "The shop cannot sell now" in told(page)
        # What needs no server stands, with the alarm above it.
        page = await ben.http.get("/studio/account")
        assert page.status_code == 200
        assert "The shop cannot sell now" in told(page)
