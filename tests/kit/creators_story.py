"""A maker's night from the first link to the report, as one person lives it in a browser.

Each scene ends with a look at the page: a test asserts what stands there, `tests.story_pictures`
takes pictures of it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Awaitable, Callable

import msgspec
from PIL import Image, ImageDraw
from playwright.async_api import BrowserContext, FilePayload, Page, expect

from dropengine.rehearsal.fans.crowd import Crowd
from dropengine.rehearsal.fans.plans import Ending, plan

TITLE = "Night star pin"
MADE, KEPT_BACK = 60, 20
PASSWORD = "a long enough sentence"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}

Look = Callable[[Page, str], Awaitable[None]]
"""(page, the scene's name)."""


def photo() -> FilePayload:
    """Of a pin, or nearly; as large as a phone makes them."""
    picture = Image.effect_noise((2400, 1800), 20).convert("RGB")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((700, 400, 1700, 1400), fill="#1c3e62", outline="#c6a04a", width=60)
    draw.regular_polygon((1200, 900, 300), 5, fill="#f0ce6e")
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return {"name": "pin.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


class CreatorsStory:
    """home: the shop's origin by name, since passkeys are made for names. look: called at the end
    of each scene."""

    def __init__(self, context: BrowserContext, home: str, name: str, look: Look) -> None:
        self.context = context
        self.home = home
        self.name = name
        self.look = look
        self.page: Page
        self.address = ""

    async def comes_in(self, link: str) -> None:
        """By the link that the shop prints, with a passkey; and out and in again."""
        page = self.page = await self.context.new_page()
        cdp = await self.context.new_cdp_session(page)
        await cdp.send("WebAuthn.enable")
        await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        await page.goto(self.home + link)
        await self.look(page, "link")
        await page.get_by_label("Your name").fill(self.name)
        await page.get_by_label("What fans call you").fill("Rosa Pins")
        await page.get_by_role("button", name="Make a passkey").click()
        await page.wait_for_url("**/studio")
        await self.look(page, "home")
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()
        await self.look(page, "sign-in")
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await page.wait_for_url("**/studio")

    async def invites(self, second: BrowserContext) -> Page:
        """Somebody who helps, and who comes in with a password."""
        page = self.page
        await page.goto(f"{self.home}/studio/people")
        await page.get_by_label("As what").select_option("operator")
        await page.get_by_role("button", name="Make a link").click()
        link = page.get_by_text(re.compile("/studio/links/")).first
        await expect(link).to_be_visible()
        found = re.search(r"/studio/links/\S+", await page.locator("main").inner_text())
        assert found is not None
        await self.look(page, "people")
        helper = await second.new_page()
        await helper.goto(self.home + found.group())
        await helper.get_by_label("Your name").fill(f"{self.name}-helps")
        await helper.get_by_label("A new password").fill(PASSWORD)
        await helper.get_by_role("button", name="Go on with a password").click()
        await helper.wait_for_url("**/studio")
        return helper

    async def writes(self) -> None:
        """From the empty form, with a photo and five mistakes."""
        page = self.page
        await page.goto(f"{self.home}/studio")
        await page.get_by_role("link", name="New drop").first.click()
        await expect(page.get_by_role("button", name="Start with an empty form")).to_be_visible()
        await self.look(page, "new")
        await page.get_by_role("button", name="Start with an empty form").click()
        await self._types(
            {
                "Title": TITLE,
                "What": "Star pin",
                "Price": "24 euros",
                "How many exist": "0",
                "At most to a person": "two",
                "Time zone": "Europe/Madird",
                "Currency": "eur",
            }
        )
        await page.get_by_role("button", name="Check and go on").click()
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
        await self.look(page, "mistakes")
        await self._types(
            {
                "Price": "24",
                "How many exist": str(MADE),
                "Of them kept back": str(KEPT_BACK),
                "At most to a person": "2",
                "Time zone": "Europe/Madrid",
                "Currency": "EUR",
                "Opens": "2087-07-16T18:00",
                "Story": "Cast in June, in dark enamel.\n\nEach has its number on the back.",
            }
        )
        await page.get_by_label("A picture of it").set_input_files(photo())
        await expect(page.locator(".shot")).to_have_count(1)
        await expect(page.locator("#saved")).to_contain_text("Saved")
        await self.look(page, "draft")

    async def publishes(self) -> None:
        """Reads what it will do, publishes, and moves the opening by half an hour."""
        page = self.page
        await page.get_by_role("button", name="Check and go on").click()
        await expect(page.locator(".checks")).to_contain_text("at 18:00 in Madrid")
        await self.look(page, "checks")
        await page.get_by_role("button", name="Publish").click()
        await expect(page.locator(".said")).to_contain_text("Published")
        await expect(page.locator("svg.qr")).to_be_visible()
        self.address = page.url.rpartition("/")[2].partition("?")[0]
        await self.look(page, "published")
        await page.get_by_role("button", name="30 minutes later").click()
        await expect(page.locator(".said")).to_contain_text("18:30 in Madrid")
        await self.look(page, "postponed")

    async def opens(self, crowd: Crowd, fans: int) -> None:
        """Everybody is at the page, and then it is open; all units are in carts in a moment."""
        page = self.page
        for number in range(fans):
            drawn = plan(7, number, "plain")
            eager = msgspec.structs.replace(
                drawn, think=0.0, tap_ms=drawn.tap_ms // 4, early_ms=0, breaks_ms=0, impatient=False
            )
            if number % 3 == 0:
                # Some look at what they hold while the night goes on.
                eager = msgspec.structs.replace(eager, think=1.0, ending=Ending.LAPSE)
            crowd.enter(self.address, eager)
        await page.get_by_role("link", name="The night").first.click()
        await expect(page.locator("night-link")).to_contain_text("Up to date")
        watching = page.locator("night-funnel div", has_text="Screens watching").locator("dd")
        await expect(watching).to_have_text(str(fans), timeout=30_000)
        await self.look(page, "before")
        await self.command("Open now")
        await expect(page.locator(".sums .left dd")).to_have_text("0", timeout=30_000)
        await expect(page.locator("night-feed")).to_contain_text("paid", timeout=30_000)
        await self.look(page, "open")

    async def command(self, name: str, button: str = "", **typed: str) -> None:
        """One of the night's commands, by its page: it says what it will do before it is done."""
        page = self.page
        await page.goto(f"{self.home}/studio/drops/{self.address}/night")
        await page.locator("#commands").get_by_role("link", name=name).click()
        await expect(page.get_by_role("heading", name="What it does")).to_be_visible()
        await self.look(page, f"{name.lower().replace(' ', '-')}-asks")
        for field, text in typed.items():
            await page.locator(f"[name={field}]").fill(text)
        if await page.get_by_role("button", name="Look at it first").count():
            await page.get_by_role("button", name="Look at it first").click()
            await expect(page.get_by_role("button", name=button)).to_be_visible()
            await self.look(page, f"{name.lower().replace(' ', '-')}-sure")
        await page.get_by_role("button", name=button or name).click()
        await expect(page.locator("p.said")).to_be_visible()

    async def runs_the_night(self) -> None:
        """Pause, a word to everybody, go on, more units, a later end."""
        page = self.page
        await self.command("Pause", why="the till is stuck")
        await expect(page.locator("night-phase")).to_have_text("Paused")
        await self.look(page, "paused")
        await expect(page.locator("night-why")).to_have_text("the till is stuck")
        await self.command("Message", "Say it", text="Five minutes, and we go on.")
        await expect(page.locator("night-feed")).to_contain_text("Five minutes, and we go on.")
        await self.command("Go on")
        await expect(page.locator("night-phase")).not_to_have_text("Paused")
        withheld = page.locator(".sums .withheld dd")
        await expect(withheld).to_have_text(str(KEPT_BACK))
        await self.command("Add units", "Add them", qty="10")
        await expect(withheld).to_have_text(str(KEPT_BACK - 10))
        await self.look(page, "ten-more")
        await page.goto(f"{self.home}/studio/drops/{self.address}/night/reschedule?later=30")
        await self.look(page, "later-sure")
        await page.get_by_role("button", name="Set these times").click()
        await expect(page.locator("p.said")).to_be_visible()
        await self.look(page, "later")

    async def serves(self) -> str:
        """Refund one, hand another over, keep the list; the list as a file."""
        page, orders = self.page, f"{self.home}/studio/drops/{self.address}/orders"
        await page.goto(orders)
        rows = page.locator("table.orders tbody tr")
        await expect(rows.nth(1)).to_be_visible()
        await self.look(page, "orders")
        await rows.nth(0).locator("input[type=checkbox]").check()
        await page.get_by_role("button", name="Refund the chosen").click()
        await page.locator("[name=why]").fill("It broke on the way.")
        await expect(page.locator(".follows")).to_contain_text("the money goes back")
        await self.look(page, "refund-sure")
        await page.get_by_role("button", name=re.compile("^Refund ")).click()
        await expect(page.locator("p.said")).to_contain_text("1 order refunded")
        await page.goto(orders)
        await rows.nth(1).locator("th a").click()
        await page.get_by_role("button", name="Handed over", exact=True).click()
        await expect(page.locator(".title .state")).to_contain_text("handed over")
        await self.look(page, "handed-over")
        await page.goto(orders)
        async with page.expect_download() as download:
            await page.get_by_role("link", name="CSV").click()
        text = (await (await download.value).path()).read_text(encoding="utf-8-sig")
        assert "It broke on the way." in text
        return text

    async def reads_the_report(self) -> None:
        """How it went."""
        page = self.page
        await page.goto(f"{self.home}/studio/drops/{self.address}/report")
        await expect(page.locator("main")).to_contain_text("Units sold")
        sold = page.locator("tr", has=page.get_by_role("rowheader", name="Units sold")).locator(
            "td"
        )
        back = page.locator("tr", has=page.get_by_role("rowheader", name="Refunded")).locator("td")
        await expect(sold.first).not_to_have_text("0")
        await expect(back.first).to_have_text(re.compile("^€(24|48)\\.00$"))
        await self.look(page, "report")
        await page.goto(f"{self.home}/studio/drops/{self.address}/night")
        await expect(page.locator("night-link")).to_contain_text("Up to date")
        await self.look(page, "after")

    async def _types(self, words: dict[str, str]) -> None:
        for label, text in words.items():
            await self.page.get_by_label(label, exact=True).fill(text)
