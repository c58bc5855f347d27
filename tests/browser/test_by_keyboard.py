"""A drop is written, published and run by somebody who has no mouse, and a passkey is added."""

from __future__ import annotations

from itertools import count

from playwright.async_api import Page, expect

from dropengine.model import DropId
from dropengine.sql.database import Database
from tests.browser.test_studio import authenticator, by_name, database, new_link, with_password
from tests.kit.shop_in_browser import DESK, PHONE, Drop, ShopInBrowser

__all__ = ["database"]

TABS_MAX = 150
FOCUSED = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) return '';
    const named = [...(one.labels ?? [])].map((label) => label.textContent).join(' ');
    const says = `${named} ${one.getAttribute('aria-label') ?? ''} ${one.textContent}`;
    return says.replace(/\\s+/g, ' ');
}"""
RING = """() => {
    const {outlineStyle, outlineWidth} = getComputedStyle(document.activeElement);
    return outlineStyle !== 'none' && parseFloat(outlineWidth) > 0;
}"""
_numbers = count(1)


async def reach(page: Page, words: str) -> None:
    """Tab until something with these words has the focus, and shows that it has."""
    seen = []
    for _ in range(TABS_MAX):
        named = await page.evaluate(FOCUSED)
        if words in named:
            assert await page.evaluate(RING), f"{words} shows no focus"
            return
        seen.append(named.strip()[:40])
        await page.keyboard.press("Tab")
    raise AssertionError(f"{words!r} is not reached: {seen}")


async def press(page: Page, words: str) -> None:
    """Reach it, and press Enter: the next page comes."""
    await reach(page, words)
    async with page.expect_event("load"):
        await page.keyboard.press("Enter")


async def fill(page: Page, words: str, text: str) -> None:
    await reach(page, words)
    await page.keyboard.press("Control+a")
    await page.keyboard.type(text)


async def test_a_drop_is_written_run_and_read_by_keyboard_alone(
    in_browser: ShopInBrowser, database: Database
) -> None:
    name, title = f"keys{next(_numbers)}", f"By keys {next(_numbers)}"
    async with in_browser.context(DESK) as context:
        url = in_browser.running.url + await new_link(database)
        page = await with_password(context, url, name)
        await press(page, "New drop")
        await press(page, "Start with an empty form")
        for words, text in (
            ("Title", title),
            ("What", "Sun catcher"),
            ("Price", "24.50"),
            ("How many exist", "5"),
        ):
            await fill(page, words, text)
        await press(page, "Check and go on")
        await press(page, "Publish")
        await expect(page.locator(".said")).to_contain_text("Published")
        await press(page, "Open now")
        shown = await in_browser.store.show(DropId(page.url.split("/")[5]))
        assert shown is not None
        drop = Drop(in_browser.store, shown.manifest)
        await drop.sells("a", 1)
        await page.goto(f"/studio/drops/{drop.id}/night")
        await press(page, "Pause")
        await fill(page, "A reason that fans read", "the till is stuck")
        await press(page, "Pause")
        await expect(page.locator(".said")).to_contain_text("The drop is paused.")
        await press(page, "Orders")
        choose = page.locator("table.orders input[type=checkbox]")
        # The books are a moment behind.
        while not await choose.count():
            await page.reload()
        await reach(page, "Choose order")
        await page.keyboard.press("Space")
        await press(page, "Refund the chosen")
        await fill(page, "The reason, for the fan to read", "torn")
        await press(page, "Refund")
        await expect(page.locator(".said")).to_contain_text("1 order refunded")
        await press(page, "Report")
        await expect(page.locator("main")).to_contain_text("Units sold")


async def test_a_further_passkey_is_made_named_used_and_removed(
    in_browser: ShopInBrowser, database: Database
) -> None:
    name, home = f"keeper{next(_numbers)}", by_name(in_browser)
    async with in_browser.context(PHONE) as context:
        page = await with_password(context, home + await new_link(database), name)
        async with authenticator(page):
            await page.goto(f"{home}/studio/account")
            await page.get_by_label("Its name, to know it again").fill("My <b>phone</b>")
            await page.get_by_role("button", name="Make a passkey").click()
            await expect(page.locator(".said")).to_contain_text("lets you in from now on")
            await expect(page.locator("main")).to_contain_text("A passkey, My <b>phone</b>")
            # The device has one for this account already, and says so.
            await page.get_by_label("Its name, to know it again").fill("Again")
            await page.get_by_role("button", name="Make a passkey").click()
            await expect(page.locator("#unmade")).to_contain_text("Nothing was signed.")
            await page.get_by_role("button", name="Sign out", exact=True).click()
            await page.get_by_role("button", name="Sign in with a passkey").click()
            await page.wait_for_url("**/studio")
            await page.goto(f"{home}/studio/account")
            await page.get_by_role("button", name="Remove the passkey").click()
            await expect(page.locator(".said")).to_contain_text("lets nobody in any more")
            await page.get_by_role("button", name="Sign out", exact=True).click()
            await page.get_by_role("button", name="Sign in with a passkey").click()
            await expect(page.get_by_role("alert")).to_contain_text("is not known here")
