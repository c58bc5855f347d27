"""The night in a browser: live on a phone and on a desk, whole without a script, for everybody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import pytest
from playwright.async_api import Page, ViewportSize, expect

from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.sql.database import Database
from tests.browser.test_access import ZOOMED, faults_in_each_scheme
from tests.browser.test_studio import new_link, with_password
from tests.kit.manifests import item, manifest
from tests.kit.shop_in_browser import DESK, PHONE, SMALL, Drop, ShopInBrowser

NASTY = "<img src=x onerror=alert(1)>'\"&</script>"
_names = count(1)


@pytest.fixture
async def database(shop: SupervisorProcess) -> AsyncIterator[Database]:
    """Of the shop that the browser meets."""
    one = Database(shop._settings)
    yield one
    await one.close()


async def lamps(
    in_browser: ShopInBrowser, title: str = "Night lamp", *, opened: bool = True
) -> Drop:
    units = item("lamp", {"lamp": 12}, withheld={"lamp": 4})
    named = manifest("night", units)
    return await in_browser.drop(
        type(named)(**{f: getattr(named, f) for f in named.__struct_fields__} | {"title": title}),
        opened=opened,
    )


@asynccontextmanager
async def operator(
    in_browser: ShopInBrowser,
    database: Database,
    viewport: ViewportSize = PHONE,
    *,
    scripts: bool = True,
) -> AsyncIterator[tuple[Page, str]]:
    """Somebody who runs the shop's drops, and his name."""
    name = f"op{next(_names)}"
    async with in_browser.context(viewport, scripts=scripts) as context:
        yield (
            await with_password(context, in_browser.running.url + await new_link(database), name),
            name,
        )


def night(drop: Drop) -> str:
    return f"/studio/drops/{drop.id}/night"


async def access_key(page: Page, letter: str) -> None:
    """Alt and a letter. The hands of the test's own keyboard leave out what a browser looks at."""
    cdp = await page.context.new_cdp_session(page)
    pressed = {"modifiers": 1, "key": letter, "unmodifiedText": letter, "text": letter}
    await cdp.send("Input.dispatchKeyEvent", {"type": "keyDown", **pressed})


async def units(page: Page, **wanted: int) -> None:
    for name, number in wanted.items():
        await expect(page.locator(f".sums .{name} dd")).to_have_text(str(number))


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
async def test_the_night_is_live_and_its_buttons_follow_the_drop(
    in_browser: ShopInBrowser, database: Database, viewport: ViewportSize
) -> None:
    drop = await lamps(in_browser)
    async with operator(in_browser, database, viewport) as (page, name):
        await page.goto(night(drop))
        await expect(page.locator("night-link")).to_contain_text("Up to date")
        await units(page, left=8, carts=0, sold=0, withheld=4, made=12)
        hold = await drop.hold("a", 2)
        await drop.sells("b", 1)
        await units(page, left=5, carts=2, sold=1)
        await expect(page.locator("night-money")).to_contain_text("€24.00")
        await expect(page.locator("night-ends")).to_contain_text("2 \N{MULTIPLICATION SIGN} Lamp")
        await expect(page.locator("night-feed")).to_contain_text("paid")
        await expect(page.locator("pace-chart canvas")).to_have_count(1)
        await drop.release("a", hold)
        await units(page, left=7, carts=0)
        async with operator(in_browser, database, viewport) as (other, second):
            await other.goto(night(drop))
            await expect(other.locator("night-link")).to_contain_text(f"{name} looks too")
            await expect(page.locator("night-link")).to_contain_text(second)
            await other.get_by_role("link", name="Pause", exact=False).first.click()
            await expect(other.locator("main")).to_contain_text("Nobody can take another unit")
            await other.get_by_label("A reason that fans read").fill("the till is stuck")
            await other.get_by_role("button", name="Pause").click()
            await expect(other.get_by_role("status").first).to_contain_text("The drop is paused.")
        # The first one's screen has followed, without a press.
        await expect(page.locator("night-phase")).to_have_text("Paused")
        await expect(page.locator("night-why")).to_have_text("the till is stuck")
        await expect(page.locator("night-commands")).to_contain_text("Go on")
        await expect(page.locator("night-commands")).not_to_contain_text("Pause")
        await expect(page.locator("night-feed")).to_contain_text(f"{second} paused the drop")


async def test_a_desk_is_run_from_the_keyboard(
    in_browser: ShopInBrowser, database: Database
) -> None:
    drop = await lamps(in_browser)
    async with operator(in_browser, database, DESK) as (page, _):
        await page.goto(night(drop))
        await expect(page.locator("night-link")).to_contain_text("Up to date")
        await access_key(page, "a")
        await page.wait_for_url("**/night/add")
        await expect(page.get_by_label("How many")).to_be_focused()
        await page.keyboard.type("3")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Add them")).to_be_focused()
        await expect(page.locator(".changes")).to_contain_text("withheld")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/night")
        await units(page, left=11, withheld=1)


async def test_a_drop_is_run_to_its_end_without_a_single_script(
    in_browser: ShopInBrowser, database: Database
) -> None:
    drop = await lamps(in_browser, opened=False)
    async with operator(in_browser, database, scripts=False) as (page, _):

        async def command(name: str, button: str, **typed: str) -> None:
            await page.goto(night(drop))
            await page.locator("#commands").get_by_role("link", name=name).click()
            for label, text in typed.items():
                await page.locator(f"[name={label}]").fill(text)
            if await page.get_by_role("button", name="Look at it first").count():
                await page.get_by_role("button", name="Look at it first").click()
            await page.get_by_role("button", name=button).click()
            await expect(page.locator("p.said")).to_be_visible()

        await command("Open now", "Open now")
        drop.revision += 1
        await drop.sells("a", 2)
        await command("Message", "Say it", text="Two are gone")
        await command("Add units", "Add them", qty="4")
        await units(page, left=10, sold=2, withheld=0)
        await command("Pause", "Pause", why="a moment")
        await command("Go on", "Go on")
        await page.goto(f"/studio/drops/{drop.id}/orders")
        await expect(page.locator("table.orders tbody tr")).to_have_count(1)
        await page.locator("table.orders input[type=checkbox]").check()
        await page.get_by_role("button", name="Refund the chosen").click()
        await page.locator("[name=why]").fill("torn")
        await page.get_by_role("button", name="Refund €48.00").click()
        await expect(page.locator("p.said")).to_contain_text("1 order refunded")
        await command("Cancel", "Cancel the drop", title="night lamp")
        await expect(page.locator("main")).to_contain_text("Cancelled")
        await page.goto(f"/studio/drops/{drop.id}/report")
        await expect(page.locator("main")).to_contain_text("Units sold")


async def test_two_panels_press_against_each_other_and_the_second_reads_why(
    in_browser: ShopInBrowser, database: Database
) -> None:
    drop = await lamps(in_browser)
    async with (
        operator(in_browser, database) as (one, first),
        operator(in_browser, database) as (two, _),
    ):
        await one.goto(f"{night(drop)}/pause")
        await two.goto(f"{night(drop)}/add?qty=2")
        await one.get_by_role("button", name="Pause").click()
        await one.wait_for_url("**/night")
        await two.get_by_role("button", name="Add them").click()
        await expect(two.get_by_role("alert")).to_contain_text(f"{first} paused the drop")
        await two.get_by_role("button", name="Add them").click()
        await two.wait_for_url("**/night")
        await units(two, left=10)


async def test_axe_finds_nothing_on_any_page_of_a_drop(
    in_browser: ShopInBrowser, database: Database
) -> None:
    drop = await lamps(in_browser, NASTY)
    await drop.sells("a", 1)
    await drop.hold("b", 2)
    await drop.say(NASTY)
    async with operator(in_browser, database, SMALL) as (page, _):
        base = f"/studio/drops/{drop.id}"
        await page.goto(f"{base}/orders")
        order = await page.locator(".orders .number a").get_attribute("href")
        paths = [
            "/studio/shop",
            *(f"{base}/{part}" for part in ("night", "orders", "report", "payments")),
            *(f"{base}/night/{verb}" for verb in ("pause", "cancel", "add", "message")),
            f"{base}/night/add?qty=99",
            f"{base}/night/message?text=Hello",
            f"{base}/night/reschedule?later=30",
            str(order),
            f"{base}/orders/refund?order={str(order).rpartition('/')[2]}",
        ]
        for path in paths:
            await page.goto(path)
            assert await faults_in_each_scheme(page) == [], path
            for size in (SMALL, ZOOMED):
                await page.set_viewport_size(size)
                wide = await page.evaluate("document.documentElement.scrollWidth")
                assert wide <= size["width"], path


async def test_the_screen_does_not_grow_while_it_is_watched(
    in_browser: ShopInBrowser, database: Database
) -> None:
    drop = await lamps(in_browser)
    async with operator(in_browser, database) as (page, _):
        await page.goto(night(drop))
        await expect(page.locator("night-link")).to_contain_text("Up to date")

        async def crowd(times: int) -> int:
            for number in range(times):
                await drop.release("a", await drop.hold("a"))
                await drop.say(f"Message {number} of {times}")
            last = f"Message {times - 1} of {times}"
            await expect(page.locator("night-feed li").first).to_contain_text(last)
            return int(await page.evaluate("document.querySelectorAll('*').length"))

        before = await crowd(40)
        assert await crowd(41) <= before
