"""By hand, as a person sees it: a transfer to the maker, who enters the sum, and a discount for
fetching it."""

from __future__ import annotations

import msgspec
from playwright.async_api import expect

from dropengine.sql.database import Database
from tests.browser.test_money_story import looks
from tests.browser.test_night import operator
from tests.browser.test_studio import database
from tests.kit.colours import scarce
from tests.kit.manifests import HOUR_MS
from tests.kit.money_story import MoneyStory
from tests.kit.page_states import signs_in
from tests.kit.shop_in_browser import ShopInBrowser

__all__ = ["database"]

MOST = 100
"""Percent of each colour that may be paid by hand at a time."""


async def test_three_colours_are_paid_by_transfer_and_two_are_sent_back(
    in_browser: ShopInBrowser, database: Database
) -> None:
    text = msgspec.structs.replace(
        scarce(), identity="verified", hand_ms=72 * HOUR_MS, hand_share=MOST
    )
    drop = await in_browser.drop(text, opened=False)
    async with (
        in_browser.person() as fan,
        in_browser.person() as first,
        in_browser.person() as second,
        operator(in_browser, database) as (maker, _),
    ):
        story = MoneyStory(drop, fan, maker, looks, "by-hand")
        for one in (fan, first, second):
            await signs_in(in_browser, one, drop.path)
        await story.prepares()
        await story.taps()
        await story.joins(first, "Red")
        await story.joins(second, "White")
        await story.pays("At our stall", "€66.00", "By transfer")
        await fan.page.wait_for_url("**/pay/by_hand/**")
        await looks(fan.page, "by-hand-bill")
        reference = await fan.page.locator(".reference").inner_text()
        await maker.goto(f"/studio/drops/{drop.id}/by-hand")
        await expect(maker.locator("main")).to_contain_text(reference)
        await looks(maker, "by-hand-open")
        form = maker.locator(".trail form", has_text="Sum that came")
        await form.get_by_role("button", name="Enter it").click()
        await expect(maker.locator("p.said")).to_contain_text(f"{reference} is paid: it is sold.")
        await fan.page.reload()
        await expect(fan.page.get_by_role("status")).to_contain_text("Paid. Thank you.")
        await story.has_three()
        await story.refunds_red()
        await story.is_offered(first, "Red")
        await story.hands_over_white()
        await story.waits_still(second)
        await story.has_white_back()
        await story.is_offered(second, "White")
        await maker.goto(f"/studio/drops/{drop.id}/by-hand")
        sends = maker.get_by_role("button", name="It is sent")
        await expect(sends).to_have_count(2)
        await looks(maker, "by-hand-owed")
        for left in (1, 0):
            await sends.first.click()
            await expect(sends).to_have_count(left)
        await story.settles()
        await story.reads_his_orders()
