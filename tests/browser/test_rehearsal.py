"""A rehearsal from the panel: asked for, watched, read; and its drop knows nothing of it.

`REHEARSAL_FANS=2000 REHEARSAL_PICTURES=folder pytest -s --timeout=0` plays a large one, beside a
sale whose latency it prints, and keeps pictures of every page.
"""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import Connection

from dropengine.payments.local import provider as localpay
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.rehearsal.fans.client_socket import ClientSocket, dial
from dropengine.sql import copied_rows
from dropengine.sql.database import Database
from tests.browser import test_night
from tests.browser.test_access import SCHEMES, faults
from tests.browser.test_night import lamps, operator
from tests.kit.shop_in_browser import DESK, PHONE, Drop, ShopInBrowser

database = test_night.database

FANS = os.environ.get("REHEARSAL_FANS", "40")
MINUTES = os.environ.get("REHEARSAL_MINUTES", "1")
PICTURES = os.environ.get("REHEARSAL_PICTURES", "")
LONG_MS = 60_000.0 * (int(MINUTES) + 3)
NEW = {"audit", "rehearsals"}
"""Tables in which a rehearsal leaves something: a row of the trail, and the report."""
LOOKED = {b"now", b"ran", b"gap", b"doubt", b"settled"}
"""What the shop notes of the clock when it looks at its drops, as it does all the time."""
CARRIED_S = 1.5
"""What happens in a drop stands in the books long before."""
BESIDE = {
    *("counted", "counted_arrivals", "sessions", "tallies", "told_alarms", "told_drops", "visits")
}
"""Those in which a shop notes by itself that somebody looks at its pages, or how its machine is."""


async def kept(in_browser: ShopInBrowser, drop: Drop) -> dict[bytes, object]:
    """Every key of a drop, as the server itself would write it down; of `wake` all but
    `LOOKED`."""
    client = in_browser.store.client
    found: dict[bytes, object] = {}
    async for name in client.scan_iter(match=f"{{{drop.id}}}:*"):
        if name.endswith(b":wake"):
            fields = await client.hgetall(name)
            found[name] = {field: fields[field] for field in fields if field not in LOOKED}
        else:
            found[name] = await client.dump(name)
    return found


def of_others(row: str, mine: Drop) -> bool:
    """Does it speak of a drop of another test? What such a test left goes on in the shop."""
    test = mine.id.rpartition("-")[0]
    return any(one != test for one in re.findall(r"(page-\d+)-\d", row))


async def tables(database: Database, mine: Drop) -> dict[str, list[bytes]]:
    """Every row of every table of the shop."""

    def asked(sql: Connection) -> dict[str, list[bytes]]:
        return {
            t.name: sorted(
                row for row in copied_rows.lines(sql, t) if not of_others(row.decode(), mine)
            )
            for t in copied_rows.tables(sql)
        }

    return await database.read(asked)


def provider(shop: SupervisorProcess, mine: Drop) -> list[str]:
    """The provider's book, as SQL; somebody has paid in this shop."""
    with closing(sqlite3.connect(shop._settings.data_dir / localpay.FILE)) as book:
        told = [line for line in book.iterdump() if not of_others(line, mine)]
    assert any(line.startswith("INSERT") for line in told)
    return told


async def somebody_paid(in_browser: ShopInBrowser, database: Database) -> None:
    """A unit of another drop, and all of it stands in the books."""
    drop = await lamps(in_browser, "An earlier sale")
    async with in_browser.person() as fan:
        await fan.open(drop)
        await fan.press("Hold one for me")
        await fan.press("Pay €24.00")
        await fan.pays()
    await drop.close()
    before: dict[str, list[bytes]] = {}
    while before != (now := await tables(database, drop)):
        before = now
        await asyncio.sleep(CARRIED_S)


async def ask(page: Page, drop: Drop, fans: str = FANS) -> None:
    """Ask for one, on its page, although other drops of the shop sell."""
    await page.goto(f"/studio/drops/{drop.id}/rehearsal")
    await page.get_by_label("Fans", exact=True).fill(fans)
    await page.get_by_label("Minutes, at most").fill(MINUTES)
    beside = page.get_by_label("Rehearse all the same")
    if await beside.count():
        await beside.check()
    await page.get_by_role("button", name="Rehearse", exact=True).click()
    await expect(page.locator("main")).to_contain_text("The rehearsal goes on")


async def picture(page: Page, name: str) -> None:
    """Both sizes, light and dark, where somebody wants to look."""
    if not PICTURES:
        return
    for size_name, size in (("phone", PHONE), ("desk", DESK)):
        await page.set_viewport_size(size)
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme)
            path = Path(PICTURES) / f"{name}-{size_name}-{scheme}.png"
            await page.screenshot(path=path, full_page=True)


class Presser:
    """A fan of another drop of the same machine, who holds and gives back all the time."""

    def __init__(self) -> None:
        self.waits_ms: list[float] = []
        self.heard: asyncio.Future[bytes] | None = None

    def hear(self, frame: bytes) -> None:
        if frame.startswith((b'{"t":"done"', b'{"t":"refused"')) and self.heard is not None:
            self.heard.set_result(frame)

    async def press(self, socket: ClientSocket, command: bytes) -> bytes:
        begun, self.heard = time.monotonic(), asyncio.get_running_loop().create_future()
        socket.send(command)
        answer = await asyncio.wait_for(self.heard, 60)
        self.waits_ms.append((time.monotonic() - begun) * 1000)
        return answer


@asynccontextmanager
async def somebody_buys(in_browser: ShopInBrowser) -> AsyncIterator[Presser]:
    """Beside the rehearsal, on a drop that is live."""
    drop = await lamps(in_browser, "Another sale")
    presser, url = Presser(), in_browser.running.url
    async with in_browser.context() as context:
        page = await context.new_page()
        await page.goto(drop.path)
        cookie = "; ".join(f"{c['name']}={c['value']}" for c in await context.cookies())
    socket = await dial(
        f"{url.replace('http', 'ws', 1)}{drop.path}/live",
        origin=url,
        cookie=cookie,
        hear=presser.hear,
        lost=lambda _: None,
        within_s=60,
    )

    async def press() -> None:
        for n in range(1_000_000):
            key = b"%d" % n
            held = await presser.press(
                socket, b'{"t":"hold","id":1,"key":"h%b","pool":"lamp"}' % key
            )
            hold = held.partition(b'"hold":{"id":"')[2].partition(b'"')[0]
            await presser.press(
                socket, b'{"t":"release","id":2,"key":"r%b","hold":"%b"}' % (key, hold)
            )
            await asyncio.sleep(0.2)

    pressing = asyncio.create_task(press())
    try:
        yield presser
    finally:
        pressing.cancel()
        await asyncio.gather(pressing, return_exceptions=True)
        socket.cut()


async def changed(
    before: Mapping[str, list[bytes]], database: Database, mine: Drop
) -> dict[str, tuple[int, int]]:
    """Tables that are not as they were: how many rows went, how many came."""
    found = {}
    for name, rows in (await tables(database, mine)).items():
        gone, new = {*before[name]} - {*rows}, {*rows} - {*before[name]}
        if (gone or new) and name not in BESIDE:
            found[name] = (len(gone), len(new))
    return found


@pytest.mark.timeout(0)
async def test_a_rehearsal_leaves_its_report_and_nothing_else(
    in_browser: ShopInBrowser, database: Database, shop: SupervisorProcess
) -> None:
    await somebody_paid(in_browser, database)
    drop = await lamps(in_browser, opened=False)
    folder = shop._settings.data_dir
    async with operator(in_browser, database, DESK) as (page, _):
        await page.goto(f"/studio/drops/{drop.id}/rehearsal")
        await picture(page, "before")
        keys, rows = await kept(in_browser, drop), await tables(database, drop)
        book = provider(shop, drop)
        assert keys
        await ask(page, drop)
        # The script shows what the row in SQL says, without a load.
        await expect(page.locator('[data-of="stage"]')).to_have_text("The sale", timeout=LONG_MS)
        assert await faults(page) == []
        await picture(page, "sale")
        verdict = page.locator(".verdict")
        await expect(page.locator('[data-of="stage"]')).to_contain_text("How many", timeout=LONG_MS)
        await picture(page, "capacity")
        await expect(verdict).to_contain_text("Passed", timeout=LONG_MS)
        await expect(page.locator("main")).to_contain_text("What this machine carries")
        assert await faults(page) == []
        await picture(page, "report")
        assert await kept(in_browser, drop) == keys
        assert provider(shop, drop) == book
        assert await changed(rows, database, drop) == dict.fromkeys(NEW, (0, 1))
        assert [*folder.glob("dropengine-rehearsal-*")] == []


@pytest.mark.skipif(not PICTURES, reason="a measurement, for those who look")
@pytest.mark.timeout(0)
async def test_a_sale_goes_on_beside_a_rehearsal(
    in_browser: ShopInBrowser, database: Database
) -> None:
    drop = await lamps(in_browser, opened=False)
    async with somebody_buys(in_browser) as presser, operator(in_browser, database) as (page, _):
        await asyncio.sleep(10)
        alone = sorted(presser.waits_ms)
        presser.waits_ms.clear()
        await ask(page, drop)
        await expect(page.locator(".verdict")).to_contain_text("Passed", timeout=LONG_MS)
        beside = sorted(presser.waits_ms)
    for name, waits in (("alone", alone), ("beside a rehearsal", beside)):
        print(
            f"\n{name}: {len(waits)} presses, p50 {waits[len(waits) // 2]:.0f} ms, "
            f"p99 {waits[len(waits) * 99 // 100]:.0f} ms, most {waits[-1]:.0f} ms"
        )
    assert beside


async def test_a_rehearsal_is_stopped_without_a_script_and_leaves_nothing(
    in_browser: ShopInBrowser, database: Database, shop: SupervisorProcess
) -> None:
    drop = await lamps(in_browser, opened=False)
    folder = shop._settings.data_dir
    async with operator(in_browser, database, scripts=False) as (page, _):
        await ask(page, drop, "20")
        # Without a script the page loads itself anew, and shows how far it is.
        await expect(page.locator("[data-process=crowd] .value")).to_contain_text(
            "%", timeout=60_000
        )
        assert [*folder.glob("dropengine-rehearsal-*")]
        await page.get_by_role("button", name="Stop it").click()
        await expect(page.locator("main")).to_contain_text(
            "The last one ended without a report", timeout=60_000
        )
        assert [*folder.glob("dropengine-rehearsal-*")] == []
