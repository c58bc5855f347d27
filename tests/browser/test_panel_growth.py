"""A night that is open for hours keeps no more than it shows."""

from __future__ import annotations

from playwright.async_api import Page

from dropengine.sql.database import Database
from tests.browser.test_night import lamps, operator
from tests.browser.test_studio import database
from tests.kit.shop_in_browser import ShopInBrowser
from tests.panel_speed import kept, night

__all__ = ["database"]

TICKS = 700
"""Enough to fill what happened to its last line."""
EVERY_NODE = """() => {
    const walk = document.createTreeWalker(document, NodeFilter.SHOW_ALL);
    let many = 1;
    while (walk.nextNode() !== null) many += 1;
    return many;
}"""


async def nodes(page: Page) -> int:
    """Comments and texts too."""
    many: int = await page.evaluate(EVERY_NODE)
    return many


async def test_a_night_that_is_watched_for_long_keeps_no_more_than_it_shows(
    in_browser: ShopInBrowser, database: Database
) -> None:
    drop = await lamps(in_browser)
    for number in range(6):
        await drop.hold(f"fan{number}")
    async with operator(in_browser, database) as (page, _):
        wire = await night(page, drop)
        await page.evaluate("many => window.play(many)", TICKS)
        before, seen = await kept(wire), await nodes(page)
        await page.evaluate("many => window.play(many)", TICKS)
        after = await kept(wire)
        assert await nodes(page) == seen
        assert after["JSEventListeners"] == before["JSEventListeners"]
