"""Creators come in: with a passkey where there are scripts, with a password where there are not."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, expect
from sqlalchemy import Connection

from dropengine.people import links
from dropengine.people.links import Kind
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.sql.database import Database
from tests.browser.test_access import faults_in_each_scheme
from tests.kit.shop_in_browser import PHONE, SMALL, ShopInBrowser

PASSWORD = "a long enough sentence"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
_names = count(1)


@pytest.fixture
async def database(shop: SupervisorProcess) -> AsyncIterator[Database]:
    """Of the shop that the browser meets."""
    one = Database(shop._settings)
    yield one
    await one.close()


def by_name(in_browser: ShopInBrowser) -> str:
    """Where passkeys work: browsers make none for a bare address."""
    return in_browser.running.url.replace("127.0.0.1", "localhost")


async def new_link(database: Database, kind: Kind = Kind.FIRST, **more: str) -> str:
    """The path of a one-time link."""

    def made(sql: Connection) -> str:
        return links.make(sql, kind, int(time.time() * 1000), **more)[1]

    return f"/studio/links/{await database.write(made)}"


@contextlib.asynccontextmanager
async def authenticator(page: Page, **more: Any) -> AsyncIterator[None]:
    """A device of the browser's own that makes passkeys."""
    cdp = await page.context.new_cdp_session(page)
    await cdp.send("WebAuthn.enable")
    options = {"options": AUTHENTICATOR | more}
    await cdp.send("WebAuthn.addVirtualAuthenticator", options)
    yield


async def signed_in(page: Page, name: str) -> None:
    await page.wait_for_url("**/studio")
    await expect(page.locator("header.frame")).to_contain_text(f"You are signed in as {name}")


async def filled(page: Page, name: str) -> None:
    await page.get_by_label("Your name").fill(name)
    if await page.get_by_label("What fans call you").count():
        await page.get_by_label("What fans call you").fill("Lamp makers")


async def with_password(context: BrowserContext, url: str, name: str) -> Page:
    """Come in by a link, as a person does who has no scripts or wants no passkey."""
    page = await context.new_page()
    await page.goto(url)
    await filled(page, name)
    await page.get_by_label("A new password").fill(PASSWORD)
    await page.get_by_role("button", name="Go on with a password").click()
    await signed_in(page, name)
    return page


async def test_a_password_lets_in_without_a_single_script(
    in_browser: ShopInBrowser, database: Database
) -> None:
    name, home = f"mia{next(_names)}", in_browser.running.url
    async with in_browser.context(PHONE, scripts=False) as context:
        page = await with_password(context, home + await new_link(database), name)
        await expect(page.get_by_role("button", name="passkey")).to_have_count(0)
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        await page.get_by_label("Name").fill(name)
        await page.get_by_label("Password").fill("not that one")
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await expect(page.get_by_role("alert")).to_contain_text("is wrong")
        await expect(page.get_by_label("Name")).to_have_value(name)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await signed_in(page, name)


async def test_a_passkey_is_made_by_a_link_and_signs_in(
    in_browser: ShopInBrowser, database: Database
) -> None:
    name, home = f"ned{next(_names)}", by_name(in_browser)
    async with in_browser.context(PHONE) as context:
        page = await context.new_page()
        async with authenticator(page):
            link = home + await new_link(database)
            await page.goto(link)
            await filled(page, name)
            await page.get_by_role("button", name="Make a passkey").click()
            await signed_in(page, name)
            for _ in range(2):
                await page.get_by_role("button", name="Sign out").click()
                await page.get_by_role("button", name="Sign in with a passkey").click()
                await signed_in(page, name)
            # It was spent by that.
            await page.goto(link)
            await expect(page.get_by_role("heading", name="This link is over")).to_be_visible()


async def test_a_device_that_has_not_seen_its_person_signs_nobody_in(
    in_browser: ShopInBrowser, database: Database
) -> None:
    name, home = f"zoe{next(_names)}", by_name(in_browser)
    async with in_browser.context(PHONE) as context:
        page = await context.new_page()
        async with authenticator(page):
            await page.goto(home + await new_link(database))
            await filled(page, name)
            await page.get_by_role("button", name="Make a passkey").click()
            await signed_in(page, name)
            await page.get_by_role("button", name="Sign out").click()
            # A page of somebody else's making asks for less than the shop did.
            assert await page.evaluate(ASKING_FOR, "required") == 200
            assert await page.evaluate(ASKING_FOR, "discouraged") == 401


ASKING_FOR = """async (verification) => {
    const post = (path, body) => fetch("/api/studio" + path, {
        method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify(body)});
    const {options} = await (await post("/sign-in/challenge", {})).json();
    options.userVerification = verification;
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    const credential = (await navigator.credentials.get({publicKey})).toJSON();
    return (await post("/sign-in/passkey", {credential})).status;
}"""

REPLAYED = """async () => {
    const post = (path, body) => fetch("/api/studio" + path, {
        method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify(body)});
    const {options} = await (await post("/sign-in/challenge", {})).json();
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    const credential = (await navigator.credentials.get({publicKey})).toJSON();
    const first = (await post("/sign-in/passkey", {credential})).status;
    const again = (await post("/sign-in/passkey", {credential})).status;
    await post("/sign-in/challenge", {});
    const later = (await post("/sign-in/passkey", {credential})).status;
    return [first, again, later];
}"""


async def test_what_a_passkey_signed_is_good_once(
    in_browser: ShopInBrowser, database: Database
) -> None:
    name, home = f"pia{next(_names)}", by_name(in_browser)
    async with in_browser.context(PHONE) as context:
        page = await context.new_page()
        async with authenticator(page):
            await page.goto(home + await new_link(database))
            await filled(page, name)
            await page.get_by_role("button", name="Make a passkey").click()
            await signed_in(page, name)
            assert await page.evaluate(REPLAYED) == [200, 401, 401]


async def test_a_person_who_signs_nothing_is_told_so_and_can_try_again(
    in_browser: ShopInBrowser, database: Database
) -> None:
    home = by_name(in_browser)
    async with in_browser.context(PHONE) as context:
        page = await context.new_page()
        # This device knows no passkey: the browser ends the question itself.
        async with authenticator(page, hasUserVerification=False, isUserVerified=False):
            await page.goto(home + "/studio/sign-in")
            button = page.get_by_role("button", name="Sign in with a passkey")
            await button.click()
            await expect(page.get_by_role("alert")).to_contain_text("Nothing was signed")
            await expect(button).to_have_attribute("aria-disabled", "false")


async def test_at_a_bare_address_nobody_is_offered_what_cannot_work(
    in_browser: ShopInBrowser, database: Database
) -> None:
    async with in_browser.context(PHONE) as context:
        page = await context.new_page()
        await page.goto(in_browser.running.url + "/studio/sign-in")
        await expect(page.get_by_label("Password")).to_be_visible()
        await expect(page.get_by_role("button", name="passkey")).to_have_count(0)


async def test_axe_finds_nothing_where_creators_come_in(
    in_browser: ShopInBrowser, database: Database, tmp_path: Path
) -> None:
    home = by_name(in_browser)
    async with in_browser.context(SMALL) as context:
        name = f"axe{next(_names)}"
        page = await with_password(context, home + await new_link(database), name)
        other = await context.new_page()
        await other.goto(home + await new_link(database))
        third = await context.new_page()
        await third.goto(home + "/studio/sign-in")
        over = await context.new_page()
        await over.goto(home + "/studio/links/none")
        for shown in (page, other, third, over):
            assert await faults_in_each_scheme(shown) == [], shown.url
            wide = await shown.evaluate("document.documentElement.scrollWidth")
            assert wide <= SMALL["width"]
