"""Several things at once, as a person sees it: prepared before the opening, held by one press, one
of them swapped, all of them paid together."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from playwright.async_api import Page, expect

from dropengine.manifest import Manifest
from dropengine.manifest.ways import Way
from tests.browser.test_access import faults_in_each_scheme
from tests.kit.manifests import item, manifest
from tests.kit.shop_in_browser import DESK, SMALL, ShopInBrowser

COLOURS = ("red", "blue", "green", "white")
POST = Way(
    id="post",
    kind="ship",
    title="Post, insured",
    countries=("DE", "AT"),
    nodes=(),
    amount=690,
    off=0,
    from_ms=0,
    until_ms=0,
    cash=False,
)
STALL = msgspec.structs.replace(
    POST, id="stall", kind="pickup", title="At our stall", countries=(), amount=0, off=200
)


def colours() -> Manifest:
    """Four colours of one price, and two ways to come by them."""
    several = manifest("a", *(item(colour, {colour: 9}) for colour in COLOURS), limit=4)
    return msgspec.structs.replace(several, ways=(POST, STALL))


async def looks(page: Page, name: str) -> None:
    """Nothing for axe to find, nothing to the side of a small screen. PICTURES: where to."""
    assert await faults_in_each_scheme(page) == []
    for size in (SMALL, DESK):
        await page.set_viewport_size(size)
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, (name, size)
        if folder := os.environ.get("PICTURES"):
            for scheme in ("light", "dark"):
                await page.emulate_media(color_scheme=scheme)
                path = Path(folder) / f"{name}-{size['width']}-{scheme}.png"
                await page.screenshot(path=path, full_page=True)


async def test_a_basket_is_held_by_one_press_and_paid_for_at_once(
    in_browser: ShopInBrowser,
) -> None:
    drop = await in_browser.drop(colours(), opened=False)
    async with in_browser.person() as fan:
        till = fan.page.locator("drop-till")
        await fan.open(drop)
        for kind in ("Red", "Blue", "Green"):
            await till.get_by_label(f"How many: {kind}").select_option("1")
        await till.locator(".else select").first.select_option("white")
        # What was chosen outlives the page.
        await fan.page.reload()
        await fan.is_live()
        await expect(till).to_contain_text("Kept for the opening")
        await expect(till.locator(".else select").first).to_have_value("white")
        await looks(fan.page, "prepared")
        await drop.open()
        await fan.clicks("Hold all of it")
        await expect(till).to_contain_text("You hold all of it")
        await expect(till.locator(".sums .sum")).to_contain_text("€78.90")
        await looks(fan.page, "held")
        # At four times the size nothing is wider than the screen, and nothing lies over the till.
        await fan.page.set_viewport_size({"width": 320, "height": 640})
        assert await fan.page.locator(".press").evaluate("e => getComputedStyle(e).position") == (
            "static"
        )
        await expect(fan.page.locator("drop-yours .active:visible")).to_have_count(0)
        await till.get_by_label("At our stall").click(trial=True)
        # Blue is swapped for white: same price, same time.
        await till.get_by_label("Swap for… 1 \N{MULTIPLICATION SIGN} Blue").select_option("white")
        await expect(till.get_by_label("Swap for… 1 \N{MULTIPLICATION SIGN} White")).to_have_count(
            1
        )
        await till.get_by_label("At our stall").check()
        await expect(till.locator(".sums .sum")).to_contain_text("€66.00")
        await till.get_by_label("Post, insured").check()
        await fan.clicks("Pay €78.90")
        await fan.page.wait_for_url("**/pay/**")
        await fan.page.goto(drop.path)
        await fan.is_live()
        await expect(till).to_contain_text("A payment of €78.90 is open")
        await looks(fan.page, "open")
        await till.get_by_role("link", name="Back to the payment").click()
        await fan.pays()
        await expect(fan.page.locator(".card.order")).to_have_count(3)
        await expect(till).not_to_contain_text("is open")
        await looks(fan.page, "bought")


async def test_what_is_missing_is_told_and_its_line_is_one_press_away(
    in_browser: ShopInBrowser,
) -> None:
    scarce = msgspec.structs.replace(
        colours(), items=(item("red", {"red": 1}), item("blue", {"blue": 9})), ways=()
    )
    drop = await in_browser.drop(scarce, opened=False)
    async with in_browser.person() as fan, in_browser.person() as other:
        till = fan.page.locator("drop-till")
        await fan.open(drop)
        for kind in ("Red", "Blue"):
            await till.get_by_label(f"How many: {kind}").select_option("1")
        await drop.open()
        await other.open(drop)
        await other.press("Hold one for me")
        await fan.figures(free=9, held=1, sold=0)
        await fan.clicks("Hold all of it")
        await expect(till).to_contain_text("You hold a part of it")
        await looks(fan.page, "missing")
        await fan.clicks("Join the line for it")
        await fan.sees("You joined as number 1")


async def test_one_thing_without_a_choice_is_paid_as_without_a_till(
    in_browser: ShopInBrowser,
) -> None:
    drop = await in_browser.drop(msgspec.structs.replace(colours(), ways=()))
    async with in_browser.person() as fan:
        await fan.open(drop)
        await fan.press("Hold one for me")
        await fan.figures(free=35, held=1, sold=0)
        await expect(fan.page.locator("drop-till section")).to_have_count(0)
        await fan.press("Pay")
        await fan.pays()
        await expect(fan.page.locator(".card.order")).to_have_count(1)


async def test_the_till_speaks_german_and_is_worked_by_keyboard_alone(
    in_browser: ShopInBrowser,
) -> None:
    drop = await in_browser.drop(colours())
    async with in_browser.person(language="de") as fan:
        till = fan.page.locator("drop-till")
        await fan.open(drop)
        await fan.wakes(fan.say("hold_one"))
        await fan.button.press("Enter")
        await expect(till).to_contain_text(fan.say("till.title"))
        await till.get_by_label("At our stall").press("Space")
        await expect(till.get_by_label("At our stall")).to_be_checked()
        await expect(till.locator(".sums .sum")).to_contain_text("22,00")
        await till.get_by_role("button").last.press("Enter")
        await fan.page.wait_for_url("**/pay/**")
