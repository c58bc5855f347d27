"""Fans are people: one person in two browsers, by letter or passkey, with scripts and without."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser.test_studio import authenticator, by_name
from tests.kit.page_states import asks, pin, signs_in, unreached_page
from tests.kit.persons import address, letter_in
from tests.kit.shop_in_browser import DESK, PHONE, Person, ShopInBrowser


async def test_a_guest_becomes_a_person_and_his_other_browser_shows_it_at_once(
    in_browser: ShopInBrowser,
) -> None:
    drop = await in_browser.drop(pin())
    async with in_browser.person(PHONE) as phone, in_browser.person(DESK) as desk:
        await phone.open(drop)
        await phone.press("Hold one for me")
        await phone.wakes("Pay €24.00")
        letter = await asks(in_browser, phone, drop.path)
        await phone.page.get_by_label("The code").fill(letter.code)
        await phone.page.get_by_role("button", name="Sign in", exact=True).click()
        await phone.is_live()
        await phone.wakes("Pay €24.00")
        # By the link of a second letter, as the mail program opens another browser.
        await desk.page.goto("/you")
        await desk.page.get_by_label("Your e-mail address").fill(letter.to)
        await desk.page.get_by_role("button", name="Send me a letter").click()
        await desk.sees("A letter is on its way")
        again = await letter_in(in_browser.mail, letter.to, letter)
        await desk.page.goto(again.link)
        await desk.sees(letter.to)
        await desk.page.get_by_role("button", name="Sign in", exact=True).click()
        await desk.sees("Held for you")
        await desk.open(drop)
        await desk.press("Pay €24.00")
        await desk.pays()
        await expect(desk.button).to_contain_text("Yours")
        await expect(phone.button).to_contain_text("Yours")
        # Signed out everywhere by one, the other can do nothing any more.
        await desk.page.goto("/you")
        await desk.page.get_by_role("button", name="Sign out everywhere").click()
        await desk.sees("Send me a letter")
        await expect(phone.page.locator("drop-link")).to_contain_text("signed out")
        await phone.page.get_by_role("button", name="Load again").click()
        await phone.is_live()
        await expect(phone.button).to_contain_text("Hold one for me")


async def test_a_passkey_signs_in_without_a_letter_until_it_is_removed(
    in_browser: ShopInBrowser,
) -> None:
    home = by_name(in_browser)
    drop = await in_browser.drop(pin())
    async with in_browser.context(PHONE) as context:
        page = await context.new_page()
        to = address()
        async with authenticator(page):
            await page.goto(f"{home}/you?to={drop.path}")
            await page.get_by_label("Your e-mail address").fill(to)
            await page.get_by_role("button", name="Send me a letter").click()
            await expect(page.locator("main")).to_contain_text("A letter is on its way")
            letter = await letter_in(in_browser.mail, to)
            await page.get_by_label("The code").fill(letter.code)
            await page.get_by_role("button", name="Sign in", exact=True).click()
            await page.wait_for_url(f"**{drop.path}")
            await page.goto(f"{home}/you")
            await page.get_by_label("Its name, to know it again").fill("My <b>phone</b>")
            await page.get_by_role("button", name="Make a passkey").click()
            await expect(page.locator("main")).to_contain_text("My <b>phone</b>")
            await page.get_by_role("button", name="Sign out here").click()
            await page.get_by_role("button", name="Sign in with a passkey").click()
            await expect(page.locator("main")).to_contain_text(to)
            await expect(page.locator("main")).to_contain_text("by a passkey")
            await page.get_by_role("button", name="Remove My").click()
            await expect(page.locator("main")).not_to_contain_text("My <b>phone</b>")
            await page.get_by_role("button", name="Sign out here").click()
            await page.get_by_role("button", name="Sign in with a passkey").click()
            await expect(page.get_by_role("alert")).to_contain_text("is not known here")


async def test_without_scripts_a_fan_signs_in_looks_and_erases_himself(
    in_browser: ShopInBrowser,
) -> None:
    async with in_browser.context(PHONE, scripts=False) as context:
        fan = Person(await context.new_page())
        letter = await asks(in_browser, fan, "/drops/none")
        await fan.page.get_by_label("The code").fill(letter.code)
        await fan.page.get_by_role("button", name="Sign in", exact=True).click()
        await fan.page.goto("/you")
        await fan.sees(letter.to)
        await fan.page.get_by_label("Yes, erase me.").check()
        await fan.page.get_by_role("button", name="Erase me").click()
        await fan.sees("signed out everywhere")
        await fan.page.goto("/you")
        await fan.sees("Send me a letter")


async def test_who_cannot_be_reached_is_told_where_he_waits_until_he_says_it_is_mended(
    in_browser: ShopInBrowser,
) -> None:
    async with in_browser.person(PHONE) as fan:
        drop = await unreached_page(in_browser, fan)
        await fan.sees("552 5.2.2 The mailbox is full")
        await fan.page.get_by_role("button", name="It works again").click()
        await expect(fan.page.get_by_text("We could not reach you")).to_have_count(0)
        async with fan.page.expect_response("**/you/reached") as told:
            await fan.open(drop)
        assert await (await told.value).json() == {"address": ""}
        await expect(fan.page.locator("drop-reached")).to_be_hidden()


async def test_his_page_tells_whose_clocks_he_reads(in_browser: ShopInBrowser) -> None:
    drop = await in_browser.drop(pin())
    async with in_browser.context() as context:
        fan = Person(await context.new_page())
        await fan.open(drop)
        await signs_in(in_browser, fan, drop.path)
        known = await (await context.request.get("/you/data.json")).json()
        assert known["zone"] == "Asia/Tokyo"


async def test_the_one_button_of_a_drop_for_the_known_leads_to_the_letter_and_back(
    in_browser: ShopInBrowser,
) -> None:
    drop = await in_browser.drop(pin(identity="verified"))
    async with in_browser.person(PHONE) as fan:
        await fan.open(drop)
        await fan.sees("confirm your e-mail address")
        await fan.press("Sign in to buy")
        await fan.page.wait_for_url(re.compile(r"/you\?to="))
        await signs_in(in_browser, fan, drop.path)
        await fan.press("Hold one for me")
        await fan.wakes("Pay €24.00")
