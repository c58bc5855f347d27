"""Two people enter the list of a lobby, chance calls one of them, and the other when he lets go."""

from __future__ import annotations

import re
import time

from playwright.async_api import expect

from dropengine.log.draw import sheet
from tests.kit.page_states import drawn
from tests.kit.persons import Letter, address, letter_in
from tests.kit.shop_in_browser import DESK, PHONE, Drop, Person, ShopInBrowser


async def signs_in(
    shop: ShopInBrowser, fan: Person, drop: Drop, mailbox: str, before: Letter | None = None
) -> Letter:
    """By the code of a letter, which comes after the one before; back at the drop."""
    await fan.page.goto(f"/you?to={drop.path}")
    await fan.page.get_by_label("Your e-mail address").fill(mailbox)
    await fan.page.get_by_role("button", name="Send me a letter").click()
    await expect(fan.page.locator("main")).to_contain_text("A letter is on its way")
    letter = await letter_in(shop.mail, mailbox, before)
    await fan.page.get_by_label("The code").fill(letter.code)
    await fan.page.get_by_role("button", name="Sign in", exact=True).click()
    await fan.is_live()
    return letter


async def test_a_list_is_entered_ordered_and_called_until_somebody_pays(
    in_browser: ShopInBrowser,
) -> None:
    drop = await in_browser.drop(drawn(1, identity="verified", guests_may_enter=False))
    async with (
        in_browser.person(PHONE) as ada,
        in_browser.person(PHONE) as ben,
        in_browser.person(DESK) as adas_desk,
    ):
        letters = {}
        for fan in (ada, ben):
            await fan.open(drop)
            await fan.reads("Sign in to enter")
            letters[fan] = await signs_in(in_browser, fan, drop, address())
            await fan.press("Enter the list")
            await fan.reads("You are in")
        # It survives a reload, and is the same on another device.
        await ada.page.reload()
        await ada.reads("You are in")
        await ada.sees("2 are in")
        await signs_in(in_browser, adas_desk, drop, letters[ada].to, letters[ada])
        await adas_desk.reads("You are in")

        # Its maker gives more time, while everybody looks.
        await drop.reschedule(opens_ms=time.time_ns() // 1_000_000 + 7_200_000)
        await ben.sees("Changed by the maker")
        await expect(ben.page.locator(".countdown")).to_contain_text("1:59:")

        await drop.seal()
        decided = re.compile("Take it|In line: place 2")
        await expect(ada.button).to_contain_text(decided)
        adas = "Take it" in await ada.button.inner_text()
        winner, alternate = (ada, ben) if adas else (ben, ada)
        await winner.sees("Chance called you")
        await alternate.sees("Number 2 of 2")
        await alternate.sees("1 was called at first.")
        await expect(adas_desk.button).to_contain_text("Take it" if adas else "In line: place 2")
        await winner.page.reload()
        await winner.wakes("Take it")

        await winner.clicks("Pass on it")
        await alternate.press("Take it")
        await winner.sees("So far the calls have come to number 2.")
        await alternate.press("Pay €24.00")
        await alternate.pays()
        await alternate.reads("Yours: #1 of 1")
        # Anybody may compute the order anew.
        answer = await winner.page.request.get(f"{drop.path}/order.json")
        told = sheet.read(await answer.body())
        assert [finding.kept for finding in sheet.findings(told)] == [True, True, True]
        assert len({entry.nonce for entry in told.entries}) == 2
        assert "" not in {entry.nonce for entry in told.entries}
