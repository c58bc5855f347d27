"""A whole shop with a real browser before it: what people see, press, and who else is there."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import msgspec
from playwright.async_api import Browser, BrowserContext, Locator, Page, ViewportSize, expect

from dropengine import outcomes, refusals, wire
from dropengine.catalogue import CATALOGUES, ENGLISH, Catalogue
from dropengine.config import Settings
from dropengine.creator_commands import (
    Cancel,
    Close,
    CreatorCommand,
    Message,
    Open,
    Pause,
    Reschedule,
    Resume,
    Seal,
)
from dropengine.manifest import Manifest
from dropengine.model import DropId, FanId
from dropengine.processes.supervisor import Running
from dropengine.randomness import QUICKNET, Source
from dropengine.sql import draw_secrets, engine
from dropengine.truth.command_rows import join_row
from dropengine.truth.store import Store

CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE: ViewportSize = {"width": 390, "height": 844}
COUNTRIES = {"en": "US", "de": "DE"}
NO_MAIL = Path()
"""Where nobody looks for letters."""
LOW: ViewportSize = {"width": 390, "height": 664}
"""The same with the browser's own bars."""
SMALL: ViewportSize = {"width": 320, "height": 568}
DESK: ViewportSize = {"width": 1280, "height": 800}


def chromium() -> str:
    """The browser of this machine: the one that CHROMIUM names, or the first of the usual names."""
    names = (os.environ.get("CHROMIUM", ""), *CHROMIUM)
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    assert found is not None, "no Chromium here: make test installs one, CHROMIUM names another"
    return found


@dataclass
class Faults:
    """What a page did that no page may do."""

    seen: list[str] = field(default_factory=list)

    async def watch(self, context: BrowserContext) -> None:
        await context.expose_binding("violated", lambda _, what: self.seen.append(f"CSP: {what}"))
        await context.add_init_script(
            "document.addEventListener('securitypolicyviolation', (event) => "
            "violated(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));"
        )
        context.on("weberror", lambda error: self.seen.append(f"error: {error.error}"))
        context.on("dialog", lambda dialog: self.seen.append(f"dialog: {dialog.message}"))


class Drop:
    """A published drop: its maker's hands, and fans who are not in a browser."""

    def __init__(self, store: Store, manifest: Manifest, chance: Source | None = None) -> None:
        self.store = store
        self.chance = chance
        self.manifest = manifest
        self.id = DropId(manifest.id)
        self.path = f"/drops/{manifest.id}"
        self.pool = manifest.items[0].pools[0].id
        self.revision = 1
        self._keys = count(1)

    def key(self) -> str:
        return f"maker-{next(self._keys)}"

    def _done(self, outcome: outcomes.CreatorOutcome | outcomes.PublishOutcome) -> None:
        assert isinstance(outcome, outcomes.Changed), outcome
        self.revision = outcome.revision

    async def publish(self) -> None:
        outcome = await self.store.publish(
            self.manifest, by="o1", key=self.key(), chance=self.chance
        )
        self._done(outcome)

    async def open(self) -> None:
        await self._command(Open())

    async def pause(self, why: str = "") -> None:
        await self._command(Pause(why))

    async def resume(self) -> None:
        await self._command(Resume())

    async def close(self) -> None:
        await self._command(Close())

    async def seal(self) -> None:
        await self._command(Seal())

    async def goes_on(self) -> None:
        """The clock did something, which raised the revision."""
        shown = await self.store.show(self.id)
        assert shown is not None
        self.revision = shown.revision

    async def cancel(self, why: str = "") -> None:
        await self._command(Cancel(why))

    async def reschedule(self, *, opens_ms: int = 0, closes_ms: int = 0) -> None:
        await self._command(Reschedule(opens_ms, closes_ms))

    async def refund(self, order: str, why: str = "") -> None:
        outcome = await self.store.refund(self.id, order, by="o1", key=self.key(), why=why)
        assert isinstance(outcome, outcomes.Refunded), outcome

    async def say(self, text: str) -> None:
        await self._command(Message(text))

    async def _command(self, command: CreatorCommand) -> None:
        self._done(
            await self.store.command(
                self.id, command, revision=self.revision, by="o1", key=self.key()
            )
        )

    async def press(
        self, fan: str, command: wire.FanCommand
    ) -> outcomes.PressOutcome | refusals.Away:
        (outcome,) = await self.store.press(self.id, [(FanId(fan), command)])
        return outcome

    async def hold(self, fan: str, qty: int = 1) -> str:
        return await self.takes(fan, self.pool, qty)

    async def takes(self, fan: str, pool: str, qty: int = 1) -> str:
        """A hold of a pool that may be another than the first."""
        outcome = await self.press(fan, wire.Hold(0, self.key(), pool, qty))
        assert isinstance(outcome, outcomes.Held), outcome
        return outcome.id

    async def sells(self, fan: str, qty: int) -> None:
        """Held and paid, without a provider's page."""
        hold = await self.hold(fan, qty)
        await self.press(fan, wire.Pay(0, self.key(), [hold]))
        amount = qty * self.manifest.items[0].price
        outcome = await self.store.succeeded(self.id, hold, f"paid-{hold}", amount, "EUR", True)
        assert isinstance(outcome, outcomes.Paid), outcome

    async def release(self, fan: str, hold: str) -> None:
        outcome = await self.press(fan, wire.Release(0, self.key(), hold))
        assert isinstance(outcome, outcomes.Released), outcome

    async def join(self, fan: str) -> str:
        outcome = await self.press(fan, wire.Join(0, self.key(), [self.pool]))
        assert isinstance(outcome, outcomes.Joined), outcome
        return outcome.id

    async def enters(self, fan: str, tickets: int = 1) -> str:
        """Somebody stands in its list."""
        join = wire.Join(0, self.key(), [self.pool], nonce="ab" * 16)
        (outcome,) = await self.store.press_rows(self.id, [join_row(FanId(fan), join, tickets)])
        assert isinstance(outcome, outcomes.Joined), outcome
        return outcome.id

    async def leave(self, fan: str, entry: str) -> None:
        outcome = await self.press(fan, wire.Leave(0, self.key(), entry))
        assert isinstance(outcome, outcomes.Left), outcome


class Person:
    """Somebody at a screen. say: what the pages say to him."""

    def __init__(self, page: Page, say: Catalogue = ENGLISH) -> None:
        self.page = page
        self.say = say

    @property
    def button(self) -> Locator:
        """The one button."""
        return self.page.locator("button.one")

    async def open(self, drop: Drop) -> None:
        await self.page.goto(drop.path)
        await self.is_live()

    async def is_live(self) -> None:
        await expect(self.page.locator("drop-link")).to_have_text(self.say("up_to_date"))

    async def sees_stale(self) -> None:
        """The page says that it is not up to date, and since when."""
        await expect(self.page.locator("drop-link")).to_contain_text("Not up to date since")

    async def reads(self, words: str) -> None:
        """The button says this."""
        await expect(self.button).to_contain_text(words)

    async def wakes(self, words: str) -> None:
        """The button says this and can be pressed."""
        await self.reads(words)
        await expect(self.button).to_have_attribute("aria-disabled", "false")

    async def press(self, words: str) -> None:
        """Press the button once it says this and can be pressed."""
        await self.wakes(words)
        await self.button.click()

    async def clicks(self, words: str) -> None:
        """Press another button than the one, once it is awake."""
        button = self.page.get_by_role("button", name=words, exact=True)
        await expect(button).not_to_have_attribute("aria-disabled", "true")
        await button.click()

    async def pays(self) -> None:
        """On the provider's page: pay; it leads back to the drop."""
        await self.page.locator("button[value=pay]").click()
        await self.is_live()

    async def sees(self, words: str) -> None:
        await expect(self.page.locator("main")).to_contain_text(words)

    async def figures(self, *, free: int, held: int, sold: int) -> None:
        """The stock on the screen."""
        for name, number in (("free", free), ("held", held), ("sold", sold)):
            await expect(self.page.locator(f".figures .{name} dd")).to_have_text(str(number))


class ShopInBrowser:
    """One test's world. `faults` must stay empty. mail: the folder of its letters."""

    def __init__(
        self, running: Running, store: Store, browser: Browser, name: str, mail: Path = NO_MAIL
    ) -> None:
        self.running = running
        self.mail = mail
        self.store = store
        self.browser = browser
        self.faults = Faults()
        self._name = name
        self._drops = count(1)

    async def drop(self, manifest: Manifest, *, opened: bool = True) -> Drop:
        """Publish it under an id of its own."""
        named = msgspec.structs.replace(manifest, id=f"{self._name}-{next(self._drops)}")
        drop = Drop(self.store, named, await asyncio.to_thread(self._chance, named))
        await drop.publish()
        if opened:
            await drop.open()
        return drop

    def _chance(self, manifest: Manifest) -> Source | None:
        """As the panel publishes it: what is committed to is kept before."""
        if manifest.mode == "rush":
            return None
        one = engine.connect(Settings(data_dir=self.mail.parent))
        try:
            with engine.transaction(one, writes=True) as sql:
                return draw_secrets.named(sql, manifest, QUICKNET, time.time_ns() // 1_000_000)
        finally:
            one.dispose()

    @asynccontextmanager
    async def context(
        self, viewport: ViewportSize = PHONE, *, scripts: bool = True, language: str = "en"
    ) -> AsyncIterator[BrowserContext]:
        """A browser of somebody who was never here, as it comes in his language."""
        context = await self.browser.new_context(
            viewport=viewport,
            base_url=self.running.url,
            java_script_enabled=scripts,
            timezone_id="Asia/Tokyo",
            locale=f"{language}-{COUNTRIES[language]}",
        )
        await self.faults.watch(context)
        try:
            yield context
        finally:
            await context.close()

    @asynccontextmanager
    async def person(
        self, viewport: ViewportSize = PHONE, *, language: str = "en"
    ) -> AsyncIterator[Person]:
        async with self.context(viewport, language=language) as context:
            yield Person(await context.new_page(), CATALOGUES[language])
