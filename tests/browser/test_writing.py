"""A drop is written and published in the studio: on a phone, on a desk, without scripts."""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
from itertools import count
from typing import Any

import pytest
from PIL import Image
from playwright.async_api import (
    BrowserContext,
    Error,
    FilePayload,
    FrameLocator,
    Page,
    Route,
    ViewportSize,
    expect,
)

from dropengine.sql.database import Database
from tests.browser.test_access import faults_in_each_scheme
from tests.browser.test_studio import database, new_link, with_password
from tests.kit.shop_in_browser import DESK, PHONE, SMALL, ShopInBrowser

__all__ = ["database"]

EVIL = (
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(2)>',
    "'-alert(3)-'",
    "javascript:alert(4)",
    "</textarea><script>alert(5)</script>",
    "{{7*7}}${7*7}",
)
FIELDS = ("title", "story", "maker", "items[0].title", "items[0].about", "items[0].price")
BESIDE = ("delivery", "returns", "contact", "items[0].care", "items[0].sizes")
_names = count(1)


def photo() -> FilePayload:
    out = io.BytesIO()
    Image.effect_noise((2400, 1800), 90).convert("RGB").save(out, "JPEG", quality=90)
    return {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


async def comes_in(in_browser: ShopInBrowser, database: Database, context: BrowserContext) -> Page:
    name = f"writer{next(_names)}"
    url = in_browser.running.url + await new_link(database)
    return await with_password(context, url, name)


async def begins(page: Page) -> None:
    """An empty form, from the first page."""
    await page.get_by_role("link", name="New drop").first.click()
    await page.get_by_role("button", name="Start with an empty form").first.click()
    await expect(page.get_by_label("Title")).to_be_visible()


async def goes_on(page: Page) -> None:
    await page.get_by_role("button", name="Check and go on").click()


async def fills(page: Page, title: str, **more: str) -> None:
    words = {"Title": title, "What": "Sun catcher", "Price": "24.50", "How many exist": "5"}
    for label, text in (words | more).items():
        await page.get_by_label(label, exact=True).fill(text)


async def preview(page: Page) -> FrameLocator:
    """On a phone it stands below, and comes when somebody scrolls there."""
    await page.locator("iframe[name=preview]").scroll_into_view_if_needed()
    return page.frame_locator("iframe[name=preview]")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "none"])
@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
async def test_a_drop_is_written_published_and_moved(
    in_browser: ShopInBrowser, database: Database, screen: ViewportSize, scripts: bool
) -> None:
    async with in_browser.context(screen, scripts=scripts) as context:
        page = await comes_in(in_browser, database, context)
        await begins(page)
        title = f"Sun catcher {next(_names)} of {'all' if scripts else 'none'}"
        await fills(page, title, Price="24 euros", **{"How many exist": "0"})
        await page.get_by_label("At most to a person").fill("two")
        await page.get_by_label("Time zone").fill("Europe/Madird")
        await page.get_by_label("Currency").fill("eur")
        await goes_on(page)
        await expect(page.locator("#mistakes")).to_contain_text("5 mistakes, each beside its field")
        for label, words in (
            ("Price", "Must be an amount like 24.00"),
            ("How many exist", "Must be 1 to 100000"),
            ("At most to a person", "Must be a whole number"),
            ("Time zone", "did you mean Europe/Madrid?"),
            ("Currency", "did you mean EUR?"),
        ):
            field = page.get_by_label(label, exact=True)
            await expect(field).to_have_attribute("aria-invalid", "true")
            await expect(page.locator(".field", has=field)).to_contain_text(words)
        await fills(page, title)
        await page.get_by_label("Currency").fill("EUR")
        await page.get_by_label("Time zone").fill("Europe/Madrid")
        await page.get_by_label("At most to a person").fill("2")
        await page.get_by_label("Opens").fill("2087-07-16T18:00")
        await page.get_by_label("A picture of it").set_input_files(photo())
        if not scripts:
            await page.get_by_role("button", name="Save", exact=True).last.click()
        await expect(page.locator(".shot")).to_have_count(1)
        await expect((await preview(page)).locator("h1")).to_have_text(title)
        cover = (await preview(page)).locator("img.cover")
        await expect(cover).to_have_attribute("srcset", re.compile("/pictures/"))
        await goes_on(page)
        await expect(page.locator(".checks")).to_contain_text("at 18:00 in Madrid")
        await expect(page.locator(".checks")).to_contain_text("09:00 in Los Angeles")
        await page.get_by_role("button", name="Publish").click()
        await expect(page.locator(".said")).to_contain_text("Published")
        await expect(page.locator("svg.qr")).to_be_visible()
        await page.get_by_role("button", name="30 minutes later").click()
        await expect(page.locator(".said")).to_contain_text("18:30 in Madrid")
        await page.get_by_role("link", name="Words and pictures").click()
        await page.get_by_label("Story").fill("Cast in June.")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator(".said")).to_contain_text("put right")
        address = page.url.replace("/studio/drops/", "/drops/")
        await page.goto(address)
        await expect(page.locator(".story")).to_contain_text("Cast in June.")
        await expect(page.locator("img.cover")).to_have_js_property("complete", True)


async def test_what_is_typed_is_saved_by_itself_and_shown_beside_it(
    in_browser: ShopInBrowser, database: Database
) -> None:
    async with in_browser.context(DESK) as context:
        page = await comes_in(in_browser, database, context)
        await begins(page)
        await page.get_by_label("Title").fill("Typed and not sent")
        await expect(page.locator("#saved")).to_have_text("Saved")
        await expect((await preview(page)).locator("h1")).to_have_text("Typed and not sent")
        await page.get_by_label("Price").fill("abc")
        fault = page.locator(".field", has=page.get_by_label("Price")).locator(".fault")
        await expect(fault).to_contain_text("Must be an amount like 24.00")
        await page.get_by_label("Price").fill("24.00")
        await expect(fault).to_have_count(0)
        await page.get_by_role("link", name="In line").click()
        await expect((await preview(page)).locator("main")).to_contain_text(
            "You joined as number 3"
        )
        await page.reload()
        await expect(page.get_by_label("Title")).to_have_value("Typed and not sent")


async def test_who_cannot_save_is_told_why_and_saves_when_he_can(
    in_browser: ShopInBrowser, database: Database
) -> None:
    async with in_browser.context(DESK) as context:
        page = await comes_in(in_browser, database, context)
        await begins(page)
        tickets: list[Any] = [*await context.cookies()]
        await context.clear_cookies()
        await page.get_by_label("Title").fill("Written while signed out")
        await expect(page.locator("#saved")).to_contain_text("you were signed out")
        await context.add_cookies(tickets)
        await page.get_by_label("Story").fill("x" * 30_000)
        await expect(page.locator("#saved")).to_contain_text("too long")
        await page.get_by_label("Story").fill("Short.")
        await expect(page.locator("#saved")).to_have_text("Saved")
        await page.reload()
        await expect(page.get_by_label("Title")).to_have_value("Written while signed out")


async def test_who_is_overtaken_sees_both_texts_and_chooses(
    in_browser: ShopInBrowser, database: Database
) -> None:
    async with in_browser.context(PHONE) as context:
        page = await comes_in(in_browser, database, context)
        await begins(page)
        other = await context.new_page()
        await other.goto(page.url)
        await other.get_by_label("Title").fill("Of the other")
        await expect(other.locator("#saved")).to_have_text("Saved")
        await page.get_by_label("Title").fill("Of the one")
        await expect(page.locator("#saved")).to_contain_text("Somebody else saved meanwhile")
        await page.get_by_role("button", name="Save", exact=True).last.click()
        await expect(page.locator(".theirs")).to_have_text("Of the other")
        await expect(page.get_by_label("Yours, which will stand")).to_have_value("Of the one")
        await page.get_by_role("button", name="Let mine stand").click()
        await expect(page.get_by_label("Title")).to_have_value("Of the one")


async def test_axe_finds_nothing_where_drops_are_written(
    in_browser: ShopInBrowser, database: Database
) -> None:
    async with in_browser.context(SMALL) as context:
        page = await comes_in(in_browser, database, context)
        shown: list[str] = []

        async def looked() -> None:
            assert await faults_in_each_scheme(page) == [], page.url
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= SMALL["width"], page.url
            shown.append(page.url)

        await looked()
        for path in ("/studio/account", "/studio/people", "/studio/shop"):
            await page.goto(path)
            await looked()
        await page.goto("/studio/new")
        await looked()
        await begins(page)
        await looked()
        await page.get_by_role("button", name="Add an item").click()
        await goes_on(page)
        await looked()
        await page.get_by_role("button", name="Remove this item").last.click()
        await page.get_by_label("A picture of it").set_input_files(photo())
        await expect(page.locator(".shot")).to_have_count(1)
        await fills(page, f"Seen by axe {next(_names)}")
        await page.get_by_text("Limits, sizes, care, places").click()
        await page.get_by_label("Size guide").fill("Size | Width\nS | 12 cm")
        await page.get_by_label("Returns").fill("Within 14 days.")
        await looked()
        await goes_on(page)
        await looked()
        await page.get_by_role("button", name="Publish").click()
        await looked()
        drop = page.url
        await page.goto(f"{drop}/words")
        await looked()
        await page.goto(drop.replace("/studio/", "/"))
        await expect(page.locator(".sizes")).to_be_visible()
        await looked()
        await page.goto("/studio")
        await looked()
        assert len(shown) == 13


async def test_nothing_that_is_typed_is_ever_more_than_text(
    in_browser: ShopInBrowser, database: Database
) -> None:
    """The fixture asks at the end whether any page broke its policy or spoke."""
    async with in_browser.context(DESK) as context:
        page = await comes_in(in_browser, database, context)
        await begins(page)
        await page.evaluate(
            "document.querySelectorAll('details').forEach((one) => one.open = true)"
        )
        for place, path in enumerate((*FIELDS, *BESIDE)):
            await page.locator(f'[name="{path}"]').fill(EVIL[place % len(EVIL)])
        await expect(page.locator("#saved")).to_have_text("Saved")
        await goes_on(page)
        await expect(page.locator(".fault").first).to_be_visible()
        await expect((await preview(page)).locator("main")).to_be_visible()
        await page.locator('[name="items[0].price"]').fill("1")
        await page.get_by_label("Short name in addresses").fill(f"text-{next(_names)}")
        await page.locator('[name="items[0].id"]').fill("x")
        await page.locator('[name="items[0].sizes"]').fill(f"a|b\n{EVIL[0]}|{EVIL[1]}")
        await goes_on(page)
        await page.get_by_role("button", name="Publish").click()
        await expect(page.locator(".said")).to_contain_text("Published")
        await page.goto(page.url.replace("/studio/", "/"))
        await expect(page.locator(".sizes")).to_contain_text("onerror")
        await page.goto("/studio")
        await expect(page.locator(".cards").first).to_be_visible()


async def test_who_presses_while_his_words_are_saved_does_not_overtake_himself(
    in_browser: ShopInBrowser, database: Database
) -> None:
    async with in_browser.context(PHONE) as context:
        page = await comes_in(in_browser, database, context)
        await begins(page)
        under_way, go_on = asyncio.Event(), asyncio.Event()

        async def held_up(route: Route) -> None:
            by_itself = b"auto" in (route.request.post_data_buffer or b"")
            if not by_itself or under_way.is_set():
                await route.continue_()
                return
            # It is saved, and the page has not heard of it yet.
            answer = await route.fetch()
            under_way.set()
            await go_on.wait()
            with contextlib.suppress(Error):
                await route.fulfill(response=answer)

        await page.route("**/studio/drafts/*", held_up)
        await page.get_by_label("Title").fill("First words")
        await under_way.wait()
        await page.get_by_label("Title").fill("First words and more")
        await page.get_by_role("button", name="Check and go on").click()
        go_on.set()
        await expect(page.locator("#mistakes")).to_contain_text("Saved.")
        await expect(page.get_by_label("Title")).to_have_value("First words and more")
