"""Several things at once, as a person sees it: prepared before the opening, held by one press, one
of them swapped, all of them paid together."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from playwright.async_api import Page, expect

from dropengine.sql.database import Database
from tests.browser.test_access import faults_in_each_scheme
from tests.browser.test_night import operator
from tests.browser.test_studio import database
from tests.kit.colours import colours, scarce
from tests.kit.manifests import item
from tests.kit.money_story import MoneyStory
from tests.kit.shop_in_browser import DESK, SMALL, ShopInBrowser

__all__ = ["database"]


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


async def test_three_colours_from_the_basket_to_the_refund(
    in_browser: ShopInBrowser, database: Database
) -> None:
    drop = await in_browser.drop(scarce(), opened=False)
    async with (
        in_browser.person() as fan,
        in_browser.person() as first,
        in_browser.person() as second,
        operator(in_browser, database) as (maker, _),
    ):
        story = MoneyStory(drop, fan, maker, looks, "local")
        await fan.open(drop)
        await story.prepares()
        await story.taps()
        await first.open(drop)
        await story.joins(first, "Red")
        await second.open(drop)
        await story.joins(second, "White")
        await story.pays("Post, insured", "€78.90")
        await fan.page.wait_for_url("**/pay/**")
        await looks(fan.page, "local-payment")
        await fan.pays()
        await story.has_three()
        await story.refunds_red()
        await story.is_offered(first, "Red")
        await story.hands_over_white()
        await story.waits_still(second)
        await story.has_white_back()
        await story.is_offered(second, "White")
        await story.settles()
        await story.reads_his_orders()


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
    few = msgspec.structs.replace(
        colours(), items=(item("red", {"red": 1}), item("blue", {"blue": 9})), ways=()
    )
    drop = await in_browser.drop(few, opened=False)
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
