"""What an order has to know, in a browser: asked beside the clock, kept as each field is left,
corrected until the maker closes it; and who receives it by a link that works once."""

from __future__ import annotations

from playwright.async_api import Page, expect

from dropengine.people import answers
from dropengine.sql.database import Database
from tests.browser.test_studio import database
from tests.kit.page_states import asks_all, pin
from tests.kit.shop_in_browser import DESK, ShopInBrowser

__all__ = ["database"]


async def leaves(page: Page, label: str, text: str) -> None:
    """Types into a field and goes on; the page says that it is saved."""
    field = page.get_by_label(label)
    await field.fill(text)
    await field.blur()
    name = await field.get_attribute("name")
    await expect(page.locator(f'[id="{name}-fault"]')).to_have_text("Saved.")


async def test_an_order_is_asked_for_paid_corrected_closed_and_received_by_somebody_else(
    in_browser: ShopInBrowser, database: Database
) -> None:
    drop = await in_browser.drop(pin(asks=asks_all()))
    async with in_browser.person() as ada, in_browser.person(DESK) as anna:
        page = ada.page
        await ada.open(drop)
        await ada.sees("Name to engrave")
        await ada.press("Hold one for me")
        await ada.press("Pay €24.00")
        await ada.sees("Before you pay")
        await expect(page.locator("#left")).to_contain_text("07:")
        name = page.locator('input[name="name"]')
        await name.fill("Ada Lovelace")
        await name.blur()
        await expect(page.locator("#name-fault")).to_have_text("Saved.")
        await leaves(page, "Town", "London")
        # Too much is said at once, and typing less is kept.
        long = page.locator('input[name="note.1"]')
        await long.evaluate("one => one.removeAttribute('maxlength')")
        await long.fill("x" * 21)
        await long.blur()
        fault = page.locator('[id="note.1-fault"]')
        await expect(fault).to_have_text("At most 20 characters fit here.")
        await page.reload()
        await expect(name).to_have_value("Ada Lovelace")
        await expect(page.get_by_label("Town")).to_have_value("London")
        await expect(long).to_have_value("")
        await leaves(page, "Street", "12 St James Square")
        await page.get_by_label("Country").select_option("GB")
        await leaves(page, "engrave", "For Byron")
        await page.get_by_role("button", name="Go on and pay €24.00").click()
        await ada.pays()
        await ada.reads("Yours: #1 of 200")
        await page.get_by_role("link", name="what happens next").click()
        await ada.sees("For Byron")
        await ada.sees("United Kingdom")
        await page.get_by_role("link", name="Correct it").click()
        await page.get_by_label("Town").fill("Paris")
        await page.get_by_role("button", name="Save", exact=True).click()
        await ada.sees("Paris")
        await page.get_by_text("Somebody else receives it?").click()
        await page.get_by_label("It is a gift").check()
        await page.get_by_label("From whom").fill("Ada")
        await page.get_by_role("button", name="Make the link").click()
        link = await page.get_by_label("The link to send").input_value()
        await anna.page.goto(link)
        await anna.sees("From Ada")
        await anna.page.locator('input[name="name"]').fill("Anna Isabella")
        await anna.page.get_by_label("Street").fill("Ockham Park")
        await anna.page.get_by_label("Town").fill("Ockham")
        await anna.page.get_by_label("Country").select_option("GB")
        await anna.page.get_by_role("button", name="Yes, that is me").click()
        await anna.sees("Taller Umbra knows where to send it now.")
        await anna.page.goto(link)
        await anna.sees("This link is over")
        await page.reload()
        await ada.sees("Anna Isabella receives it.")
        order = page.url.rpartition("/")[2].partition("#")[0]
        await database.write(lambda sql: answers.lock(sql, drop.id, order, "rosa", 1))
        await page.reload()
        await ada.sees("The maker has closed this")
        await expect(page.get_by_role("link", name="Correct it")).to_have_count(0)
        await page.goto(f"/drops/{drop.id}/holds/{order}/asked")
        await expect(page.get_by_label("Town")).to_be_disabled()
        told = await database.read(lambda sql: answers.of_order(sql, drop.id, order))
        assert told.answers[0, "city"] == "Paris"


async def test_without_scripts_it_is_one_form(in_browser: ShopInBrowser) -> None:
    drop = await in_browser.drop(pin(asks=asks_all()))
    async with in_browser.context() as context:
        page = await context.new_page()
        await page.goto(drop.path)
        cookies = await context.cookies()
        await page.get_by_role("button", name="Hold one for me").click()
        await expect(page.locator("button.one")).to_contain_text("Pay €24.00")
    async with in_browser.context(scripts=False) as bare:
        await bare.add_cookies(cookies)  # type: ignore[arg-type]
        page = await bare.new_page()
        await page.goto(f"{drop.path}/holds/h1/asked")
        await page.locator('input[name="name"]').fill("Ada Lovelace")
        await page.get_by_role("button", name="Pay now, say it afterwards").click()
        await expect(page.locator("button[value=pay]")).to_be_visible()
        await page.goto(f"{drop.path}/holds/h1/asked")
        await expect(page.locator('input[name="name"]')).to_have_value("Ada Lovelace")
