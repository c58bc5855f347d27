"""Three colours from the basket to the refund, as a fan, two who wait and a maker live it in their
browsers; told at every till, so only paying differs.

Each scene ends with a look at the page.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

from playwright.async_api import Locator, Page, expect

from tests.kit.shop_in_browser import Drop, Person

Look = Callable[[Page, str], Awaitable[None]]
"""(page, the scene's name)."""
PIECE = "1 \N{MULTIPLICATION SIGN}"
CRACKED = "The red one cracked in the oven."
TOO_PALE = "Too pale for you; send it back."


class MoneyStory:
    """look: called at the end of each scene. till: its name, for the pictures."""

    def __init__(self, drop: Drop, fan: Person, maker: Page, look: Look, till: str) -> None:
        self.drop = drop
        self.fan = fan
        self.maker = maker
        self._look = look
        self._till = till

    @property
    def till(self) -> Locator:
        """The fan's."""
        return self.fan.page.locator("drop-till")

    async def look(self, page: Page, scene: str) -> None:
        await self._look(page, f"{self._till}-{scene}")

    async def prepares(self) -> None:
        """Red, blue and green, before it opens. The fan is at the page."""
        for kind in ("Red", "Blue", "Green"):
            await self.till.get_by_label(f"How many: {kind}").select_option("1")
        await expect(self.till).to_contain_text("Kept for the opening")
        await self.look(self.fan.page, "prepared")

    async def taps(self) -> None:
        """It opens; one tap has all three. Blue is swapped for white."""
        await self.drop.open()
        await self.fan.clicks("Hold all of it")
        await expect(self.till).to_contain_text("You hold all of it")
        await self.till.get_by_label(f"Swap for… {PIECE} Blue").select_option("white")
        await expect(self.till.get_by_label(f"Swap for… {PIECE} White")).to_have_count(1)
        await self.look(self.fan.page, "held")

    async def joins(self, other: Person, kind: str) -> None:
        """Somebody too late for what there was only one of. He is at the page."""
        await other.page.get_by_label(kind).first.check()
        await other.press("Join the line")
        await other.sees("You joined as number")

    async def pays(self, way: str, amount: str, how: str = "") -> None:
        """By this way; he ends at the provider's page."""
        await self.till.get_by_label(way).check()
        if how:
            await self.till.get_by_label(how).check()
        await expect(self.till.locator(".sums .sum")).to_contain_text(amount)
        await self.look(self.fan.page, "pays")
        await self.fan.clicks(f"Pay {amount}")

    async def has_three(self, *numbers: str) -> None:
        """Three orders with a number each, and a page for each that names the others."""
        page = self.fan.page
        await page.goto(self.drop.path)
        await self.fan.is_live()
        await expect(page.locator(".card.order")).to_have_count(3)
        await self.look(page, "bought")
        await self.settles()
        for kind in ("Red", "Green", "White"):
            await self._order(kind, "Paid.")
        await expect(page.locator(".serials .no")).to_have_count(1)
        together = page.locator("dd", has=page.get_by_role("link")).first
        await expect(together).to_contain_text("Red")
        await expect(together).to_contain_text("Green")
        await self.look(page, "order")

    async def settles(self) -> None:
        """Nobody owes anybody anything any more."""
        while await self.drop.store.duties(self.drop.id):  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    async def refunds_red(self) -> None:
        """Before the handover: it goes to the line."""
        page = self.maker
        await self._opens_order("Red")
        await page.get_by_role("link", name="Refund…").click()
        await expect(page.get_by_label("To the line")).to_be_checked()
        await expect(page.locator(".follows")).to_contain_text("€")
        await page.get_by_label("The reason, for the fan to read").fill(CRACKED)
        await self.look(page, "refund-to-the-line")
        await page.get_by_role("button", name=re.compile("^Refund ")).click()
        await expect(page.locator("p.said")).to_contain_text("1 order refunded")
        await self.look(page, "orders")

    async def hands_over_white(self) -> None:
        """And takes it back: kept back until it came back in order."""
        page = self.maker
        await self._opens_order("White")
        await page.get_by_role("button", name="Handed over", exact=True).click()
        await expect(page.locator(".title .state")).to_contain_text("handed over")
        await page.get_by_role("link", name="Refund…").click()
        await expect(page.get_by_label("To the line")).to_have_count(0)
        await expect(page.locator(".follows")).to_contain_text("kept back")
        await page.get_by_label("The reason, for the fan to read").fill(TOO_PALE)
        await self.look(page, "refund-kept-back")
        await page.get_by_role("button", name=re.compile("^Refund ")).click()
        await expect(page.locator("p.said")).to_contain_text("1 order refunded")
        await self._opens_order("White")
        await expect(page.locator("#away")).to_contain_text("not here yet")
        await self.look(page, "away")

    async def has_white_back(self) -> None:
        """It is in order."""
        page = self.maker
        await page.get_by_role("button", name="Came back in order").click()
        await expect(page.locator("p.said")).to_contain_text("1 unit came back in order")
        await expect(page.locator("#away")).to_have_count(0)
        await expect(page.locator(".feed")).to_contain_text("back")
        await self.look(page, "came-back")

    async def is_offered(self, other: Person, kind: str) -> None:
        """Who waits for it has it before him."""
        await other.reads("Take it")
        await other.sees(f"{PIECE} {kind}")

    async def waits_still(self, other: Person) -> None:
        await other.sees("You joined as number")
        await expect(other.button).not_to_contain_text("Take it")

    async def reads_his_orders(self) -> None:
        """What became of each: the money of two is back, one stays his."""
        page = self.fan.page
        for kind, money, why in (
            ("Red", "the money went back to you", CRACKED),
            ("White", "the money went back to you", TOO_PALE),
        ):
            await self._order(kind, money)
            await expect(page.locator(".slip")).to_contain_text(why)
            await self.look(page, f"order-{kind.lower()}-back")
        await self._order("Green", "Paid.")
        await expect(page.locator(".slip")).not_to_contain_text("Refunded")

    async def _order(self, kind: str, money: str) -> None:
        """The fan's page of an order."""
        page = self.fan.page
        await page.goto(self.drop.path)
        await self.fan.is_live()
        card = page.locator(".card.order", has_text=kind)
        await card.locator("a[href*='/orders/']").first.click()
        await expect(page.locator(".slip")).to_contain_text(kind)
        await expect(page.locator(".slip")).to_contain_text(money)

    async def _opens_order(self, kind: str) -> None:
        """The maker's."""
        page = self.maker
        await page.goto(f"/studio/drops/{self.drop.id}/orders")
        row = page.locator("table.orders tbody tr", has_text=kind)
        await row.locator("th a").click()
        await expect(page.locator(".pairs")).to_contain_text(kind)
